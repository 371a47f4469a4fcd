use super::*;
use crate::model::bill::{Plan, Value};
use crate::model::posting::Book;
use crate::model::settings::PostingSettings;
use crate::sync::fixtures::{context, decimal, found, invoice, schema};
use crate::sync::mapping::desired_bill;
use crate::sync::plan::plan;

fn at(days: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::days(days)
}

fn booked_by(context: &MapContext) -> Found {
    let desired = desired_bill(&invoice(), &found(), &schema(), context).unwrap();
    let Plan::Insert(plan) = plan(&desired, &found()) else { panic!() };
    let bill = FoundBill {
        info: plan.info,
        lines: plan.lines,
        payments: plan.payments,
        counter: plan.counter_row.into_iter().collect(),
        postings: plan.postings.insert,
    };
    Found { bills: vec![bill], ..found() }
}

fn booked() -> Found {
    booked_by(&context())
}

/// Judged as a shop would: with the digest that was kept when it was proven.
fn judge_as(found: &Found, proven: Option<&str>, context: &MapContext) -> Verdict {
    verdict(&invoice(), 701, found, proven, &schema(), context)
}

fn judge(found: &Found) -> Verdict {
    let proven = found_digest(&booked().bills[0]);
    judge_as(found, Some(&proven), &context())
}

fn mismatch(verdict: Verdict) -> Mismatch {
    match verdict {
        Verdict::Mismatch(mismatch) => mismatch,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_scan_is_a_week_after_the_first_start() {
    assert_eq!(next_due(at(0), at(0), None, false), at(7));
    assert_eq!(next_due(at(9), at(0), Some(at(8)), false), at(15));
    assert_eq!(next_due(at(9), at(0), Some(at(8)), true), at(9));
    // A clock that ran ahead does not put the next one off for longer than a week.
    assert_eq!(next_due(at(9), at(0), Some(at(400)), false), at(16));
}

#[test]
fn a_scan_that_cannot_run_is_said_after_two_weeks_and_not_at_once() {
    let zone = Tz::Asia__Kolkata;
    let hour = TimeDelta::hours(1);
    assert_eq!(overdue(at(13), at(0), at(0), None, zone), None);
    assert!(overdue(at(14), at(0), at(0), None, zone).unwrap().contains("never"));
    // A shop that was closed for a month has an hour for it.
    assert_eq!(overdue(at(30), at(30), at(0), Some(at(1)), zone), None);
    assert_eq!(overdue(at(30) + hour, at(30), at(0), Some(at(17)), zone), None);
    let said = overdue(at(30) + hour, at(30), at(0), Some(at(1)), zone).unwrap();
    assert!(said.contains("16 Jan"), "{said}");
}

#[test]
fn one_sentence() {
    for (ordered, checked, mismatches, unclear, expected) in [
        (false, 147, 0, 0, "Weekly scan: 147 invoices checked, 0 mismatches."),
        (false, 1, 1, 0, "Weekly scan: 1 invoice checked, 1 mismatch."),
        (true, 0, 0, 0, "0 invoices checked, 0 mismatches."),
        (true, 9, 2, 1, "9 invoices checked, 2 mismatches, 1 could not be compared."),
    ] {
        assert_eq!(summary(ordered, checked, mismatches, unclear), expected);
    }
}

#[test]
fn what_was_proven_and_stands_there_is_no_mismatch_whatever_changed_around_it() {
    type Change = (&'static str, fn(&mut Found, &mut MapContext));
    let changes: [Change; 7] = [
        ("nothing", |_, _| {}),
        ("a payment renamed in the settings", |_, context| {
            context.payments.insert("cash".into(), "Cash box".into());
        }),
        ("the cost price", |found, _| found.products[0].cost_price = decimal("25")),
        ("the item's product is another one by now", |found, _| found.products[0].pid = 99),
        ("the product is gone", |found, _| found.products.clear()),
        ("the customer's phone", |found, _| found.customer = Some(5)),
        ("a till opened it and saved it unchanged", |found, _| {
            found.bills[0].info.0.insert("TillID".into(), Value::Text("COUNTER-1".into()));
            found.bills[0].info.0.insert("Eway".into(), Value::Text("EWB-1".into()));
        }),
    ];
    for (what, change) in changes {
        let (mut found, mut context) = (booked(), context());
        let proven = found_digest(&found.bills[0]);
        change(&mut found, &mut context);
        let verdict = judge_as(&found, Some(&proven), &context);
        assert!(matches!(verdict, Verdict::Same { .. }), "{what}: {verdict:?}");
    }
}

#[test]
fn a_column_that_raintek_got_since_is_no_mismatch() {
    let found = booked();
    let mut schema = schema();
    let table = schema.tables.get_mut("InvoiceInfo").unwrap();
    let mut column = table.column("Eway").unwrap().clone();
    column.name = "Eway2".into();
    table.columns.push(column);
    let proven = found_digest(&found.bills[0]);
    for proven in [Some(proven.as_str()), None] {
        let verdict = verdict(&invoice(), 701, &found, proven, &schema, &context());
        assert!(matches!(verdict, Verdict::Same { .. }), "{verdict:?}");
    }
}

#[test]
fn whatever_somebody_did_to_the_bill_is_named() {
    type Change = (&'static str, fn(&mut Found), &'static str);
    let changes: [Change; 9] = [
        (
            "grand total",
            |found| set(&mut found.bills[0].info, "GrandTotal", "96"),
            "GrandTotal: 96 instead of 106",
        ),
        ("a quantity", |found| set(&mut found.bills[0].lines[0], "Qty", "2"), "Qty, row 1: 2 instead of 3"),
        ("a line", |found| found.bills[0].lines.clear(), "0 rows instead of 1 rows"),
        (
            "a payment",
            |found| {
                let text = Value::Text("PhonePe".into());
                found.bills[0].payments[0].0.insert("PaymentMode".into(), text);
            },
            "\"PhonePe\" instead of \"By Cash\"",
        ),
        ("the balance", |found| set(&mut found.bills[0].info, "Balance", "6"), "Balance: 6 instead of 0"),
        ("the counter", |found| found.bills[0].counter.clear(), "counter: 0 rows"),
        ("the customer", |found| set(&mut found.bills[0].info, "Customer_ID", "4"), "its customer"),
        (
            "the barcode",
            |found| {
                found.bills[0].lines[0].0.insert("Barcode".into(), Value::Text("1".into()));
            },
            "Barcode, row 1: \"1\" instead of",
        ),
        (
            "the day",
            |found| {
                let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
                let day = Value::Date(day.and_hms_opt(0, 0, 0).unwrap());
                found.bills[0].info.0.insert("InvoiceDate".into(), day);
            },
            "InvoiceDate: 2026-04-01 instead of 2026-03-31",
        ),
    ];
    for (what, change, expected) in changes {
        let mut found = booked();
        change(&mut found);
        let mismatch = mismatch(judge(&found));
        assert_eq!(mismatch.state, BillState::Edited, "{what}");
        let details = mismatch.details.join("; ");
        assert!(details.contains(expected), "{what}: {details}");
    }
}

fn set(row: &mut crate::model::bill::Row, column: &str, value: &str) {
    row.0.insert(column.into(), Value::Dec(decimal(value)));
}

#[test]
fn totals_are_said_and_what_would_be_right_again_is_known() {
    let right = found_digest(&booked().bills[0]);
    let mut found = booked();
    set(&mut found.bills[0].info, "GrandTotal", "96");
    // Also where nothing was remembered of the bill.
    for proven in [Some(right.as_str()), None] {
        let mismatch = mismatch(judge_as(&found, proven, &context()));
        assert!(mismatch.sentence.contains("app total 106.00, RainTek total 96.00"), "{}", mismatch.sentence);
        assert_eq!((mismatch.total, mismatch.digest.as_deref()), (Some(decimal("96")), Some(right.as_str())));
    }
}

#[test]
fn ledgers_are_compared() {
    let context = MapContext { posting: PostingSettings::ALL, ..context() };
    let mut found = booked_by(&context);
    let proven = found_digest(&found.bills[0]);
    assert!(matches!(judge_as(&found, Some(&proven), &context), Verdict::Same { .. }));
    let ledger = found.bills[0].postings.0.get_mut(&Book::CustomerLedgerBook).unwrap();
    set(&mut ledger[0], "Debit", "1");
    let mismatch = mismatch(judge_as(&found, Some(&proven), &context));
    assert!(mismatch.details[0].starts_with("CustomerLedgerBook.Debit"), "{:?}", mismatch.details);
}

#[test]
fn a_bill_that_is_gone_renumbered_or_replaced_by_another_is_gone() {
    let mut none = booked();
    none.bills.clear();
    let mut renumbered = booked();
    renumbered.bills[0].info.0.insert("InvoiceNo".into(), Value::Text("GST-0999-2025/26".into()));
    let mut elsewhere = booked();
    elsewhere.bills[0].info.0.insert("Inv_ID".into(), Value::Int(702));
    for (found, detail) in [
        (none, ""),
        (renumbered, "Inv_ID 701 is now the bill GST-0999-2025/26"),
        (elsewhere, "the number is now on Inv_ID 702"),
    ] {
        let mismatch = mismatch(judge(&found));
        assert_eq!((mismatch.state, mismatch.total), (BillState::Gone, None));
        assert!(mismatch.sentence.contains("was deleted in RainTek"), "{}", mismatch.sentence);
        assert!(mismatch.details.join("").contains(detail), "{:?}", mismatch.details);
    }
}

#[test]
fn a_number_that_stands_there_twice_is_said_as_that() {
    let mut found = booked();
    let mut other = found.bills[0].clone();
    other.info.0.insert("Inv_ID".into(), Value::Int(650));
    found.bills.push(other);
    let mismatch = mismatch(judge(&found));
    assert_eq!(mismatch.state, BillState::Edited);
    assert!(
        mismatch.sentence.contains("more than once (Inv_ID 701 of the app, and 650)"),
        "{}",
        mismatch.sentence
    );
}

#[test]
fn what_cannot_be_compared_is_no_mismatch_unless_it_was_touched() {
    let mut found = booked();
    found.products.clear();
    assert!(matches!(judge_as(&found, None, &context()), Verdict::Unclear(_)));
    set(&mut found.bills[0].info, "GrandTotal", "96");
    assert_eq!(mismatch(judge(&found)).state, BillState::Edited);
}

#[test]
fn days_are_added_up_and_paired() {
    let day = |n| NaiveDate::from_ymd_opt(2026, 3, n).unwrap();
    let app = day_sums([(day(1), 1, decimal("10")), (day(2), 2, decimal("30")), (day(4), 1, decimal("5"))]);
    // A till that saves a time with the day splits it in two.
    let pos = day_sums([
        (day(1), 1, decimal("10.00")),
        (day(2), 1, decimal("10")),
        (day(2), 1, decimal("21")),
        (day(3), 1, decimal("7")),
    ]);
    assert_eq!(unequal_days(&app, &pos), [day(2), day(3), day(4)]);
    assert_eq!(unequal_days(&pos, &pos), []);
    let said = day_sentence(day(2), &app, &pos);
    assert_eq!(
        said,
        "On 02 Mar 2026 the billing app has 2 for 30.00 in RainTek, RainTek itself has 2 for 31.00."
    );

    let ours =
        |id: &str, inv_id, total| DayInvoice { record_id: RecordId::new(id), inv_id, total: decimal(total) };
    let theirs =
        |inv_id, total| MarkedBill { inv_id, number: format!("GST-{inv_id}"), total: decimal(total) };
    let gaps = day_gaps(
        &[ours("a", 1, "10"), ours("b", 2, "20"), ours("c", 3, "30")],
        &[theirs(1, "10.00"), theirs(2, "21"), theirs(9, "5")],
    );
    assert_eq!(gaps.only_pos, [theirs(9, "5")]);
    assert_eq!(gaps.suspects, [RecordId::new("b"), RecordId::new("c")]);
    assert!(stray_sentence(&gaps.only_pos[0]).contains("GST-9 (5.00, Inv_ID 9)"));
}

#[test]
fn a_price_that_somebody_changed_is_named_in_the_older_generation_too() {
    let schema = crate::sync::fixtures::older_schema();
    let desired = desired_bill(&invoice(), &found(), &schema, &context()).unwrap();
    let Plan::Insert(plan) = plan(&desired, &found()) else { panic!() };
    let counter = plan.counter_row.into_iter().collect();
    let (info, lines, payments) = (plan.info, plan.lines, plan.payments);
    let mut bill = FoundBill { info, lines, payments, counter, ..FoundBill::default() };
    let proven = found_digest(&bill);
    bill.lines[0].0.insert("SellingPrice".into(), Value::Dec(decimal("30.00")));
    let found = Found { bills: vec![bill], ..found() };
    // Also where nobody remembers what was proven.
    for proven in [Some(proven.as_str()), None] {
        let found = mismatch(verdict(&invoice(), 701, &found, proven, &schema, &context()));
        assert_eq!(
            found.details,
            ["Invoice_Product.SellingPrice, row 1: 30.00 instead of 33.33"],
            "{proven:?}"
        );
    }
}
