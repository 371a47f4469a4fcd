//! Every route that the router really has, against everything that must be refused, and what is logged of it.
//!
//! Whoever adds a route enters it in `routes.rs`: the router is asked for its paths and methods, and a route that does not
//! stand there fails.

use std::collections::BTreeSet;
use std::io;

use axum::http::Method;

use super::routes::{Open, ROUTES};
use super::*;
use crate::ports::desktop::Front;
use crate::web::{Doors, router_with};

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/// Words that a request carries and that no log may hold.
const SECRETS: [&str; 3] = [TOKEN, "SECRET-OF-A-PHONE", "9876543210"];

/// Remembers whether the window was asked for.
#[derive(Default)]
struct Window(Mutex<usize>);

impl Front for Window {
    fn show(&self, _item: Option<String>) -> bool {
        *self.0.lock().unwrap() += 1;
        true
    }
}

struct Under {
    site: Site,
    window: Arc<Window>,
}

impl Under {
    fn new(in_window: bool) -> Self {
        let mut site = Site::new();
        let window = Arc::new(Window::default());
        let access = Access::new(TOKEN, 3030).unwrap();
        let access = if in_window { access.for_window() } else { access };
        let front = Some(Arc::clone(&window) as Arc<dyn Front>);
        site.router = router_with(
            Arc::clone(&site.fake) as Arc<dyn Controls>,
            access,
            Doors { front, ..Doors::default() },
        );
        Self { site, window }
    }

    /// The paths that the router has, as it tells them itself.
    fn paths(&self) -> BTreeSet<String> {
        let told = format!("{:?}", self.site.router);
        told.split('"')
            .skip(1)
            .step_by(2)
            .filter(|text| text.starts_with('/') && !text.starts_with("/{*__private"))
            .map(str::to_owned)
            .collect()
    }

    async fn status(&self, request: Request<Body>) -> StatusCode {
        let response = self.site.send(request).await;
        assert!(!response.headers().contains_key("access-control-allow-origin"), "another page may read it");
        response.status()
    }

    /// Nothing was done.
    fn assert_untouched(&self, what: &str) {
        assert_eq!(self.site.asked(), [], "{what}: a command reached the engine");
        assert_eq!(*self.window.0.lock().unwrap(), 0, "{what}: the window came forward");
    }
}

/// All routes: those of [`ROUTES`] and the page's parts.
fn all(under: &Under) -> Vec<(String, &'static str, Open)> {
    let known: Vec<_> =
        ROUTES.iter().map(|(path, method, open)| ((*path).to_owned(), *method, *open)).collect();
    let parts = under.paths().into_iter().filter(|path| path.ends_with(".js") || path.ends_with(".css"));
    known.into_iter().chain(parts.map(|path| (path, "GET", Open::All))).collect()
}

/// A body that each POST route would take.
fn body(path: &str) -> Body {
    Body::from(match path {
        "/api/show" => "{\"item\":\"GST-0151\"}",
        _ => "{\"command\":\"retry_all\"}",
    })
}

fn asked(method: &str, path: &str) -> Builder {
    let builder = own(method, path);
    if method == "GET" { builder } else { builder.header("content-type", "application/json") }
}

#[test]
fn every_route_of_the_router_is_known_here() {
    let under = Under::new(false);
    let known: BTreeSet<String> = all(&under).into_iter().map(|(path, ..)| path).collect();
    assert!(under.paths().len() > 15, "the router no longer tells its paths: {:?}", under.paths());
    assert_eq!(under.paths(), known, "enter a new route in ROUTES, with its method and who may ask for it");
}

#[tokio::test]
async fn every_route_takes_its_own_method_only() {
    let under = Under::new(false);
    let known = all(&under);
    for (path, own_method, _) in &known {
        let path = path.as_str();
        for method in METHODS {
            let of_get = if method == "HEAD" { "GET" } else { method };
            if known.iter().any(|(other, right, _)| other == path && *right == of_get) {
                continue;
            }
            let request = bearer(asked(method, path)).header("x-http-method-override", *own_method);
            let status = under.status(request.body(body(path)).unwrap()).await;
            assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
        let odd = Method::from_bytes(b"BREW").unwrap();
        let status = under.status(bearer(own(odd.as_str(), path)).body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "BREW {path}");
    }
    under.assert_untouched("methods");
}

#[tokio::test]
async fn every_route_behind_the_token_wants_it() {
    let under = Under::new(false);
    let long = "x".repeat(4000);
    let near = TOKEN.replace('v', "x");
    let wrong = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic x",
        &format!("Bearer {near}"),
        &format!("Bearer {TOKEN}x"),
        &long,
    ]
    .map(str::to_owned);
    for (path, method, open) in all(&under) {
        if open == Open::All {
            continue;
        }
        for authorization in &wrong {
            let request = asked(method, &path).header("authorization", authorization);
            let status = under.status(request.body(body(&path)).unwrap()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {authorization:.60}");
        }
        for (name, value) in [
            ("cookie", format!("shopsync_3030={TOKEN}")),
            ("cookie", format!("shopsync_3031={TOKEN}; shopsync_3030=")),
            ("x-token", TOKEN.to_owned()),
            ("x-forwarded-for", "127.0.0.1".to_owned()),
        ] {
            let request = asked(method, &path).header(name, value);
            let status = under.status(request.body(body(&path)).unwrap()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {name}");
        }
        // A link's token opens the page and nothing else.
        for query in [format!("?token={near}"), "?once=00".to_owned()] {
            let request = asked(method, &format!("{path}{query}")).body(body(&path)).unwrap();
            assert_eq!(under.status(request).await, StatusCode::UNAUTHORIZED, "{method} {path}{query}");
        }
        if open == Open::Token {
            let request = asked(method, &format!("{path}?token={TOKEN}")).body(body(&path)).unwrap();
            assert_eq!(
                under.status(request).await,
                StatusCode::UNAUTHORIZED,
                "{method} {path}: a token in a query"
            );
        }
    }
    under.assert_untouched("tokens");
}

#[tokio::test]
async fn every_route_refuses_other_names_for_this_pc() {
    let under = Under::new(false);
    // DNS rebinding: a name of somebody else's that points here; and the names of the window's own page.
    for host in [
        "evil.example",
        "evil.example:3030",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:3031",
        "127.0.0.1.nip.example:3030",
        "localhost.evil.example:3030",
        "0.0.0.0:3030",
        "[::]:3030",
        "127.1:3030",
        "2130706433:3030",
        "192.168.1.5:3030",
        "user@127.0.0.1:3030",
        "127.0.0.1:3030@evil.example",
        "shopsync.localhost",
        "shopsync.localhost:3030",
        "127.0.0.1:03030",
        "127.0.0.1:3030/",
        "",
        " ",
    ] {
        for (path, method, _) in all(&under) {
            let request = Request::builder().method(method).uri(&path).header("host", host);
            let request =
                bearer(request).header("content-type", "application/json").body(body(&path)).unwrap();
            assert_eq!(
                under.status(request).await,
                StatusCode::MISDIRECTED_REQUEST,
                "{method} {path} {host:?}"
            );
        }
    }
    for (path, method, _) in all(&under) {
        let two = bearer(asked(method, &path)).header("host", "evil.example").body(body(&path)).unwrap();
        assert_eq!(under.status(two).await, StatusCode::MISDIRECTED_REQUEST, "{path}: two names");
        let none = Request::builder().method(method).uri(&path);
        let none = bearer(none).header("x-forwarded-host", OWN).body(body(&path)).unwrap();
        assert_eq!(under.status(none).await, StatusCode::MISDIRECTED_REQUEST, "{path}: no name");
        let target =
            bearer(asked(method, &format!("http://evil.example:3030{path}"))).body(body(&path)).unwrap();
        assert_eq!(
            under.status(target).await,
            StatusCode::MISDIRECTED_REQUEST,
            "{path}: another in the target"
        );
        let odd = Request::builder().method(method).uri(&path).header("host", &b"127.0.0.1:3030\xff"[..]);
        let odd = bearer(odd).body(body(&path)).unwrap();
        assert_eq!(under.status(odd).await, StatusCode::MISDIRECTED_REQUEST, "{path}: no text");
    }
    under.assert_untouched("hosts");
}

/// Pages that are not ours, for a browser and for the window: each has an origin that the other must not take.
#[tokio::test]
async fn every_route_refuses_other_pages() {
    const FOREIGN: [&str; 12] = [
        "http://evil.example",
        "https://evil.example:3030",
        "null",
        "",
        "file://",
        "http://127.0.0.1:8090",
        "https://127.0.0.1:3030",
        "http://127.0.0.1:3030.evil.example",
        "http://127.0.0.1",
        "shopsync://evil",
        "http://shopsync.localhost.evil.example",
        "http://shopsync.localhost:3030",
    ];
    for (in_window, others) in [
        (false, ["shopsync://localhost", "http://shopsync.localhost", "https://shopsync.localhost"]),
        (true, ["http://127.0.0.1:3030", "http://localhost:3030", "http://localhost"]),
    ] {
        let under = Under::new(in_window);
        for origin in FOREIGN.into_iter().chain(others) {
            for (path, method, _) in all(&under) {
                let target =
                    if in_window { format!("http://shopsync.localhost{path}") } else { path.clone() };
                let request = if in_window {
                    Request::builder().method(method).uri(&target)
                } else {
                    asked(method, &target)
                };
                let request = bearer(request).header("origin", origin);
                let request =
                    if in_window { request.header("content-type", "application/json") } else { request };
                let status = under.status(request.body(body(&path)).unwrap()).await;
                assert_eq!(status, StatusCode::FORBIDDEN, "{method} {target} for {origin:?}");
            }
        }
        for (path, method, _) in all(&under) {
            let mine = if in_window { "http://shopsync.localhost" } else { "http://127.0.0.1:3030" };
            let target = if in_window { format!("{mine}{path}") } else { path.clone() };
            let request =
                if in_window { Request::builder().method(method).uri(&target) } else { own(method, &target) };
            // A second origin beside ours.
            let request = bearer(request).header("origin", mine).header("origin", "http://evil.example");
            let status = under.status(request.body(body(&path)).unwrap()).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {target}: two origins");
        }
        under.assert_untouched("origins");
    }
}

/// What a form or a script of another page can send without asking first.
#[tokio::test]
async fn every_post_refuses_what_a_foreign_form_can_send() {
    let under = Under::new(false);
    let kinds = [
        None,
        Some("text/plain"),
        Some("text/plain; charset=application/json"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonp"),
        Some("text/json"),
        Some(""),
    ];
    for (path, method, _) in all(&under).into_iter().filter(|(_, method, _)| *method == "POST") {
        for kind in kinds {
            // As an old browser does it: no Origin at all, and the cookie goes along.
            let cookie = Access::new(TOKEN, 3030).unwrap().cookie();
            let mut request = own(method, &path).header("cookie", cookie.split(';').next().unwrap());
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let status = under.status(request.body(body(&path)).unwrap()).await;
            assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {kind:?}");
        }
    }
    under.assert_untouched("forms");
}

/// Or nobody keeps the past, or changes settings, behind this router.
fn is_refused(status: StatusCode) -> bool {
    status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE
}

#[tokio::test]
async fn every_route_bounds_what_it_is_sent() {
    let under = Under::new(false);
    for (path, method, _) in all(&under) {
        let long = format!("{path}?x={}", "y".repeat(60_000));
        let status = under.status(bearer(asked(method, &long)).body(body(&path)).unwrap()).await;
        // Nobody who keeps the past, or changes settings, stands behind this router.
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{method} {path} with a long query");
        if method == "GET" {
            continue;
        }
        *under.window.0.lock().unwrap() = 0;
        under.site.fake.asked.lock().unwrap().clear();
        // Beyond the largest copy of a bill, and a depth that would fill the stack.
        let endless = Body::from(vec![b' '; 17 * 1024 * 1024]);
        let status = under.status(bearer(asked(method, &path)).body(endless).unwrap()).await;
        assert!(is_refused(status), "{method} {path}: {status}");
        if matches!(path.as_str(), "/api/command" | "/api/show") {
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{method} {path}");
        }
        for text in [
            "[".repeat(100_000),
            "{\"command\":".repeat(50_000),
            "\u{0}".to_owned(),
            "\"\\ud800\"".to_owned(),
        ] {
            let status = under.status(bearer(asked(method, &path)).body(Body::from(text)).unwrap()).await;
            assert!(is_refused(status), "{method} {path}: {status}");
        }
    }
    under.assert_untouched("sizes");
}

#[tokio::test]
async fn no_spelling_of_a_path_reaches_anything_else() {
    let under = Under::new(false);
    let climbs = [
        "..",
        ".",
        "%2e%2e",
        "%2E%2e",
        "%252e%252e",
        "%25252e%25252e",
        "..%2f",
        "..%252f",
        "%2e%2e%5c",
        "..\\",
        "..%5c",
        "..%255c",
        "%c0%ae%c0%ae",
        "%uff0e%uff0e",
        "....//",
        "..;",
        "%00",
        ".%00.",
    ];
    for (path, method, open) in all(&under) {
        for climb in climbs {
            for target in [
                format!("{path}/{climb}/Cargo.toml"),
                format!("/{climb}{path}"),
                format!("/{climb}/{climb}/etc/passwd"),
                format!("{path}{climb}"),
                format!("/api/{climb}/health"),
                format!("//{climb}{path}"),
            ] {
                // What cannot even be written as a target never arrives.
                let Ok(request) = bearer(asked(method, &target)).body(body(&path)) else { continue };
                let answer = under.site.answer(request).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {target}");
                assert_eq!(answer.text, "{\"error\":\"There is nothing here.\"}");
            }
        }
        // Other spellings of a route are none: what is behind the token has no second door.
        if open == Open::Token {
            let upper = path.to_uppercase();
            let encoded = path.replacen("api", "%61pi", 1);
            for target in [
                upper,
                encoded,
                format!("{path}/"),
                format!("/{path}"),
                path.replace('/', "//"),
                format!("{path};x=1"),
            ] {
                let request = asked(method, &target).body(body(&path)).unwrap();
                let status = under.status(request).await;
                assert!(
                    matches!(status, StatusCode::NOT_FOUND | StatusCode::UNAUTHORIZED),
                    "{method} {target}: {status}"
                );
            }
        }
    }
    under.assert_untouched("paths");
}

/// What the subscriber was told, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn nothing_that_is_refused_or_taken_leaves_a_secret_in_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    tracing::trace!("the log is heard");
    let under = Under::new(false);
    let [token, phone, number] = SECRETS;
    for (path, method, _) in all(&under) {
        let said = format!("{{\"command\":\"retry\",\"number\":\"{phone} {number}\",\"item\":\"{phone}\"}}");
        for request in [
            // Refused by name, by page, by token, by kind, by path; and taken.
            Request::builder().method(method).uri(&path).header("host", format!("{phone}.example")),
            asked(method, &path).header("origin", format!("http://{phone}.example")),
            asked(method, &path).header("authorization", format!("Bearer {phone}")),
            bearer(own(method, &path)).header("content-type", "text/plain"),
            bearer(asked(method, &format!("{path}/{phone}"))),
            asked(method, &format!("{path}?token={token}&once={phone}")),
            asked(method, &format!("{path}?token={token}")),
            bearer(asked(method, &path)),
        ] {
            under.site.send(request.body(Body::from(said.clone())).unwrap()).await;
        }
    }
    drop(guard);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("the log is heard"), "nothing is captured at all");
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} stands in the log:\n{text}");
    }
}
