//! What a message from a chat asks for. The text is anybody's: it is parsed, never trusted.

use chrono::{DateTime, TimeDelta, Utc};

/// The longest pause a chat may ask for.
pub const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(24);
/// A command that comes later than this is not done: who gave it no longer waits for it.
pub const TOO_LATE: TimeDelta = TimeDelta::minutes(10);
/// Characters of an invoice number.
const LONGEST_NUMBER: usize = 40;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// `/status`
    Status,
    /// `/retry`
    RetryAll,
    /// `/retry GST-0151-2026/27`
    Retry(String),
    /// `/pause 30m`
    Pause(TimeDelta),
    /// `/resume`
    Resume,
    /// `/backup`
    Backup,
    /// `/help`, `/start`
    Help,
    /// A command that cannot be read: what is said to that.
    Unclear(&'static str),
}

/// The words that explain the commands.
pub const HELP: &str = "/status: how things are\n/retry: try everything that waits\n/retry NUMBER: try one invoice\n\
     /pause 30m: send nothing for a while\n/resume: go on\n/backup: back up now";

/// Reads a message; `None` where it is no command: people may talk in a group.
pub fn parse(text: &str) -> Option<Asked> {
    let mut words = text.split_whitespace();
    let command = words.next()?.strip_prefix('/')?;
    // In a group a command may name its bot: /status@ShopBot.
    let command = command.split('@').next()?.to_ascii_lowercase();
    let rest: Vec<&str> = words.collect();
    Some(match (command.as_str(), rest.as_slice()) {
        ("status", _) => Asked::Status,
        ("retry", []) => Asked::RetryAll,
        ("retry", [number]) if is_number(number) => Asked::Retry((*number).to_owned()),
        ("retry", _) => Asked::Unclear("That is no invoice number. Like this: /retry GST-0151-2026/27"),
        ("pause", [time]) => match duration(time) {
            Some(time) => Asked::Pause(time),
            None => Asked::Unclear("A pause is between 1 minute and 24 hours. Like this: /pause 30m"),
        },
        ("pause", _) => Asked::Unclear("For how long? Like this: /pause 30m"),
        ("resume", _) => Asked::Resume,
        ("backup", _) => Asked::Backup,
        ("help" | "start", _) => Asked::Help,
        _ => Asked::Unclear("That is no command of ShopSync. /help lists them."),
    })
}

/// Whether a command that was written then is too old to be done now.
pub fn is_late(written: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - written > TOO_LATE
}

fn is_number(word: &str) -> bool {
    word.chars().count() <= LONGEST_NUMBER && !word.chars().any(char::is_control)
}

/// `30m`, `2h`, `1h30m`, `45` (minutes).
fn duration(word: &str) -> Option<TimeDelta> {
    let mut minutes: u32 = 0;
    let mut number: Option<u32> = None;
    let mut smallest = 'd';
    for c in word.to_ascii_lowercase().chars() {
        match (c, number) {
            ('0'..='9', _) => {
                number = number.unwrap_or(0).checked_mul(10)?.checked_add(c.to_digit(10)?).map(Some)?;
            }
            ('h', Some(hours)) if smallest == 'd' => {
                minutes = minutes.checked_add(hours.checked_mul(60)?)?;
                (smallest, number) = ('h', None);
            }
            ('m', Some(count)) if smallest != 'm' => {
                minutes = minutes.checked_add(count)?;
                (smallest, number) = ('m', None);
            }
            _ => return None,
        }
    }
    match (number, smallest) {
        (None, _) => {}
        (Some(count), 'd') => minutes = count,
        (Some(_), _) => return None,
    }
    let time = TimeDelta::minutes(i64::from(minutes));
    (time >= TimeDelta::minutes(1) && time <= LONGEST_PAUSE).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_command_is_read() {
        let minutes = |count| Some(Asked::Pause(TimeDelta::minutes(count)));
        let table = [
            ("/status", Some(Asked::Status)),
            ("  /STATUS@ShopBot  please", Some(Asked::Status)),
            ("/retry", Some(Asked::RetryAll)),
            ("/retry GST-0151-2026/27", Some(Asked::Retry("GST-0151-2026/27".into()))),
            ("/pause 30m", minutes(30)),
            ("/pause 45", minutes(45)),
            ("/pause 2h", minutes(120)),
            ("/pause 1H30M", minutes(90)),
            ("/pause 24h", minutes(1440)),
            ("/resume", Some(Asked::Resume)),
            ("/backup", Some(Asked::Backup)),
            ("/start", Some(Asked::Help)),
            ("good morning", None),
            ("", None),
            ("status", None),
        ];
        for (text, asked) in table {
            assert_eq!(parse(text), asked, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_answered_and_not_done() {
        let long = format!("/retry {}", "9".repeat(41));
        for text in [
            "/",
            "/drop table",
            "/pause",
            "/pause soon",
            "/pause 0m",
            "/pause 25h",
            "/pause 30m30m",
            "/pause 30m2h",
            "/pause 2h30",
            "/pause 99999999999999999999m",
            "/pause -5m",
            "/retry a b",
            &long,
        ] {
            assert!(matches!(parse(text), Some(Asked::Unclear(_))), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn a_command_of_yesterday_is_late() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert!(!is_late(now - TOO_LATE, now));
        assert!(is_late(now - TOO_LATE - TimeDelta::seconds(1), now));
        assert!(!is_late(now + TimeDelta::hours(1), now), "a clock that is behind");
    }

    #[test]
    fn who_gets_a_command_wrong_is_told_how_that_one_is_written() {
        for (text, form) in [
            ("/retry a b", "/retry GST-0151-2026/27"),
            ("/pause", "/pause 30m"),
            ("/pause 30 m", "/pause 30m"),
            ("/pause 25h", "between 1 minute and 24 hours"),
            ("/drop table", "/help"),
        ] {
            let Some(Asked::Unclear(words)) = parse(text) else { panic!("{text}") };
            assert!(words.contains(form), "{text}: {words}");
        }
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(text in "\\PC{0,80}|/(retry|pause|status) ?\\PC{0,60}") {
            if let Some(Asked::Pause(time)) = parse(&text) {
                prop_assert!(time >= TimeDelta::minutes(1) && time <= LONGEST_PAUSE);
            }
        }
    }
}
