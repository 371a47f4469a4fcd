//! RainTek's database on SQL Server, through tiberius. No type of tiberius leaves this folder.

mod backup;
mod bills;
mod candidate;
mod classify;
mod connect;
mod dump;
mod files;
mod find;
#[doc(hidden)]
pub mod fuzzing;
mod link;
mod lookup;
mod postings;
mod products;
mod schema;
mod statement;
mod switch_on;
mod together;
mod trial;
mod values;
mod way;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use tiberius::{Query, Row as SqlRow};
use tokio::sync::Mutex;

use crate::model::awareness::BillPage;
use crate::model::bill::{Found, FoundBill, Lookup, NumberMarks};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::ids::{InvId, ProductId};
use crate::model::invoice::TaxType;
use crate::model::product::PosProduct;
use crate::model::scan::MarkedBill;
use crate::model::schema::PosSchema;
use crate::model::settings::{PostingSettings, RaintekSettings, StockSource};
use crate::ports::{Pos, PosTransaction};

pub use candidate::{Look, look};
pub use connect::Target;
pub use files::{Found as FolderSettings, read_folder};
pub use find::{Hint, find, find_app_folders};
pub use switch_on::{SwitchOn, switch_on};

use connect::Sql;

/// A connection that is there, or not at the moment. Whoever uses it takes it out and puts it back only when
/// nothing went wrong: a connection left in the middle of anything is dropped, and the server rolls back.
type Slot = Arc<Mutex<Option<Sql>>>;

/// RainTek's database: one connection for reads, one for writes.
pub struct RainTek {
    target: Target,
    stock: StockSource,
    posting: PostingSettings,
    /// Nothing is written: no transaction is ever opened.
    watch_only: bool,
    reads: Slot,
    writes: Slot,
    schema: StdMutex<Option<Arc<PosSchema>>>,
    /// From the last products pass: lets a push find its products by key.
    codes: StdMutex<products::Codes>,
}

impl fmt::Debug for RainTek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RainTek").field("target", &self.target).finish_non_exhaustive()
    }
}

impl RainTek {
    /// Nothing is connected yet.
    pub fn new(settings: &RaintekSettings, password: Option<String>, stock: StockSource) -> Self {
        Self {
            target: Target::new(settings, password),
            stock,
            posting: PostingSettings::default(),
            watch_only: false,
            reads: Slot::default(),
            writes: Slot::default(),
            schema: StdMutex::default(),
            codes: StdMutex::default(),
        }
    }

    /// What is looked at beside a bill.
    #[must_use]
    pub fn posting(self, posting: PostingSettings) -> Self {
        Self { posting, ..self }
    }

    /// Only ever read: whatever asks to write is refused before a word of it reaches the server.
    #[must_use]
    pub fn watching_only(self, watch_only: bool) -> Self {
        Self { watch_only, ..self }
    }

    fn refuse_where_watching(&self) -> Result<(), Fault> {
        if !self.watch_only {
            return Ok(());
        }
        let sentence = "ShopSync only watches (watch_only in the settings): nothing is written into RainTek.";
        Err(Fault::new(FaultKind::Config, Scope::Item, sentence).action(Action::FixSettings))
    }

    /// What it is connected to, for a person.
    pub fn describe(&self) -> String {
        self.target.describe()
    }

    /// The shop's database.
    pub fn database(&self) -> &str {
        self.target.database()
    }

    async fn take(&self, connection: &mut Option<Sql>) -> Result<Sql, Fault> {
        match connection.take() {
            Some(sql) => Ok(sql),
            None => {
                let mut sql = self.target.connect().await?;
                // A server that was away may have been updated meanwhile.
                let fresh = Arc::new(schema::read(&mut sql).await?);
                *self.schema.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
                Ok(sql)
            }
        }
    }

    fn known_schema(&self) -> Option<Arc<PosSchema>> {
        self.schema.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn codes(&self) -> MutexGuard<'_, products::Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keys of the products an invoice names, as the last products pass knew them.
    fn known_pids(&self, lookup: &Lookup) -> Vec<ProductId> {
        let codes = self.codes();
        lookup.product_codes.iter().filter_map(|code| codes.pid(code)).collect()
    }

    /// One round trip on the read connection, and what is made of its answers; a connection whose answers cannot be read
    /// is dropped.
    async fn ask<T>(
        &self,
        query: Query<'_>,
        read: impl FnOnce(Vec<Vec<SqlRow>>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let answer = read(statement::results(&mut sql, query).await?)?;
        *slot = Some(sql);
        Ok(answer)
    }

    fn need_schema(&self) -> Result<Arc<PosSchema>, Fault> {
        self.known_schema().ok_or_else(schema::not_read)
    }
}

#[async_trait]
impl Pos for RainTek {
    async fn probe(&self) -> Result<InvId, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let highest = connect::probe(&mut sql).await?;
        *slot = Some(sql);
        Ok(highest)
    }

    async fn schema(&self) -> Result<Arc<PosSchema>, Fault> {
        if let Some(schema) = self.known_schema() {
            return Ok(schema);
        }
        self.probe().await?;
        self.need_schema()
    }

    async fn products(&self) -> Result<Vec<PosProduct>, Fault> {
        let mut products = Vec::new();
        self.each_product(&mut |product| products.push(product)).await?;
        Ok(products)
    }

    async fn each_product(&self, take: &mut (dyn FnMut(PosProduct) + Send)) -> Result<(), Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        self.codes().begin();
        let mut each = |product: PosProduct| {
            self.codes().add(&product);
            take(product);
        };
        products::read(&mut sql, &schema, self.stock, &mut each).await?;
        self.codes().end();
        *slot = Some(sql);
        Ok(())
    }

    async fn open(&self, lookup: &Lookup) -> Result<(Box<dyn PosTransaction>, Found), Fault> {
        self.refuse_where_watching()?;
        let mut slot = Arc::clone(&self.writes).lock_owned().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        let pids = self.known_pids(lookup);
        connect::begin(&mut sql).await?;
        let found = lookup::read(&mut sql, &schema, self.posting, lookup, &pids, true).await?;
        Ok((Box::new(write::Transaction::new(slot, sql, schema)), found))
    }

    async fn inspect(&self, lookup: &Lookup) -> Result<Found, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        let found =
            lookup::read(&mut sql, &schema, self.posting, lookup, &self.known_pids(lookup), false).await?;
        *slot = Some(sql);
        Ok(found)
    }

    async fn inspect_all(&self, lookups: &[Lookup]) -> Result<Vec<Found>, Fault> {
        let mut all = Vec::with_capacity(lookups.len());
        for some in lookups.chunks(together::MOST) {
            for (lookup, found) in some.iter().zip(together::look(self, some).await?) {
                all.push(match found {
                    Some(found) => found,
                    None => self.inspect(lookup).await?,
                });
            }
        }
        Ok(all)
    }

    async fn our_days(&self) -> Result<Vec<(NaiveDate, u64, Decimal)>, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        let days = lookup::our_days(&mut sql, &schema).await?;
        *slot = Some(sql);
        Ok(days)
    }

    async fn our_bills(&self, day: NaiveDate) -> Result<Vec<MarkedBill>, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        let bills = lookup::our_bills(&mut sql, &schema, day).await?;
        *slot = Some(sql);
        Ok(bills)
    }

    async fn read_back(
        &self,
        number: &str,
        inv_id: InvId,
        tax_type: TaxType,
    ) -> Result<Vec<FoundBill>, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        let bills = lookup::bills(&mut sql, &schema, self.posting, number, Some(inv_id), tax_type).await?;
        *slot = Some(sql);
        Ok(bills)
    }

    async fn bills(&self, page: &BillPage) -> Result<Vec<FoundBill>, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        let bills = bills::page(&mut sql, &schema, page).await?;
        *slot = Some(sql);
        Ok(bills)
    }

    async fn number_marks(&self) -> Result<NumberMarks, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        let marks = bills::number_marks(&mut sql, &schema).await?;
        *slot = Some(sql);
        Ok(marks)
    }

    async fn forget_connections(&self) {
        for slot in [&self.reads, &self.writes] {
            // One that is in use ends by its own time limit.
            if let Ok(mut connection) = slot.try_lock() {
                *connection = None;
            }
        }
    }

    async fn count_bills(&self, page: &BillPage) -> Result<u64, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let count = bills::count(&mut sql, page).await?;
        *slot = Some(sql);
        Ok(count)
    }
}
