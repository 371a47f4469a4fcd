//! What stands behind the page besides the engine: what the store remembers, the settings, and the first run, as a
//! made-up shop has them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};
use shopsync::model::awareness::{BillState, KnownBill};
use shopsync::model::fault::Fault;
use shopsync::model::history::Settled;
use shopsync::model::status::Activity;
use shopsync::platform::{LocalDisk, SystemClock};
use shopsync::ports::history::History;
use shopsync::web::Past;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::scenes;

/// What was asked of it, and what it holds.
pub(crate) struct Back {
    pub(crate) settings: Mutex<Value>,
    pub(crate) setup: Mutex<Value>,
    /// Whether it says what the program is made of, or lets whoever asks wait.
    pub(crate) about: watch::Sender<bool>,
    /// The same of steps of the first run.
    pub(crate) steps: watch::Sender<bool>,
    /// Every request that changes something: its path and its body.
    pub(crate) asked: Mutex<Vec<(String, Value)>>,
    data: TempDir,
}

impl Back {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            settings: Mutex::new(settings()),
            setup: Mutex::new(json!({"done": true, "step": "done", "searching": false, "raintek": null,
                "billing": {"url": "http://127.0.0.1:8090", "lan": ["http://192.168.1.5:8090"], "running": true},
                "telegram": {"token": false, "chat": null}})),
            about: watch::Sender::new(true),
            steps: watch::Sender::new(true),
            asked: Mutex::default(),
            data: tempfile::tempdir().unwrap(),
        })
    }

    pub(crate) fn past(&self) -> Past {
        Past {
            history: Arc::new(Memory),
            clock: Arc::new(SystemClock::new()),
            zone: Arc::new(scenes::zone),
            disk: Arc::new(LocalDisk),
            data: self.data.path().to_owned(),
        }
    }

    pub(crate) fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// What was asked of one path.
    pub(crate) fn asked_of(&self, path: &str) -> Vec<Value> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }

    /// Sets one without anybody asking.
    pub(crate) fn choose(&self, key: &str, value: &str) {
        let mut settings = self.settings.lock().unwrap();
        let groups = settings["groups"].as_array_mut().unwrap();
        let mut fields = groups.iter_mut().flat_map(|group| group["fields"].as_array_mut().unwrap());
        fields.find(|field| field["key"] == key).unwrap()["value"] = json!(value);
    }

    pub(crate) fn value(&self, key: &str) -> Value {
        let settings = self.settings.lock().unwrap();
        let groups = settings["groups"].as_array().unwrap();
        let mut fields = groups.iter().flat_map(|group| group["fields"].as_array().unwrap());
        fields.find(|field| field["key"] == key).map(|field| field["value"].clone()).unwrap_or_default()
    }
}

/// The routes of settings and first run in front of the page's own.
pub(crate) fn with_back(router: Router, back: Arc<Back>) -> Router {
    let own = Router::new()
        .route("/api/settings", get(read_settings).post(save_settings))
        .route("/api/settings/test", post(try_settings))
        .route("/api/setup", get(read_setup))
        .route("/api/setup/{*what}", post(set_up))
        .route("/api/setup/qr.svg", get(|| async { ([("content-type", "image/svg+xml")], QR) }))
        .route("/api/restart", post(|| async { Json(json!({"sentence": "ShopSync is restarting."})) }))
        .route("/api/diagnostics", get(diagnostics))
        .with_state(Arc::clone(&back));
    own.fallback_service(router).layer(from_fn_with_state(back, in_time))
}

const QR: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 7 7'><path d='M0 0h3v3H0zM4 0h3v3H4zM0 4h3v3H0zM5 5h1v1H5z'/></svg>";

async fn read_settings(State(back): State<Arc<Back>>) -> Json<Value> {
    Json(back.settings.lock().unwrap().clone())
}

async fn save_settings(State(back): State<Arc<Back>>, Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    let changes = body["changes"].as_object().unwrap().clone();
    if changes.get("backup.keep_days") == Some(&json!(0)) {
        let refused = json!({"refused": "Backups are kept for at least 1 day.", "field": "backup.keep_days"});
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(refused));
    }
    back.asked.lock().unwrap().push(("/api/settings".into(), body));
    let mut settings = back.settings.lock().unwrap();
    let mut restart = Vec::new();
    for group in settings["groups"].as_array_mut().unwrap() {
        for field in group["fields"].as_array_mut().unwrap() {
            let key = field["key"].as_str().unwrap().to_owned();
            let Some(value) = changes.get(&key) else { continue };
            if field["kind"] == "secret" {
                field["set"] = json!(true);
            } else {
                field["value"] = value.clone();
            }
            if field["effect"] == "restart" {
                restart.push(key);
            }
        }
    }
    settings["restart_needed"] = json!(restart);
    let saved: Vec<_> = changes.keys().collect();
    (StatusCode::OK, Json(json!({"saved": saved, "restart_needed": restart, "sentence": "Saved."})))
}

async fn try_settings(State(back): State<Arc<Back>>, Json(body): Json<Value>) -> Json<Value> {
    back.asked.lock().unwrap().push(("/api/settings/test".into(), body));
    Json(json!({"ok": false, "sentence": "RainTek's server refuses the login.", "details": []}))
}

async fn read_setup(State(back): State<Arc<Back>>) -> Result<Json<Value>, StatusCode> {
    let setup = back.setup.lock().unwrap().clone();
    if setup["busy"] == true { Err(StatusCode::GATEWAY_TIMEOUT) } else { Ok(Json(setup)) }
}

async fn set_up(State(back): State<Arc<Back>>, Path(what): Path<String>, body: Json<Value>) -> Json<Value> {
    back.asked.lock().unwrap().push((format!("/api/setup/{what}"), body.0));
    let mut setup = back.setup.lock().unwrap();
    match what.as_str() {
        "find" => setup["candidates"] = json!([candidate()]),
        "use" => {
            setup["raintek"] = candidate();
            setup["raintek"]["id"] = json!("chosen");
        }
        "telegram" => {
            setup["telegram"] =
                json!({"token": true, "chat": null, "waiting_for_hi": true, "bot": "@demo_mart_bot"});
            return Json(
                json!({"ok": true, "bot": "@demo_mart_bot", "sentence": "The bot is @demo_mart_bot."}),
            );
        }
        "check" if setup["broken"].is_string() => {
            return Json(json!({"ok": false, "invoices": [], "sentence": setup["broken"]}));
        }
        "check" => {
            return Json(
                json!({"sentence": "Nothing was written. This is what would be done with the newest 2.", "invoices": [
                    {"number": "GST-0151", "customer": "Asha Traders", "amount": "2900.00",
                     "words": ["Would be booked as a new bill of Rs 2,900.00 with 3 lines for Asha Traders."],
                     "rows": [{"table": "InvoiceInfo", "columns": [["GrandTotal", "2900.00"], ["InvoiceNo", "GST-0151"], ["Freight", "0"]]}]},
                    {"number": "GST-0150", "customer": "", "amount": "410.00",
                     "words": ["Would be booked as a new bill of Rs 410.00 with 1 line for the walk-in customer."], "rows": []},
                ]}),
            );
        }
        "start" => {
            setup["done"] = json!(true);
            setup["step"] = json!("done");
        }
        _ => {}
    }
    Json(json!({"ok": true, "sentence": "Saved."}))
}

fn candidate() -> Value {
    json!({"id": "1", "server": ".\\SQLEXPRESS", "database": "Raintech_DB1", "login": "sa", "shop": "Demo Mart", "ok": true,
        "label": "Demo Mart (Raintech_DB1 on .\\SQLEXPRESS), 2,998 bills, latest 15 Sep",
        "sentence": "It can be read and written.", "via": "tcp", "found_by": "SQLSettings.dat", "can_switch_tcp_on": false})
}

/// A shop that is opened for the first time.
pub(crate) fn first_run() -> Value {
    json!({"done": false, "step": "raintek", "searching": false, "raintek": null,
        "billing": {"url": "http://127.0.0.1:8090", "lan": ["http://192.168.1.5:8090"], "running": true},
        "telegram": {"token": false, "chat": null}})
}

/// Lets who asks for it wait as long as that is wanted.
async fn in_time(State(back): State<Arc<Back>>, request: Request, next: Next) -> Response {
    let held = match request.uri().path() {
        "/api/about" => Some(&back.about),
        "/api/setup/billing" | "/api/setup/check" => Some(&back.steps),
        _ => None,
    };
    if let Some(held) = held {
        let _ = held.subscribe().wait_for(|says| *says).await;
    }
    next.run(request).await
}

async fn diagnostics() -> Json<Value> {
    Json(json!({"sentence": "Names and phone numbers are masked.", "files": [
        {"name": "settings.toml", "text": "[backup]\nat = \"21:00:00\"\n", "size": 24, "truncated": false},
        {"name": "shopsync.2026-11-25.jsonl", "text": "{\"level\":\"INFO\",\"message\":\"started\"}\n", "size": 180_000, "truncated": true},
    ]}))
}

fn settings() -> Value {
    let field = |key: &str, kind: &str, value: Value, default: Value, effect: &str| json!({"key": key, "kind": kind, "value": value, "default": default, "effect": effect});
    let mut language = field("desktop.language", "choice", json!("system"), json!("system"), "now");
    language["choices"] = json!(["system", "en", "hi"]);
    let mut theme = field("desktop.theme", "choice", json!("system"), json!("system"), "now");
    theme["choices"] = json!(["system", "light", "dark"]);
    let mut overridden = field("raintek.server", "text", json!(".\\SQLEXPRESS"), json!("."), "now");
    overridden["overridden"] = json!(false);
    let mut password = field("raintek.password", "secret", Value::Null, Value::Null, "now");
    password["set"] = json!(true);
    let mut token = field("telegram.token", "secret", Value::Null, Value::Null, "now");
    token["set"] = json!(false);
    json!({"file": "C:\\ProgramData\\ShopSync\\settings.toml", "restart_needed": [], "groups": [
        {"id": "raintek", "fields": [overridden, field("raintek.database", "text", json!("Raintech_DB1"), json!("Raintech_DB1"), "now"),
            field("raintek.user", "text", json!("sa"), json!("sa"), "now"), password]},
        {"id": "telegram", "fields": [token, field("telegram.chats", "chats", json!([]), json!([]), "now")]},
        {"id": "backup", "fields": [field("backup.enabled", "bool", json!(true), json!(true), "now"),
            field("backup.folder", "folder", json!("D:\\Backups"), Value::Null, "now"),
            field("backup.times", "times", json!(["21:00:00"]), json!(["21:00:00"]), "now"),
            field("backup.keep_days", "number", json!(30), json!(30), "now")]},
        {"id": "desktop", "fields": [field("desktop.autostart", "bool", json!(true), json!(true), "now"), language, theme]},
        {"id": "trial", "fields": [field("trial", "bool", json!(false), json!(false), "now"), field("watch_only", "bool", json!(false), json!(false), "now")]},
        {"id": "advanced", "fields": [field("products.unknown_item", "text", Value::Null, Value::Null, "now"),
            field("web.port", "number", json!(3030), json!(3030), "restart")]},
    ]})
}

/// What the store remembers.
struct Memory;

#[async_trait]
impl History for Memory {
    async fn lines(
        &self,
        kind: Option<String>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Activity>, Fault> {
        let mut lines = scenes::in_step().activity;
        let more = (1..=300).map(|id| Activity {
            id: -id,
            at: scenes::now() - Duration::hours(26 + id),
            kind: "push".into(),
            number: format!("GST-{id:04}"),
            sentence: format!("GST-{id:04} is in RainTek (Inv_ID {id})."),
        });
        lines.extend(more);
        let wanted = lines.into_iter().filter(|line| kind.as_ref().is_none_or(|kind| *kind == line.kind));
        Ok(wanted.filter(|line| before.is_none_or(|id| line.id < id)).take(limit as usize).collect())
    }

    async fn settled(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Settled>, Fault> {
        let now = scenes::now();
        // All of them within what is asked for, also a minute after midnight.
        let step = ((now - from) / 150).min(Duration::minutes(4));
        let all = (0..143_i32).map(|n| {
            let back = step * (n + 1);
            let n = i64::from(n);
            let took = if n % 17 == 3 { 4200 } else { 380 + n % 7 * 90 };
            let done_at = now - back;
            Settled {
                number: format!("GST-{:04}", 143 - n),
                customer: ["Asha Traders", "", "Lakshmi Stationers"][usize::try_from(n % 3).unwrap()].into(),
                amount: format!("{}.00", 410 + n * n).parse().ok(),
                first_seen: done_at - Duration::milliseconds(took),
                done_at,
            }
        });
        Ok(all.filter(|one| one.done_at >= from && one.done_at < until).take(limit as usize).collect())
    }

    async fn own_bills(&self, _limit: u32) -> Result<Vec<KnownBill>, Fault> {
        let bill = |inv_id: i32, state, sentence: Option<&str>| KnownBill {
            inv_id,
            number: format!("SINV-{inv_id:04}"),
            day: scenes::now().with_timezone(&scenes::zone()).date_naive(),
            digest: String::new(),
            record_id: None,
            state,
            sentence: sentence.map(str::to_owned),
        };
        let why = "RainTek's bill SINV-0041 is not shown: an invoice of the app has this number too.";
        Ok(vec![
            bill(44, BillState::Shown, None),
            bill(43, BillState::Shown, None),
            bill(42, BillState::Cancelled, None),
            bill(41, BillState::Refused, Some(why)),
        ])
    }
}
