//! Alerts: looks at the published state and at what was raised, lets `sync::alerting` decide, and has it delivered.

mod commands;
mod delivery;
mod pulse;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::Shared;
use crate::model::alert::{CatchUp, Level};
use crate::model::fault::Fault;
use crate::model::ids::RecordId;
use crate::model::status::Snapshot;
use crate::ports::Task;
use crate::ports::alerts::{Heartbeat, Messenger};
use crate::sync::alerting::{AlertRules, Facts, Memory, decide, texts};
use delivery::Delivery;

/// States age without any event: they are looked at this often.
const EVERY: Duration = Duration::from_secs(2);
/// Not more often than this, however much happens.
const AT_MOST: Duration = Duration::from_millis(200);
/// Events looked at together.
const EVENTS: u32 = 500;
/// Between two tries to tell that nothing can be stored.
const AGAIN: Duration = Duration::from_secs(60);
/// A command that hangs is given up before whoever brought it is taken to hang.
const PATIENCE_FOR_COMMANDS: Duration = Duration::from_secs(15 * 60);
/// How long the last message may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Who is told, and how.
#[derive(Clone)]
pub struct Alerting {
    /// Brings messages to people.
    pub messenger: Arc<dyn Messenger>,
    /// Chats that are told.
    pub chats: Vec<i64>,
    /// When they are told.
    pub rules: AlertRules,
    /// Whether these chats may give commands.
    pub commands: bool,
}

impl fmt::Debug for Alerting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerting").field("chats", &self.chats).finish_non_exhaustive()
    }
}

/// The dead man's switch.
#[derive(Clone)]
pub struct Pulse {
    /// What is told.
    pub heartbeat: Arc<dyn Heartbeat>,
    /// Between two times.
    pub every: Duration,
}

impl fmt::Debug for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pulse").field("every", &self.every).finish_non_exhaustive()
    }
}

/// The loops of what is set up; without chats and heartbeat there is nothing to run.
pub(super) fn tasks(shared: &Arc<Shared>, alerting: Option<Alerting>, pulse: Option<Pulse>) -> Vec<Task> {
    let mut tasks = Vec::new();
    if let Some(alerting) = alerting {
        let alerting = Arc::new(alerting);
        let delivery = Arc::new(Delivery::new(Arc::clone(shared), Arc::clone(&alerting)));
        if alerting.commands {
            let (shared, alerting) = (Arc::clone(shared), Arc::clone(&alerting));
            let run = move || commands::run(Arc::clone(&shared), Arc::clone(&alerting));
            tasks.push(task("chat commands", PATIENCE_FOR_COMMANDS, run));
        }
        let sending = Arc::clone(&delivery);
        let send = move || Arc::clone(&sending).run();
        tasks.push(task("alert delivery", Task::PATIENCE, send));
        let shared = Arc::clone(shared);
        let watch = move || run(Arc::clone(&shared), Arc::clone(&alerting), Arc::clone(&delivery));
        tasks.push(task("alerts", Task::PATIENCE, watch));
    }
    if let Some(pulse) = pulse {
        let shared = Arc::clone(shared);
        let beat = move || pulse::run(Arc::clone(&shared), pulse.clone());
        tasks.push(task("heartbeat", Task::PATIENCE, beat));
    }
    tasks
}

fn task<F>(name: &'static str, patience: Duration, run: impl Fn() -> F + Send + Sync + 'static) -> Task
where
    F: Future<Output = ()> + Send + 'static,
{
    Task { name, patience, run: Box::new(move || Box::pin(run())) }
}

async fn run(shared: Arc<Shared>, alerting: Arc<Alerting>, delivery: Arc<Delivery>) {
    let mut published = shared.snapshot.subscribe();
    let mut watcher = Watcher {
        shared: Arc::clone(&shared),
        alerting,
        memory: None,
        looked: None,
        caught_up: None,
        store: None,
    };
    loop {
        let stopping = shared.stopping();
        if stopping && shared.hands_over() {
            return;
        }
        if let Err(fault) = watcher.look(stopping).await {
            shared.log("alerts", &fault);
            watcher.memory = None;
        }
        watcher.look_at_store().await;
        if stopping {
            tokio::select! {
                biased;
                _ = delivery.deliver() => {}
                () = shared.world.clock.sleep(LAST_WORDS) => {}
            }
            return;
        }
        tokio::select! {
            biased;
            () = shared.world.clock.sleep(AT_MOST) => {}
            () = shared.stop.cancelled() => {}
        }
        tokio::select! {
            biased;
            // The sender lives in `shared`: it cannot be gone.
            _ = published.changed() => {}
            () = shared.signals.alerts.notified() => {}
            () = shared.world.clock.sleep(EVERY) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

struct Watcher {
    shared: Arc<Shared>,
    alerting: Arc<Alerting>,
    /// As stored; read anew after anything failed.
    memory: Option<Memory>,
    /// When the first look for invoices was seen to have ended.
    looked: Option<DateTime<Utc>>,
    caught_up: Option<CatchUp>,
    /// What was said of our own store, and when; a try in vain counts until the next.
    store: Option<StoreSaid>,
}

struct StoreSaid {
    at: Duration,
    arrived: bool,
}

impl Watcher {
    async fn look(&mut self, stopping: bool) -> Result<(), Fault> {
        let shared = Arc::clone(&self.shared);
        let store = &shared.world.alerts;
        let memory = match self.memory.take() {
            Some(memory) => memory,
            None => self.recall().await?,
        };
        let raised = store.raised(EVENTS).await?;
        let snapshot = Arc::clone(&shared.snapshot.borrow());
        self.catch_up(&memory, snapshot.started).await?;
        let mut others = BTreeMap::new();
        for id in memory.said_invoices() {
            if !snapshot.items.iter().any(|item| item.record_id == id) {
                let item = shared.world.state.item(&RecordId::new(id)).await?;
                others.insert(id.to_owned(), item.map(|item| item.state));
            }
        }
        let facts = Facts {
            now: shared.now(),
            started: snapshot.started,
            cut_off: snapshot.cut_off,
            stopping,
            raintek: &snapshot.raintek,
            billing: &snapshot.billing,
            counts: snapshot.counts,
            items: &snapshot.items,
            bills: &snapshot.from_raintek.problems,
            schema_hold: snapshot.backups.schema_hold.as_deref(),
            published: is_published(&snapshot),
            others,
            catch_up: self.caught_up,
        };
        let decision = decide(&memory, &facts, &raised, &self.alerting.rules);
        if decision.memory != memory || !raised.is_empty() {
            let text = serde_json::to_string(&decision.memory).unwrap_or_default();
            let taken = raised.last().map(|raised| raised.id);
            store.decide(&text, taken, decision.message.as_ref(), &self.alerting.chats).await?;
        }
        if decision.message.is_some() {
            shared.signals.deliver.notify_one();
        }
        self.memory = Some(decision.memory);
        Ok(())
    }

    /// What cannot be stored cannot be told by what is stored: that alone is sent past it.
    async fn look_at_store(&mut self) {
        let shared = Arc::clone(&self.shared);
        let (now, elapsed) = (shared.now(), shared.world.clock.elapsed());
        let store = shared.board.seen().store;
        match (store.failing_since, &self.store) {
            (None, None) => {}
            (None, Some(said)) => {
                if said.arrived {
                    self.send_now("Resolved: ShopSync can store again.", Level::Info).await;
                }
                self.store = None;
            }
            (Some(since), _) if now - since < self.alerting.rules.lost_after => {}
            (Some(_), Some(said)) if said.arrived || elapsed.saturating_sub(said.at) < AGAIN => {}
            (Some(_), _) => {
                let waiting = shared.snapshot.borrow().counts.waiting;
                let text = texts::cannot_store(&store.sentence, waiting);
                let arrived = self.send_now(&text, Level::Critical).await;
                self.store = Some(StoreSaid { at: elapsed, arrived });
            }
        }
    }

    /// Whether it reached anybody.
    async fn send_now(&self, text: &str, level: Level) -> bool {
        let mut arrived = false;
        for &chat in &self.alerting.chats {
            let sent = tokio::select! {
                biased;
                sent = self.alerting.messenger.send(chat, text, level) => sent,
                () = self.shared.stop.cancelled() => return arrived,
            };
            match sent {
                Ok(()) => arrived = true,
                Err(refused) => self.shared.log("alerts", &refused.fault),
            }
        }
        arrived
    }

    async fn recall(&self) -> Result<Memory, Fault> {
        let text = self.shared.world.alerts.memory().await?;
        // One of another version begins anew: at worst something is said twice.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Counts what had waited at the start, until it was told.
    async fn catch_up(&mut self, memory: &Memory, started: DateTime<Utc>) -> Result<(), Fault> {
        if self.looked.is_none() {
            let look = self.shared.board.seen().invoices.last_ok.filter(|at| *at >= started);
            self.looked = look.map(|_| self.shared.now());
        }
        let Some(looked) = self.looked else { return Ok(()) };
        if self.caught_up.is_none() || !memory.start_is_told(started) {
            self.caught_up = Some(self.shared.world.alerts.catch_up(started, looked).await?);
        }
        Ok(())
    }
}

/// Whether it says anything: the first one is empty, and of the moment of the start.
fn is_published(snapshot: &Snapshot) -> bool {
    snapshot.at > snapshot.started
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_before_a_start_is_not_over_because_nothing_was_seen_yet() {
        let first = crate::engine::publish::empty(&crate::engine::rules_for_tests(), DateTime::UNIX_EPOCH);
        let next = Snapshot { at: first.started + chrono::TimeDelta::milliseconds(1), ..first.clone() };
        assert_eq!([&first, &next].map(is_published), [false, true]);
    }
}
