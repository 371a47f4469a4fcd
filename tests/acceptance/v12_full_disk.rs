//! v12: the disk is full. Nothing is acknowledged that was not stored, it is said, and everything goes on by itself when
//! there is room.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;

use crate::harness::disk::SmallDisk;
use crate::harness::life::assert_each_once;
use crate::harness::{Bill, SOON, Shop, eventually};

async fn is_said(shop: &Shop) -> bool {
    let said = shop.status().await["sentence"].as_str().unwrap_or_default().to_owned();
    said.starts_with("The disk is full: ShopSync cannot store anything.")
}

#[tokio::test]
async fn v12_full_disk() {
    let mut shop = Shop::new(4);
    let disk = SmallDisk::under(&mut shop);
    shop.settings.push.look_every_seconds = 1;
    shop.settings.products.every_seconds = 1;
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;

    // Three wait already; two more come while the disk is full.
    shop.raintek.kill();
    let mut numbers = BTreeSet::new();
    let mut ids = Vec::new();
    for at in 1..4 {
        let bill = Bill::plain(&format!("GST-{at:04}-2026/27"));
        ids.push(bill.send(&shop).await);
        numbers.insert(bill.number);
    }
    eventually("all wait", SOON, async || shop.status().await["counts"]["waiting"] == 3).await;
    disk.fill().await;
    shop.raintek.start().await;
    for at in 4..6 {
        let bill = Bill::plain(&format!("GST-{at:04}-2026/27"));
        ids.push(bill.send(&shop).await);
        numbers.insert(bill.number);
    }
    eventually("it is said", SOON, async || is_said(&shop).await).await;
    let state = shop.status().await["state"].as_str().unwrap().to_owned();
    assert!(["attention", "failing"].contains(&state.as_str()), "{state}");
    let said = shop.cli(&["retry", "--all"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.starts_with("The disk is full"), "{said:?}");
    // RainTek answers, two whole passes long, and nothing is sent of which no attempt can be stored.
    for _ in 0..2 {
        let before = shop.status().await["products"]["last_pass"].clone();
        eventually("a products pass ends", SOON, async || {
            shop.status().await["products"]["last_pass"] != before
        })
        .await;
    }
    assert_eq!(shop.raintek.count("SELECT COUNT(*) FROM InvoiceInfo").await, 0);
    let phone = shop.phone().await;
    for id in &ids {
        assert_ne!(phone.read("invoices", id).await["sync_status"], "synced", "nothing is acknowledged");
    }
    assert!(is_said(&shop).await);

    // A start on a full disk waits for room.
    shop.kill();
    disk.make_room();
    disk.fill().await;
    shop.spawn();
    eventually("it says why it does not start, or runs and says it", SOON, async || {
        let log = fs::read_to_string(shop.log()).unwrap();
        log.contains("The disk is full: ShopSync cannot store anything.")
            || (shop.health().await.is_some() && is_said(&shop).await)
    })
    .await;

    disk.make_room();
    for id in &ids {
        shop.synced(id).await;
    }
    shop.in_step().await;
    assert_each_once(&shop.raintek.dump().await, &numbers);
    shop.stop().await;
}
