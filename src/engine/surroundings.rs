//! Looks at this PC's clock and at the room on its disks, so that both are told before they do harm.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::model::alert::Event;
use crate::ports::alerts::TrueTime;
use crate::ports::backup::DiskRoom;
use crate::sync::alerting::disk_sentence;
use crate::sync::surroundings::{ClockSeen, is_nearly_full};

/// Between two looks at the disks.
const DISKS_EVERY: Duration = Duration::from_secs(60);
/// Between two looks at the clock.
const CLOCK_EVERY: Duration = Duration::from_secs(3600);
/// The same where the last look is to be confirmed.
const CLOCK_CONFIRM: Duration = Duration::from_secs(5);
/// The same where it found nobody to ask.
const CLOCK_ASK_AGAIN: Duration = Duration::from_secs(60);

/// What is looked at.
#[derive(Clone)]
pub struct Surroundings {
    /// A clock that is right; without one nothing is said of this PC's.
    pub time: Option<Arc<dyn TrueTime>>,
    /// The disks of this PC.
    pub disks: Arc<dyn DiskRoom>,
    /// Folders that must not run out of room.
    pub folders: Vec<PathBuf>,
    /// Bytes that must be left; 0: nothing is said.
    pub least: u64,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("folders", &self.folders).finish_non_exhaustive()
    }
}

/// What was found wrong; see [`super::board`].
#[derive(Debug, Clone, Default)]
pub(super) struct SurroundingsBoard {
    clock: Option<String>,
    /// By disk.
    disks: BTreeMap<String, String>,
}

impl SurroundingsBoard {
    /// One sentence each.
    pub(super) fn sentences(&self) -> impl Iterator<Item = &String> {
        self.clock.iter().chain(self.disks.values())
    }
}

pub(super) async fn run(shared: Arc<Shared>) {
    let Some(around) = shared.surroundings.get() else { return shared.wait_for_stop().await };
    let mut clock = ClockSeen::default();
    // Disks of which it is known how they are, so that "room again" ends also what an earlier run said.
    let mut known = BTreeSet::new();
    let mut clock_due = Duration::ZERO;
    while !shared.stopping() {
        disks(&shared, around, &mut known).await;
        if shared.world.clock.elapsed() >= clock_due {
            let wait = look_at_clock(&shared, around, &mut clock).await;
            clock_due = shared.world.clock.elapsed() + wait;
        }
        let until = clock_due.saturating_sub(shared.world.clock.elapsed());
        tokio::select! {
            biased;
            () = shared.world.clock.sleep(DISKS_EVERY.min(until)) => {}
            // The clock may have been set.
            () = shared.signals.surroundings.notified() => clock_due = Duration::ZERO,
            () = shared.stop.cancelled() => {}
        }
    }
}

/// Returns when to look again.
async fn look_at_clock(shared: &Shared, around: &Surroundings, clock: &mut ClockSeen) -> Duration {
    let Some(time) = &around.time else { return CLOCK_EVERY };
    let asked = tokio::select! {
        biased;
        asked = time.ahead() => asked,
        () = shared.stop.cancelled() => return CLOCK_ASK_AGAIN,
    };
    let ahead = match asked {
        Ok(ahead) => ahead,
        Err(fault) => {
            // The internet is often away in a shop: that is no event.
            tracing::debug!(error = %fault, "the time cannot be compared");
            return CLOCK_ASK_AGAIN;
        }
    };
    let event = clock.look(ahead);
    let sentence = clock.sentence();
    let news = shared.board.update(|seen| std::mem::replace(&mut seen.surroundings.clock, sentence.clone()));
    if let Some(sentence) = sentence.filter(|_| news.is_none()) {
        tracing::warn!(seconds = ahead.num_seconds(), "this PC's clock is wrong");
        shared.journal("note", "", sentence).await;
    }
    if let Some(event) = event {
        shared.raise(event).await;
    }
    shared.signals.publish.notify_one();
    if clock.is_doubtful() { CLOCK_CONFIRM } else { CLOCK_EVERY }
}

async fn disks(shared: &Shared, around: &Surroundings, known: &mut BTreeSet<String>) {
    let mut looked = BTreeSet::new();
    for folder in &around.folders {
        // A disk that was pulled out is told of by the backup that finds it gone.
        let Ok(room) = around.disks.room(folder).await else { continue };
        if !looked.insert(room.disk.clone()) {
            continue;
        }
        let was = shared.board.seen().surroundings.disks.contains_key(&room.disk);
        let place = room.disk.clone();
        if is_nearly_full(&room, was, around.least) {
            let sentence = disk_sentence(&place, room.free_bytes);
            shared.board.update(|seen| seen.surroundings.disks.insert(place.clone(), sentence.clone()));
            known.insert(place.clone());
            if !was {
                tracing::warn!(place, free = room.free_bytes, "a disk is nearly full");
                shared.journal("note", "", sentence).await;
            }
            shared.raise(Event::DiskNearlyFull { place, free_bytes: room.free_bytes }).await;
            shared.signals.publish.notify_one();
        } else if was || known.insert(place.clone()) {
            shared.board.update(|seen| seen.surroundings.disks.remove(&place));
            if was {
                shared.journal("note", "", format!("The disk {place} has room again.")).await;
            }
            shared.raise(Event::DiskOver { place }).await;
            shared.signals.publish.notify_one();
        }
    }
}
