//! The demo's own day on which both sides are changed, small: the real program from beginning to end, and its own
//! comparison of both sides, which shares nothing with what the program decides by.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::process::Command;

/// What stands before a word in the closing line.
fn count(line: &str, word: &str) -> u32 {
    let before = line.split(word).next().unwrap().trim_end();
    let digits = before.rsplit([' ', '(']).next().unwrap();
    digits.parse().unwrap_or_else(|_| panic!("no number before `{word}` in: {line}"))
}

#[test]
fn both_sides_are_the_same_after_a_day_on_which_both_were_changed() {
    let output = Command::new(env!("CARGO_BIN_EXE_shopsync"))
        .args(["demo", "--headless", "--mixed", "--invoices", "40", "--seed", "3"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().last().unwrap_or_default();
    assert!(output.status.success(), "{said}\n{told}");
    assert!(
        line.starts_with("40 invoices completed, ") && line.ends_with(" in RainTek, 0 differences"),
        "{said}"
    );
    // A day on which nothing of it happened would prove nothing. How much of the rest happens on so short a day depends
    // on what stands in RainTek by then; the long days of `shopsync demo` have all of it.
    for word in [" revised", " cancelled", " of RainTek's own shown"] {
        assert!(count(line, word) > 0, "nothing{word}: {line}");
    }
}
