//! Mistakes made on purpose by `cargo mutants`, one after the other: the tests must see at least nine of ten, and those
//! they do not see stand in docs/MUTANTS.md, with why.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::setup;
use crate::steps::{run as run_program, say};

const VERSION: &str = "27.1.0";
/// Which part of all mutants is tried: `1/16` is every sixteenth, from the second on. All of them take a day.
const PART: &str = "SHOPSYNC_MUTANTS";
/// How many of a hundred must be seen.
const SEEN: usize = 90;
/// Nobody waits longer for one mutant's tests, in seconds.
const AT_MOST: &str = "600";

/// A folder of the product, and who must see what is wrong in it.
struct Kind {
    name: &'static str,
    files: &'static str,
    /// Unless the environment says otherwise.
    part: &'static str,
    tests: &'static [&'static str],
}

const KINDS: [Kind; 2] = [
    Kind { name: "sync", files: "src/sync/**/*.rs", part: "3/16", tests: &["--lib"] },
    Kind {
        name: "engine",
        files: "src/engine/**/*.rs",
        part: "3/32",
        tests: &["--lib", "--test", "simulation", "--", "engine::", "a_week_in_the_shop", "a_pause"],
    },
];

/// Tries a part of all mutants of `src/sync` and `src/engine`.
pub(crate) fn run() -> Result<()> {
    let program = installed()?;
    let listed = fs::read_to_string(setup::repository().join("docs/MUTANTS.md"))?;
    for kind in KINDS {
        let part = env::var(PART).unwrap_or_else(|_| kind.part.to_owned());
        let output = setup::repository().join("target/mutants").join(kind.name);
        fs::create_dir_all(&output)?;
        let mut command = Command::new(&program);
        command
            .current_dir(setup::repository())
            .args(["mutants", "--package", "shopsync", "--file", kind.files, "--shard", &part])
            .args(["--sharding", "round-robin", "--no-shuffle", "--baseline", "skip", "--timeout", AT_MOST])
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
