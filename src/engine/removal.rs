//! An invoice that the app took back after it was booked: a person decides whether RainTek keeps it.

use chrono::TimeDelta;

use super::Shared;
use super::attempt::{conflict_fault, copy_rows};
use super::hold::hold;
use super::trial::has_our_mark;
use crate::model::bill::{FoundBill, Lookup, Plan};
use crate::model::fault::{Action, Fault, SendOutcome};
use crate::model::ids::InvId;
use crate::model::invoice::{NotDue, Stamp, TaxType};
use crate::model::money::rupees;
use crate::model::outbox::{Item, ItemState};
use crate::sync::numbering::counter_of;
use crate::sync::plan::plan_removal;

/// What is said of an invoice that the app no longer has.
pub(super) const GONE: &str = "is gone from the app and still stands in RainTek";

/// The app took an invoice back. What never reached RainTek is withdrawn; what stands there and was cancelled waits
/// for a person; what was revised gives way to its newer record.
pub(super) async fn taken_back(shared: &Shared, mut item: Item, reason: NotDue) -> Result<(), Fault> {
    let gone = matches!(reason, NotDue::Cancelled | NotDue::Deleted);
    if item.state == ItemState::Incomplete {
        // Looks for its lines were no tries of sending it.
        item.attempts = 0;
    }
    if gone && matches!(item.state, ItemState::Removing | ItemState::Leaving) {
        // A person has decided; the push does it.
        item.next_try = shared.now();
        return shared.world.state.put(&item).await;
    }
    let left = was_left(&item);
    // Whether it stands in RainTek is looked up where the answer to any try may have been lost, and where it may have
    // been meant to take the place of what stands there.
    let mut inv_id = item.inv_id;
    if inv_id.is_none() && may_stand(gone, item.state) {
        if !shared.board.both_up() {
            // The push looks it up once RainTek is back.
            item.state = ItemState::Unknown;
            item.next_try = shared.now();
            return shared.world.state.put(&item).await;
        }
        inv_id = look_up(shared, &item).await?;
    }
    let superseded = match inv_id {
        Some(id) => is_superseded(shared, &item, id).await?,
        None => false,
    };
    let booked = inv_id.is_some() && !superseded && !left;
    item.inv_id = bill_of(item.inv_id, inv_id, booked, gone);
    let fault = match reason {
        NotDue::Cancelled if booked => Some("was cancelled in the app and still stands in RainTek"),
        NotDue::Deleted if booked => Some(GONE),
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
    if reason == NotDue::Deleted && inv_id.is_none() && item.state != ItemState::Withdrawn {
        // Deleted by a person, or lost in a power cut: nobody but the journal tells that there was one.
        let amount = item.amount.map(|amount| format!(" ({})", rupees(amount))).unwrap_or_default();
        let sentence = format!("{}{amount} is gone from the app; it had not reached RainTek.", item.number);
        shared.journal("note", &item.number, sentence).await;
    }
    item.fault = None;
    item.first_failed = None;
    item.state = if stays_done(&item, left) { ItemState::Done } else { ItemState::Withdrawn };
    shared.world.state.put(&item).await
}

/// Whether the bill under this Inv_ID is another invoice's by now: one of another number, or one of this number that
/// the app still means.
async fn is_superseded(shared: &Shared, item: &Item, inv_id: InvId) -> Result<bool, Fault> {
    let owner = shared.world.state.owner_of(inv_id).await?;
    if owner.is_some_and(|owner| owner.record_id != item.record_id && owner.number != item.number) {
        return Ok(true);
    }
    let meant = shared.world.billing.of_number(&item.number).await?;
    Ok(meant.iter().any(|head| head.id != item.record_id))
}

/// A person chose to leave it in RainTek.
fn was_left(item: &Item) -> bool {
    item.state == ItemState::Withdrawn && item.inv_id.is_some()
}

/// Under the lock: a COMMIT whose answer was lost may still be on its way.
async fn look_up(shared: &Shared, item: &Item) -> Result<Option<InvId>, Fault> {
    if shared.trial.watching() {
        // Nothing was ever sent.
        return Ok(None);
    }
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
    let Some(bill) = found.bills.iter().find(|bill| has_our_mark(shared, bill)) else { return Ok(None) };
    // Where another invoice of the app has the number, the bill is that one's.
    let others = shared.world.billing.of_number(&item.number).await?;
    Ok((!others.iter().any(|head| head.id != item.record_id)).then(|| bill.inv_id()))
}

/// Leaves a bill in RainTek: the app shows that it stands there, and nobody is asked again.
///
/// # Errors
/// An outage: the item is as it was.
pub(super) async fn leave(shared: &Shared, mut item: Item) -> Result<(), Fault> {
    if let Some(inv_id) = item.inv_id {
        tell_the_app(shared, &item, &Stamp::Synced { inv_id, customer: None }).await?;
    }
    item.state = ItemState::Withdrawn;
    item.fault = None;
    item.first_failed = None;
    item.stamped_failed = None;
    shared.world.state.put(&item).await
}

/// RainTek has nothing of it.
async fn gone(shared: &Shared, mut item: Item) -> Result<(), Fault> {
    tell_the_app(shared, &item, &Stamp::Removed).await?;
    item.state = ItemState::Withdrawn;
    item.fault = None;
    item.first_failed = None;
    item.stamped_failed = None;
    item.inv_id = None;
    item.digest = None;
    item.done_at = None;
    shared.world.state.put(&item).await
}

/// Only an outage is waited for: the app may not have the record any more, and RainTek's books do not depend on it.
async fn tell_the_app(shared: &Shared, item: &Item, stamp: &Stamp) -> Result<(), Fault> {
    match shared.world.billing.stamp(&item.record_id, stamp).await {
        Err(fault) if fault.is_outage() => Err(fault),
        Err(fault) => {
            shared.log("stamp", &fault);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Takes a bill out of RainTek in one transaction, its rows copied first.
///
/// # Errors
/// An outage: the item is as it was.
pub(super) async fn remove(shared: &Shared, item: Item) -> Result<(), Fault> {
    // Asked about before another invoice took the bill over: that one is not to lose it.
    if let Some(inv_id) = item.inv_id
        && is_superseded(shared, &item, inv_id).await?
    {
        return gone(shared, item).await;
    }
    let mut copied: Option<FoundBill> = None;
    loop {
        match attempt(shared, &item, copied.as_ref()).await {
            Ok(Outcome::Gone) => {
                let number = item.number.clone();
                super::trial::taken_back(shared, &number).await?;
                gone(shared, item).await?;
                shared.journal("push", &number, format!("{number} was removed from RainTek.")).await;
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
        let (mut transaction, mut found) = shared.world.pos.open(&lookup).await?;
        super::trial::disown(shared, &mut found);
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

/// Which bill the record has from here on, by what is there: one that is gone takes none that is not its own.
fn bill_of(known: Option<InvId>, there: Option<InvId>, booked: bool, gone: bool) -> Option<InvId> {
    if booked || !gone { there } else { known }
}

/// Whether a bill may stand in RainTek that the store knows nothing of: the answer to a try was lost, or a record is gone
/// whose successor's place it was.
fn may_stand(gone: bool, state: ItemState) -> bool {
    gone || !state.is_settled()
}

/// A revised invoice that stands in RainTek stays recorded as done: its successor finds the bill by it.
fn stays_done(item: &Item, left: bool) -> bool {
    item.inv_id.is_some() && item.digest.is_some() && !left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::item_for_tests;

    #[test]
    fn a_record_that_is_gone_takes_only_its_own_bill() {
        assert_eq!(bill_of(None, Some(7), true, true), Some(7));
        assert_eq!(bill_of(None, Some(7), false, true), None, "a successor has it");
        assert_eq!(bill_of(None, Some(7), false, false), Some(7), "a draft comes back to it");
    }

    #[test]
    fn what_is_gone_or_was_tried_is_looked_up() {
        assert!(may_stand(true, ItemState::Done) && may_stand(false, ItemState::Unknown));
        assert!(!may_stand(false, ItemState::Done));
    }

    #[test]
    fn only_what_was_proven_and_not_left_stays_done() {
        let item = |inv_id, digest: Option<&str>| Item {
            inv_id,
            digest: digest.map(str::to_owned),
            ..item_for_tests(ItemState::Unknown, None)
        };
        assert!(stays_done(&item(Some(7), Some("d")), false));
        assert!(!stays_done(&item(Some(7), Some("d")), true));
        assert!(!stays_done(&item(Some(7), None), false));
        assert!(!stays_done(&item(None, Some("d")), false));
    }
}
