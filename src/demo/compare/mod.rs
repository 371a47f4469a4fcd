//! Both sides, row by row. Written from what the tables mean, and from nothing that the product itself decides with:
//! a mistake there must not be made here, too.

mod bills;
mod customers;
mod products;
mod row;
mod sale;
mod till;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use super::caller::Caller;
use super::values::{rows, text};

/// What ShopSync writes into `InvoiceInfo.TillID`.
const TILL: &str = "SHOPSYNC";

/// Everything the billing app holds.
#[derive(Debug, Clone, Default)]
pub(super) struct App {
    pub(super) invoices: Vec<Value>,
    pub(super) items: Vec<Value>,
    pub(super) payments: Vec<Value>,
    pub(super) customers: Vec<Value>,
    pub(super) products: Vec<Value>,
}

impl App {
    /// Reads it all, as a superuser.
    pub(super) async fn read(caller: &Caller) -> anyhow::Result<Self> {
        Ok(Self {
            invoices: caller.all("invoices").await?,
            items: caller.all("invoice_items").await?,
            payments: caller.all("invoice_payments").await?,
            customers: caller.all("customers").await?,
            products: caller.all("products").await?,
        })
    }
}

/// What was noted down on the way, to hold RainTek's own rows against.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    /// RainTek's tables before anything happened.
    pub(super) opening: Value,
    /// RainTek's own bills when its till had closed, by `Inv_ID`.
    pub(super) till_bills: BTreeMap<String, Value>,
    /// What the till said it saved, by number.
    pub(super) till_said: BTreeMap<String, TillBill>,
    /// The numbers the phone gave.
    pub(super) numbers: Vec<String>,
}

/// A bill as the till reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TillBill {
    pub(super) inv_id: String,
    pub(super) grand_total: String,
}

impl Memory {
    /// Notes RainTek's own bills down: the till is closed, and from here on nobody may touch them.
    pub(super) fn close_till(&mut self, dump: &Value) {
        let own = rows(dump, "InvoiceInfo").iter().filter(|bill| text(bill, "TillID") != TILL);
        self.till_bills = own.map(|bill| (text(bill, "Inv_ID").to_owned(), bill.clone())).collect();
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Invoices completed in the app.
    pub(super) completed: usize,
    /// Bills of ShopSync in RainTek.
    pub(super) in_raintek: usize,
    /// One sentence each.
    pub(super) differences: Vec<String>,
}

impl Report {
    /// `N invoices completed, N in RainTek, 0 differences`.
    pub(super) fn line(&self) -> String {
        let (invoices, found) = (self.completed, self.differences.len());
        let noun = if invoices == 1 { "invoice" } else { "invoices" };
        let differences = if found == 1 { "difference" } else { "differences" };
        format!("{invoices} {noun} completed, {} in RainTek, {found} {differences}", self.in_raintek)
    }
}

/// Compares both sides.
pub(super) fn compare(app: &App, dump: &Value, memory: &Memory) -> Report {
    let mut differences = Vec::new();
    let due: Vec<&Value> = app
        .invoices
        .iter()
        .filter(|invoice| text(invoice, "status") == "completed" && text(invoice, "source") != "raintek")
        .collect();
    let in_raintek = rows(dump, "InvoiceInfo").iter().filter(|bill| text(bill, "TillID") == TILL).count();
    for number in &memory.numbers {
        let here = due.iter().filter(|invoice| text(invoice, "invoice_number") == number).count();
        if here != 1 {
            differences.push(format!("{number}: the app has {here} completed invoices of this number."));
        }
    }
    customers::compare(app, dump, memory, &mut differences);
    let books = bills::Books::new(app, dump);
    for invoice in &due {
        books.compare(invoice, &mut differences);
    }
    books.strays(&due, &mut differences);
    products::compare(app, dump, &mut differences);
    till::compare(dump, memory, &mut differences);
    Report { completed: due.len(), in_raintek, differences }
}
