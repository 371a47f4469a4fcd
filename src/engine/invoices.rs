//! Finding completed invoices: events are hints, looking is what finds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use tokio::sync::mpsc;

use super::claim::Claim;
use super::vanished::{self, Compare, ask};
use super::{Shared, removal};
use crate::model::awareness::BillKey;
use crate::model::fault::Fault;
use crate::model::ids::RecordId;
use crate::model::invoice::{Invoice, InvoiceHead, InvoiceRead};
use crate::model::outbox::{Item, ItemState};
use crate::ports::{Billing, BillingEvent, InvoiceScan};
use crate::sync::digest::invoice_digest;

/// Where the next look goes on, in the store.
const CURSOR: &str = "invoices.cursor";
/// `updated` is stamped before a write queues, so its order is not commit order: looks overlap by this much.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// How often every completed invoice is compared with the store, beside at start.
const ALL_EVERY: TimeDelta = TimeDelta::hours(24);
/// Events waiting to be looked at; when they are more, everything is looked at instead.
const EVENTS: usize = 1024;
/// Invoices looked at together: nobody else works on those meanwhile.
const TOGETHER: usize = 16;
/// A stream on which nothing happens is given up after six minutes.
pub(super) const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// PocketBase's time text.
const TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S%.3fZ";

/// Looks every half minute, after each reconnect and on demand.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut all_seen: Option<DateTime<Utc>> = None;
    while !shared.stopping() {
        if shared.board.seen().billing.status.connected
            && let Some(_flow) = shared.trial.flow().await
        {
            let now = shared.now();
            let whole = shared.board.seen().compare_invoices == Compare::All;
            let all = whole || all_seen.is_none_or(|at| (now - at).abs() >= ALL_EVERY);
            if all {
                ask(&shared, Compare::All);
            }
            match look(&shared, all_seen.filter(|_| !all)).await {
                Ok(()) => {
                    if all {
                        all_seen = Some(now);
                    }
                    shared.board.update(|seen| {
                        seen.invoices.last_ok = Some(now);
                        seen.invoices.failing_since = None;
                        seen.invoices.sentence.clear();
                    });
                    // Behind what is new, which does not wait for what is old.
                    if let Err(fault) = vanished::look(&shared).await {
                        shared.log("look for booked invoices", &fault);
                        shared.note_outage(&fault);
                    }
                }
                Err(fault) => {
                    shared.log("look for invoices", &fault);
                    shared.board.update(|seen| {
                        seen.invoices.failing_since.get_or_insert(now);
                        seen.invoices.sentence.clone_from(&fault.sentence);
                    });
                    shared.note_outage(&fault);
                }
            }
            shared.signals.publish.notify_one();
        }
        shared.wait(&shared.signals.invoices, shared.rules.look_every).await;
    }
}

/// Follows the app's events for ever. A stream from before a sleep looks alive and is not: it is opened anew.
pub(super) async fn follow(shared: Arc<Shared>) {
    while !shared.stopping() {
        tokio::select! {
            biased;
            () = follow_once(&shared) => return,
            () = shared.signals.events.notified() => {}
        }
    }
}

async fn follow_once(shared: &Arc<Shared>) {
    let (sender, mut events) = mpsc::channel(EVENTS);
    let billing = Arc::clone(&shared.world.billing);
    let reading = async {
        let mut touched: HashSet<RecordId> = HashSet::new();
        let mut order: Vec<RecordId> = Vec::new();
        while let Some(event) = events.recv().await {
            let mut next = Some(event);
            // A batch writes an invoice and its lines at once: read once what was told many times.
            while let Some(event) = next {
                match event {
                    BillingEvent::Connected => {
                        vanished::app_is_back(shared);
                        shared.board.update(|seen| seen.realtime_down_since = None);
                        shared.signals.invoices.notify_one();
                        shared.signals.publish.notify_one();
                    }
                    BillingEvent::Disconnected => {
                        let now = shared.now();
                        shared.board.update(|seen| {
                            seen.realtime_down_since.get_or_insert(now);
                        });
                    }
                    BillingEvent::Invoice(id) | BillingEvent::Part(id) => {
                        if touched.insert(id.clone()) {
                            order.push(id);
                        }
                    }
                }
                next = events.try_recv().ok();
            }
            // While going live is under way nothing is looked at; the look that follows it finds what came.
            let flow = shared.trial.flow().await;
            for some in order.chunks(TOGETHER).filter(|_| flow.is_some()) {
                if let Err(fault) = touch(shared, some).await {
                    shared.log("event", &fault);
                    shared.note_outage(&fault);
                    // The look that follows an outage finds them.
                    shared.signals.invoices.notify_one();
                }
            }
            order.clear();
            touched.clear();
        }
    };
    tokio::select! {
        biased;
        () = billing.follow(sender) => {}
        () = reading => {}
        () = shared.stop.cancelled() => {}
    }
}

/// One look; the cursor moves only after what was found is stored.
/// `all_seen` is when everything was last looked at; without it everything is.
async fn look(shared: &Shared, all_seen: Option<DateTime<Utc>>) -> Result<(), Fault> {
    let cursor = shared.world.state.get(CURSOR).await?;
    // Before anything was listed there is no cursor, and a phone may have written our own fields by then.
    let since = all_seen.and_then(|at| {
        let seen = at.format(TIME_FORMAT).to_string();
        overlapped(cursor.as_deref().unwrap_or(&seen))
    });
    let scan = match all_seen {
        None => InvoiceScan::All,
        Some(_) => InvoiceScan::Unproven { since: since.clone() },
    };
    let mut heads = shared.world.billing.list(&scan).await?;
    if let Some(from) = shared.rules.from_date {
        heads.retain(|head| head.date.is_none_or(|date| date >= from));
    }
    // Invoices of one number go in the order in which they were made.
    heads.sort_by(|left, right| (&left.created, &left.id).cmp(&(&right.created, &right.id)));
    let now = shared.now();
    let taken = shared.world.state.take_up(&heads, now).await?;
    for some in taken.recheck.chunks(TOGETHER) {
        touch(shared, some).await?;
    }
    let newest = heads.iter().map(|head| head.updated.as_str()).chain(cursor.as_deref()).max();
    if let Some(newest) = newest.filter(|newest| Some(*newest) != cursor.as_deref() && !newest.is_empty()) {
        shared.world.state.set(CURSOR, Some(newest)).await?;
    }
    if taken.new > 0 {
        shared.signals.push.notify_one();
    }
    look_for_taken_back(shared, since.as_deref()).await
}

/// Invoices that are known and no longer completed: the event that told of it may be lost. One that was cancelled before
/// it was ever seen completed concerns RainTek, too, where a bill of its number stands: it was to take that one's place.
async fn look_for_taken_back(shared: &Shared, since: Option<&str>) -> Result<(), Fault> {
    let heads = shared.world.billing.taken_back(since).await?;
    for head in &heads {
        let Some(item) = shared.world.state.item(&head.id).await? else {
            if shared.world.state.booked_under(&head.number).await?.is_some() {
                shared.world.state.take_up(std::slice::from_ref(head), shared.now()).await?;
                recheck_as(shared, &head.id, Some(&head.updated)).await?;
            }
            continue;
        };
        if item.updated != head.updated || head.updated.is_empty() {
            recheck_as(shared, &head.id, Some(&head.updated)).await?;
        }
    }
    Ok(())
}

/// The cursor less the overlap, in PocketBase's form.
fn overlapped(cursor: &str) -> Option<String> {
    let at = NaiveDateTime::parse_from_str(cursor, TIME_FORMAT).ok()?;
    Some((at - OVERLAP).format(TIME_FORMAT).to_string())
}

/// Looks at a few invoices that an event or a list told of, read together. Those that somebody works on are looked at
/// again when that is done.
async fn touch(shared: &Shared, ids: &[RecordId]) -> Result<(), Fault> {
    let mut claims = HashMap::new();
    let mut wanted = Vec::new();
    for id in ids {
        if let Some(claim) = shared.claims.claim_or_mark(id) {
            claims.insert(id, claim);
            wanted.push(id.clone());
        }
    }
    if wanted.is_empty() {
        return Ok(());
    }
    // A known invoice stays known, so that needs not be asked behind the app's answer.
    let (reads, known) =
        tokio::join!(read_all(&*shared.world.billing, &wanted), shared.world.state.items(&wanted));
    let is_known = |id: &RecordId| -> Result<bool, Fault> {
        let known = known.as_ref().map_err(Fault::clone)?;
        Ok(known.iter().any(|item| item.record_id == *id))
    };
    let mut outcome = Ok(());
    for (id, read) in wanted.iter().zip(reads) {
        let done = match (read, is_known(id)) {
            (Ok(read), Ok(true)) => compare(shared, id, read, None).await,
            (Ok(read), Ok(false)) => take_up_read(shared, read).await,
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
        };
        let again = claims.remove(id).is_some_and(Claim::end);
        // Whoever was to send it found it claimed.
        shared.signals.push.notify_one();
        let done = if again && done.is_ok() { recheck(shared, id).await } else { done };
        // What fails here is found by the look that follows; the others go on.
        outcome = outcome.and(done);
    }
    outcome
}

/// Reads all together; where the app refuses that, one by one, so that each has its own answer.
pub(super) async fn read_all(billing: &dyn Billing, ids: &[RecordId]) -> Vec<Result<InvoiceRead, Fault>> {
    match billing.invoices(ids).await {
        Ok(reads) => reads.into_iter().map(Ok).collect(),
        Err(fault) if fault.is_outage() || ids.len() == 1 => ids.iter().map(|_| Err(fault.clone())).collect(),
        Err(_) => {
            let mut reads = Vec::with_capacity(ids.len());
            for id in ids {
                reads.push(billing.invoice(id).await);
            }
            reads
        }
    }
}

/// Takes up an invoice that was never seen before.
async fn take_up_read(shared: &Shared, read: InvoiceRead) -> Result<(), Fault> {
    match read {
        InvoiceRead::Found(invoice) => {
            if shared.rules.from_date.is_some_and(|from| invoice.date < from) {
                return Ok(());
            }
            let head = head_of(&invoice);
            shared.world.state.take_up(&[head], shared.now()).await?;
            shared.keep_fresh(*invoice);
        }
        // The list knows number and customer of a broken one.
        InvoiceRead::Broken(_) => shared.signals.invoices.notify_one(),
        InvoiceRead::NotDue(_) => {}
    }
    Ok(())
}

fn head_of(invoice: &Invoice) -> InvoiceHead {
    InvoiceHead {
        id: invoice.id.clone(),
        number: invoice.number.clone(),
        grand_total: Some(invoice.grand_total),
        customer: invoice.customer.as_ref().map(|customer| customer.name.clone()).unwrap_or_default(),
        created: String::new(),
        updated: invoice.updated.clone(),
        date: Some(invoice.date),
        stamped: invoice.pos_id.filter(|_| invoice.stamped),
    }
}

/// Reads a known invoice again and decides whether anything is to be done about it. Our own stamp changes nothing.
pub(super) async fn recheck(shared: &Shared, id: &RecordId) -> Result<(), Fault> {
    recheck_as(shared, id, None).await
}

/// The same; `updated` is what a list said of the record.
async fn recheck_as(shared: &Shared, id: &RecordId, updated: Option<&str>) -> Result<(), Fault> {
    loop {
        // Whoever works on it looks again when done.
        let Some(claim) = shared.claims.claim_or_mark(id) else { return Ok(()) };
        if shared.world.state.item(id).await?.is_some() {
            let read = shared.world.billing.invoice(id).await?;
            compare(shared, id, read, updated).await?;
        }
        if !claim.end() {
            return Ok(());
        }
    }
}

/// Compares what was just read of a claimed invoice with what is known of it.
async fn compare(
    shared: &Shared,
    id: &RecordId,
    read: InvoiceRead,
    updated: Option<&str>,
) -> Result<(), Fault> {
    // Only now: a try that somebody asked for meanwhile must not be overwritten by what stood there before.
    let Some(mut item) = shared.world.state.item(id).await? else { return Ok(()) };
    // What was read before is out of date.
    shared.take_fresh(id);
    let now = shared.now();
    match read {
        InvoiceRead::Found(invoice) => {
            let digest = invoice_digest(&invoice);
            item.updated.clone_from(&invoice.updated);
            if is_proven(&item) && !owns_its_bill(shared, &item).await? {
                // What was proven of it stands in RainTek no more: it is sent anew, and the plan says what is there.
                item.inv_id = None;
                item.digest = None;
            }
            if !proven(&mut item, &invoice, &digest) && item.failed_digest.as_deref() != Some(&digest) {
                if item.state == ItemState::Done || item.state == ItemState::Withdrawn {
                    item.first_seen = now;
                    item.state = ItemState::Waiting;
                    item.attempts = 0;
                }
                item.next_try = now;
                item.number.clone_from(&invoice.number);
                item.amount = Some(invoice.grand_total);
            }
            if item.state == ItemState::Applied {
                item.next_try = now;
            }
            // Taken by a power cut, it is seen again by its `updated`.
            shared.world.state.put_in_order(std::slice::from_ref(&item), &[]).await?;
            if !item.state.is_settled() {
                shared.keep_fresh(*invoice);
            }
        }
        InvoiceRead::Broken(_) => {
            item.next_try = now;
            if item.state == ItemState::Done {
                item.state = ItemState::Waiting;
            }
            shared.world.state.put(&item).await?;
        }
        InvoiceRead::NotDue(reason) => {
            // A later invoice of this number may have waited for it.
            shared.world.state.make_due(Some(&item.number), now).await?;
            if let Some(updated) = updated {
                updated.clone_into(&mut item.updated);
            }
            removal::taken_back(shared, item, reason).await?;
        }
    }
    shared.signals.push.notify_one();
    shared.signals.publish.notify_one();
    Ok(())
}

fn is_proven(item: &Item) -> bool {
    matches!(item.state, ItemState::Done | ItemState::Applied)
}

/// Whether the bill under its Inv_ID and number is still its own, and was not proven as another invoice's since.
pub(super) async fn owns_its_bill(shared: &Shared, item: &Item) -> Result<bool, Fault> {
    let Some(inv_id) = item.inv_id else { return Ok(true) };
    let owner = shared.world.state.proven_as(&BillKey::new(inv_id, &item.number)).await?;
    Ok(owner.is_none_or(|owner| owner.record_id == item.record_id))
}

/// Whether this very content is proven in RainTek; then only the app's stamp may be missing.
fn proven(item: &mut Item, invoice: &Invoice, digest: &str) -> bool {
    if item.digest.as_deref() != Some(digest) || !is_proven(item) {
        return false;
    }
    let shown = invoice.stamped && invoice.pos_id == item.inv_id;
    item.state = if shown { ItemState::Done } else { ItemState::Applied };
    true
}

/// The longest the push sleeps without being told: a safety net under every signal.
pub(super) const NET: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_overlap_by_ten_minutes() {
        assert_eq!(overlapped("2026-03-31 18:40:00.123Z").as_deref(), Some("2026-03-31 18:30:00.123Z"));
        assert_eq!(overlapped("yesterday"), None);
    }
}
