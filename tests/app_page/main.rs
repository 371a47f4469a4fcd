//! `<sync-badge>` and the page under `/shopsync/`, in a real browser as large as a phone, on a real PocketBase.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "../support/browser.rs"]
mod browser;

#[path = "../support/contrast.rs"]
mod contrast;

#[path = "../support/foreign_app.rs"]
mod foreign_app;

#[expect(dead_code, reason = "the tests of the adapter use the rest")]
#[path = "../support/pocketbase.rs"]
mod pocketbase;

mod badge;
mod list;
mod login;
mod open;
mod versions;
