//! v08: a bill made, edited, deleted in RainTek. Read-only in the app as source raintek, follows the edit, cancelled on
//! delete; a bill of ours is never imported, and never silently overwritten.

use serde_json::{Value, json};

use crate::expected::{amount, assert_shown, number};
use crate::pocketbase::Caller;
use crate::shop::{Shop, eventually};

fn numbers(said: &[Value]) -> Vec<String> {
    said.iter().map(|bill| bill["number"].as_str().unwrap().to_owned()).collect()
}

fn text(bill: &Value) -> String {
    bill["number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn v08_awareness() {
    // Some were there before ShopSync came: that is the history of the first run.
    let shop = Shop::open(&[&["bill", "--count", "8", "--seed", "3"]]).await;
    followed(&shop, &shop.app.as_phone().await, 25).await;
}

#[tokio::test]
async fn v08_awareness_on_the_old_generation() {
    let shop = Shop::open_on("old", &[&["bill", "--count", "8", "--seed", "3"]]).await;
    let phone = shop.app.as_phone().await;
    followed(&shop, &phone, 4).await;
    ours(&shop, &phone).await;
}

#[tokio::test]
async fn v08_awareness_with_plain_ids() {
    let shop = Shop::open_on("plain-ids", &[&["bill", "--count", "8", "--seed", "3"]]).await;
    followed(&shop, &shop.app.as_phone().await, 4).await;
}

#[tokio::test]
async fn v08_awareness_with_columns_nobody_knows() {
    let shop = Shop::open_on("extra-not-null", &[&["bill", "--count", "8", "--seed", "3"]]).await;
    followed(&shop, &shop.app.as_phone().await, 4).await;
}

/// So many bills made in RainTek, some edited and deleted, where eight stood before.
async fn followed(shop: &Shop, phone: &Caller, count: u32) {
    let owner = shop.app.as_shopsync().await;
    let old = shop.dump().await;
    for bill in old["InvoiceInfo"].as_array().unwrap() {
        assert_shown(shop, &owner, bill["InvoiceNo"].as_str().unwrap()).await;
    }
    assert_eq!(shop.status().await["from_raintek"]["total"], 8);

    // A customer whom the app knows under another spelling of the phone is linked, not doubled.
    let known = old["Customer"].as_array().unwrap().iter().find(|row| {
        let unbilled = |bill: &Value| bill[shop.customer_column()] != row["ID"];
        row["Name"] != "Cash" && old["InvoiceInfo"].as_array().unwrap().iter().all(unbilled)
    });
    if let Some(known) = known {
        let spelt = format!("+91-{}", known["ContactNo"].as_str().unwrap().trim());
        phone.make("customers", json!({"name": "Asha of the app", "phone": spelt, "city": "kept"})).await;
    }
    let made = numbers(&shop.till(&["bill", "--count", &count.to_string(), "--seed", "40"]).await);
    shop.pass().await;
    for number in &made {
        assert_shown(shop, &owner, number).await;
    }
    let customers = owner.get("/api/collections/customers/records?perPage=500").await;
    let customers = customers["items"].as_array().unwrap().clone();
    let mut ids: Vec<String> = customers.iter().map(|c| c["raintek_customer_id"].to_string()).collect();
    ids.retain(|id| id != "0");
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "a customer of RainTek stands once in the app");
    assert_eq!(shop.status().await["from_raintek"]["total"], 8 + count);

    // Read-only for whoever bills in the app.
    let first = assert_shown(shop, &owner, &made[0]).await;
    let id = first["id"].as_str().unwrap();
    let item = shop.parts(&owner, "invoice_items", &first).await[0].clone();
    let item_path = format!("/api/collections/invoice_items/records/{}", item["id"].as_str().unwrap());
    let path = format!("/api/collections/invoices/records/{id}");
    let line = json!({"invoice": id, "product_code": "P-0001", "quantity": 1});
    for (method, path, body) in [
        ("PATCH", path.as_str(), Some(json!({"grand_total": 1}))),
        ("PATCH", &path, Some(json!({"status": "revised"}))),
        ("DELETE", &path, None),
        ("PATCH", &item_path, Some(json!({"quantity": 99}))),
        ("DELETE", &item_path, None),
        ("POST", "/api/collections/invoice_items/records", Some(line)),
    ] {
        let (status, answer) = phone.send(method, path, body).await;
        assert!((400..405).contains(&status), "{method} {path}: {status} {answer}");
    }
    assert_eq!(phone.read("invoices", id).await["updated"], first["updated"]);
    assert_shown(shop, &owner, &made[0]).await;

    // An edit is followed, with fewer lines and more.
    let edits = if count > 10 { ["71", "72", "73"].as_slice() } else { &["72"] };
    for seed in edits {
        let edited = shop.till(&["edit", "--number", &made[1], "--seed", seed]).await;
        shop.pass().await;
        let invoice = assert_shown(shop, &owner, &made[1]).await;
        assert_eq!(amount(&invoice, "grand_total"), number(&edited[0], "grand_total"));
    }

    // A deletion is shown as cancelled; nothing is deleted in the app.
    let gone = assert_shown(shop, &owner, &made[2]).await;
    shop.till(&["delete", "--number", &made[2]]).await;
    shop.pass().await;
    let cancelled = owner.read("invoices", gone["id"].as_str().unwrap()).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["grand_total"], gone["grand_total"]);
    assert!(!shop.parts(&owner, "invoice_items", &gone).await.is_empty());
    for number in &made[3..] {
        assert_shown(shop, &owner, number).await;
    }
    // The newest deleted, its number and Inv_ID are given out again.
    let newest = text(&shop.till(&["delete"]).await[0]);
    let again = text(&shop.till(&["bill", "--seed", "90"]).await[0]);
    shop.pass().await;
    assert_shown(shop, &owner, &again).await;
    if newest != again {
        assert_eq!(shop.invoices(&owner, &newest).await[0]["status"], "cancelled");
    }
    assert_eq!(shop.health().await.unwrap()["state"], "in_step");
}

#[tokio::test]
async fn v08_awareness_ours() {
    let shop = Shop::open(&[&["bill", "--count", "3"]]).await;
    assert_eq!(shop.status().await["from_raintek"]["total"], 3);
    ours(&shop, &shop.app.as_phone().await).await;
}

/// A bill of the app that somebody edits and deletes in RainTek, beside some of RainTek's own.
async fn ours(shop: &Shop, phone: &Caller) {
    let own = shop.status().await["from_raintek"]["total"].clone();
    let owner = shop.app.as_shopsync().await;
    let ours = "SINV-0900-2026/27";
    let booked = shop.bill_in_app(phone, ours).await;
    shop.pass().await;
    assert_eq!(shop.invoices(&owner, ours).await.len(), 1, "ours is not imported");
    assert_eq!(shop.status().await["from_raintek"]["total"], own);
    assert_eq!(shop.status().await["from_raintek"]["problems"], json!([]));

    // Somebody edits it at the till: a person decides.
    shop.till(&["edit", "--number", ours, "--seed", "7"]).await;
    let edited = shop.bill(ours).await.unwrap();
    shop.pass().await;
    let problem = shop.status().await["from_raintek"]["problems"][0].clone();
    assert_eq!((problem["number"].as_str(), problem["state"].as_str()), (Some(ours), Some("edited")));
    let sentence = problem["sentence"].as_str().unwrap();
    assert!(sentence.contains("app total 50.00") && sentence.contains("write it again?"), "{sentence}");
    assert_eq!(shop.health().await.unwrap()["state"], "attention");
    shop.pass().await;
    assert_eq!(shop.bill(ours).await.unwrap(), edited, "nothing is overwritten unasked");
    assert_eq!(shop.invoices(&owner, ours).await.len(), 1);
    assert_eq!(phone.read("invoices", booked["id"].as_str().unwrap()).await["grand_total"], 50);
    assert!(shop.cli(&["rewrite", ours], "").await.contains("written into RainTek again"));
    eventually("RainTek holds it as the app does", async || {
        let bill = shop.bill(ours).await.unwrap();
        number(&bill, "GrandTotal") == "50".parse().unwrap() && bill["TillID"] == "SHOPSYNC"
    })
    .await;
    assert_eq!(shop.bill(ours).await.unwrap()["Inv_ID"], edited["Inv_ID"]);
    shop.synced(phone, booked["id"].as_str().unwrap()).await;
    shop.pass().await;
    shop.in_step().await;
    assert_eq!(shop.status().await["from_raintek"]["problems"], json!([]));

    // Somebody deletes it.
    shop.till(&["delete", "--number", ours]).await;
    shop.pass().await;
    let problem = shop.status().await["from_raintek"]["problems"][0].clone();
    assert_eq!(problem["state"], "gone");
    assert!(shop.bill(ours).await.is_none(), "nothing is written unasked");
    shop.cli(&["rewrite", ours], "").await;
    eventually("it is in RainTek again", async || shop.bill(ours).await.is_some()).await;
    shop.synced(phone, booked["id"].as_str().unwrap()).await;
    shop.pass().await;
    shop.in_step().await;
    assert_eq!(shop.status().await["from_raintek"]["problems"], json!([]));
}

/// Older than the window, and then given a day within it: what the till made of it is not taken for ours.
#[tokio::test]
async fn v08_awareness_ours_of_long_ago() {
    let shop = Shop::open(&[]).await;
    let phone = shop.app.as_phone().await;
    let ours = "SINV-0901-2026/27";
    let booked = shop.bill_in_app_on(&phone, ours, "2020-04-01").await;
    shop.pass().await;
    shop.in_step().await;
    shop.till(&["edit", "--number", ours, "--seed", "7"]).await;
    shop.pass().await;
    let problem = shop.status().await["from_raintek"]["problems"][0].clone();
    assert_eq!((problem["number"].as_str(), problem["state"].as_str()), (Some(ours), Some("edited")));
    shop.cli(&["rewrite", ours], "").await;
    eventually("RainTek holds it as the app does", async || {
        let bill = shop.bill(ours).await.unwrap();
        number(&bill, "GrandTotal") == "50".parse().unwrap() && bill["TillID"] == "SHOPSYNC"
    })
    .await;
    shop.synced(&phone, booked["id"].as_str().unwrap()).await;
    shop.pass().await;
    shop.in_step().await;
}

#[tokio::test]
async fn v08_awareness_trouble() {
    let mut shop = Shop::open(&[&["bill", "--count", "6", "--seed", "11"]]).await;
    let owner = shop.app.as_shopsync().await;
    let phone = shop.app.as_phone().await;

    // A number that the app has, too, is said once, not looped.
    let taken = "GST-0800-2026/27";
    let head = json!({"invoice_number": taken, "invoice_date": "2026-11-21", "status": "completed",
        "item_count": 1, "grand_total": 5});
    phone.make("invoices", head).await;
    let newest = text(&shop.till(&["bill", "--seed", "31"]).await[0]);
    shop.sql(&format!("UPDATE InvoiceInfo SET InvoiceNo = N'{taken}' WHERE InvoiceNo = N'{newest}'")).await;
    shop.pass().await;
    let problem = shop.status().await["from_raintek"]["problems"][0].clone();
    assert_eq!((problem["number"].as_str(), problem["state"].as_str()), (Some(taken), Some("refused")));
    assert!(problem["sentence"].as_str().unwrap().contains("an invoice of the app has this number too"));
    assert_eq!(shop.invoices(&owner, taken).await.len(), 1);
    shop.pass().await;
    let status = shop.status().await;
    let said = status["activity"].as_array().unwrap().iter();
    assert_eq!(said.filter(|line| line["number"] == taken && line["kind"] == "bills").count(), 1);

    // Killed in the middle of a first run it goes on, and shows nothing twice.
    shop.till(&["bill", "--count", "30", "--seed", "200"]).await;
    shop.kill();
    shop.start().await;
    eventually("all are shown", async || shop.status().await["from_raintek"]["total"] == 36).await;
    shop.pass().await;
    let all = owner.get("/api/collections/invoices/records?perPage=500&filter=source%3D%27raintek%27").await;
    assert_eq!(all["totalItems"], 36);

    // Most of the bills gone at once are another database: nothing is cancelled, and it is said.
    for table in ["Invoice_Product", "Invoice_Payment"] {
        shop.sql(&format!("DELETE FROM {table} WHERE InvoiceID > 5")).await;
    }
    shop.sql("DELETE FROM InvoiceInfo WHERE Inv_ID > 5").await;
    shop.look().await;
    eventually("it is said", async || {
        let status = shop.status().await;
        status["from_raintek"]["sentence"].as_str().is_some_and(|said| said.contains("none was cancelled"))
    })
    .await;
    assert_eq!(shop.health().await.unwrap()["state"], "attention");
    let all =
        owner.get("/api/collections/invoices/records?perPage=500&filter=status%3D%27cancelled%27").await;
    assert_eq!(all["totalItems"], 0);
}
