use super::*;
use crate::sync::fixtures::{context, decimal, found, invoice, schema};
use crate::sync::mapping::desired_bill;
use proptest::prelude::*;

fn desired() -> Desired {
    desired_bill(&invoice(), &found(), &schema(), &context()).unwrap()
}

/// The bill as RainTek holds it after a plan was written: the model of "apply".
fn applied(plan: &Plan) -> FoundBill {
    match plan {
        Plan::Insert(plan) => FoundBill {
            info: plan.info.clone(),
            lines: plan.lines.clone(),
            payments: plan.payments.clone(),
            counter: plan.counter_row.clone().into_iter().collect(),
            ..FoundBill::default()
        },
        Plan::Replace(plan) => {
            let mut bill = plan.before.clone();
            bill.info.0.extend(plan.info.0.clone());
            if let Some(lines) = &plan.lines {
                bill.lines = lines.clone();
            }
            if let Some(change) = &plan.payments {
                bill.payments.retain(|row| !change.delete.contains(&row.int("IP_ID")));
                for (id, row) in &change.update {
                    let there = bill.payments.iter_mut().find(|there| there.int("IP_ID") == *id).unwrap();
                    there.0.extend(row.0.clone());
                }
                bill.payments.extend(change.insert.clone());
            }
            bill.counter.extend(plan.counter_row.clone());
            bill
        }
        other => panic!("nothing to apply: {other:?}"),
    }
}

fn with_bills(bills: Vec<FoundBill>) -> Found {
    Found { bills, ..found() }
}

#[test]
fn a_new_bill_gets_the_next_ids_and_its_own_counter() {
    let Plan::Insert(plan) = plan(&desired(), &found()) else { panic!() };
    assert_eq!((plan.inv_id, plan.customer_id), (701, 1));
    assert_eq!(plan.counter_row.as_ref().unwrap().int("ID"), 151);
    assert_eq!(plan.lines[0].int("InvoiceID"), 701);
}

#[test]
fn a_taken_counter_moves_on() {
    let mut found = found();
    found.marks.counter_taken = true;
    found.marks.counter = 180;
    let Plan::Insert(first) = plan(&desired(), &found) else { panic!() };
    assert_eq!(first.counter_row.unwrap().int("ID"), 181);
    found.marks.counter_has_number = true;
    let Plan::Insert(second) = plan(&desired(), &found) else { panic!() };
    assert_eq!(second.counter_row, None);
}

#[test]
fn what_was_written_needs_nothing_more() {
    let bill = applied(&plan(&desired(), &found()));
    assert_eq!(plan(&desired(), &with_bills(vec![bill])), Plan::Nothing { inv_id: 701, customer_id: 1 });
}

#[test]
fn lines_in_another_order_are_the_same_bill() {
    let mut two = invoice();
    let mut second = two.lines[0].clone();
    second.quantity = decimal("0.250");
    second.total = decimal("0");
    second.taxable = decimal("0");
    second.taxes = Default::default();
    second.discount = decimal("0");
    second.rate = decimal("0");
    two.lines.push(second);
    two.item_count = Some(2);
    let desired = desired_bill(&two, &found(), &schema(), &context()).unwrap();
    let mut bill = applied(&plan(&desired, &found()));
    bill.lines.reverse();
    assert!(differences(&desired, &bill).is_empty());
    bill.lines[1] = bill.lines[0].clone();
    assert!(!differences(&desired, &bill).is_empty());
}

#[test]
fn every_written_column_is_compared() {
    let bill = applied(&plan(&desired(), &found()));
    for (table, rows) in [("info", 1), ("line", bill.lines.len()), ("payment", bill.payments.len())] {
        assert!(rows > 0);
        let columns: Vec<String> = match table {
            "info" => desired().info.0.keys().cloned().collect(),
            "line" => desired().lines[0].0.keys().cloned().collect(),
            _ => desired().payments[0].0.keys().cloned().collect(),
        };
        for column in columns {
            let mut changed = bill.clone();
            let row = match table {
                "info" => &mut changed.info,
                "line" => &mut changed.lines[0],
                _ => &mut changed.payments[0],
            };
            row.0.insert(column.clone(), Value::Null);
            let outcome = plan(&desired(), &with_bills(vec![changed]));
            // Without number or till it is no longer recognisable as ours, and must not be overwritten.
            match column.as_str() {
                "InvoiceNo" => assert!(matches!(outcome, Plan::Insert(_)), "{column}"),
                "TillID" => assert!(matches!(outcome, Plan::Conflict(_)), "{column}"),
                _ => assert!(matches!(outcome, Plan::Replace(_)), "{table}.{column}: {outcome:?}"),
            }
        }
    }
}

#[test]
fn a_bill_of_raintek_is_never_overwritten() {
    let mut theirs = applied(&plan(&desired(), &found()));
    theirs.info.0.insert("TillID".into(), Value::Text("COUNTER-1".into()));
    let outcome = plan(&desired(), &with_bills(vec![theirs.clone()]));
    assert!(matches!(outcome, Plan::Conflict(Conflict::NumberTaken { inv_id: 701, .. })), "{outcome:?}");
    // Unless our store knows that Inv_ID as ours: somebody saved our bill on RainTek's screen.
    let known = Found { known: Some(701), ..with_bills(vec![theirs]) };
    assert!(matches!(plan(&desired(), &known), Plan::Replace(_)));
}

#[test]
fn an_inv_id_that_raintek_reused_is_left_alone() {
    let mut reused = applied(&plan(&desired(), &found()));
    reused.info.0.insert("TillID".into(), Value::Text("COUNTER-1".into()));
    reused.info.0.insert("InvoiceNo".into(), Value::Text("GST-0999-2025/26".into()));
    let found = Found { known: Some(701), ..with_bills(vec![reused]) };
    assert!(matches!(plan(&desired(), &found), Plan::Insert(_)));
}

#[test]
fn two_bills_of_one_number_are_for_a_person() {
    let bill = applied(&plan(&desired(), &found()));
    let mut second = bill.clone();
    second.info.0.insert("Inv_ID".into(), Value::Int(702));
    let outcome = plan(&desired(), &with_bills(vec![bill, second]));
    assert_eq!(outcome, Plan::Conflict(Conflict::Ambiguous { inv_ids: vec![701, 702] }));
}

#[test]
fn one_payment_row_stays_one_row() {
    let bill = applied(&plan(&desired(), &found()));
    let mut card = invoice();
    card.payment_method = crate::model::invoice::PaymentKind("card".into());
    let desired = desired_bill(&card, &found(), &schema(), &context()).unwrap();
    let Plan::Replace(plan) = plan(&desired, &with_bills(vec![bill])) else { panic!() };
    let change = plan.payments.unwrap();
    assert_eq!((change.update.len(), change.insert.len(), change.delete.len()), (1, 0, 0));
    assert_eq!(plan.lines, None, "lines that are the same stay");
}

#[test]
fn a_new_customer_is_numbered_under_the_lock() {
    let nobody = Found { customer: None, ..found() };
    let desired = desired_bill(&invoice(), &nobody, &schema(), &context()).unwrap();
    let Plan::Insert(plan) = plan(&desired, &nobody) else { panic!() };
    let row = plan.new_customer.unwrap();
    assert_eq!((row.int("ID"), row.text("CustomerID")), (10, "C-0010"));
    assert_eq!(plan.info.int("Customer_ID"), 10);
}

#[test]
fn only_a_bill_of_ours_is_ever_removed() {
    let ours = applied(&plan(&desired(), &found()));
    let removal = |bills: Vec<FoundBill>, known| {
        let found = Found { known, ..with_bills(bills) };
        plan_removal("gst-0151-2025/26 ", TaxType::Gst, &found)
    };
    let Some(Plan::Remove(plan)) = removal(vec![ours.clone()], None) else { panic!() };
    assert_eq!((plan.inv_id, plan.counter_ids), (701, vec![151]));
    let mut theirs = ours.clone();
    theirs.info.0.insert("TillID".into(), Value::Text("COUNTER-1".into()));
    for known in [None, Some(702)] {
        let outcome = removal(vec![theirs.clone()], known);
        let taken = Conflict::NumberTaken { inv_id: 701, grand_total: decimal("106.00") };
        assert_eq!(outcome, Some(Plan::Conflict(taken)), "a till's bill stays");
    }
    // Somebody saved our bill on RainTek's screen: the store knows that it is ours.
    assert!(matches!(removal(vec![theirs], Some(701)), Some(Plan::Remove(_))));
    let outcome = removal(vec![ours.clone(), ours], Some(701));
    assert!(matches!(outcome, Some(Plan::Conflict(Conflict::Ambiguous { .. }))), "two are for a person");
    assert_eq!(removal(Vec::new(), Some(701)), None);
}

proptest! {
    /// Whatever stands there, planning and applying once ends in Nothing: plan is total and idempotent.
    #[test]
    fn applying_a_plan_ends_in_nothing(
        quantity in 1_i64..100_000, rate in 1_i64..1_000_000, count in 1_usize..6,
        earlier_lines in 0_usize..6, earlier_payments in 0_usize..4,
    ) {
        let make = |quantity: i64, rate: i64, count: usize| {
            let mut invoice = invoice();
            let mut line = invoice.lines[0].clone();
            line.quantity = rust_decimal::Decimal::new(quantity, 3);
            line.rate = rust_decimal::Decimal::new(rate, 2);
            line.discount_percent = decimal("0");
            line.discount = decimal("0");
            line.taxes = Default::default();
            line.taxable = decimal("0");
            line.total = decimal("0");
            let line = crate::sync::arithmetic::filled(&line, invoice.tax_type, false);
            invoice.grand_total = line.total * rust_decimal::Decimal::from(count);
            invoice.amount_paid = invoice.grand_total;
            invoice.round_off = decimal("0");
            invoice.taxable = decimal("0");
            invoice.taxes = Default::default();
            invoice.lines = vec![line; count];
            invoice.item_count = u32::try_from(count).ok();
            desired_bill(&invoice, &found(), &schema(), &context()).unwrap()
        };
        let desired = make(quantity, rate, count);
        let mut bill = applied(&plan(&make(rate, quantity, earlier_lines.max(1)), &found()));
        if earlier_lines == 0 {
            bill.lines.clear();
        }
        let payment = bill.payments[0].clone();
        bill.payments = (0..earlier_payments).map(|index| {
            let mut row = payment.clone();
            row.0.insert("IP_ID".into(), Value::Int(i64::try_from(index).unwrap() + 1));
            row
        }).collect();
        let first = plan(&desired, &with_bills(vec![bill.clone()]));
        let after = if matches!(first, Plan::Nothing { .. }) { bill } else { applied(&first) };
        let second = plan(&desired, &with_bills(vec![after]));
        prop_assert!(matches!(second, Plan::Nothing { inv_id: 701, .. }), "{:?}", second);
    }
}
