//! `cargo xtask test`: everything that has to hold, in the order that fails soonest.

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::setup::{self, Tools};
use crate::steps::{Steps, output_of, run as run_program, run_seeing, say};
use crate::{lanes, windows, wine};

/// Integration tests start servers and time themselves: one at a time for each core of the
/// smallest machine they must pass on.
const INTEGRATION_THREADS: &str = "--test-threads=2";

/// The packages whose programs the tests start (xtask is left out: Windows cannot overwrite a program that runs).
pub(crate) const PRODUCT: [&str; 6] =
    ["--package", "shopsync", "--package", "raintek-sandbox", "--package", "shopsync-bench"];

/// What is tested.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Also run the tests marked `#[ignore]`, which take long
    #[arg(long)]
    pub(crate) thorough: bool,
    /// Run only the tests whose name contains one of these, and no other check
    pub(crate) filters: Vec<String>,
}

/// Runs every check and test; with filters only the tests that they name.
pub(crate) fn run(thorough: bool, filters: &[String]) -> Result<ExitCode> {
    let mut steps = Steps::default();
    let outcome = run_all(&mut steps, thorough, filters);
    say(&steps.summary());
    let counted = outcome?;
    // The closing line is what CI reads to know that tests ran.
    let mut out = std::io::stdout();
    writeln!(out, "{} passed, {} failed, {} skipped", counted.passed, counted.failed, counted.skipped)?;
    Ok(ExitCode::SUCCESS)
}

/// Cargo, in the repository's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(setup::repository()).args(arguments);
    command
}

fn run_all(steps: &mut Steps, thorough: bool, filters: &[String]) -> Result<Counted> {
    let tools = steps.step("setup", || setup::run(setup::For::Tests))?;
    if filters.is_empty() {
        steps.step("fmt", || run_program(&mut cargo(&["fmt", "--all", "--check"])))?;
        steps.step("clippy", || {
            let arguments = ["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"];
            run_program(&mut cargo(&arguments))
        })?;
        steps.step("doc", || {
            run_program(cargo(&["doc", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "--deny warnings"))
        })?;
        steps.step("deny", deny)?;
    }
    // Built as the tests build them, so that nothing is compiled twice.
    steps.step("build", || run_program(cargo(&["build", "--bins", "--tests"]).args(PRODUCT)))?;

    let mut counted = Counted::default();
    let mut tests = |kind: &[&str], options: &[&str]| {
        let mut command = test_command(cargo(&[]), &tools, kind, options, filters);
        run_seeing(&mut command, |line| counted.see(line))
    };
    // The tests of the installed program need it built first: they have a step of their own.
    let long: &[&str] = if thorough { &["--include-ignored", "--skip", "installed::"] } else { &[] };
    steps.step("doc tests", || tests(&["--doc"], &[]))?;
    steps.step("unit tests", || tests(&["--lib", "--bins"], long))?;
    let long = &[&[INTEGRATION_THREADS], long].concat();
    if filters.is_empty() {
        let others = lanes::others()?;
        let others = lanes::named(others.iter().map(String::as_str));
        steps.step("integration tests", || tests(&others, long))?;
        let (compute, wait) = (lanes::named(lanes::COMPUTE), lanes::named(lanes::WAIT));
        let mut compute = test_command(lanes::giving_way(), &tools, &compute, long, filters);
        let mut wait = test_command(cargo(&[]), &tools, &wait, long, filters);
        steps.step("simulation and faults", || {
            lanes::at_once(&mut compute, &mut wait, |line| counted.see(line))
        })?;
    } else {
        steps.step("integration tests", || tests(&["--test", "*"], long))?;
    }
    if filters.is_empty() && wine::is_part_of_all_tests() {
        let made = windows::make(steps)?;
        wine::test(steps, &made, |line| counted.see(line))?;
    }
    if thorough && filters.is_empty() {
        steps.step("fuzz", crate::fuzz::run)?;
        steps.step("mutants", crate::mutants::run)?;
    }
    Ok(counted)
}

fn test_command(
    mut command: Command,
    tools: &Tools,
    kind: &[&str],
    options: &[&str],
    filters: &[String],
) -> Command {
    command.args(["test", "--workspace", "--no-fail-fast"]);
    command.args(kind).arg("--").args(options).args(filters).envs(tools.environment());
    if std::io::stdout().is_terminal() {
        command.arg("--color=always");
    }
    command
}

fn deny() -> Result<()> {
    if output_of(&mut cargo(&["deny", "--version"])).is_none() {
        say("    skipped: cargo-deny is not on this machine (cargo install cargo-deny --locked)");
        return Ok(());
    }
    run_program(&mut cargo(&["deny", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
}

/// How many tests the runners said they ran.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Counted {
    /// Adds a runner's closing line: `test result: ok. 3 passed; 0 failed; 1 ignored; …`
    fn see(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                Some((number, "ignored")) => self.skipped += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_all_runners_add_up() {
        let mut counted = Counted::default();
        counted.see(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        );
        counted.see("test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 9 filtered out; finished in 1.2s");
        counted.see("test result::of_a_test_with_such_a_name ... ok");
        counted.see("");
        assert_eq!(counted, Counted { passed: 7, failed: 2, skipped: 1 });
    }

    #[test]
    fn a_coloured_closing_line_counts_too() {
        let mut counted = Counted::default();
        counted.see("test result: \u{1b}[32mok\u{1b}(B\u{1b}[m. 5 passed; 0 failed; 0 ignored; 0 measured");
        assert_eq!(counted.passed, 5);
    }
}
