//! Whether RainTek's rows are what mapping.md says, column by column, for every column the tables have.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::bill::{Bill, r2};
use super::generation::{counter_of, translated, types_of};
use super::raintek::{Dump, number};

/// What a cell must hold.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    Number(Decimal),
    Text(String),
    Day(NaiveDate),
}

pub(crate) type Wanted = BTreeMap<&'static str, Want>;

pub(crate) fn num(value: Decimal) -> Want {
    Want::Number(value)
}

fn text(value: &str) -> Want {
    Want::Text(value.to_owned())
}

/// Checks all rows of one invoice, and that its own number counts; `customer` is the ID its bill must carry.
pub(crate) fn assert_booked(dump: &Dump, bill: &Bill, record: &Value, customer: i64) {
    assert_rows_booked(dump, bill, record, customer);
    let counter = counted(dump, bill);
    let name = &bill.number;
    let own = name.split('-').nth(1).filter(|_| name.matches('-').count() == 2);
    if let (Some(own), Some(counter)) = (own, counter) {
        assert_eq!(counter, own.parse().unwrap(), "{name}: its own number counts");
    }
}

/// Checks all rows of one invoice.
pub(crate) fn assert_rows_booked(dump: &Dump, bill: &Bill, record: &Value, customer: i64) {
    let name = &bill.number;
    let found = dump.bills(name);
    assert_eq!(found.len(), 1, "bills of the number {name}");
    let info = found[0];
    let inv_id = number(info, "Inv_ID");
    assert_eq!(record["raintek_inv_id"].to_string(), inv_id.to_string(), "{name}: the app's raintek_inv_id");
    assert_eq!((&record["sync_status"], &record["source"]), (&"synced".into(), &"app".into()), "{name}");
    assert_eq!(record["sync_error"], "", "{name}");
    let generation = dump.generation;
    assert_row(generation, name, "InvoiceInfo", info, &info_row(bill, inv_id, customer), bill.day);

    let lines = info["Invoice_Product"].as_array().unwrap();
    assert_eq!(lines.len(), bill.lines.len(), "{name}: lines");
    for (at, row) in lines.iter().enumerate() {
        assert_row(
            generation,
            &format!("{name} line {at}"),
            "Invoice_Product",
            row,
            &line_row(bill, at, dump, inv_id),
            bill.day,
        );
    }

    let payments = info["Invoice_Payment"].as_array().unwrap();
    let wanted = bill.payment_rows();
    assert_eq!(payments.len(), wanted.len(), "{name}: payments {payments:?}");
    for (row, (mode, amount)) in payments.iter().zip(wanted) {
        let want = Wanted::from([
            ("InvoiceID", num(inv_id)),
            ("PaymentDate", Want::Day(bill.day)),
            ("TotalPaid", num(amount)),
            ("PaymentMode", text(mode)),
            ("BankAc", text("")),
        ]);
        assert_row(generation, &format!("{name} payment"), "Invoice_Payment", row, &want, bill.day);
    }

    counted(dump, bill);
}

/// Checks the row of the counter; hands back its ID, where this generation counts bills of the series.
fn counted(dump: &Dump, bill: &Bill) -> Option<Decimal> {
    let (name, generation) = (&bill.number, dump.generation);
    let (table, other) =
        if bill.tax_type == "GST" { ("SaleGST", "SaleNoTax") } else { ("SaleNoTax", "SaleGST") };
    assert!(dump.with(other, "InvNo", name).is_empty(), "{name}: in {other} too");
    if !counter_of(generation, table) {
        return None;
    }
    let counters = dump.with(table, "InvNo", name);
    assert_eq!(counters.len(), 1, "{name}: rows of {table}");
    let counter = number(counters[0], "ID");
    let neutral = [("ID", num(counter)), ("InvNo", text(name))];
    assert_row(generation, name, table, counters[0], &Wanted::from(neutral), bill.day);
    Some(counter)
}

fn info_row(bill: &Bill, inv_id: Decimal, customer: i64) -> Wanted {
    let totals = bill.totals();
    let payments = bill.payment_rows();
    let sum = |take: &dyn Fn(&str) -> bool| -> Decimal {
        payments.iter().filter(|(mode, _)| take(mode)).map(|(_, amount)| amount).sum()
    };
    let paid = sum(&|mode| !mode.starts_with("Credit"));
    let cash = sum(&|mode| mode == "By Cash");
    Wanted::from([
        ("Inv_ID", num(inv_id)),
        ("InvoiceNo", text(&bill.number)),
        ("InvoiceDate", Want::Day(bill.day)),
        ("TaxType", text(bill.tax_type)),
        ("Customer_ID", num(customer.into())),
        ("SubTotal", num(totals.sub_total)),
        ("CGST", num(totals.lines.cgst)),
        ("SGST", num(totals.lines.sgst)),
        ("IGST", num(totals.lines.igst)),
        ("CESS", num(totals.lines.cess)),
        ("FreightCharges", num(bill.freight)),
        ("OtherCharges", num(bill.discount)),
        ("BillDiscount", num(bill.discount)),
        ("Total", num(totals.total)),
        ("RoundOff", num(totals.round_off)),
        ("GrandTotal", num(totals.grand)),
        ("TotalPaid", num(paid)),
        ("Balance", num(totals.grand - paid)),
        ("TaxableAmt", num(totals.lines.taxable)),
        ("Tender", num(cash)),
        ("BillCash", num(cash)),
        ("Remarks", text(&bill.notes)),
        ("TillID", text("SHOPSYNC")),
        ("Operator", text("ShopSync")),
        ("CType", text("Retail")),
        ("BillSundry", text("None")),
    ])
}

fn line_row(bill: &Bill, at: usize, dump: &Dump, inv_id: Decimal) -> Wanted {
    let line = &bill.lines[at];
    let amounts = line.amounts(bill.other_state);
    let product = dump.product(&line.code);
    let cost = number(product, "CostPrice");
    let barcode = if line.barcode.is_empty() { product["Barcode"].as_str().unwrap() } else { &line.barcode };
    let half = line.gst / Decimal::TWO;
    let (cgst, igst) = if amounts.igst.is_zero() { (half, Decimal::ZERO) } else { (Decimal::ZERO, line.gst) };
    Wanted::from([
        ("InvoiceID", num(inv_id)),
        ("ProductID", num(number(product, "PID"))),
        ("Barcode", text(barcode)),
        ("SalesRate", num(line.rate)),
        ("Qty", num(line.quantity)),
        ("DiscountPer", num(line.percent)),
        ("Discount", num(amounts.discount)),
        ("CGSTPer", num(cgst)),
        ("CGSTAmt", num(amounts.cgst)),
        ("SGSTPer", num(cgst)),
        ("SGSTAmt", num(amounts.sgst)),
        ("IGSTPer", num(igst)),
        ("IGSTAmt", num(amounts.igst)),
        ("CESSPer", num(line.cess)),
        ("CESSAmt", num(amounts.cess)),
        ("TotalAmount", num(amounts.total)),
        ("PurchaseRate", num(cost)),
        ("Margin", num(r2(amounts.taxable - cost * line.quantity))),
        ("MRP", num(line.mrp)),
        ("TaxableAmt", num(amounts.taxable)),
        ("STaxType", text(line.mode)),
        ("TotalMRP", num(r2(line.mrp * line.quantity))),
        ("MainUnit", text(&line.unit)),
    ])
}

/// A new customer's row; `cut` are the texts as they fit.
pub(crate) fn assert_customer(dump: &Dump, id: &str, cut: &[(&'static str, &str)], day: NaiveDate) {
    let row = dump.customer(id);
    let id = number(row, "ID");
    let key = row["CustomerID"].as_str().unwrap();
    assert!(key.starts_with("C-") && key.len() >= 6, "CustomerID {key}");
    let mut wanted = Wanted::from([
        ("ID", num(id)),
        ("CustomerID", text(key)),
        ("Lstatus", text("No")),
        ("DiscStatus", text("No")),
        ("Optype", text("DR")),
        ("Status", text("Activated")),
    ]);
    wanted.extend(cut.iter().map(|(column, value)| (*column, text(value))));
    assert_row(dump.generation, "new customer", "Customer", row, &wanted, day);
}

/// Every column of a row: the wanted value, else the neutral one of its type.
fn assert_row(generation: &str, what: &str, table: &str, row: &Value, wanted: &Wanted, day: NaiveDate) {
    let types = types_of(generation, table);
    let wanted = translated(generation, table, wanted);
    assert!(wanted.keys().all(|column| types.contains_key(column)), "{what}: {table} lacks a column");
    for (column, cell) in row.as_object().unwrap() {
        let Some(kind) = types.get(column.as_str()) else {
            assert!(cell.is_array(), "{what}: {table}.{column} is not of RainTek");
            continue;
        };
        let Some(cell) = cell.as_str() else { panic!("{what}: {table}.{column} is NULL") };
        let own_number = matches!(column.as_str(), "IPo_ID" | "IP_ID");
        let is_right = match wanted.get(column.as_str()) {
            _ if own_number => cell.parse::<u32>().is_ok_and(|number| number > 0),
            Some(Want::Number(value)) => cell.parse() == Ok(*value),
            Some(Want::Text(value)) => cell == value.as_str(),
            Some(Want::Day(value)) => cell == format!("{value} 00:00:00.000"),
            None => match kind.split('(').next().unwrap_or_default() {
                "int" | "smallint" | "decimal" | "bit" | "float" => cell.parse() == Ok(Decimal::ZERO),
                "nchar" | "nvarchar" | "char" | "varchar" => cell.is_empty(),
                "datetime" => cell == format!("{day} 00:00:00.000"),
                "date" => cell == day.to_string(),
                "image" => cell == "0x",
                other => panic!("{table}.{column} is of a type this test does not know: {other}"),
            },
        };
        let want = wanted.get(column.as_str()).map_or_else(
            || "its neutral value".to_owned(),
            |want| match want {
                Want::Number(value) => value.to_string(),
                Want::Text(value) => value.clone(),
                Want::Day(value) => value.to_string(),
            },
        );
        assert!(is_right, "{what}: {table}.{column} is {cell:?} and not {want}");
    }
}
