use serde_json::{Value, json};

use super::fixture::{Shop, shop};
use super::*;

fn report(shop: &Shop) -> Report {
    compare(&shop.app, &shop.dump, &shop.memory)
}

/// Sets a value of RainTek's side by its path.
fn raintek(path: &str, value: Value) -> Shop {
    let mut shop = shop();
    *shop.dump.pointer_mut(path).unwrap_or_else(|| panic!("nothing at {path}")) = value;
    shop
}

fn must_find(shop: &Shop, words: &str) {
    let report = report(shop);
    assert!(
        report.differences.iter().any(|difference| difference.contains(words)),
        "`{words}` is not among {:#?}",
        report.differences
    );
}

#[test]
fn two_sides_that_are_the_same_have_no_difference() {
    let report = report(&shop());
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!(report.line(), "1 invoice completed, 1 in RainTek, 0 differences");
}

#[test]
fn every_column_of_a_bill_counts() {
    let bill = shop().dump["InvoiceInfo"][1].clone();
    let unmapped = ["Inv_ID", "Narration", "Invoice_Product", "Invoice_Payment"];
    for (column, value) in bill.as_object().unwrap() {
        if unmapped.contains(&column.as_str()) {
            continue;
        }
        let other = if value.as_str().unwrap().parse::<f64>().is_ok() { "7.77" } else { "other" };
        let report = report(&raintek(&format!("/InvoiceInfo/1/{column}"), json!(other)));
        assert!(!report.differences.is_empty(), "{column} does not count");
    }
}

#[test]
fn every_column_of_a_line_and_of_a_payment_counts() {
    for (table, unmapped) in [("Invoice_Product", "IPo_ID"), ("Invoice_Payment", "")] {
        let row = shop().dump["InvoiceInfo"][1][table][1].clone();
        for (column, value) in row.as_object().unwrap() {
            if column == unmapped || column == "Descr" {
                continue;
            }
            let other = if value.as_str().unwrap().parse::<f64>().is_ok() { "7.77" } else { "other" };
            let report = report(&raintek(&format!("/InvoiceInfo/1/{table}/1/{column}"), json!(other)));
            let found = report.differences.iter().any(|difference| difference.contains(column.as_str()));
            assert!(found, "{table}.{column} does not count: {:?}", report.differences);
        }
    }
}

#[test]
fn a_null_is_found_wherever_it_stands() {
    for (path, words) in [
        ("/InvoiceInfo/1/Narration", "InvoiceInfo.Narration is NULL"),
        ("/InvoiceInfo/1/Invoice_Product/0/Descr", "Invoice_Product.Descr is NULL"),
        ("/InvoiceInfo/1/Invoice_Payment/0/BankAc", "Invoice_Payment.BankAc is NULL"),
        ("/Customer/1/Remarks", "Customer.Remarks is NULL"),
    ] {
        must_find(&raintek(path, Value::Null), words);
    }
}

#[test]
fn missing_and_double_bills_and_rows_are_found() {
    let rows = |path: &str, change: fn(&mut Vec<Value>)| {
        let mut shop = shop();
        change(shop.dump.pointer_mut(path).and_then(Value::as_array_mut).unwrap());
        shop
    };
    must_find(&rows("/InvoiceInfo", |bills| drop(bills.remove(1))), "0 bills of this number");
    must_find(&rows("/InvoiceInfo", |bills| bills.push(bills[1].clone())), "2 bills of this number");
    must_find(&rows("/InvoiceInfo/1/Invoice_Product", |rows| drop(rows.pop())), "1 rows of Invoice_Product");
    must_find(&rows("/InvoiceInfo/1/Invoice_Product", |rows| rows.push(rows[0].clone())), "3 rows of");
    must_find(&rows("/InvoiceInfo/1/Invoice_Payment", |rows| drop(rows.pop())), "the payments come to 100");
    must_find(&rows("/SaleGST", |rows| drop(rows.pop())), "SaleGST has 0 rows of it");
    must_find(&rows("/SaleGST", |rows| rows.push(rows[1].clone())), "SaleGST has 2 rows of it");
    let mut orphan = shop();
    orphan.dump["Invoice_Product"] = json!([{ "InvoiceID": "99" }]);
    must_find(&orphan, "belongs to no bill");
}

#[test]
fn counters_stand_in_their_own_series_under_their_own_number() {
    must_find(&raintek("/SaleGST/1/ID", json!("151")), "though its own was free");
    must_find(
        &raintek("/SaleNoTax", json!([{ "ID": "1", "InvNo": "APP-0001-2026/27" }])),
        "SaleNoTax has a row",
    );
}

#[test]
fn what_is_stamped_back_counts() {
    let invoice = |field: &str, value: Value| {
        let mut shop = shop();
        shop.app.invoices[0][field] = value;
        shop
    };
    must_find(&invoice("sync_status", json!("pending")), "sync_status `pending`");
    must_find(&invoice("sync_error", json!("Waits.")), "sync_error `Waits.`");
    must_find(&invoice("source", json!("")), "source");
    must_find(&invoice("raintek_inv_id", json!(1)), "raintek_inv_id 1, not 2");
    let mut shop = shop();
    shop.app.customers[0]["raintek_customer_id"] = json!(0);
    must_find(&shop, "raintek_customer_id 0, not 2");
}

#[test]
fn customers_are_matched_by_their_phone_and_made_once() {
    must_find(&raintek("/InvoiceInfo/1/Customer_ID", json!("1")), "Customer_ID");
    for (column, value) in [("Name", "Nobody"), ("City", ""), ("Optype", ""), ("CustomerID", "C-0001")] {
        must_find(&raintek(&format!("/Customer/1/{column}"), json!(value)), "Customer 2:");
    }
    must_find(&raintek("/Customer/0/Name", json!("Walk-in")), "Customer 1: Name is no longer `Cash`");
    let mut twice = shop();
    let mut again = twice.dump["Customer"][1].clone();
    again["ID"] = json!("3");
    again["CustomerID"] = json!("C-0003");
    again["ContactNo"] = json!("080010-00001");
    twice.dump["Customer"].as_array_mut().unwrap().push(again);
    must_find(&twice, "somebody had the phone 8001000001 before");
}

#[test]
fn every_field_of_a_product_counts() {
    let fields = [
        "raintek_product_id",
        "name",
        "hsn_code",
        "unit",
        "barcode",
        "retail_price",
        "mrp",
        "current_stock",
        "gst_rate",
        "active",
        "last_synced_at",
    ];
    for field in fields {
        let mut shop = shop();
        let value = &mut shop.app.products[0][field];
        *value = match value {
            Value::Bool(flag) => json!(!*flag),
            Value::Number(_) => json!(7.77),
            _ if field == "last_synced_at" => json!(""),
            _ => json!("other"),
        };
        must_find(&shop, field);
    }
    let mut gone = shop();
    gone.app.products.remove(0);
    must_find(&gone, "Product P-0001: the app has 0 of it");
    let mut left = shop();
    left.dump["Product"].as_array_mut().unwrap().remove(0);
    must_find(&left, "the app sells it, and RainTek does not have it");
}

#[test]
fn raintek_s_own_bills_are_not_to_be_touched() {
    must_find(&raintek("/InvoiceInfo/0/GrandTotal", json!("51.00")), "RainTek's own bill was changed");
    must_find(&raintek("/InvoiceInfo/0/Invoice_Product/0/Qty", json!("2.000")), "own bill was changed");
    let mut gone = shop();
    gone.dump["InvoiceInfo"].as_array_mut().unwrap().remove(0);
    must_find(&gone, "1 of RainTek's own bills are gone");
    let mut more = shop();
    more.memory.till_bills.clear();
    must_find(&more, "came from nowhere");
    let mut other = shop();
    other.memory.till_said.get_mut("GST-0150-2026/27").unwrap().grand_total = "49.00".into();
    must_find(&other, "its till said 49.00");
}

#[test]
fn the_phone_s_own_list_of_numbers_counts() {
    let mut lost = shop();
    lost.app.invoices.clear();
    must_find(&lost, "the app has 0 completed invoices of this number");
    must_find(&lost, "RainTek has a bill that the app does not have");
}
