//! The real store, answered within the poll that asks: its thread works while the simulated time stands still.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};

use shopsync::model::alert::{CatchUp, Event, Message, Queued, Raised};
use shopsync::model::awareness::{BillKey, KnownBill};
use shopsync::model::fault::Fault;
use shopsync::model::ids::{InvId, RecordId};
use shopsync::model::invoice::InvoiceHead;
use shopsync::model::outbox::{Item, ItemState};
use shopsync::model::status::{Activity, Counts, Entry};
use shopsync::ports::alerts::AlertStore;
use shopsync::ports::{Overview, State, TakenUp};
use shopsync::store::Store;

use crate::checks;
use crate::planted::Planted;
use crate::sim::lock;
use crate::story::Call;
use crate::wire::Wire;

/// Where the look for invoices goes on, as the engine calls it.
pub(crate) const CURSOR: &str = "invoices.cursor";

/// How going live stands, as the engine calls it.
const GO_LIVE: &str = "trial.go_live";
/// Until when it is paused, as the engine calls it.
const PAUSED: &str = "paused_until";

/// The store as one run of the engine sees it.
pub(crate) struct Inline {
    pub(crate) wire: Wire,
    pub(crate) store: Store,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for the store's thread without leaving the poll, so that no timer can fire meanwhile.
pub(crate) fn at_once<T>(work: impl Future<Output = T>) -> T {
    // Tokio's budget would have an answer that is there wait for a later poll.
    let mut work = pin!(tokio::task::unconstrained(work));
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match work.as_mut().poll(&mut context) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

impl Inline {
    /// Items on their way into the store, as a planted fault would have them.
    fn checked(&self, items: &[Item]) -> Vec<Item> {
        let mut items = items.to_vec();
        if self.wire.sim.is(Planted::HoldDropped) {
            for item in items.iter_mut().filter(|item| item.state == ItemState::Held && item.attempts >= 2) {
                item.state = ItemState::Withdrawn;
            }
        }
        checks::put(&self.wire.sim, &self.store, &items);
        items
    }

    pub(crate) async fn read<T: Send>(
        &self,
        work: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        self.wire.at(Call::StoreRead, false).await?;
        at_once(work)
    }

    pub(crate) async fn write<T: Send>(
        &self,
        work: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        self.wire.at(Call::StoreWrite, false).await?;
        let done = at_once(work)?;
        self.wire.at(Call::StoreWrite, true).await?;
        Ok(done)
    }
}

#[async_trait]
impl State for Inline {
    async fn take_up(&self, heads: &[InvoiceHead], now: DateTime<Utc>) -> Result<TakenUp, Fault> {
        self.write(self.store.take_up(heads, now)).await
    }

    async fn item(&self, id: &RecordId) -> Result<Option<Item>, Fault> {
        self.read(self.store.item(id)).await
    }

    async fn items(&self, ids: &[RecordId]) -> Result<Vec<Item>, Fault> {
        self.read(self.store.items(ids)).await
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Item>, Fault> {
        if self.wire.sim.is(Planted::RevisedFirst) {
            let mut open = self.read(self.store.open_items(limit)).await?;
            open.retain(|item| item.next_try <= now);
            open.sort_by_key(|item| std::cmp::Reverse(item.seq));
            return Ok(open);
        }
        self.read(self.store.due(now, limit)).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Fault> {
        self.read(self.store.next_due()).await
    }

    async fn put(&self, item: &Item) -> Result<(), Fault> {
        self.put_all(std::slice::from_ref(item), &[]).await
    }

    async fn put_all(&self, items: &[Item], journal: &[Entry]) -> Result<(), Fault> {
        let items = self.checked(items);
        self.write(self.store.put_all(&items, journal)).await
    }

    async fn put_in_order(&self, items: &[Item], journal: &[Entry]) -> Result<(), Fault> {
        let items = self.checked(items);
        self.write(self.store.put_in_order(&items, journal)).await
    }

    async fn flush(&self) -> Result<(), Fault> {
        self.write(self.store.flush()).await
    }

    async fn open_items(&self, limit: u32) -> Result<Vec<Item>, Fault> {
        self.read(self.store.open_items(limit)).await
    }

    async fn owner_of(&self, inv_id: InvId) -> Result<Option<Item>, Fault> {
        if self.wire.sim.is(Planted::OwnBillImported) {
            return Ok(None);
        }
        self.read(self.store.owner_of(inv_id)).await
    }

    async fn proven_as(&self, key: &BillKey) -> Result<Option<Item>, Fault> {
        if self.wire.sim.is(Planted::OwnBillImported) {
            return Ok(None);
        }
        self.read(self.store.proven_as(key)).await
    }

    async fn booked_under(&self, number: &str) -> Result<Option<Item>, Fault> {
        self.read(self.store.booked_under(number)).await
    }

    async fn booked_beside(&self, number: &str, id: &RecordId) -> Result<Vec<RecordId>, Fault> {
        self.read(self.store.booked_beside(number, id)).await
    }

    async fn proven_after(&self, seq: i64, limit: u32) -> Result<Vec<Item>, Fault> {
        self.read(self.store.proven_after(seq, limit)).await
    }

    async fn booked(&self, since: Option<DateTime<Utc>>) -> Result<Vec<RecordId>, Fault> {
        self.read(self.store.booked(since)).await
    }

    async fn make_due(&self, number: Option<&str>, now: DateTime<Utc>) -> Result<u64, Fault> {
        self.write(self.store.make_due(number, now)).await
    }

    async fn overview(&self, today: NaiveDate, items: u32, lines: u32) -> Result<Arc<Overview>, Fault> {
        let overview = self.read(self.store.overview(today, items, lines)).await;
        // A state is made of it and published next.
        self.wire.sim.published.notify_one();
        overview
    }

    async fn counts(&self, today: NaiveDate) -> Result<Counts, Fault> {
        self.read(self.store.counts(today)).await
    }

    async fn known_bills(&self, from: NaiveDate) -> Result<Vec<KnownBill>, Fault> {
        let mut known = self.read(self.store.known_bills(from)).await?;
        if self.wire.sim.is(Planted::OwnBillImported) {
            known.retain(|bill| !bill.state.is_ours());
        }
        Ok(known)
    }

    async fn known_bill(&self, key: &BillKey) -> Result<Option<KnownBill>, Fault> {
        self.read(self.store.known_bill(key)).await
    }

    async fn put_bills(&self, put: &[KnownBill], forget: &[BillKey], journal: &[Entry]) -> Result<(), Fault> {
        checks::put_bills(&self.wire.sim, put);
        if self.wire.sim.setup.stage.says_bills {
            self.wire.sim.say_all("journal", || journal.iter().map(|entry| entry.sentence.clone()).collect());
        }
        self.write(self.store.put_bills(put, forget, journal)).await
    }

    async fn bill_problems(&self, limit: u32) -> Result<Vec<KnownBill>, Fault> {
        self.read(self.store.bill_problems(limit)).await
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Fault> {
        if self.wire.sim.is(Planted::PauseForgotten) && key == PAUSED {
            return Ok(None);
        }
        self.read(self.store.get(key)).await
    }

    async fn set(&self, key: &str, value: Option<&str>) -> Result<(), Fault> {
        if key == CURSOR
            && let Some(value) = value
        {
            checks::cursor(&self.wire.sim, &self.store, value);
        }
        self.write(self.store.set(key, value)).await?;
        if key == GO_LIVE && value.is_none() {
            // It was given up.
            lock(&self.wire.sim.truth).trial.going = false;
        }
        Ok(())
    }

    async fn journal(&self, entry: Entry) -> Result<(), Fault> {
        self.wire.sim.say("journal", || entry.sentence.clone());
        self.write(self.store.journal(entry)).await
    }

    async fn activity(&self, limit: u32) -> Result<Vec<Activity>, Fault> {
        self.read(self.store.activity(limit)).await
    }
}

#[async_trait]
impl AlertStore for Inline {
    async fn raise(&self, event: &Event, at: DateTime<Utc>) -> Result<(), Fault> {
        self.write(self.store.raise(event, at)).await
    }

    async fn raised(&self, limit: u32) -> Result<Vec<Raised>, Fault> {
        self.read(self.store.raised(limit)).await
    }

    async fn decide(
        &self,
        memory: &str,
        taken: Option<i64>,
        message: Option<&Message>,
        chats: &[i64],
    ) -> Result<(), Fault> {
        self.write(self.store.decide(memory, taken, message, chats)).await?;
        if let Some(message) = message {
            checks::message(&self.wire.sim, message);
        }
        Ok(())
    }

    async fn memory(&self) -> Result<Option<String>, Fault> {
        self.read(self.store.memory()).await
    }

    async fn queued(&self, since: DateTime<Utc>) -> Result<Vec<Queued>, Fault> {
        self.read(self.store.queued(since)).await
    }

    async fn sent(&self, ids: &[i64]) -> Result<(), Fault> {
        self.write(self.store.sent(ids)).await
    }

    async fn catch_up(&self, started: DateTime<Utc>, looked: DateTime<Utc>) -> Result<CatchUp, Fault> {
        self.read(self.store.catch_up(started, looked)).await
    }
}
