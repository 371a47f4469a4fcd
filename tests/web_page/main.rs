//! The status page in a real browser: what is clicked reaches the engine, and what is shown is true.
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

mod back;
mod clicks;
mod everybody;
mod languages;
mod pictures;
mod renumber;
mod scenes;
mod site;
mod truth;
mod views;

use browser::Browser;
use shopsync::model::status::Snapshot;
use site::Site;

/// The page with this snapshot, opened by its link, at the size it is designed for.
fn opened(snapshot: Snapshot) -> (Site, Browser) {
    let site = Site::open(snapshot);
    let mut browser = Browser::open(960, 680);
    browser.go(&site.link());
    browser
        .wait("document.querySelector('.card .big').innerText !== '' && document.readyState === 'complete' && !document.querySelector('#charts').hidden");
    (site, browser)
}
