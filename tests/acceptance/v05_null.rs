//! v05: a NULL crashes RainTek's screens. No column of any row that ShopSync wrote holds one, whoever added the column.

use serde_json::json;
use shopsync::model::settings::PostingSettings;

use crate::harness::{Bill, Shop};

/// What ShopSync writes, and which rows of it are its own.
const TABLES: [(&str, &str); 10] = [
    ("InvoiceInfo", "TillID = N'SHOPSYNC'"),
    ("Invoice_Product", "InvoiceID IN (SELECT Inv_ID FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("Invoice_Payment", "InvoiceID IN (SELECT Inv_ID FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("SaleGST", "InvNo IN (SELECT InvoiceNo FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("SaleNoTax", "InvNo IN (SELECT InvoiceNo FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("Customer", "ID > 8"),
    ("LedgerBook", "LedgerNo IN (SELECT InvoiceNo FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("CustomerLedgerBook", "LedgerNo IN (SELECT InvoiceNo FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("BankAccountLedger", "LedgerNo IN (SELECT InvoiceNo FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("StockMovement", "TransID IN (SELECT InvoiceNo FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
];

const TYPES: [&str; 10] = [
    "nvarchar(20)",
    "nchar(5)",
    "varchar(10)",
    "int",
    "bigint",
    "decimal(9,3)",
    "float",
    "bit",
    "datetime",
    "date",
];

/// Gives every table a column of each kind that nobody knew of.
async fn widen(shop: &Shop, name: &str) {
    for (table, _) in TABLES {
        for (at, kind) in TYPES.iter().enumerate() {
            shop.raintek.sql(&format!("ALTER TABLE {table} ADD {name}{at} {kind} NULL")).await;
        }
    }
}

/// Bills of every kind, one of them to a new customer. Returns how many there are.
async fn bill_all(shop: &Shop, first: u32) {
    let phone = shop.phone().await;
    let customer = json!({"name": "Nila", "phone": format!("90000{first:05}")});
    let customer = phone.make("customers", customer).await["id"].as_str().unwrap().to_owned();
    let mut bills = Vec::new();
    for at in 0..5 {
        let mut bill = Bill::plain(&format!("GST-{:04}-2026/27", first + at));
        match at {
            1 => bill.customer = Some(customer.clone()),
            2 => bill.method = "credit",
            4 => bill.method = "upi",
            3 => {
                bill.number = format!("SINV-{first:04}-2026/27");
                bill.tax_type = "NON GST";
                bill.lines.iter_mut().for_each(|line| line.mode = "No Taxes");
            }
            _ => {}
        }
        bills.push(bill.send(shop).await);
    }
    for id in bills {
        shop.synced(&id).await;
    }
}

/// Asks for NULLs in every column that INFORMATION_SCHEMA tells of, in the tables that a shop's bills are written to.
pub(crate) async fn assert_no_null(shop: &Shop, is_written: impl Fn(&str) -> bool) -> usize {
    let mut seen = 0;
    for (table, ours) in TABLES.into_iter().filter(|(table, _)| is_written(table)) {
        let rows = shop.raintek.count(&format!("SELECT COUNT(*) FROM {table} WHERE {ours}")).await;
        assert!(rows > 0, "ShopSync wrote nothing into {table}");
        let columns =
            format!("SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = N'{table}'");
        let columns = shop.raintek.query(&columns).await;
        let names: Vec<&str> = columns.iter().map(|row| row.get(0).unwrap()).collect();
        let nulls: Vec<String> =
            names.iter().map(|name| format!("SUM(CASE WHEN [{name}] IS NULL THEN 1 ELSE 0 END)")).collect();
        let row = shop.raintek.query(&format!("SELECT {} FROM {table} WHERE {ours}", nulls.join(", "))).await;
        for (at, name) in names.iter().enumerate() {
            assert_eq!(row[0].get::<i32, _>(at), Some(0), "NULL in {table}.{name}");
            seen += usize::from(name.starts_with("Unheard"));
        }
    }
    seen
}

/// The same where every table was widened so many times.
async fn assert_none_in_widened(shop: &Shop, added: usize) {
    let seen = assert_no_null(shop, |_| true).await;
    assert_eq!(seen, added * TABLES.len() * TYPES.len(), "INFORMATION_SCHEMA tells of the new columns");
}

#[tokio::test]
async fn v05_null() {
    let mut shop = Shop::new(2);
    // What RainTek's own till books beside a bill is written as well.
    shop.settings.posting = PostingSettings::ALL;
    shop.raintek.start().await;
    widen(&shop, "Unheard_").await;
    shop.start().await;
    shop.in_step().await;
    bill_all(&shop, 1).await;
    assert_none_in_widened(&shop, 1).await;

    // RainTek is updated: more columns, first while nobody is connected.
    shop.raintek.order(json!({"action": "refuse"})).await;
    widen(&shop, "UnheardToo_").await;
    shop.raintek.order(json!({"action": "accept"})).await;
    bill_all(&shop, 11).await;
    let customers = shop.raintek.count("SELECT COUNT(*) FROM Customer WHERE UnheardToo_0 IS NOT NULL").await;
    assert_eq!(customers, 1, "the new customer after the update");
    let of_update =
        "SELECT COUNT(*) FROM InvoiceInfo WHERE UnheardToo_0 IS NULL AND InvoiceNo LIKE N'%-001%'";
    assert_eq!(shop.raintek.count(of_update).await, 0, "NULL in a column of the update");

    // Then while ShopSync is connected, as when RainTek's new version alters its tables at its start.
    for (table, _) in TABLES {
        shop.raintek.sql(&format!("ALTER TABLE {table} ADD UnheardLive nvarchar(20) NULL")).await;
    }
    bill_all(&shop, 21).await;
    let live = "SELECT COUNT(*) FROM InvoiceInfo WHERE UnheardLive IS NULL AND InvoiceNo LIKE N'%-002%'";
    assert_eq!(shop.raintek.count(live).await, 0, "NULL in a column that came while ShopSync was connected");
    let live = "SELECT COUNT(*) FROM Customer WHERE UnheardLive IS NOT NULL";
    assert_eq!(shop.raintek.count(live).await, 1, "the newest customer");
}
