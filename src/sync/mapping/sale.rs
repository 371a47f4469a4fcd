//! InvoiceInfo, Invoice_Product, Invoice_Payment and the counter row of one invoice.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::customer::new_customer;
use super::payments::payment_rows;
use super::postings::{Sale, desired_postings};
use super::row::RowBuilder;
use crate::model::bill::{Desired, DesiredCustomer, Found, LineProduct, OPERATOR, Row, TILL_ID};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::invoice::{Invoice, Line, Taxes};
use crate::model::money::{r2, rupees};
use crate::model::schema::{ColumnKind, PosSchema, Table};
use crate::model::settings::PostingSettings;
use crate::model::words::one_line;
use crate::sync::arithmetic::{filled, is_other_state};
use crate::sync::completeness::line_difference;
use crate::sync::numbering::counter_of;

/// What the settings say about mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapContext {
    /// App's payment method -> RainTek's text.
    pub payments: BTreeMap<String, String>,
    /// RainTek's product code on which an unknown item is booked.
    pub unknown_item: Option<String>,
    /// What RainTek's till books beside a bill.
    pub posting: PostingSettings,
}

/// RainTek's width of `InvoiceNo` where the schema does not say.
const NUMBER_WIDTH: usize = 30;
/// Characters of a name within a sentence.
const LONGEST_NAME: usize = 60;

/// The bill as it is to stand in RainTek.
///
/// # Errors
/// Data faults with one sentence each: no lines, lines that do not add up, an unknown item, a number too long, an
/// unknown payment method. A Schema fault where a table is missing.
pub fn desired_bill(
    invoice: &Invoice,
    found: &Found,
    schema: &PosSchema,
    context: &MapContext,
) -> Result<Desired, Fault> {
    let info_table = table(schema, "InvoiceInfo")?;
    check(invoice, &found.company_state, info_table)?;
    let other_state = is_other_state(invoice, &found.company_state);
    let lines: Vec<Line> =
        invoice.lines.iter().map(|line| filled(line, invoice.tax_type, other_state)).collect();
    let mut notes = Vec::new();

    let customer = match found.customer {
        Some(id) => DesiredCustomer::Existing(id),
        None => {
            let by_phone = invoice
                .customer
                .as_ref()
                .filter(|customer| crate::model::customer::phone_key(&customer.phone).is_some());
            let (row, cut) = new_customer(by_phone, table(schema, "Customer")?, invoice.date)?;
            notes.extend(cut);
            DesiredCustomer::New(row)
        }
    };

    let payments = payment_rows(invoice, &context.payments)?;
    let paid: Decimal = payments.iter().filter(|row| row.is_paid()).map(|row| row.amount).sum();
    let cash: Decimal = payments.iter().filter(|row| row.kind == "cash").map(|row| row.amount).sum();
    let (info, cut) = info_row(invoice, &lines, paid, cash, info_table)?;
    notes.extend(cut);

    let line_table = table(schema, "Invoice_Product")?;
    let mut line_rows = Vec::with_capacity(lines.len());
    for line in &lines {
        let (row, cut) = line_row(invoice, line, found, context, line_table)?;
        notes.extend(cut);
        line_rows.push(row);
    }

    let payment_table = table(schema, "Invoice_Payment")?;
    let mut payment_rows = Vec::with_capacity(payments.len());
    for payment in &payments {
        let (row, _) = RowBuilder::new(payment_table, invoice.date)
            .date("PaymentDate", invoice.date)
            .exact("TotalPaid", payment.amount)
            .text("PaymentMode", &payment.mode, "The payment mode")
            .finish(&["IP_ID", "InvoiceID"])?;
        payment_rows.push(row);
    }

    // An installation that numbers one series only has one table: the other's bills are not counted there.
    let counter_row = match schema.table(invoice.tax_type.counter_table()) {
        Some(table) => {
            let row = RowBuilder::new(table, invoice.date);
            Some(row.text("InvNo", &invoice.number, "The invoice number").finish(&["ID"])?.0)
        }
        None => None,
    };
    let sale = Sale { invoice, payments: &payments, lines: &line_rows, customer: &customer };
    let (postings, not_posted) = desired_postings(&sale, found, schema, context.posting)?;
    notes.extend(not_posted);
    notes.dedup();
    Ok(Desired {
        number: invoice.number.clone(),
        tax_type: invoice.tax_type,
        counter: counter_of(&invoice.number),
        info,
        customer_column: customer_column(info_table).to_owned(),
        lines: line_rows,
        payments: payment_rows,
        counter_row,
        customer,
        postings,
        notes,
    })
}

fn customer_column(info: &Table) -> &str {
    ["Customer_ID", "CustomerID"]
        .into_iter()
        .find_map(|name| info.column(name))
        .map_or("Customer_ID", |column| column.name.as_str())
}

fn table<'a>(schema: &'a PosSchema, name: &str) -> Result<&'a Table, Fault> {
    schema.table(name).ok_or_else(|| {
        Fault::new(FaultKind::Schema, Scope::Pos, format!("RainTek's database has no table {name}."))
    })
}

fn check(invoice: &Invoice, company_state: &str, info: &Table) -> Result<(), Fault> {
    let width = match info.column("InvoiceNo").map(|column| column.kind) {
        Some(ColumnKind::Text { max: Some(max), .. }) => max,
        _ => NUMBER_WIDTH,
    };
    let length = invoice.number.encode_utf16().count();
    if invoice.number.is_empty() {
        return Err(Fault::data("The invoice has no number."));
    }
    if length > width {
        return Err(Fault::data(format!(
            "The number \"{}\" is {length} characters long; RainTek takes at most {width}.",
            one_line(&invoice.number, LONGEST_NAME)
        )));
    }
    if invoice.lines.is_empty() {
        return Err(Fault::data("The invoice has no lines."));
    }
    if invoice.grand_total < Decimal::ZERO {
        return Err(Fault::data(format!(
            "The grand total {} is below zero; RainTek books returns elsewhere.",
            rupees(invoice.grand_total)
        )));
    }
    let difference = line_difference(invoice, company_state);
    if !difference.is_zero() {
        let word = if difference > Decimal::ZERO { "more" } else { "less" };
        return Err(Fault::data(format!(
            "The lines come to {} {word} than the grand total {}.",
            rupees(difference.abs()),
            rupees(invoice.grand_total)
        )));
    }
    Ok(())
}

fn info_row(
    invoice: &Invoice,
    lines: &[Line],
    paid: Decimal,
    cash: Decimal,
    table: &Table,
) -> Result<(Row, Vec<String>), Fault> {
    let given = !invoice.taxable.is_zero() || !invoice.taxes.sum().is_zero();
    let (taxable, taxes) = if given {
        (invoice.taxable, invoice.taxes)
    } else {
        let taxes = lines.iter().fold(Taxes::default(), |sum, line| sum.plus(&line.taxes));
        (lines.iter().map(|line| line.taxable).sum(), taxes)
    };
    let sub_total = taxable + taxes.sum();
    let total = sub_total + invoice.freight - invoice.discount;
    let difference = total + invoice.round_off - invoice.grand_total;
    if !difference.is_zero() {
        let word = if difference > Decimal::ZERO { "more" } else { "less" };
        return Err(Fault::data(format!(
            "Taxable amount, taxes, freight, discount and round-off come to {} {word} than the grand total {}.",
            rupees(difference.abs()),
            rupees(invoice.grand_total)
        )));
    }
    RowBuilder::new(table, invoice.date)
        .text("InvoiceNo", &invoice.number, "The invoice number")
        .date("InvoiceDate", invoice.date)
        .text("TaxType", invoice.tax_type.text(), "The tax type")
        .exact("SubTotal", sub_total)
        .exact("CGST", taxes.cgst)
        .exact("SGST", taxes.sgst)
        .exact("IGST", taxes.igst)
        .exact("CESS", taxes.cess)
        .exact("TaxableAmt", taxable)
        .exact("FreightCharges", invoice.freight)
        .exact("OtherCharges", invoice.discount)
        .exact("BillDiscount", invoice.discount)
        .exact("Total", total)
        .exact("RoundOff", invoice.round_off)
        .exact("GrandTotal", invoice.grand_total)
        .exact("TotalPaid", paid)
        .exact("Balance", invoice.grand_total - paid)
        .exact("Tender", cash)
        .exact("BillCash", cash)
        .text("Remarks", &invoice.notes, "The note")
        .text("TillID", TILL_ID, "The till")
        .text("Operator", OPERATOR, "The operator")
        .finish(&["Inv_ID", customer_column(table)])
}

fn line_row(
    invoice: &Invoice,
    line: &Line,
    found: &Found,
    context: &MapContext,
    table: &Table,
) -> Result<(Row, Vec<String>), Fault> {
    let (product, description) = product_of(line, found, context)?;
    let half = line.gst_rate / Decimal::TWO;
    let integrated = !line.taxes.igst.is_zero();
    let (cgst, igst) = if integrated { (Decimal::ZERO, line.gst_rate) } else { (half, Decimal::ZERO) };
    let cess = if line.taxes.cess.is_zero() { Decimal::ZERO } else { product.cess_percent };
    let barcode = if line.barcode.trim().is_empty() { &product.barcode } else { &line.barcode };
    let unit = if line.unit.trim().is_empty() { &product.unit } else { &line.unit };
    let row = RowBuilder::new(table, invoice.date)
        .number("ProductID", Decimal::from(product.pid))
        .text("Barcode", barcode.trim(), "A barcode")
        .exact("SalesRate", line.rate)
        .exact("Qty", line.quantity)
        .number("DiscountPer", line.discount_percent)
        .exact("Discount", line.discount)
        .number("CGSTPer", cgst)
        .exact("CGSTAmt", line.taxes.cgst)
        .number("SGSTPer", cgst)
        .exact("SGSTAmt", line.taxes.sgst)
        .number("IGSTPer", igst)
        .exact("IGSTAmt", line.taxes.igst)
        .number("CESSPer", cess)
        .exact("CESSAmt", line.taxes.cess)
        .exact("TotalAmount", line.total)
        .number("PurchaseRate", product.cost_price)
        .number("Margin", margin(line, product.cost_price))
        .text("Descr", description, "An item's name")
        .number("MRP", line.mrp)
        .exact("TaxableAmt", line.taxable)
        .text("STaxType", line.tax_mode.text(), "The tax mode")
        .number("TotalMRP", r2(line.mrp * line.quantity))
        .text("MainUnit", unit.trim(), "A unit");
    older(row, line, product, table).finish(&["IPo_ID", "InvoiceID"])
}

/// The columns of the generation before GST, each where its successor is not there: one rate and one tax, all that is
/// on the line; the line's amount with it. Where the line's total has a column of its own, `Amount` is what is
/// charged before discount and tax.
fn older<'a>(row: RowBuilder<'a>, line: &Line, product: &LineProduct, table: &Table) -> RowBuilder<'a> {
    let lacks = |column: &str| table.column(column).is_none();
    let mut row = row;
    if lacks("SalesRate") {
        row = row.exact("SellingPrice", line.rate);
    }
    if lacks("PurchaseRate") {
        row = row.number("CostPrice", product.cost_price);
    }
    if lacks("CGSTAmt") && lacks("IGSTAmt") {
        let is_taxed = !line.taxes.sum().is_zero();
        let cess = if line.taxes.cess.is_zero() { Decimal::ZERO } else { product.cess_percent };
        row = row.number("VATPer", if is_taxed { line.gst_rate + cess } else { Decimal::ZERO });
        row = row.exact("VAT", line.taxes.sum());
        let before = r2(line.rate * line.quantity);
        row = row.exact("Amount", if lacks("TotalAmount") { line.total } else { before });
    }
    row
}

/// What is earned. RainTek's own price is taken as it is: one that goes beyond all numbers makes a margin that does not fit.
fn margin(line: &Line, cost_price: Decimal) -> Decimal {
    r2(line.taxable.saturating_sub(cost_price.saturating_mul(line.quantity)))
}

/// The product a line is booked on, and the text that says what it was where that is another one.
fn product_of<'a>(
    line: &'a Line,
    found: &'a Found,
    context: &MapContext,
) -> Result<(&'a LineProduct, &'a str), Fault> {
    let of_code = |code: &str| {
        found.products.iter().filter(|product| product.code.eq_ignore_ascii_case(code)).min_by_key(|p| p.pid)
    };
    let code = line.product_code.trim();
    if let Some(product) = of_code(code).filter(|_| !code.is_empty()) {
        return Ok((product, ""));
    }
    if let Some(product) = context.unknown_item.as_deref().and_then(of_code) {
        return Ok((product, &line.product_name));
    }
    let name = if line.product_name.trim().is_empty() { code } else { line.product_name.trim() };
    let name = one_line(name, LONGEST_NAME);
    Err(Fault::data(format!("Item \"{name}\" is not in RainTek."))
        .action(Action::PullProducts)
        .detail(format!("product_code \"{code}\"")))
}

#[cfg(test)]
#[path = "sale_tests.rs"]
mod tests;
