//! `Pos` over the tables in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;
use rust_decimal::Decimal;

use shopsync::model::awareness::BillPage;
use shopsync::model::bill::{
    Former, Found, FoundBill, LineProduct, Lookup, Marks, NumberMarks, Row, TILL_ID, Value,
};
use shopsync::model::customer::phone_key;
use shopsync::model::fault::{Fault, Scope};
use shopsync::model::ids::InvId;
use shopsync::model::invoice::TaxType;
use shopsync::model::posting::{Book, Books, FoundPostings, Party};
use shopsync::model::product::PosProduct;
use shopsync::model::schema::PosSchema;
use shopsync::model::settings::PostingSettings;
use shopsync::ports::{Pos, PosTransaction};

use super::transaction::{Held, Transaction};
use super::{Db, Product};
use crate::gate;
use crate::planted::Planted;
use crate::sim::lock;
use crate::story::Call;
use crate::wire::Wire;

/// As long as the real adapter waits.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// The adapter of one run of the engine.
pub(crate) struct RainTek {
    pub(crate) wire: Wire,
    /// One connection writes.
    pub(crate) writes: Arc<tokio::sync::Mutex<()>>,
    /// One connection reads.
    pub(crate) reads: tokio::sync::Mutex<()>,
}

impl RainTek {
    pub(crate) fn new(wire: &Wire) -> Self {
        Self { wire: wire.clone(), writes: Arc::default(), reads: tokio::sync::Mutex::default() }
    }

    /// One look at committed rows: where the database has no row versions it waits for a writer.
    pub(super) async fn read<T>(
        &self,
        call: Call,
        look: impl FnOnce(&mut Db) -> T + Send,
    ) -> Result<T, Fault> {
        let _connection = self.reads.lock().await;
        self.wire.at(call, false).await?;
        self.until_clean().await;
        let seen = look(&mut lock(&self.wire.sim.db));
        self.wire.at(call, true).await?;
        Ok(seen)
    }

    async fn until_clean(&self) {
        if self.wire.sim.setup.snapshots {
            return;
        }
        loop {
            let changed = Arc::clone(&lock(&self.wire.sim.db).changed);
            let changed = changed.notified();
            if lock(&self.wire.sim.db).dirty == 0 {
                return;
            }
            changed.await;
        }
    }

    fn posting(&self) -> PostingSettings {
        let on = self.wire.sim.setup.posting;
        PostingSettings { stock: on, ledgers: on }
    }

    fn seen(&self, leg: usize) {
        let now = self.wire.sim.ms();
        lock(&self.wire.sim.truth).looked[leg] = Some(now);
    }

    /// A planted fault: the answer is there before anybody looked.
    fn answers_unseen(&self) -> bool {
        self.wire.sim.is(Planted::GreenBeforeLook)
            && lock(&self.wire.sim.truth).looked.iter().any(Option::is_none)
    }
}

#[async_trait]
impl Pos for RainTek {
    async fn probe(&self) -> Result<InvId, Fault> {
        if self.answers_unseen() {
            return Ok(0);
        }
        let highest = self.read(Call::PosProbe, |db| db.max_inv()).await?;
        self.seen(0);
        Ok(highest)
    }

    async fn schema(&self) -> Result<Arc<PosSchema>, Fault> {
        Ok(Arc::clone(&lock(&self.wire.sim.db).schema))
    }

    async fn products(&self) -> Result<Vec<PosProduct>, Fault> {
        if self.answers_unseen() {
            return Ok(Vec::new());
        }
        let products =
            self.read(Call::PosProducts, |db| db.products.values().map(pos_product).collect()).await?;
        self.seen(3);
        Ok(products)
    }

    async fn open(&self, lookup: &Lookup) -> Result<(Box<dyn PosTransaction>, Found), Fault> {
        let sim = &self.wire.sim;
        let paused = gate::is_paused(sim);
        gate::goes_on(sim);
        let connection = Arc::clone(&self.writes).lock_owned().await;
        if let Err(fault) = self.wire.at(Call::Open, false).await {
            // A planted fault: what concerns all of RainTek is taken for the invoice's own.
            let scope = if sim.is(Planted::OutageCounts) { Scope::Item } else { fault.scope };
            return Err(Fault { scope, ..fault });
        }
        let app_lock = Arc::clone(&lock(&sim.db).app_lock);
        let guard = if sim.is(Planted::NoAppLock) {
            None
        } else {
            let locked = tokio::time::timeout(LOCK_WAIT, app_lock.lock_owned()).await;
            Some(locked.map_err(|_| {
                lock(&sim.truth).excuse_number(sim, &lookup.number);
                Fault::transient(Scope::Item, "Another ShopSync is writing to RainTek. Trying again.")
            })?)
        };
        // In the order of the real look-up: the bills first, then the numbers under the lock that keeps them.
        self.until_clean().await;
        let mut found = look_up(&lock(&sim.db), lookup, self.posting());
        let held = Held::take(sim).await;
        let mut marks = marks(&lock(&sim.db), lookup);
        if sim.is(Planted::NoLookUp) {
            found.bills.clear();
            marks.counter_has_number = false;
        }
        found.marks = marks;
        self.wire.at(Call::Open, true).await?;
        lock(&sim.truth).excuse_number(sim, &lookup.number);
        sim.say("raintek", || format!("looks {} up: {} bill(s)", lookup.number, found.bills.len()));
        let transaction =
            Transaction::new(self.wire.clone(), connection, guard, held, lookup.number.clone(), paused);
        Ok((Box::new(transaction), found))
    }

    async fn inspect(&self, lookup: &Lookup) -> Result<Found, Fault> {
        let posting = self.posting();
        // A planted fault: everything compared is equal, since nothing is looked at.
        let lookup = &if self.wire.sim.is(Planted::ScanSeesNothing) {
            Lookup { number: String::new(), inv_id: None, ..lookup.clone() }
        } else {
            lookup.clone()
        };
        self.read(Call::PosRead, |db| Found { marks: marks(db, lookup), ..look_up(db, lookup, posting) })
            .await
    }

    async fn inspect_all(&self, lookups: &[Lookup]) -> Result<Vec<Found>, Fault> {
        if self.wire.sim.is(Planted::ScanSeesNothing) {
            let mut all = Vec::new();
            for lookup in lookups {
                all.push(self.inspect(lookup).await?);
            }
            return Ok(all);
        }
        let posting = self.posting();
        self.read(Call::PosRead, |db| {
            lookups.iter().map(|lookup| compared(look_up(db, lookup, posting), lookup)).collect()
        })
        .await
    }

    async fn our_days(&self) -> Result<Vec<(NaiveDate, u64, Decimal)>, Fault> {
        self.read(Call::PosRead, |db| {
            let mut days: BTreeMap<NaiveDate, (u64, Decimal)> = BTreeMap::new();
            for row in db.infos.values().filter(|row| row.text("TillID") == TILL_ID) {
                let Some(Value::Date(at)) = row.get("InvoiceDate") else { continue };
                let day = days.entry(at.date()).or_default();
                day.0 += 1;
                day.1 += row.decimal("GrandTotal");
            }
            days.into_iter().map(|(day, (count, total))| (day, count, total)).collect()
        })
        .await
    }

    async fn read_back(&self, number: &str, inv_id: InvId, tax: TaxType) -> Result<Vec<FoundBill>, Fault> {
        let posting = self.posting();
        self.read(Call::PosRead, |db| {
            let mut bills = bills(db, number, Some(inv_id), tax);
            let mut books = standing(db, &[number], |book| book.is_in(posting));
            hand_out(&mut books, &mut bills);
            bills
        })
        .await
    }

    async fn bills(&self, page: &BillPage) -> Result<Vec<FoundBill>, Fault> {
        if self.answers_unseen() {
            return Ok(Vec::new());
        }
        let hide = self.wire.sim.is(Planted::OwnBillImported);
        let bills = self
            .read(Call::PosRead, |db| {
                let ids: Vec<i32> =
                    in_page(db, page).take(page.limit.try_into().unwrap_or(usize::MAX)).collect();
                ids.into_iter().filter_map(|id| paged(db, id, hide)).collect()
            })
            .await?;
        self.seen(4);
        Ok(bills)
    }

    async fn number_marks(&self) -> Result<NumberMarks, Fault> {
        self.read(Call::PosRead, |db| NumberMarks {
            inv_id: db.max_inv(),
            gst: db.gst.last_key_value().map_or(0, |(id, _)| *id),
            non_gst: db.no_tax.last_key_value().map_or(0, |(id, _)| *id),
            code: "GST".into(),
            suffix: String::new(),
        })
        .await
    }

    async fn count_bills(&self, page: &BillPage) -> Result<u64, Fault> {
        if self.answers_unseen() {
            return Ok(0);
        }
        self.read(Call::PosRead, |db| in_page(db, page).count() as u64).await
    }
}

/// Without what the real look-up of many leaves out.
fn compared(mut found: Found, lookup: &Lookup) -> Found {
    found.former = None;
    found.postings.stock.clear();
    let own = found.bills.iter().find(|bill| Some(bill.inv_id()) == lookup.inv_id);
    match own.filter(|bill| bill.has_number(&lookup.number)) {
        None => (found.customer, found.postings.party) = (None, Party::default()),
        Some(bill) => {
            let named = bill.party().is_some() || !bill.postings.kinds().ledgers;
            if let Some(customer) = bill.customer_id().filter(|_| named) {
                (found.customer, found.postings.party) = (Some(customer), bill.party().unwrap_or_default());
            }
        }
    }
    found
}

fn in_page<'a>(db: &'a Db, page: &'a BillPage) -> impl Iterator<Item = i32> + 'a {
    let of_day = |row: &Row| match (page.from, row.get("InvoiceDate")) {
        (None, _) => true,
        (Some(from), Some(Value::Date(at))) => at.date() >= from,
        _ => false,
    };
    let after = db.infos.range(page.after.saturating_add(1)..);
    after.filter(move |(_, row)| of_day(row)).map(|(id, _)| *id)
}

/// A bill of a page: customer and products come along.
fn paged(db: &Db, inv_id: i32, hide_mark: bool) -> Option<FoundBill> {
    let mut bill = db.bill(inv_id)?;
    let customer = i32::try_from(bill.info.int("Customer_ID")).ok().and_then(|id| db.customers.get(&id));
    for name in ["Name", "Address", "City", "State", "ContactNo", "GSTIN"] {
        let value = customer.and_then(|row| row.get(name)).cloned().unwrap_or(Value::Null);
        bill.info.0.insert(name.to_owned(), value);
    }
    for line in &mut bill.lines {
        let Some(product) = db.by_pid(line.int("ProductID")) else { continue };
        line.0.insert("ProductCode".into(), Value::Text(product.code.clone()));
        line.0.insert("ProductName".into(), Value::Text(product.name.clone()));
        line.0.insert("SalesUnit".into(), Value::Text("PCS".into()));
    }
    if hide_mark {
        bill.info.0.insert("TillID".into(), Value::Text("TILL-1".into()));
    }
    Some(bill)
}

fn pos_product(product: &Product) -> PosProduct {
    PosProduct {
        pid: product.pid,
        code: Some(product.code.clone()),
        name: Some(product.name.clone()),
        hsn: "9608".into(),
        unit: "PCS".into(),
        price: Some(product.price),
        mrp: Some(product.price),
        barcode: "0".into(),
        gst_rate: Some(product.gst),
        active: product.active,
        lot_mrp: None,
        lot_barcode: Some(product.barcode.clone()),
        stock: super::OPENING,
    }
}

/// Every bill of a number, and the one of an Inv_ID; rows come along with one of them, as in the real look-up.
pub(super) fn bills(db: &Db, number: &str, inv_id: Option<InvId>, tax: TaxType) -> Vec<FoundBill> {
    let mut ids = db.of_number(number);
    ids.extend(inv_id.filter(|id| db.infos.contains_key(id)));
    ids.sort_unstable();
    ids.dedup();
    let counters = if tax == TaxType::Gst { &db.gst } else { &db.no_tax };
    let counter = || -> Vec<Row> {
        let of_number = counters.iter().filter(|(_, text)| text.as_str() == number);
        of_number
            .map(|(id, text)| super::row([("ID", (*id).into()), ("InvNo", text.as_str().into())]))
            .collect()
    };
    let with_rows = |id: i32| -> Option<FoundBill> {
        let mut bill = db.bill(id)?;
        if Some(id) == inv_id {
            bill.counter = counter();
        } else {
            bill.lines.clear();
            bill.payments.clear();
        }
        Some(bill)
    };
    ids.into_iter().filter_map(with_rows).collect()
}

pub(super) fn standing(db: &Db, numbers: &[&str], wanted: impl Fn(Book) -> bool) -> Books {
    let mut books = Books::default();
    for (book, rows) in db.books.iter().filter(|(book, _)| wanted(**book)) {
        for row in rows.values().filter(|row| numbers.contains(&row.text(book.number_column()))) {
            books.0.entry(*book).or_default().push(row.clone());
        }
    }
    books
}

/// Gives every bill the rows of its number; what is left belongs to none.
pub(super) fn hand_out(all: &mut Books, bills: &mut [FoundBill]) {
    for (book, rows) in &mut all.0 {
        rows.retain(|row| {
            let number = row.text(book.number_column());
            match bills.iter_mut().find(|bill| bill.info.text("InvoiceNo").eq_ignore_ascii_case(number)) {
                Some(bill) => {
                    bill.postings.0.entry(*book).or_default().push(row.clone());
                    false
                }
                None => true,
            }
        });
    }
    all.0.retain(|_, rows| !rows.is_empty());
}

fn look_up(db: &Db, lookup: &Lookup, posting: PostingSettings) -> Found {
    let of_number = db.of_number(&lookup.number);
    let mut found_bills = Vec::new();
    if !of_number.is_empty() || lookup.inv_id.is_some() {
        let with_rows = of_number.first().copied().or(lookup.inv_id);
        found_bills = bills(db, &lookup.number, with_rows, lookup.tax_type);
    }
    let known = lookup.inv_id.and_then(|id| db.infos.get(&id)).map(|row| row.text("InvoiceNo").to_owned());
    let mut numbers = vec![lookup.number.as_str()];
    numbers.extend(known.as_deref());
    let any = !of_number.is_empty() || known.is_some();
    let mut books = standing(db, &numbers, |book| book.is_in(posting) || any);
    hand_out(&mut books, &mut found_bills);
    let products: Vec<LineProduct> = db
        .products
        .values()
        .filter(|product| lookup.product_codes.iter().any(|code| code.eq_ignore_ascii_case(&product.code)))
        .map(|product| LineProduct {
            pid: product.pid,
            code: product.code.clone(),
            cost_price: product.cost,
            cess_percent: Decimal::ZERO,
            barcode: "0".into(),
            tax_mode: "Exclusive".into(),
            unit: "PCS".into(),
        })
        .collect();
    let same = |row: &Row| match &lookup.phone {
        Some(phone) => phone_key(row.text("ContactNo")).as_deref() == Some(phone),
        None => row.text("Name") == "Cash",
    };
    let customer = db.customers.iter().find(|(_, row)| same(row));
    let party = customer
        .map(|(_, row)| Party { key: row.text("CustomerID").to_owned(), name: row.text("Name").to_owned() });
    let stock = products.iter().map(|product| {
        let of_product = db.stock.keys().filter(|(pid, _)| *pid == product.pid);
        (product.pid, of_product.map(|(_, barcode)| barcode.clone()).collect())
    });
    let stock = if posting.stock { stock.collect() } else { BTreeMap::new() };
    Found {
        bills: found_bills,
        former: former(db, lookup),
        customer: customer.map(|(id, _)| *id),
        company_state: "Tamil Nadu".into(),
        known: lookup.inv_id,
        marks: Marks::default(),
        postings: FoundPostings {
            party: party.unwrap_or_default(),
            stray: books,
            marks: BTreeMap::new(),
            stock,
        },
        products,
    }
}

/// What stands under the number of the bill of the known Inv_ID, where the invoice carries another one by now.
fn former(db: &Db, lookup: &Lookup) -> Option<Former> {
    let known = lookup.inv_id?;
    let number = db.infos.get(&known)?.text("InvoiceNo").to_owned();
    if number.is_empty() || number.eq_ignore_ascii_case(&lookup.number) {
        return None;
    }
    let counters = if lookup.tax_type == TaxType::Gst { &db.gst } else { &db.no_tax };
    let of_number = counters.iter().filter(|(_, text)| **text == number);
    let counter = of_number.map(|(id, text)| {
        let cells = [("ID", Value::Int((*id).into())), ("InvNo", Value::Text(text.clone()))];
        Row(cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    });
    let shared = db.of_number(&number).iter().any(|id| *id != known);
    Some(Former { counter: counter.collect(), shared })
}

fn marks(db: &Db, lookup: &Lookup) -> Marks {
    let counters = if lookup.tax_type == TaxType::Gst { &db.gst } else { &db.no_tax };
    let numbers =
        db.customers.values().filter_map(|row| row.text("CustomerID").strip_prefix("C-")?.parse().ok());
    Marks {
        inv_id: db.max_inv(),
        customer_id: db.customers.last_key_value().map_or(0, |(id, _)| *id),
        counter: counters.last_key_value().map_or(0, |(id, _)| *id),
        counter_taken: lookup.counter.is_none_or(|n| counters.contains_key(&n)),
        counter_has_number: counters.values().any(|text| *text == lookup.number),
        line_id: 0,
        payment_id: 0,
        customer_number: numbers.max().unwrap_or(0),
    }
}
