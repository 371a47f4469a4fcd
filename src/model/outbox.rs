//! What is on its way to RainTek.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::fault::{Action, Fault};
use super::ids::{InvId, RecordId};

/// Where an item stands. Stored by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// To be sent when its time comes.
    Waiting,
    /// Its lines have not all arrived in the app.
    Incomplete,
    /// An attempt was stored; it may be with RainTek right now. Found at a start, it counts as unknown.
    Sending,
    /// The answer was lost: looked up before anything is sent again.
    Unknown,
    /// Proven in RainTek; the app does not show it yet.
    Applied,
    /// A person must look. Never dropped; tried again by itself as well.
    Held,
    /// A person wants it out of RainTek, where it stands though the app took it back.
    Removing,
    /// A person leaves it in RainTek though the app took it back; the app is told next.
    Leaving,
    /// Proven in RainTek and stamped in the app.
    Done,
    /// The app took it back (draft again, revised, cancelled, deleted), and nothing more is to be done about it: it was
    /// never sent, was taken out of RainTek, or a person left it there.
    Withdrawn,
}

impl ItemState {
    /// As stored and published.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Incomplete => "incomplete",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Applied => "applied",
            Self::Held => "held",
            Self::Removing => "removing",
            Self::Leaving => "leaving",
            Self::Done => "done",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Waiting,
            Self::Incomplete,
            Self::Sending,
            Self::Unknown,
            Self::Applied,
            Self::Held,
            Self::Removing,
            Self::Leaving,
            Self::Done,
            Self::Withdrawn,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }

    /// Whether nothing more is to be done.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Withdrawn)
    }
}

/// A row of the outbox: one completed invoice of the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The app's record: the row's key.
    pub record_id: RecordId,
    /// The idempotency key.
    pub number: String,
    /// For display.
    pub customer: String,
    /// For display, rupees.
    pub amount: Option<Decimal>,
    /// Where it stands.
    pub state: ItemState,
    /// Attempts that reached RainTek and were its own fault; outages use none.
    pub attempts: u32,
    /// Orders invoices of one number, and all of them.
    pub seq: i64,
    /// When it was first seen.
    pub first_seen: DateTime<Utc>,
    /// When it first failed, since it last succeeded.
    pub first_failed: Option<DateTime<Utc>>,
    /// Not before then.
    pub next_try: DateTime<Utc>,
    /// Why it waits or is held.
    pub fault: Option<Fault>,
    /// Where it stands in RainTek.
    pub inv_id: Option<InvId>,
    /// SHA-256 (hex) over the content that was last proven in RainTek.
    pub digest: Option<String>,
    /// SHA-256 (hex) over the content that last failed as it is, so that only a changed one is tried at once.
    pub failed_digest: Option<String>,
    /// The app's `updated` when it was last looked at.
    pub updated: String,
    /// When it was last proven.
    pub done_at: Option<DateTime<Utc>>,
    /// What `sync_status` was last stamped as failed with, so that it is stamped once and turned back.
    pub stamped_failed: Option<String>,
}

impl Item {
    /// What a person can do about it.
    pub fn action(&self) -> Action {
        self.fault.as_ref().map_or(Action::Wait, |fault| fault.action)
    }
}
