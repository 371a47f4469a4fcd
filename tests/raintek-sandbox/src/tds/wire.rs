//! The bytes of one connection, in the clear or within TLS. TDS wraps the handshake into prelogin packets; what comes
//! after it goes over the socket as TLS has it. A client that wants only its login encrypted speaks in the clear again
//! right after it.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;

use native_tls::{Identity, Protocol, TlsAcceptor, TlsStream};
use tds_protocol::packet::{PACKET_HEADER_SIZE, PacketHeader, PacketStatus, PacketType};

use super::super::engine::session::{Stop, Watch};

/// Which certificate the server shows, if any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Tls {
    /// No encryption at all.
    #[default]
    Off,
    /// A certificate the server made itself, as SQL Server does at its start.
    On,
    /// One that ended long ago.
    Expired,
}

/// What the server shows who it is with.
pub(crate) struct Certificate(TlsAcceptor);

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate")
    }
}

/// Makes the server's certificate; None without encryption.
pub(crate) fn certificate(tls: Tls) -> anyhow::Result<Option<Certificate>> {
    if tls == Tls::Off {
        return Ok(None);
    }
    let mut parameters = rcgen::CertificateParams::new(vec!["SSL_Self_Signed_Fallback".to_owned()])?;
    if tls == Tls::Expired {
        parameters.not_before = rcgen::date_time_ymd(2000, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2001, 1, 1);
    }
    let key = rcgen::KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    let identity = Identity::from_pkcs8(certificate.pem().as_bytes(), key.serialize_pem().as_bytes())?;
    // TDS 7.x is older than TLS 1.3, whose tickets would come after the login in the clear.
    let acceptor = TlsAcceptor::builder(identity).max_protocol_version(Some(Protocol::Tlsv12)).build()?;
    Ok(Some(Certificate(acceptor)))
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Wire {
    socket: TcpStream,
    secured: RefCell<Option<TlsStream<Wrapped>>>,
}

impl Wire {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { socket, secured: RefCell::new(None) }
    }

    pub(crate) fn set_nodelay(&self) -> io::Result<()> {
        self.socket.set_nodelay(true)
    }

    pub(crate) fn shutdown(&self) {
        // who has gone needs no goodbye
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Shakes hands; from here on everything is encrypted.
    pub(crate) fn secure(&self, certificate: &Certificate) -> anyhow::Result<()> {
        let wrapping = Rc::new(Cell::new(true));
        let wrapped = Wrapped {
            socket: self.socket.try_clone()?,
            wrapping: Rc::clone(&wrapping),
            left: 0,
            out: Vec::new(),
        };
        let mut stream = certificate.0.accept(wrapped).map_err(|error| anyhow::anyhow!("TLS: {error}"))?;
        stream.get_mut().send()?;
        wrapping.set(false);
        *self.secured.borrow_mut() = Some(stream);
        Ok(())
    }

    /// In the clear again.
    pub(crate) fn unsecure(&self) {
        // dropped without TLS's goodbye, which nobody expects here
        self.secured.borrow_mut().take();
    }

    /// Looks into the socket without taking anything out: an attention, or the end of the connection.
    pub(crate) fn watch(&self) -> anyhow::Result<Watch> {
        let socket = self.socket.try_clone()?;
        let encrypted = self.secured.borrow().is_some();
        Ok(std::sync::Arc::new(move || {
            let mut first = [0];
            socket.set_nonblocking(true).ok()?;
            let seen = socket.peek(&mut first);
            socket.set_nonblocking(false).ok()?;
            match seen {
                Ok(0) => Some(Stop::Disconnect),
                // what a client sends while it waits for an answer is an attention; TLS hides its first byte
                Ok(_) if encrypted || first == [0x06] => Some(Stop::Attention),
                Ok(_) => None,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                Err(_) => Some(Stop::Disconnect),
            }
        }))
    }
}

impl Read for &Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.secured.borrow_mut().as_mut() {
            Some(stream) => stream.read(into),
            None => (&self.socket).read(into),
        }
    }
}

impl Write for &Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.secured.borrow_mut().as_mut() {
            Some(stream) => stream.write(bytes),
            None => (&self.socket).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.secured.borrow_mut().as_mut() {
            Some(stream) => stream.flush(),
            None => (&self.socket).flush(),
        }
    }
}

/// The socket below TLS, which packs the handshake into prelogin packets.
#[derive(Debug)]
struct Wrapped {
    socket: TcpStream,
    wrapping: Rc<Cell<bool>>,
    /// What is still to come of the packet being read.
    left: usize,
    out: Vec<u8>,
}

impl Wrapped {
    /// Sends what was written so far as one packet.
    fn send(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let length = u16::try_from(self.out.len() + PACKET_HEADER_SIZE).map_err(io::Error::other)?;
        let mut packet = Vec::with_capacity(length.into());
        PacketHeader::new(PacketType::PreLogin, PacketStatus::END_OF_MESSAGE, length).encode(&mut packet);
        packet.append(&mut self.out);
        self.socket.write_all(&packet)
    }
}

impl Read for Wrapped {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.wrapping.get() {
            return self.socket.read(into);
        }
        self.send()?;
        while self.left == 0 {
            let mut head = [0; PACKET_HEADER_SIZE];
            self.socket.read_exact(&mut head)?;
            let header = PacketHeader::decode(&mut head.as_slice()).map_err(io::Error::other)?;
            self.left = header.payload_length();
        }
        let most = self.left.min(into.len());
        let taken = self.socket.read(into.get_mut(..most).unwrap_or_default())?;
        self.left -= taken;
        Ok(taken)
    }
}

impl Write for Wrapped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.wrapping.get() {
            return self.socket.write(bytes);
        }
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.wrapping.get() { self.send() } else { self.socket.flush() }
    }
}
