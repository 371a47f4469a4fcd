//! The loops, over ports only: what decides lies in `sync`, what touches the world in the adapters.
//!
//! Every task is idempotent: it is woken by a signal or a period, looks, and does what is due. Nothing depends on a
//! signal arriving, so a task that was dropped at any await goes on where the store says it is.

mod again;
pub mod alerts;
mod alive;
mod attempt;
mod awareness;
pub mod backup;
mod board;
mod claim;
pub mod handle;
mod hold;
mod invoices;
mod links;
mod numbers;
mod preview;
mod products;
mod publish;
mod push;
mod removal;
mod renumber;
mod restore;
mod scan;
mod settle;
pub mod surroundings;
pub mod toasts;
pub mod trial;
mod vanished;
mod watching;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::model::alert::Event;
use crate::model::fault::{Fault, Scope};
use crate::model::ids::RecordId;
use crate::model::invoice::Invoice;
use crate::model::outbox::{Item, ItemState};
use crate::model::status::{Entry, Snapshot};
use crate::ports::alerts::AlertStore;
use crate::ports::life::resting;
use crate::ports::{Archive, Billing, Clock, Pos, State, Task};
use crate::sync::backoff;
use crate::sync::mapping::MapContext;

pub use alive::LAST_SEEN;
use board::Board;
pub use handle::Handle;
pub use preview::Preview;

/// The world, as the engine sees it.
#[derive(Clone)]
pub struct World {
    /// RainTek.
    pub pos: Arc<dyn Pos>,
    /// The billing app.
    pub billing: Arc<dyn Billing>,
    /// Our own store.
    pub state: Arc<dyn State>,
    /// What alerts keep there.
    pub alerts: Arc<dyn AlertStore>,
    /// Copies of RainTek's rows from before they are changed.
    pub archive: Arc<dyn Archive>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

/// What the settings say to the engine.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The program's version.
    pub version: String,
    /// The shop's zone.
    pub zone: Tz,
    /// How invoices are mapped.
    pub map: MapContext,
    /// Between two products passes.
    pub products_every: Duration,
    /// Between two looks for invoices that no event told of.
    pub look_every: Duration,
    /// Bills of RainTek's own.
    pub awareness: AwarenessRules,
    /// Invoices dated earlier are left alone.
    pub from_date: Option<NaiveDate>,
    /// RainTek, for a person.
    pub raintek: String,
    /// The billing app, for a person.
    pub billing: String,
}

/// What the settings say of bills of RainTek's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwarenessRules {
    /// Between two passes.
    pub every: Duration,
    /// Bills of so many days back are compared in each pass.
    pub window_days: u32,
    /// The first pass goes so many days back.
    pub history_days: u32,
    /// The first pass begins here, whatever `history_days` says.
    pub history_from: Option<NaiveDate>,
}

/// Wakes a task; it looks at everything, so signals may be merged or lost.
#[derive(Debug, Default)]
struct Signals {
    push: Notify,
    invoices: Notify,
    products: Notify,
    bills: Notify,
    numbers: Notify,
    links: Notify,
    publish: Notify,
    alerts: Notify,
    deliver: Notify,
    backup: Notify,
    scan: Notify,
    alive: Notify,
    events: Notify,
    surroundings: Notify,
    trial: Notify,
}

struct Shared {
    world: World,
    rules: Rules,
    board: Board,
    signals: Signals,
    snapshot: watch::Sender<Arc<Snapshot>>,
    stop: CancellationToken,
    /// What backups are made of; without it there are none.
    sources: OnceLock<backup::Sources>,
    /// Clock and disks; without it neither is looked at.
    surroundings: OnceLock<surroundings::Surroundings>,
    /// Held while the list of what was backed up is changed.
    backup_list: tokio::sync::Mutex<()>,
    /// Held while an invoice is given another number.
    renumbering: tokio::sync::Mutex<()>,
    /// Held while backups are made, so that nobody else makes the same.
    backup_work: tokio::sync::Mutex<()>,
    /// The trial, and whether nothing may be written.
    trial: trial::Trial,
    /// Which invoices a task is working on.
    claims: claim::Claims,
    /// It took over from another engine of this program: since when there was one.
    continued: OnceLock<DateTime<Utc>>,
    /// Another engine of this program takes over: nobody is told that it stops.
    handing_over: AtomicBool,
    /// Invoices read by an event a moment ago, so that the push need not read them again. At most a few.
    fresh: Mutex<HashMap<RecordId, (Duration, Invoice)>>,
}

/// The engine: hand its [`Engine::tasks`] to the supervisor.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}

/// What is published before anything was seen.
pub fn first_snapshot(rules: &Rules, at: DateTime<Utc>) -> Snapshot {
    publish::empty(rules, at)
}

/// How many freshly read invoices are kept for the push.
const MOST_FRESH: usize = 64;
/// How long such a read counts: an edit in between is told of by its own event.
const FRESH_FOR: Duration = Duration::from_millis(500);

impl Engine {
    /// Nothing runs yet. `stop` ends every task in an orderly way.
    pub fn new(world: World, rules: Rules, stop: CancellationToken) -> Self {
        let started = world.clock.now();
        let board = Board::new(started, &rules);
        let first = publish::empty(&rules, started);
        let (snapshot, _) = watch::channel(Arc::new(first));
        let signals = Signals::default();
        Self {
            shared: Arc::new(Shared {
                world,
                rules,
                board,
                signals,
                snapshot,
                stop,
                sources: OnceLock::new(),
                surroundings: OnceLock::new(),
                backup_list: tokio::sync::Mutex::default(),
                renumbering: tokio::sync::Mutex::default(),
                backup_work: tokio::sync::Mutex::default(),
                trial: trial::Trial::default(),
                claims: claim::Claims::default(),
                continued: OnceLock::new(),
                handing_over: AtomicBool::new(false),
                fresh: Mutex::default(),
            }),
        }
    }

    /// How shell and web reach it.
    pub fn handle(&self) -> Handle {
        Handle::new(Arc::clone(&self.shared))
    }

    /// Has backups made. Call before the tasks run; the first call counts.
    pub fn back_up_with(&self, sources: backup::Sources) {
        let _ = self.shared.sources.set(sources);
    }

    /// Has this PC's clock and disks looked at. Call before the tasks run; the first call counts.
    pub fn look_around(&self, surroundings: surroundings::Surroundings) {
        let _ = self.shared.surroundings.set(surroundings);
    }

    /// Has a trial and watching only made possible. Call before the tasks run; the first call counts.
    pub fn try_out_with(&self, sources: trial::Sources) {
        self.shared.trial.set(sources);
    }

    /// Takes over from another engine of this program that handed over, and began then: for people nothing started.
    /// Nothing that one saw counts as proven. Call before the tasks run; the first call counts.
    pub fn go_on_from(&self, started: DateTime<Utc>) {
        let shared = &self.shared;
        if shared.continued.set(started).is_ok() {
            shared.board.update(|seen| seen.started = started);
            shared.snapshot.send_replace(Arc::new(publish::empty(&shared.rules, started)));
        }
    }

    /// The loops, by name. Each runs until stop.
    pub fn tasks(&self) -> Vec<Task> {
        let task = |name, patience, run| again::task(&self.shared, name, patience, run);
        let plain = Task::PATIENCE;
        vec![
            task("links", plain, |shared| Box::pin(links::run(shared))),
            task("invoices", plain, |shared| Box::pin(invoices::run(shared))),
            task("events", invoices::PATIENCE, |shared| Box::pin(invoices::follow(shared))),
            task("push", plain, |shared| Box::pin(push::run(shared))),
            task("products", plain, |shared| Box::pin(products::run(shared))),
            task("bills", plain, |shared| Box::pin(awareness::run(shared))),
            task("numbers", plain, |shared| Box::pin(numbers::run(shared))),
            task("backup", plain, |shared| Box::pin(async move { backup::run(shared).await })),
            task("scan", plain, |shared| Box::pin(scan::run(shared))),
            task("alive", plain, |shared| Box::pin(alive::run(shared))),
            task("surroundings", plain, |shared| Box::pin(surroundings::run(shared))),
            task("trial", plain, |shared| Box::pin(trial::run(shared))),
            task("publish", plain, |shared| Box::pin(publish::run(shared))),
        ]
    }

    /// The loops that tell people who are not at the PC. Without them nothing else changes.
    pub fn alert_tasks(&self, alerting: Option<alerts::Alerting>, pulse: Option<alerts::Pulse>) -> Vec<Task> {
        alerts::tasks(&self.shared, alerting, pulse)
    }
}

impl Shared {
    fn now(&self) -> DateTime<Utc> {
        self.world.clock.now()
    }

    /// Waits for a signal, a time to pass, or stop.
    async fn wait(&self, signal: &Notify, at_most: Duration) {
        resting(async {
            tokio::select! {
                biased;
                () = signal.notified() => {}
                () = self.world.clock.sleep(at_most) => {}
                () = self.stop.cancelled() => {}
            }
        })
        .await;
    }

    /// Waits for a short time to pass, or stop.
    async fn pause(&self, time: Duration) {
        tokio::select! {
            biased;
            () = self.world.clock.sleep(time) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// For a task that has nothing to do.
    async fn wait_for_stop(&self) {
        resting(self.stop.cancelled()).await;
    }

    fn stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    fn hands_over(&self) -> bool {
        self.handing_over.load(Ordering::SeqCst)
    }

    /// Notes an error of a whole side, so that its flows wait until it is back. Item errors are not for here.
    fn note_outage(&self, fault: &Fault) {
        let jitter = self.world.clock.jitter();
        match fault.scope {
            Scope::Pos => self.board.raintek_failed(fault, self.now(), jitter),
            Scope::Billing => self.board.billing_failed(fault, self.now(), jitter),
            Scope::Store => {
                self.board.store_failed(fault, self.now());
                self.signals.alive.notify_one();
            }
            Scope::Item => {}
        }
        self.signals.links.notify_one();
        self.signals.publish.notify_one();
    }

    /// The one place where errors are logged, with all that is known.
    fn log(&self, what: &'static str, fault: &Fault) {
        tracing::warn!(
            what,
            kind = ?fault.kind,
            scope = ?fault.scope,
            code = fault.code,
            detail = fault.detail,
            "{}",
            fault.sentence
        );
    }

    async fn journal(&self, kind: &'static str, number: &str, sentence: impl Into<String>) {
        let entry = Entry { at: self.now(), kind, number: number.to_owned(), sentence: sentence.into() };
        if let Err(fault) = self.world.state.journal(entry).await {
            self.log("journal", &fault);
            self.note_outage(&fault);
        }
        self.signals.publish.notify_one();
    }

    /// Reports to the alerts: the one way in for every flow. Durable; may be called as often as it is seen.
    async fn raise(&self, event: Event) {
        if let Err(fault) = self.world.alerts.raise(&event, self.now()).await {
            self.log("raise", &fault);
            self.note_outage(&fault);
        }
        self.signals.alerts.notify_one();
    }

    /// Keeps what was just read for the push that follows; a later read takes its place.
    fn keep_fresh(&self, invoice: Invoice) {
        let read_at = self.world.clock.elapsed();
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        fresh.retain(|_, (at, _)| read_at.saturating_sub(*at) < FRESH_FOR);
        if fresh.len() < MOST_FRESH {
            fresh.insert(invoice.id.clone(), (read_at, invoice));
        } else {
            fresh.remove(&invoice.id);
        }
    }

    fn take_fresh(&self, id: &RecordId) -> Option<Invoice> {
        let (read_at, invoice) = self.fresh.lock().unwrap_or_else(PoisonError::into_inner).remove(id)?;
        (self.world.clock.elapsed().saturating_sub(read_at) < FRESH_FOR).then_some(invoice)
    }

    /// An item that failed of itself: when it is tried again, and what the app shows of it.
    fn failed(&self, item: &mut Item, fault: Fault, digest: Option<String>, state: ItemState) {
        let now = self.now();
        let wait = backoff::item_retry(item.attempts.max(1), self.world.clock.jitter());
        item.next_try = now + chrono::TimeDelta::from_std(wait).unwrap_or_default();
        item.first_failed.get_or_insert(now);
        item.failed_digest = digest;
        item.state = state;
        item.fault = Some(fault);
    }
}

#[cfg(test)]
fn rules_for_tests() -> Rules {
    Rules {
        version: String::new(),
        zone: Tz::Asia__Kolkata,
        map: MapContext {
            payments: crate::model::settings::default_payments(),
            unknown_item: None,
            posting: crate::model::settings::PostingSettings::default(),
        },
        products_every: Duration::from_secs(300),
        look_every: Duration::from_secs(30),
        awareness: AwarenessRules {
            every: Duration::from_secs(300),
            window_days: 45,
            history_days: 90,
            history_from: None,
        },
        from_date: None,
        raintek: String::new(),
        billing: String::new(),
    }
}

/// An invoice that stands like this, and nothing else is known of it.
#[cfg(test)]
fn item_for_tests(state: ItemState, fault: Option<Fault>) -> Item {
    Item {
        record_id: RecordId::new("r1"),
        number: "GST-0151-2025/26".into(),
        customer: String::new(),
        amount: None,
        state,
        attempts: 0,
        seq: 1,
        first_seen: DateTime::UNIX_EPOCH,
        first_failed: None,
        next_try: DateTime::UNIX_EPOCH,
        fault,
        inv_id: None,
        digest: None,
        failed_digest: None,
        updated: String::new(),
        done_at: None,
        stamped_failed: None,
    }
}
