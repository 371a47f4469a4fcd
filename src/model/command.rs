//! What may be asked of the engine.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::backup::BackupTask;

/// A command; every one is answered with a [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Try this invoice number now.
    Retry {
        /// The invoice number.
        number: String,
    },
    /// Try everything that waits or is held now.
    RetryAll,
    /// Take an invoice that the app cancelled out of RainTek, as RainTek's own delete does.
    Remove {
        /// The invoice number.
        number: String,
    },
    /// Leave an invoice that the app cancelled in RainTek.
    Leave {
        /// The invoice number.
        number: String,
    },
    /// Look at both sides now: products and invoices.
    SyncNow,
    /// Write a bill of the app again that somebody changed or deleted in RainTek.
    Rewrite {
        /// The invoice number.
        number: String,
    },
    /// Say what would be written for an invoice that waits or is held. The answer has several lines.
    Preview {
        /// The invoice number.
        number: String,
    },
    /// Give a held invoice the next free number, in the app and in RainTek.
    Renumber {
        /// The number it is held under.
        number: String,
    },
    /// Send nothing until then.
    Pause {
        /// When it goes on by itself.
        until: DateTime<Utc>,
    },
    /// Work on backups; how it ends is in the published state.
    Backup {
        /// Which.
        task: BackupTask,
    },
    /// Compare every synced invoice with RainTek; how it ends is in the published state.
    Check,
    /// Put the rows of a copy of a bill back into RainTek, or say what that would do. The answer has several lines.
    RestoreInvoice {
        /// The content of a file of `snapshots/`.
        copy: String,
        /// Do it. Else only what would be done is said.
        confirmed: bool,
    },
    /// Go on.
    Resume,
    /// Say what going live would do, or do it; how it ends is in the published state.
    GoLive {
        /// Do it.
        yes: bool,
    },
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// It is being done.
    Accepted {
        /// One plain sentence; of a plan that was asked for, a line for each thing.
        sentence: String,
    },
    /// It cannot be done.
    Refused {
        /// Why, in one plain sentence.
        sentence: String,
    },
}
