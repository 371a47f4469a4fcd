//! RainTek as far as booking a bill needs it: its tables, and what it knows of a bill before and after.

use std::sync::LazyLock;

use rust_decimal::Decimal;
use shopsync::model::bill::{
    Desired, DesiredCustomer, Found, FoundBill, LineProduct, Marks, Plan, Row, Value,
};
use shopsync::model::invoice::Invoice;
use shopsync::model::schema::{Column, ColumnKind, PosSchema, Table};
use shopsync::model::settings::{PostingSettings, default_payments};
use shopsync::sync::completeness::{Completeness, completeness};
use shopsync::sync::mapping::{MapContext, desired_bill};
use shopsync::sync::plan::plan;

use super::assert_for_people;

const COLUMNS: &str = include_str!("../../raintek-sandbox/data/raintek_columns.csv");

/// RainTek's tables.
pub static SCHEMA: LazyLock<PosSchema> = LazyLock::new(|| {
    let mut schema = PosSchema::default();
    for row in COLUMNS.lines().skip(1).filter(|row| !row.is_empty()) {
        let (table, rest) = row.split_once(',').unwrap();
        let (column, rest) = rest.split_once(',').unwrap();
        let (kind, rest) = match rest.strip_prefix('"') {
            Some(rest) => rest.split_once('"').unwrap(),
            None => rest.split_once(',').unwrap(),
        };
        let identity = rest.trim_start_matches(',').starts_with("yes,yes");
        let found = schema
            .tables
            .entry(table.to_owned())
            .or_insert_with(|| Table { name: table.to_owned(), columns: Vec::new() });
        found.columns.push(Column { name: column.to_owned(), kind: kind_of(kind), identity });
    }
    schema
});

fn kind_of(kind: &str) -> ColumnKind {
    let (name, arguments) = kind.split_once('(').unwrap_or((kind, ""));
    let numbers: Vec<u32> =
        arguments.trim_end_matches(')').split(',').filter_map(|n| n.trim().parse().ok()).collect();
    match name {
        "int" => ColumnKind::Int,
        "decimal" => ColumnKind::Decimal { precision: numbers[0], scale: numbers[1] },
        "datetime" => ColumnKind::Date,
        "image" => ColumnKind::Bytes,
        text => ColumnKind::Text { max: numbers.first().map(|n| *n as usize), wide: text.starts_with('n') },
    }
}

/// What RainTek knows before the bill was written: its products, and the customer or nobody.
fn found(invoice: &Invoice, customer: Option<i32>) -> Found {
    let product = |(at, code): (usize, &str)| LineProduct {
        pid: 11 + at as i32,
        code: code.trim().to_owned(),
        cost_price: Decimal::new(2_050, 2),
        cess_percent: Decimal::from(12),
        barcode: "0".into(),
        tax_mode: "Exclusive".into(),
        unit: "PCS".into(),
    };
    let codes = invoice.lines.iter().map(|line| line.product_code.as_str());
    Found {
        products: codes.filter(|code| !code.trim().is_empty()).enumerate().map(product).collect(),
        customer,
        company_state: "Karnataka".into(),
        marks: Marks { inv_id: 700, customer_id: 9, counter: 150, customer_number: 9, ..Marks::default() },
        ..Found::default()
    }
}

/// The invoice as a bill: money adds up to the paisa, every text fits, nothing is NULL, and once it is written nothing more
/// is to be done. Where it cannot be booked, one sentence says why.
pub fn check_booked(invoice: &Invoice) {
    if let Completeness::Waiting(sentence) = completeness(invoice) {
        assert_for_people(&sentence);
    }
    for (customer, posting) in [(Some(1), PostingSettings::default()), (None, PostingSettings::ALL)] {
        let found = found(invoice, customer);
        let context = MapContext { payments: default_payments(), unknown_item: None, posting };
        let desired = match desired_bill(invoice, &found, &SCHEMA, &context) {
            Ok(desired) => desired,
            Err(fault) => {
                assert_for_people(&fault.sentence);
                continue;
            }
        };
        check_money(invoice, &desired);
        check_fits("InvoiceInfo", &desired.info);
        desired.lines.iter().for_each(|row| check_fits("Invoice_Product", row));
        desired.payments.iter().for_each(|row| check_fits("Invoice_Payment", row));
        desired.counter_row.iter().for_each(|row| check_fits(invoice.tax_type.counter_table(), row));
        if let DesiredCustomer::New(row) = &desired.customer {
            check_fits("Customer", row);
        }
        let Plan::Insert(first) = plan(&desired, &found) else { panic!("a new bill is inserted") };
        if !posting.stock {
            let bill = FoundBill {
                info: first.info.clone(),
                lines: first.lines.clone(),
                payments: first.payments.clone(),
                counter: first.counter_row.clone().into_iter().collect(),
                ..FoundBill::default()
            };
            let after = Found { bills: vec![bill], ..found };
            assert!(
                matches!(plan(&desired, &after), Plan::Nothing { inv_id: 701, .. }),
                "written, and not the same"
            );
        }
    }
}

/// Whether the invoice becomes a bill at all.
pub fn books(invoice: &Invoice) -> bool {
    let context =
        MapContext { payments: default_payments(), unknown_item: None, posting: PostingSettings::default() };
    desired_bill(invoice, &found(invoice, Some(1)), &SCHEMA, &context).is_ok()
}

/// The sums over payments and over what makes the total equal the bill's.
fn check_money(invoice: &Invoice, desired: &Desired) {
    let sum = |rows: &[Row], column: &str| rows.iter().map(|row| row.decimal(column)).sum::<Decimal>();
    let info = |column: &str| desired.info.decimal(column);
    let total = invoice.grand_total;
    assert_eq!(info("GrandTotal"), total);
    assert_eq!(sum(&desired.payments, "TotalPaid"), total, "payments");
    assert_eq!(info("TotalPaid") + info("Balance"), total);
    assert_eq!(
        info("TaxableAmt") + info("CGST") + info("SGST") + info("IGST") + info("CESS"),
        info("SubTotal")
    );
    assert_eq!(info("SubTotal") + info("FreightCharges") - info("OtherCharges"), info("Total"));
    assert_eq!(info("Total") + info("RoundOff"), total);
    let lines = sum(&desired.lines, "TotalAmount") + info("FreightCharges") - info("OtherCharges");
    assert!(
        (lines - total).abs() <= invoice.round_off.abs(),
        "the lines come to {lines}, the bill to {total}"
    );
    for (row, line) in desired.lines.iter().zip(&invoice.lines) {
        assert_eq!((row.decimal("Qty"), row.decimal("SalesRate")), (line.quantity, line.rate));
    }
}

/// Every column that can be written has a value that it can hold just so.
fn check_fits(table: &str, row: &Row) {
    for column in &SCHEMA.tables[table].columns {
        let Some(value) = row.get(&column.name) else { continue };
        let name = format!("{table}.{}", column.name);
        match (value, column.kind) {
            (Value::Null, _) => panic!("{name} is NULL"),
            (Value::Text(text), ColumnKind::Text { max, wide }) => {
                assert!(
                    max.is_none_or(|max| text.encode_utf16().count() <= max),
                    "{name} is too narrow: {text:?}"
                );
                assert!(!text.ends_with(' '), "{name}: {text:?} would not be read back");
                assert!(wide || text.is_ascii(), "{name}: {text:?}");
            }
            (Value::Dec(number), ColumnKind::Decimal { precision, scale }) => {
                assert!(number.normalize().scale() <= scale, "{name}: {number} loses decimals");
                let room = Decimal::from(10_i128.pow(precision - scale));
                assert!(number.abs() < room, "{name}: {number} has no room");
            }
            _ => {}
        }
    }
}
