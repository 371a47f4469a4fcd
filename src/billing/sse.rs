//! A parser for server-sent events, bounded in everything that the sender chooses.

/// An event longer than this breaks the stream: ours hold two ids.
pub const LONGEST_EVENT: usize = 64 * 1024;

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event` field.
    pub name: String,
    /// The `data` fields, joined by line breaks.
    pub data: String,
}

/// The sender goes beyond [`LONGEST_EVENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {LONGEST_EVENT} bytes")]
pub struct TooLong;

/// Takes bytes as they come, in pieces of any size, and gives whole events.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    event: Event,
    seen: bool,
    after_cr: bool,
}

impl Parser {
    /// Adds bytes; returns the events that became whole.
    ///
    /// # Errors
    /// [`TooLong`]: the stream is to be closed.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        for byte in bytes {
            // Lines end in LF, CR or both.
            let ends = matches!(byte, b'\n' | b'\r');
            let second_half = *byte == b'\n' && self.after_cr;
            self.after_cr = *byte == b'\r';
            if second_half {
                continue;
            }
            if ends {
                events.extend(self.end_line());
            } else {
                self.line.push(*byte);
            }
            if self.line.len() + self.event.name.len() + self.event.data.len() > LONGEST_EVENT {
                return Err(TooLong);
            }
        }
        Ok(events)
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return std::mem::take(&mut self.seen).then_some(event);
        }
        let line = String::from_utf8_lossy(&line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if self.seen {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
                self.seen = true;
            }
            // Comments, ids and what else there may be.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let mut parser = Parser::default();
        let events = pieces.iter().flat_map(|piece| parser.push(piece).unwrap());
        events.map(|event| (event.name, event.data)).collect()
    }

    #[test]
    fn reads_what_pocketbase_sends() {
        let sent =
            b"id:TQP\nevent:PB_CONNECT\ndata:{\"clientId\":\"TQP\"}\n\nid:TQP\nevent:invoices/*\ndata:{}\n\n";
        assert_eq!(
            all(&[sent]),
            [("PB_CONNECT".into(), "{\"clientId\":\"TQP\"}".into()), ("invoices/*".into(), "{}".into())]
        );
    }

    #[test]
    fn any_line_end_and_several_data_lines_count() {
        let expected = [("a".to_owned(), "1\n2".to_owned())];
        for sent in [
            "event: a\ndata: 1\ndata: 2\n\n",
            "event: a\r\ndata: 1\r\ndata: 2\r\n\r\n",
            "event: a\rdata: 1\rdata: 2\r\r",
        ] {
            assert_eq!(all(&[sent.as_bytes()]), expected, "{sent:?}");
        }
        assert_eq!(all(&[b": keep\n\nevent:x\n\n\n"]), []);
    }

    #[test]
    fn what_never_ends_is_refused() {
        let mut parser = Parser::default();
        let endless = vec![b'x'; LONGEST_EVENT + 1];
        assert_eq!(parser.push(&endless), Err(TooLong));
        let mut parser = Parser::default();
        let many: Vec<u8> = b"data:0123456789\n".repeat(LONGEST_EVENT / 10 + 1);
        assert_eq!(parser.push(&many), Err(TooLong));
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_makes_no_difference(bytes in proptest::collection::vec(0_u8..=255, 0..400), cut in 1_usize..20) {
            let whole = Parser::default().push(&bytes);
            let mut parser = Parser::default();
            let pieces: Result<Vec<Vec<Event>>, TooLong> = bytes.chunks(cut).map(|piece| parser.push(piece)).collect();
            prop_assert_eq!(whole, pieces.map(|events| events.concat()));
        }

        #[test]
        fn lines_of_real_fields_never_panic(text in "(event|data|id|:| |\r|\n|[a-z]){0,60}") {
            let _ = Parser::default().push(text.as_bytes());
        }
    }
}
