//! Every invoice against RainTek, by itself and on order; and bills put back from their copies.

use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};
use shopsync::model::settings::PostingSettings;

use crate::harness::raintek::Dump;
use crate::harness::{Bill, SOON, Shop, eventually};

fn number(at: u32) -> String {
    format!("GST-{at:04}-2026/27")
}

/// Sends so many plain invoices; their records.
async fn booked(shop: &Shop, count: u32) -> Vec<String> {
    let mut ids = Vec::new();
    for at in 1..=count {
        ids.push(Bill::plain(&number(at)).send_batch(shop).await);
    }
    for id in &ids {
        shop.synced(id).await;
    }
    shop.in_step().await;
    ids
}

/// `shopsync check`: exit code and words.
async fn check(shop: &Shop) -> (Option<i32>, String) {
    let said = shop.cli(&["check"]).await;
    (said.code, format!("{}{}", said.out, said.err))
}

async fn assert_right(shop: &Shop, count: u32) {
    let (code, said) = check(shop).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("{count} invoices checked, 0 mismatches.")), "{said}");
}

async fn mismatches(shop: &Shop) -> Vec<String> {
    let status = shop.status().await;
    let problems = status["from_raintek"]["problems"].as_array().unwrap().iter();
    problems.map(|problem| problem["number"].as_str().unwrap().to_owned()).collect()
}

async fn state(shop: &Shop) -> String {
    shop.health().await.unwrap().1["state"].as_str().unwrap().to_owned()
}

/// Everything of one bill in RainTek, as texts, without the numbers the server gives to rows.
fn rows(dump: &Dump, number: &str) -> Value {
    let plain = |rows: Vec<Value>| -> Value {
        let mut rows: Vec<Value> = rows
            .into_iter()
            .map(|mut row| {
                for id in ["IPo_ID", "IP_ID", "ID"] {
                    row.as_object_mut().unwrap().remove(id);
                }
                row
            })
            .collect();
        rows.sort_by_key(Value::to_string);
        json!(rows)
    };
    let mut bill = dump.bills(number).first().map_or(Value::Null, |bill| (*bill).clone());
    if bill.is_object() {
        for part in ["Invoice_Product", "Invoice_Payment"] {
            bill[part] = plain(bill[part].as_array().unwrap().clone());
        }
    }
    let of =
        |table: &str, column: &str| plain(dump.with(table, column, number).into_iter().cloned().collect());
    let counter: Vec<Value> = dump.with("SaleGST", "InvNo", number).into_iter().cloned().collect();
    json!({
        "bill": bill,
        "counter": counter,
        "LedgerBook": of("LedgerBook", "LedgerNo"),
        "CustomerLedgerBook": of("CustomerLedgerBook", "LedgerNo"),
        "BankAccountLedger": of("BankAccountLedger", "LedgerNo"),
        "StockMovement": of("StockMovement", "TransID"),
        "stock": stock(dump),
    })
}

/// Live stock, all of it.
fn stock(dump: &Dump) -> Vec<Value> {
    dump.rows("Product")
        .iter()
        .flat_map(|product| product["Temp_Stock"].as_array().unwrap().clone())
        .collect()
}

/// Copies of one bill, in the order in which they were made.
fn copies(shop: &Shop, inv_id: &str) -> Vec<PathBuf> {
    let folder = shop.data().join("snapshots");
    let days = std::fs::read_dir(&folder).map(|days| days.flatten().map(|day| day.path()).collect());
    let days: Vec<PathBuf> = days.unwrap_or_default();
    let files = days.iter().flat_map(|day| std::fs::read_dir(day).unwrap().flatten().map(|file| file.path()));
    let start = format!("inv_{inv_id}");
    let mut files: Vec<PathBuf> = files
        .filter(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap();
            name == start || name.starts_with(&format!("{start}_"))
        })
        .collect();
    files.sort_by_key(|file| (file.metadata().unwrap().modified().unwrap(), file.clone()));
    files
}

/// Changes an invoice in the app and waits until RainTek has it so.
async fn noted(shop: &Shop, id: &str, number: &str, notes: &str) {
    shop.phone().await.change("invoices", id, json!({ "notes": notes })).await;
    eventually("RainTek has the note", SOON, async || {
        shop.raintek.dump().await.bills(number)[0]["Remarks"] == notes
    })
    .await;
    shop.synced(id).await;
    eventually("it is proven", SOON, async || shop.status().await["counts"]["waiting"] == 0).await;
}

#[tokio::test]
async fn a_check_names_what_differs_and_nothing_else() {
    let shop = Shop::open(4).await;
    let ids = booked(&shop, 6).await;
    let (changed, deleted) = (number(2), number(4));
    // Twice written over, in the end as at first: its first copy is what the app has.
    noted(&shop, &ids[3], &deleted, "for Asha").await;
    noted(&shop, &ids[3], &deleted, "").await;
    assert_right(&shop, 6).await;
    let before = shop.raintek.dump().await;

    shop.raintek.sql(&format!(
        "UPDATE Invoice_Product SET Qty = 7 WHERE IPo_ID = (SELECT MIN(IPo_ID) FROM Invoice_Product WHERE InvoiceID = \
         (SELECT Inv_ID FROM InvoiceInfo WHERE InvoiceNo = N'{changed}'))"
    ))
    .await;
    let inv_id = before.bills(&deleted)[0]["Inv_ID"].as_str().unwrap().to_owned();
    shop.raintek.till(&["delete", "--number", &deleted]).await;

    let (code, said) = check(&shop).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("6 invoices checked, 2 mismatches."), "{said}");
    for at in 1..=6 {
        let named = said.contains(&format!("{} was", number(at)));
        assert_eq!(named, [2, 4].contains(&at), "{}: {said}", number(at));
    }
    assert!(said.contains("Invoice_Product.Qty, row 1: 7"), "{said}");
    assert!(said.contains(&format!("{deleted} was deleted in RainTek")), "{said}");
    let mut both = mismatches(&shop).await;
    both.sort();
    assert_eq!(both, [changed.clone(), deleted.clone()], "they join the mismatches");
    assert_eq!(state(&shop).await, "attention");
    let scan = shop.status().await["scan"].clone();
    assert_eq!(scan["findings"].as_array().unwrap().len(), 2, "{scan}");

    // One is written again as the app has it, the other comes back from its copy.
    assert_eq!(shop.cli(&["rewrite", &changed]).await.code, Some(0));
    eventually("it is written again", SOON, async || {
        rows(&shop.raintek.dump().await, &changed) == rows(&before, &changed)
    })
    .await;
    let copy = copies(&shop, &inv_id)[0].to_str().unwrap().to_owned();
    let said = shop.cli(&["restore-invoice", &copy]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    for part in
        [format!("no bill {deleted} now"), "Nothing was written yet".into(), "payment 1: By Cash".into()]
    {
        assert!(said.out.contains(&part), "{part}: {}", said.out);
    }
    assert!(shop.raintek.dump().await.bills(&deleted).is_empty(), "shown first");
    let said = shop.cli(&["restore-invoice", &copy, "--yes"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(!said.out.contains("differently"), "{}", said.out);
    assert_eq!(rows(&shop.raintek.dump().await, &deleted), rows(&before, &deleted));
    let again = shop.cli(&["restore-invoice", &copy, "--yes"]).await;
    assert!(again.out.contains("exactly as the copy has it"), "{again:?}");

    assert_right(&shop, 6).await;
    shop.in_step().await;
    assert_eq!(mismatches(&shop).await, Vec::<String>::new());
    assert_eq!(shop.status().await["scan"]["findings"], json!([]));
}

/// Waits for whole walks through RainTek's bills that began after this was called.
async fn walks(shop: &Shop) {
    for _ in 0..2 {
        let before = shop.status().await["from_raintek"]["last_pass"].clone();
        shop.look().await;
        eventually("a walk through RainTek's bills ends", SOON, async || {
            shop.status().await["from_raintek"]["last_pass"] != before
        })
        .await;
    }
}

#[tokio::test]
async fn what_only_a_scan_sees_stands_until_it_is_right() {
    let shop = Shop::open(4).await;
    booked(&shop, 3).await;
    let (one, two) = (number(1), number(2));
    // Neither is among what the walk through RainTek's bills follows.
    shop.raintek.sql(&format!("UPDATE InvoiceInfo SET Balance = 5 WHERE InvoiceNo = N'{one}'")).await;
    shop.raintek.sql(&format!("DELETE FROM SaleGST WHERE InvNo = N'{two}'")).await;
    walks(&shop).await;
    assert_eq!(mismatches(&shop).await, Vec::<String>::new());
    let (code, said) = check(&shop).await;
    assert_eq!(code, Some(1), "{said}");
    for part in
        ["InvoiceInfo.Balance: 5", "counter: 0 rows instead of 1 rows", "3 invoices checked, 2 mismatches."]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    walks(&shop).await;
    let mut both = mismatches(&shop).await;
    both.sort();
    assert_eq!(both, [one.clone(), two.clone()]);
    assert_eq!(state(&shop).await, "attention");

    shop.raintek.sql(&format!("UPDATE InvoiceInfo SET Balance = 0 WHERE InvoiceNo = N'{one}'")).await;
    shop.look().await;
    eventually("one is right again", SOON, async || mismatches(&shop).await == [two.clone()]).await;
    assert_eq!(shop.cli(&["rewrite", &two]).await.code, Some(0));
    shop.in_step().await;
    eventually("nothing is left", SOON, async || shop.status().await["scan"]["findings"] == json!([])).await;
    assert_right(&shop, 3).await;
}

#[tokio::test]
async fn what_is_put_back_and_is_not_the_apps_is_a_mismatch() {
    let mut shop = Shop::new(4);
    shop.settings.posting = PostingSettings::ALL;
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    let one = number(1);
    // Many lines: their copy is longer than any other command may be.
    let mut bill = Bill::plain(&one);
    bill.lines = bill.lines.iter().cycle().take(90).cloned().collect();
    let dump = shop.raintek.dump().await;
    for line in &mut bill.lines {
        line.barcode = dump.product(&line.code)["Temp_Stock"][0]["Barcode"].as_str().unwrap().to_owned();
    }
    let id = bill.send_batch(&shop).await;
    shop.synced(&id).await;
    let first = shop.raintek.dump().await;
    let inv_id = first.bills(&one)[0]["Inv_ID"].as_str().unwrap().to_owned();
    assert_eq!(rows(&first, &one)["StockMovement"].as_array().unwrap().len(), 90);
    noted(&shop, &id, &one, "second").await;
    // Somebody takes lines out in RainTek, its entries and its stock: the copy has it all.
    shop.raintek.sql("DELETE FROM Invoice_Product WHERE IPo_ID > 60").await;
    shop.raintek.sql("UPDATE InvoiceInfo SET GrandTotal = 1, Narration = NULL, SRNumber = NULL").await;
    let broken = rows(&shop.raintek.dump().await, &one);
    let copy = copies(&shop, &inv_id)[0].to_str().unwrap().to_owned();
    assert!(std::fs::metadata(&copy).unwrap().len() > 64 * 1024);
    let shown = shop.cli(&["restore-invoice", &copy]).await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for part in ["InvoiceInfo.Remarks: \"second\" becomes \"\"", "60 rows become 90 rows", "GrandTotal: 1"] {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let made = copies(&shop, &inv_id).len();
    let said = shop.cli(&["restore-invoice", &copy, "--yes"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("The billing app has it differently."), "{}", said.out);
    assert_eq!(copies(&shop, &inv_id).len(), made + 1, "what stood there is copied first");
    let (now, mut then) = (rows(&shop.raintek.dump().await, &one), rows(&first, &one));
    // Live stock moves by what the lines moved: thirty lines came back into the bill.
    assert_ne!(now["stock"], then["stock"]);
    then["stock"] = now["stock"].clone();
    assert_eq!(now, then);

    // The app is the master, and a person decides: nothing writes over it unasked.
    eventually("it is a mismatch", SOON, async || mismatches(&shop).await == [one.clone()]).await;
    assert_eq!(state(&shop).await, "attention");
    let (code, said) = check(&shop).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("InvoiceInfo.Remarks: \"\" instead of \"second\""), "{said}");
    assert_eq!(rows(&shop.raintek.dump().await, &one), now);
    assert_eq!(shop.cli(&["rewrite", &one]).await.code, Some(0));
    eventually("it is as the app has it", SOON, async || {
        shop.raintek.dump().await.bills(&one)[0]["Remarks"] == "second"
    })
    .await;
    shop.synced(&id).await;
    assert_eq!(check(&shop).await.0, Some(0));
    shop.in_step().await;

    // Exactly the rows of the copy, also where somebody left them half empty.
    let second = copies(&shop, &inv_id)[1].to_str().unwrap().to_owned();
    assert_eq!(shop.cli(&["restore-invoice", &second, "--yes"]).await.code, Some(0));
    let now = rows(&shop.raintek.dump().await, &one);
    assert_eq!(now["bill"]["Narration"], Value::Null);
    assert_eq!((&now["bill"], &now["LedgerBook"]), (&broken["bill"], &broken["LedgerBook"]));
    eventually("it is a mismatch", SOON, async || mismatches(&shop).await == [one.clone()]).await;
    assert_eq!(shop.cli(&["rewrite", &one]).await.code, Some(0));
    shop.in_step().await;

    // Deleted at the till, its stock came back: with the bill it goes out again, with every entry.
    let standing = stock(&shop.raintek.dump().await);
    shop.raintek.till(&["delete", "--number", &one]).await;
    assert_ne!(stock(&shop.raintek.dump().await), standing);
    assert_eq!(rows(&shop.raintek.dump().await, &one)["LedgerBook"], json!([]));
    let said = shop.cli(&["restore-invoice", &copy, "--yes"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    then["stock"] = json!(standing);
    assert_eq!(rows(&shop.raintek.dump().await, &one), then);
    eventually("it is a mismatch", SOON, async || mismatches(&shop).await == [one.clone()]).await;
    assert_eq!(shop.cli(&["rewrite", &one]).await.code, Some(0));
    shop.in_step().await;

    refusals(&shop, &copy, &inv_id).await;
}

async fn refusals(shop: &Shop, copy: &str, inv_id: &str) {
    let folder = shop.app.folder.path();
    let garbage = folder.join("garbage.json");
    std::fs::write(&garbage, "{\"info\": 3}").unwrap();
    for (file, expected) in [
        (folder.join("none.json"), "cannot be read"),
        (garbage, "The file is no copy of a bill that ShopSync made"),
    ] {
        let said = shop.cli(&["restore-invoice", file.to_str().unwrap(), "--yes"]).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(expected), "{said:?}");
    }
    // RainTek gave its Inv_ID to another bill meanwhile.
    shop.raintek
        .sql(&format!("UPDATE InvoiceInfo SET InvoiceNo = N'GST-0777-2026/27' WHERE Inv_ID = {inv_id}"))
        .await;
    let before = shop.raintek.dump().await;
    let said = shop.cli(&["restore-invoice", copy, "--yes"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("is RainTek's bill GST-0777-2026/27"), "{said:?}");
    assert_eq!(shop.raintek.dump().await.rows("InvoiceInfo"), before.rows("InvoiceInfo"));
    shop.raintek.sql("ALTER TABLE Invoice_Product DROP COLUMN Descr").await;
    let said = shop.cli(&["restore-invoice", copy, "--yes"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
}

#[tokio::test]
async fn a_scan_that_was_cut_off_goes_on_where_it_was() {
    let mut shop = Shop::open(4).await;
    booked(&shop, 90).await;
    let running = async |shop: &Shop| shop.status().await["scan"]["running"].clone();
    let request = shop.http.post(shop.page("/api/command")).bearer_auth(shop.secret("page.token"));
    assert!(request.json(&json!({"command": "check"})).send().await.unwrap().status().is_success());
    eventually("it is in the middle", SOON, async || {
        running(&shop).await["done"].as_u64().is_some_and(|done| done > 25)
    })
    .await;
    shop.raintek.order(json!({"action": "hang"})).await;
    let before = running(&shop).await;
    assert!(before.is_object(), "it was still under way");
    shop.kill();
    shop.start().await;
    eventually("it goes on", SOON, async || running(&shop).await.is_object()).await;
    let after = running(&shop).await;
    assert_eq!((&after["since"], &after["total"]), (&before["since"], &json!(90)), "it is the same scan");
    assert!(after["done"].as_u64().unwrap() >= 20, "{before} then {after}");
    assert!(after["waits"].is_string(), "RainTek does not answer: {after}");
    shop.raintek.order(json!({"action": "resume"})).await;
    eventually("it ends", SOON, async || shop.status().await["scan"]["last"].is_object()).await;
    let scan = shop.status().await["scan"].clone();
    assert_eq!(scan["last"]["sentence"], "90 invoices checked, 0 mismatches.", "{scan}");
    assert_eq!(scan["running"], Value::Null);
}

#[tokio::test]
async fn once_a_week_it_comes_by_itself_and_finds_what_one_side_lost() {
    let mut shop = Shop::open(4).await;
    let ids = booked(&shop, 4).await;
    let owner = shop.app.as_shopsync().await;
    assert_eq!(shop.status().await["scan"]["last"], Value::Null, "none in the first week");
    // ShopSync is away while the app loses one, and a bill with our mark comes from nowhere.
    shop.kill();
    let path = format!("/api/collections/invoices/records/{}", ids[1]);
    let (status, answer) = owner.send("DELETE", &path, None).await;
    assert!(status < 300, "{answer}");
    shop.raintek.till(&["bill", "--seed", "3", "--date", "2026-11-21"]).await;
    shop.raintek
        .sql(
            "UPDATE InvoiceInfo SET TillID = N'SHOPSYNC', InvoiceNo = N'GST-0500-2026/27' WHERE Inv_ID = \
                      (SELECT MAX(Inv_ID) FROM InvoiceInfo)",
        )
        .await;
    let store = Connection::open(shop.data().join("shopsync.sqlite")).unwrap();
    let since: String =
        store.query_row("SELECT value FROM named WHERE key = 'scan.since'", [], |row| row.get(0)).unwrap();
    let since: chrono::DateTime<chrono::Utc> = serde_json::from_str(&since).unwrap();
    let since = serde_json::to_string(&(since - chrono::TimeDelta::days(8))).unwrap();
    store.execute("UPDATE named SET value = ?1 WHERE key = 'scan.since'", [since]).unwrap();
    drop(store);
    shop.start().await;
    eventually("a scan has ended", SOON, async || shop.status().await["scan"]["last"].is_object()).await;
    let scan = shop.status().await["scan"].clone();
    // The one that is gone may have been held before the scan came to it.
    let sentence = scan["last"]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Weekly scan: ") && sentence.ends_with(", 2 mismatches."), "{scan}");
    let kinds: Vec<&Value> =
        scan["findings"].as_array().unwrap().iter().map(|finding| &finding["kind"]).collect();
    assert_eq!(kinds, [&json!("lost"), &json!("stray")], "{scan}");
    assert_eq!(shop.item(&number(2)).await.unwrap()["action_kind"], "remove_or_leave");
    // Nobody decided: it is found again.
    let (code, said) = check(&shop).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is gone from the app and still stands in RainTek"), "{said}");
    assert!(said.contains("with ShopSync's mark, and the billing app has no such invoice"), "{said}");

    let request = shop.http.post(shop.page("/api/command")).bearer_auth(shop.secret("page.token"));
    request.json(&json!({"command": "leave", "number": number(2)})).send().await.unwrap();
    eventually("no invoice is held", SOON, async || shop.status().await["counts"]["held"] == 0).await;
    assert_eq!(state(&shop).await, "attention", "the stray bill still stands there");
    shop.raintek
        .sql("UPDATE InvoiceInfo SET TillID = N'COUNTER-1' WHERE InvoiceNo = N'GST-0500-2026/27'")
        .await;
    shop.look().await;
    eventually("all is right by itself", SOON, async || shop.status().await["scan"]["findings"] == json!([]))
        .await;
    assert_right(&shop, 3).await;
    shop.in_step().await;
}
