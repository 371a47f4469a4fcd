//! Toasts of the desktop, by the notification service of Windows or of the session bus.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use notify_rust::{Notification, NotificationHandle, NotificationResponse, Timeout};

use crate::model::desktop::Toast;
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::desktop::{Front, Toaster};

/// What the system knows the program by; the same as in the registry on Windows.
pub const APP_ID: &str = "ShopSync";
/// Toasts whose click is waited for, each on a thread of its own: some desktops keep one for hours.
const MOST_WAITING: usize = 4;
/// Where there is no notification service a bus may take its time to say so.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

/// Shows toasts; a click brings the window forward at what the toast was about.
pub struct DesktopToasts {
    front: Arc<dyn Front>,
    icon: Option<String>,
    waiting: Arc<AtomicUsize>,
}

impl fmt::Debug for DesktopToasts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesktopToasts").field("icon", &self.icon).finish_non_exhaustive()
    }
}

impl DesktopToasts {
    /// `icon` is the place of a picture, where there is one.
    pub fn new(front: Arc<dyn Front>, icon: Option<String>) -> Self {
        Self { front, icon, waiting: Arc::default() }
    }
}

#[async_trait]
impl Toaster for DesktopToasts {
    async fn show(&self, toast: &Toast) -> Result<(), Fault> {
        let notification = notification(toast, self.icon.as_deref());
        // A thread of its own and not the pool's: the answer of a desktop may take hours.
        let (shown, done) = tokio::sync::oneshot::channel();
        let (front, item, waiting) = (Arc::clone(&self.front), toast.item.clone(), Arc::clone(&self.waiting));
        let spawned =
            std::thread::Builder::new().name("toast".into()).spawn(move || match notification.show() {
                Err(error) => {
                    let _ = shown.send(Err(error.to_string()));
                }
                Ok(handle) => {
                    let _ = shown.send(Ok(()));
                    if waiting.fetch_add(1, Ordering::AcqRel) < MOST_WAITING {
                        wait_for_click(handle, &front, item);
                    }
                    waiting.fetch_sub(1, Ordering::AcqRel);
                }
            });
        spawned.map_err(|error| silent(&error))?;
        match tokio::time::timeout(PATIENCE, done).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(why))) => Err(silent(&why)),
            Ok(Err(_)) => Err(silent(&"the thread ended")),
            Err(_) => Err(silent(&"no answer in time")),
        }
    }
}

fn notification(toast: &Toast, icon: Option<&str>) -> Notification {
    let mut notification = Notification::new();
    notification
        .appname(APP_ID)
        .summary(&toast.title)
        .body(&toast.text)
        .timeout(Timeout::Milliseconds(10_000));
    #[cfg(windows)]
    notification.app_id(APP_ID);
    // A click on the toast itself; Windows has that without asking.
    #[cfg(not(windows))]
    notification.action("default", "Open ShopSync");
    #[cfg(not(windows))]
    notification.icon(icon.unwrap_or_default());
    #[cfg(windows)]
    let _ = icon; // It stands beside the app id in the registry.
    notification
}

fn wait_for_click(handle: NotificationHandle, front: &Arc<dyn Front>, item: Option<String>) {
    let front = Arc::clone(front);
    let clicked = move |response: &NotificationResponse| {
        if matches!(response, NotificationResponse::Default | NotificationResponse::Action(_)) {
            front.show(item.clone());
        }
    };
    if let Err(error) = handle.wait_for_response(clicked) {
        tracing::debug!(%error, "a toast ended unseen");
    }
}

fn silent(why: &dyn fmt::Display) -> Fault {
    Fault::new(FaultKind::Transient, Scope::Item, "This desktop shows no messages now.")
        .action(Action::CallSupport)
        .detail(why)
}
