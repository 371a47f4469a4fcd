//! v11, what is held because somebody else has its number: "Give it the next free number", on both sides.

use rust_decimal::Decimal;
use serde_json::{Value, json};
use shopsync::model::settings::PostingSettings;

use crate::foreign_app::ForeignApp;
use crate::harness::raintek::{Dump, number};
use crate::harness::rows::assert_booked;
use crate::harness::{Bill, SOON, Shop, eventually};

/// A till's GST bill; its number. The seeds make some that are not.
async fn till_bill(shop: &Shop, seed: u64) -> String {
    for seed in seed.. {
        let said = shop.raintek.till(&["bill", "--seed", &seed.to_string(), "--date", "2026-11-21"]).await;
        let number = said[0]["number"].as_str().unwrap_or_else(|| panic!("{said:?}")).to_owned();
        if number.starts_with("GST-") {
            return number;
        }
    }
    unreachable!()
}

fn n_of(number: &str) -> i64 {
    number.split('-').nth(1).unwrap().parse().unwrap()
}

fn gst(n: i64) -> String {
    format!("GST-{n:04}-2026/27")
}

/// Everything RainTek holds under a number, as text.
fn rows_of(dump: &Dump, number: &str) -> String {
    let mut rows: Vec<&Value> = dump.bills(number);
    for (table, column) in [
        ("LedgerBook", "LedgerNo"),
        ("CustomerLedgerBook", "LedgerNo"),
        ("BankAccountLedger", "LedgerNo"),
        ("StockMovement", "TransID"),
        ("SaleGST", "InvNo"),
        ("SaleNoTax", "InvNo"),
    ] {
        rows.extend(dump.with(table, column, number));
    }
    rows.into_iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Held for its number, and the page offers what to do about it.
async fn held_for_its_number(shop: &Shop, id: &str, number: &str) {
    shop.held(id).await;
    let mut item = Value::Null;
    eventually(&format!("{number} is held for its number"), SOON, async || {
        item = shop.item(number).await.unwrap_or_default();
        item["state"] == "held" && item["action_kind"] == "renumber"
    })
    .await;
    assert!(item["action"].as_str().unwrap().starts_with("Give it the next free number"), "{item}");
}

/// Gives it the next number and hands back which, once it is in RainTek under it.
async fn renumbered(shop: &Shop, id: &str, old: &str) -> Value {
    let said = shop.cli(&["renumber", old]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let record = shop.synced(id).await;
    let new = record["invoice_number"].as_str().unwrap();
    assert!(said.out.starts_with(&format!("{old} has the number {new} now.")), "{said:?}");
    assert!(said.out.contains("A copy that was already printed carries the old number: print it again."));
    assert_eq!((&record["sync_error"], &record["source"]), (&json!(""), &json!("app")));
    record
}

async fn counter_value(shop: &Shop) -> Value {
    let all = shop.app.as_shopsync().await.get("/api/collections/counters/records").await;
    all["items"].as_array().unwrap().iter().find(|one| one["name"] == "invoice_gst").unwrap()["value"].clone()
}

async fn in_raintek(shop: &Shop, number: &str) -> usize {
    shop.raintek.dump().await.bills(number).len()
}

#[tokio::test]
async fn v11_next_free_number() {
    let shop = Shop::open(6).await;
    let phone = shop.phone().await;

    // RainTek's own bill has the number; the app has given out some above it.
    let taken = till_bill(&shop, 5).await;
    let ahead = gst(n_of(&taken) + 3);
    let record = shop.synced(&Bill::plain(&ahead).send(&shop).await).await;
    assert_eq!(record["sync_status"], "synced");
    let theirs = rows_of(&shop.raintek.dump().await, &taken);
    let clash = Bill { discount: Decimal::ONE, ..Bill::plain(&taken) };
    let id = clash.send(&shop).await;
    held_for_its_number(&shop, &id, &taken).await;
    let record = renumbered(&shop, &id, &taken).await;
    let new = record["invoice_number"].as_str().unwrap().to_owned();
    assert!(n_of(&new) > n_of(&ahead), "{new} is above everything");
    let dump = shop.raintek.dump().await;
    assert_booked(&dump, &Bill { number: new.clone(), ..clash.clone() }, &record, 1);
    assert_eq!(rows_of(&dump, &taken), theirs, "RainTek's own bill is as it was");
    eventually("the app's counter is there", SOON, async || counter_value(&shop).await == n_of(&new)).await;

    // Asked again it is the same answer, and no number is used up.
    let again = shop.cli(&["renumber", &taken]).await;
    assert_eq!((again.code, again.out.trim()), (Some(0), &*format!("{taken} has the number {new} by now.")));
    assert_eq!(counter_value(&shop).await, n_of(&new));
    // RainTek goes on behind it, and what it made itself can be shown in the app now.
    let till = till_bill(&shop, 50).await;
    assert_eq!(n_of(&till), n_of(&new) + 1);
    let journal = shop.status().await["activity"].to_string();
    assert!(journal.contains(&format!("{taken} has the number {new} now. A copy")), "{journal}");

    // Twice at the same moment: one number, one invoice.
    let taken = till_bill(&shop, 70).await;
    let id = Bill::plain(&taken).send(&shop).await;
    held_for_its_number(&shop, &id, &taken).await;
    let arguments = ["renumber", taken.as_str()];
    let (a, b, c) = tokio::join!(shop.cli(&arguments), shop.cli(&arguments), shop.cli(&arguments));
    assert_eq!([a.code, b.code, c.code], [Some(0); 3], "{a:?} {b:?} {c:?}");
    let record = shop.synced(&id).await;
    let new = record["invoice_number"].as_str().unwrap();
    for said in [&a, &b, &c] {
        assert!(said.out.starts_with(&format!("{taken} has the number {new} ")), "{said:?}");
    }
    eventually("one number was used", SOON, async || counter_value(&shop).await == n_of(new)).await;
    assert_eq!(in_raintek(&shop, new).await, 1);

    // Asked for while it is tried once more by itself.
    for round in 0..3_u64 {
        let taken = till_bill(&shop, 72 + round * 4).await;
        let id = Bill::plain(&taken).send(&shop).await;
        held_for_its_number(&shop, &id, &taken).await;
        let retry = json!({"command": "retry", "number": taken});
        let retrying = async {
            loop {
                let http = shop.http.post(shop.page("/api/command")).bearer_auth(shop.secret("page.token"));
                http.json(&retry).send().await.unwrap();
            }
        };
        let record = tokio::select! {
            biased;
            record = renumbered(&shop, &id, &taken) => record,
            () = retrying => unreachable!(),
        };
        assert_eq!(in_raintek(&shop, record["invoice_number"].as_str().unwrap()).await, 1);
    }

    // A number of another form, and a bill of RainTek's above its own counter: that number is not free either.
    let odd = till_bill(&shop, 90).await;
    shop.raintek.sql(&format!("UPDATE InvoiceInfo SET InvoiceNo = N'B/77' WHERE InvoiceNo = N'{odd}'")).await;
    let above = till_bill(&shop, 95).await;
    for step in 1..=3 {
        let there = gst(n_of(&above) + step);
        let sql = format!(
            "INSERT INTO LedgerBook (Date, Name, LedgerNo, Label, Debit, Credit, PartyID, PartyName) \
             VALUES ('2026-11-21', N'', N'{there}', N'', 0, 0, N'', N'')"
        );
        // Without postings what stands in ledgers says nothing about a number.
        shop.raintek.sql(&sql).await;
    }
    let without_counter = till_bill(&shop, 99).await;
    shop.raintek.sql(&format!("DELETE FROM SaleGST WHERE InvNo = N'{without_counter}'")).await;
    let id = Bill::plain("B/77").send(&shop).await;
    held_for_its_number(&shop, &id, "B/77").await;
    let record = renumbered(&shop, &id, "B/77").await;
    let new = record["invoice_number"].as_str().unwrap();
    assert!(n_of(new) > n_of(&without_counter), "{new} is not {without_counter}");
    assert_eq!((in_raintek(&shop, new).await, in_raintek(&shop, "B/77").await), (1, 1));

    // What does not wait for a number is refused in a sentence.
    let refusal = async |number: &str| {
        let said = shop.cli(&["renumber", number]).await;
        assert_eq!(said.code, Some(1), "{said:?}");
        said.err.trim().to_owned()
    };
    assert_eq!(refusal("GST-9999-2026/27").await, "No invoice GST-9999-2026/27 waits for another number.");
    let wrong = Bill { extra: json!({"grand_total": 1}), ..Bill::plain("GST-0900-2026/27") };
    let wrong_id = wrong.send(&shop).await;
    let sentence = shop.held(&wrong_id).await["sync_error"].as_str().unwrap().to_owned();
    let expected = format!("GST-0900-2026/27 does not wait for another number. {sentence}");
    assert_eq!(refusal("GST-0900-2026/27").await, expected);
    // The phone takes it back while it is held.
    let taken = till_bill(&shop, 120).await;
    let id = Bill::plain(&taken).send(&shop).await;
    held_for_its_number(&shop, &id, &taken).await;
    let before = counter_value(&shop).await;
    phone.change("invoices", &id, json!({"status": "cancelled"})).await;
    let said = refusal(&taken).await;
    assert!(said.contains("no completed invoice") || said.starts_with("No invoice"), "{said}");
    assert_eq!((counter_value(&shop).await, in_raintek(&shop, &taken).await), (before, 1));
}

/// A power cut between the two sides: the app's record has its number, nobody else heard of it.
#[tokio::test]
async fn v11_next_free_number_survives_a_power_cut() {
    let mut shop = Shop::open(6).await;
    let taken = till_bill(&shop, 5).await;
    let clash = Bill::plain(&taken);
    let id = clash.send(&shop).await;
    held_for_its_number(&shop, &id, &taken).await;
    shop.kill();
    let owner = shop.app.as_shopsync().await;
    let body = json!({"id": id, "from": taken, "name": "invoice_gst", "above": n_of(&taken), "prefix": "GST",
        "suffix": "2026/27"});
    let new = owner.post("/api/shopsync/renumber", body).await["number"].as_str().unwrap().to_owned();
    shop.start().await;
    let record = shop.synced(&id).await;
    assert_eq!(record["invoice_number"], new.as_str());
    let dump = shop.raintek.dump().await;
    assert_booked(&dump, &Bill { number: new.clone(), ..clash }, &record, 1);
    assert_eq!((dump.bills(&taken).len(), dump.rows("InvoiceInfo").len()), (1, 2));
    assert_eq!(counter_value(&shop).await, n_of(&new));
    // Asked for at any moment of the ShopSync's end: one number, one bill.
    for round in 0..4_u64 {
        let taken = till_bill(&shop, 100 + round * 10).await;
        let id = Bill::plain(&taken).send(&shop).await;
        held_for_its_number(&shop, &id, &taken).await;
        let before = counter_value(&shop).await.as_i64().unwrap();
        let request = shop.http.post(shop.page("/api/command")).bearer_auth(shop.secret("page.token"));
        let asked = tokio::spawn(request.json(&json!({"command": "renumber", "number": taken})).send());
        eventually("it began, or a while went by", SOON, async || {
            let began = shop.phone().await.read("invoices", &id).await["invoice_number"] != taken.as_str();
            began || asked.is_finished() || round == 0
        })
        .await;
        shop.kill();
        let _ = asked.await;
        shop.start().await;
        shop.phone().await;
        if shop.phone().await.read("invoices", &id).await["invoice_number"] == taken.as_str() {
            // It had not begun: what was held is still held, and may be asked for.
            held_for_its_number(&shop, &id, &taken).await;
            renumbered(&shop, &id, &taken).await;
        }
        let record = shop.synced(&id).await;
        let new = record["invoice_number"].as_str().unwrap();
        assert_ne!(new, taken);
        assert_eq!((in_raintek(&shop, new).await, in_raintek(&shop, &taken).await), (1, 1));
        let after = counter_value(&shop).await.as_i64().unwrap();
        assert!(after == n_of(new) && after - before <= 3, "{before}, {after}, {new}");
    }
}

/// The till's bill and ours stand in RainTek under one number: ours gets another, in its own row. With postings, the
/// till's stay the till's.
#[tokio::test]
async fn v11_both_stand_in_raintek() {
    let mut shop = Shop::new(6);
    shop.settings.posting = PostingSettings { stock: true, ledgers: true };
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    let phone = shop.phone().await;
    let first = till_bill(&shop, 5).await;
    let old = gst(n_of(&first) + 5);
    let bill = Bill::plain(&old);
    let id = bill.send(&shop).await;
    let inv_id = shop.synced(&id).await["raintek_inv_id"].clone();
    // A till that had read the number before saves its bill under it: its last statement, the counter's, fails.
    let till = till_bill(&shop, 40).await;
    let till_n = n_of(&till);
    for (table, column) in [
        ("InvoiceInfo", "InvoiceNo"),
        ("LedgerBook", "LedgerNo"),
        ("CustomerLedgerBook", "LedgerNo"),
        ("BankAccountLedger", "LedgerNo"),
        ("StockMovement", "TransID"),
    ] {
        let sql = format!("UPDATE {table} SET {column} = N'{old}' WHERE {column} = N'{till}'");
        shop.raintek.sql(&sql).await;
    }
    shop.raintek.sql(&format!("DELETE FROM SaleGST WHERE ID = {till_n}")).await;
    let before = shop.raintek.dump().await;
    let theirs_before: Vec<Value> = posted(&before, &old, inv_id.as_i64().unwrap(), &bill).1;
    assert!(theirs_before.len() >= 4, "the till posts: {theirs_before:?}");

    shop.look().await;
    held_for_its_number(&shop, &id, &old).await;
    let item = shop.item(&old).await.unwrap();
    assert!(item["sentence"].as_str().unwrap().starts_with("RainTek has 2 bills of the number"), "{item}");
    let record = renumbered(&shop, &id, &old).await;
    let new = record["invoice_number"].as_str().unwrap().to_owned();
    assert_eq!(record["raintek_inv_id"], inv_id, "the same row");
    let dump = shop.raintek.dump().await;
    assert_eq!((dump.bills(&old).len(), dump.bills(&new).len()), (1, 1));
    assert_eq!(dump.bills(&old)[0]["TillID"], "TILL-1");
    let ours = dump.bills(&new)[0];
    assert_eq!(number(ours, "Inv_ID").to_string(), inv_id.to_string());
    let counter = |number: &str| -> Vec<String> {
        dump.with("SaleGST", "InvNo", number)
            .iter()
            .map(|row| row["ID"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        counter(&old),
        [n_of(&old).to_string()],
        "the counter of the old number stays with the till's bill"
    );
    assert_eq!(counter(&new), [n_of(&new).to_string()]);
    let (left, theirs) = posted(&dump, &old, inv_id.as_i64().unwrap(), &bill);
    assert_eq!(
        (left.len(), theirs),
        (0, theirs_before),
        "the till's postings are as they were, ours are gone"
    );
    let totals = bill.totals();
    for table in ["LedgerBook", "CustomerLedgerBook"] {
        let rows = dump.with(table, "LedgerNo", &new);
        assert_eq!(rows.len(), 2, "{table}: {rows:?}");
        let debit: Decimal = rows.iter().map(|row| number(row, "Debit")).sum();
        assert_eq!(debit, totals.grand, "{table}");
    }
    assert_eq!(dump.with("StockMovement", "TransID", &new).len(), bill.lines.len());
    assert_eq!(dump.rows("Temp_Stock"), before.rows("Temp_Stock"), "stock moved once, when it was sold");
    // RainTek's own bill of that number is in the app now, read-only.
    eventually("the till's bill is shown", SOON, async || {
        let path = format!("/api/collections/invoices/records?filter=(invoice_number='{old}')");
        let found = phone.get(&path).await;
        found["items"].as_array().is_some_and(|all| all.len() == 1 && all[0]["source"] == "raintek")
    })
    .await;
    eventually("nothing is held", SOON, async || shop.status().await["counts"]["held"] == 0).await;

    // Entries of a number that belong to no bill: held, and free of them under the next number.
    let stray = gst(n_of(&new) + 2);
    let sql = format!(
        "UPDATE LedgerBook SET LedgerNo = N'{stray}' WHERE LedgerNo = N'{first}';
         UPDATE LedgerBook SET LedgerNo = N'{}' WHERE LedgerNo = N'{old}' AND Label = N'Receipt'",
        gst(n_of(&new) + 4)
    );
    shop.raintek.sql(&sql).await;
    let strays = rows_of(&shop.raintek.dump().await, &stray);
    let bill = Bill::plain(&stray);
    let id = bill.send(&shop).await;
    held_for_its_number(&shop, &id, &stray).await;
    let record = renumbered(&shop, &id, &stray).await;
    let new = record["invoice_number"].as_str().unwrap().to_owned();
    let dump = shop.raintek.dump().await;
    assert_booked(&dump, &Bill { number: new, ..bill }, &record, 1);
    assert_eq!(rows_of(&dump, &stray), strays);
}

/// What is posted under a number, without IDs: ours (by what our bill says) and the rest.
fn posted(dump: &Dump, number: &str, inv_id: i64, bill: &Bill) -> (Vec<Value>, Vec<Value>) {
    let total = bill.totals().grand;
    let mut ours_left = bill.lines.len();
    let mut ours = Vec::new();
    let mut rest = Vec::new();
    let products: Vec<String> = dump
        .with("InvoiceInfo", "Inv_ID", &inv_id.to_string())
        .first()
        .and_then(|info| info["Invoice_Product"].as_array().cloned())
        .unwrap_or_default()
        .iter()
        .map(|line| {
            format!(
                "{} {}",
                line["ProductID"].as_str().unwrap(),
                crate::harness::raintek::number(line, "Qty")
            )
        })
        .collect();
    for (table, column) in [
        ("LedgerBook", "LedgerNo"),
        ("CustomerLedgerBook", "LedgerNo"),
        ("BankAccountLedger", "LedgerNo"),
        ("StockMovement", "TransID"),
    ] {
        for row in dump.with(table, column, number) {
            let mut row = row.clone();
            row.as_object_mut().unwrap().remove("ID");
            let is_ours = if table == "StockMovement" {
                let sold = format!(
                    "{} {}",
                    row["ProductID"].as_str().unwrap(),
                    crate::harness::raintek::number(&row, "StockOut")
                );
                let mine = products.contains(&sold) && ours_left > 0;
                ours_left -= usize::from(mine);
                mine
            } else {
                let amount = crate::harness::raintek::number(&row, "Credit")
                    + if table == "BankAccountLedger" {
                        Decimal::ZERO
                    } else {
                        crate::harness::raintek::number(&row, "Debit")
                    };
                amount == total
            };
            if is_ours { ours.push(row) } else { rest.push(row) }
        }
    }
    (ours, rest)
}

/// Two completed invoices of the app have one number, and neither is a revision of the other.
#[tokio::test]
async fn v11_two_invoices_of_one_number() {
    let mut shop = Shop::open(4).await;
    shop.app.as_shopsync().await.patch("/api/collections/invoices", json!({"indexes": []})).await;
    let first = Bill::plain("GST-0001-2026/27");
    shop.synced(&first.send(&shop).await).await;
    let rows = rows_of(&shop.raintek.dump().await, &first.number);
    let second = Bill { discount: Decimal::ONE, ..first.clone() };
    let id = second.send(&shop).await;
    eventually("the second one waits", SOON, async || {
        shop.item(&second.number).await.is_some_and(|item| item["action_kind"] == "renumber")
    })
    .await;
    // It may be a revision whose old record is marked a moment later: until that is out of the question it is refused.
    let said = shop.cli(&["renumber", &second.number]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("does not wait for another number"), "{said:?}");
    // Two minutes later.
    shop.stop().await;
    let store = rusqlite::Connection::open(shop.data().join("shopsync.sqlite")).unwrap();
    let aged = store.execute(
        "UPDATE outbox SET first_seen = first_seen - 180000, next_try = 0 WHERE record_id = ?1",
        [&id],
    );
    assert_eq!(aged.unwrap(), 1);
    drop(store);
    shop.start().await;
    eventually("the app is back", SOON, async || shop.app.is_up().await).await;
    held_for_its_number(&shop, &id, &second.number).await;
    let record = renumbered(&shop, &id, &second.number).await;
    let new = record["invoice_number"].as_str().unwrap().to_owned();
    let dump = shop.raintek.dump().await;
    assert_booked(&dump, &Bill { number: new, ..second }, &record, 1);
    assert_eq!(rows_of(&dump, &first.number), rows, "the first is as it was");
}

/// A shop whose app numbers by itself: its own way stays, and the number is formed as RainTek forms it.
#[tokio::test]
async fn v11_an_app_that_numbers_itself() {
    let mut shop = Shop::new(4);
    let theirs = ForeignApp::lay(&mut shop.app).await;
    shop.raintek.start().await;
    shop.start().await;
    eventually("both sides were looked at", SOON, async || {
        let status = shop.status().await;
        let sides = status["raintek"]["connected"] == true && status["billing"]["connected"] == true;
        sides && status["products"]["total"] == 4
    })
    .await;
    let taken = till_bill(&shop, 5).await;
    let phone = ForeignApp::phone(&shop.app).await;
    let bill = Bill { rounded: false, ..Bill::plain(&taken) };
    let mut head = bill.head("completed");
    head["state"] = json!("completed");
    let made = phone.make("bills", head).await;
    let id = made["id"].as_str().unwrap();
    for (_, mut line) in bill.parts(id) {
        let path =
            format!("/api/collections/products/records?filter=(product_code={})", line["product_code"]);
        let products = phone.get(&path).await;
        line["product"] = products["items"][0]["id"].clone();
        phone.make("invoice_items", line).await;
    }
    eventually("it is held", SOON, async || phone.read("bills", id).await["sync_status"] == "failed").await;
    let said = shop.cli(&["renumber", &taken]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    eventually("it is in RainTek", SOON, async || phone.read("bills", id).await["sync_status"] == "synced")
        .await;
    let record = phone.read("bills", id).await;
    let new = record["invoice_number"].as_str().unwrap();
    assert!(new.starts_with("GST-") && n_of(new) > n_of(&taken), "{new}");
    assert_eq!((in_raintek(&shop, new).await, in_raintek(&shop, &taken).await), (1, 1));
    let counters = phone.get("/api/collections/counters/records").await;
    assert_eq!(counters["items"][0]["value"], 42, "its own counter is left alone");
    theirs.assert_untouched(&shop.app).await;
}
