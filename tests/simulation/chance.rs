//! The one source of chance: what a seed becomes.

#[path = "more.rs"]
mod more;

use crate::story::{Bill, Call, Do, Event, Fault, Numbers, Pay, Setup, Side, Stage, Story, Take, Way, Wrong};

/// Dice that fall the same for ever (splitmix64), so that a seed is a seed for ever.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5317_ca1d)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next() % n }
    }

    pub(crate) fn small(&mut self, n: u32) -> u32 {
        u32::try_from(self.below(n.into())).unwrap_or(0)
    }

    /// Once in `n`.
    pub(crate) fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap_or(0)]
    }
}

/// In weeks of these seeds and above calls into the world hang for ever.
pub(crate) const HANGING: u64 = 1_000_000;

/// The week of a seed: the plain one, and what happens in it beside.
pub(crate) fn story(seed: u64) -> Story {
    let mut story = plain(seed);
    more::add(&mut story);
    if seed >= HANGING {
        more::hang(&mut story);
    }
    story
}

/// What seeds were before there was more: those that found something keep finding it.
pub(crate) fn plain(seed: u64) -> Story {
    let mut dice = Dice::new(seed);
    let setup = Setup {
        posting: dice.once_in(2),
        snapshots: dice.once_in(2),
        item_count: !dice.once_in(4),
        numbers: match dice.below(6) {
            0 => Numbers::Own,
            1 => Numbers::Same,
            _ => Numbers::Ours,
        },
        backups: dice.once_in(3),
        alerts: dice.once_in(3),
        trial: false,
        days: 2 + dice.small(3),
        day: dice.between(60, 200) * 1000,
        products: 4 + dice.small(6),
        stage: Stage::default(),
    };
    let mut week = Week { dice, setup, events: Vec::new(), ours: Vec::new(), tills: Vec::new() };
    week.tell();
    let Week { mut dice, setup, mut events, .. } = week;
    events.sort_by_key(|event| (event.at, event.id));
    let faults = faults(&mut dice, &setup);
    Story { seed, setup, events, faults }
}

struct Week {
    dice: Dice,
    setup: Setup,
    events: Vec<Event>,
    /// Events that made bills of the app, with their time.
    ours: Vec<(u32, u64)>,
    tills: Vec<(u32, u64)>,
}

impl Week {
    fn add(&mut self, at: u64, what: Do) -> u32 {
        let id = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        self.events.push(Event { id, at, what });
        id
    }

    fn tell(&mut self) {
        let length = self.setup.day * u64::from(self.setup.days);
        // How busy each kind of hand is differs from week to week.
        let phone = self.dice.between(3, 25);
        let till = self.dice.below(15);
        let office = self.dice.below(6);
        let people = self.dice.below(8);
        for _ in 0..phone {
            let at = self.dice.between(500, length - 1000);
            let (bill, way) = (self.bill(), self.way());
            let id = self.add(at, Do::Bill { bill, way });
            self.ours.push((id, at));
            // Everybody bills at once, now and then.
            if self.dice.once_in(6) {
                for n in 1..=self.dice.below(6) {
                    let bill = self.bill();
                    let id = self.add(at + n * 40, Do::Bill { bill, way: Way::Whole });
                    self.ours.push((id, at));
                }
            }
        }
        for _ in 0..till {
            let at = self.dice.between(500, length - 1000);
            let (bill, gap) = (self.bill(), self.gap());
            let id = self.add(at, Do::TillBill { bill, gap });
            self.tills.push((id, at));
        }
        self.follow_ups();
        for n in 0..office {
            let at = self.dice.between(500, length - 1000);
            let product = self.dice.small(self.setup.products);
            let what = match self.dice.below(6) {
                0..=2 => {
                    Do::Price { product, paise: i64::try_from(self.dice.between(100, 90_000)).unwrap_or(100) }
                }
                3 => Do::Switch { product, on: self.dice.once_in(2) },
                4 => Do::NewProduct { n: u32::try_from(n).unwrap_or(0) },
                _ => Do::PhoneProduct { n: u32::try_from(n).unwrap_or(0) },
            };
            self.add(at, what);
        }
        for _ in 0..people {
            let at = self.dice.between(500, length - 1000);
            let of = self.any_of_ours();
            let what = match self.dice.below(10) {
                9 => Do::Backup { verify: self.dice.once_in(3) },
                0 => Do::RetryAll,
                1 | 2 => Do::SyncNow,
                3 => Do::Pause { ms: self.dice.between(2_000, 90_000) },
                4 => Do::Resume,
                5 => Do::Restart { down: self.dice.between(200, 20_000) },
                6 => Do::Sleep { minutes: i64::try_from(self.dice.between(1, 200)).unwrap_or(1) },
                7 => Do::ClockSet { seconds: i64::try_from(self.dice.below(8000)).unwrap_or(0) - 4000 },
                _ => Do::Retry { of },
            };
            self.add(at, what);
        }
        for day in 1..self.setup.days {
            let hours = i64::try_from(self.dice.between(9, 15)).unwrap_or(12);
            let off = !self.dice.once_in(3);
            self.add(u64::from(day) * self.setup.day, Do::Night { off, hours });
        }
    }

    fn follow_ups(&mut self) {
        for (of, made) in self.ours.clone() {
            if !self.dice.once_in(3) {
                continue;
            }
            // Mostly soon, so that it meets the first push on its way.
            let after = if self.dice.once_in(2) { 3_000 } else { 60_000 };
            let at = made + self.dice.between(20, after);
            let (bill, gap) = (self.bill(), self.gap());
            let what = match self.dice.below(16) {
                0..=5 => {
                    let way = if self.dice.once_in(3) { Way::LinesLater(self.gap()) } else { Way::Whole };
                    Do::Revise { of, bill, newest_first: self.dice.once_in(2), gap, way }
                }
                6 | 7 => Do::Change { of, bill, gap },
                8..=10 => Do::Cancel { of },
                11 => Do::Delete { of },
                12 => Do::DraftAgain { of, bill, gap: gap * 10 },
                13 => Do::TillEditsOurs { of, bill, gap },
                14 => Do::TillDeletesOurs { of, gap },
                _ => Do::Meddle { of, inv_id: i32::try_from(self.dice.below(40)).unwrap_or(0) },
            };
            self.add(at, what);
            let later = at + self.dice.between(200, 40_000);
            match what {
                Do::Cancel { of } | Do::Delete { of } => match self.dice.below(4) {
                    0 => drop(self.add(later, Do::Remove { of })),
                    1 => drop(self.add(later, Do::Leave { of })),
                    2 if matches!(what, Do::Cancel { .. }) => drop(self.add(later, Do::Reopen { of })),
                    _ => {}
                },
                Do::TillEditsOurs { of, .. } | Do::TillDeletesOurs { of, .. } if self.dice.once_in(2) => {
                    self.add(later + 60_000, Do::Rewrite { of });
                }
                // Both at once, each by their own lights.
                Do::TillEditsOurs { of, .. } if self.dice.once_in(2) => {
                    let (bill, soon) = (self.bill(), at + self.dice.below(40));
                    self.add(soon, Do::Change { of, bill, gap: 1 });
                }
                Do::Revise { of, .. } if self.dice.once_in(3) => {
                    let bill = self.bill();
                    self.add(later, Do::Revise { of, bill, newest_first: true, gap: 5, way: Way::Whole });
                }
                _ => {}
            }
        }
        for (of, made) in self.tills.clone() {
            if !self.dice.once_in(3) {
                continue;
            }
            let at = made + self.dice.between(1_000, 70_000);
            let (bill, gap) = (self.bill(), self.gap());
            let what = if self.dice.once_in(2) {
                Do::TillEdit { of, bill, gap }
            } else {
                Do::TillDelete { of, gap }
            };
            self.add(at, what);
        }
    }

    fn any_of_ours(&mut self) -> u32 {
        if self.ours.is_empty() {
            return 0;
        }
        let ours: Vec<u32> = self.ours.iter().map(|(id, _)| *id).collect();
        self.dice.one_of(&ours)
    }

    fn gap(&mut self) -> u64 {
        if self.dice.once_in(8) { self.dice.between(500, 9_000) } else { self.dice.between(1, 120) }
    }

    fn bill(&mut self) -> Bill {
        let mut lines = [None; 4];
        let count = 1 + usize::try_from(self.dice.below(3)).unwrap_or(0);
        for line in lines.iter_mut().take(count) {
            let product = self.dice.small(self.setup.products);
            let milli = if self.dice.once_in(5) {
                i64::try_from(self.dice.between(1, 20)).unwrap_or(1) * 125
            } else {
                i64::try_from(self.dice.between(1, 9)).unwrap_or(1) * 1000
            };
            *line = Some(Take { product, milli });
        }
        let pay = self.dice.one_of(&[
            Pay::Cash,
            Pay::Cash,
            Pay::Upi,
            Pay::Card,
            Pay::Credit,
            Pay::Split,
            Pay::PartCash,
        ]);
        let customer = self.dice.once_in(2).then(|| self.dice.small(5));
        Bill { lines, pay, customer, gst: !self.dice.once_in(4) }
    }

    fn way(&mut self) -> Way {
        match self.dice.below(24) {
            0..=12 => Way::Whole,
            13..=18 => Way::LinesLater(self.gap()),
            19 | 20 => Way::Draft(self.gap() * 4),
            21 => Way::Short,
            22 => Way::Wrong,
            _ => self.dice.one_of(&[Way::LongNumber, Way::UnknownItem]),
        }
    }
}

fn faults(dice: &mut Dice, setup: &Setup) -> Vec<Fault> {
    let length = setup.day * u64::from(setup.days);
    // One week in ten is without any.
    let count = if dice.once_in(10) { 0 } else { 2 + dice.below(28) };
    let mut all: Vec<Fault> = (0..count)
        .map(|_| {
            let at = dice.below(length);
            let ms = if dice.once_in(4) { dice.between(10_000, 100_000) } else { dice.between(100, 9_000) };
            let side = if dice.once_in(2) { Side::Pos } else { Side::App };
            let what = match dice.below(26) {
                0..=6 => {
                    let call = dice.one_of(&Call::FAILING);
                    let hang = if dice.once_in(4) { dice.between(1_000, 30_000) } else { 0 };
                    Wrong::Call { call, after: dice.once_in(2), hang }
                }
                7..=9 => Wrong::Down { side, ms },
                10..=12 => {
                    let late = if dice.once_in(2) { dice.between(1, 6_000) } else { 0 };
                    Wrong::CommitLost { effect: !dice.once_in(4), late }
                }
                13 => Wrong::Deadlock { times: 1 + dice.small(7) },
                14 => Wrong::Taken { times: 1 + dice.small(7) },
                15 | 16 => Wrong::Token { calls: 1 + dice.small(6) },
                17 => Wrong::EventsLost { ms },
                18 => Wrong::EventsTwice { ms },
                19 => Wrong::EventsLate { ms, by: dice.between(10, 5_000) },
                20 => Wrong::StreamBreaks { ms },
                21 => Wrong::DiskFull { ms: dice.between(50, 20_000) },
                22 => Wrong::MessagesDown { ms },
                _ => Wrong::Crash { calls: 1 + dice.small(60), down: dice.between(10, 15_000) },
            };
            Fault { at, what }
        })
        .collect();
    all.sort_by_key(|fault| fault.at);
    all
}
