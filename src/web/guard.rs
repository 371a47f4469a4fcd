//! What every request passes before a handler sees it, and what every answer carries.

use std::future::{Ready, ready};
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Shared;

/// Nothing takes longer, except a stream, whose head counts, and steps of the first run.
const LONGEST: Duration = Duration::from_secs(15);
/// The billing app's first start on a slow PC with what is set up in it; an SQL Server that is started anew, with the
/// question whether it may be.
const LONGEST_STEP: Duration = Duration::from_secs(150);
const STEPS: [&str; 5] =
    ["/api/setup/use", "/api/setup/tcp", "/api/setup/billing", "/api/setup/check", "/api/setup/start"];

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Refuses foreign names (DNS rebinding) and foreign pages, bounds the time, and sets the security headers.
pub(super) async fn front_door(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let longest = if STEPS.contains(&request.uri().path()) { LONGEST_STEP } else { LONGEST };
    let mut response = match refusal(&shared, &request) {
        Some(refusal) => refusal.into_response(),
        None => tokio::time::timeout(longest, next.run(request)).await.unwrap_or_else(|_| {
            Refusal(StatusCode::GATEWAY_TIMEOUT, "ShopSync did not answer in time.").into_response()
        }),
    };
    secure(response.headers_mut());
    response
}

/// Lets through who has the token. What changes something comes as JSON, also where it says nothing: a form of another page
/// cannot send that without asking first.
pub(super) async fn token(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if shared.access.admits_request(request.headers()) {
        if request.method() == Method::POST && !sends_json(request.headers()) {
            let sentence = "A command is sent as application/json.";
            return Refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence).into_response();
        }
        return next.run(request).await;
    }
    Refusal(StatusCode::UNAUTHORIZED, "Open this page from ShopSync: its link carries the key.")
        .into_response()
}

/// What is not there.
pub(super) fn not_found() -> Ready<Refusal> {
    ready(Refusal(StatusCode::NOT_FOUND, "There is nothing here."))
}

/// A request that is not answered, with one plain sentence.
pub(super) struct Refusal(pub(super) StatusCode, pub(super) &'static str);

#[derive(Serialize)]
struct RefusalBody {
    error: &'static str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(RefusalBody { error: self.1 })).into_response()
    }
}

fn refusal(shared: &Shared, request: &Request) -> Option<Refusal> {
    let access = &shared.access;
    let mut hosts = request.headers().get_all(HOST).iter();
    let (host, second) = (hosts.next().and_then(|host| host.to_str().ok()), hosts.next());
    let named_in_target = request.uri().authority().is_none_or(|name| access.owns_host(name.as_str()));
    let named = host.map_or_else(|| access.is_window(), |host| access.owns_host(host));
    if second.is_some() || !named_in_target || !named {
        let sentence = "This address is not ShopSync's own: open it as 127.0.0.1 on this PC.";
        return Some(Refusal(StatusCode::MISDIRECTED_REQUEST, sentence));
    }
    let own = |origin: &HeaderValue| origin.to_str().is_ok_and(|origin| access.owns_origin(origin));
    if !request.headers().get_all(ORIGIN).iter().all(own) {
        return Some(Refusal(StatusCode::FORBIDDEN, "Another web page may not ask ShopSync for anything."));
    }
    None
}

fn sends_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split_once(';').map_or(kind, |(kind, _)| kind);
    kind.trim().eq_ignore_ascii_case("application/json")
}

fn secure(headers: &mut HeaderMap) {
    const FIXED: [(HeaderName, &str); 6] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
