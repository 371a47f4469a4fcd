//! The composition root: the only place that builds adapters and hands them to the engine. What stays when another
//! engine takes over (the data folder, the store, the page) is the `house`; an engine with its adapters a `work`.

mod behind;
mod candidates;
pub mod desktop;
mod diagnostics;
mod elsewhere;
mod first_run;
mod greeting;
mod house;
mod office;
mod parts;
pub mod service;
mod session;
mod switch;
mod trying;
mod work;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use tokio_util::sync::CancellationToken;

use crate::engine::toasts;
use crate::model::fault::Fault;
use crate::platform::random_token;
use crate::ports::desktop::{Front, Toaster};
use crate::ports::{Controls, Secrets};
use crate::store::Store;
use crate::supervisor;
use crate::web::{self, Access};

pub use house::House;
pub use switch::Switch;

/// The secret that opens the status page.
pub const PAGE_TOKEN: &str = "page.token";
/// The secret of the SQL login.
pub const RAINTEK_PASSWORD: &str = "raintek.password";

/// In the data folder: the port of 127.0.0.1 on which the page of the ShopSync that runs is served.
pub const PORT_FILE: &str = "shopsync.port";

/// What a start needs to know.
#[derive(Debug, Clone)]
pub struct Start {
    /// The data folder.
    pub data: PathBuf,
    /// The settings file; it need not exist.
    pub settings: PathBuf,
    /// Leave the PocketBase we started running at the end.
    pub leave_billing_running: bool,
}

/// A ShopSync that runs. Dropped without [`Running::stop`] it is cut off as by a power cut.
#[derive(Debug)]
pub struct Running {
    /// Commands in, state out.
    pub handle: Arc<Switch>,
    /// The page's link, with its token.
    pub link: String,
    /// The page's port on 127.0.0.1.
    pub port: u16,
    /// Every route, for a window of this process.
    page: Router,
    access: Access,
    state: Arc<Store>,
    house: Arc<House>,
    stop: CancellationToken,
    tasks: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Finishes what is on its way, or has it rolled back, and stops: within five seconds, whatever hangs. The one way
    /// to end in order, for Ctrl-C, SIGTERM and the end of a Windows session alike.
    pub async fn stop(self) {
        self.stop.cancel();
        // The supervisor bounds the wait for its tasks; a panic in it has been logged.
        let _ = tokio::join!(self.house.close(), self.tasks);
        self.house.release();
        tracing::info!("stopped");
    }

    /// Returns when it is asked to start itself anew, so that all settings count.
    pub async fn asked_to_restart(&self) {
        self.house.asked_to_restart().await;
    }
}

/// Builds everything and starts it. Sides that are away are no error: they are tried for ever. Where nothing is set up
/// yet, only the page is served, until somebody says Start there.
///
/// # Errors
/// What cannot get better by itself: a second instance, a damaged store, a port that is taken, settings that
/// contradict themselves.
pub async fn start(start: Start) -> anyhow::Result<Running> {
    start_on(start, None, false).await
}

/// What there is of a desktop.
pub(crate) struct Screen {
    /// Brings the window forward.
    pub(crate) front: Arc<dyn Front>,
    /// Shows toasts, where they are wanted.
    pub(crate) toaster: Option<Arc<dyn Toaster>>,
}

impl std::fmt::Debug for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").field("toasts", &self.toaster.is_some()).finish_non_exhaustive()
    }
}

/// The same on a desktop. With `patient`, settings with which no engine can be made are shown on the page, where they
/// can be put right, and are no error.
pub(crate) async fn start_on(start: Start, screen: Option<Screen>, patient: bool) -> anyhow::Result<Running> {
    let house = House::open(&start.data, start.settings)?;
    if start.leave_billing_running {
        house.leave_billing_running();
    }
    if !patient {
        house.try_settings().await?;
    }
    let wanted = house.counting().await.web.port;
    let listener = web::bind(wanted).await?;
    house.serves_on(wanted);
    let port = listener.local_addr().context("The page's port cannot be read.")?.port();
    let access = Access::new(page_token(house.secrets())?, port)?;
    // For commands: the settings may name another port by now, or none.
    if let Err(error) = std::fs::write(start.data.join(PORT_FILE), port.to_string()) {
        tracing::warn!(%error, "the page's port is not noted down");
    }
    let link = access.link();
    let controls = house.switch() as Arc<dyn Controls>;
    let office = Arc::new(house::Counter(Arc::clone(&house)));
    let (front, toaster) = screen.map_or((None, None), |screen| (Some(screen.front), screen.toaster));
    let past = house.past();
    let doors = |front| web::Doors {
        front,
        past: Some(past.clone()),
        office: Some(Arc::clone(&office) as Arc<dyn crate::ports::setup::Office>),
    };
    let page = web::router_with(Arc::clone(&controls), access.for_window(), doors(None));
    let router = web::router_with(controls, access.clone(), doors(front));

    if let Err(error) = house.begin().await {
        if !patient {
            house.close().await;
            house.release();
            return Err(error);
        }
        tracing::error!("{error:#}");
    }
    let stop = CancellationToken::new();
    let tasks = toaster
        .map(|toaster| toasts::task(house.switch().watch(), house.only_where_wanted(toaster), stop.clone()));
    let tasks: Vec<_> = tasks.into_iter().chain([house.clone().keeper()]).collect();
    let (clock, running, serving) = (house.clock(), stop.clone(), stop.clone());
    let tasks = tokio::spawn(async move {
        tokio::join!(supervisor::run(tasks, clock, running), web::serve(listener, router, serving));
    });
    tracing::info!(version = env!("CARGO_PKG_VERSION"), port, "started");
    Ok(Running { handle: house.switch(), link, port, page, access, state: house.store(), house, stop, tasks })
}

/// The page's router over a house that nobody serves: for the command line, where no ShopSync runs.
pub(crate) fn desk(house: &Arc<House>) -> anyhow::Result<Router> {
    let access = Access::new(random_token()?, 0)?.for_window();
    let office = Arc::new(house::Counter(Arc::clone(house)));
    let doors = web::Doors { office: Some(office), past: Some(house.past()), front: None };
    Ok(web::router_with(house.switch() as Arc<dyn Controls>, access, doors))
}

/// The page's token, made once.
fn page_token(secrets: &dyn Secrets) -> Result<String, Fault> {
    if let Some(token) = secrets.get(PAGE_TOKEN)? {
        return Ok(token);
    }
    let token = random_token()?;
    secrets.set(PAGE_TOKEN, &token)?;
    Ok(token)
}
