//! The composition root: the only place that builds adapters and hands them to the engine.

pub mod desktop;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use chrono::TimeDelta;
use chrono_tz::Tz;
use tokio_util::sync::CancellationToken;

use crate::alerts::{HeartbeatUrl, Telegram, WebTime};
use crate::billing::PocketBase;
use crate::engine::alerts::{Alerting, Pulse};
use crate::engine::backup::{BackupRules, Sources};
use crate::engine::surroundings::Surroundings;
use crate::engine::trial::Sources as TrialSources;
use crate::engine::{AwarenessRules, Engine, Handle, Rules, World, toasts};
use crate::model::fault::Fault;
use crate::model::settings::{Settings, default_payments};
use crate::platform::{
    FileSecrets, Instance, LocalDisk, SettingsFile, SnapshotFolder, SystemClock, default_backup_folder,
    make_private_folder, random_token, settings_path,
};
use crate::ports::alerts::TrueTime;
use crate::ports::backup::{BillingBackup, PosBackup, StoreBackup};
use crate::ports::desktop::{Front, Toaster};
use crate::ports::history::History;
use crate::ports::trial::{TrialApp, TrialPos, TrialStore};
use crate::ports::{Clock, Controls, Secrets, Task};
use crate::raintek::{RainTek, read_folder};
use crate::store::Store;
use crate::supervisor;
use crate::sync::alerting::AlertRules;
use crate::sync::mapping::MapContext;
use crate::sync::retention::Keep;
use crate::web::{self, Access, Past};

/// The secret that opens the status page.
pub const PAGE_TOKEN: &str = "page.token";
/// The secret of the SQL login.
pub const RAINTEK_PASSWORD: &str = "raintek.password";

/// How long the store may take to take down that it stops in order.
const LAST_STORE: Duration = Duration::from_millis(300);

/// What a start needs to know.
#[derive(Debug, Clone)]
pub struct Start {
    /// The data folder.
    pub data: PathBuf,
    /// All settings.
    pub settings: Settings,
    /// Leave the PocketBase we started running at the end.
    pub leave_billing_running: bool,
}

/// A ShopSync that runs. Dropped without [`Running::stop`] it is cut off as by a power cut.
#[derive(Debug)]
pub struct Running {
    /// Commands in, state out.
    pub handle: Handle,
    /// The page's link, with its token.
    pub link: String,
    /// The page's port on 127.0.0.1.
    pub port: u16,
    /// Every route, for a window of this process.
    page: Router,
    access: Access,
    state: Arc<Store>,
    zone: Tz,
    stop: CancellationToken,
    tasks: tokio::task::JoinHandle<()>,
    billing: Arc<PocketBase>,
    leave_billing_running: bool,
    _instance: Instance,
}

impl Running {
    /// Finishes what is on its way, or has it rolled back, and stops: within five seconds, whatever hangs. The one way
    /// to end in order, for Ctrl-C, SIGTERM and the end of a Windows session alike.
    pub async fn stop(self) {
        self.stop.cancel();
        // The supervisor bounds the wait for its tasks; a panic in it has been logged.
        let _ = self.tasks.await;
        let _ = tokio::time::timeout(LAST_STORE, self.handle.ended()).await;
        let server = self.billing.server();
        if self.leave_billing_running {
            server.leave_running().await;
        } else {
            server.stop().await;
        }
        tracing::info!("stopped");
    }
}

/// Builds everything and starts it. Sides that are away are no error: they are tried for ever.
///
/// # Errors
/// What cannot get better by itself: a second instance, a damaged store, a port that is taken, settings that
/// contradict themselves.
pub async fn start(start: Start) -> anyhow::Result<Running> {
    start_on(start, None).await
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

/// The same on a desktop.
pub(crate) async fn start_on(start: Start, screen: Option<Screen>) -> anyhow::Result<Running> {
    let Start { data, settings, leave_billing_running } = start;
    make_private_folder(&data)
        .with_context(|| format!("The data folder {} cannot be made.", data.display()))?;
    let instance = Instance::take(&data)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let secrets: Arc<dyn Secrets> = Arc::new(FileSecrets::new(&data));
    let store = Store::open(&data.join("shopsync.sqlite"))?;
    let pos = raintek(&settings, secrets.as_ref())?;
    let billing = Arc::new(PocketBase::new(
        settings.billing.clone(),
        settings.zone,
        &data,
        Arc::clone(&clock),
        Arc::clone(&secrets),
    )?);

    let (alerting, pulse) = (alerting(&settings, &secrets)?, pulse(&settings)?);
    let rules = rules(&settings, pos.describe());
    let listener = web::bind(settings.web.port).await?;
    let port = listener.local_addr().context("The page's port cannot be read.")?.port();
    let stop = CancellationToken::new();
    let pos = Arc::new(pos);
    let store = Arc::new(store);
    let sources = settings.backup.enabled.then(|| Sources {
        pos: Arc::clone(&pos) as Arc<dyn PosBackup>,
        billing: Arc::clone(&billing) as Arc<dyn BillingBackup>,
        store: Arc::clone(&store) as Arc<dyn StoreBackup>,
        disk: Arc::new(LocalDisk),
        rules: backup_rules(&settings, &data, pos.database()),
    });
    let trial = TrialSources {
        pos: Arc::clone(&pos) as Arc<dyn TrialPos>,
        app: Arc::clone(&billing) as Arc<dyn TrialApp>,
        store: Arc::clone(&store) as Arc<dyn TrialStore>,
        settings: Arc::new(SettingsFile::new(settings.file.clone().unwrap_or_else(|| settings_path(&data)))),
        trial: settings.trial,
        watch_only: settings.watch_only,
    };
    let world = World {
        pos,
        billing: Arc::clone(&billing) as Arc<dyn crate::ports::Billing>,
        state: Arc::clone(&store) as Arc<dyn crate::ports::State>,
        alerts: Arc::clone(&store) as Arc<dyn crate::ports::alerts::AlertStore>,
        archive: Arc::new(SnapshotFolder::new(&data)),
        clock: Arc::clone(&clock),
    };
    let engine = Engine::new(world, rules, stop.clone());
    engine.try_out_with(trial);
    if let Some(sources) = sources {
        engine.back_up_with(sources);
    }
    engine.look_around(surroundings(&settings, &data, &clock)?);
    let handle = engine.handle();
    handle.restore().await?;
    let access = Access::new(page_token(secrets.as_ref())?, port)?;
    let link = access.link();
    let controls = Arc::new(handle.clone()) as Arc<dyn Controls>;
    let past = Past {
        history: Arc::clone(&store) as Arc<dyn History>,
        clock: Arc::clone(&clock),
        zone: settings.zone,
        disk: Arc::new(LocalDisk),
        data: data.clone(),
    };
    let page = web::router_with(Arc::clone(&controls), access.for_window(), None, Some(past.clone()));
    let (front, toaster) = screen.map_or((None, None), |screen| (Some(screen.front), screen.toaster));
    let router = web::router_with(controls, access.clone(), front, Some(past));

    let mut tasks = engine.tasks();
    tasks.extend(engine.alert_tasks(alerting, pulse));
    tasks.extend(toaster.map(|toaster| toasts::task(handle.watch(), toaster)));
    let server = billing.server();
    let server_stop = stop.clone();
    tasks.push(Task {
        name: "billing server",
        run: Box::new(move || {
            let (server, stop) = (Arc::clone(&server), server_stop.clone());
            Box::pin(async move {
                tokio::select! {
                    () = server.keep_alive() => {}
                    () = stop.cancelled() => {}
                }
            })
        }),
    });
    let (running, serving) = (stop.clone(), stop.clone());
    let tasks = tokio::spawn(async move {
        tokio::join!(supervisor::run(tasks, clock, running), web::serve(listener, router, serving));
    });
    tracing::info!(version = env!("CARGO_PKG_VERSION"), port, "started");
    Ok(Running {
        handle,
        link,
        port,
        page,
        access,
        state: store,
        zone: settings.zone,
        stop,
        tasks,
        billing,
        leave_billing_running,
        _instance: instance,
    })
}

/// RainTek as the settings say, or as RainTek's own folder does.
fn raintek(settings: &Settings, secrets: &dyn Secrets) -> Result<RainTek, Fault> {
    let mut raintek = settings.raintek.clone();
    let mut password = secrets.get(RAINTEK_PASSWORD)?;
    if let Some(folder) = &raintek.folder {
        let found = read_folder(folder)?;
        raintek.server = found.server;
        raintek.user = found.user;
        raintek.database = found.database.unwrap_or(raintek.database);
        password = password.or(Some(found.password));
    }
    Ok(RainTek::new(&raintek, password, settings.products.stock)
        .posting(settings.posting)
        .watching_only(settings.watch_only))
}

fn rules(settings: &Settings, raintek: String) -> Rules {
    let mut payments = default_payments();
    payments.extend(settings.payments.iter().map(|(name, text)| (name.to_lowercase(), text.clone())));
    Rules {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        zone: settings.zone,
        map: MapContext {
            payments,
            unknown_item: settings.products.unknown_item.clone(),
            posting: settings.posting,
        },
        products_every: Duration::from_secs(settings.products.every_seconds),
        look_every: Duration::from_secs(settings.push.look_every_seconds),
        awareness: AwarenessRules {
            every: Duration::from_secs(settings.awareness.every_seconds),
            window_days: settings.awareness.window_days,
            history_days: settings.awareness.history_days,
            history_from: settings.awareness.history_from,
        },
        from_date: settings.push.from_date,
        raintek,
        billing: settings.billing.url.clone(),
    }
}

fn backup_rules(settings: &Settings, data: &Path, database: &str) -> BackupRules {
    let backup = &settings.backup;
    let folder = backup.folder.clone().unwrap_or_else(|| default_backup_folder(data));
    // SQL Server's service has another working folder than we have.
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    BackupRules {
        folder: absolute(&folder),
        data: absolute(data),
        database: database.to_owned(),
        daily_at: backup.at,
        keep: Keep { days: backup.keep_days, snapshot_days: backup.keep_snapshots_days },
        keep_free: backup.keep_free_mb.saturating_mul(1024 * 1024),
        // A trial restore makes a database on the server.
        drill: backup.drill && !settings.watch_only,
    }
}

/// The clock is compared with that of an address that is called anyway, and with none where there is none: no shop's
/// data goes anywhere for it.
fn surroundings(settings: &Settings, data: &Path, clock: &Arc<dyn Clock>) -> Result<Surroundings, Fault> {
    let telegram = (!settings.telegram.chats.is_empty()).then_some(&settings.telegram.base_url);
    let mut time = None;
    for address in settings.alerts.heartbeat_url.iter().chain(telegram) {
        time = match time {
            None => WebTime::of(address, Arc::clone(clock))?,
            found => found,
        };
    }
    let mut folders = vec![data.to_owned()];
    if settings.backup.enabled {
        folders.push(settings.backup.folder.clone().unwrap_or_else(|| default_backup_folder(data)));
    }
    Ok(Surroundings {
        time: time.map(|time| Arc::new(time) as Arc<dyn TrueTime>),
        disks: Arc::new(LocalDisk),
        folders,
        least: settings.alerts.disk_free_mb.saturating_mul(1024 * 1024),
    })
}

/// Who is told; nobody where no chat is set.
fn alerting(settings: &Settings, secrets: &Arc<dyn Secrets>) -> Result<Option<Alerting>, Fault> {
    if settings.telegram.chats.is_empty() {
        return Ok(None);
    }
    let alerts = &settings.alerts;
    let rules = AlertRules {
        zone: settings.zone,
        lost_after: TimeDelta::seconds(alerts.lost_after_seconds.into()),
        failing_after: TimeDelta::hours(alerts.failing_after_hours.into()),
        gap: TimeDelta::seconds(alerts.gap_seconds.into()),
        closing: alerts.closing_time,
    };
    let mut chats = settings.telegram.chats.clone();
    chats.sort_unstable();
    chats.dedup();
    let messenger = Arc::new(Telegram::new(&settings.telegram, Arc::clone(secrets))?);
    Ok(Some(Alerting { messenger, chats, rules, commands: settings.telegram.commands }))
}

fn pulse(settings: &Settings) -> Result<Option<Pulse>, Fault> {
    let Some(url) = &settings.alerts.heartbeat_url else { return Ok(None) };
    let every = Duration::from_secs(settings.alerts.heartbeat_seconds.into());
    Ok(Some(Pulse { heartbeat: Arc::new(HeartbeatUrl::new(url)?), every }))
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
