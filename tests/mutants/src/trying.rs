//! Tries one mistake after the other, on all cores, and writes down what came of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::listed::Mutant;
use crate::say;
use crate::steps::{End, Step, now};
use crate::tree::Tree;

/// How often it is said how far it is, and written down.
const SAYS_EVERY: Duration = Duration::from_secs(60);

/// Which mistakes are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Each `of`-th, from this one on.
    Every { from: usize, of: usize },
    /// Those that the last run did not see, or did not know: with the others it is believed.
    Missed,
}

impl Part {
    pub(crate) fn read(text: &str) -> Result<Self> {
        if text == "missed" {
            return Ok(Self::Missed);
        }
        let numbers =
            text.split_once('/').and_then(|(from, of)| Some((from.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((from, of)) if from < of => Ok(Self::Every { from, of }),
            _ => bail!("{text:?} is neither K/N nor `missed`"),
        }
    }
}

/// What came of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Seen(String),
    Missed,
    /// No test comes by it.
    Unreached,
    /// It does not compile, or stands where no switch can.
    LeftOut,
}

/// What is written down, for xtask and for the next run.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    /// What the whole repository said.
    digest: u64,
    part: String,
    /// What each file with mistakes said.
    files: BTreeMap<String, u64>,
    /// By the name of the mistake. Those that are not here were not tried yet.
    outcomes: BTreeMap<String, Outcome>,
}

pub(crate) struct Trying {
    pub(crate) mutants: Vec<Mutant>,
    pub(crate) left_out: BTreeSet<u32>,
    part: Part,
    path: PathBuf,
    written: Mutex<Written>,
}

impl Trying {
    /// A run that was broken off goes on where the same is tried of the same repository.
    pub(crate) fn begun(folder: &Path, mutants: Vec<Mutant>, tree: &Tree, part: Part) -> Self {
        let (digest, files) = (tree.digest, tree.digests());
        let path = folder.join("results.json");
        let before: Written = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(_) => Written::default(),
        };
        let said = format!("{part:?}");
        let is_same = |mutant: &Mutant| files.get(&mutant.file) == before.files.get(&mutant.file);
        let goes_on = before.digest == digest && before.part == said;
        let mut left_out = BTreeSet::new();
        let mut outcomes = BTreeMap::new();
        for (id, mutant) in (0..).zip(&mutants).filter(|(_, mutant)| is_same(mutant)) {
            let Some(outcome) = before.outcomes.get(&mutant.name) else { continue };
            let keeps = match outcome {
                Outcome::LeftOut => left_out.insert(id),
                Outcome::Seen(_) => goes_on || part == Part::Missed,
                Outcome::Missed | Outcome::Unreached => goes_on && part != Part::Missed,
            };
            if keeps {
                outcomes.insert(mutant.name.clone(), outcome.clone());
            }
        }
        let written = Mutex::new(Written { digest, part: said, files, outcomes });
        Self { mutants, left_out, part, path, written }
    }

    pub(crate) fn save(&self) -> Result<()> {
        let mut written = lock(&self.written);
        for (id, mutant) in (0..).zip(&self.mutants).filter(|(id, _)| self.left_out.contains(id)) {
            let _id: u32 = id;
            written.outcomes.insert(mutant.name.clone(), Outcome::LeftOut);
        }
        let new = self.path.with_extension("new");
        fs::write(&new, serde_json::to_vec_pretty(&*written)?)?;
        fs::rename(&new, &self.path).with_context(|| self.path.display().to_string())
    }

    /// Tries what is not tried yet: first what nothing comes by, then the engine's, whose tests see
    /// less than those of the decisions, in an order that is without a pattern and always the same.
    pub(crate) fn run(&self, steps: &[Step]) -> Result<()> {
        let tried = |mutant: &Mutant| lock(&self.written).outcomes.contains_key(&mutant.name);
        let mut list: Vec<(u32, &Mutant)> =
            (0..).zip(&self.mutants).filter(|(id, _)| !self.left_out.contains(id)).collect();
        let is_reached = |id: &u32| steps.iter().any(|step| step.reaches.contains(id));
        list.sort_by_key(|(id, mutant)| {
            (is_reached(id), mutant.file.starts_with("src/sync"), order(&mutant.name))
        });
        if let Part::Every { from, of } = self.part {
            list = list.into_iter().skip(from).step_by(of).collect();
        }
        list.retain(|(_, mutant)| !tried(mutant));
        let all = list.len();
        say(&format!("    {all} are tried"));
        let progress = Mutex::new((0_usize, 0_usize, now()));
        let results = in_parallel(list, |(id, mutant)| -> Result<()> {
            let outcome = outcome(id, steps)?;
            let mut progress = lock(&progress);
            progress.0 += 1;
            progress.1 += usize::from(matches!(outcome, Outcome::Seen(_)));
            lock(&self.written).outcomes.insert(mutant.name.clone(), outcome);
            if progress.2.elapsed() > SAYS_EVERY {
                progress.2 = now();
                say(&format!("    {} of {} seen, {all} in all", progress.1, progress.0));
                self.save()?;
            }
            Ok(())
        });
        results.into_iter().collect::<Result<()>>()?;
        self.save()
    }
}

/// Whoever of those who come by it sees it.
fn outcome(id: u32, steps: &[Step]) -> Result<Outcome> {
    let mut outcome = Outcome::Unreached;
    for step in steps.iter().filter(|step| step.reaches.contains(&id)) {
        match step.with(id)? {
            End::Green => outcome = Outcome::Missed,
            End::Red => return Ok(Outcome::Seen(step.name.clone())),
            End::Late => return Ok(Outcome::Seen(format!("{}, late", step.name))),
        }
    }
    Ok(outcome)
}

fn order(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Works through a list on all cores; the answers come in the order of the list.
pub(crate) fn in_parallel<T: Send, U: Send>(list: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let waiting: Mutex<VecDeque<(usize, T)>> = Mutex::new(list.into_iter().enumerate().collect());
    let done: Mutex<BTreeMap<usize, U>> = Mutex::new(BTreeMap::new());
    let next = || lock(&waiting).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((at, one)) = next() {
                    let answer = work(one);
                    lock(&done).insert(at, answer);
                }
            });
        }
    });
    std::mem::take(&mut *lock(&done)).into_values().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
