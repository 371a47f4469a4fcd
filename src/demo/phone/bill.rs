//! What is on a bill, made up and added up as a billing app does: line by line, in exact decimals.

use rust_decimal::{Decimal, RoundingStrategy};

use super::kind::{Kind, LeftOut};
use crate::demo::arithmetic::{self, Amounts, Mode, Tax, discount_of};
use crate::demo::chance::Chance;

/// A product of the app, as a phone sees it.
#[derive(Debug, Clone)]
pub(super) struct Good {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) hsn: String,
    pub(super) barcode: String,
    pub(super) unit: String,
    pub(super) price: Decimal,
    pub(super) mrp: Decimal,
    pub(super) gst: Decimal,
}

/// A line of a bill.
#[derive(Debug, Clone)]
pub(super) struct BillLine {
    pub(super) good: Good,
    pub(super) quantity: Decimal,
    pub(super) rate: Decimal,
    pub(super) percent: Decimal,
    pub(super) mode: Mode,
    pub(super) gst: Decimal,
    pub(super) amounts: Amounts,
    /// How much of the product is told: 0 all, 1 no code (the relation has it), 2 no relation, 3 no barcode or unit.
    pub(super) told: u64,
}

/// A bill.
#[derive(Debug, Clone)]
pub(super) struct Bill {
    pub(super) gst_bill: bool,
    pub(super) lines: Vec<BillLine>,
    pub(super) taxable: Decimal,
    pub(super) tax: Tax,
    pub(super) freight: Decimal,
    pub(super) discount: Decimal,
    pub(super) round_off: Decimal,
    pub(super) grand_total: Decimal,
    pub(super) method: &'static str,
    pub(super) paid: Decimal,
    /// The parts of a split payment.
    pub(super) payments: Vec<(&'static str, Decimal)>,
    pub(super) left_out: LeftOut,
    pub(super) notes: &'static str,
}

const NOTES: [&str; 6] = [
    "Deliver before 6 pm",
    "Return the empty bottles",
    "दोपहर के बाद भेजें",
    "Gift wrap; no bill in the bag",
    "Called twice \u{2014} 'O'Brien' at the gate",
    "10% off agreed by owner",
];
const DISCOUNTS: [&str; 6] = ["5", "10", "2.5", "7.25", "12.5", "33.3333"];
const METHODS: [&str; 4] = ["cash", "upi", "card", "cheque"];
const PARTS: [&str; 8] = ["cash", "upi", "card", "cheque", "phonepe", "gpay", "paytm", "wallet"];
/// What a long bill has more than.
const LONG: u64 = 100;

/// Makes a bill up. `other_state` is where the goods go; `goods` is never empty.
pub(super) fn make_up(
    chance: &mut Chance,
    kind: Kind,
    goods: &[Good],
    other_state: bool,
    long: bool,
) -> Bill {
    let gst_bill = kind != Kind::NonGst && (kind != Kind::Plain || !chance.one_in(12));
    let left_out = match kind {
        Kind::TaxesLeftOut => *chance.pick(&LeftOut::SOME).unwrap_or(&LeftOut::Everything),
        _ => LeftOut::Nothing,
    };
    let count = match kind {
        Kind::Long if long => LONG + chance.between(1, 40),
        Kind::Long => chance.between(8, 20),
        Kind::HeaderFirst | Kind::Draft => chance.between(2, 6),
        _ => chance.between(1, 6),
    };
    let mut lines = Vec::new();
    for _ in 0..count {
        let Some(good) = pick_good(chance, kind, goods) else { continue };
        lines.push(line(chance, kind, good, gst_bill, other_state, left_out));
    }
    let goods_total: Decimal = lines.iter().map(|line| line.amounts.taxable + line.amounts.tax.sum()).sum();
    let freight = match kind {
        Kind::Freight => Decimal::new(i64::try_from(chance.between(100, 15_000)).unwrap_or(100), 2),
        _ => Decimal::ZERO,
    };
    let discount = if kind == Kind::BillDiscount || (kind == Kind::Freight && chance.one_in(3)) {
        share(goods_total, chance.between(1, 10))
    } else {
        Decimal::ZERO
    };
    let rounded = kind == Kind::RoundOff || chance.one_in(2);
    let mut bill = Bill {
        gst_bill,
        lines,
        taxable: Decimal::ZERO,
        tax: Tax::default(),
        freight,
        discount,
        round_off: Decimal::ZERO,
        grand_total: Decimal::ZERO,
        method: "",
        paid: Decimal::ZERO,
        payments: Vec::new(),
        left_out,
        notes: "",
    };
    bill.add_up(rounded);
    bill.pay(chance, kind);
    bill.notes = if chance.one_in(5) { chance.pick(&NOTES).copied().unwrap_or("") } else { "" };
    bill
}

impl Bill {
    /// Its sums from its lines, freight and discount; `rounded` to whole rupees.
    pub(super) fn add_up(&mut self, rounded: bool) {
        let sum = |part: fn(&BillLine) -> Decimal| self.lines.iter().map(part).sum::<Decimal>();
        self.taxable = sum(|line| line.amounts.taxable);
        self.tax = Tax {
            cgst: sum(|line| line.amounts.tax.cgst),
            sgst: sum(|line| line.amounts.tax.sgst),
            igst: sum(|line| line.amounts.tax.igst),
            cess: sum(|line| line.amounts.tax.cess),
        };
        let total = self.taxable + self.tax.sum() + self.freight - self.discount;
        self.grand_total = if rounded { whole(total) } else { total };
        self.round_off = self.grand_total - total;
    }

    /// Paid in full, in part, in parts or not at all.
    pub(super) fn pay(&mut self, chance: &mut Chance, kind: Kind) {
        (self.method, self.paid, self.payments) = pay(chance, kind, self.grand_total);
    }
}

pub(super) fn pick_good<'a>(chance: &mut Chance, kind: Kind, goods: &'a [Good]) -> Option<&'a Good> {
    let by_weight: Vec<&Good> = goods.iter().filter(|good| good.unit == "KG").collect();
    if kind == Kind::Weights && !by_weight.is_empty() {
        return chance.pick(&by_weight).copied();
    }
    if kind == Kind::Igst {
        let taxed: Vec<&Good> = goods.iter().filter(|good| !good.gst.is_zero()).collect();
        return chance.pick(&taxed).copied().or_else(|| goods.first());
    }
    chance.pick(goods)
}

/// A line of one good.
pub(super) fn line(
    chance: &mut Chance,
    kind: Kind,
    good: &Good,
    gst_bill: bool,
    other_state: bool,
    left_out: LeftOut,
) -> BillLine {
    let mode = match (gst_bill, good.gst.is_zero()) {
        (false, _) => Mode::NoTaxes,
        (true, true) => *chance.pick(&[Mode::Exempt, Mode::NoTaxes]).unwrap_or(&Mode::Exempt),
        (true, false) => *chance.pick(&[Mode::Inclusive, Mode::Exclusive]).unwrap_or(&Mode::Exclusive),
    };
    let gst = if matches!(mode, Mode::Inclusive | Mode::Exclusive) { good.gst } else { Decimal::ZERO };
    let by_weight = good.unit == "KG" && (kind == Kind::Weights || chance.one_in(3));
    let mut quantity = if by_weight {
        let steps = chance.between(1, 14);
        Decimal::new(i64::try_from(if chance.one_in(4) { steps * 37 } else { steps * 250 }).unwrap_or(250), 3)
    } else {
        Decimal::from(chance.between(1, 6))
    };
    // Now and then a price is agreed at the counter.
    let rate = if chance.one_in(12) { good.price - share(good.price, 3) } else { good.price };
    if left_out.needs_raintek() && (quantity * rate).round_dp(2) != quantity * rate {
        // RainTek rounds the line and its taxable value apart; an app that leaves the taxes to it sells whole ones.
        quantity = quantity.ceil();
    }
    let percent = if kind == Kind::LineDiscount || chance.one_in(7) {
        chance.pick(&DISCOUNTS).and_then(|text| text.parse().ok()).unwrap_or_default()
    } else {
        Decimal::ZERO
    };
    let mut discount = discount_of(quantity, rate, percent);
    let mut told_percent = percent;
    if kind == Kind::LineDiscount && chance.one_in(2) || left_out.needs_raintek() && chance.one_in(4) {
        // Some apps know only the rupees.
        told_percent = Decimal::ZERO;
        discount = share(quantity * rate, chance.between(1, 20));
    }
    let cess = kind == Kind::Cess && !gst.is_zero();
    let amounts = if left_out.needs_raintek() {
        arithmetic::line(mode, quantity, rate, discount, gst, other_state)
    } else {
        app_line(mode, quantity, rate, discount, gst, other_state, cess)
    };
    let told = if chance.one_in(5) { chance.between(1, 3) } else { 0 };
    BillLine { good: good.clone(), quantity, rate, percent: told_percent, mode, gst, amounts, told }
}

/// A line as the app itself adds it up: half away from zero, and always exactly adding up.
fn app_line(
    mode: Mode,
    quantity: Decimal,
    rate: Decimal,
    discount: Decimal,
    gst: Decimal,
    other_state: bool,
    cess: bool,
) -> Amounts {
    let base = half_up(quantity * rate) - discount;
    let percent = |percent: Decimal| half_up(base * percent / Decimal::ONE_HUNDRED);
    let cess = if cess && mode == Mode::Exclusive { percent(Decimal::from(12)) } else { Decimal::ZERO };
    let inclusive = mode == Mode::Inclusive;
    let whole = if inclusive {
        half_up(base - base / (Decimal::ONE + gst / Decimal::ONE_HUNDRED))
    } else {
        percent(gst)
    };
    let half = if inclusive { half_up(whole / Decimal::TWO) } else { percent(gst / Decimal::TWO) };
    let tax = if other_state {
        Tax { igst: whole, cess, ..Tax::default() }
    } else {
        Tax { cgst: half, sgst: half, cess, ..Tax::default() }
    };
    let taxable = if inclusive { base - tax.sum() } else { base };
    Amounts { discount, tax, taxable, total: taxable + tax.sum() }
}

/// How it is paid: method, amount paid, parts.
fn pay(
    chance: &mut Chance,
    kind: Kind,
    total: Decimal,
) -> (&'static str, Decimal, Vec<(&'static str, Decimal)>) {
    let method = chance.pick(&METHODS).copied().unwrap_or("cash");
    match kind {
        Kind::Credit => ("credit", Decimal::ZERO, Vec::new()),
        Kind::PartPaid => (method, share(total, chance.between(20, 80)), Vec::new()),
        Kind::Split => {
            let mut parts = Vec::new();
            let mut left = total;
            for _ in 0..chance.between(1, 2) {
                let amount = share(left, chance.between(20, 60));
                parts.push((chance.pick(&PARTS).copied().unwrap_or("cash"), amount));
                left -= amount;
            }
            let on_credit = chance.one_in(3);
            parts.push((
                if on_credit { "credit" } else { chance.pick(&PARTS).copied().unwrap_or("upi") },
                left,
            ));
            let paid = if on_credit { total - left } else { total };
            parts.retain(|(_, amount)| !amount.is_zero());
            ("split", paid, parts)
        }
        _ => (method, total, Vec::new()),
    }
}

fn share(of: Decimal, percent: u64) -> Decimal {
    half_up(of * Decimal::from(percent) / Decimal::ONE_HUNDRED)
}

fn half_up(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

fn whole(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goods() -> Vec<Good> {
        let good = |code: &str, unit: &str, price: i64, gst: i64| Good {
            id: code.to_lowercase(),
            code: code.into(),
            name: code.into(),
            hsn: "1006".into(),
            barcode: "890".into(),
            unit: unit.into(),
            price: Decimal::new(price, 2),
            mrp: Decimal::new(price + 500, 2),
            gst: Decimal::from(gst),
        };
        vec![good("A", "KG", 3333, 5), good("B", "PCS", 1075, 18), good("C", "PCS", 9900, 0)]
    }

    #[test]
    fn every_bill_adds_up_to_the_paisa() {
        for seed in 0..400 {
            for kind in Kind::ALL {
                let mut chance = Chance::new(seed, 1);
                let bill = make_up(&mut chance, kind, &goods(), seed % 3 == 0, true);
                let total = bill.taxable + bill.tax.sum() + bill.freight - bill.discount;
                assert_eq!(total + bill.round_off, bill.grand_total, "{kind:?} of {seed}");
                let lines: Decimal = bill.lines.iter().map(|line| line.amounts.total).sum();
                assert_eq!(lines + bill.freight - bill.discount, total, "{kind:?} of {seed}");
                assert!(bill.round_off.abs() <= Decimal::new(50, 2), "{kind:?} of {seed}");
                assert!(bill.grand_total > Decimal::ZERO);
                if bill.method == "split" {
                    let parts: Decimal = bill.payments.iter().map(|(_, amount)| amount).sum();
                    assert_eq!(parts, bill.grand_total);
                }
            }
        }
    }

    #[test]
    fn a_long_bill_has_more_than_a_hundred_lines() {
        let bill = make_up(&mut Chance::new(1, 1), Kind::Long, &goods(), false, true);
        assert!(bill.lines.len() > 100);
    }
}
