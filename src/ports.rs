//! What the engine needs from the world. Adapters implement these; the simulation and the tests implement them too.

pub mod alerts;
pub mod backup;
pub mod desktop;
pub mod history;
pub mod life;
pub mod setup;
pub mod trial;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::BoxFuture;
use rust_decimal::Decimal;
use tokio::sync::{mpsc, watch};

use crate::model::awareness::{BillKey, BillPage, BillWrite, KnownBill};
use crate::model::bill::{Found, FoundBill, Lookup, NumberMarks, NumberSeries, Plan};
use crate::model::command::{Command, Reply};
use crate::model::customer::Customer;
use crate::model::fault::{Fault, SendOutcome};
use crate::model::ids::{CustomerId, InvId, RecordId};
use crate::model::invoice::{InvoiceHead, InvoiceRead, NotDue, Stamp, TaxType};
use crate::model::outbox::Item;
use crate::model::product::{AppProduct, PosProduct, ProductWrite};
use crate::model::renumber::{Renumber, Renumbered};
use crate::model::scan::MarkedBill;
use crate::model::schema::PosSchema;
use crate::model::status::{Activity, Counts, Entry, Snapshot};

/// RainTek's database.
#[async_trait]
pub trait Pos: Send + Sync {
    /// One cheap query on the read connection; connects where needed. Returns the highest Inv_ID, by which bills of
    /// RainTek's own till are noticed.
    async fn probe(&self) -> Result<InvId, Fault>;

    /// The tables as they are, read at connect.
    async fn schema(&self) -> Result<Arc<PosSchema>, Fault>;

    /// Every product with its lots and stock, complete or an error.
    async fn products(&self) -> Result<Vec<PosProduct>, Fault>;

    /// The same one by one, in the order of PID, so that nobody holds them all. What came before an error counts for
    /// nothing.
    async fn each_product(&self, take: &mut (dyn FnMut(PosProduct) + Send)) -> Result<(), Fault> {
        let mut products = self.products().await?;
        products.sort_by_key(|product| product.pid);
        products.into_iter().for_each(take);
        Ok(())
    }

    /// Begins a transaction under the app lock and reads what a plan needs, in as few round trips as it can.
    ///
    /// # Errors
    /// Any fault rolls back: nothing took effect.
    async fn open(&self, lookup: &Lookup) -> Result<(Box<dyn PosTransaction>, Found), Fault>;

    /// Reads what a plan needs as [`Pos::open`] does, but takes no lock and begins no transaction: for checking.
    async fn inspect(&self, lookup: &Lookup) -> Result<Found, Fault>;

    /// The same for many bills that were proven, in their order, for comparing them: RainTek has no index on a number,
    /// and a look for one costs as much as a look for hundreds. What only a plan to write needs may be left out (marks,
    /// live stock, what is left under a former number), and so may what no bill there is compared with.
    async fn inspect_all(&self, lookups: &[Lookup]) -> Result<Vec<Found>, Fault> {
        let mut all = Vec::with_capacity(lookups.len());
        for lookup in lookups {
            all.push(self.inspect(lookup).await?);
        }
        Ok(all)
    }

    /// How many bills of ours stand there, and their grand totals in rupees, per day of the bills.
    async fn our_days(&self) -> Result<Vec<(NaiveDate, u64, Decimal)>, Fault>;

    /// Bills of ours of one day, by our mark. Takes no lock.
    async fn our_bills(&self, day: NaiveDate) -> Result<Vec<MarkedBill>, Fault> {
        let mut marked = Vec::new();
        let mut page = BillPage { after: 0, from: Some(day), limit: 200 };
        loop {
            let bills = self.bills(&page).await?;
            let Some(last) = bills.iter().map(FoundBill::inv_id).max() else { return Ok(marked) };
            page.after = last;
            marked.extend(bills.iter().filter_map(|bill| bill.marked(day)));
        }
    }

    /// What stands there now: every bill of that number, and the one of that Inv_ID, all columns. Takes no lock.
    async fn read_back(
        &self,
        number: &str,
        inv_id: InvId,
        tax_type: TaxType,
    ) -> Result<Vec<FoundBill>, Fault>;

    /// A page of bills with their lines and payments; `info` and lines bring along what the app shows of customer
    /// and product. Fewer than asked for means that there are no more.
    async fn bills(&self, page: &BillPage) -> Result<Vec<FoundBill>, Fault>;

    /// The highest numbers in use, and how numbers are formed: one cheap query.
    async fn number_marks(&self) -> Result<NumberMarks, Fault>;

    /// How many bills a walk through these pages would show.
    async fn count_bills(&self, page: &BillPage) -> Result<u64, Fault>;

    /// Connections that nobody uses at the moment are closed: after a sleep they look alive and are not.
    async fn forget_connections(&self) {}
}

/// An open transaction on RainTek. Dropped without commit it is rolled back.
#[async_trait]
pub trait PosTransaction: Send {
    /// Writes a plan. Returns the Inv_ID and customer that were really given.
    ///
    /// # Errors
    /// The transaction is dead after any; nothing took effect. A number taken meanwhile (2627, 2601) is
    /// [`Fault`] with `code` 2627 and kind Transient.
    async fn apply(&mut self, plan: &Plan) -> Result<(InvId, CustomerId), Fault>;

    /// Commits.
    async fn commit(self: Box<Self>) -> SendOutcome;

    /// Rolls back and frees the lock at once.
    async fn rollback(self: Box<Self>);
}

/// A hint from the app's event stream: go and look. Never the only way in which a record is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BillingEvent {
    /// The stream stands (again); anything may have been missed: look at everything.
    Connected,
    /// The stream broke.
    Disconnected,
    /// An invoice record was written.
    Invoice(RecordId),
    /// A line or payment of this invoice was written.
    Part(RecordId),
}

/// Which invoices to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoiceScan {
    /// Completed, not from RainTek, and not shown as synced with an Inv_ID, or written at or after `since`
    /// (PocketBase's time text; the caller overlaps).
    Unproven {
        /// Lower bound of `updated`; `None` lists by sync fields alone.
        since: Option<String>,
    },
    /// Every completed invoice that is not from RainTek.
    All,
}

/// The billing app.
#[async_trait]
pub trait Billing: Send + Sync {
    /// One cheap request that proves that the app answers **and** that our login still counts.
    async fn probe(&self) -> Result<(), Fault>;

    /// Invoices of a scan, complete or an error; never fewer because a token expired.
    async fn list(&self, scan: &InvoiceScan) -> Result<Vec<InvoiceHead>, Fault>;

    /// Invoices that are not, or no longer, completed (drafts, revised, cancelled), and not from RainTek: all, or those
    /// written at or after `since`. Complete or an error.
    async fn taken_back(&self, since: Option<&str>) -> Result<Vec<InvoiceHead>, Fault>;

    /// One invoice with its customer, lines and payments.
    async fn invoice(&self, id: &RecordId) -> Result<InvoiceRead, Fault>;

    /// Several invoices, in the order of `ids`; complete or an error.
    async fn invoices(&self, ids: &[RecordId]) -> Result<Vec<InvoiceRead>, Fault> {
        let mut reads = Vec::with_capacity(ids.len());
        for id in ids {
            reads.push(self.invoice(id).await?);
        }
        Ok(reads)
    }

    /// Completed invoices that carry this number.
    async fn of_number(&self, number: &str) -> Result<Vec<InvoiceHead>, Fault>;

    /// Those of these records that the app does not have any more, whatever their status; complete or an error, and
    /// never more because a token expired.
    async fn missing(&self, ids: &[RecordId]) -> Result<Vec<RecordId>, Fault> {
        let mut missing = Vec::new();
        for id in ids {
            if self.invoice(id).await? == InvoiceRead::NotDue(NotDue::Deleted) {
                missing.push(id.clone());
            }
        }
        Ok(missing)
    }

    /// Writes our own fields.
    async fn stamp(&self, id: &RecordId, stamp: &Stamp) -> Result<(), Fault>;

    /// Every product, complete or an error.
    async fn products(&self) -> Result<Vec<AppProduct>, Fault>;

    /// The same one by one, so that nobody holds them all. What came before an error counts for nothing.
    async fn each_product(&self, take: &mut (dyn FnMut(AppProduct) + Send)) -> Result<(), Fault> {
        self.products().await?.into_iter().for_each(take);
        Ok(())
    }

    /// Writes a batch in one transaction where the app can; the answer has one entry a write.
    async fn write_products(&self, writes: &[ProductWrite]) -> Result<Vec<Result<(), Fault>>, Fault>;

    /// Every customer, complete or an error.
    async fn customers(&self) -> Result<Vec<Customer>, Fault>;

    /// Lifts the app's counters to these, never down, in one transaction. `false` where the app numbers its invoices
    /// its own way: then nothing is touched.
    async fn follow_numbers(&self, series: &[NumberSeries]) -> Result<bool, Fault>;

    /// Gives a completed invoice the next number above `series.value` that no invoice of the app carries, and that the
    /// app's counter (where it is ours) has not given out. Nothing else of the record changes, and nothing at all
    /// where it carries another number than `from`: so it may be asked again after an answer that was lost.
    ///
    /// # Errors
    /// A Data fault where the app refuses it; an outage, after which it may have been done.
    async fn renumber(&self, wanted: &Renumber) -> Result<Renumbered, Fault>;

    /// Writes a bill of RainTek's own, all of it in one transaction where the app can.
    ///
    /// # Errors
    /// A Data fault where the app refuses this very bill.
    async fn write_bill(&self, write: &BillWrite) -> Result<(), Fault>;

    /// Follows the event stream for ever, reconnecting by itself; ends only when the receiver is gone.
    async fn follow(&self, events: mpsc::Sender<BillingEvent>);
}

/// What [`State::take_up`] made of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TakenUp {
    /// How many are newly to be done.
    pub new: u64,
    /// Known invoices that were written since, or are not shown as synced though proven: to be read and compared.
    pub recheck: Vec<RecordId>,
}

/// What a state is made of, as our own store has it in one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overview {
    /// How many stand where.
    pub counts: Counts,
    /// Unsettled items, held first, oldest first.
    pub items: Vec<Item>,
    /// The invoice that was proven in RainTek last: number and when.
    pub last_done: Option<(String, DateTime<Utc>)>,
    /// How many bills of RainTek's own the app shows: of the day, and of all.
    pub shown_bills: (u64, u64),
    /// Bills that need a person, mismatches first, newest first.
    pub problems: Vec<KnownBill>,
    /// The newest lines of the journal, newest first.
    pub activity: Vec<Activity>,
}

/// Our own store. Every method is durable (synchronous FULL) before it returns, but for those that are *in order* only:
/// a power cut may take their last ones, never one of them and not what was stored after it.
#[async_trait]
pub trait State: Send + Sync {
    /// Takes up invoices that were listed: new ones, and those once withdrawn, as waiting. In order: what a power cut
    /// takes, the app lists again.
    async fn take_up(&self, heads: &[InvoiceHead], now: DateTime<Utc>) -> Result<TakenUp, Fault>;

    /// One item.
    async fn item(&self, id: &RecordId) -> Result<Option<Item>, Fault>;

    /// Several, as they stand in one moment; those that are not known are left out.
    async fn items(&self, ids: &[RecordId]) -> Result<Vec<Item>, Fault>;

    /// Items that are due, oldest first, and of one number only the oldest unsettled: one that is held, until it is due
    /// itself, keeps no other of its number waiting.
    async fn due(&self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Item>, Fault>;

    /// When the next item becomes due, if any is unsettled.
    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, Fault>;

    /// Stores the whole item.
    async fn put(&self, item: &Item) -> Result<(), Fault>;

    /// Stores several items, and what the journal says of it, in one transaction.
    async fn put_all(&self, items: &[Item], journal: &[Entry]) -> Result<(), Fault>;

    /// The same, in order: for what is found out again by itself, should a power cut take it.
    async fn put_in_order(&self, items: &[Item], journal: &[Entry]) -> Result<(), Fault> {
        self.put_all(items, journal).await
    }

    /// Everything that was stored in order so far is on the disk when this returns.
    async fn flush(&self) -> Result<(), Fault>;

    /// Unsettled items, held first, oldest first.
    async fn open_items(&self, limit: u32) -> Result<Vec<Item>, Fault>;

    /// The item that was proven last under this Inv_ID, if any.
    async fn owner_of(&self, inv_id: InvId) -> Result<Option<Item>, Fault>;

    /// The item that was proven last as this very bill: RainTek gives the Inv_ID of a deleted newest bill out again.
    async fn proven_as(&self, key: &BillKey) -> Result<Option<Item>, Fault>;

    /// The newest item of an invoice number that was proven in RainTek, if any.
    async fn booked_under(&self, number: &str) -> Result<Option<Item>, Fault>;

    /// Records of the other invoices of this very number that were proven in RainTek and not taken back there since.
    async fn booked_beside(&self, number: &str, id: &RecordId) -> Result<Vec<RecordId>, Fault>;

    /// Items that stand in RainTek, in the order of `seq`, after `seq`: for checking, in pages.
    async fn proven_after(&self, seq: i64, limit: u32) -> Result<Vec<Item>, Fault>;

    /// Records of the invoices that stand in RainTek as far as is known, also where the app does not show it yet: those
    /// proven since then, or all. `since` is a floor: more may come.
    async fn booked(&self, since: Option<DateTime<Utc>>) -> Result<Vec<RecordId>, Fault> {
        let (_, mut ids, mut after) = (since, Vec::new(), i64::MIN);
        loop {
            let page = self.proven_after(after, 500).await?;
            let Some(last) = page.last() else { return Ok(ids) };
            after = last.seq;
            ids.extend(page.into_iter().map(|item| item.record_id));
        }
    }

    /// Makes items due now: all of a number, or all. Returns how many.
    async fn make_due(&self, number: Option<&str>, now: DateTime<Utc>) -> Result<u64, Fault>;

    /// All that a state is made of; `today` is the day in the shop's zone, `items` and `lines` the most of each.
    async fn overview(&self, today: NaiveDate, items: u32, lines: u32) -> Result<Arc<Overview>, Fault>;

    /// How many stand where; `today` is the day in the shop's zone.
    async fn counts(&self, today: NaiveDate) -> Result<Counts, Fault>;

    /// What is remembered of bills dated from this day on.
    async fn known_bills(&self, from: NaiveDate) -> Result<Vec<KnownBill>, Fault>;

    /// What is remembered of one bill.
    async fn known_bill(&self, key: &BillKey) -> Result<Option<KnownBill>, Fault>;

    /// Remembers bills, forgets others, and keeps what the journal says of it, in one transaction.
    async fn put_bills(&self, put: &[KnownBill], forget: &[BillKey], journal: &[Entry]) -> Result<(), Fault>;

    /// Bills that need a person, mismatches first, newest first.
    async fn bill_problems(&self, limit: u32) -> Result<Vec<KnownBill>, Fault>;

    /// A small named value (cursors, pause).
    async fn get(&self, key: &str) -> Result<Option<String>, Fault>;

    /// Sets or removes a small named value.
    async fn set(&self, key: &str, value: Option<&str>) -> Result<(), Fault>;

    /// Adds to the journal.
    async fn journal(&self, entry: Entry) -> Result<(), Fault>;

    /// The newest lines of the journal, newest first.
    async fn activity(&self, limit: u32) -> Result<Vec<Activity>, Fault>;
}

/// Time, as an argument.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Wall time.
    fn now(&self) -> DateTime<Utc>;

    /// Time that never jumps, since some fixed start.
    fn elapsed(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, duration: Duration);

    /// A fraction in 0..1000 (per mille), for jitter.
    fn jitter(&self) -> u32;
}

/// Copies of RainTek's rows from before they are changed.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Keeps a bill's rows; they are on disk when this returns, with the file's place.
    async fn snapshot(&self, day: NaiveDate, bill: &FoundBill) -> Result<String, Fault>;
}

/// Passwords and tokens: apart from the settings, readable by nobody else.
pub trait Secrets: Send + Sync {
    /// A secret by name, as it was set last.
    ///
    /// # Errors
    /// The place where secrets lie cannot be read; that is not the same as having none.
    fn get(&self, name: &str) -> Result<Option<String>, Fault>;

    /// Keeps a secret; it is on disk when this returns.
    ///
    /// # Errors
    /// The place where secrets lie cannot be written.
    fn set(&self, name: &str, value: &str) -> Result<(), Fault>;
}

/// Something that runs until it is stopped; run again by the supervisor if it panics, ends or hangs.
pub struct Task {
    /// For logs and the page.
    pub name: &'static str,
    /// How long it may work without a sign of life ([`life::Life`]): longer than whatever it waits for may take, but for
    /// a backup ([`life::at_a_backup`]).
    pub patience: Duration,
    /// Starts it anew.
    pub run: Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Task {
    /// For one whose calls are given up within a minute each by whoever makes them, some of them one behind the other.
    pub const PATIENCE: Duration = Duration::from_secs(10 * 60);
    /// While it waits for a whole backup: half an hour is what that may take, on either side.
    pub const PATIENCE_FOR_BACKUPS: Duration = Duration::from_secs(2 * 60 * 60);
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}

/// How shell and web reach the engine: a bounded channel with one-shot replies, and the published state.
#[async_trait]
pub trait Controls: Send + Sync {
    /// Asks for something; refused with a sentence when the engine does not answer.
    async fn command(&self, command: Command) -> Reply;

    /// The published state; changes wake the receiver.
    fn watch(&self) -> watch::Receiver<Arc<Snapshot>>;
}
