//! A shop's week, again and again, from seeds: the real engine over databases in memory, with everything that goes
//! wrong in a shop. What must never be is looked for after every step; at the end both sides are compared.
//!
//! `cargo xtask simulate --seeds N --from S` runs many; `seeds.txt` holds those that ever found something.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test may fail loudly, and this one tells a story"
)]

mod app;
mod chance;
mod checks;
mod compare;
mod desk;
mod entropy;
mod goods;
mod hands;
mod listen;
mod planted;
mod quiet;
mod raintek;
mod run;
mod sim;
mod store;
mod story;
mod wire;

use chance::story;
use run::run;

#[test]
fn one_seed() {
    let seed: u64 = std::env::var("SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut week = story(seed);
    if std::env::var("QUIET").is_ok() {
        week.faults.clear();
    }
    let outcome = run(&week, None, true);
    for line in &outcome.told {
        eprintln!("{line}");
    }
    assert_eq!(outcome.failure, None);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let week = story(3);
    let (first, second) = (run(&week, None, true), run(&week, None, true));
    assert_eq!(first.told, second.told);
}

#[test]
fn many() {
    let get = |name: &str, default: u64| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (from, count) = (get("FROM", 0), get("SEEDS", 50));
    let mut failed = Vec::new();
    for seed in from..from + count {
        let mut week = story(seed);
        if std::env::var("QUIET").is_ok() {
            week.faults.clear();
        }
        let outcome = run(&week, None, false);
        if let Some(failure) = outcome.failure {
            eprintln!("seed {seed}: {failure}");
            failed.push(seed);
        }
    }
    assert_eq!(failed, Vec::<u64>::new());
}
