//! v07, the end of an invoice: cancelled in the app, a person decides whether RainTek keeps it, and the app shows what
//! came of it.

use rust_decimal::Decimal;
use serde_json::json;

use crate::harness::rows::assert_booked;
use crate::harness::{Bill, SOON, Shop, eventually};

/// Waits until a person is asked about this number.
async fn is_asked(shop: &Shop, number: &str) {
    eventually(&format!("a person is asked about {number}"), SOON, async || {
        shop.item(number).await.is_some_and(|item| item["action_kind"] == "remove_or_leave")
    })
    .await;
}

async fn answer(shop: &Shop, command: &str, number: &str) {
    let reply = shop.ask(json!({"command": command, "number": number})).await;
    assert_eq!(reply["reply"], "accepted", "{reply}");
}

async fn assert_gone(shop: &Shop, number: &str) {
    eventually(&format!("{number} is no longer in RainTek"), SOON, async || {
        let dump = shop.raintek.dump().await;
        dump.bills(number).is_empty() && dump.with("SaleGST", "InvNo", number).is_empty()
    })
    .await;
    let dump = shop.raintek.dump().await;
    // Lines and payments without a bill would stand here.
    assert!(dump.rows("Invoice_Product").is_empty() && dump.rows("Invoice_Payment").is_empty());
}

#[tokio::test]
async fn v07_cancelled() {
    let shop = Shop::open(4).await;
    let phone = shop.phone().await;
    let (taken, kept) = (Bill::plain("GST-0001-2026/27"), Bill::plain("GST-0002-2026/27"));
    let (taken_id, kept_id) = (taken.send(&shop).await, kept.send(&shop).await);
    shop.synced(&taken_id).await;
    shop.synced(&kept_id).await;
    for id in [&taken_id, &kept_id] {
        phone.change("invoices", id, json!({"status": "cancelled"})).await;
    }
    is_asked(&shop, &taken.number).await;
    is_asked(&shop, &kept.number).await;
    assert_eq!(
        shop.raintek.dump().await.rows("InvoiceInfo").len(),
        2,
        "nothing is done before somebody says so"
    );
    assert!(shop.held(&taken_id).await["sync_error"].as_str().unwrap().contains("cancelled in the app"));

    answer(&shop, "leave", &kept.number).await;
    let record = shop.synced(&kept_id).await;
    assert_booked(&shop.raintek.dump().await, &kept, &record, 1);

    answer(&shop, "remove", &taken.number).await;
    assert_gone(&shop, &taken.number).await;
    let record = shop.becomes(&taken_id, "na").await;
    assert_eq!((&record["sync_error"], &record["raintek_inv_id"]), (&json!(""), &json!(0)), "{record}");
    shop.in_step().await;
    // Looked at again, nobody is asked twice.
    phone.change("invoices", &kept_id, json!({"notes": "Called the customer"})).await;
    phone.change("invoices", &taken_id, json!({"notes": "Called the customer"})).await;
    shop.pass().await;
    shop.in_step().await;

    // Meant after all: it is booked as any other.
    for (id, bill) in [(&taken_id, &taken), (&kept_id, &kept)] {
        phone.change("invoices", id, json!({"status": "completed"})).await;
        let record = shop.synced(id).await;
        let bill = Bill { notes: "Called the customer".into(), ..bill.clone() };
        eventually("it stands in RainTek as the app has it", SOON, async || {
            let dump = shop.raintek.dump().await;
            dump.bills(&bill.number).iter().any(|info| info["Remarks"] == "Called the customer")
        })
        .await;
        assert_booked(&shop.raintek.dump().await, &bill, &record, 1);
    }
    shop.in_step().await;
}

/// What stands in RainTek is then the first content, under a record that the app calls revised.
#[tokio::test]
async fn v07_cancelled_before_its_revision_arrived() {
    let mut shop = Shop::open(4).await;
    let phone = shop.phone().await;
    let first = Bill::plain("GST-0001-2026/27");
    let first_id = first.send(&shop).await;
    shop.synced(&first_id).await;
    shop.raintek.kill();
    eventually("it is seen that RainTek is away", SOON, async || {
        shop.health().await.is_some_and(|(_, health)| health["raintek"]["connected"] == false)
    })
    .await;
    phone.change("invoices", &first_id, json!({"status": "revised"})).await;
    let second = Bill { discount: Decimal::ONE, ..first.clone() };
    let second_id = second.send(&shop).await;
    eventually("the revision waits", SOON, async || shop.item(&first.number).await.is_some()).await;
    phone.change("invoices", &second_id, json!({"status": "cancelled"})).await;
    shop.raintek.start().await;

    is_asked(&shop, &first.number).await;
    assert_eq!(
        shop.raintek.dump().await.bills(&first.number).len(),
        1,
        "nothing is done before somebody says so"
    );
    answer(&shop, "remove", &first.number).await;
    assert_gone(&shop, &first.number).await;
    shop.in_step().await;
}

/// A person's word holds, whatever happens to the record before it is done.
#[tokio::test]
async fn v07_cancelled_is_asked_once() {
    let mut shop = Shop::open(4).await;
    let phone = shop.phone().await;
    let bill = Bill::plain("GST-0001-2026/27");
    let id = bill.send(&shop).await;
    shop.synced(&id).await;
    phone.change("invoices", &id, json!({"status": "cancelled"})).await;
    is_asked(&shop, &bill.number).await;
    shop.raintek.kill();
    eventually("it is seen that RainTek is away", SOON, async || {
        shop.health().await.is_some_and(|(_, health)| health["raintek"]["connected"] == false)
    })
    .await;
    answer(&shop, "remove", &bill.number).await;
    phone.change("invoices", &id, json!({"notes": "Wrong customer"})).await;
    shop.raintek.start().await;
    assert_gone(&shop, &bill.number).await;
    shop.becomes(&id, "na").await;
    shop.in_step().await;
}

/// No event is kept for somebody who is not there: looking finds it.
#[tokio::test]
async fn v07_cancelled_while_nobody_looked() {
    let mut shop = Shop::open(4).await;
    let phone = shop.phone().await;
    let bill = Bill::plain("GST-0001-2026/27");
    let id = bill.send(&shop).await;
    shop.synced(&id).await;
    shop.kill();
    phone.change("invoices", &id, json!({"status": "cancelled"})).await;
    shop.start().await;
    is_asked(&shop, &bill.number).await;
    answer(&shop, "leave", &bill.number).await;
    shop.synced(&id).await;
    shop.in_step().await;
    assert_eq!(shop.raintek.dump().await.bills(&bill.number).len(), 1);
}

/// Both the revision and its end came and went while nobody looked: RainTek holds what the app no longer means.
#[tokio::test]
async fn v07_cancelled_revision_that_nobody_saw() {
    let mut shop = Shop::open(4).await;
    let phone = shop.phone().await;
    let first = Bill::plain("GST-0001-2026/27");
    let first_id = first.send(&shop).await;
    shop.synced(&first_id).await;
    shop.kill();
    phone.change("invoices", &first_id, json!({"status": "revised"})).await;
    let second = Bill { discount: Decimal::ONE, ..first.clone() };
    let second_id = second.send(&shop).await;
    phone.change("invoices", &second_id, json!({"status": "cancelled"})).await;
    shop.start().await;
    is_asked(&shop, &first.number).await;
    answer(&shop, "remove", &first.number).await;
    assert_gone(&shop, &first.number).await;
    shop.in_step().await;
}
