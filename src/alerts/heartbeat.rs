//! An address that is called while all is well.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::http::Http;
use super::reason;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::ports::alerts::Heartbeat;

const PATIENCE: Duration = Duration::from_secs(10);

/// The address, which is a secret: whoever knows it can say that all is well.
pub struct HeartbeatUrl {
    http: Http,
    url: reqwest::Url,
}

impl fmt::Debug for HeartbeatUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatUrl").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl HeartbeatUrl {
    /// For this address.
    ///
    /// # Errors
    /// Config where it is no web address.
    pub fn new(url: &str) -> Result<Self, Fault> {
        let wrong = || {
            Fault::new(
                FaultKind::Config,
                Scope::Item,
                "alerts.heartbeat_url in the settings is not a web address.",
            )
        };
        let url: reqwest::Url = url.parse().map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong());
        }
        Ok(Self { http: Http::new(false, true, Some(PATIENCE)), url })
    }
}

#[async_trait]
impl Heartbeat for HeartbeatUrl {
    async fn beat(&self) -> Result<(), Fault> {
        let fault = || Fault::transient(Scope::Item, "The heartbeat address does not answer.");
        let http = self.http.client().await.map_err(|why| fault().detail(why))?;
        let answer = http.get(self.url.clone()).send().await;
        let answer = answer.map_err(|error| fault().detail(reason(error)))?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(fault().code(u32::from(status.as_u16()))) }
    }
}
