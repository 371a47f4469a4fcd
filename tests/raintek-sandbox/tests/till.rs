//! The till does what RainTek does.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails loudly")]

mod support;

use chrono::NaiveDate;
use raintek_sandbox::till::{Bill, Line, NewProduct, TaxMode, Till};
use rust_decimal::Decimal;
use serde_json::Value;
use support::shop;

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn field<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} of {row}"))
}

fn list<'a>(row: &'a Value, name: &str) -> &'a [Value] {
    row.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn pens(qty: i64, date: NaiveDate) -> Bill {
    Bill {
        date,
        customer: 1,
        lines: vec![Line {
            code: "PEN".to_owned(),
            qty: Decimal::from(qty),
            rate: None,
            discount_percent: Decimal::ZERO,
        }],
        payments: vec![("By Cash".to_owned(), 50), ("Credit Terms - 30 days".to_owned(), 50)],
        discount: Decimal::ZERO,
        gst: true,
    }
}

fn pen() -> NewProduct {
    NewProduct {
        code: "PEN".to_owned(),
        name: "Blue pen".to_owned(),
        price: Decimal::new(1_000, 2),
        gst: Decimal::from(5),
        tax_mode: TaxMode::Inclusive,
        unit: "PCS".to_owned(),
        barcode: Some("8901".to_owned()),
        stock: Decimal::from(100),
    }
}

fn stock(dump: &Value) -> String {
    let product = list(dump, "Product").first().unwrap();
    field(list(product, "Temp_Stock").first().unwrap(), "Qty").to_owned()
}

#[tokio::test]
async fn a_bill_is_made_edited_and_deleted_as_raintek_does() {
    let shop = shop(0);
    let mut till = Till::new(shop.sandbox.tds_port, "sa", "RainTek-1");
    till.add_product(&pen()).await.unwrap();
    let billed = till.bill(&pens(3, day(2026, 3, 31))).await.unwrap();
    assert_eq!((billed.number.as_str(), billed.inv_id), ("GST-0001-2025/26", 1));

    let dump = shop.dump().await;
    let bill = list(&dump, "InvoiceInfo").first().unwrap();
    assert_eq!(field(bill, "GrandTotal"), "30.00");
    assert_eq!((field(bill, "TaxableAmt"), field(bill, "CGST")), ("28.56", "0.72"));
    assert_eq!((field(bill, "TotalPaid"), field(bill, "Balance")), ("15.00", "15.00"));
    assert_eq!(list(bill, "Invoice_Payment").len(), 2);
    assert!(!bill.to_string().contains("null"), "a NULL crashes RainTek's screens: {bill}");
    assert_eq!(stock(&dump), "97.000");
    assert_eq!(field(list(&dump, "SaleGST").first().unwrap(), "InvNo"), "GST-0001-2025/26");

    till.edit(&billed.number, &pens(5, day(2026, 3, 31))).await.unwrap();
    let dump = shop.dump().await;
    let bill = list(&dump, "InvoiceInfo").first().unwrap();
    assert_eq!((field(bill, "Inv_ID"), field(bill, "GrandTotal")), ("1", "50.00"));
    assert_eq!(list(bill, "Invoice_Product").len(), 1);
    assert_eq!(stock(&dump), "95.000");
    assert_eq!(list(&dump, "SaleGST").len(), 1);
    assert_eq!(list(&dump, "LedgerBook").len(), 2);

    till.delete(&billed.number).await.unwrap();
    let dump = shop.dump().await;
    for table in ["InvoiceInfo", "Invoice_Product", "Invoice_Payment", "SaleGST", "LedgerBook"] {
        assert!(list(&dump, table).is_empty(), "{table}");
    }
    assert_eq!(stock(&dump), "100.000");
}

#[tokio::test]
async fn numbers_follow_the_counter_the_kind_and_the_year() {
    let shop = shop(0);
    let mut till = Till::new(shop.sandbox.tds_port, "sa", "RainTek-1");
    till.add_product(&pen()).await.unwrap();
    let mut numbers = Vec::new();
    for (date, gst) in [(day(2026, 3, 31), true), (day(2026, 4, 1), true), (day(2026, 4, 1), false)] {
        numbers.push(till.bill(&Bill { gst, ..pens(1, date) }).await.unwrap().number);
    }
    assert_eq!(numbers, ["GST-0001-2025/26", "GST-0002-2026/27", "SINV-0001-2026/27"]);
    till.delete("GST-0002-2026/27").await.unwrap();
    assert_eq!(till.bill(&pens(1, day(2026, 4, 2))).await.unwrap().number, "GST-0002-2026/27");
}

#[tokio::test]
async fn random_bills_add_up_and_products_change() {
    let shop = shop(40);
    let mut till = Till::new(shop.sandbox.tds_port, "sa", "RainTek-1");
    for seed in 0..15 {
        let bill = till.random_bill(seed, day(2025, 6, 1)).await.unwrap();
        assert_eq!(bill, till.random_bill(seed, day(2025, 6, 1)).await.unwrap());
        till.bill(&bill).await.unwrap();
    }
    let dump = shop.dump().await;
    let number = |row: &Value, name: &str| field(row, name).parse::<Decimal>().unwrap();
    for bill in list(&dump, "InvoiceInfo") {
        let sum =
            |rows: &str, name: &str| list(bill, rows).iter().map(|row| number(row, name)).sum::<Decimal>();
        assert_eq!(sum("Invoice_Payment", "TotalPaid"), number(bill, "GrandTotal"));
        assert_eq!(sum("Invoice_Product", "TaxableAmt"), number(bill, "TaxableAmt"));
        assert_eq!(number(bill, "Total") + number(bill, "RoundOff"), number(bill, "GrandTotal"));
    }
    till.set_price("P-0001", Decimal::new(9_995, 2)).await.unwrap();
    till.set_in_use("P-0002", false).await.unwrap();
    assert!(till.set_price("P-9999", Decimal::ONE).await.is_err());
    let dump = shop.dump().await;
    let products = list(&dump, "Product");
    assert_eq!(field(products.first().unwrap(), "SellingPrice"), "99.95");
    assert_eq!(field(products.get(1).unwrap(), "Status"), "No");
}
