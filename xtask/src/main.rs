//! The project's own commands: `cargo xtask demo`, `test`, `simulate`, `crash`, `bench`, `screenshots` and more.

mod alone;
mod bench;
mod checks;
mod crash;
mod demo;
mod fuzz;
mod icons;
mod lanes;
mod licences;
mod mutants;
mod python;
mod release;
mod screenshots;
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
    Test(checks::Test),
    #[command(flatten)]
    Alone(alone::Alone),
    /// Kill the real program, PocketBase and RainTek's server at random moments, and compare both sides at the end
    Crash(crash::Crash),
    /// Take pictures of page and desktop into `target/screenshots`, and the best into `docs/images`
    Screenshots(screenshots::Screenshots),
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
        Command::Test(asked) => checks::run(asked.thorough, &asked.filters),
        Command::Alone(asked) => alone::run(&asked),
        Command::Crash(asked) => crash::run(&asked),
        Command::Screenshots(asked) => screenshots::run(&asked),
        Command::Bench(asked) => bench::run(&asked),
        Command::Simulate(asked) => simulate::run(&asked),
        Command::Windows(asked) => windows::run(&asked),
        Command::Release(asked) => release::run(&asked),
        Command::Setup => setup::run(setup::For::Tests).map(|_| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| steps::failed(&error))
}
