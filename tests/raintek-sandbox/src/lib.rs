//! RainTek's stand-in: its tables behind a TDS 7.4 server over SQLite, and a till that bills as RainTek does.
//!
//! [`Sandbox`] is the server, [`till::Till`] the till. What the server cannot do is answered with one of SQL
//! Server's error numbers, never with a guess: T-SQL it does not know is 40514, a function it does not know 195.
//!
//! Where it is simpler than SQL Server, and why that is safe to test against:
//! - One session writes at a time, instead of locks per row: whoever writes, or reads with UPDLOCK, keeps the
//!   others waiting to the end of its transaction, for LOCK_TIMEOUT at most.
//! - Reads see what is committed (as with READ_COMMITTED_SNAPSHOT) and never wait.
//! - An identity value of a transaction rolled back is given again.
//! - There is no TLS unless [`Options::tls`] asks for it; then it is TLS 1.2.

mod control;
mod dump;
mod engine;
mod sandbox;
mod seed;
mod sql;
mod tds;
pub mod till;

pub use sandbox::{Options, Sandbox};
pub use sql::generation::Generation;
pub use tds::wire::Tls;

/// The version the server says it is: SQL Server 2008 R2, the oldest still out there.
pub(crate) const VERSION_BYTES: [u8; 4] = [10, 50, 0x17, 0x70];
pub(crate) const VERSION_NUMBER: &str = "10.50.6000.34";
pub(crate) const VERSION_TEXT: &str = "Microsoft SQL Server 2008 R2 (SP3) - 10.50.6000.34 (X64) \n\tExpress Edition (64-bit), RainTek sandbox over SQLite";
