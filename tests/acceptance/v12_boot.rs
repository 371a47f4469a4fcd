//! v12: ended at any moment, in any way, and started again: it catches up by itself, tells how many, and everything is
//! in RainTek once.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::harness::life::{Tireless, assert_each_once};
use crate::harness::{Bill, SOON, Shop, eventually};

const CUT_OFF: &str = "ShopSync was ended without warning";

/// Killed at seeded moments, stopped by Ctrl-C and SIGTERM in between, while a phone bills.
#[tokio::test]
async fn v12_boot() {
    let seed: u64 = std::env::var("SHOPSYNC_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut chance = StdRng::seed_from_u64(seed);
    let mut shop = Shop::open(4).await;
    let phone = Tireless::new(&shop, &shop.app.settings.url, 1).await;
    let billing = phone.bill_on();
    let (mut killed, mut stopped) = (0, 0);
    for round in 0..14 {
        // The moment itself is what is tried, so it is waited for.
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..1200))).await;
        match round % 7 {
            3 => {
                let took = shop.end_by("INT").await;
                assert!(took < Duration::from_secs(5), "round {round} of seed {seed}: {took:?}");
                stopped += 1;
            }
            6 => {
                let took = shop.end_by("TERM").await;
                assert!(took < Duration::from_secs(5), "round {round} of seed {seed}: {took:?}");
                stopped += 1;
            }
            _ => {
                shop.kill();
                killed += 1;
            }
        }
        shop.start().await;
    }
    phone.enough();
    let mut numbers: BTreeSet<String> = billing.await.unwrap().into_iter().collect();
    assert!(numbers.len() > 30, "the phone hardly billed: {}", numbers.len());
    eventually("all have arrived", SOON * 2, async || {
        shop.raintek.count("SELECT COUNT(*) FROM InvoiceInfo").await >= i32::try_from(numbers.len()).unwrap()
    })
    .await;
    shop.in_step().await;
    assert_each_once(&shop.raintek.dump().await, &numbers);
    assert_each_is_shown(&shop, &numbers).await;
    let told = shop.journal("app").iter().filter(|line| line.starts_with(CUT_OFF)).count();
    assert_eq!((told, stopped), (killed, 4), "each end without warning is told, and no other");

    // What waits for a start is counted.
    let before = shop.journal("app").len();
    shop.kill();
    for _ in 0..5 {
        numbers.insert(phone.bill().await);
    }
    shop.start().await;
    shop.journal_says("app", "Caught up 5 pending invoices.").await;
    shop.in_step().await;
    let lines = shop.journal("app").split_off(before);
    assert_eq!(lines[0], "ShopSync was started.");
    assert!(lines[1].starts_with(CUT_OFF), "{lines:?}");
    assert_eq!(lines[2..], ["Caught up 5 pending invoices."], "nothing else: {lines:?}");
    let status = shop.status().await;
    assert!(status["cut_off"].is_string() && status["heartbeat"].is_string(), "{status}");
    assert_each_once(&shop.raintek.dump().await, &numbers);

    // An orderly end leaves nothing to tell.
    let before = shop.journal("app").len();
    shop.end_by("TERM").await;
    shop.start().await;
    shop.in_step().await;
    assert_eq!(shop.journal("app").split_off(before), ["ShopSync was started."]);
    assert!(shop.status().await["cut_off"].is_null());
}

async fn assert_each_is_shown(shop: &Shop, numbers: &BTreeSet<String>) {
    let admin = shop.app.as_shopsync().await;
    let list = admin.get("/api/collections/invoices/records?perPage=1000").await;
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), numbers.len());
    for item in items {
        assert_eq!(item["sync_status"], "synced", "{item}");
    }
}

/// Killed while RainTek does not answer, and while some are through and others are not.
#[tokio::test]
async fn v12_boot_in_the_middle_of_sending() {
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
    assert_each_once(&shop.raintek.dump().await, &numbers);
}
