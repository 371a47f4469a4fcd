//! RainTek's own bills in the app, and numbers that follow RainTek's: the real program, real PocketBase, and RainTek as
//! a server over TDS with its till, each a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "../support/pocketbase.rs"]
#[expect(dead_code, reason = "shared with the tests of the billing side, which use more of it")]
mod pocketbase;

mod expected;
mod shop;
mod v06_counter;
mod v08_awareness;
