//! Hostile input: the committed corpora of all fuzz targets through the same functions that fuzzing calls (docs/FUZZING.md).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail loudly"
)]

#[path = "../fuzz/properties/lib.rs"]
mod properties;

mod corpus;
mod mutated;
