//! What stands behind a tray: an engine of this process, or one of another.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use chrono_tz::Tz;
use tokio::sync::watch;

use super::Running;
use super::house::House;
use super::switch::Switch;
use crate::model::command::{Command, Reply};
use crate::model::fault::Fault;
use crate::model::settings::DesktopSettings;
use crate::model::status::Snapshot;
use crate::ports::{Controls, State as _};
use crate::store::Store;
use crate::web::Access;

/// What a tray shows, and asks.
#[async_trait]
pub(super) trait Behind: Controls {
    /// Whether it ends with this process.
    fn is_here(&self) -> bool;

    /// What the settings say to the desktop; changes wake the receiver.
    fn desktop(&self) -> watch::Receiver<DesktopSettings>;

    /// The shop's zone.
    fn zone(&self) -> Tz;

    /// The page's router, for a window of this process.
    fn page(self: Arc<Self>) -> Router;

    /// A link that opens the page once, in a browser; or why there is none, in one sentence.
    async fn link(&self) -> Result<String, String>;

    /// What the tray remembered under this name.
    async fn recall(&self, name: &str) -> Result<Option<String>, Fault>;

    /// Remembers something of the tray's own.
    async fn remember(&self, name: &str, text: &str) -> Result<(), Fault>;
}

/// An engine of this process.
pub(super) struct Here {
    handle: Arc<Switch>,
    access: Access,
    page: Router,
    state: Arc<Store>,
    house: Arc<House>,
}

impl Running {
    /// As a tray knows it.
    pub(super) fn behind(&self) -> Arc<dyn Behind> {
        Arc::new(Here {
            handle: Arc::clone(&self.handle),
            access: self.access.clone(),
            page: self.page.clone(),
            state: Arc::clone(&self.state),
            house: Arc::clone(&self.house),
        })
    }
}

#[async_trait]
impl Controls for Here {
    async fn command(&self, command: Command) -> Reply {
        self.handle.command(command).await
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.handle.watch()
    }
}

#[async_trait]
impl Behind for Here {
    fn is_here(&self) -> bool {
        true
    }

    fn desktop(&self) -> watch::Receiver<DesktopSettings> {
        self.house.desktop()
    }

    fn zone(&self) -> Tz {
        self.house.zone()
    }

    fn page(self: Arc<Self>) -> Router {
        self.page.clone()
    }

    async fn link(&self) -> Result<String, String> {
        self.access.link_once().ok_or_else(|| "The system has no randomness to make a link of.".to_owned())
    }

    async fn recall(&self, name: &str) -> Result<Option<String>, Fault> {
        self.state.get(name).await
    }

    async fn remember(&self, name: &str, text: &str) -> Result<(), Fault> {
        self.state.set(name, Some(text)).await
    }
}
