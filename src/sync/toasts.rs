//! Which toasts are shown: the state turned red, came back, an invoice was held. At most one a minute; what comes in
//! between is in one. What was so when ShopSync started is no news.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::model::desktop::Toast;
use crate::model::health::HealthState;
use crate::model::outbox::ItemState;
use crate::model::status::{ItemStatus, Snapshot};

/// Between two toasts.
pub const GAP: TimeDelta = TimeDelta::seconds(60);

/// What was seen and said so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// Held invoices that need not be said: record and number.
    known: BTreeMap<String, String>,
    looked: bool,
    told_red: bool,
    last: Option<DateTime<Utc>>,
}

/// What is to be shown now, and remembers that it was. Call it with every published state.
pub fn decide(memory: &mut Memory, snapshot: &Snapshot) -> Option<Toast> {
    let held = held(snapshot);
    // What left the list may come back and is news then.
    memory.known.retain(|record, _| held.iter().any(|item| item.record_id == *record));
    if !memory.looked {
        // Published before anything was read.
        if snapshot.at <= snapshot.started {
            return None;
        }
        memory.looked = true;
        memory.told_red = snapshot.state == HealthState::Failing;
        know(memory, &held);
        return None;
    }
    if memory.last.is_some_and(|last| snapshot.at - last < GAP && snapshot.at >= last) {
        return None;
    }
    let new: Vec<_> = held.iter().filter(|item| !memory.known.contains_key(&item.record_id)).collect();
    let red = snapshot.state == HealthState::Failing;
    // Not yet proven is no proof that it is back.
    let back = memory.told_red && !red && snapshot.state != HealthState::Starting;
    let toast = match new.as_slice() {
        _ if red && !memory.told_red => Toast {
            title: "Invoices are not reaching RainTek".into(),
            text: snapshot.sentence.clone(),
            item: None,
        },
        [item] => Toast {
            title: format!("{} needs you", item.number),
            text: item.sentence.clone(),
            item: Some(item.number.clone()),
        },
        [_, _, ..] => Toast {
            title: format!("{} invoices are waiting", snapshot.counts.held.max(count(held.len()))),
            text: snapshot.sentence.clone(),
            item: None,
        },
        [] if back => Toast { title: "ShopSync is back".into(), text: snapshot.sentence.clone(), item: None },
        [] => return None,
    };
    memory.told_red = red || (memory.told_red && !back);
    memory.last = Some(snapshot.at);
    know(memory, &held);
    Some(toast)
}

fn held(snapshot: &Snapshot) -> Vec<&ItemStatus> {
    snapshot.items.iter().filter(|item| item.state == ItemState::Held.name()).collect()
}

fn know(memory: &mut Memory, held: &[&ItemStatus]) {
    memory.known.extend(held.iter().map(|item| (item.record_id.clone(), item.number.clone())));
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "toasts_tests.rs"]
mod tests;
