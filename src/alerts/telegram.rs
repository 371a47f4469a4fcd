//! The Bot API, as far as alerts need it: sendMessage and getUpdates.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::classify::{answer, config, trouble};
use super::http::Http;
use super::reason;
use super::updates::{Greeting, greetings, updates};
use crate::model::alert::{Incoming, Level};
use crate::model::fault::Fault;
use crate::model::settings::TelegramSettings;
use crate::ports::Secrets;
use crate::ports::alerts::{Messenger, Refused};

/// The secret's name.
pub const TOKEN_SECRET: &str = "telegram.token";
/// For an answer that does not wait for anything.
const PATIENCE: Duration = Duration::from_secs(15);
/// Larger answers are none.
const LARGEST_ANSWER: usize = 1 << 20;
/// Updates taken at a time.
const MOST_UPDATES: u32 = 25;

/// A bot. The token is read anew for each call, so that one that is set takes effect at once.
pub struct Telegram {
    http: Http,
    base: String,
    secrets: Arc<dyn Secrets>,
    patience: Duration,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telegram").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Telegram {
    /// Nothing is called yet.
    ///
    /// # Errors
    /// Config where the address is none, or would send the token in the clear over a network.
    pub fn new(settings: &TelegramSettings, secrets: Arc<dyn Secrets>) -> Result<Self, Fault> {
        let wrong = || config("telegram.base_url in the settings is not a web address.");
        let base: reqwest::Url = settings.base_url.parse().map_err(|_| wrong())?;
        let host = base.host_str().unwrap_or_default();
        let is_here = host == "localhost"
            || host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        match base.scheme() {
            "https" => {}
            "http" if is_here => {}
            "http" => return Err(config("telegram.base_url in the settings must begin with https://.")),
            _ => return Err(wrong()),
        }
        // A redirect would carry the token to somebody else.
        let http = Http::new(is_here, false, None);
        let base = settings.base_url.trim_end_matches('/').to_owned();
        Ok(Self { http, base, secrets, patience: PATIENCE })
    }

    /// Waits no longer than this for an answer.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The bot that the token belongs to: `@name`.
    ///
    /// # Errors
    /// Telegram cannot be asked, or does not know the token.
    pub async fn me(&self) -> Result<String, Fault> {
        let me = self.call("getMe", &json!({}), Duration::ZERO).await.map_err(|refused| refused.fault)?;
        let name = me.get("username").and_then(Value::as_str).unwrap_or_default();
        Ok(format!("@{name}"))
    }

    /// Waits for messages from update `after` on, with who wrote them, up to about `wait`.
    ///
    /// # Errors
    /// As [`Messenger::receive`].
    pub async fn greetings(&self, after: Option<i64>, wait: Duration) -> Result<Vec<Greeting>, Refused> {
        let mut body =
            json!({"timeout": wait.as_secs(), "limit": MOST_UPDATES, "allowed_updates": ["message"]});
        if let (Some(after), Some(fields)) = (after, body.as_object_mut()) {
            fields.insert("offset".into(), json!(after));
        }
        let result = self.call("getUpdates", &body, wait).await?;
        Ok(greetings(&result))
    }

    fn token(&self) -> Result<String, Fault> {
        let token = self.secrets.get(TOKEN_SECRET)?.unwrap_or_default();
        let token = token.trim();
        if token.is_empty() {
            return Err(config(
                "The Telegram bot's token is missing: give it to `shopsync secret telegram.token`.",
            ));
        }
        // It becomes part of an address.
        if !token.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-')) {
            return Err(config("The Telegram bot's token is not one: it looks like 123456:ABC-DEF."));
        }
        Ok(token.to_owned())
    }

    async fn call(&self, method: &str, body: &Value, wait: Duration) -> Result<Value, Refused> {
        let token = self.token().map_err(|fault| Refused { fault, retry_after: None })?;
        let url = format!("{}/bot{token}/{method}", self.base);
        let http = self.http.client().await.map_err(|why| trouble(false, &why))?;
        let sent = http.post(url).timeout(self.patience + wait).json(body).send().await;
        let mut received = sent.map_err(|error| trouble(error.is_timeout(), &reason(error)))?;
        let status = received.status().as_u16();
        let mut bytes = Vec::new();
        loop {
            let chunk =
                received.chunk().await.map_err(|error| trouble(error.is_timeout(), &reason(error)))?;
            let Some(chunk) = chunk else { break };
            if bytes.len() + chunk.len() > LARGEST_ANSWER {
                return Err(trouble(false, "the answer is too large"));
            }
            bytes.extend_from_slice(&chunk);
        }
        answer(status, &bytes, method, &token)
    }
}

#[async_trait]
impl Messenger for Telegram {
    async fn send(&self, chat: i64, text: &str, level: Level) -> Result<(), Refused> {
        // No parse_mode: the text is text.
        let body = json!({
            "chat_id": chat,
            "text": text,
            "disable_notification": level == Level::Info,
            "link_preview_options": { "is_disabled": true },
        });
        self.call("sendMessage", &body, Duration::ZERO).await.map(drop)
    }

    async fn receive(&self, after: Option<i64>, wait: Duration) -> Result<Vec<Incoming>, Refused> {
        let mut body =
            json!({"timeout": wait.as_secs(), "limit": MOST_UPDATES, "allowed_updates": ["message"]});
        if let (Some(after), Some(fields)) = (after, body.as_object_mut()) {
            fields.insert("offset".into(), json!(after));
        }
        let result = self.call("getUpdates", &body, wait).await?;
        Ok(updates(&result))
    }
}
