//! Invoices that the app took back: gone from RainTek where nobody said otherwise.

use serde_json::Value;

use super::App;
use super::bills::Books;
use super::notes::{Decision, Notes};
use crate::demo::values::text;

/// Compares the cancelled ones; returns those that a person left in RainTek.
pub(super) fn compare<'a>(
    app: &'a App,
    books: &Books<'_>,
    cancelled: &[&'a Value],
    notes: &Notes,
    all: &mut Vec<String>,
) -> Vec<&'a Value> {
    let mut left = Vec::new();
    for invoice in cancelled {
        let number = text(invoice, "invoice_number");
        let (bills, counters) = (books.of_number(number), books.counters(number));
        let (status, error) = (text(invoice, "sync_status"), text(invoice, "sync_error"));
        match (notes.decisions.get(number), bills) {
            (Some(Decision::Leave), [bill]) => {
                left.push(*invoice);
                let versions = app.invoices.iter().filter(|other| text(other, "invoice_number") == number);
                if !versions.into_iter().any(|version| books.is_content(version, bill)) {
                    all.push(format!(
                        "{number}: what was left in RainTek is no content the app ever gave it."
                    ));
                }
                if counters != 1 {
                    all.push(format!("{number}: it was left in RainTek with {counters} counter rows."));
                }
            }
            (Some(Decision::Leave), bills) => {
                all.push(format!("{number}: it was to be left in RainTek, which has {} of it.", bills.len()));
            }
            (decision, bills) => {
                let why = if decision.is_some() { "it was to be removed" } else { "it was cancelled" };
                if !bills.is_empty() {
                    all.push(format!("{number}: {why}, and RainTek has {} of it.", bills.len()));
                }
                if counters != 0 {
                    all.push(format!("{number}: {why}, and RainTek's counters have {counters} rows of it."));
                }
            }
        }
        let wanted = match notes.decisions.get(number) {
            Some(Decision::Leave) => Some("synced"),
            Some(Decision::Remove) => Some("na"),
            None => None,
        };
        if wanted.is_some_and(|wanted| status != wanted) || status == "failed" || !error.is_empty() {
            all.push(format!("{number}: cancelled and settled, and the app shows `{status}` and `{error}`."));
        }
    }
    let of_app = |number: &str| app.invoices.iter().any(|invoice| text(invoice, "invoice_number") == number);
    for number in notes.drafts.iter().filter(|number| of_app(number) || !books.of_number(number).is_empty()) {
        all.push(format!("{number}: a draft that was thrown away is still there."));
    }
    left
}

/// What was done beside the billing, for the closing line.
pub(super) fn words(app: &App, cancelled: &[&Value], notes: &Notes, shown: usize) -> String {
    let revised = app.invoices.iter().filter(|invoice| text(invoice, "status") == "revised").count();
    let said = |wanted: Decision| notes.decisions.values().filter(|said| **said == wanted).count();
    format!(
        "{revised} revised, {} cancelled ({} removed, {} left), {shown} of RainTek's own shown ({} edited, {} \
         deleted), {} written again, ",
        cancelled.len(),
        said(Decision::Remove),
        said(Decision::Leave),
        notes.edited,
        notes.deleted.len(),
        notes.written_over.len() + notes.taken_out.len(),
    )
}
