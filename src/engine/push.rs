//! Invoices, app -> RainTek: reads ahead, writes one after the other, verifies and stamps beside the next write.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::try_join_all;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use super::attempt::{Ready, flush, send, unsent};
use super::handle::PAUSED_UNTIL;
use super::hold::{hold, show_overdue};
use super::settle::{Sent, settle};
use super::trial::Flow;
use super::{Shared, backup, invoices, removal};
use crate::model::fault::{Action, Fault, Scope};
use crate::model::ids::RecordId;
use crate::model::invoice::{Invoice, InvoiceRead, NotDue};
use crate::model::outbox::{Item, ItemState};
use crate::ports::Task;
use crate::sync::backoff;
use crate::sync::completeness::{Completeness, completeness};
use crate::sync::room::leaders;

/// Items taken from the outbox at a time.
const CHUNK: u32 = 128;
/// Invoices read from the app together, and sent before the next are looked at: what is read is soon written.
const TOGETHER: usize = 16;
/// The same while tills bill, when each write is followed by a rest.
const TOGETHER_GENTLY: usize = 4;
/// Groups of them being read while one is written.
const AHEAD: usize = 2;
/// Invoices being verified and stamped at a time.
const SETTLING: usize = 24;
/// While RainTek's own till bills, its database is left alone three times as long as a push took, within these bounds:
/// so a till waits for a lock of ours one time in four at most.
const REST: u32 = 3;
const SHORTEST_REST: Duration = Duration::from_millis(10);
const LONGEST_REST: Duration = Duration::from_millis(200);
/// So many that wait are a queue: tills are kept off their numbers, whether one is seen to bill or not.
const QUEUE: usize = 8;

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
    // What cannot be kept is not begun: the sign of life finds out when it can be again.
    if !shared.board.store_takes() {
        return Ok(invoices::NET);
    }
    if shared.board.pause_ended(shared.now()) {
        shared.world.state.set(PAUSED_UNTIL, None).await?;
    }
    if !shared.board.both_up() || shared.board.is_paused(shared.now()) {
        return Ok(invoices::NET);
    }
    let Some(flow) = shared.trial.flow().await else { return Ok(invoices::NET) };
    if shared.trial.watching() {
        return super::watching::pass(shared).await;
    }
    if !shared.trial.may_begin_to_write() {
        return Ok(invoices::NET);
    }
    let due = shared.world.state.due(shared.now(), CHUNK).await?;
    if !due.is_empty()
        && let Some(wait) = backup::before_writing(shared)
    {
        return Ok(wait);
    }
    let (due, ahead) = lead(shared, due).await?;
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
    let outcome = send_all(shared, due, ahead, &mut claimed, settling, &flow).await;
    // After an outage the rest is given back untouched.
    for id in claimed {
        release(shared, &id).await;
    }
    shared.board.update(|seen| seen.sending = 0);
    shared.signals.publish.notify_one();
    outcome.map(|()| Duration::ZERO)
}

/// Puts those in front whose numbers are the highest (ADR 13): once they stand in RainTek, its tills go on above them.
/// Returns how many they are, where the rest is a queue that has to wait for a moment behind them.
async fn lead(shared: &Shared, mut due: Vec<Item>) -> Result<(Vec<Item>, usize), Fault> {
    let now = shared.now();
    let few = if shared.board.till_is_busy(now) { 2 } else { QUEUE };
    let full = due.len() >= usize::try_from(CHUNK).unwrap_or(usize::MAX);
    if due.len() < few || full && !shared.board.leads_again(now) {
        return Ok((due, 0));
    }
    let all = if full { shared.world.state.due(now, u32::MAX).await? } else { due.clone() };
    // One that failed already would lead nobody.
    let fresh: Vec<&Item> =
        all.iter().filter(|item| item.state == ItemState::Waiting && item.fault.is_none()).collect();
    let leaders: Vec<Item> = leaders(fresh.iter().map(|item| item.number.as_str()))
        .into_iter()
        .filter_map(|index| fresh.get(index).map(|item| (*item).clone()))
        .collect();
    due.retain(|item| !leaders.iter().any(|leader| leader.record_id == item.record_id));
    let ahead = if due.len() >= QUEUE { leaders.len() } else { 0 };
    Ok((leaders.into_iter().chain(due).collect(), ahead))
}

/// Claims what nobody works on, as it stands then: it may have changed since it was listed.
async fn claim_all(shared: &Shared, listed: Vec<Item>) -> Result<Vec<Item>, Fault> {
    let free = listed.into_iter().map(|item| item.record_id).filter(|id| shared.claims.claim(id));
    let mut claimed: Vec<RecordId> = free.collect();
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    let mut due = Vec::new();
    let outcome = shared.world.state.items(&claimed).await.map(|items| {
        due = items;
        due.retain(|item| is_due(item, shared.now()));
    });
    claimed.retain(|id| due.iter().all(|item| item.record_id != *id));
    for id in claimed {
        release(shared, &id).await;
    }
    outcome.map(|()| due)
}

/// Whoever goes on with it, or has released it, has it from here on.
fn is_done_with(claimed: &mut Vec<RecordId>, id: &RecordId) {
    claimed.retain(|other| other != id);
}

fn is_due(item: &Item, now: DateTime<Utc>) -> bool {
    !item.state.is_settled() && item.next_try <= now
}

async fn send_all(
    shared: &Arc<Shared>,
    due: Vec<Item>,
    ahead: usize,
    claimed: &mut Vec<RecordId>,
    settling: &mut JoinSet<()>,
    flow: &Flow,
) -> Result<(), Fault> {
    let together = if shared.board.till_is_busy(shared.now()) { TOGETHER_GENTLY } else { TOGETHER };
    let groups: Vec<Vec<Item>> = due.chunks(together).map(<[Item]>::to_vec).collect();
    let mut groups =
        std::pin::pin!(stream::iter(groups).map(|group| read_ahead(shared, group)).buffered(AHEAD));
    let mut sent = 0;
    let mut rest_until = Duration::ZERO;
    while let Some(group) = groups.next().await {
        let mut ready = Vec::new();
        for (item, read) in group {
            let id = item.record_id.clone();
            if item.state == ItemState::Applied {
                is_done_with(claimed, &id);
                start_settling(shared, settling, Sent::restamp(item), flow).await;
                continue;
            }
            let read = match read {
                Ok(read) => read,
                Err(fault) if fault.is_outage() => return Err(fault),
                Err(fault) => {
                    hold(shared, item, fault, None).await?;
                    is_done_with(claimed, &id);
                    release(shared, &id).await;
                    continue;
                }
            };
            match prepare(shared, item, read).await? {
                Some((item, invoice)) => ready.push(Ready { item, invoice, beside: Vec::new() }),
                None => {
                    is_done_with(claimed, &id);
                    release(shared, &id).await;
                }
            }
        }
        // The attempt is stored before anything is sent, and on the disk before anything is committed: a crash from
        // here on is "unknown", never forgotten. The disk takes its time beside RainTek's look-up.
        for Ready { item, .. } in &mut ready {
            // One whose end nobody knows, since its run ended first, has used up no try.
            if item.state != ItemState::Sending {
                item.attempts = item.attempts.saturating_add(1);
            }
            item.state = ItemState::Sending;
        }
        let items: Vec<Item> = ready.iter().map(|ready| ready.item.clone()).collect();
        if items.is_empty() {
            continue;
        }
        let state = &shared.world.state;
        let beside = items.iter().map(|item| state.booked_beside(&item.number, &item.record_id));
        let (stored, beside) = tokio::join!(state.put_in_order(&items, &[]), try_join_all(beside));
        stored?;
        for (ready, beside) in ready.iter_mut().zip(beside?) {
            ready.beside = beside;
        }
        let on_disk = flush(shared);
        let mut rest = ready.into_iter();
        while let Some(ready) = rest.next() {
            let id = ready.item.record_id.clone();
            let began = shared.world.clock.elapsed();
            if shared.board.till_is_busy(shared.now()) && began < rest_until || sent == ahead && ahead > 0 {
                // Behind those sent ahead: a till that had looked before them has written its number by then.
                let pause = if sent == ahead { LONGEST_REST } else { rest_until.saturating_sub(began) };
                shared.world.clock.sleep(pause).await;
            }
            let began = shared.world.clock.elapsed();
            let outcome = send(shared, ready, &on_disk).await;
            sent += 1;
            let ended = shared.world.clock.elapsed();
            rest_until = ended + (ended.saturating_sub(began) * REST).clamp(SHORTEST_REST, LONGEST_REST);
            match outcome {
                Ok(Some(sent)) => {
                    is_done_with(claimed, &id);
                    start_settling(shared, settling, sent, flow).await;
                }
                Ok(None) => {
                    is_done_with(claimed, &id);
                    release(shared, &id).await;
                }
                Err(fault) => {
                    // An outage uses up nobody's attempts.
                    let unsent: Vec<Item> = rest.map(|ready| unsent(ready.item)).collect();
                    shared.world.state.put_all(&unsent, &[]).await?;
                    return Err(fault);
                }
            }
            // Whoever pauses means at once, not behind what is queued.
            if shared.stopping() || shared.board.is_paused(shared.now()) {
                let unsent: Vec<Item> = rest.map(|ready| unsent(ready.item)).collect();
                return shared.world.state.put_all(&unsent, &[]).await;
            }
        }
    }
    Ok(())
}

async fn start_settling(shared: &Arc<Shared>, settling: &mut JoinSet<()>, sent: Sent, flow: &Flow) {
    while settling.len() >= SETTLING {
        settling.join_next().await;
    }
    let shared = Arc::clone(shared);
    // Going live waits for it, though the pass that sent it is over.
    let flow = Arc::clone(flow);
    settling.spawn(async move {
        let id = sent.item.record_id.clone();
        // A panic in there must not keep the invoice claimed for ever.
        let settled = std::panic::AssertUnwindSafe(settle(&shared, sent)).catch_unwind();
        tokio::select! {
            biased;
            settled = settled => if settled.is_err() {
                tracing::error!("settling an invoice panicked");
            },
            // It is looked up again, as after any attempt whose end nobody knows.
            () = shared.world.clock.sleep(Task::PATIENCE) => {
                tracing::error!(record = %id, "settling an invoice hangs and is given up");
            }
        }
        release(&shared, &id).await;
        drop(flow);
        shared.signals.publish.notify_one();
    });
}

/// Gives an invoice back, and makes up for a look that was wanted meanwhile.
pub(super) async fn release(shared: &Shared, id: &RecordId) {
    if shared.claims.release(id)
        && let Err(fault) = invoices::recheck(shared, id).await
    {
        shared.log("recheck", &fault);
        shared.signals.invoices.notify_one();
    }
}

type Reading = Result<Option<InvoiceRead>, Fault>;

/// Reads in a task of its own. One that went on only when it is asked for the invoice would stand still while another
/// is written, with whatever it holds by then: signing in anew, it would wait for the writing to end, and the writing for
/// it, for ever.
async fn read_ahead(shared: &Arc<Shared>, group: Vec<Item>) -> Vec<(Item, Reading)> {
    let mut reads: Vec<(Item, Reading)> = Vec::with_capacity(group.len());
    let mut wanted = Vec::new();
    // Places of those that are read now.
    let mut open = Vec::new();
    for item in group {
        let needed = item.state != ItemState::Applied;
        let fresh = if needed { shared.take_fresh(&item.record_id) } else { None };
        if needed && fresh.is_none() {
            open.push(reads.len());
            wanted.push(item.record_id.clone());
        }
        reads.push((item, Ok(fresh.map(|invoice| InvoiceRead::Found(Box::new(invoice))))));
    }
    if wanted.is_empty() {
        return reads;
    }
    let billing = Arc::clone(&shared.world.billing);
    // Ends with whoever waits for it.
    let reading =
        AbortOnDropHandle::new(tokio::spawn(async move { invoices::read_all(&*billing, &wanted).await }));
    let mut came = match reading.await {
        Ok(came) => came.into_iter(),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Vec::new().into_iter(),
        },
    };
    let stopped = || Fault::transient(Scope::Billing, "Reading the invoice was stopped.");
    for place in open {
        if let Some((_, read)) = reads.get_mut(place) {
            *read = came.next().unwrap_or_else(|| Err(stopped())).map(Some);
        }
    }
    reads
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
                    show_overdue(shared, &mut item).await;
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
                // A later invoice of this number may have waited for it; not for one that a person was asked about before:
                // two of those would make each other due for ever.
                if item.action() != Action::RemoveOrLeave {
                    shared.world.state.make_due(Some(&item.number), now).await?;
                }
                removal::taken_back(shared, item, reason).await?;
            }
        }
        None => {}
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::item_for_tests;

    #[test]
    fn of_what_was_claimed_the_others_stay_claimed() {
        let mut claimed = ["a", "b", "c"].map(RecordId::new).to_vec();
        is_done_with(&mut claimed, &RecordId::new("b"));
        assert_eq!(claimed, ["a", "c"].map(RecordId::new));
    }

    #[test]
    fn only_what_is_not_settled_and_whose_time_has_come_is_sent() {
        let now = DateTime::UNIX_EPOCH;
        let due = |state, at| is_due(&Item { next_try: at, ..item_for_tests(state, None) }, now);
        assert!(due(ItemState::Waiting, now));
        assert!(!due(ItemState::Waiting, now + TimeDelta::milliseconds(1)));
        assert!(!due(ItemState::Done, now));
    }
}
