//! `cargo xtask demo`: builds what the demonstration needs, then becomes `shopsync demo`.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::checks::cargo;
use crate::setup;
use crate::steps::{run as run_program, say};

/// Sets up, builds and hands over; the exit code is the demonstration's own.
pub(crate) fn run(arguments: Vec<OsString>) -> Result<ExitCode> {
    let (release, arguments) = split_release(arguments);
    let mut tools = setup::run(setup::For::Demo)?;
    let mut build = cargo(&["build", "--package", "shopsync", "--package", "raintek-sandbox", "--bins"]);
    if release {
        build.arg("--release");
        tools = tools.with_release();
    }
    say("Building ShopSync and the RainTek sandbox (the first time takes some minutes)");
    run_program(&mut build)?;

    let mut demo = Command::new(tools.program("shopsync"));
    demo.arg("demo").args(arguments).envs(tools.environment());
    hand_over(demo)
}

fn split_release(arguments: Vec<OsString>) -> (bool, Vec<OsString>) {
    let (release, rest): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|word| word == "--release");
    (!release.is_empty(), rest)
}

/// The demonstration takes this process's place, so that Ctrl-C and its exit code are its own.
#[cfg(unix)]
fn hand_over(mut demo: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    Err(anyhow::Error::new(demo.exec()).context(format!("cannot start {}", demo.get_program().display())))
}

#[cfg(not(unix))]
fn hand_over(mut demo: Command) -> Result<ExitCode> {
    let code = demo.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_is_ours_and_the_rest_is_the_demos() {
        let words = ["--headless", "--release", "--invoices", "5"].map(OsString::from).to_vec();
        let (release, rest) = split_release(words);
        assert!(release);
        assert_eq!(rest, ["--headless", "--invoices", "5"]);
    }
}
