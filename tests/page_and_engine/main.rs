//! The page in a real browser before the real program, PocketBase and RainTek's stand-in: what is clicked there, and
//! what became of it in RainTek, in the app and on the disk.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

#[path = "../support/browser.rs"]
#[expect(dead_code, reason = "shared with the other tests of pages, which use more of it")]
mod browser;

#[path = "../support/pocketbase.rs"]
#[expect(dead_code, reason = "shared with the tests of the billing side, which use more of it")]
mod pocketbase;

#[path = "../acceptance/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the acceptance tests, which use more of it")]
mod harness;

#[path = "../setup/pc.rs"]
#[expect(dead_code, reason = "shared with the tests of the first run, which use more of it")]
mod pc;

mod first_run;
mod settings;
mod work;

use browser::Browser;
use harness::Shop;
use serde_json::{Value, json};

/// A link that opens the page once, as a second start of the program gets it.
pub(crate) async fn link(shop: &Shop) -> String {
    let shown: Value = shop.post("/api/show", json!({})).await.1;
    shown["link"].as_str().unwrap_or_else(|| panic!("no link: {shown}")).to_owned()
}

/// The page, opened by such a link.
pub(crate) async fn opened(shop: &Shop) -> Browser {
    let mut browser = Browser::open(960, 680);
    browser.go(&link(shop).await);
    browser.wait("document.querySelector('.card .big').innerText !== ''");
    browser
}

/// Writes into a field of the settings, and leaves it.
pub(crate) fn write(browser: &mut Browser, key: &str, text: &str) {
    let id = format!("field-{}", key.replace('.', "-"));
    browser.wait(&format!("document.getElementById('{id}')"));
    browser
        .eval(&format!("(() => {{ const i = document.getElementById('{id}'); i.focus(); i.select(); }})()"));
    browser.type_in(text);
    browser.press("Tab");
}

/// What the page last said at its foot.
pub(crate) fn says(words: &str) -> String {
    format!("document.querySelector('#said.shown').innerText.startsWith({})", json!(words))
}
