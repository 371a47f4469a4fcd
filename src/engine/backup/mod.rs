//! Backups: before the day's first write, daily at a set time, and what a person asks for in between.
//!
//! What is wrong with backups never stops anything else; only two things make invoices wait: today's first backups,
//! for two minutes at most, and a change in the tables they are written to.

mod daily;
mod gate;
mod weekly;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::board::Seen;
use super::{Shared, invoices};
use crate::model::backup::{BackupAnswer, BackupTask, BackupWork, BackupsStatus, Made, Part};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::ports::State;
use crate::ports::backup::{BillingBackup, Disk, PosBackup, StoreBackup};
use crate::ports::life::resting;
use crate::sync::backups::{self, Tries};
use crate::sync::retention::Keep;

/// What we made, in the store.
const MADE: &str = "backups.made";
/// What keeps invoices from being written, in the store.
const SCHEMA_HOLD: &str = "backups.schema_hold";
/// The last trial restore, in the store.
const DRILL: &str = "backups.drill";
/// Due times are looked at this often: a PC sleeps, and its clock is set.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Where the backups from before going live lie, in the folder of backups.
const BEFORE_GOING_LIVE: &str = "before-going-live";
/// Files shown.
const MOST_SHOWN: usize = 120;

/// What backups are made of.
#[derive(Clone)]
pub struct Sources {
    /// RainTek.
    pub pos: Arc<dyn PosBackup>,
    /// The billing app.
    pub billing: Arc<dyn BillingBackup>,
    /// Our own store.
    pub store: Arc<dyn StoreBackup>,
    /// Files.
    pub disk: Arc<dyn Disk>,
    /// What the settings say.
    pub rules: BackupRules,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// What the settings say of backups.
#[derive(Debug, Clone)]
pub struct BackupRules {
    /// Where they lie. SQL Server's service writes there, too.
    pub folder: PathBuf,
    /// ShopSync's data folder: schema dumps, and room to work in.
    pub data: PathBuf,
    /// RainTek's database.
    pub database: String,
    /// The daily times in the shop's zone.
    pub times: Vec<NaiveTime>,
    /// How long files are kept.
    pub keep: Keep,
    /// Bytes of the disk that stay free.
    pub keep_free: u64,
    /// Whether backups are restored for trial each week.
    pub drill: bool,
}

/// What the task last saw; see [`super::board`].
#[derive(Debug, Clone, Default)]
pub(super) struct BackupBoard {
    pub(super) status: BackupsStatus,
    made: Vec<Made>,
    /// What is wrong, by what it is wrong with.
    problems: BTreeMap<&'static str, String>,
    tries: BTreeMap<Part, Tries>,
    orders: Vec<BackupTask>,
    gate: gate::Gate,
}

impl BackupBoard {
    fn newest(&self, part: Part) -> Option<&Made> {
        self.made.iter().filter(|made| made.part == part).max_by_key(|made| made.at)
    }

    fn newest_proven(&self, part: Part) -> Option<&Made> {
        self.made.iter().filter(|made| made.part == part && made.proof.is_some()).max_by_key(|made| made.at)
    }

    /// Notes what a person asks for. Tables are taken as they are only where they hold invoices; whether they do.
    fn ask(&mut self, task: BackupTask) -> bool {
        let hold = self.status.schema_hold.is_some();
        if hold || task != BackupTask::AcceptSchema {
            self.orders.push(task);
            self.status.asked += 1;
        }
        hold
    }

    /// Whether the day's first backups were made, or tried.
    pub(super) fn has_begun(&self, today: NaiveDate) -> bool {
        self.gate.is_open(today)
    }

    /// What is shown, from what is known.
    fn refresh(&mut self) {
        self.made.sort_by_key(|made| std::cmp::Reverse(made.at));
        let files = self.made.iter().filter(|made| made.part != Part::Snapshots);
        self.status.files = files.take(MOST_SHOWN).cloned().collect();
        let newest = Part::DAILY.map(|part| self.newest_proven(part).map(|made| made.at));
        self.status.last_ok = newest.into_iter().min().flatten();
        self.status.sentence = self.problems.values().next().cloned();
    }
}

/// The longest that nothing is written yet; `None` where invoices may be written.
pub(super) fn before_writing(shared: &Shared) -> Option<Duration> {
    shared.sources.get()?;
    let (today, steady) = (today(shared), shared.world.clock.elapsed());
    let (wait, began) = shared.board.update(|seen| {
        let backup = &mut seen.backup;
        if backup.status.schema_hold.is_some() {
            return (Some(invoices::NET), false);
        }
        backup.gate.wait(today, steady)
    });
    if began {
        shared.signals.backup.notify_one();
    }
    wait
}

/// Whether nothing of backups keeps invoices from being written; asking for it changes nothing.
pub(super) fn may_write(shared: &Shared) -> bool {
    let seen = shared.board.seen().backup;
    shared.sources.get().is_none() || seen.status.schema_hold.is_none() && seen.has_begun(today(shared))
}

pub(super) async fn run(shared: Arc<Shared>) {
    let Some(sources) = shared.sources.get() else { return shared.wait_for_stop().await };
    while !shared.stopping() {
        tokio::select! {
            biased;
            () = async {
                // Whoever holds it is watched over by itself.
                let _alone = resting(shared.backup_work.lock()).await;
                round(&shared, sources).await;
            } => {}
            // What is under way is given up; the server does so, too, when its connection is dropped.
            () = shared.stop.cancelled() => break,
        }
        shared.wait(&shared.signals.backup, LOOK_EVERY).await;
    }
}

/// Takes up what an earlier run made and found. Before any task runs: the list must not be changed unread.
pub(super) async fn restore(shared: &Shared) -> Result<(), Fault> {
    let Some(sources) = shared.sources.get() else { return Ok(()) };
    let state = &shared.world.state;
    let (hold, drill) = (state.get(SCHEMA_HOLD).await?, state.get(DRILL).await?);
    let made = recorded(state.as_ref()).await.or_else(|fault| {
        shared.log("backup", &fault);
        nothing_known(fault)
    })?;
    let drill = drill.and_then(|text| serde_json::from_str::<weekly::Drill>(&text).ok());
    shared.board.update(|seen| {
        let backup = &mut seen.backup;
        backup.status.enabled = true;
        backup.status.folder = sources.rules.folder.display().to_string();
        backup.status.schema_hold = hold;
        backup.status.restorable = drill.and_then(|drill| drill.proven_at);
        backup.made = made;
        backup.refresh();
    });
    Ok(())
}

/// A list that cannot be read. Nothing is deleted that is not known: those files stay until a person removes them. A
/// store that cannot be read just now is another matter.
fn nothing_known(fault: Fault) -> Result<Vec<Made>, Fault> {
    if fault.kind == FaultKind::Permanent { Ok(Vec::new()) } else { Err(fault) }
}

/// What the store says we made, for who looks while nothing runs.
///
/// # Errors
/// The store's; or what it says cannot be read.
pub async fn recorded(state: &dyn State) -> Result<Vec<Made>, Fault> {
    match state.get(MADE).await? {
        None => Ok(Vec::new()),
        Some(text) => serde_json::from_str(&text).map_err(|error| {
            Fault::new(FaultKind::Permanent, Scope::Store, "The list of backups cannot be read.")
                .detail(error)
        }),
    }
}

/// Everything that is due, one after the other.
async fn round(shared: &Shared, sources: &Sources) {
    for part in Part::DAILY {
        if is_due(shared, sources, part) {
            // Its line is in the journal, or among what is wrong.
            let _ = daily::back_up(shared, sources, part).await;
        }
        day_begun(shared);
    }
    weekly::clear_away(shared, sources).await;
    weekly::look_at_tables(shared, sources, false).await;
    weekly::drill_where_due(shared, sources).await;
    while let Some(task) = shared.board.update(|seen| {
        let orders = &mut seen.backup.orders;
        (!orders.is_empty()).then(|| orders.remove(0))
    }) {
        let answer = answer(shared, sources, task).await;
        day_begun(shared);
        shared.board.update(|seen| {
            seen.backup.status.answered += 1;
            seen.backup.status.answer = Some(answer);
        });
        shared.signals.publish.notify_one();
    }
}

async fn answer(shared: &Shared, sources: &Sources, task: BackupTask) -> BackupAnswer {
    let mut lines = Vec::new();
    match task {
        BackupTask::Now => {
            for part in Part::DAILY {
                lines.push(daily::back_up(shared, sources, part).await);
            }
            weekly::clear_away(shared, sources).await;
            weekly::look_at_tables(shared, sources, true).await;
        }
        BackupTask::Verify => {
            for part in Part::DAILY {
                lines.push(daily::verify(shared, sources, part).await);
            }
        }
        BackupTask::Drill => lines = weekly::drill(shared, sources).await,
        BackupTask::AcceptSchema => lines.push(weekly::accept_tables(shared).await),
    }
    BackupAnswer {
        ok: lines.iter().all(Result::is_ok),
        lines: lines.into_iter().map(|line| line.unwrap_or_else(|sentence| sentence)).collect(),
    }
}

fn is_due(shared: &Shared, sources: &Sources, part: Part) -> bool {
    let (now, seen) = (shared.now(), shared.board.seen());
    // A side that is away is told of as such; its backup is due as soon as it is back.
    let is_there = match part {
        Part::Raintek => seen.raintek.status.connected,
        Part::Billing => seen.billing.status.connected,
        _ => true,
    };
    let last_ok = seen.backup.newest_proven(part).map(|made| made.at);
    let tries = seen.backup.tries.get(&part).copied().unwrap_or_default();
    is_there && backups::is_due(now, shared.rules.zone, &sources.rules.times, last_ok, tries)
}

/// Lets invoices go once both sides' first backups of the day were made, or tried.
fn day_begun(shared: &Shared) {
    let (today, zone) = (today(shared), shared.rules.zone);
    let is_today =
        |at: Option<DateTime<Utc>>| at.is_some_and(|at| at.with_timezone(&zone).date_naive() == today);
    let news = shared.board.update(|seen| {
        let backup = &mut seen.backup;
        let tried = |part: &Part| {
            is_today(backup.tries.get(part).and_then(|tries| tries.last))
                || is_today(backup.newest_proven(*part).map(|made| made.at))
        };
        [Part::Raintek, Part::Billing].iter().all(tried) && backup.gate.open(today)
    });
    if news {
        shared.signals.push.notify_one();
        shared.signals.publish.notify_one();
    }
}

fn today(shared: &Shared) -> NaiveDate {
    shared.now().with_timezone(&shared.rules.zone).date_naive()
}

/// Shows what is under way.
fn doing(shared: &Shared, doing: impl Into<String>) {
    let work = BackupWork { doing: doing.into(), percent: None, since: shared.now() };
    shared.board.update(|seen| seen.backup.status.running = Some(work));
    shared.signals.publish.notify_one();
}

/// A round was dropped in the middle: nothing is under way, and who waits for an answer gets one.
pub(super) fn given_up(seen: &mut Seen) {
    let status = &mut seen.backup.status;
    status.running = None;
    let waiting = u64::try_from(seen.backup.orders.len()).unwrap_or_default();
    if status.answered + waiting < status.asked {
        status.answered = status.asked.saturating_sub(waiting);
        let lines = vec![super::again::GIVEN_UP.to_owned()];
        status.answer = Some(BackupAnswer { ok: false, lines });
    }
}

fn done(shared: &Shared) {
    shared.board.update(|seen| seen.backup.status.running = None);
    shared.signals.publish.notify_one();
}

fn show_percent(shared: &Shared, percent: u8) {
    let news = shared.board.update(|seen| match &mut seen.backup.status.running {
        Some(work) if work.percent != Some(percent) => {
            work.percent = Some(percent);
            true
        }
        _ => false,
    });
    if news {
        shared.signals.publish.notify_one();
    }
}

/// Takes up or forgets what is wrong with something; the first time it is also told.
async fn note(shared: &Shared, about: &'static str, wrong: Option<&Fault>) {
    let news = shared.board.update(|seen| {
        let problems = &mut seen.backup.problems;
        let news = match wrong {
            None => {
                problems.remove(about);
                false
            }
            Some(fault) => problems.insert(about, fault.sentence.clone()).as_ref() != Some(&fault.sentence),
        };
        seen.backup.refresh();
        news
    });
    if let Some(fault) = wrong.filter(|_| news) {
        shared.log("backup", fault);
        shared.journal("backup", "", fault.sentence.clone()).await;
    }
    shared.signals.publish.notify_one();
}

/// Changes the list of what we made; it is stored before it counts.
async fn change_made(shared: &Shared, change: impl FnOnce(&mut Vec<Made>)) -> Result<(), Fault> {
    let _alone = shared.backup_list.lock().await;
    let mut made = shared.board.seen().backup.made;
    change(&mut made);
    let text = serde_json::to_string(&made).map_err(|error| {
        Fault::new(FaultKind::Permanent, Scope::Item, "The list of backups cannot be kept.").detail(error)
    })?;
    shared.world.state.set(MADE, Some(&text)).await?;
    shared.board.update(|seen| {
        seen.backup.made = made;
        seen.backup.refresh();
    });
    Ok(())
}

/// Takes up that rows of a bill were copied into the folder of a day, so that it is cleared away in its time.
pub(super) async fn made_snapshot(shared: &Shared, day: NaiveDate, file: &Path) {
    let Some(folder) = file.parent().filter(|_| shared.sources.get().is_some()) else { return };
    if shared.board.update(|seen| seen.backup.made.iter().any(|made| made.file == folder)) {
        return;
    }
    let at = shared.now();
    let (part, file) = (Part::Snapshots, folder.to_owned());
    let made = Made { part, file, day, at, bytes: 0, rows: None, proof: None, proven_at: None };
    let taken = change_made(shared, |all| {
        all.retain(|other| other.file != made.file);
        all.push(made);
    });
    if let Err(fault) = taken.await {
        // The copy itself is safe; only nobody will clear it away.
        shared.log("backup", &fault);
    }
}

/// Everything is backed up into a folder of its own, where no later backup of the day takes its place. One line each;
/// an error where one of them is not made and proven.
pub(super) async fn before_going_live(shared: &Shared) -> Result<Vec<String>, String> {
    let Some(sources) = shared.sources.get() else {
        return Err("Backups are switched off (backup.enabled in the settings).".into());
    };
    // Whoever holds it is watched over by itself.
    let _alone = resting(shared.backup_work.lock()).await;
    let mut apart = sources.clone();
    apart.rules.folder = sources.rules.folder.join(BEFORE_GOING_LIVE);
    let mut lines = Vec::new();
    for part in Part::DAILY {
        lines.push(daily::back_up(shared, &apart, part).await?);
    }
    Ok(lines)
}

/// What a person asks for. Answered later, in the published state.
pub(super) fn order(shared: &Shared, task: BackupTask) -> Result<String, String> {
    if shared.sources.get().is_none() {
        return Err("Backups are switched off in the settings (backup.enabled).".into());
    }
    let hold = shared.board.update(|seen| seen.backup.ask(task));
    shared.signals.backup.notify_one();
    shared.signals.publish.notify_one();
    Ok(match task {
        BackupTask::Now => "Backing up now.".into(),
        BackupTask::Verify => "Reading the newest backups back.".into(),
        BackupTask::Drill => "Restoring the newest backups for trial.".into(),
        BackupTask::AcceptSchema if hold => "RainTek's tables are taken as they are now.".into(),
        BackupTask::AcceptSchema => return Err("Nothing is held because of RainTek's tables.".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_cannot_be_read_is_none_and_a_store_that_is_busy_is_asked_again() {
        let unreadable =
            Fault::new(FaultKind::Permanent, Scope::Store, "The list of backups cannot be read.");
        assert_eq!(nothing_known(unreadable), Ok(Vec::new()));
        let busy = Fault::transient(Scope::Store, "The disk is full.");
        assert_eq!(nothing_known(busy.clone()), Err(busy));
    }

    #[test]
    fn what_a_person_asks_for_is_noted_and_tables_are_taken_only_where_they_hold_invoices() {
        use BackupTask::{AcceptSchema, Drill, Now, Verify};
        let mut board = BackupBoard::default();
        for task in [Now, Verify, AcceptSchema, Drill] {
            assert!(!board.ask(task));
        }
        assert_eq!((board.orders.as_slice(), board.status.asked), (&[Now, Verify, Drill][..], 3));
        board.status.schema_hold = Some("A column is gone.".into());
        assert!(board.ask(AcceptSchema) && board.ask(Now));
        assert_eq!(
            (board.orders.as_slice(), board.status.asked),
            (&[Now, Verify, Drill, AcceptSchema, Now][..], 5)
        );
    }

    #[test]
    fn who_waits_for_work_that_was_given_up_is_told_and_who_waits_for_their_turn_is_not() {
        let board = |asked, answered, waiting: usize| {
            let rules = crate::engine::rules_for_tests();
            let board = crate::engine::board::Board::new(DateTime::default(), &rules);
            board.update(|seen| {
                let backup = &mut seen.backup;
                let since = DateTime::default();
                backup.status.running = Some(BackupWork { doing: "x".into(), percent: None, since });
                (backup.status.asked, backup.status.answered) = (asked, answered);
                backup.orders = vec![BackupTask::Now; waiting];
                given_up(seen);
            });
            let status = board.seen().backup.status;
            assert_eq!(status.running, None);
            (status.answered, status.answer.map(|answer| answer.ok))
        };
        assert_eq!(board(3, 1, 1), (2, Some(false)), "one was under way, one waits");
        assert_eq!(board(3, 1, 2), (1, None), "a daily one was under way");
        assert_eq!(board(2, 2, 0), (2, None));
        assert_eq!(board(1, 0, 0), (1, Some(false)));
    }
}
