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
