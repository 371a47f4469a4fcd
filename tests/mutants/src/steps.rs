//! What the tests are run as: small parts, each with the mistakes that it comes by.
//!
//! A mistake is tried only by those parts that come by it, the cheapest first; one that none comes by is not seen.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::say;
use crate::tree::Programs;
use crate::trying::in_parallel;

/// Which mistake is made: `switch.rs` reads it.
const MAKES: &str = "SHOPSYNC_MUTANT";
const TELLS: &str = "SHOPSYNC_MUTANTS_REACHED";
/// Bytes that a process may take, in KiB: some mistakes collect for ever.
const MEMORY: u64 = 4 * 1024 * 1024;
/// A process may take so many times what it takes without a mistake, and so much more. Its time on the clock is
/// generous, since others work on this machine as well.
const TIMES: u32 = 5;
const MORE_WORK: Duration = Duration::from_secs(10);
const MORE_WAITING: Duration = Duration::from_secs(90);
/// What takes longer without a mistake tries only what nothing cheaper comes by.
const DEAR: Duration = Duration::from_millis(2_500);
/// What takes longer is told.
const LONG: Duration = Duration::from_secs(1);
/// How often it is looked whether a process has ended.
const LOOKS: Duration = Duration::from_millis(10);

/// One run of a test program.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) name: String,
    program: PathBuf,
    folder: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// What it took without a mistake.
    pub(crate) took: Duration,
    pub(crate) reaches: BTreeSet<u32>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Green,
    Red,
    /// It took too long.
    Late,
}

/// All of them.
pub(crate) fn all(programs: &Programs, tree: &Path) -> Result<Vec<Step>> {
    let step = |name: &str, program: &Path, arguments: &[&str], environment: &[(&str, &str)]| Step {
        name: name.to_owned(),
        program: program.to_owned(),
        folder: tree.to_owned(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        took: Duration::from_secs(60),
        reaches: BTreeSet::new(),
    };
    let listed = Command::new(&programs.lib).arg("--list").output().context("the unit tests")?;
    let listed = String::from_utf8(listed.stdout)?;
    let names = listed.lines().filter_map(|line| line.strip_suffix(": test"));
    let units = names.filter(|name| UNITS.iter().any(|module| name.starts_with(module)));
    let mut steps: Vec<Step> = units.map(|name| step(name, &programs.lib, &["--exact", name], &[])).collect();
    let told = tree.join("tests/simulation/told");
    for entry in fs::read_dir(&told).with_context(|| told.display().to_string())? {
        let path = entry?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let arguments = ["--exact", "told::a_few_weeks_tell_what_they_told"];
        steps.push(step(
            &format!("told {name}"),
            &programs.simulation,
            &arguments,
            &[("SHOPSYNC_TOLD", &name)],
        ));
    }
    for test in SIMULATED {
        steps.push(step(test, &programs.simulation, &["--exact", test], &[("SHOPSYNC_SEEDS", "3")]));
    }
    Ok(steps)
}

/// Where unit tests see something of these mistakes.
const UNITS: [&str; 2] = ["sync::", "engine::"];

/// Tests of the simulation beside those that are told.
const SIMULATED: [&str; 4] = [
    "twins::the_place_of_a_deleted_bill_is_not_another_invoices",
    "twins::an_older_record_that_counts_again_no_longer_owns_its_bill",
    "a_pause_stops_a_queue_in_the_middle",
    "what_hangs_is_given_up_and_done_anew",
];

/// Runs each without a mistake, which must be green, and takes down what it comes by.
pub(crate) fn reached(steps: Vec<Step>, folder: &Path) -> Result<Vec<Step>> {
    let results = in_parallel((0..).zip(steps).collect(), |(number, step): (u32, Step)| {
        step.reached(&folder.join(format!("reached-{number}")))
    });
    let mut steps = results.into_iter().collect::<Result<Vec<Step>>>()?;
    steps.sort_by_key(|step| step.took);
    let mut by_cheaper = BTreeSet::new();
    for step in &mut steps {
        let of_all = step.reaches.len();
        if step.took > DEAR {
            step.reaches.retain(|id| !by_cheaper.contains(id));
        }
        by_cheaper.extend(step.reaches.iter().copied());
        if step.took > LONG {
            let (name, took, tries) = (&step.name, step.took.as_secs_f64(), step.reaches.len());
            say(&format!("    {name}: {took:.1} s, comes by {of_all}, tries {tries}"));
        }
    }
    say(&format!("    {} runs of tests, which come by {}", steps.len(), by_cheaper.len()));
    Ok(steps)
}

impl Step {
    fn reached(mut self, tells: &Path) -> Result<Self> {
        fs::write(tells, "")?;
        let output = tells.with_extension("log");
        let log = fs::File::create(&output)?;
        let mut command = self.command(Duration::from_secs(3600));
        command.env(TELLS, tells).stdout(log.try_clone()?).stderr(log);
        let (end, took) = ended(&mut command, Duration::from_secs(3600))?;
        self.took = took;
        if end != End::Green {
            bail!("without a mistake {} is {end:?}: {}", self.name, output.display());
        }
        self.reaches = fs::read_to_string(tells)?.lines().filter_map(|id| id.parse().ok()).collect();
        fs::remove_file(tells)?;
        fs::remove_file(output)?;
        Ok(self)
    }

    /// Runs it with a mistake.
    pub(crate) fn with(&self, id: u32) -> Result<End> {
        let mut command = self.command(self.took * TIMES + MORE_WORK);
        command.env(MAKES, id.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(ended(&mut command, self.took * TIMES * 2 + MORE_WAITING)?.0)
    }

    fn command(&self, works: Duration) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -t \"$1\" && ulimit -v \"$2\" && ulimit -c 0 && shift 2 && exec \"$@\"", "sh"])
            .args([works.as_secs().to_string(), MEMORY.to_string()])
            .arg(&self.program)
            .args(&self.arguments)
            .args(["--test-threads", "1"])
            .current_dir(&self.folder)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            // An expression with its switches needs more of it.
            .env("RUST_MIN_STACK", (16 * 1024 * 1024).to_string())
            // Nobody reads it, and it takes longer than most tests.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null());
        command
    }
}

/// Waits for it, and not longer than this. Answers what work it was as well: the machine has other work, too.
fn ended(command: &mut Command, longest: Duration) -> Result<(End, Duration)> {
    let mut child = command.spawn().context("cannot start sh")?;
    let begun = now();
    let mut work = Duration::ZERO;
    loop {
        work = worked(child.id()).unwrap_or(work);
        if let Some(status) = child.try_wait()? {
            // SIGXCPU and SIGKILL are how the limits end a process.
            let is_late = matches!(status.signal(), Some(9 | 24));
            let end = if status.success() {
                End::Green
            } else if is_late {
                End::Late
            } else {
                End::Red
            };
            return Ok((end, work));
        }
        if begun.elapsed() > longest {
            child.kill()?;
            child.wait()?;
            return Ok((End::Late, work));
        }
        std::thread::sleep(LOOKS);
    }
}

/// The time of a processor that a process had: the 14th and 15th of what Linux tells of it, the second being its name in
/// brackets, in hundredths of a second.
fn worked(id: u32) -> Option<Duration> {
    let told = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = told.rsplit_once(')')?;
    let ticks = rest.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap_or(0));
    Some(Duration::from_millis(ticks.sum::<u64>() * 10))
}

#[expect(clippy::disallowed_methods, reason = "this program measures tests and is no part of the core")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, longest: u64) -> End {
        ended(Command::new("sh").args(["-c", script]), Duration::from_millis(longest)).expect("it starts").0
    }

    #[test]
    fn a_run_is_green_red_or_late() {
        assert_eq!(sh("true", 10_000), End::Green);
        assert_eq!(sh("exit 101", 10_000), End::Red);
        assert_eq!(sh("kill -ABRT $$", 10_000), End::Red);
        assert_eq!(sh("ulimit -t 1; while true; do true; done", 60_000), End::Late);
        assert_eq!(sh("exec sleep 60", 50), End::Late);
    }

    #[test]
    fn a_run_has_limits() {
        let step = Step {
            name: "limits".to_owned(),
            program: "sh".into(),
            folder: "/".into(),
            arguments: ["-c", "test $(ulimit -t) = 7 && test $(ulimit -v) = 4194304"].map(str::to_owned).to_vec(),
            environment: Vec::new(),
            took: Duration::ZERO,
            reaches: BTreeSet::new(),
        };
        let end = |seconds| ended(&mut step.command(Duration::from_secs(seconds)), Duration::from_secs(60));
        assert_eq!(end(7).expect("it starts").0, End::Green);
        assert_eq!(end(8).expect("it starts").0, End::Red);
    }
}
