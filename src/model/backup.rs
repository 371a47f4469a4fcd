//! Backups: what was made, how far it is proven, and what is under way.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What is kept in files of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// RainTek's database.
    Raintek,
    /// The billing app's data.
    Billing,
    /// ShopSync's own store.
    Store,
    /// How RainTek's tables look.
    SchemaDump,
    /// A day's folder of rows of RainTek, kept before they were replaced or removed.
    Snapshots,
}

impl Part {
    /// What a daily backup consists of.
    pub const DAILY: [Self; 3] = [Self::Raintek, Self::Billing, Self::Store];

    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Raintek => "RainTek",
            Self::Billing => "the billing app",
            Self::Store => "ShopSync's own store",
            Self::SchemaDump => "RainTek's table list",
            Self::Snapshots => "replaced bills",
        }
    }
}

/// How a backup was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Every byte was read back and found right, and it holds what it should.
    ReadBack,
    /// It was restored beside the shop and counted.
    Restored,
}

/// How many rows something held, at least and at most, while it was copied: others go on working meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowRange {
    /// The smaller count.
    pub least: u64,
    /// The larger count.
    pub most: u64,
}

impl RowRange {
    /// From a count before and one after.
    pub fn between(before: u64, after: u64) -> Self {
        Self { least: before.min(after), most: before.max(after) }
    }

    /// Whether a copy that was made in between may hold so many.
    pub fn holds(self, rows: u64) -> bool {
        (self.least..=self.most).contains(&rows)
    }
}

/// A file that we made. Only what stands in such a record is ever deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// What it holds.
    pub part: Part,
    /// Where it lies.
    pub file: PathBuf,
    /// The day in the shop's zone.
    pub day: NaiveDate,
    /// When it was finished.
    pub at: DateTime<Utc>,
    /// Its size.
    pub bytes: u64,
    /// Invoices it holds.
    pub rows: Option<RowRange>,
    /// How it was proven; `None` where it was not, or where it was found damaged since.
    pub proof: Option<Proof>,
    /// When it was proven last.
    pub proven_at: Option<DateTime<Utc>>,
}

/// Long work that is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupWork {
    /// `Backing up RainTek`.
    pub doing: String,
    /// How far it is, where that is known.
    pub percent: Option<u8>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// How work ended that a person asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupAnswer {
    /// All of it went well.
    pub ok: bool,
    /// One line for each thing done.
    pub lines: Vec<String>,
}

/// Backups, as they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupsStatus {
    /// Whether there are any.
    pub enabled: bool,
    /// Where they lie.
    pub folder: String,
    /// What was made, newest first.
    pub files: Vec<Made>,
    /// What is under way.
    pub running: Option<BackupWork>,
    /// When RainTek, app and store were last all backed up and proven: the oldest of the newest three.
    pub last_ok: Option<DateTime<Utc>>,
    /// When a backup was last restored and counted.
    pub restorable: Option<DateTime<Utc>>,
    /// What is wrong and what to do, in one sentence.
    pub sentence: Option<String>,
    /// What was found in RainTek's tables that keeps invoices from being written.
    pub schema_hold: Option<String>,
    /// Work that a person asked for, counted.
    pub asked: u64,
    /// Of it, what is done.
    pub answered: u64,
    /// How the last of it ended.
    pub answer: Option<BackupAnswer>,
}

/// A backup restored for trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// It was restored and holds so many invoices.
    Restored(u64),
    /// It could not be tried here, and why; reading it back stands.
    Skipped(String),
}

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupTask {
    /// Back all up now.
    Now,
    /// Read the newest back again.
    Verify,
    /// Restore the newest for trial.
    Drill,
    /// Take RainTek's tables as they are now for right.
    AcceptSchema,
}
