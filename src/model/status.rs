//! What the engine publishes: the one source of the page, `/health`, `/metrics`, `shopsync status` and the tray.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::backup::BackupsStatus;
use super::health::HealthState;
use super::product::ProductProblem;
use super::scan::ScanStatus;
use super::trial::TrialStatus;

/// One side's connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkStatus {
    /// The last look succeeded.
    pub connected: bool,
    /// Milliseconds of the last successful look.
    pub latency_ms: Option<u64>,
    /// Since when it is as it is.
    pub since: Option<DateTime<Utc>>,
    /// The last successful look.
    pub last_ok: Option<DateTime<Utc>>,
    /// Why not, in one sentence.
    pub sentence: Option<String>,
    /// The technical error.
    pub detail: Option<String>,
    /// What it is connected to, for a person: `Raintech_DB1 on .\SQLEXPRESS`.
    pub target: String,
    /// When it is tried again.
    pub next_try: Option<DateTime<Utc>>,
    /// What the settings ask for and this side cannot do, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// How far a long piece of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Done so far.
    pub done: u64,
    /// All of it.
    pub total: u64,
}

/// The products flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductsStatus {
    /// Rows that RainTek showed at the last pass.
    pub total: u64,
    /// Records written by the last pass that changed anything.
    pub changed: u64,
    /// End of the last pass that succeeded.
    pub last_pass: Option<DateTime<Utc>>,
    /// While a long pass is under way.
    pub progress: Option<Progress>,
    /// Rows that are not taken over, or not whole.
    pub problems: Vec<ProductProblem>,
    /// Why the flow stands, in one sentence.
    pub sentence: Option<String>,
}

/// A bill of RainTek, or of ours in RainTek, that needs a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillProblem {
    /// The bill's number.
    pub number: String,
    /// `Inv_ID`.
    pub inv_id: i32,
    /// [`super::awareness::BillState::name`]: `refused`, or `edited` and `gone` of a bill of ours.
    pub state: String,
    /// Why, in one sentence.
    pub sentence: String,
    /// What to do, in one sentence.
    pub action: String,
    /// The command by name that does it, for the page's button; empty where there is none.
    pub command: String,
}

/// Bills of RainTek's own in the app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwarenessStatus {
    /// Bills of RainTek's own that the app shows.
    pub total: u64,
    /// Those of them that are dated today in the shop's zone.
    pub today: u64,
    /// End of the last pass that succeeded.
    pub last_pass: Option<DateTime<Utc>>,
    /// While a long pass is under way.
    pub progress: Option<Progress>,
    /// Bills that need a person; at most [`MAX_ITEMS`].
    pub problems: Vec<BillProblem>,
    /// Why the flow stands, in one sentence.
    pub sentence: Option<String>,
}

/// A waiting or held invoice, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemStatus {
    /// The app's record.
    pub record_id: String,
    /// The invoice number.
    pub number: String,
    /// May be empty (walk-in).
    pub customer: String,
    /// Rupees as decimal text, `2900.00`; empty where unreadable.
    pub amount: String,
    /// [`super::outbox::ItemState::name`].
    pub state: String,
    /// Why, in one sentence.
    pub sentence: String,
    /// What to do, in one sentence.
    pub action: String,
    /// [`super::fault::Action`] by name, for the page's button.
    pub action_kind: String,
    /// The technical error; may be empty.
    pub detail: String,
    /// Tries so far.
    pub tries: u32,
    /// When it was first seen.
    pub first_seen: DateTime<Utc>,
    /// When it first failed.
    pub first_failed: Option<DateTime<Utc>>,
    /// When it is tried next.
    pub next_try: Option<DateTime<Utc>>,
}

/// A number of items, by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// On their way, or waiting for their turn, their lines or a side.
    pub waiting: u64,
    /// Waiting for a person.
    pub held: u64,
    /// Dated today in the shop's zone and proven in RainTek.
    pub done_today: u64,
    /// Dated today in the shop's zone, whether proven or not.
    pub seen_today: u64,
    /// Proven in RainTek, ever.
    pub done_total: u64,
}

/// The last invoice that reached RainTek.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPush {
    /// Its number.
    pub number: String,
    /// When it was proven there.
    pub at: DateTime<Utc>,
    /// Milliseconds from picking it up to its commit.
    pub took_ms: u64,
}

/// What is added to the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: DateTime<Utc>,
    /// As [`Activity::kind`].
    pub kind: &'static str,
    /// An invoice number, or empty.
    pub number: String,
    /// One plain sentence.
    pub sentence: String,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Ascending.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// `push`, `hold`, `products`, `bills`, `link`, `app`, `backup`, `scan`, `note`.
    pub kind: String,
    /// An invoice number, or empty.
    pub number: String,
    /// One plain sentence.
    pub sentence: String,
}

/// The published state of everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The program's version.
    pub version: String,
    /// When this was made.
    pub at: DateTime<Utc>,
    /// When the engine was started.
    pub started: DateTime<Utc>,
    /// One word.
    pub state: HealthState,
    /// One sentence.
    pub sentence: String,
    /// One more, with numbers.
    pub summary: String,
    /// RainTek.
    pub raintek: LinkStatus,
    /// The billing app.
    pub billing: LinkStatus,
    /// Whether the app's events arrive live.
    pub realtime: bool,
    /// The products flow.
    pub products: ProductsStatus,
    /// Bills of RainTek's own.
    #[serde(default)]
    pub from_raintek: AwarenessStatus,
    /// How many stand where.
    pub counts: Counts,
    /// Waiting and held invoices, held ones first, oldest first; at most [`MAX_ITEMS`].
    pub items: Vec<ItemStatus>,
    /// The last invoice that reached RainTek.
    pub last_push: Option<LastPush>,
    /// Paused until then.
    pub paused_until: Option<DateTime<Utc>>,
    /// Backups.
    #[serde(default)]
    pub backups: BackupsStatus,
    /// Every invoice against RainTek.
    #[serde(default)]
    pub scan: ScanStatus,
    /// The last sign of life that is stored; it comes every minute.
    #[serde(default)]
    pub heartbeat: Option<DateTime<Utc>>,
    /// The run before this one ended without a word: when it was last seen.
    #[serde(default)]
    pub cut_off: Option<DateTime<Utc>>,
    /// The trial, watching only, and going live.
    #[serde(default)]
    pub trial: TrialStatus,
    /// The newest lines of the journal, newest first; at most [`MAX_ACTIVITY`].
    pub activity: Vec<Activity>,
}

/// Items in a snapshot; the counts are always complete.
pub const MAX_ITEMS: usize = 500;
/// Journal lines in a snapshot.
pub const MAX_ACTIVITY: usize = 50;
