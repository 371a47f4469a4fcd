//! What was noted down while both sides were changed, to hold the end against.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::demo::values::{number, rows, text};

/// A bill as the till reported it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::demo) struct TillBill {
    pub(in crate::demo) inv_id: String,
    pub(in crate::demo) grand_total: String,
    /// `Product.PID`, quantity and total of each line, sorted.
    pub(in crate::demo) lines: Vec<(Decimal, Decimal, Decimal)>,
    /// Mode and amount of each payment, sorted.
    pub(in crate::demo) payments: Vec<(String, Decimal)>,
}

impl TillBill {
    /// From what the till says; nothing where it failed: the cashier was told, and tries again.
    pub(in crate::demo) fn said(bill: &Value) -> Option<Self> {
        let inv_id = bill.get("inv_id").and_then(Value::as_i64)?;
        let lines = rows(bill, "lines").iter();
        let payments = rows(bill, "payments").iter();
        let mut said = Self {
            inv_id: inv_id.to_string(),
            grand_total: text(bill, "grand_total").to_owned(),
            lines: lines
                .map(|line| (number(line, "pid"), number(line, "qty"), number(line, "total")))
                .collect(),
            payments: payments.map(|paid| (text(paid, "mode").to_owned(), number(paid, "amount"))).collect(),
        };
        said.sort();
        Some(said)
    }

    /// The same of a bill as it stands in RainTek.
    pub(super) fn standing(bill: &Value) -> Self {
        let lines = rows(bill, "Invoice_Product").iter();
        let payments = rows(bill, "Invoice_Payment").iter();
        let mut standing = Self {
            inv_id: text(bill, "Inv_ID").to_owned(),
            grand_total: text(bill, "GrandTotal").to_owned(),
            lines: lines
                .map(|line| (number(line, "ProductID"), number(line, "Qty"), number(line, "TotalAmount")))
                .collect(),
            payments: payments
                .map(|paid| (text(paid, "PaymentMode").to_owned(), number(paid, "TotalPaid")))
                .collect(),
        };
        standing.sort();
        standing
    }

    /// Whether a bill that stands in RainTek is as the till left it.
    pub(in crate::demo) fn stands_as(&self, bill: &Value) -> bool {
        let there = Self::standing(bill);
        let total = self.grand_total.parse::<Decimal>().ok();
        total == there.grand_total.parse().ok()
            && self.lines == there.lines
            && self.payments == there.payments
    }

    fn sort(&mut self) {
        self.lines.sort();
        self.payments.sort();
    }
}

/// What a person said about a cancelled invoice that stood in RainTek.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Decision {
    Remove,
    Leave,
}

/// What happened beside the billing.
#[derive(Debug, Clone, Default)]
pub(in crate::demo) struct Notes {
    /// By invoice number.
    pub(in crate::demo) decisions: BTreeMap<String, Decision>,
    /// Records that the app showed as standing in RainTek when the phone gave them up, with their Inv_ID.
    pub(in crate::demo) booked: BTreeMap<String, String>,
    /// What an invoice was booked as paid with, where a receipt came later, by record.
    pub(in crate::demo) paid: BTreeMap<String, Decimal>,
    /// Bills of the app that the till wrote over, as it left them, by number.
    pub(in crate::demo) written_over: Vec<(String, TillBill)>,
    /// Bills of the app that the till deleted.
    pub(in crate::demo) taken_out: Vec<String>,
    /// Bills of RainTek's own that the app showed and the till then deleted: Inv_ID and number.
    pub(in crate::demo) deleted: Vec<(String, String)>,
    /// How often the till corrected a bill of its own.
    pub(in crate::demo) edited: usize,
    /// Numbers of drafts that were thrown away.
    pub(in crate::demo) drafts: Vec<String>,
    /// RainTek's rows as ShopSync copied them before a change, as the files hold them.
    pub(in crate::demo) copies: Vec<Value>,
}
