//! Asks the ShopSync that runs in another process of this PC, over the API of its page: for the command line, and for a
//! tray that only shows it.

use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use chrono::{DateTime, SecondsFormat, Utc};

use crate::model::command::{Command, Reply};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::health::HealthState;
use crate::model::status::Snapshot;

/// Long enough for a busy PC, short enough for a person.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest that the page waits for an answer: a step of the first run.
const LONGEST: Duration = Duration::from_secs(160);

/// What became of the window; a link where none came.
#[derive(serde::Deserialize)]
struct Shown {
    link: Option<String>,
}

/// What everybody on this PC may know of it, without its token.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Glance {
    /// How things are.
    pub state: HealthState,
    /// In words that name no customer and no invoice.
    pub sentence: String,
    /// When it was published.
    pub at: DateTime<Utc>,
}

/// A client of the page's API.
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Client {
    /// For the ShopSync on this port of 127.0.0.1.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(port: u16, token: String) -> Result<Self, Fault> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
        let http = http.map_err(|error| not_running(&error))?;
        Ok(Self { http, base: format!("http://127.0.0.1:{port}"), token })
    }

    /// The published state.
    ///
    /// # Errors
    /// Nobody answers, or not as ShopSync does.
    pub async fn status(&self) -> Result<Snapshot, Fault> {
        let request = self.http.get(format!("{}/api/status", self.base));
        let answer =
            request.bearer_auth(&self.token).send().await.and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|error| not_running(&error))?;
        answer.json().await.map_err(|error| not_running(&error))
    }

    /// The published state, as soon as it is another than that of `after`; `None` where nothing changed for a while.
    ///
    /// # Errors
    /// Nobody answers, or not as ShopSync does.
    pub async fn status_after(&self, after: Option<DateTime<Utc>>) -> Result<Option<Snapshot>, Fault> {
        let mut request = self.http.get(format!("{}/api/status", self.base)).bearer_auth(&self.token);
        if let Some(after) = after {
            request = request.query(&[("after", after.to_rfc3339_opts(SecondsFormat::AutoSi, true))]);
        }
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|error| not_running(&error))?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        answer.json().await.map(Some).map_err(|error| not_running(&error))
    }

    /// What may be known without the token.
    ///
    /// # Errors
    /// Nobody answers, or not as ShopSync does.
    pub async fn glance(&self) -> Result<Glance, Fault> {
        // 503 is an answer as well: it fails, and says how.
        let answer = self.http.get(format!("{}/health", self.base)).send().await;
        let answer = answer.map_err(|error| not_running(&error))?;
        answer.json().await.map_err(|error| not_running(&error))
    }

    /// A link that opens its page once, in a browser.
    ///
    /// # Errors
    /// Nobody answers, or not as ShopSync does.
    pub async fn link(&self) -> Result<Option<String>, Fault> {
        self.ask_to_show(&serde_json::json!({ "browser": true })).await
    }

    /// Hands on what a window's page asks, and brings the answer.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn pass_on(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<Response<Vec<u8>>, Fault> {
        let mut request = self.http.request(method, format!("{}{path}", self.base)).timeout(LONGEST);
        // Nothing else of the window's counts there: who it is says the token.
        if let Some(kind) = headers.get(CONTENT_TYPE) {
            request = request.header(CONTENT_TYPE, kind);
        }
        let answer = request.bearer_auth(&self.token).body(body).send().await;
        let answer = answer.map_err(|error| not_running(&error))?;
        let (status, kind) = (answer.status(), answer.headers().get(CONTENT_TYPE).cloned());
        let bytes = answer.bytes().await.map_err(|error| not_running(&error))?;
        let mut response = Response::new(bytes.to_vec());
        *response.status_mut() = status;
        let usual = HeaderValue::from_static("application/octet-stream");
        response.headers_mut().insert(CONTENT_TYPE, kind.unwrap_or(usual));
        Ok(response)
    }

    /// Asks for its window: it came forward, or this link opens its page once.
    ///
    /// # Errors
    /// Nobody answers, or not as ShopSync does.
    pub async fn show(&self) -> Result<Option<String>, Fault> {
        self.ask_to_show(&serde_json::json!({})).await
    }

    async fn ask_to_show(&self, wanted: &serde_json::Value) -> Result<Option<String>, Fault> {
        let request = self.http.post(format!("{}/api/show", self.base)).json(wanted);
        let answer =
            request.bearer_auth(&self.token).send().await.and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|error| not_running(&error))?;
        let shown: Shown = answer.json().await.map_err(|error| not_running(&error))?;
        Ok(shown.link)
    }

    /// Asks the page's API for anything else: the status and the answer.
    ///
    /// # Errors
    /// Nobody answers, or not with JSON.
    pub async fn call(
        &self,
        path: &str,
        body: Option<&serde_json::Value>,
        patience: Duration,
    ) -> Result<(u16, serde_json::Value), Fault> {
        let url = format!("{}{path}", self.base);
        let request = match body {
            Some(body) => self.http.post(url).json(body),
            None => self.http.get(url),
        };
        let answer = request.bearer_auth(&self.token).timeout(patience).send().await;
        let answer = answer.map_err(|error| not_running(&error))?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.map_err(|error| not_running(&error))?))
    }

    /// A file of the page's API.
    ///
    /// # Errors
    /// Nobody answers, or not with a file.
    pub async fn file(&self, path: &str, patience: Duration) -> Result<Vec<u8>, Fault> {
        let request =
            self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.token).timeout(patience);
        let answer = request.send().await.and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|error| not_running(&error))?;
        Ok(answer.bytes().await.map_err(|error| not_running(&error))?.to_vec())
    }

    /// Gives a command.
    ///
    /// # Errors
    /// Nobody answers, or not as ShopSync does. A refusal is no error.
    pub async fn command(&self, command: &Command) -> Result<Reply, Fault> {
        self.command_within(command, PATIENCE).await
    }

    /// Gives a command that may take longer.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub async fn command_within(&self, command: &Command, patience: Duration) -> Result<Reply, Fault> {
        let request = self.http.post(format!("{}/api/command", self.base));
        let request = request.bearer_auth(&self.token).timeout(patience);
        let answer = request.json(command).send().await;
        let answer = answer.map_err(|error| not_running(&error))?;
        answer.json().await.map_err(|error| not_running(&error))
    }
}

fn not_running(error: &reqwest::Error) -> Fault {
    Fault::new(FaultKind::Transient, Scope::Item, "ShopSync is not running, or does not answer.")
        .action(Action::CallSupport)
        .detail(error)
}
