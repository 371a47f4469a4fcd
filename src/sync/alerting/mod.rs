//! Who is told what, and when: one pure function of what was said before, what is so now, and the time.
//!
//! Alerts follow states, not edges: a state that calls for one is *open*. It is said once, with the next message; when
//! it ends, "resolved" is said once. One that ends before it was said is never said. That alone gives the rules: no
//! repetition, one message a minute with everything of that minute, and a resolved for each alert that was sent.

mod delivery;
mod events;
mod memory;
pub mod texts;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::model::alert::{CatchUp, Level, Message, Raised};
use crate::model::awareness::BillState;
use crate::model::health::HealthState;
use crate::model::outbox::ItemState;
use crate::model::status::{BillProblem, Counts, ItemStatus, LinkStatus, MAX_ITEMS};
use crate::sync::alive::cut_off_sentence;

pub use delivery::{KEPT_FOR, combine};
pub use events::disk_sentence;
pub use memory::{Memory, StartPhase};
use memory::{Note, Said};

/// How long a start may take to catch up before "started" is said without waiting for it.
pub const START_GRACE: TimeDelta = TimeDelta::seconds(60);
/// After which an event that goes on is said again.
const AGAIN: TimeDelta = TimeDelta::hours(20);
/// How old a published state may be to count as proof.
const FRESH: TimeDelta = TimeDelta::seconds(20);

/// What the settings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRules {
    /// The shop's zone.
    pub zone: Tz,
    /// How long a side may be away.
    pub lost_after: TimeDelta,
    /// How long an invoice may fail.
    pub failing_after: TimeDelta,
    /// Between two messages.
    pub gap: TimeDelta,
    /// When the day is summed up.
    pub closing: Option<NaiveTime>,
}

/// What is so now.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Wall time.
    pub now: DateTime<Utc>,
    /// When this program started: another one than remembered is a new start.
    pub started: DateTime<Utc>,
    /// When the run before this one was last seen, where it ended without a word.
    pub cut_off: Option<DateTime<Utc>>,
    /// It is about to stop.
    pub stopping: bool,
    /// RainTek.
    pub raintek: &'a LinkStatus,
    /// The billing app.
    pub billing: &'a LinkStatus,
    /// How many stand where; "today" is the day of `now`.
    pub counts: Counts,
    /// Waiting and held invoices.
    pub items: &'a [ItemStatus],
    /// Bills that need a person.
    pub bills: &'a [BillProblem],
    /// What changed in RainTek's tables so that nothing is written there.
    pub schema_hold: Option<&'a str>,
    /// Whether `bills` and `schema_hold` were looked at since the start.
    pub published: bool,
    /// Those of [`Memory::said_invoices`] that are not among `items`: where they stand; `None` where they are gone.
    pub others: BTreeMap<String, Option<ItemState>>,
    /// How far the start has caught up; `None` before the first look for invoices ended.
    pub catch_up: Option<CatchUp>,
}

/// What became of an alert. Tests count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Becomes {
    /// Said for the first time.
    Open,
    /// Goes on, said again.
    Again,
    /// Over.
    Resolved,
    /// No state at all: said once.
    Noted,
}

/// One sentence or a few, about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is about; empty for a note.
    pub key: String,
    /// What became of it.
    pub becomes: Becomes,
    /// How much it matters.
    pub level: Level,
    /// Plain text.
    pub text: String,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// To be kept, together with the message.
    pub memory: Memory,
    /// To be sent to every chat.
    pub message: Option<Message>,
    /// What the message says, line by line.
    pub lines: Vec<Line>,
}

/// Decides. `raised` are events since the last decision, oldest first; each is handed over once.
pub fn decide(before: &Memory, facts: &Facts<'_>, raised: &[Raised], rules: &AlertRules) -> Decision {
    let mut memory = before.clone();
    if memory.started != Some(facts.started) {
        memory.started = Some(facts.started);
        memory.start = StartPhase::Unsaid;
    }
    for raised in raised {
        events::fold(&mut memory, raised, rules.zone);
    }
    let mut open = Vec::new();
    link(&mut memory, &mut open, RAINTEK, facts.raintek, facts, rules);
    link(&mut memory, &mut open, BILLING, facts.billing, facts, rules);
    invoices(&mut memory, &mut open, facts, rules);
    bills(&mut memory, &mut open, facts);
    tables(&mut memory, &mut open, facts);
    open.extend(events::open(&memory, AGAIN));
    start(&mut memory, facts, rules);
    closing(&mut memory, facts, rules);
    memory.forget_old(facts.now - KEPT_FOR);

    let due = memory
        .last_message
        .is_none_or(|last| facts.stopping || facts.now - last >= rules.gap || facts.now < last);
    if !due {
        return Decision { memory, message: None, lines: Vec::new() };
    }
    let lines = say(&mut memory, open, facts);
    let message = (!lines.is_empty()).then(|| Message {
        at: facts.now,
        level: lines.iter().map(|line| line.level).max().unwrap_or(Level::Info),
        text: texts::message(&lines),
    });
    if message.is_some() {
        memory.last_message = Some(facts.now);
    }
    Decision { memory, message, lines }
}

/// Whether the dead man's switch may be told that all is well: proven, and proven just now.
pub fn all_is_well(state: HealthState, published: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    matches!(state, HealthState::InStep | HealthState::Working) && (now - published).abs() <= FRESH
}

/// A side's key and name.
type Side = (&'static str, &'static str);
const RAINTEK: Side = ("link raintek", "SQL Server");
const BILLING: Side = ("link billing", "Billing app");

fn link(
    memory: &mut Memory,
    open: &mut Vec<Line>,
    (key, name): Side,
    link: &LinkStatus,
    facts: &Facts<'_>,
    rules: &AlertRules,
) {
    let waiting = facts.counts.waiting;
    if link.connected {
        let back_at = link.since.unwrap_or(facts.now);
        if let Some(said) = memory.said.get_mut(key).filter(|said| said.end.is_none()) {
            said.end = Some(texts::back(name, back_at - said.since, said.queued.max(waiting)));
        }
        return;
    }
    // Not looked at yet since the start: whatever was said still holds.
    let Some(since) = link.since else { return };
    if let Some(said) = memory.said.get_mut(key) {
        said.end = None;
        said.queued = waiting;
    } else if facts.now - since >= rules.lost_after {
        let text = texts::lost(name, link.sentence.as_deref().unwrap_or_default());
        open.push(Line { key: key.into(), becomes: Becomes::Open, level: Level::Warning, text });
    }
}

/// The [`ItemStatus::action_kind`] of an invoice that stands in RainTek and was taken back in the app.
const TAKEN_BACK: &str = "remove_or_leave";
/// Keys of invoices begin with this.
const INVOICE: &str = "invoice ";
/// Invoices with an open alert at a time; the next are said as these are resolved. "/status" counts them all.
const MOST_INVOICES: usize = 200;
/// The same of bills that differ.
const MOST_BILLS: usize = 200;
/// RainTek's and the app's.
const BACKUPS: u32 = 2;

fn invoices(memory: &mut Memory, open: &mut Vec<Line>, facts: &Facts<'_>, rules: &AlertRules) {
    let mut room = MOST_INVOICES.saturating_sub(memory.said_invoices().len());
    for item in facts.items {
        let key = format!("{INVOICE}{}", item.record_id);
        let state = ItemState::parse(&item.state);
        if state == Some(ItemState::Applied) {
            end_invoice(memory, &key, Some(ItemState::Applied));
            continue;
        }
        if let Some(said) = memory.said.get_mut(&key) {
            said.end = None;
            continue;
        }
        let failing_for = item.first_failed.map(|since| facts.now - since);
        let calls =
            state == Some(ItemState::Held) || failing_for.is_some_and(|time| time >= rules.failing_after);
        if calls && room > 0 {
            room -= 1;
            let text = if item.action_kind == TAKEN_BACK {
                texts::taken_back(&item.sentence, &item.action)
            } else {
                texts::not_reached(&item.number, failing_for, &item.sentence, &item.action)
            };
            open.push(Line { key, becomes: Becomes::Open, level: Level::Critical, text });
        }
    }
    for (record_id, state) in &facts.others {
        match state {
            Some(state) if *state != ItemState::Applied && !state.is_settled() => {}
            settled => end_invoice(memory, &format!("{INVOICE}{record_id}"), *settled),
        }
    }
}

fn end_invoice(memory: &mut Memory, key: &str, state: Option<ItemState>) {
    if let Some(said) = memory.said.get_mut(key).filter(|said| said.end.is_none()) {
        said.end = Some(match state {
            Some(ItemState::Done | ItemState::Applied) => format!("Resolved: {} is in RainTek.", said.name),
            _ => format!("Resolved: {} was taken back in the billing app.", said.name),
        });
    }
}

/// Bills that somebody changed or deleted in RainTek. A scan may raise the same: it is said once.
fn bills(memory: &mut Memory, open: &mut Vec<Line>, facts: &Facts<'_>) {
    let mut differ = BTreeMap::new();
    for bill in facts.bills.iter().filter(|bill| is_mismatch(bill)) {
        differ.insert(events::mismatch_key(&bill.number), bill);
    }
    let whole = facts.published && facts.bills.len() < MAX_ITEMS;
    for (key, said) in memory.said.iter_mut().filter(|(key, _)| key.starts_with(events::MISMATCH)) {
        if differ.contains_key(key) {
            said.end = None;
        } else if whole && said.end.is_none() && !memory.raised.contains_key(key) {
            said.end = Some(events::no_longer_differs(key));
        }
    }
    for (key, bill) in differ.into_iter().take(MOST_BILLS) {
        if !memory.said.contains_key(&key) && !memory.raised.contains_key(&key) {
            let text = texts::advice(&bill.sentence, &bill.action);
            open.push(Line { key, becomes: Becomes::Open, level: Level::Critical, text });
        }
    }
}

fn is_mismatch(bill: &BillProblem) -> bool {
    BillState::parse(&bill.state).is_some_and(BillState::is_mismatch)
}

fn tables(memory: &mut Memory, open: &mut Vec<Line>, facts: &Facts<'_>) {
    const SCHEMA: &str = "schema";
    match (facts.schema_hold, memory.said.get_mut(SCHEMA)) {
        (Some(_), Some(said)) => said.end = None,
        (Some(change), None) => {
            let text = texts::advice(change, "");
            open.push(Line { key: SCHEMA.into(), becomes: Becomes::Open, level: Level::Critical, text });
        }
        (None, Some(said)) if facts.published => {
            said.end = Some("Resolved: ShopSync writes to RainTek again.".into());
        }
        (None, _) => {}
    }
}

/// "Started" waits a moment for what it has to tell.
fn start(memory: &mut Memory, facts: &Facts<'_>, rules: &AlertRules) {
    let cut_off = facts.cut_off.map(|at| cut_off_sentence(at, facts.started, rules.zone));
    let started = |text: String| match &cut_off {
        Some(cut_off) => format!("{text} {cut_off}"),
        None => text,
    };
    let caught_up = facts.catch_up.filter(|catch_up| catch_up.left == 0);
    match (memory.start, caught_up) {
        (StartPhase::Unsaid, Some(catch_up)) => {
            memory.note(facts.now, started(texts::started(catch_up.done)));
            memory.start = StartPhase::Done;
        }
        (StartPhase::Unsaid, None) if facts.now - facts.started >= START_GRACE || facts.stopping => {
            memory.note(facts.now, started(texts::started_late(facts.counts.waiting)));
            memory.start = StartPhase::CatchingUp;
        }
        (StartPhase::CatchingUp, Some(catch_up)) => {
            if catch_up.done > 0 {
                memory.note(facts.now, texts::caught_up(catch_up.done));
            }
            memory.start = StartPhase::Done;
        }
        _ => {}
    }
    if facts.stopping {
        memory.note(facts.now, texts::stopped(facts.counts.waiting));
    }
}

fn closing(memory: &mut Memory, facts: &Facts<'_>, rules: &AlertRules) {
    let Some(closing) = rules.closing else { return };
    let local = facts.now.with_timezone(&rules.zone).naive_local();
    // Nothing to sum up before both sides were looked at once.
    if local.time() < closing || memory.closed == Some(local.date()) || facts.catch_up.is_none() {
        return;
    }
    memory.closed = Some(local.date());
    let differ = memory.raised.keys().any(|key| key.starts_with(events::MISMATCH))
        || facts.bills.iter().any(is_mismatch);
    let backups = memory.backed_up.map(|day| if day == local.date() { BACKUPS } else { 0 });
    memory.note(facts.now, texts::today(&facts.counts, differ, backups));
}

/// Everything that is to be said now, remembered as said.
fn say(memory: &mut Memory, mut open: Vec<Line>, facts: &Facts<'_>) -> Vec<Line> {
    open.sort_by_key(|line| std::cmp::Reverse(line.level));
    let mut lines = open;
    for line in &lines {
        let (since, name) = match line.key.strip_prefix(INVOICE) {
            Some(id) => {
                let number = facts.items.iter().find(|item| item.record_id == id).map(|item| &item.number);
                (facts.now, texts::invoice(number.map_or("", String::as_str)))
            }
            None if line.key == RAINTEK.0 => (facts.raintek.since.unwrap_or(facts.now), String::new()),
            None if line.key == BILLING.0 => (facts.billing.since.unwrap_or(facts.now), String::new()),
            None => (facts.now, String::new()),
        };
        let said = Said { at: facts.now, since, queued: facts.counts.waiting, name, end: None };
        memory.said.insert(line.key.clone(), said);
    }
    let ended: Vec<String> =
        memory.said.iter().filter(|(_, said)| said.end.is_some()).map(|(key, _)| key.clone()).collect();
    for key in ended {
        if let Some(text) = memory.said.remove(&key).and_then(|said| said.end) {
            lines.push(Line { key, becomes: Becomes::Resolved, level: Level::Info, text });
        }
    }
    let notes = std::mem::take(&mut memory.notes).into_iter();
    lines.extend(notes.map(|Note { text, .. }| Line {
        key: String::new(),
        becomes: Becomes::Noted,
        level: Level::Info,
        text,
    }));
    lines
}

#[cfg(test)]
mod aftermath;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod table;
#[cfg(test)]
mod words;
