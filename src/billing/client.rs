//! Talks to PocketBase over HTTP, signed in as a superuser.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::account::Account;
use super::classify::{Doing, Trouble, classify_answer, classify_trouble, login_refused};
use super::http::{CONNECT_TIMEOUT, Http};
use crate::model::fault::Fault;
use crate::ports::Clock;

/// A page of a thousand invoices is about one megabyte.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// A token is renewed when less than this is left of it, or a third of its life if that is shorter.
const RENEW_MARGIN: TimeDelta = TimeDelta::minutes(10);

/// What PocketBase said, whatever it was.
#[derive(Debug)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// Its JSON; null where there is no body.
    pub(super) body: Value,
    asked: String,
}

impl Answer {
    /// Whether it is a success.
    pub(super) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body of a success, or the fault.
    pub(super) fn ok(self, doing: Doing<'_>) -> Result<Value, Fault> {
        if self.is_ok() { Ok(self.body) } else { Err(self.fault(doing)) }
    }

    /// The fault of an answer that is no success.
    pub(super) fn fault(&self, doing: Doing<'_>) -> Fault {
        classify_answer(self.status, &self.body, doing, &self.asked)
    }
}

/// One request, made again where a login has to be renewed.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    patience: Duration,
}

impl Ask {
    /// Reads.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::of(Method::GET, path, None)
    }

    /// Creates, or anything that is done by POST.
    pub(super) fn post(path: impl Into<String>, body: Value) -> Self {
        Self::of(Method::POST, path, Some(body))
    }

    /// Changes.
    pub(super) fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::of(Method::PATCH, path, Some(body))
    }

    /// Replaces.
    pub(super) fn put(path: impl Into<String>, body: Value) -> Self {
        Self::of(Method::PUT, path, Some(body))
    }

    /// Removes.
    pub(super) fn delete(path: impl Into<String>) -> Self {
        Self::of(Method::DELETE, path, None)
    }

    fn of(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method, path: path.into(), query: Vec::new(), body, patience: ANSWER_TIMEOUT }
    }

    /// For what may take longer than an answer usually does.
    pub(super) fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Adds a query parameter.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }
}

#[derive(Debug, Clone)]
struct Token {
    text: String,
    renew_at: DateTime<Utc>,
}

/// The one way to PocketBase. Every request is signed in; a token that no longer counts is noticed and renewed.
pub(super) struct Client {
    http: Http,
    base: String,
    clock: Arc<dyn Clock>,
    account: Arc<Account>,
    token: Mutex<Option<Token>>,
}

impl Client {
    pub(super) fn new(
        url: &str,
        clock: Arc<dyn Clock>,
        account: Arc<Account>,
        http: Http,
    ) -> Result<Self, Fault> {
        let base = url.trim().trim_end_matches('/').to_owned();
        match reqwest::Url::parse(&base) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => {}
            _ => return Err(classify_trouble(Trouble::BadAddress, &base)),
        }
        Ok(Self { http, base, clock, account, token: Mutex::new(None) })
    }

    /// Asks as superuser. An answer that looks like a guest's is asked again once, after signing in anew.
    ///
    /// # Errors
    /// No answer, or none of PocketBase's; refusals are answers.
    pub(super) async fn call(&self, ask: &Ask) -> Result<Answer, Fault> {
        let token = self.token().await?;
        let answer = self.send(ask, Some(&token)).await?;
        if !matches!(answer.status, 401 | 403) {
            return Ok(answer);
        }
        self.forget(&token).await;
        let fresh = self.token().await?;
        self.send(ask, Some(&fresh)).await
    }

    /// A token that should count for a while yet.
    pub(super) async fn token(&self) -> Result<String, Fault> {
        let mut held = self.token.lock().await;
        let now = self.clock.now();
        if let Some(token) = held.as_ref() {
            if now < token.renew_at {
                return Ok(token.text.clone());
            }
            let ask = Ask::post("/api/collections/_superusers/auth-refresh", Value::Null);
            let answer = self.send(&ask, Some(&token.text)).await?;
            if let Some(fresh) = token_of(&answer, now) {
                let text = fresh.text.clone();
                *held = Some(fresh);
                return Ok(text);
            }
        }
        let fresh = self.sign_in(now).await?;
        let text = fresh.text.clone();
        *held = Some(fresh);
        Ok(text)
    }

    /// How long until the token is renewed; zero without one.
    pub(super) async fn token_left(&self) -> Duration {
        let now = self.clock.now();
        let held = self.token.lock().await;
        held.as_ref().and_then(|token| (token.renew_at - now).to_std().ok()).unwrap_or_default()
    }

    /// Drops a token that was seen not to count.
    pub(super) async fn forget(&self, text: &str) {
        let mut held = self.token.lock().await;
        if held.as_ref().is_some_and(|token| token.text == text) {
            *held = None;
        }
    }

    /// Asks as a guest.
    pub(super) async fn call_as_guest(&self, ask: &Ask) -> Result<Answer, Fault> {
        self.send(ask, None).await
    }

    /// Asks once, with exactly this token.
    pub(super) async fn call_with(&self, ask: &Ask, token: &str) -> Result<Answer, Fault> {
        self.send(ask, Some(token)).await
    }

    /// Opens the event stream. Its body never ends by itself, so it has no time limit of its own.
    pub(super) async fn open_stream(&self) -> Result<reqwest::Response, Fault> {
        let request = self.http.client()?.get(format!("{}/api/realtime", self.base)).send();
        let response = tokio::select! {
            response = request => response.map_err(|e| trouble("GET /api/realtime", &e))?,
            () = self.clock.sleep(CONNECT_TIMEOUT * 2) => {
                return Err(classify_trouble(Trouble::TimedOut, "GET /api/realtime"));
            }
        };
        let status = response.status().as_u16();
        if status == 200 {
            return Ok(response);
        }
        Err(classify_answer(status, &Value::Null, Doing::App, "GET /api/realtime"))
    }

    /// Opens a file of the server's. It may be large, so it has a time limit for each piece only.
    pub(super) async fn download(&self, ask: &Ask) -> Result<Download, Fault> {
        let asked = format!("{} {}", ask.method, ask.path);
        let url = format!("{}{}", self.base, ask.path);
        let request = self.http.client()?.get(url).query(&ask.query).send();
        let response = tokio::select! {
            response = request => response.map_err(|error| trouble(&asked, &error))?,
            () = self.clock.sleep(ask.patience) => return Err(classify_trouble(Trouble::TimedOut, &asked)),
        };
        let status = response.status().as_u16();
        if status != 200 {
            return Err(classify_answer(status, &Value::Null, Doing::App, &asked));
        }
        Ok(Download { total: response.content_length(), response, asked, clock: Arc::clone(&self.clock) })
    }

    async fn sign_in(&self, now: DateTime<Utc>) -> Result<Token, Fault> {
        let credentials = self.account.credentials()?;
        let ask = Ask::post(
            "/api/collections/_superusers/auth-with-password",
            json!({"identity": credentials.identity, "password": credentials.password}),
        );
        let mut answer = self.send(&ask, None).await?;
        // PocketBase answers 400 for a wrong password: the account is not there yet, or an older database was put back.
        if answer.status == 400 && self.account.restore().await? {
            answer = self.send(&ask, None).await?;
        }
        match token_of(&answer, now) {
            Some(token) => Ok(token),
            None if answer.status == 404 => Err(answer.fault(Doing::App)),
            None => Err(login_refused(&credentials.identity, answer.status)),
        }
    }

    async fn send(&self, ask: &Ask, token: Option<&str>) -> Result<Answer, Fault> {
        let asked = format!("{} {}", ask.method, ask.path);
        let mut request = self
            .http
            .client()?
            .request(ask.method.clone(), format!("{}{}", self.base, ask.path))
            .query(&ask.query)
            .timeout(ask.patience);
        if let Some(token) = token {
            request = request.header(reqwest::header::AUTHORIZATION, token);
        }
        if let Some(body) = ask.body.as_ref().filter(|body| !body.is_null()) {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| trouble(&asked, &error))?;
        let status = response.status().as_u16();
        let bytes = bounded(response, &asked).await?;
        let body = if bytes.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(&bytes) };
        let body = match body {
            Ok(body) => body,
            // An error page of a proxy is no reason to doubt the address.
            Err(_) if status >= 500 => Value::Null,
            Err(error) => return Err(classify_trouble(Trouble::NotJson, &format!("{asked}: {error}"))),
        };
        let answer = Answer { status, body, asked };
        if status == 429 || status == 408 || status >= 500 {
            return Err(answer.fault(Doing::App));
        }
        Ok(answer)
    }
}

/// A file on its way.
pub(super) struct Download {
    /// Its size, where the server says it.
    pub(super) total: Option<u64>,
    response: reqwest::Response,
    asked: String,
    clock: Arc<dyn Clock>,
}

impl Download {
    /// The next piece; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        tokio::select! {
            chunk = self.response.chunk() => {
                let chunk = chunk.map_err(|error| trouble(&self.asked, &error))?;
                Ok(chunk.map(|bytes| bytes.to_vec()))
            }
            () = self.clock.sleep(ANSWER_TIMEOUT) => Err(classify_trouble(Trouble::TimedOut, &self.asked)),
        }
    }
}

async fn bounded(mut response: reqwest::Response, asked: &str) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| trouble(asked, &error))? {
        if bytes.len() + chunk.len() > LARGEST_ANSWER {
            return Err(classify_trouble(Trouble::TooLarge, asked));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn trouble(asked: &str, error: &reqwest::Error) -> Fault {
    classify_trouble(Trouble::of(error), &format!("{asked}: {}", chain(error)))
}

/// The whole chain of causes, without the address: a query holds invoice numbers.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

fn token_of(answer: &Answer, now: DateTime<Utc>) -> Option<Token> {
    if !answer.is_ok() {
        return None;
    }
    let text = answer.body.get("token")?.as_str()?.to_owned();
    let life = expiry(&text)? - now;
    let margin = RENEW_MARGIN.min(life / 3).max(TimeDelta::zero());
    Some(Token { renew_at: now + life - margin, text })
}

/// `exp` of a JSON web token. PocketBase checks its signature; we only want to know how long it lives.
fn expiry(token: &str) -> Option<DateTime<Utc>> {
    let payload = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&base64url(payload)?).ok()?;
    DateTime::from_timestamp(claims.get("exp")?.as_i64()?, 0)
}

fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(digit)) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_when_a_token_ends() {
        // A token of PocketBase 0.40.6.
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjb2xsZWN0aW9uSWQiOiJwYmNfMzE0MjYzNTgyMyIsImV4cCI6MTc5NTM0NjUxNCwiaWQiOiJsNDZxOTl5aWo0OTBzdWoiLCJyZWZyZXNoYWJsZSI6dHJ1ZSwidHlwZSI6ImF1dGgifQ.hFRP";
        assert_eq!(expiry(token), DateTime::from_timestamp(1_795_346_514, 0));
        for broken in ["", "a", "a.b", "a.%%.c", "a.e30.c"] {
            assert_eq!(expiry(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_ends_however_short_it_lives() {
        let now = DateTime::from_timestamp(1_795_346_514 - 9, 0).unwrap();
        let token = "x.eyJleHAiOjE3OTUzNDY1MTR9.y";
        let answer = Answer { status: 200, body: json!({"token": token}), asked: String::new() };
        assert_eq!(token_of(&answer, now).unwrap().renew_at, now + TimeDelta::seconds(6));
        let day_before = now - TimeDelta::days(1);
        assert_eq!(
            token_of(&answer, day_before).unwrap().renew_at,
            DateTime::from_timestamp(1_795_346_514 - 600, 0).unwrap()
        );
    }
}
