//! The Windows program under Wine: what the tests of `tests/windows` need, and running them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::checks::cargo;
use crate::setup;
use crate::steps::{Steps, run as run_program, run_seeing, say};
use crate::windows::{Made, build_for_tests, pack};

/// Debian's packages for it.
const DEBIAN_PACKAGES: [&str; 5] = ["wine", "wine64", "xvfb", "imagemagick", "xdotool"];
/// An older version, to be upgraded from.
const OLDER: &str = "0.0.1";
/// What Windows has and Debian's Wine has not. Only tests lay it down.
const MISSING: &str = "tests/windows/missing.c";

/// Installs and runs it. On Windows itself there is nothing of Wine's: said, and left.
/// Each line that the tests say goes to `see` as well.
pub(crate) fn test(steps: &mut Steps, made: &Made, mut see: impl FnMut(&str)) -> Result<()> {
    if !cfg!(target_os = "linux") {
        say("    skipped: these tests put Windows' programs on a PC of Wine's, on Debian");
        return Ok(());
    }
    steps.step("windows: setup tests", || setup::install_debian(&DEBIAN_PACKAGES))?;
    let tools = setup::run(setup::For::Tests)?;
    let folder = made.programs.folder.clone();
    let missing = steps.step("windows: older installer", || {
        pack(&made.programs, OLDER, &folder.join(format!("ShopSync-{OLDER}.msi")))?;
        missing(&folder)
    })?;
    steps.step("windows: build tests", || build_for_tests(&made.programs))?;
    steps.step("windows: installed", || {
        let mut command = cargo(&["test", "--package", "shopsync", "--test", "windows", "--"]);
        command.args(["--ignored", "--test-threads=1"]).envs(tools.environment());
        command
            .env("SHOPSYNC_MSI", &made.msi)
            .env("SHOPSYNC_MSI_OLDER", folder.join(format!("ShopSync-{OLDER}.msi")))
            .env("SHOPSYNC_SANDBOX_EXE", &made.programs.sandbox)
            .env("SHOPSYNC_UNIT_TESTS_EXE", &made.programs.unit_tests)
            .env("SHOPSYNC_MISSING_DLL", &missing);
        let mut ran = 0_u32;
        run_seeing(&mut command, |line| {
            ran += u32::from(line.ends_with("... ok"));
            see(line);
        })?;
        // A filter that finds nothing would be green as well.
        if ran == 0 {
            bail!("no test of the installed program ran");
        }
        Ok(())
    })
}

/// Whether `cargo xtask test` does all this, too: on Debian, where the tools are there or may be installed.
pub(crate) fn is_part_of_all_tests() -> bool {
    cfg!(target_os = "linux") && setup::can_install(&DEBIAN_PACKAGES)
}

fn missing(folder: &Path) -> Result<PathBuf> {
    let library = folder.join("bcryptprimitives.dll");
    let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
    compiler.args(["-shared", "-s", "-O2", "-Wall", "-Werror", "-o"]).arg(&library);
    run_program(compiler.arg(setup::repository().join(MISSING)).arg("-ladvapi32"))?;
    Ok(library)
}
