//! Running other programs, saying what runs, and how long it took.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Tells the person at the terminal; a terminal that is gone is no reason to stop.
pub(crate) fn say(line: &str) {
    let _gone = writeln!(std::io::stderr(), "{line}");
}

/// Says why it did not go.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    say(&format!("error: {error:#}"));
    ExitCode::FAILURE
}

/// Steps that run one after the other; the first that fails ends them all.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Runs one step under its name. Its error carries the name.
    pub(crate) fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        say(&format!("==> {name}"));
        let start = now();
        let outcome = work();
        let took = start.elapsed();
        say(&format!("    {name}: {} {:.1} s", verdict(&outcome), took.as_secs_f64()));
        self.done.push((name, took));
        outcome.with_context(|| format!("the step `{name}` failed"))
    }

    /// Every step with its time, and the total.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        for (name, took) in &self.done {
            let _infallible = writeln!(text, "{name:<24} {:>7.1} s", took.as_secs_f64());
        }
        let total: Duration = self.done.iter().map(|(_, took)| *took).sum();
        let _infallible = write!(text, "{:<24} {:>7.1} s", "total", total.as_secs_f64());
        text
    }
}

/// Runs a program with its output going to the terminal; anything but success is an error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Like [`run`], and hands each line that goes to the standard output to `see` as well.
pub(crate) fn run_seeing(command: &mut Command, mut see: impl FnMut(&str)) -> Result<()> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    if let Some(output) = child.stdout.take() {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 {
            let _gone = std::io::stdout().write_all(&line);
            see(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// What a program prints, or nothing where there is no such program or it fails.
pub(crate) fn output_of(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn verdict<T>(outcome: &Result<T>) -> &'static str {
    if outcome.is_ok() { "ok," } else { "FAILED after" }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}

#[expect(clippy::disallowed_methods, reason = "xtask measures its own steps and is no part of the core")]
fn now() -> Instant {
    Instant::now()
}
