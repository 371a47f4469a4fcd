//! Commands that take nothing and are one thing alone.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::{fuzz, icons, licences, mutants};

#[derive(Subcommand)]
pub(crate) enum Alone {
    /// Render the drawings of `assets/icons` anew
    Icons,
    /// Write down anew which libraries the program is made of, with their licences
    Licences,
    /// Make every mistake that cargo-mutants knows, one at a time, and look whether the tests see it
    Mutants,
    /// Throw mutated input at everything that reads a stranger's words
    Fuzz,
}

/// Does it.
pub(crate) fn run(asked: &Alone) -> Result<ExitCode> {
    match asked {
        Alone::Icons => icons::run(),
        Alone::Licences => licences::run(),
        Alone::Mutants => mutants::run(),
        Alone::Fuzz => fuzz::run(),
    }?;
    Ok(ExitCode::SUCCESS)
}
