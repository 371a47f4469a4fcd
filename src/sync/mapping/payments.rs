//! Payments: one row each, together the grand total.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::model::fault::Fault;
use crate::model::invoice::Invoice;
use crate::model::money::rupees;
use crate::model::words::one_line;

/// Characters of a method within a sentence.
const LONGEST_KIND: usize = 40;

/// One row of `Invoice_Payment` to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// The app's name of it.
    pub kind: String,
    /// RainTek's text.
    pub mode: String,
    /// Rupees.
    pub amount: Decimal,
}

impl PaymentRow {
    /// Whether money came in; a credit row only says that it will.
    pub fn is_paid(&self) -> bool {
        !self.mode.starts_with("Credit Terms")
    }
}

/// The payments of an invoice, which always add up to its grand total.
///
/// # Errors
/// A payment method nobody knows; payments above the grand total.
pub fn payment_rows(invoice: &Invoice, modes: &BTreeMap<String, String>) -> Result<Vec<PaymentRow>, Fault> {
    let row = |kind: &str, amount: Decimal| -> Result<PaymentRow, Fault> {
        let kind = kind.trim().to_lowercase();
        match modes.get(&kind) {
            Some(mode) => Ok(PaymentRow { kind, mode: mode.clone(), amount }),
            None if kind.is_empty() => Err(Fault::data("The invoice has no payment method.")),
            None => {
                let kind = one_line(&kind, LONGEST_KIND);
                Err(Fault::data(format!("Payment method \"{kind}\" is not known to RainTek.")))
            }
        }
    };
    let total = invoice.grand_total;
    let method = invoice.payment_method.0.as_str();
    let mut rows = Vec::new();
    if method == "split" {
        for payment in invoice.payments.iter().filter(|payment| !payment.amount.is_zero()) {
            rows.push(row(&payment.mode.0, payment.amount)?);
        }
    } else {
        let main = row(method, Decimal::ZERO)?;
        let amount = if main.is_paid() {
            invoice.amount_paid.clamp(Decimal::ZERO, total.max(Decimal::ZERO))
        } else {
            total
        };
        if !amount.is_zero() || total.is_zero() {
            rows.push(PaymentRow { amount, ..main });
        }
    }
    let rest = total - rows.iter().map(|row| row.amount).sum::<Decimal>();
    if rest < Decimal::ZERO {
        return Err(Fault::data(format!(
            "The payments are {} more than the grand total {}.",
            rupees(-rest),
            rupees(total)
        )));
    }
    if rest > Decimal::ZERO {
        match rows.iter_mut().find(|row| !row.is_paid()) {
            Some(credit) => credit.amount += rest,
            None => rows.push(row("credit", rest)?),
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::invoice::{Payment, PaymentKind};
    use crate::model::settings::default_payments;
    use crate::sync::fixtures::invoice;

    fn rows(method: &str, paid: i64, split: &[(&str, i64)]) -> Result<Vec<(String, Decimal)>, Fault> {
        let mut invoice = invoice();
        invoice.grand_total = Decimal::from(100);
        invoice.payment_method = PaymentKind(method.into());
        invoice.amount_paid = Decimal::from(paid);
        invoice.payments = split
            .iter()
            .map(|(mode, amount)| Payment {
                mode: PaymentKind((*mode).into()),
                amount: Decimal::from(*amount),
            })
            .collect();
        Ok(payment_rows(&invoice, &default_payments())?
            .into_iter()
            .map(|row| (row.mode, row.amount))
            .collect())
    }

    fn expect(pairs: &[(&str, i64)]) -> Vec<(String, Decimal)> {
        pairs.iter().map(|(mode, amount)| ((*mode).to_owned(), Decimal::from(*amount))).collect()
    }

    #[test]
    fn rows_always_make_the_grand_total() {
        assert_eq!(rows("cash", 100, &[]).unwrap(), expect(&[("By Cash", 100)]));
        assert_eq!(rows("Cash", 500, &[]).unwrap(), expect(&[("By Cash", 100)]));
        assert_eq!(
            rows("upi", 40, &[]).unwrap(),
            expect(&[("Google Pay", 40), ("Credit Terms - 30 days", 60)])
        );
        assert_eq!(rows("card", 0, &[]).unwrap(), expect(&[("Credit Terms - 30 days", 100)]));
        assert_eq!(rows("credit", 30, &[]).unwrap(), expect(&[("Credit Terms - 30 days", 100)]));
        assert_eq!(
            rows("split", 100, &[("cash", 30), ("phonepe", 70)]).unwrap(),
            expect(&[("By Cash", 30), ("PhonePe", 70)])
        );
        assert_eq!(
            rows("split", 70, &[("cash", 70), ("credit", 10)]).unwrap(),
            expect(&[("By Cash", 70), ("Credit Terms - 30 days", 30)])
        );
    }

    #[test]
    fn what_cannot_be_booked_is_a_sentence() {
        assert!(rows("bitcoin", 100, &[]).unwrap_err().sentence.contains("bitcoin"));
        assert!(rows("split", 100, &[("cash", 130)]).unwrap_err().sentence.contains("30.00 more"));
        assert!(rows("", 100, &[]).unwrap_err().sentence.contains("no payment method"));
    }
}
