//! RainTek's rows as they were copied to disk before each change.

use serde_json::{Map, Value};

use super::App;
use super::bills::Books;
use super::notes::{Decision, Notes};
use crate::demo::values::text;

/// Every content that stood in RainTek and does no longer must have been copied.
pub(super) fn compare(app: &App, books: &Books<'_>, notes: &Notes, all: &mut Vec<String>) {
    let copies: Vec<Value> = notes.copies.iter().map(bill).collect();
    let of = |number: &str| -> Vec<&Value> {
        copies.iter().filter(|copy| text(copy, "InvoiceNo") == number).collect()
    };
    for invoice in &app.invoices {
        let number = text(invoice, "invoice_number");
        let Some(inv_id) = notes.booked.get(text(invoice, "id")) else { continue };
        // What went back to this very content needed no change that lasted.
        let stands = books.of_number(number).iter().any(|bill| books.is_content(invoice, bill));
        let copied = of(number)
            .into_iter()
            .any(|copy| text(copy, "Inv_ID") == inv_id && books.is_content(invoice, copy));
        if !stands && !copied {
            all.push(format!("{number}: Inv_ID {inv_id} was changed, and no copy of its rows is on disk."));
        }
    }
    for (number, said) in &notes.written_over {
        let copied = of(number).into_iter().any(|copy| said.stands_as(copy));
        let stands = books.of_number(number).iter().any(|bill| said.stands_as(bill));
        if !copied && !stands {
            all.push(format!("{number}: what the till had made of it was written over without a copy."));
        }
    }
    for (number, _) in notes.decisions.iter().filter(|(_, said)| **said == Decision::Remove) {
        let versions = || app.invoices.iter().filter(|invoice| text(invoice, "invoice_number") == number);
        let copied =
            of(number).into_iter().any(|copy| versions().any(|version| books.is_content(version, copy)));
        if !copied {
            all.push(format!("{number}: it was removed from RainTek without a copy of its rows."));
        }
    }
}

/// A copy as the dump would show the bill: every value a text.
fn bill(copy: &Value) -> Value {
    let mut bill = row(copy.get("info").unwrap_or(&Value::Null));
    for (table, part) in [("Invoice_Product", "lines"), ("Invoice_Payment", "payments")] {
        let parts = copy.get(part).and_then(Value::as_array).into_iter().flatten();
        bill.insert(table.to_owned(), parts.map(|part| Value::Object(row(part))).collect());
    }
    Value::Object(bill)
}

fn row(copied: &Value) -> Map<String, Value> {
    let cells = copied.as_object().into_iter().flatten();
    cells.map(|(column, value)| (column.clone(), cell(value))).collect()
}

fn cell(value: &Value) -> Value {
    let Some((kind, content)) = value.as_object().and_then(|fields| fields.iter().next()) else {
        return Value::Null;
    };
    let text = match content {
        Value::String(text) => text.clone(),
        Value::Bool(yes) => u8::from(*yes).to_string(),
        other => other.to_string(),
    };
    Value::String(if kind == "date" { text.replace('T', " ") + ".000" } else { text })
}
