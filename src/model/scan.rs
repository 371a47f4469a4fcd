//! The look at every invoice on both sides: how far it is, and what it found.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{InvId, RecordId};

/// What is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// Somebody changed the bill in RainTek.
    Edited,
    /// RainTek no longer has the bill.
    Gone,
    /// RainTek has the bill, and the app no longer has its invoice.
    Lost,
    /// A bill with our mark that no invoice of the app belongs to.
    Stray,
    /// Both sides' sums of a day differ, and no single invoice says why.
    Day,
    /// So much is gone at once that it is rather another database, or an older backup that was put back.
    OtherDatabase,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// The invoice number; empty where it is about none in particular.
    pub number: String,
    /// The app's record, where there is one.
    pub record_id: Option<RecordId>,
    /// RainTek's bill, where there is one.
    pub inv_id: Option<InvId>,
    /// The day of the invoice, or the day it is about.
    pub day: Option<NaiveDate>,
    /// One sentence.
    pub sentence: String,
    /// What to do, in one sentence.
    pub action: String,
    /// Row by row what differs: `InvoiceInfo.GrandTotal: 96.00 instead of 106.00`.
    pub details: Vec<String>,
}

/// How far a scan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRun {
    /// When it began; an interrupted one goes on, and began when it first did.
    pub since: DateTime<Utc>,
    /// A person asked for it.
    pub ordered: bool,
    /// Invoices gone through.
    pub done: u64,
    /// All of them.
    pub total: u64,
    /// What it gives way to right now, in one sentence.
    pub waits: Option<String>,
}

/// How a scan ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanEnd {
    /// When.
    pub at: DateTime<Utc>,
    /// `Weekly scan: 147 invoices checked, 0 mismatches.`
    pub sentence: String,
    /// Invoices compared. Those on their way are not among them.
    pub checked: u64,
    /// What was found then.
    pub mismatches: u64,
}

/// What a person who asked is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanAnswer {
    /// How it ended.
    pub end: ScanEnd,
    /// What was found; at most [`super::status::MAX_ITEMS`].
    pub findings: Vec<Finding>,
}

/// Scans, as they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanStatus {
    /// The one under way.
    pub running: Option<ScanRun>,
    /// The last that ended.
    pub last: Option<ScanEnd>,
    /// When the next one is due.
    pub next: Option<DateTime<Utc>>,
    /// What was found and is not right yet; at most [`super::status::MAX_ITEMS`].
    pub findings: Vec<Finding>,
    /// How many scans a person asked for.
    pub asked: u64,
    /// Up to which of them all are answered.
    pub answered: u64,
    /// How the last of them ended.
    pub answer: Option<ScanAnswer>,
}

/// A bill of RainTek with our mark, as far as a day's sum needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedBill {
    /// `Inv_ID`.
    pub inv_id: InvId,
    /// `InvoiceNo`, trimmed.
    pub number: String,
    /// Rupees.
    pub total: Decimal,
}
