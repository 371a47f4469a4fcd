//! One week: the real engine and supervisor, on one thread, in time that passes only when nobody has anything to do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use shopsync::engine::alerts::{Alerting, Pulse};
use shopsync::engine::surroundings::Surroundings;
use shopsync::engine::{AwarenessRules, Engine, Handle, Rules, World};
use shopsync::model::settings::{PostingSettings, default_payments};
use shopsync::ports::{Clock, Controls as _, State as _};
use shopsync::store::Store;
use shopsync::supervisor;
use shopsync::sync::alerting::AlertRules;
use shopsync::sync::mapping::MapContext;

use crate::app::AppAdapter;
use crate::desk::{Folder, Pc, Telegram};
use crate::hands::Hands;
use crate::planted::Planted;
use crate::raintek::RainTek;
use crate::sim::{Sim, ZONE, lock};
use crate::store::{Inline, at_once};
use crate::story::{Stage, Story};
use crate::wire::Wire;
use crate::{cellar, checks, ending, gate, listen, told};

/// Between two passes over products, and over RainTek's bills.
pub(crate) const FLOW_EVERY: u64 = 40_000;
/// A loop that never lets time pass is cut off here; a machine that has much else to do takes its time.
const LONGEST: Duration = Duration::from_secs(900);

/// How a week went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) failure: Option<String>,
    pub(crate) told: Vec<String>,
    pub(crate) commits: u64,
    pub(crate) crashes: u64,
    pub(crate) greens: u64,
    pub(crate) faults: u64,
}

/// Lets a week pass; `telling` keeps its story.
pub(crate) fn run(story: &Story, planted: Option<Planted>, telling: bool) -> Outcome {
    run_as_before(story, planted, telling, Vec::new())
}

/// The same, which ends where it is told otherwise than before. (Nothing was told before: then it passes whole.)
pub(crate) fn run_as_before(
    story: &Story,
    planted: Option<Planted>,
    telling: bool,
    before: Vec<String>,
) -> Outcome {
    let story = story.clone();
    // A thread of its own: whatever a thread keeps for hash maps and dice begins anew.
    let (done, outcome) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _gone = done.send(one_thread(&story, planted, telling, before));
    });
    match outcome.recv_timeout(LONGEST) {
        Ok(outcome) => {
            let _ended = thread.join();
            outcome
        }
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
            Outcome { failure: Some("the week never ended".into()), ..Outcome::default() }
        }
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => {
            Outcome { failure: Some("the simulation itself panicked".into()), ..Outcome::default() }
        }
    }
}

fn one_thread(story: &Story, planted: Option<Planted>, telling: bool, before: Vec<String>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be built");
    let folder = folder();
    let sim = {
        let _inside = runtime.enter();
        Arc::new(Sim::new(story, planted, telling, before))
    };
    let _hears = tracing::subscriber::set_default(listen::Listener(Arc::clone(&sim)));
    runtime.block_on(async {
        let mut week = Week::new(&sim, folder.path().join("shopsync.sqlite"));
        week.hangs = story.hangs();
        week.pass(story).await;
        week.end().await;
    });
    drop(runtime);
    let truth = &mut *lock(&sim.truth);
    truth.store = None;
    Outcome {
        failure: sim.failure(),
        told: sim.told(),
        commits: truth.commits,
        crashes: truth.crashes,
        greens: truth.greens,
        faults: truth.faults,
    }
}

/// In memory where there is such a place: nothing here survives the test.
fn folder() -> tempfile::TempDir {
    let shm = std::path::Path::new("/dev/shm");
    let builder = &mut tempfile::Builder::new();
    let made = if shm.is_dir() { builder.tempdir_in(shm) } else { builder.tempdir() };
    made.expect("a folder can be made")
}

/// A run of the engine.
pub(crate) struct Running {
    wire: Wire,
    pub(crate) handle: Handle,
    stop: CancellationToken,
    tasks: Option<JoinHandle<()>>,
    observer: JoinHandle<()>,
    /// Commands that are on their way.
    pub(crate) commands: JoinSet<()>,
}

/// A week, and whoever is in it.
pub(crate) struct Week {
    pub(crate) sim: Arc<Sim>,
    pub(crate) store: PathBuf,
    pub(crate) running: Option<Running>,
    /// When it is started again.
    pub(crate) start_at: Option<u64>,
    pub(crate) hands: Hands,
    /// Something never comes back, and is waited for at the end.
    pub(crate) hangs: bool,
    /// The next run takes over from one that began then.
    pub(crate) goes_on_from: Option<DateTime<Utc>>,
}

impl Week {
    fn new(sim: &Arc<Sim>, store: PathBuf) -> Self {
        Self {
            sim: Arc::clone(sim),
            store,
            running: None,
            start_at: None,
            hands: Hands::new(sim),
            hangs: false,
            goes_on_from: None,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.sim.failure().is_some()
    }

    async fn pass(&mut self, story: &Story) {
        self.start();
        for event in &story.events {
            self.until(event.at).await;
            if self.failed() {
                return;
            }
            self.happens(event.id, event.what).await;
        }
        self.until(story.length()).await;
        if !self.failed() {
            self.quiet().await;
        }
    }

    /// Lets time pass; starts what crashed.
    async fn until(&mut self, at: u64) {
        loop {
            let now = self.sim.ms();
            if self.start_at.is_some_and(|start| start <= now) && self.running.is_none() {
                self.start();
            }
            if self.failed() || now >= at {
                return;
            }
            let next = self.start_at.filter(|_| self.running.is_none()).map_or(at, |start| start.min(at));
            let sim = Arc::clone(&self.sim);
            tokio::select! {
                biased;
                () = sim.stir.notified() => self.stirred().await,
                () = tokio::time::sleep(Duration::from_millis(next - now)) => {}
            }
        }
    }

    pub(crate) async fn later(&mut self, ms: u64) {
        let at = self.sim.ms() + ms;
        self.until(at).await;
    }

    async fn stirred(&mut self) {
        if self.running.as_ref().is_some_and(|running| !running.wire.is_alive()) {
            let crash = lock(&self.sim.troubles).crash.take();
            self.sim.say("pc", || "the engine is dropped".into());
            lock(&self.sim.truth).crashes += 1;
            self.drop_engine().await;
            self.start_at = Some(self.sim.ms() + crash.map_or(10, |(_, down)| down));
        }
    }

    /// Cut off in the middle: what was being sent may have arrived.
    pub(crate) async fn drop_engine(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        running.wire.cut();
        running.commands.abort_all();
        running.observer.abort();
        if let Some(tasks) = running.tasks.take() {
            tasks.abort();
            let _ended = tasks.await;
        }
        let store = lock(&self.sim.truth).store.clone();
        let open = store.map(|store| at_once(store.open_items(u32::MAX)).unwrap_or_default());
        let truth = &mut *lock(&self.sim.truth);
        truth.engine_since = None;
        for item in open.into_iter().flatten() {
            if item.state == shopsync::model::outbox::ItemState::Sending {
                *truth.excuses.entry(item.record_id).or_default() += 1;
            }
        }
    }

    pub(crate) async fn stop_engine(&mut self) {
        let Some(running) = self.running.as_mut() else { return };
        self.sim.say("pc", || "ShopSync is stopped".into());
        lock(&self.sim.truth).stopping = true;
        running.stop.cancel();
        if let Some(tasks) = running.tasks.as_mut()
            && tokio::time::timeout(Duration::from_secs(20), tasks).await.is_ok()
        {
            running.tasks = None;
            if self.sim.setup.stage != Stage::default() {
                running.handle.ended().await;
            }
        }
        self.drop_engine().await;
    }

    pub(crate) fn start(&mut self) {
        self.start_at = None;
        let sim = &self.sim;
        sim.say("pc", || "ShopSync is started".into());
        let store = match Store::open(&self.store) {
            Ok(store) => store,
            Err(fault) => return sim.fail(format!("the store cannot be opened: {fault}")),
        };
        {
            let truth = &mut *lock(&sim.truth);
            truth.store = Some(store.clone());
            truth.stopping = false;
            truth.looked = [None; 5];
            truth.engine_since = Some(sim.ms());
            truth.backed_up.engine_started();
        }
        let wire = Wire::new(sim);
        let clock: Arc<dyn Clock> = Arc::new(wire.clone());
        let state = Arc::new(Inline { wire: wire.clone(), store });
        let pos = Arc::new(RainTek::new(&wire));
        let tried_out = ending::sources(&wire, Arc::clone(&pos), Arc::clone(&state));
        let world = World {
            pos,
            billing: Arc::new(AppAdapter::new(wire.clone())),
            state: Arc::clone(&state) as Arc<dyn shopsync::ports::State>,
            alerts: state,
            archive: Arc::new(Folder(wire.clone())),
            clock: Arc::clone(&clock),
        };
        let stop = CancellationToken::new();
        let engine = Engine::new(world, rules(sim), stop.clone());
        if sim.setup.backups && !sim.is(Planted::GateIgnored) {
            engine.back_up_with(cellar::sources(&wire));
        }
        if sim.setup.trial || sim.setup.stage != Stage::default() {
            engine.try_out_with(tried_out);
        }
        if sim.setup.stage.surroundings {
            engine.look_around(surroundings(&wire));
        }
        if let Some(started) = self.goes_on_from.take() {
            engine.go_on_from(started);
        }
        let handle = engine.handle();
        let published = handle.watch();
        let (watching, restoring, stopping) = (Arc::clone(sim), handle.clone(), stop.clone());
        let alerting = sim.setup.alerts.then(|| alerting(&wire));
        let pulse = sim.setup.stage.heartbeat.then(|| pulse(&wire));
        let tasks = tokio::spawn(async move {
            // A start that fails is tried again by whatever starts it.
            while restoring.restore().await.is_err() && !stopping.is_cancelled() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let mut tasks = engine.tasks();
            tasks.extend(engine.alert_tasks(alerting, pulse));
            supervisor::run(tasks, clock, stopping).await;
        });
        let observer = tokio::spawn(async move {
            let (mut said, mut seen) = (String::new(), None);
            let mut shown = told::Shown::default();
            loop {
                watching.published.notified().await;
                let snapshot = Arc::clone(&published.borrow());
                if seen.replace(snapshot.at) == Some(snapshot.at) {
                    continue;
                }
                let state = format!("{} - {}", snapshot.state.name(), snapshot.sentence);
                if state != said {
                    watching.say("state", || state.clone());
                    said = state;
                }
                watching.say_all("shows", || shown.changes(&snapshot));
                checks::published(&watching, &snapshot);
                gate::published(&watching, &snapshot);
            }
        });
        self.running =
            Some(Running { wire, handle, stop, tasks: Some(tasks), observer, commands: JoinSet::new() });
    }

    async fn end(&mut self) {
        self.hands.stop();
        self.drop_engine().await;
        let asked = std::mem::take(&mut *lock(&self.sim.asked));
        self.sim.say_all("asked", || asked.iter().map(|(call, times)| format!("{call:?} {times}")).collect());
    }
}

fn rules(sim: &Sim) -> Rules {
    let on = sim.setup.posting;
    Rules {
        version: "simulated".into(),
        zone: ZONE,
        map: MapContext {
            payments: default_payments(),
            unknown_item: None,
            posting: PostingSettings { stock: on, ledgers: on },
        },
        products_every: Duration::from_millis(FLOW_EVERY),
        look_every: Duration::from_secs(30),
        awareness: AwarenessRules {
            every: Duration::from_millis(FLOW_EVERY),
            window_days: 45,
            history_days: 90,
            history_from: None,
        },
        from_date: sim.setup.stage.second_day.then(|| Sim::first_day() + TimeDelta::days(1)),
        raintek: "RainTek".into(),
        billing: "the app".into(),
    }
}

fn alerting(wire: &Wire) -> Alerting {
    let gap = if wire.sim.is(Planted::NoAlertLimit) { 0 } else { 60 };
    Alerting {
        messenger: Arc::new(Telegram(wire.clone())),
        chats: vec![1],
        rules: AlertRules {
            zone: ZONE,
            lost_after: TimeDelta::seconds(60),
            failing_after: TimeDelta::hours(24),
            gap: TimeDelta::seconds(gap),
            closing: None,
        },
        commands: wire.sim.setup.stage.commands,
    }
}

fn pulse(wire: &Wire) -> Pulse {
    Pulse { heartbeat: Arc::new(Pc(wire.clone())), every: Duration::from_secs(60) }
}

fn surroundings(wire: &Wire) -> Surroundings {
    Surroundings {
        time: Some(Arc::new(Pc(wire.clone()))),
        disks: Arc::new(Pc(wire.clone())),
        folders: ["gone", "data", "backups", "copies"].map(PathBuf::from).to_vec(),
        least: 1 << 30,
    }
}
