//! What was said, kept in the store between decisions and over restarts.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::INVOICE;
use crate::model::alert::Level;

/// Notes that wait for the next message; more than these are dropped, oldest first.
const MOST_NOTES: usize = 50;

/// How far "started" is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartPhase {
    /// Not said.
    #[default]
    Unsaid,
    /// Said; what had waited is still on its way.
    CatchingUp,
    /// Said, with how many had waited.
    Done,
}

/// An alert that was sent and is not resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    /// When it was said last.
    pub(super) at: DateTime<Utc>,
    /// Since when it is so.
    pub(super) since: DateTime<Utc>,
    /// Invoices that waited when it was last so.
    pub(super) queued: u64,
    /// What it is about, for "resolved"; may be empty.
    pub(super) name: String,
    /// It is over: what is to be said of that.
    pub(super) end: Option<String>,
}

/// An event that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ongoing {
    pub(super) at: DateTime<Utc>,
    pub(super) level: Level,
    pub(super) text: String,
}

/// Said once, with the next message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) at: DateTime<Utc>,
    pub(super) text: String,
}

/// What was said. Starts empty; what cannot be read counts as empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub(super) started: Option<DateTime<Utc>>,
    pub(super) start: StartPhase,
    pub(super) said: BTreeMap<String, Said>,
    pub(super) raised: BTreeMap<String, Ongoing>,
    pub(super) notes: Vec<Note>,
    pub(super) last_message: Option<DateTime<Utc>>,
    /// The day that was summed up last.
    pub(super) closed: Option<NaiveDate>,
    /// The day on which both sides were last backed up and proven; `None` where they never were.
    pub(super) backed_up: Option<NaiveDate>,
}

impl Memory {
    /// Records of the invoices about which an alert was sent and not resolved.
    pub fn said_invoices(&self) -> Vec<&str> {
        self.said.keys().filter_map(|key| key.strip_prefix(INVOICE)).collect()
    }

    /// Whether the start has told how many it caught up, so that nobody need count any more.
    pub fn start_is_told(&self, started: DateTime<Utc>) -> bool {
        self.started == Some(started) && self.start == StartPhase::Done
    }

    pub(super) fn note(&mut self, at: DateTime<Utc>, text: String) {
        self.notes.push(Note { at, text });
        let over = self.notes.len().saturating_sub(MOST_NOTES);
        self.notes.drain(..over);
    }

    /// Notes that nobody needs any more.
    pub(super) fn forget_old(&mut self, before: DateTime<Utc>) {
        self.notes.retain(|note| note.at >= before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_caught_up_is_counted_until_this_start_has_told_it() {
        let (before, now) = (DateTime::from_timestamp(1_000, 0), DateTime::from_timestamp(2_000, 0));
        let told = |started: Option<DateTime<Utc>>, start| {
            Memory { started, start, ..Memory::default() }.start_is_told(now.unwrap())
        };
        assert!(told(now, StartPhase::Done), "nobody counts for ever");
        assert!(!told(now, StartPhase::Unsaid));
        assert!(!told(now, StartPhase::CatchingUp), "it has said that it is still at it");
        assert!(!told(before, StartPhase::Done), "the start before this one has");
        assert!(!told(None, StartPhase::Done));
    }
}
