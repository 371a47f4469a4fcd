//! The one function that says how things are. Tray, page, `/health`, toasts and messages all read its answer.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::model::health::HealthState;
use crate::model::status::Counts;

/// How long a side may be away before it is red.
pub const GRACE: TimeDelta = TimeDelta::seconds(60);
/// How long an item may wait in the ordinary course before it is late.
pub const LATE: TimeDelta = TimeDelta::seconds(120);
/// How long a look counts as fresh.
pub const FRESH: TimeDelta = TimeDelta::seconds(120);
/// Failing that long makes an invoice red.
pub const FAILING: TimeDelta = TimeDelta::hours(24);
/// How long live events may be missing before it is said.
pub const QUIET: TimeDelta = TimeDelta::minutes(5);

/// One side, or one flow, as last seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leg {
    /// The last look that succeeded.
    pub last_ok: Option<DateTime<Utc>>,
    /// Since when every look has failed; `None` while it works.
    pub failing_since: Option<DateTime<Utc>>,
    /// Why, in one sentence.
    pub sentence: String,
}

/// Everything the state is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looks {
    /// Wall time.
    pub now: DateTime<Utc>,
    /// When the engine was started.
    pub started: DateTime<Utc>,
    /// The shop's zone, for times in sentences.
    pub zone: Tz,
    /// RainTek.
    pub raintek: Leg,
    /// The billing app.
    pub billing: Leg,
    /// The look for completed invoices.
    pub invoices: Leg,
    /// The products flow.
    pub products: Leg,
    /// How long products count as fresh: twice their period and a little.
    pub products_fresh: TimeDelta,
    /// Bills of RainTek's own.
    pub bills: Leg,
    /// How long they count as fresh: twice their period and a little.
    pub bills_fresh: TimeDelta,
    /// The first bill of ours that somebody changed or deleted in RainTek, or bill of RainTek's own that the app does
    /// not show: one sentence.
    pub mismatch: Option<String>,
    /// Since when live events are missing.
    pub realtime_down_since: Option<DateTime<Utc>>,
    /// How many items stand where.
    pub counts: Counts,
    /// The oldest item that waits in the ordinary course: since when.
    pub oldest_waiting: Option<DateTime<Utc>>,
    /// The first failure of the item that has failed longest.
    pub oldest_failure: Option<DateTime<Utc>>,
    /// How many items are being tried again after a failure of their own.
    pub retrying: u64,
    /// The first held item: number and sentence.
    pub held: Option<(String, String)>,
    /// Items being sent right now.
    pub sending: u64,
    /// Paused until then.
    pub paused_until: Option<DateTime<Utc>>,
    /// What is wrong with backups.
    pub backup: Option<String>,
    /// What keeps every invoice from being written.
    pub schema_hold: Option<String>,
    /// The day's first backups are being made; nothing is written before.
    pub first_backup: bool,
    /// Our own store: whether it takes what must be kept. Its sentence says why not.
    pub store: Leg,
    /// What else needs a look, one sentence each: a disk nearly full, this PC's clock, what a scan found, what the
    /// settings ask for and RainTek's database cannot do.
    pub problems: Vec<String>,
}

/// The state in one word and one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// One word.
    pub state: HealthState,
    /// One sentence; amber and red say what to do.
    pub sentence: String,
}

/// Precedence: red, amber, paused, starting (no proof yet), working, green.
pub fn assess(looks: &Looks) -> Verdict {
    let verdict = |state, sentence: String| Verdict { state, sentence };
    if let Some(sentence) = failing(looks) {
        return verdict(HealthState::Failing, sentence);
    }
    let proven = is_proven(looks);
    if let Some(sentence) = attention(looks, proven) {
        return verdict(HealthState::Attention, sentence);
    }
    if let Some(until) = looks.paused_until.filter(|until| *until > looks.now) {
        return verdict(HealthState::Paused, format!("Paused until {}.", clock(until, looks.zone)));
    }
    if !proven {
        // A wrong password need not wait for red to be seen.
        let trouble = [&looks.raintek, &looks.billing]
            .into_iter()
            .find(|leg| leg.failing_since.is_some() && !leg.sentence.is_empty());
        let sentence = trouble.map_or("Looking at both sides.", |leg| leg.sentence.as_str());
        return verdict(HealthState::Starting, sentence.to_owned());
    }
    if looks.first_backup {
        return verdict(HealthState::Working, "The day's first backups are being made.".into());
    }
    match looks.counts.waiting.max(looks.sending) {
        0 => verdict(HealthState::InStep, "Everything is in step.".into()),
        1 => verdict(HealthState::Working, "1 invoice is on its way to RainTek.".into()),
        n => verdict(HealthState::Working, format!("{n} invoices are on their way to RainTek.")),
    }
}

/// A second sentence, with numbers.
pub fn summary(counts: &Counts, last: Option<(&str, DateTime<Utc>)>, now: DateTime<Utc>) -> String {
    let today = match counts.seen_today {
        0 => "No invoices today yet.".to_owned(),
        1 => format!("{} of 1 invoice of today is in RainTek.", counts.done_today),
        n => format!("{} of {n} invoices of today are in RainTek.", counts.done_today),
    };
    match last {
        Some((number, at)) => format!("{today} Last: {number}, {}.", ago(now - at)),
        None => today,
    }
}

/// Never green before the first look of every leg has ended.
fn is_proven(looks: &Looks) -> bool {
    [&looks.raintek, &looks.billing, &looks.invoices, &looks.products, &looks.bills]
        .iter()
        .all(|leg| leg.last_ok.is_some_and(|at| at >= looks.started))
}

fn failing(looks: &Looks) -> Option<String> {
    let waits = match looks.counts.waiting {
        0 => "Nothing waits.".to_owned(),
        1 => "1 invoice waits; it is sent by itself when it is back.".to_owned(),
        n => format!("{n} invoices wait; they are sent by themselves when it is back."),
    };
    for (leg, name) in [(&looks.raintek, "RainTek's database"), (&looks.billing, "The billing app")] {
        if let Some(since) = leg.failing_since.filter(|since| looks.now - *since >= GRACE) {
            let reason = if leg.sentence.is_empty() {
                format!("{name} is not answering.")
            } else {
                leg.sentence.clone()
            };
            return Some(format!("{reason} Since {}. {waits}", clock(since, looks.zone)));
        }
    }
    if let Some(since) = looks.store.failing_since.filter(|since| looks.now - *since >= GRACE) {
        return Some(format!("{} Since {}. {}", looks.store.sentence, clock(since, looks.zone), room(looks)));
    }
    let since = looks.oldest_failure.filter(|since| looks.now - *since >= FAILING)?;
    let number = looks.held.as_ref().map_or("An invoice", |(number, _)| number.as_str());
    Some(format!(
        "{number} has not reached RainTek since {}. The list under Today says why.",
        day(since, looks.zone)
    ))
}

/// What waits for our own store.
fn room(looks: &Looks) -> String {
    match looks.counts.waiting {
        0 => "Nothing is lost.".to_owned(),
        1 => "1 invoice waits and goes by itself then.".to_owned(),
        n => format!("{n} invoices wait and go by themselves then."),
    }
}

fn attention(looks: &Looks, proven: bool) -> Option<String> {
    if looks.store.failing_since.is_some() {
        return Some(format!("{} {}", looks.store.sentence, room(looks)));
    }
    if let Some(sentence) = &looks.schema_hold {
        return Some(sentence.clone());
    }
    if let Some((number, sentence)) = &looks.held {
        return Some(match looks.counts.held {
            0 | 1 => format!("1 invoice needs you: {number}. {sentence}"),
            n => format!("{n} invoices need you. The first: {number}. {sentence}"),
        });
    }
    if let Some(sentence) = &looks.mismatch {
        return Some(sentence.clone());
    }
    if proven {
        for (leg, name) in [(&looks.raintek, "RainTek"), (&looks.billing, "the billing app")] {
            if leg.failing_since.is_some() {
                return Some(format!("The connection to {name} was lost. Trying again."));
            }
        }
    }
    for (leg, name, fresh) in [
        (&looks.invoices, "invoices", FRESH),
        (&looks.products, "products", looks.products_fresh),
        (&looks.bills, "RainTek's own bills", looks.bills_fresh),
        (&looks.raintek, "RainTek", FRESH),
        (&looks.billing, "the billing app", FRESH),
    ] {
        if leg.failing_since.is_some() && !leg.sentence.is_empty() && leg_is_flow(name) {
            return Some(leg.sentence.clone());
        }
        let late_since = leg.last_ok.unwrap_or(looks.started);
        if looks.now - late_since > fresh + GRACE {
            return Some(format!(
                "The last look at {name} is {} old. Trying again.",
                age(looks.now - late_since)
            ));
        }
    }
    if looks.retrying > 0 {
        return Some(match looks.retrying {
            1 => "1 invoice failed and is tried again by itself.".into(),
            n => format!("{n} invoices failed and are tried again by themselves."),
        });
    }
    let paused = looks.paused_until.is_some_and(|until| until > looks.now);
    if let Some(since) = looks.oldest_waiting.filter(|since| looks.now - *since >= LATE && !paused) {
        return Some(format!("An invoice has been waiting for {}.", age(looks.now - since)));
    }
    if looks.realtime_down_since.is_some_and(|since| looks.now - since >= QUIET) {
        return Some(
            "The billing app's live events do not arrive; it is looked at every half minute.".into(),
        );
    }
    looks.backup.clone().or_else(|| looks.problems.first().cloned())
}

fn leg_is_flow(name: &str) -> bool {
    matches!(name, "invoices" | "products" | "RainTek's own bills")
}

fn clock(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%H:%M").to_string()
}

fn day(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%d %b %H:%M").to_string()
}

fn ago(age: TimeDelta) -> String {
    match age.num_seconds() {
        ..60 => "just now".into(),
        seconds @ 60..5400 => format!("{} min ago", seconds / 60),
        seconds @ 5400..129_600 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

fn age(age: TimeDelta) -> String {
    match age.num_seconds() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
