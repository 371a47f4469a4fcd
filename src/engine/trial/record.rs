//! What the trial writes is in the store before RainTek commits it, and again as it was read back.

use super::{Shared, Sources, TrialBegin};
use crate::model::awareness::{BillKey, BillPage};
use crate::model::bill::{Found, FoundBill, Lookup, Plan};
use crate::model::fault::Fault;
use crate::model::ids::{CustomerId, InvId, RecordId};
use crate::model::invoice::{InvoiceRead, TaxType};
use crate::model::outbox::Item;
use crate::model::schema::PosSchema;
use crate::model::trial::{TrialBill, TrialCustomer, TrialState};
use crate::sync::audit::{Audit, audit};
use crate::sync::awareness::key;
use crate::sync::numbering::counter_of;
use crate::sync::trial::{self as decide, difference, is_made, planned};

/// Bills in one page.
const PAGE: u32 = 200;

/// Keeps what is about to be committed. Inside the transaction, since only there every number is known.
pub(in crate::engine) async fn about_to_write(
    shared: &Shared,
    item: &Item,
    plan: &Plan,
    schema: &PosSchema,
) -> Result<(), Fault> {
    if let Plan::Insert(insert) = plan {
        let key = BillKey::new(insert.inv_id, insert.info.text("InvoiceNo"));
        let ours_again = shared.trial.lock().disowned.remove(&key);
        if let (true, Some(sources)) = (ours_again, shared.trial.sources.get()) {
            sources.store.own(&key).await?;
        }
    }
    let Some((sources, begin)) = shared.trial.running() else { return Ok(()) };
    let Some((write, own_counter)) = planned(plan, schema) else { return Ok(()) };
    let (number, tax_type) = match plan {
        Plan::Insert(plan) => (plan.info.text("InvoiceNo").trim().to_owned(), plan.tax_type),
        Plan::Replace(plan) => (write.bill.info.text("InvoiceNo").trim().to_owned(), plan.tax_type),
        _ => return Ok(()),
    };
    let known = match plan {
        Plan::Replace(replace) => {
            let mut known = sources.store.bill(&number).await?;
            if known.is_none() {
                // It may have had another number until now.
                let all = sources.store.bills().await?;
                known = all.into_iter().find(|bill| bill.inv_id == Some(replace.inv_id));
            }
            if known.is_none() && replace.inv_id <= begin.inv_mark {
                // It stood there before the trial: it stays, as it is then.
                return Ok(());
            }
            Some(known.unwrap_or_else(|| found_again(&number, &item.record_id, tax_type, &replace.before)))
        }
        _ => None,
    };
    let bill = TrialBill {
        inv_id: known.as_ref().and_then(|bill| bill.inv_id),
        own_counter: own_counter || known.as_ref().is_some_and(|bill| bill.own_counter),
        bill: known.and_then(|bill| bill.bill),
        number,
        record_id: item.record_id.clone(),
        tax_type,
        planned: Some(write),
        state: TrialState::Standing,
        sentence: None,
    };
    sources.store.put_bill(&bill, None).await
}

/// A bill of ours that stands there though nothing was kept of it: a store that was put back from a backup.
fn found_again(number: &str, record_id: &RecordId, tax_type: TaxType, there: &FoundBill) -> TrialBill {
    TrialBill {
        number: number.to_owned(),
        inv_id: Some(there.inv_id()),
        record_id: record_id.clone(),
        tax_type,
        own_counter: !there.counter.is_empty(),
        bill: Some(there.clone()),
        planned: None,
        state: TrialState::Standing,
        sentence: None,
    }
}

/// Keeps a bill as it was just proven, and the customer that was made with it.
pub(in crate::engine) async fn proven(
    shared: &Shared,
    number: &str,
    inv_id: InvId,
    tax_type: TaxType,
    record_id: &RecordId,
) -> Result<(), Fault> {
    let Some((sources, begin)) = shared.trial.running() else { return Ok(()) };
    let known = sources.store.bill(number).await?;
    match known {
        Some(known) if known.planned.is_none() && known.inv_id == Some(inv_id) => return Ok(()),
        None if inv_id <= begin.inv_mark => return Ok(()),
        _ => {}
    }
    let there = sources.pos.stands(number, inv_id, tax_type).await?;
    let Some(there) = there.into_iter().find(|bill| bill.inv_id() == inv_id) else { return Ok(()) };
    let known = known.unwrap_or_else(|| found_again(number, record_id, tax_type, &there));
    read_back(sources, known, there).await
}

/// Stores a bill as it stands there, in place of what was planned.
async fn read_back(sources: &Sources, known: TrialBill, mut there: FoundBill) -> Result<(), Fault> {
    if !known.own_counter {
        there.counter.clear();
    }
    let new = known.planned.as_ref().and_then(|planned| planned.new_customer.clone());
    let customer = match (new, customer_of(&there)) {
        (Some(planned), Some(id)) => {
            let row = sources.pos.customer(id).await?.row.filter(|row| is_made(&planned, row));
            row.map(|row| TrialCustomer { id, row, state: TrialState::Standing, sentence: None })
        }
        _ => None,
    };
    let bill = TrialBill { inv_id: Some(there.inv_id()), bill: Some(there), planned: None, ..known };
    sources.store.put_bill(&bill, customer.as_ref()).await
}

fn customer_of(bill: &FoundBill) -> Option<CustomerId> {
    let column = ["Customer_ID", "CustomerID"].into_iter().find(|name| bill.info.get(name).is_some())?;
    CustomerId::try_from(bill.info.int(column)).ok().filter(|id| *id > 0)
}

/// A bill that a person took out of RainTek is nobody's to take back.
pub(in crate::engine) async fn taken_back(shared: &Shared, number: &str) -> Result<(), Fault> {
    match shared.trial.running() {
        Some((sources, _)) => sources.store.drop_bill(number).await,
        None => Ok(()),
    }
}

/// Bills that were left to RainTek are not taken for ours by their mark.
pub(in crate::engine) fn disown(shared: &Shared, found: &mut Found) {
    let now = shared.trial.lock();
    if now.disowned.is_empty() {
        return;
    }
    for bill in &mut found.bills {
        if now.disowned.contains(&key(bill)) {
            decide::disown(bill);
        }
    }
}

/// Whether a bill that carries our mark is RainTek's all the same.
pub(in crate::engine) fn is_disowned(shared: &Shared, bill: &BillKey) -> bool {
    shared.trial.lock().disowned.contains(bill)
}

/// Whether ShopSync wrote the bill, by its mark, and did not leave it to RainTek.
pub(in crate::engine) fn has_our_mark(shared: &Shared, bill: &FoundBill) -> bool {
    bill.has_our_mark() && !is_disowned(shared, &key(bill))
}

/// Makes the records whole: what was committed and not read back since, and what carries our mark though nothing was
/// kept of it. Returns bills of the latter kind that cannot be told to be the trial's.
pub(super) async fn make_whole(
    shared: &Shared,
    sources: &Sources,
    begin: &TrialBegin,
) -> Result<Vec<String>, Fault> {
    let records = sources.store.bills().await?;
    for known in records.iter().filter(|known| known.planned.is_some()) {
        let Some(planned) = &known.planned else { continue };
        let there = sources.pos.stands(&known.number, known.inv_id.unwrap_or(-1), known.tax_type).await?;
        let is_it = |bill: &&FoundBill| {
            bill.has_our_mark() && difference(&planned.bill, bill, known.own_counter).is_none()
        };
        if let Some(there) = there.iter().find(is_it) {
            read_back(sources, known.clone(), there.clone()).await?;
        }
    }
    let mut unclear = Vec::new();
    let mut page = BillPage { after: begin.inv_mark, from: None, limit: PAGE };
    loop {
        let bills = shared.world.pos.bills(&page).await?;
        for bill in bills.iter().filter(|bill| bill.has_our_mark()) {
            let number = bill.info.text("InvoiceNo").trim().to_owned();
            let is_kept = sources.store.bill(&number).await?.is_some();
            if is_kept || is_disowned(shared, &key(bill)) {
                continue;
            }
            if !found_by_outbox(shared, sources, &number, bill.inv_id()).await? {
                let inv_id = bill.inv_id();
                unclear.push(format!(
                    "Left in RainTek: {number} (Inv_ID {inv_id}) carries ShopSync's mark, but nothing tells that the \
                     trial wrote it."
                ));
            }
        }
        if bills.len() < usize::try_from(PAGE).unwrap_or_default() {
            return Ok(unclear);
        }
        page.after = bills.last().map_or(page.after, FoundBill::inv_id);
    }
}

/// The outbox knows the bill, and it stands as the app has it: then it is the trial's.
async fn found_by_outbox(
    shared: &Shared,
    sources: &Sources,
    number: &str,
    inv_id: InvId,
) -> Result<bool, Fault> {
    let known = sources.store.known_invoices().await?;
    for (id, _) in known.iter().filter(|(_, other)| other.trim().eq_ignore_ascii_case(number)) {
        let InvoiceRead::Found(invoice) = shared.world.billing.invoice(id).await? else { continue };
        let codes = invoice.lines.iter().map(|line| line.product_code.trim().to_owned());
        let lookup = Lookup {
            number: number.to_owned(),
            inv_id: Some(inv_id),
            tax_type: invoice.tax_type,
            counter: counter_of(number),
            product_codes: codes.chain(shared.rules.map.unknown_item.clone()).collect(),
            phone: None,
        };
        let found = shared.world.pos.inspect(&lookup).await?;
        let schema = shared.world.pos.schema().await?;
        if audit(&invoice, inv_id, &found, &schema, &shared.rules.map) == Audit::Same {
            let there = sources.pos.stands(number, inv_id, invoice.tax_type).await?;
            if let Some(there) = there.iter().find(|bill| bill.inv_id() == inv_id) {
                let bill = found_again(number, id, invoice.tax_type, there);
                sources.store.put_bill(&bill, None).await?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}
