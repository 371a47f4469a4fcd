//! RainTek's till bills, edits and deletes on every generation of its tables.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails loudly")]

mod support;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use raintek_sandbox::Generation;
use raintek_sandbox::till::Till;
use rust_decimal::Decimal;
use serde_json::Value;
use support::{Shop, error, int, shop_of};

fn list<'a>(row: &'a Value, name: &str) -> &'a [Value] {
    row.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn number(row: &Value, name: &str) -> Decimal {
    let text = row.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} of {row}"));
    text.parse().unwrap()
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 31).unwrap()
}

/// Every bill stands there whole: sums, keys, and no NULL in it.
async fn assert_whole(shop: &Shop, line_total: &str) -> usize {
    let dump = shop.dump().await;
    let mut keys = BTreeSet::new();
    for bill in list(&dump, "InvoiceInfo") {
        let sum =
            |rows: &str, name: &str| list(bill, rows).iter().map(|row| number(row, name)).sum::<Decimal>();
        assert_eq!(sum("Invoice_Payment", "TotalPaid"), number(bill, "GrandTotal"));
        assert_eq!(sum("Invoice_Product", line_total), number(bill, "SubTotal"));
        assert_eq!(number(bill, "Total") + number(bill, "RoundOff"), number(bill, "GrandTotal"));
        assert!(!bill.to_string().contains("null"), "a NULL crashes RainTek's screens: {bill}");
        for (rows, key) in [("Invoice_Product", "IPo_ID"), ("Invoice_Payment", "IP_ID")] {
            for row in list(bill, rows) {
                assert!(keys.insert((key, number(row, key))), "{key} twice");
            }
        }
    }
    assert_eq!(
        list(&dump, "SaleGST").len() + list(&dump, "SaleNoTax").len(),
        list(&dump, "InvoiceInfo").len()
    );
    list(&dump, "InvoiceInfo").len()
}

async fn works_on(generation: Generation, line_total: &str) -> Shop {
    let shop = shop_of(generation, 30);
    let mut till = Till::new(shop.sandbox.tds_port, "sa", "RainTek-1");
    let mut numbers = Vec::new();
    for seed in 0..8 {
        let bill = till.random_bill(seed, day()).await.unwrap();
        numbers.push(till.bill(&bill).await.unwrap().number);
    }
    assert_eq!(assert_whole(&shop, line_total).await, 8);
    let bill = till.random_bill(70, day()).await.unwrap();
    let edited = numbers.get(2).unwrap();
    till.edit(edited, &bill).await.unwrap();
    till.delete(numbers.get(4).unwrap()).await.unwrap();
    assert_eq!(assert_whole(&shop, line_total).await, 7);
    shop
}

#[tokio::test]
async fn the_current_one() {
    works_on(Generation::Current, "TotalAmount").await;
}

#[tokio::test]
async fn the_old_one() {
    let shop = works_on(Generation::Old, "Amount").await;
    let mut client = shop.connect().await;
    let vat = int(&mut client, "SELECT COUNT(*) FROM Invoice_Product WHERE VAT > 0 AND VATPer > 0").await;
    assert!(vat.unwrap() > 0, "the old tax is there");
    for gone in [
        "SELECT CGST FROM InvoiceInfo",
        "SELECT TotalAmount FROM Invoice_Product",
        "SELECT Customer_ID FROM InvoiceInfo",
    ] {
        assert_eq!(error(&mut client, gone).await, Some(207), "{gone}");
    }
    assert_eq!(error(&mut client, "SELECT * FROM SaleNoTax").await, Some(208));
}

#[tokio::test]
async fn the_one_with_plain_ids() {
    let shop = works_on(Generation::PlainIds, "TotalAmount").await;
    let mut client = shop.connect().await;
    let numbered = "SELECT COUNT(*) FROM sys.columns WHERE is_identity = 1 AND name IN (N'IPo_ID', N'IP_ID')";
    assert_eq!(int(&mut client, numbered).await, Some(0));
    let bare = "INSERT INTO Invoice_Payment (InvoiceID, TotalPaid) VALUES (1, 5)";
    assert_eq!(error(&mut client, bare).await, Some(515), "the server numbers nothing");
}

#[tokio::test]
async fn the_one_with_columns_nobody_knows() {
    let shop = works_on(Generation::ExtraNotNull, "TotalAmount").await;
    let mut client = shop.connect().await;
    for table in ["InvoiceInfo", "Invoice_Payment", "SaleGST", "Customer", "LedgerBook"] {
        let count = format!(
            "SELECT COUNT(*) FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = N'{table}' AND IS_NULLABLE = 'NO' \
             AND COLUMN_NAME LIKE N'X%'"
        );
        assert_eq!(int(&mut client, &count).await, Some(8), "{table}");
    }
    let bare = "INSERT INTO SaleGST (ID, InvNo) VALUES (900, N'x')";
    assert_eq!(error(&mut client, bare).await, Some(515), "they cannot be left out");
}
