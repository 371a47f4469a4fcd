//! The look at every invoice on both sides: when it is due, what counts as a mismatch, and the words for it.
//!
//! One invoice is judged by the plan function and by the digest of what was proven, together. The plan alone would cry
//! wolf over old bills once a payment is renamed in the settings, an item gets a product of its own or RainTek gets a
//! column; the digest alone sees neither the counter nor the ledgers. So what is followed of a bill is believed to be
//! right where its digest is the proven one, and everything else is the plan's word.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::audit::{Audit, audit, digest_then};
use super::awareness::{edited_sentence, found_digest, gone_sentence, is_followed, key};
use super::mapping::MapContext;
use crate::model::awareness::{BillKey, BillState};
use crate::model::bill::{Difference, Found, FoundBill};
use crate::model::fault::Fault;
use crate::model::ids::{InvId, RecordId};
use crate::model::invoice::Invoice;
use crate::model::money::rupees;
use crate::model::scan::MarkedBill;
use crate::model::schema::PosSchema;

/// Between two scans.
pub const WEEK: TimeDelta = TimeDelta::days(7);
/// Where so much was gone that nothing was decided, it is looked at again this soon.
const AGAIN: TimeDelta = TimeDelta::days(1);
/// A scan that old is said.
const OVERDUE: TimeDelta = TimeDelta::days(14);
/// A PC that was off for weeks is given this long from its start.
const GRACE: TimeDelta = TimeDelta::hours(1);
/// What the plan writes into a bill beside what is followed, and that nothing but the invoice itself decides.
const OWN: [(&str, &str); 4] = [
    ("InvoiceInfo", "Balance"),
    ("InvoiceInfo", "Tender"),
    ("InvoiceInfo", "BillCash"),
    ("Invoice_Product", "TotalMRP"),
];
/// Differences named for one invoice.
const MOST_DETAILS: usize = 12;

/// When the next scan is due. `since` is when this shop's ShopSync was started first: there is nothing to look back on
/// in its first week. A `last` that lies in the future is a clock that was wrong.
pub fn next_due(
    now: DateTime<Utc>,
    since: DateTime<Utc>,
    last: Option<DateTime<Utc>>,
    undecided: bool,
) -> DateTime<Utc> {
    let last = last.unwrap_or(since).min(now);
    last + if undecided { AGAIN } else { WEEK }
}

/// One sentence where no scan ended for so long that what it said last says little about today.
pub fn overdue(
    now: DateTime<Utc>,
    started: DateTime<Utc>,
    since: DateTime<Utc>,
    last: Option<DateTime<Utc>>,
    zone: Tz,
) -> Option<String> {
    let proven = last.unwrap_or(since);
    let is_late = now - proven >= OVERDUE && now - started >= GRACE;
    is_late.then(|| {
        let day = |at: DateTime<Utc>| at.with_timezone(&zone).format("%d %b").to_string();
        match last {
            Some(at) => format!(
                "All invoices were last compared with RainTek on {}; leave this PC on for an hour, or run `shopsync check`.",
                day(at)
            ),
            None => "The invoices were never all compared with RainTek; leave this PC on for an hour, or run `shopsync check`."
                .to_owned(),
        }
    })
}

/// How a scan ended, in one sentence.
pub fn summary(ordered: bool, checked: u64, mismatches: u64, unclear: u64) -> String {
    let start = if ordered { "" } else { "Weekly scan: " };
    let many = |n: u64, one: &str, more: &str| format!("{n} {}", if n == 1 { one } else { more });
    let mut text = format!(
        "{start}{} checked, {}",
        many(checked, "invoice", "invoices"),
        many(mismatches, "mismatch", "mismatches")
    );
    if unclear > 0 {
        text.push_str(&format!(", {unclear} could not be compared"));
    }
    text.push('.');
    text
}

/// What became of one invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stands in RainTek as the app has it.
    Same {
        /// Of what stands there.
        digest: String,
    },
    /// A person has to choose.
    Mismatch(Mismatch),
    /// It cannot be compared, and nothing says that it was touched.
    Unclear(Fault),
}

/// A bill of ours that does not stand in RainTek as the app has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// [`BillState::Edited`] or [`BillState::Gone`].
    pub state: BillState,
    /// One sentence.
    pub sentence: String,
    /// What RainTek's bill comes to; `None` where it is not there.
    pub total: Option<Decimal>,
    /// Row by row, in words.
    pub details: Vec<String>,
    /// The digest that it has once it is right; `None` where that cannot be said.
    pub digest: Option<String>,
}

/// Judges one invoice that was proven as `inv_id`. `found` is what [`crate::ports::Pos::inspect`] read, `proven` the
/// digest of what was proven, where it is remembered.
pub fn verdict(
    invoice: &Invoice,
    inv_id: InvId,
    found: &Found,
    proven: Option<&str>,
    schema: &PosSchema,
    context: &MapContext,
) -> Verdict {
    let wanted = BillKey::new(inv_id, &invoice.number);
    let Some(bill) = found.bills.iter().find(|bill| key(bill) == wanted) else {
        return Verdict::Mismatch(Mismatch {
            state: BillState::Gone,
            sentence: gone_sentence(&invoice.number),
            total: None,
            details: elsewhere(found, inv_id, &wanted),
            digest: None,
        });
    };
    let total = bill.info.decimal("GrandTotal");
    let edited = |sentence: String, details: Vec<String>| {
        Verdict::Mismatch(Mismatch {
            state: BillState::Edited,
            sentence,
            total: Some(total),
            details,
            digest: digest_then(invoice, bill, found, schema, context),
        })
    };
    let others: Vec<String> = found
        .bills
        .iter()
        .filter(|other| other.inv_id() != inv_id && key(other).number == wanted.number)
        .map(|other| other.inv_id().to_string())
        .collect();
    if !others.is_empty() {
        let sentence = format!(
            "RainTek has the number {} more than once (Inv_ID {inv_id} of the app, and {}).",
            invoice.number,
            others.join(", ")
        );
        return edited(sentence, Vec::new());
    }
    let digest = found_digest(bill);
    let as_proven = proven.map(|proven| proven == digest);
    let said = || edited_sentence(&invoice.number, Some(invoice.grand_total), total);
    let touched = || {
        let what = "its customer, a barcode, a unit or a payment is not what was written".to_owned();
        edited(said(), vec![what])
    };
    match audit(invoice, inv_id, found, schema, context) {
        Audit::Same if as_proven == Some(false) => touched(),
        Audit::Same => Verdict::Same { digest },
        Audit::Differs(all) => {
            let all: Vec<Difference> =
                all.into_iter().filter(|difference| counts(difference, as_proven == Some(true))).collect();
            match (all.is_empty(), as_proven) {
                (true, Some(false)) => touched(),
                (true, _) => Verdict::Same { digest },
                (false, _) => {
                    let details = all.iter().take(MOST_DETAILS).map(Difference::to_string).collect();
                    edited(said(), details)
                }
            }
        }
        // The bill was found under its own number; the plan sees something else to do than to replace it.
        Audit::Missing => edited(said(), Vec::new()),
        Audit::Unclear(fault) => match as_proven {
            Some(true) => Verdict::Same { digest },
            Some(false) => touched(),
            None => Verdict::Unclear(fault),
        },
    }
}

/// Whether a difference is one of the bill itself. What is followed is right where its digest is the proven one: then
/// the settings, a product or the tables changed since, and the bill did not.
fn counts(difference: &Difference, as_proven: bool) -> bool {
    let Difference { table, column, .. } = difference;
    let is_of_bill = matches!(*table, "InvoiceInfo" | "Invoice_Product" | "Invoice_Payment");
    let is_own = OWN.iter().any(|(of, name)| of == table && name.eq_ignore_ascii_case(column));
    !is_of_bill || is_own || !as_proven && (column.is_empty() || is_followed(table, column))
}

/// What a person looks for when a bill is gone: what has its Inv_ID or its number now.
fn elsewhere(found: &Found, inv_id: InvId, wanted: &BillKey) -> Vec<String> {
    let words = |bill: &FoundBill| {
        let (id, number) = (bill.inv_id(), bill.info.text("InvoiceNo").trim());
        let total = rupees(bill.info.decimal("GrandTotal"));
        if id == inv_id {
            format!("Inv_ID {id} is now the bill {number} ({total})")
        } else if key(bill).number == wanted.number {
            format!("the number is now on Inv_ID {id} ({total})")
        } else {
            format!("Inv_ID {id} is the bill {number} ({total})")
        }
    };
    found.bills.iter().map(words).collect()
}

/// How many bills a day has on one side, and what they come to.
pub type DaySums = BTreeMap<NaiveDate, (u64, Decimal)>;

/// Adds up by day.
pub fn day_sums(bills: impl IntoIterator<Item = (NaiveDate, u64, Decimal)>) -> DaySums {
    let mut sums = DaySums::new();
    for (day, count, total) in bills {
        let sum = sums.entry(day).or_default();
        sum.0 += count;
        sum.1 += total;
    }
    sums
}

/// Days on which both sides do not have the same.
pub fn unequal_days(app: &DaySums, pos: &DaySums) -> Vec<NaiveDate> {
    let days: std::collections::BTreeSet<&NaiveDate> = app.keys().chain(pos.keys()).collect();
    let sum = |sums: &DaySums, day: &NaiveDate| sums.get(day).copied().unwrap_or_default();
    days.into_iter().filter(|day| sum(app, day) != sum(pos, day)).copied().collect()
}

/// One sentence about such a day.
pub fn day_sentence(day: NaiveDate, app: &DaySums, pos: &DaySums) -> String {
    let words = |sums: &DaySums| {
        let (count, total) = sums.get(&day).copied().unwrap_or_default();
        format!("{count} for {}", rupees(total))
    };
    format!(
        "On {} the billing app has {} in RainTek, RainTek itself has {}.",
        day.format("%d %b %Y"),
        words(app),
        words(pos)
    )
}

/// One sentence about a bill with our mark that nobody made.
pub fn stray_sentence(bill: &MarkedBill) -> String {
    format!(
        "RainTek has {} ({}, Inv_ID {}) with ShopSync's mark, and the billing app has no such invoice.",
        bill.number,
        rupees(bill.total),
        bill.inv_id
    )
}

/// A proven invoice of the app, as far as a day's sum needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayInvoice {
    /// The app's record.
    pub record_id: RecordId,
    /// Where it was proven.
    pub inv_id: InvId,
    /// Rupees.
    pub total: Decimal,
}

/// What makes the sums of one day differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayGaps {
    /// Bills with our mark that are no invoice's of this day.
    pub only_pos: Vec<MarkedBill>,
    /// Invoices whose bill has no mark of ours on this day, or comes to something else there.
    pub suspects: Vec<RecordId>,
}

/// Pairs both sides of one day by Inv_ID.
pub fn day_gaps(app: &[DayInvoice], pos: &[MarkedBill]) -> DayGaps {
    let known: HashSet<InvId> = app.iter().map(|invoice| invoice.inv_id).collect();
    let totals: BTreeMap<InvId, Decimal> = pos.iter().map(|bill| (bill.inv_id, bill.total)).collect();
    DayGaps {
        only_pos: pos.iter().filter(|bill| !known.contains(&bill.inv_id)).cloned().collect(),
        suspects: app
            .iter()
            .filter(|invoice| totals.get(&invoice.inv_id) != Some(&invoice.total))
            .map(|invoice| invoice.record_id.clone())
            .collect(),
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
