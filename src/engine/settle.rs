//! After the commit: read back, prove, stamp.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Shared;
use super::awareness::remember_proven;
use super::hold::hold;
use crate::model::bill::{Desired, DesiredCustomer, Found, Plan};
use crate::model::customer::{Customer, phone_key};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::ids::{CustomerId, InvId, RecordId};
use crate::model::invoice::{Invoice, InvoiceRead, Stamp};
use crate::model::outbox::{Item, ItemState};
use crate::model::status::{Entry, LastPush};
use crate::sync::plan::{differences, plan};

/// An invoice that stands in RainTek, as far as the server said.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) item: Item,
    proof: Option<Proof>,
    customer: Option<(RecordId, CustomerId)>,
    took: Duration,
}

/// What must be read back.
#[derive(Debug)]
struct Proof {
    desired: Desired,
    inv_id: InvId,
    digest: String,
    /// Found equal under the lock: nothing was written, nothing needs to be read again.
    verified: bool,
}

impl Sent {
    #[expect(clippy::too_many_arguments, reason = "all of what one push produced, handed over once")]
    pub(super) fn new(
        item: Item,
        invoice: &Invoice,
        digest: String,
        mut desired: Desired,
        inv_id: InvId,
        customer_id: CustomerId,
        verified: bool,
        took: Duration,
    ) -> Self {
        // A new customer exists by now: verification expects its ID.
        desired.customer = DesiredCustomer::Existing(customer_id);
        let customer = invoice
            .customer
            .as_ref()
            .filter(|customer| customer.pos_id != Some(customer_id))
            .filter(|customer| phone_key(&customer.phone).is_some())
            .and_then(|customer| customer.id.clone())
            .map(|id| (id, customer_id));
        Self { item, proof: Some(Proof { desired, inv_id, digest, verified }), customer, took }
    }

    /// Proven already; only the app does not show it yet.
    pub(super) fn restamp(item: Item) -> Self {
        Self { item, proof: None, customer: None, took: Duration::ZERO }
    }
}

/// Proves and stamps; whatever fails is stored in the item and goes on from there.
pub(super) async fn settle(shared: &Shared, sent: Sent) {
    let number = sent.item.number.clone();
    if let Err(fault) = try_settle(shared, sent).await {
        shared.log("settle", &fault);
        shared.note_outage(&fault);
        shared.journal("push", &number, fault.sentence).await;
    }
    shared.signals.push.notify_one();
}

async fn try_settle(shared: &Shared, sent: Sent) -> Result<(), Fault> {
    let Sent { mut item, proof, customer, took } = sent;
    let mut notes = Vec::new();
    let proven_now = proof.is_some();
    if let Some(proof) = proof {
        let verified = match verify(shared, &proof).await {
            Ok(()) => keep_of_trial(shared, &item, &proof).await,
            failed => failed,
        };
        match verified {
            Ok(()) => {}
            Err(fault) if fault.goes_by_itself() => {
                // It may well stand there: looked up again, at no cost of an attempt.
                item.state = ItemState::Unknown;
                item.attempts = item.attempts.saturating_sub(1);
                item.next_try = shared.now();
                item.inv_id = Some(proof.inv_id);
                shared.world.state.put(&item).await?;
                return if fault.is_outage() { Err(fault) } else { Ok(()) };
            }
            Err(fault) => {
                item.inv_id = Some(proof.inv_id);
                return hold(shared, item, fault, Some(proof.digest)).await;
            }
        }
        remember_proven(shared, &proof.desired, proof.inv_id).await?;
        item.inv_id = Some(proof.inv_id);
        item.digest = Some(proof.digest);
        item.done_at = Some(proven_at(shared, &item.record_id, proof.inv_id).await?);
        notes = proof.desired.notes;
    }
    let Some(inv_id) = item.inv_id else { return Ok(()) };
    item.attempts = 0;
    item.first_failed = None;
    item.failed_digest = None;
    let customer = if proven_now { Ok(customer) } else { customer_of(shared, &item, inv_id).await };
    let stamped = match customer {
        Ok(customer) => {
            shared.world.billing.stamp(&item.record_id, &Stamp::Synced { inv_id, customer }).await
        }
        Err(fault) => Err(fault),
    };
    match &stamped {
        Ok(()) => {
            item.state = ItemState::Done;
            item.fault = None;
            item.stamped_failed = None;
        }
        Err(fault) => {
            // RainTek has it; only the stamp is tried again.
            item.state = ItemState::Applied;
            item.next_try = shared.now() + TimeDelta::seconds(if fault.is_outage() { 0 } else { 60 });
            item.fault = Some(fault.clone());
        }
    }
    let at = shared.now();
    let mut entries = Vec::new();
    if proven_now {
        shared.signals.numbers.notify_one();
        let entry = |kind, sentence| Entry { at, kind, number: item.number.clone(), sentence };
        entries.push(entry("push", format!("{} is in RainTek (Inv_ID {inv_id}).", item.number)));
        entries.extend(notes.into_iter().map(|note| entry("note", note)));
        let took_ms = u64::try_from(took.as_millis()).unwrap_or_default();
        tracing::info!(number = item.number, inv_id, took_ms, "invoice proven in RainTek");
        shared.board.update(|seen| {
            seen.last_push = Some(LastPush { number: item.number.clone(), at, took_ms });
        });
    }
    // Taken by a power cut, it is looked up, found to stand there, and stamped again.
    shared.world.state.put_in_order(std::slice::from_ref(&item), &entries).await?;
    if proven_now {
        super::scan::proven(shared);
    }
    only_outage(stamped)
}

/// What is wrong with one stamp stands in its item. That a side is away concerns everybody: nothing is tried again before
/// it is back.
fn only_outage(stamped: Result<(), Fault>) -> Result<(), Fault> {
    match stamped {
        Err(fault) if fault.is_outage() => Err(fault),
        _ => Ok(()),
    }
}

/// Now, and behind whoever owned the bill before: the last one proven is its owner, though the clock was put back since.
async fn proven_at(shared: &Shared, id: &RecordId, inv_id: InvId) -> Result<DateTime<Utc>, Fault> {
    let before = shared.world.state.owner_of(inv_id).await?.filter(|other| other.record_id != *id);
    let before = before.and_then(|other| other.done_at);
    Ok(before.map_or(shared.now(), |before| shared.now().max(before + TimeDelta::milliseconds(1))))
}

/// What the trial wrote is kept as it stands, before anything says that it is done.
async fn keep_of_trial(shared: &Shared, item: &Item, proof: &Proof) -> Result<(), Fault> {
    let Desired { number, tax_type, .. } = &proof.desired;
    super::trial::proven(shared, number, proof.inv_id, *tax_type, &item.record_id).await
}

/// A stamp that is made up for knows its bill alone: whose it is, RainTek says, where the app does not show it yet.
async fn customer_of(
    shared: &Shared,
    item: &Item,
    inv_id: InvId,
) -> Result<Option<(RecordId, CustomerId)>, Fault> {
    let InvoiceRead::Found(invoice) = shared.world.billing.invoice(&item.record_id).await? else {
        return Ok(None);
    };
    let with_phone = |customer: &Customer| phone_key(&customer.phone).is_some();
    let Some(customer) = invoice.customer.filter(with_phone) else { return Ok(None) };
    let bills = shared.world.pos.read_back(&item.number, inv_id, invoice.tax_type).await?;
    let bill = bills.iter().find(|bill| bill.inv_id() == inv_id);
    let pos_id = bill.and_then(|bill| {
        let column = ["Customer_ID", "CustomerID"].into_iter().find(|name| bill.info.get(name).is_some())?;
        CustomerId::try_from(bill.info.int(column)).ok()
    });
    Ok(customer.id.zip(pos_id).filter(|(_, pos_id)| customer.pos_id != Some(*pos_id)))
}

/// Reads back: exactly one bill of that number, and the plan must say Nothing.
async fn verify(shared: &Shared, proof: &Proof) -> Result<(), Fault> {
    if proof.verified {
        return Ok(());
    }
    let desired = &proof.desired;
    let bills = shared.world.pos.read_back(&desired.number, proof.inv_id, desired.tax_type).await?;
    let found = Found { bills, known: Some(proof.inv_id), ..Found::default() };
    match plan(desired, &found) {
        Plan::Nothing { inv_id, .. } if inv_id == proof.inv_id => Ok(()),
        Plan::Conflict(_) => Err(Fault::data(format!(
            "RainTek made a bill of the number {} at the same moment; both stand there.",
            desired.number
        ))
        .action(Action::Renumber)),
        _ => {
            let bill = found.bills.iter().find(|bill| bill.inv_id() == proof.inv_id);
            let all: Vec<String> = bill
                .map(|bill| differences(desired, bill))
                .unwrap_or_default()
                .iter()
                .map(|d| format!("{}[{}].{}: {} instead of {}", d.table, d.row, d.column, d.found, d.desired))
                .collect();
            Err(Fault::new(
                FaultKind::Data,
                Scope::Item,
                format!("RainTek holds {} differently from what was written.", desired.number),
            )
            .action(Action::CallSupport)
            .detail(if all.is_empty() {
                "the bill is not there".to_owned()
            } else {
                all.join("; ")
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_that_fails_because_the_app_is_away_is_told_to_everybody() {
        let away = Fault::transient(Scope::Billing, "The billing app is not answering.");
        assert_eq!(only_outage(Err(away.clone())), Err(away));
        assert_eq!(
            only_outage(Err(Fault::data("The app does not take it."))),
            Ok(()),
            "it stands in the item"
        );
        assert_eq!(only_outage(Ok(())), Ok(()));
    }
}
