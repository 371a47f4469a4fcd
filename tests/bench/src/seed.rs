//! Large shops, made fast: straight into the files of servers that stand still.

use std::path::Path;

use rusqlite::Connection;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::InvoiceRead;
use shopsync::ports::Billing as _;
use shopsync::sync::digest::invoice_digest;

use crate::harness::Shop;
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
        "INSERT INTO \"{table}\" ({}) SELECT {} FROM numbers CROSS JOIN (SELECT rowid AS place, * FROM \"{table}\" \
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

/// So many copies of bill 1, proven in RainTek, on both sides and in ShopSync's store. Only PocketBase and RainTek
/// may run, and PocketBase must.
pub(crate) async fn history(shop: &mut Shop, count: u32) {
    let template = record_id(1);
    let billing = shop.app.adapter();
    let InvoiceRead::Found(invoice) = billing.invoice(&RecordId::new(&*template)).await.unwrap() else {
        panic!("bill 1 is not there")
    };
    shop.raintek.kill();
    let store = open(&shop.data().join("shopsync.sqlite"));
    let inv_id: i64 = store
        .query_row("SELECT inv_id FROM outbox WHERE record_id = ?1", [&template], |row| row.get(0))
        .unwrap();

    let database = app(shop);
    database.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    numbers(&database, 2, count);
    let stamped = format!("{inv_id} + k - 1");
    copies_of(&database, &template, &[("raintek_inv_id", &stamped), ("updated", TIME)]);
    database.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();

    let raintek = open(&shop.app.folder.path().join("raintek.sqlite"));
    raintek.execute_batch("BEGIN").unwrap();
    numbers(&raintek, 2, count);
    let bill = [("Inv_ID", &*stamped), ("InvoiceNo", NUMBER)];
    copy(&raintek, "InvoiceInfo", &format!("Inv_ID = {inv_id}"), &bill);
    for (table, key) in [("Invoice_Product", "IPo_ID"), ("Invoice_Payment", "IP_ID")] {
        let next =
            format!("(SELECT MAX(\"{key}\") FROM \"{table}\") + row_number() OVER (ORDER BY k, t.place)");
        copy(&raintek, table, &format!("InvoiceID = {inv_id}"), &[(key, &*next), ("InvoiceID", &*stamped)]);
    }
    copy(&raintek, "SaleGST", "ID = 1", &[("ID", "k"), ("InvNo", NUMBER)]);
    raintek.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();

    store.execute_batch("BEGIN").unwrap();
    numbers(&store, 2, count);
    let seq = "(SELECT MAX(seq) FROM outbox) + row_number() OVER (ORDER BY k)";
    let item =
        [("record_id", RECORD), ("number", NUMBER), ("seq", seq), ("inv_id", &*stamped), ("updated", TIME)];
    copy(&store, "outbox", &format!("record_id = '{template}'"), &item);
    {
        let mut digest = store.prepare("UPDATE outbox SET digest = ?2 WHERE record_id = ?1").unwrap();
        let mut copy = *invoice;
        for k in 2..2 + count {
            copy.id = RecordId::new(record_id(k));
            copy.number = number(k);
            for (at, line) in copy.lines.iter_mut().enumerate() {
                line.id = RecordId::new(line_id(k, at + 1));
            }
            digest.execute([record_id(k), invoice_digest(&copy)]).unwrap();
        }
    }
    store.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    shop.raintek.start().await;
}
