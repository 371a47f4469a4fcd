//! The page's files, part of the program: nothing on the disk is ever read for a request.

use std::future::{Ready, ready};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::Shared;
use super::access::hex;

const PAGE: &str = include_str!("../../ui/index.html");
const LOCKED: &str = include_str!("../../ui/locked.html");

struct Asset {
    path: &'static str,
    text: &'static str,
}

macro_rules! assets {
    ($($path:literal),* $(,)?) => {
        &[$(Asset { path: concat!("/", $path), text: include_str!(concat!("../../ui/", $path)) }),*]
    };
}

/// Every file of `ui/` but the two pages; a test holds the list against the folder.
const ASSETS: &[Asset] = assets![
    "api.js",
    "app.css",
    "dialog.js",
    "dom.js",
    "format.js",
    "icons.js",
    "live.js",
    "main.js",
    "nav.js",
    "page.js",
    "pull.js",
    "render/about.js",
    "render/activity.js",
    "render/backups.js",
    "render/banner.js",
    "render/bills.js",
    "render/cards.js",
    "render/charts.js",
    "render/controls.js",
    "render/done.js",
    "render/fields.js",
    "render/items.js",
    "render/mode.js",
    "render/problems.js",
    "render/scan.js",
    "render/settings.js",
    "render/setup.js",
    "render/state.js",
    "render/tabs.js",
    "seek.js",
    "sentences.js",
    "sentences/hi.js",
    "sentences/hi.setup.js",
    "sentences/hi.sides.js",
    "views.css",
    "words.js",
    "words/en.js",
    "words/fields.en.js",
    "words/fields.hi.js",
    "words/hi.js",
];

/// One route for each file: a path that is not in the list does not exist, however it is spelled.
pub(super) fn routes() -> Router<Shared> {
    ASSETS.iter().fold(Router::new(), |router, asset| {
        let tag = format!("\"{}\"", hex(&Sha256::digest(asset.text)).chars().take(32).collect::<String>());
        router.route(asset.path, get(move |headers: HeaderMap| ready(served(asset, &tag, &headers))))
    })
}

#[derive(Deserialize)]
pub(super) struct Key {
    token: Option<String>,
    once: Option<String>,
}

/// The page. A link's token or one-time secret becomes a cookie and leaves the address, so that no history or
/// bookmark keeps it.
pub(super) fn page(
    State(shared): State<Shared>,
    Query(key): Query<Key>,
    headers: HeaderMap,
) -> Ready<Response> {
    let access = &shared.access;
    let carried = match (&key.token, &key.once) {
        (Some(token), None) => Some(access.admits(token)),
        (None, Some(secret)) => Some(access.takes_once(secret)),
        (None, None) => None,
        (Some(_), Some(_)) => Some(false),
    };
    // A used link in a browser that has the cookie is a page that was loaded again, and no intruder.
    let known = access.admits_request(&headers) && key.token.is_none();
    ready(match carried {
        Some(true) => (StatusCode::SEE_OTHER, [(LOCATION, "/".to_owned()), (SET_COOKIE, access.cookie())])
            .into_response(),
        Some(false) if known => (StatusCode::SEE_OTHER, [(LOCATION, "/".to_owned())]).into_response(),
        None if known => Html(PAGE).into_response(),
        _ => (StatusCode::UNAUTHORIZED, Html(LOCKED)).into_response(),
    })
}

fn served(asset: &'static Asset, tag: &str, headers: &HeaderMap) -> Response {
    let known = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    // Asked about each time, so that an update of the program is an update of the page.
    let fresh = [(ETAG, tag.to_owned()), (CACHE_CONTROL, "no-cache".to_owned())];
    if known {
        return (StatusCode::NOT_MODIFIED, fresh).into_response();
    }
    (fresh, [(CONTENT_TYPE, media_type(asset.path))], asset.text).into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_embedded_and_none_is_missing() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
        let mut found = BTreeSet::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let inner = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                    found.insert(format!("/{inner}"));
                }
            }
        }
        let embedded: BTreeSet<_> = ASSETS
            .iter()
            .map(|asset| asset.path)
            .chain(["/index.html", "/locked.html"])
            .map(str::to_owned)
            .collect();
        assert_eq!(found, embedded);
    }

    #[test]
    fn every_module_is_asked_for_at_once() {
        // One that only another one names is asked for when that has come: a window would open in six steps.
        for asset in ASSETS.iter().filter(|asset| asset.path.ends_with(".js")) {
            let link = format!("<link rel=\"modulepreload\" href=\"{}\">", asset.path);
            assert_eq!(PAGE.matches(&link).count(), 1, "{link}");
        }
        let scripts = ASSETS.iter().filter(|asset| asset.path.ends_with(".js")).count();
        assert_eq!(PAGE.matches("modulepreload").count(), scripts, "none that is not there");
    }

    #[test]
    fn nothing_is_loaded_from_anywhere_else() {
        for text in ASSETS.iter().map(|asset| asset.text).chain([PAGE, LOCKED]) {
            // The name of a drawing's markup, and what an address looks like.
            let text = text.replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1:8090", "");
            assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("//cdn"));
        }
    }

    #[test]
    fn the_policy_holds_no_inline_script_style_or_markup_by_text() {
        for page in [PAGE, LOCKED] {
            assert!(!page.contains("style=") && !page.contains("<style") && !page.contains(" on"));
            assert!(page.matches("<script").count() == page.matches("<script type=\"module\" src=").count());
        }
        for asset in ASSETS.iter().filter(|asset| asset.path.ends_with(".js")) {
            for unsafe_way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!asset.text.contains(unsafe_way), "{} has {unsafe_way}", asset.path);
            }
        }
    }
}
