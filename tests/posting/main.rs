//! What ShopSync posts beside a bill, against what the sandbox's own till posts for the same basket.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail loudly"
)]

mod basket;
mod same_as_till;
mod shop;
mod switches;
mod twice;

use shopsync::model::settings::PostingSettings;

pub(crate) const OFF: PostingSettings = PostingSettings { stock: false, ledgers: false };
pub(crate) const STOCK: PostingSettings = PostingSettings { stock: true, ledgers: false };
pub(crate) const LEDGERS: PostingSettings = PostingSettings { stock: false, ledgers: true };
pub(crate) const ON: PostingSettings = PostingSettings::ALL;
