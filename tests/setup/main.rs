//! The first run, settings that change while ShopSync runs, and secrets: the real program, PocketBase, RainTek's
//! stand-in, and a folder that plays the PC on which RainTek is looked for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "../alerts/bot.rs"]
#[expect(dead_code, reason = "shared with the tests of the alerts, which use more of it")]
mod bot;

#[path = "../support/pocketbase.rs"]
#[expect(dead_code, reason = "shared with the tests of the billing side, which use more of it")]
mod pocketbase;

#[path = "../acceptance/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the acceptance tests, which use more of it")]
mod harness;

mod changes;
mod first_run;
mod pc;
mod secrets;
