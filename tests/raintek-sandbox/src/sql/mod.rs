//! T-SQL in, SQLite out: parsing, typing and translating what clients send.

pub(crate) mod backup;
pub(crate) mod catalog;
pub(crate) mod compile;
pub(crate) mod convert;
pub(crate) mod ddl;
mod derived;
pub(crate) mod dml;
pub(crate) mod error;
pub(crate) mod expr;
pub(crate) mod functions;
pub(crate) mod generation;
pub(crate) mod natives;
mod natives_text;
pub(crate) mod parse;
pub(crate) mod query;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod types;
