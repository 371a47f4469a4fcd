//! v12: stopped in order within five seconds, whatever hangs; nothing is lost and nothing is booked twice.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::harness::life::assert_each_once;
use crate::harness::{Bill, SOON, Shop, eventually, signal};

const AT_MOST: Duration = Duration::from_secs(5);

async fn send(shop: &Shop, numbers: &mut BTreeSet<String>, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..count {
        let bill = Bill::plain(&format!("GST-{:04}-2026/27", numbers.len() + 1));
        ids.push(bill.send(shop).await);
        numbers.insert(bill.number);
    }
    ids
}

async fn is_being_sent(shop: &Shop) {
    eventually("an invoice is being sent", SOON, async || {
        let status = shop.status().await;
        status["items"].as_array().unwrap().iter().any(|item| item["state"] == "sending")
    })
    .await;
}

/// With the app, which ended with it.
async fn start_again(shop: &mut Shop) {
    shop.start().await;
    eventually("the app is back", SOON, async || shop.app.is_up().await).await;
}

#[tokio::test]
async fn v12_stop() {
    let mut shop = Shop::open(4).await;
    let mut numbers = BTreeSet::new();
    let mut ids = Vec::new();

    // In the middle of a transaction that SQL Server does not answer.
    shop.raintek.order(json!({"action": "hang"})).await;
    ids.extend(send(&shop, &mut numbers, 3).await);
    is_being_sent(&shop).await;
    let took = shop.end_by("INT").await;
    assert!(took < AT_MOST, "SQL Server hangs: {took:?}");
    shop.raintek.order(json!({"action": "resume"})).await;
    start_again(&mut shop).await;
    for id in &ids {
        shop.synced(id).await;
    }

    // Its answer to the commit is lost, and at once it is asked to stop.
    shop.raintek.order(json!({"action": "drop_after_commit", "count": 2})).await;
    ids.extend(send(&shop, &mut numbers, 2).await);
    let took = shop.end_by("TERM").await;
    assert!(took < AT_MOST, "a commit is lost: {took:?}");
    start_again(&mut shop).await;
    for id in &ids {
        shop.synced(id).await;
    }

    // In the middle of a backup.
    shop.raintek.order(json!({"action": "hold_backup"})).await;
    shop.command_of_page(json!({"command": "backup", "task": "now"})).await;
    eventually("a backup runs", SOON, async || {
        shop.status().await["backups"]["running"]["doing"]
            .as_str()
            .is_some_and(|doing| doing.contains("RainTek"))
    })
    .await;
    let took = shop.end_by("TERM").await;
    assert!(took < AT_MOST, "a backup runs: {took:?}");
    shop.raintek.order(json!({"action": "release_backup"})).await;
    start_again(&mut shop).await;
    shop.in_step().await;

    // PocketBase hangs, and SQL Server too; a page is open and listens.
    shop.raintek.order(json!({"action": "hang"})).await;
    ids.extend(send(&shop, &mut numbers, 2).await);
    is_being_sent(&shop).await;
    let hung = shop.pocketbase_pid();
    signal(hung, "STOP");
    shop.look().await;
    let open = shop.http.get(shop.page("/api/events")).bearer_auth(shop.secret("page.token"));
    let open = open.send().await.unwrap();
    let took = shop.end_by("TERM").await;
    assert!(took < AT_MOST, "everything hangs: {took:?}");
    drop(open);
    signal(hung, "KILL");
    shop.raintek.order(json!({"action": "resume"})).await;
    start_again(&mut shop).await;
    for id in &ids {
        shop.synced(id).await;
    }
    shop.in_step().await;
    assert_each_once(&shop.raintek.dump().await, &numbers);
    let cut_off: Vec<_> =
        shop.journal("app").into_iter().filter(|line| line.contains("without warning")).collect();
    assert!(cut_off.is_empty(), "all of these were orderly: {cut_off:?}");
}
