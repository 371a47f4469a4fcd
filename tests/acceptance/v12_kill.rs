//! v12, as far as there is no installed program: killed at any moment, started again, everything arrives once.

use std::collections::BTreeSet;

use crate::harness::{Bill, SOON, Shop, eventually};

#[tokio::test]
async fn v12_kill() {
    let mut shop = Shop::open(4).await;
    let mut ids = Vec::new();
    let mut numbers = BTreeSet::new();
    for round in 0..4 {
        // RainTek answers nothing while they are made: they wait, some in the middle of being sent.
        shop.raintek.order(serde_json::json!({"action": "hang"})).await;
        for at in 0..6 {
            let number = format!("GST-{:04}-2026/27", round * 10 + at + 1);
            ids.push(Bill::plain(&number).send(&shop).await);
            numbers.insert(number);
        }
        eventually("ShopSync is in the middle of them", SOON, async || {
            shop.status().await["counts"]["waiting"].as_u64().is_some_and(|waiting| waiting > 0)
        })
        .await;
        shop.raintek.order(serde_json::json!({"action": "resume"})).await;
        // In later rounds some are through already when it dies.
        eventually("as many are through as this round asks for", SOON, async || {
            shop.raintek.count("SELECT COUNT(*) FROM InvoiceInfo").await >= round * 6 + round
        })
        .await;
        shop.kill();
        shop.start().await;
    }
    for id in &ids {
        shop.synced(id).await;
    }
    shop.in_step().await;
    let dump = shop.raintek.dump().await;
    let booked: Vec<&str> =
        dump.rows("InvoiceInfo").iter().map(|row| row["InvoiceNo"].as_str().unwrap()).collect();
    assert_eq!(booked.len(), numbers.len(), "each once");
    assert_eq!(booked.iter().map(|number| (*number).to_owned()).collect::<BTreeSet<_>>(), numbers);
    for row in dump.rows("InvoiceInfo") {
        assert_eq!(row["Invoice_Product"].as_array().unwrap().len(), 2, "{}", row["InvoiceNo"]);
        assert_eq!(row["Invoice_Payment"].as_array().unwrap().len(), 1, "{}", row["InvoiceNo"]);
    }
    for orphan in ["Invoice_Product", "Invoice_Payment"] {
        assert!(dump.rows(orphan).is_empty(), "{orphan} without a bill");
    }
    assert_eq!(dump.rows("SaleGST").len(), numbers.len());
}
