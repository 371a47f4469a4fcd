//! v12: the PC slept. Timers are late and sockets dead; everything is looked at again at once.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Bill, SOON, Shop, eventually, signal, tail};

#[tokio::test]
async fn v12_sleep() {
    let mut shop = Shop::open(4).await;
    // A look that comes by itself would find everything as well, much later.
    shop.stop().await;
    shop.settings.push.look_every_seconds = 3600;
    shop.settings.products.every_seconds = 3600;
    shop.start().await;
    shop.in_step().await;
    signal(shop.pid(), "STOP");
    let id = Bill::plain("GST-0001-2026/27").send(&shop).await;
    shop.raintek.till(&["product", "--code", "NEW", "--name", "New", "--price", "5"]).await;
    // Its connections break meanwhile, and the app starts anew: no event of the invoice ever arrives.
    shop.raintek.order(json!({"action": "refuse"})).await;
    shop.raintek.order(json!({"action": "accept"})).await;
    signal(shop.pocketbase_pid(), "KILL");
    // As long as it takes to be told from a slow PC.
    tokio::time::sleep(Duration::from_secs(27)).await;
    signal(shop.pid(), "CONT");
    eventually("the app is back", SOON, async || shop.app.is_up().await).await;
    shop.synced(&id).await;
    eventually("the product is there as well", SOON, async || {
        let phone = shop.phone().await;
        let list = phone.get("/api/collections/products/records?filter=(product_code='NEW')").await;
        list["items"].as_array().is_some_and(|items| items.len() == 1)
    })
    .await;
    shop.in_step().await;
    let logs = std::fs::read_dir(shop.data().join("logs")).unwrap().flatten();
    let noticed = logs.map(|file| tail(&file.path(), 500)).any(|text| text.contains("time jumped"));
    assert!(noticed, "it did not notice that it slept");
    shop.stop().await;
}
