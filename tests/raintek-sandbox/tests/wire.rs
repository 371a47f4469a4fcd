//! tds-protocol's decoder, which has no part in what is encoded, reads the server's tokens.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use raintek_sandbox::{Options, Sandbox};
use tds_protocol::login7::Login7;
use tds_protocol::packet::{PACKET_HEADER_SIZE, PacketHeader, PacketStatus, PacketType};
use tds_protocol::prelogin::{EncryptionLevel, PreLogin};
use tds_protocol::token::{ColMetaData, Token, TokenParser};

struct Wire(TcpStream);

impl Wire {
    /// Sends a message in packets of at most 1,000 bytes, and gives back the whole answer.
    fn ask(&mut self, kind: PacketType, body: &[u8]) -> Vec<u8> {
        let chunks: Vec<&[u8]> = body.chunks(1000).collect();
        for (at, chunk) in chunks.iter().enumerate() {
            let last = at + 1 == chunks.len();
            let status = if last { PacketStatus::END_OF_MESSAGE } else { PacketStatus::NORMAL };
            let mut packet = Vec::new();
            PacketHeader::new(kind, status, u16::try_from(chunk.len() + PACKET_HEADER_SIZE).unwrap())
                .encode(&mut packet);
            packet.extend_from_slice(chunk);
            self.0.write_all(&packet).unwrap();
        }
        let mut answer = Vec::new();
        loop {
            let mut head = [0; PACKET_HEADER_SIZE];
            self.0.read_exact(&mut head).unwrap();
            let header = PacketHeader::decode(&mut head.as_slice()).unwrap();
            let mut part = vec![0; header.payload_length()];
            self.0.read_exact(&mut part).unwrap();
            answer.extend(part);
            if header.is_end_of_message() {
                return answer;
            }
        }
    }

    fn batch(&mut self, sql: &str) -> Vec<Token> {
        tokens(self.ask(PacketType::SqlBatch, &tds_protocol::sql_batch::SqlBatch::new(sql).encode()))
    }
}

fn tokens(answer: Vec<u8>) -> Vec<Token> {
    let mut parser = TokenParser::new(answer.into());
    let (mut found, mut columns) = (Vec::new(), None::<ColMetaData>);
    while let Some(token) = parser.next_token_with_metadata(columns.as_ref()).unwrap() {
        if let Token::ColMetaData(metadata) = &token {
            columns = Some(metadata.clone());
        }
        found.push(token);
    }
    found
}

#[test]
fn every_token_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.sqlite");
    let sandbox = Sandbox::start(Options { file, seed_products: 2, ..Options::default() }).unwrap();
    let mut wire = Wire(TcpStream::connect(("127.0.0.1", sandbox.tds_port)).unwrap());

    let answer = wire.ask(PacketType::PreLogin, &PreLogin::new().encode());
    let prelogin = PreLogin::decode(answer.as_slice()).unwrap();
    assert_eq!(prelogin.encryption, EncryptionLevel::NotSupported);

    let login = Login7::new().with_sql_auth("sa", "RainTek-1").with_database("Raintech_DB1").encode();
    let greeting = tokens(wire.ask(PacketType::Tds7Login, &login));
    assert!(greeting.iter().any(|token| matches!(token, Token::LoginAck(_))));
    assert!(greeting.iter().any(|token| matches!(token, Token::EnvChange(_))));
    assert!(matches!(greeting.last(), Some(Token::Done(done)) if !done.status.more));

    let answer =
        wire.batch("SELECT 1 AS one, N'x' AS two, CAST(NULL AS decimal(9,2)); SELECT nope; SELECT 2");
    assert!(
        matches!(answer.first(), Some(Token::Error(error)) if error.number == 207),
        "nothing of a wrong batch runs"
    );

    let answer = wire.batch(
        "SELECT PID, ProductName, SellingPrice, AddDate, Description FROM Product; SELECT 1 / 0; SELECT 2",
    );
    let columns = answer.iter().find_map(|token| match token {
        Token::ColMetaData(columns) => Some(columns.column_count()),
        _ => None,
    });
    assert_eq!(columns, Some(5));
    assert_eq!(answer.iter().filter(|token| matches!(token, Token::Row(_))).count(), 3);
    let dones: Vec<(bool, bool)> = answer
        .iter()
        .filter_map(|token| match token {
            Token::Done(done) => Some((done.status.more, done.status.error)),
            _ => None,
        })
        .collect();
    assert_eq!(dones, [(true, false), (true, true), (false, false)]);
}
