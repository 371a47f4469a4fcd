//! The project's own commands: `cargo xtask demo`, `test`, `simulate`, `crash`, `bench`, `icons`, `windows`, `release`, `setup`.

mod bench;
mod checks;
mod crash;
mod demo;
mod fuzz;
mod icons;
mod mutants;
mod python;
mod release;
mod setup;
mod simulate;
mod steps;
mod windows;
mod wine;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "ShopSync's own commands", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up what is missing, build, and show ShopSync at work; arguments go to `shopsync demo`
    #[command(disable_help_flag = true)]
    Demo {
        /// `--release` builds with optimisation; everything else is for `shopsync demo`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Set up what is missing, then run everything that CI runs: format, lints, docs, licences, tests
    Test {
        /// Also run the tests marked `#[ignore]`, which take long, and fuzz each target for a minute
        #[arg(long)]
        thorough: bool,
        /// Run only the tests whose name contains one of these, and no other check
        filters: Vec<String>,
    },
    /// Render the drawings of `assets/icons` anew
    Icons,
    /// Kill the real program, PocketBase and RainTek's server at random moments, and compare both sides at the end
    Crash {
        /// How many rounds
        #[arg(long, default_value_t = 200)]
        rounds: u32,
        /// What the moments are drawn from
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Measure the release build against what its servers can do at all; writes docs/benchmarks.md
    Bench(bench::Bench),
    /// Let simulated weeks pass, with everything that goes wrong in a shop
    Simulate(simulate::Simulate),
    /// Build the Windows program and its installer; on Debian by cross-building
    Windows(windows::Windows),
    /// Make everything that a version is given away as
    Release(release::Release),
    /// Only install what `demo` and `test` need and is missing
    Setup,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo { arguments } => demo::run(arguments),
        Command::Test { thorough, filters } => checks::run(thorough, &filters),
        Command::Icons => icons::run().map(|()| ExitCode::SUCCESS),
        Command::Crash { rounds, seed } => crash::run(rounds, seed),
        Command::Bench(asked) => bench::run(&asked),
        Command::Simulate(asked) => simulate::run(&asked),
        Command::Windows(asked) => windows::run(&asked),
        Command::Release(asked) => release::run(&asked),
        Command::Setup => setup::run(setup::For::Tests).map(|_| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        steps::say(&format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}
