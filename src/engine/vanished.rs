//! Invoices that stand in RainTek and are gone from the app: each is looked at by itself, and a person decides.

use chrono::TimeDelta;

use super::{Shared, invoices};
use crate::model::alert::Event;
use crate::model::bill::FoundBill;
use crate::model::fault::Fault;
use crate::model::ids::RecordId;
use crate::model::invoice::TaxType;
use crate::model::outbox::{Item, ItemState};
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

async fn recent(shared: &Shared) -> Result<(), Fault> {
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
