//! Goods, and what a bill of them comes to: the arithmetic of the facts, written down once more for the simulation.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::story::{Bill, Pay};

pub(crate) fn r2(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

/// Rupees of paise.
pub(crate) fn paise(value: i64) -> Decimal {
    Decimal::new(value, 2)
}

/// The code of the n-th product.
pub(crate) fn code(product: u32) -> String {
    format!("P-{:04}", 1001 + product)
}

/// One line, worked out; tax comes on top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Worked {
    pub(crate) product: u32,
    pub(crate) quantity: Decimal,
    pub(crate) rate: Decimal,
    pub(crate) gst: Decimal,
    pub(crate) half: Decimal,
    pub(crate) taxable: Decimal,
    pub(crate) total: Decimal,
}

/// A bill, worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) lines: Vec<Worked>,
    pub(crate) taxable: Decimal,
    /// CGST, and as much SGST.
    pub(crate) half: Decimal,
    pub(crate) sub_total: Decimal,
    pub(crate) round_off: Decimal,
    pub(crate) grand_total: Decimal,
}

/// Works a bill out; `price` gives a product's rate and its GST in percent.
pub(crate) fn work_out(bill: &Bill, price: impl Fn(u32) -> Option<(Decimal, Decimal)>) -> Totals {
    let mut lines = Vec::new();
    for take in bill.lines.iter().flatten() {
        let Some((rate, percent)) = price(take.product) else { continue };
        let gst = if bill.gst { percent } else { Decimal::ZERO };
        let quantity = Decimal::new(take.milli, 3);
        let base = r2(quantity * rate);
        let half = r2(base * gst / Decimal::TWO / Decimal::ONE_HUNDRED);
        let total = base + half + half;
        lines.push(Worked { product: take.product, quantity, rate, gst, half, taxable: base, total });
    }
    let taxable: Decimal = lines.iter().map(|line| line.taxable).sum();
    let half: Decimal = lines.iter().map(|line| line.half).sum();
    let sub_total = taxable + half + half;
    let grand_total = sub_total.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    Totals { lines, taxable, half, sub_total, round_off: grand_total - sub_total, grand_total }
}

/// The payments of a bill as RainTek names them: text and amount.
pub(crate) fn payments(pay: Pay, total: Decimal) -> Vec<(&'static str, Decimal)> {
    let half = r2(total / Decimal::TWO);
    match pay {
        Pay::Cash => vec![("By Cash", total)],
        Pay::Upi => vec![("Google Pay", total)],
        Pay::Card => vec![("By Debit Card", total)],
        Pay::Credit => vec![("Credit Terms - 30 days", total)],
        Pay::Split => vec![("By Cash", half), ("Google Pay", total - half)],
        Pay::PartCash => vec![("By Cash", half), ("Credit Terms - 30 days", total - half)],
    }
}

pub(crate) fn is_credit(mode: &str) -> bool {
    mode.starts_with("Credit Terms")
}

/// The n-th customer: name and phone as typed.
pub(crate) fn customer(n: u32) -> (String, String) {
    (format!("Customer {n}"), format!("+91 98400 {:05}", 10_000 + n))
}
