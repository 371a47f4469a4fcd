//! A trial and its end: what it keeps, and that it takes out what it wrote, all of that, and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use shopsync::engine::trial::Sources;
use shopsync::model::awareness::BillKey;
use shopsync::model::fault::Fault;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::InvoiceStatus;
use shopsync::model::trial::{AppHolds, AppKind, TrialBegin, TrialBill, TrialCustomer, TrialRecord};
use shopsync::ports::trial::{TrialSettings, TrialStore};

use crate::app::AppAdapter;
use crate::raintek::RainTek;
use crate::sim::{Sim, lock};
use crate::store::Inline;
use crate::story::{Call, Numbers};
use crate::wire::Wire;

/// What really is of the trial.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// The settings ask for one.
    pub(crate) is_set: bool,
    /// The app's records from before it.
    before: BTreeSet<RecordId>,
    /// The app's records at the last look at all of them.
    seen: BTreeSet<RecordId>,
    /// The app's records at the moment from which on everything is real.
    test: BTreeSet<RecordId>,
    /// Of them, what the app did not let go of: it stays, cancelled.
    pub(crate) kept: BTreeSet<RecordId>,
    /// Bills of ours in RainTek at that moment, by Inv_ID.
    bills: BTreeSet<i32>,
    /// A person said yes, and it did not end yet.
    pub(crate) going: bool,
    /// It ended.
    pub(crate) over: bool,
}

impl Trial {
    pub(crate) fn new(is_set: bool) -> Self {
        Self { is_set, ..Self::default() }
    }
}

/// What the engine tries out with.
pub(crate) fn sources(wire: &Wire, pos: Arc<RainTek>, state: Arc<Inline>) -> Sources {
    let (trial, watch_only) = {
        let truth = lock(&wire.sim.truth);
        (truth.trial.is_set, truth.watch_only)
    };
    Sources {
        pos,
        app: Arc::new(AppAdapter::new(wire.clone())),
        store: state,
        settings: Arc::new(Settings(wire.clone())),
        trial,
        watch_only,
    }
}

struct Settings(Wire);

#[async_trait]
impl TrialSettings for Settings {
    async fn leave_trial(&self) -> Result<(), Fault> {
        self.0.at(Call::Settings, false).await?;
        lock(&self.0.sim.truth).trial.is_set = false;
        self.0.at(Call::Settings, true).await
    }
}

/// All of the app was looked at.
pub(crate) fn seen_in_app(sim: &Sim, holds: &AppHolds) {
    lock(&sim.truth).trial.seen = holds.invoices.iter().map(|invoice| invoice.id.clone()).collect();
}

/// A planted fault: what was made since goes, too.
pub(crate) fn takes_too_much(sim: &Sim) {
    let real = {
        let (app, truth) = (lock(&sim.app), lock(&sim.truth));
        let is_real = |id: &&RecordId| !truth.trial.test.contains(*id);
        let of_phones = app.records.iter().filter(|(_, record)| !record.from_pos && !record.deleted);
        of_phones.map(|(id, _)| id).find(is_real).cloned()
    };
    if let Some(id) = real {
        removed_from_app(sim, &id);
    }
}

/// An invoice is taken out of the app.
pub(crate) fn removed_from_app(sim: &Sim, id: &RecordId) {
    if !sim.setup.trial {
        return;
    }
    let trial = &lock(&sim.truth).trial;
    let wrong = if !trial.going {
        "and nobody said that the trial is over"
    } else if trial.before.contains(id) {
        "and was there before the trial"
    } else if !trial.test.contains(id) {
        "and was made after the trial"
    } else {
        return;
    };
    let text = format!("{id} was taken out of the app, {wrong}");
    sim.fail(text);
}

/// The trial is over: nothing of it is left, but for what somebody has to look at.
fn over(sim: &Sim, left: &[BillKey]) {
    let mut wrong = Vec::new();
    {
        let (db, app, truth) = (&mut *lock(&sim.db), &mut *lock(&sim.app), &mut *lock(&sim.truth));
        let trial = &mut truth.trial;
        // Of an app that is a shop's own, what nobody had sent is nobody's to remove.
        let is_known = |number: &str, status: &str| {
            app.numbers == Numbers::Ours
                || status != "pending"
                || trial
                    .bills
                    .iter()
                    .any(|id| db.infos.get(id).is_some_and(|row| row.text("InvoiceNo") == number))
        };
        for (id, record) in app.records.iter().filter(|(id, _)| trial.test.contains(id)) {
            let known = is_known(&record.invoice.number, &record.sync_status);
            let cancelled = record.invoice.status == InvoiceStatus::Cancelled;
            let is_gone = record.deleted || trial.kept.contains(id) && cancelled;
            if known && !is_gone && !trial.before.contains(id) && !record.from_pos {
                wrong.push(format!("{id} of the trial is still in the app"));
            }
        }
        for inv_id in trial.bills.iter().filter(|id| db.infos.contains_key(id) && db.is_ours(**id)) {
            let number = db.infos[inv_id].text("InvoiceNo").to_owned();
            let is_left = left.contains(&BillKey::new(*inv_id, &number));
            let known = app
                .records
                .values()
                .any(|record| record.invoice.number == number && trial.before.contains(&record.invoice.id));
            // Who touched it in RainTek made it RainTek's.
            if !truth.touched.contains_key(&number) && !truth.clashed && !known {
                wrong.push(format!("{number} (Inv_ID {inv_id}) of the trial is still in RainTek"));
            }
            if !is_left && !known {
                wrong.push(format!("{number} (Inv_ID {inv_id}) stays, and nobody is told"));
            }
        }
        for key in left {
            db.ours.remove(&key.inv_id);
            db.till_at.insert(key.inv_id, sim.ms());
        }
        trial.going = false;
        trial.over = true;
    }
    sim.say("trial", || format!("is over; {left:?} left"));
    if let Some(wrong) = wrong.first() {
        sim.fail(format!("the trial is over, and {wrong}"));
    }
}

#[async_trait]
impl TrialStore for Inline {
    async fn begun(&self) -> Result<Option<TrialBegin>, Fault> {
        self.read(self.store.begun()).await
    }

    async fn begin(&self, begin: &TrialBegin, before: &[(AppKind, RecordId)]) -> Result<(), Fault> {
        let invoices = before.iter().filter(|(kind, _)| *kind == AppKind::Invoice);
        let ids = invoices.map(|(_, id)| id.clone()).collect();
        self.write(self.store.begin(begin, before)).await?;
        lock(&self.wire.sim.truth).trial.before = ids;
        Ok(())
    }

    async fn before(&self) -> Result<Vec<(AppKind, RecordId)>, Fault> {
        self.read(self.store.before()).await
    }

    async fn bill(&self, number: &str) -> Result<Option<TrialBill>, Fault> {
        self.read(self.store.bill(number)).await
    }

    async fn bills(&self) -> Result<Vec<TrialBill>, Fault> {
        self.read(self.store.bills()).await
    }

    async fn put_bill(&self, bill: &TrialBill, customer: Option<&TrialCustomer>) -> Result<(), Fault> {
        self.write(self.store.put_bill(bill, customer)).await
    }

    async fn drop_bill(&self, number: &str) -> Result<(), Fault> {
        self.write(self.store.drop_bill(number)).await
    }

    async fn customers(&self) -> Result<Vec<TrialCustomer>, Fault> {
        self.read(self.store.customers()).await
    }

    async fn put_customer(&self, customer: &TrialCustomer) -> Result<(), Fault> {
        self.write(self.store.put_customer(customer)).await
    }

    async fn records(&self) -> Result<Vec<TrialRecord>, Fault> {
        self.read(self.store.records()).await
    }

    async fn put_records(&self, records: &[TrialRecord]) -> Result<(), Fault> {
        {
            let (db, truth) = (lock(&self.wire.sim.db), &mut *lock(&self.wire.sim.truth));
            truth.trial.test = truth.trial.seen.clone();
            truth.trial.bills = db.ours.clone();
        }
        self.write(self.store.put_records(records)).await
    }

    async fn known_invoices(&self) -> Result<Vec<(RecordId, String)>, Fault> {
        self.read(self.store.known_invoices()).await
    }

    async fn forget(&self, invoices: &[RecordId], bills: &[BillKey]) -> Result<(), Fault> {
        self.write(self.store.forget(invoices, bills)).await
    }

    async fn disown(&self, left: &[BillKey]) -> Result<(), Fault> {
        self.write(self.store.disown(left)).await
    }

    async fn end(&self) -> Result<(), Fault> {
        self.write(async {
            self.store.end().await?;
            over(&self.wire.sim, &self.store.disowned().await?);
            Ok(())
        })
        .await
    }

    async fn disowned(&self) -> Result<Vec<BillKey>, Fault> {
        self.read(self.store.disowned()).await
    }

    async fn own(&self, key: &BillKey) -> Result<(), Fault> {
        self.write(self.store.own(key)).await
    }
}
