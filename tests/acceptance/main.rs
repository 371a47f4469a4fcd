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
mod also_hostile;
mod generations;
mod scan_and_restore;
mod service;
mod v01_setup;
mod v02_product;
mod v03_price;
mod v04_push;
mod v04_push_held;
mod v05_null;
mod v07_cancelled;
mod v07_revision;
mod v07_taken_out;
mod v09_retry;
mod v10_health;
mod v11_concurrency;
mod v11_renumber;
mod v12_boot;
mod v12_full_disk;
mod v12_lost;
mod v12_sleep;
mod v12_stop;
mod v13_phone;
mod v15_go_live;
mod v15_watch_only;
mod vzone;
