//! What has to hold of the functions that read what others wrote, whatever they wrote. Each module is one target: `check`
//! takes any bytes and panics where a property does not hold.
//!
//! The same functions are called by libFuzzer (`targets/`), and with the committed corpus by every ordinary test run
//! (`tests/hostile`), which includes this file by its path. A property compares with an independent reading wherever there
//! is one; "it did not panic" alone is never enough.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_arithmetic,
    reason = "a property that does not hold is to be loud"
)]

pub mod decimal;
pub mod number;
pub mod record;
pub mod record_json;
pub mod row;
pub mod settings;
pub mod shop;
pub mod sse;
pub mod telegram;

/// A sentence for a person: one line, not endless, nothing that cannot be seen or turns the writing.
pub fn assert_for_people(sentence: &str) {
    assert!(sentence.chars().count() <= 400, "too long: {} characters: {sentence}", sentence.chars().count());
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    assert!(!sentence.chars().any(unseen), "not one plain line: {sentence:?}");
    assert!(!sentence.trim().is_empty(), "nothing is said");
}

/// A target's name and its check.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. A folder of `corpus/` and a file of `targets/` has each of these names.
pub const TARGETS: [Target; 6] = [
    ("number", number::check),
    ("record", record::check),
    ("row", row::check),
    ("settings", settings::check),
    ("sse", sse::check),
    ("telegram", telegram::check),
];
