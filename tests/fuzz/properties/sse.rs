//! Server-sent events: how the bytes were cut on their way changes nothing, and every event is what a reading of the whole
//! text finds.

use shopsync::billing::fuzzing::hint;
use shopsync::billing::sse::{Event, LONGEST_EVENT, Parser, TooLong};
use shopsync::ports::BillingEvent;

/// Any bytes: a stream.
pub fn check(data: &[u8]) {
    let whole = in_pieces(data, |_| data.len().max(1));
    for size in [1, 2, 3, 7, 64] {
        compare(&whole, &in_pieces(data, |_| size), data);
    }
    // Cut at places that follow from the bytes themselves.
    compare(&whole, &in_pieces(data, |at| 1 + usize::from(data[at]) % 13), data);
    if data.len() <= 64 {
        for first in 1..data.len() {
            compare(&whole, &in_pieces(data, |at| if at == 0 { first } else { data.len() }), data);
        }
    }
    let (events, broke) = whole;
    for event in &events {
        assert!(event.name.len() + event.data.len() <= LONGEST_EVENT, "larger than allowed");
        assert!(
            !event.name.contains(['\n', '\r']) && !event.data.contains('\r'),
            "a line end within: {event:?}"
        );
    }
    if data.len() <= LONGEST_EVENT {
        assert!(!broke, "nothing was too long");
        assert_eq!(events, of_whole_text(data), "another reading finds other events");
    }
    for event in &events {
        if let Some(BillingEvent::Invoice(id) | BillingEvent::Part(id)) = hint(event) {
            assert!(!id.as_str().is_empty() && event.name.starts_with("invoice"), "{event:?} hints at {id}");
            let json: serde_json::Value = serde_json::from_str(&event.data).unwrap();
            let there = ["id", "invoice"].iter().any(|field| json["record"][field] == id.as_str());
            assert!(there, "{id} is not in {event:?}");
        }
    }
}

/// The events that came, and whether the stream broke.
type Outcome = (Vec<Event>, bool);

fn in_pieces(data: &[u8], size: impl Fn(usize) -> usize) -> Outcome {
    let mut parser = Parser::default();
    let (mut events, mut at) = (Vec::new(), 0);
    while at < data.len() {
        let end = (at + size(at)).min(data.len());
        match parser.push(&data[at..end]) {
            Ok(more) => events.extend(more),
            Err(TooLong) => return (events, true),
        }
        at = end;
    }
    (events, false)
}

/// A stream that breaks is closed, and everything is looked for: what came before may be told or not.
fn compare(whole: &Outcome, pieces: &Outcome, data: &[u8]) {
    assert_eq!(whole.1, pieces.1, "broken or not: {data:?}");
    if whole.1 {
        assert!(pieces.0.starts_with(&whole.0) || whole.0.starts_with(&pieces.0), "{data:?}");
    } else {
        assert_eq!(whole.0, pieces.0, "{data:?}");
    }
}

/// Line by line, with the whole text at hand.
fn of_whole_text(data: &[u8]) -> Vec<Event> {
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut bytes = data.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' || byte == b'\n' {
            if byte == b'\r' && bytes.peek() == Some(&b'\n') {
                bytes.next();
            }
            lines.push(Vec::new());
        } else {
            lines.last_mut().unwrap().push(byte);
        }
    }
    // The last line has no end, and so is none yet.
    lines.pop();
    let mut events = Vec::new();
    for block in lines.split_inclusive(|line| line.is_empty()) {
        if block.last().is_none_or(|line| !line.is_empty()) {
            break;
        }
        let fields: Vec<(String, String)> =
            block.iter().filter(|line| !line.is_empty()).map(|line| field(line)).collect();
        let values = |name: &str| -> Vec<&str> {
            fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
        };
        let data = values("data");
        if !data.is_empty() {
            let name = values("event").last().copied().unwrap_or_default().to_owned();
            events.push(Event { name, data: data.join("\n") });
        }
    }
    events
}

fn field(line: &[u8]) -> (String, String) {
    let line = String::from_utf8_lossy(line).into_owned();
    match line.find(':') {
        Some(at) => {
            let value = &line[at + 1..];
            (line[..at].to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned())
        }
        None => (line, String::new()),
    }
}
