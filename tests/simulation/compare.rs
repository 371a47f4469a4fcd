//! Both sides compared, from the facts alone: none of the product's own mapping, planning or judging is used here.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use shopsync::model::bill::{FoundBill, Row, Value};
use shopsync::model::invoice::{Invoice, InvoiceStatus, TaxType};

use crate::app::Record;
use crate::goods::is_credit;
use crate::raintek::{Bills, Db};
use crate::sim::{Sim, lock};

/// The last ten digits, without leading zeros.
fn digits(text: &str) -> String {
    let all: String = text.chars().filter(char::is_ascii_digit).collect();
    let all = all.trim_start_matches('0');
    all.chars().skip(all.len().saturating_sub(10)).collect()
}

fn mode(kind: &str) -> &'static str {
    match kind {
        "cash" => "By Cash",
        "upi" | "gpay" => "Google Pay",
        "card" => "By Debit Card",
        "cheque" => "By Cheque",
        "phonepe" => "PhonePe",
        "paytm" => "Paytm",
        "wallet" => "E-Wallet",
        _ => "Credit Terms - 30 days",
    }
}

/// What the payments of an invoice are in RainTek.
fn payments(invoice: &Invoice) -> Vec<(String, Decimal)> {
    let total = invoice.grand_total;
    let method = invoice.payment_method.0.as_str();
    if method == "split" {
        return invoice.payments.iter().map(|one| (mode(&one.mode.0).to_owned(), one.amount)).collect();
    }
    if method == "credit" {
        return vec![(mode(method).to_owned(), total)];
    }
    let paid = invoice.amount_paid;
    let mut all = Vec::new();
    if paid > Decimal::ZERO || total.is_zero() {
        all.push((mode(method).to_owned(), paid));
    }
    if paid < total {
        all.push((mode("credit").to_owned(), total - paid));
    }
    all
}

fn paid_of(rows: &[(String, Decimal)]) -> Decimal {
    rows.iter().filter(|(mode, _)| !is_credit(mode)).map(|(_, amount)| *amount).sum()
}

/// The first thing in which RainTek's bill is not what the app's invoice says.
pub(crate) fn bill_differs(db: &Db, invoice: &Invoice, bill: &FoundBill) -> Option<String> {
    let info = &bill.info;
    let taxes = invoice.taxes.cgst + invoice.taxes.sgst + invoice.taxes.igst + invoice.taxes.cess;
    let sub_total = invoice.taxable + taxes;
    let pays = payments(invoice);
    let paid = paid_of(&pays);
    for (column, wanted) in [
        ("SubTotal", sub_total),
        ("CGST", invoice.taxes.cgst),
        ("SGST", invoice.taxes.sgst),
        ("IGST", invoice.taxes.igst),
        ("TaxableAmt", invoice.taxable),
        ("FreightCharges", invoice.freight),
        ("OtherCharges", invoice.discount),
        ("BillDiscount", invoice.discount),
        ("Total", sub_total + invoice.freight - invoice.discount),
        ("RoundOff", invoice.round_off),
        ("GrandTotal", invoice.grand_total),
        ("TotalPaid", paid),
        ("Balance", invoice.grand_total - paid),
    ] {
        if info.decimal(column) != wanted {
            return Some(format!("{column} is {} and not {wanted}", info.decimal(column)));
        }
    }
    let kind = if invoice.tax_type == TaxType::Gst { "GST" } else { "NON GST" };
    for (column, wanted) in [
        ("InvoiceNo", invoice.number.as_str()),
        ("TaxType", kind),
        ("TillID", "SHOPSYNC"),
        ("Operator", "ShopSync"),
    ] {
        if info.text(column) != wanted {
            return Some(format!("{column} is {:?} and not {wanted:?}", info.text(column)));
        }
    }
    if day_of(info) != Some(invoice.date) {
        return Some(format!("InvoiceDate is not {}", invoice.date));
    }
    let null = |row: &&Row| row.0.values().any(|value| *value == Value::Null);
    if let Some(row) = std::iter::once(info).chain(&bill.lines).chain(&bill.payments).find(null) {
        return Some(format!("a NULL stands in {row:?}"));
    }
    let customer = i32::try_from(info.int("Customer_ID")).ok().and_then(|id| db.customers.get(&id));
    let fits = customer.is_some_and(|row| match &invoice.customer {
        Some(person) => digits(row.text("ContactNo")) == digits(&person.phone),
        None => row.text("Name") == "Cash",
    });
    if !fits {
        return Some(format!("the customer is {customer:?}"));
    }
    let mut wanted: Vec<String> = invoice
        .lines
        .iter()
        .map(|line| {
            line_text(
                &line.product_code,
                [line.quantity, line.rate, line.taxable, line.taxes.cgst, line.total],
            )
        })
        .collect();
    let mut there: Vec<String> = bill
        .lines
        .iter()
        .map(|row| {
            let code = db.by_pid(row.int("ProductID")).map(|one| one.code.clone()).unwrap_or_default();
            let numbers = ["Qty", "SalesRate", "TaxableAmt", "CGSTAmt", "TotalAmount"];
            line_text(&code, numbers.map(|column| row.decimal(column)))
        })
        .collect();
    wanted.sort();
    there.sort();
    if wanted != there {
        return Some(format!("the lines are {there:?} and not {wanted:?}"));
    }
    let mut wanted: Vec<String> =
        pays.iter().map(|(mode, amount)| format!("{mode} {}", amount.normalize())).collect();
    let mut there: Vec<String> = bill
        .payments
        .iter()
        .map(|row| format!("{} {}", row.text("PaymentMode"), row.decimal("TotalPaid").normalize()))
        .collect();
    wanted.sort();
    there.sort();
    (wanted != there).then(|| format!("the payments are {there:?} and not {wanted:?}"))
}

fn line_text(code: &str, numbers: [Decimal; 5]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|number| number.normalize().to_string()).collect();
    format!("{code} {}", numbers.join(" "))
}

pub(crate) fn day_of(info: &Row) -> Option<chrono::NaiveDate> {
    match info.get("InvoiceDate") {
        Some(Value::Date(at)) => Some(at.date()),
        _ => None,
    }
}

/// The first thing in which the app's record is not what RainTek's own bill says.
pub(crate) fn shown_differs(db: &Db, bill: &FoundBill, record: &Record) -> Option<String> {
    let (info, invoice) = (&bill.info, &record.invoice);
    if invoice.status != InvoiceStatus::Completed {
        return Some(format!("its status is {:?}", invoice.status));
    }
    let checks = [
        ("the number", info.text("InvoiceNo") == invoice.number),
        ("the day", day_of(info) == Some(invoice.date)),
        ("the total", info.decimal("GrandTotal") == invoice.grand_total),
        ("the taxable amount", info.decimal("TaxableAmt") == invoice.taxable),
        ("CGST", info.decimal("CGST") == invoice.taxes.cgst),
    ];
    if let Some((what, _)) = checks.iter().find(|(_, same)| !same) {
        return Some(format!("{what} is another"));
    }
    let mut wanted: Vec<String> = bill
        .lines
        .iter()
        .map(|row| {
            let code = db.by_pid(row.int("ProductID")).map(|one| one.code.clone()).unwrap_or_default();
            format!("{code} {} {}", row.decimal("Qty").normalize(), row.decimal("TotalAmount").normalize())
        })
        .collect();
    let mut there: Vec<String> = invoice
        .lines
        .iter()
        .map(|line| format!("{} {} {}", line.product_code, line.quantity.normalize(), line.total.normalize()))
        .collect();
    wanted.sort();
    there.sort();
    if wanted != there {
        return Some(format!("the lines are {there:?} and not {wanted:?}"));
    }
    let mut wanted: BTreeMap<String, Decimal> = BTreeMap::new();
    for row in &bill.payments {
        *wanted.entry(row.text("PaymentMode").to_owned()).or_default() += row.decimal("TotalPaid");
    }
    let mut there: BTreeMap<String, Decimal> = BTreeMap::new();
    if invoice.payments.is_empty() {
        there.insert(mode(&invoice.payment_method.0).to_owned(), invoice.grand_total);
    }
    for payment in &invoice.payments {
        *there.entry(mode(&payment.mode.0).to_owned()).or_default() += payment.amount;
    }
    (wanted != there).then(|| format!("the payments are {there:?} and not {wanted:?}"))
}

/// Whether RainTek holds this record's invoice as it is now.
pub(crate) fn stands(bills: &Bills<'_>, record: &Record) -> bool {
    let ours = bills.of_number(&record.invoice.number).iter().filter(|id| bills.db.is_ours(**id));
    ours.filter_map(|id| bills.bill(*id)).any(|bill| bill_differs(bills.db, &record.invoice, &bill).is_none())
}

/// Something that is not the same on both sides, though there was time enough to see it: within `unseen`
/// milliseconds for an invoice, `flow` for what comes from RainTek.
pub(crate) fn missing(sim: &Sim, now: u64, unseen: u64, flow: u64) -> Option<String> {
    let (db, app, truth) = (lock(&sim.db), lock(&sim.app), lock(&sim.truth));
    let bills = Bills::of(&db);
    let cancelled = |record: &&Record| {
        !record.deleted
            && record.invoice.status == InvoiceStatus::Cancelled
            && !record.from_pos
            && now > record.changed + unseen
            && !truth.touched.contains_key(&record.invoice.number)
            && !truth.left.contains(&record.invoice.id)
            && !app.records.values().any(|other| {
                other.invoice.number == record.invoice.number && other.invoice.id != record.invoice.id
            })
            && bills.of_number(&record.invoice.number).iter().any(|id| db.is_ours(*id))
    };
    if let Some(record) = app.records.values().find(cancelled) {
        return Some(format!("{} was cancelled and stands in RainTek", record.invoice.number));
    }
    for (id, record) in app.records.iter().filter(|(_, record)| record.is_due()) {
        let number = &record.invoice.number;
        let touched = truth.touched.get(number).map(|at| at + flow);
        let until = (record.changed + unseen).max(touched.unwrap_or_default());
        if now > until && !stands(&bills, record) {
            return Some(format!("RainTek does not hold {number} ({id}) as the app has it"));
        }
    }
    if db.under_way == 0 {
        for id in db.infos.keys().filter(|id| !db.is_ours(**id)) {
            let changed = db.till_at.get(id).copied().unwrap_or_default().max(truth.app_forgot);
            if now > changed + flow && not_shown(&bills, &app, *id).is_some() {
                return Some(format!("the app does not show RainTek's bill {id} as it is"));
            }
        }
        for record in app.records.values().filter(|record| record.from_pos && !record.deleted) {
            let id = record.invoice.pos_id.unwrap_or_default();
            let gone = !bills.of_number(&record.invoice.number).contains(&id);
            let changed = db.till_at.get(&id).copied().unwrap_or_default();
            if gone && record.invoice.status == InvoiceStatus::Completed && now > changed + flow {
                return Some(format!("the app still shows {}, which RainTek has not", record.invoice.number));
            }
        }
    }
    let old = db.products.values().filter(|one| db.product_at.get(&one.pid).is_none_or(|at| now > at + flow));
    for product in old {
        if let Some(why) = product_differs(&app, product) {
            return Some(why);
        }
    }
    None
}

/// Why the app does not show a bill of RainTek's own as it is; `None` also where it rightly cannot.
pub(crate) fn not_shown(bills: &Bills<'_>, app: &crate::app::App, inv_id: i32) -> Option<String> {
    let bill = bills.bill(inv_id)?;
    let number = bill.info.text("InvoiceNo");
    // The app's own invoice of the number keeps RainTek's bill, or its newest content, out; a person is told.
    if !app.completed_of(number).is_empty() {
        return None;
    }
    let own = app.records.values().find(|record| {
        record.from_pos
            && !record.deleted
            && record.invoice.pos_id == Some(inv_id)
            && record.invoice.number == number
            && record.invoice.status == InvoiceStatus::Completed
    });
    if let Some(record) = own {
        return shown_differs(bills.db, &bill, record);
    }
    // The app takes no two completed invoices of one number.
    let taken = app.records.values().any(|record| {
        !record.deleted
            && record.invoice.number == number
            && record.invoice.status == InvoiceStatus::Completed
    });
    (!taken).then(|| "it is not there".to_owned())
}

pub(crate) fn product_differs(app: &crate::app::App, product: &crate::raintek::Product) -> Option<String> {
    let code = &product.code;
    let there: Vec<_> = app.products.values().filter(|one| one.fields.code == *code).collect();
    let [one] = there.as_slice() else {
        return Some(format!("{code} stands {} times in the app", there.len()));
    };
    let fields = &one.fields;
    let same = fields.retail_price == product.price
        && fields.gst_rate == product.gst
        && fields.active == product.active
        && fields.pos_id == product.pid.to_string();
    (!same).then(|| format!("{code} is not the same: {fields:?}"))
}
