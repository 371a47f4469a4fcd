//! What else happens in a week: drawn from dice of its own, so that the plain week of a seed stays what it was.

use super::Dice;
use crate::story::{Call, Do, Event, Fault, Numbers, Setup, Story, Wrong};

/// Adds to a plain week. Some stay plain.
pub(super) fn add(story: &mut Story) {
    let mut more = More {
        dice: Dice::new(story.seed ^ 0x00ad_d5e7),
        length: story.length(),
        next: u32::try_from(story.events.len()).unwrap_or(u32::MAX),
        events: Vec::new(),
        faults: Vec::new(),
    };
    if more.dice.once_in(8) {
        return;
    }
    more.shop(&mut story.setup);
    more.people(&story.setup);
    let More { events, faults, .. } = more;
    story.events.extend(events);
    story.events.sort_by_key(|event| (event.at, event.id));
    if !story.faults.is_empty() {
        story.faults.extend(faults);
        story.faults.sort_by_key(|fault| fault.at);
    }
}

/// What never comes back, in a week of [`super::HANGING`].
pub(super) fn hang(story: &mut Story) {
    let mut dice = Dice::new(story.seed ^ 0x0000_4a96);
    for _ in 0..=dice.below(3) {
        let (at, call) = (dice.below(story.length()), dice.one_of(Call::HANGING));
        story.faults.push(Fault { at, what: Wrong::Hangs { call, after: dice.once_in(2) } });
    }
    story.faults.sort_by_key(|fault| fault.at);
}

struct More {
    dice: Dice,
    length: u64,
    next: u32,
    events: Vec<Event>,
    faults: Vec<Fault>,
}

impl More {
    fn add(&mut self, at: u64, what: Do) {
        let id = self.next;
        self.next += 1;
        self.events.push(Event { id, at: at.min(self.length - 500), what });
    }

    fn some_time(&mut self) -> u64 {
        let length = self.length;
        self.dice.between(500, length - 1000)
    }

    fn shop(&mut self, setup: &mut Setup) {
        setup.trial = self.dice.once_in(4);
        if setup.trial {
            setup.backups = true;
            let at = self.dice.between(self.length / 4, self.length - 20_000);
            if self.dice.once_in(2) {
                self.add(at.saturating_sub(15_000), Do::GoLive { yes: false });
            }
            // Some stay in trial.
            if !self.dice.once_in(6) {
                self.add(at, Do::GoLive { yes: true });
                self.end_of_trial(at);
            }
        }
        if setup.backups && self.dice.once_in(3) {
            let (at, ms) = (self.dice.below(self.length), self.dice.between(30_000, 400_000));
            self.faults.push(Fault { at, what: Wrong::SlowBackups { ms } });
        }
        if self.dice.once_in(5) {
            let at = self.some_time();
            let days = i64::try_from(self.dice.between(1, 12)).unwrap_or(7);
            self.add(at, Do::Holiday { days });
        }
        if self.dice.once_in(4) {
            let (at, ms) = (self.some_time(), self.dice.between(200, 60_000));
            self.add(at, Do::AppForgets { ms });
        }
    }

    /// What goes wrong while it goes live: its backups take a while, then it is soon over.
    fn end_of_trial(&mut self, at: u64) {
        for _ in 0..self.dice.below(5) {
            let at = at + self.dice.between(50, 50_000);
            let what = match self.dice.below(4) {
                0 | 1 => {
                    Wrong::Crash { calls: 1 + self.dice.small(150), down: self.dice.between(10, 15_000) }
                }
                _ => {
                    let call = self.dice.one_of(&Call::OF_GOING_LIVE);
                    let hang = if self.dice.once_in(4) { self.dice.between(1_000, 30_000) } else { 0 };
                    Wrong::Call { call, after: self.dice.once_in(2), hang }
                }
            };
            self.faults.push(Fault { at, what });
        }
        if self.dice.once_in(3) {
            let (at, down) = (at + self.dice.between(50, 50_000), self.dice.between(200, 20_000));
            self.add(at, Do::Restart { down });
        }
    }

    fn people(&mut self, setup: &Setup) {
        for _ in 0..self.dice.below(3) {
            let at = self.some_time();
            self.add(at, Do::Check);
        }
        // Numbers are taken where the app does not know RainTek's.
        let most = if setup.numbers == Numbers::Own { 1 } else { 5 };
        for _ in 0..self.dice.below(most) {
            let at = self.some_time();
            let (nth, while_tried) = (self.dice.small(4), self.dice.once_in(2));
            self.add(at, Do::Renumber { nth, while_tried });
            if self.dice.once_in(3) {
                // Pressed twice.
                let soon = at + self.dice.below(60);
                self.add(soon, Do::Renumber { nth, while_tried: false });
            }
        }
        if self.dice.once_in(3) {
            let (at, ms) = (self.some_time(), self.dice.between(5_000, 60_000));
            self.add(at, Do::Pause { ms });
        }
        for _ in 0..self.dice.below(3) {
            let (at, product) = (self.some_time(), self.dice.small(setup.products));
            self.add(at, Do::DropProduct { product });
            if self.dice.once_in(2) {
                let later = at + self.dice.between(5_000, 100_000);
                self.add(later, Do::ProductBack { product });
            }
        }
    }
}
