//! What other flows raise, and the words for it.

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::memory::{Memory, Ongoing};
use super::texts::{advice, clean, clean_number, size};
use super::{Becomes, Line};
use crate::model::alert::{Event, Level, Raised};
use crate::model::money::rupees;
use crate::sync::scan::summary;
use crate::sync::surroundings::clock_sentence;

/// Keys of mismatches begin with this.
pub(super) const MISMATCH: &str = "mismatch ";
const DISK: &str = "disk ";
const BACKUP: &str = "backup";
const CLOCK: &str = "clock";
const ANOTHER_DATABASE: &str = "another database";
/// Events that go on at a time; a scan that finds more has a cause of its own, and says their number.
const MOST: usize = 200;

/// Takes one event into the memory.
pub(super) fn fold(memory: &mut Memory, raised: &Raised, zone: Tz) {
    match &raised.event {
        Event::BackupDone { raintek_bytes, app_bytes } => {
            let sizes = format!("RainTek {}, app {}", size(*raintek_bytes), size(*app_bytes));
            let daily = format!("Daily backup: {sizes}, both verified.");
            let ended = end(memory, BACKUP, format!("Resolved: the backup works again. {daily}"));
            let day = raised.at.with_timezone(&zone).date_naive();
            // A second one of a day is no news.
            let is_first = memory.backed_up != Some(day);
            memory.backed_up = Some(day);
            if is_first && !ended {
                memory.note(raised.at, daily);
            }
        }
        Event::BackupFailed { reason, advice: cure } => {
            let text = format!("Backup failed: {}", advice(reason, cure));
            go_on(memory, BACKUP.into(), raised, text);
        }
        Event::Mismatch { number, app_total, raintek_total } => {
            let number = clean_number(number);
            let ours = rupees(*app_total);
            let text = match raintek_total {
                None => format!("{number}: app total {ours}, RainTek has no such bill."),
                Some(total) if total == app_total => {
                    format!("{number}: the totals are equal ({ours}), other content is not.")
                }
                Some(total) => format!("{number}: app total {ours}, RainTek total {}.", rupees(*total)),
            };
            go_on(memory, mismatch_key(&number), raised, text);
        }
        Event::MismatchOver { number } => {
            let key = mismatch_key(number);
            end(memory, &key, no_longer_differs(&key));
        }
        Event::Scanned { checked, mismatches } => {
            memory.note(raised.at, summary(false, *checked, *mismatches, 0));
        }
        Event::ClockWrong { seconds } => {
            go_on(memory, CLOCK.into(), raised, clock_sentence(*seconds));
        }
        Event::ClockOver => {
            end(memory, CLOCK, "Resolved: this PC's clock is right again.".into());
        }
        Event::AnotherDatabase { sentence } => {
            go_on(memory, ANOTHER_DATABASE.into(), raised, advice(sentence, ""));
        }
        Event::AnotherDatabaseOver => {
            end(memory, ANOTHER_DATABASE, "Resolved: the billing app has its invoices again.".into());
        }
        Event::DiskNearlyFull { place, free_bytes } => {
            let place = clean(place, 60);
            let text = disk_sentence(&place, *free_bytes);
            go_on(memory, format!("{DISK}{place}"), raised, text);
        }
        Event::DiskOver { place } => {
            let place = clean(place, 60);
            let text = format!("Resolved: the disk {place} has room again.");
            end(memory, &format!("{DISK}{place}"), text);
        }
    }
}

/// For page and messages.
pub fn disk_sentence(place: &str, free_bytes: u64) -> String {
    format!(
        "The disk {place} is nearly full ({} left): backups stop first, then invoices. Free some space.",
        size(free_bytes)
    )
}

pub(super) fn mismatch_key(number: &str) -> String {
    format!("{MISMATCH}{}", clean_number(number))
}

pub(super) fn no_longer_differs(key: &str) -> String {
    format!("Resolved: {} no longer differs.", key.strip_prefix(MISMATCH).unwrap_or(key))
}

fn go_on(memory: &mut Memory, key: String, raised: &Raised, text: String) {
    if memory.raised.len() >= MOST && !memory.raised.contains_key(&key) {
        return;
    }
    if let Some(said) = memory.said.get_mut(&key) {
        said.end = None;
    }
    memory.raised.insert(key, Ongoing { at: raised.at, level: Level::Critical, text });
}

/// Whether there was something to end that had been said.
fn end(memory: &mut Memory, key: &str, text: String) -> bool {
    memory.raised.remove(key);
    let said = memory.said.get_mut(key);
    let found = said.is_some();
    if let Some(said) = said {
        said.end = Some(text);
    }
    found
}

/// Events that go on and are to be said: not yet said, or raised again long after.
pub(super) fn open(memory: &Memory, again: TimeDelta) -> Vec<Line> {
    let becomes = |key: &str, ongoing: &Ongoing| match memory.said.get(key) {
        None => Some(Becomes::Open),
        Some(said) if ongoing.at - said.at >= again => Some(Becomes::Again),
        Some(_) => None,
    };
    let lines = memory.raised.iter().filter_map(|(key, ongoing)| {
        Some(Line {
            key: key.clone(),
            becomes: becomes(key, ongoing)?,
            level: ongoing.level,
            text: ongoing.text.clone(),
        })
    });
    lines.collect()
}
