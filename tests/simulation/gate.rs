//! When nothing may be written: while a person paused it, and before the day's first backups were tried.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, Timelike as _};

use shopsync::model::status::Snapshot;
use shopsync::ports::State as _;

use crate::sim::{Sim, ZONE, lock};
use crate::store::at_once;

/// What was being sent when somebody paused it, or the PC went to sleep, goes on.
const UNDER_WAY: u64 = 2_000;
/// Invoices wait so long for the day's first backups.
const AT_MOST: u64 = 120_000;
/// The same, and a look at the time.
const AT_MOST_AND_A_LOOK: u64 = AT_MOST + 32_000;

/// What hangs is given up by then.
pub(crate) const GIVEN_UP: u64 = 16 * 60_000;

/// A side of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Of {
    RainTek,
    App,
}

/// Which backups were tried.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    days: BTreeMap<NaiveDate, BTreeSet<Of>>,
    /// Days on which invoices were rightly written since this engine was started.
    open: BTreeSet<NaiveDate>,
    /// Since when invoices could be sent and are not.
    waiting: Option<u64>,
}

impl Tried {
    pub(crate) fn engine_started(&mut self) {
        self.open.clear();
        self.waiting = None;
    }
}

/// A backup of one side ended, well or not.
pub(crate) fn tried(sim: &Sim, began: NaiveDate, of: &[Of]) {
    let days = &mut lock(&sim.truth).backed_up.days;
    for day in [began, sim.day()] {
        days.entry(day).or_default().extend(of);
    }
}

/// Whether somebody paused it a while ago.
pub(crate) fn is_paused(sim: &Sim) -> bool {
    let truth = lock(&sim.truth);
    let paused = truth.paused.filter(|(since, _)| sim.ms() > since + UNDER_WAY && !truth.trial.going);
    let until = paused.map(|(_, until)| until);
    drop(truth);
    until.is_some_and(|until| sim.wall() < until)
}

/// Something is about to be written into the app that nobody asked for by name.
pub(crate) fn app_write(sim: &Sim, what: &str) {
    if is_paused(sim) {
        sim.fail(format!("it is paused, and {what}"));
    }
}

/// Something is about to be written into RainTek; `paused` is whether it was paused when that began.
pub(crate) fn pos_write(sim: &Sim, number: &str, paused: bool) {
    if paused {
        return sim.fail(format!("it is paused, and {number} is written into RainTek"));
    }
    let (now, day) = (sim.ms(), sim.day());
    let midnight = u64::from(sim.wall().with_timezone(&ZONE).num_seconds_from_midnight()) * 1000;
    let truth = &mut *lock(&sim.truth);
    if !sim.setup.backups || truth.trial.going {
        return;
    }
    let began = truth.engine_since.unwrap_or_default();
    let began = began.max(now.saturating_sub(midnight)).max(truth.day_began.unwrap_or_default());
    // It was begun before a sleep into the next day.
    if truth.day_began.is_some_and(|at| now < at + UNDER_WAY) {
        return;
    }
    let tried = &mut truth.backed_up;
    tried.waiting = None;
    let both = tried.days.get(&day).is_some_and(|sides| sides.len() == 2);
    if both || now.saturating_sub(began) >= AT_MOST || tried.open.contains(&day) {
        tried.open.insert(day);
        return;
    }
    // `truth` is held.
    let text = format!("{number} is written into RainTek before the first backups of {day} were tried");
    sim.fail(text);
}

/// The engine works on an invoice, or cannot store anything.
pub(crate) fn goes_on(sim: &Sim) {
    lock(&sim.truth).backed_up.waiting = None;
}

/// A state was published: nothing waits longer for backups than it must.
pub(crate) fn published(sim: &Sim, snapshot: &Snapshot) {
    let truth = lock(&sim.truth);
    let (store, going, hung) = (truth.store.clone(), truth.trial.going, truth.hung);
    drop(truth);
    // Who hangs meanwhile waits for something else.
    let hung = hung.is_some_and(|at| sim.ms() < at + GIVEN_UP);
    let Some(store) = store.filter(|_| sim.setup.backups && !going && !hung) else { return };
    let free = snapshot.raintek.connected
        && snapshot.billing.connected
        && snapshot.paused_until.is_none_or(|until| until <= snapshot.at)
        && snapshot.backups.running.is_some();
    let due = free && at_once(store.due(sim.wall(), 1)).is_ok_and(|due| !due.is_empty());
    let (now, waiting) = (sim.ms(), &mut lock(&sim.truth).backed_up.waiting);
    if !due {
        *waiting = None;
        return;
    }
    let since = *waiting.get_or_insert(now);
    if now - since > AT_MOST_AND_A_LOOK {
        *waiting = None;
        let text = format!("invoices wait for a backup since {} s", (now - since) / 1000);
        sim.fail(text);
    }
}
