//! The billing side on a real PocketBase.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "../support/pocketbase.rs"]
mod pocketbase;

#[path = "../support/foreign_app.rs"]
mod foreign_app;

mod bills;
mod foreign;
mod fresh;
mod live;
mod numbers;
mod reads;
mod together;
mod writes;
