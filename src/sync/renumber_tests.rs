//! A bill of ours that stands in RainTek and is to carry another number: in its own row, and what stands under the old
//! number goes with it as far as it is ours.

use super::*;
use crate::model::bill::Former;
use crate::model::posting::{Book, Books};
use crate::model::settings::PostingSettings;
use crate::sync::fixtures::{context, found, invoice, schema};
use crate::sync::mapping::{MapContext, desired_bill};

const OLD: &str = "GST-0151-2025/26";
const NEW: &str = "GST-0160-2025/26";

fn numbered(number: &str, found: &Found, posting: PostingSettings) -> Desired {
    let mut invoice = invoice();
    invoice.number = number.into();
    desired_bill(&invoice, found, &schema(), &MapContext { posting, ..context() }).unwrap()
}

/// Ours, as it was written under the old number.
fn standing(posting: PostingSettings) -> FoundBill {
    let desired = numbered(OLD, &found(), posting);
    let Plan::Insert(plan) = plan(&desired, &found()) else { panic!() };
    FoundBill {
        info: plan.info,
        lines: plan.lines,
        payments: plan.payments,
        counter: Vec::new(),
        postings: plan.postings.insert,
    }
}

fn counter(ids: &[i64]) -> Vec<Row> {
    ids.iter()
        .map(|id| {
            let values = [("ID", Value::Int(*id)), ("InvNo", Value::Text(OLD.into()))];
            Row(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        })
        .collect()
}

fn replaced(bill: FoundBill, former: Former, posting: PostingSettings) -> ReplacePlan {
    let known = Some(bill.inv_id());
    let found = Found { bills: vec![bill], known, former: Some(former), ..found() };
    match plan(&numbered(NEW, &found, posting), &found) {
        Plan::Replace(plan) => *plan,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_row_stays_and_the_counter_follows() {
    let table: [(&[i64], bool, &[i64]); 6] = [
        // Alone under its old number: nothing is left of it.
        (&[151], false, &[151]),
        (&[151, 170], false, &[151, 170]),
        (&[], false, &[]),
        // Another bill carries it: one row stays, that of the number's own N where there is one.
        (&[151], true, &[]),
        (&[140, 151, 170], true, &[140, 170]),
        (&[170, 180], true, &[180]),
    ];
    for (there, shared, gone) in table {
        let former = Former { counter: counter(there), shared };
        let plan = replaced(standing(PostingSettings::default()), former, PostingSettings::default());
        assert_eq!(plan.counter_ids, gone, "{there:?} {shared}");
        assert_eq!((plan.inv_id, plan.lines, plan.payments), (701, None, None));
        assert_eq!(plan.info.text("InvoiceNo"), NEW);
        let row = plan.counter_row.unwrap();
        assert_eq!((row.int("ID"), row.text("InvNo")), (160, NEW));
    }
}

#[test]
fn a_number_that_stays_leaves_its_counter_alone() {
    let mut bill = standing(PostingSettings::default());
    bill.counter = counter(&[151]);
    bill.info.0.insert("Remarks".into(), Value::Text("changed".into()));
    let former = Some(Former { counter: counter(&[151]), shared: false });
    let found = Found { known: Some(701), bills: vec![bill], former, ..found() };
    let Plan::Replace(plan) = plan(&numbered(OLD, &found, PostingSettings::default()), &found) else {
        panic!()
    };
    assert_eq!((plan.counter_ids, plan.counter_row), (Vec::new(), None));
}

/// The rows of a till's bill beside ours, under one number.
fn with_theirs(mut ours: Books) -> Books {
    for rows in ours.0.values_mut() {
        let theirs: Vec<Row> = rows
            .iter()
            .map(|row| {
                let mut row = row.clone();
                row.0.insert("ID".into(), Value::Int(row.int("ID") + 1000));
                for column in ["Debit", "Credit", "StockOut"] {
                    if row.get(column).is_some() {
                        row.0.insert(column.into(), Value::Int(777));
                    }
                }
                row
            })
            .collect();
        rows.splice(0..0, theirs);
    }
    ours
}

#[test]
fn postings_of_a_number_that_is_shared_are_parted_by_what_they_say() {
    let former = || Former { counter: counter(&[151]), shared: true };
    // Posted, and still asked for or no longer: ours move, theirs are not touched.
    for asked in [PostingSettings::ALL, PostingSettings::default()] {
        let mut bill = standing(PostingSettings::ALL);
        let ours = bill.postings.clone();
        bill.postings = with_theirs(ours.clone());
        let plan = replaced(bill, former(), asked);
        for (book, rows) in ours.0.iter().filter(|(_, rows)| !rows.is_empty()) {
            let ids: Vec<i64> = rows.iter().map(|row| row.int("ID")).collect();
            assert_eq!(plan.postings.delete.get(book), Some(&ids), "{asked:?} {book:?}");
            let written = plan.postings.insert.rows(*book);
            assert_eq!(written.len(), rows.len());
            assert!(written.iter().all(|row| row.text(book.number_column()) == NEW));
        }
        assert!(plan.postings.stock.is_empty(), "what was sold stays sold");
    }
    // Never posted: everything there is theirs, and nothing is posted now.
    let mut bill = standing(PostingSettings::default());
    bill.postings = with_theirs(standing(PostingSettings::ALL).postings);
    for rows in bill.postings.0.values_mut() {
        rows.retain(|row| row.int("ID") > 1000);
    }
    assert!(!bill.postings.rows(Book::LedgerBook).is_empty());
    let plan = replaced(bill, former(), PostingSettings::default());
    assert!(plan.postings.delete.is_empty() && plan.postings.insert.is_empty(), "{:?}", plan.postings);
    assert!(plan.postings.stock.is_empty());
}

#[test]
fn a_bill_that_moves_to_another_number_and_changes_its_lines_still_tells_its_last_price() {
    let mut bill = standing(PostingSettings::ALL);
    bill.lines[0].0.insert("Qty".into(), Value::Int(2));
    let former = Former { counter: counter(&[151]), shared: true };
    let plan = replaced(bill, former, PostingSettings::ALL);
    assert!(plan.postings.products.contains_key(&11), "{:?}", plan.postings);
}
