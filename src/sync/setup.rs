//! The first run: whether it is open, which step comes next, and what a candidate is called.

use chrono::{Datelike as _, NaiveDate};

use crate::model::money::grouped;

/// What the store says of the first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstRun {
    /// Nothing is written before somebody says Start.
    Open,
    /// It is over.
    Done,
}

impl FirstRun {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
        }
    }
}

/// Whether the first run is open at a start. Once that was decided it stays so, whatever the settings say meanwhile:
/// what was chosen but never started must not begin by itself. Settings that name RainTek were written by somebody who
/// set ShopSync up; and a ShopSync that worked here before (on the defaults, say) works on.
pub fn first_run(stored: Option<&str>, names_raintek: bool, worked_before: bool) -> FirstRun {
    match stored {
        Some("open") => FirstRun::Open,
        Some(_) => FirstRun::Done,
        None if names_raintek || worked_before => FirstRun::Done,
        None => FirstRun::Open,
    }
}

/// What is known when the next step is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Steps {
    /// It is over.
    pub done: bool,
    /// A database was chosen and answered.
    pub raintek: bool,
    /// The app answers.
    pub billing: bool,
    /// Somebody is told, or that was passed over.
    pub alerts: bool,
}

/// The next step, by name.
pub fn next_step(steps: Steps) -> &'static str {
    match steps {
        Steps { done: true, .. } => "done",
        Steps { raintek: false, .. } => "raintek",
        Steps { billing: false, .. } => "billing",
        Steps { alerts: false, .. } => "alerts",
        _ => "check",
    }
}

/// `Demo Mart (Raintech_DB1 on .\SQLEXPRESS), 2,998 bills, latest 15 Sep`.
pub fn label(
    shop: &str,
    database: &str,
    server: &str,
    bills: u64,
    latest: Option<NaiveDate>,
    today: NaiveDate,
) -> String {
    let place = format!("{database} on {server}");
    let name = if shop.is_empty() { place } else { format!("{shop} ({place})") };
    let bills = match bills {
        0 => "no bills yet".to_owned(),
        1 => "1 bill".to_owned(),
        n => format!("{} bills", grouped(&n.to_string())),
    };
    let latest = latest.map(|day| {
        let form = if day.year() == today.year() { "%-d %b" } else { "%-d %b %Y" };
        format!(", latest {}", day.format(form))
    });
    format!("{name}, {bills}{}", latest.unwrap_or_default())
}

/// Whether a message to the bot is the one that was asked for.
pub fn is_greeting(text: &str) -> bool {
    let word: String = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    matches!(word.as_str(), "hi" | "hello" | "hey" | "/start" | "namaste" | "नमस्ते")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_begun_is_begun_only_by_start() {
        assert_eq!(first_run(None, false, false), FirstRun::Open);
        assert_eq!(first_run(None, false, true), FirstRun::Done, "an update stops nobody's shop");
        assert_eq!(
            first_run(None, true, false),
            FirstRun::Done,
            "an installer or a person wrote the settings"
        );
        assert_eq!(
            first_run(Some("open"), true, true),
            FirstRun::Open,
            "chosen, and the power went before Start"
        );
        assert_eq!(first_run(Some("done"), false, false), FirstRun::Done);
        for run in [FirstRun::Open, FirstRun::Done] {
            assert_eq!(first_run(Some(run.name()), true, true), run, "as it was stored");
        }
    }

    #[test]
    fn a_candidate_is_called_by_what_tells_shops_apart() {
        let today = day("2026-11-25");
        assert_eq!(
            label("Demo Mart", "Raintech_DB1", r".\SQLEXPRESS", 2998, Some(day("2026-09-15")), today),
            r"Demo Mart (Raintech_DB1 on .\SQLEXPRESS), 2,998 bills, latest 15 Sep"
        );
        assert_eq!(
            label("", "Raintech_DB2", "SHOP-PC", 1, Some(day("2024-03-01")), today),
            "Raintech_DB2 on SHOP-PC, 1 bill, latest 1 Mar 2024"
        );
        assert_eq!(label("X", "Y", "Z", 0, None, today), "X (Y on Z), no bills yet");
        assert_eq!(label("X", "Y", "Z", 1_234_567, None, today), "X (Y on Z), 12,34,567 bills");
    }

    #[test]
    fn the_steps_come_in_their_order() {
        let all = Steps { done: false, raintek: true, billing: true, alerts: true };
        assert_eq!(next_step(Steps::default()), "raintek");
        assert_eq!(next_step(Steps { billing: false, ..all }), "billing");
        assert_eq!(next_step(Steps { alerts: false, ..all }), "alerts");
        assert_eq!(next_step(all), "check");
        assert_eq!(next_step(Steps { done: true, ..Steps::default() }), "done");
    }

    #[test]
    fn only_a_greeting_is_one() {
        for text in ["hi", " Hi! ", "/start", "HELLO"] {
            assert!(is_greeting(text), "{text}");
        }
        for text in ["", "hi there, sell me something", "/status", "high"] {
            assert!(!is_greeting(text), "{text}");
        }
    }
}
