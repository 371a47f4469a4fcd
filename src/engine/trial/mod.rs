//! The trial: what is written into RainTek is remembered before it is committed, and taken back when the shop goes
//! live. Once begun, a trial goes on until then, whatever the settings say: its test data must not be mixed up with
//! what is real.

mod app_side;
mod pos_side;
mod record;
mod steps;
mod told;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::Shared;
use crate::model::awareness::BillKey;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::ids::RecordId;
use crate::model::status::{Progress, Snapshot};
use crate::model::trial::{AppKind, GoLive, GoLiveAnswer, GoLiveStep, GoLiveWork, TrialBegin, TrialStatus};
use crate::ports::trial::{TrialApp, TrialPos, TrialSettings, TrialStore};
use crate::sync::health::Verdict;
use crate::sync::mode::{self, Mode};

pub(super) use record::{about_to_write, disown, has_our_mark, is_disowned, proven, taken_back};

/// How going live stands, in the store.
const GO_LIVE: &str = "trial.go_live";
/// That nothing was sent because it only watched, in the store.
const WATCHED: &str = "trial.watched";
/// What went wrong is tried again this soon.
const AGAIN: Duration = Duration::from_secs(5);
/// The longest that the task sleeps without being told.
const NET: Duration = Duration::from_secs(30);

/// What a trial works with.
#[derive(Clone)]
pub struct Sources {
    /// RainTek.
    pub pos: Arc<dyn TrialPos>,
    /// The billing app.
    pub app: Arc<dyn TrialApp>,
    /// Our own store.
    pub store: Arc<dyn TrialStore>,
    /// The settings file.
    pub settings: Arc<dyn TrialSettings>,
    /// The settings ask for a trial.
    pub trial: bool,
    /// The settings ask that nothing be written into RainTek.
    pub watch_only: bool,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("trial", &self.trial)
            .field("watch_only", &self.watch_only)
            .finish_non_exhaustive()
    }
}

/// What of it is in memory.
#[derive(Debug, Default)]
pub(super) struct Trial {
    sources: OnceLock<Sources>,
    /// Read by every flow while it works; going live waits until none does.
    flows: Arc<RwLock<()>>,
    now: Mutex<Now>,
}

#[derive(Debug, Default)]
struct Now {
    /// The settings ask for a trial that was not ended since.
    is_set: bool,
    begin: Option<TrialBegin>,
    going: Option<GoLive>,
    work: Option<GoLiveWork>,
    /// It was interrupted: whatever was under way then may not have ended.
    resumed: bool,
    orders: Vec<bool>,
    asked: u64,
    answered: u64,
    answer: Option<GoLiveAnswer>,
    /// Bills that carry our mark and are RainTek's.
    disowned: HashSet<BillKey>,
    /// What would be done, where it only watches.
    plans: HashMap<RecordId, String>,
}

/// A flow that is at work.
pub(super) type Flow = Arc<OwnedRwLockReadGuard<()>>;

impl Trial {
    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, sources: Sources) {
        let _ = self.sources.set(sources);
    }

    /// Whether nothing may be written into RainTek.
    pub(super) fn watching(&self) -> bool {
        self.sources.get().is_some_and(|sources| sources.watch_only)
    }

    /// Whether going live is under way.
    pub(super) fn going_live(&self) -> bool {
        self.lock().going.is_some()
    }

    /// Leave to work, until what is returned is dropped; `None` while going live is under way.
    pub(super) async fn flow(&self) -> Option<Flow> {
        if self.going_live() {
            return None;
        }
        let flow = Arc::clone(&self.flows).read_owned().await;
        (!self.going_live()).then(|| Arc::new(flow))
    }

    /// Whether invoices may be sent and bills be shown: a trial that is wanted must have begun.
    pub(super) fn may_begin_to_write(&self) -> bool {
        let now = self.lock();
        !now.is_set || now.begin.is_some()
    }

    /// Where a trial runs: what it works with, and since when.
    fn running(&self) -> Option<(&Sources, TrialBegin)> {
        let sources = self.sources.get()?;
        self.lock().begin.clone().map(|begin| (sources, begin))
    }

    pub(super) fn keep_plan(&self, id: &RecordId, sentence: String) {
        self.lock().plans.insert(id.clone(), sentence);
    }

    /// What would be done with an invoice, where it only watches.
    pub(super) fn plan_of(&self, id: &RecordId) -> Option<String> {
        self.lock().plans.get(id).cloned().filter(|_| self.watching())
    }
}

/// Takes up what an earlier run left. Before any task runs.
pub(super) async fn restore(shared: &Shared) -> Result<(), Fault> {
    let Some(sources) = shared.trial.sources.get() else { return Ok(()) };
    let state = &shared.world.state;
    let begin = sources.store.begun().await?;
    let going = match state.get(GO_LIVE).await? {
        None => None,
        Some(text) => Some(serde_json::from_str::<GoLive>(&text).map_err(|error| {
            let sentence = "How far going live is cannot be read.";
            Fault::new(FaultKind::Permanent, Scope::Store, sentence).detail(error)
        })?),
    };
    let disowned = sources.store.disowned().await?;
    if sources.watch_only || state.get(WATCHED).await?.is_some() {
        // Plans are not kept, and what was only looked at until now goes at once.
        state.make_due(None, shared.now()).await?;
        state.set(WATCHED, Some("1").filter(|_| sources.watch_only)).await?;
    }
    {
        let mut now = shared.trial.lock();
        now.is_set = sources.trial;
        now.begin = begin;
        now.work = going.as_ref().map(|going| work_of(going.step));
        now.resumed = going.is_some();
        now.going = going;
        now.disowned = disowned.into_iter().collect();
    }
    // Said from the first moment on, before anything was seen.
    let status = status(shared);
    shared.snapshot.send_modify(|snapshot| {
        let first = Snapshot { trial: status, ..Snapshot::clone(snapshot) };
        *snapshot = Arc::new(first);
    });
    Ok(())
}

/// Begins a trial, answers what is asked, and goes live.
pub(super) async fn run(shared: Arc<Shared>) {
    let Some(sources) = shared.trial.sources.get() else { return shared.wait_for_stop().await };
    while !shared.stopping() {
        let wait = tokio::select! {
            biased;
            wait = round(&shared, sources) => wait,
            // Every step can be made again: dropped in the middle, it is.
            () = shared.stop.cancelled() => break,
        };
        shared.wait(&shared.signals.trial, wait).await;
    }
}

async fn round(shared: &Shared, sources: &Sources) -> Duration {
    if let Err(fault) = begin(shared, sources).await {
        shared.log("trial", &fault);
        shared.note_outage(&fault);
        return AGAIN;
    }
    if shared.trial.going_live() {
        return steps::go(shared, sources).await;
    }
    while let Some(yes) = next_order(shared) {
        if yes {
            if let Err(fault) = steps::start(shared).await {
                answer(shared, GoLiveAnswer { ok: false, lines: vec![fault.sentence] });
                continue;
            }
            return steps::go(shared, sources).await;
        }
        show(shared, GoLiveStep::Stock, None);
        let told = told::preview(shared, sources).await.unwrap_or_else(|fault| {
            shared.log("go live", &fault);
            GoLiveAnswer { ok: false, lines: vec![fault.sentence] }
        });
        answer(shared, told);
    }
    NET
}

fn next_order(shared: &Shared) -> Option<bool> {
    let orders = &mut shared.trial.lock().orders;
    (!orders.is_empty()).then(|| orders.remove(0))
}

/// What stands there already is no test data: it is written down before the first invoice is sent.
async fn begin(shared: &Shared, sources: &Sources) -> Result<(), Fault> {
    {
        let now = shared.trial.lock();
        if !now.is_set || now.begin.is_some() || now.going.is_some() || !shared.board.both_up() {
            return Ok(());
        }
    }
    let inv_mark = shared.world.pos.probe().await?;
    let holds = sources.app.holds().await?;
    let invoices = holds.invoices.into_iter().map(|invoice| (AppKind::Invoice, invoice.id));
    let customers = holds.customers.into_iter().map(|customer| (AppKind::Customer, customer.id));
    let begin = TrialBegin { since: shared.now(), inv_mark };
    sources.store.begin(&begin, &invoices.chain(customers).collect::<Vec<_>>()).await?;
    shared.trial.lock().begin = Some(begin);
    shared.journal("app", "", "The trial began. What is billed now is test data until you go live.").await;
    wake_all(shared);
    Ok(())
}

fn wake_all(shared: &Shared) {
    let signals = &shared.signals;
    for signal in [
        &signals.push,
        &signals.invoices,
        &signals.products,
        &signals.bills,
        &signals.numbers,
        &signals.links,
        &signals.publish,
        &signals.alerts,
    ] {
        signal.notify_one();
    }
}

/// What a person asks for. Answered later, in the published state.
pub(super) fn order(shared: &Shared, yes: bool) -> Result<String, String> {
    let sources = shared.trial.sources.get();
    let mut now = shared.trial.lock();
    if now.going.is_some() {
        return Ok("Going live is under way.".into());
    }
    let Some(sources) = sources.filter(|_| now.is_trial()) else {
        return Ok("There is nothing to do: ShopSync is not in trial.".into());
    };
    if now.begin.is_none() {
        return Err("The trial has not begun: both sides must be connected once.".into());
    }
    if yes && sources.watch_only {
        return Err("ShopSync only watches (watch_only in the settings): nothing is removed.".into());
    }
    if yes && shared.sources.get().is_none() {
        return Err(
            "Backups are switched off (backup.enabled in the settings): going live needs them.".into()
        );
    }
    now.orders.push(yes);
    now.asked += 1;
    drop(now);
    shared.signals.trial.notify_one();
    Ok(if yes { "Going live." } else { "Looking at what came from the trial." }.into())
}

impl Now {
    /// That it ended and how it ended is one piece of news.
    fn answer(&mut self, told: GoLiveAnswer) {
        self.work = None;
        self.going = None;
        self.answered = self.asked;
        self.answer = Some(told);
    }

    /// One that has begun goes on, whatever the settings say.
    fn is_trial(&self) -> bool {
        self.is_set || self.begin.is_some()
    }

    fn given_up(&mut self) {
        if self.going.is_none() && self.orders.is_empty() && self.answered < self.asked {
            self.answer(GoLiveAnswer { ok: false, lines: vec![super::again::GIVEN_UP.to_owned()] });
        }
    }
}

fn answer(shared: &Shared, told: GoLiveAnswer) {
    shared.trial.lock().answer(told);
    shared.signals.publish.notify_one();
}

/// A round was dropped in the middle: who waits for an answer gets one, unless going live goes on where it was.
pub(super) fn given_up(shared: &Shared) {
    shared.trial.lock().given_up();
}

fn work_of(step: GoLiveStep) -> GoLiveWork {
    GoLiveWork { doing: step.words().to_owned(), progress: None, sentence: None }
}

/// Shows what is under way.
fn show(shared: &Shared, step: GoLiveStep, progress: Option<Progress>) {
    shared.trial.lock().work = Some(GoLiveWork { progress, ..work_of(step) });
    shared.signals.publish.notify_one();
}

/// What the trial adds to the published state.
pub(super) fn status(shared: &Shared) -> TrialStatus {
    let now = shared.trial.lock();
    TrialStatus {
        on: now.is_trial(),
        watch_only: shared.trial.watching(),
        banner: mode::banner(mode(shared, &now, 0)),
        since: now.begin.as_ref().map(|begin| begin.since),
        work: now.work.clone(),
        asked: now.asked,
        answered: now.answered,
        answer: now.answer.clone(),
    }
}

/// The state as it is in this mode.
pub(super) fn in_mode(shared: &Shared, verdict: Verdict, waiting: u64) -> Verdict {
    let now = shared.trial.lock();
    mode::in_mode(verdict, mode(shared, &now, waiting))
}

fn mode<'a>(shared: &Shared, now: &'a Now, waiting: u64) -> Mode<'a> {
    Mode {
        trial: now.is_set || now.begin.is_some(),
        trial_is_set: now.is_set,
        watch_only: shared.trial.watching(),
        waiting,
        going_live: now.work.as_ref().filter(|_| now.going.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_one_that_is_wanted_or_has_begun() {
        let begin = || Some(TrialBegin { since: chrono::DateTime::UNIX_EPOCH, inv_mark: 0 });
        assert!(Now { is_set: true, ..Now::default() }.is_trial());
        assert!(Now { begin: begin(), ..Now::default() }.is_trial());
        assert!(!Now::default().is_trial());
    }

    #[test]
    fn who_waits_is_told_unless_it_goes_on() {
        let waits = || Now { asked: 2, answered: 1, ..Now::default() };
        let told = |mut now: Now| {
            now.given_up();
            now.answer.is_some()
        };
        assert!(told(waits()));
        assert!(!told(Now { orders: vec![true], ..waits() }), "it comes next");
        assert!(!told(Now { answered: 2, ..waits() }), "nobody waits");
        let going = GoLive {
            step: GoLiveStep::Stock,
            at: chrono::DateTime::UNIX_EPOCH,
            lines: Vec::new(),
            kept: Vec::new(),
        };
        assert!(!told(Now { going: Some(going), ..waits() }), "it goes on where it was");
    }
}
