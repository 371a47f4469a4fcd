//! RainTek's own bills: nobody but its till may touch them.

use rust_decimal::Decimal;
use serde_json::Value;

use super::{Memory, is_raintek_s};
use crate::demo::values::{number, rows, text};

/// Compares RainTek's own bills with what was remembered, and with what the till said.
pub(super) fn compare(dump: &Value, memory: &Memory, all: &mut Vec<String>) {
    let own: Vec<&Value> =
        rows(dump, "InvoiceInfo").iter().filter(|bill| is_raintek_s(bill, &memory.numbers)).collect();
    for bill in &own {
        let number = text(bill, "InvoiceNo");
        match memory.till_bills.get(text(bill, "Inv_ID")) {
            Some(before) if before == *bill => {}
            Some(before) => {
                all.push(format!("{number}: RainTek's own bill was changed: {before} is now {bill}."))
            }
            None => all.push(format!("{number}: RainTek's own bill came from nowhere.")),
        }
    }
    if own.len() < memory.till_bills.len() {
        let gone = memory.till_bills.len() - own.len();
        all.push(format!("{gone} of RainTek's own bills are gone."));
    }
    for (invoice, said) in &memory.till_said {
        // A bill that failed half-way may have left its number behind: RainTek writes without transactions.
        let mut bills = own.iter().filter(|bill| text(bill, "InvoiceNo") == invoice);
        let Some(bill) = bills.find(|bill| text(bill, "Inv_ID") == said.inv_id) else {
            all.push(format!("{invoice}: RainTek's own bill, {} as its till said, is gone.", said.inv_id));
            continue;
        };
        let total = number(bill, "GrandTotal");
        if !said.stands_as(bill) {
            all.push(format!("{invoice}: RainTek's own bill is not as its till left it: {said:?}."));
        }
        if Some(total) != said.grand_total.parse::<Decimal>().ok() {
            all.push(format!(
                "{invoice}: RainTek's own bill is of {total}, and its till said {}.",
                said.grand_total
            ));
        }
        let paid: Decimal = rows(bill, "Invoice_Payment").iter().map(|row| number(row, "TotalPaid")).sum();
        let taxable: Decimal =
            rows(bill, "Invoice_Product").iter().map(|row| number(row, "TaxableAmt")).sum();
        if paid != total || taxable != number(bill, "TaxableAmt") {
            all.push(format!("{invoice}: RainTek's own bill no longer adds up."));
        }
    }
}
