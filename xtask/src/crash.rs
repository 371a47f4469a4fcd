//! `cargo xtask crash`: many rounds of what every test run does a few of.

use std::process::ExitCode;

use anyhow::Result;

use crate::checks::{PRODUCT, cargo};
use crate::setup;
use crate::steps::run as run_program;

/// Sets up, builds, and runs the crash test with so many rounds.
pub(crate) fn run(rounds: u32, seed: u64) -> Result<ExitCode> {
    let tools = setup::run(setup::For::Tests)?;
    run_program(cargo(&["build", "--bins", "--tests"]).args(PRODUCT))?;
    let mut test =
        cargo(&["test", "--package", "shopsync", "--test", "crash", "--", "--nocapture", "--test-threads=1"]);
    test.envs(tools.environment());
    test.env("SHOPSYNC_CRASH_ROUNDS", rounds.to_string()).env("SHOPSYNC_CRASH_SEED", seed.to_string());
    run_program(&mut test)?;
    Ok(ExitCode::SUCCESS)
}
