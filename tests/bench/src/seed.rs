//! Large shops, made fast: straight into the files of servers that stand still.

use std::path::Path;

use chrono::TimeDelta;
use rusqlite::Connection;
use shopsync::model::bill::{FoundBill, Row, Value};
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{InvoiceRead, TaxType};
use shopsync::model::settings::{Encryption, RaintekSettings, StockSource};
use shopsync::ports::{Billing as _, Pos as _};
use shopsync::raintek::RainTek;
use shopsync::sync::awareness::found_digest;
use shopsync::sync::digest::invoice_digest;

use crate::harness::Shop;
use crate::harness::raintek::PASSWORD;
use crate::stage::{line_id, number, record_id};

fn open(file: &Path) -> Connection {
    let database = Connection::open(file).unwrap();
    // RainTek's stand-in compares texts by it; no index is kept in that order.
    database.create_collation("T", |left, right| left.cmp(right)).unwrap();
    database
        .execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -64000")
        .unwrap();
    database
}

fn app(shop: &Shop) -> Connection {
    open(&shop.app.own_app().join("pb_data/data.db"))
}

/// Copies rows `WHERE {place}` as often as `numbers` has rows `k`, with some columns put another way.
fn copy(database: &Connection, table: &str, place: &str, changed: &[(&str, &str)]) {
    copy_from(database, table, &format!("\"{table}\""), place, changed);
}

fn copy_from(database: &Connection, table: &str, from: &str, place: &str, changed: &[(&str, &str)]) {
    let mut statement = database.prepare(&format!("PRAGMA table_info(\"{table}\")")).unwrap();
    let names: Vec<String> = statement.query_map([], |row| row.get(1)).unwrap().map(Result::unwrap).collect();
    let columns: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let values: Vec<String> = names
        .iter()
        .map(|name| {
            let change = changed.iter().find(|(column, _)| column == name);
            change.map_or_else(|| format!("t.\"{name}\""), |(_, value)| (*value).to_owned())
        })
        .collect();
    let sql = format!(
        "INSERT INTO \"{table}\" ({}) SELECT {} FROM numbers CROSS JOIN (SELECT rowid AS place, * FROM {from} \
         WHERE {place}) AS t ORDER BY k, t.place",
        columns.join(", "),
        values.join(", ")
    );
    database.execute(&sql, []).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

fn numbers(database: &Connection, first: u32, count: u32) {
    let last = first + count - 1;
    database
        .execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.numbers; CREATE TEMP TABLE numbers (k INTEGER PRIMARY KEY);
             WITH RECURSIVE n(k) AS (SELECT {first} UNION ALL SELECT k + 1 FROM n WHERE k < {last})
             INSERT INTO numbers SELECT k FROM n;"
        ))
        .unwrap();
}

const NUMBER: &str = "printf('GST-%04d-2026/27', k)";
const RECORD: &str = "printf('bench%010d', k)";
/// [`crate::stage::line_id`].
const LINE: &str = "printf('l%010d%04d', k, row_number() OVER (PARTITION BY k ORDER BY t.place))";
/// Within the first seconds of a day, so that no two have one time.
const TIME: &str = "strftime('%Y-%m-%d %H:%M:%fZ', '2026-10-01', '+' || k || ' seconds')";

fn copies_of(database: &Connection, template: &str, head: &[(&str, &str)]) {
    let changed = [&[("id", RECORD), ("invoice_number", NUMBER), ("created", TIME)], head].concat();
    copy(database, "invoices", &format!("id = '{template}'"), &changed);
    let line = [("id", LINE), ("invoice", RECORD)];
    copy(database, "invoice_items", &format!("invoice = '{template}'"), &line);
}

/// So many completed copies of a draft, from bill `first` on. PocketBase and ShopSync stand still.
pub(crate) fn waiting(shop: &Shop, template: &str, first: u32, count: u32) {
    let database = app(shop);
    database.execute_batch("BEGIN").unwrap();
    numbers(&database, first, count);
    copies_of(&database, template, &[("status", "'completed'"), ("updated", TIME)]);
    database.execute_batch("COMMIT").unwrap();
}

/// Invoices of a day in shops with a history.
const A_DAY: u32 = 100;

/// How many days before the newest copy one was made.
fn age(k: u32, last: u32) -> i64 {
    i64::from((last - k) / A_DAY)
}

/// Sets all days of RainTek's rows back by the age of their copy.
fn days_back(raintek: &Connection, table: &str, age: &str) -> Vec<(String, String)> {
    /// RainTek's stand-in counts time in these.
    const TICKS_OF_A_DAY: i64 = 864_000_000_000;
    let mut statement =
        raintek.prepare("SELECT name FROM _columns WHERE tab = ?1 AND type LIKE 'date%'").unwrap();
    let names = statement.query_map([table], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap);
    names.map(|name| (name.clone(), format!("t.\"{name}\" - {age} * {TICKS_OF_A_DAY}"))).collect()
}

fn set_back(row: &mut Row, days: TimeDelta) {
    for value in row.0.values_mut() {
        if let Value::Date(at) = value {
            *at -= days;
        }
    }
}

/// Bill 1, as RainTek has it.
async fn standing(shop: &Shop, inv_id: i32) -> FoundBill {
    let settings = RaintekSettings {
        server: "127.0.0.1".into(),
        port: shop.raintek.port,
        encryption: Encryption::None,
        ..RaintekSettings::default()
    };
    let raintek = RainTek::new(&settings, Some(PASSWORD.into()), StockSource::Opening);
    let bills = raintek.read_back(&number(1), inv_id, TaxType::Gst).await.unwrap();
    let [bill] = bills.as_slice() else { panic!("bill 1 is not there once: {bills:?}") };
    bill.clone()
}

/// So many copies of bill 1, proven in RainTek, on both sides and in ShopSync's store, a hundred a day up to its own.
/// Only PocketBase and RainTek may run, and both must.
pub(crate) async fn history(shop: &mut Shop, count: u32) {
    let (template, last) = (record_id(1), count + 1);
    let age_of_k = format!("(({last} - k) / {A_DAY})");
    let billing = shop.app.adapter();
    let InvoiceRead::Found(invoice) = billing.invoice(&RecordId::new(&*template)).await.unwrap() else {
        panic!("bill 1 is not there")
    };
    let store = open(&shop.data().join("shopsync.sqlite"));
    let inv_id: i32 = store
        .query_row("SELECT inv_id FROM outbox WHERE record_id = ?1", [&template], |row| row.get(0))
        .unwrap();
    let bill = standing(shop, inv_id).await;
    shop.raintek.kill();

    let database = app(shop);
    database.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    numbers(&database, 2, count);
    let stamped = format!("{inv_id} + k - 1");
    let day = format!("strftime('%Y-%m-%d %H:%M:%fZ', t.\"invoice_date\", '-' || {age_of_k} || ' days')");
    let head = [("raintek_inv_id", &*stamped), ("updated", TIME), ("invoice_date", &*day)];
    copies_of(&database, &template, &head);
    database.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();

    let raintek = open(&shop.app.folder.path().join("raintek.sqlite"));
    raintek.execute_batch("BEGIN").unwrap();
    numbers(&raintek, 2, count);
    let copies = |table: &str, place: String, changed: &[(&str, &str)]| {
        let days = days_back(&raintek, table, &age_of_k);
        let days = days.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        copy(&raintek, table, &place, &days.chain(changed.iter().copied()).collect::<Vec<_>>());
    };
    copies("InvoiceInfo", format!("Inv_ID = {inv_id}"), &[("Inv_ID", &stamped), ("InvoiceNo", NUMBER)]);
    for (table, key) in [("Invoice_Product", "IPo_ID"), ("Invoice_Payment", "IP_ID")] {
        let next =
            format!("(SELECT MAX(\"{key}\") FROM \"{table}\") + row_number() OVER (ORDER BY k, t.place)");
        copies(table, format!("InvoiceID = {inv_id}"), &[(key, &next), ("InvoiceID", &stamped)]);
    }
    copies("SaleGST", "ID = 1".into(), &[("ID", "k"), ("InvNo", NUMBER)]);
    raintek.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();

    store.execute_batch("BEGIN").unwrap();
    numbers(&store, 2, count);
    let seq = "(SELECT MAX(seq) FROM outbox) + row_number() OVER (ORDER BY k)";
    let day = format!("date(t.\"day\", '-' || {age_of_k} || ' days')");
    let done_at = format!("t.\"done_at\" - {age_of_k} * 86400000");
    let item = [
        ("record_id", RECORD),
        ("number", NUMBER),
        ("seq", seq),
        ("inv_id", &*stamped),
        ("updated", TIME),
        ("day", &*day),
        ("done_at", &*done_at),
    ];
    copy(&store, "outbox", &format!("record_id = '{template}'"), &item);
    let known = [("inv_id", &*stamped), ("number", NUMBER), ("day", &*day)];
    let place = format!("inv_id = {inv_id}");
    // Without a rowid there is no place to order by, and one row needs none.
    store.execute_batch("CREATE TEMP TABLE template AS SELECT * FROM bills").unwrap();
    store.execute(&format!("DELETE FROM template WHERE NOT ({place})"), []).unwrap();
    copy_from(&store, "bills", "temp.template", "true", &known);
    {
        let mut item = store.prepare("UPDATE outbox SET digest = ?2 WHERE record_id = ?1").unwrap();
        let mut known = store.prepare("UPDATE bills SET digest = ?2 WHERE inv_id = ?1").unwrap();
        let mut copy = *invoice;
        let day = copy.date;
        for k in 2..=last {
            let days = TimeDelta::days(age(k, last));
            copy.id = RecordId::new(record_id(k));
            copy.number = number(k);
            copy.date = day - days;
            for (at, line) in copy.lines.iter_mut().enumerate() {
                line.id = RecordId::new(line_id(k, at + 1));
            }
            item.execute([record_id(k), invoice_digest(&copy)]).unwrap();
            let mut bill = bill.clone();
            bill.info.0.insert("InvoiceNo".into(), Value::Text(number(k)));
            let rows = bill.lines.iter_mut().chain(&mut bill.payments);
            rows.chain(std::iter::once(&mut bill.info)).for_each(|row| set_back(row, days));
            let changed = known.execute((i64::from(inv_id) + i64::from(k) - 1, found_digest(&bill))).unwrap();
            assert_eq!(changed, 1);
        }
    }
    store.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    shop.raintek.start().await;
}
