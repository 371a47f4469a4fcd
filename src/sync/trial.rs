//! What the trial wrote, whether it still stands so, and what of the app came from it (ADR 10).

use std::collections::{BTreeSet, HashSet};

use super::plan::same_rows;
use super::posting;
use crate::model::bill::{FoundBill, Plan, RemovePlan, Row, Value};
use crate::model::ids::RecordId;
use crate::model::posting::Book;
use crate::model::schema::PosSchema;
use crate::model::trial::{
    AppHolds, AppKind, CustomerUse, PlannedWrite, TrialBill, TrialCustomer, TrialRecord,
};

/// What a bill's posting to the customer changes in a customer's row without that being anybody's edit.
const VISIT: &str = "Lvisitdate";

/// Columns of a bill's head that tell a person something, in words, the most telling first.
const TELLING: [(&str, &str); 5] = [
    ("GrandTotal", "the total"),
    ("Customer_ID", "the customer"),
    ("CustomerID", "the customer"),
    ("InvoiceDate", "the date"),
    ("TillID", "the till"),
];

/// The rows as they will stand once this plan is committed; `None` where it writes no bill. Numbers that the server
/// gives itself are left out.
pub fn planned(plan: &Plan, schema: &PosSchema) -> Option<(PlannedWrite, bool)> {
    let (mut bill, new_customer, own_counter) = match plan {
        Plan::Insert(plan) => {
            let bill = FoundBill {
                info: plan.info.clone(),
                lines: plan.lines.clone(),
                payments: plan.payments.clone(),
                counter: plan.counter_row.iter().cloned().collect(),
                postings: plan.postings.insert.clone(),
            };
            (bill, plan.new_customer.clone(), plan.counter_row.is_some())
        }
        Plan::Replace(plan) => {
            let mut bill = plan.before.clone();
            for (name, value) in &plan.info.0 {
                let known = bill.info.0.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
                bill.info.0.insert(known.unwrap_or_else(|| name.clone()), value.clone());
            }
            if let Some(lines) = &plan.lines {
                bill.lines.clone_from(lines);
            }
            if let Some(change) = &plan.payments {
                let kept = change.update.iter().map(|(_, row)| row.clone());
                bill.payments = kept.chain(change.insert.iter().cloned()).collect();
            }
            bill.counter.extend(plan.counter_row.iter().cloned());
            for (book, rows) in &plan.postings.insert.0 {
                bill.postings.0.insert(*book, rows.clone());
            }
            (bill, plan.new_customer.clone(), plan.counter_row.is_some())
        }
        Plan::Remove(_) | Plan::Nothing { .. } | Plan::Conflict(_) => return None,
    };
    let given =
        |table: &str, column: &str| schema.table(table).is_some_and(|table| table.is_identity(column));
    let mut new_customer = new_customer;
    let is_new_bill = matches!(plan, Plan::Insert(_));
    let drop = |rows: &mut [Row], column: &str| {
        rows.iter_mut().for_each(|row| row.0.retain(|name, _| !name.eq_ignore_ascii_case(column)));
    };
    if given("Invoice_Product", "IPo_ID") {
        drop(&mut bill.lines, "IPo_ID");
    }
    if given("Invoice_Payment", "IP_ID") {
        drop(&mut bill.payments, "IP_ID");
    }
    if is_new_bill && given("InvoiceInfo", "Inv_ID") {
        drop(std::slice::from_mut(&mut bill.info), "Inv_ID");
        drop(&mut bill.lines, "InvoiceID");
        drop(&mut bill.payments, "InvoiceID");
    }
    if let Some(customer) = new_customer.as_mut().filter(|_| given("Customer", "ID")) {
        drop(std::slice::from_mut(customer), "ID");
        drop(std::slice::from_mut(&mut bill.info), "Customer_ID");
        drop(std::slice::from_mut(&mut bill.info), "CustomerID");
    }
    for (book, rows) in &mut bill.postings.0 {
        if given(book.table(), "ID") {
            drop(rows, "ID");
        }
    }
    bill.counter.iter_mut().for_each(|row| row.0.retain(|name, _| name == "ID" || name == "InvNo"));
    for table in ["SaleGST", "SaleNoTax"] {
        if given(table, "ID") {
            drop(&mut bill.counter, "ID");
        }
    }
    Some((PlannedWrite { bill, new_customer }, own_counter))
}

/// What becomes of a row of the trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate<T> {
    /// It is not there.
    Gone,
    /// It stands as it was written.
    Remove(T),
    /// It stays, and why.
    Leave(String),
}

/// What becomes of a bill. `found` is what stands under its number and Inv_ID; `numbers` are those of all bills of the
/// trial, in upper case.
pub fn bill_fate(
    record: &TrialBill,
    found: &[FoundBill],
    numbers: &BTreeSet<String>,
) -> Fate<Box<RemovePlan>> {
    let of_number: Vec<&FoundBill> =
        found.iter().filter(|bill| number_of(bill).eq_ignore_ascii_case(record.number.trim())).collect();
    let there = match of_number.as_slice() {
        [] => {
            let renamed = found.iter().find(|bill| {
                Some(bill.inv_id()) == record.inv_id && bill.has_our_mark() && !numbers.contains(&upper(bill))
            });
            return match renamed {
                Some(bill) => Fate::Leave(format!("it has the number {} in RainTek now", number_of(bill))),
                None => Fate::Gone,
            };
        }
        [bill] => *bill,
        several => return Fate::Leave(format!("RainTek has {} bills of this number", several.len())),
    };
    let mut reason = None;
    if let Some(bill) = record.bill.as_ref().filter(|_| record.inv_id == Some(there.inv_id())) {
        match difference(bill, there, record.own_counter) {
            None => return Fate::Remove(removal(record, bill, there)),
            found => reason = found,
        }
    }
    if let Some(planned) = record.planned.as_ref().filter(|_| there.has_our_mark()) {
        match difference(&planned.bill, there, record.own_counter) {
            None => return Fate::Remove(removal(record, &planned.bill, there)),
            found => reason = reason.or(found),
        }
    }
    match reason {
        Some(what) => Fate::Leave(format!("RainTek changed {what} of it")),
        // It was committed or not, and what stands there may be ours after a till has written it anew.
        None if !there.has_our_mark() && record.planned.is_some() && record.inv_id.is_none() => Fate::Leave(
            "it carries no mark of ShopSync's, and whether the trial wrote it cannot be told".to_owned(),
        ),
        // RainTek gave the number out itself: ours never got there, or is gone.
        None if !there.has_our_mark() => Fate::Gone,
        None => Fate::Leave("RainTek has it under another Inv_ID".to_owned()),
    }
}

/// The first thing in which a bill is no longer as it was written; only its own counter rows count.
pub fn difference(was: &FoundBill, is: &FoundBill, own_counter: bool) -> Option<String> {
    let changed = |name: &str| {
        was.info.get(name).is_some_and(|value| !is.info.get(name).is_some_and(|v| v.same(value)))
    };
    if let Some((_, words)) = TELLING.into_iter().find(|(name, _)| changed(name)) {
        return Some(words.to_owned());
    }
    if let Some(column) = was.info.0.keys().find(|name| changed(name)) {
        return Some(format!("{column} in the head"));
    }
    if !same_rows(&was.lines, &is.lines) {
        return Some("the items".to_owned());
    }
    if !same_rows(&was.payments, &is.payments) {
        return Some("the payments".to_owned());
    }
    if own_counter && own_counters(was, is).len() != was.counter.len() {
        return Some("the counter row".to_owned());
    }
    let book =
        Book::ALL.into_iter().find(|book| !same_rows(was.postings.rows(*book), is.postings.rows(*book)));
    book.map(|book| format!("the rows in {}", book.table()))
}

/// IDs of the counter rows that stand there and were written with the bill.
fn own_counters(was: &FoundBill, is: &FoundBill) -> Vec<i64> {
    let is_own = |row: &&Row| {
        was.counter.iter().any(|own| same_rows(std::slice::from_ref(own), std::slice::from_ref(*row)))
    };
    is.counter.iter().filter(is_own).map(|row| row.int("ID")).collect()
}

/// As RainTek's own delete, but for a counter row that was there before the bill.
fn removal(record: &TrialBill, was: &FoundBill, is: &FoundBill) -> Box<RemovePlan> {
    Box::new(RemovePlan {
        inv_id: is.inv_id(),
        tax_type: record.tax_type,
        counter_ids: if record.own_counter { own_counters(was, is) } else { Vec::new() },
        postings: posting::undo(is),
        before: is.clone(),
    })
}

/// What becomes of a customer.
pub fn customer_fate(record: &TrialCustomer, now: &CustomerUse) -> Fate<()> {
    let Some(row) = &now.row else { return Fate::Gone };
    let bills = now.uses.iter().find(|(table, _)| table.eq_ignore_ascii_case("InvoiceInfo"));
    if let Some((table, count)) = bills.or(now.uses.first()) {
        return Fate::Leave(match (bills, count) {
            (Some(_), 1) => "RainTek has a bill of it".to_owned(),
            (Some(_), count) => format!("RainTek has {count} bills of it"),
            (None, 1) => format!("RainTek has a row of it in {table}"),
            (None, count) => format!("RainTek has {count} rows of it in {table}"),
        });
    }
    let changed = record
        .row
        .0
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case(VISIT))
        .find(|(name, value)| !row.get(name).is_some_and(|there| there.same(value)));
    match changed {
        Some((name, _)) => Fate::Leave(format!("RainTek changed the {name} of it")),
        None => Fate::Remove(()),
    }
}

/// Whether this row is the customer that was made with a bill.
pub fn is_made(planned: &Row, row: &Row) -> bool {
    let mut planned = planned.clone();
    planned.0.retain(|name, _| !name.eq_ignore_ascii_case(VISIT));
    same_rows(&[planned], std::slice::from_ref(row))
}

/// Which records of the app came from the trial: invoices first.
///
/// Never what the app held when the trial began. Of an app that ShopSync laid down, everything else; of a shop's own,
/// what ShopSync had to do with: invoices it took up or that carry the number of one, bills of RainTek that it showed,
/// and customers that only such invoices name.
pub fn of_the_trial(
    holds: &AppHolds,
    before: &HashSet<(AppKind, RecordId)>,
    known: &[(RecordId, String)],
) -> Vec<TrialRecord> {
    let is_new = |kind: AppKind, id: &RecordId| !before.contains(&(kind, id.clone()));
    let taken_up: HashSet<&RecordId> =
        known.iter().map(|(id, _)| id).filter(|id| is_new(AppKind::Invoice, id)).collect();
    let numbers: HashSet<String> = known
        .iter()
        .filter(|(id, number)| taken_up.contains(id) && !number.trim().is_empty())
        .map(|(_, number)| number.trim().to_uppercase())
        .collect();
    let goes: HashSet<&RecordId> = holds
        .invoices
        .iter()
        .filter(|invoice| is_new(AppKind::Invoice, &invoice.id))
        .filter(|invoice| {
            holds.laid_down
                || invoice.from_raintek
                || taken_up.contains(&invoice.id)
                || numbers.contains(&invoice.number.trim().to_uppercase())
        })
        .map(|invoice| &invoice.id)
        .collect();
    let named = |going: bool| -> HashSet<&RecordId> {
        let invoices = holds.invoices.iter().filter(|invoice| goes.contains(&invoice.id) == going);
        invoices.filter_map(|invoice| invoice.customer.as_ref()).collect()
    };
    let (by_trial, by_others) = (named(true), named(false));
    let invoices = holds.invoices.iter().filter(|invoice| goes.contains(&invoice.id)).map(|invoice| {
        TrialRecord { kind: AppKind::Invoice, id: invoice.id.clone(), label: invoice.number.clone() }
    });
    let customers = holds
        .customers
        .iter()
        .filter(|customer| is_new(AppKind::Customer, &customer.id))
        .filter(|customer| {
            !by_others.contains(&customer.id) && (holds.laid_down || by_trial.contains(&customer.id))
        })
        .map(|customer| TrialRecord {
            kind: AppKind::Customer,
            id: customer.id.clone(),
            label: customer.name.clone(),
        });
    invoices.chain(customers).collect()
}

/// A bill that stays in RainTek is RainTek's: our mark no longer tells that it is ours.
pub fn disown(bill: &mut FoundBill) {
    let is_mark = |name: &str| ["TillID", "Operator"].iter().any(|mark| name.eq_ignore_ascii_case(mark));
    for (_, value) in bill.info.0.iter_mut().filter(|(name, _)| is_mark(name)) {
        *value = Value::Text(String::new());
    }
}

fn number_of(bill: &FoundBill) -> &str {
    bill.info.text("InvoiceNo").trim()
}

fn upper(bill: &FoundBill) -> String {
    number_of(bill).to_uppercase()
}

#[cfg(test)]
#[path = "trial_tests.rs"]
mod tests;
