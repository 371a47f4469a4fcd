//! Every route through the whole router, with an engine that only remembers what it was asked.

mod golden;
mod hostile;
mod patience;
mod refusals;
mod routes;
mod streams;
mod window;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeZone as _, Utc};
use tokio::sync::watch;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::{Access, router};
use crate::model::backup::{BackupsStatus, Made, Part, Proof};
use crate::model::command::{Command, Reply};
use crate::model::health::HealthState;
use crate::model::product::ProductProblem;
use crate::model::scan::{Finding, FindingKind, ScanEnd, ScanStatus};
use crate::model::status::{
    Activity, AwarenessStatus, Counts, ItemStatus, LastPush, LinkStatus, ProductsStatus, Snapshot,
};
use crate::ports::Controls;

const TOKEN: &str = "0123456789abcdefghijklmnopqrstuv";
const OWN: &str = "127.0.0.1:3030";

struct Fake {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    asked: Mutex<Vec<Command>>,
}

#[async_trait]
impl Controls for Fake {
    async fn command(&self, command: Command) -> Reply {
        let refused = matches!(command, Command::Resume);
        self.asked.lock().unwrap().push(command);
        if refused {
            Reply::Refused { sentence: "ShopSync is not paused.".into() }
        } else {
            Reply::Accepted { sentence: "It is being tried now.".into() }
        }
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.clone()
    }
}

/// The router, and what it is fed with.
struct Site {
    router: Router,
    fake: Arc<Fake>,
    publisher: Option<watch::Sender<Arc<Snapshot>>>,
}

impl Site {
    fn new() -> Self {
        let (publisher, snapshots) = watch::channel(Arc::new(snapshot()));
        let fake = Arc::new(Fake { snapshots, asked: Mutex::default() });
        let access = Access::new(TOKEN, 3030).unwrap();
        let router = router(Arc::clone(&fake) as Arc<dyn Controls>, access);
        Self { router, fake, publisher: Some(publisher) }
    }

    fn publish(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut next = snapshot();
        change(&mut next);
        self.publisher.as_ref().unwrap().send_replace(Arc::new(next));
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.send(request).await;
        let (parts, body) = response.into_parts();
        // An answer that should have been a refusal may be a stream without an end.
        let body = timeout(Duration::from_secs(10), to_bytes(body, 4 << 20)).await.unwrap().unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.answer(own("GET", path).body(Body::empty()).unwrap()).await
    }

    async fn get_with_token(&self, path: &str) -> Answer {
        self.answer(bearer(own("GET", path)).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, json: &str) -> Answer {
        self.answer(command_request().body(Body::from(json.to_owned())).unwrap()).await
    }

    fn asked(&self) -> Vec<Command> {
        self.fake.asked.lock().unwrap().clone()
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

type Builder = axum::http::request::Builder;

fn own(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path).header("host", OWN)
}

fn bearer(builder: Builder) -> Builder {
    builder.header("authorization", format!("Bearer {TOKEN}"))
}

fn command_request() -> Builder {
    bearer(own("POST", "/api/command")).header("content-type", "application/json")
}

fn at(minute: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2025, 9, 15, 10, minute, 0).unwrap()
}

fn link(target: &str, latency_ms: u64) -> LinkStatus {
    LinkStatus {
        connected: true,
        latency_ms: Some(latency_ms),
        since: Some(at(1)),
        last_ok: Some(at(41)),
        target: target.into(),
        detail: Some("secret-server-detail".into()),
        ..LinkStatus::default()
    }
}

fn snapshot() -> Snapshot {
    Snapshot {
        version: "0.1.0".into(),
        at: at(42),
        started: at(0),
        state: HealthState::Attention,
        sentence: "1 invoice needs you: GST-0151. Item \"Blue pen\" is not in RainTek.".into(),
        summary: "142 of 143 invoices of today are in RainTek.".into(),
        raintek: link("Raintech_DB1 on .\\SQLEXPRESS", 3),
        billing: link("http://127.0.0.1:8090", 12),
        realtime: true,
        products: ProductsStatus {
            total: 4812,
            changed: 2,
            last_pass: Some(at(40)),
            problems: vec![ProductProblem {
                pid: 7,
                code: "P7".into(),
                sentence: "No price: Secret pen.".into(),
            }],
            ..ProductsStatus::default()
        },
        from_raintek: AwarenessStatus::default(),
        counts: Counts { waiting: 2, held: 1, done_today: 142, seen_today: 143, done_total: 2998 },
        items: vec![ItemStatus {
            record_id: "abcdefghijklmno".into(),
            number: "GST-0151".into(),
            customer: "Asha Traders".into(),
            amount: "2900.00".into(),
            state: "held".into(),
            sentence: "Item \"Blue pen\" is not in RainTek.".into(),
            action: "Pull products and retry.".into(),
            action_kind: "pull_products".into(),
            detail: "no row of Product".into(),
            tries: 3,
            first_seen: at(30),
            first_failed: Some(at(31)),
            next_try: Some(at(59)),
        }],
        last_push: Some(LastPush { number: "GST-0150".into(), at: at(39), took_ms: 1230 }),
        paused_until: None,
        backups: backups(),
        scan: scan(),
        heartbeat: Some(at(40)),
        cut_off: None,
        trial: Default::default(),
        activity: vec![Activity {
            id: 9,
            at: at(39),
            kind: "push".into(),
            number: "GST-0150".into(),
            sentence: "GST-0150 of Asha Traders is in RainTek.".into(),
        }],
    }
}

fn scan() -> ScanStatus {
    let end = ScanEnd {
        at: at(20),
        sentence: "Weekly scan: 147 invoices checked, 2 mismatches.".into(),
        checked: 147,
        mismatches: 2,
    };
    let finding = Finding {
        kind: FindingKind::Gone,
        number: "GST-0149".into(),
        record_id: None,
        inv_id: Some(31),
        day: None,
        sentence: "GST-0149 was deleted in RainTek.".into(),
        action: "Write it again.".into(),
        details: Vec::new(),
    };
    ScanStatus { last: Some(end), findings: vec![finding], ..ScanStatus::default() }
}

fn backups() -> BackupsStatus {
    let at = Utc.with_ymd_and_hms(2025, 9, 15, 3, 30, 0).unwrap();
    let made = |part, file: &str, bytes| Made {
        part,
        file: file.into(),
        day: at.date_naive(),
        at,
        bytes,
        rows: None,
        proof: Some(Proof::ReadBack),
        proven_at: Some(at),
    };
    BackupsStatus {
        enabled: true,
        folder: "D:\\Backups".into(),
        files: vec![
            made(Part::Raintek, "Raintech_DB1_20250915.bak", 44_040_192),
            made(Part::Billing, "pocketbase_20250915.zip", 8_388_608),
            made(Part::Store, "shopsync_20250915.sqlite", 65_536),
        ],
        last_ok: Some(at),
        ..BackupsStatus::default()
    }
}
