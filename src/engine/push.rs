//! Invoices, app -> RainTek: reads ahead, writes one after the other, verifies and stamps beside the next write.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::task::JoinSet;

use super::settle::{Sent, settle};
use super::{Shared, invoices};
use crate::model::bill::{Conflict, Desired, Found, Lookup, Plan};
use crate::model::customer::phone_key;
use crate::model::fault::{Action, Fault, FaultKind, Scope, SendOutcome};
use crate::model::invoice::{Invoice, InvoiceRead, Stamp};
use crate::model::money::rupees;
use crate::model::outbox::{Item, ItemState};
use crate::sync::backoff;
use crate::sync::completeness::{Completeness, completeness};
use crate::sync::digest::invoice_digest;
use crate::sync::mapping::desired_bill;
use crate::sync::numbering::counter_of;
use crate::sync::plan::plan;

/// Items taken from the outbox at a time.
const CHUNK: u32 = 64;
/// Invoices read from the app at a time.
const READ_AHEAD: usize = 8;
/// Invoices being verified and stamped at a time.
const SETTLING: usize = 8;
/// Tries at once after a deadlock or a number taken at that moment, before the item waits its minute.
const TRIES_AT_ONCE: u32 = 5;
/// While RainTek's own till bills, at most five a second.
const PACE: Duration = Duration::from_millis(200);

pub(super) async fn run(shared: Arc<Shared>) {
    let mut settling = JoinSet::new();
    // A run before this one may have ended in a panic, with invoices in its hands.
    shared.claims.clear();
    loop {
        while settling.try_join_next().is_some() {}
        if shared.stopping() {
            break;
        }
        let wait = match pass(&shared, &mut settling).await {
            Ok(wait) => wait,
            Err(fault) => {
                shared.log("push", &fault);
                shared.note_outage(&fault);
                invoices::NET
            }
        };
        if wait > Duration::ZERO {
            shared.wait(&shared.signals.push, wait).await;
        }
    }
    // What is committed is verified and stamped before leaving; the supervisor bounds the wait.
    while settling.join_next().await.is_some() {}
}

/// Sends what is due. Returns how long there is nothing to do.
async fn pass(shared: &Arc<Shared>, settling: &mut JoinSet<()>) -> Result<Duration, Fault> {
    if !shared.board.both_up() || shared.board.is_paused(shared.now()) {
        return Ok(invoices::NET);
    }
    let due = shared.world.state.due(shared.now(), CHUNK).await?;
    let due: Vec<Item> = due.into_iter().filter(|item| shared.claims.claim(&item.record_id)).collect();
    if due.is_empty() {
        let next = shared.world.state.next_due().await?;
        let wait = next.map(|at| (at - shared.now()).to_std().unwrap_or_default());
        // Items that are due but claimed are told of when they are released.
        return Ok(wait.unwrap_or(invoices::NET).clamp(Duration::from_millis(50), invoices::NET));
    }
    shared.board.update(|seen| seen.sending = u64::try_from(due.len()).unwrap_or_default());
    shared.signals.publish.notify_one();
    let mut claimed: Vec<_> = due.iter().map(|item| item.record_id.clone()).collect();
    let outcome = send_all(shared, due, &mut claimed, settling).await;
    // After an outage the rest is given back untouched.
    for id in claimed {
        release(shared, &id).await;
    }
    shared.board.update(|seen| seen.sending = 0);
    shared.signals.publish.notify_one();
    outcome.map(|()| Duration::ZERO)
}

async fn send_all(
    shared: &Arc<Shared>,
    due: Vec<Item>,
    claimed: &mut Vec<crate::model::ids::RecordId>,
    settling: &mut JoinSet<()>,
) -> Result<(), Fault> {
    let reads = stream::iter(due).map(|item| read(shared, item)).buffered(READ_AHEAD);
    let mut last_sent: Option<Duration> = None;
    let mut chunks = std::pin::pin!(reads.ready_chunks(READ_AHEAD));
    while let Some(chunk) = chunks.next().await {
        let mut ready = Vec::new();
        for (item, read) in chunk {
            let id = item.record_id.clone();
            if item.state == ItemState::Applied {
                claimed.retain(|other| *other != id);
                start_settling(shared, settling, Sent::restamp(item)).await;
                continue;
            }
            let read = match read {
                Ok(read) => read,
                Err(fault) if fault.is_outage() => return Err(fault),
                Err(fault) => {
                    hold(shared, item, fault, None).await?;
                    claimed.retain(|other| *other != id);
                    release(shared, &id).await;
                    continue;
                }
            };
            match prepare(shared, item, read).await? {
                Some(pair) => ready.push(pair),
                None => {
                    claimed.retain(|other| *other != id);
                    release(shared, &id).await;
                }
            }
        }
        // The attempt is stored before anything is sent: a crash from here on is "unknown", never forgotten.
        for (item, _) in &mut ready {
            item.attempts = item.attempts.saturating_add(1);
            item.state = ItemState::Sending;
        }
        let items: Vec<Item> = ready.iter().map(|(item, _)| item.clone()).collect();
        if !items.is_empty() {
            shared.world.state.put_all(&items, &[]).await?;
        }
        let mut rest = ready.into_iter();
        while let Some((item, invoice)) = rest.next() {
            let id = item.record_id.clone();
            if shared.board.till_is_busy(shared.now()) {
                let since = shared.world.clock.elapsed().saturating_sub(last_sent.unwrap_or_default());
                if last_sent.is_some() && since < PACE {
                    shared.world.clock.sleep(PACE - since).await;
                }
            }
            last_sent = Some(shared.world.clock.elapsed());
            match send(shared, item, invoice).await {
                Ok(Some(sent)) => {
                    claimed.retain(|other| *other != id);
                    start_settling(shared, settling, sent).await;
                }
                Ok(None) => {
                    claimed.retain(|other| *other != id);
                    release(shared, &id).await;
                }
                Err(fault) => {
                    // An outage uses up nobody's attempts.
                    let unsent: Vec<Item> = rest.map(|(item, _)| unsent(item)).collect();
                    shared.world.state.put_all(&unsent, &[]).await?;
                    return Err(fault);
                }
            }
            if shared.stopping() {
                let unsent: Vec<Item> = rest.map(|(item, _)| unsent(item)).collect();
                return shared.world.state.put_all(&unsent, &[]).await;
            }
        }
    }
    Ok(())
}

async fn start_settling(shared: &Arc<Shared>, settling: &mut JoinSet<()>, sent: Sent) {
    while settling.len() >= SETTLING {
        settling.join_next().await;
    }
    let shared = Arc::clone(shared);
    settling.spawn(async move {
        let id = sent.item.record_id.clone();
        // A panic in there must not keep the invoice claimed for ever.
        let settled = std::panic::AssertUnwindSafe(settle(&shared, sent)).catch_unwind().await;
        if settled.is_err() {
            tracing::error!("settling an invoice panicked");
        }
        release(&shared, &id).await;
        shared.signals.publish.notify_one();
    });
}

/// Gives an invoice back, and makes up for a look that was wanted meanwhile.
pub(super) async fn release(shared: &Shared, id: &crate::model::ids::RecordId) {
    if shared.claims.release(id)
        && let Err(fault) = invoices::recheck(shared, id).await
    {
        shared.log("recheck", &fault);
        shared.signals.invoices.notify_one();
    }
}

/// Back as it was before its attempt was stored; one that may have arrived stays to be looked up.
fn unsent(mut item: Item) -> Item {
    item.attempts = item.attempts.saturating_sub(1);
    item.state = ItemState::Waiting;
    item
}

async fn read(shared: &Shared, item: Item) -> (Item, Result<Option<InvoiceRead>, Fault>) {
    if item.state == ItemState::Applied {
        return (item, Ok(None));
    }
    let read = match shared.take_fresh(&item.record_id) {
        Some(invoice) => Ok(Some(InvoiceRead::Found(Box::new(invoice)))),
        None => shared.world.billing.invoice(&item.record_id).await.map(Some),
    };
    (item, read)
}

/// Sorts out what cannot be sent yet, or at all.
async fn prepare(
    shared: &Shared,
    mut item: Item,
    read: Option<InvoiceRead>,
) -> Result<Option<(Item, Invoice)>, Fault> {
    let now = shared.now();
    match read {
        Some(InvoiceRead::Found(invoice)) => match completeness(&invoice) {
            Completeness::Complete => {
                if item.state == ItemState::Incomplete {
                    item.attempts = 0;
                    item.first_failed = None;
                    item.fault = None;
                }
                item.number.clone_from(&invoice.number);
                item.amount = Some(invoice.grand_total);
                item.customer =
                    invoice.customer.as_ref().map(|customer| customer.name.clone()).unwrap_or_default();
                item.updated.clone_from(&invoice.updated);
                return Ok(Some((item, *invoice)));
            }
            Completeness::Waiting(sentence) => {
                if item.state != ItemState::Incomplete {
                    item.state = ItemState::Incomplete;
                    item.attempts = 0;
                    item.first_seen = now;
                }
                item.attempts = item.attempts.saturating_add(1);
                let wait = backoff::lines_retry(item.attempts);
                item.next_try = now + TimeDelta::from_std(wait).unwrap_or_default();
                item.fault = Some(Fault::data(sentence));
                let grace = TimeDelta::from_std(backoff::LINES_GRACE).unwrap_or_default();
                if now - item.first_seen >= grace {
                    item.first_failed.get_or_insert(now);
                }
                shared.world.state.put(&item).await?;
            }
        },
        Some(InvoiceRead::Broken(fault)) => {
            item.attempts = item.attempts.saturating_add(1);
            hold(shared, item, fault, None).await?;
        }
        Some(InvoiceRead::NotDue(reason)) => {
            invoices::withdraw(&mut item, reason);
            shared.world.state.put(&item).await?;
            shared.world.state.make_due(Some(&item.number), now).await?;
        }
        None => {}
    }
    Ok(None)
}

/// Sends one invoice. `None`: it did not go, and the item says why.
///
/// # Errors
/// An outage: the item is back as it was, and the rest of the pass is given up.
async fn send(shared: &Shared, mut item: Item, invoice: Invoice) -> Result<Option<Sent>, Fault> {
    let started = shared.world.clock.elapsed();
    let digest = invoice_digest(&invoice);
    let mut replace_agreed = false;
    let mut tries = 0;
    loop {
        match attempt(shared, &item, &invoice, replace_agreed).await {
            Ok(Attempt::Written { desired, inv_id, customer_id, verified }) => {
                shared.board.our_bill(inv_id);
                let took = shared.world.clock.elapsed().saturating_sub(started);
                let sent = Sent::new(item, &invoice, digest, *desired, inv_id, customer_id, verified, took);
                return Ok(Some(sent));
            }
            Ok(Attempt::AskApp) => match shared_number(shared, &invoice).await {
                Ok(None) => replace_agreed = true,
                Ok(Some(fault)) => {
                    hold(shared, item, fault, Some(digest)).await?;
                    return Ok(None);
                }
                Err(fault) => {
                    shared.world.state.put(&unsent(item)).await?;
                    return Err(fault);
                }
            },
            Ok(Attempt::Unknown(fault)) => {
                item.state = ItemState::Unknown;
                item.attempts = item.attempts.saturating_sub(1);
                item.next_try = shared.now();
                shared.world.state.put(&item).await?;
                shared.log("commit", &fault);
                shared
                    .journal("push", &item.number, "The answer of RainTek was lost; it is looked up.")
                    .await;
                return if fault.is_outage() { Err(fault) } else { Ok(None) };
            }
            Err(fault) if fault.is_outage() => {
                shared.world.state.put(&unsent(item)).await?;
                return Err(fault);
            }
            Err(fault) if fault.kind == FaultKind::Transient => {
                tries += 1;
                if tries < TRIES_AT_ONCE {
                    let wait = u64::from(shared.world.clock.jitter()) / 10 * u64::from(tries);
                    shared.world.clock.sleep(Duration::from_millis(wait + 5)).await;
                    continue;
                }
                shared.log("push", &fault);
                retry_later(shared, item, fault).await?;
                return Ok(None);
            }
            Err(fault) => {
                let first_time = item.failed_digest.as_deref() != Some(&digest);
                if fault.action == Action::PullProducts && first_time {
                    // One products pass may bring what is missing; then the rule holds.
                    item.failed_digest = Some(digest);
                    item.state = ItemState::Waiting;
                    item.fault = Some(fault);
                    item.next_try = shared.now() + TimeDelta::minutes(1);
                    shared.world.state.put(&item).await?;
                    shared.signals.products.notify_one();
                } else {
                    hold(shared, item, fault, Some(digest)).await?;
                }
                return Ok(None);
            }
        }
    }
}

enum Attempt {
    Written {
        desired: Box<Desired>,
        inv_id: i32,
        customer_id: i32,
        verified: bool,
    },
    /// A bill of ours stands there: whether it may be replaced is asked outside the transaction.
    AskApp,
    Unknown(Fault),
}

/// One transaction: look up, plan, write, commit.
async fn attempt(
    shared: &Shared,
    item: &Item,
    invoice: &Invoice,
    replace_agreed: bool,
) -> Result<Attempt, Fault> {
    let schema = shared.world.pos.schema().await?;
    let mut codes: Vec<String> = invoice
        .lines
        .iter()
        .map(|line| line.product_code.trim().to_owned())
        .filter(|c| !c.is_empty())
        .collect();
    codes.extend(shared.rules.map.unknown_item.clone());
    codes.sort();
    codes.dedup();
    let lookup = Lookup {
        number: invoice.number.clone(),
        inv_id: item.inv_id.or(invoice.pos_id),
        tax_type: invoice.tax_type,
        counter: counter_of(&invoice.number),
        product_codes: codes,
        phone: invoice.customer.as_ref().and_then(|customer| phone_key(&customer.phone)),
    };
    let (mut transaction, mut found) = shared.world.pos.open(&lookup).await?;
    shared.board.highest_bill(found.marks.inv_id, shared.now());
    // Only the store's own word makes a bill ours; what the app's record says may come from a phone.
    found.known = item.inv_id;
    let desired = match desired_bill(invoice, &found, &schema, &shared.rules.map) {
        Ok(desired) => desired,
        Err(fault) => {
            transaction.rollback().await;
            return Err(fault);
        }
    };
    let plan = plan(&desired, &found);
    match &plan {
        Plan::Conflict(conflict) => {
            transaction.rollback().await;
            Err(conflict_fault(conflict, &invoice.number))
        }
        Plan::Nothing { inv_id, customer_id } => {
            let (inv_id, customer_id) = (*inv_id, *customer_id);
            transaction.rollback().await;
            if !replace_agreed && item.inv_id != Some(inv_id) {
                return Ok(Attempt::AskApp);
            }
            Ok(Attempt::Written { desired: Box::new(desired), inv_id, customer_id, verified: true })
        }
        Plan::Replace(_) if !replace_agreed => {
            transaction.rollback().await;
            Ok(Attempt::AskApp)
        }
        Plan::Insert(_) | Plan::Replace(_) => {
            let (inv_id, customer_id) = transaction.apply(&plan).await?;
            match transaction.commit().await {
                SendOutcome::Confirmed => {
                    Ok(Attempt::Written { desired: Box::new(desired), inv_id, customer_id, verified: false })
                }
                SendOutcome::Rejected(fault) => Err(fault),
                SendOutcome::Unknown(fault) => Ok(Attempt::Unknown(fault)),
            }
        }
    }
}

/// Another completed invoice of the app that carries the number: a bill of ours must not be taken from it.
async fn shared_number(shared: &Shared, invoice: &Invoice) -> Result<Option<Fault>, Fault> {
    let others = shared.world.billing.of_number(&invoice.number).await?;
    let other = others.iter().find(|head| head.id != invoice.id);
    Ok(other.map(|other| {
        let amount = other.grand_total.map(rupees).unwrap_or_default();
        Fault::data(format!(
            "Another completed invoice of the app has the number {} too ({amount}).",
            invoice.number
        ))
        .action(Action::Renumber)
        .detail(format!("record {}", other.id))
    }))
}

fn conflict_fault(conflict: &Conflict, number: &str) -> Fault {
    let sentence = match conflict {
        Conflict::NumberTaken { inv_id, grand_total } => format!(
            "RainTek used the number {number} for a bill of its own ({}, Inv_ID {inv_id}).",
            rupees(*grand_total)
        ),
        Conflict::Ambiguous { inv_ids } => format!(
            "RainTek has {} bills of the number {number} (Inv_ID {}).",
            inv_ids.len(),
            inv_ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
    };
    Fault::new(FaultKind::Data, Scope::Item, sentence).action(Action::Renumber)
}

/// The item waits for a person; it is tried again by itself as well, and never dropped.
pub(super) async fn hold(
    shared: &Shared,
    mut item: Item,
    fault: Fault,
    digest: Option<String>,
) -> Result<(), Fault> {
    let news = item.fault.as_ref().is_none_or(|known| known.sentence != fault.sentence)
        || item.state != ItemState::Held;
    let sentence = fault.sentence.clone();
    shared.log("hold", &fault);
    shared.failed(&mut item, fault, digest, ItemState::Held);
    stamp_failed(shared, &mut item).await;
    shared.world.state.put(&item).await?;
    if news {
        shared.journal("hold", &item.number, sentence).await;
    }
    Ok(())
}

async fn retry_later(shared: &Shared, mut item: Item, fault: Fault) -> Result<(), Fault> {
    shared.failed(&mut item, fault, None, ItemState::Waiting);
    if item.first_failed.is_some_and(|since| shared.now() - since >= crate::sync::health::FAILING) {
        stamp_failed(shared, &mut item).await;
    }
    shared.world.state.put(&item).await
}

/// Shows the reason in the app, once. The invoice itself does not depend on it: if it fails, the next try shows it.
async fn stamp_failed(shared: &Shared, item: &mut Item) {
    let Some(sentence) = item.fault.as_ref().map(|fault| fault.sentence.clone()) else { return };
    if item.stamped_failed.as_ref() == Some(&sentence) {
        return;
    }
    match shared.world.billing.stamp(&item.record_id, &Stamp::Failed(sentence.clone())).await {
        Ok(()) => item.stamped_failed = Some(sentence),
        Err(fault) => shared.log("stamp", &fault),
    }
}

/// What a plan was made for, for those who settle it.
pub(super) fn found_of(bills: Vec<crate::model::bill::FoundBill>, inv_id: i32) -> Found {
    Found { bills, known: Some(inv_id), ..Found::default() }
}
