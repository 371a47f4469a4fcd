//! Invoices that stand in RainTek and are gone from the app: each is looked at by itself, and a person decides.

use std::collections::HashSet;

use chrono::{NaiveDate, TimeDelta};

use super::{Shared, awareness, invoices};
use crate::model::alert::Event;
use crate::model::awareness::{BillState, KnownBill};
use crate::model::bill::FoundBill;
use crate::model::fault::Fault;
use crate::model::ids::RecordId;
use crate::model::invoice::TaxType;
use crate::model::outbox::{Item, ItemState};
use crate::model::status::Entry;
use crate::sync::vanished::{Verdict, another_database, judge};

/// What an app that was away a moment may have lost lies within this time.
const RECENT: TimeDelta = TimeDelta::hours(26);

/// Which of the booked invoices are to be looked for in the app. Ordered: what is asked for most is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Compare {
    /// None.
    Nothing,
    /// Those of the last day: the app was away.
    Recent,
    /// All of them.
    All,
}

/// Has them looked for at the next look for invoices.
pub(super) fn ask(shared: &Shared, wanted: Compare) {
    shared.board.update(|seen| seen.compare_invoices = seen.compare_invoices.max(wanted));
}

/// The app is back: what it may have lost is looked for.
pub(super) fn app_is_back(shared: &Shared) {
    ask(shared, Compare::Recent);
    ask_if_it_is_its_own(shared);
}

/// Has it found out whether the app is its own database again, where it was not.
pub(super) fn ask_if_it_is_its_own(shared: &Shared) {
    if shared.board.seen().another_database.is_some() {
        ask(shared, Compare::All);
    }
}

/// Looks for them. The order stays until it was done whole.
pub(super) async fn look(shared: &Shared) -> Result<(), Fault> {
    let wanted = shared.board.update(|seen| std::mem::replace(&mut seen.compare_invoices, Compare::Nothing));
    let looked = match wanted {
        Compare::Nothing => Ok(()),
        Compare::Recent => recent(shared).await,
        Compare::All => all(shared).await,
    };
    if looked.is_err() {
        ask(shared, wanted);
    }
    looked
}

/// Bills of RainTek's own that the app showed and lost are shown again by the next pass over them.
async fn shown_bills(shared: &Shared, from: NaiveDate) -> Result<(), Fault> {
    let known = shared.world.state.known_bills(from).await?;
    let shown: Vec<KnownBill> = known.into_iter().filter(|bill| bill.state == BillState::Shown).collect();
    let ids: Vec<RecordId> = shown.iter().filter_map(|bill| bill.record_id.clone()).collect();
    let missing: HashSet<RecordId> = shared.world.billing.missing(&ids).await?.into_iter().collect();
    let is_missing = |bill: &KnownBill| bill.record_id.as_ref().is_some_and(|id| missing.contains(id));
    let again: Vec<KnownBill> = shown
        .into_iter()
        .filter(is_missing)
        .map(|bill| KnownBill { digest: String::new(), ..bill })
        .collect();
    let Some(lowest) = again.iter().map(|bill| bill.inv_id).min() else { return Ok(()) };
    let sentence = match again.len() {
        1 => "The billing app lost a bill of RainTek's; it is shown again.".to_owned(),
        n => format!("The billing app lost {n} bills of RainTek's; they are shown again."),
    };
    let entry = Entry { at: shared.now(), kind: "bills", number: String::new(), sentence };
    shared.world.state.put_bills(&again, &[], &[entry]).await?;
    // Also those that are older than what each pass goes through.
    awareness::go_back_to(shared, lowest.saturating_sub(1)).await?;
    shared.signals.bills.notify_one();
    Ok(())
}

async fn recent(shared: &Shared) -> Result<(), Fault> {
    let day = (shared.now() - RECENT).with_timezone(&shared.rules.zone).date_naive();
    shown_bills(shared, day).await?;
    let booked = shared.world.state.booked(Some(shared.now() - RECENT)).await?;
    // How much is missing is judged by the whole.
    if shared.world.billing.missing(&booked).await?.is_empty() { Ok(()) } else { all(shared).await }
}

async fn all(shared: &Shared) -> Result<(), Fault> {
    let booked = shared.world.state.booked(None).await?;
    let missing = shared.world.billing.missing(&booked).await?;
    match judge(booked.len(), missing.len()) {
        Verdict::None => {}
        Verdict::LookAtEach => {
            for id in &missing {
                look_at(shared, id).await?;
            }
        }
        Verdict::AnotherDatabase => {
            let sentence = another_database(booked.len(), missing.len());
            let known = shared.board.update(|seen| {
                seen.database_proven = false;
                seen.another_database.replace(sentence.clone())
            });
            if known.as_ref() != Some(&sentence) {
                tracing::warn!(missing = missing.len(), booked = booked.len(), "{sentence}");
                shared.journal("note", "", sentence.clone()).await;
            }
            shared.raise(Event::AnotherDatabase { sentence }).await;
            return Ok(());
        }
    }
    shown_bills(shared, NaiveDate::MIN).await?;
    let news = shared.board.update(|seen| {
        let was = seen.another_database.take().is_some();
        // The first proof of this run also ends what an earlier run said.
        !std::mem::replace(&mut seen.database_proven, true) || was
    });
    if news {
        shared.raise(Event::AnotherDatabaseOver).await;
    }
    Ok(())
}

/// The list is not believed: the invoice itself is read, and its bill in RainTek.
async fn look_at(shared: &Shared, id: &RecordId) -> Result<(), Fault> {
    let Some(item) = shared.world.state.item(id).await? else { return Ok(()) };
    let Some(inv_id) = item.inv_id else { return Ok(()) };
    let mut stands = false;
    for tax_type in [TaxType::Gst, TaxType::NonGst] {
        let bills = shared.world.pos.read_back(&item.number, inv_id, tax_type).await?;
        stands |= bills.iter().any(|bill| is_it(bill, &item, inv_id));
    }
    if stands {
        // Reads it by itself; gone for sure, it is held with a choice.
        return invoices::recheck(shared, id).await;
    }
    forget(shared, id).await
}

fn is_it(bill: &FoundBill, item: &Item, inv_id: i32) -> bool {
    bill.inv_id() == inv_id && bill.info.text("InvoiceNo").trim().eq_ignore_ascii_case(item.number.trim())
}

/// Gone from both sides: there is nothing to decide.
async fn forget(shared: &Shared, id: &RecordId) -> Result<(), Fault> {
    use crate::model::invoice::{InvoiceRead, NotDue};
    let Some(_claim) = shared.claims.claim_or_mark(id) else { return Ok(()) };
    if shared.world.billing.invoice(id).await? != InvoiceRead::NotDue(NotDue::Deleted) {
        return Ok(());
    }
    let Some(mut item) = shared.world.state.item(id).await? else { return Ok(()) };
    item.state = ItemState::Withdrawn;
    item.fault = None;
    item.first_failed = None;
    shared.world.state.put(&item).await?;
    let sentence = format!("{} is gone from the app and from RainTek.", item.number);
    shared.journal("note", &item.number, sentence).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::item_for_tests;
    use crate::model::bill::{Row, Value};

    #[test]
    fn a_bill_is_an_invoices_by_both_inv_id_and_number() {
        let item = item_for_tests(ItemState::Done, None);
        let bill = |inv_id: i64, number: &str| FoundBill {
            info: Row(std::collections::BTreeMap::from([
                ("Inv_ID".to_owned(), Value::Int(inv_id)),
                ("InvoiceNo".to_owned(), Value::Text(number.to_owned())),
            ])),
            ..FoundBill::default()
        };
        assert!(is_it(&bill(7, " gst-0151-2025/26"), &item, 7));
        assert!(!is_it(&bill(8, "GST-0151-2025/26"), &item, 7));
        assert!(!is_it(&bill(7, "GST-0152-2025/26"), &item, 7));
    }
}
