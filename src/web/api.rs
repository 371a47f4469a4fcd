//! The page's API: the snapshot, its changes, and commands.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Query, Request, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures_util::stream::{Stream, unfold};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::Shared;
use super::guard::Refusal;
use crate::model::command::{Command, Reply};
use crate::model::status::Snapshot;

/// A command is a few words; an invoice number has at most some dozens of characters.
const LARGEST_COMMAND: usize = 16 * 1024;
/// Only one brings along a copy of a bill's rows: a kilobyte a line, and more where RainTek keeps pictures in them.
const LARGEST_COPY: usize = 16 * 1024 * 1024;
/// At most so often a snapshot is sent: a big load publishes far more of them.
const GAP: Duration = Duration::from_millis(250);
/// So often the page hears something: well within the ten seconds after which it calls itself stale.
const PING: Duration = Duration::from_secs(3);

/// The largest command.
pub(super) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(LARGEST_COPY)
}

/// What whoever asks has seen already.
#[derive(Deserialize)]
pub(super) struct Known {
    after: Option<DateTime<Utc>>,
}

/// The snapshot, or 503 where nobody publishes any more. With `after` (the `at` of the one that is known) it waits
/// for another, and says 204 where there is none for a while: for a page whose transport knows no stream.
pub(super) async fn status(State(shared): State<Shared>, Query(known): Query<Known>) -> Response {
    let mut receiver = shared.controls.watch();
    if let Some(after) = known.after {
        let other = receiver.wait_for(|snapshot| snapshot.at != after);
        if timeout(PING, other).await.is_err() {
            return StatusCode::NO_CONTENT.into_response();
        }
    }
    let published = shared.published();
    if published.running {
        Json(published.snapshot.as_ref()).into_response()
    } else {
        engine_gone().into_response()
    }
}

/// Which invoice is to be seen.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    item: Option<String>,
    /// A link is wanted, whatever windows there are: whoever asks is a tray of another session.
    #[serde(default)]
    browser: bool,
}

/// Whether a window came forward; where there is none, a link that opens the page once.
#[derive(Serialize)]
struct Shown {
    shown: bool,
    link: Option<String>,
}

/// Brings the window forward, for a second start of the program.
pub(super) fn show(
    State(shared): State<Shared>,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Ready<Response> {
    let wanted = match wanted {
        Ok(Json(wanted)) => wanted,
        Err(rejection) => return ready(refused(&rejection).into_response()),
    };
    let shown = !wanted.browser && shared.front.as_ref().is_some_and(|front| front.show(wanted.item));
    let link = if shown { None } else { shared.access.link_once() };
    ready(Json(Shown { shown, link }).into_response())
}

/// The snapshot now and with each change. Ends with the engine, so that the page asks again and learns why.
pub(super) fn events(State(shared): State<Shared>) -> Ready<Response> {
    let receiver = shared.controls.watch();
    ready(if receiver.has_changed().is_ok() {
        Sse::new(changes(receiver)).into_response()
    } else {
        engine_gone().into_response()
    })
}

/// Hands a command to the engine.
pub(super) async fn command(State(shared): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_COPY).await else { return too_long().into_response() };
    let length = body.len();
    let command = match Json::from_request(Request::from_parts(head, body.into()), &()).await {
        Ok(Json(command)) => command,
        Err(rejection) => return refused(&rejection).into_response(),
    };
    if length > LARGEST_COMMAND && !matches!(command, Command::RestoreInvoice { .. }) {
        return too_long().into_response();
    }
    let reply = shared.controls.command(command).await;
    let status = match reply {
        Reply::Accepted { .. } => StatusCode::OK,
        Reply::Refused { .. } => StatusCode::CONFLICT,
    };
    (status, Json(reply)).into_response()
}

fn engine_gone() -> Refusal {
    Refusal(StatusCode::SERVICE_UNAVAILABLE, super::health::ENGINE_GONE)
}

fn too_long() -> Refusal {
    Refusal(StatusCode::PAYLOAD_TOO_LARGE, "That is too long for a command.")
}

/// Axum's own words would repeat what was sent.
fn refused(rejection: &JsonRejection) -> Refusal {
    let status = rejection.status();
    let sentence = match status {
        StatusCode::PAYLOAD_TOO_LARGE => return too_long(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "A command is sent as application/json.",
        _ => "That is not a command ShopSync knows.",
    };
    Refusal(status, sentence)
}

fn changes(receiver: watch::Receiver<Arc<Snapshot>>) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold((receiver, true), |(mut receiver, first)| async move {
        if !first {
            sleep(GAP).await;
            match timeout(PING, receiver.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_publisher_gone)) => return None,
                Err(_nothing_new) => {
                    // Never without data: a browser drops such an event in silence.
                    return Some((Ok(Event::default().event("ping").data("-")), (receiver, false)));
                }
            }
        }
        let snapshot = Arc::clone(&receiver.borrow_and_update());
        // A snapshot is plain data; were it ever not to become JSON, the page would see the stream end.
        let event = Event::default().event("snapshot").json_data(snapshot.as_ref()).ok()?;
        Some((Ok(event), (receiver, false)))
    })
}
