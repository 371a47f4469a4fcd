//! What stays while engines come and go: the data folder, the store, the secrets, and the state that is shown.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use chrono_tz::Tz;
use tokio::sync::{Notify, watch};

use super::first_run::Progress;
use super::parts;
use super::switch::Switch;
use super::work::{self, Ground, Work};
use crate::billing::PocketBase;
use crate::engine::{LAST_SEEN, first_snapshot};
use crate::model::desktop::Toast;
use crate::model::fault::Fault;
use crate::model::health::HealthState;
use crate::model::settings::{DesktopSettings, Settings};
use crate::model::status::Entry;
use crate::platform::{
    FileSecrets, Instance, LocalDisk, SettingsFile, SystemClock, make_private_folder, read_whole,
};
use crate::ports::desktop::Toaster;
use crate::ports::history::History;
use crate::ports::{Clock, Secrets, State as _, Task};
use crate::store::Store;
use crate::sync::setup::{FirstRun, first_run};
use crate::web::Past;

/// How the first run stands, in the store.
const SETUP: &str = "setup";
/// What is said until somebody has set it up.
pub(super) const NOT_SET_UP: &str =
    "ShopSync is not set up yet. Its window leads through it in a few minutes.";
/// Between two looks after what has no engine yet.
const LOOK: Duration = Duration::from_secs(2);
/// States age: what is shown without an engine is said again this often.
const SAY: Duration = Duration::from_secs(10);
/// Between two tries to start an engine that could not be started.
const AGAIN: Duration = Duration::from_secs(15);

/// Everything that outlives an engine.
pub struct House {
    pub(super) ground: Ground,
    pub(super) sealed: Arc<FileSecrets>,
    pub(super) switch: Arc<Switch>,
    pub(super) inside: tokio::sync::Mutex<Inside>,
    pub(super) progress: Mutex<Progress>,
    pub(super) restart_needed: Mutex<BTreeSet<String>>,
    desktop: watch::Sender<DesktopSettings>,
    zone: Mutex<Tz>,
    restart: Notify,
    leave_billing: AtomicBool,
    /// The setting of the page's port that it was bound by; none while it is not served.
    pub(super) served: Mutex<Option<u16>>,
    instance: Mutex<Option<Instance>>,
}

/// What is exchanged.
pub(super) struct Inside {
    /// As they count.
    pub(super) settings: Settings,
    pub(super) work: Option<Work>,
    /// The billing app, where it is in use without an engine.
    pub(super) billing: Option<Arc<PocketBase>>,
    pub(super) first_run: FirstRun,
    /// An engine is wanted at all: not where only a command looks in.
    serves: bool,
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House").field("data", &self.ground.data).finish_non_exhaustive()
    }
}

impl House {
    /// Takes the data folder, brings the settings file up to date, and opens the store. Nothing runs.
    ///
    /// # Errors
    /// What cannot get better by itself: a second instance, a damaged store, settings that are not right.
    pub fn open(data: &Path, file: PathBuf) -> anyhow::Result<Arc<Self>> {
        make_private_folder(data)
            .with_context(|| format!("The data folder {} cannot be made.", data.display()))?;
        let instance = Instance::take(data)?;
        // Said before the file is touched, with the line it has there.
        read_whole(&file)?;
        match SettingsFile::new(file.clone()).bring_up() {
            Ok(None) => {}
            Ok(Some(version)) => tracing::info!(version, "the settings file was brought up to date"),
            // It is read as it is.
            Err(error) => tracing::warn!(%error, "the settings file could not be brought up to date"),
        }
        let read = read_whole(&file)?;
        for key in &read.unknown {
            tracing::warn!(key, "the settings file has a key that this ShopSync does not know; it is kept");
        }
        let settings = read.settings;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sealed = Arc::new(FileSecrets::new(data));
        let secrets = Arc::clone(&sealed) as Arc<dyn Secrets>;
        let store = Arc::new(Store::open(&work::store_path(data))?);
        let rules = parts::rules(&settings, String::new());
        let first = first_snapshot(&rules, clock.now());
        let first_run = if read.names_raintek { FirstRun::Done } else { FirstRun::Open };
        Ok(Arc::new(Self {
            switch: Arc::new(Switch::new(first)),
            desktop: watch::Sender::new(settings.desktop.clone()),
            zone: Mutex::new(settings.zone),
            ground: Ground { data: data.to_owned(), file, clock, secrets, store },
            sealed,
            inside: tokio::sync::Mutex::new(Inside {
                settings,
                work: None,
                billing: None,
                first_run,
                serves: false,
            }),
            progress: Mutex::default(),
            restart_needed: Mutex::default(),
            restart: Notify::new(),
            leave_billing: AtomicBool::new(false),
            served: Mutex::default(),
            instance: Mutex::new(Some(instance)),
        }))
    }

    /// Learns whether the first run is open.
    ///
    /// # Errors
    /// The store's.
    pub async fn look_in(&self) -> Result<(), Fault> {
        let stored = self.ground.store.get(SETUP).await?;
        let mut inside = self.inside.lock().await;
        let named = inside.first_run == FirstRun::Done;
        let worked_before = self.ground.store.get(LAST_SEEN).await?.is_some();
        inside.first_run = first_run(stored.as_deref(), named, worked_before);
        if stored.as_deref() != Some(inside.first_run.name()) {
            self.ground.store.set(SETUP, Some(inside.first_run.name())).await?;
        }
        drop(inside);
        self.recall().await
    }

    /// Whether an engine could be made of these settings, where one is wanted. Nothing is begun.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) async fn try_settings(&self) -> Result<(), Fault> {
        self.look_in().await?;
        let inside = self.inside.lock().await;
        if inside.first_run == FirstRun::Done {
            let billing = work::billing(&self.ground, &inside.settings)?;
            work::build(&self.ground, &inside.settings, billing)?;
        }
        Ok(())
    }

    /// Begins to serve: an engine where ShopSync is set up, else the first run.
    pub(super) async fn begin(self: &Arc<Self>) -> anyhow::Result<()> {
        self.look_in().await?;
        let mut inside = self.inside.lock().await;
        inside.serves = true;
        match inside.first_run {
            FirstRun::Open => {
                self.say(HealthState::Starting, NOT_SET_UP);
                Ok(())
            }
            FirstRun::Done => {
                let settings = inside.settings.clone();
                self.exchange(&mut inside, settings, false).await.map_err(anyhow::Error::from)
            }
        }
    }

    /// Ends the first run; where this house serves, the engine runs when this returns.
    pub(super) async fn end_first_run(&self, inside: &mut Inside) -> Result<(), Fault> {
        self.ground.store.set(SETUP, Some(FirstRun::Done.name())).await?;
        inside.first_run = FirstRun::Done;
        let settings = inside.settings.clone();
        self.exchange(inside, settings, false).await
    }

    /// Another engine takes over, with these settings. What can be wrong with them is said before anything is stopped;
    /// an engine that was cut off in the middle would go on in the same way.
    pub(super) async fn exchange(
        &self,
        inside: &mut Inside,
        settings: Settings,
        another_login: bool,
    ) -> Result<(), Fault> {
        let serves = inside.serves && inside.first_run == FirstRun::Done;
        let same_app = !another_login
            && inside.settings.billing == settings.billing
            && inside.settings.zone == settings.zone;
        let there = inside.work.as_ref().map(|work| &work.billing).or(inside.billing.as_ref());
        let billing = match there.filter(|_| same_app) {
            Some(billing) => Arc::clone(billing),
            None => work::billing(&self.ground, &settings)?,
        };
        let built = work::build(&self.ground, &settings, Arc::clone(&billing))?;
        if !serves {
            if !same_app && let Some(former) = inside.billing.take() {
                former.server().stop().await;
            }
            inside.settings = settings;
            self.settings_count(&inside.settings);
            return Ok(());
        }
        let mut held = self.switch.hold().await;
        let mut continued = None;
        if let Some(work) = inside.work.take() {
            self.say(HealthState::Starting, "The settings are being taken over.");
            continued = Some(work.handle.hand_over());
            inside.billing = Some(work.stop().await);
        }
        if let Some(former) = inside.billing.take().filter(|_| !same_app) {
            former.server().stop().await;
        }
        inside.settings = settings;
        self.settings_count(&inside.settings);
        match built.run(self.clock(), continued).await {
            Ok(work) => {
                self.switch.set(&mut held, Some(work.handle.clone()));
                inside.work = Some(work);
                Ok(())
            }
            Err(fault) => {
                self.switch.set(&mut held, None);
                inside.billing = Some(billing);
                self.say(HealthState::Failing, &fault.sentence);
                Err(fault)
            }
        }
    }

    /// Tells everybody who does not read the settings by themselves.
    pub(super) fn settings_count(&self, settings: &Settings) {
        *self.zone.lock().unwrap_or_else(PoisonError::into_inner) = settings.zone;
        self.desktop.send_if_modified(|there| {
            let changed = *there != settings.desktop;
            there.clone_from(&settings.desktop);
            changed
        });
    }

    /// Shows this where no engine shows anything.
    fn say(&self, state: HealthState, sentence: &str) {
        let now = self.ground.clock.now();
        self.switch.say(|snapshot| {
            snapshot.at = now;
            snapshot.state = state;
            sentence.clone_into(&mut snapshot.sentence);
        });
    }

    /// Looks after what has no engine: keeps what is shown fresh and the billing app alive, and tries again.
    pub(super) fn keeper(self: Arc<Self>) -> Task {
        let run = move || {
            let house = Arc::clone(&self);
            async move { house.keep().await }
        };
        // Whoever changes the settings holds the house as long as that takes: a backup may have to end before.
        Task { name: "house", patience: Task::PATIENCE_FOR_BACKUPS, run: Box::new(move || Box::pin(run())) }
    }

    async fn keep(self: Arc<Self>) {
        let clock = self.clock();
        let (mut said, mut tried) = (clock.elapsed(), clock.elapsed());
        let stop = self.progress().stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = clock.sleep(LOOK) => {}
            }
            let mut inside = self.inside.lock().await;
            if inside.work.is_some() || !inside.serves {
                continue;
            }
            let now = clock.elapsed();
            if inside.first_run == FirstRun::Open {
                if now.saturating_sub(said) >= SAY {
                    said = now;
                    self.say(HealthState::Starting, NOT_SET_UP);
                }
                let billing = inside.billing.clone();
                drop(inside);
                if let Some(billing) = billing
                    && let Err(fault) = billing.server().ensure().await
                {
                    tracing::debug!(detail = fault.detail, "{}", fault.sentence);
                }
            } else if now.saturating_sub(tried) >= AGAIN {
                tried = now;
                let settings = inside.settings.clone();
                if let Err(fault) = self.exchange(&mut inside, settings, false).await {
                    tracing::error!(detail = fault.detail, "{}", fault.sentence);
                    self.say(HealthState::Failing, &fault.sentence);
                }
            } else if now.saturating_sub(said) >= SAY {
                said = now;
                let sentence = self.switch.snapshot().sentence.clone();
                self.say(HealthState::Failing, &sentence);
            }
        }
    }

    /// Says why there is no engine.
    pub(super) fn unable(&self, sentence: &str) {
        self.say(HealthState::Failing, sentence);
    }

    /// Ends everything in order.
    pub(crate) async fn close(&self) {
        self.progress().stop.cancel();
        let mut inside = self.inside.lock().await;
        inside.serves = false;
        let mut held = self.switch.hold().await;
        let billing = match inside.work.take() {
            Some(work) => Some(work.stop().await),
            None => inside.billing.take(),
        };
        self.switch.set(&mut held, None);
        drop(held);
        if let Some(billing) = billing {
            let server = billing.server();
            if self.leave_billing.load(Ordering::SeqCst) {
                server.leave_running().await;
            } else {
                server.stop().await;
            }
        }
    }

    /// Lets another have the data folder: pages that are still open may know this house for a while.
    pub(crate) fn release(&self) {
        *self.instance.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Adds to the journal; what cannot be kept there is in the log.
    pub(super) async fn note(&self, sentence: &str) {
        let entry = Entry {
            at: self.ground.clock.now(),
            kind: "app",
            number: String::new(),
            sentence: sentence.to_owned(),
        };
        if let Err(fault) = self.ground.store.journal(entry).await {
            tracing::warn!(detail = fault.detail, "{}", fault.sentence);
        }
    }

    pub(super) fn serves_on(&self, port: u16) {
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(port);
    }

    pub(super) fn leave_billing_running(&self) {
        self.leave_billing.store(true, Ordering::SeqCst);
    }

    pub(super) fn ask_for_restart(&self) {
        self.restart.notify_one();
    }

    pub(super) async fn asked_to_restart(&self) {
        self.restart.notified().await;
    }

    pub(super) fn desktop(&self) -> watch::Receiver<DesktopSettings> {
        self.desktop.subscribe()
    }

    /// The settings as they count.
    pub(super) async fn counting(&self) -> Settings {
        self.inside.lock().await.settings.clone()
    }

    /// The billing app's program, as it is used or would be.
    pub(super) async fn pocketbase(&self) -> Option<String> {
        let billing = {
            let inside = self.inside.lock().await;
            let there = inside.work.as_ref().map(|work| &work.billing).or(inside.billing.as_ref());
            match there {
                Some(billing) => Arc::clone(billing),
                None => work::billing(&self.ground, &inside.settings).ok()?,
            }
        };
        billing.version().await
    }

    pub(super) fn zone(&self) -> Tz {
        *self.zone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn switch(&self) -> Arc<Switch> {
        Arc::clone(&self.switch)
    }

    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.ground.clock)
    }

    /// What the page looks back at.
    pub(super) fn past(self: &Arc<Self>) -> Past {
        let house = Arc::clone(self);
        Past {
            history: self.store() as Arc<dyn History>,
            clock: self.clock(),
            zone: Arc::new(move || house.zone()),
            disk: Arc::new(LocalDisk),
            data: self.ground.data.clone(),
        }
    }

    pub(super) fn store(&self) -> Arc<Store> {
        Arc::clone(&self.ground.store)
    }

    pub(super) fn secrets(&self) -> &dyn Secrets {
        self.ground.secrets.as_ref()
    }

    /// Shows toasts only while the settings want them.
    pub(super) fn only_where_wanted(&self, toaster: Arc<dyn Toaster>) -> Arc<dyn Toaster> {
        wanted_toasts(toaster, self.desktop.subscribe())
    }
}

/// Shows toasts only while the settings want them.
pub(super) fn wanted_toasts(
    toaster: Arc<dyn Toaster>,
    desktop: watch::Receiver<DesktopSettings>,
) -> Arc<dyn Toaster> {
    Arc::new(WantedToasts { toaster, desktop })
}

struct WantedToasts {
    toaster: Arc<dyn Toaster>,
    desktop: watch::Receiver<DesktopSettings>,
}

#[async_trait]
impl Toaster for WantedToasts {
    async fn show(&self, toast: &Toast) -> Result<(), Fault> {
        let wanted = self.desktop.borrow().toasts;
        if wanted { self.toaster.show(toast).await } else { Ok(()) }
    }
}

/// Where page and command line ask for what concerns the house: each thing is done to its end, though whoever asked
/// may have gone.
#[derive(Debug)]
pub(super) struct Counter(pub(super) Arc<House>);
