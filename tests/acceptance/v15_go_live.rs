//! v15: a trial, then go live: the test rows are gone from RainTek and no others, the app is empty of them, products are
//! there, the counters are aligned, and both sides were backed up before anything was removed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::NaiveTime;
use serde_json::{Value, json};
use shopsync::ports::State as _;
use shopsync::ports::trial::TrialStore;
use shopsync::store::Store;

use crate::foreign_app::ForeignApp;
use crate::harness::raintek::{Dump, number};
use crate::harness::shop::Said;
use crate::harness::{Bill, SOON, Shop, eventually};
use crate::pocketbase::Caller;

pub(crate) const DAY: &str = "2026-11-21";

/// A shop on trial, whose till billed before.
async fn on_trial() -> Shop {
    let mut shop = quiet();
    shop.settings.trial = true;
    shop.raintek.start().await;
    shop.raintek.till(&["bill", "--count", "3", "--date", DAY]).await;
    shop.start().await;
    shop.in_step().await;
    shop
}

/// Without the evening's backup and the weekly trial restore, which would come in between.
pub(crate) fn quiet() -> Shop {
    let mut shop = Shop::new(4);
    shop.settings.backup.times = vec![NaiveTime::MIN];
    shop.settings.backup.drill = false;
    shop
}

/// The app's records of a collection.
async fn records(caller: &Caller, collection: &str) -> Vec<Value> {
    let all = caller.get(&format!("/api/collections/{collection}/records?perPage=500")).await;
    all["items"].as_array().unwrap().clone()
}

async fn invoices(shop: &Shop) -> Vec<Value> {
    records(&shop.app.as_shopsync().await, "invoices").await
}

/// An invoice that the app numbers itself, in RainTek. Returns its record.
async fn billed(shop: &Shop, customer: Option<&str>) -> Value {
    let highest = highest(&shop.raintek.dump().await);
    let owner = shop.app.as_shopsync().await;
    eventually("the app's counter follows RainTek's", SOON, async || {
        let all = records(&owner, "counters").await;
        all.iter().any(|counter| counter["name"] == "invoice_gst" && counter["value"] == highest)
    })
    .await;
    let bill = Bill { customer: customer.map(str::to_owned), ..Bill::plain("") };
    shop.synced(&bill.send(shop).await).await
}

fn number_of(record: &Value) -> String {
    record["invoice_number"].as_str().unwrap().to_owned()
}

pub(crate) async fn customer(shop: &Shop, name: &str, phone: &str) -> String {
    let made = shop.phone().await.make("customers", json!({"name": name, "phone": phone})).await;
    made["id"].as_str().unwrap().to_owned()
}

/// RainTek's tables without the rows of these bills and customers.
fn without(dump: &Dump, bills: &BTreeSet<String>, customers: &[&str]) -> Value {
    let mut tables = dump.whole().clone();
    let mut drop = |table: &str, gone: &dyn Fn(&Value) -> bool| {
        tables[table].as_array_mut().unwrap().retain(|row| !gone(row));
    };
    let numbered =
        |row: &Value, column: &str| bills.contains(row[column].as_str().unwrap_or_default().trim());
    drop("InvoiceInfo", &|row| numbered(row, "InvoiceNo"));
    drop("SaleGST", &|row| numbered(row, "InvNo"));
    drop("SaleNoTax", &|row| numbered(row, "InvNo"));
    drop("Customer", &|row| customers.contains(&row["Name"].as_str().unwrap_or_default().trim()));
    tables
}

/// Every table is as expected; the first that differs is named.
pub(crate) fn assert_tables(dump: &Dump, expected: &Value) {
    for (table, rows) in expected.as_object().unwrap() {
        assert_eq!(dump.rows(table), rows.as_array().unwrap().as_slice(), "{table}");
    }
    assert_eq!(dump.whole(), expected);
}

async fn go_live(shop: &Shop, arguments: &[&str]) -> Said {
    let said = shop.cli(&[&["go-live"], arguments].concat()).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    said
}

async fn trial(shop: &Shop) -> Value {
    shop.status().await["trial"].clone()
}

/// The app shows RainTek's own bills again, and nothing else of invoices.
async fn shows_only_raintek(shop: &Shop, bills: usize) {
    shop.look().await;
    eventually("RainTek's bills are in the app anew", SOON, async || {
        let all = invoices(shop).await;
        assert!(all.iter().all(|record| record["source"] == "raintek"), "{all:?}");
        all.len() == bills
    })
    .await;
}

fn highest(dump: &Dump) -> u32 {
    let ids = dump.rows("SaleGST").iter().map(|row| number(row, "ID"));
    ids.max().map(|id| id.to_string().parse().unwrap()).unwrap_or_default()
}

/// The next invoice of the app follows RainTek's highest number, and is real.
async fn next_is_aligned(shop: &Shop) {
    let next = highest(&shop.raintek.dump().await) + 1;
    let record = billed(shop, None).await;
    assert_eq!(number_of(&record), format!("GST-{next:04}-2026/27"));
    assert_eq!(highest(&shop.raintek.dump().await), next);
}

fn settings_text(shop: &Shop) -> String {
    std::fs::read_to_string(shop.data().join("settings.toml")).unwrap()
}

#[tokio::test]
async fn v15_go_live() {
    let shop = on_trial().await;
    let status = shop.status().await;
    assert_eq!((&status["trial"]["on"], &status["state"]), (&json!(true), &json!("in_step")));
    assert!(status["trial"]["banner"].as_str().unwrap().contains("test data"), "{status}");

    // Test data on both sides, and RainTek's own bills in between.
    let (asha, ravi) =
        (customer(&shop, "Asha", "9876500001").await, customer(&shop, "Ravi", "9876500002").await);
    let plain = billed(&shop, None).await;
    let revised = billed(&shop, Some(&asha)).await;
    shop.raintek.till(&["bill", "--count", "2", "--seed", "70", "--date", DAY]).await;
    let with_ravi = billed(&shop, Some(&ravi)).await;
    let edited = billed(&shop, None).await;
    let phone = shop.phone().await;
    phone.change("invoices", revised["id"].as_str().unwrap(), json!({"status": "revised"})).await;
    let mut again = Bill { customer: Some(asha.clone()), ..Bill::plain(&number_of(&revised)) };
    again.lines.truncate(1);
    let again = shop.synced(&again.send(&shop).await).await;
    assert_eq!(again["raintek_inv_id"], revised["raintek_inv_id"]);
    Bill::plain("").send_as(&phone, "draft").await;
    // A till edits a bill of the trial, and another bills a customer that the trial made.
    let edited = number_of(&edited);
    shop.raintek.till(&["edit", "--number", &edited, "--seed", "5", "--date", DAY]).await;
    shop.raintek
        .sql(
            "UPDATE InvoiceInfo SET Customer_ID = (SELECT MAX(ID) FROM Customer WHERE Name = N'Ravi') \
             WHERE Inv_ID = (SELECT MIN(Inv_ID) FROM InvoiceInfo)",
        )
        .await;
    let own =
        async || shop.raintek.count("SELECT COUNT(*) FROM InvoiceInfo WHERE TillID <> 'SHOPSYNC'").await - 1;
    shop.look().await;
    let mut shown = 0;
    eventually("RainTek's bills are shown", SOON, async || {
        let all = invoices(&shop).await;
        shown = all.iter().filter(|record| record["source"] == "raintek").count();
        i32::try_from(shown).unwrap() == own().await
    })
    .await;
    let before = shop.raintek.dump().await;
    let in_app = invoices(&shop).await.len();

    // Only said: nothing is changed.
    let said = go_live(&shop, &[]).await;
    assert!(said.out.contains("Removed from RainTek: 3 bills and 2 customers"), "{said:?}");
    assert!(said.out.contains(&format!("Left in RainTek: {edited}: RainTek changed")), "{said:?}");
    assert!(said.out.contains("shopsync go-live --yes"), "{said:?}");
    assert_tables(&shop.raintek.dump().await, before.whole());
    assert_eq!(invoices(&shop).await.len(), in_app);

    let said = go_live(&shop, &["--yes"]).await;
    assert!(
        said.out.contains("The trial is over. Removed from RainTek: 3 bills and 1 customer."),
        "{said:?}"
    );
    assert!(said.out.contains(&format!("Left in RainTek: {edited} (Inv_ID ")), "{said:?}");
    assert!(said.out.contains("Left in RainTek: customer Ravi (C-"), "{said:?}");
    assert!(said.out.contains("RainTek has a bill of it") || said.out.contains("bills of it"), "{said:?}");

    // RainTek: only ours are gone, to the last cell of the last table.
    let gone: BTreeSet<String> = [&plain, &again, &with_ravi].map(number_of).into();
    let dump = shop.raintek.dump().await;
    assert_tables(&dump, &without(&before, &gone, &["Asha"]));
    assert_eq!(dump.bills(&edited).len(), 1);

    // Both sides were backed up before anything was removed.
    let status = shop.status().await;
    let made = |part: &str| {
        let files = status["backups"]["files"].as_array().unwrap();
        let of_part = files.iter().find(|made| {
            made["part"] == part && made["file"].as_str().unwrap().contains("before-going-live")
        });
        of_part.unwrap_or_else(|| panic!("no backup of {part}: {files:?}")).clone()
    };
    assert_eq!(made("billing")["rows"]["least"], in_app, "with the test data in it");
    assert_eq!(made("raintek")["rows"]["least"], before.rows("InvoiceInfo").len());
    for part in ["raintek", "billing", "store"] {
        let made = made(part);
        assert!(!made["proof"].is_null() && PathBuf::from(made["file"].as_str().unwrap()).is_file());
    }
    let copies = std::fs::read_dir(shop.data().join("snapshots")).unwrap().flatten();
    let copies: usize = copies.map(|day| std::fs::read_dir(day.path()).unwrap().count()).sum();
    assert!(copies >= 4, "the rows of each bill were copied first: {copies}");

    // The app: nothing of the trial, RainTek's bills afresh (the one that was left is RainTek's by now), products there.
    let bills = dump.rows("InvoiceInfo").len();
    shows_only_raintek(&shop, bills).await;
    let owner = shop.app.as_shopsync().await;
    assert!(records(&owner, "customers").await.iter().all(|record| record["name"] != "Asha"));
    let products = records(&owner, "products").await;
    assert_eq!(products.iter().filter(|product| product["active"] == true).count(), 4);
    shop.in_step().await;
    assert_eq!(trial(&shop).await["on"], false);
    assert_eq!(trial(&shop).await["banner"], Value::Null);
    assert!(settings_text(&shop).contains("trial = false"));
    next_is_aligned(&shop).await;

    // Whoever asks again is told.
    let said = go_live(&shop, &["--yes"]).await;
    assert!(said.out.contains("There is nothing to do: ShopSync is not in trial."), "{said:?}");
}

#[tokio::test]
async fn v15_go_live_goes_on_whenever_it_is_killed() {
    let mut shop = on_trial().await;
    let untouched = shop.raintek.dump().await;
    let asha = customer(&shop, "Asha", "9876500001").await;
    let mut ids = Vec::new();
    for at in 0..24 {
        let bill = Bill { customer: Some(asha.clone()).filter(|_| at % 3 == 0), ..Bill::plain("") };
        ids.push(bill.send(&shop).await);
    }
    for id in &ids {
        shop.synced(id).await;
    }
    shop.in_step().await;
    let all = shop.raintek.dump().await.rows("InvoiceInfo").len();

    // Killed while both sides are being backed up.
    shop.raintek.order(json!({"action": "hold_backup"})).await;
    assert!(command(&shop, json!({"command": "go_live", "yes": true})).await.0);
    under_way(&shop, "Backing up both sides").await;
    assert_eq!(shop.status().await["state"], "working");
    assert!(!command(&shop, json!({"command": "retry_all"})).await.0, "nothing else meanwhile");
    shop.kill();
    assert_eq!(shop.raintek.dump().await.rows("InvoiceInfo").len(), all, "nothing is removed before");
    shop.raintek.order(json!({"action": "release_backup"})).await;
    eventually("the server is rid of it", SOON, async || {
        shop.raintek.state().await.unwrap()["connected"] == 0
    })
    .await;
    shop.raintek.order(json!({"action": "hold_backup"})).await;
    shop.start().await;
    under_way(&shop, "Backing up both sides").await;

    // Killed when a bill is gone and its answer lost.
    shop.raintek.order(json!({"action": "drop_after_commit"})).await;
    shop.raintek.order(json!({"action": "release_backup"})).await;
    eventually("one bill is gone", SOON, async || shop.raintek.dump().await.rows("InvoiceInfo").len() < all)
        .await;
    shop.kill();
    assert!(shop.raintek.dump().await.rows("InvoiceInfo").len() > untouched.rows("InvoiceInfo").len());
    shop.start().await;

    // Killed in the middle of emptying the app.
    let owner = shop.app.as_shopsync().await;
    let ours = async || {
        let all = records(&owner, "invoices").await;
        all.iter().filter(|record| record["source"] == "app").count()
    };
    let mut left = 0;
    eventually("the app is being emptied", SOON, async || {
        left = ours().await;
        left < ids.len()
    })
    .await;
    shop.kill();
    assert!(left > 0, "it was too fast for this test");
    assert_eq!(shop.raintek.dump().await.rows("InvoiceInfo").len(), untouched.rows("InvoiceInfo").len());

    // The settings cannot be written: it waits and says so, and what was done is not done again.
    let obstacle = shop.data().join("settings.toml.new");
    std::fs::create_dir(&obstacle).unwrap();
    shop.start().await;
    eventually("it says what to do", SOON, async || {
        let status = shop.status().await;
        let sentence = status["sentence"].as_str().unwrap_or_default();
        status["state"] == "attention" && sentence.contains("set trial = false in it")
    })
    .await;
    assert_eq!(ours().await, 0);
    shop.kill();
    std::fs::remove_dir(&obstacle).unwrap();
    shop.start().await;
    let mut over = Value::Null;
    eventually("the trial is over, and says what it took back", SOON, async || {
        over = trial(&shop).await;
        over["on"] == false && over["answer"]["lines"].is_array()
    })
    .await;
    let lines = over["answer"]["lines"].to_string();
    assert!(lines.contains("24 bills and 1 customer"), "{lines}");
    assert!(lines.contains("27 invoices and "), "{lines}");
    assert_tables(&shop.raintek.dump().await, untouched.whole());
    shows_only_raintek(&shop, untouched.rows("InvoiceInfo").len()).await;
    assert!(settings_text(&shop).contains("trial = false"));
    shop.in_step().await;
    next_is_aligned(&shop).await;
}

#[tokio::test]
async fn v15_go_live_needs_proven_backups() {
    let mut shop = on_trial().await;
    let record = billed(&shop, None).await;
    let before = shop.raintek.dump().await;
    shop.raintek.order(json!({"action": "deny_backup"})).await;
    let said = shop.cli(&["go-live", "--yes"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("Not gone live; nothing was removed.") && said.out.contains("may not write"));
    assert_tables(&shop.raintek.dump().await, before.whole());
    let id = record["id"].as_str().unwrap();
    assert_eq!(shop.phone().await.read("invoices", id).await["sync_status"], "synced");
    // The trial goes on, also where the settings say no more: its test data are still there.
    shop.raintek.order(json!({"action": "allow_backup"})).await;
    billed(&shop, None).await;
    shop.stop().await;
    shop.settings.trial = false;
    shop.start().await;
    shop.in_step().await;
    eventually("it is said", SOON, async || {
        trial(&shop).await["banner"].as_str().is_some_and(|banner| banner.contains("still a trial"))
    })
    .await;
    billed(&shop, None).await;
    let said = go_live(&shop, &["--yes"]).await;
    assert!(said.out.contains("Removed from RainTek: 3 bills and 0 customers."), "{said:?}");
}

#[tokio::test]
async fn v15_go_live_finds_what_was_committed_and_never_recorded_as_done() {
    let mut shop = on_trial().await;
    let untouched = shop.raintek.dump().await;
    let bills = untouched.rows("InvoiceInfo").len();
    billed(&shop, None).await;
    let asha = customer(&shop, "Asha", "9876500001").await;
    // Committed, its answer lost, and ShopSync gone before it could look.
    shop.raintek.order(json!({"action": "drop_after_commit"})).await;
    Bill { customer: Some(asha), ..Bill::plain("") }.send(&shop).await;
    eventually("both are in RainTek", SOON, async || {
        shop.raintek.dump().await.rows("InvoiceInfo").len() == bills + 2
    })
    .await;
    shop.kill();
    {
        let store = Store::open(&shop.data().join("shopsync.sqlite")).unwrap();
        let kept = TrialStore::bills(&store).await.unwrap();
        assert_eq!(kept.iter().filter(|bill| bill.bill.is_none() && bill.planned.is_some()).count(), 1);
        assert!(TrialStore::customers(&store).await.unwrap().is_empty(), "nor is its customer");
        // Nothing is sent, so nothing is looked up by the way.
        store.set("paused_until", Some("2099-01-01T00:00:00Z")).await.unwrap();
    }
    shop.start().await;
    eventually("it waits", SOON, async || shop.status().await["raintek"]["connected"] == true).await;
    eventually("the app is back", SOON, async || shop.status().await["billing"]["connected"] == true).await;
    let said = go_live(&shop, &["--yes"]).await;
    assert!(said.out.contains("Removed from RainTek: 2 bills and 1 customer."), "{said:?}");
    assert_tables(&shop.raintek.dump().await, untouched.whole());
    assert!(command(&shop, json!({"command": "resume"})).await.0);
    shows_only_raintek(&shop, bills).await;
}

#[tokio::test]
async fn v15_go_live_in_a_shops_own_app() {
    let mut shop = quiet();
    let theirs = ForeignApp::lay(&mut shop.app).await;
    shop.settings.trial = true;
    shop.settings.push.from_date = chrono::NaiveDate::from_ymd_opt(2026, 11, 21);
    let mut service = ForeignApp::serve(&shop.app, &theirs.folder).await;
    let owner = ForeignApp::owner(&shop.app).await;
    let known = owner.make("customers", json!({"name": "Known", "phone": "9876500009"})).await;
    shop.raintek.start().await;
    shop.raintek.till(&["bill", "--count", "2", "--date", DAY]).await;
    let untouched = shop.raintek.dump().await;
    shop.start().await;
    eventually("the hook runs", SOON, async || {
        let asked = shop.http.get(format!("{}/api/shopsync/hook", shop.app.settings.url)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    })
    .await;
    shop.in_step().await;
    let old = records(&owner, "bills").await.into_iter().find(|bill| bill["grand_total"] == 10).unwrap();

    // What people make in their app meanwhile: bills that ShopSync sends, and what it has nothing to do with.
    let phone = ForeignApp::phone(&shop.app).await;
    let new = phone.make("customers", json!({"name": "New", "phone": "9876500010"})).await;
    let alone = phone.make("customers", json!({"name": "Alone", "phone": "9876500011"})).await;
    let draft = phone.make("bills", json!({"state": "draft", "customer": known["id"]})).await;
    let earlier = phone
        .make("bills", json!({"state": "completed", "invoice_date": "2026-11-19", "grand_total": 20}))
        .await;
    let product = owner.get("/api/collections/products/records?filter=(product_code='P-0001')").await;
    let mut sent = Vec::new();
    for customer in [&known["id"], &new["id"]] {
        let head = json!({"state": "completed", "invoice_date": "2026-11-21 00:00:00.000Z", "item_count": 1,
            "tax_type": "GST", "taxable_amount": 100, "cgst": 9, "sgst": 9, "grand_total": 118, "amount_paid": 118,
            "payment_method": "cash", "customer": customer});
        let made = phone.make("bills", head).await;
        let line = json!({"invoice": made["id"], "product": product["items"][0]["id"], "product_name": "Rice",
            "quantity": 1, "rate": 100, "taxable": 100, "total": 118});
        phone.make("invoice_items", line).await;
        sent.push(made);
    }
    for made in &sent {
        eventually("it is in RainTek", SOON, async || {
            phone.read("bills", made["id"].as_str().unwrap()).await["sync_status"] == "synced"
        })
        .await;
    }
    let stamp = owner.read("customers", known["id"].as_str().unwrap()).await["raintek_customer_id"].clone();
    assert_ne!(stamp, 0, "RainTek's customer is stamped");
    let counter = records(&owner, "counters").await[0]["value"].clone();

    let said = go_live(&shop, &["--yes"]).await;
    assert!(said.out.contains("Removed from RainTek: 2 bills and 2 customers."), "{said:?}");
    assert_tables(&shop.raintek.dump().await, untouched.whole());
    shop.look().await;
    eventually("theirs are there, ours are not, RainTek's are shown", SOON, async || {
        let bills = records(&owner, "bills").await;
        let own: BTreeSet<&str> = bills
            .iter()
            .filter(|bill| bill["source"] != "raintek")
            .map(|bill| bill["id"].as_str().unwrap())
            .collect();
        assert_eq!(own, [&old, &draft, &earlier].map(|bill| bill["id"].as_str().unwrap()).into());
        bills.len() == 5
    })
    .await;
    let names: BTreeSet<String> = records(&owner, "customers")
        .await
        .iter()
        .map(|customer| customer["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(names.contains("Known") && names.contains("Alone") && !names.contains("New"), "{names:?}");
    assert_eq!(
        owner.read("customers", known["id"].as_str().unwrap()).await["raintek_customer_id"],
        0,
        "RainTek gives the ID out again"
    );
    assert_eq!(alone["name"], "Alone");
    assert!(records(&owner, "invoice_items").await.iter().all(|line| line["product_name"] != "Rice"));
    assert_eq!(records(&owner, "counters").await[0]["value"], counter, "their numbering is theirs");
    theirs.assert_untouched(&shop.app).await;
    shop.stop().await;
    service.kill().await.unwrap();
}

/// What the page may ask for; whether it was accepted, and what was said.
async fn command(shop: &Shop, wish: Value) -> (bool, Value) {
    let request = shop.http.post(shop.page("/api/command")).bearer_auth(shop.secret("page.token"));
    let answer = request.json(&wish).send().await.unwrap();
    (answer.status().is_success(), answer.json().await.unwrap())
}

async fn under_way(shop: &Shop, doing: &str) {
    eventually(doing, SOON, async || trial(shop).await["work"]["doing"] == doing).await;
}
