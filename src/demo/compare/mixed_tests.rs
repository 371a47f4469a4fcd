use serde_json::{Value, json};

use super::fixture::Shop;
use super::mixed_fixture::{LEFT, REMOVED, REVISED, WRITTEN_OVER, mixed_shop};
use super::*;

fn report(shop: &Shop) -> Report {
    compare(&shop.app, &shop.dump, &shop.memory)
}

fn must_find(shop: &Shop, words: &str) {
    let report = report(shop);
    assert!(
        report.differences.iter().any(|difference| difference.contains(words)),
        "`{words}` is not among {:#?}",
        report.differences
    );
}

fn changed(change: impl FnOnce(&mut Shop)) -> Shop {
    let mut shop = mixed_shop();
    change(&mut shop);
    shop
}

fn invoice<'a>(shop: &'a mut Shop, id: &str) -> &'a mut Value {
    shop.app.invoices.iter_mut().find(|invoice| invoice["id"] == id).unwrap()
}

fn remove(rows: &mut Value, column: &str, text: &str) {
    rows.as_array_mut().unwrap().retain(|row| row[column] != text);
}

fn notes(shop: &mut Shop) -> &mut Notes {
    shop.memory.mixed.as_mut().unwrap()
}

#[test]
fn a_day_that_ended_in_step_has_no_difference() {
    let report = report(&mixed_shop());
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!(
        report.line(),
        "4 invoices completed, 1 revised, 2 cancelled (1 removed, 1 left), 1 of RainTek's own shown (1 edited, 1 \
         deleted), 1 written again, 3 in RainTek, 0 differences"
    );
}

#[test]
fn a_revised_content_that_still_stands_is_found() {
    // The old content, and the old one beside the new one.
    must_find(
        &changed(|shop| {
            shop.dump["InvoiceInfo"][1]["GrandTotal"] = json!("217.00");
            shop.dump["InvoiceInfo"][1]["RoundOff"] = json!("1.08");
        }),
        "GrandTotal",
    );
    let twice = changed(|shop| {
        let mut old = shop.dump["InvoiceInfo"][1].clone();
        old["Inv_ID"] = json!("9");
        shop.dump["InvoiceInfo"].as_array_mut().unwrap().push(old);
    });
    must_find(&twice, &format!("{REVISED}: RainTek has 2 bills of this number"));
    must_find(&changed(|shop| remove(&mut shop.dump["SaleGST"], "InvNo", REVISED)), "SaleGST has 0 rows");
}

#[test]
fn one_that_was_to_be_removed_and_stands_is_found() {
    let stands = changed(|shop| {
        let mut bill = shop.dump["InvoiceInfo"][1].clone();
        bill["InvoiceNo"] = json!(REMOVED);
        bill["Inv_ID"] = json!("3");
        shop.dump["InvoiceInfo"].as_array_mut().unwrap().push(bill);
    });
    must_find(&stands, &format!("{REMOVED}: it was to be removed, and RainTek has 1 of it"));
    must_find(&stands, &format!("{REMOVED}: RainTek has a bill that the app does not have"));
    let counted = changed(|shop| {
        shop.dump["SaleGST"].as_array_mut().unwrap().push(json!({ "ID": "2", "InvNo": REMOVED }));
    });
    must_find(&counted, "RainTek's counters have 1 rows of it");
    let orphan = changed(|shop| shop.dump["Invoice_Product"] = json!([{ "InvoiceID": "3" }]));
    must_find(&orphan, "belongs to no bill");
    // Nobody was asked, and it stands: as bad.
    let unasked = changed(|shop| notes(shop).decisions.retain(|number, _| number != LEFT));
    must_find(&unasked, &format!("{LEFT}: it was cancelled, and RainTek has 1 of it"));
}

#[test]
fn one_that_was_to_be_left_and_is_gone_or_changed_is_found() {
    must_find(&changed(|shop| remove(&mut shop.dump["InvoiceInfo"], "InvoiceNo", LEFT)), "which has 0 of it");
    must_find(
        &changed(|shop| shop.dump["InvoiceInfo"][2]["Remarks"] = json!("other")),
        "is no content the app ever gave it",
    );
    must_find(&changed(|shop| remove(&mut shop.dump["SaleGST"], "InvNo", LEFT)), "with 0 counter rows");
}

#[test]
fn what_the_app_shows_of_a_cancelled_one_counts() {
    for (id, field, value) in [
        ("gone1", "sync_status", "failed"),
        ("gone1", "sync_status", "synced"),
        ("gone1", "sync_error", "It still stands in RainTek."),
        ("left1", "sync_status", "pending"),
        ("left1", "sync_error", "It still stands in RainTek."),
    ] {
        must_find(&changed(|shop| invoice(shop, id)[field] = json!(value)), "cancelled and settled");
    }
}

#[test]
fn a_change_without_a_copy_of_what_stood_there_is_found() {
    for (number, words) in [
        (REVISED, "Inv_ID 2 was changed, and no copy"),
        (REMOVED, "without a copy of its rows"),
        (WRITTEN_OVER, "was written over without a copy"),
    ] {
        let is_its = |copy: &Value| copy["info"]["InvoiceNo"]["text"] == number;
        must_find(&changed(|shop| notes(shop).copies.retain(|copy| !is_its(copy))), words);
        // A copy of something else is none.
        let wrong = changed(|shop| {
            for copy in notes(shop).copies.iter_mut().filter(|copy| is_its(copy)) {
                copy["lines"][0]["Qty"] = json!({ "dec": "9.000" });
            }
        });
        must_find(&wrong, words);
    }
}

#[test]
fn every_field_of_a_bill_that_raintek_made_counts() {
    let unmapped = ["id", "invoice_number", "source", "raintek_inv_id"];
    for (at, kind) in [("rt1", "invoices"), ("rti1", "items")] {
        let all = if kind == "invoices" { mixed_shop().app.invoices } else { mixed_shop().app.items };
        let record = all.iter().find(|record| record["id"] == at).unwrap().clone();
        for (field, value) in record.as_object().unwrap() {
            if unmapped.contains(&field.as_str()) || field == "invoice" {
                continue;
            }
            let other = match value {
                Value::Number(_) => json!(7.77),
                _ if field == "payment_method" => json!("card"),
                _ => json!("other"),
            };
            let shop = changed(|shop| {
                let all = if kind == "invoices" { &mut shop.app.invoices } else { &mut shop.app.items };
                all.iter_mut().find(|record| record["id"] == at).unwrap()[field] = other;
            });
            assert!(!report(&shop).differences.is_empty(), "{kind}.{field} does not count");
        }
    }
}

#[test]
fn raintek_s_own_bills_are_all_shown_once_and_as_raintek_s() {
    let gone = changed(|shop| shop.app.invoices.retain(|invoice| invoice["id"] != "rt1"));
    must_find(&gone, "RainTek's GST-0150-2026/27 (1): the app has 0 of it");
    must_find(&changed(|shop| invoice(shop, "rt1")["source"] = json!("app")), "the app has 0 of it");
    must_find(&changed(|shop| invoice(shop, "rt1")["raintek_inv_id"] = json!(8)), "RainTek has no bill");
    let twice = changed(|shop| {
        let mut again = invoice(shop, "rt1").clone();
        again["id"] = json!("rt9");
        shop.app.invoices.push(again);
    });
    must_find(&twice, "the app has 2 of it");
    let lost = changed(|shop| shop.app.items.retain(|item| item["id"] != "rti1"));
    must_find(&lost, "0 lines, not 1");
    let paid =
        changed(|shop| shop.app.payments.push(json!({ "invoice": "rt1", "mode": "cash", "amount": 50 })));
    must_find(&paid, "payments of its own beside its method");
    let customer = changed(|shop| shop.dump["InvoiceInfo"][0]["Customer_ID"] = json!("2"));
    must_find(&customer, "its customer is not RainTek's 2");
}

#[test]
fn a_bill_that_raintek_deleted_is_cancelled_and_not_forgotten() {
    must_find(
        &changed(|shop| invoice(shop, "rt2")["status"] = json!("completed")),
        "the app does not show it cancelled",
    );
    let forgotten = changed(|shop| shop.app.invoices.retain(|invoice| invoice["id"] != "rt2"));
    must_find(&forgotten, "GST-0149-2026/27 (1) was deleted, and the app forgot it");
}

#[test]
fn what_the_till_wrote_is_held_against_its_own_word() {
    for (path, value) in [
        ("/InvoiceInfo/0/Invoice_Product/0/Qty", "2.000"),
        ("/InvoiceInfo/0/Invoice_Payment/0/PaymentMode", "PhonePe"),
    ] {
        let shop = changed(|shop| {
            *shop.dump.pointer_mut(path).unwrap() = json!(value);
            // Changed before the till closed: only its own word tells.
            let dump = shop.dump.clone();
            shop.memory.close_till(&dump);
        });
        must_find(&shop, "is not as its till left it");
    }
}

#[test]
fn a_receipt_that_came_later_changes_no_bill() {
    let mut shop = changed(|shop| {
        for id in ["over1", "left1"] {
            let record = invoice(shop, id);
            record["payment_method"] = json!("cash");
            record["amount_paid"] = json!(216);
        }
        shop.app.payments.retain(|payment| payment["invoice"] != "over1" && payment["invoice"] != "left1");
    });
    must_find(&shop, &format!("{WRITTEN_OVER}: InvoiceInfo.TotalPaid"));
    for id in ["over1", "left1"] {
        notes(&mut shop).paid.insert(id.into(), rust_decimal::Decimal::ONE_HUNDRED);
    }
    assert_eq!(report(&shop).differences, Vec::<String>::new());
}

#[test]
fn a_draft_that_was_thrown_away_is_nowhere() {
    must_find(&changed(|shop| notes(shop).drafts.push(REVISED.into())), "a draft that was thrown away");
}

#[test]
fn whom_raintek_alone_bills_is_whom_its_bill_names() {
    let mut shop = changed(|shop| {
        // Two of RainTek's customers have one phone, and its bill is the later one's.
        let mut twin = shop.dump["Customer"][1].clone();
        twin["ID"] = json!("3");
        twin["CustomerID"] = json!("C-0003");
        shop.dump["Customer"].as_array_mut().unwrap().push(twin);
        shop.memory.opening["Customer"] = shop.dump["Customer"].clone();
        shop.dump["InvoiceInfo"][0]["Customer_ID"] = json!("3");
        let mut record = shop.app.customers[0].clone();
        record["id"] = json!("cus9");
        record["raintek_customer_id"] = json!(3);
        shop.app.customers.push(record);
        invoice(shop, "rt1")["customer"] = json!("cus9");
        let dump = shop.dump.clone();
        shop.memory.close_till(&dump);
    });
    assert_eq!(report(&shop).differences, Vec::<String>::new());
    // An invoice of the app goes to the first of them.
    invoice(&mut shop, "over1")["customer"] = json!("cus9");
    must_find(&shop, "the app shows raintek_customer_id 3, not 2");
}
