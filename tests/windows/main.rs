//! The installed program on Windows: the installer, the program it lays down and PocketBase for Windows, under Wine.
//!
//! What Wine only pretends (rights of folders, the firewall) is not proven here, only that the installer asks for it.
#![cfg(target_os = "linux")]
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
#[expect(dead_code, reason = "shared with the other acceptance tests, which use more of it")]
mod harness;

mod installed;
mod pc;
