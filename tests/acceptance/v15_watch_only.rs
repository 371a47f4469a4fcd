//! Watching only: plans are made and shown, and not one statement that writes reaches RainTek.

use serde_json::json;
use shopsync::billing::OWN_PASSWORD_SECRET;
use shopsync::ports::Secrets as _;

use crate::harness::{Bill, Line, SOON, Shop, eventually};
use crate::v15_go_live::{DAY, assert_tables, customer, quiet};

/// Statements that write and transactions that were begun, as the server counts them.
async fn writes(shop: &Shop) -> u64 {
    shop.raintek.state().await.unwrap()["writes"].as_u64().unwrap()
}

#[tokio::test]
async fn v15_watch_only_writes_nothing() {
    let mut shop = quiet();
    shop.settings.watch_only = true;
    shop.raintek.start().await;
    shop.raintek.till(&["bill", "--count", "2", "--date", DAY]).await;
    shop.start().await;
    eventually("products are in the app", SOON, async || {
        shop.status().await["products"]["last_pass"].is_string()
    })
    .await;
    shop.app.secrets.set(OWN_PASSWORD_SECRET, &shop.secret(OWN_PASSWORD_SECRET)).unwrap();
    let before = shop.raintek.dump().await;
    let wrote = writes(&shop).await;

    let asha = customer(&shop, "Asha", "9876500001").await;
    let bill = Bill { customer: Some(asha), ..Bill::plain("GST-0900-2026/27") };
    let grand = bill.totals().grand;
    let id = bill.send(&shop).await;
    let unknown = Bill::new("GST-0901-2026/27", vec![Line::new("P-9999", "1", "10", "Exclusive", "18")]);
    let unknown = unknown.send(&shop).await;
    let planned = format!("Would be booked as a new bill of Rs {grand:.2} with 2 lines for Asha, who is new");
    eventually("the plan is shown", SOON, async || {
        let item = shop.item("GST-0900-2026/27").await;
        item.is_some_and(|item| item["sentence"].as_str().unwrap().starts_with(&planned))
    })
    .await;
    eventually("and that it would be held", SOON, async || {
        let item = shop.item("GST-0901-2026/27").await;
        let sentence = item.map(|item| item["sentence"].as_str().unwrap().to_owned()).unwrap_or_default();
        sentence.starts_with("Would be held: Item \"Item P-9999\" is not in RainTek")
    })
    .await;
    let said = shop.cli(&["status", "--json"]).await;
    assert!(said.out.contains(&planned), "{said:?}");
    eventually("both sides were looked at", SOON, async || shop.status().await["state"] == "paused").await;
    let status = shop.status().await;
    assert!(status["sentence"].as_str().unwrap().starts_with("ShopSync only watches"), "{status}");
    assert_eq!(status["trial"]["watch_only"], true);

    // Whatever is asked for.
    shop.look().await;
    shop.cli(&["retry", "--all"]).await;
    shop.pass().await;
    shop.stop().await;
    shop.start().await;
    eventually("the plan is shown again", SOON, async || {
        let item = shop.item("GST-0900-2026/27").await;
        item.is_some_and(|item| item["sentence"].as_str().unwrap().starts_with(&planned))
    })
    .await;
    assert_eq!(writes(&shop).await, wrote, "not one statement that writes, and no transaction");
    assert_tables(&shop.raintek.dump().await, before.whole());
    let phone = shop.phone().await;
    for id in [&id, &unknown] {
        let record = phone.read("invoices", id).await;
        assert_eq!((&record["sync_status"], &record["sync_error"]), (&json!("pending"), &json!("")));
    }

    // Done with watching: everything goes.
    shop.stop().await;
    shop.settings.watch_only = false;
    shop.start().await;
    eventually("the app is back", SOON, async || shop.app.is_up().await).await;
    shop.synced(&id).await;
    shop.held(&unknown).await;
}
