//! The product as a shop runs it: the real program, real PocketBase, and RainTek as a server over TDS, each a process
//! of its own. Every test has its own folder and ports, and waits for conditions, never for time alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "../support/pocketbase.rs"]
#[expect(dead_code, reason = "shared with the tests of the billing side, which use more of it")]
mod pocketbase;

#[path = "../support/foreign_app.rs"]
mod foreign_app;

mod harness;

mod also;
mod generations;
mod v01_setup;
mod v02_product;
mod v03_price;
mod v04_push;
mod v04_push_held;
mod v05_null;
mod v07_cancelled;
mod v07_revision;
mod v09_retry;
mod v10_health;
mod v12_kill;
mod vzone;
