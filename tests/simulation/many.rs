//! Many weeks, on all cores; what fails is told, shortened, and told again.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chance::story;
use crate::run::{Outcome, run};
use crate::shrink::shrink;
use crate::sim::lock;
use crate::story::Story;

/// Failing weeks that are shortened; the others are only named.
const SHORTENED: usize = 2;
/// How often it is said how far it is.
const PROGRESS: u64 = 100;

/// A number from the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.trim().parse().ok()
}

/// Works through a list on all cores; the answers come in the order of the list.
pub(crate) fn in_parallel<T: Send, U: Send>(list: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let count = list.len();
    let waiting: Mutex<VecDeque<(usize, T)>> = Mutex::new(list.into_iter().enumerate().collect());
    let done: Mutex<Vec<Option<U>>> = Mutex::new((0..count).map(|_| None).collect());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = lock(&waiting).pop_front();
                    let Some((at, one)) = next else { return };
                    let answer = work(one);
                    lock(&done)[at] = Some(answer);
                }
            });
        }
    });
    let done = std::mem::take(&mut *lock(&done));
    done.into_iter().flatten().collect()
}

/// What came of all of them.
#[derive(Debug, Default)]
pub(crate) struct Weeks {
    weeks: u64,
    commits: u64,
    crashes: u64,
    greens: u64,
    faults: u64,
    failed: Vec<(Story, String)>,
}

impl Weeks {
    pub(crate) fn run(&mut self, stories: Vec<Story>) {
        let ended = AtomicU64::new(0);
        let all = stories.len();
        let outcomes: Vec<(Story, Outcome)> = in_parallel(stories, |story| {
            let seed = story.seed;
            let outcome = run(&story, None, false);
            let ended = ended.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some(failure) = &outcome.failure {
                eprintln!("seed {seed}: {failure}");
            }
            if ended.is_multiple_of(PROGRESS) {
                eprintln!("{ended} of {all} weeks");
            }
            (story, outcome)
        });
        for (story, outcome) in outcomes {
            self.weeks += 1;
            self.commits += outcome.commits;
            self.crashes += outcome.crashes;
            self.greens += outcome.greens;
            self.faults += outcome.faults;
            self.failed.extend(outcome.failure.map(|failure| (story, failure)));
        }
    }

    /// Says how it went; fails where a week did.
    pub(crate) fn end(self) {
        let Self { weeks, commits, crashes, greens, faults, failed } = self;
        for (story, failure) in failed.iter().take(SHORTENED) {
            let seed = story.seed;
            eprintln!("\n==> seed {seed}, shortened; as it was: {failure}");
            let short = shrink(story);
            for line in run(&short, None, true).told {
                eprintln!("{line}");
            }
            eprintln!("\nwhat remains of seed {seed}:");
            short.events.iter().for_each(|event| eprintln!("  {event:?}"));
            short.faults.iter().for_each(|fault| eprintln!("  {fault:?}"));
        }
        eprintln!(
            "{weeks} weeks: {commits} transactions, {faults} faults, {crashes} crashes, {greens} times green, {} failed",
            failed.len()
        );
        let seeds: Vec<u64> = failed.iter().map(|(story, _)| story.seed).collect();
        assert!(
            seeds.is_empty(),
            "these seeds fail: {seeds:?}; `SHOPSYNC_STORY=N` tells one; add them to tests/simulation/seeds.txt"
        );
        assert!(commits > weeks && crashes > 0 && greens > weeks, "nothing happens in these weeks");
    }
}

/// Tells a whole week.
pub(crate) fn tell(seed: u64) {
    let outcome = run(&story(seed), None, true);
    for line in outcome.told {
        eprintln!("{line}");
    }
    assert_eq!(outcome.failure, None);
}
