//! What people write to the bot, and what is written to them.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use shopsync::alerts::updates::updates;
use shopsync::model::alert::MAX_CHAT_TEXT;
use shopsync::sync::alerting::texts::{LONGEST_MESSAGE, clean, units};
use shopsync::sync::chat::{Asked, LONGEST_PAUSE, is_late, parse};

/// Any bytes: `getUpdates`' result, else the text of one message.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match serde_json::from_str::<Value>(text) {
        Ok(result) => check_updates(&result),
        Err(_) => check_text(text),
    }
}

fn check_updates(result: &Value) {
    let found = updates(result);
    assert!(found.is_sorted_by_key(|incoming| incoming.update), "oldest first");
    let again: Vec<Value> = found
        .iter()
        .map(|incoming| match &incoming.message {
            Some(text) => json!({"update_id": incoming.update, "message":
                {"chat": {"id": text.chat}, "date": text.at.timestamp(), "text": text.text}}),
            None => json!({"update_id": incoming.update}),
        })
        .collect();
    assert_eq!(updates(&Value::from(again)), found, "what was read is read again");
    let ids: Vec<i64> = result
        .as_array()
        .map(|list| list.iter().filter_map(|update| update["update_id"].as_i64()).collect())
        .unwrap_or_default();
    for incoming in &found {
        assert!(ids.contains(&incoming.update), "{} was made up", incoming.update);
        // The next look asks from here.
        assert!(incoming.update >= 0 && incoming.update.checked_add(1).is_some());
        let Some(message) = &incoming.message else { continue };
        assert!(message.text.chars().count() <= MAX_CHAT_TEXT);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let late = is_late(message.at, now);
        assert_eq!(late, message.at < now - TimeDelta::minutes(10), "late: {}", message.at);
        check_text(&message.text);
    }
}

fn check_text(text: &str) {
    let asked = parse(text);
    assert_eq!(parse(&format!("  {text}\n ")), asked, "space around it says nothing: {text:?}");
    if asked.is_some() {
        assert!(text.trim_start().starts_with('/'), "{text:?} is no command");
    }
    match &asked {
        Some(Asked::Pause(time)) => {
            assert!(*time >= TimeDelta::minutes(1) && *time <= LONGEST_PAUSE, "{text:?}");
            let said = format!("/pause {}", time.num_minutes());
            assert_eq!(parse(&said), asked, "the same in minutes");
        }
        Some(Asked::Retry(number)) => {
            assert!(!number.is_empty() && number.chars().count() <= 40, "{number:?}");
            assert!(
                text.contains(number.as_str())
                    && !number.chars().any(|c| c.is_control() || c.is_whitespace())
            );
            assert_eq!(parse(&format!("/retry {number}")), asked);
        }
        _ => {}
    }
    // Whatever a customer is called: one harmless line that keeps to its length, cleaned for good.
    for longest in [12, 60, 300] {
        let line = clean(text, longest);
        assert!(!line.chars().any(char::is_control), "{line:?}");
        let turns = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        assert!(!line.chars().any(turns), "{line:?}");
        assert!(
            line.chars().count() <= longest * 2 + "(phone number)".len(),
            "{} for {longest}",
            line.chars().count()
        );
        assert!(units(&line) <= LONGEST_MESSAGE);
        assert!(!phone_in(&line), "a phone number is told: {line:?}");
    }
}

/// Ten digits in one piece that begin as a phone number does, and are no part of a longer number.
fn phone_in(line: &str) -> bool {
    let mut run = String::new();
    let mut found = false;
    for c in line.chars().chain([' ']) {
        if c.is_ascii_digit() {
            run.push(c);
        } else {
            found |= !c.is_numeric() && run.len() == 10 && run.starts_with(['6', '7', '8', '9']);
            run.clear();
            if c.is_numeric() {
                run.push('x');
            }
        }
    }
    found
}
