//! Bills that RainTek made itself, as the app is to show them, and how a change of any bill is noticed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::digest::hex_digest;
use crate::model::awareness::{BillKey, PosInvoice};
use crate::model::bill::{Desired, DesiredCustomer, FoundBill, Row, Value};
use crate::model::customer::{Customer, phone_key};
use crate::model::ids::{CustomerId, InvId, ProductId, RecordId};
use crate::model::invoice::{Invoice, InvoiceStatus, Line, Payment, PaymentKind, TaxMode, TaxType, Taxes};
use crate::model::money::{self, r2, rupees};
use crate::model::words::one_line;

/// What is followed: a change of anything else in a bill is nobody's concern.
const INFO: [&str; 17] = [
    "InvoiceNo",
    "InvoiceDate",
    "TaxType",
    "SubTotal",
    "CGST",
    "SGST",
    "IGST",
    "CESS",
    "TaxableAmt",
    "FreightCharges",
    "OtherCharges",
    "BillDiscount",
    "Total",
    "RoundOff",
    "GrandTotal",
    "TotalPaid",
    "Remarks",
];
const LINE: [&str; 19] = [
    "ProductID",
    "Barcode",
    "SalesRate",
    "Qty",
    "DiscountPer",
    "Discount",
    "CGSTPer",
    "CGSTAmt",
    "SGSTPer",
    "SGSTAmt",
    "IGSTPer",
    "IGSTAmt",
    "CESSAmt",
    "TotalAmount",
    "Descr",
    "MRP",
    "TaxableAmt",
    "STaxType",
    "MainUnit",
];
/// What the older generation has in place of some of these.
const OLDER_LINE: [&str; 4] = ["SellingPrice", "VATPer", "VAT", "Amount"];
const PAYMENT: [&str; 3] = ["PaymentDate", "TotalPaid", "PaymentMode"];

/// RainTek's name of the walk-in customer.
const WALK_IN: &str = "Cash";
/// What the app can say of an invoice as a whole; any other way to pay stands as a payment of its own.
const METHODS: [&str; 5] = ["cash", "upi", "card", "cheque", "credit"];
/// What the app can say of one payment, in the order in which a text of RainTek's is looked up.
const MODES: [&str; 9] = ["cash", "upi", "card", "cheque", "phonepe", "gpay", "paytm", "wallet", "credit"];
/// Characters of a number within a sentence.
const LONGEST_NUMBER: usize = 40;
/// Fewer bills than this may go at once without anybody asking why.
const FEW: usize = 3;

/// Whether a change of this column is a change of the bill.
pub fn is_followed(table: &str, column: &str) -> bool {
    let (names, older): (&[&str], &[&str]) = match table {
        "InvoiceInfo" => (&INFO, &[]),
        "Invoice_Product" => (&LINE, &OLDER_LINE),
        "Invoice_Payment" => (&PAYMENT, &[]),
        _ => return false,
    };
    names.iter().chain(older).any(|name| name.eq_ignore_ascii_case(column))
}

/// SHA-256 (hex) over what is followed of a bill as it stands in RainTek.
pub fn found_digest(bill: &FoundBill) -> String {
    digest(customer_id(bill), &bill.info, &bill.lines, &bill.payments)
}

/// The same over a bill of ours as it was proven: equal to [`found_digest`] of what then stands there.
pub fn desired_digest(desired: &Desired) -> Option<String> {
    match desired.customer {
        DesiredCustomer::Existing(id) => Some(digest(id, &desired.info, &desired.lines, &desired.payments)),
        DesiredCustomer::New(_) => None,
    }
}

fn digest(customer: CustomerId, info: &Row, lines: &[Row], payments: &[Row]) -> String {
    let cells = |row: &Row, names: &[&str]| -> Vec<String> {
        names.iter().map(|name| row.get(name).map(canonical).unwrap_or_default()).collect()
    };
    // The server may number the rows of one INSERT as it likes.
    let sorted = |rows: &[Row], names: &[&str]| -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row, names)).collect();
        rows.sort();
        rows
    };
    let older = |row: &Row| OLDER_LINE.iter().any(|name| row.get(name).is_some());
    let columns: Vec<&str> = match lines.iter().any(older) {
        true => LINE.into_iter().chain(OLDER_LINE).collect(),
        false => LINE.to_vec(),
    };
    hex_digest(&(customer, cells(info, &INFO), sorted(lines, &columns), sorted(payments, &PAYMENT)))
}

/// One text for one content, whatever the column's exact type.
fn canonical(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Int(value) => value.to_string(),
        Value::Dec(value) => value.normalize().to_string(),
        Value::Bit(value) => u8::from(*value).to_string(),
        Value::Text(text) => text.trim_end().to_owned(),
        Value::Date(at) => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

/// What tells the bill from every other.
pub fn key(bill: &FoundBill) -> BillKey {
    BillKey::new(bill.inv_id(), bill.info.text("InvoiceNo"))
}

/// The bill's day; `None` for one without a date.
pub fn day(bill: &FoundBill) -> Option<NaiveDate> {
    date(&bill.info, "InvoiceDate")
}

/// Whether all of it is there: RainTek saves a bill statement by statement, so that half of one may be seen. A bill
/// that stays odd is taken as it is at the second look.
pub fn is_whole(bill: &FoundBill) -> bool {
    let sum = |rows: &[Row], column: &str| money::total(rows.iter().map(|row| row.decimal(column)));
    let paid = sum(&bill.payments, "TotalPaid");
    let lines = money::total(bill.lines.iter().map(line_total));
    let sub_total = bill.info.decimal("SubTotal");
    let expected = if sub_total.is_zero() { lines } else { sub_total };
    !bill.lines.is_empty()
        && !bill.payments.is_empty()
        && paid == bill.info.decimal("GrandTotal")
        && lines == expected
}

/// Whether so many bills are missing at once that RainTek's database is rather another one.
pub fn is_suspicious(known: usize, shown: usize) -> bool {
    known.saturating_sub(shown) >= FEW && shown * 2 < known
}

/// The bill as the app is to show it; `payments` is the app's payment method -> RainTek's text.
///
/// # Errors
/// One sentence where it cannot be shown.
pub fn pos_invoice(bill: &FoundBill, payments: &BTreeMap<String, String>) -> Result<PosInvoice, String> {
    let info = &bill.info;
    let inv_id = bill.inv_id();
    let number = info.text("InvoiceNo").trim().to_owned();
    if number.is_empty() {
        return Err(format!("A bill of RainTek (Inv_ID {inv_id}) has no number."));
    }
    let Some(date) = day(bill) else {
        return Err(format!("RainTek's bill {} has no date.", one_line(&number, LONGEST_NUMBER)));
    };
    let id = record_id(inv_id, &number);
    let lines: Vec<Line> =
        bill.lines.iter().zip(1..).map(|(row, at)| line(row, part_id(&id, "line", at))).collect();
    let given = ["TaxableAmt", "CGST", "SGST", "IGST", "CESS"].iter().any(|name| info.get(name).is_some());
    let (taxable, taxes) = if given {
        (info.decimal("TaxableAmt"), taxes(info, ["CGST", "SGST", "IGST", "CESS"]))
    } else {
        let taxes = lines.iter().fold(Taxes::default(), |sum, line| sum.plus(&line.taxes));
        (money::total(lines.iter().map(|line| line.taxable)), taxes)
    };
    let Paid { method, split, paid_on, total, unknown } = paid(bill, payments, date);
    let mut notes = info.text("Remarks").trim().to_owned();
    for mode in unknown {
        let word = format!("Paid by \"{mode}\" in RainTek.");
        notes = if notes.is_empty() { word } else { format!("{notes} {word}") };
    }
    let discount = if info.get("OtherCharges").is_some() { "OtherCharges" } else { "BillDiscount" };
    let total_paid = if info.get("TotalPaid").is_some() { info.decimal("TotalPaid") } else { total };
    Ok(PosInvoice {
        products: bill
            .lines
            .iter()
            .map(|row| ProductId::try_from(row.int("ProductID")).unwrap_or_default())
            .collect(),
        payment_ids: (1..=split.len()).map(|at| part_id(&id, "payment", at)).collect(),
        paid_on,
        invoice: Invoice {
            id,
            number,
            date,
            status: InvoiceStatus::Completed,
            tax_type: tax_type(bill),
            customer: customer(bill),
            item_count: u32::try_from(lines.len()).ok(),
            taxable,
            taxes,
            freight: info.decimal("FreightCharges"),
            discount: info.decimal(discount),
            round_off: info.decimal("RoundOff"),
            grand_total: info.decimal("GrandTotal"),
            amount_paid: total_paid,
            payment_method: PaymentKind(method),
            notes,
            pos_id: Some(inv_id),
            stamped: false,
            updated: String::new(),
            lines,
            payments: split,
        },
    })
}

fn total_of(row: &Row, columns: &[&str]) -> Decimal {
    money::total(columns.iter().map(|column| row.decimal(column)))
}

/// The older generation calls it `Amount`.
fn line_total(row: &Row) -> Decimal {
    row.decimal(either(row, "TotalAmount", "Amount"))
}

/// The first of two columns that the row has.
pub(super) fn either<'a>(row: &Row, first: &'a str, second: &'a str) -> &'a str {
    if row.get(first).is_some() { first } else { second }
}

/// A line's taxes. The older generation knows one, of which the app shows two halves.
fn line_taxes(row: &Row) -> Taxes {
    if ["CGSTAmt", "SGSTAmt", "IGSTAmt"].iter().any(|name| row.get(name).is_some()) {
        return taxes(row, ["CGSTAmt", "SGSTAmt", "IGSTAmt", "CESSAmt"]);
    }
    let vat = row.decimal("VAT");
    let half = r2(vat / Decimal::TWO);
    Taxes { cgst: half, sgst: vat.saturating_sub(half), ..Taxes::default() }
}

fn line(row: &Row, id: RecordId) -> Line {
    let word = |column: &str| row.text(column).trim().to_owned();
    let word_of = |first: &str, second: &str| {
        let first = word(first);
        if first.is_empty() { word(second) } else { first }
    };
    let (taxes, total) = (line_taxes(row), line_total(row));
    let barcode = word("Barcode");
    Line {
        id,
        product_code: word("ProductCode"),
        product_name: word_of("ProductName", "Descr"),
        hsn_code: word("HSNCode"),
        barcode: if barcode == "0" { String::new() } else { barcode },
        quantity: row.decimal("Qty"),
        unit: word_of("MainUnit", "SalesUnit"),
        rate: row.decimal(either(row, "SalesRate", "SellingPrice")),
        mrp: row.decimal("MRP"),
        discount_percent: row.decimal("DiscountPer"),
        discount: row.decimal("Discount"),
        tax_mode: tax_mode(row, &taxes, total),
        gst_rate: match row.get("CGSTPer") {
            Some(_) => total_of(row, &["CGSTPer", "SGSTPer", "IGSTPer"]),
            None => row.decimal("VATPer"),
        },
        taxes,
        taxable: match row.get("TaxableAmt") {
            Some(_) => row.decimal("TaxableAmt"),
            None => total.saturating_sub(taxes.sum()),
        },
        total,
    }
}

/// How the price carries the tax; the older generation does not say, but its amounts do.
fn tax_mode(row: &Row, taxes: &Taxes, total: Decimal) -> TaxMode {
    let rate = row.decimal(either(row, "SalesRate", "SellingPrice"));
    let net = r2(row.decimal("Qty").saturating_mul(rate).saturating_sub(row.decimal("Discount")));
    match row.get("STaxType").map(|_| TaxMode::parse(row.text("STaxType"))) {
        Some(Some(mode)) => mode,
        _ if taxes.sum().is_zero() => TaxMode::NoTaxes,
        None if total == net => TaxMode::Inclusive,
        _ => TaxMode::Exclusive,
    }
}

/// How a bill was paid, in the app's words.
struct Paid {
    method: String,
    split: Vec<Payment>,
    paid_on: Vec<NaiveDate>,
    /// Rupees that came in.
    total: Decimal,
    /// Texts that the app has no word for.
    unknown: Vec<String>,
}

fn paid(bill: &FoundBill, texts: &BTreeMap<String, String>, date_of_bill: NaiveDate) -> Paid {
    let mut paid = Paid {
        method: "split".to_owned(),
        split: Vec::new(),
        paid_on: Vec::new(),
        total: Decimal::ZERO,
        unknown: Vec::new(),
    };
    for row in &bill.payments {
        let text = row.text("PaymentMode").trim();
        let amount = row.decimal("TotalPaid");
        let mode = match app_mode(text, texts) {
            Some(mode) => mode,
            None => {
                paid.unknown.push(text.to_owned());
                "cash"
            }
        };
        if mode != "credit" {
            paid.total = paid.total.saturating_add(amount);
        }
        paid.split.push(Payment { mode: PaymentKind(mode.to_owned()), amount });
        paid.paid_on.push(date(row, "PaymentDate").unwrap_or(date_of_bill));
    }
    let method = match paid.split.as_slice() {
        [] if bill.info.decimal("GrandTotal") > Decimal::ZERO => Some("credit"),
        [] => Some("cash"),
        [one] => METHODS.into_iter().find(|method| *method == one.mode.0),
        _ => None,
    };
    if let Some(method) = method {
        paid.method = method.to_owned();
        paid.split.clear();
        paid.paid_on.clear();
    }
    paid
}

/// The app's word for a text of `Invoice_Payment.PaymentMode`.
fn app_mode(text: &str, texts: &BTreeMap<String, String>) -> Option<&'static str> {
    let same = |known: Option<&String>| known.is_some_and(|known| known.trim().eq_ignore_ascii_case(text));
    let lower = text.to_ascii_lowercase();
    MODES.into_iter().find(|mode| same(texts.get(*mode))).or_else(|| {
        if lower.starts_with("credit terms") {
            return Some("credit");
        }
        // RainTek's own texts that several of the app's words stand for, or that the settings renamed.
        match lower.as_str() {
            "by cash" => Some("cash"),
            "by cheque" => Some("cheque"),
            "by credit card" | "by debit card" => Some("card"),
            "google pay" => Some("gpay"),
            "phonepe" => Some("phonepe"),
            "paytm" => Some("paytm"),
            "e-wallet" => Some("wallet"),
            _ => None,
        }
    })
}

/// The bill's customer; `None` for the walk-in one.
fn customer(bill: &FoundBill) -> Option<Customer> {
    let word = |column: &str| bill.info.text(column).trim().to_owned();
    let (name, phone) = (word("Name"), word("ContactNo"));
    let phone = if phone_key(&phone).is_some() { phone } else { String::new() };
    if name.eq_ignore_ascii_case(WALK_IN) || name.is_empty() && phone.is_empty() {
        return None;
    }
    Some(Customer {
        id: None,
        name,
        phone,
        address: word("Address"),
        city: word("City"),
        state: word("State"),
        gstin: word("GSTIN"),
        pos_id: Some(customer_id(bill)),
    })
}

fn customer_id(bill: &FoundBill) -> CustomerId {
    let column = if bill.info.get("Customer_ID").is_some() { "Customer_ID" } else { "CustomerID" };
    CustomerId::try_from(bill.info.int(column)).unwrap_or_default()
}

/// In which series the bill is numbered.
pub fn tax_type(bill: &FoundBill) -> TaxType {
    series(bill.info.text("TaxType"))
}

fn series(text: &str) -> TaxType {
    if text.trim().eq_ignore_ascii_case(TaxType::NonGst.text()) { TaxType::NonGst } else { TaxType::Gst }
}

fn taxes(row: &Row, [cgst, sgst, igst, cess]: [&str; 4]) -> Taxes {
    Taxes {
        cgst: row.decimal(cgst),
        sgst: row.decimal(sgst),
        igst: row.decimal(igst),
        cess: row.decimal(cess),
    }
}

fn date(row: &Row, column: &str) -> Option<NaiveDate> {
    match row.get(column) {
        Some(Value::Date(at)) => Some(at.date()),
        _ => None,
    }
}

/// The record of a bill follows from what the bill is, so that a write whose answer was lost is recognised.
pub fn record_id(inv_id: InvId, number: &str) -> RecordId {
    let key = BillKey::new(inv_id, number);
    short(&("bill", key.inv_id, key.number))
}

/// The record of a line or payment follows from its bill's.
pub fn part_id(bill: &RecordId, kind: &str, at: usize) -> RecordId {
    short(&(kind, bill, at))
}

/// The record of a customer that the app does not have follows from RainTek's ID.
pub fn customer_record_id(id: CustomerId) -> RecordId {
    short(&("customer", id))
}

fn short(key: &impl serde::Serialize) -> RecordId {
    RecordId::new(hex_digest(key).chars().take(15).collect::<String>())
}

/// What a person is told of a bill of ours that somebody changed in RainTek.
pub fn edited_sentence(number: &str, in_app: Option<Decimal>, in_raintek: Decimal) -> String {
    let totals = match in_app {
        Some(total) if total != in_raintek => {
            format!("app total {}, RainTek total {}", rupees(total), rupees(in_raintek))
        }
        _ => "the totals are equal, other content is not".to_owned(),
    };
    format!("{number} was changed in RainTek: {totals}. The app is the master: write it again?")
}

/// What a person is told of a bill of ours that somebody deleted in RainTek.
pub fn gone_sentence(number: &str) -> String {
    format!("{number} was deleted in RainTek. The app is the master: write it again?")
}

/// What a person is told of a bill of ours that nobody but RainTek remembers.
pub fn unclaimed_sentence(number: &str, in_raintek: Decimal) -> String {
    let total = rupees(in_raintek);
    format!("{number} ({total}) stands in RainTek as an invoice of the app, and the app has no such invoice.")
}

#[cfg(test)]
#[path = "awareness_tests.rs"]
mod tests;
