//! ShopSync keeps a shop's RainTek till and its billing app in step. The map of the crate:
//!
//! - [`model`] are nouns, [`sync`] decisions: pure, no I/O, no clock.
//! - [`ports`] is what the [`engine`] needs; [`raintek`], [`billing`], [`alerts`], [`store`] and [`platform`] provide it.
//! - [`supervisor`] runs the engine's tasks; [`web`] shows them and takes commands, and so does [`shell`] on a desktop.
//! - [`app`] wires everything; [`cli`] and [`demo`] are ways in; [`remote`] asks the ShopSync of another process.

pub mod alerts;
pub mod app;
pub mod billing;
pub mod cli;
pub mod demo;
pub mod engine;

pub mod model;
pub mod platform;
pub mod ports;
pub mod raintek;
pub mod remote;
pub mod shell;
pub mod store;
pub mod supervisor;
pub mod sync;
pub mod web;
