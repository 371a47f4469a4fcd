//! v06: after a push RainTek makes a bill of its own with the next number, without a clash; the app's counters follow
//! RainTek's; and phones that leave the number to the app never share one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::pocketbase::Caller;
use crate::shop::{Shop, eventually};

async fn counter(owner: &Caller, name: &str) -> Value {
    let all = owner.get("/api/collections/counters/records?perPage=500").await;
    let found = all["items"].as_array().unwrap().iter().find(|counter| counter["name"] == name).cloned();
    found.unwrap_or_default()
}

async fn until_counter(owner: &Caller, name: &str, value: i64) {
    eventually(&format!("{name} is {value}"), async || counter(owner, name).await["value"] == value).await;
}

/// One line, so that the invoice can be booked.
async fn bill(phone: &Caller, tax_type: &str, date: &str) -> Value {
    let taxed = tax_type == "GST";
    let head = json!({
        "invoice_date": date, "status": "completed", "tax_type": tax_type, "item_count": 1, "taxable_amount": 100,
        "cgst": if taxed { 9 } else { 0 }, "sgst": if taxed { 9 } else { 0 },
        "grand_total": if taxed { 118 } else { 100 }, "amount_paid": if taxed { 118 } else { 100 },
        "payment_method": "cash",
    });
    let made = phone.make("invoices", head).await;
    let line = json!({
        "invoice": made["id"], "product_code": "P-0001", "product_name": "Thing", "quantity": 1, "unit": "PCS",
        "rate": 100, "tax_mode": if taxed { "Exclusive" } else { "No Taxes" }, "gst_rate": if taxed { 18 } else { 0 },
        "cgst": if taxed { 9 } else { 0 }, "sgst": if taxed { 9 } else { 0 }, "taxable": 100,
        "total": if taxed { 118 } else { 100 },
    });
    phone.make("invoice_items", line).await;
    made
}

fn n_of(number: &str) -> i64 {
    number.split('-').nth(1).unwrap().parse().unwrap()
}

async fn highest(shop: &Shop, table: &str) -> i64 {
    let dump = shop.dump().await;
    let rows = dump[table].as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["ID"].as_str().unwrap().parse::<i64>().unwrap()).max().unwrap_or(0)
}

/// A till's GST bill; the seeds make some that are not.
async fn gst_bill(shop: &Shop, seed: u64) -> String {
    for seed in seed.. {
        let said = shop.till(&["bill", "--date", "2026-11-21", "--seed", &seed.to_string()]).await;
        let number = said[0]["number"].as_str().unwrap().to_owned();
        if number.starts_with("GST-") {
            return number;
        }
    }
    unreachable!()
}

#[tokio::test]
async fn v06_counter() {
    let shop = Shop::open(&[&["bill", "--count", "5", "--date", "2026-11-21"]]).await;
    let (owner, phone) = (shop.app.as_shopsync().await, shop.app.as_phone().await);
    let (gst, plain) = (highest(&shop, "SaleGST").await, highest(&shop, "SaleNoTax").await);
    until_counter(&owner, "invoice_gst", gst).await;
    until_counter(&owner, "invoice_non_gst", plain).await;

    // The app takes the next one, formed as RainTek forms it.
    let made = bill(&phone, "GST", "2026-11-21 00:00:00.000Z").await;
    assert_eq!(made["invoice_number"], format!("GST-{:04}-2026/27", gst + 1));
    let made = shop.synced(&phone, made["id"].as_str().unwrap()).await;
    assert_eq!(highest(&shop, "SaleGST").await, gst + 1);

    // RainTek goes on behind it, without a clash, and the app behind RainTek.
    let till = gst_bill(&shop, 50).await;
    assert_eq!(till, format!("GST-{:04}-2026/27", gst + 2));
    until_counter(&owner, "invoice_gst", gst + 2).await;
    let next = bill(&phone, "GST", "2026-11-21 00:00:00.000Z").await;
    assert_eq!(next["invoice_number"], format!("GST-{:04}-2026/27", gst + 3));
    shop.synced(&phone, next["id"].as_str().unwrap()).await;
    assert_eq!(phone.read("invoices", made["id"].as_str().unwrap()).await["sync_status"], "synced");

    // The suffix turns on 1 April in the shop's zone: 00:10 there is still March by UTC.
    let plain = highest(&shop, "SaleNoTax").await;
    let march = bill(&phone, "NON GST", "2027-03-31 18:20:00.000Z").await;
    assert_eq!(march["invoice_number"], format!("SINV-{:04}-2026/27", plain + 1));
    let april = bill(&phone, "NON GST", "2027-03-31 18:40:00.000Z").await;
    assert_eq!(april["invoice_number"], format!("SINV-{:04}-2027/28", plain + 2));

    // RainTek's own code and suffix.
    shop.sql("UPDATE Invcode SET Code = N'TN', c10 = N'26-27'").await;
    eventually("the app knows RainTek's code", async || {
        let counter = counter(&owner, "invoice_gst").await;
        counter["prefix"] == "TN" && counter["suffix"] == "26-27"
    })
    .await;
    let coded = bill(&phone, "GST", "2026-11-21 00:00:00.000Z").await;
    assert_eq!(coded["invoice_number"], format!("TN-{:04}-26-27", gst + 4));
    // A number that a phone gives itself stays as it is.
    let own = json!({"invoice_number": "MY-1", "status": "draft", "invoice_date": "2026-11-21"});
    assert_eq!(phone.make("invoices", own).await["invoice_number"], "MY-1");
    let draft = phone.make("invoices", json!({"status": "draft", "invoice_date": "2026-11-21"})).await;
    assert_eq!(draft["invoice_number"], "", "a draft uses no number up");
}

#[tokio::test]
async fn v06_counter_two_phones() {
    let shop = Shop::open(&[&["bill", "--count", "2", "--date", "2026-11-21"]]).await;
    let (owner, phone) = (shop.app.as_shopsync().await, shop.app.as_phone().await);
    let first = highest(&shop, "SaleNoTax").await;
    until_counter(&owner, "invoice_non_gst", first).await;
    let one_phone = async |count: usize| {
        let mut numbers = Vec::new();
        for _ in 0..count {
            let made = bill(&phone, "NON GST", "2026-11-21 00:00:00.000Z").await;
            numbers.push(made["invoice_number"].as_str().unwrap().to_owned());
        }
        numbers
    };
    let (a, b, c) = tokio::join!(one_phone(12), one_phone(12), one_phone(12));
    let given: BTreeSet<String> = a.into_iter().chain(b).chain(c).collect();
    assert_eq!(given.len(), 36, "no two phones share a number");
    let ns: BTreeSet<i64> = given.iter().map(|number| n_of(number)).collect();
    assert_eq!(ns, (first + 1..=first + 36).collect(), "and none is left out");
    // What is refused uses none up.
    let broken = json!({"status": "completed", "tax_type": "NON GST", "customer": "nobody", "invoice_date": "2026-11-21"});
    let (status, _) = phone.send("POST", "/api/collections/invoices/records", Some(broken)).await;
    assert_eq!(status, 400);
    let next = bill(&phone, "NON GST", "2026-11-21 00:00:00.000Z").await;
    assert_eq!(n_of(next["invoice_number"].as_str().unwrap()), first + 37);
    // A phone cannot set the counters back through ShopSync's own door.
    let body = json!({"series": [{"name": "invoice_gst", "value": 9999, "prefix": "X", "suffix": ""}]});
    assert_eq!(phone.send("POST", "/api/shopsync/numbers", Some(body)).await.0, 403);
    let all = async || {
        let rows = shop.dump().await;
        rows["InvoiceInfo"].as_array().unwrap().iter().filter(|row| row["TillID"] == "SHOPSYNC").count()
    };
    eventually("all are in RainTek", async || all().await == 37).await;
}
