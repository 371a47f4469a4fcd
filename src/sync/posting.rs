//! Postings as part of a plan: what is booked beside a bill, taken back and booked again when the bill changes.
//!
//! - Ledgers and stock movements are rows like a bill's own: compared, and rewritten where they differ.
//! - Live stock cannot be compared, since everybody sells from it. It moves by the difference between the lines that
//!   stand there and those that take their place, and only in the transaction that changes the lines. That the old
//!   lines were taken from it is told by the bill's stock movements, which are never written without it.
//! - A bill that was posted stays posted; one that was not is posted when it is next written and the settings ask.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::plan::{rows_differences, same_row, same_rows};
use crate::model::bill::{Conflict, Desired, Difference, Found, FoundBill, Plan, Row, Value};
use crate::model::ids::ProductId;
use crate::model::posting::{Book, PARTY, PostingChange, StockChange};
use crate::model::schema::PosSchema;
use crate::model::settings::PostingSettings;

/// Columns without which postings cannot be written and found again; what else is missing is left out.
const NEEDED: [(bool, &str, &[&str]); 7] = [
    (false, "Temp_Stock", &["ProductID", "Barcode", "Qty"]),
    (false, "StockMovement", &["ID", "ProductID", "StockOut", "TransID"]),
    (false, "Invoice_Product", &["Barcode"]),
    (true, "LedgerBook", &["ID", "LedgerNo", "Label", "Debit", "Credit", PARTY]),
    (true, "CustomerLedgerBook", &["ID", "LedgerNo", "Label", "Debit", "Credit", PARTY]),
    (true, "BankAccountLedger", &["ID", "LedgerNo", "Label", "Credit", PARTY]),
    (true, "Customer", &["CustomerID", "Name"]),
];

/// What of these settings this installation can do, and one sentence for each that it cannot.
pub fn possible(asked: PostingSettings, schema: &PosSchema) -> (PostingSettings, Vec<String>) {
    let mut sentences = Vec::new();
    let mut check = |asked: bool, ledgers: bool, what: &str| {
        let missing =
            NEEDED.iter().filter(|(kind, ..)| *kind == ledgers).find_map(|(_, table, columns)| match schema
                .table(table)
            {
                None => Some(format!("table {table}")),
                Some(found) => columns
                    .iter()
                    .find(|column| found.column(column).is_none())
                    .map(|column| format!("column {table}.{column}")),
            });
        match missing {
            Some(missing) if asked => {
                sentences.push(format!(
                    "{what} not posted: RainTek's database has no {missing}. Switch it off in the settings."
                ));
                false
            }
            missing => asked && missing.is_none(),
        }
    };
    let stock = check(asked.stock, false, "Stock is");
    let ledgers = check(asked.ledgers, true, "Ledgers are");
    (PostingSettings { stock, ledgers }, sentences)
}

/// Every place in which a bill's postings differ from what is wanted. One that was booked without them is the same.
pub(super) fn differences(desired: &Desired, bill: &FoundBill, all: &mut Vec<Difference>) {
    let there = bill.postings.kinds();
    let minded = desired.postings.wanted.and(there.or(desired.postings.written));
    for (book, rows) in desired.postings.books.0.iter().filter(|(book, _)| book.is_in(minded)) {
        rows_differences(book.table(), rows, bill.postings.rows(*book), all);
    }
}

/// Rows under the number that belong to no bill: to write beside them would double them.
pub(super) fn stray(desired: &Desired, found: &Found) -> Option<Conflict> {
    let wanted = desired.postings.wanted;
    let tables: Vec<String> = found
        .postings
        .stray
        .0
        .iter()
        .filter(|(book, rows)| book.is_in(wanted) && !rows.is_empty())
        .map(|(book, _)| book.table().to_owned())
        .collect();
    (!tables.is_empty()).then_some(Conflict::PostingsTaken { tables })
}

/// Where the number that a bill of ours is to lose is carried by another bill, too: takes as ours only those postings
/// under it that say what ours says. Rows of equal content may be told apart by nobody, so that it does not matter
/// which of them goes.
pub(super) fn parted(desired: &Desired, found: &Found) -> Option<(Desired, Found)> {
    found.former.as_ref().filter(|former| former.shared)?;
    let (mut desired, mut found) = (desired.clone(), found.clone());
    let known = found.known;
    let bill = found.bills.iter_mut().find(|bill| Some(bill.inv_id()) == known)?;
    let former = Value::Text(bill.info.text("InvoiceNo").trim().to_owned());
    for (book, rows) in &mut bill.postings.0 {
        let mut ours = desired.postings.books.rows(*book).to_vec();
        for row in &mut ours {
            row.0.insert(book.number_column().to_owned(), former.clone());
        }
        rows.retain(|row| {
            let at = ours.iter().position(|wanted| same_row(wanted, row));
            at.map(|at| ours.swap_remove(at)).is_some()
        });
    }
    let kept = desired.postings.wanted.or(bill.postings.kinds());
    desired.postings.books.0.retain(|book, _| book.is_in(kept));
    if !kept.stock {
        desired.postings.last_prices.clear();
    }
    desired.postings.last_visit = desired.postings.last_visit.filter(|_| kept.ledgers);
    Some((desired, found))
}

/// How postings follow a bill that is written, new or in place of what stood there.
pub(super) fn change(
    desired: &Desired,
    found: &Found,
    before: Option<&FoundBill>,
    new_customer: Option<&Row>,
) -> PostingChange {
    let mut change = PostingChange::default();
    let posted = before.map(|bill| bill.postings.kinds()).unwrap_or_default();
    let lines_change = before.is_none_or(|bill| !same_rows(&desired.lines, &bill.lines));
    for (book, rows) in &desired.postings.books.0 {
        // A movement says that the stock was moved: without it only where it was moved before.
        if !book.is_ledger() && !lines_change && !posted.stock {
            continue;
        }
        let rows = with_party(*book, rows, new_customer);
        let there = before.map(|bill| bill.postings.rows(*book)).unwrap_or_default();
        if before.is_some() && same_rows(&rows, there) {
            continue;
        }
        if book.is_ledger() {
            change.customer.clone_from(&desired.postings.last_visit);
        }
        change.delete.extend(ids(*book, there));
        let highest = found.postings.marks.get(book).copied().unwrap_or_default();
        change.insert.0.insert(*book, numbered(rows, highest));
    }
    if lines_change {
        let taken = before.filter(|_| posted.stock).map(|bill| bill.lines.as_slice()).unwrap_or_default();
        let given = if desired.postings.books.0.contains_key(&Book::StockMovement) {
            change.products.clone_from(&desired.postings.last_prices);
            desired.lines.as_slice()
        } else {
            &[]
        };
        change.stock = stock(taken, given);
    }
    change
}

/// Takes all of a bill's postings back.
pub(super) fn undo(bill: &FoundBill) -> PostingChange {
    let taken = if bill.postings.kinds().stock { bill.lines.as_slice() } else { &[] };
    PostingChange {
        delete: bill.postings.0.iter().flat_map(|(book, rows)| ids(*book, rows)).collect(),
        stock: stock(taken, &[]),
        ..PostingChange::default()
    }
}

/// What must be read back after this plan was written: all that is wanted now stands there.
pub fn as_written(mut desired: Desired, plan: &Plan) -> Desired {
    let (change, customer, before) = match plan {
        Plan::Insert(plan) => (&plan.postings, &plan.new_customer, None),
        Plan::Replace(plan) => (&plan.postings, &plan.new_customer, Some(&plan.before)),
        _ => return desired,
    };
    let posted = before.is_some_and(|bill| bill.postings.kinds().stock);
    let moved = change.insert.0.contains_key(&Book::StockMovement);
    let wanted = desired.postings.wanted;
    desired.postings.written =
        PostingSettings { stock: wanted.stock && (posted || moved), ledgers: wanted.ledgers };
    for (book, rows) in &mut desired.postings.books.0 {
        *rows = with_party(*book, rows, customer.as_ref());
    }
    desired
}

/// What is added to the live stock when lines go and others come; products whose quantity stays are left alone.
pub(super) fn stock(taken: &[Row], given: &[Row]) -> Vec<StockChange> {
    let mut sums: BTreeMap<(ProductId, String), Decimal> = BTreeMap::new();
    for (rows, sign) in [(taken, Decimal::ONE), (given, Decimal::NEGATIVE_ONE)] {
        for row in rows {
            let pid = ProductId::try_from(row.int("ProductID")).unwrap_or_default();
            let barcode = row.text("Barcode").trim_end().to_owned();
            let sum = sums.entry((pid, barcode)).or_default();
            *sum = sum.saturating_add(sign * row.decimal("Qty"));
        }
    }
    sums.into_iter()
        .filter(|(_, quantity)| !quantity.is_zero())
        .map(|((pid, barcode), quantity)| StockChange { pid, barcode, quantity })
        .collect()
}

/// The number of a customer that is made with this bill is given by the plan.
fn with_party(book: Book, rows: &[Row], new_customer: Option<&Row>) -> Vec<Row> {
    let mut rows = rows.to_vec();
    if let Some(customer) = new_customer.filter(|_| book.is_ledger()) {
        for row in &mut rows {
            row.0.insert(PARTY.to_owned(), Value::Text(customer.text("CustomerID").to_owned()));
        }
    }
    rows
}

fn numbered(mut rows: Vec<Row>, highest: i32) -> Vec<Row> {
    for (row, offset) in rows.iter_mut().zip(1_i64..) {
        row.0.insert("ID".to_owned(), Value::Int(i64::from(highest).saturating_add(offset)));
    }
    rows
}

pub(super) fn ids(book: Book, rows: &[Row]) -> Option<(Book, Vec<i64>)> {
    (!rows.is_empty()).then(|| (book, rows.iter().map(|row| row.int("ID")).collect()))
}

#[cfg(test)]
#[path = "posting_tests.rs"]
mod tests;
