//! The app's event stream: hints that may be lost, doubled, late, or the wrong way round.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use shopsync::ports::BillingEvent;

use crate::sim::{Sim, lock};

/// Who follows, if anybody.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    follower: Option<mpsc::UnboundedSender<(u64, BillingEvent)>>,
}

impl Hub {
    pub(crate) fn follow(&mut self) -> mpsc::UnboundedReceiver<(u64, BillingEvent)> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.follower = Some(sender);
        receiver
    }
}

/// Tells whoever follows, as well as it goes.
pub(crate) fn tell(sim: &Sim, event: &BillingEvent) {
    let now = sim.ms();
    let (lost, twice, late) = {
        let troubles = lock(&sim.troubles);
        let late = if troubles.events_late.0 > now { troubles.events_late.1 } else { 0 };
        (troubles.events_lost > now || troubles.stream_down > now, troubles.events_twice > now, late)
    };
    if lost {
        return;
    }
    for _ in 0..=u8::from(twice) {
        // Late ones overtake each other.
        let at = now + if late > 0 { sim.below(late) } else { 1 + sim.below(4) };
        if let Some(follower) = &lock(&sim.app).hub.follower {
            let _ = follower.send((at, event.clone()));
        }
    }
}

/// Events on their way, by the time at which they arrive.
#[derive(Debug, Default)]
pub(crate) struct OnTheWay {
    waiting: BTreeMap<(u64, u64), BillingEvent>,
    count: u64,
}

impl OnTheWay {
    pub(crate) fn add(&mut self, at: u64, event: BillingEvent) {
        self.count += 1;
        self.waiting.insert((at, self.count), event);
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    pub(crate) fn take(&mut self, now: u64) -> Option<BillingEvent> {
        if self.next_at()? > now {
            return None;
        }
        self.waiting.pop_first().map(|(_, event)| event)
    }
}
