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
