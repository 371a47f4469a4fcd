//! The app's counters, where they are ours, and another number for an invoice. An app that numbers its invoices itself
//! is left its way.

use serde_json::{Value, json};

use super::PocketBase;
use super::classify::Doing;
use super::client::Ask;
use super::reads::askable;
use super::setup::Ready;
use super::templates::OWN_COUNTERS;
use super::values::Record;
use crate::model::bill::NumberSeries;
use crate::model::fault::{Fault, Scope};
use crate::model::ids::RecordId;
use crate::model::renumber::{Renumber, Renumbered};

/// Numbers in a row that may be taken before looking for a free one is given up.
const MOST_TAKEN: i32 = 10_000;

impl PocketBase {
    /// Asks our hook, which does it in one transaction: a phone may take a number in the same moment.
    pub(super) async fn follow_numbers_once(
        &self,
        ready: &Ready,
        series: &[NumberSeries],
    ) -> Result<bool, Fault> {
        if ready.shape.id("counters") != Some(OWN_COUNTERS) {
            return Ok(false);
        }
        let series: Vec<Value> = series
            .iter()
            .map(|one| {
                json!({"name": one.name, "value": one.value, "prefix": one.prefix, "suffix": one.suffix})
            })
            .collect();
        let answer =
            self.client.call(&Ask::post("/api/shopsync/numbers", json!({ "series": series }))).await?;
        // Without our hook (it waits for a restart of the app) there are no numbers to give either.
        if answer.status == 404 {
            return Ok(false);
        }
        let body = answer.ok(Doing::Write("the invoice counters"))?;
        Ok(body.get("followed").and_then(Value::as_bool).unwrap_or_default())
    }
}

/// What a record says of its number now; `None` where it is not to be booked.
enum Carried {
    /// Nobody changed it.
    AsKnown,
    /// Another one.
    Other(String),
    NotDue,
}

impl PocketBase {
    /// Our hook compares and sets in one transaction. Where it does not run yet (it waits for a restart of the app),
    /// the same is done record by record, as close together as that can be.
    pub(super) async fn renumber_once(&self, ready: &Ready, wanted: &Renumber) -> Result<Renumbered, Fault> {
        let series = &wanted.series;
        let body = json!({
            "id": wanted.id.as_str(), "from": wanted.from, "name": series.name, "above": series.value,
            "prefix": series.prefix, "suffix": series.suffix,
        });
        let answer = self.client.call(&Ask::post("/api/shopsync/renumber", body)).await?;
        if answer.status == 404 {
            return self.renumber_singly(ready, wanted).await;
        }
        let body = answer.ok(Doing::Write("the invoice"))?;
        Ok(match body.get("number").and_then(Value::as_str) {
            Some(number) => Renumbered::Carries(number.to_owned()),
            None => Renumbered::NotDue,
        })
    }

    async fn renumber_singly(&self, ready: &Ready, wanted: &Renumber) -> Result<Renumbered, Fault> {
        let field = self.field("invoices", "invoice_number");
        for step in 1..=MOST_TAKEN {
            let n = wanted.series.value.saturating_add(step);
            let number = wanted.series.text(n);
            if !self.all("invoices", &format!("{field} = {}", askable(&number)?), &[]).await?.is_empty() {
                continue;
            }
            match self.carried(&wanted.id, &wanted.from).await? {
                Carried::AsKnown => {}
                Carried::Other(number) => return Ok(Renumbered::Carries(number)),
                Carried::NotDue => return Ok(Renumbered::NotDue),
            }
            let written = |json: &Value| {
                Record::new(json, &self.reader.names, "invoices").text("invoice_number") == number
            };
            self.patch("invoices", &wanted.id, json!({ (field): number }), "the invoice", written).await?;
            let used = NumberSeries { value: n, ..wanted.series.clone() };
            self.follow_numbers_once(ready, &[used]).await?;
            return Ok(Renumbered::Carries(number));
        }
        Err(Fault::transient(Scope::Item, "The billing app has no free number within ten thousand."))
    }

    async fn carried(&self, id: &RecordId, from: &str) -> Result<Carried, Fault> {
        let records = self.all("invoices", &format!("id = {}", askable(id.as_str())?), &[]).await?;
        let Some(record) = records.first() else { return Ok(Carried::NotDue) };
        if self.reader.not_due(record).is_some() {
            return Ok(Carried::NotDue);
        }
        let number = Record::new(record, &self.reader.names, "invoices").text("invoice_number");
        Ok(if number == from { Carried::AsKnown } else { Carried::Other(number) })
    }
}
