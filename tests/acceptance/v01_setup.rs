//! v01: the billing app is found or laid down, kept alive, reachable from phones, and nobody's own things change.

use std::net::{Ipv4Addr, UdpSocket};

use serde_json::json;

use crate::foreign_app::ForeignApp;
use crate::harness::{Bill, SOON, Shop, eventually, is_alive, processes_of, signal};

/// An address of this machine that others can reach, if it has one.
fn lan_address() -> Option<Ipv4Addr> {
    // Nothing is sent: the system only chooses the address it would send from.
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.200:9").ok()?;
    match socket.local_addr().ok()?.ip() {
        std::net::IpAddr::V4(address) if !address.is_loopback() && !address.is_unspecified() => Some(address),
        _ => None,
    }
}

#[tokio::test]
async fn v01_setup() {
    let mut shop = Shop::open(6).await;
    assert!(shop.app.is_up().await, "PocketBase was started");
    if let Some(address) = lan_address() {
        let url = format!("http://{address}:{}/api/health", shop.app.port);
        let answer = shop.http.get(&url).send().await.unwrap_or_else(|error| panic!("{url}: {error}"));
        assert!(answer.status().is_success(), "phones reach the app at {url}");
    }
    let collections = shop.app.as_shopsync().await.collections().await;
    for name in ["products", "customers", "invoices", "invoice_items", "invoice_payments", "counters"] {
        assert!(collections.contains_key(name), "{name} in {:?}", collections.keys());
    }
    let phone = shop.phone().await;
    let bill = Bill::plain("GST-0001-2026/27").send(&shop).await;
    shop.synced(&bill).await;

    // Whatever ends it, it is back by itself, and so is what it holds.
    let first = shop.pocketbase_pid();
    signal(first, "KILL");
    eventually("PocketBase is back after it was killed", SOON, async || {
        std::fs::read_to_string(shop.data().join("pocketbase.started"))
            .is_ok_and(|mark| !mark.starts_with(&format!("{first} ")))
            && shop.app.is_up().await
    })
    .await;
    assert_eq!(phone.read("invoices", &bill).await["sync_status"], "synced");
    assert_eq!(processes_of("pocketbase", &shop.data()).len(), 1);

    let second = shop.pocketbase_pid();
    shop.stop().await;
    assert!(!is_alive(second), "what it started ends with it");
    shop.start().await;
    shop.in_step().await;
    assert_eq!(phone.read("invoices", &bill).await["sync_status"], "synced");
    let next = Bill::plain("GST-0002-2026/27").send(&shop).await;
    shop.synced(&next).await;
    assert_eq!(processes_of("pocketbase", &shop.data()).len(), 1);
}

/// A bill of the shop's own app, whose hook gives it its number, reaches RainTek.
async fn assert_bills(shop: &Shop, number: &str) {
    // A new hook makes PocketBase start itself again.
    eventually("the hook runs", SOON, async || {
        let asked = shop.http.get(format!("{}/api/shopsync/hook", shop.app.settings.url)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    })
    .await;
    shop.in_step().await;
    let phone = ForeignApp::phone(&shop.app).await;
    let filter = "/api/collections/products/records?filter=(product_code='P-0001')";
    let mut product = json!(null);
    eventually("RainTek's product is in the shop's app", SOON, async || {
        product = phone.get(filter).await["items"][0]["id"].clone();
        product.is_string()
    })
    .await;
    let head = json!({"state": "completed", "invoice_date": "2026-11-21 00:00:00.000Z", "item_count": 1, "tax_type": "GST",
        "taxable_amount": 100, "cgst": 9, "sgst": 9, "grand_total": 118, "amount_paid": 118, "payment_method": "cash"});
    let made = phone.make("bills", head).await;
    assert_eq!(made["invoice_number"], number);
    let id = made["id"].as_str().unwrap();
    let line = json!({"invoice": id, "product": product, "product_name": "Rice", "quantity": 1, "rate": 100,
        "taxable": 100, "total": 118});
    phone.make("invoice_items", line).await;
    let mut record = json!(null);
    eventually("the shop's own bill is in RainTek", SOON, async || {
        record = phone.read("bills", id).await;
        record["sync_status"] == "synced"
    })
    .await;
    let dump = shop.raintek.dump().await;
    let found = dump.bills(number);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["GrandTotal"], "118.00");
    assert_eq!((&found[0]["CGST"], &found[0]["SubTotal"]), (&json!("9.00"), &json!("118.00")));
    assert_eq!(found[0]["Invoice_Product"][0]["TotalAmount"], "118.00");
    assert_eq!(record["raintek_inv_id"].to_string(), found[0]["Inv_ID"].as_str().unwrap());
}

#[tokio::test]
async fn v01_setup_starts_the_shops_own_app() {
    let mut shop = Shop::new(6);
    let theirs = ForeignApp::lay(&mut shop.app).await;
    shop.settings.push.from_date = chrono::NaiveDate::from_ymd_opt(2026, 11, 21);
    shop.raintek.start().await;
    shop.start().await;
    eventually("ShopSync started the shop's app", SOON, async || shop.app.is_up().await).await;
    assert_bills(&shop, "S-43-26").await;
    theirs.assert_untouched(&shop.app).await;
    assert!(!shop.app.own_app().exists(), "no app beside the shop's own");
    assert_eq!(processes_of("pocketbase", shop.app.folder.path()).len(), 1);

    shop.stop().await;
    assert!(!shop.app.is_up().await);
    shop.start().await;
    eventually("the shop's app is back", SOON, async || shop.app.is_up().await).await;
    assert_bills(&shop, "S-44-26").await;
    theirs.assert_untouched(&shop.app).await;
}

#[tokio::test]
async fn v01_setup_uses_the_app_that_runs() {
    let mut shop = Shop::new(6);
    let theirs = ForeignApp::lay(&mut shop.app).await;
    shop.settings.push.from_date = chrono::NaiveDate::from_ymd_opt(2026, 11, 21);
    let mut service = ForeignApp::serve(&shop.app, &theirs.folder).await;
    shop.raintek.start().await;
    shop.start().await;
    assert_bills(&shop, "S-43-26").await;
    theirs.assert_untouched(&shop.app).await;
    let running = processes_of("pocketbase", shop.app.folder.path());
    assert_eq!(running, [service.id().unwrap()], "never a second server");

    // What they started is theirs to stop, and to start again.
    shop.stop().await;
    assert!(shop.app.is_up().await);
    shop.start().await;
    // Only who has seen somebody else's server knows that it is not its own to start.
    eventually("the app that runs is used again", SOON, async || {
        shop.health().await.is_some_and(|(_, health)| health["billing"]["connected"] == true)
    })
    .await;
    service.kill().await.unwrap();
    eventually("it is seen that the app is away", SOON, async || {
        shop.health().await.is_some_and(|(_, health)| health["billing"]["connected"] == false)
    })
    .await;
    assert_eq!(processes_of("pocketbase", shop.app.folder.path()), Vec::<u32>::new());
    service = ForeignApp::serve(&shop.app, &theirs.folder).await;
    assert_bills(&shop, "S-44-26").await;
    assert_eq!(processes_of("pocketbase", shop.app.folder.path()), [service.id().unwrap()]);
    theirs.assert_untouched(&shop.app).await;
    shop.stop().await;
    service.kill().await.unwrap();
}
