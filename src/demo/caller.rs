//! Somebody who calls PocketBase, and does not lose what they wanted to say when it is away for a moment.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// How often a call is made before it is given up: with the pause between, about a minute.
const TRIES: u32 = 240;
const PAUSE: Duration = Duration::from_millis(250);
/// PocketBase answers 400 without a reason where SQLite was busy for too long.
const UNREASONED_TRIES: u32 = 8;
const PAGE: usize = 500;

/// A signed-in caller, or a guest.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Caller {
    /// A guest at an address such as `http://127.0.0.1:8090`.
    pub(super) fn guest(url: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        Ok(Self { http, url: url.to_owned(), token: None })
    }

    /// The same caller, signed in.
    pub(super) async fn sign_in(
        &self,
        collection: &str,
        identity: &str,
        password: &str,
    ) -> anyhow::Result<Self> {
        let path = format!("/api/collections/{collection}/auth-with-password");
        let body = json!({ "identity": identity, "password": password });
        let answer = self.call(Method::POST, &path, Some(&body), None).await?;
        let token = answer.get("token").and_then(Value::as_str).context("no token")?.to_owned();
        Ok(Self { token: Some(token), ..self.clone() })
    }

    /// Makes a record that carries its own id, once, however often it has to be sent.
    pub(super) async fn create(&self, collection: &str, body: &Value) -> anyhow::Result<()> {
        let id = body.get("id").and_then(Value::as_str).context("a record without an id of its own")?;
        let path = records(collection);
        let there = format!("{path}/{id}");
        self.call(Method::POST, &path, Some(body), Some(&there)).await.map(|_| ())
    }

    /// Changes a record.
    pub(super) async fn change(&self, collection: &str, id: &str, body: &Value) -> anyhow::Result<()> {
        let path = format!("{}/{id}", records(collection));
        self.call(Method::PATCH, &path, Some(body), None).await.map(|_| ())
    }

    /// Deletes a record.
    pub(super) async fn delete(&self, collection: &str, id: &str) -> anyhow::Result<()> {
        let path = format!("{}/{id}", records(collection));
        self.call(Method::DELETE, &path, None, None).await.map(|_| ())
    }

    /// One record.
    pub(super) async fn one(&self, collection: &str, id: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, &format!("{}/{id}", records(collection)), None, None).await
    }

    /// How a collection is set up.
    pub(super) async fn settings_of(&self, collection: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, &format!("/api/collections/{collection}"), None, None).await
    }

    /// Sets a collection up otherwise, as a superuser.
    pub(super) async fn set_up(&self, collection: &str, body: &Value) -> anyhow::Result<()> {
        self.call(Method::PATCH, &format!("/api/collections/{collection}"), Some(body), None)
            .await
            .map(|_| ())
    }

    /// Whether the app refuses a change (`Some`) or a deletion (`None`) of a record.
    pub(super) async fn is_refused(
        &self,
        collection: &str,
        id: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<bool> {
        let path = format!("{}/{id}", records(collection));
        let method = if body.is_some() { Method::PATCH } else { Method::DELETE };
        let (status, _) = self.once(method, &path, body).await?;
        Ok(matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND))
    }

    /// Makes records in one transaction: pairs of collection and record, each with its own id.
    pub(super) async fn batch(&self, new: &[(&str, Value)]) -> anyhow::Result<()> {
        self.batch_with(new, None).await
    }

    /// The same, with a change of another record in the same transaction: its collection, id and content, and whether
    /// it comes first.
    pub(super) async fn batch_with(
        &self,
        new: &[(&str, Value)],
        change: Option<(&str, &str, Value, bool)>,
    ) -> anyhow::Result<()> {
        let Some((first, body)) = new.first() else { return Ok(()) };
        let id = body.get("id").and_then(Value::as_str).context("a record without an id of its own")?;
        let there = format!("{}/{id}", records(first));
        let mut requests: Vec<Value> = new
            .iter()
            .map(|(collection, body)| json!({ "method": "POST", "url": records(collection), "body": body }))
            .collect();
        if let Some((collection, id, body, is_first)) = change {
            let url = format!("{}/{id}", records(collection));
            let at = if is_first { 0 } else { requests.len() };
            requests.insert(at, json!({ "method": "PATCH", "url": url, "body": body }));
        }
        let body = json!({ "requests": requests });
        self.call(Method::POST, "/api/batch", Some(&body), Some(&there)).await.map(|_| ())
    }

    /// All records of a collection, in the order of their ids.
    pub(super) async fn all(&self, collection: &str) -> anyhow::Result<Vec<Value>> {
        self.list(collection, "").await
    }

    /// The records in which a field has exactly this text.
    pub(super) async fn with(&self, collection: &str, field: &str, text: &str) -> anyhow::Result<Vec<Value>> {
        let filter = format!("{field} = '{}'", text.replace('\'', "\\'"));
        let encoded: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.list(collection, &format!("&filter={encoded}")).await
    }

    async fn list(&self, collection: &str, filter: &str) -> anyhow::Result<Vec<Value>> {
        let mut found = Vec::new();
        for page in 1.. {
            let path =
                format!("{}?perPage={PAGE}&page={page}&sort=id&skipTotal=1{filter}", records(collection));
            let answer = self.call(Method::GET, &path, None, None).await?;
            let items = answer.get("items").and_then(Value::as_array).context("a list without items")?;
            found.extend(items.iter().cloned());
            if items.len() < PAGE {
                break;
            }
        }
        Ok(found)
    }

    /// Sends until there is an answer. `there` is the record that proves that an earlier try arrived after all.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        there: Option<&str>,
    ) -> anyhow::Result<Value> {
        let mut unreasoned = 0;
        let mut last = None;
        for tries in 0..TRIES {
            if tries > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            match self.once(method.clone(), path, body).await {
                Ok((status, answer)) if status.is_success() => return Ok(answer),
                Ok((status, answer)) => {
                    if tries > 0 && method == Method::DELETE && status == StatusCode::NOT_FOUND {
                        return Ok(Value::Null);
                    }
                    if let (true, Some(there)) = (tries > 0, there)
                        && matches!(self.once(Method::GET, there, None).await, Ok((status, _)) if status.is_success())
                    {
                        return Ok(Value::Null);
                    }
                    let reason = answer.get("data").and_then(Value::as_object);
                    let vague =
                        status == StatusCode::BAD_REQUEST && reason.is_none_or(serde_json::Map::is_empty);
                    unreasoned += u32::from(vague);
                    if !(status.is_server_error() || vague && unreasoned < UNREASONED_TRIES) {
                        bail!("the billing app answers {status} to {method} {path}: {answer}");
                    }
                    last = Some(anyhow::anyhow!("{status} {answer}"));
                }
                // It is being started again: a phone waits.
                Err(error) => last = Some(error.into()),
            }
        }
        let last = last.unwrap_or_else(|| anyhow::anyhow!("never tried"));
        Err(last.context(format!("the billing app does not answer {method} {path}")))
    }

    async fn once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("Authorization", token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or_default()))
    }
}

fn records(collection: &str) -> String {
    format!("/api/collections/{collection}/records")
}
