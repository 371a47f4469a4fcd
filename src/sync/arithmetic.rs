//! RainTek's arithmetic of a line, for what the app leaves out.

use rust_decimal::Decimal;

use crate::model::invoice::{Invoice, Line, TaxMode, TaxType, Taxes};
use crate::model::money::r2;

/// Percentages that apply to a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Central GST.
    pub cgst: Decimal,
    /// State GST.
    pub sgst: Decimal,
    /// Integrated GST.
    pub igst: Decimal,
    /// Cess.
    pub cess: Decimal,
}

impl Rates {
    /// A GST rate as it applies within the state (two halves) or to another state (whole).
    pub fn of_gst(gst_rate: Decimal, other_state: bool) -> Self {
        if other_state {
            Self { igst: gst_rate, ..Self::default() }
        } else {
            let half = gst_rate / Decimal::TWO;
            Self { cgst: half, sgst: half, ..Self::default() }
        }
    }
}

/// What a line comes to, in rupees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineAmounts {
    /// Taken off before tax.
    pub discount: Decimal,
    /// Each tax.
    pub taxes: Taxes,
    /// Without taxes.
    pub taxable: Decimal,
    /// With taxes.
    pub total: Decimal,
}

/// Calculates a line as RainTek does: R2 is half to even throughout.
pub fn line_amounts(
    mode: TaxMode,
    quantity: Decimal,
    rate: Decimal,
    discount_percent: Decimal,
    rates: Rates,
) -> LineAmounts {
    let discount = r2(r2(quantity * rate) * discount_percent / Decimal::ONE_HUNDRED);
    amounts_after(mode, quantity, rate, discount, rates)
}

/// The same with the discount in rupees, as an app gives it that knows no percentage.
fn amounts_after(
    mode: TaxMode,
    quantity: Decimal,
    rate: Decimal,
    discount: Decimal,
    rates: Rates,
) -> LineAmounts {
    let hundred = Decimal::ONE_HUNDRED;
    let base = r2(quantity * rate) - discount;
    let on_top = |percent: Decimal| r2(base * percent / hundred);
    let carved = |percent: Decimal| r2(base - base / (Decimal::ONE + percent / hundred));
    let taxes = match mode {
        TaxMode::NoTaxes => Taxes::default(),
        TaxMode::ExemptGst => Taxes { cess: on_top(rates.cess), ..Taxes::default() },
        TaxMode::Exclusive => Taxes {
            cgst: on_top(rates.cgst),
            sgst: on_top(rates.sgst),
            igst: on_top(rates.igst),
            cess: on_top(rates.cess),
        },
        TaxMode::Inclusive => {
            let half = r2(carved(rates.cgst + rates.sgst) / Decimal::TWO);
            Taxes { cgst: half, sgst: half, igst: carved(rates.igst), cess: carved(rates.cess) }
        }
    };
    let net = quantity * rate - discount;
    if mode == TaxMode::Inclusive {
        LineAmounts { discount, taxes, taxable: r2(net - taxes.sum()), total: r2(base) }
    } else {
        LineAmounts { discount, taxes, taxable: r2(net), total: base + taxes.sum() }
    }
}

/// Whether GST goes to another state: the app's own taxes say so where it gives any, else the customer's state does.
pub fn is_other_state(invoice: &Invoice, company_state: &str) -> bool {
    let line_taxes = invoice.lines.iter().fold(Taxes::default(), |sum, line| sum.plus(&line.taxes));
    for taxes in [invoice.taxes, line_taxes] {
        if !taxes.igst.is_zero() {
            return true;
        }
        if !taxes.cgst.is_zero() || !taxes.sgst.is_zero() {
            return false;
        }
    }
    let state = invoice.customer.as_ref().map_or("", |customer| customer.state.trim());
    let company = company_state.trim();
    !state.is_empty() && !company.is_empty() && !state.eq_ignore_ascii_case(company)
}

/// The line with what the app left out calculated: what it gives stays as it is.
#[must_use]
pub fn filled(line: &Line, tax_type: TaxType, other_state: bool) -> Line {
    let mut line = line.clone();
    let taxed = tax_type == TaxType::Gst
        && matches!(line.tax_mode, TaxMode::Exclusive | TaxMode::Inclusive)
        && line.gst_rate > Decimal::ZERO;
    let rates = if taxed { Rates::of_gst(line.gst_rate, other_state) } else { Rates::default() };
    let amounts = if line.discount.is_zero() {
        line_amounts(line.tax_mode, line.quantity, line.rate, line.discount_percent, rates)
    } else {
        amounts_after(line.tax_mode, line.quantity, line.rate, line.discount, rates)
    };
    line.discount = amounts.discount;
    let gst_given = !(line.taxes.cgst.is_zero() && line.taxes.sgst.is_zero() && line.taxes.igst.is_zero());
    // A total at the net amount says that the app charged no tax; only where it charged some, or gives no total
    // at all, is there a tax to be calculated.
    let tax_free_total = !line.total.is_zero()
        && line.tax_mode == TaxMode::Exclusive
        && line.total == r2(line.quantity * line.rate - line.discount);
    if !gst_given && taxed && !tax_free_total {
        line.taxes = Taxes { cess: line.taxes.cess, ..amounts.taxes };
        if line.total.is_zero() {
            line.taxable = Decimal::ZERO;
        }
    }
    let net = line.quantity * line.rate - line.discount;
    let inclusive = line.tax_mode == TaxMode::Inclusive;
    if line.taxable.is_zero() {
        line.taxable = if inclusive { r2(net - line.taxes.sum()) } else { r2(net) };
    }
    if line.total.is_zero() {
        line.total = if inclusive { r2(net) } else { line.taxable + line.taxes.sum() };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VECTORS: &str = include_str!("../../tests/raintek-sandbox/data/raintek_vectors.csv");

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn worked_bills_come_out_as_raintek_has_them() {
        let mut seen = 0;
        for row in VECTORS.lines().skip(1).filter(|row| !row.is_empty()) {
            let cells: Vec<&str> = row.split(',').collect();
            let rates = Rates {
                cgst: decimal(cells[5]),
                sgst: decimal(cells[6]),
                igst: decimal(cells[7]),
                cess: decimal(cells[8]),
            };
            let mode = TaxMode::parse(cells[1]).unwrap();
            let got = line_amounts(mode, decimal(cells[2]), decimal(cells[3]), decimal(cells[4]), rates);
            let expected: Vec<Decimal> = cells[9..16].iter().map(|cell| decimal(cell)).collect();
            let found = vec![
                got.discount,
                got.taxes.cgst,
                got.taxes.sgst,
                got.taxes.igst,
                got.taxes.cess,
                got.taxable,
                got.total,
            ];
            assert_eq!(found, expected, "{row}");
            seen += 1;
        }
        assert_eq!(seen, 9);
    }

    #[test]
    fn taxes_that_are_left_out_are_those_after_a_discount_in_rupees() {
        let mut line = crate::sync::fixtures::invoice().lines.remove(0);
        let by_percent = filled(&line, TaxType::Gst, false);
        for bare in [&mut line.taxable, &mut line.total, &mut line.discount_percent] {
            *bare = Decimal::ZERO;
        }
        line.taxes = Taxes::default();
        line.discount = by_percent.discount;
        let by_rupees = filled(&line, TaxType::Gst, false);
        assert!(!by_rupees.discount.is_zero());
        assert_eq!(Line { discount_percent: by_percent.discount_percent, ..by_rupees }, by_percent);
    }

    /// 3 x 33.33 less 10.00, 18 % on top; taxable amount, taxes and total are left out.
    fn bare() -> Line {
        let mut line = crate::sync::fixtures::invoice().lines.remove(0);
        (line.taxable, line.total, line.taxes) = (Decimal::ZERO, Decimal::ZERO, Taxes::default());
        line
    }

    fn halves(half: &str) -> Taxes {
        Taxes { cgst: decimal(half), sgst: decimal(half), ..Taxes::default() }
    }

    #[test]
    fn taxes_that_the_app_gives_are_never_calculated_anew() {
        for taxes in [
            halves("8.11"),
            Taxes { igst: decimal("16.21"), ..Taxes::default() },
            Taxes { cgst: decimal("16.21"), ..Taxes::default() },
            Taxes { sgst: decimal("16.21"), ..Taxes::default() },
        ] {
            let given = Line { taxes, total: decimal("106.21"), taxable: decimal("89.99"), ..bare() };
            assert_eq!(filled(&given, TaxType::Gst, false), given);
        }
    }

    #[test]
    fn a_total_at_the_net_amount_says_that_no_tax_was_charged() {
        let free = Line { total: decimal("89.99"), taxable: decimal("89.99"), ..bare() };
        assert_eq!(filled(&free, TaxType::Gst, false), free);
        let taxed = Line { total: decimal("106.19"), taxable: decimal("89.99"), ..bare() };
        assert_eq!(filled(&taxed, TaxType::Gst, false).taxes, halves("8.10"), "a total above it holds a tax");
    }

    #[test]
    fn the_tax_within_a_price_is_carved_out_of_it() {
        let mut line =
            Line { tax_mode: TaxMode::Inclusive, quantity: Decimal::ONE, rate: decimal("118"), ..bare() };
        (line.discount, line.discount_percent) = (Decimal::ZERO, Decimal::ZERO);
        for total in [decimal("118"), Decimal::ZERO] {
            let whole = filled(&Line { total, ..line.clone() }, TaxType::Gst, false);
            assert_eq!((whole.taxes, whole.taxable), (halves("9"), decimal("100")));
            assert_eq!(
                whole.total,
                decimal("118"),
                "what is charged is the price, which is also the net amount"
            );
        }
    }

    #[test]
    fn a_bill_without_gst_has_none_whatever_the_rates_of_its_products() {
        let line = filled(&bare(), TaxType::NonGst, false);
        assert_eq!((line.taxes, line.taxable), (Taxes::default(), decimal("89.99")));
        assert_eq!(line.total, decimal("89.99"));
    }

    #[test]
    fn a_line_at_no_rate_keeps_the_taxable_amount_that_the_app_gives() {
        let given = Line { gst_rate: Decimal::ZERO, taxable: decimal("90.00"), ..bare() };
        let line = filled(&given, TaxType::Gst, false);
        assert_eq!((line.taxable, line.total), (decimal("90.00"), decimal("90.00")));
    }

    #[test]
    fn a_cess_that_the_app_gives_stays_beside_the_gst_it_leaves_out() {
        let cess = Taxes { cess: decimal("5.00"), ..Taxes::default() };
        let line = filled(&Line { taxes: cess, ..bare() }, TaxType::Gst, false);
        assert_eq!(line.taxes, Taxes { cess: decimal("5.00"), ..halves("8.10") });
        assert_eq!(line.total, decimal("111.19"));
    }

    #[test]
    fn one_half_of_the_tax_alone_says_that_it_stays_within_the_state() {
        let mut invoice = crate::sync::fixtures::invoice();
        let customer = crate::model::customer::Customer { state: "Kerala".into(), ..Default::default() };
        invoice.customer = Some(customer);
        invoice.lines[0].taxes = Taxes::default();
        for taxes in [
            Taxes { cgst: decimal("8.10"), ..Taxes::default() },
            Taxes { sgst: decimal("8.10"), ..Taxes::default() },
        ] {
            invoice.taxes = taxes;
            assert!(!is_other_state(&invoice, "Tamil Nadu"));
        }
        invoice.taxes = Taxes::default();
        assert!(is_other_state(&invoice, "Tamil Nadu"), "without any the customer's state says it");
    }

    proptest! {
        #[test]
        fn parts_always_make_the_total(
            quantity in 1_i64..1_000_000, rate in 0_i64..10_000_000, percent in 0_i64..10_000,
            gst in prop::sample::select(vec![0_i64, 5, 12, 18, 28]), inclusive: bool, other_state: bool,
        ) {
            let mode = if inclusive { TaxMode::Inclusive } else { TaxMode::Exclusive };
            let got = line_amounts(
                mode,
                Decimal::new(quantity, 3),
                Decimal::new(rate, 2),
                Decimal::new(percent, 2),
                Rates::of_gst(Decimal::from(gst), other_state),
            );
            // Each R2 may move half a paisa; the parts never drift from the total by more than that.
            prop_assert!((got.taxable + got.taxes.sum() - got.total).abs() <= Decimal::new(1, 2));
        }
    }
}
