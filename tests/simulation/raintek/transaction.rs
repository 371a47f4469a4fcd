//! A transaction of ShopSync on the tables in memory: nothing is seen of it before its commit.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use shopsync::model::bill::{Plan, Row, Value};
use shopsync::model::fault::{Fault, FaultKind, Scope, SendOutcome};
use shopsync::model::ids::{CustomerId, InvId};
use shopsync::model::invoice::TaxType;
use shopsync::model::posting::{Book, PostingChange};
use shopsync::ports::PosTransaction;

use super::Db;
use crate::planted::Planted;
use crate::sim::{Sim, lock};
use crate::story::Call;
use crate::wire::Wire;
use crate::{acts, checks, gate};

/// The ends of the number ranges, held until the transaction ends: RainTek's till waits with a new row meanwhile.
pub(super) struct Held {
    sim: Arc<Sim>,
    dirty: bool,
}

impl Held {
    pub(super) async fn take(sim: &Arc<Sim>) -> Self {
        loop {
            let changed = Arc::clone(&lock(&sim.db).changed);
            let changed = changed.notified();
            if lock(&sim.db).open == 0 {
                break;
            }
            changed.await;
        }
        lock(&sim.db).open += 1;
        Self { sim: Arc::clone(sim), dirty: false }
    }

    fn write(&mut self) {
        if !std::mem::replace(&mut self.dirty, true) {
            lock(&self.sim.db).dirty += 1;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut db = lock(&self.sim.db);
        db.open -= 1;
        db.dirty -= u32::from(self.dirty);
        db.changed.notify_waiters();
    }
}

/// As the server keeps it, whoever is still connected.
struct Open {
    sim: Arc<Sim>,
    _app_lock: Option<OwnedMutexGuard<()>>,
    held: Held,
    plan: Option<(Plan, CustomerId)>,
    number: String,
    /// It was paused when this began.
    paused: bool,
}

pub(super) struct Transaction {
    wire: Wire,
    _connection: OwnedMutexGuard<()>,
    open: Option<Open>,
}

impl Transaction {
    pub(super) fn new(
        wire: Wire,
        connection: OwnedMutexGuard<()>,
        app_lock: Option<OwnedMutexGuard<()>>,
        held: Held,
        number: String,
        paused: bool,
    ) -> Self {
        let sim = Arc::clone(&wire.sim);
        let open = Open { sim, _app_lock: app_lock, held, plan: None, number, paused };
        Self { wire, _connection: connection, open: Some(open) }
    }

    fn refused(&self, number: &str, code: u32, sentence: &str) -> Fault {
        let sim = &self.wire.sim;
        sim.say("raintek", || format!("refuses {number}: {code}"));
        lock(&sim.truth).excuse_number(sim, number);
        let kind = if code == 547 { FaultKind::Data } else { FaultKind::Transient };
        Fault::new(kind, Scope::Item, sentence).code(code)
    }
}

#[async_trait]
impl PosTransaction for Transaction {
    async fn apply(&mut self, plan: &Plan) -> Result<(InvId, CustomerId), Fault> {
        let dead = || Fault::transient(Scope::Item, "The transaction ended before it was used.");
        let mut open = self.open.take().ok_or_else(dead)?;
        gate::pos_write(&open.sim, &open.number, open.paused);
        self.wire.at(Call::Apply, false).await?;
        let (deadlock, taken) = {
            let troubles = &mut *lock(&open.sim.troubles);
            let (deadlock, taken) = (troubles.deadlocks > 0, troubles.taken > 0);
            troubles.deadlocks -= u32::from(deadlock);
            troubles.taken -= u32::from(taken && !deadlock);
            (deadlock, taken)
        };
        if deadlock {
            let sentence = "RainTek's database was busy with the same rows. Trying again.";
            return Err(self.refused(&open.number, 1205, sentence));
        }
        let sentence = "RainTek took the same number at that moment. Trying again.";
        if taken {
            return Err(self.refused(&open.number, 2627, sentence));
        }
        let fits = fits(&lock(&open.sim.db), plan);
        match fits {
            Ok(()) => {}
            Err(547) => {
                let sentence = "RainTek's database does not accept a value of this invoice.";
                return Err(self.refused(&open.number, 547, sentence));
            }
            Err(code) => return Err(self.refused(&open.number, code, sentence)),
        }
        open.held.write();
        if open.sim.is(Planted::StampBeforeCommit) {
            lock(&open.sim.app).stamp_early(&open.number, plan);
            checks::stamped(&open.sim);
        }
        self.wire.at(Call::Apply, true).await?;
        let given = match plan {
            Plan::Insert(plan) => (plan.inv_id, plan.customer_id),
            Plan::Replace(plan) => (plan.inv_id, plan.customer_id),
            Plan::Remove(plan) => (plan.inv_id, 0),
            Plan::Nothing { inv_id, customer_id } => (*inv_id, *customer_id),
            Plan::Conflict(_) => (0, 0),
        };
        open.plan = Some((plan.clone(), given.1));
        self.open = Some(open);
        Ok(given)
    }

    async fn commit(mut self: Box<Self>) -> SendOutcome {
        let dead = Fault::transient(Scope::Item, "The transaction ended before it was used.");
        let Some(open) = self.open.take() else { return SendOutcome::Rejected(dead) };
        // Whatever is said, it is said around a COMMIT.
        if let Err(fault) = self.wire.at(Call::Commit, false).await {
            return SendOutcome::Unknown(fault);
        }
        let lost = lock(&open.sim.troubles).commit_lost.take();
        let broke = Fault::transient(Scope::Pos, "The connection to RainTek's database broke.");
        match lost {
            None => open.take_effect(),
            Some((false, _)) => {
                open.sim.say("fault", || format!("the COMMIT of {} never arrives", open.number));
                return SendOutcome::Unknown(broke);
            }
            Some((true, 0)) => {
                open.sim.say("fault", || format!("the answer to the COMMIT of {} is lost", open.number));
                open.take_effect();
                return SendOutcome::Unknown(broke);
            }
            Some((true, late)) => {
                open.sim.say("fault", || format!("the COMMIT of {} is late by {late} ms", open.number));
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(late)).await;
                    open.take_effect();
                });
                return SendOutcome::Unknown(broke);
            }
        }
        match self.wire.at(Call::Commit, true).await {
            Ok(()) => SendOutcome::Confirmed,
            Err(fault) => SendOutcome::Unknown(fault),
        }
    }

    async fn rollback(mut self: Box<Self>) {
        let _ = self.wire.at(Call::Rollback, false).await;
        self.open = None;
    }
}

impl Open {
    fn take_effect(self) {
        let Some((plan, customer_id)) = &self.plan else { return };
        checks::before_commit(&self.sim, plan);
        let keep_old = self.sim.is(Planted::ReplaceKeepsLines);
        write(&mut lock(&self.sim.db), plan, *customer_id, keep_old);
        self.sim.say("raintek", || format!("commits {}: {}", self.number, name(plan)));
        checks::committed(&self.sim, plan, &self.number);
        acts::committed(&self.sim, &self.number);
    }
}

fn name(plan: &Plan) -> String {
    match plan {
        Plan::Insert(plan) => format!("new, Inv_ID {}", plan.inv_id),
        Plan::Replace(plan) => format!("replaced, Inv_ID {}", plan.inv_id),
        Plan::Remove(plan) => format!("removed, Inv_ID {}", plan.inv_id),
        Plan::Nothing { .. } => "nothing".into(),
        Plan::Conflict(_) => "a conflict".into(),
    }
}

/// What the keys of the tables say: the number of an error, if any.
fn fits(db: &Db, plan: &Plan) -> Result<(), u32> {
    match plan {
        Plan::Insert(plan) => {
            let counters = if plan.tax_type == TaxType::Gst { &db.gst } else { &db.no_tax };
            let counter = plan.counter_row.as_ref().map(|row| i32::try_from(row.int("ID")).unwrap_or(0));
            let customer = plan.new_customer.is_some().then_some(plan.customer_id);
            let taken = db.infos.contains_key(&plan.inv_id)
                || counter.is_some_and(|id| counters.contains_key(&id))
                || customer.is_some_and(|id| db.customers.contains_key(&id));
            if taken { Err(2627) } else { Ok(()) }
        }
        // Lines refer to their bill.
        Plan::Replace(plan) if !db.infos.contains_key(&plan.inv_id) && plan.lines.is_some() => Err(547),
        _ => Ok(()),
    }
}

fn write(db: &mut Db, plan: &Plan, customer_id: CustomerId, keep_old: bool) {
    match plan {
        Plan::Insert(plan) => {
            new_customer(db, plan.new_customer.as_ref());
            db.infos.insert(plan.inv_id, plan.info.clone());
            db.ours.insert(plan.inv_id);
            add_lines(db, &plan.lines);
            add_payments(db, &plan.payments);
            add_counter(db, plan.tax_type, plan.counter_row.as_ref());
            post(db, &plan.postings, customer_id);
        }
        Plan::Replace(plan) => {
            new_customer(db, plan.new_customer.as_ref());
            db.ours.insert(plan.inv_id);
            if let Some(info) = db.infos.get_mut(&plan.inv_id) {
                info.0.extend(plan.info.0.clone());
            }
            let id = i64::from(plan.inv_id);
            if let Some(lines) = &plan.lines {
                if !keep_old {
                    db.lines.retain(|_, row| row.int("InvoiceID") != id);
                }
                add_lines(db, lines);
            }
            if let Some(change) = &plan.payments {
                db.payments.retain(|key, row| {
                    !(row.int("InvoiceID") == id && change.delete.contains(&i64::from(*key)))
                });
                for (key, row) in &change.update {
                    if let Some(there) = i32::try_from(*key).ok().and_then(|key| db.payments.get_mut(&key)) {
                        there.0.extend(row.0.clone());
                    }
                }
                add_payments(db, &change.insert);
            }
            add_counter(db, plan.tax_type, plan.counter_row.as_ref());
            post(db, &plan.postings, customer_id);
        }
        Plan::Remove(plan) => {
            let id = i64::from(plan.inv_id);
            db.lines.retain(|_, row| row.int("InvoiceID") != id);
            db.payments.retain(|_, row| row.int("InvoiceID") != id);
            db.infos.remove(&plan.inv_id);
            db.ours.remove(&plan.inv_id);
            let counters = db.counter(plan.tax_type == TaxType::Gst);
            counters.retain(|key, _| !plan.counter_ids.contains(&i64::from(*key)));
            post(db, &plan.postings, customer_id);
        }
        Plan::Nothing { .. } | Plan::Conflict(_) => {}
    }
}

fn new_customer(db: &mut Db, row: Option<&Row>) {
    if let Some(row) = row {
        db.customers.insert(i32::try_from(row.int("ID")).unwrap_or(0), row.clone());
    }
}

fn add_lines(db: &mut Db, rows: &[Row]) {
    for row in rows {
        let id = db.next_identity();
        db.lines.insert(id, keyed(row, "IPo_ID", id));
    }
}

fn add_payments(db: &mut Db, rows: &[Row]) {
    for row in rows {
        let id = db.next_identity();
        db.payments.insert(id, keyed(row, "IP_ID", id));
    }
}

fn add_counter(db: &mut Db, tax_type: TaxType, row: Option<&Row>) {
    if let Some(row) = row {
        let id = i32::try_from(row.int("ID")).unwrap_or(0);
        db.counter(tax_type == TaxType::Gst).insert(id, row.text("InvNo").to_owned());
    }
}

pub(super) fn keyed(row: &Row, key: &str, id: i32) -> Row {
    let mut row = row.clone();
    row.0.insert(key.to_owned(), Value::Int(id.into()));
    row
}

fn post(db: &mut Db, change: &PostingChange, customer_id: CustomerId) {
    for (book, ids) in &change.delete {
        if let Some(rows) = db.books.get_mut(book) {
            rows.retain(|id, _| !ids.contains(&i64::from(*id)));
        }
    }
    for (book, rows) in &change.insert.0 {
        for row in rows {
            add_posting(db, *book, row);
        }
    }
    for moved in &change.stock {
        if let Some(there) = db.stock.get_mut(&(moved.pid, moved.barcode.clone())) {
            *there += moved.quantity;
        }
    }
    if let (Some(row), Some(customer)) = (&change.customer, db.customers.get_mut(&customer_id)) {
        customer.0.extend(row.0.clone());
    }
}

pub(super) fn add_posting(db: &mut Db, book: Book, row: &Row) {
    let id = db.next_identity();
    db.books.entry(book).or_default().insert(id, keyed(row, "ID", id));
}
