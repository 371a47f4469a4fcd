//! The window's own way in, links that open once, waiting for the next state, and bringing the window forward.

use super::*;
use crate::ports::desktop::Front;
use crate::web::{Doors, router_with};

/// A window that remembers what it was asked to show.
struct Window {
    here: bool,
    shown: Mutex<Vec<Option<String>>>,
}

impl Front for Window {
    fn show(&self, item: Option<String>) -> bool {
        self.shown.lock().unwrap().push(item);
        self.here
    }
}

fn in_window(site: &Site) -> Router {
    let access = Access::new(TOKEN, 3030).unwrap().for_window();
    router_with(Arc::clone(&site.fake) as Arc<dyn Controls>, access, Doors::default())
}

fn request(method: &str, target: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(target)
}

#[tokio::test]
async fn the_window_needs_no_token_and_has_all_rights() {
    let mut site = Site::new();
    site.router = in_window(&site);
    // As wry hands it over on Linux and on Windows: no Host, the page's own origin where there is one.
    for origin in ["shopsync://localhost", "http://shopsync.localhost"] {
        let page = site.answer(request("GET", &format!("{origin}/")).body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::OK, "{origin}");
        assert!(
            page.text.contains("/main.js")
                && page.header("content-security-policy").contains("script-src 'self'")
        );
        let status =
            site.answer(request("GET", &format!("{origin}/api/status")).body(Body::empty()).unwrap()).await;
        assert_eq!(status.status, StatusCode::OK);
        let command = request("POST", &format!("{origin}/api/command"))
            .header("origin", origin)
            .header("content-type", "application/json")
            .body(Body::from(r#"{"command":"sync_now"}"#))
            .unwrap();
        assert_eq!(site.answer(command).await.status, StatusCode::OK);
    }
    assert_eq!(site.asked(), [Command::SyncNow, Command::SyncNow]);
}

#[tokio::test]
async fn what_is_not_our_page_is_refused_in_the_window_as_well() {
    let mut site = Site::new();
    site.router = in_window(&site);
    for origin in ["http://evil.example", "null", "http://127.0.0.1:3030", "shopsync://elsewhere"] {
        let asked = request("POST", "shopsync://localhost/api/command")
            .header("origin", origin)
            .header("content-type", "application/json")
            .body(Body::from(r#"{"command":"sync_now"}"#))
            .unwrap();
        assert_eq!(site.answer(asked).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let elsewhere = request("GET", "shopsync://evil.example/api/status").body(Body::empty()).unwrap();
    assert_eq!(site.answer(elsewhere).await.status, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(site.asked(), []);
    // And the listener takes no window's name for its own.
    let site = Site::new();
    let posed =
        request("GET", "/api/status").header("host", "shopsync.localhost").body(Body::empty()).unwrap();
    assert_eq!(site.answer(posed).await.status, StatusCode::MISDIRECTED_REQUEST);
    let posed = bearer(own("GET", "/api/status")).header("origin", "shopsync://localhost");
    assert_eq!(site.answer(posed.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_link_is_good_once_and_then_only_for_who_followed_it() {
    let mut site = Site::new();
    let access = Access::new(TOKEN, 3030).unwrap();
    site.router = router_with(Arc::clone(&site.fake) as Arc<dyn Controls>, access.clone(), Doors::default());
    let link = access.link_once().unwrap();
    let path = link.strip_prefix("http://127.0.0.1:3030").unwrap();
    let first = site.get(path).await;
    assert_eq!((first.status, first.header("location")), (StatusCode::SEE_OTHER, "/"));
    let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("shopsync_3030="), "{cookie}");

    let second = site.get(path).await;
    assert_eq!((second.status, second.header("set-cookie")), (StatusCode::UNAUTHORIZED, ""));
    let again = own("GET", path).header("cookie", &cookie).body(Body::empty()).unwrap();
    assert_eq!(site.answer(again).await.status, StatusCode::SEE_OTHER);
    let page = own("GET", "/").header("cookie", &cookie).body(Body::empty()).unwrap();
    assert_eq!(site.answer(page).await.status, StatusCode::OK);
    // A wrong token stays wrong, whoever brings it.
    for path in ["/?token=wrong", "/?once=wrong&token=wrong"] {
        let asked = own("GET", path).header("cookie", &cookie).body(Body::empty()).unwrap();
        assert_eq!(site.answer(asked).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn asked_for_what_comes_after_it_waits_for_that() {
    let site = Site::new();
    let known = snapshot().at;
    let path = |at: DateTime<Utc>| {
        let at = at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        format!("/api/status?after={at}")
    };
    // Something else is known: at once.
    let other = site.get_with_token(&path(known - chrono::TimeDelta::seconds(1))).await;
    assert_eq!(other.status, StatusCode::OK);
    // This one is known, and no other comes.
    let none = site.get_with_token(&path(known)).await;
    assert_eq!((none.status, none.text.as_str()), (StatusCode::NO_CONTENT, ""));
    // It is known, and another comes meanwhile.
    let path = path(known);
    let asked = site.get_with_token(&path);
    let published = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        site.publish(|next| next.at += chrono::TimeDelta::seconds(1));
    };
    let (answer, ()) = tokio::join!(asked, published);
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains("\"sentence\""));
    let wrong = site.get_with_token("/api/status?after=yesterday").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn who_waits_for_a_publisher_that_is_gone_is_told() {
    let mut site = Site::new();
    site.publisher = None;
    let at = snapshot().at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    let answer = site.get_with_token(&format!("/api/status?after={at}")).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_second_start_brings_the_window_forward_or_gets_a_link() {
    for (here, link) in [(true, false), (false, true)] {
        let mut site = Site::new();
        let window = Arc::new(Window { here, shown: Mutex::default() });
        let access = Access::new(TOKEN, 3030).unwrap();
        let front = Some(Arc::clone(&window) as Arc<dyn Front>);
        site.router = router_with(
            Arc::clone(&site.fake) as Arc<dyn Controls>,
            access,
            Doors { front, ..Doors::default() },
        );
        let ask = |body: &str, token: bool| {
            let request = own("POST", "/api/show").header("content-type", "application/json");
            let request = if token { bearer(request) } else { request };
            request.body(Body::from(body.to_owned())).unwrap()
        };
        assert_eq!(site.answer(ask("{}", false)).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(*window.shown.lock().unwrap(), []);
        let answer = site.answer(ask(r#"{"item":"GST-0151"}"#, true)).await;
        let said: serde_json::Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!((said["shown"].as_bool(), said["link"].is_string()), (Some(here), link), "{said}");
        assert_eq!(*window.shown.lock().unwrap(), [Some("GST-0151".to_owned())]);
        assert_eq!(site.answer(ask("now", true)).await.status, StatusCode::BAD_REQUEST);
    }
}
