//! Both sides, row by row. Written from what the tables mean, and from nothing that the product itself decides with:
//! a mistake there must not be made here, too.

mod bills;
mod copies;
mod customers;
mod notes;
mod products;
mod row;
mod sale;
mod shown;
mod taken_back;
mod till;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod mixed_fixture;
#[cfg(test)]
mod mixed_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

pub(super) use self::notes::{Decision, Notes, TillBill};
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
    /// Where invoices were taken back and bills changed on both sides as well.
    pub(super) mixed: Option<Notes>,
}

impl Memory {
    /// Notes RainTek's own bills down: the till is closed, and from here on nobody may touch them.
    pub(super) fn close_till(&mut self, dump: &Value) {
        let own = rows(dump, "InvoiceInfo").iter().filter(|bill| is_raintek_s(bill, &self.numbers));
        self.till_bills = own.map(|bill| (text(bill, "Inv_ID").to_owned(), bill.clone())).collect();
    }
}

/// Whether the till made it. One that it wrote over carries its mark, too, and is still the app's.
fn is_raintek_s(bill: &Value, numbers: &[String]) -> bool {
    let number = text(bill, "InvoiceNo");
    text(bill, "TillID") != TILL && !numbers.iter().any(|own| own == number)
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// Invoices completed in the app.
    pub(super) completed: usize,
    /// Bills of ShopSync in RainTek.
    pub(super) in_raintek: usize,
    /// What else was done, in words; empty where nothing was.
    pub(super) also: String,
    /// One sentence each.
    pub(super) differences: Vec<String>,
}

impl Report {
    /// `N invoices completed, N in RainTek, 0 differences`, with what else was done in between.
    pub(super) fn line(&self) -> String {
        let (invoices, found) = (self.completed, self.differences.len());
        let noun = if invoices == 1 { "invoice" } else { "invoices" };
        let differences = if found == 1 { "difference" } else { "differences" };
        let also = &self.also;
        format!("{invoices} {noun} completed, {also}{} in RainTek, {found} {differences}", self.in_raintek)
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
    let cancelled: Vec<&Value> = app
        .invoices
        .iter()
        .filter(|invoice| text(invoice, "status") == "cancelled" && text(invoice, "source") != "raintek")
        .collect();
    let of = |invoices: &[&Value], number: &str| {
        invoices.iter().filter(|invoice| text(invoice, "invoice_number") == number).count()
    };
    for number in &memory.numbers {
        let (here, gone) = (of(&due, number), of(&cancelled, number));
        if here != 1 && !(here == 0 && gone == 1 && memory.mixed.is_some()) {
            differences.push(format!("{number}: the app has {here} completed invoices of this number."));
        }
    }
    customers::compare(app, dump, memory, &mut differences);
    let paid = memory.mixed.as_ref().map(|notes| notes.paid.clone()).unwrap_or_default();
    let books = bills::Books::new(app, dump, paid);
    for invoice in &due {
        books.compare(invoice, &mut differences);
    }
    let mut wanted = due.clone();
    let mut also = String::new();
    if let Some(notes) = &memory.mixed {
        wanted.extend(taken_back::compare(app, &books, &cancelled, notes, &mut differences));
        copies::compare(app, &books, notes, &mut differences);
        let shown = shown::compare(app, dump, memory, notes, &mut differences);
        also = taken_back::words(app, &cancelled, notes, shown);
    }
    books.strays(&wanted, &mut differences);
    products::compare(app, dump, &mut differences);
    till::compare(dump, memory, &mut differences);
    let completed = due.len() + if memory.mixed.is_some() { cancelled.len() } else { 0 };
    Report { completed, in_raintek, also, differences }
}
