//! What goes back: tokens, packed into packets as they come.

use std::io::Write;

use rusqlite::types::ValueRef;
use tds_protocol::packet::{PACKET_HEADER_SIZE, PacketHeader, PacketStatus, PacketType};
use tds_protocol::token::{Done, DoneStatus};

use super::values;
use super::wire::Wire;
use crate::engine::session::{Change, Failure, Sink, Stop};
use crate::sql::error::SqlError;
use crate::sql::types::ColumnInfo;

const DONE: u8 = 0xFD;
const DONE_PROC: u8 = 0xFE;
const DONE_IN_PROC: u8 = 0xFF;

/// One answer, sent while it is made.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    stream: &'a Wire,
    buffer: Vec<u8>,
    packet_size: usize,
    packet: u8,
    spid: u16,
    /// A procedure call ends its statements with DONEINPROC.
    procedure: bool,
    /// The DONE not yet sent: whether more follows is known only then.
    pending: Option<Done>,
    failed: bool,
}

impl<'a> Reply<'a> {
    pub(crate) const fn new(stream: &'a Wire, packet_size: usize, spid: u16, procedure: bool) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            packet_size,
            packet: 1,
            spid,
            procedure,
            pending: None,
            failed: false,
        }
    }

    /// Sends raw bytes as one message (prelogin).
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        self.send(true)
    }

    /// Ends the answer of a batch, a login or a transaction request.
    pub(crate) fn finish(mut self) -> std::io::Result<()> {
        match self.pending.take() {
            Some(done) => self.put_done(DONE, done),
            None => self.put_done(DONE, Done { status: DoneStatus::default(), cur_cmd: 0, row_count: 0 }),
        }
        self.send(true)
    }

    /// Ends the answer of a procedure call.
    pub(crate) fn finish_procedure(mut self, code: i32) -> std::io::Result<()> {
        self.flush_done();
        self.buffer.push(0x79);
        self.buffer.extend(code.to_le_bytes());
        let status = status(|status| status.error = self.failed);
        self.put_done(DONE_PROC, Done { status, cur_cmd: 0xE0, row_count: 0 });
        self.send(true)
    }

    /// Ends an answer the client did not want any more.
    pub(crate) fn finish_attention(mut self) -> std::io::Result<()> {
        self.flush_done();
        let status = status(|status| status.attn = true);
        self.put_done(DONE, Done { status, cur_cmd: 0, row_count: 0 });
        self.send(true)
    }

    /// A change of the session's surroundings with texts, e.g. the database.
    pub(crate) fn environment(&mut self, kind: u8, new: &str, old: &str) {
        let mut body = vec![kind];
        short_text(&mut body, new);
        short_text(&mut body, old);
        self.token(0xE3, &body);
    }

    /// The collation new texts come in.
    pub(crate) fn collation(&mut self) {
        let mut body = vec![7, 5];
        body.extend(values::COLLATION);
        body.push(0);
        self.token(0xE3, &body);
    }

    pub(crate) fn login_ack(&mut self, version: u32) {
        let mut body = vec![1];
        body.extend(version.to_be_bytes());
        short_text(&mut body, "Microsoft SQL Server");
        body.extend(crate::VERSION_BYTES);
        self.token(0xAD, &body);
    }

    pub(crate) fn message(&mut self, error: &SqlError, line: u32) {
        self.flush_done();
        let mut body = Vec::new();
        body.extend(error.number.to_le_bytes());
        body.extend([error.state, error.class]);
        let text: Vec<u8> = error.message.encode_utf16().take(4000).flat_map(u16::to_le_bytes).collect();
        body.extend(u16::try_from(text.len() / 2).unwrap_or(0).to_le_bytes());
        body.extend(text);
        short_text(&mut body, "RAINTEK-SANDBOX");
        body.push(0);
        body.extend(line.to_le_bytes());
        self.failed |= error.class > 10;
        self.token(if error.class > 10 { 0xAA } else { 0xAB }, &body);
    }

    pub(crate) fn transaction(&mut self, change: Change) {
        self.flush_done();
        let (kind, new, old) = match change {
            Change::Begun(descriptor) => (8, Some(descriptor), None),
            Change::Committed(descriptor) => (9, None, Some(descriptor)),
            Change::RolledBack(descriptor) => (10, None, Some(descriptor)),
        };
        let mut body = vec![kind];
        for side in [new, old] {
            match side {
                Some(descriptor) => {
                    body.push(8);
                    body.extend(descriptor.to_le_bytes());
                }
                None => body.push(0),
            }
        }
        self.token(0xE3, &body);
    }

    fn token(&mut self, kind: u8, body: &[u8]) {
        self.buffer.push(kind);
        self.buffer.extend(u16::try_from(body.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.buffer.extend_from_slice(body);
    }

    fn put_done(&mut self, kind: u8, done: Done) {
        // tds-protocol writes the token byte of a plain DONE; the two others have the same body
        let place = self.buffer.len();
        done.encode(&mut self.buffer);
        if let Some(byte) = self.buffer.get_mut(place) {
            *byte = kind;
        }
    }

    fn flush_done(&mut self) {
        if let Some(mut done) = self.pending.take() {
            done.status.more = true;
            self.put_done(if self.procedure { DONE_IN_PROC } else { DONE }, done);
        }
    }

    /// Sends full packets, or all with the mark of the end.
    fn send(&mut self, end: bool) -> std::io::Result<()> {
        let room = self.packet_size - PACKET_HEADER_SIZE;
        let mut wire = Vec::with_capacity(self.buffer.len() + 64);
        let mut rest = self.buffer.as_slice();
        while rest.len() > room || end {
            let (now, later) = rest.split_at(rest.len().min(room));
            rest = later;
            let last = end && rest.is_empty();
            let status = if last { PacketStatus::END_OF_MESSAGE } else { PacketStatus::NORMAL };
            let length = u16::try_from(now.len() + PACKET_HEADER_SIZE).unwrap_or(u16::MAX);
            PacketHeader::new(PacketType::TabularResult, status, length)
                .with_packet_id(self.packet)
                .with_spid(self.spid)
                .encode(&mut wire);
            self.packet = self.packet.wrapping_add(1);
            wire.extend_from_slice(now);
            if last {
                break;
            }
        }
        let left = rest.len();
        self.buffer.drain(..self.buffer.len() - left);
        self.stream.write_all(&wire)
    }
}

impl Sink for Reply<'_> {
    fn columns(&mut self, columns: &[ColumnInfo]) -> Result<(), Failure> {
        self.flush_done();
        self.buffer.push(0x81);
        self.buffer.extend(u16::try_from(columns.len()).unwrap_or(u16::MAX).to_le_bytes());
        for column in columns {
            self.buffer.extend([0; 4]);
            let flags: u16 = if column.identity { 0x0010 } else { 0x0009 };
            self.buffer.extend(flags.to_le_bytes());
            values::write_type(&mut self.buffer, column.ty, "");
            short_text(&mut self.buffer, &column.name);
        }
        Ok(())
    }

    fn row(&mut self, columns: &[ColumnInfo], cells: &[ValueRef<'_>]) -> Result<(), Failure> {
        let place = self.buffer.len();
        self.buffer.push(0xD1);
        for (column, cell) in columns.iter().zip(cells) {
            if let Err(error) = values::write_value(&mut self.buffer, column.ty, *cell) {
                self.buffer.truncate(place);
                return Err(error.into());
            }
        }
        // several packets at a time, so that a long result streams without a call per packet
        if self.buffer.len() > 8 * self.packet_size {
            self.send(false).map_err(|_| Failure::Stop(Stop::Disconnect))?;
        }
        Ok(())
    }

    fn done(&mut self, count: Option<u64>, select: bool, failed: bool) {
        self.flush_done();
        let status = status(|status| (status.count, status.error) = (count.is_some(), failed));
        let cur_cmd = if select { 0xC1 } else { 0xC3 };
        self.pending = Some(Done { status, cur_cmd, row_count: count.unwrap_or(0) });
    }

    fn error(&mut self, error: &SqlError, line: u32) {
        self.message(error, line);
    }

    fn change(&mut self, change: Change) {
        self.transaction(change);
    }

    fn database(&mut self, name: &str) {
        self.flush_done();
        self.environment(1, name, "");
    }
}

/// A text with its length in one byte.
fn short_text(out: &mut Vec<u8>, text: &str) {
    let units: Vec<u16> = text.encode_utf16().take(255).collect();
    out.push(u8::try_from(units.len()).unwrap_or(255));
    out.extend(units.into_iter().flat_map(u16::to_le_bytes));
}

fn status(mark: impl FnOnce(&mut DoneStatus)) -> DoneStatus {
    let mut status = DoneStatus::default();
    mark(&mut status);
    status
}
