//! Backups as a shop runs them: the real program, real PocketBase, and RainTek as a server over TDS.
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
#[expect(dead_code, unused_imports, reason = "shared with the other acceptance tests, which use more of it")]
mod harness;

mod new_pc;
mod v14_backups;
