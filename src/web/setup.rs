//! Settings, first run and diagnostics: everything here is asked of the [`Office`](crate::ports::setup::Office), and
//! what it refuses comes back as `{"refused": sentence, "field": key}`.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::model::setup::{Changes, Choice, Refusal, What};
use crate::ports::setup::Office;

/// Settings are short.
const LARGEST: usize = 64 * 1024;

/// Every route of it; they go behind the token.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/settings", get(settings).post(change))
        .route("/api/settings/test", post(test))
        .route("/api/restart", post(restart))
        .route("/api/setup", get(setup))
        .route("/api/setup/find", post(find))
        .route("/api/setup/use", post(choose))
        .route("/api/setup/tcp", post(tcp))
        .route("/api/setup/billing", post(billing))
        .route("/api/setup/telegram", post(telegram))
        .route("/api/setup/telegram/test", post(telegram_test))
        .route("/api/setup/check", post(check))
        .route("/api/setup/start", post(start))
        .route("/api/setup/qr.svg", get(qr))
        .route("/api/diagnostics", get(diagnostics))
        .route("/api/diagnostics.zip", get(zip))
        .route("/api/diagnostics/save", post(save))
        .layer(DefaultBodyLimit::max(LARGEST))
}

#[derive(Deserialize)]
struct Wanted {
    changes: Changes,
}

#[derive(Deserialize)]
struct TestWanted {
    what: What,
    #[serde(default)]
    changes: Changes,
}

#[derive(Deserialize)]
struct TcpWanted {
    id: String,
    #[serde(default)]
    confirmed: bool,
}

#[derive(Deserialize)]
struct TokenWanted {
    token: String,
}

#[derive(Deserialize)]
struct QrWanted {
    url: String,
}

type Body<T> = Result<Json<T>, JsonRejection>;

/// The office there is; a page without one has no such routes.
fn office(shared: &Shared) -> Result<Arc<dyn Office>, Refused> {
    let none = || refuse(StatusCode::NOT_FOUND, Refusal::whole("This page changes no settings."));
    shared.office.clone().ok_or_else(none)
}

type Refused = (StatusCode, Json<Refusal>);

fn refuse(status: StatusCode, refusal: Refusal) -> Refused {
    (status, Json(refusal))
}

/// A refusal that names a setting is about what was given; any other is about the moment.
fn answer<T: Serialize>(result: Result<T, Refusal>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(refusal) if refusal.field.is_some() => {
            refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal).into_response()
        }
        Err(refusal) => refuse(StatusCode::CONFLICT, refusal).into_response(),
    }
}

fn given<T>(body: Body<T>) -> Result<T, Refused> {
    body.map(|Json(given)| given).map_err(|rejection| {
        // Axum's own words would repeat what was sent.
        let sentence = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "That is too long for settings.",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "This is sent as application/json.",
            _ => "That is not what ShopSync expects here.",
        };
        refuse(rejection.status(), Refusal::whole(sentence))
    })
}

macro_rules! ask {
    ($shared:ident, $office:ident => $call:expr) => {
        match office(&$shared) {
            Ok($office) => answer($call.await),
            Err(refused) => refused.into_response(),
        }
    };
    ($shared:ident, $body:ident, $office:ident => $call:expr) => {
        match (office(&$shared), given($body)) {
            (Ok($office), Ok($body)) => answer($call($body).await),
            (Err(refused), _) | (_, Err(refused)) => refused.into_response(),
        }
    };
}

async fn settings(State(shared): State<Shared>) -> Response {
    ask!(shared, office => office.settings())
}

async fn change(State(shared): State<Shared>, body: Body<Wanted>) -> Response {
    ask!(shared, body, office => |wanted: Wanted| office.change(wanted.changes))
}

async fn test(State(shared): State<Shared>, body: Body<TestWanted>) -> Response {
    ask!(shared, body, office => |wanted: TestWanted| office.test(wanted.what, wanted.changes))
}

#[derive(Serialize)]
struct Said {
    sentence: String,
}

async fn restart(State(shared): State<Shared>) -> Response {
    ask!(shared, office => async { office.restart().await.map(|sentence| Said { sentence }) })
}

async fn setup(State(shared): State<Shared>) -> Response {
    ask!(shared, office => async { Ok(office.setup().await) })
}

async fn find(State(shared): State<Shared>) -> Response {
    match office(&shared) {
        Ok(office) => match office.find().await {
            Ok(()) => {
                (StatusCode::ACCEPTED, Json(Said { sentence: "Looking for RainTek.".into() })).into_response()
            }
            Err(refusal) => answer::<()>(Err(refusal)),
        },
        Err(refused) => refused.into_response(),
    }
}

async fn choose(State(shared): State<Shared>, body: Body<Choice>) -> Response {
    ask!(shared, body, office => |choice: Choice| office.choose(choice))
}

async fn tcp(State(shared): State<Shared>, body: Body<TcpWanted>) -> Response {
    match (office(&shared), given(body)) {
        (Ok(office), Ok(wanted)) => answer(office.switch_tcp_on(&wanted.id, wanted.confirmed).await),
        (Err(refused), _) | (_, Err(refused)) => refused.into_response(),
    }
}

async fn billing(State(shared): State<Shared>) -> Response {
    ask!(shared, office => office.billing())
}

async fn telegram(State(shared): State<Shared>, body: Body<TokenWanted>) -> Response {
    ask!(shared, body, office => |wanted: TokenWanted| office.telegram(wanted.token))
}

async fn telegram_test(State(shared): State<Shared>) -> Response {
    ask!(shared, office => office.telegram_test())
}

async fn check(State(shared): State<Shared>) -> Response {
    ask!(shared, office => office.check())
}

async fn start(State(shared): State<Shared>) -> Response {
    ask!(shared, office => office.start())
}

async fn diagnostics(State(shared): State<Shared>) -> Response {
    ask!(shared, office => office.diagnostics())
}

async fn save(State(shared): State<Shared>) -> Response {
    ask!(shared, office => office.save_diagnostics(None))
}

async fn qr(State(shared): State<Shared>, Query(wanted): Query<QrWanted>) -> Response {
    let svg = match office(&shared) {
        Ok(office) => office.qr(&wanted.url),
        Err(refused) => return refused.into_response(),
    };
    match svg {
        Some(svg) => ([(CONTENT_TYPE, "image/svg+xml")], svg).into_response(),
        None => {
            let refusal = Refusal::of("url", "That is not an address of this PC's billing app.");
            refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal).into_response()
        }
    }
}

async fn zip(State(shared): State<Shared>) -> Response {
    let zipped = match office(&shared) {
        Ok(office) => office.diagnostics_zip().await,
        Err(refused) => return refused.into_response(),
    };
    match zipped {
        Ok(bytes) => {
            let name = "attachment; filename=\"shopsync-diagnostics.zip\"";
            ([(CONTENT_TYPE, "application/zip"), (CONTENT_DISPOSITION, name)], bytes).into_response()
        }
        Err(refusal) => answer::<()>(Err(refusal)),
    }
}
