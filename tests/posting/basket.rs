//! A bill of the till's as the invoice that a phone would have made of the same basket.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;
use shopsync::model::customer::Customer;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{Invoice, InvoiceStatus, Line, Payment, PaymentKind, TaxMode, TaxType, Taxes};

/// The rows of a table of a dump, or of a table inside a row.
pub(crate) fn list<'a>(of: &'a Value, table: &str) -> &'a [Value] {
    of.get(table).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A text of a row, trimmed.
pub(crate) fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_else(|| panic!("{column} of {row}")).trim()
}

pub(crate) fn number(row: &Value, column: &str) -> Decimal {
    text(row, column).parse().unwrap()
}

/// The bill of this number.
pub(crate) fn bill_of<'a>(dump: &'a Value, number: &str) -> &'a Value {
    let bill = list(dump, "InvoiceInfo").iter().find(|bill| text(bill, "InvoiceNo") == number);
    bill.unwrap_or_else(|| panic!("there is no bill {number}"))
}

/// The invoice of the app that is the same sale as this bill of the till's.
pub(crate) fn invoice_of(dump: &Value, bill: &Value) -> Invoice {
    let by = |table: &str, key: &str, value: &str| -> &Value {
        list(dump, table).iter().find(|row| text(row, key) == value).unwrap()
    };
    let customer = by("Customer", "ID", text(bill, "Customer_ID"));
    let lines = list(bill, "Invoice_Product").iter().map(|line| {
        let product = by("Product", "PID", text(line, "ProductID"));
        Line {
            id: RecordId::new("lin000000000001"),
            product_code: text(product, "ProductCode").to_owned(),
            product_name: text(product, "ProductName").to_owned(),
            hsn_code: text(product, "HSNCode").to_owned(),
            barcode: text(line, "Barcode").to_owned(),
            quantity: number(line, "Qty"),
            unit: text(line, "MainUnit").to_owned(),
            rate: number(line, "SalesRate"),
            mrp: number(line, "MRP"),
            discount_percent: number(line, "DiscountPer"),
            discount: number(line, "Discount"),
            tax_mode: TaxMode::parse(text(line, "STaxType")).unwrap(),
            gst_rate: number(line, "CGSTPer") + number(line, "SGSTPer") + number(line, "IGSTPer"),
            taxes: taxes(line, "Amt"),
            taxable: number(line, "TaxableAmt"),
            total: number(line, "TotalAmount"),
        }
    });
    let lines: Vec<Line> = lines.collect();
    Invoice {
        id: RecordId::new("inv000000000001"),
        number: text(bill, "InvoiceNo").to_owned(),
        date: NaiveDate::parse_from_str(&text(bill, "InvoiceDate")[..10], "%Y-%m-%d").unwrap(),
        status: InvoiceStatus::Completed,
        tax_type: if text(bill, "TaxType") == "GST" { TaxType::Gst } else { TaxType::NonGst },
        customer: (text(customer, "Name") != "Cash").then(|| Customer {
            name: text(customer, "Name").to_owned(),
            phone: text(customer, "ContactNo").to_owned(),
            state: text(customer, "State").to_owned(),
            ..Customer::default()
        }),
        item_count: u32::try_from(lines.len()).ok(),
        taxable: number(bill, "TaxableAmt"),
        taxes: taxes(bill, ""),
        freight: Decimal::ZERO,
        discount: number(bill, "BillDiscount"),
        round_off: number(bill, "RoundOff"),
        grand_total: number(bill, "GrandTotal"),
        amount_paid: number(bill, "TotalPaid"),
        payment_method: PaymentKind("split".into()),
        notes: String::new(),
        pos_id: None,
        stamped: false,
        updated: String::new(),
        lines,
        payments: list(bill, "Invoice_Payment").iter().map(payment).collect(),
    }
}

fn taxes(row: &Value, suffix: &str) -> Taxes {
    let tax = |name: &str| number(row, &format!("{name}{suffix}"));
    Taxes { cgst: tax("CGST"), sgst: tax("SGST"), igst: tax("IGST"), cess: tax("CESS") }
}

fn payment(row: &Value) -> Payment {
    let mode = match text(row, "PaymentMode") {
        "By Cash" => "cash",
        "Google Pay" => "gpay",
        "PhonePe" => "phonepe",
        "Credit Terms - 30 days" => "credit",
        other => panic!("{other}"),
    };
    Payment { mode: PaymentKind(mode.into()), amount: number(row, "TotalPaid") }
}
