//! What runs the programs: sessions, transactions, locks, and the faults tests ask for.

pub(crate) mod backup;
pub(crate) mod faults;
pub(crate) mod locks;
pub(crate) mod procedures;
pub(crate) mod recorder;
pub(crate) mod run;
pub(crate) mod session;
pub(crate) mod shared;
