//! RainTek's arithmetic of a line, written a second time: what checks the product must not be the product.

use rust_decimal::{Decimal, RoundingStrategy};

/// How a line is taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Inclusive,
    Exclusive,
    Exempt,
    NoTaxes,
}

impl Mode {
    /// As the app and RainTek write it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Inclusive => "Inclusive",
            Self::Exclusive => "Exclusive",
            Self::Exempt => "Exempt GST",
            Self::NoTaxes => "No Taxes",
        }
    }

    /// From a text; blank counts as Exclusive.
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "Inclusive" => Self::Inclusive,
            "Exempt GST" => Self::Exempt,
            "No Taxes" => Self::NoTaxes,
            _ => Self::Exclusive,
        }
    }

    fn is_taxed(self) -> bool {
        matches!(self, Self::Inclusive | Self::Exclusive)
    }
}

/// A line's taxes, in rupees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tax {
    pub(super) cgst: Decimal,
    pub(super) sgst: Decimal,
    pub(super) igst: Decimal,
    pub(super) cess: Decimal,
}

impl Tax {
    /// All of them.
    pub(super) fn sum(&self) -> Decimal {
        self.cgst + self.sgst + self.igst + self.cess
    }

    /// Whether there is any GST.
    pub(super) fn has_gst(&self) -> bool {
        !(self.cgst.is_zero() && self.sgst.is_zero() && self.igst.is_zero())
    }
}

/// What a line comes to, in rupees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) discount: Decimal,
    pub(super) tax: Tax,
    pub(super) taxable: Decimal,
    pub(super) total: Decimal,
}

/// Two decimals, half to even.
pub(super) fn r2(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

/// The discount of a percentage, off the rounded gross.
pub(super) fn discount_of(quantity: Decimal, rate: Decimal, percent: Decimal) -> Decimal {
    r2(r2(quantity * rate) * percent / Decimal::ONE_HUNDRED)
}

/// The GST of a line as RainTek works it out: two halves, or IGST to another state.
pub(super) fn gst(mode: Mode, base: Decimal, percent: Decimal, other_state: bool) -> Tax {
    let half = percent / Decimal::TWO;
    let on_top = |percent: Decimal| r2(base * percent / Decimal::ONE_HUNDRED);
    let carved = r2(base - base / (Decimal::ONE + percent / Decimal::ONE_HUNDRED));
    match (mode, other_state) {
        (Mode::Exclusive, true) => Tax { igst: on_top(percent), ..Tax::default() },
        (Mode::Exclusive, false) => Tax { cgst: on_top(half), sgst: on_top(half), ..Tax::default() },
        (Mode::Inclusive, true) => Tax { igst: carved, ..Tax::default() },
        (Mode::Inclusive, false) => {
            Tax { cgst: r2(carved / Decimal::TWO), sgst: r2(carved / Decimal::TWO), ..Tax::default() }
        }
        _ => Tax::default(),
    }
}

/// A whole line as RainTek would have it.
pub(super) fn line(
    mode: Mode,
    quantity: Decimal,
    rate: Decimal,
    discount: Decimal,
    gst_percent: Decimal,
    other_state: bool,
) -> Amounts {
    let base = r2(quantity * rate) - discount;
    let tax = if mode.is_taxed() { gst(mode, base, gst_percent, other_state) } else { Tax::default() };
    let net = quantity * rate - discount;
    if mode == Mode::Inclusive {
        Amounts { discount, tax, taxable: r2(net - tax.sum()), total: r2(base) }
    } else {
        Amounts { discount, tax, taxable: r2(net), total: base + tax.sum() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../tests/raintek-sandbox/data/raintek_vectors.csv");

    #[test]
    fn worked_bills_come_out_as_raintek_has_them() {
        let mut seen = 0;
        for row in VECTORS.lines().skip(1).filter(|row| !row.is_empty()) {
            let cells: Vec<&str> = row.split(',').collect();
            let number = |at: usize| cells[at].parse::<Decimal>().unwrap();
            // Cess is always given by the app, never worked out here.
            if !number(8).is_zero() {
                continue;
            }
            let (quantity, rate) = (number(2), number(3));
            let percent = number(5) + number(6) + number(7);
            let discount = discount_of(quantity, rate, number(4));
            let got = line(Mode::parse(cells[1]), quantity, rate, discount, percent, !number(7).is_zero());
            let tax = Tax { cgst: number(10), sgst: number(11), igst: number(12), cess: number(13) };
            assert_eq!(
                got,
                Amounts { discount: number(9), tax, taxable: number(14), total: number(15) },
                "{row}"
            );
            seen += 1;
        }
        assert_eq!(seen, 8);
    }
}
