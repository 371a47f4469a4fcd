//! Each completed invoice of the app against its one bill in RainTek.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;
use serde_json::Value;

use super::customers::Register;
use super::row::{Row, differences, nulls, rows_differ};
use super::{App, TILL, sale};
use crate::demo::values::{json_number, number, rows, text};

/// Both sides, ready to be looked things up in.
pub(super) struct Books<'a> {
    dump: &'a Value,
    bills: BTreeMap<&'a str, Vec<&'a Value>>,
    items: HashMap<&'a str, Vec<&'a Value>>,
    payments: HashMap<&'a str, Vec<&'a Value>>,
    customers: HashMap<&'a str, &'a Value>,
    /// The app's product codes by record.
    codes: HashMap<&'a str, &'a str>,
    products: BTreeMap<&'a str, &'a Value>,
    register: Register<'a>,
    home: &'a str,
    /// What invoices were booked as paid with, by record, where a receipt came later.
    paid: BTreeMap<String, Decimal>,
}

impl<'a> Books<'a> {
    pub(super) fn new(app: &'a App, dump: &'a Value, paid: BTreeMap<String, Decimal>) -> Self {
        let of_invoice = |all: &'a [Value]| {
            let mut by: HashMap<&str, Vec<&Value>> = HashMap::new();
            for row in all {
                by.entry(text(row, "invoice")).or_default().push(row);
            }
            by
        };
        let mut bills: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for bill in rows(dump, "InvoiceInfo") {
            bills.entry(text(bill, "InvoiceNo")).or_default().push(bill);
        }
        let mut products: BTreeMap<&str, &Value> = BTreeMap::new();
        for product in rows(dump, "Product") {
            let lowest = products.entry(text(product, "ProductCode")).or_insert(product);
            if number(product, "PID") < number(lowest, "PID") {
                *lowest = product;
            }
        }
        Self {
            dump,
            bills,
            items: of_invoice(&app.items),
            payments: of_invoice(&app.payments),
            customers: app.customers.iter().map(|row| (text(row, "id"), row)).collect(),
            codes: app.products.iter().map(|row| (text(row, "id"), text(row, "product_code"))).collect(),
            products,
            register: Register::new(dump),
            home: rows(dump, "Company").first().map_or("", |row| text(row, "State")),
            paid,
        }
    }

    /// RainTek's bills of a number.
    pub(super) fn of_number(&self, number: &str) -> &[&'a Value] {
        self.bills.get(number).map(Vec::as_slice).unwrap_or_default()
    }

    /// How many counter rows there are of a number.
    pub(super) fn counters(&self, number: &str) -> usize {
        let of =
            |table: &str| rows(self.dump, table).iter().filter(|row| text(row, "InvNo") == number).count();
        of("SaleGST") + of("SaleNoTax")
    }

    /// Whether a bill holds what this record of the app says.
    pub(super) fn is_content(&self, invoice: &Value, bill: &Value) -> bool {
        let mut found = Vec::new();
        self.content(invoice, bill, &mut found);
        found.is_empty()
    }

    /// One invoice.
    pub(super) fn compare(&self, invoice: &Value, all: &mut Vec<String>) {
        let number = text(invoice, "invoice_number");
        let bill = match self.of_number(number) {
            [bill] => *bill,
            bills => {
                all.push(format!("{number}: RainTek has {} bills of this number.", bills.len()));
                return;
            }
        };
        let mut found = Vec::new();
        found.extend(nulls("InvoiceInfo", bill));
        self.content(invoice, bill, &mut found);
        self.counter(invoice, &mut found);
        stamps(invoice, bill, &mut found);
        all.extend(found.into_iter().map(|why| format!("{number}: {why}.")));
    }

    fn content(&self, invoice: &Value, bill: &Value, found: &mut Vec<String>) {
        let record = text(invoice, "id");
        let booked = self.paid.get(record).map(|paid| as_booked(invoice, *paid));
        let invoice = booked.as_ref().unwrap_or(invoice);
        let Some(day) = sale::day(invoice) else {
            found.push(format!("its date cannot be read: {}", text(invoice, "invoice_date")));
            return;
        };
        let customer = self.customers.get(text(invoice, "customer")).copied();
        let items = self.items.get(record).map(Vec::as_slice).unwrap_or_default();
        let counted = number(invoice, "item_count");
        if !counted.is_zero() && counted != Decimal::from(items.len()) {
            found.push(format!("the app has {} lines of {counted}", items.len()));
        }
        let split = self.payments.get(record).map(Vec::as_slice).unwrap_or_default();
        let lines = sale::lines(invoice, items, self.other_state(invoice, items, customer));
        let payments = sale::payments(invoice, split);
        let buyer = self.register.customer(customer.map_or("", |row| text(row, "phone")));
        let info = sale::info(invoice, day, buyer, &lines, &payments);
        found.extend(differences(&info, bill).into_iter().map(|why| format!("InvoiceInfo.{why}")));

        let mut wanted: Vec<Row> = Vec::new();
        for (line, item) in lines.iter().zip(items) {
            let own = text(item, "product_code");
            let code = if own.is_empty() {
                self.codes.get(text(item, "product")).copied().unwrap_or("")
            } else {
                own
            };
            match self.products.get(code) {
                Some(product) => wanted.push(sale::line_row(line, product)),
                None => found.push(format!("RainTek has no product {code}")),
            }
        }
        found.extend(rows_differ("Invoice_Product", &wanted, rows(bill, "Invoice_Product")));
        let paid = rows(bill, "Invoice_Payment");
        found.extend(rows_differ("Invoice_Payment", &sale::payment_rows(&payments, day), paid));
        let together: Decimal = paid.iter().map(|row| number(row, "TotalPaid")).sum();
        if together != number(invoice, "grand_total") {
            found.push(format!("the payments come to {together}, not {}", number(invoice, "grand_total")));
        }
    }

    /// To another state: as the app's own taxes say, else as the customer's state does.
    fn other_state(&self, invoice: &Value, items: &[&Value], customer: Option<&Value>) -> bool {
        let has = |field: &str| {
            !number(invoice, field).is_zero() || items.iter().any(|item| !number(item, field).is_zero())
        };
        if has("igst") {
            return true;
        }
        if has("cgst") || has("sgst") {
            return false;
        }
        let state = customer.map_or("", |row| text(row, "state"));
        !state.is_empty() && !state.eq_ignore_ascii_case(self.home)
    }

    /// Exactly one counter row, in the right series, under the number's own N where that was free.
    fn counter(&self, invoice: &Value, found: &mut Vec<String>) {
        let invoice_number = text(invoice, "invoice_number");
        let (own, other) = match text(invoice, "tax_type") {
            "GST" => ("SaleGST", "SaleNoTax"),
            _ => ("SaleNoTax", "SaleGST"),
        };
        let of = |table: &str| -> Vec<&Value> {
            rows(self.dump, table).iter().filter(|row| text(row, "InvNo") == invoice_number).collect()
        };
        if !of(other).is_empty() {
            found.push(format!("{other} has a row of it, too"));
        }
        let counters = of(own);
        let [counter] = counters.as_slice() else {
            found.push(format!("{own} has {} rows of it", counters.len()));
            return;
        };
        found.extend(nulls(own, counter));
        let n = invoice_number.split('-').nth(1).and_then(|n| n.parse::<Decimal>().ok());
        let is_own = n == Some(number(counter, "ID"));
        let free = n.is_some_and(|n| !rows(self.dump, own).iter().any(|row| number(row, "ID") == n));
        if !is_own && free {
            found.push(format!("{own}.ID is {}, though its own was free", text(counter, "ID")));
        }
    }

    /// Bills of ShopSync that no completed invoice of the app stands behind, and rows that lost their bill.
    pub(super) fn strays(&self, due: &[&Value], all: &mut Vec<String>) {
        let wanted: HashMap<&str, ()> = due.iter().map(|row| (text(row, "invoice_number"), ())).collect();
        for bill in rows(self.dump, "InvoiceInfo").iter().filter(|bill| text(bill, "TillID") == TILL) {
            let number = text(bill, "InvoiceNo");
            if !wanted.contains_key(number) {
                all.push(format!("{number}: RainTek has a bill that the app does not have."));
            }
        }
        for table in ["Invoice_Product", "Invoice_Payment"] {
            for row in rows(self.dump, table) {
                all.push(format!("{table}: a row belongs to no bill: {row}."));
            }
        }
    }
}

/// The invoice as it was when it was booked: a later receipt changes no bill.
fn as_booked(invoice: &Value, paid: Decimal) -> Value {
    let mut booked = invoice.clone();
    if let Some(fields) = booked.as_object_mut() {
        fields.insert("amount_paid".to_owned(), json_number(paid));
    }
    booked
}

/// What ShopSync wrote back into the app.
fn stamps(invoice: &Value, bill: &Value, found: &mut Vec<String>) {
    for (field, wanted) in [("sync_status", "synced"), ("sync_error", ""), ("source", "app")] {
        if text(invoice, field) != wanted {
            found.push(format!("the app shows {field} `{}`, not `{wanted}`", text(invoice, field)));
        }
    }
    let (shown, inv_id) = (number(invoice, "raintek_inv_id"), number(bill, "Inv_ID"));
    if shown != inv_id {
        found.push(format!("the app shows raintek_inv_id {shown}, not {inv_id}"));
    }
}
