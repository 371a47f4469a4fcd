//! What everybody in a simulated week shares: time, chance, the story as it is told, the two databases.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use tokio::sync::Notify;
use tokio::time::Instant;

use shopsync::model::alert::Incoming;
use shopsync::model::bill::FoundBill;
use shopsync::model::ids::RecordId;
use shopsync::model::schema::SchemaDump;
use shopsync::store::Store;

use crate::app::App;
use crate::cellar::Files;
use crate::chance::Dice;
use crate::planted::Planted;
use crate::raintek::Db;
use crate::story::{Call, Fault, Setup, Story};
use crate::told;

/// The shop's zone.
pub(crate) const ZONE: Tz = Tz::Asia__Kolkata;
/// A Monday in November 2026, 9:30 in the shop.
const BEGAN: DateTime<Utc> = DateTime::from_timestamp(1_795_406_400, 0).expect("a moment");

/// Everything but the engine.
pub(crate) struct Sim {
    pub(crate) setup: Setup,
    pub(crate) planted: Option<Planted>,
    start: Instant,
    /// How far the wall clock is from the steady one.
    wall: Mutex<TimeDelta>,
    dice: Mutex<Dice>,
    /// Faults that still wait for their moment, in the order of their time.
    pub(crate) faults: Mutex<Vec<Fault>>,
    pub(crate) troubles: Mutex<Troubles>,
    pub(crate) db: Mutex<Db>,
    pub(crate) app: Mutex<App>,
    pub(crate) files: Mutex<Files>,
    pub(crate) truth: Mutex<Truth>,
    told: Mutex<Option<Vec<String>>>,
    /// How it was told once: it ends soon after it is told otherwise.
    before: Vec<String>,
    /// How often the engine asked for what.
    pub(crate) asked: Mutex<BTreeMap<Call, u64>>,
    failure: Mutex<Option<String>>,
    /// Somebody failed, or the engine is to be dropped.
    pub(crate) stir: Notify,
    /// The state is about to be published. (Who waits for tokio's own `watch` is woken in an order drawn by lot.)
    pub(crate) published: Notify,
    /// Somebody wrote in a chat.
    pub(crate) written: Notify,
}

/// What is wrong right now, until when (milliseconds since the start).
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    pub(crate) pos_down: u64,
    pub(crate) app_down: u64,
    pub(crate) disk_full: u64,
    pub(crate) messages_down: u64,
    pub(crate) events_lost: u64,
    pub(crate) events_twice: u64,
    pub(crate) events_late: (u64, u64),
    pub(crate) stream_down: u64,
    pub(crate) token: u32,
    /// How long the next backup takes beyond its time.
    pub(crate) slow_backups: u64,
    pub(crate) deadlocks: u32,
    pub(crate) taken: u32,
    pub(crate) commit_lost: Option<(bool, u64)>,
    /// Awaits until the engine is dropped, and for how long it is away then.
    pub(crate) crash: Option<(u32, u64)>,
}

/// What really happened, beside the two databases.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// How often an item's tries may have been used up by itself.
    pub(crate) excuses: HashMap<RecordId, u32>,
    /// Bills of ours that somebody touched in RainTek: number -> when last.
    pub(crate) touched: HashMap<String, u64>,
    /// Numbers of invoices that a person left in RainTek.
    pub(crate) left: Vec<RecordId>,
    /// Copies that were made of rows, as (Inv_ID, digest of the rows).
    pub(crate) copies: Vec<(i32, String)>,
    /// What is copied only later, by a planted fault.
    pub(crate) copies_later: Vec<(i32, String)>,
    /// When this engine was started, in milliseconds; `None` while none runs.
    pub(crate) engine_since: Option<u64>,
    /// When each leg was really looked at since then: RainTek, app, invoices, products, bills.
    pub(crate) looked: [Option<u64>; 5],
    /// When the wall clock was last set or the PC slept.
    pub(crate) jumped: Option<u64>,
    /// When it was last set to another day.
    pub(crate) day_began: Option<u64>,
    /// The last message that was decided: when.
    pub(crate) messages: Vec<u64>,
    /// When the last list of invoices was made, per invoice that it showed.
    pub(crate) list_served: Option<u64>,
    /// The store, for those who look at it beside the engine.
    pub(crate) store: Option<Store>,
    /// The engine was asked to stop.
    pub(crate) stopping: bool,
    /// When a call last began that never comes back.
    pub(crate) hung: Option<u64>,
    /// Bills of one number on both sides of the shop: whose postings are whose nobody can tell.
    pub(crate) clashed: bool,
    /// What a trial wrote, and how its end goes.
    pub(crate) trial: crate::ending::Trial,
    /// Somebody paused it: when, and until when.
    pub(crate) paused: Option<(u64, DateTime<Utc>)>,
    /// Days on which both sides' first backups were tried, and those on which something was rightly written since
    /// the start.
    pub(crate) backed_up: crate::gate::Tried,
    /// How often an item was stored just as it was, since when.
    pub(crate) same: HashMap<RecordId, (String, u64, u32)>,
    /// The copies themselves, by number.
    pub(crate) archive: Vec<(String, FoundBill)>,
    /// RainTek's tables, as they are dumped.
    pub(crate) tables: SchemaDump,
    /// The settings say to watch only.
    pub(crate) watch_only: bool,
    /// What was written in chats and not fetched yet.
    pub(crate) chats: Vec<Incoming>,
    /// How far the PC's clock was set away from the true time.
    pub(crate) ahead: TimeDelta,
    /// What somebody does in RainTek in the moment of our next COMMIT.
    pub(crate) at_commit: Option<crate::acts::AtCommit>,
    /// Bytes that are left on the disk.
    pub(crate) room: u64,
    /// When the app lost its last moments.
    pub(crate) app_forgot: u64,
    /// Numbers of bills that a person had taken out of RainTek.
    pub(crate) to_remove: std::collections::HashSet<String>,
    pub(crate) commits: u64,
    pub(crate) crashes: u64,
    pub(crate) greens: u64,
    /// What went wrong.
    pub(crate) faults: u64,
}

impl Sim {
    pub(crate) fn new(story: &Story, planted: Option<Planted>, telling: bool, before: Vec<String>) -> Self {
        let setup = story.setup.clone();
        Self {
            planted,
            start: now(),
            wall: Mutex::default(),
            dice: Mutex::new(Dice::new(story.seed ^ 0xd1ce)),
            faults: Mutex::new(story.faults.clone()),
            troubles: Mutex::default(),
            db: Mutex::new(Db::new(&setup)),
            app: Mutex::new(App::new(&setup)),
            files: Mutex::default(),
            truth: Mutex::new(Truth {
                trial: crate::ending::Trial::new(setup.trial),
                watch_only: setup.stage.watch_only,
                room: 1 << 40,
                ..Truth::default()
            }),
            told: Mutex::new(telling.then(Vec::new)),
            before,
            asked: Mutex::default(),
            failure: Mutex::default(),
            stir: Notify::new(),
            published: Notify::new(),
            written: Notify::new(),
            setup,
        }
    }

    pub(crate) fn is(&self, planted: Planted) -> bool {
        self.planted == Some(planted)
    }

    /// Steady milliseconds since the start of the week.
    pub(crate) fn ms(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.start)
    }

    pub(crate) fn wall(&self) -> DateTime<Utc> {
        BEGAN + TimeDelta::from_std(self.elapsed()).unwrap_or_default() + *lock(&self.wall)
    }

    pub(crate) fn first_day() -> NaiveDate {
        BEGAN.with_timezone(&ZONE).date_naive()
    }

    /// The shop's day.
    pub(crate) fn day(&self) -> NaiveDate {
        self.wall().with_timezone(&ZONE).date_naive()
    }

    pub(crate) fn jump(&self, by: TimeDelta) {
        let before = self.day();
        *lock(&self.wall) += by;
        let truth = &mut *lock(&self.truth);
        truth.jumped = Some(self.ms());
        if self.day() != before {
            truth.day_began = Some(self.ms());
        }
    }

    pub(crate) fn below(&self, n: u64) -> u64 {
        lock(&self.dice).below(n)
    }

    /// Adds to the story.
    pub(crate) fn say(&self, who: &str, what: impl FnOnce() -> String) {
        self.say_all(who, || vec![what()]);
    }

    /// Adds some lines of one moment to the story.
    pub(crate) fn say_all(&self, who: &str, what: impl FnOnce() -> Vec<String>) {
        if let Some(told) = lock(&self.told).as_mut() {
            let ms = self.ms();
            let wall = self.wall().with_timezone(&ZONE).format("%d %b %H:%M:%S");
            let line = |what| format!("{:>5}.{:03} {wall} {who:<8} {what}", ms / 1000, ms % 1000);
            let looks = told.len() / told::LOOKS_EVERY;
            told.extend(what().into_iter().map(line));
            if told.len() / told::LOOKS_EVERY > looks && told::is_otherwise(&self.before, told) {
                lock(&self.failure).get_or_insert(told::OTHERWISE.into());
                self.stir.notify_one();
            }
        }
    }

    /// What must never be, was.
    pub(crate) fn fail(&self, what: impl Into<String>) {
        let what = what.into();
        self.say("CHECK", || what.clone());
        lock(&self.failure).get_or_insert(what);
        self.stir.notify_one();
    }

    pub(crate) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    pub(crate) fn told(&self) -> Vec<String> {
        lock(&self.told).clone().unwrap_or_default()
    }

    /// Everything that was wrong is right again.
    pub(crate) fn heal(&self) {
        lock(&self.faults).clear();
        *lock(&self.troubles) = Troubles::default();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock of the simulation, and it stands still by itself"
)]
fn now() -> Instant {
    Instant::now()
}

/// Everything runs on one thread: nobody ever waits here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
