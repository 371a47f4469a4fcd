//! An invoice of the app as the rows that RainTek should hold.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::Value;

use super::TILL;
use super::row::{Row, Want};
use crate::demo::arithmetic::{Amounts, Mode, Tax, discount_of, gst, line, r2};
use crate::demo::values::{number, text};

/// A line with what the app left out worked out.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    item: &'a Value,
    mode: Mode,
    amounts: Amounts,
}

/// A payment as RainTek has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payment {
    mode: &'static str,
    amount: Decimal,
}

/// The day of an invoice in the shop: a plain date stays that day, a moment becomes the shop's.
pub(super) fn day(invoice: &Value) -> Option<NaiveDate> {
    let written = text(invoice, "invoice_date");
    let utc = NaiveDateTime::parse_from_str(written.trim_end_matches('Z'), "%Y-%m-%d %H:%M:%S%.f").ok()?;
    if utc.time() == NaiveTime::MIN {
        return Some(utc.date());
    }
    let moment: DateTime<Tz> = utc.and_utc().with_timezone(&Tz::Asia__Kolkata);
    Some(moment.date_naive())
}

/// The lines, with RainTek's arithmetic where the app gives nothing.
pub(super) fn lines<'a>(invoice: &Value, items: &[&'a Value], other_state: bool) -> Vec<Line<'a>> {
    let gst_bill = text(invoice, "tax_type") == "GST";
    items.iter().map(|item| filled(item, gst_bill, other_state)).collect()
}

fn filled<'a>(item: &'a Value, gst_bill: bool, other_state: bool) -> Line<'a> {
    let mode = Mode::parse(text(item, "tax_mode"));
    let (quantity, rate) = (number(item, "quantity"), number(item, "rate"));
    let percent = if gst_bill { number(item, "gst_rate") } else { Decimal::ZERO };
    let given = |field: &str, otherwise: Decimal| {
        let value = number(item, field);
        if value.is_zero() { otherwise } else { value }
    };
    let discount = given("discount", discount_of(quantity, rate, number(item, "discount_percent")));
    let worked = line(mode, quantity, rate, discount, percent, other_state);
    let mut tax = Tax {
        cgst: number(item, "cgst"),
        sgst: number(item, "sgst"),
        igst: number(item, "igst"),
        cess: number(item, "cess"),
    };
    if !tax.has_gst() {
        let base = r2(quantity * rate) - discount;
        tax = Tax { cess: tax.cess, ..gst(mode, base, percent, other_state) };
    }
    let amounts = Amounts {
        discount,
        tax,
        taxable: given("taxable", worked.taxable),
        total: given("total", worked.total),
    };
    Line { item, mode, amounts }
}

/// The payments: what is paid by its method, and the rest on credit.
pub(super) fn payments(invoice: &Value, split: &[&Value]) -> Vec<Payment> {
    let total = number(invoice, "grand_total");
    let method = text(invoice, "payment_method");
    let mut all = Vec::new();
    match method {
        "split" => all.extend(split.iter().map(|row| (text(row, "mode"), number(row, "amount")))),
        "credit" => all.push(("credit", total)),
        _ => {
            let paid = number(invoice, "amount_paid").min(total);
            all.push((method, paid));
            all.push(("credit", total - paid));
        }
    }
    let all = all.into_iter().filter(|(_, amount)| !amount.is_zero());
    all.map(|(mode, amount)| Payment { mode: raintek_mode(mode), amount }).collect()
}

/// The app's word as RainTek's text.
pub(super) fn raintek_mode(mode: &str) -> &'static str {
    match mode {
        "cash" => "By Cash",
        "upi" | "gpay" => "Google Pay",
        "card" => "By Debit Card",
        "cheque" => "By Cheque",
        "credit" => "Credit Terms - 30 days",
        "phonepe" => "PhonePe",
        "paytm" => "Paytm",
        "wallet" => "E-Wallet",
        _ => "(a payment mode nobody knows)",
    }
}

fn total_of(payments: &[Payment], wanted: impl Fn(&Payment) -> bool) -> Decimal {
    payments.iter().filter(|payment| wanted(payment)).map(|payment| payment.amount).sum()
}

/// `InvoiceInfo`.
pub(super) fn info(
    invoice: &Value,
    day: NaiveDate,
    customer: &str,
    lines: &[Line<'_>],
    payments: &[Payment],
) -> Row {
    let own = |field: &str| number(invoice, field);
    let sum = |part: fn(&Line<'_>) -> Decimal| lines.iter().map(part).sum::<Decimal>();
    let head = [own("taxable_amount"), own("cgst"), own("sgst"), own("igst"), own("cess")];
    let [taxable, cgst, sgst, igst, cess] = if head.iter().all(Decimal::is_zero) {
        [
            sum(|line| line.amounts.taxable),
            sum(|line| line.amounts.tax.cgst),
            sum(|line| line.amounts.tax.sgst),
            sum(|line| line.amounts.tax.igst),
            sum(|line| line.amounts.tax.cess),
        ]
    } else {
        head
    };
    let sub_total = taxable + cgst + sgst + igst + cess;
    let (grand_total, discount) = (own("grand_total"), own("discount"));
    let paid = total_of(payments, |payment| !payment.mode.starts_with("Credit"));
    let cash = total_of(payments, |payment| payment.mode == "By Cash");
    let words = |word: &str| Want::Text(word.to_owned());
    vec![
        ("InvoiceNo", words(text(invoice, "invoice_number"))),
        ("InvoiceDate", Want::Day(day)),
        ("TaxType", words(text(invoice, "tax_type"))),
        ("Customer_ID", words(customer)),
        ("SalesmanID", Want::Number(Decimal::ZERO)),
        ("SubTotal", Want::Number(sub_total)),
        ("CGST", Want::Number(cgst)),
        ("SGST", Want::Number(sgst)),
        ("IGST", Want::Number(igst)),
        ("CESS", Want::Number(cess)),
        ("TaxableAmt", Want::Number(taxable)),
        ("FreightCharges", Want::Number(own("freight"))),
        ("OtherCharges", Want::Number(discount)),
        ("BillDiscount", Want::Number(discount)),
        ("Total", Want::Number(sub_total + own("freight") - discount)),
        ("Total", Want::Number(grand_total - own("round_off"))),
        ("RoundOff", Want::Number(own("round_off"))),
        ("GrandTotal", Want::Number(grand_total)),
        ("TotalPaid", Want::Number(paid)),
        ("Balance", Want::Number(grand_total - paid)),
        ("Tender", Want::Number(cash)),
        ("BillCash", Want::Number(cash)),
        ("Refund", Want::Number(Decimal::ZERO)),
        ("Remarks", words(text(invoice, "notes"))),
        ("TillID", words(TILL)),
        ("Operator", words("ShopSync")),
        ("CType", words("Retail")),
        // Not mapped, but not just zero or empty either.
        ("BillSundry", words("None")),
        ("TCSPer", Want::Number(Decimal::ZERO)),
    ]
}

/// A row of `Invoice_Product`, booked on that product of RainTek.
pub(super) fn line_row(line: &Line<'_>, product: &Value) -> Row {
    let own = |field: &str| number(line.item, field);
    let amounts = &line.amounts;
    let (rate, half) = (own("gst_rate"), own("gst_rate") / Decimal::TWO);
    let (half, whole) =
        if amounts.tax.igst.is_zero() { (half, Decimal::ZERO) } else { (Decimal::ZERO, rate) };
    let (quantity, cost) = (own("quantity"), number(product, "CostPrice"));
    let or = |field: &str, column: &str| {
        let own = text(line.item, field);
        Want::Text(if own.is_empty() { text(product, column) } else { own }.to_owned())
    };
    vec![
        ("ProductID", Want::Text(text(product, "PID").to_owned())),
        ("Barcode", or("barcode", "Barcode")),
        ("SalesRate", Want::Number(own("rate"))),
        ("Qty", Want::Number(quantity)),
        ("DiscountPer", Want::Number(own("discount_percent"))),
        ("Discount", Want::Number(amounts.discount)),
        ("TotalAmount", Want::Number(amounts.total)),
        ("TaxableAmt", Want::Number(amounts.taxable)),
        ("MRP", Want::Number(own("mrp"))),
        ("STaxType", Want::Text(line.mode.text().to_owned())),
        ("MainUnit", or("unit", "SalesUnit")),
        ("CGSTPer", Want::Number(half)),
        ("SGSTPer", Want::Number(half)),
        ("IGSTPer", Want::Number(whole)),
        ("CGSTAmt", Want::Number(amounts.tax.cgst)),
        ("SGSTAmt", Want::Number(amounts.tax.sgst)),
        ("IGSTAmt", Want::Number(amounts.tax.igst)),
        ("CESSAmt", Want::Number(amounts.tax.cess)),
        ("PurchaseRate", Want::Number(cost)),
        ("Margin", Want::Number(r2(amounts.taxable - cost * quantity))),
        ("TotalMRP", Want::Number(r2(own("mrp") * quantity))),
    ]
}

/// The rows of `Invoice_Payment`.
pub(super) fn payment_rows(payments: &[Payment], day: NaiveDate) -> Vec<Row> {
    let row = |payment: &Payment| {
        vec![
            ("PaymentDate", Want::Day(day)),
            ("TotalPaid", Want::Number(payment.amount)),
            ("PaymentMode", Want::Text(payment.mode.to_owned())),
            ("BankAc", Want::Text(String::new())),
        ]
    };
    payments.iter().map(row).collect()
}
