//! Whether an invoice is all there: the app writes an invoice and its lines as separate records, in any order.

use rust_decimal::Decimal;

use super::arithmetic::{filled, is_other_state};
use crate::model::invoice::Invoice;
use crate::model::money::rupees;

/// The answer of [`completeness`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// All lines and payments are there; whether they are right is another question.
    Complete,
    /// Something is still to come, with one sentence.
    Waiting(String),
}

/// Decides from the app's own count where it gives one, else from the sums.
pub fn completeness(invoice: &Invoice) -> Completeness {
    let have = invoice.lines.len();
    match invoice.item_count {
        Some(count) if usize::try_from(count) != Ok(have) => {
            return Completeness::Waiting(format!("Waiting for its lines: {have} of {count} have arrived."));
        }
        Some(_) => {}
        None if have == 0 => return Completeness::Waiting("Waiting for its lines: none has arrived.".into()),
        None => {
            let missing = -line_difference(invoice, "");
            if missing > Decimal::ZERO {
                return Completeness::Waiting(format!(
                    "Waiting for its lines: {} of {} are still missing.",
                    rupees(missing),
                    rupees(invoice.grand_total)
                ));
            }
        }
    }
    if invoice.payment_method.0 == "split" {
        let paid: Decimal = invoice.payments.iter().map(|payment| payment.amount).sum();
        let expected = if invoice.amount_paid > Decimal::ZERO {
            invoice.amount_paid.min(invoice.grand_total)
        } else {
            invoice.grand_total
        };
        if paid < expected {
            return Completeness::Waiting(format!(
                "Waiting for its payments: {} of {} have arrived.",
                rupees(paid),
                rupees(expected)
            ));
        }
    }
    Completeness::Complete
}

/// By how much the lines miss the grand total beyond what the round-off explains: 0 where they add up, below 0
/// where lines are short.
pub fn line_difference(invoice: &Invoice, company_state: &str) -> Decimal {
    let other_state = is_other_state(invoice, company_state);
    let lines: Decimal =
        invoice.lines.iter().map(|line| filled(line, invoice.tax_type, other_state).total).sum();
    let difference = lines + invoice.freight - invoice.discount - invoice.grand_total;
    if difference.abs() <= invoice.round_off.abs() { Decimal::ZERO } else { difference }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::invoice::{Payment, PaymentKind};
    use crate::sync::fixtures::{decimal, invoice};

    fn waits_for(invoice: &Invoice) -> String {
        match completeness(invoice) {
            Completeness::Waiting(sentence) => sentence,
            Completeness::Complete => "nothing".into(),
        }
    }

    fn counted(count: Option<u32>, lines: usize) -> Invoice {
        let line = invoice().lines.remove(0);
        Invoice { item_count: count, lines: vec![line; lines], ..invoice() }
    }

    #[test]
    fn the_apps_own_count_decides_where_there_is_one() {
        assert_eq!(waits_for(&counted(Some(2), 1)), "Waiting for its lines: 1 of 2 have arrived.");
        assert_eq!(waits_for(&counted(Some(1), 2)), "Waiting for its lines: 2 of 1 have arrived.");
        assert_eq!(completeness(&counted(Some(1), 1)), Completeness::Complete);
        // Two lines of 106.19 where 106.00 is charged: that is for whoever maps it to say.
        assert_eq!(completeness(&counted(Some(2), 2)), Completeness::Complete);
        // None is none: what is wrong with such an invoice is said when it is mapped, and it waits for nobody.
        assert_eq!(completeness(&counted(Some(0), 0)), Completeness::Complete);
    }

    #[test]
    fn without_a_count_lines_are_awaited_until_they_come_to_the_grand_total() {
        assert_eq!(waits_for(&counted(None, 0)), "Waiting for its lines: none has arrived.");
        assert_eq!(completeness(&counted(None, 1)), Completeness::Complete);
        assert_eq!(completeness(&counted(None, 2)), Completeness::Complete, "too many are another question");
        let short = Invoice { grand_total: decimal("212.19"), ..counted(None, 1) };
        assert_eq!(waits_for(&short), "Waiting for its lines: 106.00 of 212.19 are still missing.");
    }

    fn split(paid: &[&str], amount_paid: &str) -> Invoice {
        let payment = |amount: &&str| Payment { mode: PaymentKind("cash".into()), amount: decimal(amount) };
        Invoice {
            payment_method: PaymentKind("split".into()),
            payments: paid.iter().map(payment).collect(),
            amount_paid: decimal(amount_paid),
            ..invoice()
        }
    }

    #[test]
    fn payments_are_awaited_until_they_come_to_what_was_paid() {
        assert_eq!(
            waits_for(&split(&["50"], "106")),
            "Waiting for its payments: 50.00 of 106.00 have arrived."
        );
        assert_eq!(completeness(&split(&["50", "56"], "106")), Completeness::Complete);
        assert_eq!(completeness(&split(&["40"], "40")), Completeness::Complete, "the rest is on credit");
        assert_eq!(
            waits_for(&split(&["40"], "41")),
            "Waiting for its payments: 40.00 of 41.00 have arrived."
        );
        // Change was given: no more than the bill comes to is awaited.
        assert_eq!(completeness(&split(&["106"], "500")), Completeness::Complete);
        // An app that does not say what was paid means all of it.
        assert_eq!(
            waits_for(&split(&["50"], "0")),
            "Waiting for its payments: 50.00 of 106.00 have arrived."
        );
        assert_eq!(completeness(&split(&["106"], "0")), Completeness::Complete);
    }

    #[test]
    fn payments_of_one_way_to_pay_are_not_awaited() {
        assert_eq!(completeness(&Invoice { payments: Vec::new(), ..invoice() }), Completeness::Complete);
    }

    #[test]
    fn freight_adds_to_the_lines_and_a_discount_of_the_bill_takes_off() {
        let mut invoice = Invoice { freight: decimal("5"), discount: decimal("1"), ..invoice() };
        invoice.grand_total = decimal("110.00");
        assert_eq!(line_difference(&invoice, ""), Decimal::ZERO, "0.19 are explained by the round-off");
        invoice.grand_total = decimal("110.38");
        assert_eq!(line_difference(&invoice, ""), Decimal::ZERO, "either way");
        invoice.grand_total = decimal("110.39");
        assert_eq!(line_difference(&invoice, ""), decimal("-0.20"), "lines are short");
        invoice.grand_total = decimal("109.99");
        assert_eq!(line_difference(&invoice, ""), decimal("0.20"));
    }
}
