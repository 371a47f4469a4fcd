//! The heart: what is to be done so that RainTek holds a bill as it is desired. The same function decides a push,
//! verifies what was written, and looks up an unknown outcome; there is no second definition of "equal".

use crate::model::bill::{
    Conflict, Desired, DesiredCustomer, Difference, Found, FoundBill, InsertPlan, PaymentChange, Plan,
    RemovePlan, ReplacePlan, Row, Value,
};
use crate::model::ids::CustomerId;
use crate::model::invoice::TaxType;
use crate::sync::numbering::{counter_of, customer_text};
use crate::sync::posting;

/// Decides from what is desired and what was found under the lock.
pub fn plan(desired: &Desired, found: &Found) -> Plan {
    let own = posting::parted(desired, found);
    let (desired, found) = own.as_ref().map_or((desired, found), |(desired, found)| (desired, found));
    let plan = plan_bill(desired, found);
    let writes = matches!(plan, Plan::Insert(_) | Plan::Replace(_));
    match posting::stray(desired, found).filter(|_| writes) {
        Some(conflict) => Plan::Conflict(conflict),
        None => plan,
    }
}

fn plan_bill(desired: &Desired, found: &Found) -> Plan {
    let of_number: Vec<&FoundBill> =
        found.bills.iter().filter(|bill| bill.has_number(&desired.number)).collect();
    let known = found.known.and_then(|id| found.bills.iter().find(|bill| bill.inv_id() == id));
    match (of_number.as_slice(), known) {
        ([], None) => insert(desired, found),
        // Under its known Inv_ID stands a bill of another number: ours whose number was changed, or one of
        // RainTek's that took over the Inv_ID after ours was deleted.
        ([], Some(bill)) if bill.has_our_mark() => replace(desired, found, bill),
        ([], Some(_)) => insert(desired, found),
        ([bill], known) => {
            let ours = bill.has_our_mark() || known.is_some_and(|known| known.inv_id() == bill.inv_id());
            let elsewhere = known.filter(|known| known.inv_id() != bill.inv_id() && known.has_our_mark());
            match (ours, elsewhere) {
                (false, _) => Plan::Conflict(Conflict::NumberTaken {
                    inv_id: bill.inv_id(),
                    grand_total: bill.info.decimal("GrandTotal"),
                }),
                (true, Some(other)) => {
                    Plan::Conflict(Conflict::Ambiguous { inv_ids: vec![bill.inv_id(), other.inv_id()] })
                }
                (true, None) => replace(desired, found, bill),
            }
        }
        (several, _) => Plan::Conflict(Conflict::Ambiguous {
            inv_ids: several.iter().map(|bill| bill.inv_id()).collect(),
        }),
    }
}

/// What is to be done so that RainTek no longer holds a bill of ours; `None` where it does not.
pub fn plan_removal(number: &str, tax_type: TaxType, found: &Found) -> Option<Plan> {
    let of_number: Vec<&FoundBill> = found.bills.iter().filter(|bill| bill.has_number(number)).collect();
    match of_number.as_slice() {
        [] => None,
        [bill] if bill.has_our_mark() || found.known == Some(bill.inv_id()) => {
            Some(Plan::Remove(Box::new(RemovePlan {
                inv_id: bill.inv_id(),
                tax_type,
                counter_ids: bill.counter.iter().map(|row| row.int("ID")).collect(),
                postings: posting::undo(bill),
                before: (*bill).clone(),
            })))
        }
        [bill] => Some(Plan::Conflict(Conflict::NumberTaken {
            inv_id: bill.inv_id(),
            grand_total: bill.info.decimal("GrandTotal"),
        })),
        several => Some(Plan::Conflict(Conflict::Ambiguous {
            inv_ids: several.iter().map(|bill| bill.inv_id()).collect(),
        })),
    }
}

/// Every place in which a bill differs from what is desired: empty means the same.
pub fn differences(desired: &Desired, bill: &FoundBill) -> Vec<Difference> {
    let mut all = Vec::new();
    row_differences("InvoiceInfo", 0, &desired.info, &bill.info, &mut all);
    let customer = bill.info.int(&desired.customer_column);
    if desired.customer != DesiredCustomer::Existing(CustomerId::try_from(customer).unwrap_or_default()) {
        all.push(Difference {
            table: "InvoiceInfo",
            row: 0,
            column: desired.customer_column.clone(),
            desired: match &desired.customer {
                DesiredCustomer::Existing(id) => id.to_string(),
                DesiredCustomer::New(_) => "a new customer".to_owned(),
            },
            found: customer.to_string(),
        });
    }
    rows_differences("Invoice_Product", &desired.lines, &bill.lines, &mut all);
    rows_differences("Invoice_Payment", &desired.payments, &bill.payments, &mut all);
    if bill.counter.is_empty() && desired.counter_row.is_some() {
        all.push(count_difference("counter", 1, 0));
    }
    posting::differences(desired, bill, &mut all);
    all
}

fn insert(desired: &Desired, found: &Found) -> Plan {
    let marks = &found.marks;
    let inv_id = marks.inv_id.saturating_add(1);
    let (customer_id, new_customer) = customer(desired, found);
    let mut info = desired.info.clone();
    set(&mut info, "Inv_ID", inv_id.into());
    set(&mut info, &desired.customer_column, customer_id.into());
    let postings = posting::change(desired, found, None, new_customer.as_ref());
    Plan::Insert(Box::new(InsertPlan {
        inv_id,
        customer_id,
        new_customer,
        info,
        lines: numbered(&desired.lines, "IPo_ID", marks.line_id, inv_id),
        payments: numbered(&desired.payments, "IP_ID", marks.payment_id, inv_id),
        tax_type: desired.tax_type,
        counter_row: counter_row(desired, found).filter(|_| !marks.counter_has_number),
        postings,
    }))
}

fn replace(desired: &Desired, found: &Found, bill: &FoundBill) -> Plan {
    let inv_id = bill.inv_id();
    let (customer_id, new_customer) = customer(desired, found);
    if differences(desired, bill).is_empty() {
        return Plan::Nothing { inv_id, customer_id };
    }
    let mut info = desired.info.clone();
    set(&mut info, &desired.customer_column, customer_id.into());
    let lines_differ = !same_rows(&desired.lines, &bill.lines);
    let payments_differ = !same_rows(&desired.payments, &bill.payments);
    let lines = numbered(&desired.lines, "IPo_ID", found.marks.line_id, inv_id);
    let postings = posting::change(desired, found, Some(bill), new_customer.as_ref());
    Plan::Replace(Box::new(ReplacePlan {
        inv_id,
        customer_id,
        new_customer,
        info,
        lines: lines_differ.then_some(lines),
        payments: payments_differ.then(|| payment_change(desired, found, bill)),
        counter_row: counter_row(desired, found)
            .filter(|_| bill.counter.is_empty() && !found.marks.counter_has_number),
        counter_ids: left_behind(desired, found, bill),
        tax_type: desired.tax_type,
        postings,
        before: bill.clone(),
    }))
}

fn customer(desired: &Desired, found: &Found) -> (CustomerId, Option<Row>) {
    match &desired.customer {
        DesiredCustomer::Existing(id) => (*id, None),
        DesiredCustomer::New(row) => {
            let id = found.marks.customer_id.saturating_add(1);
            let mut row = row.clone();
            set(&mut row, "ID", id.into());
            let number = customer_text(found.marks.customer_number.saturating_add(1));
            row.0.insert("CustomerID".into(), Value::Text(number));
            (id, Some(row))
        }
    }
}

/// The counter's ID is the number's own N where that is free, so that RainTek's next bill follows it.
fn counter_row(desired: &Desired, found: &Found) -> Option<Row> {
    let marks = &found.marks;
    let id = desired.counter.filter(|_| !marks.counter_taken).unwrap_or(marks.counter.saturating_add(1));
    let mut row = desired.counter_row.clone()?;
    set(&mut row, "ID", id.into());
    Some(row)
}

/// Counter rows that go with the number that a bill loses. Where another bill carries that number as well, one row
/// stays for it: the one under the number's own N, for RainTek's till wrote or would have written that.
fn left_behind(desired: &Desired, found: &Found, bill: &FoundBill) -> Vec<i64> {
    let Some(former) = found.former.as_ref().filter(|_| !bill.has_number(&desired.number)) else {
        return Vec::new();
    };
    let own = counter_of(bill.info.text("InvoiceNo")).map(i64::from);
    let mut ids: Vec<i64> = former.counter.iter().map(|row| row.int("ID")).collect();
    ids.sort_by_key(|id| (Some(*id) != own, *id));
    ids.split_off(usize::from(former.shared).min(ids.len()))
}

/// Rows of this bill; the key is left to the server where it numbers the column itself.
fn numbered(rows: &[Row], key: &str, highest: i32, inv_id: i32) -> Vec<Row> {
    rows.iter()
        .zip(1_i64..)
        .map(|(row, offset)| {
            let mut row = row.clone();
            set(&mut row, "InvoiceID", inv_id.into());
            set(&mut row, key, i64::from(highest).saturating_add(offset));
            row
        })
        .collect()
}

fn payment_change(desired: &Desired, found: &Found, bill: &FoundBill) -> PaymentChange {
    let rows = numbered(&desired.payments, "IP_ID", found.marks.payment_id, bill.inv_id());
    let ids: Vec<i64> = bill.payments.iter().map(|row| row.int("IP_ID")).collect();
    let kept = rows.len().min(ids.len());
    let mut rows = rows.into_iter();
    let update = ids
        .iter()
        .copied()
        .zip(rows.by_ref().take(kept))
        .map(|(id, mut row)| {
            row.0.retain(|name, _| !name.eq_ignore_ascii_case("IP_ID"));
            (id, row)
        })
        .collect();
    PaymentChange { update, insert: rows.collect(), delete: ids.iter().skip(kept).copied().collect() }
}

fn set(row: &mut Row, column: &str, value: i64) {
    row.0.insert(column.to_owned(), Value::Int(value));
}

pub(super) fn same_row(desired: &Row, found: &Row) -> bool {
    desired.0.iter().all(|(name, value)| found.get(name).is_some_and(|there| there.same(value)))
}

/// The same rows in any order: the server may number the rows of one INSERT as it likes.
pub(super) fn same_rows(desired: &[Row], found: &[Row]) -> bool {
    if desired.len() != found.len() {
        return false;
    }
    if desired.iter().zip(found).all(|(left, right)| same_row(left, right)) {
        return true;
    }
    let mut left: Vec<&Row> = found.iter().collect();
    desired.iter().all(|row| {
        left.iter().position(|there| same_row(row, there)).map(|index| left.swap_remove(index)).is_some()
    })
}

pub(super) fn rows_differences(
    table: &'static str,
    desired: &[Row],
    found: &[Row],
    all: &mut Vec<Difference>,
) {
    if same_rows(desired, found) {
        return;
    }
    if desired.len() != found.len() {
        all.push(count_difference(table, desired.len(), found.len()));
    }
    for (index, (left, right)) in desired.iter().zip(found).enumerate() {
        row_differences(table, index, left, right, all);
    }
}

fn row_differences(table: &'static str, row: usize, desired: &Row, found: &Row, all: &mut Vec<Difference>) {
    for (name, value) in &desired.0 {
        let there = found.get(name);
        if !there.is_some_and(|there| there.same(value)) {
            all.push(Difference {
                table,
                row,
                column: name.clone(),
                desired: value.to_string(),
                found: there.map_or_else(|| "no such column".to_owned(), Value::to_string),
            });
        }
    }
}

fn count_difference(table: &'static str, desired: usize, found: usize) -> Difference {
    Difference {
        table,
        row: 0,
        column: String::new(),
        desired: format!("{desired} rows"),
        found: format!("{found} rows"),
    }
}

#[cfg(test)]
#[path = "plan_properties.rs"]
mod properties;
#[cfg(test)]
#[path = "renumber_tests.rs"]
mod renumber_tests;
#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
