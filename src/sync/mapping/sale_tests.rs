use super::*;
use crate::model::bill::Value;
use crate::model::customer::Customer;
use crate::sync::fixtures::{context, decimal, found, invoice, schema};

fn desired(invoice: &Invoice) -> Result<Desired, Fault> {
    desired_bill(invoice, &found(), &schema(), &context())
}

fn number(row: &Row, column: &str) -> String {
    row.decimal(column).normalize().to_string()
}

#[test]
fn a_bill_is_mapped_as_the_table_says() {
    let bill = desired(&invoice()).unwrap();
    for (column, expected) in [
        ("SubTotal", "106.19"),
        ("TaxableAmt", "89.99"),
        ("Total", "106.19"),
        ("RoundOff", "-0.19"),
        ("GrandTotal", "106"),
        ("TotalPaid", "106"),
        ("Balance", "0"),
        ("Tender", "106"),
        ("BillCash", "106"),
        ("Refund", "0"),
        ("SalesmanID", "0"),
    ] {
        assert_eq!(number(&bill.info, column), expected, "{column}");
    }
    assert_eq!(bill.info.text("TillID"), "SHOPSYNC");
    assert_eq!(bill.info.text("CType"), "Retail");
    let line = &bill.lines[0];
    for (column, expected) in [
        ("ProductID", "11"),
        ("CGSTPer", "9"),
        ("SGSTPer", "9"),
        ("IGSTPer", "0"),
        ("PurchaseRate", "20"),
        ("Margin", "29.99"),
        ("TotalMRP", "120"),
        ("DiscountPer", "10"),
    ] {
        assert_eq!(number(line, column), expected, "{column}");
    }
    assert_eq!(line.text("MainUnit"), "PCS");
    assert_eq!(bill.counter, Some(151));
    assert_eq!(bill.counter_row.as_ref().unwrap().text("InvNo"), "GST-0151-2025/26");
}

#[test]
fn no_column_of_any_row_is_null_or_missing() {
    let schema = schema();
    let bill = desired(&invoice()).unwrap();
    let rows = [
        ("InvoiceInfo", &bill.info, 2),
        ("Invoice_Product", &bill.lines[0], 2),
        ("Invoice_Payment", &bill.payments[0], 2),
        ("SaleGST", bill.counter_row.as_ref().unwrap(), 1),
    ];
    for (table, row, numbered) in rows {
        assert_eq!(row.0.len() + numbered, schema.table(table).unwrap().columns.len(), "{table}");
        assert!(row.0.values().all(|value| *value != Value::Null), "{table}");
    }
}

#[test]
fn taxes_the_app_leaves_out_are_calculated_as_raintek_does() {
    let mut bare = invoice();
    bare.taxable = Decimal::ZERO;
    bare.taxes = Taxes::default();
    for line in &mut bare.lines {
        line.taxes = Taxes::default();
        line.taxable = Decimal::ZERO;
        line.total = Decimal::ZERO;
        line.discount = Decimal::ZERO;
    }
    assert_eq!(desired(&bare).unwrap(), desired(&invoice()).unwrap());
}

#[test]
fn another_state_pays_igst() {
    let mut other = invoice();
    other.taxes = Taxes::default();
    other.taxable = Decimal::ZERO;
    other.customer = Some(Customer { state: "Kerala".into(), ..Customer::default() });
    other.lines[0].taxes = Taxes::default();
    let bill = desired(&other).unwrap();
    assert_eq!(number(&bill.info, "IGST"), "16.2");
    assert_eq!(number(&bill.lines[0], "IGSTPer"), "18");
    assert_eq!(number(&bill.lines[0], "CGSTPer"), "0");
}

#[test]
fn lines_that_do_not_add_up_are_named_with_the_difference() {
    let mut wrong = invoice();
    wrong.grand_total = decimal("96.00");
    wrong.round_off = Decimal::ZERO;
    assert_eq!(
        desired(&wrong).unwrap_err().sentence,
        "The lines come to 10.19 more than the grand total 96.00."
    );
}

#[test]
fn a_header_that_does_not_add_up_is_named_too() {
    let mut wrong = invoice();
    wrong.taxable = decimal("80.00");
    let sentence = desired(&wrong).unwrap_err().sentence;
    assert!(sentence.contains("9.99 less than the grand total 106.00"), "{sentence}");
}

#[test]
fn an_unknown_item_is_held_or_booked_on_the_item_set_up_for_it() {
    let mut unknown = invoice();
    unknown.lines[0].product_code = "PHONE-1".into();
    let fault = desired(&unknown).unwrap_err();
    assert_eq!(fault.sentence, "Item \"Blue pen\" is not in RainTek.");
    assert_eq!(fault.action, Action::PullProducts);
    let with_item = MapContext { unknown_item: Some("p-0001".into()), ..context() };
    let bill = desired_bill(&unknown, &found(), &schema(), &with_item).unwrap();
    assert_eq!(bill.lines[0].text("Descr"), "Blue pen");
    assert_eq!(bill.lines[0].int("ProductID"), 11);
}

#[test]
fn an_empty_product_code_never_matches_an_empty_one_of_raintek() {
    let mut unknown = invoice();
    unknown.lines[0].product_code = " ".into();
    let mut found = found();
    found.products[0].code = String::new();
    assert!(desired_bill(&unknown, &found, &schema(), &context()).is_err());
}

#[test]
fn a_number_raintek_has_no_room_for_is_held() {
    let mut long = invoice();
    long.number = "GST-0151-2025/26-AND-MUCH-MORE-X".into();
    assert!(desired(&long).unwrap_err().sentence.contains("at most 30"));
    long.number = String::new();
    assert!(desired(&long).unwrap_err().sentence.contains("no number"));
}

#[test]
fn a_new_customer_has_every_column_and_cut_names_are_noted() {
    let mut with = invoice();
    with.customer =
        Some(Customer { name: "A".repeat(300), phone: "98765 43210".into(), ..Customer::default() });
    let nobody = Found { customer: None, ..found() };
    let bill = desired_bill(&with, &nobody, &schema(), &context()).unwrap();
    let DesiredCustomer::New(row) = &bill.customer else { panic!("{:?}", bill.customer) };
    assert_eq!(row.text("Name").len(), 200);
    assert_eq!(row.text("Optype"), "DR");
    assert_eq!(row.0.len() + 2, schema().table("Customer").unwrap().columns.len());
    assert_eq!(bill.notes, ["The customer's name was cut to 200 characters for RainTek."]);
}

#[test]
fn without_a_phone_the_walk_in_customer_is_made_where_it_is_missing() {
    let mut with = invoice();
    with.customer = Some(Customer { name: "Somebody".into(), ..Customer::default() });
    let nobody = Found { customer: None, ..found() };
    let bill = desired_bill(&with, &nobody, &schema(), &context()).unwrap();
    let DesiredCustomer::New(row) = &bill.customer else { panic!("{:?}", bill.customer) };
    assert_eq!(row.text("Name"), "Cash");
}

#[test]
fn a_missing_table_is_a_schema_fault_that_names_it() {
    let mut schema = schema();
    schema.tables.remove("Invoice_Payment");
    let fault = desired_bill(&invoice(), &found(), &schema, &context()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Schema);
    assert!(fault.sentence.contains("Invoice_Payment"));
}

#[test]
fn a_number_may_be_as_long_as_raintek_s_own_column() {
    let of_length = |length: usize| Invoice { number: "7".repeat(length), ..invoice() };
    assert!(desired(&of_length(30)).is_ok());
    assert!(desired(&of_length(31)).is_err());
    let mut narrow = schema();
    let columns = &mut narrow.tables.get_mut("InvoiceInfo").unwrap().columns;
    let column = columns.iter_mut().find(|column| column.name == "InvoiceNo").unwrap();
    column.kind = ColumnKind::Text { max: Some(20), wide: true };
    let fault = desired_bill(&of_length(21), &found(), &narrow, &context()).unwrap_err();
    assert!(fault.sentence.contains("21 characters long; RainTek takes at most 20"), "{}", fault.sentence);
}

/// All of it is given away.
fn free() -> Invoice {
    let mut free = invoice();
    (free.taxable, free.taxes, free.round_off) = (Decimal::ZERO, Taxes::default(), Decimal::ZERO);
    (free.grand_total, free.amount_paid) = (Decimal::ZERO, Decimal::ZERO);
    let line = &mut free.lines[0];
    (line.rate, line.discount, line.discount_percent) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    (line.taxes, line.taxable, line.total) = (Taxes::default(), Decimal::ZERO, Decimal::ZERO);
    free
}

#[test]
fn a_bill_of_nothing_is_booked_and_one_below_is_held() {
    let bill = desired(&free()).unwrap();
    assert_eq!((number(&bill.info, "GrandTotal"), bill.payments.len()), ("0".into(), 1));
    let returned = Invoice { grand_total: decimal("-5.00"), ..free() };
    assert_eq!(
        desired(&returned).unwrap_err().sentence,
        "The grand total -5.00 is below zero; RainTek books returns elsewhere."
    );
}

#[test]
fn freight_and_a_discount_of_the_bill_stand_in_its_head() {
    let mut with = Invoice { freight: decimal("5"), discount: decimal("1"), ..invoice() };
    (with.grand_total, with.amount_paid) = (decimal("110.00"), decimal("110.00"));
    let bill = desired(&with).unwrap();
    for (column, expected) in [
        ("SubTotal", "106.19"),
        ("FreightCharges", "5"),
        ("OtherCharges", "1"),
        ("BillDiscount", "1"),
        ("Total", "110.19"),
        ("GrandTotal", "110"),
    ] {
        assert_eq!(number(&bill.info, column), expected, "{column}");
    }
}

#[test]
fn a_head_that_is_given_in_part_is_held_and_not_made_up() {
    let without_taxes = Invoice { taxes: Taxes::default(), ..invoice() };
    let sentence = desired(&without_taxes).unwrap_err().sentence;
    assert!(sentence.contains("16.20 less than the grand total 106.00"), "{sentence}");
    let without_taxable = Invoice { taxable: Decimal::ZERO, ..invoice() };
    let sentence = desired(&without_taxable).unwrap_err().sentence;
    assert!(sentence.contains("89.99 less than the grand total 106.00"), "{sentence}");
    let too_much = Invoice { taxable: decimal("91.00"), ..invoice() };
    let sentence = desired(&too_much).unwrap_err().sentence;
    assert!(sentence.contains("1.01 more than the grand total 106.00"), "{sentence}");
}
