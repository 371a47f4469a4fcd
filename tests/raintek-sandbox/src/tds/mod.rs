//! The wire: TDS 7.2 to 7.4 as a server speaks it. Headers, prelogin and DONE come from tds-protocol.

pub(crate) mod connection;
pub(crate) mod login;
pub(crate) mod reader;
pub(crate) mod reply;
pub(crate) mod request;
pub(crate) mod values;
pub(crate) mod wire;
