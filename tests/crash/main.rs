//! The real program, killed: ShopSync, PocketBase and RainTek's server as processes, a phone and a till that bill, and
//! `kill -9` at random moments. `cargo xtask crash --rounds N` runs more of it than every test run does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail loudly, and tells how far it is"
)]

#[path = "../support/pocketbase.rs"]
#[expect(dead_code, reason = "shared with the tests of the billing side, which use more of it")]
mod pocketbase;

#[path = "../acceptance/harness/mod.rs"]
#[expect(dead_code, reason = "shared with the acceptance tests, which use more of it")]
mod harness;

mod killed;
mod outbox;
mod people;
mod power_cut;
