//! An engine with its adapters, as the settings of the moment want it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use super::parts;
use crate::billing::PocketBase;
use crate::engine::backup::Sources;
use crate::engine::trial::Sources as TrialSources;
use crate::engine::{Engine, Handle, World};
use crate::model::fault::Fault;
use crate::model::settings::Settings;
use crate::platform::{LocalDisk, SettingsFile, SnapshotFolder};
use crate::ports::backup::{BillingBackup, PosBackup, StoreBackup};
use crate::ports::trial::{TrialApp, TrialPos, TrialStore};
use crate::ports::{Clock, Secrets, Task};
use crate::store::Store;
use crate::supervisor;

/// How long the store may take to take down that it stops in order.
const LAST_STORE: Duration = Duration::from_millis(300);

/// The billing app's files may be put in place, or it may be started anew by somebody else, behind whom this one waits.
const PATIENCE_FOR_SERVER: Duration = Duration::from_secs(30 * 60);

/// What every engine of this program shares.
#[derive(Clone)]
pub(super) struct Ground {
    pub(super) data: std::path::PathBuf,
    pub(super) file: std::path::PathBuf,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) store: Arc<Store>,
}

/// An engine that is built and does nothing yet: what can be wrong with the settings has been said by then.
pub(super) struct Built {
    engine: Engine,
    tasks: Vec<Task>,
    stop: CancellationToken,
    billing: Arc<PocketBase>,
}

/// One that runs.
pub(super) struct Work {
    pub(super) handle: Handle,
    pub(super) billing: Arc<PocketBase>,
    stop: CancellationToken,
    tasks: tokio::task::JoinHandle<()>,
}

/// The billing app as these settings name it.
pub(super) fn billing(ground: &Ground, settings: &Settings) -> Result<Arc<PocketBase>, Fault> {
    let (clock, secrets) = (Arc::clone(&ground.clock), Arc::clone(&ground.secrets));
    Ok(Arc::new(PocketBase::new(settings.billing.clone(), settings.zone, &ground.data, clock, secrets)?))
}

/// Builds an engine. Nothing is reached for.
pub(super) fn build(ground: &Ground, settings: &Settings, billing: Arc<PocketBase>) -> Result<Built, Fault> {
    let Ground { data, file, clock, secrets, store } = ground;
    let pos = parts::raintek(settings, secrets.as_ref())?;
    let (alerting, pulse) = (parts::alerting(settings, secrets)?, parts::pulse(settings)?);
    let rules = parts::rules(settings, pos.describe());
    let stop = CancellationToken::new();
    let pos = Arc::new(pos);
    let sources = settings.backup.enabled.then(|| Sources {
        pos: Arc::clone(&pos) as Arc<dyn PosBackup>,
        billing: Arc::clone(&billing) as Arc<dyn BillingBackup>,
        store: Arc::clone(store) as Arc<dyn StoreBackup>,
        disk: Arc::new(LocalDisk),
        rules: parts::backup_rules(settings, data, pos.database()),
    });
    let trial = TrialSources {
        pos: Arc::clone(&pos) as Arc<dyn TrialPos>,
        app: Arc::clone(&billing) as Arc<dyn TrialApp>,
        store: Arc::clone(store) as Arc<dyn TrialStore>,
        settings: Arc::new(SettingsFile::new(file.clone())),
        trial: settings.trial,
        watch_only: settings.watch_only,
    };
    let world = World {
        pos,
        billing: Arc::clone(&billing) as Arc<dyn crate::ports::Billing>,
        state: Arc::clone(store) as Arc<dyn crate::ports::State>,
        alerts: Arc::clone(store) as Arc<dyn crate::ports::alerts::AlertStore>,
        archive: Arc::new(SnapshotFolder::new(data)),
        clock: Arc::clone(clock),
    };
    let engine = Engine::new(world, rules, stop.clone());
    engine.try_out_with(trial);
    if let Some(sources) = sources {
        engine.back_up_with(sources);
    }
    engine.look_around(parts::surroundings(settings, data, clock)?);
    let mut tasks = engine.tasks();
    tasks.extend(engine.alert_tasks(alerting, pulse));
    let (server, server_stop) = (billing.server(), stop.clone());
    tasks.push(Task {
        name: "billing server",
        patience: PATIENCE_FOR_SERVER,
        run: Box::new(move || {
            let (server, stop) = (Arc::clone(&server), server_stop.clone());
            Box::pin(async move {
                tokio::select! {
                    biased;
                    () = server.keep_alive() => {}
                    () = stop.cancelled() => {}
                }
            })
        }),
    });
    Ok(Built { engine, tasks, stop, billing })
}

impl Built {
    /// Asks something of the engine while it does nothing.
    pub(super) fn handle(&self) -> Handle {
        self.engine.handle()
    }

    /// Starts it. `continued` where it takes over from another: since when there was one.
    pub(super) async fn run(
        self,
        clock: Arc<dyn Clock>,
        continued: Option<DateTime<Utc>>,
    ) -> Result<Work, Fault> {
        let Self { engine, tasks, stop, billing } = self;
        if let Some(started) = continued {
            engine.go_on_from(started);
        }
        let handle = engine.handle();
        handle.restore().await?;
        let tasks = tokio::spawn(supervisor::run(tasks, clock, stop.clone()));
        Ok(Work { handle, billing, stop, tasks })
    }
}

impl Work {
    /// Finishes what is on its way, or has it rolled back, and takes down that it stopped in order. The billing app
    /// goes on.
    pub(super) async fn stop(self) -> Arc<PocketBase> {
        self.stop.cancel();
        let _ = self.tasks.await;
        let _ = tokio::time::timeout(LAST_STORE, self.handle.ended()).await;
        self.billing
    }
}

/// Where the store lies.
pub(super) fn store_path(data: &Path) -> std::path::PathBuf {
    data.join("shopsync.sqlite")
}
