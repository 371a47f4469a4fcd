//! Who is turned away, and with what.

use super::*;

const BEHIND_TOKEN: [&str; 2] = ["/api/status", "/api/events"];

fn with_cookie(builder: Builder, cookie: &str) -> Builder {
    builder.header("cookie", cookie)
}

fn empty(builder: Builder) -> Request<Body> {
    builder.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn the_api_wants_the_token() {
    let site = Site::new();
    for path in BEHIND_TOKEN {
        assert_eq!(site.get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
        for wrong in ["", "Bearer", "Bearer ", "Bearer wrong", "Basic 0123456789abcdefghijklmnopqrstuv"] {
            let request = empty(own("GET", path).header("authorization", wrong));
            assert_eq!(site.answer(request).await.status, StatusCode::UNAUTHORIZED, "{path} {wrong}");
        }
        for wrong in
            ["shopsync_3030=", "shopsync_3030=0123456789abcdefghijklmnopqrstuv", "x=1; shopsync_3031=1"]
        {
            let answer = site.answer(empty(with_cookie(own("GET", path), wrong))).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {wrong}");
        }
    }
    let request = own("POST", "/api/command").header("content-type", "application/json");
    let answer = site.answer(request.body(Body::from("{\"command\":\"retry_all\"}")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(site.asked().is_empty());
}

#[tokio::test]
async fn the_link_becomes_a_cookie_and_leaves_the_address() {
    let site = Site::new();
    let answer = site.get(&format!("/?token={TOKEN}")).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(TOKEN) && !answer.text.contains(TOKEN));

    let cookie = format!("other=1; {}", cookie.split(';').next().unwrap());
    let page = site.answer(empty(with_cookie(own("GET", "/"), &cookie))).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("/main.js") && !page.text.contains(TOKEN));
    let status = site.answer(empty(with_cookie(own("GET", "/api/status"), &cookie))).await;
    assert_eq!(status.status, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_link_opens_nothing_and_says_what_to_do() {
    let site = Site::new();
    for path in ["/", "/?token=", "/?token=wrong", "/?other=1"] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(
            answer.text.contains("Open it from the ShopSync icon")
                && !answer.headers.contains_key("set-cookie")
        );
    }
}

#[tokio::test]
async fn a_foreign_name_is_refused_everywhere() {
    let site = Site::new();
    let wrong = ["evil.example", "evil.example:3030", "127.0.0.1", "127.0.0.1:3031", "192.168.1.5:3030", ""];
    for path in ["/health", "/metrics", "/", "/app.css", "/api/status", "/nothing"] {
        for host in wrong {
            let request = empty(bearer(Request::builder().uri(path).header("host", host)));
            assert_eq!(site.answer(request).await.status, StatusCode::MISDIRECTED_REQUEST, "{path} {host}");
        }
        let none = empty(bearer(Request::builder().uri(path)));
        assert_eq!(site.answer(none).await.status, StatusCode::MISDIRECTED_REQUEST);
        let two = empty(bearer(own("GET", path).header("host", "evil.example")));
        assert_eq!(site.answer(two).await.status, StatusCode::MISDIRECTED_REQUEST);
        let absolute = empty(bearer(own("GET", &format!("http://evil.example{path}"))));
        assert_eq!(site.answer(absolute).await.status, StatusCode::MISDIRECTED_REQUEST);
    }
    for host in ["localhost:3030", "[::1]:3030", OWN] {
        let request = empty(Request::builder().uri("/health").header("host", host));
        assert_eq!(site.answer(request).await.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn a_foreign_page_is_refused_even_with_the_cookie() {
    let site = Site::new();
    let json = "{\"command\":\"retry_all\"}";
    for origin in ["http://evil.example", "null", "http://127.0.0.1:8090", "https://127.0.0.1:3030", ""] {
        let request = command_request().header("origin", origin).body(Body::from(json)).unwrap();
        assert_eq!(site.answer(request).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert!(site.asked().is_empty());
    for origin in ["http://127.0.0.1:3030", "http://localhost:3030"] {
        let request = command_request().header("origin", origin).body(Body::from(json)).unwrap();
        assert_eq!(site.answer(request).await.status, StatusCode::OK, "{origin}");
    }
    assert_eq!(site.asked().len(), 2);
}

#[tokio::test]
async fn other_methods_are_refused() {
    let site = Site::new();
    for (method, path) in [
        ("POST", "/health"),
        ("DELETE", "/metrics"),
        ("PUT", "/"),
        ("POST", "/app.css"),
        ("POST", "/api/status"),
        ("POST", "/api/events"),
        ("GET", "/api/command"),
        ("PUT", "/api/command"),
        ("TRACE", "/health"),
        ("OPTIONS", "/api/command"),
    ] {
        let request = bearer(own(method, path)).header("content-type", "application/json");
        let answer = site.answer(empty(request)).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn nothing_of_the_disk_is_reached() {
    let site = Site::new();
    for path in [
        "/../Cargo.toml",
        "/ui/../Cargo.toml",
        "/..%2fCargo.toml",
        "/%2e%2e/Cargo.toml",
        "/render/../../Cargo.toml",
        "/render/..%5c..%5cCargo.toml",
        "//etc/passwd",
        "/Cargo.toml",
        "/index.html",
        "/.git/config",
    ] {
        let answer = site.get_with_token(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.text, "{\"error\":\"There is nothing here.\"}");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let site = Site::new();
    for path in ["/health", "/metrics", "/", "/app.css", "/api/status", "/nothing", "/?token=wrong"] {
        let answer = site.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}");
        assert!(!policy.contains("unsafe") && policy.ends_with("frame-ancestors 'none'"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let cached = if path == "/app.css" { "no-cache" } else { "no-store" };
        assert_eq!(answer.header("cache-control"), cached, "{path}");
    }
}

#[tokio::test]
async fn a_known_file_is_not_sent_again() {
    let site = Site::new();
    let first = site.get("/main.js").await;
    assert_eq!(first.header("content-type"), "text/javascript; charset=utf-8");
    let again =
        site.answer(empty(own("GET", "/main.js").header("if-none-match", first.header("etag")))).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let other = site.answer(empty(own("GET", "/main.js").header("if-none-match", "\"other\""))).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn a_command_reaches_the_engine_and_its_answer_comes_back() {
    let site = Site::new();
    let answer = site.post("{\"command\":\"retry\",\"number\":\"GST-0151\"}").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.text, "{\"reply\":\"accepted\",\"sentence\":\"It is being tried now.\"}");
    for json in [
        "{\"command\":\"retry_all\"}",
        "{\"command\":\"sync_now\"}",
        "{\"command\":\"pause\",\"until\":\"2025-09-15T10:15:00.000Z\"}",
    ] {
        assert_eq!(site.post(json).await.status, StatusCode::OK, "{json}");
    }
    let refused = site.post("{\"command\":\"resume\"}").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.text, "{\"reply\":\"refused\",\"sentence\":\"ShopSync is not paused.\"}");
    let expected = [
        Command::Retry { number: "GST-0151".into() },
        Command::RetryAll,
        Command::SyncNow,
        Command::Pause { until: at(15) },
        Command::Resume,
    ];
    assert_eq!(site.asked(), expected);
}

#[tokio::test]
async fn what_is_no_command_is_refused_without_repeating_it() {
    let site = Site::new();
    for json in
        ["", "{", "null", "[]", "{\"command\":\"delete_everything\"}", "{\"command\":\"retry\"}", "\u{0}"]
    {
        let answer = site.post(json).await;
        assert!(answer.status.is_client_error(), "{json}");
        assert_eq!(answer.text, "{\"error\":\"That is not a command ShopSync knows.\"}");
    }
    let large = format!("{{\"command\":\"retry\",\"number\":\"{}\"}}", "9".repeat(17 * 1024));
    assert_eq!(site.post(&large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let copy = |kilobytes: usize| {
        let copy = "x".repeat(kilobytes * 1024);
        format!("{{\"command\":\"restore_invoice\",\"copy\":\"{copy}\",\"confirmed\":false}}")
    };
    assert_eq!(site.post(&copy(17 * 1024)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let request = bearer(own("POST", "/api/command")).header("content-type", kind);
        let answer = site.answer(request.body(Body::from("{\"command\":\"retry_all\"}")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    assert!(site.asked().is_empty());
    // Only a copy of a bill's rows may be long.
    assert_eq!(site.post(&copy(1024)).await.status, StatusCode::OK);
    assert!(matches!(site.asked().as_slice(), [Command::RestoreInvoice { confirmed: false, .. }]));
}
