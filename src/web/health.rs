//! `GET /health`: the state for a monitor or a script.
//!
//! 503 while the state is `failing`, and when the engine is gone. `starting` answers 200: nothing is known to be
//! wrong yet, a start of a few seconds must not alarm anybody, and the state function turns it into `failing` by
//! itself when proof does not come. Who waits for proof reads `state`.
//!
//! Everybody on this PC may read it without a token: counts and times, no customer, no item, no invoice number, no
//! name of a server. That is why its sentence is made here: the snapshot's own names the invoice that is held.

use std::future::{Ready, ready};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Published, Shared};
use crate::model::backup::{BackupsStatus, Part};
use crate::model::health::HealthState;
use crate::model::scan::{ScanEnd, ScanStatus};
use crate::model::status::{LinkStatus, Snapshot};

/// Said wherever the publisher of snapshots is gone.
pub(super) const ENGINE_GONE: &str = "ShopSync's engine has stopped: restart ShopSync.";

/// The answer.
pub(super) fn health(State(shared): State<Shared>) -> Ready<Response> {
    let health = Health::of(&shared.published());
    let failing = health.state == HealthState::Failing.name();
    let status = if failing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    ready((status, Json(health)).into_response())
}

#[derive(Serialize)]
struct Health {
    state: &'static str,
    sentence: String,
    raintek: Link,
    billing: Link,
    realtime: bool,
    queue: Queue,
    last_push: Option<Push>,
    products: Products,
    last_backup: Option<Backup>,
    last_scan: Option<Scan>,
    /// The last sign of life that is stored; it comes every minute.
    heartbeat: Option<DateTime<Utc>>,
    paused_until: Option<DateTime<Utc>>,
    version: String,
    started: DateTime<Utc>,
    at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Link {
    connected: bool,
    latency_ms: Option<u64>,
    since: Option<DateTime<Utc>>,
    last_ok: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct Queue {
    waiting: u64,
    held: u64,
    done_today: u64,
    done_total: u64,
}

#[derive(Serialize)]
struct Push {
    at: DateTime<Utc>,
    took_ms: u64,
}

#[derive(Serialize)]
struct Products {
    total: u64,
    last_pass: Option<DateTime<Utc>>,
    problems: usize,
}

/// When both sides and the store were last all backed up and proven; sizes are those of the newest proven.
#[derive(Serialize)]
struct Backup {
    at: Option<DateTime<Utc>>,
    raintek_bytes: Option<u64>,
    billing_bytes: Option<u64>,
    restorable: Option<DateTime<Utc>>,
    ok: bool,
}

/// When every invoice was last compared with RainTek; `open` is what was found and is not right yet.
#[derive(Serialize)]
struct Scan {
    at: DateTime<Utc>,
    checked: u64,
    mismatches: u64,
    open: usize,
}

impl Scan {
    fn of(scan: &ScanStatus) -> Option<Self> {
        let open = scan.findings.len();
        let of =
            |last: &ScanEnd| Self { at: last.at, checked: last.checked, mismatches: last.mismatches, open };
        scan.last.as_ref().map(of)
    }
}

impl Backup {
    fn of(backups: &BackupsStatus) -> Option<Self> {
        let bytes = |part| {
            let proven = backups.files.iter().find(|made| made.part == part && made.proof.is_some());
            proven.map(|made| made.bytes)
        };
        backups.enabled.then(|| Self {
            at: backups.last_ok,
            raintek_bytes: bytes(Part::Raintek),
            billing_bytes: bytes(Part::Billing),
            restorable: backups.restorable,
            ok: backups.sentence.is_none(),
        })
    }
}

impl Health {
    fn of(published: &Published) -> Self {
        let snapshot = &published.snapshot;
        let (state, sentence) = if published.running {
            (snapshot.state, sentence(snapshot))
        } else {
            (HealthState::Failing, ENGINE_GONE.to_owned())
        };
        Self {
            state: state.name(),
            sentence,
            raintek: Link::of(&snapshot.raintek, published.running),
            billing: Link::of(&snapshot.billing, published.running),
            realtime: snapshot.realtime && published.running,
            queue: Queue {
                waiting: snapshot.counts.waiting,
                held: snapshot.counts.held,
                done_today: snapshot.counts.done_today,
                done_total: snapshot.counts.done_total,
            },
            last_push: snapshot.last_push.as_ref().map(|push| Push { at: push.at, took_ms: push.took_ms }),
            products: Products {
                total: snapshot.products.total,
                last_pass: snapshot.products.last_pass,
                problems: snapshot.products.problems.len(),
            },
            last_backup: Backup::of(&snapshot.backups),
            last_scan: Scan::of(&snapshot.scan),
            heartbeat: snapshot.heartbeat,
            paused_until: snapshot.paused_until,
            version: snapshot.version.clone(),
            started: snapshot.started,
            at: snapshot.at,
        }
    }
}

impl Link {
    fn of(link: &LinkStatus, running: bool) -> Self {
        Self {
            connected: link.connected && running,
            latency_ms: link.latency_ms,
            since: link.since,
            last_ok: link.last_ok,
        }
    }
}

/// The state in words that everybody may read.
fn sentence(snapshot: &Snapshot) -> String {
    let (counts, many) = (&snapshot.counts, |n: u64| if n == 1 { "invoice" } else { "invoices" });
    match snapshot.state {
        HealthState::Starting => "Looking at both sides.".into(),
        HealthState::InStep => "Everything is in step.".into(),
        HealthState::Working => format!("{} {} on the way to RainTek.", counts.waiting, many(counts.waiting)),
        HealthState::Attention if counts.held > 0 => {
            format!("{} {} held for a person.", counts.held, many(counts.held))
        }
        HealthState::Attention => "Something needs a look: the page says what.".into(),
        HealthState::Failing if !snapshot.raintek.connected => "RainTek's database is not answering.".into(),
        HealthState::Failing if !snapshot.billing.connected => "The billing app is not answering.".into(),
        HealthState::Failing => "Invoices are not reaching RainTek.".into(),
        HealthState::Paused => "A person paused it.".into(),
    }
}
