//! Taking the trial's rows out of RainTek: one transaction a bill, each compared under the lock, its rows copied first.

use std::collections::BTreeSet;

use super::{GoLiveStep, Shared, Sources, show};
use crate::engine::attempt::copy_rows;
use crate::model::bill::{FoundBill, Lookup, Plan};
use crate::model::fault::Fault;
use crate::model::status::Progress;
use crate::model::trial::{TrialBill, TrialCustomer, TrialState};
use crate::ports::trial::confirmed;
use crate::sync::numbering::counter_of;
use crate::sync::trial::{Fate, bill_fate, customer_fate};

/// Numbers of all bills of the trial.
pub(super) fn numbers(bills: &[TrialBill]) -> BTreeSet<String> {
    bills.iter().map(|bill| bill.number.trim().to_uppercase()).collect()
}

/// Removes what still stands as it was written; each that is done is stored before the next.
pub(super) async fn remove_bills(shared: &Shared, sources: &Sources) -> Result<(), Fault> {
    let bills = sources.store.bills().await?;
    let numbers = numbers(&bills);
    let total = u64::try_from(bills.len()).unwrap_or_default();
    for (bill, done) in bills.into_iter().zip(0..) {
        show(shared, GoLiveStep::Bills, Some(Progress { done, total }));
        if bill.state != TrialState::Standing {
            continue;
        }
        let (state, sentence) = remove_bill(shared, &bill, &numbers).await?;
        sources.store.put_bill(&TrialBill { state, sentence, ..bill }, None).await?;
    }
    Ok(())
}

async fn remove_bill(
    shared: &Shared,
    bill: &TrialBill,
    numbers: &BTreeSet<String>,
) -> Result<(TrialState, Option<String>), Fault> {
    let lookup = Lookup {
        number: bill.number.clone(),
        inv_id: bill.inv_id,
        tax_type: bill.tax_type,
        counter: counter_of(&bill.number),
        product_codes: Vec::new(),
        phone: None,
    };
    let mut copied: Option<FoundBill> = None;
    loop {
        let (mut transaction, found) = shared.world.pos.open(&lookup).await?;
        let plan = match bill_fate(bill, &found.bills, numbers) {
            Fate::Remove(plan) if copied.as_ref() == Some(&plan.before) => plan,
            other => {
                transaction.rollback().await;
                match other {
                    Fate::Gone => return Ok((TrialState::Removed, None)),
                    Fate::Leave(why) => return Ok((TrialState::Left, Some(why))),
                    Fate::Remove(plan) => {
                        copy_rows(shared, &plan.before).await?;
                        copied = Some(plan.before);
                        continue;
                    }
                }
            }
        };
        transaction.apply(&Plan::Remove(plan)).await?;
        // Whether a lost commit took effect is told by the look-up of the next try.
        confirmed(transaction.commit().await)?;
        return Ok((TrialState::Removed, None));
    }
}

/// Removes the customers that the trial made and nobody needs.
pub(super) async fn remove_customers(shared: &Shared, sources: &Sources) -> Result<(), Fault> {
    let customers = sources.store.customers().await?;
    let total = u64::try_from(customers.len()).unwrap_or_default();
    for (customer, done) in customers.into_iter().zip(0..) {
        show(shared, GoLiveStep::Customers, Some(Progress { done, total }));
        if customer.state != TrialState::Standing {
            continue;
        }
        let (state, sentence) = loop {
            let now = sources.pos.customer(customer.id).await?;
            match customer_fate(&customer, &now) {
                Fate::Gone => break (TrialState::Removed, None),
                Fate::Leave(why) => break (TrialState::Left, Some(why)),
                Fate::Remove(()) => {
                    if sources.pos.remove_customer(customer.id, &now).await? {
                        break (TrialState::Removed, None);
                    }
                }
            }
        };
        sources.store.put_customer(&TrialCustomer { state, sentence, ..customer }).await?;
    }
    Ok(())
}
