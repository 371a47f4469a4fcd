//! A shop's week, again and again, from seeds: the real engine over databases in memory, with everything that goes
//! wrong in a shop. What must never be is looked for after every step; at the end both sides are compared.
//!
//! `cargo xtask simulate --seeds N --from S` runs many; `seeds.txt` holds those that ever found something, and they run
//! first. `SHOPSYNC_STORY=N` tells the week of seed N, line by line.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail loudly, and this one tells a story"
)]

mod acts;
mod app;
mod calls;
mod cellar;
mod chance;
mod checks;
mod compare;
mod days;
mod desk;
mod ending;
mod entropy;
mod gate;
mod goods;
mod hands;
mod listen;
mod many;
mod people;
mod pictures;
mod planted;
mod quiet;
mod raintek;
mod run;
mod scanned;
mod scenes;
mod shrink;
mod sim;
mod stage;
mod store;
mod story;
mod told;
mod twins;
mod wire;

use many::{Weeks, number};
use planted::Planted;
use story::{Call, Do, Event, Fault, Numbers, Setup, Side, Way, Wrong};

/// Seeds that every `cargo test` runs.
const SEEDS: u64 = 1000;
/// Seeds of weeks in which calls hang for ever that every `cargo test` runs.
const HANGING_SEEDS: u64 = 100;
/// A planted fault must be caught within so many.
const CAUGHT_WITHIN: u64 = 300;

/// Weeks that once found something, for ever.
fn known_seeds() -> Vec<u64> {
    let lines = include_str!("seeds.txt").lines();
    lines.filter_map(|line| line.split('#').next()?.trim().parse().ok()).collect()
}

#[test]
fn a_week_in_the_shop() {
    if let Some(seed) = number("SHOPSYNC_STORY") {
        return many::tell(seed);
    }
    let (from, seeds) = (number("SHOPSYNC_FROM").unwrap_or(0), number("SHOPSYNC_SEEDS").unwrap_or(SEEDS));
    let mut weeks = Weeks::default();
    // Those that found something before there was more in a week still find it in the plain one.
    weeks
        .run(known_seeds().into_iter().flat_map(|seed| [chance::plain(seed), chance::story(seed)]).collect());
    weeks.run((from..from.saturating_add(seeds)).map(chance::story).collect());
    weeks.end();
}

#[test]
fn a_week_in_which_calls_never_come_back() {
    let mut weeks = Weeks::default();
    let seeds = chance::HANGING..chance::HANGING + HANGING_SEEDS;
    weeks.run(seeds.map(chance::story).collect());
    weeks.end();
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    if !entropy::IS_FIXED {
        return;
    }
    for seed in 1..=6 {
        let week = chance::story(seed);
        let (first, second) = (run::run(&week, None, true), run::run(&week, None, true));
        let differs = first.told.iter().zip(&second.told).find(|(left, right)| left != right);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first, second, "seed {seed}");
        assert!(first.told.len() > 50, "seed {seed} tells nothing");
    }
}

#[test]
fn every_planted_fault_is_caught() {
    let caught = many::in_parallel(Planted::ALL.to_vec(), |planted| {
        let mut seeds = 0..CAUGHT_WITHIN;
        seeds.find_map(|seed| {
            let failure = run::run(&chance::story(seed), Some(planted), false).failure?;
            failure.contains(planted.caught_as()).then_some((seed, failure))
        })
    });
    for (planted, caught) in Planted::ALL.iter().zip(&caught) {
        match caught {
            Some((seed, why)) => {
                let why = why.lines().take(2).collect::<Vec<_>>().join(" ");
                eprintln!("{planted:?}: caught after {} seeds: {why}", seed + 1);
            }
            None => eprintln!("{planted:?}: NOT CAUGHT"),
        }
    }
    assert!(caught.iter().all(Option::is_some), "a planted fault is not caught within {CAUGHT_WITHIN} seeds");
}

/// Sixty invoices wait for RainTek, and go out, beside `tills` bills of a till, once it is back.
fn a_queue(tills: u64) -> story::Story {
    let mut week = chance::plain(1);
    let bill = week.events.iter().find_map(|event| match event.what {
        Do::Bill { bill, .. } => Some(bill),
        _ => None,
    });
    let bill = bill.expect("somebody bills in this week");
    week.setup = Setup { backups: false, numbers: Numbers::Own, days: 1, day: 120_000, ..week.setup };
    let bills = (0..60).map(|n| (20_000 + n * 30, Do::Bill { bill, way: Way::Whole }));
    let tills = (0..tills).map(|n| (38_000 + n * 500, Do::TillBill { bill, gap: 5 }));
    let events = bills.chain(tills);
    week.events = events.zip(0..).map(|((at, what), id)| Event { id, at, what }).collect();
    week.faults = vec![Fault { at: 15_000, what: Wrong::Down { side: Side::Pos, ms: 25_000 } }];
    week
}

/// Reading ahead finds out what is wrong with the app, with everybody else waiting for that, while what was read before is
/// written: neither may wait for the other.
#[test]
fn reading_ahead_and_writing_never_wait_for_each_other() {
    for after in 0..4 {
        let mut week = a_queue(0);
        let Do::Bill { bill, way } = week.events[0].what else { panic!("nobody bills") };
        let first = |id: u32| Event { id, at: 3_000 + u64::from(id) * 50, what: Do::Bill { bill, way } };
        let newer = |of: u32| {
            let what = Do::Revise { of, bill, newest_first: false, gap: 5, way };
            Event { id: 100 + of, at: 20_000 + u64::from(of) * 30, what }
        };
        week.events = (0..40).map(first).chain((0..40).map(newer)).collect();
        week.faults.extend((0..40).map(|n| Fault {
            at: 40_000 + after * 3 + n * 50,
            what: Wrong::Call { call: Call::Invoice, after: true, hang: 0 },
        }));
        let outcome = run::run(&week, None, true);
        assert_eq!(outcome.failure, None, "{after}");
        let lost = outcome.told.iter().filter(|line| line.contains("Invoice loses its answer")).count();
        assert!(lost > 20, "{lost}");
    }
}

/// A queue that waited for RainTek is in the middle of going out, slowly beside a till, when somebody pauses.
#[test]
fn a_pause_stops_a_queue_in_the_middle() {
    let mut week = a_queue(12);
    let sent = |told: &[String]| -> Vec<u64> {
        let commits = told.iter().filter(|line| line.contains(" raintek  commits A"));
        commits.filter_map(|line| line.trim_start().split_once('.')?.0.parse().ok()).collect()
    };
    // At which moment that is, a week without a pause tells.
    let without = run::run(&week, None, true);
    let at = sent(&without.told).get(20).copied().expect("twenty are sent");
    week.events.push(Event { id: 200, at: at * 1000, what: Do::Pause { ms: 60_000 } });
    week.events.sort_by_key(|event| event.at);
    let outcome = run::run(&week, None, true);
    assert_eq!(outcome.failure, None);
    let sent = sent(&outcome.told);
    let early = sent.iter().filter(|second| **second <= at).count();
    assert!(early > 3 && sent.len() == 60, "{early} of {} were sent before the pause", sent.len());
    assert_eq!(sent.iter().filter(|second| (at + 3..at + 58).contains(*second)).count(), 0, "{sent:?}");
}

/// Whoever makes a call that never comes back is ended and started again: nothing waits for it for ever, and both sides end
/// the same.
#[test]
fn what_hangs_is_given_up_and_done_anew() {
    // Before it took effect, or after: each second one.
    let calls: Vec<(Call, bool)> =
        Call::HANGING.iter().copied().zip([false, true].into_iter().cycle()).collect();
    let outcomes = many::in_parallel(calls.clone(), |(call, after)| {
        let mut week = a_queue(3);
        week.events.retain(|event| event.id % 4 == 0 || event.id >= 60);
        let price = Do::Price { product: 1, paise: 4_200 };
        week.events.push(Event { id: 300, at: 30_000, what: price });
        week.events.sort_by_key(|event| event.at);
        week.faults.push(Fault { at: 30_000, what: Wrong::Hangs { call, after } });
        run::run(&week, None, true)
    });
    let mut hung = 0;
    for ((call, after), outcome) in calls.iter().zip(&outcomes) {
        assert_eq!(outcome.failure, None, "{call:?}, {after}");
        hung += u32::from(outcome.told.iter().any(|line| line.contains("never comes back")));
    }
    assert!(hung > 11, "only {hung} of {} hung", calls.len());
}

/// An order that tokio draws by lot is another one each time, and no seed could be told twice.
#[test]
fn every_select_says_its_order() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src/engine"), root.join("src/supervisor")];
    let (mut selects, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            for (at, _) in lines.iter().enumerate().filter(|(_, line)| line.contains("select! {")) {
                selects += 1;
                if lines.get(at + 1).is_none_or(|next| next.trim() != "biased;") {
                    wrong.push(format!("{}:{}", path.display(), at + 1));
                }
            }
        }
    }
    assert!(selects > 5, "no `select!` was found");
    assert!(wrong.is_empty(), "`biased;` is missing: {wrong:#?}");
}
