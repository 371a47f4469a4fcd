//! Test programs that only compute, and beside them those that mostly wait: one after the other they leave cores idle for
//! minutes.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::checks::cargo;
use crate::setup;
use crate::steps::run_seeing;

/// On all cores, by no clock but their own.
pub(crate) const COMPUTE: [&str; 1] = ["simulation"];
/// For time-outs, and for processes that are stopped and killed.
pub(crate) const WAIT: [&str; 2] = ["crash", "wire"];

/// Cargo, whose tests leave the cores to whoever else wants them.
pub(crate) fn giving_way() -> Command {
    if cfg!(windows) {
        return cargo(&[]);
    }
    let mut command = Command::new("nice");
    command.args(["-n", "10"]).arg(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(setup::repository());
    command
}

/// The names of all other test programs.
pub(crate) fn others() -> Result<Vec<String>> {
    let command = &mut cargo(&["metadata", "--no-deps", "--format-version", "1"]);
    let output =
        command.stderr(Stdio::inherit()).output().context("cargo does not say what tests there are")?;
    let mut names = programs(&serde_json::from_slice(&output.stdout)?);
    for lane in COMPUTE.iter().chain(&WAIT) {
        ensure!(names.remove(*lane), "there is no test program `{lane}`");
    }
    ensure!(!names.is_empty(), "cargo names no test programs");
    Ok(names.into_iter().collect())
}

fn programs(metadata: &Value) -> BTreeSet<String> {
    let list = |value: &Value, name| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let targets = list(metadata, "packages").into_iter().flat_map(|package| list(&package, "targets"));
    let tests = targets.filter(|target| list(target, "kind").iter().any(|kind| kind == "test"));
    tests.filter_map(|target| Some(target.get("name")?.as_str()?.to_owned())).collect()
}

/// As cargo takes them.
pub(crate) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    names.into_iter().flat_map(|name| ["--test", name]).collect()
}

/// Runs both at once, to their ends. Lines of the second are shown once it has ended.
pub(crate) fn at_once(first: &mut Command, second: &mut Command, mut see: impl FnMut(&str)) -> Result<()> {
    let second = second.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let second = second.spawn().context("cannot start the tests that wait")?;
    // Its pipes are emptied meanwhile.
    let second = std::thread::spawn(move || second.wait_with_output());
    let computed = run_seeing(first, &mut see);
    let output = second.join().map_err(|_| anyhow::anyhow!("the tests that wait were lost"))??;
    let _gone = std::io::stderr().write_all(&output.stderr);
    let _gone = std::io::stdout().write_all(&output.stdout);
    String::from_utf8_lossy(&output.stdout).lines().for_each(&mut see);
    computed?;
    ensure!(output.status.success(), "the tests that wait ended with {}", output.status);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_test_program_runs_in_one_place() {
        let others = others().expect("cargo names them");
        for name in ["acceptance", "architecture", "quick", "till", "mixed_demo"] {
            assert_eq!(others.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        assert!(
            !others.iter().any(|name| COMPUTE.contains(&&**name) || WAIT.contains(&&**name)),
            "{others:?}"
        );
    }

    #[test]
    fn programs_are_told_from_libraries() {
        let target = |name: &str, kind: &str| serde_json::json!({"name": name, "kind": [kind]});
        let packages = serde_json::json!({"packages": [
            {"targets": [target("a", "lib"), target("b", "test")]}, {"targets": [target("b", "test"), target("c", "test")]},
        ]});
        assert_eq!(programs(&packages).into_iter().collect::<Vec<_>>(), ["b", "c"]);
    }

    #[cfg(unix)]
    #[test]
    fn both_run_and_either_may_fail() {
        let shell = |text: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", text]);
            command
        };
        let mut seen = Vec::new();
        let mut both = |first: &str, second: &str| {
            at_once(&mut shell(first), &mut shell(second), |line| seen.push(line.to_owned()))
        };
        both("echo one", "echo two").expect("both went well");
        assert!(both("exit 1", "echo three").is_err());
        assert!(both("echo four", "exit 1").is_err());
        assert_eq!(seen, ["one", "two", "three", "four"]);
    }
}
