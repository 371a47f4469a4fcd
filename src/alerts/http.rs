//! A web client that is made when it is first needed: making one reads every certificate that the system trusts, which
//! nobody who starts the PC should wait for.

use std::time::Duration;

use tokio::sync::OnceCell;

/// Its settings, and the client once there is one.
pub(super) struct Http {
    /// The server is on this PC: no proxy stands between.
    is_here: bool,
    follows_redirects: bool,
    patience: Option<Duration>,
    made: OnceCell<reqwest::Client>,
}

impl Http {
    pub(super) fn new(is_here: bool, follows_redirects: bool, patience: Option<Duration>) -> Self {
        Self { is_here, follows_redirects, patience, made: OnceCell::new() }
    }

    /// The client.
    ///
    /// # Errors
    /// It cannot be made; in words.
    pub(super) async fn client(&self) -> Result<&reqwest::Client, String> {
        self.made.get_or_try_init(|| self.make()).await
    }

    async fn make(&self) -> Result<reqwest::Client, String> {
        let mut http = reqwest::Client::builder();
        if self.is_here {
            http = http.no_proxy();
        }
        if !self.follows_redirects {
            http = http.redirect(reqwest::redirect::Policy::none());
        }
        if let Some(patience) = self.patience {
            http = http.timeout(patience);
        }
        let made = tokio::task::spawn_blocking(move || http.build().map_err(|error| error.to_string()));
        made.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}
