//! Emptying the app of what came from a trial.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::PocketBase;
use super::bills::Step;
use super::classify::Doing;
use super::client::Ask;
use super::setup::Ready;
use super::templates::OWN_COUNTERS;
use super::values::Record;
use super::writes::in_path;
use crate::model::bill::NumberSeries;
use crate::model::fault::{Fault, FaultKind};
use crate::model::ids::RecordId;
use crate::model::trial::{AppCustomer, AppHolds, AppInvoice, AppKind};
use crate::ports::trial::TrialApp;

/// The id of the collection of invoices that ShopSync laid down; an app's own has another.
const OWN_INVOICES: &str = "shopsync_invoices";

#[async_trait]
impl TrialApp for PocketBase {
    async fn holds(&self) -> Result<AppHolds, Fault> {
        let ready = self.ready().await?;
        let laid_down = ready.shape.json("invoices").and_then(|json| json.get("id")).and_then(Value::as_str)
            == Some(OWN_INVOICES);
        let invoices = self.all("invoices", "id != ''", &[]).await?;
        let customers = if ready.shape.has("customers") {
            self.all("customers", "id != ''", &[]).await?
        } else {
            Vec::new()
        };
        let names = &self.reader.names;
        let invoices = invoices.iter().map(|json| {
            let record = Record::new(json, names, "invoices");
            AppInvoice {
                id: record.id(),
                number: record.text("invoice_number"),
                from_raintek: record.word("source") == "raintek",
                customer: Some(record.text("customer")).filter(|id| !id.is_empty()).map(RecordId::new),
                inv_id: record.whole("raintek_inv_id"),
            }
        });
        let customers = customers.iter().map(|json| {
            let record = Record::new(json, names, "customers");
            AppCustomer {
                id: record.id(),
                name: record.text("name"),
                pos_id: record.whole("raintek_customer_id"),
            }
        });
        Ok(AppHolds { laid_down, invoices: invoices.collect(), customers: customers.collect() })
    }

    async fn customers_in_use(&self) -> Result<BTreeMap<RecordId, String>, Fault> {
        let ready = self.ready().await?;
        let target = ready.shape.json("customers").and_then(|json| json.get("id")).and_then(Value::as_str);
        let Some(target) = target else { return Ok(BTreeMap::new()) };
        let list = Ask::get("/api/collections").with("perPage", "500");
        let body = self.client.call(&list).await?.ok(Doing::App)?;
        let mut used = BTreeMap::new();
        for collection in body.get("items").and_then(Value::as_array).into_iter().flatten() {
            let text = |json: &Value, key: &str| {
                json.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            // A view shows what stands elsewhere.
            if text(collection, "type") == "view" {
                continue;
            }
            let name = text(collection, "name");
            for field in collection.get("fields").and_then(Value::as_array).into_iter().flatten() {
                if text(field, "type") == "relation" && text(field, "collectionId") == target {
                    for id in self.named_in(&name, &text(field, "name")).await? {
                        used.entry(id).or_insert_with(|| name.clone());
                    }
                }
            }
        }
        Ok(used)
    }

    async fn remove_invoice(&self, id: &RecordId) -> Result<(), Fault> {
        let ready = self.ready().await?;
        let mut steps = self.leftovers(&ready, id, &HashSet::new()).await?;
        steps.push(self.deletion("invoices", id)?);
        let what = "an invoice of the trial";
        if ready.batch >= steps.len() {
            match self.in_one(&steps, usize::MAX, false, what).await {
                // Part of it may be gone already: then one by one, where what is gone is gone.
                Err(fault) if fault.kind == FaultKind::Data => {}
                done => return done,
            }
        }
        for step in &steps {
            self.alone(step, what).await?;
        }
        Ok(())
    }

    async fn remove_customer(&self, id: &RecordId) -> Result<(), Fault> {
        self.alone(&self.deletion("customers", id)?, "a customer of the trial").await
    }

    async fn unstamp(&self, kind: AppKind, id: &RecordId) -> Result<(), Fault> {
        let gone = |result: Result<(), Fault>| match result {
            Err(fault) if fault.code == Some(404) => Ok(()),
            other => other,
        };
        match kind {
            AppKind::Invoice => {
                let body = json!({
                    (self.field("invoices", "sync_status")): "pending",
                    (self.field("invoices", "sync_error")): "",
                    (self.field("invoices", "raintek_inv_id")): 0,
                });
                let written = |json: &Value| {
                    Record::new(json, &self.reader.names, "invoices").whole("raintek_inv_id").is_none()
                };
                gone(self.patch("invoices", id, body, "the invoice", written).await)
            }
            AppKind::Customer => {
                let body = json!({(self.field("customers", "raintek_customer_id")): 0});
                let written = |json: &Value| {
                    Record::new(json, &self.reader.names, "customers").whole("raintek_customer_id").is_none()
                };
                gone(self.patch("customers", id, body, "the customer", written).await)
            }
        }
    }

    async fn set_numbers(&self, series: &[NumberSeries]) -> Result<bool, Fault> {
        let ready = self.ready().await?;
        if !self.counters_are_ours(&ready) {
            return Ok(false);
        }
        let known = self.all("counters", "id != ''", &[]).await?;
        for one in series {
            let record = known.iter().map(|json| Record::new(json, &self.reader.names, "counters"));
            let Some(record) = record.into_iter().find(|record| record.text("name") == one.name) else {
                continue;
            };
            // A phone that takes a number in this moment keeps it: the hook passes over numbers in use.
            let body = json!({
                (self.field("counters", "value")): one.value,
                (self.field("counters", "prefix")): one.prefix,
                (self.field("counters", "suffix")): one.suffix,
            });
            let value = one.value.to_string();
            let written =
                |json: &Value| Record::new(json, &self.reader.names, "counters").text("value") == value;
            self.patch("counters", &record.id(), body, "the invoice counters", written).await?;
        }
        Ok(true)
    }
}

impl PocketBase {
    fn counters_are_ours(&self, ready: &Ready) -> bool {
        let counters = ready.shape.json("counters");
        counters.and_then(|json| json.get("id")).and_then(Value::as_str) == Some(OWN_COUNTERS)
    }

    fn deletion(&self, collection: &'static str, id: &RecordId) -> Result<Step, Fault> {
        let url = format!("{}/{}", self.path(collection), in_path(id)?);
        Ok(Step { method: "DELETE", url, body: Value::Null })
    }

    /// Every record that a relation of any collection of the app's names.
    async fn named_in(&self, collection: &str, field: &str) -> Result<Vec<RecordId>, Fault> {
        let records = self.all_of(collection, &format!("{field} != ''"), field).await?;
        let mut named = Vec::new();
        for record in &records {
            match record.get(field) {
                Some(Value::String(id)) => named.push(RecordId::new(id.clone())),
                Some(Value::Array(ids)) => {
                    named.extend(ids.iter().filter_map(Value::as_str).map(RecordId::new));
                }
                _ => {}
            }
        }
        Ok(named)
    }
}
