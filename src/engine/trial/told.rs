//! What going live would do, and what it did, in words.

use super::{AppKind, GoLive, GoLiveAnswer, Shared, Sources, app_side, pos_side};
use crate::model::fault::Fault;
use crate::model::trial::{TrialRecord, TrialState};
use crate::sync::trial::{Fate, bill_fate, customer_fate};

fn count(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

fn in_app(records: &[TrialRecord]) -> String {
    let of = |kind: AppKind| {
        u64::try_from(records.iter().filter(|record| record.kind == kind).count()).unwrap_or_default()
    };
    format!(
        "{} and {}",
        count(of(AppKind::Invoice), "invoice", "invoices"),
        count(of(AppKind::Customer), "customer", "customers")
    )
}

fn in_raintek(bills: u64, customers: u64) -> String {
    format!("{} and {}", count(bills, "bill", "bills"), count(customers, "customer", "customers"))
}

/// What it would do; nothing is changed by looking.
pub(super) async fn preview(shared: &Shared, sources: &Sources) -> Result<GoLiveAnswer, Fault> {
    let all = sources.store.bills().await?;
    let numbers = pos_side::numbers(&all);
    let (mut bills, mut customers) = (0, 0);
    let mut left = Vec::new();
    for bill in &all {
        let there = sources.pos.stands(&bill.number, bill.inv_id.unwrap_or(-1), bill.tax_type).await?;
        match bill_fate(bill, &there, &numbers) {
            Fate::Gone => {}
            Fate::Remove(_) => bills += 1,
            Fate::Leave(why) => left.push(format!("{}: {why}.", bill.number)),
        }
    }
    for customer in sources.store.customers().await? {
        let mut now = sources.pos.customer(customer.id).await?;
        // Its bills of the trial go first: what else needs it is known only then.
        now.uses.clear();
        match customer_fate(&customer, &now) {
            Fate::Gone => {}
            Fate::Remove(()) => customers += 1,
            Fate::Leave(why) => left.push(format!("customer {}: {why}.", customer.row.text("Name").trim())),
        }
    }
    let (records, again) = app_side::records(sources).await?;
    let mut lines = vec![
        "Going live would do this:".to_owned(),
        "Both sides are backed up.".to_owned(),
        format!("Removed from RainTek: {}, as far as nothing else needs them.", in_raintek(bills, customers)),
        format!("Removed from the billing app: {}.", in_app(&records)),
    ];
    if again > 0 {
        lines.push(format!(
            "{} of the billing app from before the trial {} sent to RainTek anew.",
            count(again, "invoice", "invoices"),
            if again == 1 { "is" } else { "are" }
        ));
    }
    if shared.world.state.counts(shared.now().with_timezone(&shared.rules.zone).date_naive()).await?.waiting
        > 0
    {
        lines.push("Some invoices are still on their way; they are test data, too.".to_owned());
    }
    lines.extend(left.into_iter().map(|line| format!("Left in RainTek: {line}")));
    lines.push("Do it with: shopsync go-live --yes".to_owned());
    Ok(GoLiveAnswer { ok: true, lines })
}

/// What it did, from what the store says of each row.
pub(super) async fn result(sources: &Sources, going: &GoLive) -> Result<GoLiveAnswer, Fault> {
    let (mut bills, mut customers) = (0, 0);
    let mut left = Vec::new();
    for bill in sources.store.bills().await? {
        match (bill.state, bill.sentence) {
            (TrialState::Left, why) => {
                let inv_id = bill.inv_id.map(|id| format!(" (Inv_ID {id})")).unwrap_or_default();
                left.push(format!("{}{inv_id}: {}.", bill.number, why.unwrap_or_default()));
            }
            (TrialState::Removed, _) => bills += 1,
            (TrialState::Standing, _) => {}
        }
    }
    for customer in sources.store.customers().await? {
        match (customer.state, customer.sentence) {
            (TrialState::Left, why) => {
                let (name, key) = (customer.row.text("Name").trim(), customer.row.text("CustomerID").trim());
                left.push(format!("customer {name} ({key}): {}.", why.unwrap_or_default()));
            }
            (TrialState::Removed, _) => customers += 1,
            (TrialState::Standing, _) => {}
        }
    }
    let mut records = sources.store.records().await?;
    records.retain(|record| !going.kept.contains(&(record.kind, record.id.clone())));
    let mut lines = vec![format!(
        "The trial is over. Removed from RainTek: {}. Removed from the billing app: {}.",
        in_raintek(bills, customers),
        in_app(&records)
    )];
    lines.extend(going.lines.iter().cloned());
    lines.extend(left.into_iter().map(|line| format!("Left in RainTek: {line}")));
    Ok(GoLiveAnswer { ok: true, lines })
}
