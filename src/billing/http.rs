//! The web client for the app. Making one reads every certificate that the system trusts; that goes on beside the start of
//! everything else, and nobody waits for it but who needs it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::classify::{Trouble, classify_trouble};
use crate::model::fault::Fault;

pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections kept for the next rush. What it needs beyond them is closed when free.
const IDLE: usize = 8;
/// So long nobody needs one before it is closed. The pool looks once in the same time, so it is gone after twice that.
const IDLE_FOR: Duration = Duration::from_secs(30);

type Made = Result<reqwest::Client, String>;

/// One client for all that is asked of one app. Cheap to clone.
#[derive(Clone)]
pub(super) struct Http(Arc<OnceLock<Made>>);

impl Http {
    /// Begins to make it.
    pub(super) fn new() -> Self {
        let made = Arc::new(OnceLock::new());
        let making = Arc::clone(&made);
        // Where there is no thread for it, whoever needs it makes it.
        let _ = std::thread::Builder::new().name("certificates".into()).spawn(move || {
            making.get_or_init(make);
        });
        Self(made)
    }

    /// Whether there is one already.
    pub(super) fn is_made(&self) -> bool {
        self.0.get().is_some()
    }

    /// The client; waits for it where it is still being made.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn client(&self) -> Result<&reqwest::Client, Fault> {
        self.0.get_or_init(make).as_ref().map_err(|why| classify_trouble(Trouble::BadAddress, why))
    }
}

fn make() -> Made {
    // The app is on this machine or beside it: neither a proxy nor a redirect may take our password elsewhere.
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_FOR)
        .pool_max_idle_per_host(IDLE)
        .build()
        .map_err(|error| super::client::chain(&error))
}
