//! Builds the programs, and takes their symbols apart.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::checks::cargo;
use crate::setup::repository;
use crate::steps::{output_of, run as run_program};

const TARGET: &str = "x86_64-pc-windows-gnu";
const MINGW: &str = "x86_64-w64-mingw32-";
/// As small as it gets without losing panics: see `Cargo.toml`.
const PROFILE: &str = "dist";

/// The program does not start without it.
const LOADER: &str = "WebView2Loader.dll";

/// What was built.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// Everything for Windows.
    pub(crate) folder: PathBuf,
    /// What goes into the installer.
    pub(crate) files: PathBuf,
    /// RainTek's stand-in, for tests.
    pub(crate) sandbox: PathBuf,
    /// The program's unit tests.
    pub(crate) unit_tests: PathBuf,
}

impl Programs {
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            files: folder.join("files"),
            sandbox: folder.join("raintek-sandbox.exe"),
            unit_tests: folder.join("unit-tests.exe"),
        }
    }
}

/// Builds all, and lays beside them what else the installer holds.
pub(crate) fn build(folder: &Path) -> Result<Programs> {
    let programs = Programs::of(folder);
    fs::create_dir_all(&programs.files)?;
    let built = target_folder().join(PROFILE);
    run_program(cross(&["build", "--bins", "-p", "shopsync"], PROFILE)?.env("SOURCE_DATE_EPOCH", epoch()))?;
    part(&built, "shopsync", &programs.files, &folder.join("symbols"))?;
    copy(&loader(&built)?, &programs.files.join(LOADER))?;
    for (from, to) in [
        ("assets/icons/shopsync.ico", "shopsync.ico"),
        ("assets/icons/png/shopsync-48.png", "shopsync.png"),
        ("assets/windows/pocketbase-LICENSE.txt", "pocketbase-LICENSE.txt"),
        ("LICENSE-MIT", "LICENSE-MIT.txt"),
        ("LICENSE-APACHE", "LICENSE-APACHE.txt"),
    ] {
        copy(&repository().join(from), &programs.files.join(to))?;
    }
    Ok(programs)
}

/// Builds what only tests need: RainTek's stand-in and the program's unit tests. They want other features of the
/// libraries than the program, so that all is built once more: then as quickly as it goes.
pub(crate) fn build_for_tests(programs: &Programs) -> Result<()> {
    run_program(&mut cross(&["build", "--bins", "-p", "raintek-sandbox"], "dev")?)?;
    copy(&target_folder().join("debug/raintek-sandbox.exe"), &programs.sandbox)?;
    let mut command = cross(&["test", "--no-run", "--lib", "-p", "shopsync"], "dev")?;
    command.args(["--message-format", "json"]);
    let output = command.stderr(std::process::Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("the unit tests cannot be built: {}", output.status);
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let path = said.lines().rev().find_map(|line| {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        value.get("executable")?.as_str().map(PathBuf::from)
    });
    copy(&path.context("cargo names no test program")?, &programs.unit_tests)?;
    copy(&programs.files.join(LOADER), &programs.folder.join(LOADER))
}

/// Cargo for Windows. Nothing of the surrounding cargo's environment may reach it.
fn cross(arguments: &[&str], profile: &str) -> Result<Command> {
    if cfg!(windows) {
        let mut command = cargo(arguments);
        command.args(["--profile", profile, "--locked"]);
        return Ok(command);
    }
    let mut command = Command::new("/usr/bin/cargo");
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO") || text.starts_with("RUST") {
            command.env_remove(&name);
        }
    }
    let target = repository().join("target");
    command
        .current_dir(repository())
        .args(arguments)
        .args(["--profile", profile, "--locked", "--target", TARGET, "-Zbuild-std=std,panic_abort"])
        // Its registry is another cargo's: the two would undo each other's locks and caches.
        .env("CARGO_HOME", target.join("cargo-home"))
        .env("CARGO_TARGET_DIR", target.join("win"))
        .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", format!("{MINGW}gcc"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
    Ok(command)
}

fn target_folder() -> PathBuf {
    let target = repository().join("target");
    if cfg!(windows) { target } else { target.join("win").join(TARGET) }
}

/// A time for what holds one: that of the commit, so that the same sources make the same program.
fn epoch() -> String {
    let mut git = Command::new("git");
    git.current_dir(repository()).args(["log", "-1", "--format=%ct"]);
    output_of(&mut git).filter(|text| !text.is_empty()).unwrap_or_else(|| "1700000000".into())
}

/// The program without symbols, and its symbols for whoever looks into a crash.
fn part(built: &Path, name: &str, to: &Path, symbols: &Path) -> Result<()> {
    fs::create_dir_all(symbols)?;
    let program = built.join(format!("{name}.exe"));
    let target = to.join(format!("{name}.exe"));
    if cfg!(windows) {
        let _none = fs::copy(built.join(format!("{name}.pdb")), symbols.join(format!("{name}.pdb")));
        return copy(&program, &target);
    }
    let apart = symbols.join(format!("{name}.exe.debug"));
    let tool = |tool: &str| {
        let mut command = Command::new(format!("{MINGW}{tool}"));
        command.env("SOURCE_DATE_EPOCH", epoch());
        command
    };
    run_program(tool("objcopy").arg("--only-keep-debug").arg(&program).arg(&apart))?;
    run_program(tool("strip").arg("--strip-all").arg("-o").arg(&target).arg(&program))
}

/// WebView2's loader, as its own crate brings it.
fn loader(built: &Path) -> Result<PathBuf> {
    for entry in fs::read_dir(built.join("build"))? {
        let path = entry?.path().join("out/x64").join(LOADER);
        if path.is_file() {
            return Ok(path);
        }
    }
    bail!("webview2-com-sys left no {LOADER} in {}", built.display())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("{} to {}", from.display(), to.display()))?;
    Ok(())
}
