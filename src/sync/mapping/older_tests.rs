//! Installations that differ: the generation before GST, and columns that hold less than the app's numbers.

use crate::model::bill::{Desired, DesiredCustomer, Found, FoundBill, Plan, Row, Value};
use crate::model::invoice::{Invoice, TaxMode, TaxType, Taxes};
use crate::model::schema::{Column, ColumnKind, PosSchema};
use crate::sync::awareness::{desired_digest, found_digest, is_whole, pos_invoice};
use crate::sync::fixtures::{context, decimal, found, invoice, older_schema, schema};
use crate::sync::mapping::desired_bill;
use crate::sync::plan::plan;

fn desired(invoice: &Invoice, schema: &PosSchema) -> Desired {
    desired_bill(invoice, &found(), schema, &context()).unwrap()
}

fn numbers(row: &Row, columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| row.decimal(column).normalize().to_string()).collect()
}

/// The bill as the server would give it back after this plan.
fn written(desired: &Desired) -> FoundBill {
    let Plan::Insert(plan) = plan(desired, &found()) else { panic!("nothing to write") };
    FoundBill {
        info: plan.info.clone(),
        lines: plan.lines.clone(),
        payments: plan.payments.clone(),
        counter: plan.counter_row.into_iter().collect(),
        ..FoundBill::default()
    }
}

#[test]
fn the_generation_before_gst_has_one_tax_and_the_same_totals() {
    let bill = desired(&invoice(), &older_schema());
    let line = &bill.lines[0];
    let columns = ["SellingPrice", "CostPrice", "VATPer", "VAT", "Amount", "Discount", "Qty", "Margin"];
    assert_eq!(numbers(line, &columns), ["33.33", "20", "18", "16.2", "106.19", "10", "3", "29.99"]);
    let totals = ["SubTotal", "Total", "RoundOff", "GrandTotal", "TotalPaid"];
    assert_eq!(numbers(&bill.info, &totals), ["106.19", "106.19", "-0.19", "106", "106"]);
    assert_eq!(bill.customer_column, "CustomerID");
    assert!(line.0.values().chain(bill.info.0.values()).all(|value| *value != Value::Null));
    let other_state = Invoice {
        taxes: Taxes { igst: decimal("16.20"), ..Taxes::default() },
        lines: vec![crate::model::invoice::Line {
            taxes: Taxes { igst: decimal("16.20"), ..Taxes::default() },
            ..invoice().lines.remove(0)
        }],
        ..invoice()
    };
    let line = &desired(&other_state, &older_schema()).lines[0];
    assert_eq!(numbers(line, &["VATPer", "VAT", "Amount"]), ["18", "16.2", "106.19"]);
}

#[test]
fn an_amount_beside_a_total_is_before_discount_and_tax() {
    let mut both = older_schema();
    let lines = &mut both.tables.get_mut("Invoice_Product").unwrap().columns;
    let kind = ColumnKind::Decimal { precision: 18, scale: 2 };
    lines.push(Column { name: "TotalAmount".into(), kind, identity: false });
    let bill = desired(&invoice(), &both);
    assert_eq!(numbers(&bill.lines[0], &["Amount", "TotalAmount"]), ["99.99", "106.19"]);
    assert!(is_whole(&written(&bill)));
}

#[test]
fn names_of_the_older_generation_mean_nothing_where_their_successors_are() {
    let mut mixed = schema();
    let lines = &mut mixed.tables.get_mut("Invoice_Product").unwrap().columns;
    for name in ["VAT", "VATPer", "Amount", "SellingPrice"] {
        let kind = ColumnKind::Decimal { precision: 18, scale: 2 };
        lines.push(Column { name: name.into(), kind, identity: false });
    }
    let line = &desired(&invoice(), &mixed).lines[0];
    let columns = ["VAT", "VATPer", "Amount", "SellingPrice", "SalesRate", "TotalAmount"];
    assert_eq!(numbers(line, &columns), ["0", "0", "0", "0", "33.33", "106.19"]);
}

#[test]
fn a_second_look_says_nothing_and_a_change_is_noticed() {
    let bill = desired(&invoice(), &older_schema());
    let there = written(&bill);
    let again = Found { bills: vec![there.clone()], ..found() };
    assert_eq!(plan(&bill, &again), Plan::Nothing { inv_id: 701, customer_id: 1 });
    assert_eq!(bill.customer, DesiredCustomer::Existing(1));
    assert_eq!(desired_digest(&bill).unwrap(), found_digest(&there));
    for column in ["SellingPrice", "VATPer", "VAT", "Amount"] {
        let mut changed = there.clone();
        changed.lines[0].0.insert(column.into(), Value::Dec(decimal("1.11")));
        assert_ne!(found_digest(&changed), found_digest(&there), "{column}");
    }
}

#[test]
fn a_bill_without_a_table_for_its_series_is_booked_and_not_counted() {
    let mut plain = invoice();
    plain.tax_type = TaxType::NonGst;
    plain.number = "SINV-0007-2025/26".into();
    let bill = desired(&plain, &older_schema());
    let there = written(&bill);
    assert!(there.counter.is_empty());
    let again = Found { bills: vec![there], ..found() };
    assert!(matches!(plan(&bill, &again), Plan::Nothing { .. }));
}

#[test]
fn a_mark_is_in_the_operator_where_there_is_no_till() {
    let mut bare = older_schema();
    bare.tables.get_mut("InvoiceInfo").unwrap().columns.retain(|column| column.name != "TillID");
    let bill = desired(&invoice(), &bare);
    let there = written(&bill);
    assert!(there.has_our_mark());
    let again = Found { bills: vec![there.clone()], ..found() };
    assert!(matches!(plan(&bill, &again), Plan::Nothing { .. }));
    let mut theirs = there;
    theirs.info.0.insert("Operator".into(), Value::Text("admin".into()));
    let again = Found { bills: vec![theirs], ..found() };
    assert!(matches!(plan(&bill, &again), Plan::Conflict(_)));
}

#[test]
fn the_app_shows_the_old_tax_in_two_halves() {
    let bill = written(&desired(&invoice(), &older_schema()));
    let shown = pos_invoice(&bill, &context().payments).unwrap().invoice;
    let line = &shown.lines[0];
    assert_eq!(
        (line.rate, line.gst_rate, line.tax_mode),
        (decimal("33.33"), decimal("18"), TaxMode::Exclusive)
    );
    assert_eq!((line.taxable, line.total), (decimal("89.99"), decimal("106.19")));
    assert_eq!(line.taxes, Taxes { cgst: decimal("8.10"), sgst: decimal("8.10"), ..Taxes::default() });
    assert_eq!((shown.taxable, shown.taxes), (decimal("89.99"), line.taxes));
    // A tax that has no half, and a price that holds its tax.
    let mut odd = bill;
    let line = &mut odd.lines[0].0;
    line.insert("VAT".into(), Value::Dec(decimal("16.21")));
    line.insert("Amount".into(), Value::Dec(decimal("89.99")));
    let line = pos_invoice(&odd, &context().payments).unwrap().invoice.lines.remove(0);
    assert_eq!(line.taxes, Taxes { cgst: decimal("8.10"), sgst: decimal("8.11"), ..Taxes::default() });
    assert_eq!((line.tax_mode, line.taxable), (TaxMode::Inclusive, decimal("73.78")));
}

#[test]
fn bytes_of_a_fixed_width_are_the_same() {
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    assert!(bytes(&[]).same(&bytes(&[0, 0, 0, 0])) && bytes(&[7, 0]).same(&bytes(&[7])));
    assert!(!bytes(&[0, 7]).same(&bytes(&[7])) && !bytes(&[]).same(&Value::Null));
}

#[test]
fn what_a_coarser_column_would_lose_is_held() {
    let mut coarse = schema();
    let lines = &mut coarse.tables.get_mut("Invoice_Product").unwrap().columns;
    for (name, kind) in [("Qty", ColumnKind::Int), ("DiscountPer", ColumnKind::Int)] {
        lines.iter_mut().find(|column| column.name == name).unwrap().kind = kind;
    }
    let whole = desired_bill(&invoice(), &found(), &coarse, &context());
    assert_eq!(whole.unwrap().lines[0].int("Qty"), 3);
    let mut weighed = invoice();
    let line = &mut weighed.lines[0];
    (line.quantity, line.rate, line.discount_percent) =
        (decimal("0.3"), decimal("333.30"), decimal("10.001"));
    let fault = desired_bill(&weighed, &found(), &coarse, &context()).unwrap_err();
    assert_eq!(fault.sentence, "RainTek cannot store 0.3 exactly (Invoice_Product.Qty).");
    // A percentage is for the eye: what it comes to stands in rupees.
    assert!(desired_bill(&weighed, &found(), &schema(), &context()).is_ok());
}

#[test]
fn one_column_of_the_taxes_is_enough_to_know_the_newer_generation() {
    for gone in ["IGSTAmt", "CGSTAmt"] {
        let mut mixed = schema();
        let lines = &mut mixed.tables.get_mut("Invoice_Product").unwrap().columns;
        lines.retain(|column| column.name != gone);
        for name in ["VAT", "VATPer", "Amount"] {
            let kind = ColumnKind::Decimal { precision: 18, scale: 2 };
            lines.push(Column { name: name.into(), kind, identity: false });
        }
        let line = &desired(&invoice(), &mixed).lines[0];
        assert_eq!(numbers(line, &["VAT", "VATPer", "Amount"]), ["0", "0", "0"], "without {gone}");
    }
}

#[test]
fn the_one_rate_of_the_older_generation_is_gst_and_cess_together() {
    let mut with_cess = invoice();
    let taxes = Taxes { cess: decimal("0.90"), ..with_cess.taxes };
    (with_cess.taxes, with_cess.lines[0].taxes) = (taxes, taxes);
    with_cess.lines[0].total = decimal("107.09");
    (with_cess.grand_total, with_cess.amount_paid) = (decimal("106.90"), decimal("106.90"));
    let mut found = found();
    found.products[0].cess_percent = decimal("1");
    let bill = desired_bill(&with_cess, &found, &older_schema(), &context()).unwrap();
    assert_eq!(numbers(&bill.lines[0], &["VATPer", "VAT", "Amount"]), ["19", "17.1", "107.09"]);
}
