//! What must hold after every step. Nothing here uses the engine's own judgement of what is equal.

use std::sync::Arc;

use chrono::TimeDelta;

use shopsync::engine::backup::recorded;
use shopsync::model::alert::Message;
use shopsync::model::awareness::{BillState, BillWrite, KnownBill};
use shopsync::model::backup::Made;
use shopsync::model::bill::{FoundBill, Plan};
use shopsync::model::health::HealthState;
use shopsync::model::ids::RecordId;
use shopsync::model::outbox::{Item, ItemState};
use shopsync::model::status::Snapshot;
use shopsync::ports::State as _;
use shopsync::store::Store;

use crate::cellar::is_daily;
use crate::compare;
use crate::gate::GIVEN_UP;
use crate::planted::Planted;
use crate::sim::{Sim, Truth, ZONE, lock};
use crate::store::at_once;

/// Two messages are no closer than this, but for the last word before a stop.
const BETWEEN_MESSAGES: u64 = 59_900;
/// How long an invoice may be unknown while all is green: a look counts for two minutes, and one of grace; then it is
/// read and sent.
const INVOICE_UNSEEN: u64 = 185_000;
/// The same of products and of RainTek's bills: twice the period of the simulated shop, a minute of grace, and a pass.
const FLOW_UNSEEN: u64 = 2 * crate::run::FLOW_EVERY + 70_000;

/// So long a till works on one bill, statement by statement.
const LONGEST_EDIT: u64 = 5_000;

/// So often may an item be stored as it was within so many milliseconds.
const MOST_CIRCLES: u32 = 40;
const CIRCLES_WITHIN: u64 = 10_000;

impl Truth {
    /// Something that may rightly use up a try of whatever carries this number.
    pub(crate) fn excuse_number(&mut self, sim: &Sim, number: &str) {
        let app = lock(&sim.app);
        for (id, record) in app.records.iter().filter(|(_, record)| record.invoice.number == number) {
            debug_assert!(!record.invoice.number.is_empty());
            *self.excuses.entry(id.clone()).or_default() += 1;
        }
    }
}

/// The rows of a bill, as one text.
pub(crate) fn rows_text(bill: &FoundBill) -> String {
    format!("{:?} {:?} {:?}", bill.info, bill.lines, bill.payments)
}

/// A bill is about to be changed: its rows must have been copied as they are.
pub(crate) fn before_commit(sim: &Sim, plan: &Plan) {
    let inv_id = match plan {
        Plan::Replace(plan) => plan.inv_id,
        Plan::Remove(plan) => plan.inv_id,
        _ => return,
    };
    let (own, number) = {
        let db = lock(&sim.db);
        let number = db.infos.get(&inv_id).map(|row| row.text("InvoiceNo").to_owned()).unwrap_or_default();
        (db.infos.contains_key(&inv_id) && !db.is_ours(inv_id), number)
    };
    // Where the till deleted ours and took its place, nobody can tell that from an edit: a person was asked.
    if own && !lock(&sim.truth).touched.contains_key(&number) {
        sim.fail(format!("RainTek's own bill {number}, Inv_ID {inv_id}, is overwritten"));
    }
    if matches!(plan, Plan::Remove(_)) {
        let truth = lock(&sim.truth);
        let asked = truth.to_remove.contains(&number) || truth.trial.going;
        drop(truth);
        if !asked {
            sim.fail(format!(
                "{number} (Inv_ID {inv_id}) is removed from RainTek, and nobody asked for that"
            ));
        }
    }
    let Some(bill) = lock(&sim.db).bill(inv_id) else { return };
    let text = rows_text(&bill);
    if is_being_touched(sim, &number) {
        return;
    }
    if !lock(&sim.truth).copies.iter().any(|(id, copy)| *id == inv_id && *copy == text) {
        sim.fail(format!("the bill of Inv_ID {inv_id} is changed, and its rows were not copied before"));
    }
}

/// A till takes no lock and saves statement by statement: what it changes between our look and our commit, nobody can
/// copy. What stands there afterwards is read back, as ever.
fn is_being_touched(sim: &Sim, number: &str) -> bool {
    let touched = lock(&sim.truth).touched.get(number).copied();
    touched.is_some_and(|at| sim.ms() - at < LONGEST_EDIT)
}

/// A transaction of ours took effect.
pub(crate) fn committed(sim: &Arc<Sim>, plan: &Plan, number: &str) {
    {
        let truth = &mut *lock(&sim.truth);
        truth.commits += 1;
        let later = std::mem::take(&mut truth.copies_later);
        truth.copies.extend(later);
    }
    let inv_id = match plan {
        Plan::Insert(plan) => plan.inv_id,
        Plan::Replace(plan) => plan.inv_id,
        _ => return,
    };
    let db = lock(&sim.db);
    let ours: Vec<i32> = db.of_number(number).into_iter().filter(|id| db.is_ours(*id)).collect();
    let bill = db.bill(inv_id);
    drop(db);
    if ours.len() > 1 {
        sim.fail(format!("{number} stands in RainTek twice: Inv_ID {ours:?}"));
    }
    if let Some(former) = under_another_number(sim, number) {
        sim.fail(format!("{number} was renumbered, and also stands in RainTek as {former}"));
    }
    let Some(bill) = bill else { return };
    let versions = lock(&sim.app).versions.get(number).cloned().unwrap_or_default();
    let equal = |invoice: &shopsync::model::invoice::Invoice| {
        compare::bill_differs(&lock(&sim.db), invoice, &bill).is_none()
    };
    if !versions.iter().any(equal) && !is_being_touched(sim, number) {
        let why = versions.last().and_then(|one| compare::bill_differs(&lock(&sim.db), one, &bill));
        sim.fail(format!(
            "RainTek holds {number} as the app never had it whole: {}",
            why.unwrap_or_default()
        ));
    }
}

/// An invoice that was given this number stands in RainTek under the one it had before, too.
fn under_another_number(sim: &Sim, number: &str) -> Option<String> {
    let (db, app, truth) = (lock(&sim.db), lock(&sim.app), lock(&sim.truth));
    let renumbered = app.records.values().filter(|record| record.invoice.number == number);
    let mut former = renumbered.flat_map(|record| record.former.iter());
    let stands = |former: &&String| {
        db.of_number(former).into_iter().any(|id| db.is_ours(id))
            && !truth.touched.contains_key(*former)
            && !app.records.values().any(|record| record.invoice.number == **former)
    };
    former.find(stands).cloned()
}

/// What is shown as synced stands in RainTek.
pub(crate) fn stamped(sim: &Sim) {
    let (db, app, truth) = (lock(&sim.db), lock(&sim.app), lock(&sim.truth));
    let wrong = app.records.values().find(|record| {
        let number = &record.invoice.number;
        record.is_due()
            && record.sync_status == "synced"
            && !truth.touched.contains_key(number)
            && !record.invoice.pos_id.is_some_and(|id| db.of_number(number).contains(&id))
    });
    let wrong = wrong.map(|record| record.invoice.number.clone());
    drop((db, app, truth));
    if let Some(number) = wrong {
        sim.fail(format!("the app shows {number} as synced, and RainTek does not have it so"));
    }
}

/// A bill of RainTek's goes into the app.
pub(crate) fn shown(sim: &Sim, write: &BillWrite) {
    let BillWrite::Put { bill, .. } = write else { return };
    let ours = bill.invoice.pos_id.is_some_and(|id| {
        let db = lock(&sim.db);
        db.is_ours(id) && db.of_number(&bill.invoice.number).contains(&id)
    });
    if ours && !lock(&sim.truth).touched.contains_key(&bill.invoice.number) {
        sim.fail(format!("{} is ours and was written into the app as RainTek's", bill.invoice.number));
    }
}

pub(crate) fn put_bills(sim: &Sim, bills: &[KnownBill]) {
    for bill in bills.iter().filter(|bill| matches!(bill.state, BillState::Shown | BillState::Refused)) {
        let db = lock(&sim.db);
        let ours = db.is_ours(bill.inv_id) && db.of_number(&bill.number).contains(&bill.inv_id);
        drop(db);
        // An edit in RainTek takes our mark off: before it was proven nobody can tell it from RainTek's own.
        if ours && !lock(&sim.truth).touched.contains_key(&bill.number) {
            sim.fail(format!("{} is ours and is taken for a bill of RainTek's own", bill.number));
        }
    }
}

/// Nothing that RainTek sells is switched off in the app.
pub(crate) fn products(sim: &Sim) {
    let (db, app) = (lock(&sim.db), lock(&sim.app));
    let wrong = db.products.values().filter(|product| !product.ever_off).find(|product| {
        app.products.values().any(|there| there.fields.code == product.code && !there.fields.active)
    });
    let wrong = wrong.map(|product| product.code.clone());
    drop((db, app));
    if let Some(code) = wrong {
        sim.fail(format!("{code} is switched off in the app, and RainTek sells it"));
    }
}

/// Items are about to be stored.
pub(crate) fn put(sim: &Sim, store: &Store, items: &[Item]) {
    for item in items {
        sim.say("outbox", || {
            let why = item.fault.as_ref().map(|fault| fault.sentence.clone()).unwrap_or_default();
            format!("{} {} {} tries {} {why}", item.number, item.record_id, item.state.name(), item.attempts)
        });
        in_circles(sim, item);
        match item.state {
            ItemState::Waiting | ItemState::Held => attempts(sim, item),
            ItemState::Withdrawn => withdrawn(sim, item),
            ItemState::Sending => order(sim, store, item),
            _ => {}
        }
    }
}

/// What stays as it is is not looked at again and again: that is work for both sides and for the disk.
fn in_circles(sim: &Sim, item: &Item) {
    let now = sim.ms();
    let text = format!("{} {} {:?}", item.state.name(), item.attempts, item.fault);
    let truth = &mut *lock(&sim.truth);
    let (known, since, times) = truth.same.entry(item.record_id.clone()).or_default();
    if *known != text || now - *since > CIRCLES_WITHIN {
        (*known, *since, *times) = (text, now, 0);
    }
    *times += 1;
    if *times > MOST_CIRCLES {
        let text = format!("{} goes round in circles: {text}", item.number, text = known);
        // `truth` is held.
        sim.fail(text);
    }
}

fn attempts(sim: &Sim, item: &Item) {
    let excuses = lock(&sim.truth).excuses.get(&item.record_id).copied().unwrap_or_default();
    if item.attempts > excuses {
        sim.fail(format!(
            "{} has used {} tries, and RainTek answered it only {excuses} times",
            item.number, item.attempts
        ));
    }
}

fn withdrawn(sim: &Sim, item: &Item) {
    let (app, truth, now) = (lock(&sim.app), lock(&sim.truth), sim.ms());
    // Who waits for the lock of one that hangs has read the app before: it looks again once it is through.
    let hung = truth.hung.is_some_and(|at| now < at + GIVEN_UP);
    let seen_within = if hung { GIVEN_UP } else { 60_000 };
    let dropped = app.records.get(&item.record_id).is_some_and(|record| {
        record.is_due()
            && now.saturating_sub(record.changed) > seen_within
            && !truth.left.contains(&item.record_id)
    });
    drop((app, truth));
    if dropped {
        sim.fail(format!("{} is dropped, and the app still means it", item.number));
    }
}

fn order(sim: &Sim, store: &Store, item: &Item) {
    let of_number: Vec<(RecordId, bool)> = {
        let app = lock(&sim.app);
        let all = app.records.iter().filter(|(_, one)| one.invoice.number == item.number);
        all.map(|(id, one)| (id.clone(), one.is_due())).collect()
    };
    if of_number.len() < 2 {
        return;
    }
    // What the app took back from one that is held is being found out: it is not sent, whatever it was held for.
    let is_meant = |id: &RecordId| of_number.iter().any(|(one, due)| one == id && *due);
    let Ok(open) = at_once(store.open_items(u32::MAX)) else { return };
    let of_number = open.iter().filter(|other| other.number == item.number && other.seq < item.seq);
    // One that is held for a person keeps nobody waiting, until it is its turn again.
    let rests = |other: &Item| {
        other.state == ItemState::Held && (other.next_try > sim.wall() || !is_meant(&other.record_id))
    };
    let older = of_number.filter(|other| other.inv_id.is_none()).find(|other| !rests(other));
    if let Some(older) = older {
        sim.fail(format!(
            "{} of record {} goes before record {}",
            item.number, item.record_id, older.record_id
        ));
    }
}

/// The cursor is about to move: whatever lies before it is in the outbox.
pub(crate) fn cursor(sim: &Sim, store: &Store, value: &str) {
    let served = lock(&sim.truth).list_served.unwrap_or_default();
    let due: Vec<(RecordId, String)> = {
        let app = lock(&sim.app);
        let before = app.records.iter().filter(|(_, record)| {
            record.is_due() && record.updated.as_str() <= value && record.changed < served
        });
        before.map(|(id, record)| (id.clone(), record.invoice.number.clone())).collect()
    };
    for (id, number) in due {
        if matches!(at_once(store.item(&id)), Ok(None)) {
            sim.fail(format!("the cursor is beyond {number} ({id}), which nobody has taken up"));
        }
    }
}

/// A planted fault: the cursor is saved when the list is read.
pub(crate) fn cursor_saved(sim: &Sim, value: &str) {
    let store = lock(&sim.truth).store.clone();
    if let Some(store) = store {
        cursor(sim, &store, value);
        let _ = at_once(store.set(crate::store::CURSOR, Some(value)));
    }
}

/// A file was put in its place, or taken away: whatever is recorded as proven still lies there, whole.
pub(crate) fn kept(sim: &Sim, path: &std::path::Path) {
    let store = lock(&sim.truth).store.clone();
    let Some(store) = store else { return };
    let Ok(made) = at_once(recorded(&store)) else { return };
    let files = lock(&sim.files);
    let today = sim.wall().with_timezone(&ZONE).date_naive();
    // What is older than a month, and not the last that is proven, has had its time.
    let has_had_its_time = |one: &Made| {
        today - one.day > TimeDelta::days(30)
            && made.iter().any(|other| other.part == one.part && other.proof.is_some() && other.at > one.at)
    };
    let of_path = made
        .iter()
        .filter(|made| made.file.starts_with(path) && is_daily(made.part) && !has_had_its_time(made));
    let lost = of_path
        .filter(|made| made.proof.is_some())
        .find(|made| !files.get(&made.file).is_some_and(|file| file.whole));
    let lost = lost.map(|made| made.file.display().to_string());
    drop(files);
    if let Some(lost) = lost {
        sim.fail(format!("the proven backup {lost} is lost"));
    }
}

/// A message was decided.
pub(crate) fn message(sim: &Sim, message: &Message) {
    sim.say("message", || message.text.clone());
    let now = sim.ms();
    let truth = &mut *lock(&sim.truth);
    let last = truth.messages.last().copied();
    let jumped = truth.jumped.is_some_and(|at| last.is_some_and(|last| at >= last));
    let stopping = truth.stopping;
    truth.messages.push(now);
    if let Some(last) = last.filter(|last| now - last < BETWEEN_MESSAGES && !jumped && !stopping) {
        let text = format!("a message {} ms after the last one", now - last);
        // `truth` is held.
        sim.fail(text);
    }
}

/// A state was published: green is a promise.
pub(crate) fn published(sim: &Sim, snapshot: &Snapshot) {
    if snapshot.state != HealthState::InStep {
        return;
    }
    let now = sim.ms();
    let since = {
        let truth = &mut *lock(&sim.truth);
        truth.greens += 1;
        if truth.looked.iter().any(Option::is_none) {
            Err("nobody has looked at everything since the start")
        } else {
            Ok(truth.engine_since.unwrap_or_default())
        }
    };
    match since {
        Err(why) => sim.fail(format!("it is green, and {why}")),
        Ok(_) if sim.is(Planted::GreenBeforeLook) => {}
        Ok(_) => {
            if let Some(missing) = compare::missing(sim, now, INVOICE_UNSEEN, FLOW_UNSEEN) {
                sim.fail(format!("it is green, and {missing}"));
            }
        }
    }
}
