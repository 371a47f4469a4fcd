//! Who answers at the billing app's address.

use std::time::Duration;

use serde_json::Value;

use super::classify::{Trouble, classify_trouble};
use super::http::Http;
use crate::model::fault::{Fault, Scope};
use crate::ports::Clock;

const LIMIT: Duration = Duration::from_secs(5);
/// PocketBase says 64 bytes.
const LARGEST: usize = 10_000;
/// After this a program that was just ending has ended.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// Who answers.
#[derive(Debug)]
pub(super) enum Health {
    /// PocketBase, and it is well.
    PocketBase,
    /// A program that is not PocketBase.
    SomethingElse,
    /// Nobody listens.
    Nobody,
    /// Somebody listens and does not answer, or not now.
    Silent(Fault),
}

/// Asks for the health of whatever is there.
pub(super) struct Lookout {
    http: Http,
    url: String,
}

impl Lookout {
    pub(super) fn new(url: &str, http: Http) -> Self {
        Self { http, url: format!("{}/api/health", url.trim().trim_end_matches('/')) }
    }

    pub(super) async fn health(&self, clock: &dyn Clock) -> Health {
        let mut answer = self.ask().await;
        if matches!(answer, Err(Trouble::Broke)) {
            // Either no web server at all, or one that ended in the middle of its answer.
            clock.sleep(SECOND_LOOK).await;
            answer = self.ask().await;
        }
        match answer {
            Ok(health) => health,
            Err(Trouble::NoConnection) => Health::Nobody,
            Err(trouble @ Trouble::TimedOut) => Health::Silent(classify_trouble(trouble, "GET /api/health")),
            Err(_) => Health::SomethingElse,
        }
    }

    async fn ask(&self) -> Result<Health, Trouble> {
        // That nobody listens needs no web client, which may still be made: the app is started meanwhile.
        if !self.http.is_made() && self.nobody_listens().await {
            return Err(Trouble::NoConnection);
        }
        let http = self.http.client().map_err(|_| Trouble::BadAddress)?;
        let sent = http.get(&self.url).timeout(LIMIT).send().await;
        let mut response = sent.map_err(|error| Trouble::of(&error))?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| Trouble::of(&error))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LARGEST {
                return Err(Trouble::TooLarge);
            }
        }
        Ok(judge(status.as_u16(), &serde_json::from_slice(&bytes).unwrap_or_default()))
    }
}

impl Lookout {
    async fn nobody_listens(&self) -> bool {
        let Ok(url) = reqwest::Url::parse(&self.url) else { return false };
        let Some(place) = url.host_str().zip(url.port_or_known_default()) else { return false };
        let connected = tokio::time::timeout(LIMIT, tokio::net::TcpStream::connect(place)).await;
        matches!(connected, Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused)
    }
}

fn judge(status: u16, body: &Value) -> Health {
    let code = body.get("code").or_else(|| body.get("status")).and_then(Value::as_u64);
    let pocketbase =
        code == Some(u64::from(status)) && body.get("message").is_some() && body.get("data").is_some();
    match status {
        200 if pocketbase => Health::PocketBase,
        429 | 500.. if pocketbase => Health::Silent(not_answering()),
        _ => Health::SomethingElse,
    }
}

/// What is said when nobody answers.
pub(super) fn not_answering() -> Fault {
    Fault::transient(Scope::Billing, "The billing app is not answering.")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_pocketbases_own_words_count() {
        let well = json!({"message": "API is healthy.", "code": 200, "data": {}});
        assert!(matches!(judge(200, &well), Health::PocketBase));
        let busy = json!({"message": "Too many requests.", "status": 429, "data": {}});
        assert!(matches!(judge(429, &busy), Health::Silent(_)));
        for body in [json!(null), json!("ok"), json!({"code": 200}), json!({"status": "UP"})] {
            assert!(matches!(judge(200, &body), Health::SomethingElse), "{body}");
        }
        assert!(matches!(judge(502, &json!(null)), Health::SomethingElse));
    }
}
