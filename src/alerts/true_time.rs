//! The right time, as the `Date` of an answer from the internet tells it: of an address that is called anyway.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::http::Http;
use super::reason;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::ports::Clock;
use crate::ports::alerts::TrueTime;

const PATIENCE: Duration = Duration::from_secs(10);

/// Asks a web server for its time.
pub struct WebTime {
    http: Http,
    url: reqwest::Url,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for WebTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebTime").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

impl WebTime {
    /// Of the server of this address, of which only the host is called: neither a token nor a secret path goes along.
    /// `None` where its answer would prove nothing: over a network in the clear anybody between could make one up.
    ///
    /// # Errors
    /// Config where it is no web address.
    pub fn of(address: &str, clock: Arc<dyn Clock>) -> Result<Option<Self>, Fault> {
        let wrong = || Fault::new(FaultKind::Config, Scope::Item, "An address in the settings is none.");
        let mut url: reqwest::Url = address.parse().map_err(|_| wrong())?;
        let is_here = url
            .host_str()
            .and_then(|host| host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().ok())
            .is_some_and(|address| address.is_loopback());
        if url.scheme() != "https" && !is_here {
            return Ok(None);
        }
        url.set_path("/");
        url.set_query(None);
        url.set_fragment(None);
        Ok(Some(Self { http: Http::new(is_here, false, Some(PATIENCE)), url, clock }))
    }
}

#[async_trait]
impl TrueTime for WebTime {
    async fn ahead(&self) -> Result<TimeDelta, Fault> {
        let fault = || Fault::transient(Scope::Item, "The internet cannot be asked for the time.");
        let http = self.http.client().await.map_err(|why| fault().detail(why))?;
        let (asked, began) = (self.clock.now(), self.clock.elapsed());
        let answer = http.head(self.url.clone()).send().await;
        let answer = answer.map_err(|error| fault().detail(reason(error)))?;
        let took = self.clock.elapsed().saturating_sub(began);
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        // A copy that a cache kept carries the time it was made.
        if header("age").is_some_and(|age| age.trim() != "0") {
            return Err(fault().detail("the answer came from a cache"));
        }
        let date = header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let date = date.ok_or_else(|| fault().detail("the answer has no date"))?.with_timezone(&Utc);
        let half = TimeDelta::from_std(took / 2).unwrap_or_default();
        Ok(asked + half - date)
    }
}
