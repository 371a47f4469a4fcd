//! `cargo xtask crash`: many rounds of what every test run does a few of.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::checks::{PRODUCT, cargo};
use crate::setup;
use crate::steps::run as run_program;

/// How often, and at which moments.
#[derive(Debug, Args)]
pub(crate) struct Crash {
    /// How many rounds
    #[arg(long, default_value_t = 200)]
    rounds: u32,
    /// What the moments are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Sets up, builds, and runs the crash test with so many rounds.
pub(crate) fn run(&Crash { rounds, seed }: &Crash) -> Result<ExitCode> {
    let tools = setup::run(setup::For::Tests)?;
    run_program(cargo(&["build", "--bins", "--tests"]).args(PRODUCT))?;
    let mut test =
        cargo(&["test", "--package", "shopsync", "--test", "crash", "--", "--nocapture", "--test-threads=1"]);
    test.envs(tools.environment());
    test.env("SHOPSYNC_CRASH_ROUNDS", rounds.to_string()).env("SHOPSYNC_CRASH_SEED", seed.to_string());
    run_program(&mut test)?;
    Ok(ExitCode::SUCCESS)
}
