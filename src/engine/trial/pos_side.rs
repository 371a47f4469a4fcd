//! Taking the trial's rows out of RainTek: one transaction a bill, each compared under the lock, its rows copied first.

use std::collections::BTreeSet;

use super::steps::of_before;
use super::{GoLiveStep, Shared, Sources, show};
use crate::engine::attempt::copy_rows;
use crate::model::awareness::BillKey;
use crate::model::bill::{FoundBill, Lookup, Plan};
use crate::model::fault::Fault;
use crate::model::status::Progress;
use crate::model::trial::{TrialBill, TrialCustomer, TrialState};
use crate::ports::trial::confirmed;
use crate::sync::awareness::key;
use crate::sync::numbering::counter_of;
use crate::sync::trial::{Fate, bill_fate, customer_fate};

/// Numbers of all bills of the trial.
pub(super) fn numbers(bills: &[TrialBill]) -> BTreeSet<String> {
    bills.iter().map(|bill| bill.number.trim().to_uppercase()).collect()
}

/// Removes what still stands as it was written; each that is done is stored before the next.
pub(super) async fn remove_bills(shared: &Shared, sources: &Sources) -> Result<(), Fault> {
    let bills = sources.store.bills().await?;
    let before = of_before(sources).await?;
    let numbers = numbers(&bills);
    let total = u64::try_from(bills.len()).unwrap_or_default();
    for (bill, done) in bills.into_iter().zip(0..) {
        show(shared, GoLiveStep::Bills, Some(Progress { done, total }));
        if bill.state != TrialState::Standing {
            continue;
        }
        let is_of_before = before.contains(&bill.record_id);
        let became = remove_bill(shared, sources, bill, is_of_before, &numbers).await?;
        sources.store.put_bill(&became, None).await?;
    }
    Ok(())
}

/// Returns what is to be remembered of it.
async fn remove_bill(
    shared: &Shared,
    sources: &Sources,
    bill: TrialBill,
    is_of_before: bool,
    numbers: &BTreeSet<String>,
) -> Result<TrialBill, Fault> {
    let removed = |bill| TrialBill { state: TrialState::Removed, sentence: None, ..bill };
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
        let plan = match bill_fate(&bill, &found.bills, numbers) {
            Fate::Remove(plan) if copied.as_ref() == Some(&plan.before) => plan,
            other => {
                transaction.rollback().await;
                match other {
                    Fate::Gone => return Ok(removed(bill)),
                    Fate::Leave(why) => {
                        if !is_of_before {
                            sources.store.disown(&stay(&bill, &found.bills)).await?;
                        }
                        return Ok(TrialBill { state: TrialState::Left, sentence: Some(why), ..bill });
                    }
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
        return Ok(removed(bill));
    }
}

/// Bills of the trial that stay, by what stands under the number and Inv_ID of one of them: the mark that they carry
/// means nothing any more. Of number, Inv_ID and mark one may be another by now, or was never read back.
fn stay(bill: &TrialBill, there: &[FoundBill]) -> Vec<BillKey> {
    let agree = |found: &FoundBill| {
        [found.has_number(&bill.number), Some(found.inv_id()) == bill.inv_id, found.has_our_mark()]
    };
    let is_it = |found: &&FoundBill| agree(found).into_iter().filter(|same| *same).count() >= 2;
    there.iter().filter(is_it).map(key).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bill::{Row, Value};
    use crate::model::ids::RecordId;
    use crate::model::invoice::TaxType;

    fn bill(number: &str, inv_id: Option<i32>) -> TrialBill {
        TrialBill {
            number: number.to_owned(),
            inv_id,
            record_id: RecordId::new("r1"),
            tax_type: TaxType::Gst,
            bill: None,
            planned: None,
            own_counter: false,
            state: TrialState::Standing,
            sentence: None,
        }
    }

    #[test]
    fn numbers_are_known_however_they_are_written() {
        let all = numbers(&[bill(" gst-1 ", None), bill("GST-2", Some(4))]);
        assert_eq!(all, BTreeSet::from(["GST-1".to_owned(), "GST-2".to_owned()]));
    }

    #[test]
    fn what_stays_is_known_by_what_stands_there() {
        let there = |number: &str, inv_id: i64, till: &str| FoundBill {
            info: Row(std::collections::BTreeMap::from([
                ("Inv_ID".to_owned(), Value::Int(inv_id)),
                ("InvoiceNo".to_owned(), Value::Text(number.into())),
                ("TillID".to_owned(), Value::Text(till.into())),
            ])),
            ..FoundBill::default()
        };
        let found =
            [there("GST-1", 4, "SHOPSYNC"), there("GST-9", 5, "SHOPSYNC"), there("GST-2", 6, "TILL-1")];
        let keys = |bill| stay(&bill, &found);
        assert_eq!(keys(bill("gst-1", None)), [BillKey::new(4, "GST-1")], "it was never read back");
        assert_eq!(keys(bill("GST-3", Some(5))), [BillKey::new(5, "GST-9")], "it has another number");
        assert_eq!(keys(bill("GST-2", Some(6))), [BillKey::new(6, "GST-2")], "its mark was taken off");
        assert_eq!(keys(bill("GST-1", Some(8))), [BillKey::new(4, "GST-1")], "it has another Inv_ID");
        assert!(keys(bill("GST-3", Some(6))).is_empty(), "a till has its Inv_ID");
        assert!(keys(bill("GST-2", None)).is_empty(), "a till has its number");
    }
}
