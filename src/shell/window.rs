//! The window with the page: made when it opens, gone with everything that belongs to it when it closes.

use std::borrow::Cow;
use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use tao::dpi::{LogicalSize, PhysicalPosition, PhysicalSize};
use tao::event_loop::EventLoopWindowTarget;
use tao::window::{Icon, Window, WindowBuilder, WindowId};
use tower::ServiceExt as _;
use wry::{NewWindowResponse, RequestAsyncResponder, WebContext, WebView, WebViewBuilder};

use super::{Bell, Notice, Page, icons};
use crate::model::desktop::{Placement, Screen};

/// By its own scheme the page has an origin that no other program can pose as.
const SCHEME: &str = "shopsync";
const HOME: &str = "shopsync://localhost/";
/// The same, as WebView2 spells it.
const HOME_ON_WINDOWS: &str = "http://shopsync.localhost/";
/// A page is some hundred kilobytes at most; five hundred held invoices are one megabyte.
const LARGEST_ANSWER: usize = 64 << 20;

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoWindow {
    /// The desktop has none for us.
    #[error("no window: {0}")]
    Window(#[from] tao::error::OsError),
    /// There is no web view: WebView2 or WebKit is missing or broken.
    #[error("no web view: {0}")]
    View(#[from] wry::Error),
    #[cfg(target_os = "linux")]
    /// The window has no place for a web view.
    #[error("no place for the web view")]
    Place,
}

/// Dropped in this order: the view leaves before what it stands in.
pub(super) struct StatusWindow {
    view: WebView,
    _context: WebContext,
    window: Window,
}

impl StatusWindow {
    /// Opens it, at this invoice where one is named.
    ///
    /// # Errors
    /// [`NoWindow`]; nothing is left of it.
    pub(super) fn open(
        target: &EventLoopWindowTarget<Notice>,
        page: &Page,
        folder: &Path,
        runtime: &tokio::runtime::Handle,
        bell: &Bell,
        item: Option<&str>,
    ) -> Result<Self, NoWindow> {
        // Asked first: where there is none, no window flashes up.
        wry::webview_version()?;
        let window = window(target, page.place)?;
        let mut context = WebContext::new(Some(folder.to_owned()));
        let bell = bell.clone();
        let builder = WebViewBuilder::new_with_web_context(&mut context)
            .with_asynchronous_custom_protocol(SCHEME.into(), protocol(page.router.clone(), runtime.clone()))
            .with_url(format!("{HOME}{}", fragment(item)))
            .with_navigation_handler(|url| is_own(&url))
            .with_new_window_req_handler(|_, _| NewWindowResponse::Deny)
            .with_document_title_changed_handler(move |title| {
                bell.tell(Notice::Titled(title));
            })
            .with_devtools(false);
        let view = build(builder, &window)?;
        window.set_focus();
        Ok(Self { view, _context: context, window })
    }

    pub(super) fn id(&self) -> WindowId {
        self.window.id()
    }

    /// Brings it forward, at this invoice where one is named.
    pub(super) fn show(&self, item: Option<&str>) {
        self.window.set_minimized(false);
        self.window.set_visible(true);
        self.window.set_focus();
        if item.is_some() {
            // Only letters, digits and percent signs: nothing to break out of.
            let script = format!("location.hash = '{}'", fragment(item));
            if let Err(error) = self.view.evaluate_script(&script) {
                tracing::debug!(%error, "the window did not go to the invoice");
            }
        }
    }

    /// What stands in the taskbar.
    pub(super) fn set_title(&self, title: &str) {
        self.window.set_title(title);
    }

    /// Where it stands.
    pub(super) fn place(&self) -> Option<Placement> {
        let position = self.window.outer_position().ok()?;
        let size = self.window.inner_size();
        let maximized = self.window.is_maximized();
        Some(Placement { x: position.x, y: position.y, width: size.width, height: size.height, maximized })
    }
}

fn window(target: &EventLoopWindowTarget<Notice>, place: Option<Placement>) -> Result<Window, NoWindow> {
    let icon =
        icons::of_program(48).and_then(|rgba| Icon::from_rgba(rgba.bytes, rgba.width, rgba.height).ok());
    let mut builder = WindowBuilder::new()
        .with_title("ShopSync")
        .with_window_icon(icon)
        .with_inner_size(LogicalSize::new(960, 680))
        .with_min_inner_size(LogicalSize::new(720, 520));
    let screens: Vec<_> = target
        .available_monitors()
        .map(|monitor| {
            let (at, size) = (monitor.position(), monitor.size());
            Screen { x: at.x, y: at.y, width: size.width, height: size.height }
        })
        .collect();
    if let Some(place) = place.and_then(|place| place.on(&screens)) {
        builder = builder
            .with_position(PhysicalPosition::new(place.x, place.y))
            .with_inner_size(PhysicalSize::new(place.width, place.height))
            .with_maximized(place.maximized);
    }
    Ok(builder.build(target)?)
}

#[cfg(target_os = "linux")]
fn build(builder: WebViewBuilder<'_>, window: &Window) -> Result<WebView, NoWindow> {
    use tao::platform::unix::WindowExtUnix as _;
    use wry::WebViewBuilderExtUnix as _;

    let place = window.default_vbox().ok_or(NoWindow::Place)?;
    Ok(builder.build_gtk(place)?)
}

#[cfg(not(target_os = "linux"))]
fn build(builder: WebViewBuilder<'_>, window: &Window) -> Result<WebView, NoWindow> {
    let view = builder.build(window)?;
    let size = window.inner_size();
    let bounds = wry::Rect {
        position: wry::dpi::PhysicalPosition::new(0, 0).into(),
        size: wry::dpi::PhysicalSize::new(size.width, size.height).into(),
    };
    // Without this it stays small until somebody moves the window.
    view.set_bounds(bounds)?;
    Ok(view)
}

/// Hands the page's requests to the router, beside the event loop.
fn protocol(
    router: Router,
    runtime: tokio::runtime::Handle,
) -> impl Fn(&str, Request<Vec<u8>>, RequestAsyncResponder) + Send + Sync + 'static {
    move |_view, request, responder| {
        let router = router.clone();
        runtime.spawn(async move { responder.respond(answer(router, request).await) });
    }
}

async fn answer(router: Router, request: Request<Vec<u8>>) -> Response<Cow<'static, [u8]>> {
    let Ok(response) = router.oneshot(request.map(Body::from)).await;
    let (parts, body) = response.into_parts();
    match to_bytes(body, LARGEST_ANSWER).await {
        Ok(bytes) => Response::from_parts(parts, Cow::Owned(Vec::from(bytes))),
        Err(error) => {
            tracing::warn!(%error, "an answer to the window was cut off");
            let mut failed = Response::new(Cow::Borrowed(&[] as &[u8]));
            *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            failed
        }
    }
}

/// Whether an address is the page itself: everything else stays closed in this window.
fn is_own(url: &str) -> bool {
    [HOME, HOME_ON_WINDOWS].iter().any(|home| {
        url.strip_prefix(home).is_some_and(|rest| rest.is_empty() || rest.starts_with(['#', '?']))
    })
}

/// The part of the address that leads to an invoice; only letters, digits and percent signs, whatever its number.
pub fn fragment(item: Option<&str>) -> String {
    let Some(item) = item else { return String::new() };
    let mut text = String::from("#invoice=");
    for byte in item.bytes() {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_itself_is_shown() {
        for own in [
            "shopsync://localhost/",
            "shopsync://localhost/#invoice=GST%2D1",
            "http://shopsync.localhost/",
            "http://shopsync.localhost/?x=1#held",
        ] {
            assert!(is_own(own), "{own}");
        }
        for other in [
            "https://example.com/",
            "shopsync://localhost",
            "shopsync://localhost.evil/",
            "http://shopsync.localhost.evil/",
            "shopsync://localhost/api/status",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "about:blank",
            "",
        ] {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn an_invoice_number_cannot_leave_the_address() {
        assert_eq!(fragment(None), "");
        assert_eq!(fragment(Some("GST-0151")), "#invoice=GST%2D0151");
        assert_eq!(fragment(Some("'; alert('₹")), "#invoice=%27%3B%20alert%28%27%E2%82%B9");
    }

    #[tokio::test]
    async fn answers_come_whole_with_their_head() {
        let router = Router::new()
            .route("/echo", axum::routing::post(|body: String| async { ([("x-kind", "echo")], body + "!") }));
        let request = Request::post("shopsync://localhost/echo").body(b"hello".to_vec()).unwrap();
        let response = answer(router, request).await;
        assert_eq!((response.status(), &**response.body()), (StatusCode::OK, b"hello!" as &[u8]));
        assert_eq!(response.headers()["x-kind"], "echo");
    }
}
