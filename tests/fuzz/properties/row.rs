//! RainTek's rows: single values, products on their way into the app, and bills of its own. A number that cannot be read
//! exactly is none; what was written into the app asks for nothing more.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;
use shopsync::billing::fuzzing as app;
use shopsync::model::bill::{FoundBill, Row, Value};
use shopsync::model::invoice::{Invoice, InvoiceRead};
use shopsync::model::product::{AppProduct, PosProduct, ProductWrite};
use shopsync::model::settings::default_payments;
use shopsync::raintek::fuzzing::{Cell, PRODUCT, product};
use shopsync::sync::awareness::{found_digest, is_whole, pos_invoice};
use shopsync::sync::catalogue::{CataloguePlan, Held, plan_products};

use super::{assert_for_people, record_json};

/// What RainTek sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Sent {
    /// Rows of `Product`, by column.
    products: Vec<BTreeMap<String, Cell>>,
    /// An older generation has no GST columns.
    older: bool,
    /// `InvoiceInfo` of one bill, with its customer's columns.
    info: BTreeMap<String, Cell>,
    /// `Invoice_Product` with the product's columns.
    lines: Vec<BTreeMap<String, Cell>>,
    /// `Invoice_Payment`.
    payments: Vec<BTreeMap<String, Cell>>,
}

/// Any bytes: JSON of what RainTek sends.
pub fn check(data: &[u8]) {
    let Ok(sent) = serde_json::from_slice::<Sent>(data) else { return };
    let rows = sent.products.iter().chain([&sent.info]).chain(&sent.lines).chain(&sent.payments);
    if !rows.flat_map(BTreeMap::values).all(check_cell) {
        return;
    }
    check_products(&sent);
    check_bill(&sent);
}

/// Whether SQL Server can send it at all; where it can, it is read as what it is.
fn check_cell(cell: &Cell) -> bool {
    match cell {
        Cell::Decimal(value, scale) => {
            if *scale > 38 || value.unsigned_abs() >= 10_u128.pow(38) {
                return false;
            }
            let (mut digits, mut left) = (*value, u32::from(*scale));
            while left > 0 && digits % 10 == 0 {
                digits /= 10;
                left -= 1;
            }
            match cell.read().unwrap() {
                Value::Dec(read) => {
                    let read = read.normalize();
                    assert_eq!((read.mantissa(), read.scale()), (digits, left), "{cell:?} is half read");
                }
                other => {
                    assert!(matches!(other, Value::Text(_)), "{cell:?} is {other:?}");
                    assert!(left > 28 || digits.unsigned_abs() >= 1 << 96, "{cell:?} could be read");
                }
            }
        }
        Cell::Float(value) => match cell.read().unwrap() {
            Value::Dec(read) => {
                let back: f64 = read.to_string().parse().unwrap();
                assert!((back - value).abs() <= 1e-12, "{value} was read as {read}");
            }
            other => assert!(matches!(other, Value::Text(_)), "{cell:?} is {other:?}"),
        },
        Cell::Text(text) => {
            assert_eq!(cell.read().unwrap(), Value::Text(text.trim_end_matches(' ').to_owned()));
        }
        Cell::DateTime(days, steps) => {
            // From the year 1753 to 9999, and the steps of a day.
            if !(-53_690..=2_958_463).contains(days) || *steps >= 300 * 86_400 {
                return false;
            }
            let Value::Date(at) = cell.read().unwrap() else { panic!("{cell:?} is no date") };
            let day = chrono::NaiveDate::from_ymd_opt(1900, 1, 1).unwrap()
                + chrono::TimeDelta::days((*days).into());
            let exact = day.and_time(chrono::NaiveTime::MIN)
                + chrono::TimeDelta::milliseconds(i64::from(*steps) * 10 / 3);
            assert!((at - exact).abs() <= chrono::TimeDelta::milliseconds(505), "{cell:?} is {at}");
        }
        Cell::Int(value) => assert_eq!(cell.read().unwrap(), Value::Int(*value)),
        Cell::Null | Cell::Bit(_) | Cell::Bytes(_) => drop(cell.read().unwrap()),
    }
    true
}

fn check_products(sent: &Sent) {
    let rows: Vec<PosProduct> = sent
        .products
        .iter()
        .map(|row| {
            let cells: Vec<Cell> =
                PRODUCT.iter().map(|name| row.get(*name).cloned().unwrap_or(Cell::Null)).collect();
            product(&cells, !sent.older).unwrap()
        })
        .collect();
    let mut held = Held::default();
    let CataloguePlan::Write { writes, problems } = plan_products(&rows, &held) else {
        panic!("nothing is known yet")
    };
    problems.iter().for_each(|problem| assert_for_people(&problem.sentence));
    assert!(writes.len() + problems.len() >= rows.len(), "a product is neither written nor reported");
    let mut in_app: Vec<AppProduct> = Vec::new();
    for write in &writes {
        let ProductWrite::Create { id, fields } = write else { panic!("{write:?} of a product nobody has") };
        let source = rows
            .iter()
            .find(|row| row.pid.to_string() == fields.pos_id && row.code.as_deref() == Some(&fields.code))
            .unwrap();
        assert_eq!(Some(fields.retail_price), source.price);
        assert!(fields.retail_price >= Decimal::ZERO && !fields.name.is_empty() && !fields.code.is_empty());
        let kept = AppProduct {
            id: id.clone(),
            fields: Some(fields.clone()),
            code: fields.code.clone(),
            barcode: fields.barcode.clone(),
            pos_id: fields.pos_id.clone(),
            active: fields.active,
        };
        let again = app::product(&record_json::product(&kept).unwrap());
        assert_eq!(again, kept, "the app keeps it, and it is read again");
        in_app.push(again);
        held.confirm(write);
    }
    // Neither what is remembered nor what the app holds asks for anything more.
    for held in [held, Held::from_app(&in_app)] {
        let CataloguePlan::Write { writes, .. } = plan_products(&rows, &held) else { panic!("suspicious") };
        assert_eq!(writes, [], "a second pass writes");
    }
}

fn check_bill(sent: &Sent) {
    let row = |cells: &BTreeMap<String, Cell>| -> Row {
        Row(cells.iter().map(|(name, cell)| (name.clone(), cell.read().unwrap())).collect())
    };
    let mut bill = FoundBill {
        info: row(&sent.info),
        lines: sent.lines.iter().map(row).collect(),
        payments: sent.payments.iter().map(row).collect(),
        ..FoundBill::default()
    };
    let whole = is_whole(&bill);
    let digest = found_digest(&bill);
    let shown = pos_invoice(&bill, &default_payments());
    if let Err(sentence) = &shown {
        assert_for_people(sentence);
    }
    if let Ok(shown) = &shown {
        let invoice = &shown.invoice;
        assert_eq!(invoice.grand_total, bill.info.decimal("GrandTotal"));
        assert_eq!((invoice.lines.len(), shown.products.len()), (bill.lines.len(), bill.lines.len()));
        assert_eq!(invoice.payments.len(), shown.paid_on.len());
        if !invoice.payments.is_empty() {
            assert_eq!(invoice.payments.len(), bill.payments.len(), "each way to pay is shown");
        }
        check_shown(invoice);
    }
    // The server may number rows as it likes.
    bill.lines.reverse();
    bill.payments.reverse();
    assert_eq!((is_whole(&bill), found_digest(&bill)), (whole, digest), "the order of rows counts");
}

/// What is written into the app is what stands there then, where the app can hold its numbers at all.
fn check_shown(invoice: &Invoice) {
    let lines = invoice.lines.iter().flat_map(|line| {
        let taxes = [line.taxes.cgst, line.taxes.sgst, line.taxes.igst, line.taxes.cess];
        let own = [line.quantity, line.rate, line.mrp, line.discount_percent, line.discount, line.gst_rate];
        taxes.into_iter().chain(own).chain([line.taxable, line.total])
    });
    let taxes = [invoice.taxes.cgst, invoice.taxes.sgst, invoice.taxes.igst, invoice.taxes.cess];
    let own = [invoice.taxable, invoice.freight, invoice.discount, invoice.round_off, invoice.grand_total];
    let all = lines.chain(taxes).chain(own).chain([invoice.amount_paid]);
    let mut all = all.chain(invoice.payments.iter().map(|payment| payment.amount));
    // The noise of floats is dropped on the way back.
    if all.any(|value| value.normalize().scale() > 4) {
        return;
    }
    let (record, lines, payments) = record_json::invoice(invoice);
    if let InvoiceRead::Found(again) = app::invoice(&record, lines, payments) {
        let mut wanted = invoice.clone();
        wanted.customer = again.customer.clone();
        // RainTek's Inv_ID is an int, and above 0.
        wanted.pos_id = wanted.pos_id.filter(|id| *id > 0);
        // No lines are none to be counted.
        wanted.item_count = wanted.item_count.filter(|count| *count > 0);
        assert_eq!(*again, wanted, "shown and read again");
    }
}
