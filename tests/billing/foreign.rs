//! The shop has an app of its own: nothing of it changes, and it goes on working.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shopsync::billing::Origin;
use shopsync::model::fault::FaultKind;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{InvoiceRead, Stamp};
use shopsync::ports::{Billing as _, InvoiceScan};

use crate::foreign_app::ForeignApp;
use crate::pocketbase::{Caller, Shop, files, until};

/// Files that are there now and were not before.
fn added(app: &ForeignApp) -> Vec<PathBuf> {
    files(&app.folder).into_keys().filter(|name| !app.before.contains_key(name)).collect()
}

fn is_ours(name: &Path) -> bool {
    let name = name.to_string_lossy().replace('\\', "/");
    name == "pb_hooks/zz_shopsync.pb.js"
        || name.starts_with("pb_public/shopsync/")
        || name.starts_with("pb_migrations/") && name.ends_with("_shopsync.js")
}

/// The hook, the migration, and the page with its badge.
const OUR_FILES: usize = 1 + 1 + 8;

fn sync_of(record: &Value) -> (&str, &str, i64) {
    (
        record["source"].as_str().unwrap(),
        record["sync_status"].as_str().unwrap(),
        record["raintek_inv_id"].as_i64().unwrap(),
    )
}

/// Their app bills as it did, and a phone cannot set what is ours.
async fn assert_works(app: &shopsync::billing::PocketBase, phone: &Caller, shop: &Shop, number: &str) {
    let sent = json!({"state": "completed", "invoice_date": "2026-11-20 18:40:00.000Z", "item_count": 1, "grand_total": 55.5,
        "source": "raintek", "sync_status": "synced", "raintek_inv_id": 9, "sync_error": "x"});
    let bill = phone.make("bills", sent).await;
    assert_eq!(bill["invoice_number"], number, "their hook numbers");
    assert_eq!(sync_of(&bill), ("app", "pending", 0));
    let id = bill["id"].as_str().unwrap();
    let line = json!({"invoice": id, "product_name": "Rice", "quantity": 1, "rate": 55.5, "total": 55.5});
    let line = phone.make("invoice_items", line).await;

    let record = RecordId::new(id);
    app.stamp(&record, &Stamp::Synced { inv_id: 77, customer: None }).await.unwrap();
    app.stamp(&record, &Stamp::Synced { inv_id: 77, customer: None }).await.unwrap();
    assert_eq!(sync_of(&phone.read("bills", id).await), ("app", "synced", 77));
    let ours = json!({"sync_status": "failed", "raintek_inv_id": 1, "source": "", "sync_error": "x"});
    assert_eq!(sync_of(&phone.change("bills", id, ours).await), ("app", "synced", 77), "a phone cannot");
    let edited = phone.change("bills", id, json!({"grand_total": 56.5})).await;
    assert_eq!(sync_of(&edited), ("app", "pending", 77), "but its edit is to be sent");
    app.stamp(&record, &Stamp::Synced { inv_id: 77, customer: None }).await.unwrap();
    phone.change("invoice_items", line["id"].as_str().unwrap(), json!({"rate": 56.5})).await;
    assert_eq!(sync_of(&phone.read("bills", id).await), ("app", "pending", 77), "so is a line's");

    let InvoiceRead::Found(invoice) = app.invoice(&record).await.unwrap() else { panic!("not found") };
    assert_eq!((invoice.number.as_str(), invoice.lines.len()), (number, 1));
    assert_eq!(invoice.date.to_string(), "2026-11-21");
    let scan = InvoiceScan::Unproven { since: Some("2026-01-01 00:00:00.000Z".into()) };
    let heads = app.list(&scan).await.unwrap();
    assert!(heads.iter().any(|head| head.id == record));
    let product = phone
        .make("products", json!({"product_code": format!("X-{number}"), "raintek_product_id": "5"}))
        .await;
    assert_eq!(product["raintek_product_id"], "");
    let shelf = shop.as_guest().get("/api/shelf/a").await;
    assert_eq!(shelf["shelf"], "a");
    let page = reqwest::get(&shop.settings.url).await.unwrap().text().await.unwrap();
    assert_eq!(page, "<h1>Our shop</h1>");
}

#[tokio::test]
async fn a_stopped_app_is_started_from_its_folder() {
    let mut shop = Shop::new();
    let theirs = ForeignApp::lay(&mut shop).await;
    let app = shop.adapter();
    let report = app.set_up().await.unwrap();
    assert_eq!((report.origin, report.hook_active), (Origin::Started, true));
    let unlisted = app.list(&InvoiceScan::All).await.unwrap();
    assert_eq!(unlisted.len(), 1, "what was billed before ShopSync came");
    assert_works(&app, &ForeignApp::phone(&shop).await, &shop, "S-43-26").await;
    theirs.assert_untouched(&shop).await;
    let added = added(&theirs);
    assert!(added.len() == OUR_FILES && added.iter().all(|name| is_ours(name)), "{added:?}");
    assert!(!shop.own_app().exists());
    app.server().stop().await;

    let app = shop.adapter();
    let report = app.set_up().await.unwrap();
    assert_eq!((report.added.len(), report.hook_active), (0, true));
    assert_works(&app, &ForeignApp::phone(&shop).await, &shop, "S-44-26").await;
    theirs.assert_untouched(&shop).await;
    app.server().stop().await;
}

#[tokio::test]
async fn a_running_app_is_used_and_never_doubled() {
    let mut shop = Shop::new();
    let theirs = ForeignApp::lay(&mut shop).await;
    let mut service = ForeignApp::serve(&shop, &theirs.folder).await;
    let app = shop.adapter();
    let report = app.set_up().await.unwrap();
    assert_eq!(report.origin, Origin::Found);
    // Windows loads hooks at its next start only.
    assert_eq!(report.hook_active, cfg!(unix));
    assert_eq!(report.advice.is_none(), report.hook_active);
    assert_eq!(report.added.len(), 8, "{:?}", report.added);
    if cfg!(unix) {
        assert_works(&app, &ForeignApp::phone(&shop).await, &shop, "S-43-26").await;
    }
    theirs.assert_untouched(&shop).await;
    // A PocketBase that runs with its defaults notes a change of a collection as a migration of its own.
    let noted =
        |name: &PathBuf| name.starts_with("pb_migrations") && name.to_string_lossy().contains("_updated_");
    let added = added(&theirs);
    assert!(added.iter().all(|name| is_ours(name) || noted(name)), "{added:?}");
    assert_eq!(added.iter().filter(|name| is_ours(name)).count(), OUR_FILES);

    app.server().stop().await;
    assert!(shop.is_up().await, "what they started is theirs to stop");
    service.kill().await.unwrap();
    let fault = app.probe().await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.sentence.as_str()),
        (FaultKind::Transient, "The billing app is not answering.")
    );
    app.server().ensure().await.unwrap_err();
    assert!(!shop.is_up().await);

    let mut service = ForeignApp::serve(&shop, &theirs.folder).await;
    app.probe().await.unwrap();
    assert_works(
        &app,
        &ForeignApp::phone(&shop).await,
        &shop,
        if cfg!(unix) { "S-44-26" } else { "S-43-26" },
    )
    .await;
    let again = shop.adapter();
    let report = again.set_up().await.unwrap();
    assert_eq!((report.added.len(), report.hook_active), (0, true));
    theirs.assert_untouched(&shop).await;
    service.kill().await.unwrap();
}

#[tokio::test]
async fn an_older_database_that_is_put_back_heals() {
    let mut shop = Shop::new();
    let theirs = ForeignApp::lay(&mut shop).await;
    let backup = shop.folder.path().join("backup");
    copy(&theirs.folder.join("pb_data"), &backup);
    let app = shop.adapter();
    app.set_up().await.unwrap();
    app.server().stop().await;
    // From before ShopSync: without its login and its fields, and run by somebody else.
    std::fs::remove_dir_all(theirs.folder.join("pb_data")).unwrap();
    copy(&backup, &theirs.folder.join("pb_data"));
    for name in ["pb_migrations", "pb_hooks"] {
        for entry in std::fs::read_dir(theirs.folder.join(name)).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains("shopsync") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    let mut service = ForeignApp::serve(&shop, &theirs.folder).await;
    // Never "no invoices": the one that was billed before is found as soon as anything is.
    let mut heads = Vec::new();
    until("the app is whole again", async || match app.list(&InvoiceScan::All).await {
        Ok(found) => {
            heads = found;
            true
        }
        Err(fault) => {
            assert_ne!(fault.kind, FaultKind::Data);
            false
        }
    })
    .await;
    assert_eq!(heads.len(), 1);
    app.stamp(&heads[0].id, &Stamp::Failed("x".into())).await.unwrap();
    theirs.assert_untouched(&shop).await;
    service.kill().await.unwrap();
}

#[tokio::test]
async fn an_app_that_uses_our_name_for_something_else_is_left_alone() {
    let mut shop = Shop::new();
    let theirs = ForeignApp::lay(&mut shop).await;
    shop.settings.fields.get_mut("invoices").unwrap().insert("sync_error".into(), "item_count".into());
    let app = shop.adapter();
    let fault = app.set_up().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Schema);
    assert_eq!(fault.sentence, "The billing app uses the field item_count of bills for something else.");
    app.server().stop().await;
    // And one whose collections have other names is no empty app.
    shop.settings.collections.clear();
    shop.settings.fields.clear();
    let app = shop.adapter();
    let fault = app.set_up().await.unwrap_err();
    assert_eq!(fault.sentence, "The billing app has no collection invoices.");
    app.server().stop().await;
    drop(theirs);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, target).unwrap();
        }
    }
}
