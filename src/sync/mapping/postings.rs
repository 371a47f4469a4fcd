//! What RainTek's till would book beside a bill, as rows of its ledgers and stock movements.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::payments::PaymentRow;
use super::row::RowBuilder;
use crate::model::bill::{DesiredCustomer, Found, Row};
use crate::model::fault::Fault;
use crate::model::ids::ProductId;
use crate::model::invoice::Invoice;
use crate::model::posting::{Book, DesiredPostings, PARTY, Party, kinds_of};
use crate::model::schema::{PosSchema, Table};
use crate::model::settings::PostingSettings;
use crate::sync::posting::possible;

/// The one mode that goes into the till's drawer; all other paid ones go to a bank.
const CASH: &str = "By Cash";

/// The bill that is posted.
pub(super) struct Sale<'a> {
    pub(super) invoice: &'a Invoice,
    pub(super) payments: &'a [PaymentRow],
    /// Rows of `Invoice_Product`.
    pub(super) lines: &'a [Row],
    pub(super) customer: &'a DesiredCustomer,
}

impl Sale<'_> {
    /// Whom the ledgers name; a new customer's number is given by the plan.
    fn party(&self, found: &Found) -> (Party, bool) {
        match self.customer {
            DesiredCustomer::Existing(_) => (found.postings.party.clone(), false),
            DesiredCustomer::New(row) => {
                (Party { key: String::new(), name: row.text("Name").to_owned() }, true)
            }
        }
    }
}

/// What is to be posted, and notes of what cannot be.
///
/// # Errors
/// As of [`RowBuilder::finish`].
pub(super) fn desired_postings(
    sale: &Sale<'_>,
    found: &Found,
    schema: &PosSchema,
    asked: PostingSettings,
) -> Result<(DesiredPostings, Vec<String>), Fault> {
    let (wanted, _) = possible(asked, schema);
    let (can, _) = possible(PostingSettings::ALL, schema);
    let kept = wanted.or(kinds_of(&found.bills).and(can));
    let mut desired = DesiredPostings { wanted, ..DesiredPostings::default() };
    for book in Book::ALL.into_iter().filter(|book| book.is_in(kept)) {
        let Some(table) = schema.table(book.table()) else { continue };
        desired.books.0.insert(book, rows(book, sale, found, table)?);
    }
    let day = sale.invoice.date;
    if let Some(table) = schema.table("Customer").filter(|_| kept.ledgers) {
        let row = RowBuilder::new(table, day).date("Lvisitdate", day).some();
        desired.last_visit = (!row.0.is_empty()).then_some(row);
    }
    if let Some(table) = schema.table("Product").filter(|_| kept.stock) {
        for line in sale.lines {
            let row = RowBuilder::new(table, day).number("LastPrice", line.decimal("SalesRate")).some();
            if !row.0.is_empty() {
                desired.last_prices.insert(pid(line), row);
            }
        }
    }
    let notes = if wanted.stock { not_lowered(sale.lines, found) } else { Vec::new() };
    Ok((desired, notes))
}

fn rows(book: Book, sale: &Sale<'_>, found: &Found, table: &Table) -> Result<Vec<Row>, Fault> {
    let (party, new) = sale.party(found);
    let invoice = sale.invoice;
    let numbered: &[&str] = if new { &["ID", PARTY] } else { &["ID"] };
    let entry = |name: &str, label: &str, debit: Decimal, credit: Decimal| {
        let builder = RowBuilder::new(table, invoice.date)
            .date("Date", invoice.date)
            .text(book.number_column(), &invoice.number, "The invoice number")
            .text("Label", label, "A ledger's label")
            .number("Debit", debit)
            .number("Credit", credit);
        let builder = if new { builder } else { builder.text(PARTY, &party.key, "") };
        let builder = match book {
            Book::BankAccountLedger => builder,
            _ => builder
                .text("Name", name, "A ledger's account")
                .text("PartyName", &party.name, "The customer's name")
                .text("CustNameid", &party.name, "The customer's name"),
        };
        Ok(builder.finish(numbered)?.0)
    };
    let paid = sale.payments.iter().filter(|payment| payment.is_paid());
    match book {
        Book::LedgerBook | Book::CustomerLedgerBook => {
            let sales = entry(&party.name, "Sales", invoice.grand_total, Decimal::ZERO);
            let receipt = |payment: &PaymentRow| {
                let account = if payment.mode == CASH { "Cash Account" } else { "Bank Account" };
                entry(account, "Receipt", Decimal::ZERO, payment.amount)
            };
            std::iter::once(sales).chain(paid.map(receipt)).collect()
        }
        Book::BankAccountLedger => paid
            .filter(|payment| payment.mode != CASH)
            .map(|payment| entry("", &format!("Sale-{}", payment.mode), Decimal::ZERO, payment.amount))
            .collect(),
        Book::StockMovement => sale
            .lines
            .iter()
            .map(|line| {
                let row = RowBuilder::new(table, invoice.date)
                    .number("ProductID", line.decimal("ProductID"))
                    .number("StockOut", line.decimal("Qty"))
                    .date("Date", invoice.date)
                    .text(book.number_column(), &invoice.number, "The invoice number");
                Ok(row.finish(&["ID"])?.0)
            })
            .collect(),
    }
}

/// Products that RainTek holds no stock of under the line's barcode: its own till would lower nothing either.
fn not_lowered(lines: &[Row], found: &Found) -> Vec<String> {
    let mut missing: BTreeSet<(ProductId, &str)> = BTreeSet::new();
    for line in lines {
        let barcode = line.text("Barcode");
        let held: Option<&Vec<String>> = found.postings.stock.get(&pid(line));
        if held.is_some_and(|held| !held.iter().any(|other| other.eq_ignore_ascii_case(barcode))) {
            missing.insert((pid(line), barcode));
        }
    }
    let codes: BTreeMap<ProductId, &str> =
        found.products.iter().map(|product| (product.pid, product.code.as_str())).collect();
    missing
        .into_iter()
        .map(|(pid, barcode)| {
            let code = codes.get(&pid).copied().unwrap_or_default();
            format!("The stock of {code} was not lowered: RainTek holds none of it under the barcode \"{barcode}\".")
        })
        .collect()
}

fn pid(line: &Row) -> ProductId {
    ProductId::try_from(line.int("ProductID")).unwrap_or_default()
}

#[cfg(test)]
#[path = "postings_tests.rs"]
mod tests;
