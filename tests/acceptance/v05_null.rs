//! v05: a NULL crashes RainTek's screens. No column of any row that ShopSync wrote holds one, whoever added the column.

use serde_json::json;

use crate::harness::{Bill, Shop};

/// What ShopSync writes, and which rows of it are its own.
const TABLES: [(&str, &str); 6] = [
    ("InvoiceInfo", "TillID = N'SHOPSYNC'"),
    ("Invoice_Product", "InvoiceID IN (SELECT Inv_ID FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("Invoice_Payment", "InvoiceID IN (SELECT Inv_ID FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("SaleGST", "InvNo IN (SELECT InvoiceNo FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("SaleNoTax", "InvNo IN (SELECT InvoiceNo FROM InvoiceInfo WHERE TillID = N'SHOPSYNC')"),
    ("Customer", "ID > 8"),
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
    for at in 0..4 {
        let mut bill = Bill::plain(&format!("GST-{:04}-2026/27", first + at));
        match at {
            1 => bill.customer = Some(customer.clone()),
            2 => bill.method = "credit",
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

/// Asks for NULLs in every column that INFORMATION_SCHEMA tells of.
async fn assert_no_null(shop: &Shop, added: usize) {
    let mut seen = 0;
    for (table, ours) in TABLES {
        let rows = shop.raintek.count(&format!("SELECT COUNT(*) FROM {table} WHERE {ours}")).await;
        assert!(rows > 0, "ShopSync wrote nothing into {table}");
        let columns =
            format!("SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = N'{table}'");
        for row in shop.raintek.query(&columns).await {
            let column: &str = row.get(0).unwrap();
            let nulls = format!("SELECT COUNT(*) FROM {table} WHERE {ours} AND [{column}] IS NULL");
            assert_eq!(shop.raintek.count(&nulls).await, 0, "NULL in {table}.{column}");
            seen += usize::from(column.starts_with("Unheard"));
        }
    }
    assert_eq!(seen, added * TABLES.len() * TYPES.len(), "INFORMATION_SCHEMA tells of the new columns");
}

#[tokio::test]
async fn v05_null() {
    let mut shop = Shop::new(2);
    shop.raintek.start().await;
    widen(&shop, "Unheard_").await;
    shop.start().await;
    shop.in_step().await;
    bill_all(&shop, 1).await;
    assert_no_null(&shop, 1).await;

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
