//! v12: a power cut took what PocketBase had acknowledged last. Invoices that stand in RainTek and that the app no longer
//! has are told, and a person decides about each.

use serde_json::{Value, json};

use crate::harness::{Bill, SOON, Shop, eventually, signal};

/// Takes a record out of PocketBase's database behind its back: no hook and no event tells of it.
fn lose(shop: &Shop, id: &str) {
    let path = shop.app.own_app().join("pb_data").join("data.db");
    let db = rusqlite::Connection::open(path).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    for (table, column) in [("invoices", "id"), ("invoice_items", "invoice"), ("invoice_payments", "invoice")]
    {
        db.execute(&format!("DELETE FROM {table} WHERE {column} = ?1"), [id]).unwrap();
    }
}

async fn is_held(shop: &Shop, number: &str) -> Value {
    let mut found = Value::Null;
    eventually(&format!("{number} is held"), SOON, async || {
        found = shop.item(number).await.unwrap_or_default();
        found["state"] == "held"
    })
    .await;
    assert_eq!(
        found["sentence"],
        format!("{number} is gone from the app and still stands in RainTek."),
        "{found}"
    );
    assert_eq!(found["action_kind"], "remove_or_leave");
    found
}

async fn stands(shop: &Shop, number: &str) -> bool {
    !shop.raintek.dump().await.bills(number).is_empty()
}

#[tokio::test]
async fn v12_lost() {
    let mut shop = Shop::open(4).await;
    let mut ids = Vec::new();
    for at in 1..6 {
        ids.push(Bill::plain(&format!("GST-{at:04}-2026/27")).send(&shop).await);
    }
    for id in &ids {
        shop.synced(id).await;
    }
    let number = |at: usize| format!("GST-{at:04}-2026/27");

    // The power fails.
    let app = shop.pocketbase_pid();
    shop.kill();
    signal(app, "KILL");
    eventually("PocketBase is gone", SOON, async || !shop.app.is_up().await).await;
    lose(&shop, &ids[4]);
    shop.start().await;
    is_held(&shop, &number(5)).await;
    eventually("it is amber", SOON, async || shop.health().await.unwrap().1["state"] == "attention").await;
    let status = shop.status().await;
    assert_eq!(status["counts"]["held"], 1, "and none of the others: {}", status["items"]);

    // It stays in RainTek until a person says so.
    assert!(stands(&shop, &number(5)).await);
    let answer = shop.command_of_page(json!({"command": "remove", "number": number(5)})).await;
    assert_eq!(answer["reply"], "accepted", "{answer}");
    eventually("it is out of RainTek", SOON, async || !stands(&shop, &number(5)).await).await;

    // PocketBase alone dies: it is looked again as soon as it is back.
    let app = shop.pocketbase_pid();
    lose(&shop, &ids[3]);
    signal(app, "KILL");
    is_held(&shop, &number(4)).await;
    let said = shop.cli(&["leave", &number(4)]).await;
    assert_eq!((said.code, said.out.trim()), (Some(0), "GST-0004-2026/27 stays in RainTek."), "{said:?}");
    let said = shop.cli(&["remove", &number(1)]).await;
    assert_eq!(said.code, Some(1), "nothing is to be decided about that one: {said:?}");
    shop.in_step().await;
    assert!(stands(&shop, &number(4)).await);

    // What is decided is not asked again; what somebody took out of both sides is not asked at all.
    shop.raintek.till(&["delete", "--number", &number(3)]).await;
    lose(&shop, &ids[2]);
    shop.kill();
    shop.start().await;
    shop.journal_says("note", &format!("{} is gone from the app and from RainTek.", number(3))).await;
    shop.in_step().await;
    let status = shop.status().await;
    assert_eq!((&status["counts"]["held"], &status["counts"]["waiting"]), (&json!(0), &json!(0)));
    for at in [1, 2, 4] {
        assert!(stands(&shop, &number(at)).await, "{}", number(at));
    }
}

#[tokio::test]
async fn v12_lost_number_given_out_again() {
    let shop = Shop::open(4).await;
    let sold = Bill::plain("GST-0001-2026/27");
    let lost = sold.send(&shop).await;
    shop.synced(&lost).await;
    let before = shop.raintek.dump().await.bills(&sold.number).first().map(|bill| (*bill).clone());
    assert!(before.is_some());
    lose(&shop, &lost);

    // Another sale, to which a phone gives the number that is free in the app.
    let other = Bill { discount: rust_decimal::Decimal::ONE, ..Bill::plain("GST-0001-2026/27") };
    let id = other.send(&shop).await;
    eventually("it waits, and it is said why", SOON, async || {
        let items = shop.status().await["items"].clone();
        items.as_array().unwrap().iter().any(|item| {
            item["record_id"] == id.as_str()
                && item["action_kind"] == "renumber"
                && item["sentence"].as_str().unwrap().starts_with(
                    "The number GST-0001-2026/27 stands in RainTek for an invoice that the app lost (",
                )
        })
    })
    .await;
    let now = shop.raintek.dump().await.bills(&sold.number).first().map(|bill| (*bill).clone());
    assert_eq!(now, before, "the first sale's bill is as it was");
}

#[tokio::test]
async fn v12_lost_database() {
    let mut shop = Shop::open(4).await;
    let mut ids = Vec::new();
    for at in 1..28 {
        ids.push(Bill::plain(&format!("GST-{at:04}-2026/27")).send_batch(&shop).await);
    }
    for id in &ids {
        shop.synced(id).await;
    }
    shop.in_step().await;
    let pid = shop.pocketbase_pid();
    for id in &ids[..24] {
        lose(&shop, id);
    }
    signal(pid, "KILL");
    eventually("it is told as one", SOON, async || {
        let sentence = shop.status().await["sentence"].as_str().unwrap().to_owned();
        sentence.starts_with("The billing app no longer has 24 of the 27 invoices")
    })
    .await;
    let status = shop.status().await;
    assert_eq!((&status["state"], &status["counts"]["held"]), (&json!("attention"), &json!(0)));
    assert_eq!(shop.raintek.dump().await.rows("InvoiceInfo").len(), 27, "nothing was changed");
    // An invoice of the new database is booked as any other.
    let id = Bill::plain("GST-0030-2026/27").send(&shop).await;
    shop.synced(&id).await;
    shop.stop().await;
}
