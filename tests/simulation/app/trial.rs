//! What the end of a trial asks of the app in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use shopsync::model::bill::NumberSeries;
use shopsync::model::fault::{Fault, FaultKind};
use shopsync::model::ids::RecordId;
use shopsync::model::trial::{AppCustomer, AppHolds, AppInvoice, AppKind};
use shopsync::ports::BillingEvent;
use shopsync::ports::trial::TrialApp;

use super::adapter::App;
use super::stamp;
use crate::ending;
use crate::planted::Planted;
use crate::sim::lock;
use crate::story::{Call, Numbers};

#[async_trait]
impl TrialApp for App {
    async fn holds(&self) -> Result<AppHolds, Fault> {
        let holds = self.call(Call::AppHolds, |app| AppHolds {
            laid_down: app.numbers == Numbers::Ours,
            invoices: app
                .records
                .iter()
                .filter(|(_, record)| !record.deleted)
                .map(|(id, record)| AppInvoice {
                    id: id.clone(),
                    number: record.invoice.number.clone(),
                    from_raintek: record.from_pos,
                    customer: record.invoice.customer.as_ref().and_then(|customer| customer.id.clone()),
                    inv_id: record.invoice.pos_id,
                })
                .collect(),
            customers: app
                .customers
                .iter()
                .map(|(id, customer)| AppCustomer {
                    id: id.clone(),
                    name: customer.name.clone(),
                    pos_id: customer.pos_id,
                })
                .collect(),
        });
        let holds = holds.await?;
        ending::seen_in_app(&self.wire.sim, &holds);
        Ok(holds)
    }

    async fn customers_in_use(&self) -> Result<BTreeMap<RecordId, String>, Fault> {
        self.call(Call::AppHolds, |app| {
            let there = app.records.values().filter(|record| !record.deleted);
            let named = there.filter_map(|record| record.invoice.customer.as_ref()?.id.clone());
            named.map(|id| (id, "invoices".to_owned())).collect()
        })
        .await
    }

    async fn remove_invoice(&self, id: &RecordId) -> Result<(), Fault> {
        if self.wire.sim.is(Planted::RealTakenForTest) {
            ending::takes_too_much(&self.wire.sim);
        }
        let events = [BillingEvent::Invoice(id.clone())];
        let gone = self.write(Call::AppRemoves, &events, |app| {
            if let Some(record) = app.records.get_mut(id) {
                record.deleted = true;
            }
        });
        if let Err(fault) = gone.await {
            if fault.kind == FaultKind::Data {
                lock(&self.wire.sim.truth).trial.kept.insert(id.clone());
            }
            return Err(fault);
        }
        ending::removed_from_app(&self.wire.sim, id);
        Ok(())
    }

    async fn remove_customer(&self, id: &RecordId) -> Result<(), Fault> {
        let stays = lock(&self.wire.sim.app).customers_stay.pop();
        if let Some(fault) = stays {
            return Err(fault);
        }
        self.write(Call::AppRemoves, &[], |app| {
            app.customers.remove(id);
        })
        .await
    }

    async fn unstamp(&self, kind: AppKind, id: &RecordId) -> Result<(), Fault> {
        let wall = self.wire.sim.wall();
        let events = [BillingEvent::Invoice(id.clone())];
        self.write(Call::Stamp, &events, |app| match kind {
            AppKind::Invoice => {
                if let Some(record) = app.records.get_mut(id) {
                    record.sync_status = "pending".into();
                    record.sync_error.clear();
                    record.invoice.pos_id = None;
                    record.updated = stamp(wall);
                }
            }
            AppKind::Customer => {
                if let Some(customer) = app.customers.get_mut(id) {
                    customer.pos_id = None;
                }
            }
        })
        .await
    }

    async fn set_numbers(&self, series: &[NumberSeries]) -> Result<bool, Fault> {
        self.call(Call::Numbers, |app| {
            let ours = app.numbers == Numbers::Ours;
            for one in series.iter().filter(|_| ours) {
                let at = usize::from(one.name == "invoice_non_gst");
                app.counters[at] = one.value;
                app.forms[at] = Some((one.prefix.clone(), one.suffix.clone()));
            }
            ours
        })
        .await
    }
}
