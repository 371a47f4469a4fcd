//! More of what happens in scripted days only: what somebody does in the very moment of a COMMIT, an app that does not take
//! everything, and settings that are taken over.

use rust_decimal::Decimal;

use shopsync::model::alert::Event;
use shopsync::model::bill::{Row, Value};
use shopsync::model::fault::{Fault, Scope};

use crate::app::phone::Phone;
use crate::goods::code;
use crate::run::Week;
use crate::sim::{Sim, lock};

/// One of them. `of` is the id of the event that made the bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// The settings were changed: another engine takes over, at once.
    TakeOver,
    /// Whoever looks for new versions raises that it found a disk nearly full.
    Raise,
    /// The app does not take a product any more, or does again.
    Shun { product: u32, on: bool },
    /// The app's record is one of which nobody can make an invoice, or is whole again.
    Unreadable { of: u32, on: bool },
    /// What happens in RainTek when the next bill of ours is committed.
    Then(AtCommit),
    /// A till has a bill of the same number.
    Twin { of: u32 },
    /// The app has no time to remove a customer, then it does not let go of it.
    CustomerStays,
    /// The app's counter of GST bills is this one.
    Counter(i32),
}

/// In the moment of a COMMIT of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtCommit {
    /// Somebody writes a rupee more into it.
    Dearer,
    /// A till writes a bill of the same number.
    Twin,
}

impl Week {
    pub(crate) async fn act(&mut self, act: Act) {
        match act {
            Act::TakeOver => {
                let Some(running) = &self.running else { return };
                self.goes_on_from = Some(running.handle.hand_over());
                self.stop_engine().await;
                self.start_at = Some(self.sim.ms() + 10);
            }
            Act::Raise => {
                if let Some(running) = &self.running {
                    let event = Event::DiskNearlyFull { place: "E:".into(), free_bytes: 1 << 29 };
                    running.handle.raise(event).await;
                }
            }
            Act::Shun { product, on } => {
                let shunned = &mut lock(&self.sim.app).shunned;
                shunned.retain(|one| *one != code(product));
                shunned.extend(on.then(|| code(product)));
            }
            Act::Unreadable { of, on } => {
                let Some(id) = lock(&self.sim.app).of_event.get(&of).cloned() else { return };
                lock(&self.sim.app).unreadable.retain(|one| *one != id);
                lock(&self.sim.app).unreadable.extend(on.then(|| id.clone()));
                // To read it is a try, though RainTek is not asked.
                *lock(&self.sim.truth).excuses.entry(id.clone()).or_default() += 2;
                Phone(std::sync::Arc::clone(&self.sim)).set(&id, "looks at", |_| {});
            }
            Act::CustomerStays => {
                let refused = Fault::data("The app still needs it.");
                let busy = Fault::transient(Scope::Item, "The app is busy.");
                lock(&self.sim.app).customers_stay = vec![refused, busy];
            }
            Act::Counter(n) => {
                let app = &mut *lock(&self.sim.app);
                (app.counters[0], app.own[0]) = (n, n);
            }
            Act::Then(what) => lock(&self.sim.truth).at_commit = Some(what),
            Act::Twin { of } => {
                let number = {
                    let app = lock(&self.sim.app);
                    let record = app.of_event.get(&of).and_then(|id| app.records.get(id));
                    record.map(|record| record.invoice.number.clone())
                };
                number.into_iter().for_each(|number| twin(&self.sim, &number));
            }
        }
    }
}

/// A bill of ours stands in RainTek.
pub(crate) fn committed(sim: &Sim, number: &str) {
    let what = lock(&sim.truth).at_commit.take();
    match what {
        None => return,
        Some(AtCommit::Twin) => {}
        Some(AtCommit::Dearer) => return dearer(sim, number),
    }
    twin(sim, number);
}

fn dearer(sim: &Sim, number: &str) {
    {
        let mut db = lock(&sim.db);
        let Some(inv_id) = db.of_number(number).pop() else { return };
        let Some(info) = db.infos.get_mut(&inv_id) else { return };
        let more = info.decimal("GrandTotal") + Decimal::ONE;
        info.0.insert("GrandTotal".into(), Value::Dec(more));
    }
    lock(&sim.truth).touched.insert(number.to_owned(), sim.ms());
    sim.say("till", || format!("{number} is dearer by a rupee"));
}

fn twin(sim: &Sim, number: &str) {
    let inv_id = {
        let db = &mut *lock(&sim.db);
        let of = db.of_number(number).pop().or(db.infos.keys().last().copied());
        let Some(of) = of else { return };
        let Some(mut info) = db.infos.get(&of).cloned() else { return };
        let inv_id = db.max_inv() + 1;
        let text = |text: &str| Value::Text(text.into());
        info.0.insert("InvoiceNo".into(), text(number));
        for (name, value) in
            [("Inv_ID", Value::Int(inv_id.into())), ("TillID", text("TILL-1")), ("Operator", text("admin"))]
        {
            info.0.insert(name.into(), value);
        }
        db.infos.insert(inv_id, info);
        for rows in [&mut db.lines, &mut db.payments] {
            let of_bill = |row: &&Row| row.int("InvoiceID") == i64::from(of);
            let copies: Vec<Row> = rows.values().filter(of_bill).cloned().collect();
            for mut row in copies {
                row.0.insert("InvoiceID".into(), Value::Int(inv_id.into()));
                let next = rows.last_key_value().map_or(1, |(id, _)| id + 1);
                rows.insert(next, row);
            }
        }
        inv_id
    };
    let truth = &mut *lock(&sim.truth);
    truth.clashed = true;
    truth.touched.insert(number.to_owned(), sim.ms());
    sim.say("till", || format!("has the number {number} too, Inv_ID {inv_id}"));
}
