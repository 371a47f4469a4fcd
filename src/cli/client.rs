//! Asks a running ShopSync on this PC, for the command line.

use std::time::Duration;

use crate::model::command::{Command, Reply};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::status::Snapshot;

/// Long enough for a busy PC, short enough for a person.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of the window; a link where none came.
#[derive(serde::Deserialize)]
struct Shown {
    link: Option<String>,
}

/// A client of the page's API.
pub(super) struct Client {
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
    pub(super) fn new(port: u16, token: String) -> Result<Self, Fault> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
        let http = http.map_err(|error| not_running(&error))?;
        Ok(Self { http, base: format!("http://127.0.0.1:{port}"), token })
    }

    /// The published state.
    ///
    /// # Errors
    /// Nobody answers, or not as ShopSync does.
    pub(super) async fn status(&self) -> Result<Snapshot, Fault> {
        let request = self.http.get(format!("{}/api/status", self.base));
        let answer =
            request.bearer_auth(&self.token).send().await.and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|error| not_running(&error))?;
        answer.json().await.map_err(|error| not_running(&error))
    }

    /// Asks for its window: it came forward, or this link opens its page once.
    ///
    /// # Errors
    /// Nobody answers, or not as ShopSync does.
    pub(super) async fn show(&self) -> Result<Option<String>, Fault> {
        let request = self.http.post(format!("{}/api/show", self.base)).json(&serde_json::json!({}));
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
    pub(super) async fn call(
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
    pub(super) async fn file(&self, path: &str, patience: Duration) -> Result<Vec<u8>, Fault> {
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
    pub(super) async fn command(&self, command: &Command) -> Result<Reply, Fault> {
        self.command_within(command, PATIENCE).await
    }

    /// Gives a command that may take longer.
    ///
    /// # Errors
    /// As [`Client::command`].
    pub(super) async fn command_within(&self, command: &Command, patience: Duration) -> Result<Reply, Fault> {
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
