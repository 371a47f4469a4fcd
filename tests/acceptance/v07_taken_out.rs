//! v07, status cancelled: a person says whether RainTek keeps it.

use serde_json::json;

use crate::harness::rows::assert_booked;
use crate::harness::snapshots::{assert_copied, copies};
use crate::harness::{Bill, SOON, Shop, eventually};

#[tokio::test]
async fn v07_taken_out_its_rows_are_copied_first() {
    let shop = Shop::open(4).await;
    let phone = shop.phone().await;
    let [removed, left, other] =
        ["GST-0001-2026/27", "GST-0002-2026/27", "GST-0003-2026/27"].map(Bill::plain);
    let mut ids = Vec::new();
    for bill in [&removed, &left, &other] {
        let id = bill.send(&shop).await;
        shop.synced(&id).await;
        ids.push(id);
    }
    let before = shop.raintek.dump().await;
    for (id, bill) in [(&ids[0], &removed), (&ids[1], &left)] {
        phone.change("invoices", id, json!({"status": "cancelled"})).await;
        let record = shop.held(id).await;
        let sentence = format!("{} was cancelled in the app and still stands in RainTek.", bill.number);
        assert_eq!(record["sync_error"], sentence);
        eventually("a person is asked", SOON, async || {
            let item = shop.item(&bill.number).await.unwrap_or_default();
            item["state"] == "held" && item["action_kind"] == "remove_or_leave"
        })
        .await;
    }
    assert_eq!(shop.raintek.dump().await.rows("InvoiceInfo"), before.rows("InvoiceInfo"), "nothing unasked");
    assert!(copies(&shop, before.bills(&removed.number)[0]).is_empty());

    // Taken out as RainTek's own delete does, its rows copied first.
    shop.order(json!({"command": "remove", "number": removed.number})).await;
    eventually("it is gone from RainTek", SOON, async || {
        shop.raintek.dump().await.bills(&removed.number).is_empty()
    })
    .await;
    assert_copied(&shop, before.bills(&removed.number)[0]);
    let after = shop.raintek.dump().await;
    assert!(after.with("SaleGST", "InvNo", &removed.number).is_empty(), "its number is not counted");
    for orphan in ["Invoice_Product", "Invoice_Payment"] {
        assert!(after.rows(orphan).is_empty(), "{orphan} without a bill");
    }
    for bill in [&left, &other] {
        assert_eq!(after.bills(&bill.number), before.bills(&bill.number));
    }

    // The other one stays, and is asked about no more.
    shop.order(json!({"command": "leave", "number": left.number})).await;
    eventually("nobody is asked any more", SOON, async || shop.status().await["counts"]["held"] == 0).await;
    shop.pass().await;
    shop.in_step().await;
    assert_eq!(shop.raintek.dump().await.rows("InvoiceInfo"), after.rows("InvoiceInfo"));
    assert!(copies(&shop, before.bills(&left.number)[0]).is_empty());

    // Completed again, both stand in RainTek, once.
    for (id, bill) in [(&ids[0], &removed), (&ids[1], &left)] {
        phone.change("invoices", id, json!({"status": "completed"})).await;
        eventually("it is in RainTek", SOON, async || {
            let dump = shop.raintek.dump().await;
            let record = phone.read("invoices", id).await;
            record["sync_status"] == "synced" && dump.bills(&bill.number).len() == 1
        })
        .await;
        let record = phone.read("invoices", id).await;
        assert_booked(&shop.raintek.dump().await, bill, &record, 1);
    }
}
