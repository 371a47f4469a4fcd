//! What a desktop provides, and what a window of ours does for others.

use async_trait::async_trait;

use crate::model::desktop::{Look, Question, Toast};
use crate::model::fault::Fault;

/// Shows toasts.
#[async_trait]
pub trait Toaster: Send + Sync {
    /// Shows one.
    ///
    /// # Errors
    /// This desktop shows none now.
    async fn show(&self, toast: &Toast) -> Result<(), Fault>;
}

/// The window with the page.
pub trait Front: Send + Sync {
    /// Brings it forward, opened at that invoice number where one is named. `false` where there is no window to come.
    fn show(&self, item: Option<String>) -> bool;
}

/// Whether the system starts ShopSync when its user signs in. Every method may wait for a disk.
pub trait Autostart: Send + Sync {
    /// Whether it does.
    ///
    /// # Errors
    /// The system does not say.
    fn is_on(&self) -> Result<bool, Fault>;

    /// Has it started, or no longer.
    ///
    /// # Errors
    /// The system does not let us.
    fn set(&self, on: bool) -> Result<(), Fault>;
}

/// Answers a [`Question`]; called once, from any thread.
pub type Answer = Box<dyn FnOnce(bool) + Send>;

/// The desktop itself. No method waits.
pub trait Desktop: Send + Sync {
    /// How it wants to be drawn on; `None` where the window library knows better.
    fn look(&self) -> Option<Look>;

    /// Asks a person. Gives the answer back where the window library has to ask.
    fn ask(&self, question: &Question, answer: Answer) -> Option<Answer>;

    /// Opens a folder or a link with what the user opens such things with.
    fn open(&self, target: &str);
}
