//! Emptying the billing app of what came from the trial.

use std::collections::{HashMap, HashSet};

use super::{AppKind, GoLiveStep, Shared, Sources, show};
use crate::model::awareness::BillWrite;
use crate::model::fault::{Fault, FaultKind};
use crate::model::ids::{CustomerId, RecordId};
use crate::model::status::Progress;
use crate::model::trial::{TrialRecord, TrialState};
use crate::sync::trial::of_the_trial;

/// Which records of the app came from the trial, as it is now; and how many of the app's own from before it are sent
/// anew, since what RainTek has of them goes.
pub(super) async fn records(sources: &Sources) -> Result<(Vec<TrialRecord>, u64), Fault> {
    let before: HashSet<(AppKind, RecordId)> = sources.store.before().await?.into_iter().collect();
    let known = sources.store.known_invoices().await?;
    let holds = sources.app.holds().await?;
    let records = of_the_trial(&holds, &before, &known);
    let goes: HashSet<&RecordId> =
        records.iter().filter(|record| record.kind == AppKind::Invoice).map(|record| &record.id).collect();
    let booked: HashSet<RecordId> =
        sources.store.bills().await?.into_iter().map(|bill| bill.record_id).collect();
    let again = holds
        .invoices
        .iter()
        .filter(|invoice| booked.contains(&invoice.id) && !goes.contains(&invoice.id))
        .count();
    Ok((records, u64::try_from(again).unwrap_or_default()))
}

/// Records that stay in the app, and a line for each that says why.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) records: Vec<(AppKind, RecordId)>,
    pub(super) lines: Vec<String>,
}

impl Kept {
    fn add(&mut self, record: &TrialRecord, line: String) {
        self.records.push((record.kind, record.id.clone()));
        self.lines.push(line);
    }
}

/// Removes what was written down.
pub(super) async fn empty(shared: &Shared, sources: &Sources) -> Result<Kept, Fault> {
    let records = sources.store.records().await?;
    let total = u64::try_from(records.len()).unwrap_or_default();
    let mut kept = Kept::default();
    let mut done = 0;
    let mut tell = || {
        show(shared, GoLiveStep::App, Some(Progress { done, total }));
        done += 1;
    };
    for record in records.iter().filter(|record| record.kind == AppKind::Invoice) {
        tell();
        match sources.app.remove_invoice(&record.id).await {
            Ok(()) => {}
            Err(fault) if refused(&fault) => {
                shared.log("go live", &fault);
                // One that stays must not be booked as a real one.
                let cancel = BillWrite::Cancel { id: record.id.clone() };
                shared.world.billing.write_bill(&cancel).await?;
                kept.add(
                    record,
                    format!("Left in the billing app, cancelled: {}. {}", record.label, fault.sentence),
                );
            }
            Err(fault) => return Err(fault),
        }
    }
    // Only now: what referred to a customer is gone.
    let used = sources.app.customers_in_use().await?;
    for record in records.iter().filter(|record| record.kind == AppKind::Customer) {
        tell();
        if let Some(collection) = used.get(&record.id) {
            let line =
                format!("Left in the billing app: customer {}, which {collection} needs.", record.label);
            kept.add(record, line);
            continue;
        }
        match sources.app.remove_customer(&record.id).await {
            Ok(()) => {}
            Err(fault) if refused(&fault) => {
                shared.log("go live", &fault);
                let line = format!("Left in the billing app: customer {}. {}", record.label, fault.sentence);
                kept.add(record, line);
            }
            Err(fault) => return Err(fault),
        }
    }
    take_stamps_off(sources).await?;
    Ok(kept)
}

fn refused(fault: &Fault) -> bool {
    fault.kind == FaultKind::Data && !fault.is_outage()
}

/// What stays in the app must not name rows that are gone: RainTek gives their numbers out again.
async fn take_stamps_off(sources: &Sources) -> Result<(), Fault> {
    let gone: HashSet<CustomerId> = sources
        .store
        .customers()
        .await?
        .into_iter()
        .filter(|customer| customer.state == TrialState::Removed)
        .map(|customer| customer.id)
        .collect();
    let bills: HashMap<RecordId, Option<i32>> = sources
        .store
        .bills()
        .await?
        .into_iter()
        .filter(|bill| bill.state == TrialState::Removed)
        .map(|bill| (bill.record_id, bill.inv_id))
        .collect();
    let holds = sources.app.holds().await?;
    for invoice in holds.invoices.iter().filter(|invoice| !invoice.from_raintek) {
        let was = bills.get(&invoice.id).copied().flatten();
        if invoice.inv_id.is_some() && invoice.inv_id == was {
            sources.app.unstamp(AppKind::Invoice, &invoice.id).await?;
        }
    }
    for customer in &holds.customers {
        if customer.pos_id.is_some_and(|id| gone.contains(&id)) {
            sources.app.unstamp(AppKind::Customer, &customer.id).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fault::Scope;

    #[test]
    fn what_the_app_refuses_stays_and_what_goes_by_itself_is_tried_again() {
        assert!(refused(&Fault::data("The app still needs it.")));
        assert!(!refused(&Fault::transient(Scope::Item, "The app is busy.")));
        assert!(!refused(&Fault::new(FaultKind::Data, Scope::Billing, "The app refuses everybody.")));
    }
}
