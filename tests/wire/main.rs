//! A push over a wire that misbehaves: whatever the cut, nothing is booked by half, twice or unseen, and nobody waits
//! longer than their patience.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail loudly"
)]

#[path = "../support/proxy.rs"]
mod proxy;

#[path = "../posting/shop.rs"]
#[expect(dead_code, reason = "shared with the tests of postings, which use more of it")]
mod shop;

#[path = "../posting/basket.rs"]
mod basket;

#[path = "../support/pocketbase.rs"]
#[expect(dead_code, reason = "shared with the tests of the billing side, which use more of it")]
mod pocketbase;

#[path = "../acceptance/harness/mod.rs"]
#[expect(dead_code, unused_imports, reason = "shared with the acceptance tests, which use more of it")]
mod harness;

mod black_hole;
#[cfg(target_os = "linux")]
mod bounded;
mod cuts;
mod half_open;
mod slow;

use chrono::NaiveDate;
use raintek_sandbox::till::Bill;
use shopsync::model::invoice::Invoice;

/// A sale of the till's, to be booked again under other numbers.
async fn sale(shop: &shop::Shop) -> Invoice {
    let mut till = shop.till();
    let date = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
    let payments = vec![("Google Pay".to_owned(), 100)];
    let bill = Bill { payments, gst: true, ..till.random_bill(8, date).await.unwrap() };
    let billed = till.bill(&bill).await.unwrap();
    let dump = shop.dump().await;
    basket::invoice_of(&dump, basket::bill_of(&dump, &billed.number))
}
