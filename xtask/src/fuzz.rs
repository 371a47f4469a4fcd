//! `cargo xtask test --thorough` runs each fuzz target of `tests/fuzz` for a minute (docs/FUZZING.md).

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::checks::cargo;
use crate::setup::repository;
use crate::steps::{output_of, run as run_program, say};

/// Seconds that each target is fuzzed.
const SECONDS: u32 = 60;
/// Bytes of one input: longer ones find little more, slower.
const LONGEST: u32 = 8192;

/// Installs cargo-fuzz where it is missing, builds the targets and runs one after the other; the first finding ends it.
///
/// No nightly compiler is needed: the code has no `unsafe` for a sanitizer to watch, and coverage alone is stable.
pub(crate) fn run() -> Result<()> {
    if output_of(Command::new("c++").arg("--version")).is_none() {
        bail!("libFuzzer is built by a C++ compiler. Run this once, then try again: apt-get install -y g++");
    }
    if output_of(&mut cargo(&["fuzz", "--version"])).is_none() {
        say("    installing cargo-fuzz");
        run_program(&mut cargo(&["install", "cargo-fuzz", "--locked"]))?;
    }
    let folder = repository().join("tests/fuzz");
    // The same versions as the product's.
    fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
    for target in targets()? {
        fuzz(&target)?;
    }
    Ok(())
}

/// The names of the targets, in order.
fn targets() -> Result<Vec<String>> {
    let folder = repository().join("tests/fuzz/targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
    }
    names.sort();
    if names.is_empty() {
        bail!("{} holds no target", folder.display());
    }
    Ok(names)
}

fn fuzz(target: &str) -> Result<()> {
    // What is found on the way is kept beside the build; the committed corpus is only read.
    let build = repository().join("target/fuzz");
    let found = build.join("found").join(target);
    fs::create_dir_all(&found).with_context(|| format!("cannot make the folder {}", found.display()))?;
    let corpus: PathBuf = ["tests", "fuzz", "corpus", target].iter().collect();
    let mut command = cargo(&["fuzz", "run", "--sanitizer", "none", "--fuzz-dir", "tests/fuzz"]);
    command.args(["--codegen-units", "16", "--target-dir"]).arg(&build).arg(target).arg(&found).arg(corpus);
    command.args([
        "--",
        &format!("-max_total_time={SECONDS}"),
        &format!("-max_len={LONGEST}"),
        "-timeout=10",
    ]);
    let words = repository().join("tests/fuzz/dictionaries").join(target);
    if words.is_file() {
        command.arg(format!("-dict={}", words.display()));
    }
    run_program(&mut command).with_context(|| {
        format!("fuzzing {target} found something; what to do with tests/fuzz/artifacts/{target} is in docs/FUZZING.md")
    })
}
