//! Our own state in SQLite: one writer on a thread of its own, synchronous=FULL, so that what was acknowledged
//! survives a power cut. What is found out again by itself is stored with synchronous=NORMAL: the write-ahead log keeps
//! the order, and the next durable change takes it along to the disk (ADR 19).

mod alerts;
mod backup;
mod bills;
mod history;
mod journal;
mod migrations;
mod outbox;
mod trial;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::model::awareness::{BillKey, KnownBill};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::ids::{InvId, RecordId};
use crate::model::invoice::InvoiceHead;
use crate::model::outbox::Item;
use crate::model::status::{Activity, Counts, Entry};
use crate::ports::{Overview, State, TakenUp};

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The store. Cheap to clone; the thread ends with the last clone.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    kept: Arc<Mutex<Option<Kept>>>,
}

/// An overview, for as long as nothing was written since: a state is made many times a minute, and mostly of the same.
struct Kept {
    /// How many rows this connection, the only one that writes, had changed.
    changes: u64,
    asked: (NaiveDate, u32, u32),
    overview: Arc<Overview>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens or makes the store at `path`, migrating an older one.
    ///
    /// # Errors
    /// Config where a newer program wrote it; Permanent where it is damaged; Transient where the disk refuses.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let mut connection = Connection::open(path).map_err(|error| classify(&error))?;
        migrations::prepare(&mut connection)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                while let Ok(job) = queue.recv() {
                    job(&mut connection);
                }
            })
            .map_err(|error| {
                Fault::transient(Scope::Store, "ShopSync's own store cannot be opened.").detail(error)
            })?;
        Ok(Self { jobs, kept: Arc::default() })
    }

    /// Runs without waiting for the disk.
    async fn run_in_order<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.run(move |db| {
            db.pragma_update(None, "synchronous", "NORMAL")?;
            let done = work(db);
            // Whatever came of it, and also where the work went wrong: the next one is durable.
            db.pragma_update(None, "synchronous", "FULL")?;
            done
        })
        .await
    }

    async fn run<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let gone = || Fault::new(FaultKind::Permanent, Scope::Store, "ShopSync's own store has stopped.");
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // A caller that is gone no longer needs the answer.
            let _ = reply.send(work(connection));
        });
        self.jobs.send(job).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?.map_err(|error| classify(&error))
    }
}

/// A SQLite error as a fault.
fn classify(error: &rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode;
    let (kind, sentence, action) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            let full = "The disk is full: ShopSync cannot store anything. Free some space on it.";
            (FaultKind::Transient, full, Action::FixServer)
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            (FaultKind::Permanent, "ShopSync's own store is damaged.", Action::CallSupport)
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            (FaultKind::Config, "ShopSync may not write into its data folder.", Action::FixServer)
        }
        _ => (FaultKind::Transient, "ShopSync's own store does not answer.", Action::Wait),
    };
    Fault::new(kind, Scope::Store, sentence).action(action).detail(error)
}

#[async_trait]
impl State for Store {
    async fn take_up(&self, heads: &[InvoiceHead], now: DateTime<Utc>) -> Result<TakenUp, Fault> {
        let heads = heads.to_vec();
        self.run_in_order(move |db| outbox::take_up(db, &heads, now)).await
    }

    async fn item(&self, id: &RecordId) -> Result<Option<Item>, Fault> {
        let id = id.clone();
        self.run(move |db| outbox::item(db, &id)).await
    }

    async fn items(&self, ids: &[RecordId]) -> Result<Vec<Item>, Fault> {
        let ids = ids.to_vec();
        self.run(move |db| outbox::items(db, &ids)).await
    }

    async fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Item>, Fault> {
        self.run(move |db| outbox::due(db, now, limit)).await
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Fault> {
        self.run(|db| outbox::next_due(db)).await
    }

    async fn put(&self, item: &Item) -> Result<(), Fault> {
        self.put_all(std::slice::from_ref(item), &[]).await
    }

    async fn put_all(&self, items: &[Item], journal: &[Entry]) -> Result<(), Fault> {
        let (items, journal) = (items.to_vec(), journal.to_vec());
        self.run(move |db| outbox::put_with(db, &items, &journal)).await
    }

    async fn put_in_order(&self, items: &[Item], journal: &[Entry]) -> Result<(), Fault> {
        let (items, journal) = (items.to_vec(), journal.to_vec());
        self.run_in_order(move |db| outbox::put_with(db, &items, &journal)).await
    }

    async fn flush(&self) -> Result<(), Fault> {
        // A durable change takes along all that came before it.
        self.run(|db| journal::tick(db)).await
    }

    async fn open_items(&self, limit: u32) -> Result<Vec<Item>, Fault> {
        self.run(move |db| outbox::open_items(db, limit)).await
    }

    async fn owner_of(&self, inv_id: InvId) -> Result<Option<Item>, Fault> {
        self.run(move |db| outbox::owner_of(db, inv_id)).await
    }

    async fn proven_as(&self, key: &BillKey) -> Result<Option<Item>, Fault> {
        let key = key.clone();
        self.run(move |db| outbox::proven_as(db, &key)).await
    }

    async fn booked_under(&self, number: &str) -> Result<Option<Item>, Fault> {
        let number = number.to_owned();
        self.run(move |db| outbox::booked_under(db, &number)).await
    }

    async fn booked_beside(&self, number: &str, id: &RecordId) -> Result<Vec<RecordId>, Fault> {
        let (number, id) = (number.to_owned(), id.clone());
        self.run(move |db| outbox::booked_beside(db, &number, &id)).await
    }

    async fn proven_after(&self, seq: i64, limit: u32) -> Result<Vec<Item>, Fault> {
        self.run(move |db| outbox::proven_after(db, seq, limit)).await
    }

    async fn booked(&self, since: Option<DateTime<Utc>>) -> Result<Vec<RecordId>, Fault> {
        self.run(move |db| outbox::booked(db, since)).await
    }

    async fn make_due(&self, number: Option<&str>, now: DateTime<Utc>) -> Result<u64, Fault> {
        let number = number.map(str::to_owned);
        self.run(move |db| outbox::make_due(db, number.as_deref(), now)).await
    }

    async fn overview(&self, today: NaiveDate, items: u32, lines: u32) -> Result<Arc<Overview>, Fault> {
        let (kept, asked) = (Arc::clone(&self.kept), (today, items, lines));
        self.run(move |db| {
            let changes = db.total_changes();
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(kept) = kept.as_ref().filter(|kept| kept.changes == changes && kept.asked == asked) {
                return Ok(Arc::clone(&kept.overview));
            }
            let overview = Arc::new(Overview {
                counts: outbox::counts(db, today)?,
                items: outbox::open_items(db, items)?,
                last_done: outbox::last_done(db)?,
                shown_bills: bills::shown(db, today)?,
                problems: bills::problems(db, items)?,
                activity: journal::activity(db, lines)?,
            });
            *kept = Some(Kept { changes, asked, overview: Arc::clone(&overview) });
            Ok(overview)
        })
        .await
    }

    async fn counts(&self, today: NaiveDate) -> Result<Counts, Fault> {
        self.run(move |db| outbox::counts(db, today)).await
    }

    async fn known_bills(&self, from: NaiveDate) -> Result<Vec<KnownBill>, Fault> {
        self.run(move |db| bills::known(db, from)).await
    }

    async fn known_bill(&self, key: &BillKey) -> Result<Option<KnownBill>, Fault> {
        let key = key.clone();
        self.run(move |db| bills::one(db, &key)).await
    }

    async fn put_bills(&self, put: &[KnownBill], forget: &[BillKey], journal: &[Entry]) -> Result<(), Fault> {
        let (put, forget, journal) = (put.to_vec(), forget.to_vec(), journal.to_vec());
        self.run(move |db| {
            let transaction = db.transaction()?;
            bills::put(&transaction, &put, &forget)?;
            journal.iter().try_for_each(|entry| journal::add(&transaction, entry))?;
            transaction.commit()
        })
        .await
    }

    async fn bill_problems(&self, limit: u32) -> Result<Vec<KnownBill>, Fault> {
        self.run(move |db| bills::problems(db, limit)).await
    }

    async fn get(&self, key: &str) -> Result<Option<String>, Fault> {
        let key = key.to_owned();
        self.run(move |db| journal::get(db, &key)).await
    }

    async fn set(&self, key: &str, value: Option<&str>) -> Result<(), Fault> {
        let (key, value) = (key.to_owned(), value.map(str::to_owned));
        self.run(move |db| journal::set(db, &key, value.as_deref())).await
    }

    async fn journal(&self, entry: Entry) -> Result<(), Fault> {
        self.run(move |db| journal::add(db, &entry)).await
    }

    async fn activity(&self, limit: u32) -> Result<Vec<Activity>, Fault> {
        self.run(move |db| journal::activity(db, limit)).await
    }
}

#[cfg(test)]
mod tests;
