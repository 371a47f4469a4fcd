//! One client's connection, from prelogin to the end, on a thread of its own.

use std::io::Read;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use tds_protocol::packet::{PACKET_HEADER_SIZE, PacketHeader, PacketStatus, PacketType};
use tds_protocol::prelogin::{EncryptionLevel, PreLogin};

use super::login;
use super::reply::Reply;
use super::request::{self, Request};
use super::wire::Wire;
use crate::engine::session::{Session, Stop};
use crate::engine::shared::Shared;
use crate::sql::catalog::DATABASES;
use crate::sql::error::SqlError;

/// TDS 7.4, and the oldest spoken here, 7.2: before it messages look different.
const NEWEST: u32 = 0x7400_0004;
const OLDEST: u32 = 0x7209_0002;
/// The largest request taken: a batch is at most 65,536 packets in SQL Server; this is plenty here.
const LARGEST: usize = 64 << 20;

/// A message from the client.
struct Message {
    kind: PacketType,
    body: Vec<u8>,
    reset: bool,
}

/// Serves one client until it goes.
pub(crate) fn serve(shared: &Arc<Shared>, stream: TcpStream) {
    let Ok(known) = stream.try_clone() else { return };
    let spid = shared.enter(Some(known));
    let wire = Wire::new(stream);
    // a client that breaks off, or speaks something else, is nothing the others need to know of
    let _ = converse(shared, &wire, spid);
    shared.leave(spid);
    wire.shutdown();
}

/// What both sides agree on: the server can, and the client wants.
fn agreed(able: bool, client: EncryptionLevel) -> EncryptionLevel {
    match client {
        _ if !able => EncryptionLevel::NotSupported,
        EncryptionLevel::Off => EncryptionLevel::Off,
        EncryptionLevel::NotSupported => EncryptionLevel::NotSupported,
        _ => EncryptionLevel::On,
    }
}

fn converse(shared: &Arc<Shared>, stream: &Wire, spid: u16) -> anyhow::Result<()> {
    stream.set_nodelay()?;
    let mut encryption = EncryptionLevel::NotSupported;
    let mut message = receive(stream)?.context("gone before prelogin")?;
    if message.kind == PacketType::PreLogin {
        let wanted = PreLogin::decode(message.body.as_slice())?.encryption;
        encryption = agreed(shared.certificate.is_some(), wanted);
        let mut answer = PreLogin::new().with_encryption(encryption);
        answer.version = tds_protocol::version::TdsVersion::new(u32::from_be_bytes(crate::VERSION_BYTES));
        Reply::new(stream, 4096, spid, false).raw(&answer.encode())?;
        if let Some(certificate) = &shared.certificate
            && encryption != EncryptionLevel::NotSupported
        {
            stream.secure(certificate)?;
        }
        message = receive(stream)?.context("gone before login")?;
    }
    if encryption == EncryptionLevel::Off {
        // only the login was to be secret
        stream.unsecure();
    }
    if message.kind != PacketType::Tds7Login {
        bail!("expected a login, not {:?}", message.kind);
    }
    let login = login::decode(&message.body)?;
    let packet_size = usize::try_from(login.packet_size.clamp(512, 32_767))?;
    shared.faults.wait_while_hanging();
    let Some(database) = admit(shared, stream, spid, &login, packet_size)? else { return Ok(()) };
    shared.logins.fetch_add(1, Ordering::Relaxed);
    let watch = stream.watch()?;
    let mut session = Session::new(Arc::clone(shared), spid, watch)?;
    session.database = database;
    let mut client = Client { stream, packet_size };
    while let Some(message) = receive(stream)? {
        shared.requests.fetch_add(1, Ordering::Relaxed);
        shared.faults.wait_while_hanging();
        if message.reset {
            session.reset();
        }
        if client.answer(&mut session, &message)? == Stop::Disconnect {
            return Ok(());
        }
    }
    Ok(())
}

/// Checks the login; None where it was refused.
fn admit(
    shared: &Shared,
    stream: &Wire,
    spid: u16,
    login: &login::Login,
    packet_size: usize,
) -> anyhow::Result<Option<String>> {
    let mut reply = Reply::new(stream, 4096, spid, false);
    if login.version < OLDEST {
        bail!("TDS {:08X} is too old", login.version);
    }
    if !login.user.eq_ignore_ascii_case(&shared.user) || login.password != shared.password {
        reply.message(&SqlError::new(18456, 14, format!("Login failed for user '{}'.", login.user)), 1);
        reply.finish()?;
        return Ok(None);
    }
    let wanted = if login.database.is_empty() {
        DATABASES.first().copied().unwrap_or_default()
    } else {
        &login.database
    };
    let Some(database) = DATABASES.iter().find(|known| known.eq_ignore_ascii_case(wanted)) else {
        let text = format!("Cannot open database \"{wanted}\" requested by the login. The login failed.");
        reply.message(&SqlError::new(4060, 11, text), 1);
        reply.message(&SqlError::new(18456, 14, format!("Login failed for user '{}'.", login.user)), 1);
        reply.finish()?;
        return Ok(None);
    };
    reply.environment(1, database, "master");
    reply.message(&SqlError::new(5701, 0, format!("Changed database context to '{database}'.")), 1);
    reply.collation();
    reply.environment(2, "us_english", "");
    reply.login_ack(login.version.min(NEWEST));
    reply.environment(4, &packet_size.to_string(), "4096");
    reply.finish()?;
    Ok(Some((*database).to_owned()))
}

struct Client<'a> {
    stream: &'a Wire,
    packet_size: usize,
}

impl Client<'_> {
    /// Answers one message; `Disconnect` ends the connection.
    fn answer(&mut self, session: &mut Session, message: &Message) -> anyhow::Result<Stop> {
        let procedure = message.kind == PacketType::Rpc;
        let mut reply = Reply::new(self.stream, self.packet_size, session.spid, procedure);
        let (transaction, request) = match message.kind {
            PacketType::SqlBatch => request::batch(&message.body)?,
            PacketType::Rpc => request::procedure(&message.body)?,
            PacketType::TransactionManager => request::transaction(&message.body)?,
            // it came too late: the request was already answered
            PacketType::Attention => {
                session.attention(&mut reply);
                reply.finish_attention()?;
                return Ok(Stop::Attention);
            }
            other => bail!("{other:?} is not spoken here"),
        };
        let request = request.and_then(|request| {
            if transaction != 0 && transaction != session.transaction {
                return Err(SqlError::new(
                    3971,
                    16,
                    format!("The server failed to resume the transaction. Desc:{transaction:x}."),
                ));
            }
            Ok(request)
        });
        let result = match request {
            Ok(request) => {
                let open = session.shared.recorder.begin(&request);
                let result = run(session, request, &mut reply);
                session.shared.recorder.end(session.spid, open);
                result
            }
            Err(error) => {
                refuse(&mut reply, &error);
                Ok(())
            }
        };
        match result {
            Ok(()) if procedure => reply.finish_procedure(session.last_error)?,
            Ok(()) => reply.finish()?,
            Err(Stop::Disconnect) => return Ok(Stop::Disconnect),
            Err(Stop::Attention) => {
                // the attention itself still stands in the stream
                receive(self.stream)?;
                session.attention(&mut reply);
                reply.finish_attention()?;
            }
        }
        Ok(Stop::Attention)
    }
}

fn refuse(reply: &mut Reply<'_>, error: &SqlError) {
    use crate::engine::session::Sink as _;
    reply.error(error, 1);
    reply.done(None, false, true);
}

fn run(session: &mut Session, request: Request, reply: &mut Reply<'_>) -> Result<(), Stop> {
    match request {
        Request::Batch(sql) => session.batch(&sql, "", Vec::new(), reply),
        Request::Execute { sql, declarations, values } => {
            let (settings, depth) = (session.settings.clone(), session.depth);
            let result = session.batch(&sql, &declarations, values, reply);
            session.settings = settings;
            if session.depth != depth && session.last_error == 0 {
                let text = format!(
                    "Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements. \
                     Previous count = {depth}, current count = {}.",
                    session.depth
                );
                refuse(reply, &SqlError::new(266, 16, text));
            }
            result
        }
        Request::Begin => {
            session.begin(reply);
            Ok(())
        }
        Request::Commit { begin_again } => end(session, reply, begin_again, true),
        Request::Rollback { begin_again } => end(session, reply, begin_again, false),
    }
}

fn end(session: &mut Session, reply: &mut Reply<'_>, begin_again: bool, commit: bool) -> Result<(), Stop> {
    session.end_by_request(commit, reply)?;
    if begin_again {
        session.begin(reply);
    }
    Ok(())
}

/// Reads one message; None where the client has gone.
fn receive(mut stream: &Wire) -> anyhow::Result<Option<Message>> {
    let mut body = Vec::new();
    let mut reset = false;
    loop {
        let mut head = [0; PACKET_HEADER_SIZE];
        match stream.read_exact(&mut head) {
            Ok(()) => {}
            Err(_) if body.is_empty() => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let header = PacketHeader::decode(&mut head.as_slice())?;
        reset |= header.status.contains(PacketStatus::RESET_CONNECTION);
        let place = body.len();
        if place > LARGEST {
            bail!("a message of more than {LARGEST} bytes");
        }
        body.resize(place + header.payload_length(), 0);
        stream.read_exact(body.get_mut(place..).unwrap_or_default())?;
        if header.status.contains(PacketStatus::IGNORE_EVENT) {
            bail!("the client took its message back");
        }
        if header.is_end_of_message() {
            return Ok(Some(Message { kind: header.packet_type, body, reset }));
        }
    }
}
