//! v03: what changes in RainTek changes in the app; nothing is deleted, and a shop that seems emptied is not believed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{SOON, Shop, eventually};
use crate::pocketbase::Caller;
use crate::v02_product::{becomes, product};

/// When each product of the app was written last.
async fn written(phone: &Caller) -> BTreeMap<String, Value> {
    let list = phone.get("/api/collections/products/records?perPage=500").await;
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| (item["product_code"].to_string(), item["updated"].clone())).collect()
}

#[tokio::test]
async fn v03_price() {
    let mut shop = Shop::new(12);
    shop.settings.products.every_seconds = 1;
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    let phone = shop.phone().await;
    let till = &shop.raintek;

    let first = written(&phone).await;
    let before = product(&phone, "P-0001").await.unwrap();
    till.till(&["price", "--code", "P-0001", "--price", "1234.55"]).await;
    let after = becomes(&phone, "P-0001", json!({"retail_price": 1234.55})).await;
    assert_eq!(after["id"], before["id"]);
    let mut now = written(&phone).await;
    let code = json!("P-0001").to_string();
    assert_ne!(now.remove(&code), first.get(&code).cloned());
    assert!(now.iter().all(|(code, updated)| first[code] == *updated), "only what changed is written");

    till.till(&["product", "--code", "P-0002", "--set", "off"]).await;
    becomes(&phone, "P-0002", json!({"active": false})).await;
    till.till(&["product", "--code", "P-0003", "--set", "remove"]).await;
    let gone = becomes(&phone, "P-0003", json!({"active": false})).await;
    assert_ne!(gone["raintek_product_id"], "");
    till.till(&["product", "--code", "P-0002", "--set", "on"]).await;
    becomes(&phone, "P-0002", json!({"active": true})).await;

    // Passes without changes write nothing.
    let before = written(&phone).await;
    assert_eq!(before.len(), 12, "none is deleted");
    let changed = shop.status().await["products"]["changed"].clone();
    for _ in 0..3 {
        shop.pass().await;
    }
    assert_eq!(written(&phone).await, before);
    assert_eq!(shop.status().await["products"]["changed"], changed);
    // Nor does the one after a restart, which compares with what the app holds.
    shop.stop().await;
    shop.start().await;
    shop.in_step().await;
    assert_eq!(written(&phone).await, before, "a restart writes nothing");
}

#[tokio::test]
async fn v03_price_of_a_shop_that_seems_emptied() {
    let shop = Shop::open(12).await;
    let phone = shop.phone().await;
    let before = written(&phone).await;
    for (table, column) in
        [("Product_OpeningStock", "ProductID"), ("Temp_Stock", "ProductID"), ("Product", "PID")]
    {
        shop.raintek.sql(&format!("DELETE FROM {table} WHERE {column} > 5")).await;
    }
    let in_use = phone.get("/api/collections/products/records?perPage=1&filter=(active=true)").await;
    let known = &in_use["totalItems"];
    let wanted = format!("RainTek shows 5 products where {known} were known; none was switched off.");
    shop.look().await;
    eventually("the state says that products are missing", SOON, async || {
        let status = shop.status().await;
        status["state"] == "attention" && status["sentence"] == wanted.as_str()
    })
    .await;
    assert_eq!(written(&phone).await, before);

    // They come back, and so does the flow.
    for pid in 6..=9 {
        let code = format!("P-{pid:04}");
        shop.raintek.till(&["product", "--code", &code, "--name", "Back again", "--price", "5"]).await;
    }
    shop.look().await;
    shop.in_step().await;
    becomes(&phone, "P-0006", json!({"name": "Back again", "active": true})).await;
    becomes(&phone, "P-0012", json!({"active": false})).await;
    assert_eq!(written(&phone).await.len(), 12);
}
