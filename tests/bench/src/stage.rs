//! A shop to measure, and a copy of its RainTek for the limit.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::raintek::RainTek;
use crate::harness::{Bill, Line, Shop, eventually};

/// Long enough for the largest shop on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3 * 3600);

/// RainTek as it was when it was copied.
#[derive(Debug)]
pub(crate) struct Twin {
    pub(crate) raintek: RainTek,
    _folder: tempfile::TempDir,
}

/// A shop that runs and is in step.
pub(crate) async fn open(products: u32) -> Shop {
    let mut shop = Shop::new(products);
    shop.raintek.start().await;
    shop.start().await;
    in_step(&shop).await;
    shop.phone().await;
    shop
}

/// The same as [`Shop::in_step`] for shops of any size.
pub(crate) async fn in_step(shop: &Shop) {
    eventually("everything is in step", PATIENCE, async || {
        shop.health().await.is_some_and(|(_, health)| health["state"] == "in_step")
    })
    .await;
    shop.in_step().await;
}

/// Copies RainTek, whose server is started anew for that.
pub(crate) async fn twin(shop: &mut Shop) -> Twin {
    let folder = tempfile::tempdir().unwrap();
    shop.raintek.kill();
    for name in ["raintek.sqlite", "raintek.sqlite-wal"] {
        let from = shop.app.folder.path().join(name);
        if from.exists() {
            std::fs::copy(from, folder.path().join(name)).unwrap();
        }
    }
    shop.raintek.start().await;
    let mut raintek = RainTek::new(folder.path().to_owned(), 4);
    raintek.start().await;
    Twin { raintek, _folder: folder }
}

/// An invoice of ten lines, as they are in shops of the sandbox.
pub(crate) fn bill_of_ten(at: u32) -> Bill {
    let modes = ["Exclusive", "Inclusive"];
    let lines = (0..10_u32).map(|line| {
        // Other products and quantities each time, so that no two bills have one text.
        let code = format!("P-{:04}", 1 + (at * 7 + line * 3) % 60);
        let quantity = format!("{}.{:03}", 1 + (at + line) % 5, if line % 4 == 0 { 250 } else { 0 });
        let rate = format!("{}.{:02}", 20 + (at * 13 + line * 31) % 400, (line * 25) % 100);
        Line::new(&code, &quantity, &rate, modes[line as usize % 2], "18")
    });
    Bill::new(&number(at), lines.collect())
}

/// The number of bill `at`.
pub(crate) fn number(at: u32) -> String {
    format!("GST-{at:04}-2026/27")
}

/// The record of bill `at`.
pub(crate) fn record_id(at: u32) -> String {
    format!("bench{at:010}")
}

/// The record of a line of bill `at`, from 1 on: lines of one moment are shown in the order of their records.
pub(crate) fn line_id(at: u32, line: usize) -> String {
    format!("l{at:010}{line:04}")
}

/// Sends it in one transaction, as the app's page does; returns the record's id.
pub(crate) async fn send(shop: &Shop, at: u32, status: &str) -> String {
    let (bill, id) = (bill_of_ten(at), record_id(at));
    let mut head = bill.head(status);
    head["id"] = json!(id);
    let lines = bill.parts(&id).into_iter().enumerate().map(|(place, (collection, mut line))| {
        line["id"] = json!(line_id(at, place + 1));
        (collection, line)
    });
    let parts = std::iter::once(("invoices", head)).chain(lines);
    let requests: Vec<Value> = parts
        .map(|(collection, body)| {
            json!({"method": "POST", "url": format!("/api/collections/{collection}/records"), "body": body})
        })
        .collect();
    shop.phone().await.post("/api/batch", json!({ "requests": requests })).await;
    id
}

/// Waits until so many invoices were proven since ever.
pub(crate) async fn proven(shop: &Shop, wanted: u64) {
    eventually("all are proven", PATIENCE, async || {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let counts = shop.status().await["counts"].clone();
        counts["done_total"].as_u64() >= Some(wanted) && counts["waiting"] == 0
    })
    .await;
}
