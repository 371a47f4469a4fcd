//! A schema, an invoice and what RainTek would know of it, for the tests of this folder.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::model::bill::{Found, LineProduct, Marks};
use crate::model::ids::RecordId;
use crate::model::invoice::{Invoice, InvoiceStatus, Line, PaymentKind, TaxMode, TaxType, Taxes};
use crate::model::schema::{Column, ColumnKind, PosSchema, Table};
use crate::model::settings::{PostingSettings, default_payments};
use crate::sync::mapping::MapContext;

const COLUMNS: &str = include_str!("../../tests/raintek-sandbox/data/raintek_columns.csv");

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// RainTek's tables as the facts describe them.
pub(crate) fn schema() -> PosSchema {
    let mut schema = PosSchema::default();
    for row in COLUMNS.lines().skip(1).filter(|row| !row.is_empty()) {
        let (name, rest) = row.split_once(',').unwrap();
        let (column, rest) = rest.split_once(',').unwrap();
        let (kind, rest) = match rest.strip_prefix('"') {
            Some(rest) => rest.split_once('"').unwrap(),
            None => rest.split_once(',').unwrap(),
        };
        let identity = rest.trim_start_matches(',').starts_with("yes,yes") || rest.starts_with(",yes,yes");
        let table = schema
            .tables
            .entry(name.to_owned())
            .or_insert_with(|| Table { name: name.to_owned(), columns: Vec::new() });
        table.columns.push(Column { name: column.to_owned(), kind: column_kind(kind), identity });
    }
    schema
}

fn column_kind(kind: &str) -> ColumnKind {
    let (name, arguments) = kind.split_once('(').unwrap_or((kind, ""));
    let numbers: Vec<u32> =
        arguments.trim_end_matches(')').split(',').filter_map(|n| n.trim().parse().ok()).collect();
    match name {
        "int" => ColumnKind::Int,
        "decimal" => ColumnKind::Decimal { precision: numbers[0], scale: numbers[1] },
        "datetime" => ColumnKind::Date,
        "image" => ColumnKind::Bytes,
        text => ColumnKind::Text {
            max: numbers.first().map(|n| usize::try_from(*n).unwrap()),
            wide: text.starts_with('n'),
        },
    }
}

/// Vector L2 as a cash invoice: 3 x 33.33 less 10 %, 18 % on top.
pub(crate) fn invoice() -> Invoice {
    let taxes = Taxes { cgst: decimal("8.10"), sgst: decimal("8.10"), ..Taxes::default() };
    Invoice {
        id: RecordId::new("inv000000000001"),
        number: "GST-0151-2025/26".into(),
        date: NaiveDate::from_ymd_opt(2026, 3, 31).unwrap(),
        status: InvoiceStatus::Completed,
        tax_type: TaxType::Gst,
        customer: None,
        item_count: Some(1),
        taxable: decimal("89.99"),
        taxes,
        freight: Decimal::ZERO,
        discount: Decimal::ZERO,
        round_off: decimal("-0.19"),
        grand_total: decimal("106.00"),
        amount_paid: decimal("106.00"),
        payment_method: PaymentKind("cash".into()),
        notes: String::new(),
        pos_id: None,
        stamped: false,
        updated: String::new(),
        lines: vec![Line {
            id: RecordId::new("lin000000000001"),
            product_code: "P-0001".into(),
            product_name: "Blue pen".into(),
            hsn_code: "9608".into(),
            barcode: "8901234567890".into(),
            quantity: decimal("3"),
            unit: "PCS".into(),
            rate: decimal("33.33"),
            mrp: decimal("40"),
            discount_percent: decimal("10"),
            discount: decimal("10.00"),
            tax_mode: TaxMode::Exclusive,
            gst_rate: decimal("18"),
            taxes,
            taxable: decimal("89.99"),
            total: decimal("106.19"),
        }],
        payments: Vec::new(),
    }
}

/// What RainTek knows of it before it was ever written.
pub(crate) fn found() -> Found {
    Found {
        products: vec![LineProduct {
            pid: 11,
            code: "P-0001".into(),
            cost_price: decimal("20.00"),
            cess_percent: Decimal::ZERO,
            barcode: "0".into(),
            tax_mode: "Exclusive".into(),
            unit: "PCS".into(),
        }],
        customer: Some(1),
        company_state: "Tamil Nadu".into(),
        marks: Marks { inv_id: 700, customer_id: 9, counter: 150, customer_number: 9, ..Marks::default() },
        ..Found::default()
    }
}

pub(crate) fn context() -> MapContext {
    MapContext { payments: default_payments(), unknown_item: None, posting: PostingSettings::default() }
}

/// The tables before GST, as far as the facts tell: one tax a line, `CustomerID`, one series of numbers.
pub(crate) fn older_schema() -> PosSchema {
    let mut schema = schema();
    schema.tables.remove("SaleNoTax");
    let mut change = |table: &str, renamed: &[(&str, &str)], gone: &[&str]| {
        let columns = &mut schema.tables.get_mut(table).unwrap().columns;
        columns.retain(|column| !gone.contains(&column.name.as_str()));
        for (name, older) in renamed {
            columns.iter_mut().find(|column| column.name == *name).unwrap().name = (*older).to_owned();
        }
    };
    change(
        "InvoiceInfo",
        &[("Customer_ID", "CustomerID")],
        &["CGST", "SGST", "IGST", "CESS", "TaxableAmt", "TaxType"],
    );
    let renamed = [
        ("SalesRate", "SellingPrice"),
        ("PurchaseRate", "CostPrice"),
        ("CGSTPer", "VATPer"),
        ("CGSTAmt", "VAT"),
        ("TotalAmount", "Amount"),
    ];
    let gone = ["SGSTPer", "SGSTAmt", "IGSTPer", "IGSTAmt", "CESSPer", "CESSAmt", "TaxableAmt", "STaxType"];
    change("Invoice_Product", &renamed, &gone);
    schema
}
