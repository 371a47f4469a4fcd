//! Where the engine runs.

use serde::{Deserialize, Serialize};

/// The process that keeps both sides in step. There is only ever one at a time: it has the data folder's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EngineHome {
    /// The tray of whoever signs in. The Windows service only keeps the billing app alive for the phones.
    #[default]
    Tray,
    /// The Windows service, for shops where nobody signs in; the tray only shows it. It signs in to RainTek with the
    /// SQL login of `[raintek]`: its own Windows account is no user of RainTek's.
    Service,
}
