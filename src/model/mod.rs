//! Nouns: what the shop's two systems talk about. No I/O, no clock, no async.

pub mod alert;
pub mod awareness;
pub mod backup;
pub mod bill;
pub mod command;
pub mod customer;
pub mod desktop;
pub mod fault;
pub mod fields;
pub mod health;
pub mod history;
pub mod home;
pub mod ids;
pub mod invoice;
pub mod money;
pub mod outbox;
pub mod posting;
pub mod product;
pub mod renumber;
pub mod room;
pub mod scan;
pub mod schema;
pub mod settings;
pub mod setup;
pub mod status;
pub mod texts;
pub mod trial;
pub mod words;

#[cfg(test)]
pub(crate) mod sample;
