//! Looking back: the day, RainTek's own bills, the journal and its export, and what the program is made of.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::history::{DayChart, Settled};
use crate::model::status::Activity;
use crate::ports::Clock;
use crate::ports::backup::Disk;
use crate::ports::history::History;

/// Invoices of a day that are looked at, and bills that are listed.
const MOST: u32 = 2000;
/// Lines of a page of the journal, unless it is asked for others, and at most.
const PAGE: u32 = 100;
const LONGEST_PAGE: u32 = 500;
/// All lines that the store keeps.
const ALL_LINES: u32 = 50_000;
/// Every library that is part of the program: name, version, licence, tab between them; `cargo xtask licences`.
const LICENCES: &str = include_str!("../../assets/licences.tsv");

/// What is needed for looking back.
#[derive(Clone)]
pub struct Past {
    /// Our own store.
    pub history: Arc<dyn History>,
    /// Today is by this clock.
    pub clock: Arc<dyn Clock>,
    /// The shop's zone, as the settings say now.
    pub zone: Arc<dyn Fn() -> Tz + Send + Sync>,
    /// Where exports of a window are written.
    pub disk: Arc<dyn Disk>,
    /// The data folder.
    pub data: PathBuf,
}

impl std::fmt::Debug for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Past").field("data", &self.data).finish_non_exhaustive()
    }
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/day", get(day))
        .route("/api/bills", get(bills))
        .route("/api/journal", get(journal))
        .route("/api/journal.csv", get(journal_csv))
        .route("/api/journal/save", post(journal_save))
        .route("/api/about", get(about))
}

#[derive(Serialize)]
struct Day {
    #[serde(flatten)]
    chart: DayChart,
    done: Vec<Done>,
}

#[derive(Serialize)]
struct Done {
    number: String,
    customer: String,
    amount: String,
    at: DateTime<Utc>,
    took_ms: u64,
}

impl From<Settled> for Done {
    fn from(settled: Settled) -> Self {
        Self {
            took_ms: settled.took_ms(),
            amount: settled.amount.map(|amount| amount.to_string()).unwrap_or_default(),
            number: settled.number,
            customer: settled.customer,
            at: settled.done_at,
        }
    }
}

/// Today: how many invoices reached RainTek in each hour, how long they took, and which they were, newest first.
async fn day(State(shared): State<Shared>) -> Result<Json<Day>, Unread> {
    let past = past(&shared)?;
    let zone = (past.zone)();
    let today = past.clock.now().with_timezone(&zone).date_naive();
    let from = midnight(today, zone);
    let settled = past.history.settled(from, from + TimeDelta::days(1), MOST).await?;
    let chart = DayChart::of(today, zone, &settled);
    Ok(Json(Day { chart, done: settled.into_iter().map(Done::from).collect() }))
}

/// The first moment of a day. Where a zone leaves it out, its UTC: a day that is an hour off, once a year.
fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let local = day.and_time(NaiveTime::MIN);
    zone.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |at| at.to_utc())
}

#[derive(Serialize)]
struct Bill {
    number: String,
    inv_id: i32,
    day: NaiveDate,
    state: &'static str,
    sentence: Option<String>,
}

/// Bills of RainTek's own, newest first.
async fn bills(State(shared): State<Shared>) -> Result<Json<Vec<Bill>>, Unread> {
    let bills = past(&shared)?.history.own_bills(PAGE * 2).await?;
    let shown = bills.into_iter().map(|bill| Bill {
        number: bill.number,
        inv_id: bill.inv_id,
        day: bill.day,
        state: bill.state.name(),
        sentence: bill.sentence,
    });
    Ok(Json(shown.collect()))
}

#[derive(Deserialize)]
struct Wanted {
    kind: Option<String>,
    before: Option<i64>,
    limit: Option<u32>,
}

impl Wanted {
    fn kind(&self) -> Option<String> {
        self.kind.clone().filter(|kind| !kind.is_empty())
    }
}

/// A page of the journal, newest first.
async fn journal(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Activity>>, Unread> {
    let limit = wanted.limit.unwrap_or(PAGE).min(LONGEST_PAGE);
    Ok(Json(past(&shared)?.history.lines(wanted.kind(), wanted.before, limit).await?))
}

/// The journal as a file for a spreadsheet.
async fn journal_csv(State(shared): State<Shared>, Query(wanted): Query<Wanted>) -> Result<Response, Unread> {
    let past = past(&shared)?;
    let text = csv(&past.history.lines(wanted.kind(), None, ALL_LINES).await?, (past.zone)());
    let name = format!("attachment; filename=\"{}\"", file_name(past));
    let head: [(HeaderName, String); 2] =
        [(CONTENT_TYPE, "text/csv; charset=utf-8".into()), (CONTENT_DISPOSITION, name)];
    Ok((head, text).into_response())
}

#[derive(Serialize)]
struct Saved {
    path: String,
}

/// The same beside ShopSync's data, for a window, which has no downloads.
async fn journal_save(
    State(shared): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Saved>, Unread> {
    let past = past(&shared)?;
    let text = csv(&past.history.lines(wanted.kind(), None, ALL_LINES).await?, (past.zone)());
    let folder = past.data.join("exports");
    past.disk.prepare(&folder).await?;
    let file = folder.join(file_name(past));
    past.disk.write(&file, text.into_bytes()).await?;
    Ok(Json(Saved { path: file.display().to_string() }))
}

fn file_name(past: &Past) -> String {
    format!(
        "shopsync-activity-{}.csv",
        past.clock.now().with_timezone(&(past.zone)()).format("%Y-%m-%d-%H%M")
    )
}

/// With a mark by which Excel knows that it is UTF-8, and times in the shop's zone.
fn csv(lines: &[Activity], zone: Tz) -> String {
    let mut text = String::from("\u{feff}time,kind,number,text\r\n");
    for line in lines {
        let at = line.at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S");
        let [kind, number, sentence] = [&line.kind, &line.number, &line.sentence].map(|text| quoted(text));
        let _infallible = write!(text, "{at},{kind},{number},{sentence}\r\n");
    }
    text
}

/// A customer's name that begins like a formula would be calculated by a spreadsheet.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[derive(Serialize)]
struct About {
    version: &'static str,
    /// Of the program that the billing app runs on; nothing where it is another PC's.
    pocketbase: Option<String>,
    data: Option<String>,
    logs: Option<String>,
    licences: Vec<Licence>,
}

#[derive(Serialize)]
struct Licence {
    name: &'static str,
    version: &'static str,
    licence: &'static str,
}

/// What the program is, where its files lie, and what it is made of.
async fn about(State(shared): State<Shared>) -> Json<About> {
    let pocketbase = match &shared.office {
        Some(office) => office.pocketbase().await,
        None => None,
    };
    let data = shared.past.as_ref().map(|past| &past.data);
    Json(About {
        version: env!("CARGO_PKG_VERSION"),
        pocketbase,
        data: data.map(|data| data.display().to_string()),
        logs: data.map(|data| data.join("logs").display().to_string()),
        licences: licences(),
    })
}

fn licences() -> Vec<Licence> {
    let mut all = Vec::new();
    for line in LICENCES.lines() {
        let mut parts = line.split('\t');
        if let (Some(name), Some(version), Some(licence)) = (parts.next(), parts.next(), parts.next()) {
            all.push(Licence { name, version, licence });
        }
    }
    all
}

fn past(shared: &Shared) -> Result<&Past, Unread> {
    let gone = || Fault::new(FaultKind::Permanent, Scope::Store, "ShopSync's own store has stopped.");
    shared.past.as_ref().ok_or_else(|| Unread(gone()))
}

/// It cannot be read.
struct Unread(Fault);

impl From<Fault> for Unread {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

#[derive(Serialize)]
struct Told {
    refused: String,
}

impl IntoResponse for Unread {
    fn into_response(self) -> Response {
        tracing::warn!(detail = self.0.detail, "{}", self.0.sentence);
        (StatusCode::SERVICE_UNAVAILABLE, Json(Told { refused: self.0.sentence })).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_calculate_stays_text() {
        let line = |sentence: &str| Activity {
            id: 1,
            at: DateTime::from_timestamp(1_764_044_400, 0).unwrap(),
            kind: "push".into(),
            number: "GST-1".into(),
            sentence: sentence.into(),
        };
        let text = csv(&[line("=HYPERLINK(\"x\")"), line("a, \"b\"")], Tz::Asia__Kolkata);
        assert_eq!(
            text,
            "\u{feff}time,kind,number,text\r\n\
             2025-11-25 09:50:00,\"push\",\"GST-1\",\"'=HYPERLINK(\"\"x\"\")\"\r\n\
             2025-11-25 09:50:00,\"push\",\"GST-1\",\"a, \"\"b\"\"\"\r\n"
        );
    }

    #[test]
    fn every_library_has_its_licence() {
        let all = licences();
        assert!(all.len() > 100 && all.iter().any(|one| one.name == "axum"), "{}", all.len());
        assert!(all.iter().all(|one| !one.version.is_empty() && !one.licence.is_empty()));
        assert_eq!(all.len(), LICENCES.lines().count());
    }

    #[test]
    fn a_day_begins_at_the_shops_midnight() {
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        assert_eq!(midnight(day, Tz::Asia__Kolkata).to_rfc3339(), "2026-03-31T18:30:00+00:00");
    }
}
