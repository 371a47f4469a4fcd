//! Decisions. Pure functions of what was read: no I/O, no clock, no async.

pub mod alerting;
pub mod alive;
pub mod arithmetic;
pub mod audit;
pub mod autostart;
pub mod awareness;
pub mod backoff;
pub mod backups;
pub mod catalogue;
pub mod chat;
pub mod completeness;
pub mod digest;
pub mod health;
pub mod mapping;
pub mod masking;
pub mod mode;
pub mod numbering;
pub mod plan;
pub mod posting;
pub mod restore;
pub mod retention;
pub mod room;
pub mod scan;
pub mod setup;
pub mod surroundings;
pub mod tables;
pub mod toasts;
pub mod trial;
pub mod vanished;
pub mod watch;

#[cfg(test)]
pub(crate) mod fixtures;
