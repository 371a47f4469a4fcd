//! `cargo xtask bench`: builds the release and measures it.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::checks::cargo;
use crate::setup;
use crate::steps::{output_of, run as run_program, say};

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Small figures that show that everything works; docs/benchmarks.md stays as it is
    #[arg(long)]
    quick: bool,
    /// Only this part: push, catch-up, start, products, leaks, invoices, catalogue, size, desktop; may be given several times
    #[arg(long)]
    only: Vec<String>,
    /// Idle for an hour instead of eleven minutes
    #[arg(long)]
    hour: bool,
}

/// Builds and measures. Rows of parts that are not measured now stay as the last run on this machine left them.
pub(crate) fn run(asked: &Bench) -> Result<ExitCode> {
    let tools = setup::run(setup::For::Tests)?.with_release();
    say("Building the release (some minutes)");
    let packages = ["shopsync", "raintek-sandbox", "shopsync-bench"];
    let mut build = cargo(&["build", "--release", "--bins"]);
    build.args(packages.iter().flat_map(|package| ["--package", package]));
    run_program(&mut build)?;

    let mut bench = Command::new(tools.program("shopsync-bench"));
    bench.current_dir(setup::repository()).envs(tools.environment());
    bench.args(["--commit", &commit()]);
    if asked.quick {
        bench.arg("--quick");
    } else {
        bench.args(["--table", "docs/benchmarks.md"]).arg("--rows").arg(rows(&tools));
    }
    if asked.hour {
        bench.arg("--hour");
    }
    bench.args(asked.only.iter().flat_map(|only| ["--only", only]));
    run_program(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}

/// Beside the programs that were measured.
fn rows(tools: &setup::Tools) -> PathBuf {
    tools.program("bench").with_file_name("bench.json")
}

fn commit() -> String {
    let git =
        |arguments: &[&str]| output_of(Command::new("git").current_dir(setup::repository()).args(arguments));
    let head = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".into());
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "src", "tests", "Cargo.toml"]);
    if changed.is_some_and(|changed| !changed.is_empty()) { format!("{head}+") } else { head }
}
