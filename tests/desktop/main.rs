//! The tray and its window, on a screen with a panel: the real program, and what a person sees and does.
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

#[path = "../setup/pc.rs"]
#[expect(dead_code, reason = "shared with the tests of the first run, which use more of it")]
mod pc;

mod browser;
mod first_run;
mod other;
mod pictures;
mod screen;
mod states;
mod tray;
mod window;

/// What the icon of a state is drawn with on a dark panel.
pub(crate) const GREEN: [u8; 3] = [0x4a, 0xde, 0x80];
pub(crate) const BLUE: [u8; 3] = [0x7c, 0xb4, 0xff];
pub(crate) const AMBER: [u8; 3] = [0xfb, 0xbf, 0x24];
pub(crate) const RED: [u8; 3] = [0xff, 0x7b, 0x72];
