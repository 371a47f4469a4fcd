//! How a bill comes to be another one: somebody counted wrong, took one piece more, paid otherwise.

use rust_decimal::Decimal;

use super::bill::{self, Bill, Good};
use super::kind::Kind;
use crate::demo::chance::Chance;

/// What is changed of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::demo) enum Change {
    FewerLines,
    MoreLines,
    Payments,
    /// Whose it is; what is on it stays where the taxes allow it.
    Customer,
    /// All of it.
    Everything,
    /// As it was written first.
    FirstAgain,
    /// Saved anew, and nothing is different.
    Nothing,
}

impl Change {
    /// In the order in which they come up.
    pub(in crate::demo) const ALL: [Self; 7] = [
        Self::FewerLines,
        Self::Payments,
        Self::MoreLines,
        Self::Customer,
        Self::FirstAgain,
        Self::Everything,
        Self::Nothing,
    ];
}

/// Ways to pay that a change may turn to.
const PAID: [Kind; 4] = [Kind::Split, Kind::Plain, Kind::PartPaid, Kind::Credit];
/// A bill discount stays only where so many times as much is left to take it from.
const ROOM: Decimal = Decimal::TEN;

/// With a line less or some more.
pub(super) fn lines(chance: &mut Chance, old: &Bill, goods: &[Good], other_state: bool, fewer: bool) -> Bill {
    let mut bill = old.clone();
    if fewer && bill.lines.len() > 1 {
        let most = u64::try_from(bill.lines.len()).unwrap_or(2) - 1;
        for _ in 0..chance.between(1, most) {
            let at = usize::try_from(chance.below(u64::try_from(bill.lines.len()).unwrap_or(1))).unwrap_or(0);
            bill.lines.remove(at);
        }
    } else {
        let kind = if other_state { Kind::Igst } else { Kind::Plain };
        for _ in 0..chance.between(1, 3) {
            let Some(good) = bill::pick_good(chance, kind, goods) else { continue };
            bill.lines.push(bill::line(chance, kind, good, bill.gst_bill, other_state, bill.left_out));
        }
    }
    let left: Decimal = bill.lines.iter().map(|line| line.amounts.total).sum();
    if bill.discount * ROOM > left {
        bill.discount = Decimal::ZERO;
    }
    bill.add_up(chance.one_in(2));
    let paid_as_before = match bill.method {
        "split" => Kind::Split,
        "credit" => Kind::Credit,
        _ => Kind::Plain,
    };
    bill.pay(chance, paid_as_before);
    bill
}

/// Paid in another way.
pub(super) fn payments(chance: &mut Chance, old: &Bill) -> Bill {
    let mut bill = old.clone();
    let start = usize::try_from(chance.below(4)).unwrap_or(0);
    for kind in PAID.iter().cycle().skip(start).take(PAID.len()) {
        bill.pay(chance, *kind);
        if bill.method != old.method || bill.payments != old.payments {
            break;
        }
    }
    bill
}

/// Another bill altogether, of the same series.
pub(super) fn everything(chance: &mut Chance, old: &Bill, goods: &[Good], other_state: bool) -> Bill {
    let kind = match (old.gst_bill, other_state) {
        (false, _) => Kind::NonGst,
        (true, true) => Kind::Igst,
        (true, false) => {
            *chance.pick(&[Kind::Weights, Kind::TaxesLeftOut, Kind::Freight]).unwrap_or(&Kind::Weights)
        }
    };
    bill::make_up(chance, kind, goods, other_state, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goods() -> Vec<Good> {
        let good = |code: &str, price: i64, gst: i64| Good {
            id: code.to_lowercase(),
            code: code.into(),
            name: code.into(),
            hsn: "1006".into(),
            barcode: "890".into(),
            unit: "PCS".into(),
            price: Decimal::new(price, 2),
            mrp: Decimal::new(price + 500, 2),
            gst: Decimal::from(gst),
        };
        vec![good("A", 3333, 5), good("B", 1075, 18), good("C", 9900, 0)]
    }

    #[test]
    fn every_change_adds_up_to_the_paisa_and_keeps_the_series() {
        for seed in 0..200 {
            for kind in Kind::ALL {
                let chance = &mut Chance::new(seed, 1);
                let other_state = seed % 3 == 0;
                let old = bill::make_up(chance, kind, &goods(), other_state, false);
                for bill in [
                    lines(chance, &old, &goods(), other_state, true),
                    lines(chance, &old, &goods(), other_state, false),
                    payments(chance, &old),
                    everything(chance, &old, &goods(), other_state),
                ] {
                    let total = bill.taxable + bill.tax.sum() + bill.freight - bill.discount;
                    assert_eq!(total + bill.round_off, bill.grand_total, "{kind:?} of {seed}");
                    assert!(bill.round_off.abs() <= Decimal::new(50, 2) && bill.grand_total > Decimal::ZERO);
                    assert!(!bill.lines.is_empty() && bill.gst_bill == old.gst_bill);
                    if bill.method == "split" {
                        let parts: Decimal = bill.payments.iter().map(|(_, amount)| amount).sum();
                        assert_eq!(parts, bill.grand_total);
                    }
                }
            }
        }
    }

    #[test]
    fn a_change_of_the_lines_or_the_payments_is_one() {
        for seed in 0..200 {
            let chance = &mut Chance::new(seed, 1);
            let old = bill::make_up(chance, Kind::Plain, &goods(), false, false);
            let fewer = lines(chance, &old, &goods(), false, true);
            assert!(fewer.lines.len() < old.lines.len() || old.lines.len() == 1);
            assert!(lines(chance, &old, &goods(), false, false).lines.len() > old.lines.len());
            let paid = payments(chance, &old);
            assert!(paid.method != old.method || paid.payments != old.payments);
            assert_eq!(paid.grand_total, old.grand_total);
        }
    }
}
