//! LOGIN7: who wants in, and where.

use anyhow::Context;

use super::reader::{Reader, utf16};

/// What a client says when it logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// e.g. 0x74000004 for TDS 7.4.
    pub(crate) version: u32,
    pub(crate) packet_size: u32,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) database: String,
}

/// Reads a LOGIN7 message.
pub(crate) fn decode(message: &[u8]) -> anyhow::Result<Login> {
    let mut head = Reader::new(message);
    let _length = head.u32()?;
    let version = head.u32()?;
    let packet_size = head.u32()?;
    let field = |at: usize| -> anyhow::Result<&[u8]> {
        let mut place = Reader::new(message.get(at..).context("LOGIN7 too short")?);
        let (offset, units) = (usize::from(place.u16()?), usize::from(place.u16()?));
        message.get(offset..offset + units * 2).context("a field of LOGIN7 lies outside it")
    };
    // each byte of the password: xor 0xA5, halves exchanged
    let password: Vec<u8> = field(44)?.iter().map(|byte| (byte ^ 0xA5).rotate_left(4)).collect();
    Ok(Login {
        version,
        packet_size,
        user: utf16(field(40)?)?,
        password: utf16(&password)?,
        database: utf16(field(68)?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_tds_protocol_writes() {
        let sent = tds_protocol::login7::Login7::new()
            .with_sql_auth("sa", "Pä55 wörd")
            .with_database("Raintech_DB1")
            .with_packet_size(8000)
            .encode();
        let login = decode(&sent).unwrap();
        assert_eq!(login.user, "sa");
        assert_eq!(login.password, "Pä55 wörd");
        assert_eq!(login.database, "Raintech_DB1");
        assert_eq!(login.packet_size, 8000);
        assert!(decode(sent.get(..50).unwrap()).is_err());
    }
}
