//! Mistakes made on purpose, all that cargo-mutants knows: the tests must see at least nine of ten, and those they do
//! not see stand in docs/MUTANTS.md, with why. `tests/mutants` makes them; here it is started and judged.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::checks::cargo;
use crate::setup::repository;
use crate::steps::{run as run_program, say};

const VERSION: &str = "27.1.0";
/// Which part of all mutants is tried: `1/16` is every sixteenth, from the second on; `missed` are those that the last
/// run did not see. All of them otherwise.
const PART: &str = "SHOPSYNC_MUTANTS";
/// How many of a hundred must be seen.
const SEEN: usize = 90;
/// Each is judged by itself.
const KINDS: [&str; 2] = ["src/sync", "src/engine"];

/// Tries the mutants of `src/sync` and `src/engine`.
pub(crate) fn run() -> Result<()> {
    let program = installed()?;
    let folder = repository().join("tests/mutants");
    // The same versions as the product's, and nothing built into the folder of the sources.
    fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    let tool = |what: &str| {
        let mut command = cargo(&[what, "--quiet", "--manifest-path"]);
        command
            .arg(folder.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(repository().join("target/mutants/tool"));
        command
    };
    run_program(&mut tool("test"))?;
    let part = env::var(PART).unwrap_or_else(|_| "0/1".to_owned());
    run_program(tool("run").arg("--").arg(&program).arg(repository()).arg(&part))?;

    let written = fs::read_to_string(repository().join("target/mutants/results.json"))?;
    let listed = fs::read_to_string(repository().join("docs/MUTANTS.md"))?;
    let all = Tried::read(&written)?;
    for (kind, tried) in &all {
        say(&format!("    {kind}: {} of {} mutants seen, part {part}", tried.seen, tried.all()));
    }
    all.values().try_for_each(|tried| tried.judge(&listed))
}

/// cargo-mutants, from crates.io where it is missing.
fn installed() -> Result<PathBuf> {
    let root = repository().join("target/tools/cargo-mutants");
    let program = root.join("bin").join(format!("cargo-mutants{}", env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let mut install = cargo(&["install", "cargo-mutants", "--locked", "--version", VERSION]);
        run_program(install.arg("--root").arg(&root))?;
    }
    Ok(program)
}

/// What came of those of one kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tried {
    seen: usize,
    missed: Vec<String>,
}

impl Tried {
    /// Of each kind, from what `tests/mutants` writes down.
    fn read(written: &str) -> Result<BTreeMap<&'static str, Self>> {
        let written: Value = serde_json::from_str(written).context("results.json")?;
        let outcomes = written.get("outcomes").and_then(Value::as_object).context("no outcomes are there")?;
        let mut all: BTreeMap<&'static str, Self> =
            KINDS.into_iter().map(|kind| (kind, Self::default())).collect();
        for (mutant, outcome) in outcomes {
            let kind = all.iter_mut().find(|(kind, _)| mutant.starts_with(**kind));
            let (_, tried) = kind.with_context(|| format!("{mutant} is of no kind"))?;
            match outcome.as_str() {
                Some("left_out") => {}
                Some("missed" | "unreached") => tried.missed.push(mutant.clone()),
                _ if outcome.get("seen").is_some() => tried.seen += 1,
                _ => bail!("{mutant}: {outcome}"),
            }
        }
        Ok(all)
    }

    fn all(&self) -> usize {
        self.seen + self.missed.len()
    }

    /// Fails where too few were seen, or one was not that nobody has said why.
    fn judge(&self, listed: &str) -> Result<()> {
        if self.all() == 0 {
            bail!("no mutant was tried");
        }
        let unknown: Vec<&String> =
            self.missed.iter().filter(|mutant| !listed.contains(&without_place(mutant))).collect();
        if !unknown.is_empty() {
            bail!("not seen, and not in docs/MUTANTS.md: {unknown:#?}");
        }
        if self.seen * 100 < self.all() * SEEN {
            bail!("only {} of {} mutants were seen", self.seen, self.all());
        }
        Ok(())
    }
}

/// Lines move: a mutant is known by its file and what it does.
fn without_place(mutant: &str) -> String {
    let mut parts = mutant.splitn(4, ':');
    let (file, what) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    format!("{file}:{what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_of_ten_must_be_seen_and_the_others_be_known() {
        let missed = "src/sync/a.rs:10:5: replace a -> bool with true".to_owned();
        let tried =
            |seen, missed: &[&String]| Tried { seen, missed: missed.iter().copied().cloned().collect() };
        let listed = "`src/sync/a.rs: replace a -> bool with true`: why";
        assert!(tried(9, &[&missed]).judge(listed).is_ok());
        assert!(tried(8, &[&missed]).judge(listed).is_err(), "too few");
        assert!(tried(99, &[&missed]).judge("").is_err(), "not listed");
        assert!(tried(0, &[]).judge("").is_err(), "none at all");
    }

    #[test]
    fn what_was_tried_is_read_from_what_is_written_down() {
        let written = r#"{ "outcomes": {
            "src/engine/a.rs:1:1: a": "unreached",
            "src/sync/a.rs:1:1: a": { "seen": "a step" },
            "src/sync/a.rs:1:1: b": "missed",
            "src/sync/a.rs:1:1: c": "left_out"
        } }"#;
        let tried = Tried::read(written).expect("it can be read");
        let missed = |name: &str| vec![name.to_owned()];
        assert_eq!(tried["src/sync"], Tried { seen: 1, missed: missed("src/sync/a.rs:1:1: b") });
        assert_eq!(tried["src/engine"], Tried { seen: 0, missed: missed("src/engine/a.rs:1:1: a") });
        assert!(Tried::read("{}").is_err());
        assert!(Tried::read(r#"{ "outcomes": { "src/sync/a.rs:1:1: a": "perhaps" } }"#).is_err());
        assert!(Tried::read(r#"{ "outcomes": { "src/web/a.rs:1:1: a": "missed" } }"#).is_err());
    }
}
