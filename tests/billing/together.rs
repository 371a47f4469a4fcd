//! Several invoices in one request: the same as one by one.

use std::time::Duration;

use serde_json::{Value, json};
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{InvoiceRead, NotDue, Stamp};
use shopsync::ports::Billing as _;

use crate::pocketbase::Caller;
use crate::reads::{id_of, start};

async fn invoice(phone: &Caller, number: &str, lines: u32) -> RecordId {
    let made = phone
        .make(
            "invoices",
            json!({"invoice_number": number, "invoice_date": "2026-11-21 00:00:00.000Z", "status": "completed",
                "grand_total": lines, "item_count": lines}),
        )
        .await;
    let all: Vec<Value> = (1..=lines)
        .map(|line| {
            json!({"method": "POST", "url": "/api/collections/invoice_items/records",
            "body": {"invoice": made["id"], "product_name": format!("{number} {line}"), "quantity": line, "rate": 1}})
        })
        .collect();
    for some in all.chunks(100) {
        phone.post("/api/batch", json!({"requests": some})).await;
    }
    id_of(&made)
}

#[tokio::test]
async fn what_is_read_together_is_what_is_read_one_by_one() {
    let (shop, app, phone) = start().await;
    let mut ids = Vec::new();
    // PocketBase brings a thousand lines along with a record.
    for (number, lines) in [("R-1", 3), ("R-2", 1040), ("R-3", 0), ("R-4", 999)] {
        ids.push(invoice(&phone, number, lines).await);
    }
    for number in 5..=20 {
        ids.push(invoice(&phone, &format!("R-{number}"), number).await);
    }
    let admin = shop.as_shopsync().await;
    let cancelled = format!("/api/collections/invoices/records/{}", ids[2]);
    admin.patch(&cancelled, json!({"status": "cancelled"})).await;
    ids.insert(1, RecordId::new("nobodyhasthisid"));
    ids.reverse();

    let together = app.invoices(&ids).await.unwrap();
    let mut singly = Vec::new();
    for id in &ids {
        singly.push(app.invoice(id).await.unwrap());
    }
    assert!(together == singly, "not the same");
    let lines: Vec<usize> = together
        .iter()
        .filter_map(|read| if let InvoiceRead::Found(found) = read { Some(found.lines.len()) } else { None })
        .collect();
    assert_eq!(lines, (5..=20).rev().chain([999, 1040, 3]).collect::<Vec<_>>());
    assert_eq!(together.iter().filter(|read| **read == InvoiceRead::NotDue(NotDue::Deleted)).count(), 1);
    assert_eq!(together.iter().filter(|read| **read == InvoiceRead::NotDue(NotDue::Cancelled)).count(), 1);

    // One that cannot be asked for spoils none of its neighbours.
    let odd = RecordId::new("a'b");
    assert!(app.invoice(&odd).await.is_err());
    let beside = app.invoices(&[ids[0].clone(), odd]).await.unwrap();
    assert!(matches!(beside.as_slice(), [InvoiceRead::Found(_), InvoiceRead::Broken(_)]), "{beside:?}");
    app.server().stop().await;
}

#[tokio::test]
async fn stamps_of_one_moment_reach_their_own_invoices_though_one_is_refused() {
    let (_shop, app, phone) = start().await;
    let mut ids = Vec::new();
    for number in 1..=40 {
        ids.push(invoice(&phone, &format!("S-{number}"), 0).await);
    }
    ids.insert(7, RecordId::new("nobodyhasthisid"));
    let stamps: Vec<(RecordId, Stamp)> = ids
        .into_iter()
        .zip(1..)
        .map(|(id, n)| {
            let stamp = match n % 5 {
                0 => Stamp::Failed(format!("Held {n}.")),
                _ => Stamp::Synced { inv_id: n, customer: None },
            };
            (id, stamp)
        })
        .collect();
    let all = futures_util::future::join_all(stamps.iter().map(|(id, stamp)| app.stamp(id, stamp)));
    let outcomes = tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    let failed: Vec<usize> =
        outcomes.iter().enumerate().filter(|(_, done)| done.is_err()).map(|(place, _)| place).collect();
    assert_eq!(failed, [7]);
    for (id, stamp) in stamps.iter().filter(|(id, _)| id.as_str() != "nobodyhasthisid") {
        let InvoiceRead::Found(found) = app.invoice(id).await.unwrap() else { panic!("not found") };
        match stamp {
            Stamp::Synced { inv_id, .. } => assert_eq!((found.pos_id, found.stamped), (Some(*inv_id), true)),
            _ => assert!(!found.stamped),
        }
    }
    app.server().stop().await;
}
