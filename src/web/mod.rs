//! What is seen of ShopSync from outside the process, and the few things that can be asked of it: `/health`,
//! `/metrics`, the status page of `ui/` and the API behind it.
//!
//! Architecture invariants: nothing here knows an adapter; everything comes from [`Controls`], and every answer
//! about the state is the one [`Snapshot`] that the tray and the alerts read too.
//! The listener is bound to this PC alone; because every page in the user's browser can reach that as well, each
//! request is checked for its `Host` and `Origin`, and whatever tells of customers asks for the [`Access`] token.
//!
//! What this needs of the publisher: that a snapshot is published anew at least every 30 seconds, also when
//! nothing changed. The page calls a snapshot older than 90 seconds stale.

mod access;
mod api;
mod assets;
mod guard;
mod health;
mod history;
mod metrics;
mod serve;
mod setup;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::model::status::Snapshot;
use crate::ports::Controls;
use crate::ports::desktop::Front;
use crate::ports::setup::Office;

pub use access::{Access, WeakToken};
pub use history::Past;
pub use serve::{BindError, bind, serve};

/// Every route, behind every check: the one back end of the page, for a browser and for a window.
///
/// | route | token | answer |
/// | --- | --- | --- |
/// | `GET /health` | no | JSON: state, sentence, links, queue; 503 while failing or without an engine |
/// | `GET /metrics` | no | Prometheus text |
/// | `GET /` | yes | the page; with `?token=` or, once, `?once=` the cookie is set and the secret leaves the address |
/// | `GET /app.css`, `/*.js` | no | the page's parts, the same for everybody |
/// | `GET /api/status` | yes | the snapshot, JSON; `?after=` its `at` waits for another, 204 where there is none |
/// | `GET /api/events` | yes | server-sent events: `snapshot` with each change, `ping` while nothing changes |
/// | `POST /api/command` | yes | a [`Command`](crate::model::command::Command) as JSON; 200 or, refused, 409 with a [`Reply`](crate::model::command::Reply) |
/// | `GET /api/day` | yes | today: invoices an hour, how long they took, which they were |
/// | `GET /api/bills` | yes | bills of RainTek's own, newest first |
/// | `GET /api/journal?kind=&before=&limit=` | yes | a page of the journal; `/api/journal.csv` all of it, `POST /api/journal/save` into a file |
/// | `GET /api/about` | yes | versions of ShopSync and PocketBase, folders, libraries with their licences |
/// | `/api/settings`, `/api/setup`, `/api/diagnostics` | yes | see `setup`; a refusal is `{"refused": sentence, "field": key}` |
/// | `POST /api/show` | yes | `{"item": number or null, "browser": bool}`: brings the window forward, or only makes a link; `{"shown": bool, "link": text or null}` |
///
/// `yes` is the cookie or `Authorization: Bearer`. Errors are `{"error": "one sentence"}`.
pub fn router(controls: Arc<dyn Controls>, access: Access) -> Router {
    router_with(controls, access, Doors::default())
}

/// What else is behind the page, where there is any.
#[derive(Clone, Default)]
pub struct Doors {
    /// A window to bring forward.
    pub front: Option<Arc<dyn Front>>,
    /// Settings, first run and diagnostics.
    pub office: Option<Arc<dyn Office>>,
    /// What is remembered.
    pub past: Option<Past>,
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors")
            .field("front", &self.front.is_some())
            .field("office", &self.office.is_some())
            .field("past", &self.past)
            .finish()
    }
}

/// The same with whatever else is behind the page. With [`Access::for_window`] it is the window's own page.
pub fn router_with(controls: Arc<dyn Controls>, access: Access, doors: Doors) -> Router {
    let Doors { front, office, past } = doors;
    let shared = Shared { controls, access: Arc::new(access), front, office, past };
    let behind_token = Router::new()
        .route("/api/status", get(api::status))
        .route("/api/events", get(api::events))
        .route("/api/command", post(api::command).layer(api::body_limit()))
        .route("/api/show", post(api::show).layer(api::body_limit()))
        .merge(history::routes())
        .merge(setup::routes())
        .route_layer(axum::middleware::from_fn_with_state(shared.clone(), guard::token));
    assets::routes()
        .merge(behind_token)
        .route("/", get(assets::page))
        .route("/health", get(health::health))
        .route("/metrics", get(metrics::metrics))
        .fallback(guard::not_found)
        .layer(axum::middleware::from_fn_with_state(shared.clone(), guard::front_door))
        .with_state(shared)
}

/// The page of a ShopSync that runs in another process, for a window of this one: its files are served here, so that it
/// is there whatever becomes of the other; whatever it asks is for `onward`. `access` is [`Access::for_window`].
pub fn router_onward(controls: Arc<dyn Controls>, access: Access, onward: Router) -> Router {
    let shared = Shared { controls, access: Arc::new(access), front: None, office: None, past: None };
    assets::routes()
        .route("/", get(assets::page))
        .fallback_service(onward)
        .layer(axum::middleware::from_fn_with_state(shared.clone(), guard::front_door))
        .with_state(shared)
}

/// What every handler may reach.
#[derive(Clone)]
struct Shared {
    controls: Arc<dyn Controls>,
    access: Arc<Access>,
    front: Option<Arc<dyn Front>>,
    past: Option<Past>,
    office: Option<Arc<dyn Office>>,
}

impl Shared {
    /// The newest snapshot, and whether somebody still publishes.
    fn published(&self) -> Published {
        let receiver = self.controls.watch();
        let running = receiver.has_changed().is_ok();
        let snapshot = Arc::clone(&receiver.borrow());
        Published { snapshot, running }
    }
}

/// A snapshot is only as good as its publisher: one whose publisher is gone is never shown as the state.
struct Published {
    snapshot: Arc<Snapshot>,
    running: bool,
}
