use super::*;
use crate::model::bill::Value;
use crate::model::schema::{Column, ColumnKind};
use crate::sync::fixtures::{context, decimal, found, invoice, schema};
use crate::sync::mapping::{MapContext, desired_bill};

/// What stood in RainTek once, as a file holds it.
fn copy_by(posting: PostingSettings) -> FoundBill {
    let context = MapContext { posting, ..context() };
    let desired = desired_bill(&invoice(), &found(), &schema(), &context).unwrap();
    let Plan::Insert(plan) = plan(&desired, &found()) else { panic!() };
    let mut bill = FoundBill {
        info: plan.info,
        lines: plan.lines,
        payments: plan.payments,
        counter: plan.counter_row.into_iter().collect(),
        postings: plan.postings.insert,
    };
    number(&mut bill, 40);
    let text = serde_json::to_string_pretty(&bill).unwrap();
    read(&text).unwrap()
}

fn number(bill: &mut FoundBill, from: i64) {
    let postings = bill.postings.0.values_mut().flatten();
    let rows = bill.lines.iter_mut().map(|row| (row, "IPo_ID"));
    let rows = rows.chain(bill.payments.iter_mut().map(|row| (row, "IP_ID")));
    for ((row, column), id) in rows.chain(postings.map(|row| (row, "ID"))).zip(from..) {
        row.0.insert(column.into(), Value::Int(id));
    }
}

fn copy() -> FoundBill {
    copy_by(PostingSettings::default())
}

/// RainTek with these bills in it, looked at for the copy.
fn standing(bills: Vec<FoundBill>) -> Found {
    let mut found = Found { bills, ..found() };
    found.marks.inv_id = 900;
    found.marks.counter = 200;
    found
}

fn write(copy: &FoundBill, found: &Found) -> (Plan, Vec<String>) {
    match plan_restore(copy, found, &schema()) {
        Ok(Restore::Write { plan, words }) => (*plan, words),
        other => panic!("{other:?}"),
    }
}

/// What a plan leaves behind, with row numbers as a server gives them.
fn applied(plan: &Plan) -> FoundBill {
    let mut bill = match plan {
        Plan::Insert(plan) => FoundBill {
            info: plan.info.clone(),
            lines: plan.lines.clone(),
            payments: plan.payments.clone(),
            counter: plan.counter_row.clone().into_iter().collect(),
            postings: plan.postings.insert.clone(),
        },
        Plan::Replace(plan) => {
            let mut bill = plan.before.clone();
            bill.info.0.extend(plan.info.0.clone());
            bill.lines = plan.lines.clone().unwrap_or(bill.lines);
            if let Some(change) = &plan.payments {
                bill.payments.retain(|row| !change.delete.contains(&row.int("IP_ID")));
                for (id, row) in &change.update {
                    let there = bill.payments.iter_mut().find(|there| there.int("IP_ID") == *id).unwrap();
                    there.0.extend(row.0.clone());
                }
                bill.payments.extend(change.insert.clone());
            }
            bill.counter.extend(plan.counter_row.clone());
            for (book, ids) in &plan.postings.delete {
                bill.postings.0.get_mut(book).unwrap().retain(|row| !ids.contains(&row.int("ID")));
            }
            for (book, rows) in &plan.postings.insert.0 {
                bill.postings.0.entry(*book).or_default().extend(rows.clone());
            }
            bill
        }
        other => panic!("{other:?}"),
    };
    number(&mut bill, 7000);
    bill
}

/// Everything but the row numbers.
fn content(bill: &FoundBill) -> FoundBill {
    let mut bill = bill.clone();
    let parts = bill.lines.iter_mut().chain(&mut bill.payments).chain(bill.postings.0.values_mut().flatten());
    for row in parts {
        row.0.retain(|name, _| !["IPo_ID", "IP_ID", "ID"].contains(&name.as_str()));
    }
    bill.postings.0.retain(|_, rows| !rows.is_empty());
    bill
}

#[test]
fn a_file_that_is_no_copy_is_refused_with_a_sentence() {
    for text in
        ["", "{", "[]", "null", "{\"a\":1}", "{\"info\":{},\"lines\":[],\"payments\":[],\"counter\":[]}"]
    {
        let sentence = read(text).unwrap_err();
        assert!(sentence.starts_with("The file is no "), "{text}: {sentence}");
    }
    let mut without_lines = copy();
    without_lines.lines.clear();
    assert!(read(&serde_json::to_string(&without_lines).unwrap()).is_err());
}

#[test]
fn what_stands_there_needs_nothing() {
    let copy = copy();
    assert_eq!(plan_restore(&copy, &standing(vec![copy.clone()]), &schema()), Ok(Restore::Nothing));
}

#[test]
fn a_deleted_bill_comes_back_as_it_was() {
    let copy = copy_by(PostingSettings::ALL);
    let (plan, words) = write(&copy, &standing(Vec::new()));
    let Plan::Insert(insert) = &plan else { panic!("{plan:?}") };
    assert_eq!(insert.inv_id, 701);
    assert!(insert.lines.iter().chain(&insert.payments).all(|row| row.int("InvoiceID") == 701));
    let now = applied(&plan);
    assert_eq!(content(&now), content(&copy));
    assert_eq!(now.counter, copy.counter);
    // The till's delete brought the stock back: it goes out again.
    assert_eq!(insert.postings.stock.len(), 1);
    assert_eq!(insert.postings.stock[0].quantity, decimal("-3"));
    assert_eq!(plan_restore(&copy, &standing(vec![now]), &schema()), Ok(Restore::Nothing));
    let words = words.join("\n");
    for part in [
        "no bill GST-0151-2025/26 now",
        "Inv_ID 701",
        "product 11, 3 x 33.33",
        "counter: 151",
        "By Cash 106.00",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn a_changed_bill_becomes_what_it_was() {
    let copy = copy_by(PostingSettings::ALL);
    let mut now = copy.clone();
    now.info.0.insert("GrandTotal".into(), Value::Dec(decimal("212")));
    now.info.0.insert("Eway".into(), Value::Text("EWB".into()));
    now.info.0.insert("TillID".into(), Value::Text("COUNTER-1".into()));
    now.lines[0].0.insert("Qty".into(), Value::Dec(decimal("6")));
    now.lines.push(now.lines[0].clone());
    now.payments.push(now.payments[0].clone());
    now.postings.0.get_mut(&Book::LedgerBook).unwrap()[0]
        .0
        .insert("Debit".into(), Value::Dec(decimal("212")));
    now.postings.0.get_mut(&Book::StockMovement).unwrap()[0]
        .0
        .insert("StockOut".into(), Value::Dec(decimal("12")));
    number(&mut now, 100);
    let (plan, words) = write(&copy, &standing(vec![now.clone()]));
    let Plan::Replace(replace) = &plan else { panic!("{plan:?}") };
    assert_eq!(replace.before, now);
    // Twelve went out, three are to be: nine come back.
    assert_eq!(replace.postings.stock[0].quantity, decimal("9"));
    let then = applied(&plan);
    assert_eq!(content(&then), content(&copy));
    assert_eq!(plan_restore(&copy, &standing(vec![then]), &schema()), Ok(Restore::Nothing));
    let words = words.join("\n");
    for part in [
        "stands in RainTek now: 31 Mar 2026, 212.00, 2 lines, 2 payments",
        "saved by the till COUNTER-1",
        "InvoiceInfo.GrandTotal: 212 becomes 106",
        "InvoiceInfo.Eway: \"EWB\" becomes \"\"",
        "Invoice_Product, row 1, Qty: 6 becomes 3",
        "Invoice_Product: 2 rows become 1 rows",
        "LedgerBook, row 1, Debit: 212 becomes",
        "live stock of product 11: +9",
        "row numbers (IPo_ID, IP_ID, ID)",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn postings_that_the_copy_does_not_have_go_and_their_stock_comes_back() {
    let (copy, mut now) = (copy(), copy_by(PostingSettings::ALL));
    now.info.0.insert("Remarks".into(), Value::Text("x".into()));
    let (plan, _) = write(&copy, &standing(vec![now]));
    let Plan::Replace(replace) = &plan else { panic!("{plan:?}") };
    assert!(replace.postings.insert.0.is_empty());
    assert_eq!(replace.postings.stock[0].quantity, decimal("3"));
    assert_eq!(content(&applied(&plan)), content(&copy));
}

#[test]
fn another_bill_in_its_place_is_never_touched() {
    let copy = copy();
    let mut other = copy.clone();
    other.info.0.insert("InvoiceNo".into(), Value::Text("GST-0160-2025/26".into()));
    let same_id = plan_restore(&copy, &standing(vec![other]), &schema()).unwrap_err();
    assert!(same_id.contains("Inv_ID 701 is RainTek's bill GST-0160-2025/26 (106.00) by now"), "{same_id}");
    let mut other = copy.clone();
    other.info.0.insert("Inv_ID".into(), Value::Int(850));
    let same_number = plan_restore(&copy, &standing(vec![other.clone()]), &schema()).unwrap_err();
    assert!(same_number.contains("on another bill of RainTek by now (Inv_ID 850"), "{same_number}");
    let both = plan_restore(&copy, &standing(vec![copy.clone(), other]), &schema());
    assert!(both.is_err(), "the number twice: {both:?}");
}

#[test]
fn a_counter_that_is_anothers_by_now_is_refused_and_one_that_stands_stays() {
    let copy = copy();
    let mut found = standing(Vec::new());
    found.marks.counter_taken = true;
    let sentence = plan_restore(&copy, &found, &schema()).unwrap_err();
    assert!(sentence.contains("counter 151 is another number's"), "{sentence}");
    found.marks.counter_has_number = true;
    let (Plan::Insert(insert), words) = write(&copy, &found) else { panic!() };
    assert_eq!(insert.counter_row, None);
    assert!(words.iter().any(|word| word.contains("counted this number already")));

    let mut now = copy.clone();
    now.counter[0].0.insert("ID".into(), Value::Int(180));
    now.info.0.insert("Remarks".into(), Value::Text("x".into()));
    let (Plan::Replace(replace), words) = write(&copy, &standing(vec![now])) else { panic!() };
    assert_eq!(replace.counter_row, None);
    assert!(words.iter().any(|word| word.contains("stays at 180")), "{words:?}");
}

#[test]
fn entries_of_the_number_that_belong_to_nobody_are_not_doubled() {
    let mut found = standing(Vec::new());
    let rows = copy_by(PostingSettings::ALL).postings.rows(Book::LedgerBook).to_vec();
    found.postings.stray.0.insert(Book::LedgerBook, rows);
    let sentence = plan_restore(&copy(), &found, &schema()).unwrap_err();
    assert!(sentence.contains("LedgerBook"), "{sentence}");
}

#[test]
fn tables_that_lack_something_are_named_and_new_columns_get_their_neutral_value() {
    let copy = copy_by(PostingSettings::ALL);
    let mut lacks = schema();
    lacks.tables.get_mut("Invoice_Product").unwrap().columns.retain(|column| column.name != "MRP");
    let sentence = plan_restore(&copy, &standing(Vec::new()), &lacks).unwrap_err();
    assert!(sentence.contains("Invoice_Product has no column MRP"), "{sentence}");
    let mut lacks = schema();
    lacks.tables.remove("CustomerLedgerBook");
    let sentence = plan_restore(&copy, &standing(Vec::new()), &lacks).unwrap_err();
    assert!(sentence.contains("no table CustomerLedgerBook"), "{sentence}");

    let mut more = schema();
    let kind = ColumnKind::Text { max: Some(10), wide: true };
    let column = Column { name: "Fresh".into(), kind, identity: false };
    more.tables.get_mut("Invoice_Product").unwrap().columns.push(column);
    let Ok(Restore::Write { plan, .. }) = plan_restore(&copy, &standing(Vec::new()), &more) else { panic!() };
    let Plan::Insert(insert) = *plan else { panic!() };
    assert_eq!(insert.lines[0].get("Fresh"), Some(&Value::Text(String::new())));
}

#[test]
fn rows_that_the_server_does_not_number_keep_their_numbers_where_those_are_free() {
    let copy = copy();
    assert_eq!(line_ids(&copy, Vec::new(), 39), [40], "its own number is free");
    assert_eq!(line_ids(&copy, Vec::new(), 90), [91], "nobody knows whether its own number is free");
}

#[test]
fn an_empty_value_of_the_copy_is_put_back_as_empty() {
    let mut copy = copy();
    copy.info.0.insert("Narration".into(), Value::Null);
    let mut now = copy.clone();
    now.info.0.insert("Narration".into(), Value::Text("x".into()));
    let (plan, words) = write(&copy, &standing(vec![now]));
    assert_eq!(content(&applied(&plan)), content(&copy));
    assert!(words.iter().any(|word| word.contains("Narration: \"x\" becomes nothing")), "{words:?}");
}

#[test]
fn a_copy_without_its_number_inv_id_or_day_is_refused() {
    let lacks: [fn(&mut FoundBill); 4] = [
        |bill| drop(bill.info.0.insert("InvoiceNo".into(), Value::Text(" ".into()))),
        |bill| drop(bill.info.0.insert("Inv_ID".into(), Value::Int(0))),
        |bill| drop(bill.info.0.insert("InvoiceDate".into(), Value::Null)),
        |bill| bill.lines.clear(),
    ];
    for (index, lack) in lacks.iter().enumerate() {
        let mut half = copy();
        lack(&mut half);
        let sentence = read(&serde_json::to_string(&half).unwrap()).unwrap_err();
        assert!(sentence.starts_with("The file is no whole copy of a bill"), "{index}: {sentence}");
    }
}

#[test]
fn a_copy_is_called_by_its_number_and_total() {
    assert_eq!(title(&copy()), "GST-0151-2025/26 (106.00)");
}

#[test]
fn the_counter_is_looked_for_where_the_copy_had_it() {
    let mut copy = copy();
    copy.counter[0].0.insert("ID".into(), Value::Int(180));
    assert_eq!(lookup(&copy).counter, Some(180), "it was another's when the bill was made");
    copy.counter[0].0.insert("ID".into(), Value::Int(0));
    assert_eq!(lookup(&copy).counter, Some(151), "a copy that does not know it: the number's own");
    copy.counter.clear();
    assert_eq!(lookup(&copy).counter, Some(151));
}

#[test]
fn entries_that_somebody_deleted_beside_the_bill_are_put_back() {
    let copy = copy_by(PostingSettings::ALL);
    let mut now = copy.clone();
    now.postings.0.clear();
    let (plan, _) = write(&copy, &standing(vec![now]));
    assert_eq!(content(&applied(&plan)), content(&copy));
}

#[test]
fn entries_that_stand_as_in_the_copy_are_left_alone() {
    let copy = copy_by(PostingSettings::ALL);
    let mut now = copy.clone();
    now.info.0.insert("Remarks".into(), Value::Text("x".into()));
    number(&mut now, 100);
    let (Plan::Replace(replace), _) = write(&copy, &standing(vec![now])) else { panic!() };
    assert_eq!(replace.postings, PostingChange::default());
}

#[test]
fn what_is_booked_beside_the_bill_is_told_before_a_person_says_yes() {
    let told = |posting| write(&copy_by(posting), &standing(Vec::new())).1;
    let words = told(PostingSettings::ALL);
    for line in [
        "It would stand there again under Inv_ID 701: 31 Mar 2026, 106.00, 1 line, 1 payment, 5 entries, saved by ShopSync.",
        "  LedgerBook: 2 rows",
        "  CustomerLedgerBook: 2 rows",
        "  StockMovement: 1 rows",
        "  live stock of product 11: -3",
    ] {
        assert!(words.iter().any(|word| word == line), "{line}: {words:?}");
    }
    let words = told(PostingSettings::default()).join("\n");
    assert!(words.contains("1 line, 1 payment, saved by ShopSync.") && !words.contains("rows"), "{words}");
}

/// A bill of so many lines, each sold in another quantity than the copy has.
fn told_of(lines: usize) -> Vec<String> {
    let mut copy = copy();
    copy.lines = vec![copy.lines[0].clone(); lines];
    let mut now = copy.clone();
    for row in &mut now.lines {
        row.0.insert("Qty".into(), Value::Int(6));
    }
    write(&copy, &standing(vec![now])).1
}

#[test]
fn two_hundred_changes_are_named_and_the_others_counted() {
    let counts = |words: &[String]| words.iter().filter(|word| word.contains("Qty: 6 becomes 3")).count();
    let words = told_of(200);
    assert_eq!((counts(&words), words.iter().any(|word| word.contains(" more"))), (200, false));
    let words = told_of(203);
    assert_eq!(counts(&words), 200);
    assert!(words.contains(&"  and 3 more".to_owned()), "{words:?}");
}

/// Tables whose rows the server does not number.
fn plain() -> PosSchema {
    let mut plain = schema();
    for (table, column) in [("Invoice_Product", "IPo_ID"), ("Invoice_Payment", "IP_ID")] {
        let columns = &mut plain.tables.get_mut(table).unwrap().columns;
        columns.iter_mut().find(|other| other.name == column).unwrap().identity = false;
    }
    plain
}

fn line_ids(copy: &FoundBill, bills: Vec<FoundBill>, highest: i32) -> Vec<i64> {
    let mut found = standing(bills);
    (found.marks.line_id, found.marks.payment_id) = (highest, highest);
    let Ok(Restore::Write { plan, .. }) = plan_restore(copy, &found, &plain()) else { panic!() };
    let lines = match *plan {
        Plan::Insert(insert) => insert.lines,
        Plan::Replace(replace) => replace.lines.unwrap(),
        other => panic!("{other:?}"),
    };
    lines.iter().map(|row| row.int("IPo_ID")).collect()
}

#[test]
fn a_row_takes_its_number_again_only_where_no_other_row_can_have_it() {
    let mut copy = copy();
    copy.lines.push(copy.lines[0].clone());
    copy.lines[1].0.insert("IPo_ID".into(), Value::Int(42));
    assert_eq!(line_ids(&copy, Vec::new(), 39), [40, 42], "both are free");
    assert_eq!(line_ids(&copy, Vec::new(), 40), [41, 42], "40 is another row's by now");
    assert_eq!(line_ids(&copy, Vec::new(), 41), [42, 43]);
    // The bill stands there: its own rows' numbers are its own, whatever came after it.
    let mut now = copy.clone();
    now.lines[1].0.insert("Qty".into(), Value::Int(6));
    assert_eq!(line_ids(&copy, vec![now.clone()], 90), [40, 42]);
    now.lines[1].0.insert("IPo_ID".into(), Value::Int(55));
    assert_eq!(line_ids(&copy, vec![now], 90), [91, 92], "42 may be anybody's");
}
