//! One invoice, one transaction: look up, plan, write, commit.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_util::task::AbortOnDropHandle;

use super::awareness::proven_unmarked;
use super::hold::{hold, retry_later};
use super::settle::Sent;
use super::{Shared, trial};
use crate::model::awareness::BillKey;
use crate::model::bill::{Conflict, Desired, Found, FoundBill, Lookup, Marks, Plan};
use crate::model::customer::phone_key;
use crate::model::fault::{Action, Fault, FaultKind, Scope, SendOutcome};
use crate::model::ids::{InvId, RecordId};
use crate::model::invoice::{Invoice, InvoiceRead, NotDue};
use crate::model::money::rupees;
use crate::model::outbox::{Item, ItemState};
use crate::sync::backoff;
use crate::sync::digest::invoice_digest;
use crate::sync::mapping::desired_bill;
use crate::sync::numbering::{counter_of, leave_the_next_number};
use crate::sync::plan::plan;
use crate::sync::posting::as_written;

/// Tries at once after a deadlock or a number taken at that moment, before the item waits its minute.
const TRIES_AT_ONCE: u32 = 5;

/// That the attempts of a group are on the disk.
pub(super) type OnDisk = futures_util::future::Shared<BoxFuture<'static, Result<(), Fault>>>;

/// Begins to bring to the disk what was stored so far. It goes on beside whoever waits for it, and ends with the last of
/// them.
pub(super) fn flush(shared: &Shared) -> OnDisk {
    let state = Arc::clone(&shared.world.state);
    let flushing = AbortOnDropHandle::new(tokio::spawn(async move { state.flush().await }));
    let stopped =
        |error| Fault::transient(Scope::Store, "ShopSync's own store does not answer.").detail(error);
    async move { flushing.await.unwrap_or_else(|error| Err(stopped(error))) }.boxed().shared()
}

/// Back as it was before its attempt was stored; one that may have arrived stays to be looked up.
pub(super) fn unsent(mut item: Item) -> Item {
    item.attempts = item.attempts.saturating_sub(1);
    item.state = ItemState::Waiting;
    item
}

/// An invoice that is to be sent.
pub(super) struct Ready {
    pub(super) item: Item,
    pub(super) invoice: Invoice,
    /// Other invoices that were booked under its number. Asked for before RainTek's locks are held: the store may be
    /// waiting for the disk then. None is added meanwhile, since those of one number go one after the other.
    pub(super) beside: Vec<RecordId>,
}

/// Sends one invoice. `None`: it did not go, and the item says why. Nothing is committed before `on_disk` says that the
/// attempt cannot be forgotten.
///
/// # Errors
/// An outage: the item is back as it was, and the rest of the pass is given up.
pub(super) async fn send(shared: &Shared, ready: Ready, on_disk: &OnDisk) -> Result<Option<Sent>, Fault> {
    let Ready { mut item, invoice, beside } = ready;
    let started = shared.world.clock.elapsed();
    let digest = invoice_digest(&invoice);
    let mut agreed = Agreed::default();
    let mut tries = 0;
    loop {
        match attempt(shared, &mut item, &invoice, &beside, &agreed, on_disk).await {
            Ok(Attempt::Written { desired, inv_id, customer_id, verified }) => {
                let took = shared.world.clock.elapsed().saturating_sub(started);
                let sent = Sent::new(item, &invoice, digest, *desired, inv_id, customer_id, verified, took);
                return Ok(Some(sent));
            }
            Ok(Attempt::Ask(ask)) => match agree(shared, &invoice, &ask).await {
                Ok(None) => agreed.add(ask),
                Ok(Some(fault)) => {
                    wait_for_the_app(shared, item, fault, digest).await?;
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
                    // No lock of ours is held meanwhile; whom it collided with is through by then, and not in step with us.
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
    /// The app is asked, and rows are copied, outside of the transaction: nobody waits for RainTek's locks meanwhile.
    Ask(Ask),
    Unknown(Fault),
}

/// What is to be agreed before an invoice is written.
enum Ask {
    /// A bill of ours stands there: may this invoice take its place?
    Place { before: Box<FoundBill>, changes: bool },
    /// No bill of the number stands there, though these other invoices were booked under it: does the app still mean
    /// one of them? Somebody deleted that one's bill in RainTek, which gives its Inv_ID and its number to the next.
    Number(Vec<RecordId>),
}

/// What was agreed so far.
#[derive(Default)]
struct Agreed {
    place: Option<FoundBill>,
    number: Vec<RecordId>,
}

impl Agreed {
    fn add(&mut self, ask: Ask) {
        match ask {
            Ask::Place { before, .. } => self.place = Some(*before),
            Ask::Number(booked) => self.number = booked,
        }
    }
}

/// What is to be looked up before anything is decided about an invoice.
pub(super) fn lookup_of(shared: &Shared, item: &Item, invoice: &Invoice) -> Lookup {
    let mut codes: Vec<String> = invoice
        .lines
        .iter()
        .map(|line| line.product_code.trim().to_owned())
        .filter(|c| !c.is_empty())
        .collect();
    codes.extend(shared.rules.map.unknown_item.clone());
    codes.sort();
    codes.dedup();
    Lookup {
        number: invoice.number.clone(),
        inv_id: item.inv_id.or(invoice.pos_id),
        tax_type: invoice.tax_type,
        counter: counter_of(&invoice.number),
        product_codes: codes,
        phone: invoice.customer.as_ref().and_then(|customer| phone_key(&customer.phone)),
    }
}

/// One transaction: look up, plan, write, commit.
async fn attempt(
    shared: &Shared,
    item: &mut Item,
    invoice: &Invoice,
    beside: &[RecordId],
    agreed: &Agreed,
    on_disk: &OnDisk,
) -> Result<Attempt, Fault> {
    let lookup = lookup_of(shared, item, invoice);
    let (mut transaction, mut found) = shared.world.pos.open(&lookup).await?;
    // Only now: opening may have found other tables than before.
    let schema = match shared.world.pos.schema().await {
        Ok(schema) => schema,
        Err(fault) => {
            transaction.rollback().await;
            return Err(fault);
        }
    };
    shared.board.highest_bill(found.marks.inv_id, shared.now());
    leave_the_next(shared, &lookup, &mut found.marks);
    // Only the store's own word makes a bill ours; what the app's record says may come from a phone.
    found.known = match item.inv_id {
        Some(inv_id) => Some(inv_id),
        None => proven_unmarked(shared, &found, &invoice.number).await?,
    };
    match another_invoices_bill(shared, item, &found).await {
        Ok(None) => {}
        Ok(Some(inv_id)) => {
            found.known = None;
            found.bills.retain(|bill| bill.inv_id() != inv_id);
        }
        Err(fault) => {
            transaction.rollback().await;
            return Err(fault);
        }
    }
    trial::disown(shared, &mut found);
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
            if matches!(conflict, Conflict::NumberTaken { .. }) {
                shared.board.clash(invoice.tax_type, shared.now());
                shared.signals.numbers.notify_one();
            }
            if item.inv_id.is_none() {
                item.inv_id = ours_beside_another(shared, invoice, &found).await?;
            }
            let fault = conflict_fault(conflict, &invoice.number);
            if item.inv_id.is_none() && revises_one_of_them(shared, invoice, &found).await? {
                return Err(fault.action(Action::CallSupport));
            }
            Err(fault)
        }
        Plan::Nothing { inv_id, customer_id } => {
            let (inv_id, customer_id) = (*inv_id, *customer_id);
            transaction.rollback().await;
            let bill = found.bills.into_iter().find(|bill| bill.inv_id() == inv_id);
            if let Some(before) = bill.filter(|_| agreed.place.is_none() && item.inv_id != Some(inv_id)) {
                return Ok(Attempt::Ask(Ask::Place { before: Box::new(before), changes: false }));
            }
            Ok(Attempt::Written { desired: Box::new(desired), inv_id, customer_id, verified: true })
        }
        // Only rows whose copy is on disk are changed.
        Plan::Replace(replace) if agreed.place.as_ref() != Some(&replace.before) => {
            transaction.rollback().await;
            Ok(Attempt::Ask(Ask::Place { before: Box::new(replace.before.clone()), changes: true }))
        }
        Plan::Remove(_) => {
            transaction.rollback().await;
            Err(Fault::data("An invoice that is to be booked is never removed."))
        }
        Plan::Insert(_) | Plan::Replace(_) => {
            if matches!(plan, Plan::Insert(_)) && beside != agreed.number {
                transaction.rollback().await;
                return Ok(Attempt::Ask(Ask::Number(beside.to_vec())));
            }
            if let Err(fault) = trial::about_to_write(shared, item, &plan, &schema).await {
                transaction.rollback().await;
                return Err(fault);
            }
            let (inv_id, customer_id) = transaction.apply(&plan).await?;
            if let Err(fault) = on_disk.clone().await {
                transaction.rollback().await;
                return Err(fault);
            }
            shared.board.our_bill(inv_id);
            match transaction.commit().await {
                SendOutcome::Confirmed => {
                    let desired = Box::new(as_written(desired, &plan));
                    Ok(Attempt::Written { desired, inv_id, customer_id, verified: false })
                }
                SendOutcome::Rejected(fault) => Err(fault),
                SendOutcome::Unknown(fault) => Ok(Attempt::Unknown(fault)),
            }
        }
    }
}

/// A till took the number while the answer to our COMMIT was lost: the invoice stands there all the same. Kept with the
/// item, its bill is the one that moves when the invoice is given another number, and it is not booked a second time.
async fn ours_beside_another(
    shared: &Shared,
    invoice: &Invoice,
    found: &Found,
) -> Result<Option<InvId>, Fault> {
    let of_number = |bill: &&FoundBill| {
        bill.has_our_mark() && bill.info.text("InvoiceNo").trim().eq_ignore_ascii_case(invoice.number.trim())
    };
    let ours: Vec<&FoundBill> = found.bills.iter().filter(of_number).collect();
    let [bill] = ours.as_slice() else { return Ok(None) };
    let key = BillKey::new(bill.inv_id(), &invoice.number);
    let owner = shared.world.state.proven_as(&key).await?;
    if owner.is_some_and(|owner| owner.record_id != invoice.id) {
        return Ok(None);
    }
    Ok(shared_number(shared, invoice).await?.is_none().then_some(key.inv_id))
}

/// A till took the number of an invoice that is revised now: under another number the revision would be a second bill of
/// the same sale. Somebody has to look at the two in RainTek first.
async fn revises_one_of_them(shared: &Shared, invoice: &Invoice, found: &Found) -> Result<bool, Fault> {
    for bill in found.bills.iter().filter(|bill| bill.has_number(&invoice.number)) {
        let other = others_bill(shared, invoice, bill).await?;
        if matches!(other, Some((_, InvoiceRead::NotDue(NotDue::Revised)))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The other invoice whose bill it is, and what the app says of it.
async fn others_bill(
    shared: &Shared,
    invoice: &Invoice,
    bill: &FoundBill,
) -> Result<Option<(Item, InvoiceRead)>, Fault> {
    let key = BillKey::new(bill.inv_id(), bill.info.text("InvoiceNo"));
    let owner = shared.world.state.proven_as(&key).await?.filter(|owner| owner.record_id != invoice.id);
    let Some(owner) = owner else { return Ok(None) };
    let read = shared.world.billing.invoice(&owner.record_id).await?;
    Ok(Some((owner, read)))
}

/// RainTek gives the Inv_ID of a deleted newest bill out again: under an invoice's own Inv_ID may stand another
/// invoice's bill by now. Returns that Inv_ID.
async fn another_invoices_bill(shared: &Shared, item: &Item, found: &Found) -> Result<Option<InvId>, Fault> {
    let known = found.known.and_then(|id| found.bills.iter().find(|bill| bill.inv_id() == id));
    let Some(bill) = known else { return Ok(None) };
    let key = BillKey::new(bill.inv_id(), bill.info.text("InvoiceNo"));
    if key == BillKey::new(key.inv_id, &item.number) {
        return Ok(None);
    }
    let owner = shared.world.state.proven_as(&key).await?;
    Ok(owner.filter(|owner| owner.record_id != item.record_id).map(|_| key.inv_id))
}

/// A till reads the highest number and takes the next one without a lock: while tills bill, that one is left to them.
fn leave_the_next(shared: &Shared, lookup: &Lookup, marks: &mut Marks) {
    let now = shared.now();
    if !shared.board.till_is_busy(now) {
        return;
    }
    leave_the_next_number(marks, lookup.counter, || shared.board.crowded(lookup.tax_type, now));
}

/// May this invoice take the place of the bill that stands there, or that stood there? Rows are copied where they will
/// change.
async fn agree(shared: &Shared, invoice: &Invoice, ask: &Ask) -> Result<Option<Fault>, Fault> {
    let (before, changes) = match ask {
        Ask::Place { before, changes } => (before, *changes),
        Ask::Number(booked) => return number_shared_with(shared, invoice, |id| booked.contains(id)).await,
    };
    if let Some(fault) = shared_number(shared, invoice).await? {
        return Ok(Some(fault));
    }
    if changes {
        if let Some(fault) = lost_ones_bill(shared, invoice, before).await? {
            return Ok(Some(fault));
        }
        copy_rows(shared, before).await?;
    }
    Ok(None)
}

/// The bill belongs to another invoice, which the app has lost (a power cut, a backup put back): its phones may give the
/// number out again, for another sale. Which of the two it is only a person knows.
async fn lost_ones_bill(
    shared: &Shared,
    invoice: &Invoice,
    before: &FoundBill,
) -> Result<Option<Fault>, Fault> {
    let Some((owner, InvoiceRead::NotDue(NotDue::Deleted))) = others_bill(shared, invoice, before).await?
    else {
        return Ok(None);
    };
    let total = rupees(before.info.decimal("GrandTotal"));
    let sentence = format!(
        "The number {} stands in RainTek for an invoice that the app lost ({total}).",
        invoice.number
    );
    Ok(Some(Fault::data(sentence).action(Action::Renumber).detail(format!("record {}", owner.record_id))))
}

/// Keeps RainTek's rows as they are, before they change.
pub(super) async fn copy_rows(shared: &Shared, before: &FoundBill) -> Result<(), Fault> {
    let day = shared.now().with_timezone(&shared.rules.zone).date_naive();
    let place = shared.world.archive.snapshot(day, before).await?;
    tracing::info!(inv_id = before.inv_id(), place, "rows copied before a change");
    super::backup::made_snapshot(shared, day, std::path::Path::new(&place)).await;
    Ok(())
}

/// The app marks the old invoice revised and makes the new one in either order: what looks like two invoices of one
/// number may be a revision in its first moments.
async fn wait_for_the_app(
    shared: &Shared,
    mut item: Item,
    fault: Fault,
    digest: String,
) -> Result<(), Fault> {
    let now = shared.now();
    let grace = TimeDelta::from_std(backoff::LINES_GRACE).unwrap_or_default();
    if now - item.first_seen >= grace {
        return hold(shared, item, fault, Some(digest)).await;
    }
    let wait = backoff::lines_retry(item.attempts);
    item.state = ItemState::Waiting;
    item.next_try = now + TimeDelta::from_std(wait).unwrap_or_default();
    item.fault = Some(fault);
    shared.world.state.put(&item).await
}

/// Another completed invoice of the app that carries the number: a bill of ours must not be taken from it.
async fn shared_number(shared: &Shared, invoice: &Invoice) -> Result<Option<Fault>, Fault> {
    number_shared_with(shared, invoice, |_| true).await
}

/// The same, of those that are `meant`.
async fn number_shared_with(
    shared: &Shared,
    invoice: &Invoice,
    meant: impl Fn(&RecordId) -> bool,
) -> Result<Option<Fault>, Fault> {
    let others = shared.world.billing.of_number(&invoice.number).await?;
    let other = others.iter().find(|head| head.id != invoice.id && meant(&head.id));
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

pub(super) fn conflict_fault(conflict: &Conflict, number: &str) -> Fault {
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
        Conflict::PostingsTaken { tables } => format!(
            "RainTek has entries of the number {number} already, though no bill of it ({}).",
            tables.join(", ")
        ),
    };
    Fault::new(FaultKind::Data, Scope::Item, sentence).action(Action::Renumber)
}
