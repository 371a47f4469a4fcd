//! Everybody who does something in the shop, each at their own pace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use shopsync::model::bill::Value;
use tokio::task::JoinSet;

use crate::app::phone::Phone;
use crate::goods::paise;
use crate::raintek::cashier::Till;
use crate::sim::{Sim, lock};
use crate::story::Do;

/// Phones, tills, the office.
pub(crate) struct Hands {
    sim: Arc<Sim>,
    busy: JoinSet<()>,
    /// Inv_IDs of RainTek's own bills, by the event that made them.
    tills: Arc<Mutex<HashMap<u32, i32>>>,
}

impl Hands {
    pub(crate) fn new(sim: &Arc<Sim>) -> Self {
        Self { sim: Arc::clone(sim), busy: JoinSet::new(), tills: Arc::default() }
    }

    pub(crate) fn are_done(&mut self) -> bool {
        while self.busy.try_join_next().is_some() {}
        self.busy.is_empty()
    }

    pub(crate) fn stop(&mut self) {
        self.busy.abort_all();
    }

    /// The Inv_ID under which RainTek holds the app's invoice of this event.
    fn ours(&self, of: u32) -> Option<i32> {
        let (db, app) = (lock(&self.sim.db), lock(&self.sim.app));
        let number = app.of_event.get(&of).and_then(|id| app.records.get(id))?.invoice.number.clone();
        db.of_number(&number).into_iter().find(|id| db.is_ours(*id))
    }

    /// Somebody touches a bill of ours in RainTek.
    fn touch(&self, of: u32) -> Option<i32> {
        let inv_id = self.ours(of)?;
        let number = lock(&self.sim.db).infos.get(&inv_id)?.text("InvoiceNo").to_owned();
        lock(&self.sim.truth).touched.insert(number, self.sim.ms());
        Some(inv_id)
    }

    pub(crate) fn does(&mut self, id: u32, what: Do) {
        let sim = &self.sim;
        let phone = Phone(Arc::clone(sim));
        let tills = Arc::clone(&self.tills);
        match what {
            Do::Bill { bill, way } => {
                self.busy.spawn(async move { drop(phone.bill(id, &bill, way, None).await) });
            }
            Do::Revise { of, bill, newest_first, gap, way } => {
                self.busy.spawn(async move { phone.revise(of, &bill, newest_first, gap, way).await });
            }
            Do::Change { of, bill, gap } => {
                self.busy.spawn(async move { phone.change(of, &bill, gap).await });
            }
            Do::DraftAgain { of, bill, gap } => {
                self.busy.spawn(async move { phone.draft_again(of, &bill, gap).await });
            }
            Do::Cancel { of } => phone.cancel(of),
            Do::Reopen { of } => phone.reopen(of),
            Do::CountsAgain { of } => phone.counts_again(of),
            Do::Delete { of } => phone.delete(of),
            Do::AppForgets { ms } => phone.forgets(ms),
            Do::AppFinds(of) => phone.finds(of),
            Do::Meddle { of, inv_id } => phone.meddle(of, inv_id),
            Do::PhoneProduct { n } => phone.product(n),
            Do::TillBill { bill, gap } => {
                let till = Till::new(sim, gap);
                self.busy.spawn(async move {
                    if let Some((inv_id, _)) = till.bill(&bill).await {
                        lock(&tills).insert(id, inv_id);
                    }
                });
            }
            Do::TillEdit { of, bill, gap } => {
                let Some(inv_id) = self.own(of) else { return };
                let till = Till::new(sim, gap);
                self.busy.spawn(async move { till.edit(inv_id, &bill).await });
            }
            Do::TillDelete { of, gap } => {
                let Some(inv_id) = self.own(of) else { return };
                let till = Till::new(sim, gap);
                self.busy.spawn(async move { till.delete(inv_id).await });
            }
            Do::TillEditsOurs { of, bill, gap } => {
                let Some(inv_id) = self.touch(of) else { return };
                let till = Till::new(sim, gap);
                self.busy.spawn(async move { till.edit(inv_id, &bill).await });
            }
            Do::TillDeletesOurs { of, gap } => {
                let Some(inv_id) = self.touch(of) else { return };
                let till = Till::new(sim, gap);
                self.busy.spawn(async move { till.delete(inv_id).await });
            }
            other => self.office(other),
        }
    }

    /// RainTek's own bill of an event, if it still is that.
    fn own(&self, of: u32) -> Option<i32> {
        let inv_id = lock(&self.tills).get(&of).copied()?;
        let db = lock(&self.sim.db);
        (db.infos.contains_key(&inv_id) && !db.is_ours(inv_id)).then_some(inv_id)
    }

    fn office(&self, what: Do) {
        let now = self.sim.ms();
        let pid = |product: u32| 11 + i32::try_from(product).unwrap_or(0);
        let bill = match what {
            Do::Mark { of, .. } | Do::PutBack { of } => self.own(of).or_else(|| self.touch(of)),
            _ => None,
        };
        let mut db = lock(&self.sim.db);
        match what {
            Do::Price { product, paise: price } => {
                if let Some(there) = db.products.get_mut(&pid(product)) {
                    there.price = paise(price);
                }
                db.product_at.insert(pid(product), now);
            }
            Do::Switch { product, on } => {
                if let Some(there) = db.products.get_mut(&pid(product)) {
                    there.active = on;
                    there.ever_off |= !on;
                }
                db.product_at.insert(pid(product), now);
            }
            Do::DropProduct { product } => {
                // What a bill refers to cannot be deleted.
                let needed = db.lines.values().any(|row| row.int("ProductID") == i64::from(pid(product)));
                if !needed && db.under_way == 0 && db.open == 0 && db.products.len() > 2 {
                    db.products.remove(&pid(product));
                }
                db.product_at.insert(pid(product), now);
            }
            Do::ProductBack { product } if !db.products.contains_key(&pid(product)) => {
                db.add_product(product);
                if let Some(there) = db.products.get_mut(&pid(product)) {
                    there.ever_off = true;
                }
                db.product_at.insert(pid(product), now);
            }
            Do::NewProduct { n } => {
                db.add_product(500 + n);
                db.product_at.insert(pid(500 + n), now);
            }
            Do::Mark { on, .. } => {
                if let Some(row) = bill.and_then(|inv_id| db.infos.get_mut(&inv_id)) {
                    let [till, operator] = if on { ["SHOPSYNC", "ShopSync"] } else { ["TILL-1", "admin"] };
                    row.0.insert("TillID".into(), Value::Text(till.into()));
                    row.0.insert("Operator".into(), Value::Text(operator.into()));
                }
            }
            Do::Keep => db.keep(),
            Do::PutBack { .. } => {
                if let Some(inv_id) = bill {
                    db.put_back(inv_id);
                }
            }
            _ => {}
        }
        drop(db);
        self.sim.say("office", || format!("{what:?}"));
    }
}
