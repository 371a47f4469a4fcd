//! Mistakes made on purpose by `cargo mutants`, one after the other: the tests must see at least nine of ten, and those
//! they do not see stand in docs/MUTANTS.md, with why.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::setup;
use crate::steps::{output_of, run as run_program, say};

const VERSION: &str = "27.1.0";
/// Which part of all mutants is tried instead of a sample: `1/16` is every sixteenth, from the second on; `0/1` is all
/// of them, which takes a day.
const PART: &str = "SHOPSYNC_MUTANTS";
/// How many of a hundred must be seen.
const SEEN: usize = 90;
/// Nobody waits longer for one mutant's build, in seconds.
const BUILT_WITHIN: &str = "600";
/// The sample begins with this one, so that it is the same in every run over the same code.
const FROM: usize = 3;

/// A folder of the product, and who must see what is wrong in it.
struct Kind {
    name: &'static str,
    files: &'static str,
    /// How many are tried, drawn evenly from all: what bounds the time.
    sample: usize,
    /// The test programs. Only they are built for each mutant: what stands behind `--` is said to their runs alone.
    programs: &'static [&'static str],
    /// Which of their tests.
    tests: &'static [&'static str],
    /// Nobody waits longer for one mutant's tests, in seconds: one that never ends takes memory all the while.
    ended_within: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "sync",
        files: "src/sync/**/*.rs",
        sample: 24,
        programs: &["--lib"],
        tests: &[],
        ended_within: "120",
    },
    Kind {
        name: "engine",
        files: "src/engine/**/*.rs",
        sample: 10,
        programs: &["--lib", "--test=simulation"],
        tests: &["--", "engine::", "told::", "twins::", "a_week_in_the_shop", "a_pause"],
        ended_within: "600",
    },
];

/// Tries a sample of the mutants of `src/sync` and `src/engine`.
pub(crate) fn run() -> Result<()> {
    let program = installed()?;
    let listed = fs::read_to_string(setup::repository().join("docs/MUTANTS.md"))?;
    for kind in KINDS {
        let part = match env::var(PART) {
            Ok(part) => part,
            Err(_) => part_of(listed_by(&program, kind.files)?, kind.sample),
        };
        let output = setup::repository().join("target/mutants").join(kind.name);
        fs::create_dir_all(&output)?;
        let mut command = Command::new(&program);
        command
            .current_dir(setup::repository())
            .args(["mutants", "--package", "shopsync", "--file", kind.files, "--shard", &part])
            .args(["--sharding", "round-robin", "--no-shuffle", "--baseline", "skip"])
            .args(["--timeout", kind.ended_within, "--build-timeout", BUILT_WITHIN])
            .args(kind.programs.iter().map(|program| format!("--cargo-arg={program}")))
            .arg("--output")
            .arg(&output)
            .arg("--")
            .args(kind.tests)
            .env("SHOPSYNC_SEEDS", "60");
        // It ends with a failure where one is not seen: what that means is decided below.
        if let Err(error) = run_program(&mut command) {
            say(&format!("    {error}"));
        }
        let tried = Tried::read(&output.join("mutants.out"))?;
        say(&format!("    {}: {} of {} mutants seen, part {part}", kind.name, tried.seen, tried.all()));
        tried.judge(&listed)?;
    }
    Ok(())
}

/// How many mutants there are of these files.
fn listed_by(program: &Path, files: &str) -> Result<usize> {
    let mut command = Command::new(program);
    command.current_dir(setup::repository()).args([
        "mutants",
        "--list",
        "--package",
        "shopsync",
        "--file",
        files,
    ]);
    let listed = output_of(&mut command).context("cargo-mutants lists no mutants")?;
    Ok(listed.lines().filter(|line| !line.is_empty()).count())
}

/// The part of all of them that is about so many.
fn part_of(all: usize, sample: usize) -> String {
    let parts = all.div_ceil(sample).max(1);
    format!("{}/{parts}", FROM % parts)
}

/// cargo-mutants, from crates.io where it is missing.
fn installed() -> Result<std::path::PathBuf> {
    let root = setup::repository().join("target/tools/cargo-mutants");
    let program = root.join("bin").join(format!("cargo-mutants{}", env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let mut install =
            crate::checks::cargo(&["install", "cargo-mutants", "--locked", "--version", VERSION]);
        run_program(install.arg("--root").arg(&root))?;
    }
    Ok(program)
}

/// What came of them.
#[derive(Debug, PartialEq, Eq)]
struct Tried {
    seen: usize,
    missed: Vec<String>,
}

impl Tried {
    fn read(folder: &Path) -> Result<Self> {
        let lines = |name: &str| -> Result<Vec<String>> {
            let path = folder.join(name);
            let text =
                fs::read_to_string(&path).with_context(|| format!("{} is not there", path.display()))?;
            Ok(text.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect())
        };
        Ok(Self {
            seen: lines("caught.txt")?.len() + lines("timeout.txt")?.len(),
            missed: lines("missed.txt")?,
        })
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
    fn a_sample_is_a_part_of_about_its_size() {
        assert_eq!(part_of(1454, 24), "3/61");
        assert_eq!(part_of(20, 10), "1/2");
        assert_eq!(part_of(5, 10), "0/1");
        assert_eq!(part_of(0, 10), "0/1");
    }

    #[test]
    fn what_was_tried_is_read_from_the_lists() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in [("caught.txt", "a\nb\n"), ("timeout.txt", "c\n"), ("missed.txt", "d\n\n")] {
            fs::write(folder.path().join(name), text).expect("it is written");
        }
        let tried = Tried::read(folder.path()).expect("it is there");
        assert_eq!(tried, Tried { seen: 3, missed: vec!["d".into()] });
        assert!(Tried::read(&folder.path().join("nothing")).is_err());
    }
}
