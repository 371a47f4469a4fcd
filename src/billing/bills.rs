//! Bills of RainTek's own, written into the app: an invoice with its lines and payments, all of it or nothing.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use super::PocketBase;
use super::classify::{Doing, classify_answer};
use super::client::Ask;
use super::setup::Ready;
use super::values::{Record, number_json};
use super::writes::{bad_one, in_path, not_taken};
use crate::model::awareness::{BillWrite, CustomerLink, PosInvoice};
use crate::model::customer::Customer;
use crate::model::fault::{Fault, FaultKind};
use crate::model::ids::RecordId;
use crate::model::invoice::{Line, Taxes};

/// One request of a batch.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) method: &'static str,
    pub(super) url: String,
    pub(super) body: Value,
}

impl PocketBase {
    pub(super) async fn customers_once(&self, ready: &Ready) -> Result<Vec<Customer>, Fault> {
        if !ready.shape.has("customers") {
            return Ok(Vec::new());
        }
        let records = self.all("customers", "id != ''", &[]).await?;
        Ok(records.iter().map(|record| self.reader.customer(record)).collect())
    }

    pub(super) async fn write_bill_once(&self, ready: &Ready, write: &BillWrite) -> Result<(), Fault> {
        match write {
            BillWrite::Cancel { id } => {
                let body = json!({(self.field("invoices", "status")): "cancelled"});
                let written = |json: &Value| {
                    Record::new(json, &self.reader.names, "invoices").word("status") == "cancelled"
                };
                match self.patch("invoices", id, body, "a bill of RainTek's", written).await {
                    // Not there any more: cancelled enough.
                    Err(fault) if fault.code == Some(404) => Ok(()),
                    other => other,
                }
            }
            BillWrite::Put { bill, customer, products } => {
                let link = if ready.shape.links("invoices", "customer", "customers") {
                    customer
                } else {
                    &CustomerLink::None
                };
                let first = self.put_bill(ready, bill, link, products).await;
                match (first, link) {
                    // An app may ask more of a customer than RainTek knows; the bill counts more.
                    (
                        Err(fault),
                        CustomerLink::New { .. } | CustomerLink::Existing { stamp: Some(_), .. },
                    ) if fault.kind == FaultKind::Data && fault.sentence.contains(CUSTOMER) => {
                        let link = match link {
                            CustomerLink::Existing { id, .. } => {
                                CustomerLink::Existing { id: id.clone(), stamp: None }
                            }
                            _ => CustomerLink::None,
                        };
                        self.put_bill(ready, bill, &link, products).await
                    }
                    (result, _) => result,
                }
            }
        }
    }

    async fn put_bill(
        &self,
        ready: &Ready,
        bill: &PosInvoice,
        customer: &CustomerLink,
        products: &[Option<RecordId>],
    ) -> Result<(), Fault> {
        let what = format!("RainTek's bill {}", bill.invoice.number);
        let mut steps = Vec::new();
        let (link, named) = match customer {
            CustomerLink::None => (String::new(), false),
            CustomerLink::Existing { id, stamp } => {
                if let Some(stamp) = stamp {
                    let body = json!({(self.field("customers", "raintek_customer_id")): stamp});
                    let url = format!("{}/{}", self.path("customers"), in_path(id)?);
                    steps.push(Step { method: "PATCH", url, body });
                }
                (id.to_string(), stamp.is_some())
            }
            CustomerLink::New { id, customer } => {
                steps.push(self.upsert("customers", id, self.customer_body(customer)));
                (id.to_string(), true)
            }
        };
        let invoice_at = steps.len();
        let body = self.invoice_body(bill, &link);
        steps.push(self.upsert("invoices", &bill.invoice.id, body));
        for (line, product) in bill.invoice.lines.iter().zip(products) {
            let body = self.line_body(ready, &bill.invoice.id, line, product.as_ref());
            steps.push(self.upsert("invoice_items", &line.id, body));
        }
        let mut wanted: HashSet<&str> = bill.invoice.lines.iter().map(|line| line.id.as_str()).collect();
        let payments: Vec<(String, Map<String, Value>)> = self.payment_bodies(bill);
        if ready.shape.has_field("invoice_payments", "invoice") {
            for (id, body) in &payments {
                steps.push(self.upsert("invoice_payments", &RecordId::new(id.clone()), body.clone()));
                wanted.insert(id);
            }
        }
        steps.extend(self.leftovers(ready, &bill.invoice.id, &wanted).await?);

        if ready.batch >= steps.len() {
            return self.in_one(&steps, invoice_at, named, &what).await;
        }
        // Too large for one batch, or the app takes none: a draft is nobody's bill until all of it is there.
        let status = self.field("invoices", "status").to_owned();
        if let Some(body) = steps.get_mut(invoice_at).and_then(|step| step.body.as_object_mut()) {
            body.insert(status.clone(), json!("draft"));
        }
        for chunk in steps.chunks(ready.batch.max(1)) {
            if ready.batch > 1 {
                self.in_one(chunk, usize::MAX, named, &what).await?;
            } else {
                for step in chunk {
                    self.alone(step, &what).await?;
                }
            }
        }
        let done =
            |json: &Value| Record::new(json, &self.reader.names, "invoices").word("status") == "completed";
        self.patch("invoices", &bill.invoice.id, json!({(status): "completed"}), &what, done).await
    }

    /// One transaction. To a guest PocketBase refuses, or takes it without our fields: then once more, signed in anew.
    pub(super) async fn in_one(
        &self,
        steps: &[Step],
        invoice_at: usize,
        named: bool,
        what: &str,
    ) -> Result<(), Fault> {
        let requests: Vec<Value> = steps
            .iter()
            .map(|step| json!({"method": step.method, "url": step.url, "body": step.body}))
            .collect();
        let ask = Ask::post("/api/batch", json!({ "requests": requests }));
        let kept = |body: &Value| {
            let Some(answer) = body.get(invoice_at).and_then(|answer| answer.get("body")) else {
                return invoice_at == usize::MAX;
            };
            Record::new(answer, &self.reader.names, "invoices").word("source") == "raintek"
        };
        let mut answer = self.client.call(&ask).await?;
        if !answer.is_ok() || !kept(&answer.body) {
            self.prove().await?;
            answer = self.client.call(&ask).await?;
        }
        if answer.is_ok() {
            return if kept(&answer.body) { Ok(()) } else { Err(not_taken(what)) };
        }
        let Some((at, status, body)) = bad_one(&answer) else { return Err(answer.fault(Doing::Write(what))) };
        let of_customer = named && invoice_at != usize::MAX && at < invoice_at;
        let what = if of_customer { format!("{CUSTOMER} {what}") } else { what.to_owned() };
        Err(classify_answer(status, &body, Doing::Write(&what), "POST /api/batch"))
    }

    /// For an app that takes no batches. An upsert is an update, or a create where there is nothing to update.
    pub(super) async fn alone(&self, step: &Step, what: &str) -> Result<(), Fault> {
        let id = step.body.get("id").and_then(Value::as_str).unwrap_or_default();
        let ask = match step.method {
            "DELETE" => Ask::delete(step.url.clone()),
            "PATCH" => Ask::patch(step.url.clone(), step.body.clone()),
            _ => Ask::patch(format!("{}/{id}", step.url), step.body.clone()),
        };
        let mut answer = self.client.call(&ask).await?;
        if !answer.is_ok() {
            self.prove().await?;
            answer = self.client.call(&ask).await?;
        }
        match (answer.status, step.method) {
            (404, "DELETE") => return Ok(()),
            (404, "PUT") => {
                answer = self.client.call(&Ask::post(step.url.clone(), step.body.clone())).await?;
            }
            _ => {}
        }
        answer.ok(Doing::Write(what)).map(|_| ())
    }

    /// Lines and payments of the invoice that are to go.
    pub(super) async fn leftovers(
        &self,
        ready: &Ready,
        invoice: &RecordId,
        wanted: &HashSet<&str>,
    ) -> Result<Vec<Step>, Fault> {
        let mut steps = Vec::new();
        for part in ["invoice_items", "invoice_payments"] {
            if !ready.shape.has_field(part, "invoice") {
                continue;
            }
            let filter = format!("{} = '{}'", self.field(part, "invoice"), in_path(invoice)?);
            for record in self.all(part, &filter, &[("fields", "id".to_owned())]).await? {
                let id = record.get("id").and_then(Value::as_str).unwrap_or_default();
                if !wanted.contains(id) {
                    let url = format!("{}/{}", self.path(part), in_path(&RecordId::new(id))?);
                    steps.push(Step { method: "DELETE", url, body: Value::Null });
                }
            }
        }
        Ok(steps)
    }

    fn upsert(&self, collection: &'static str, id: &RecordId, mut body: Map<String, Value>) -> Step {
        body.insert("id".to_owned(), json!(id.as_str()));
        Step { method: "PUT", url: self.path(collection), body: Value::Object(body) }
    }

    fn body(&self, collection: &'static str, fields: Vec<(&'static str, Value)>) -> Map<String, Value> {
        let named = fields.into_iter().map(|(name, value)| (self.field(collection, name).to_owned(), value));
        named.collect()
    }

    fn customer_body(&self, customer: &Customer) -> Map<String, Value> {
        let fields = vec![
            ("name", json!(customer.name)),
            ("phone", json!(customer.phone)),
            ("address", json!(customer.address)),
            ("city", json!(customer.city)),
            ("state", json!(customer.state)),
            ("gstin", json!(customer.gstin)),
            ("raintek_customer_id", json!(customer.pos_id)),
        ];
        self.body("customers", fields)
    }

    fn invoice_body(&self, bill: &PosInvoice, customer: &str) -> Map<String, Value> {
        let invoice = &bill.invoice;
        let mut fields = vec![
            ("invoice_number", json!(invoice.number)),
            ("invoice_date", plain_date(invoice.date)),
            ("status", json!("completed")),
            ("tax_type", json!(invoice.tax_type.text())),
            ("customer", json!(customer)),
            ("item_count", json!(invoice.item_count)),
            ("taxable_amount", number_json(invoice.taxable)),
            ("freight", number_json(invoice.freight)),
            ("discount", number_json(invoice.discount)),
            ("round_off", number_json(invoice.round_off)),
            ("grand_total", number_json(invoice.grand_total)),
            ("amount_paid", number_json(invoice.amount_paid)),
            ("payment_method", json!(invoice.payment_method.0)),
            ("notes", json!(invoice.notes)),
            ("source", json!("raintek")),
            ("sync_status", json!("na")),
            ("sync_error", json!("")),
            ("raintek_inv_id", json!(invoice.pos_id)),
        ];
        fields.extend(tax_fields(&invoice.taxes));
        self.body("invoices", fields)
    }

    fn line_body(
        &self,
        ready: &Ready,
        invoice: &RecordId,
        line: &Line,
        product: Option<&RecordId>,
    ) -> Map<String, Value> {
        let mut fields = vec![
            ("invoice", json!(invoice.as_str())),
            ("product_code", json!(line.product_code)),
            ("product_name", json!(line.product_name)),
            ("hsn_code", json!(line.hsn_code)),
            ("barcode", json!(line.barcode)),
            ("quantity", number_json(line.quantity)),
            ("unit", json!(line.unit)),
            ("rate", number_json(line.rate)),
            ("mrp", number_json(line.mrp)),
            ("discount_percent", number_json(line.discount_percent)),
            ("discount", number_json(line.discount)),
            ("tax_mode", json!(line.tax_mode.text())),
            ("gst_rate", number_json(line.gst_rate)),
            ("taxable", number_json(line.taxable)),
            ("total", number_json(line.total)),
        ];
        fields.extend(tax_fields(&line.taxes));
        if ready.shape.links("invoice_items", "product", "products") {
            fields.push(("product", json!(product.map(RecordId::as_str).unwrap_or_default())));
        }
        self.body("invoice_items", fields)
    }

    /// Id and content of each payment of a split bill.
    fn payment_bodies(&self, bill: &PosInvoice) -> Vec<(String, Map<String, Value>)> {
        let invoice = &bill.invoice;
        let payments = invoice.payments.iter().zip(&bill.paid_on).zip(&bill.payment_ids);
        payments
            .map(|((payment, day), id)| {
                let fields = vec![
                    ("invoice", json!(invoice.id.as_str())),
                    ("mode", json!(payment.mode.0)),
                    ("amount", number_json(payment.amount)),
                    ("paid_on", plain_date(*day)),
                ];
                (id.to_string(), self.body("invoice_payments", fields))
            })
            .collect()
    }
}

/// How a refused customer is told from a refused bill.
const CUSTOMER: &str = "the customer of";

/// A time of exactly midnight UTC is a plain date.
fn plain_date(day: NaiveDate) -> Value {
    json!(format!("{day} 00:00:00.000Z"))
}

fn tax_fields(taxes: &Taxes) -> [(&'static str, Value); 4] {
    [
        ("cgst", number_json(taxes.cgst)),
        ("sgst", number_json(taxes.sgst)),
        ("igst", number_json(taxes.igst)),
        ("cess", number_json(taxes.cess)),
    ]
}
