//! Another number for an invoice: compared and set, never given twice, never taken from anybody.

use serde_json::{Value, json};
use shopsync::billing::PocketBase;
use shopsync::model::bill::NumberSeries;
use shopsync::model::fault::FaultKind;
use shopsync::model::ids::RecordId;
use shopsync::model::renumber::{Renumber, Renumbered};
use shopsync::ports::Billing as _;

use crate::foreign_app::ForeignApp;
use crate::pocketbase::{Caller, Shop, program, until};

fn series(value: i32) -> NumberSeries {
    NumberSeries { name: "invoice_gst", value, prefix: "GST".into(), suffix: "2026/27".into() }
}

fn wanted(record: &Value, from: &str, above: i32) -> Renumber {
    let id = RecordId::new(record["id"].as_str().unwrap());
    Renumber { id, from: from.into(), series: series(above) }
}

fn carries(number: &str) -> Renumbered {
    Renumbered::Carries(number.into())
}

async fn counter(owner: &Caller) -> Value {
    let all = owner.get("/api/collections/counters/records").await;
    all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "invoice_gst")
        .cloned()
        .unwrap_or_default()
}

fn bill(number: &str, status: &str) -> Value {
    json!({"invoice_number": number, "invoice_date": "2026-11-21", "status": status, "grand_total": 100,
        "notes": "as it was"})
}

#[tokio::test]
async fn the_next_number_is_above_raintek_the_counter_and_every_invoice() {
    let shop = Shop::new();
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let (owner, phone) = (shop.as_shopsync().await, shop.as_phone().await);
    assert!(app.follow_numbers(&[series(20)]).await.unwrap());
    let held = phone.make("invoices", bill("GST-0007-2026/27", "completed")).await;
    let id = held["id"].as_str().unwrap();
    app.stamp(&RecordId::new(id), &shopsync::model::invoice::Stamp::Failed("Held.".into())).await.unwrap();
    // Numbers of drafts and of cancelled invoices are somebody's as well.
    phone.make("invoices", bill("GST-0031-2026/27", "draft")).await;
    phone.make("invoices", bill("GST-0032-2026/27", "cancelled")).await;

    // Everything but the number stays, and what was said of it goes.
    let ask = wanted(&held, "GST-0007-2026/27", 30);
    assert_eq!(app.renumber(&ask).await.unwrap(), carries("GST-0033-2026/27"));
    let now = phone.read("invoices", id).await;
    assert_eq!((&now["invoice_number"], &now["notes"]), (&json!("GST-0033-2026/27"), &json!("as it was")));
    assert_eq!((&now["sync_status"], &now["sync_error"]), (&json!("pending"), &json!("")));
    assert_eq!(counter(&owner).await["value"], 33);
    // The answer was lost: asked again it is the same one, and no number is used up.
    assert_eq!(app.renumber(&ask).await.unwrap(), carries("GST-0033-2026/27"));
    assert_eq!(counter(&owner).await["value"], 33);
    // The counter may be ahead of RainTek.
    let ask = wanted(&held, "GST-0033-2026/27", 5);
    assert_eq!(app.renumber(&ask).await.unwrap(), carries("GST-0034-2026/27"));
    // A phone that takes numbers in the same moment shares none.
    let phones = async {
        let mut given = Vec::new();
        for _ in 0..10 {
            let made = phone.make("invoices", bill("", "completed")).await;
            given.push(made["invoice_number"].as_str().unwrap().to_owned());
        }
        given
    };
    let ours = async {
        let mut given = Vec::new();
        for _ in 0..10 {
            let made = phone.make("invoices", bill("ODD", "completed")).await;
            let Renumbered::Carries(number) = app.renumber(&wanted(&made, "ODD", 5)).await.unwrap() else {
                panic!()
            };
            given.push(number);
        }
        given
    };
    let (mut all, ours) = tokio::join!(phones, ours);
    all.extend(ours);
    all.sort();
    let expected: Vec<String> = (35..55).map(|n| format!("GST-{n:04}-2026/27")).collect();
    assert_eq!(all, expected);
    // What is not to be booked keeps what it has.
    phone.change("invoices", id, json!({"status": "cancelled"})).await;
    assert_eq!(app.renumber(&wanted(&held, "GST-0034-2026/27", 5)).await.unwrap(), Renumbered::NotDue);
    let gone = json!({"id": "nobody000000000"});
    assert_eq!(app.renumber(&wanted(&gone, "GST-0034-2026/27", 5)).await.unwrap(), Renumbered::NotDue);
    assert_eq!(phone.read("invoices", id).await["invoice_number"], "GST-0034-2026/27");
    let body = json!({"id": id, "from": "GST-0034-2026/27", "name": "invoice_gst", "above": 1, "prefix": "X",
        "suffix": "Y"});
    assert_eq!(
        phone.send("POST", "/api/shopsync/renumber", Some(body)).await.0,
        403,
        "it is ShopSync's door"
    );
    app.server().stop().await;
}

/// The shop's own app, once with our hook and once where it waits for a restart, as on Windows.
#[tokio::test]
async fn an_app_that_numbers_itself_is_given_one_and_keeps_its_way() {
    let mut shop = Shop::new();
    let theirs = ForeignApp::lay(&mut shop).await;
    let elsewhere = shop.folder.path().join("no hooks");
    let hooks = theirs.folder.join("pb_hooks");
    for (hooks, runs) in [(hooks, cfg!(unix)), (elsewhere, false)] {
        let mut service = tokio::process::Command::new(program())
            .args(["serve", "--http", &format!("127.0.0.1:{}", shop.port), "--dir"])
            .arg(theirs.folder.join("pb_data"))
            .arg("--hooksDir")
            .arg(&hooks)
            .arg("--migrationsDir")
            .arg(theirs.folder.join("pb_migrations"))
            .arg("--publicDir")
            .arg(theirs.folder.join("pb_public"))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        until("it answers", async || shop.is_up().await).await;
        let app = shop.adapter();
        assert_eq!(app.set_up().await.unwrap().hook_active, runs);
        one_round(&shop, &app).await;
        service.kill().await.unwrap();
    }
}

async fn one_round(shop: &Shop, app: &PocketBase) {
    let (owner, phone) = (ForeignApp::owner(shop).await, ForeignApp::phone(shop).await);
    let before = counter(&owner).await["value"].clone();
    let make = async |number: &str| {
        let made = json!({"invoice_number": number, "invoice_date": "2026-11-21", "state": "completed",
            "grand_total": 100, "cashier": "Asha"});
        phone.make("bills", made).await
    };
    let (held, taken) = (make("S-42-26").await, make("GST-0051-2026/27").await);
    let ask = wanted(&held, "S-42-26", 50);
    assert_eq!(app.renumber(&ask).await.unwrap(), carries("GST-0052-2026/27"));
    assert_eq!(app.renumber(&ask).await.unwrap(), carries("GST-0052-2026/27"));
    let now = phone.read("bills", held["id"].as_str().unwrap()).await;
    assert_eq!((&now["invoice_number"], &now["cashier"]), (&json!("GST-0052-2026/27"), &json!("Asha")));
    assert_eq!(counter(&owner).await["value"], before, "its own counter is left alone");
    // Taken back by a phone in the meantime: nothing is given.
    phone.change("bills", taken["id"].as_str().unwrap(), json!({"state": "revised"})).await;
    assert_eq!(app.renumber(&wanted(&taken, "GST-0051-2026/27", 50)).await.unwrap(), Renumbered::NotDue);
    for record in [held, taken] {
        let path = format!("/api/collections/bills/records/{}", record["id"].as_str().unwrap());
        assert_eq!(owner.send("DELETE", &path, None).await.0, 204);
    }
}

/// An app that was laid down before counters had a prefix and a suffix is given them, and nothing else changes.
#[tokio::test]
async fn counters_of_an_older_shopsync_gain_what_numbers_are_formed_by() {
    let shop = Shop::new();
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let owner = shop.as_shopsync().await;
    let collection = owner.collections().await["counters"].clone();
    let older: Vec<Value> = collection["fields"].as_array().unwrap().to_vec();
    let older: Vec<Value> =
        older.into_iter().filter(|field| field["name"] != "prefix" && field["name"] != "suffix").collect();
    owner.patch("/api/collections/counters", json!({"fields": older})).await;
    owner.make("counters", json!({"name": "invoice_gst", "value": 7})).await;

    let again = shop.adapter();
    let report = again.set_up().await.unwrap();
    assert_eq!(report.added, ["counters.prefix", "counters.suffix"]);
    assert!(again.follow_numbers(&[series(3)]).await.unwrap());
    let now = counter(&owner).await;
    assert_eq!(
        (&now["value"], &now["prefix"], &now["suffix"]),
        (&json!(7), &json!("GST"), &json!("2026/27"))
    );
    let made = shop.as_phone().await.make("invoices", bill("", "completed")).await;
    assert_eq!(made["invoice_number"], "GST-0008-2026/27");

    // An app's refusal is its own word, and nothing is half done.
    let strict = json!({"fields": shop_fields(&owner).await});
    owner.patch("/api/collections/invoices", strict).await;
    let fault = again.renumber(&wanted(&made, "GST-0008-2026/27", 3)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Data, "{fault:?}");
    assert!(fault.sentence.starts_with("The billing app refuses the invoice"), "{fault:?}");
    assert_eq!(counter(&owner).await["value"], 8, "no number is used up by it");
    app.server().stop().await;
}

/// The invoices' fields, with a number that may have four characters at most.
async fn shop_fields(owner: &Caller) -> Value {
    let mut fields = owner.collections().await["invoices"]["fields"].clone();
    for field in fields.as_array_mut().unwrap() {
        if field["name"] == "invoice_number" {
            field["max"] = json!(4);
        }
    }
    fields
}
