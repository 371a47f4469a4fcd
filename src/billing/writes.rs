//! Writing into the app: our own fields of invoices and customers, and products.

use serde_json::{Map, Value, json};

use super::PocketBase;
use super::classify::Doing;
use super::client::{Answer, Ask};
use super::setup::Ready;
use super::values::{Record, number_json};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::ids::RecordId;
use crate::model::invoice::Stamp;
use crate::model::product::{ProductFields, ProductWrite};

/// `sync_error` is for a phone's screen; PocketBase's text fields end at 5,000 characters.
const LONGEST_SENTENCE: usize = 500;
/// Bad records in one batch after which the rest of it goes one by one.
const MOST_BAD: usize = 5;

impl PocketBase {
    pub(super) async fn stamp_once(&self, ready: &Ready, id: &RecordId, stamp: &Stamp) -> Result<(), Fault> {
        let (status, sentence, inv_id) = match stamp {
            Stamp::Synced { inv_id, customer } => {
                // The customer first: the invoice's own stamp says that all is done.
                if let Some((customer, pos_id)) = customer.as_ref().filter(|_| ready.shape.has("customers")) {
                    self.stamp_customer(customer, *pos_id).await?;
                }
                ("synced", String::new(), Some(*inv_id))
            }
            Stamp::Failed(sentence) => ("failed", sentence.chars().take(LONGEST_SENTENCE).collect(), None),
            Stamp::Pending => ("pending", String::new(), None),
            Stamp::Removed => ("na", String::new(), Some(0)),
        };
        let mut body = Map::new();
        body.insert(self.field("invoices", "sync_status").to_owned(), json!(status));
        body.insert(self.field("invoices", "sync_error").to_owned(), json!(sentence));
        if let Some(inv_id) = inv_id {
            body.insert(self.field("invoices", "raintek_inv_id").to_owned(), json!(inv_id));
        }
        let written =
            |json: &Value| Record::new(json, &self.reader.names, "invoices").text("sync_status") == status;
        let body = Value::Object(body);
        // PocketBase reads a record, changes it and writes all of it back: beside a phone that revises the invoice in
        // that moment, a plain change would write the old status back. A batch reads and writes in one transaction.
        // Whatever is wrong with it, the plain change below says.
        if ready.batch > 1 {
            let url = format!("{}/{}", self.path("invoices"), in_path(id)?);
            if self.stamp_together(ready.batch, url, body.clone(), status).await? {
                return Ok(());
            }
        }
        self.patch("invoices", id, body, "the invoice", written).await
    }

    async fn stamp_customer(&self, id: &RecordId, pos_id: i32) -> Result<(), Fault> {
        let body = json!({(self.field("customers", "raintek_customer_id")): pos_id});
        let written = |json: &Value| {
            Record::new(json, &self.reader.names, "customers").whole("raintek_customer_id") == Some(pos_id)
        };
        match self.patch("customers", id, body, "the customer", written).await {
            // Deleted meanwhile, or refused by a rule of the app's own: the invoice is no less in RainTek.
            Err(fault) if fault.kind == FaultKind::Data => Ok(()),
            other => other,
        }
    }

    /// One record. `written` looks at the answer: to a guest of an open collection PocketBase says 200 as well, and our
    /// hook keeps our fields as they were.
    pub(super) async fn patch(
        &self,
        collection: &'static str,
        id: &RecordId,
        body: Value,
        what: &str,
        written: impl Fn(&Value) -> bool,
    ) -> Result<(), Fault> {
        let path = format!("{}/{}", self.path(collection), in_path(id)?);
        let ask = Ask::patch(path, body);
        let mut answer = self.client.call(&ask).await?;
        // 404 is also what a guest gets for a record that is there.
        if answer.status == 404 || answer.is_ok() && !written(&answer.body) {
            self.prove().await?;
            answer = self.client.call(&ask).await?;
        }
        let body = answer.ok(Doing::Write(what))?;
        if written(&body) { Ok(()) } else { Err(not_taken(what)) }
    }

    /// Writes products in chunks that are one transaction each.
    pub(super) async fn write_products_once(
        &self,
        ready: &Ready,
        writes: &[ProductWrite],
    ) -> Result<Vec<Result<(), Fault>>, Fault> {
        let mut results = Vec::with_capacity(writes.len());
        for chunk in writes.chunks(ready.batch.max(1)) {
            let chunk: Vec<One> = chunk.iter().map(|write| self.one(write)).collect();
            results.extend(if ready.batch > 1 {
                self.batch(&chunk).await?
            } else {
                self.singly(&chunk).await?
            });
        }
        Ok(results)
    }

    /// A batch that fails names the record it failed at: the rest goes again without it.
    async fn batch(&self, chunk: &[One]) -> Result<Vec<Result<(), Fault>>, Fault> {
        let mut results: Vec<Option<Fault>> = vec![None; chunk.len()];
        let mut pending: Vec<usize> = (0..chunk.len()).collect();
        let mut proven = false;
        while !pending.is_empty() {
            let rest: Vec<&One> = pending.iter().filter_map(|index| chunk.get(*index)).collect();
            let requests: Vec<Value> = rest
                .iter()
                .map(|one| json!({"method": one.batch_method(), "url": one.batch_url(), "body": one.body}))
                .collect();
            let answer = self.client.call(&Ask::post("/api/batch", json!({"requests": requests}))).await?;
            if answer.is_ok() && self.all_written(&rest, &answer.body) {
                break;
            }
            // A guest's batch fails too, at any record, or is taken without our fields.
            if !proven {
                proven = true;
                self.prove().await?;
                continue;
            }
            let bad = results.iter().flatten().count();
            match bad_one(&answer).filter(|(at, ..)| bad < MOST_BAD && *at < pending.len()) {
                Some((at, status, body)) => {
                    let index = pending.remove(at);
                    let what = rest.get(at).map_or("the product", |one| one.what.as_str());
                    let fault = super::classify::classify_answer(
                        status,
                        &body,
                        Doing::Write(what),
                        "POST /api/batch",
                    );
                    if fault.is_outage() {
                        return Err(fault);
                    }
                    if let Some(result) = results.get_mut(index) {
                        *result = Some(fault);
                    }
                }
                None => {
                    let rest: Vec<One> = rest.into_iter().cloned().collect();
                    let single = self.singly(&rest).await?;
                    for (index, result) in pending.drain(..).zip(single) {
                        if let Some(slot) = results.get_mut(index) {
                            *slot = result.err();
                        }
                    }
                }
            }
        }
        Ok(results.into_iter().map(|fault| fault.map_or(Ok(()), Err)).collect())
    }

    async fn singly(&self, chunk: &[One]) -> Result<Vec<Result<(), Fault>>, Fault> {
        let mut results = Vec::with_capacity(chunk.len());
        for one in chunk {
            let result = self.write_one(one).await;
            match result {
                Err(fault) if fault.is_outage() => return Err(fault),
                other => results.push(other),
            }
        }
        Ok(results)
    }

    async fn write_one(&self, one: &One) -> Result<(), Fault> {
        let products = self.path("products");
        let update = |id: &RecordId| Ok(Ask::patch(format!("{products}/{}", in_path(id)?), one.body.clone()));
        let mut asks = Vec::new();
        if one.create {
            asks.push(Ask::post(products.clone(), one.body.clone()));
        }
        asks.push(update(&one.id)?);
        let written = |body: &Value| self.all_written(&[one], &json!([{"status": 200, "body": body}]));
        let mut first = None;
        for ask in asks {
            let mut answer = self.client.call(&ask).await?;
            if !answer.is_ok() || !written(&answer.body) {
                self.prove().await?;
                answer = self.client.call(&ask).await?;
            }
            match answer.ok(Doing::Write(&one.what)) {
                Ok(body) if written(&body) => return Ok(()),
                Ok(_) => return Err(not_taken(&one.what)),
                // A create whose answer was lost is there already: then its update succeeds. Else the first reason counts.
                Err(fault) if fault.kind == FaultKind::Data => first = first.or(Some(fault)),
                Err(fault) => return Err(fault),
            }
        }
        Err(first.unwrap_or_else(|| not_taken(&one.what)))
    }

    /// Makes sure that the next request is a superuser's, without signing in for each record that is refused.
    pub(super) async fn prove(&self) -> Result<(), Fault> {
        let ask = self
            .ask("invoices", "id = 'none'")
            .with("perPage", "1")
            .with("skipTotal", "1")
            .with("fields", "id");
        self.client.call(&ask).await?.ok(Doing::App).map(|_| ())
    }

    fn all_written(&self, rest: &[&One], body: &Value) -> bool {
        let answers = body.as_array().map_or(&[][..], Vec::as_slice);
        answers.len() == rest.len()
            && rest.iter().zip(answers).all(|(one, answer)| {
                let body = answer.get("body").unwrap_or(&Value::Null);
                let record = Record::new(body, &self.reader.names, "products");
                record.text("last_synced_at") == one.stamp
            })
    }

    fn one(&self, write: &ProductWrite) -> One {
        // PocketBase's own spelling, so that its answer can be compared.
        let stamp = self.clock.now().format("%Y-%m-%d %H:%M:%S%.3fZ").to_string();
        let (id, create, fields, what) = match write {
            ProductWrite::Create { id, fields } => {
                (id, true, Some(fields), format!("the product {}", fields.code))
            }
            ProductWrite::Update { id, fields } => {
                (id, false, Some(fields), format!("the product {}", fields.code))
            }
            ProductWrite::Deactivate { id } => {
                (id, false, None, "a product that is no longer sold".to_owned())
            }
        };
        let mut body = Map::new();
        let mut set = |field: &str, value: Value| {
            body.insert(self.field("products", field).to_owned(), value);
        };
        match fields {
            Some(fields) => fill(fields, &mut set),
            None => set("active", json!(false)),
        }
        set("last_synced_at", json!(stamp));
        if create {
            body.insert("id".to_owned(), json!(id.as_str()));
        }
        One { id: id.clone(), create, what, stamp, path: self.path("products"), body: Value::Object(body) }
    }
}

/// One write of a product, ready to be sent.
#[derive(Debug, Clone)]
struct One {
    id: RecordId,
    create: bool,
    what: String,
    stamp: String,
    path: String,
    body: Value,
}

impl One {
    /// PUT creates, or updates what an earlier try with this id has made.
    fn batch_method(&self) -> &'static str {
        if self.create { "PUT" } else { "PATCH" }
    }

    fn batch_url(&self) -> String {
        if self.create {
            self.path.clone()
        } else {
            format!("{}/{}", self.path, in_path(&self.id).unwrap_or_default())
        }
    }
}

fn fill(fields: &ProductFields, set: &mut impl FnMut(&str, Value)) {
    set("product_code", json!(fields.code));
    set("raintek_product_id", json!(fields.pos_id));
    set("name", json!(fields.name));
    set("retail_price", number_json(fields.retail_price));
    set("mrp", number_json(fields.mrp));
    set("barcode", json!(fields.barcode));
    set("current_stock", number_json(fields.current_stock));
    set("hsn_code", json!(fields.hsn_code));
    set("gst_rate", number_json(fields.gst_rate));
    set("unit", json!(fields.unit));
    set("active", json!(fields.active));
}

/// Which record of a batch was refused, with what.
pub(super) fn bad_one(answer: &Answer) -> Option<(usize, u16, Value)> {
    let (index, reason) = answer.body.get("data")?.get("requests")?.as_object()?.iter().next()?;
    let response = reason.get("response")?;
    let status =
        response.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok())?;
    Some((index.parse().ok()?, status, response.clone()))
}

/// An id as part of a path; anything that is no id would address something else.
pub(super) fn in_path(id: &RecordId) -> Result<&str, Fault> {
    let plain = id.as_str().chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if plain && !id.as_str().is_empty() {
        Ok(id.as_str())
    } else {
        Err(Fault::data("The billing app has a record whose id cannot be used."))
    }
}

pub(super) fn not_taken(what: &str) -> Fault {
    Fault::new(
        FaultKind::Config,
        Scope::Billing,
        format!("The billing app answers, but does not keep what ShopSync writes into {what}."),
    )
}
