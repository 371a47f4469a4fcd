//! `cargo xtask simulate`: many simulated weeks, and what came of them.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::checks::cargo;
use crate::steps::{run as run_program, say};

/// Which weeks.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// How many weeks
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Tell the week of this one seed, line by line
    #[arg(long)]
    story: Option<u64>,
}

/// Runs them; those that ever found something run first. Fails where one does, with its story shortened.
pub(crate) fn run(asked: &Simulate) -> Result<ExitCode> {
    let mut command = cargo(&["test", "--package", "shopsync", "--test", "simulation", "--"]);
    command.args(["--exact", "--nocapture", "a_week_in_the_shop"]);
    match asked.story {
        Some(seed) => {
            say(&format!("The week of seed {seed}"));
            command.env("SHOPSYNC_STORY", seed.to_string());
        }
        None => {
            say(&format!(
                "{} weeks from seed {}, behind those that once found something",
                asked.seeds, asked.from
            ));
            command
                .env("SHOPSYNC_SEEDS", asked.seeds.to_string())
                .env("SHOPSYNC_FROM", asked.from.to_string());
        }
    }
    run_program(&mut command)?;
    Ok(ExitCode::SUCCESS)
}
