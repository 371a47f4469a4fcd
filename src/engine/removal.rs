//! An invoice that the app took back after it was booked: a person decides whether RainTek keeps it.

use chrono::TimeDelta;

use super::Shared;
use super::attempt::{conflict_fault, copy_rows};
use super::hold::hold;
use crate::model::bill::{Found, FoundBill, Lookup, Plan};
use crate::model::fault::{Action, Fault, SendOutcome};
use crate::model::ids::InvId;
use crate::model::invoice::{NotDue, TaxType};
use crate::model::outbox::{Item, ItemState};
use crate::sync::awareness::has_our_mark;
use crate::sync::numbering::counter_of;
use crate::sync::plan::plan_removal;

/// The app took an invoice back. What never reached RainTek is withdrawn; what stands there and was cancelled waits
/// for a person; what was revised gives way to its newer record.
pub(super) async fn taken_back(shared: &Shared, mut item: Item, reason: NotDue) -> Result<(), Fault> {
    // An answer may have been lost at any try: whether it stands in RainTek is looked up.
    let mut inv_id = item.inv_id;
    if inv_id.is_none() && !item.state.is_settled() {
        inv_id = look_up(shared, &item).await?;
    }
    item.inv_id = inv_id;
    // Its bill may have become that of a newer record of the same number.
    let superseded = match inv_id {
        Some(id) => {
            let owner = shared.world.state.owner_of(id).await?;
            owner.is_some_and(|owner| owner.record_id != item.record_id)
        }
        None => false,
    };
    let booked = inv_id.is_some() && !superseded && !was_left(&item);
    let fault = match reason {
        NotDue::Cancelled if booked => Some("was cancelled in the app and still stands in RainTek"),
        NotDue::Deleted if booked => Some("is gone from the app and still stands in RainTek"),
        _ => None,
    };
    if let Some(what) = fault {
        let fault = Fault::data(format!("{} {what}.", item.number)).action(Action::RemoveOrLeave);
        if item.state == ItemState::Held && item.fault.as_ref() == Some(&fault) {
            item.next_try = shared.now() + TimeDelta::hours(1);
            return shared.world.state.put(&item).await;
        }
        return hold(shared, item, fault, None).await;
    }
    item.fault = None;
    item.first_failed = None;
    // A revised invoice that stands in RainTek stays recorded as done: its successor finds the bill by it.
    item.state = if inv_id.is_some() && item.digest.is_some() && !was_left(&item) {
        ItemState::Done
    } else {
        ItemState::Withdrawn
    };
    shared.world.state.put(&item).await
}

/// A person chose to leave it in RainTek.
fn was_left(item: &Item) -> bool {
    item.state == ItemState::Withdrawn
}

/// Under the lock: a COMMIT whose answer was lost may still be on its way.
async fn look_up(shared: &Shared, item: &Item) -> Result<Option<InvId>, Fault> {
    let lookup = Lookup {
        number: item.number.clone(),
        inv_id: None,
        tax_type: TaxType::Gst,
        counter: counter_of(&item.number),
        product_codes: Vec::new(),
        phone: None,
    };
    let (transaction, found) = shared.world.pos.open(&lookup).await?;
    transaction.rollback().await;
    let Some(bill) = found.bills.iter().find(|bill| has_our_mark(bill)) else { return Ok(None) };
    // Where another invoice of the app has the number, the bill is that one's.
    let others = shared.world.billing.of_number(&item.number).await?;
    Ok((!others.iter().any(|head| head.id != item.record_id)).then(|| bill.inv_id()))
}

/// Takes a bill out of RainTek in one transaction, its rows copied first.
///
/// # Errors
/// An outage: the item is as it was.
pub(super) async fn remove(shared: &Shared, mut item: Item) -> Result<(), Fault> {
    let mut copied: Option<FoundBill> = None;
    loop {
        match attempt(shared, &item, copied.as_ref()).await {
            Ok(Outcome::Gone) => {
                item.state = ItemState::Withdrawn;
                item.fault = None;
                item.first_failed = None;
                item.inv_id = None;
                item.digest = None;
                item.done_at = None;
                shared.world.state.put(&item).await?;
                shared
                    .journal("push", &item.number, format!("{} was removed from RainTek.", item.number))
                    .await;
                return Ok(());
            }
            Ok(Outcome::CopyFirst(before)) => {
                copy_rows(shared, &before).await?;
                copied = Some(*before);
            }
            // The look-up at the start of the next attempt tells how it ended.
            Ok(Outcome::Unknown(fault)) => return Err(fault),
            Err(fault) if fault.is_outage() => return Err(fault),
            Err(fault) => return hold(shared, item, fault.action(Action::RemoveOrLeave), None).await,
        }
    }
}

enum Outcome {
    Gone,
    CopyFirst(Box<FoundBill>),
    Unknown(Fault),
}

async fn attempt(shared: &Shared, item: &Item, copied: Option<&FoundBill>) -> Result<Outcome, Fault> {
    for tax_type in [TaxType::Gst, TaxType::NonGst] {
        let lookup = Lookup {
            number: item.number.clone(),
            inv_id: item.inv_id,
            tax_type,
            counter: counter_of(&item.number),
            product_codes: Vec::new(),
            phone: None,
        };
        let (mut transaction, found) = shared.world.pos.open(&lookup).await?;
        let found = Found { known: item.inv_id, ..found };
        let series = found.bills.iter().find(|bill| Some(bill.inv_id()) == item.inv_id).map(series_of);
        if series.is_some_and(|series| series != tax_type) {
            transaction.rollback().await;
            continue;
        }
        match plan_removal(&item.number, tax_type, &found) {
            None => {
                transaction.rollback().await;
                return Ok(Outcome::Gone);
            }
            Some(Plan::Conflict(conflict)) => {
                transaction.rollback().await;
                return Err(conflict_fault(&conflict, &item.number));
            }
            Some(Plan::Remove(removal)) if copied != Some(&removal.before) => {
                transaction.rollback().await;
                return Ok(Outcome::CopyFirst(Box::new(removal.before)));
            }
            Some(plan) => {
                transaction.apply(&plan).await?;
                return match transaction.commit().await {
                    SendOutcome::Confirmed => Ok(Outcome::Gone),
                    SendOutcome::Rejected(fault) => Err(fault),
                    SendOutcome::Unknown(fault) => Ok(Outcome::Unknown(fault)),
                };
            }
        }
    }
    Ok(Outcome::Gone)
}

/// In which series a bill of RainTek is numbered.
fn series_of(bill: &FoundBill) -> TaxType {
    if bill.info.text("TaxType").trim().eq_ignore_ascii_case(TaxType::NonGst.text()) {
        TaxType::NonGst
    } else {
        TaxType::Gst
    }
}
