//! RainTek in memory: its tables, as far as anybody looks at them, with what SQL Server does about them.

mod adapter;
pub(crate) mod cashier;
mod transaction;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;
use tokio::sync::Notify;

use shopsync::model::bill::{FoundBill, Row, Value};
use shopsync::model::posting::Book;
use shopsync::model::schema::{Column, ColumnKind, PosSchema, Table};

pub(crate) use adapter::RainTek;

use crate::goods::{code, paise};
use crate::story::Setup;

const COLUMNS: &str = include_str!("../../raintek-sandbox/data/raintek_columns.csv");
/// What every product starts with.
pub(crate) const OPENING: Decimal = Decimal::from_parts(1000, 0, 0, false, 0);

/// One product.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) pid: i32,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) price: Decimal,
    pub(crate) cost: Decimal,
    pub(crate) gst: Decimal,
    pub(crate) active: bool,
    pub(crate) barcode: String,
    /// It was switched off once, so that the app may rightly show it so.
    pub(crate) ever_off: bool,
}

/// The database.
pub(crate) struct Db {
    pub(crate) schema: Arc<PosSchema>,
    /// `InvoiceInfo` by Inv_ID.
    pub(crate) infos: BTreeMap<i32, Row>,
    /// `Invoice_Product` by IPo_ID.
    pub(crate) lines: BTreeMap<i32, Row>,
    /// `Invoice_Payment` by IP_ID.
    pub(crate) payments: BTreeMap<i32, Row>,
    /// `SaleGST` and `SaleNoTax`: ID -> InvNo.
    pub(crate) gst: BTreeMap<i32, String>,
    pub(crate) no_tax: BTreeMap<i32, String>,
    pub(crate) customers: BTreeMap<i32, Row>,
    pub(crate) products: BTreeMap<i32, Product>,
    /// `Temp_Stock` by product and barcode.
    pub(crate) stock: BTreeMap<(i32, String), Decimal>,
    pub(crate) books: BTreeMap<Book, BTreeMap<i32, Row>>,
    identity: i32,
    /// Transactions that hold the end of the number ranges, and those of them that have written.
    pub(crate) open: u32,
    pub(crate) dirty: u32,
    pub(crate) app_lock: Arc<tokio::sync::Mutex<()>>,
    pub(crate) changed: Arc<Notify>,
    /// Bills that RainTek's own till is in the middle of, statement by statement.
    pub(crate) under_way: u32,
    /// Inv_IDs of the bills that ShopSync made.
    pub(crate) ours: BTreeSet<i32>,
    /// When RainTek's own till last changed a bill, by Inv_ID, in steady milliseconds.
    pub(crate) till_at: BTreeMap<i32, u64>,
    /// When a product was last changed.
    pub(crate) product_at: BTreeMap<i32, u64>,
    kept: Kept,
}

/// The rows of bills, as they once were.
#[derive(Debug, Clone, Default)]
struct Kept {
    infos: BTreeMap<i32, Row>,
    lines: BTreeMap<i32, Row>,
    payments: BTreeMap<i32, Row>,
    books: BTreeMap<Book, BTreeMap<i32, Row>>,
}

impl Db {
    pub(crate) fn new(setup: &Setup) -> Self {
        let mut db = Self {
            schema: Arc::new(schema()),
            infos: BTreeMap::new(),
            lines: BTreeMap::new(),
            payments: BTreeMap::new(),
            gst: BTreeMap::new(),
            no_tax: BTreeMap::new(),
            customers: BTreeMap::new(),
            products: BTreeMap::new(),
            stock: BTreeMap::new(),
            books: Book::ALL.into_iter().map(|book| (book, BTreeMap::new())).collect(),
            identity: 5000,
            open: 0,
            dirty: 0,
            app_lock: Arc::default(),
            changed: Arc::default(),
            under_way: 0,
            ours: BTreeSet::new(),
            till_at: BTreeMap::new(),
            product_at: BTreeMap::new(),
            kept: Kept::default(),
        };
        db.customers
            .insert(1, row([("ID", 1.into()), ("CustomerID", "C-0001".into()), ("Name", "Cash".into())]));
        // Somebody RainTek knows already, as its own screen spells the phone.
        db.customers.insert(
            2,
            row([
                ("ID", 2.into()),
                ("CustomerID", "C-0002".into()),
                ("Name", "Old friend".into()),
                ("ContactNo", "09840010000".into()),
            ]),
        );
        if setup.stage.no_stock {
            let mut schema = schema();
            schema.tables.remove(Book::StockMovement.table());
            db.schema = Arc::new(schema);
        }
        for n in 0..setup.products {
            db.add_product(n);
        }
        db
    }

    /// Keeps the rows of all bills as they are.
    pub(crate) fn keep(&mut self) {
        self.kept = Kept {
            infos: self.infos.clone(),
            lines: self.lines.clone(),
            payments: self.payments.clone(),
            books: self.books.clone(),
        };
    }

    /// RainTek is another database from now on, or the one that was kept.
    pub(crate) fn swap(&mut self) {
        std::mem::swap(&mut self.infos, &mut self.kept.infos);
        std::mem::swap(&mut self.lines, &mut self.kept.lines);
        std::mem::swap(&mut self.payments, &mut self.kept.payments);
        std::mem::swap(&mut self.books, &mut self.kept.books);
    }

    /// A bill is as it was when it was kept.
    pub(crate) fn put_back(&mut self, inv_id: i32) {
        let kept = self.kept.clone();
        let Some(info) = kept.infos.get(&inv_id) else { return };
        let number = info.text("InvoiceNo");
        let of_bill = |row: &Row| row.int("InvoiceID") == i64::from(inv_id);
        for (rows, kept) in [(&mut self.lines, kept.lines), (&mut self.payments, kept.payments)] {
            rows.retain(|_, row| !of_bill(row));
            rows.extend(kept.into_iter().filter(|(_, row)| of_bill(row)));
        }
        for (book, kept) in kept.books {
            let of_number = |row: &Row| row.text(book.number_column()) == number;
            let rows = self.books.entry(book).or_default();
            rows.retain(|_, row| !of_number(row));
            rows.extend(kept.into_iter().filter(|(_, row)| of_number(row)));
        }
        self.infos.insert(inv_id, info.clone());
    }

    /// The n-th product comes in.
    pub(crate) fn add_product(&mut self, n: u32) {
        let pid = 11 + i32::try_from(n).unwrap_or(0);
        let gst = [5, 18, 0, 12][usize::try_from(n % 4).unwrap_or(0)];
        let price = paise(2_500 + i64::from(n) * 1_337);
        let barcode = format!("890100000{n:04}");
        self.stock.entry((pid, barcode.clone())).or_insert(OPENING);
        self.products.entry(pid).or_insert(Product {
            pid,
            code: code(n),
            name: format!("Article {n}"),
            price,
            cost: paise(1_000),
            gst: Decimal::from(gst),
            active: true,
            barcode,
            ever_off: false,
        });
    }

    pub(crate) fn next_identity(&mut self) -> i32 {
        self.identity += 1;
        self.identity
    }

    pub(crate) fn counter(&mut self, gst: bool) -> &mut BTreeMap<i32, String> {
        if gst { &mut self.gst } else { &mut self.no_tax }
    }

    pub(crate) fn max_inv(&self) -> i32 {
        self.infos.last_key_value().map_or(0, |(id, _)| *id)
    }

    pub(crate) fn by_pid(&self, pid: i64) -> Option<&Product> {
        i32::try_from(pid).ok().and_then(|pid| self.products.get(&pid))
    }

    /// Inv_IDs of the bills of a number.
    pub(crate) fn of_number(&self, number: &str) -> Vec<i32> {
        let same = |row: &Row| row.text("InvoiceNo").trim().eq_ignore_ascii_case(number.trim());
        self.infos.iter().filter(|(_, row)| same(row)).map(|(id, _)| *id).collect()
    }

    /// What ShopSync wrote is ours, whatever its mark says by now.
    pub(crate) fn is_ours(&self, inv_id: i32) -> bool {
        self.ours.contains(&inv_id)
    }

    /// A bill with its lines and payments.
    pub(crate) fn bill(&self, inv_id: i32) -> Option<FoundBill> {
        let info = self.infos.get(&inv_id)?.clone();
        Some(FoundBill {
            info,
            lines: of_bill(&self.lines, inv_id),
            payments: of_bill(&self.payments, inv_id),
            ..FoundBill::default()
        })
    }
}

/// All bills, found by their number and with their rows at hand: who compares every one of them looks at each row once,
/// and not at all rows for each bill.
pub(crate) struct Bills<'a> {
    pub(crate) db: &'a Db,
    by_number: BTreeMap<String, Vec<i32>>,
    lines: BTreeMap<i64, Vec<&'a Row>>,
    payments: BTreeMap<i64, Vec<&'a Row>>,
}

impl<'a> Bills<'a> {
    pub(crate) fn of(db: &'a Db) -> Self {
        let mut by_number: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for (id, row) in &db.infos {
            by_number.entry(key_of(row.text("InvoiceNo"))).or_default().push(*id);
        }
        Self { db, by_number, lines: by_bill(&db.lines), payments: by_bill(&db.payments) }
    }

    /// As [`Db::of_number`].
    pub(crate) fn of_number(&self, number: &str) -> &[i32] {
        self.by_number.get(&key_of(number)).map_or(&[], Vec::as_slice)
    }

    /// As [`Db::bill`].
    pub(crate) fn bill(&self, inv_id: i32) -> Option<FoundBill> {
        let info = self.db.infos.get(&inv_id)?.clone();
        let rows = |of: &BTreeMap<i64, Vec<&Row>>| -> Vec<Row> {
            of.get(&i64::from(inv_id)).into_iter().flatten().map(|row| (*row).clone()).collect()
        };
        Some(FoundBill {
            info,
            lines: rows(&self.lines),
            payments: rows(&self.payments),
            ..FoundBill::default()
        })
    }
}

fn key_of(number: &str) -> String {
    number.trim().to_ascii_lowercase()
}

fn by_bill(rows: &BTreeMap<i32, Row>) -> BTreeMap<i64, Vec<&Row>> {
    let mut all: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    for row in rows.values() {
        all.entry(row.int("InvoiceID")).or_default().push(row);
    }
    all
}

fn of_bill(rows: &BTreeMap<i32, Row>, inv_id: i32) -> Vec<Row> {
    rows.values().filter(|row| row.int("InvoiceID") == i64::from(inv_id)).cloned().collect()
}

pub(crate) fn date(day: NaiveDate) -> Value {
    Value::Date(NaiveDateTime::new(day, NaiveTime::MIN))
}

/// A cell, from what is at hand.
pub(crate) struct Cell(Value);

impl From<i32> for Cell {
    fn from(value: i32) -> Self {
        Self(Value::Int(value.into()))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self(Value::Text(value.trim_end().to_owned()))
    }
}

impl From<Decimal> for Cell {
    fn from(value: Decimal) -> Self {
        Self(Value::Dec(value))
    }
}

impl From<NaiveDate> for Cell {
    fn from(value: NaiveDate) -> Self {
        Self(date(value))
    }
}

pub(crate) fn row<const N: usize>(cells: [(&str, Cell); N]) -> Row {
    Row(cells.into_iter().map(|(name, Cell(value))| (name.to_owned(), value)).collect())
}

/// RainTek's tables as the facts describe them.
fn schema() -> PosSchema {
    let mut schema = PosSchema::default();
    for text in COLUMNS.lines().skip(1).filter(|text| !text.is_empty()) {
        let (name, rest) = text.split_once(',').unwrap_or_default();
        let (column, rest) = rest.split_once(',').unwrap_or_default();
        let (kind, rest) = match rest.strip_prefix('"') {
            Some(rest) => rest.split_once('"').unwrap_or_default(),
            None => rest.split_once(',').unwrap_or_default(),
        };
        let identity = rest.trim_start_matches(',').starts_with("yes,yes");
        let table = schema
            .tables
            .entry(name.to_owned())
            .or_insert_with(|| Table { name: name.to_owned(), columns: Vec::new() });
        table.columns.push(Column { name: column.to_owned(), kind: column_kind(kind), identity });
    }
    schema
}

fn column_kind(kind: &str) -> ColumnKind {
    let (name, arguments) = kind.split_once('(').unwrap_or((kind, ""));
    let numbers: Vec<u32> =
        arguments.trim_end_matches(')').split(',').filter_map(|n| n.trim().parse().ok()).collect();
    let at = |index: usize| numbers.get(index).copied().unwrap_or_default();
    match name {
        "int" => ColumnKind::Int,
        "decimal" => ColumnKind::Decimal { precision: at(0), scale: at(1) },
        "datetime" => ColumnKind::Date,
        "image" => ColumnKind::Bytes,
        text => ColumnKind::Text {
            max: numbers.first().and_then(|n| usize::try_from(*n).ok()),
            wide: text.starts_with('n'),
        },
    }
}
