//! The mistakes that cargo-mutants would make, as it lists them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// One mistake.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Mutant {
    /// `file:line:column: what`, as cargo-mutants prints it.
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) span: Span,
    pub(crate) replacement: String,
    pub(crate) genre: Genre,
}

/// What kind of mistake it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

/// The text that cargo-mutants would replace.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: Place,
    pub(crate) end: Place,
}

/// Both count from one, columns in characters.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// All of them in the given files of the product.
pub(crate) fn listed(program: &Path, repository: &Path, files: &[&str]) -> Result<Vec<Mutant>> {
    let mut command = Command::new(program);
    command.current_dir(repository).args(["mutants", "--list", "--json", "--package", "shopsync"]);
    files.iter().for_each(|files| {
        command.args(["--file", files]);
    });
    let output = command.output().with_context(|| format!("cannot start {}", program.display()))?;
    if !output.status.success() {
        bail!("cargo-mutants lists no mutants: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mutants: Vec<Mutant> = serde_json::from_slice(&output.stdout).context("cargo-mutants' list")?;
    if mutants.is_empty() {
        bail!("cargo-mutants lists no mutants");
    }
    Ok(mutants)
}
