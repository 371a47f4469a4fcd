//! The content of an invoice as one hash: tells our own stamp, and a later receipt, from a changed invoice.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::model::invoice::{Invoice, InvoiceStatus};

/// SHA-256 (hex) over everything that goes into RainTek. Left out: what we stamp ourselves, and `amount_paid`
/// (RainTek books later receipts on account, so a change of it is no change of the invoice).
pub fn invoice_digest(invoice: &Invoice) -> String {
    let mut content = invoice.clone();
    content.pos_id = None;
    content.stamped = false;
    content.updated.clear();
    content.status = InvoiceStatus::Completed;
    content.amount_paid = rust_decimal::Decimal::ZERO;
    if let Some(customer) = &mut content.customer {
        customer.pos_id = None;
    }
    hex_digest(&content)
}

/// SHA-256 (hex) of a value's canonical JSON.
pub fn hex_digest(value: &impl Serialize) -> String {
    // Serialising plain data cannot fail; an empty text would only cause one needless look-up.
    let text = serde_json::to_string(value).unwrap_or_default();
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.push_str(&format!("{byte:02x}"));
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::customer::Customer;
    use crate::sync::fixtures::{decimal, invoice};

    #[test]
    fn our_own_stamp_and_a_later_receipt_are_no_change_of_an_invoice() {
        let mut written = invoice();
        written.customer = Some(Customer { name: "Asha".into(), ..Customer::default() });
        let digest = invoice_digest(&written);
        assert_eq!(digest.len(), 64);
        let mut stamped = written.clone();
        (stamped.pos_id, stamped.stamped, stamped.updated) = (Some(701), true, "2026-03-31 10:00:00Z".into());
        stamped.amount_paid = decimal("50.00");
        stamped.customer.as_mut().unwrap().pos_id = Some(12);
        assert_eq!(invoice_digest(&stamped), digest);
    }

    #[test]
    fn whatever_goes_into_raintek_is_a_change() {
        let changes: [fn(&mut Invoice); 6] = [
            |invoice| invoice.grand_total = decimal("107.00"),
            |invoice| invoice.number = "GST-0152-2025/26".into(),
            |invoice| invoice.notes = "To the back door".into(),
            |invoice| invoice.lines[0].quantity = decimal("4"),
            |invoice| drop(invoice.lines.pop()),
            |invoice| invoice.customer = Some(Customer::default()),
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut changed = invoice();
            change(&mut changed);
            assert_ne!(invoice_digest(&changed), invoice_digest(&invoice()), "{index}");
        }
    }
}
