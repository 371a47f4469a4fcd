//! v09: a side goes away, invoices are made, it comes back: all arrive once, and nobody's tries were used up.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::rows::assert_booked;
use crate::harness::{Bill, SOON, Shop, eventually, now, signal};

async fn bills(shop: &Shop, numbers: std::ops::Range<u32>) -> Vec<(String, Bill)> {
    let mut sent = Vec::new();
    for at in numbers {
        let bill = Bill::plain(&format!("GST-{at:04}-2026/27"));
        sent.push((bill.send(shop).await, bill));
    }
    sent
}

/// Everything stands in RainTek once, and whole.
async fn assert_all(shop: &Shop, sent: &[(String, Bill)]) {
    let mut records = Vec::new();
    for (id, _) in sent {
        records.push(shop.synced(id).await);
    }
    let dump = shop.raintek.dump().await;
    assert_eq!(dump.rows("InvoiceInfo").len(), sent.len(), "each once");
    for ((_, bill), record) in sent.iter().zip(&records) {
        assert_booked(&dump, bill, record, 1);
    }
    assert_eq!(dump.rows("SaleGST").len(), sent.len());
}

async fn is_away(shop: &Shop, side: &str) {
    eventually(&format!("it is seen that {side} is away"), SOON, async || {
        shop.health().await.is_some_and(|(_, health)| health[side]["connected"] == false)
    })
    .await;
}

/// Tries that the waiting invoices have used up.
async fn tries(shop: &Shop) -> Vec<Value> {
    let status = shop.status().await;
    status["items"].as_array().unwrap().iter().map(|item| item["tries"].clone()).collect()
}

#[tokio::test]
async fn v09_retry() {
    let mut shop = Shop::open(4).await;
    let mut sent = bills(&shop, 1..3).await;
    assert_all(&shop, &sent).await;

    // RainTek's server dies.
    shop.raintek.kill();
    sent.extend(bills(&shop, 3..8).await);
    is_away(&shop, "raintek").await;
    eventually("all wait, and none has used up a try", SOON, async || {
        tries(&shop).await == vec![json!(0); 5]
    })
    .await;
    // They are asked again and again, at no cost.
    let said = shop.cli(&["retry", "--all"]).await;
    assert_eq!((said.code, said.out.trim()), (Some(0), "5 invoices are tried now."), "{said:?}");
    assert_eq!(shop.status().await["counts"]["held"], 0);
    // One is revised while it waits: of its number only the newest is booked.
    let phone = shop.phone().await;
    phone.change("invoices", &sent[6].0, json!({"status": "revised"})).await;
    sent[6].1.discount = Decimal::TEN;
    sent[6].0 = sent[6].1.send(&shop).await;
    shop.raintek.start().await;
    assert_all(&shop, &sent).await;

    // The billing app dies, with invoices on their way.
    let first = shop.pocketbase_pid();
    sent.extend(bills(&shop, 8..11).await);
    signal(first, "KILL");
    eventually("the app is back", SOON, async || shop.app.is_up().await && shop.pocketbase_pid() != first)
        .await;
    sent.extend(bills(&shop, 11..13).await);
    assert_all(&shop, &sent).await;

    // Both, and RainTek's later.
    sent.extend(bills(&shop, 13..15).await);
    shop.raintek.kill();
    sent.extend(bills(&shop, 15..17).await);
    let second = shop.pocketbase_pid();
    signal(second, "KILL");
    eventually("the app is back", SOON, async || shop.app.is_up().await && shop.pocketbase_pid() != second)
        .await;
    sent.extend(bills(&shop, 17..19).await);
    shop.raintek.start().await;
    assert_all(&shop, &sent).await;
    shop.in_step().await;
}

#[tokio::test]
async fn v09_retry_lost_commits() {
    let shop = Shop::open(4).await;
    let mut sent = Vec::new();
    let mut next = 1;
    for (action, count) in [
        ("drop_before_commit", 1),
        ("drop_after_commit", 1),
        ("drop_after_commit", 3),
        ("drop_before_commit", 2),
    ] {
        shop.raintek.order(json!({"action": action, "count": count})).await;
        sent.extend(bills(&shop, next..next + 3).await);
        next += 3;
        for (id, _) in &sent {
            shop.synced(id).await;
        }
    }
    // Errors of the server that pass: a deadlock, a lock wait, a lost connection.
    for number in [1205, 1222, 10054] {
        shop.raintek
            .order(json!({"action": "error", "number": number, "on": "Invoice_Product", "count": 1}))
            .await;
        sent.extend(bills(&shop, next..next + 1).await);
        next += 1;
        for (id, _) in &sent {
            shop.synced(id).await;
        }
    }
    assert_all(&shop, &sent).await;
    shop.in_step().await;
}

#[tokio::test]
async fn v09_retry_one_bad_invoice() {
    let shop = Shop::open(4).await;
    let mut sent = bills(&shop, 1..3).await;
    assert_all(&shop, &sent).await;
    let mut bad = Bill::plain("GST-0003-2026/27");
    bad.lines[0].code = "NOBODY".into();
    let bad_id = bad.send(&shop).await;
    shop.held(&bad_id).await;
    // One that RainTek refuses: its text is the only one that fails.
    shop.raintek.order(json!({"action": "error", "number": 8152, "on": "INSERT", "count": 1})).await;
    let refused = Bill::plain("GST-0004-2026/27");
    let refused_id = refused.send(&shop).await;
    shop.held(&refused_id).await;
    sent.extend(bills(&shop, 5..9).await);
    assert_all(&shop, &sent).await;
    shop.held(&bad_id).await;
    let said = shop.cli(&["retry", &refused.number]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    shop.synced(&refused_id).await;
    sent.push((refused_id, refused));
    assert_all(&shop, &sent).await;
}

#[tokio::test]
async fn v09_retry_is_red_past_its_grace() {
    let mut shop = Shop::open(2).await;
    shop.raintek.kill();
    let away = now();
    let bill = Bill::plain("GST-0001-2026/27");
    let id = bill.send(&shop).await;
    is_away(&shop, "raintek").await;
    let (code, health) = shop.health().await.unwrap();
    assert_eq!((code, &health["state"]), (200, &json!("attention")), "not red at once");
    assert_eq!(health["queue"]["waiting"], 1);
    eventually("it is red", SOON * 3, async || shop.health().await.unwrap().0 == 503).await;
    assert!(away.elapsed().as_secs() >= 55, "red after {:?} already", away.elapsed());
    let (_, health) = shop.health().await.unwrap();
    assert_eq!(health["state"], "failing");
    assert_eq!(health["sentence"], "RainTek's database is not answering.");
    let status = shop.status().await;
    let sentence = status["sentence"].as_str().unwrap();
    assert!(sentence.ends_with("1 invoice waits; it is sent by itself when it is back."), "{sentence}");
    assert_eq!(status["items"][0]["tries"], 0);

    shop.raintek.start().await;
    let record = shop.synced(&id).await;
    assert_booked(&shop.raintek.dump().await, &bill, &record, 1);
    eventually("it is green", SOON, async || {
        shop.health().await.is_some_and(|(code, health)| code == 200 && health["state"] == "in_step")
    })
    .await;
}
