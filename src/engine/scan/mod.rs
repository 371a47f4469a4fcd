//! Every synced invoice of the app against RainTek: once a week, and when a person asks.
//!
//! A scan reads and takes no lock. It gives way while invoices are on their way, goes slower while a till bills, and
//! rests after each invoice for as long as that took, so that it never makes half the load. Both sides are read for
//! hundreds of invoices at once ([`ahead`]), for RainTek's tables have no index on a number; nothing that was read is
//! kept while the scan waits. Where it is stands in the store after every few invoices: a start in the middle goes on
//! from there.
//!
//! What it finds joins the mismatches that the walk through RainTek's bills finds, and stands until it is right again:
//! what was found is looked at anew every few minutes, so that nothing has to wait a week to be green.

mod ahead;
mod days;
mod end;
mod job;
mod look;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Shared, backup};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::outbox::Item;
use crate::model::scan::{Finding, FindingKind, ScanAnswer, ScanEnd, ScanRun, ScanStatus};
use crate::model::status::MAX_ITEMS;
use crate::sync::scan::{next_due, overdue};

use ahead::Ahead;
use job::Job;
pub(super) use look::{stands, tell_apart};

/// The scan under way, in the store.
const JOB: &str = "scan.job";
/// How the last one ended and what of it is not right yet, in the store.
const LAST: &str = "scan.last";
/// When ShopSync was first started here, in the store.
const SINCE: &str = "scan.since";
/// Invoices between two marks in the store.
const MARK_EVERY: u32 = 20;
/// Before a mismatch is believed it is looked at once more: RainTek saves a bill statement by statement.
const BELIEVE: Duration = Duration::from_secs(2);
/// The least rest between two invoices, and while RainTek's own till bills.
const REST: Duration = Duration::from_millis(2);
const REST_BESIDE_TILL: Duration = Duration::from_millis(250);
/// While it gives way, and after a failure.
const GIVES_WAY: Duration = Duration::from_millis(500);
const FAILED: Duration = Duration::from_secs(15);
/// Whether one is due is looked at this often: a PC sleeps, and its clock is set.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// What was found is looked at anew this often.
const STANDING_EVERY: Duration = Duration::from_secs(120);

/// What the task last saw; see [`super::board`].
#[derive(Debug, Clone, Default)]
pub(super) struct ScanBoard {
    pub(super) status: ScanStatus,
    /// When the last one ended, or this shop began.
    since: Option<DateTime<Utc>>,
}

impl ScanBoard {
    /// What is wrong, for the state of the whole: beside bills that differ, which have their own place there.
    pub(super) fn trouble(
        &self,
        now: DateTime<Utc>,
        started: DateTime<Utc>,
        zone: chrono_tz::Tz,
    ) -> Option<String> {
        let of_its_own =
            |finding: &&Finding| !matches!(finding.kind, FindingKind::Edited | FindingKind::Gone);
        let found = self.status.findings.iter().find(of_its_own).map(|finding| finding.sentence.clone());
        let last = self.status.last.as_ref().map(|end| end.at);
        found.or_else(|| overdue(now, started, self.since?, last, zone))
    }
}

/// The last scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    end: ScanEnd,
    /// What is not right yet.
    findings: Vec<Finding>,
}

/// The task's own memory; the store has all of it that matters.
#[derive(Debug)]
struct Scan {
    since: DateTime<Utc>,
    job: Option<Job>,
    /// What the scan under way has read already, for a moment.
    ahead: Option<Ahead>,
    last: Option<Last>,
    /// Orders that are being answered.
    asked: u64,
    looked_at_findings: Option<Duration>,
}

pub(super) async fn run(shared: Arc<Shared>) {
    let mut scan = None;
    while !shared.stopping() {
        let wait = match &mut scan {
            None => match Scan::load(&shared).await {
                Ok(loaded) => {
                    scan = Some(loaded);
                    Duration::ZERO
                }
                Err(fault) => {
                    shared.log("scan", &fault);
                    FAILED
                }
            },
            // Going live takes away what would be compared.
            Some(scan) => match scan.step_in_turn(&shared).await {
                Ok(wait) => wait,
                Err(fault) => {
                    shared.log("scan", &fault);
                    shared.note_outage(&fault);
                    scan.show(&shared, Some(fault.sentence));
                    FAILED
                }
            },
        };
        if wait > Duration::ZERO {
            shared.wait(&shared.signals.scan, wait).await;
        }
    }
}

/// A person asks for one. Answered later, in the published state.
pub(super) fn order(shared: &Shared) -> String {
    shared.board.update(|seen| seen.scan.status.asked += 1);
    shared.signals.scan.notify_one();
    "Comparing every invoice with RainTek.".into()
}

/// Something was put right, or is to be looked at now.
pub(super) fn look_again(shared: &Shared) {
    shared.board.update(|seen| seen.scan_findings_asked = true);
    shared.signals.scan.notify_one();
}

/// An invoice was just proven: it may be one that was found.
pub(super) fn proven(shared: &Shared) {
    let found = shared.board.update(|seen| {
        let found = !seen.scan.status.findings.is_empty();
        seen.scan_findings_asked |= found;
        found
    });
    if found {
        shared.signals.scan.notify_one();
    }
}

impl Scan {
    async fn step_in_turn(&mut self, shared: &Shared) -> Result<Duration, Fault> {
        match shared.trial.flow().await {
            Some(_flow) => self.step(shared).await,
            None => {
                self.ahead = None;
                Ok(GIVES_WAY)
            }
        }
    }

    async fn load(shared: &Shared) -> Result<Self, Fault> {
        let since = match read(shared, SINCE).await? {
            Some(since) => since,
            None => {
                let now = shared.now();
                write(shared, SINCE, Some(&now)).await?;
                now
            }
        };
        let scan = Self {
            since,
            job: read(shared, JOB).await?,
            ahead: None,
            last: read(shared, LAST).await?,
            // What was asked of a run before this one has nobody waiting any more.
            asked: 0,
            looked_at_findings: None,
        };
        scan.show(shared, None);
        Ok(scan)
    }

    /// Does what is due; returns how long there is nothing to do.
    async fn step(&mut self, shared: &Shared) -> Result<Duration, Fault> {
        let now = shared.now();
        let asked = shared.board.seen().scan.status.asked;
        let ordered = asked > self.asked;
        let due = self.next(now);
        if ordered || self.job.is_none() && due <= now && !shared.board.is_paused(now) {
            let job = begin(shared, ordered).await?;
            self.asked = asked;
            write(shared, JOB, Some(&job)).await?;
            self.job = Some(job);
            self.ahead = None;
        }
        let Some(ordered) = self.job.as_ref().map(|job| job.ordered) else {
            self.show(shared, None);
            self.look_at_findings(shared).await?;
            let until_due = (due - now).to_std().unwrap_or_default();
            return Ok(LOOK_EVERY.min(until_due).max(GIVES_WAY));
        };
        if let Some(waits) = gives_way(shared, ordered).await? {
            self.ahead = None;
            self.show(shared, Some(waits));
            return Ok(GIVES_WAY);
        }
        if self.page(shared).await? {
            self.finish(shared).await?;
        }
        Ok(Duration::ZERO)
    }

    fn next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let undecided = self.last.as_ref().is_some_and(|last| {
            last.findings.iter().any(|finding| finding.kind == FindingKind::OtherDatabase)
        });
        next_due(now, self.since, self.last.as_ref().map(|last| last.end.at), undecided)
    }

    /// Goes through some items; returns whether those were the last.
    async fn page(&mut self, shared: &Shared) -> Result<bool, Fault> {
        let Some(mut job) = self.job.clone() else { return Ok(true) };
        // Out of its place until all went well: what follows a failure is read anew.
        let ahead = self.ahead.take().filter(|ahead| ahead.is_fresh(shared.world.clock.elapsed()));
        let ahead = match ahead {
            Some(ahead) => Some(ahead),
            None => {
                self.show_run(shared, &job, None);
                Ahead::read(shared, job.cursor, job.ordered).await?
            }
        };
        let Some(mut ahead) = ahead else { return Ok(false) };
        let mut doubted: Vec<Item> = Vec::new();
        let mut broken_off = false;
        for _ in 0..MARK_EVERY {
            if ahead.is_empty() {
                break;
            }
            if shared.stopping() || gives_way(shared, job.ordered).await?.is_some() {
                broken_off = true;
                break;
            }
            let Some((item, both)) = ahead.next() else { break };
            let began = shared.world.clock.elapsed();
            let (seq, seen) = (item.seq, look::look_at_both(shared, &item, both).await?);
            job.cursor = seq;
            job.done += 1;
            match seen {
                look::Seen::Same => job.checked += 1,
                look::Seen::Unclear(fault) => {
                    shared.log("scan", &fault);
                    (job.checked, job.unclear) = (job.checked + 1, job.unclear + 1);
                }
                look::Seen::OnItsWay => {}
                look::Seen::Differs(_) | look::Seen::Lost => doubted.push(item),
            }
            self.show_run(shared, &job, None);
            let took = shared.world.clock.elapsed().saturating_sub(began);
            let least = if shared.board.till_is_busy(shared.now()) { REST_BESIDE_TILL } else { REST };
            shared.world.clock.sleep(took.max(least)).await;
        }
        self.believe(shared, &mut job, doubted).await?;
        write(shared, JOB, Some(&job)).await?;
        self.job = Some(job);
        let is_over = ahead.is_last && ahead.is_empty() && !broken_off;
        self.ahead = Some(ahead).filter(|_| !broken_off);
        Ok(is_over)
    }

    /// Looks once more at what did not look right.
    async fn believe(&self, shared: &Shared, job: &mut Job, doubted: Vec<Item>) -> Result<(), Fault> {
        if doubted.is_empty() {
            return Ok(());
        }
        shared.world.clock.sleep(BELIEVE).await;
        let mut differs = Vec::new();
        for (item, both) in ahead::again(shared, doubted).await? {
            let seen = match both {
                Some(_) => Some(look::look_at_both(shared, &item, both).await?),
                None => None,
            };
            match seen {
                // What is gone is decided about at the end, and may be all there is: it needs nobody kept from it now.
                Some(look::Seen::Differs(mismatch)) if mismatch.mismatch.total.is_none() => {
                    job.is_gone(item.record_id);
                }
                _ => differs.push(item),
            }
        }
        for item in differs {
            // Whoever works on it settles it.
            let Some(_claim) = shared.claims.claim_or_mark(&item.record_id) else { continue };
            let Some(item) = shared.world.state.item(&item.record_id).await? else { continue };
            match look::look_at(shared, &item).await? {
                look::Seen::Differs(mismatch) if mismatch.mismatch.total.is_none() => {
                    job.is_gone(item.record_id);
                }
                look::Seen::Differs(mismatch) => {
                    job.differs(look::keep(shared, &item, &mismatch).await?);
                }
                look::Seen::Lost => job.is_lost(item.record_id),
                look::Seen::Same | look::Seen::Unclear(_) => job.checked += 1,
                look::Seen::OnItsWay => {}
            }
        }
        Ok(())
    }

    /// Publishes how things are; `waits` is what a scan under way waits for.
    fn show(&self, shared: &Shared, waits: Option<String>) {
        match &self.job {
            Some(job) => self.show_run(shared, job, waits),
            None => shared.board.update(|seen| seen.scan.status.running = None),
        }
        let (last, next) = (self.last.clone(), self.next(shared.now()));
        shared.board.update(|seen| {
            let board = &mut seen.scan;
            board.since = Some(self.since);
            board.status.next = Some(next);
            board.status.last = last.as_ref().map(|last| last.end.clone());
            board.status.findings = last.map(|last| capped(&last.findings)).unwrap_or_default();
        });
        shared.signals.publish.notify_one();
    }

    fn show_run(&self, shared: &Shared, job: &Job, waits: Option<String>) {
        let run = ScanRun {
            since: job.since,
            ordered: job.ordered,
            done: job.done.min(job.total),
            total: job.total,
            waits,
        };
        shared.board.update(|seen| seen.scan.status.running = Some(run));
        shared.signals.publish.notify_one();
    }

    /// Answers whoever asked before this scan began.
    fn answer(&self, shared: &Shared, end: ScanEnd, findings: &[Finding]) {
        let answer = ScanAnswer { end, findings: capped(findings) };
        shared.board.update(|seen| {
            seen.scan.status.answer = Some(answer);
            seen.scan.status.answered = self.asked;
        });
    }
}

fn capped(findings: &[Finding]) -> Vec<Finding> {
    findings.iter().take(MAX_ITEMS).cloned().collect()
}

async fn begin(shared: &Shared, ordered: bool) -> Result<Job, Fault> {
    let mut job = Job::new(shared.now(), ordered);
    each_proven(shared, |_| job.total += 1).await?;
    Ok(job)
}

/// Goes through what the store says stands in RainTek, without asking anybody else.
async fn each_proven(shared: &Shared, mut each: impl FnMut(Item)) -> Result<(), Fault> {
    const ALL: u32 = 500;
    let mut after = 0;
    loop {
        let items = shared.world.state.proven_after(after, ALL).await?;
        let Some(last) = items.last() else { return Ok(()) };
        after = last.seq;
        items.into_iter().for_each(&mut each);
    }
}

/// What a scan gives way to, in one sentence; `None` where it may go on.
async fn gives_way(shared: &Shared, ordered: bool) -> Result<Option<String>, Fault> {
    let (now, seen) = (shared.now(), shared.board.seen());
    for link in [&seen.raintek.status, &seen.billing.status] {
        if !link.connected {
            let reason = link.sentence.clone();
            return Ok(Some(reason.unwrap_or_else(|| "Waits until both sides answer.".into())));
        }
    }
    let paused = shared.board.is_paused(now);
    if paused && !ordered {
        return Ok(Some("Waits until ShopSync is no longer paused.".into()));
    }
    // What waits for something else than its turn would keep a scan waiting for ever.
    let goes = !paused && backup::may_write(shared);
    if seen.sending > 0 || goes && !shared.world.state.due(now, 1).await?.is_empty() {
        return Ok(Some("Waits while invoices are on their way.".into()));
    }
    Ok(None)
}

async fn read<T: DeserializeOwned>(shared: &Shared, key: &str) -> Result<Option<T>, Fault> {
    let text = shared.world.state.get(key).await?;
    // One that cannot be read was written by another version: the next scan makes it anew.
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

async fn write<T: Serialize>(shared: &Shared, key: &str, value: Option<&T>) -> Result<(), Fault> {
    let text = value.map(serde_json::to_string).transpose().map_err(|error| {
        Fault::new(FaultKind::Permanent, Scope::Item, "What the scan found cannot be kept.").detail(error)
    })?;
    shared.world.state.set(key, text.as_deref()).await
}
