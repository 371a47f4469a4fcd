//! v04, v05 and v07 on the tables of other installations: bills of every kind column by column, no NULL, revisions.
//! (v08 on them is in the tests of awareness.)

use rust_decimal::Decimal;
use shopsync::model::settings::PostingSettings;

use crate::harness::Shop;
use crate::harness::raintek::number;
use crate::v04_push::pushes;
use crate::v05_null::assert_no_null;
use crate::v07_revision::revisions;

async fn all_on(generation: &'static str, posting: PostingSettings) {
    let mut shop = Shop::new(6);
    shop.raintek.generation = generation;
    shop.settings.posting = posting;
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    assert_products(&shop).await;
    pushes(&shop, 60).await;
    let is_written = |table: &str| match table {
        "SaleNoTax" => generation != "old",
        "StockMovement" => posting.stock,
        "LedgerBook" | "CustomerLedgerBook" | "BankAccountLedger" => posting.ledgers,
        _ => true,
    };
    assert_no_null(&shop, is_written).await;
    revisions(&shop).await;
    assert_no_null(&shop, is_written).await;
    assert_keys(&shop).await;
}

/// Every product stands in the app, with the rate that this generation has for it.
async fn assert_products(shop: &Shop) {
    let shown = shop.phone().await.get("/api/collections/products/records?perPage=100").await;
    let dump = shop.raintek.dump().await;
    assert_eq!(shown["items"].as_array().unwrap().len(), dump.rows("Product").len());
    for product in shown["items"].as_array().unwrap() {
        let row = dump.product(product["product_code"].as_str().unwrap());
        let rates = ["CGST", "SGST", "VAT"].iter().filter(|column| !row[**column].is_null());
        let rate: Decimal = rates.map(|column| number(row, column)).sum();
        assert_eq!(product["gst_rate"].to_string().parse(), Ok(rate), "{product}");
    }
}

/// No two rows share a number, whoever gave it.
async fn assert_keys(shop: &Shop) {
    for (table, key) in [("Invoice_Product", "IPo_ID"), ("Invoice_Payment", "IP_ID"), ("SaleGST", "ID")] {
        let twice = format!("SELECT COUNT(*) - COUNT(DISTINCT {key}) FROM {table}");
        assert_eq!(shop.raintek.count(&twice).await, 0, "{table}.{key}");
    }
}

#[tokio::test]
async fn v04_v05_v07_on_the_old_generation() {
    // It has ledgers and no live stock: what cannot be posted is left out.
    all_on("old", PostingSettings { stock: false, ledgers: true }).await;
}

#[tokio::test]
async fn v04_v05_v07_with_plain_ids() {
    all_on("plain-ids", PostingSettings::default()).await;
}

#[tokio::test]
async fn v04_v05_v07_with_columns_nobody_knows() {
    all_on("extra-not-null", PostingSettings::ALL).await;
}
