//! RainTek's own bills as the app shows them.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde_json::Value;

use super::notes::Notes;
use super::sale::raintek_mode;
use super::{App, Memory, is_raintek_s};
use crate::demo::values::{number, rows, text};

/// Fields of an invoice that are amounts, and where they stand in `InvoiceInfo`.
const AMOUNTS: [(&str, &str); 10] = [
    ("taxable_amount", "TaxableAmt"),
    ("cgst", "CGST"),
    ("sgst", "SGST"),
    ("igst", "IGST"),
    ("cess", "CESS"),
    ("freight", "FreightCharges"),
    ("discount", "OtherCharges"),
    ("round_off", "RoundOff"),
    ("grand_total", "GrandTotal"),
    ("amount_paid", "TotalPaid"),
];
/// The same of a line.
const LINE_AMOUNTS: [(&str, &str); 11] = [
    ("quantity", "Qty"),
    ("rate", "SalesRate"),
    ("mrp", "MRP"),
    ("discount_percent", "DiscountPer"),
    ("discount", "Discount"),
    ("cgst", "CGSTAmt"),
    ("sgst", "SGSTAmt"),
    ("igst", "IGSTAmt"),
    ("cess", "CESSAmt"),
    ("taxable", "TaxableAmt"),
    ("total", "TotalAmount"),
];

/// Compares them all; returns how many are shown.
pub(super) fn compare(
    app: &App,
    dump: &Value,
    memory: &Memory,
    notes: &Notes,
    all: &mut Vec<String>,
) -> usize {
    let own: Vec<&Value> =
        rows(dump, "InvoiceInfo").iter().filter(|bill| is_raintek_s(bill, &memory.numbers)).collect();
    let side = Side::new(app, dump);
    let records: Vec<&Value> =
        app.invoices.iter().filter(|invoice| text(invoice, "source") == "raintek").collect();
    let of = |inv_id: &str, number_of: &str| -> Vec<&Value> {
        let same = |record: &&&Value| {
            text(record, "invoice_number") == number_of
                && number(record, "raintek_inv_id").normalize().to_string() == inv_id
        };
        records.iter().filter(same).copied().collect()
    };
    let mut shown = 0;
    for bill in &own {
        let (inv_id, number_of) = (text(bill, "Inv_ID"), text(bill, "InvoiceNo"));
        match of(inv_id, number_of).as_slice() {
            [record] => {
                shown += 1;
                let found = side.differ(bill, record);
                all.extend(found.into_iter().map(|why| format!("RainTek's {number_of} in the app: {why}.")));
            }
            records => {
                // A bill that failed half-way leaves its number to the next one; the app takes a number once.
                let twin = own.iter().any(|other| {
                    text(other, "InvoiceNo") == number_of
                        && text(other, "Inv_ID") != inv_id
                        && !of(text(other, "Inv_ID"), number_of).is_empty()
                });
                if !(records.is_empty() && twin) {
                    all.push(format!(
                        "RainTek's {number_of} ({inv_id}): the app has {} of it.",
                        records.len()
                    ));
                }
            }
        }
    }
    for record in &records {
        let number_of = text(record, "invoice_number");
        let inv_id = number(record, "raintek_inv_id").normalize().to_string();
        let stands =
            own.iter().any(|bill| text(bill, "Inv_ID") == inv_id && text(bill, "InvoiceNo") == number_of);
        if !stands && text(record, "status") != "cancelled" {
            all.push(format!(
                "RainTek has no bill {number_of} ({inv_id}), and the app does not show it cancelled."
            ));
        }
    }
    for (inv_id, number_of) in &notes.deleted {
        if of(inv_id, number_of).is_empty() {
            all.push(format!("RainTek's {number_of} ({inv_id}) was deleted, and the app forgot it."));
        }
    }
    shown
}

/// What a bill is linked with on either side.
struct Side<'a> {
    items: HashMap<&'a str, Vec<&'a Value>>,
    payments: HashMap<&'a str, Vec<&'a Value>>,
    app_products: HashMap<&'a str, &'a Value>,
    app_customers: HashMap<&'a str, &'a Value>,
    products: BTreeMap<&'a str, &'a Value>,
    customers: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Side<'a> {
    fn new(app: &'a App, dump: &'a Value) -> Self {
        let by_invoice = |all: &'a [Value]| {
            let mut by: HashMap<&str, Vec<&Value>> = HashMap::new();
            for row in all {
                by.entry(text(row, "invoice")).or_default().push(row);
            }
            by
        };
        let by_id = |all: &'a [Value]| all.iter().map(|row| (text(row, "id"), row)).collect();
        let table = |name: &str, key: &'static str| {
            rows(dump, name).iter().map(move |row| (text(row, key), row)).collect()
        };
        Self {
            items: by_invoice(&app.items),
            payments: by_invoice(&app.payments),
            app_products: by_id(&app.products),
            app_customers: by_id(&app.customers),
            products: table("Product", "PID"),
            customers: table("Customer", "ID"),
        }
    }

    fn differ(&self, bill: &Value, record: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let day = text(bill, "InvoiceDate").get(..10).unwrap_or_default();
        let date = format!("{day} 00:00:00.000Z");
        for (field, wanted) in [
            ("status", "completed"),
            ("sync_status", "na"),
            ("sync_error", ""),
            ("invoice_date", date.as_str()),
            ("tax_type", text(bill, "TaxType")),
            ("notes", text(bill, "Remarks")),
        ] {
            if text(record, field) != wanted {
                found.push(format!("{field} is `{}`, not `{wanted}`", text(record, field)));
            }
        }
        numbers(record, bill, &AMOUNTS, &mut found);
        if !self.is_customer(text(record, "customer"), text(bill, "Customer_ID")) {
            found.push(format!("its customer is not RainTek's {}", text(bill, "Customer_ID")));
        }
        self.lines(bill, record, &mut found);
        self.payments(bill, record, &mut found);
        found
    }

    fn is_customer(&self, record: &str, customer: &str) -> bool {
        let Some(row) = self.customers.get(customer) else { return false };
        if text(row, "Name") == "Cash" {
            return record.is_empty();
        }
        let Some(linked) = self.app_customers.get(record) else { return false };
        let digits =
            |phone: &str| -> String { phone.chars().rev().filter(char::is_ascii_digit).take(10).collect() };
        let phone = digits(text(row, "ContactNo"));
        number(linked, "raintek_customer_id").normalize().to_string() == customer
            || phone.len() == 10 && digits(text(linked, "phone")) == phone
    }

    fn lines(&self, bill: &Value, record: &Value, found: &mut Vec<String>) {
        let wanted = rows(bill, "Invoice_Product");
        let mut left = self.items.get(text(record, "id")).cloned().unwrap_or_default();
        if wanted.len() != left.len() || number(record, "item_count") != Decimal::from(wanted.len()) {
            found.push(format!("{} lines, not {}", left.len(), wanted.len()));
        }
        for line in wanted {
            let wrong = |item: &Value| self.line(line, item);
            match left.iter().position(|item| wrong(item).is_empty()) {
                Some(at) => {
                    left.swap_remove(at);
                }
                None => {
                    let nearest =
                        left.iter().map(|item| wrong(item)).min_by_key(Vec::len).unwrap_or_default();
                    found.push(format!(
                        "the line of product {}: {}",
                        text(line, "ProductID"),
                        nearest.join(", ")
                    ));
                }
            }
        }
    }

    fn line(&self, line: &Value, item: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let pid = text(line, "ProductID");
        let product = self.products.get(pid).copied().unwrap_or(&Value::Null);
        let barcode = Some(text(line, "Barcode")).filter(|code| *code != "0").unwrap_or("");
        for (field, wanted) in [
            ("product_code", text(product, "ProductCode")),
            ("product_name", text(product, "ProductName")),
            ("hsn_code", text(product, "HSNCode")),
            ("barcode", barcode),
            ("unit", text(line, "MainUnit")),
            ("tax_mode", text(line, "STaxType")),
        ] {
            if text(item, field) != wanted {
                found.push(format!("{field} is `{}`, not `{wanted}`", text(item, field)));
            }
        }
        let linked = self.app_products.get(text(item, "product")).copied().unwrap_or(&Value::Null);
        if text(linked, "raintek_product_id") != pid {
            found.push("its product is another one".to_owned());
        }
        numbers(item, line, &LINE_AMOUNTS, &mut found);
        let rate: Decimal = ["CGSTPer", "SGSTPer", "IGSTPer"].iter().map(|column| number(line, column)).sum();
        if number(item, "gst_rate") != rate {
            found.push(format!("gst_rate is {}, not {rate}", number(item, "gst_rate")));
        }
        found
    }

    fn payments(&self, bill: &Value, record: &Value, found: &mut Vec<String>) {
        let mut wanted: Vec<(&str, Decimal)> = rows(bill, "Invoice_Payment")
            .iter()
            .map(|row| (text(row, "PaymentMode"), number(row, "TotalPaid")))
            .collect();
        let split = self.payments.get(text(record, "id")).map(Vec::as_slice).unwrap_or_default();
        let mut shown: Vec<(&str, Decimal)> = match text(record, "payment_method") {
            "split" => {
                split.iter().map(|row| (raintek_mode(text(row, "mode")), number(row, "amount"))).collect()
            }
            method => vec![(raintek_mode(method), number(record, "grand_total"))],
        };
        wanted.sort_unstable();
        shown.sort_unstable();
        // A bill that failed half-way has none.
        if !wanted.is_empty() && shown != wanted {
            found.push(format!("it is paid {shown:?}, not {wanted:?}"));
        }
        if text(record, "payment_method") != "split" && !split.is_empty() {
            found.push("it has payments of its own beside its method".to_owned());
        }
    }
}

fn numbers(shown: &Value, row: &Value, fields: &[(&str, &str)], found: &mut Vec<String>) {
    for (field, column) in fields {
        let (shown, wanted) = (number(shown, field), number(row, column));
        if shown != wanted {
            found.push(format!("{field} is {}, not {}", shown.normalize(), wanted.normalize()));
        }
    }
}
