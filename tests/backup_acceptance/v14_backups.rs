//! v14: backups of both sides, proven by reading them back; what is old goes; what fails is said.

use std::fs;
use std::path::PathBuf;

use chrono::{Days, NaiveTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use shopsync::billing::OWN_PASSWORD_SECRET;
use shopsync::model::backup::{Made, Part, Proof};
use shopsync::ports::{Secrets as _, State as _};
use shopsync::store::Store;

use crate::harness::{Bill, SOON, Shop, eventually};

/// Bytes of a page of SQLite's.
const PAGE: usize = 4096;

fn today() -> chrono::NaiveDate {
    #[expect(clippy::disallowed_methods, reason = "the program runs on the real day")]
    Utc::now().with_timezone(&Tz::Asia__Kolkata).date_naive()
}

fn folder(shop: &Shop) -> PathBuf {
    shop.data().join("backups")
}

/// Where today's backup lies.
pub(crate) fn file(shop: &Shop, start: &str, end: &str) -> PathBuf {
    folder(shop).join(format!("{start}_{}.{end}", today().format("%Y%m%d")))
}

fn bak(shop: &Shop) -> PathBuf {
    file(shop, "Raintech_DB1", "bak")
}

async fn backups(shop: &Shop) -> Value {
    shop.status().await["backups"].clone()
}

async fn all_made(shop: &Shop) {
    eventually("all three are backed up", SOON, async || backups(shop).await["last_ok"].is_string()).await;
}

/// Without the evening's second backup, which would come in between where the tests run in the evening.
pub(crate) fn quiet(products: u32) -> Shop {
    let mut shop = Shop::new(products);
    shop.settings.backup.times = vec![NaiveTime::MIN];
    shop.settings.backup.drill = false;
    shop
}

pub(crate) async fn open(mut shop: Shop) -> Shop {
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    all_made(&shop).await;
    shop
}

/// The app answers, and ShopSync's login in it is known.
async fn know_the_app(shop: &Shop) {
    eventually("the app answers", SOON, async || shop.status().await["billing"]["connected"] == true).await;
    shop.app.secrets.set(OWN_PASSWORD_SECRET, &shop.secret(OWN_PASSWORD_SECRET)).unwrap();
}

pub(crate) async fn run(shop: &Shop, task: &str) -> (Option<i32>, String) {
    let said = shop.cli(&["backup", task]).await;
    (said.code, format!("{}{}", said.out, said.err))
}

#[tokio::test]
async fn v14_backups() {
    let mut shop = quiet(3);
    shop.raintek.start().await;
    // The day's first write waits for the day's first backup.
    shop.raintek.order(json!({"action": "hold_backup"})).await;
    shop.start().await;
    eventually("RainTek is being backed up, and how far it is is seen", SOON, async || {
        let running = &backups(&shop).await["running"];
        running["doing"] == "Backing up RainTek" && running["percent"].as_u64().is_some_and(|done| done > 0)
    })
    .await;
    eventually("the app is known", SOON, async || shop.status().await["state"] == "working").await;
    assert_eq!(shop.status().await["sentence"], "The day's first backups are being made.");
    know_the_app(&shop).await;
    let id = Bill::plain("GST-0001-2026/27").send(&shop).await;
    eventually("the invoice waits", SOON, async || shop.status().await["counts"]["waiting"] == 1).await;
    assert!(shop.raintek.dump().await.bills("GST-0001-2026/27").is_empty());
    shop.raintek.order(json!({"action": "release_backup"})).await;
    shop.synced(&id).await;
    all_made(&shop).await;

    // Three files, by their names, each proven; nothing half made, and nothing left in the app.
    let (zip, store) = (file(&shop, "pocketbase", "zip"), file(&shop, "shopsync", "sqlite"));
    for made in [&bak(&shop), &zip, &store] {
        assert!(made.is_file(), "{}", made.display());
    }
    let names: Vec<_> =
        fs::read_dir(folder(&shop)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(shop.app.as_shopsync().await.get("/api/backups").await, json!([]));
    let raintek =
        backups(&shop).await["files"].as_array().unwrap().iter().find(|f| f["part"] == "raintek").cloned();
    let (made, pushed) = (raintek.unwrap()["at"].clone(), shop.status().await["last_push"]["at"].clone());
    assert!(made.as_str() < pushed.as_str(), "{made} is not before {pushed}");
    let (_, health) = shop.health().await.unwrap();
    assert_eq!(health["last_backup"]["ok"], true, "{health}");
    assert_eq!(health["last_backup"]["raintek_bytes"], fs::metadata(bak(&shop)).unwrap().len());
    assert_eq!(health["last_backup"]["billing_bytes"], fs::metadata(&zip).unwrap().len());

    // One that was damaged since is noticed by reading it back, and made anew.
    for damaged in [&bak(&shop), &zip, &store] {
        let whole = fs::read(damaged).unwrap();
        let mut bytes = whole.clone();
        // The head of a page: SQLite notices nothing in bytes that it does not use.
        let middle = bytes.len() / 2 / PAGE * PAGE;
        bytes[middle..middle + 64].iter_mut().for_each(|byte| *byte = !*byte);
        fs::write(damaged, bytes).unwrap();
        let (code, said) = run(&shop, "verify").await;
        assert_eq!(code, Some(1), "{}: {said}", damaged.display());
        assert!(said.contains("damaged"), "{said}");
        let (_, health) = shop.health().await.unwrap();
        assert_eq!((&health["state"], &health["last_backup"]["ok"]), (&json!("attention"), &json!(false)));
        let (code, said) = run(&shop, "now").await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("Backing up now.") && said.contains("read back"), "{said}");
        let (code, said) = run(&shop, "verify").await;
        assert_eq!(code, Some(0), "{said}");
    }
    let (code, said) = run(&shop, "list").await;
    assert!(code == Some(0) && said.contains("Raintech_DB1_") && said.contains("read back"), "{said}");
    shop.in_step().await;
    // A restart on the same day makes no other.
    let before = backups(&shop).await["files"].clone();
    shop.stop().await;
    let said = shop.cli(&["backup", "list"]).await;
    assert!(said.code == Some(0) && said.out.contains("pocketbase_"), "{said:?}");
    shop.start().await;
    shop.in_step().await;
    assert_eq!(backups(&shop).await["files"], before);
}

#[tokio::test]
async fn v14_backups_that_fail_are_said_and_stop_nothing_else() {
    let mut shop = quiet(3);
    shop.raintek.start().await;
    shop.raintek.order(json!({"action": "deny_backup"})).await;
    shop.start().await;
    eventually("it is said", SOON, async || shop.status().await["state"] == "attention").await;
    let sentence = shop.status().await["sentence"].as_str().unwrap().to_owned();
    assert!(
        sentence.contains("SQL Server may not write into") && sentence.contains("backup.folder"),
        "{sentence}"
    );
    know_the_app(&shop).await;
    shop.synced(&Bill::plain("GST-0001-2026/27").send(&shop).await).await;
    let (code, said) = run(&shop, "now").await;
    assert!(code == Some(1) && said.contains("may not write into"), "{said}");
    assert!(said.contains("Backup of the billing app"), "the others are made: {said}");
    shop.raintek.order(json!({"action": "allow_backup"})).await;
    assert_eq!(run(&shop, "now").await.0, Some(0));
    shop.in_step().await;

    // A try that fails, no room, then no folder: what is proven stays.
    let proven = fs::read(bak(&shop)).unwrap();
    shop.raintek.order(json!({"action": "deny_backup"})).await;
    assert_eq!(run(&shop, "now").await.0, Some(1));
    assert!(fs::read(bak(&shop)).unwrap() == proven);
    shop.raintek.order(json!({"action": "allow_backup"})).await;
    shop.stop().await;
    shop.settings.backup.keep_free_mb = 1 << 40;
    shop.start().await;
    let (code, said) = run(&shop, "now").await;
    assert!(code == Some(1) && said.contains("Little room is left"), "{said}");
    assert!(fs::read(bak(&shop)).unwrap() == proven);
    shop.stop().await;
    shop.settings.backup.keep_free_mb = 1;
    shop.settings.backup.folder = Some(shop.data().join("pulled out").join("backups"));
    shop.start().await;
    let (code, said) = run(&shop, "now").await;
    assert!(code == Some(1) && said.contains("is gone: make it again"), "{said}");
    know_the_app(&shop).await;
    shop.synced(&Bill::plain("GST-0002-2026/27").send(&shop).await).await;
}

#[tokio::test]
async fn v14_backups_are_restored_for_trial() {
    let shop = open(quiet(3)).await;
    shop.synced(&Bill::plain("GST-0001-2026/27").send(&shop).await).await;
    assert_eq!(run(&shop, "now").await.0, Some(0));
    assert_eq!(backups(&shop).await["restorable"], Value::Null);
    let (code, said) = run(&shop, "drill").await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("The backup of RainTek was restored:"), "{said}");
    assert!(said.contains("The backup of the billing app was restored: 1 invoices"), "{said}");
    assert!(backups(&shop).await["restorable"].is_string());
    assert!(run(&shop, "list").await.1.contains("restored for trial"));
    let names: Vec<_> =
        fs::read_dir(folder(&shop)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing is left of the trial: {names:?}");
    assert!(!shop.data().join("backup-work").exists());
    assert_eq!(shop.app.as_shopsync().await.get("/api/collections/invoices/records").await["totalItems"], 1);

    // A login that may not: reading it back stands.
    shop.raintek.order(json!({"action": "deny_restore"})).await;
    let (code, said) = run(&shop, "drill").await;
    assert!(code == Some(0) && said.contains("may not make databases") && said.contains("stands"), "{said}");
}

#[tokio::test]
async fn v14_backups_notice_changed_tables() {
    let shop = open(quiet(3)).await;
    let dump = shop.data().join("schema-dumps").join(format!("{}.json", today().format("%Y-%m-%d")));
    eventually("the tables are written down", SOON, async || dump.is_file()).await;
    let dumped: Value = serde_json::from_slice(&fs::read(&dump).unwrap()).unwrap();
    let info = &dumped["tables"]["InvoiceInfo"];
    assert_eq!(info["columns"][0]["name"], "Inv_ID");
    assert!(info["keys"].as_array().unwrap().contains(&json!("PRIMARY KEY (Inv_ID)")), "{}", info["keys"]);
    let product = &dumped["tables"]["Product"];
    assert_eq!((&product["rows"], product["samples"].as_array().unwrap().len()), (&json!(3), 3));
    let code = product["samples"][0]["ProductCode"].as_str().unwrap();
    assert!(code.starts_with("X-9"), "masked: {code}");

    shop.raintek.sql("ALTER TABLE Product ADD Shelf2 nvarchar(20)").await;
    assert_eq!(run(&shop, "now").await.0, Some(0));
    assert_eq!(backups(&shop).await["schema_hold"], Value::Null, "nothing is written to that table");
    shop.raintek.sql("ALTER TABLE InvoiceInfo ADD Cess2 decimal(18,2)").await;
    assert_eq!(run(&shop, "now").await.0, Some(0));
    let status = shop.status().await;
    let sentence = status["sentence"].as_str().unwrap();
    assert_eq!(status["state"], "attention");
    assert!(sentence.contains("InvoiceInfo has a new column Cess2 (decimal(18,2))"), "{sentence}");
    let id = Bill::plain("GST-0001-2026/27").send(&shop).await;
    eventually("the invoice waits", SOON, async || shop.status().await["counts"]["waiting"] == 1).await;
    // Whatever a person asks for: it still waits.
    shop.look().await;
    shop.pass().await;
    assert!(shop.raintek.dump().await.bills("GST-0001-2026/27").is_empty());
    let (code, said) = run(&shop, "accept").await;
    assert_eq!(code, Some(0), "{said}");
    shop.synced(&id).await;
    assert_eq!(run(&shop, "accept").await.0, Some(1), "nothing is held any more");
}

#[tokio::test]
async fn v14_backups_go_in_their_time() {
    let mut shop = open(quiet(1)).await;
    shop.stop().await;
    let ago = |days: u64| today() - Days::new(days);
    let made = |part: Part, file: PathBuf, days: u64| Made {
        part,
        file,
        day: ago(days),
        at: ago(days).and_time(NaiveTime::MIN).and_utc(),
        bytes: 3,
        rows: None,
        proof: Some(Proof::ReadBack),
        proven_at: None,
    };
    let (backups, data) = (folder(&shop), shop.data());
    let name = |days: u64| backups.join(format!("pocketbase_{}.zip", ago(days).format("%Y%m%d")));
    let snapshots = |days: u64| data.join("snapshots").join(ago(days).format("%Y-%m-%d").to_string());
    let (theirs, renamed) = (name(60), folder(&shop).join("keep me.zip"));
    for file in [name(29), name(31), theirs.clone(), renamed.clone()] {
        fs::write(file, "old").unwrap();
    }
    for folder in [snapshots(89), snapshots(91)] {
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("inv_7.json"), "{}").unwrap();
    }
    {
        let store = Store::open(&shop.data().join("shopsync.sqlite")).unwrap();
        let mut list: Vec<Made> =
            serde_json::from_str(&store.get("backups.made").await.unwrap().unwrap()).unwrap();
        list.push(made(Part::Billing, name(29), 29));
        list.push(made(Part::Billing, name(31), 31));
        list.push(made(Part::Billing, renamed.clone(), 200));
        list.push(made(Part::Snapshots, snapshots(89), 89));
        list.push(made(Part::Snapshots, snapshots(91), 91));
        store.set("backups.made", Some(&serde_json::to_string(&list).unwrap())).await.unwrap();
    }
    shop.start().await;
    eventually("what is old goes", SOON, async || !name(31).exists() && !snapshots(91).exists()).await;
    assert!(name(29).exists() && snapshots(89).exists(), "not yet");
    assert!(theirs.exists(), "called as ours are, but we did not make it");
    assert!(renamed.exists(), "not called as ours are");
    assert!(bak(&shop).exists());
}
