//! A stand-in of Telegram's Bot API, as far as it is documented: sendMessage, getUpdates, and how they refuse. Beside it
//! lies an address for heartbeats.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use shopsync::model::settings::TelegramSettings;

use crate::harness::{SOON, eventually, free_port, now};

/// The one token it knows.
pub(crate) const TOKEN: &str = "4839574812:AAFD39kkdpWt3ywyRZergyOLMaJhac60qcK";
/// The shop's chat.
pub(crate) const CHAT: i64 = 5_512_345_678;

/// What it does instead of its work, once each, in order.
#[derive(Debug, Clone)]
pub(crate) enum Instead {
    /// Refuses as documented: error code, description, parameters.
    Refuse(u16, &'static str, Value),
    /// Answers with this, whatever it is.
    Say(u16, String),
    /// Does its work, and does not answer.
    Hang,
    /// Sends the caller, token and all, somewhere else.
    Redirect,
}

#[derive(Debug, Default)]
struct Inner {
    instead: VecDeque<Instead>,
    sent: Vec<Value>,
    updates: Vec<Value>,
    next_update: i64,
    asked: Vec<Value>,
    another_reader: bool,
    beats: usize,
    /// By how many seconds its clock is wrong, where it is.
    clock: Option<i64>,
    /// When sendMessage was called, whatever was answered.
    calls: Vec<Instant>,
}

/// The server, on a runtime of its own: when it ends, so do its connections.
#[derive(Debug)]
pub(crate) struct Bot {
    port: u16,
    inner: Arc<Mutex<Inner>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Bot {
    pub(crate) fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner { next_update: 1000, ..Inner::default() }));
        let mut bot = Self { port: free_port(), inner, runtime: None };
        bot.come_back();
        bot
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// The internet goes away: connections break, new ones are refused.
    pub(crate) fn go_away(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    pub(crate) fn come_back(&mut self) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind(("127.0.0.1", self.port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let router = Router::new().fallback(serve).with_state(Arc::clone(&self.inner));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        self.runtime = Some(runtime);
    }

    pub(crate) fn settings(&self) -> TelegramSettings {
        TelegramSettings {
            base_url: format!("http://127.0.0.1:{}", self.port),
            chats: vec![CHAT],
            commands: false,
        }
    }

    pub(crate) fn heartbeat_url(&self) -> String {
        format!("http://127.0.0.1:{}/beat/0b6c7d", self.port)
    }

    pub(crate) fn instead(&self, what: Instead) {
        self.inner().instead.push_back(what);
    }

    /// When sendMessage was called so far.
    pub(crate) fn calls(&self) -> Vec<Instant> {
        self.inner().calls.clone()
    }

    pub(crate) fn another_reader(&self, there: bool) {
        self.inner().another_reader = there;
    }

    /// Its answers carry a time that is off by so many seconds.
    pub(crate) fn set_clock(&self, off: Option<i64>) {
        self.inner().clock = off;
    }

    pub(crate) fn beats(&self) -> usize {
        self.inner().beats
    }

    /// What getUpdates was asked so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.inner().asked.clone()
    }

    /// Somebody writes to the bot.
    pub(crate) fn write(&self, chat: i64, age: Duration, text: &str) {
        #[expect(clippy::disallowed_methods, reason = "Telegram's own clock")]
        let date = (chrono::Utc::now() - age).timestamp();
        let mut inner = self.inner();
        inner.next_update += 1;
        let update = json!({"update_id": inner.next_update, "message": {"message_id": 1, "date": date,
            "chat": {"id": chat, "type": "private"}, "from": {"id": chat, "is_bot": false, "first_name": "Asha"},
            "text": text}});
        inner.updates.push(update);
    }

    /// Bodies of sendMessage.
    pub(crate) fn sent(&self) -> Vec<Value> {
        self.inner().sent.clone()
    }

    /// Texts that reached the shop's chat.
    pub(crate) fn texts(&self) -> Vec<String> {
        let sent = self.sent();
        let ours = sent.iter().filter(|body| body["chat_id"] == CHAT);
        ours.map(|body| body["text"].as_str().unwrap().to_owned()).collect()
    }

    /// Texts that say this.
    pub(crate) fn saying(&self, words: &str) -> Vec<String> {
        self.texts().into_iter().filter(|text| text.contains(words)).collect()
    }

    /// The first text that says this, when it has come.
    pub(crate) async fn says(&self, words: &str) -> String {
        eventually(&format!("the chat reads: {words}"), SOON, async || !self.saying(words).is_empty()).await;
        self.saying(words).remove(0)
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(State(inner): State<Arc<Mutex<Inner>>>, uri: Uri, body: Bytes) -> Response {
    let mut answer = serve_on_time(State(Arc::clone(&inner)), uri, body).await;
    if let Some(off) = inner.lock().unwrap().clock {
        #[expect(clippy::disallowed_methods, reason = "Telegram's own clock")]
        let date = chrono::Utc::now() + chrono::TimeDelta::seconds(off);
        let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        answer.headers_mut().insert(header::DATE, date.parse().unwrap());
    }
    answer
}

async fn serve_on_time(State(inner): State<Arc<Mutex<Inner>>>, uri: Uri, body: Bytes) -> Response {
    if uri.path().starts_with("/beat/") {
        inner.lock().unwrap().beats += 1;
        return StatusCode::OK.into_response();
    }
    let Some((token, method)) = uri.path().strip_prefix("/bot").and_then(|rest| rest.split_once('/')) else {
        return refuse(404, "Not Found", &Value::Null);
    };
    if token != TOKEN {
        return refuse(401, "Unauthorized", &Value::Null);
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if method == "sendMessage" {
        inner.lock().unwrap().calls.push(now());
    }
    let instead = inner.lock().unwrap().instead.pop_front();
    let hangs = matches!(instead, Some(Instead::Hang));
    match instead {
        Some(Instead::Refuse(code, description, parameters)) => {
            return refuse(code, description, &parameters);
        }
        Some(Instead::Say(status, text)) => {
            return (StatusCode::from_u16(status).unwrap(), text).into_response();
        }
        Some(Instead::Redirect) => {
            let elsewhere = [(header::LOCATION, format!("/bot{TOKEN}/sendMessage"))];
            return (StatusCode::TEMPORARY_REDIRECT, elsewhere).into_response();
        }
        Some(Instead::Hang) | None => {}
    }
    let answer = match method {
        "sendMessage" => {
            let text = body["text"].as_str().unwrap_or_default();
            if text.is_empty() || text.encode_utf16().count() > 4096 {
                return refuse(400, "Bad Request: message text is empty or too long", &Value::Null);
            }
            inner.lock().unwrap().sent.push(body.clone());
            json!({"message_id": 1, "date": 0, "chat": {"id": body["chat_id"]}, "text": text})
        }
        "getMe" => {
            json!({"id": 4_839_574_812_i64, "is_bot": true, "first_name": "Shop", "username": "shop_sync_bot"})
        }
        "getUpdates" => match updates(&inner, &body).await {
            Some(updates) => updates,
            None => {
                return refuse(
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                    &Value::Null,
                );
            }
        },
        _ => return refuse(404, "Not Found: method not found", &Value::Null),
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    axum::Json(json!({"ok": true, "result": answer})).into_response()
}

/// Waits for updates as long as it is asked to; what lies before the offset is forgotten.
async fn updates(inner: &Mutex<Inner>, body: &Value) -> Option<Value> {
    inner.lock().unwrap().asked.push(body.clone());
    let offset = body["offset"].as_i64().unwrap_or(0);
    let rounds = body["timeout"].as_u64().unwrap_or(0) * 50;
    for _ in 0..=rounds {
        {
            let mut inner = inner.lock().unwrap();
            if inner.another_reader {
                return None;
            }
            inner.updates.retain(|update| update["update_id"].as_i64().unwrap() >= offset);
            if !inner.updates.is_empty() {
                let limit = usize::try_from(body["limit"].as_u64().unwrap_or(100)).unwrap();
                return Some(inner.updates.iter().take(limit).cloned().collect());
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Some(json!([]))
}

fn refuse(code: u16, description: &str, parameters: &Value) -> Response {
    let mut body = json!({"ok": false, "error_code": code, "description": description});
    if !parameters.is_null() {
        body["parameters"] = parameters.clone();
    }
    (StatusCode::from_u16(code).unwrap(), axum::Json(body)).into_response()
}
