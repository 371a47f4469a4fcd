//! Watching only: what would be done with each invoice that waits is planned and shown, and nothing is written.

use std::time::Duration;

use chrono::TimeDelta;

use super::attempt::{conflict_fault, lookup_of};
use super::push::release;
use super::{Shared, invoices, removal};
use crate::model::bill::{Found, Plan};
use crate::model::fault::{Action, Fault};
use crate::model::invoice::{Invoice, InvoiceRead};
use crate::model::outbox::{Item, ItemState};
use crate::sync::completeness::{Completeness, completeness};
use crate::sync::mapping::desired_bill;
use crate::sync::plan::plan;
use crate::sync::watch::would_be;

/// Items looked at in one go.
const CHUNK: u32 = 64;
/// RainTek changes meanwhile: each is planned anew this often.
const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// Plans what is due. Returns how long there is nothing to do.
pub(super) async fn pass(shared: &Shared) -> Result<Duration, Fault> {
    let due = shared.world.state.due(shared.now(), CHUNK).await?;
    let mut looked = false;
    for item in due {
        let id = item.record_id.clone();
        if !shared.claims.claim(&id) {
            continue;
        }
        looked = true;
        let done = look(shared, item).await;
        release(shared, &id).await;
        shared.signals.publish.notify_one();
        done?;
        if shared.stopping() {
            break;
        }
    }
    let next = shared.world.state.next_due().await?;
    let wait = next.map(|at| (at - shared.now()).to_std().unwrap_or_default()).unwrap_or(invoices::NET);
    Ok(if looked { Duration::ZERO } else { wait.clamp(Duration::from_millis(200), invoices::NET) })
}

async fn look(shared: &Shared, mut item: Item) -> Result<(), Fault> {
    let sentence = match item.state {
        ItemState::Applied => {
            "It is in RainTek; the billing app is told once ShopSync does more than watch.".to_owned()
        }
        _ => match shared.world.billing.invoice(&item.record_id).await? {
            InvoiceRead::Found(invoice) => {
                item.number.clone_from(&invoice.number);
                item.amount = Some(invoice.grand_total);
                item.customer =
                    invoice.customer.as_ref().map(|customer| customer.name.clone()).unwrap_or_default();
                item.updated.clone_from(&invoice.updated);
                planned(shared, &item, &invoice).await?
            }
            InvoiceRead::Broken(fault) => held(&fault),
            InvoiceRead::NotDue(_) if item.state == ItemState::Removing => {
                "Would be removed from RainTek.".to_owned()
            }
            InvoiceRead::NotDue(reason) => {
                // Not for one that a person was asked about before: two of those would make each other due for ever.
                if item.action() != Action::RemoveOrLeave {
                    shared.world.state.make_due(Some(&item.number), shared.now()).await?;
                }
                return removal::taken_back(shared, item, reason).await;
            }
        },
    };
    shared.trial.keep_plan(&item.record_id, sentence);
    item.next_try = shared.now() + AGAIN;
    shared.world.state.put(&item).await
}

/// Looked up as a push does, but without a lock and without a transaction.
async fn planned(shared: &Shared, item: &Item, invoice: &Invoice) -> Result<String, Fault> {
    plan_of(shared, item, invoice).await.map(|(sentence, _)| sentence)
}

/// The same with the plan, where there is one.
pub(super) async fn plan_of(
    shared: &Shared,
    item: &Item,
    invoice: &Invoice,
) -> Result<(String, Option<Plan>), Fault> {
    if let Completeness::Waiting(sentence) = completeness(invoice) {
        return Ok((sentence, None));
    }
    let found = match shared.world.pos.inspect(&lookup_of(shared, item, invoice)).await {
        Ok(found) => found,
        Err(fault) if fault.is_outage() => return Err(fault),
        Err(fault) => return Ok((held(&fault), None)),
    };
    let schema = shared.world.pos.schema().await?;
    let mut found = Found { known: item.inv_id, ..found };
    super::trial::disown(shared, &mut found);
    let desired = match desired_bill(invoice, &found, &schema, &shared.rules.map) {
        Ok(desired) => desired,
        Err(fault) => return Ok((held(&fault), None)),
    };
    let plan = plan(&desired, &found);
    let sentence = match &plan {
        Plan::Conflict(conflict) => held(&conflict_fault(conflict, &invoice.number)),
        plan => would_be(plan, invoice).unwrap_or_default(),
    };
    Ok((sentence, Some(plan)))
}

pub(super) fn held(fault: &Fault) -> String {
    format!("Would be held: {}", fault.sentence)
}
