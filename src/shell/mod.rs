//! The desktop's side: tray icon, menu, window. It owns the main thread.
//!
//! Architecture invariants: nothing on the event loop waits for I/O, a lock or a full channel; whatever takes time
//! is an [`Order`] to the host beside it, and what comes of it a [`Notice`]. What is shown is a pure value
//! ([`menu::view`]), drawn here and decided nowhere else. The web view lives only while its window is open.

mod dialog;
mod event_loop;
mod icons;
pub mod menu;
mod meter;
mod tray;
mod window;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use chrono_tz::Tz;
use tokio::sync::mpsc;

use crate::model::command::Command;
use crate::model::desktop::Placement;
use crate::model::status::Snapshot;
use crate::ports::Clock;
use crate::ports::desktop::Desktop;

pub use event_loop::{Bell, NoDesktop, run};
pub use window::fragment;

/// What the shell is given.
pub struct Desk {
    /// Asks the host for what takes time.
    pub orders: mpsc::Sender<Order>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The desktop.
    pub desktop: Arc<dyn Desktop>,
    /// Where the page's answers are made.
    pub runtime: tokio::runtime::Handle,
    /// Where the web view and the tray may keep files of their own.
    pub folder: PathBuf,
    /// The window opens as soon as there is a page.
    pub show: bool,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("folder", &self.folder).field("show", &self.show).finish_non_exhaustive()
    }
}

/// What the host is asked for.
#[derive(Debug)]
pub enum Order {
    /// Of the engine; what it refuses is told as a toast.
    Command(Command),
    /// Open the page in the default browser, at this invoice where one is named.
    Browser(Option<String>),
    /// Open the folder with the logs.
    Logs,
    /// Remember where the window stood.
    Place(Placement),
    /// End, after what is on its way where that is worth waiting for.
    Quit {
        /// Wait for it.
        finish: bool,
    },
}

/// The page, once the engine runs.
#[derive(Debug, Clone)]
pub struct Page {
    /// Every route, for a window of this process.
    pub router: Router,
    /// The shop's zone.
    pub zone: Tz,
    /// Whether it opens in a window of ours.
    pub window: bool,
    /// Where the window stood last.
    pub place: Option<Placement>,
    /// The engine ends with this process; else it is another one's, which is only shown.
    pub ends_with_us: bool,
}

/// What the shell is told.
#[derive(Debug)]
pub enum Notice {
    /// The engine cannot be started, and why in one sentence; it is tried again.
    Unable(String),
    /// The engine runs.
    Running(Box<Page>),
    /// It published this.
    State(Arc<Snapshot>),
    /// It is being stopped.
    Stopping,
    /// It has stopped: the end.
    Stopped,
    /// The window is to come forward, at this invoice where one is named.
    Show(Option<String>),
    /// The page gave itself this title.
    Titled(String),
    /// The next picture of the animation.
    Frame,
    /// Draw all again: states age, and a taskbar may have forgotten.
    Again,
    /// A line of the menu was clicked.
    Chosen(menu::Choice),
    /// A question was answered.
    Answered(bool),
}

impl Notice {
    fn name(&self) -> &'static str {
        match self {
            Self::Unable(_) => "unable",
            Self::Running(_) => "running",
            Self::State(_) => "state",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Show(_) => "show",
            Self::Titled(_) => "titled",
            Self::Frame => "frame",
            Self::Again => "again",
            Self::Chosen(_) => "chosen",
            Self::Answered(_) => "answered",
        }
    }
}
