//! What a person off the PC is told.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// How much it matters. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Good to know; arrives without a sound.
    Info,
    /// Being retried by itself.
    Warning,
    /// Somebody must do something.
    Critical,
}

impl Level {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The level of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Info, Self::Warning, Self::Critical].into_iter().find(|level| level.name() == name)
    }
}

/// What a flow reports to the alerts (`Shared::raise` within the engine, `Handle::raise` outside). What is lost and
/// comes back by itself, or stands in the published state (links, invoices, bills that differ, changed tables), is not
/// here: the alerts see it there.
///
/// An event may be raised as often as it is seen: one that goes on is said once, and again after a day. Each that was
/// said is followed by one "resolved", when its counterpart is raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Both backups of the day are made and verified. Ends [`Event::BackupFailed`].
    BackupDone {
        /// Size of RainTek's.
        raintek_bytes: u64,
        /// Size of the app's.
        app_bytes: u64,
    },
    /// A backup could not be made or verified.
    BackupFailed {
        /// One sentence.
        reason: String,
        /// What to do, in one sentence; may be empty.
        advice: String,
    },
    /// An invoice is not the same on both sides.
    Mismatch {
        /// Its number.
        number: String,
        /// The app's grand total.
        app_total: Decimal,
        /// RainTek's; `None` where the bill is not there.
        raintek_total: Option<Decimal>,
    },
    /// It is the same on both sides again, or a person has decided.
    MismatchOver {
        /// Its number.
        number: String,
    },
    /// The weekly scan ended.
    Scanned {
        /// Invoices compared.
        checked: u64,
        /// Invoices that differ.
        mismatches: u64,
    },
    /// This PC's clock is wrong by more than five minutes.
    ClockWrong {
        /// By how much; negative where it is behind.
        seconds: i64,
    },
    /// The clock is right again.
    ClockOver,
    /// The app lacks most of the invoices that stand in RainTek.
    AnotherDatabase {
        /// One sentence, with what to do.
        sentence: String,
    },
    /// It has them again.
    AnotherDatabaseOver,
    /// A disk is nearly full.
    DiskNearlyFull {
        /// Drive or folder.
        place: String,
        /// What is left.
        free_bytes: u64,
    },
    /// There is room again.
    DiskOver {
        /// Drive or folder.
        place: String,
    },
}

/// An event that waits to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// Ascending.
    pub id: i64,
    /// When it was raised.
    pub at: DateTime<Utc>,
    /// What.
    pub event: Event,
}

/// A message for every chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The highest of its lines.
    pub level: Level,
    /// Plain text.
    pub text: String,
}

/// A message that waits for one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Ascending.
    pub id: i64,
    /// The chat.
    pub chat: i64,
    /// What is said.
    pub message: Message,
}

/// How far the start has caught up with what had waited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUp {
    /// Proven in RainTek since the start.
    pub done: u64,
    /// Still on their way in the ordinary course; held and failing ones have alerts of their own.
    pub left: u64,
}

/// A message that came in from a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The update's id: the next look starts after it.
    pub update: i64,
    /// Chat, time and text; `None` for whatever else may arrive.
    pub message: Option<ChatText>,
}

/// What somebody wrote. Hostile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatText {
    /// The chat it was written in.
    pub chat: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// At most [`MAX_CHAT_TEXT`] characters.
    pub text: String,
}

/// Longer ones are cut: a command is a few words.
pub const MAX_CHAT_TEXT: usize = 200;
