use super::*;
use crate::model::bill::Found;
use crate::model::customer::Customer;
use crate::model::invoice::TaxType;
use crate::model::settings::PostingSettings;
use crate::model::trial::{AppCustomer, AppInvoice, TrialState};
use crate::sync::fixtures::{context, decimal, found, invoice, schema};
use crate::sync::mapping::{MapContext, desired_bill};
use crate::sync::plan::plan;

const NUMBER: &str = "GST-0151-2025/26";

/// A bill as the trial wrote it, with ledgers and stock, and as it stands.
fn written() -> (TrialBill, FoundBill) {
    let (unread, there) = unread();
    let record = TrialBill { inv_id: Some(701), bill: Some(there.clone()), planned: None, ..unread };
    (record, there)
}

/// A bill as the trial was about to write it, and as it stands, not read back yet.
fn unread() -> (TrialBill, FoundBill) {
    let context = MapContext { posting: PostingSettings::ALL, ..context() };
    let plan = plan(&desired_bill(&invoice(), &found(), &schema(), &context).unwrap(), &found());
    let (write, own_counter) = planned(&plan, &schema()).unwrap();
    let Plan::Insert(insert) = plan else { panic!() };
    let there = FoundBill {
        info: insert.info,
        lines: insert.lines,
        payments: insert.payments,
        counter: insert.counter_row.into_iter().collect(),
        postings: insert.postings.insert,
    };
    let record = TrialBill {
        number: NUMBER.into(),
        inv_id: None,
        record_id: RecordId::new("r1"),
        tax_type: TaxType::Gst,
        bill: None,
        planned: Some(write),
        own_counter,
        state: TrialState::Standing,
        sentence: None,
    };
    assert_eq!(removed(&bill_fate(&record, std::slice::from_ref(&there), &BTreeSet::new())), Some(701));
    (record, there)
}

fn removed(fate: &Fate<Box<RemovePlan>>) -> Option<i32> {
    match fate {
        Fate::Remove(plan) => Some(plan.inv_id),
        _ => None,
    }
}

fn fate(record: &TrialBill, there: &FoundBill) -> Fate<Box<RemovePlan>> {
    bill_fate(record, std::slice::from_ref(there), &BTreeSet::from([NUMBER.to_owned()]))
}

fn set(row: &mut Row, column: &str, value: Value) {
    row.0.insert(column.into(), value);
}

#[test]
fn a_bill_that_stands_as_it_was_written_is_removed_as_raintek_does() {
    let (record, there) = written();
    let Fate::Remove(plan) = fate(&record, &there) else { panic!() };
    assert_eq!((plan.inv_id, plan.counter_ids.as_slice()), (701, &[151_i64][..]));
    assert_eq!(plan.before, there);
    assert_eq!(plan.postings.stock.len(), 1, "the stock comes back");
    assert!(plan.postings.delete.contains_key(&Book::StockMovement));
    assert_eq!(bill_fate(&record, &[], &BTreeSet::new()), Fate::Gone);
}

#[test]
fn whatever_raintek_changed_is_left() {
    let (record, there) = written();
    let mut changes: Vec<(&str, FoundBill)> = Vec::new();
    let mut change = |what: &'static str, change: &dyn Fn(&mut FoundBill)| {
        let mut changed = there.clone();
        change(&mut changed);
        changes.push((what, changed));
    };
    change("the total", &|bill| set(&mut bill.info, "GrandTotal", Value::Dec(decimal("1"))));
    change("BillCash in the head", &|bill| set(&mut bill.info, "BillCash", Value::Int(9)));
    change("the till", &|bill| set(&mut bill.info, "TillID", Value::Text("TILL-1".into())));
    change("the items", &|bill| bill.lines.push(bill.lines[0].clone()));
    change("the items", &|bill| set(&mut bill.lines[0], "Qty", Value::Int(9)));
    change("the payments", &|bill| bill.payments.clear());
    change("the counter row", &|bill| bill.counter.clear());
    change("the rows in LedgerBook", &|bill| {
        let row = bill.postings.rows(Book::LedgerBook)[0].clone();
        bill.postings.0.get_mut(&Book::LedgerBook).unwrap().push(row);
    });
    for (what, changed) in changes {
        assert_eq!(fate(&record, &changed), Fate::Leave(format!("RainTek changed {what} of it")));
    }
    let twice = [there.clone(), there.clone()];
    assert!(matches!(bill_fate(&record, &twice, &BTreeSet::new()), Fate::Leave(_)));
    let mut renamed = there.clone();
    set(&mut renamed.info, "InvoiceNo", Value::Text("X-1".into()));
    assert!(matches!(fate(&record, &renamed), Fate::Leave(why) if why.contains("X-1")));
    let known = BTreeSet::from(["X-1".to_owned()]);
    assert_eq!(bill_fate(&record, &[renamed], &known), Fate::Gone, "it is kept under its other number");
}

#[test]
fn a_number_that_raintek_gave_out_itself_is_not_touched() {
    let (record, mut there) = written();
    set(&mut there.info, "TillID", Value::Text("TILL-1".into()));
    set(&mut there.info, "Inv_ID", Value::Int(702));
    assert_eq!(fate(&record, &there), Fate::Gone, "ours is gone, theirs has its number");
    let never = TrialBill { inv_id: None, bill: None, ..record };
    assert_eq!(fate(&never, &there), Fate::Gone, "ours never got there");
}

#[test]
fn a_bill_that_was_never_read_back_and_has_no_mark_is_left_and_told() {
    let (record, mut there) = unread();
    set(&mut there.info, "TillID", Value::Text("TILL-1".into()));
    assert!(matches!(fate(&record, &there), Fate::Leave(why) if why.contains("no mark")));
    let replaced = TrialBill { inv_id: Some(700), bill: None, ..record };
    assert_eq!(fate(&replaced, &there), Fate::Gone, "ours had another Inv_ID");
}

#[test]
fn a_counter_row_that_was_there_before_stays() {
    let (mut record, there) = written();
    record.own_counter = false;
    record.bill.as_mut().unwrap().counter.clear();
    let Fate::Remove(plan) = fate(&record, &there) else { panic!() };
    assert!(plan.counter_ids.is_empty());
    // And one that RainTek added under the number.
    let (record, mut there) = written();
    let mut other = there.counter[0].clone();
    set(&mut other, "ID", Value::Int(900));
    there.counter.push(other);
    let Fate::Remove(plan) = fate(&record, &there) else { panic!() };
    assert_eq!(plan.counter_ids, [151]);
}

/// Nobody knows what RainTek makes of the other columns before the bill is read back.
#[test]
fn a_counter_row_that_was_about_to_be_written_is_known_by_its_number_alone() {
    let (record, mut there) = written();
    let context = MapContext { posting: PostingSettings::ALL, ..context() };
    let plan = plan(&desired_bill(&invoice(), &found(), &schema(), &context).unwrap(), &found());
    let (write, own_counter) = planned(&plan, &schema()).unwrap();
    let columns: Vec<&str> = write.bill.counter[0].0.keys().map(String::as_str).collect();
    assert_eq!((columns.as_slice(), own_counter), (&["ID", "InvNo"][..], true));
    let mut other = there.counter[0].clone();
    set(&mut other, "ID", Value::Int(900));
    set(&mut other, "InvNo", Value::Text("GST-0900-2025/26".into()));
    there.counter.push(other);
    let about_to = TrialBill { inv_id: None, bill: None, planned: Some(write), ..record };
    let Fate::Remove(plan) = fate(&about_to, &there) else { panic!() };
    assert_eq!(plan.counter_ids, [151], "no other row of the counter goes with it");
}

#[test]
fn a_change_is_known_before_and_after_its_commit() {
    let (record, there) = written();
    let mut changed = invoice();
    changed.notes = "another note".into();
    let before = Found { bills: vec![there.clone()], known: Some(701), ..found() };
    let plan = plan(&desired_bill(&changed, &before, &schema(), &context()).unwrap(), &before);
    assert!(matches!(plan, Plan::Replace(_)));
    let (write, own_counter) = planned(&plan, &schema()).unwrap();
    assert!(!own_counter, "its counter row stands already");
    let mut after = there.clone();
    set(&mut after.info, "Remarks", Value::Text("another note".into()));
    let record = TrialBill { planned: Some(write), ..record };
    assert_eq!(removed(&fate(&record, &there)), Some(701), "it was not committed");
    assert_eq!(removed(&fate(&record, &after)), Some(701), "it was");
    set(&mut after.info, "GrandTotal", Value::Dec(decimal("1")));
    assert!(matches!(fate(&record, &after), Fate::Leave(_)));
}

#[test]
fn customers_go_that_nobody_needs_or_changed() {
    let mut with_phone = invoice();
    with_phone.customer =
        Some(Customer { name: "Asha".into(), phone: "9876543210".into(), ..Customer::default() });
    let nobody = Found { customer: None, ..found() };
    let plan = plan(&desired_bill(&with_phone, &nobody, &schema(), &context()).unwrap(), &nobody);
    let planned = planned(&plan, &schema()).unwrap().0.new_customer.unwrap();
    let mut row = planned.clone();
    set(&mut row, "Lvisitdate", Value::Null);
    assert!(is_made(&planned, &row), "a later visit is no edit");
    let record = TrialCustomer { id: 10, row: row.clone(), state: TrialState::Standing, sentence: None };
    let now = |row: Option<&Row>, uses: &[(&str, u64)]| CustomerUse {
        row: row.cloned(),
        uses: uses.iter().map(|(table, n)| ((*table).to_owned(), *n)).collect(),
    };
    assert_eq!(customer_fate(&record, &now(None, &[])), Fate::Gone);
    assert_eq!(customer_fate(&record, &now(Some(&planned), &[])), Fate::Remove(()));
    let needed = customer_fate(&record, &now(Some(&row), &[("CustomerLedgerBook", 4), ("InvoiceInfo", 2)]));
    assert_eq!(needed, Fate::Leave("RainTek has 2 bills of it".into()));
    set(&mut row, "City", Value::Text("Madurai".into()));
    assert_eq!(
        customer_fate(&record, &now(Some(&row), &[])),
        Fate::Leave("RainTek changed the City of it".into())
    );
    assert!(!is_made(&planned, &row));
}

fn app_invoice(id: &str, number: &str, customer: &str) -> AppInvoice {
    AppInvoice {
        id: RecordId::new(id),
        number: number.into(),
        from_raintek: id.starts_with("rt"),
        customer: Some(customer).filter(|id| !id.is_empty()).map(RecordId::new),
        inv_id: None,
    }
}

/// An app with things from before, of the trial, and of people's own.
fn holds(laid_down: bool) -> AppHolds {
    let customer = |id: &str| AppCustomer { id: RecordId::new(id), name: id.to_uppercase(), pos_id: None };
    AppHolds {
        laid_down,
        invoices: vec![
            app_invoice("old", "N-1", "c_old"),
            app_invoice("taken", "N-2", "c_trial"),
            app_invoice("revised", "n-2 ", "c_trial"),
            app_invoice("rt1", "GST-0007", "c_rt"),
            app_invoice("draft", "", "c_both"),
            app_invoice("taken2", "N-3", "c_both"),
        ],
        customers: ["c_old", "c_trial", "c_rt", "c_both", "c_own"].map(customer).to_vec(),
    }
}

fn selected(laid_down: bool) -> Vec<String> {
    let before = HashSet::from([
        (AppKind::Invoice, RecordId::new("old")),
        (AppKind::Customer, RecordId::new("c_old")),
    ]);
    let known = [("old", "N-1"), ("taken", "N-2"), ("taken2", "N-3"), ("deleted", "N-9")]
        .map(|(id, number)| (RecordId::new(id), number.to_owned()));
    let records = of_the_trial(&holds(laid_down), &before, &known);
    records.into_iter().map(|record| record.id.to_string()).collect()
}

#[test]
fn of_an_app_we_laid_down_everything_goes_but_what_was_there() {
    assert_eq!(
        selected(true),
        ["taken", "revised", "rt1", "draft", "taken2", "c_trial", "c_rt", "c_both", "c_own"]
    );
}

#[test]
fn of_a_shops_own_app_only_what_we_had_to_do_with_goes() {
    assert_eq!(selected(false), ["taken", "revised", "rt1", "taken2", "c_trial", "c_rt"]);
}

#[test]
fn a_bill_that_was_left_is_raintek_s() {
    let (_, mut there) = written();
    assert!(there.has_our_mark());
    disown(&mut there);
    assert!(!there.has_our_mark());
    let found = Found { bills: vec![there], ..found() };
    let plan = plan(&desired_bill(&invoice(), &found, &schema(), &context()).unwrap(), &found);
    assert!(matches!(plan, Plan::Conflict(_)), "its number is not ours to write over: {plan:?}");
}

/// What the trial was about to write, where the PC went down before it was read back.
fn about_to(record: TrialBill) -> TrialBill {
    let context = MapContext { posting: PostingSettings::ALL, ..context() };
    let plan = plan(&desired_bill(&invoice(), &found(), &schema(), &context).unwrap(), &found());
    let (write, own_counter) = planned(&plan, &schema()).unwrap();
    TrialBill { inv_id: None, bill: None, planned: Some(write), own_counter, ..record }
}

#[test]
fn what_was_planned_is_known_by_all_it_says_but_the_servers_own_numbers() {
    let (record, mut there) = written();
    let record = about_to(record);
    let line = &record.planned.as_ref().unwrap().bill.lines[0];
    assert!(line.get("IPo_ID").is_none() && line.decimal("Qty") == decimal("3"));
    set(&mut there.lines[0], "IPo_ID", Value::Int(9000));
    set(&mut there.payments[0], "IP_ID", Value::Int(9000));
    there.postings.0.values_mut().flatten().for_each(|row| set(row, "ID", Value::Int(9000)));
    assert_eq!(removed(&fate(&record, &there)), Some(701), "the server numbered its rows");
    type Change = fn(&mut FoundBill);
    let changes: [(&str, Change); 3] = [
        ("the items", |bill| set(&mut bill.lines[0], "Qty", Value::Int(9))),
        ("the payments", |bill| set(&mut bill.payments[0], "TotalPaid", Value::Int(9))),
        ("the rows in LedgerBook", |bill| {
            let rows = bill.postings.0.get_mut(&Book::LedgerBook).unwrap();
            set(&mut rows[0], "Debit", Value::Int(9));
        }),
    ];
    for (what, change) in changes {
        let mut changed = there.clone();
        change(&mut changed);
        assert_eq!(fate(&record, &changed), Fate::Leave(format!("RainTek changed {what} of it")));
    }
}

#[test]
fn a_bill_that_the_server_does_not_number_is_known_by_its_inv_id() {
    let (record, mut there) = written();
    let planned = about_to(record.clone());
    assert_eq!(planned.planned.as_ref().unwrap().bill.inv_id(), 701);
    set(&mut there.info, "Inv_ID", Value::Int(702));
    assert_eq!(fate(&planned, &there), Fate::Leave("RainTek changed Inv_ID in the head of it".into()));
    assert_eq!(fate(&record, &there), Fate::Leave("RainTek has it under another Inv_ID".into()));
}

#[test]
fn only_our_own_bill_under_its_inv_id_is_ours_by_another_number() {
    let (record, mut there) = written();
    set(&mut there.info, "InvoiceNo", Value::Text("X-1".into()));
    assert!(matches!(fate(&record, &there), Fate::Leave(_)), "somebody gave ours another number");
    let mut other = there.clone();
    set(&mut other.info, "Inv_ID", Value::Int(702));
    assert_eq!(fate(&record, &other), Fate::Gone, "another bill of ours");
    set(&mut there.info, "TillID", Value::Text("TILL-1".into()));
    assert_eq!(fate(&record, &there), Fate::Gone, "a till took over the Inv_ID");
}

#[test]
fn a_number_that_is_none_and_one_from_before_the_trial_take_nothing_along() {
    let invoices = [("old", "N-1"), ("copied", "n-1"), ("taken", ""), ("draft", " ")];
    let holds = AppHolds {
        laid_down: false,
        invoices: invoices.map(|(id, number)| app_invoice(id, number, "")).to_vec(),
        customers: Vec::new(),
    };
    let before = HashSet::from([(AppKind::Invoice, RecordId::new("old"))]);
    let known = [("old", "N-1"), ("taken", "")].map(|(id, number)| (RecordId::new(id), number.to_owned()));
    let goes: Vec<String> =
        of_the_trial(&holds, &before, &known).into_iter().map(|record| record.id.to_string()).collect();
    assert_eq!(goes, ["taken"], "a person's draft without a number, and a copy of an older one, stay");
}
