//! Makes every mistake that cargo-mutants knows in `src/sync` and `src/engine`, all in one program, each behind a switch in
//! the environment, and looks which of them the tests see: a mistake costs a run of tests, and no build.
//!
//! `cargo xtask test --thorough` runs it and judges what it writes down: docs/MUTANTS.md.

mod listed;
mod sites;
mod steps;
// Read as text; compiled here only so that it is seen to compile.
#[cfg(test)]
mod switch;
mod switches;
mod tree;
mod trying;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::trying::{Part, Trying};

/// What mistakes are made in.
const FILES: [&str; 2] = ["src/sync/**/*.rs", "src/engine/**/*.rs"];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Takes where cargo-mutants is, the repository, and which part of all is tried.
fn run() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let mut path = |what| arguments.next().map(PathBuf::from).with_context(|| format!("{what} is missing"));
    let (program, repository) = (path("cargo-mutants")?, path("the repository")?);
    let part = Part::read(&arguments.next().unwrap_or_else(|| "0/1".into()).to_string_lossy())?;
    let folder = repository.join("target/mutants");
    std::fs::create_dir_all(folder.join("tree"))?;

    let mutants = listed::listed(&program, &repository, &FILES)?;
    let mut tree = tree::Tree::copied(&repository, &folder.join("tree"), &folder.join("build"))?;
    let mut trying = Trying::begun(&folder, mutants, &tree, part);
    let programs = loop {
        let built = tree.built(&trying.mutants, &mut trying.left_out)?;
        trying.save()?;
        if let Some(programs) = built {
            break programs;
        }
    };
    say(&format!("    {} of {} do not compile", trying.left_out.len(), trying.mutants.len()));
    let steps = steps::all(&programs, &folder.join("tree"))?;
    let steps = steps::reached(steps, &folder)?;
    trying.run(&steps)
}

/// Tells the person at the terminal; a terminal that is gone is no reason to stop.
fn say(line: &str) {
    use std::io::Write as _;
    let _gone = writeln!(std::io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn where_no_mistake_is_asked_for_none_is_made() {
        assert!((0..3).all(|id| !crate::switch::is(id)));
    }
}
