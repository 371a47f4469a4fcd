//! RainTek's arithmetic, written from its description and from nothing of the product's.

use rust_decimal::{Decimal, RoundingStrategy};

/// How a product's price carries its tax (`Product.STax`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxMode {
    /// Tax comes on top; a blank `STax` counts as this.
    Exclusive,
    /// Tax is inside the price.
    Inclusive,
    /// No GST; CESS still comes on top.
    ExemptGst,
    /// No tax at all.
    NoTaxes,
}

impl TaxMode {
    /// Reads `Product.STax`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.trim() {
            "Inclusive" => Self::Inclusive,
            "Exempt GST" => Self::ExemptGst,
            "No Taxes" => Self::NoTaxes,
            _ => Self::Exclusive,
        }
    }

    /// As `Invoice_Product.STaxType` holds it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exclusive => "Exclusive",
            Self::Inclusive => "Inclusive",
            Self::ExemptGst => "Exempt GST",
            Self::NoTaxes => "No Taxes",
        }
    }
}

/// The percentages of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rates {
    /// Central GST, in percent.
    pub cgst: Decimal,
    /// State GST, in percent.
    pub sgst: Decimal,
    /// Integrated GST, in percent, for a customer of another state.
    pub igst: Decimal,
    /// CESS, in percent.
    pub cess: Decimal,
}

/// The amounts of a line, in rupees with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Off the gross.
    pub discount: Decimal,
    /// Central GST.
    pub cgst: Decimal,
    /// State GST.
    pub sgst: Decimal,
    /// Integrated GST.
    pub igst: Decimal,
    /// CESS.
    pub cess: Decimal,
    /// Before taxes.
    pub taxable: Decimal,
    /// What the customer pays for the line.
    pub total: Decimal,
}

impl Amounts {
    /// All taxes of the line together.
    #[must_use]
    pub fn taxes(&self) -> Decimal {
        self.cgst + self.sgst + self.igst + self.cess
    }
}

/// Two decimals, half to even.
#[must_use]
pub fn r2(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

/// No decimals, half to even.
#[must_use]
pub fn r0(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven)
}

/// The amounts of one line.
#[must_use]
pub fn line(mode: TaxMode, qty: Decimal, rate: Decimal, discount_percent: Decimal, rates: Rates) -> Amounts {
    let hundred = Decimal::ONE_HUNDRED;
    let discount = r2(r2(qty * rate) * discount_percent / hundred);
    let base = r2(qty * rate) - discount;
    let on_top = |percent: Decimal| r2(base * percent / hundred);
    let inside = |percent: Decimal| r2(base - base / (Decimal::ONE + percent / hundred));
    let mut amounts = Amounts { discount, ..Amounts::default() };
    match mode {
        TaxMode::Exclusive => {
            amounts.cgst = on_top(rates.cgst);
            amounts.sgst = on_top(rates.sgst);
            amounts.igst = on_top(rates.igst);
            amounts.cess = on_top(rates.cess);
        }
        TaxMode::Inclusive => {
            let half = r2(inside(rates.cgst + rates.sgst) / Decimal::TWO);
            amounts.cgst = half;
            amounts.sgst = half;
            amounts.igst = inside(rates.igst);
            amounts.cess = inside(rates.cess);
        }
        TaxMode::ExemptGst => amounts.cess = on_top(rates.cess),
        TaxMode::NoTaxes => {}
    }
    let net = r2(qty * rate - discount);
    if mode == TaxMode::Inclusive {
        amounts.total = r2(base);
        amounts.taxable = r2(qty * rate - discount - amounts.taxes());
    } else {
        amounts.total = base + amounts.taxes();
        amounts.taxable = net;
    }
    amounts
}

/// The sums of a bill, in rupees with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// The lines' taxable values.
    pub taxable: Decimal,
    /// Central GST.
    pub cgst: Decimal,
    /// State GST.
    pub sgst: Decimal,
    /// Integrated GST.
    pub igst: Decimal,
    /// CESS.
    pub cess: Decimal,
    /// Taxable plus taxes (`InvoiceInfo.SubTotal`).
    pub sub_total: Decimal,
    /// With freight, without the bill's discount.
    pub total: Decimal,
    /// What rounding adds.
    pub round_off: Decimal,
    /// What is to be paid.
    pub grand_total: Decimal,
}

/// Sums a bill up; its discount comes off after tax.
#[must_use]
pub fn bill(lines: &[Amounts], freight: Decimal, discount: Decimal, rounded: bool) -> Totals {
    let sum = |pick: fn(&Amounts) -> Decimal| lines.iter().map(pick).sum::<Decimal>();
    let mut totals = Totals {
        taxable: sum(|line| line.taxable),
        cgst: sum(|line| line.cgst),
        sgst: sum(|line| line.sgst),
        igst: sum(|line| line.igst),
        cess: sum(|line| line.cess),
        ..Totals::default()
    };
    totals.sub_total = totals.taxable + totals.cgst + totals.sgst + totals.igst + totals.cess;
    totals.total = r2(totals.sub_total + freight - discount);
    totals.round_off = if rounded { r0(totals.total) - totals.total } else { Decimal::ZERO };
    totals.grand_total = totals.total + totals.round_off;
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: &str = include_str!("../../data/raintek_vectors.csv");

    #[test]
    fn every_worked_bill_of_raintek_comes_out() {
        let mut seen = 0;
        for row in VECTORS.lines().skip(1) {
            let cells: Vec<&str> = row.split(',').collect();
            let number = |at: usize| cells.get(at).unwrap().parse::<Decimal>().unwrap();
            let rates = Rates { cgst: number(5), sgst: number(6), igst: number(7), cess: number(8) };
            let amounts = line(TaxMode::parse(cells.get(1).unwrap()), number(2), number(3), number(4), rates);
            let expected = Amounts {
                discount: number(9),
                cgst: number(10),
                sgst: number(11),
                igst: number(12),
                cess: number(13),
                taxable: number(14),
                total: number(15),
            };
            assert_eq!(amounts, expected, "{row}");
            seen += 1;
        }
        assert_eq!(seen, 9);
    }

    #[test]
    fn a_bill_rounds_half_to_even_and_its_discount_comes_off_after_tax() {
        let hundred =
            Amounts { taxable: Decimal::ONE_HUNDRED, total: Decimal::ONE_HUNDRED, ..Amounts::default() };
        let totals = bill(&[hundred], Decimal::new(250, 2), Decimal::ONE, true);
        assert_eq!(totals.sub_total, Decimal::new(10_000, 2));
        assert_eq!(totals.total, Decimal::new(10_150, 2));
        assert_eq!(totals.grand_total, Decimal::new(102, 0));
        assert_eq!(
            bill(&[hundred], Decimal::new(50, 2), Decimal::ZERO, true).grand_total,
            Decimal::new(100, 0)
        );
    }
}
