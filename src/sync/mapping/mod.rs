//! An invoice of the app as rows of RainTek's tables.

mod customer;
mod payments;
mod postings;
mod row;
mod sale;

pub use customer::new_customer;
pub use payments::{PaymentRow, payment_rows};
pub(super) use row::completed;
pub use sale::{MapContext, desired_bill};

#[cfg(test)]
mod older_tests;
