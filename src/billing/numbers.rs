//! The app's counters, where they are ours. An app that numbers its invoices itself is left its way.

use serde_json::{Value, json};

use super::PocketBase;
use super::classify::Doing;
use super::client::Ask;
use super::setup::Ready;
use crate::model::bill::NumberSeries;
use crate::model::fault::Fault;

/// The id of the collection that ShopSync laid down; an app's own counters have another.
pub(super) const OWN_COUNTERS: &str = "shopsync_counters";

impl PocketBase {
    /// Asks our hook, which does it in one transaction: a phone may take a number in the same moment.
    pub(super) async fn follow_numbers_once(
        &self,
        ready: &Ready,
        series: &[NumberSeries],
    ) -> Result<bool, Fault> {
        let counters = ready.shape.json("counters");
        if counters.and_then(|json| json.get("id")).and_then(Value::as_str) != Some(OWN_COUNTERS) {
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
