//! The databases in memory keep the same word as the real ones behind their adapters: the suite of `tests/contract`.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use shopsync::model::bill::Value;
use shopsync::model::ids::{InvId, RecordId};
use shopsync::model::invoice::InvoiceStatus;
use shopsync::model::posting::Book;
use shopsync::model::settings::PostingSettings;
use shopsync::ports::trial::{TrialApp, TrialPos};
use shopsync::ports::{Billing, Pos};

use crate::app::AppAdapter;
use crate::app::phone::Phone;
use crate::chance::story;
use crate::raintek::RainTek;
use crate::raintek::cashier::Till;
use crate::sim::{Sim, lock};
use crate::story::{Bill, Numbers, Pay, Take, Way};
use crate::wire::Wire;

#[path = "../contract/billing.rs"]
mod billing;
#[path = "../contract/pos.rs"]
mod pos;
#[path = "../contract/together.rs"]
mod together;
#[path = "../contract/trial.rs"]
mod trial;

/// Both sides in memory; nothing goes wrong.
struct Picture(Arc<Sim>);

const BILL: Bill = Bill {
    lines: [Some(Take { product: 0, milli: 1000 }), None, None, None],
    pay: Pay::Cash,
    customer: None,
    gst: true,
};

#[async_trait]
impl pos::Shop for Picture {
    fn pos(&self) -> Arc<dyn Pos> {
        Arc::new(RainTek::new(&Wire::new(&self.0)))
    }

    async fn till_bills(&self) -> (InvId, String) {
        Till::new(&self.0, 1).bill(&BILL).await.unwrap()
    }

    async fn till_deletes(&self, number: &str) {
        let of_number = lock(&self.0.db).of_number(number);
        Till::new(&self.0, 1).delete(of_number[0]).await;
    }

    async fn edits(&self, table: &str, key: i32, column: &str, value: Value) {
        let db = &mut *lock(&self.0.db);
        let row = match table {
            "InvoiceInfo" => db.infos.get_mut(&key),
            "Customer" => db.customers.get_mut(&key),
            _ => db.books.get_mut(&Book::LedgerBook).unwrap().get_mut(&key),
        };
        row.unwrap().0.insert(column.to_owned(), value);
    }
}

#[async_trait]
impl billing::App for Picture {
    fn billing(&self) -> Arc<dyn Billing> {
        Arc::new(AppAdapter::new(Wire::new(&self.0)))
    }

    async fn bills(&self, number: Option<&str>) -> (RecordId, String) {
        // An event that no other has.
        let event = u32::try_from(lock(&self.0.app).records.len()).unwrap();
        let phone = Phone(Arc::clone(&self.0));
        let id = phone.bill(event, &BILL, Way::Whole, number.map(str::to_owned)).await.unwrap();
        let number = lock(&self.0.app).records[&id].invoice.number.clone();
        (id, number)
    }

    async fn sets_status(&self, id: &RecordId, status: InvoiceStatus) {
        Phone(Arc::clone(&self.0)).set(id, "sets the status of", |record| record.invoice.status = status);
    }

    async fn deletes(&self, id: &RecordId) {
        Phone(Arc::clone(&self.0)).set(id, "deletes", |record| record.deleted = true);
    }
}

impl trial::TrialSide for Picture {
    fn trial(&self) -> Arc<dyn TrialApp> {
        Arc::new(AppAdapter::new(Wire::new(&self.0)))
    }
}

impl trial::TrialShop for Picture {
    fn trial(&self) -> Arc<dyn TrialPos> {
        Arc::new(RainTek::new(&Wire::new(&self.0)))
    }
}

/// With and without row versions, posting or not.
fn on_every_picture<F: Future<Output = ()>>(suite: impl Fn(Picture) -> F) {
    on_every_picture_with(PostingSettings::default(), suite);
}

fn on_every_picture_with<F: Future<Output = ()>>(posting: PostingSettings, suite: impl Fn(Picture) -> F) {
    for snapshots in [false, true] {
        let mut week = story(1);
        week.faults.clear();
        week.setup.snapshots = snapshots;
        week.setup.posting = posting.ledgers;
        week.setup.trial = false;
        week.setup.numbers = Numbers::Ours;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let sim = Arc::new(Sim::new(&week, None, false, Vec::new()));
            suite(Picture(Arc::clone(&sim))).await;
        });
    }
}

#[test]
fn raintek_in_memory_keeps_its_word() {
    on_every_picture(|picture| async move { pos::keeps_its_word(&picture).await });
}

#[test]
fn bills_looked_up_together_in_memory() {
    for posting in [PostingSettings::default(), PostingSettings::ALL] {
        on_every_picture_with(posting, |picture| async move {
            together::are_found_as_each(&picture, posting).await;
        });
    }
}

#[test]
fn the_app_in_memory_keeps_its_word() {
    on_every_picture(|picture| async move { billing::keeps_its_word(&picture).await });
}

#[test]
fn raintek_in_memory_keeps_its_word_when_a_trial_ends() {
    on_every_picture(|picture| async move { trial::pos_keeps_its_word(&picture).await });
}

#[test]
fn the_app_in_memory_keeps_its_word_when_a_trial_ends() {
    on_every_picture(|picture| async move { trial::app_keeps_its_word(&picture).await });
}
