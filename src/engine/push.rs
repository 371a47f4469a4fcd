//! Invoices, app -> RainTek: reads ahead, writes one after the other, verifies and stamps beside the next write.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::task::JoinSet;

use super::attempt::{send, unsent};
use super::hold::hold;
use super::settle::{Sent, settle};
use super::{Shared, backup, invoices, removal};
use crate::model::fault::Fault;
use crate::model::invoice::{Invoice, InvoiceRead, NotDue};
use crate::model::outbox::{Item, ItemState};
use crate::sync::backoff;
use crate::sync::completeness::{Completeness, completeness};

/// Items taken from the outbox at a time.
const CHUNK: u32 = 64;
/// Invoices read from the app at a time.
const READ_AHEAD: usize = 8;
/// Invoices being verified and stamped at a time.
const SETTLING: usize = 8;
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
    if !due.is_empty()
        && let Some(wait) = backup::before_writing(shared)
    {
        return Ok(wait);
    }
    let due = claim_all(shared, due).await?;
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

/// Claims what nobody works on, as it stands then: it may have changed since it was listed.
async fn claim_all(shared: &Shared, listed: Vec<Item>) -> Result<Vec<Item>, Fault> {
    let mut due = Vec::with_capacity(listed.len());
    for item in listed {
        let id = item.record_id;
        if !shared.claims.claim(&id) {
            continue;
        }
        match shared.world.state.item(&id).await {
            Ok(Some(item)) if !item.state.is_settled() && item.next_try <= shared.now() => due.push(item),
            Ok(_) => release(shared, &id).await,
            Err(fault) => {
                release(shared, &id).await;
                for item in due {
                    release(shared, &item.record_id).await;
                }
                return Err(fault);
            }
        }
    }
    Ok(due)
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
            let gone = matches!(reason, NotDue::Cancelled | NotDue::Deleted);
            if item.state == ItemState::Removing && gone {
                removal::remove(shared, item).await?;
            } else if item.state == ItemState::Leaving && gone {
                removal::leave(shared, item).await?;
            } else {
                // A later invoice of this number may have waited for it.
                shared.world.state.make_due(Some(&item.number), now).await?;
                removal::taken_back(shared, item, reason).await?;
            }
        }
        None => {}
    }
    Ok(None)
}
