//! v07: an invoice revised in the app. RainTek keeps one clean copy: the same Inv_ID, new lines, payments made equal,
//! SaleGST as it was, and a copy of the old rows on disk.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::bill::dec;
use crate::harness::raintek::Dump;
use crate::harness::rows::assert_booked;
use crate::harness::snapshots::{assert_copied, copies};
use crate::harness::{Bill, Line, SOON, Shop, eventually};
use crate::v04_push::customer;

/// What the app does: the old record is marked, a new one of the same number is made. Returns the new one's id.
async fn revise(shop: &Shop, old: &str, bill: &Bill) -> String {
    shop.phone().await.change("invoices", old, json!({"status": "revised"})).await;
    bill.send(shop).await
}

/// Waits until the newest record is in RainTek, and compares with what stood there before.
async fn assert_replaced(shop: &Shop, before: &Dump, id: &str, bill: &Bill, customer: i64) -> Dump {
    let record = shop.synced(id).await;
    let after = shop.raintek.dump().await;
    let number = bill.number.as_str();
    assert_booked(&after, bill, &record, customer);
    let (old, new) = (before.bills(number)[0], after.bills(number)[0]);
    assert_eq!(old["Inv_ID"], new["Inv_ID"], "{number} keeps its Inv_ID");
    assert_eq!(
        before.with("SaleGST", "InvNo", number),
        after.with("SaleGST", "InvNo", number),
        "{number}: SaleGST is left alone"
    );
    let keys = |bill: &Value| -> Vec<Value> {
        bill["Invoice_Payment"].as_array().unwrap().iter().map(|row| row["IP_ID"].clone()).collect()
    };
    for (old, new) in keys(old).into_iter().zip(keys(new)) {
        assert_eq!(old, new, "{number}: a payment that stays keeps its row");
    }
    assert_copied(shop, old);
    after
}

/// An invoice in RainTek.
async fn booked(shop: &Shop, bill: &Bill) -> String {
    let id = bill.send(shop).await;
    let record = shop.synced(&id).await;
    assert_booked(&shop.raintek.dump().await, bill, &record, 1);
    id
}

/// Revisions one after the other: lines, payments, customer.
pub(crate) async fn revisions(shop: &Shop) {
    // Fewer lines, more, other ones, and back to the first content.
    let first = Bill::plain("GST-0701-2026/27");
    let mut id = booked(shop, &first).await;
    let mut dump = shop.raintek.dump().await;
    let line = |code, quantity| Line::new(code, quantity, "45.50", "Exclusive", "18");
    let contents = [
        Bill { lines: vec![line("P-0001", "2")], ..first.clone() },
        Bill { lines: ["1", "2", "0.250", "4", "5"].map(|q| line("P-0003", q)).to_vec(), ..first.clone() },
        Bill { notes: "only a word".into(), ..first.clone() },
        first.clone(),
    ];
    for bill in &contents {
        id = revise(shop, &id, bill).await;
        dump = assert_replaced(shop, &dump, &id, bill, 1).await;
    }
    assert_eq!(copies(shop, dump.bills(&first.number)[0]).len(), 4, "each change has its copy");
    assert_eq!(dump.with("SaleGST", "InvNo", &first.number).len(), 1);

    // One payment, three, two, another kind, one.
    let one = Bill::plain("GST-0702-2026/27");
    let grand = one.totals().grand;
    let split = |payments: Vec<(&'static str, Decimal)>| Bill { method: "split", payments, ..one.clone() };
    let mut id = booked(shop, &one).await;
    dump = shop.raintek.dump().await;
    let ten = Decimal::TEN;
    let contents = [
        split(vec![("cash", ten), ("phonepe", ten), ("credit", grand - ten - ten)]),
        split(vec![("cash", ten + ten), ("card", grand - ten - ten)]),
        Bill { method: "credit", ..one.clone() },
        Bill { paid: Some(dec("40")), ..one.clone() },
        one.clone(),
    ];
    for bill in &contents {
        id = revise(shop, &id, bill).await;
        dump = assert_replaced(shop, &dump, &id, bill, 1).await;
    }

    // To another customer: a new one, one that RainTek knows, the walk-in one.
    let walk_in = Bill::plain("GST-0703-2026/27");
    let mut id = booked(shop, &walk_in).await;
    dump = shop.raintek.dump().await;
    let next = i64::try_from(dump.rows("Customer").len()).unwrap() + 1;
    let new = customer(shop, json!({"name": "Meena", "phone": "7012345678", "city": "Hubli"})).await;
    let known = customer(shop, json!({"name": "L. Stores", "phone": "98450-12345"})).await;
    for (record, expected) in [(Some(new), next), (Some(known), 2), (None, 1)] {
        let bill = Bill { customer: record, discount: dec("1.50"), ..walk_in.clone() };
        id = revise(shop, &id, &bill).await;
        dump = assert_replaced(shop, &dump, &id, &bill, expected).await;
    }
    assert_eq!(i64::try_from(dump.rows("Customer").len()).unwrap(), next, "one new customer");
}

#[tokio::test]
async fn v07_revision() {
    let mut shop = Shop::open(6).await;
    revisions(&shop).await;

    // The new record first, then the old one marked, as an app may that lets two have one number for a moment.
    shop.app.as_shopsync().await.patch("/api/collections/invoices", json!({"indexes": []})).await;
    let phone = shop.phone().await;
    let first = Bill::plain("GST-0711-2026/27");
    let old = booked(&shop, &first).await;
    let before = shop.raintek.dump().await;
    let newer = Bill { discount: Decimal::TWO, ..first.clone() };
    let id = newer.send(&shop).await;
    eventually("the newer one waits for the app", SOON, async || {
        shop.item(&first.number).await.is_some_and(|item| item["sentence"] != "")
    })
    .await;
    assert_eq!(shop.raintek.dump().await.bills(&first.number), before.bills(&first.number));
    phone.change("invoices", &old, json!({"status": "revised"})).await;
    assert_replaced(&shop, &before, &id, &newer, 1).await;

    // Nobody but the store knows that it is ours, and it stands as it was proven.
    let first = Bill::plain("GST-0712-2026/27");
    let old = booked(&shop, &first).await;
    let unmark = format!("UPDATE InvoiceInfo SET TillID = N'' WHERE InvoiceNo = N'{}'", first.number);
    shop.raintek.sql(&unmark).await;
    let before = shop.raintek.dump().await;
    let newer = Bill { discount: Decimal::ONE, ..first };
    let id = revise(&shop, &old, &newer).await;
    assert_replaced(&shop, &before, &id, &newer, 1).await;

    // One that RainTek's till edited is not overwritten unasked, revised or not.
    let first = Bill::plain("GST-0713-2026/27");
    let old = booked(&shop, &first).await;
    shop.raintek.till(&["edit", "--number", &first.number, "--seed", "9", "--date", "2026-11-21"]).await;
    let theirs = shop.raintek.dump().await;
    let id = revise(&shop, &old, &Bill { discount: Decimal::ONE, ..first.clone() }).await;
    let record = shop.held(&id).await;
    assert!(record["sync_error"].as_str().unwrap().contains(&first.number), "{record}");
    assert_eq!(shop.raintek.dump().await.bills(&first.number), theirs.bills(&first.number));

    // The store is lost while a revision waits: the number and the till's mark are enough.
    let first = Bill::plain("GST-0714-2026/27");
    let old = booked(&shop, &first).await;
    let before = shop.raintek.dump().await;
    shop.raintek.order(json!({"action": "refuse"})).await;
    let newer = Bill { lines: vec![Line::new("P-0004", "7", "12", "Exclusive", "12")], ..first };
    let id = revise(&shop, &old, &newer).await;
    shop.kill();
    for name in ["shopsync.sqlite", "shopsync.sqlite-wal", "shopsync.sqlite-shm"] {
        let file = shop.data().join(name);
        if file.exists() {
            std::fs::remove_file(file).unwrap();
        }
    }
    shop.raintek.order(json!({"action": "accept"})).await;
    shop.start().await;
    assert_replaced(&shop, &before, &id, &newer, 1).await;
    let numbers = shop.raintek.count("SELECT COUNT(*) - COUNT(DISTINCT InvoiceNo) FROM InvoiceInfo").await;
    assert_eq!(numbers, 0, "nothing is there twice");
}

#[tokio::test]
async fn v07_revision_on_its_way() {
    let shop = Shop::open(6).await;
    let once = async |bill: &Bill, id: &str| {
        let record = shop.synced(id).await;
        shop.in_step().await;
        let dump = shop.raintek.dump().await;
        assert_booked(&dump, bill, &record, 1);
        dump
    };
    let changed = |bill: &Bill, rupees: i64| Bill { discount: Decimal::from(rupees), ..bill.clone() };

    // Twice within a second, and again before the app is told.
    let first = Bill::plain("GST-0721-2026/27");
    let mut id = booked(&shop, &first).await;
    let before = shop.raintek.dump().await;
    for rupees in 1..4 {
        id = revise(&shop, &id, &changed(&first, rupees)).await;
    }
    let after = once(&changed(&first, 3), &id).await;
    assert_eq!(after.bills(&first.number)[0]["Inv_ID"], before.bills(&first.number)[0]["Inv_ID"]);
    assert_copied(&shop, before.bills(&first.number)[0]);

    // While the first is being sent and RainTek does not answer.
    let first = Bill::plain("GST-0722-2026/27");
    shop.raintek.order(json!({"action": "hang"})).await;
    let old = first.send(&shop).await;
    eventually("it is being sent", SOON, async || {
        shop.item(&first.number).await.is_some_and(|item| item["state"] == "sending")
    })
    .await;
    let id = revise(&shop, &old, &changed(&first, 5)).await;
    shop.raintek.order(json!({"action": "resume"})).await;
    once(&changed(&first, 5), &id).await;

    // The answer to the first one's commit is lost: it stands there, and nobody knows yet.
    for (number, count) in [("GST-0723-2026/27", 1), ("GST-0724-2026/27", 2)] {
        let first = Bill::plain(number);
        shop.raintek.order(json!({"action": "drop_after_commit", "count": count})).await;
        let old = first.send(&shop).await;
        let id = revise(&shop, &old, &changed(&first, 6)).await;
        once(&changed(&first, 6), &id).await;
        shop.raintek.order(json!({"action": "drop_after_commit", "count": 0})).await;
    }

    // Revised before it ever reached RainTek: only the newest goes, and nothing was there to be copied.
    let first = Bill::plain("GST-0725-2026/27");
    shop.raintek.order(json!({"action": "refuse"})).await;
    let mut id = first.send(&shop).await;
    eventually("it waits", SOON, async || shop.item(&first.number).await.is_some()).await;
    for rupees in 1..3 {
        id = revise(&shop, &id, &changed(&first, rupees)).await;
    }
    shop.raintek.order(json!({"action": "accept"})).await;
    let dump = once(&changed(&first, 2), &id).await;
    assert!(copies(&shop, dump.bills(&first.number)[0]).is_empty(), "nothing was replaced");

    assert_eq!(dump.rows("InvoiceInfo").len(), 5, "each once");
    assert_eq!(dump.rows("SaleGST").len(), 5);
}
