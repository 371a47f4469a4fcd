//! Alerts: the Telegram adapter against a stand-in of the Bot API, and a whole shop that tells people off the PC.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "../support/pocketbase.rs"]
#[expect(dead_code, reason = "shared with the tests of the billing side, which use more of it")]
mod pocketbase;

#[path = "../acceptance/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the acceptance tests, which use more of it")]
mod harness;

mod adapter;
mod bot;
mod chat;
mod hostile;
mod shop;
mod surroundings;
