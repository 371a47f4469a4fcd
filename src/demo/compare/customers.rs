//! Who is who: by the last ten digits of the phone, however it is typed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rust_decimal::Decimal;
use serde_json::Value;

use super::row::{cut, nulls};
use super::{App, Memory};
use crate::demo::values::{number, rows, text};

/// Columns of a new customer, from which field, and how wide.
const COLUMNS: [(&str, &str, usize); 5] = [
    ("Address", "address", 250),
    ("City", "city", 200),
    ("State", "state", 150),
    ("ContactNo", "phone", 150),
    ("GSTIN", "gstin", 50),
];
const NAME_WIDTH: usize = 200;
const NEUTRAL: [(&str, &str); 4] =
    [("Lstatus", "No"), ("DiscStatus", "No"), ("Optype", "DR"), ("Status", "Activated")];

/// The last ten digits; empty where there is no phone.
fn digits(phone: &str) -> String {
    let all: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let skip = all.len().saturating_sub(10);
    if all.len() < 10 { String::new() } else { all.into_iter().skip(skip).collect() }
}

/// RainTek's customers, the lowest ID of each phone.
#[derive(Debug)]
pub(super) struct Register<'a> {
    by_phone: BTreeMap<String, &'a str>,
    walk_in: &'a str,
}

impl<'a> Register<'a> {
    pub(super) fn new(dump: &'a Value) -> Self {
        let mut all: Vec<&Value> = rows(dump, "Customer").iter().collect();
        all.sort_by_key(|row| number(row, "ID"));
        let mut by_phone = BTreeMap::new();
        for row in &all {
            let key = digits(text(row, "ContactNo"));
            if !key.is_empty() {
                by_phone.entry(key).or_insert(text(row, "ID"));
            }
        }
        let walk_in = all.iter().find(|row| text(row, "Name") == "Cash").map_or("", |row| text(row, "ID"));
        Self { by_phone, walk_in }
    }

    /// `Customer.ID` of whoever has this phone.
    pub(super) fn customer(&self, phone: &str) -> &'a str {
        let key = digits(phone);
        if key.is_empty() { self.walk_in } else { self.by_phone.get(&key).copied().unwrap_or("(missing)") }
    }
}

/// The customers of both sides.
pub(super) fn compare(app: &App, dump: &Value, memory: &Memory, all: &mut Vec<String>) {
    let before = rows(&memory.opening, "Customer");
    let there: HashSet<&str> = before.iter().map(|row| text(row, "ID")).collect();
    for old in before {
        let now = rows(dump, "Customer").iter().find(|row| text(row, "ID") == text(old, "ID"));
        for column in ["Name", "ContactNo", "CustomerID", "State"] {
            if now.is_none_or(|now| text(now, column) != text(old, column)) {
                all.push(format!(
                    "Customer {}: {column} is no longer `{}`.",
                    text(old, "ID"),
                    text(old, column)
                ));
            }
        }
    }
    let mut taken: BTreeSet<String> = before.iter().map(|row| digits(text(row, "ContactNo"))).collect();
    taken.remove("");
    let mut keys: BTreeSet<&str> = before.iter().map(|row| text(row, "CustomerID")).collect();
    // RainTek's own bills say themselves whose they are.
    let of = |wanted: fn(&str) -> bool| -> HashSet<&str> {
        let ours = app.invoices.iter().filter(|invoice| text(invoice, "source") != "raintek");
        let all = ours.filter(|invoice| wanted(text(invoice, "status")));
        all.map(|invoice| text(invoice, "customer")).collect()
    };
    let billed = of(|status| status == "completed");
    // Whoever an invoice was for before it was revised or cancelled is a customer of RainTek's, too.
    let ever_billed = of(|status| status != "draft");
    let mut new: Vec<&Value> =
        rows(dump, "Customer").iter().filter(|row| !there.contains(text(row, "ID"))).collect();
    new.sort_by_key(|row| number(row, "ID"));
    for row in new {
        let mut found = nulls("Customer", row);
        let (key, phone) = (text(row, "CustomerID"), digits(text(row, "ContactNo")));
        if !key.starts_with("C-") || !keys.insert(key) {
            found.push(format!("its key {key} is no new one"));
        }
        if phone.is_empty() {
            found.push("it has no phone, and the walk-in customer was there already".to_owned());
        } else if !taken.insert(phone.clone()) {
            found.push(format!("somebody had the phone {phone} before"));
        }
        // One of those who bill under this phone, as the app has them.
        let candidates: Vec<&Value> = app
            .customers
            .iter()
            .filter(|customer| {
                ever_billed.contains(text(customer, "id")) && digits(text(customer, "phone")) == phone
            })
            .collect();
        let wrong: Vec<Vec<String>> = candidates.iter().map(|customer| unlike(row, customer)).collect();
        match wrong.iter().min_by_key(|why| why.len()) {
            Some(why) => found.extend(why.iter().cloned()),
            None => found.push("nobody in the app has its phone".to_owned()),
        }
        all.extend(found.into_iter().map(|why| format!("Customer {}: {why}.", text(row, "ID"))));
    }
    let register = Register::new(dump);
    for customer in app.customers.iter().filter(|customer| billed.contains(text(customer, "id"))) {
        let phone = text(customer, "phone");
        if digits(phone).is_empty() {
            continue;
        }
        let wanted = register.customer(phone).parse::<Decimal>().ok();
        let shown = number(customer, "raintek_customer_id");
        if wanted != Some(shown) {
            all.push(format!(
                "{} ({phone}): the app shows raintek_customer_id {shown}, not {}.",
                text(customer, "name"),
                register.customer(phone)
            ));
        }
    }
}

/// In what a new row of RainTek is not like the app's customer.
fn unlike(row: &Value, customer: &Value) -> Vec<String> {
    let mut wanted: Vec<(&str, String)> =
        COLUMNS.iter().map(|(column, field, width)| (*column, cut(text(customer, field), *width))).collect();
    wanted.push(("Name", cut(text(customer, "name"), NAME_WIDTH)));
    wanted.extend(NEUTRAL.iter().map(|(column, word)| (*column, (*word).to_owned())));
    wanted
        .into_iter()
        .filter(|(column, word)| text(row, column) != word)
        .map(|(column, word)| format!("{column} is `{}`, not `{word}`", text(row, column)))
        .collect()
}
