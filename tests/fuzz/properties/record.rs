//! Records of the app: an invoice with lines, payments and customer, and a product. What is read is all there and no more,
//! reads the same again, and becomes rows of RainTek's whose money is the bill's to the paisa, or one sentence.

use rust_decimal::Decimal;
use serde_json::Value;
use shopsync::billing::fuzzing::{customer, head, invoice, product};
use shopsync::model::fault::{FaultKind, Scope};
use shopsync::model::invoice::{Invoice, InvoiceRead};

use super::decimal::{NOISE, Written, read, units_of};
use super::{assert_for_people, record_json, shop};

/// Any bytes: JSON with `invoice`, `lines`, `payments`, `product` and `customer`, any of them missing.
pub fn check(data: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Value>(data) else { return };
    let list = |name: &str| json[name].as_array().cloned().unwrap_or_default();
    let (lines, payments) = (list("lines"), list("payments"));
    let record = &json["invoice"];
    let (number, total) = head(record);
    match invoice(record, lines.clone(), payments.clone()) {
        InvoiceRead::Found(found) => {
            assert_eq!(
                (&found.number, Some(found.grand_total)),
                (&number, total),
                "the list tells of another one"
            );
            check_numbers(record, &lines, &payments, &found);
            check_read_again(&found);
            shop::check_booked(&found);
        }
        InvoiceRead::Broken(fault) => {
            assert_eq!((fault.kind, fault.scope), (FaultKind::Data, Scope::Item), "{fault}");
            assert_for_people(&fault.sentence);
        }
        _ => {}
    }
    let seen = product(&json["product"]);
    if let Some(again) = record_json::product(&seen) {
        assert_eq!(product(&again), seen, "a product is read again");
    }
    let seen = customer(&json["customer"]);
    assert_eq!(customer(&record_json::customer(&seen)), seen, "a customer is read again");
}

fn check_read_again(found: &Invoice) {
    let (record, lines, payments) = record_json::invoice(found);
    match invoice(&record, lines, payments) {
        InvoiceRead::Found(again) => assert_eq!(&*again, found, "read again"),
        other => panic!("read again: {other:?}"),
    }
}

/// Every number is the one that was written there, by a reading of its own.
fn check_numbers(record: &Value, lines: &[Value], payments: &[Value], found: &Invoice) {
    let same = |record: &Value, name: &str, value: Decimal| {
        let Some(written) = written(&record[name]) else { panic!("{name} of {record} was read as {value}") };
        let Written::Fixed { units, .. } = written else { panic!("{name} of {record} was read as {value}") };
        assert!((units - units_of(value)).abs() <= NOISE + 2, "{name} of {record} was read as {value}");
    };
    for (name, value) in [
        ("taxable_amount", found.taxable),
        ("cgst", found.taxes.cgst),
        ("sgst", found.taxes.sgst),
        ("igst", found.taxes.igst),
        ("cess", found.taxes.cess),
        ("freight", found.freight),
        ("discount", found.discount),
        ("round_off", found.round_off),
        ("grand_total", found.grand_total),
        ("amount_paid", found.amount_paid),
        ("item_count", Decimal::from(found.item_count.unwrap_or(0))),
    ] {
        same(record, name, value);
    }
    assert_eq!(found.lines.len(), lines.len(), "lines");
    for (record, line) in in_order(lines).iter().zip(&found.lines) {
        for (name, value) in [
            ("quantity", line.quantity),
            ("rate", line.rate),
            ("mrp", line.mrp),
            ("discount_percent", line.discount_percent),
            ("discount", line.discount),
            ("gst_rate", line.gst_rate),
            ("cgst", line.taxes.cgst),
            ("sgst", line.taxes.sgst),
            ("igst", line.taxes.igst),
            ("cess", line.taxes.cess),
            ("taxable", line.taxable),
            ("total", line.total),
        ] {
            same(record, name, value);
        }
    }
    if found.payment_method.0 == "split" {
        assert_eq!(found.payments.len(), payments.len(), "payments");
        for (record, payment) in in_order(payments).iter().zip(&found.payments) {
            same(record, "amount", payment.amount);
        }
    }
}

/// In the order in which they were entered.
fn in_order(records: &[Value]) -> Vec<&Value> {
    let mut records: Vec<&Value> = records.iter().collect();
    records.sort_by_key(|record| match only(&record["created"]) {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    });
    records
}

/// Of a list the only entry.
fn only(value: &Value) -> &Value {
    match value.as_array().map(Vec::as_slice) {
        None => value,
        Some([]) => &Value::Null,
        Some([one]) => one,
        Some(_) => &Value::Bool(false),
    }
}

/// Blank is nothing; what is no number is none.
fn written(value: &Value) -> Option<Written> {
    let nothing = Written::Fixed { units: 0, more: false };
    match only(value) {
        Value::Null => Some(nothing),
        Value::Number(number) => read(&number.to_string()),
        Value::String(text) if text.trim().is_empty() => Some(nothing),
        Value::String(text) => read(text.trim()),
        _ => None,
    }
}
