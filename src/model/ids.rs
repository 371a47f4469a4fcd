//! Identifiers of both sides.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A PocketBase record id: 15 characters of `[a-z0-9]` by default, opaque to us.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(Box<str>);

impl RecordId {
    /// Takes any text as it comes from the app or the store.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into().into())
    }

    /// The id as PocketBase writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `InvoiceInfo.Inv_ID`.
pub type InvId = i32;

/// `Product.PID`.
pub type ProductId = i32;

/// `Customer.ID`.
pub type CustomerId = i32;
