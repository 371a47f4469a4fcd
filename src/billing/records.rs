//! The app's records as our nouns. Input is hostile: phones, other programs and people write there.

use chrono_tz::Tz;
use serde_json::Value;

use super::values::Record;
use crate::model::customer::Customer;
use crate::model::fault::Fault;
use crate::model::invoice::{
    Invoice, InvoiceHead, InvoiceRead, InvoiceStatus, Line, NotDue, Payment, PaymentKind, TaxMode, TaxType,
    Taxes,
};
use crate::model::money::{MONEY_SCALE, PERCENT_SCALE, QUANTITY_SCALE, largest};
use crate::model::product::{AppProduct, ProductFields};
use crate::model::settings::BillingSettings;
use crate::model::words::one_line;

/// Characters of a name within a sentence.
const LONGEST_NAME: usize = 60;

/// What is needed to read records: names and the shop's zone.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// The app's names.
    pub(super) names: BillingSettings,
    /// The shop's zone.
    pub(super) zone: Tz,
}

/// The parts of an invoice that are records of their own.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// `invoice_items`, in the order in which they were entered as far as that is known.
    pub(super) lines: Vec<Value>,
    /// `invoice_payments`.
    pub(super) payments: Vec<Value>,
}

impl Reader {
    fn record<'a>(&'a self, json: &'a Value, collection: &'static str) -> Record<'a> {
        Record::new(json, &self.names, collection)
    }

    /// Why this record is not to be booked, if so.
    pub(super) fn not_due(&self, json: &Value) -> Option<NotDue> {
        let record = self.record(json, "invoices");
        if record.word("source") == "raintek" {
            return Some(NotDue::FromPos);
        }
        match record.word("status").as_str() {
            "completed" => None,
            "revised" => Some(NotDue::Revised),
            "cancelled" | "canceled" => Some(NotDue::Cancelled),
            // A status that nobody told us of is not a promise that the bill is finished.
            _ => Some(NotDue::Draft),
        }
    }

    /// What a list tells of an invoice.
    pub(super) fn head(&self, json: &Value) -> InvoiceHead {
        let record = self.record(json, "invoices");
        let customer = record.expanded(record.name("customer")).first().map(|json| self.customer(json).name);
        InvoiceHead {
            id: record.id(),
            number: record.text("invoice_number"),
            grand_total: record.number("grand_total", MONEY_SCALE, "").ok(),
            customer: customer.unwrap_or_default(),
            created: record.text("created"),
            updated: record.text("updated"),
            date: record.day("invoice_date", self.zone),
            stamped: (record.word("sync_status") == "synced")
                .then(|| record.whole("raintek_inv_id"))
                .flatten(),
        }
    }

    /// An invoice with its parts, which the caller made sure are all that there are.
    pub(super) fn invoice(&self, json: &Value, parts: &Parts) -> InvoiceRead {
        if let Some(reason) = self.not_due(json) {
            return InvoiceRead::NotDue(reason);
        }
        match self.whole_invoice(json, parts) {
            Ok(invoice) => InvoiceRead::Found(Box::new(invoice)),
            Err(fault) => InvoiceRead::Broken(fault),
        }
    }

    fn whole_invoice(&self, json: &Value, parts: &Parts) -> Result<Invoice, Fault> {
        let record = self.record(json, "invoices");
        let number = record.text("invoice_number");
        let subject = match one_line(&number, LONGEST_NAME) {
            name if name.is_empty() => "the invoice".to_owned(),
            name => format!("invoice {name}"),
        };
        let money = |field| record.number(field, MONEY_SCALE, &subject);
        let Some(date) = record.day("invoice_date", self.zone) else {
            let text: String = record.text("invoice_date").chars().take(40).collect();
            return Err(Fault::data(if text.is_empty() {
                format!("The date of {subject} is missing.")
            } else {
                format!("The date of {subject} cannot be read: {text}.")
            }));
        };
        let payment_method = PaymentKind(record.word("payment_method"));
        let payments =
            if payment_method.0 == "split" { self.payments(&parts.payments, &subject)? } else { Vec::new() };
        Ok(Invoice {
            id: record.id(),
            date,
            status: InvoiceStatus::Completed,
            tax_type: tax_type(&record.word("tax_type"), &subject)?,
            customer: self.customer_of(&record, &subject)?,
            item_count: item_count(&record, &subject)?,
            taxable: money("taxable_amount")?,
            taxes: taxes(&record, &subject)?,
            freight: money("freight")?,
            discount: money("discount")?,
            round_off: money("round_off")?,
            grand_total: money("grand_total")?,
            amount_paid: money("amount_paid")?,
            payment_method,
            notes: record.text("notes"),
            pos_id: record.whole("raintek_inv_id"),
            stamped: record.word("sync_status") == "synced",
            updated: record.text("updated"),
            lines: self.lines(&parts.lines, &subject)?,
            payments,
            number,
        })
    }

    fn lines(&self, records: &[Value], invoice: &str) -> Result<Vec<Line>, Fault> {
        let mut records: Vec<Record<'_>> =
            records.iter().map(|json| self.record(json, "invoice_items")).collect();
        // Stable: lines of one millisecond stay in the order in which they lie in the table.
        records.sort_by_cached_key(|record| record.text("created"));
        records
            .iter()
            .enumerate()
            .map(|(position, record)| self.line(record, position + 1, invoice))
            .collect()
    }

    fn line(&self, record: &Record<'_>, position: usize, invoice: &str) -> Result<Line, Fault> {
        let product_name = record.text("product_name");
        let subject = if product_name.is_empty() {
            format!("line {position} of {invoice}")
        } else {
            format!("line {position} ({}) of {invoice}", one_line(&product_name, LONGEST_NAME))
        };
        let number = |field, scale| record.number(field, scale, &subject);
        let mode = record.text("tax_mode");
        let Some(tax_mode) = TaxMode::parse(&mode) else {
            let mode: String = mode.chars().take(40).collect();
            return Err(Fault::data(format!("The tax mode of {subject} is not known: {mode}.")));
        };
        let product = record.expanded(record.name("product"));
        let product = product.first().map(|json| self.record(json, "products"));
        let own_code = record.text("product_code");
        let (quantity, rate) = (number("quantity", QUANTITY_SCALE)?, number("rate", MONEY_SCALE)?);
        if quantity.saturating_mul(rate).abs() > largest(MONEY_SCALE) {
            return Err(Fault::data(format!("The amount of {subject} is too large.")));
        }
        Ok(Line {
            id: record.id(),
            product_code: if own_code.is_empty() {
                product.map(|product| product.text("product_code")).unwrap_or_default()
            } else {
                own_code
            },
            hsn_code: record.text("hsn_code"),
            barcode: record.text("barcode"),
            quantity,
            unit: record.text("unit"),
            rate,
            mrp: number("mrp", MONEY_SCALE)?,
            discount_percent: number("discount_percent", PERCENT_SCALE)?,
            discount: number("discount", MONEY_SCALE)?,
            tax_mode,
            gst_rate: number("gst_rate", PERCENT_SCALE)?,
            taxes: taxes(record, &subject)?,
            taxable: number("taxable", MONEY_SCALE)?,
            total: number("total", MONEY_SCALE)?,
            product_name,
        })
    }

    fn payments(&self, records: &[Value], invoice: &str) -> Result<Vec<Payment>, Fault> {
        let mut records: Vec<Record<'_>> =
            records.iter().map(|json| self.record(json, "invoice_payments")).collect();
        records.sort_by_cached_key(|record| record.text("created"));
        let payment = |(position, record): (usize, &Record<'_>)| {
            let subject = format!("payment {} of {invoice}", position + 1);
            let amount = record.number("amount", MONEY_SCALE, &subject)?;
            Ok(Payment { mode: PaymentKind(record.word("mode")), amount })
        };
        records.iter().enumerate().map(payment).collect()
    }

    fn customer_of(&self, invoice: &Record<'_>, subject: &str) -> Result<Option<Customer>, Fault> {
        let linked = invoice.text("customer");
        match invoice.expanded(invoice.name("customer")).first() {
            Some(json) => Ok(Some(self.customer(json))),
            None if linked.is_empty() => Ok(None),
            // Booking a credit bill on the walk-in customer would lose who owes it.
            None => Err(Fault::data(format!("The customer of {subject} is no longer in the billing app."))),
        }
    }

    pub(super) fn customer(&self, json: &Value) -> Customer {
        let record = self.record(json, "customers");
        Customer {
            id: Some(record.id()),
            name: record.text("name"),
            phone: record.text("phone"),
            address: record.text("address"),
            city: record.text("city"),
            state: record.text("state"),
            gstin: record.text("gstin"),
            pos_id: record.whole("raintek_customer_id"),
        }
    }

    /// A product of the app.
    pub(super) fn product(&self, json: &Value) -> AppProduct {
        let record = self.record(json, "products");
        let (code, barcode, pos_id) =
            (record.text("product_code"), record.text("barcode"), record.text("raintek_product_id"));
        let number = |field, scale| record.number(field, scale, "").ok();
        let fields = || {
            Some(ProductFields {
                code: code.clone(),
                pos_id: pos_id.clone(),
                name: record.text("name"),
                retail_price: number("retail_price", MONEY_SCALE)?,
                mrp: number("mrp", MONEY_SCALE)?,
                barcode: barcode.clone(),
                current_stock: number("current_stock", QUANTITY_SCALE)?,
                hsn_code: record.text("hsn_code"),
                gst_rate: number("gst_rate", PERCENT_SCALE)?,
                unit: record.text("unit"),
                active: record.flag("active"),
            })
        };
        AppProduct { id: record.id(), fields: fields(), active: record.flag("active"), code, barcode, pos_id }
    }
}

fn taxes(record: &Record<'_>, subject: &str) -> Result<Taxes, Fault> {
    let money = |field| record.number(field, MONEY_SCALE, subject);
    Ok(Taxes { cgst: money("cgst")?, sgst: money("sgst")?, igst: money("igst")?, cess: money("cess")? })
}

fn tax_type(word: &str, subject: &str) -> Result<TaxType, Fault> {
    let letters: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    match letters.as_str() {
        "" | "gst" => Ok(TaxType::Gst),
        "nongst" => Ok(TaxType::NonGst),
        _ => {
            let word: String = word.chars().take(40).collect();
            Err(Fault::data(format!("The tax type of {subject} is not known: {word}.")))
        }
    }
}

/// 0 and blank say nothing: an app that does not count its lines leaves the field so.
fn item_count(record: &Record<'_>, subject: &str) -> Result<Option<u32>, Fault> {
    let count = record.number("item_count", 0, subject)?;
    if count.is_zero() {
        return Ok(None);
    }
    u32::try_from(count).map(Some).map_err(|_| {
        Fault::data(format!("The item count of {subject} cannot be right: {}.", count.normalize()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reader() -> Reader {
        Reader { names: BillingSettings::default(), zone: Tz::Asia__Kolkata }
    }

    fn bill() -> Value {
        json!({
            "id": "inv000000000001", "invoice_number": " G-1-26 ", "invoice_date": "2026-11-20 18:40:00.000Z",
            "status": "Completed", "tax_type": "", "customer": "", "item_count": 2, "grand_total": 118,
            "payment_method": "Cash", "sync_status": "pending", "raintek_inv_id": 0
        })
    }

    fn read(change: Value, parts: &Parts) -> InvoiceRead {
        let mut bill = bill();
        for (name, value) in change.as_object().unwrap() {
            bill[name] = value.clone();
        }
        reader().invoice(&bill, parts)
    }

    fn broken(change: Value, parts: &Parts) -> String {
        match read(change, parts) {
            InvoiceRead::Broken(fault) => fault.sentence,
            other => panic!("not broken: {other:?}"),
        }
    }

    #[test]
    fn spellings_and_blanks_are_read() {
        let InvoiceRead::Found(invoice) = read(json!({}), &Parts::default()) else { panic!("not found") };
        assert_eq!(invoice.number, "G-1-26");
        assert_eq!(invoice.date.to_string(), "2026-11-21");
        assert_eq!(invoice.tax_type, TaxType::Gst);
        assert_eq!(invoice.payment_method.0, "cash");
        assert_eq!((invoice.item_count, invoice.pos_id, invoice.stamped), (Some(2), None, false));
        let InvoiceRead::Found(invoice) =
            read(json!({"tax_type": "non gst", "item_count": 0}), &Parts::default())
        else {
            panic!("not found")
        };
        assert_eq!((invoice.tax_type, invoice.item_count), (TaxType::NonGst, None));
    }

    #[test]
    fn only_completed_and_not_from_raintek_is_due() {
        let table = [
            (json!({"status": "draft"}), NotDue::Draft),
            (json!({"status": ""}), NotDue::Draft),
            (json!({"status": "on hold"}), NotDue::Draft),
            (json!({"status": "revised"}), NotDue::Revised),
            (json!({"status": "Cancelled"}), NotDue::Cancelled),
            (json!({"source": "RainTek"}), NotDue::FromPos),
        ];
        for (change, reason) in table {
            assert_eq!(read(change, &Parts::default()), InvoiceRead::NotDue(reason));
        }
    }

    #[test]
    fn lines_keep_the_order_of_entry_and_take_the_products_code() {
        let line = |id: &str, created: &str| json!({"id": id, "created": created, "quantity": 1});
        let mut with_product = line("z", "2026-11-20 10:00:00.000Z");
        with_product["expand"] = json!({"product": {"id": "p", "product_code": " P-7 "}});
        let mut own = line("b", "2026-11-20 10:00:00.001Z");
        own["product_code"] = json!("P-8");
        let parts =
            Parts { lines: vec![own, with_product, line("a", "2026-11-20 10:00:00.000Z")], payments: vec![] };
        let InvoiceRead::Found(invoice) = read(json!({}), &parts) else { panic!("not found") };
        let order: Vec<_> = invoice.lines.iter().map(|l| (l.id.as_str(), l.product_code.as_str())).collect();
        assert_eq!(order, [("z", "P-7"), ("a", ""), ("b", "P-8")]);
    }

    #[test]
    fn what_cannot_be_booked_is_named() {
        let none = Parts::default();
        assert_eq!(
            broken(json!({"grand_total": 100.005}), &none),
            "The grand total of invoice G-1-26 cannot be booked: 100.005 has more than 2 decimals."
        );
        assert_eq!(broken(json!({"invoice_date": ""}), &none), "The date of invoice G-1-26 is missing.");
        assert_eq!(
            broken(json!({"item_count": -1}), &none),
            "The item count of invoice G-1-26 cannot be right: -1."
        );
        assert_eq!(
            broken(json!({"customer": "abc"}), &none),
            "The customer of invoice G-1-26 is no longer in the billing app."
        );
        let parts = Parts {
            lines: vec![json!({"id": "a", "product_name": "Rice", "quantity": 0.1234})],
            payments: vec![json!({"mode": "UPI", "amount": "1.001"})],
        };
        assert_eq!(
            broken(json!({}), &parts),
            "The quantity of line 1 (Rice) of invoice G-1-26 cannot be booked: 0.1234 has more than 3 decimals."
        );
        assert_eq!(
            broken(json!({"payment_method": "split"}), &parts),
            "The amount of payment 1 of invoice G-1-26 cannot be booked: 1.001 has more than 2 decimals."
        );
    }

    #[test]
    fn a_product_with_a_broken_number_equals_nothing() {
        let product = reader()
            .product(&json!({"id": "p", "product_code": "P-1", "retail_price": 1.005, "active": true}));
        assert_eq!((product.fields.is_none(), product.code.as_str(), product.active), (true, "P-1", true));
    }
}
