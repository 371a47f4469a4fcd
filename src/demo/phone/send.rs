//! How a phone writes an invoice: at once or in parts, as a draft or complete, with more or fewer fields.

use std::time::Duration;

use serde_json::{Value, json};

use super::bill::{Bill, BillLine};
use super::kind::{Kind, LeftOut};
use crate::demo::arithmetic::Tax;
use crate::demo::caller::Caller;
use crate::demo::chance::Chance;
use crate::demo::values::json_number as money;

/// Most records in one transaction.
const BATCH: usize = 45;
/// Between an invoice and its lines, where they are written apart.
const APART: Duration = Duration::from_millis(100);

/// What the phone gives an invoice besides what is on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) record: &'a str,
    pub(super) number: &'a str,
    pub(super) date: &'a str,
    pub(super) customer: &'a str,
}

/// In which order its records reach the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The invoice first, complete; its parts a moment later.
    HeadFirst,
    /// The invoice as a draft, then its parts.
    Draft,
    /// All in one transaction.
    Batch,
}

/// An invoice and its lines and payments, ready to be written.
#[derive(Debug, Clone)]
pub(super) struct Records {
    head: Value,
    parts: Vec<(&'static str, Value)>,
}

impl Records {
    /// Whether one transaction holds them all, and one change more.
    pub(super) fn fit_one_batch(&self) -> bool {
        self.parts.len() + 2 <= BATCH
    }

    /// The invoice, then its parts.
    pub(super) fn all(self) -> Vec<(&'static str, Value)> {
        let mut all = vec![("invoices", self.head)];
        all.extend(self.parts);
        all
    }

    /// The last part first.
    pub(super) fn backwards(mut self) -> Self {
        self.parts.reverse();
        self
    }
}

/// Writes it. True where it is a draft that is still to be completed.
pub(super) async fn write(
    caller: &Caller,
    chance: &mut Chance,
    kind: Kind,
    bill: &Bill,
    names: Names<'_>,
) -> anyhow::Result<bool> {
    let records = records(chance, kind, bill, names);
    let way = match kind {
        Kind::HeaderFirst => Way::HeadFirst,
        Kind::Draft => Way::Draft,
        Kind::Batched => Way::Batch,
        _ => any_way(chance),
    };
    write_in(caller, chance, way, records).await?;
    Ok(way == Way::Draft)
}

/// Any of them, most often all at once.
pub(super) fn any_way(chance: &mut Chance) -> Way {
    match chance.below(4) {
        0 => Way::HeadFirst,
        1 => Way::Draft,
        _ => Way::Batch,
    }
}

/// Makes its records up.
pub(super) fn records(chance: &mut Chance, kind: Kind, bill: &Bill, names: Names<'_>) -> Records {
    // An app need not count its lines; then only their sum says that all are there.
    let counted = kind == Kind::HeaderFirst || !chance.one_in(5);
    let mut head = header(bill, names, counted);
    if kind == Kind::Forged {
        put(&mut head, "source", json!("raintek"));
        put(&mut head, "sync_status", json!("synced"));
        put(&mut head, "raintek_inv_id", json!(7));
    }
    let mut parts = Vec::new();
    for line in &bill.lines {
        parts.push(("invoice_items", item(chance, line, bill, names.record)));
    }
    for (mode, amount) in &bill.payments {
        let payment = json!({
            "id": chance.record_id(), "invoice": names.record, "mode": mode, "amount": money(*amount),
            "paid_on": names.date
        });
        parts.push(("invoice_payments", payment));
    }
    Records { head, parts }
}

/// Writes records in the given order.
pub(super) async fn write_in(
    caller: &Caller,
    chance: &mut Chance,
    way: Way,
    records: Records,
) -> anyhow::Result<()> {
    let Records { mut head, parts } = records;
    match way {
        Way::HeadFirst => {
            caller.create("invoices", &head).await?;
            tokio::time::sleep(APART).await;
            write_apart(caller, chance, &parts).await
        }
        Way::Draft => {
            put(&mut head, "status", json!("draft"));
            caller.create("invoices", &head).await?;
            write_apart(caller, chance, &parts).await
        }
        Way::Batch => {
            for chunk in (Records { head, parts }).all().chunks(BATCH) {
                caller.batch(chunk).await?;
            }
            Ok(())
        }
    }
}

/// In several requests: each line by itself, or some at a time.
async fn write_apart(caller: &Caller, chance: &mut Chance, parts: &[(&str, Value)]) -> anyhow::Result<()> {
    if parts.len() > 10 || chance.one_in(2) {
        for chunk in parts.chunks(BATCH.min(parts.len().div_ceil(2)).max(1)) {
            caller.batch(chunk).await?;
        }
        return Ok(());
    }
    for (collection, record) in parts {
        caller.create(collection, record).await?;
    }
    Ok(())
}

fn header(bill: &Bill, names: Names<'_>, counted: bool) -> Value {
    let mut head = json!({
        "id": names.record,
        "invoice_number": names.number,
        "invoice_date": names.date,
        "status": "completed",
        "tax_type": if bill.gst_bill { "GST" } else { "NON GST" },
        "customer": names.customer,
        "freight": money(bill.freight),
        "discount": money(bill.discount),
        "round_off": money(bill.round_off),
        "grand_total": money(bill.grand_total),
        "amount_paid": money(bill.paid),
        "payment_method": bill.method,
        "notes": bill.notes,
    });
    if counted {
        put(&mut head, "item_count", json!(bill.lines.len()));
    }
    if bill.left_out == LeftOut::Nothing {
        put(&mut head, "taxable_amount", money(bill.taxable));
        put_taxes(&mut head, &bill.tax);
    }
    head
}

fn item(chance: &mut Chance, line: &BillLine, bill: &Bill, invoice: &str) -> Value {
    let (good, told) = (&line.good, line.told);
    let unless = |left_out: u64, value: &str| if told == left_out { String::new() } else { value.to_owned() };
    let mut item = json!({
        "id": chance.record_id(),
        "invoice": invoice,
        "product": unless(2, &good.id),
        "product_code": unless(1, &good.code),
        "product_name": good.name,
        "hsn_code": good.hsn,
        "barcode": unless(3, &good.barcode),
        "unit": unless(3, &good.unit),
        "quantity": money(line.quantity),
        "rate": money(line.rate),
        "mrp": money(good.mrp),
        "discount_percent": money(line.percent),
        "tax_mode": line.mode.text(),
        "gst_rate": money(line.gst),
    });
    let amounts = &line.amounts;
    // An app that leaves everything out has the percentage alone, where there is one.
    if bill.left_out != LeftOut::Everything || line.percent.is_zero() {
        put(&mut item, "discount", money(amounts.discount));
    }
    if bill.left_out != LeftOut::Everything {
        put(&mut item, "total", money(amounts.total));
    }
    if matches!(bill.left_out, LeftOut::Nothing | LeftOut::Header) {
        put(&mut item, "taxable", money(amounts.taxable));
        put_taxes(&mut item, &amounts.tax);
    }
    item
}

fn put_taxes(record: &mut Value, tax: &Tax) {
    for (name, value) in [("cgst", tax.cgst), ("sgst", tax.sgst), ("igst", tax.igst), ("cess", tax.cess)] {
        put(record, name, money(value));
    }
}

fn put(record: &mut Value, field: &str, value: Value) {
    if let Some(fields) = record.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}
