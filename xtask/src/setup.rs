//! Installs what building, the demo and the tests need. Fast, and without a network, when nothing is missing.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::python;
use crate::steps::{output_of, run as run_program, say};

/// What the set-up is for: the demo asks for less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    Demo,
    Tests,
}

/// The programs and folders that the product and its tests are told about.
#[derive(Debug)]
pub(crate) struct Tools {
    pocketbase: PathBuf,
    python: PathBuf,
    python_packages: PathBuf,
    binaries: PathBuf,
}

impl Tools {
    /// The environment under which the demo and the tests find everything.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 4] {
        [
            ("SHOPSYNC_POCKETBASE", self.pocketbase.clone()),
            ("SHOPSYNC_SANDBOX", self.program("raintek-sandbox")),
            ("SHOPSYNC_TEST_PYTHON", self.python.clone()),
            ("SHOPSYNC_TEST_PYTHONPATH", self.python_packages.clone()),
        ]
    }

    /// Where cargo puts a program of this workspace.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.binaries.join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// The same tools, with the programs of the release profile.
    pub(crate) fn with_release(mut self) -> Self {
        self.binaries.set_file_name("release");
        self
    }
}

/// Debian's packages, and whether the demo needs them too. Add here what a new test needs.
const DEBIAN_PACKAGES: [(&str, For); 16] = [
    ("pkg-config", For::Demo),
    ("libssl-dev", For::Demo),
    ("libgtk-3-dev", For::Demo),
    ("libwebkit2gtk-4.1-dev", For::Demo),
    ("libayatana-appindicator3-1", For::Demo),
    // A screen, a session bus and who asks it, a panel with a tray, toasts, and what looks and clicks.
    ("xvfb", For::Tests),
    ("dbus", For::Tests),
    ("xfce4-panel", For::Tests),
    ("openbox", For::Tests),
    ("dunst", For::Tests),
    ("imagemagick", For::Tests),
    ("xdotool", For::Tests),
    ("freetds-bin", For::Tests),
    ("chromium", For::Tests),
    ("fonts-dejavu", For::Tests),
    ("fonts-lohit-deva", For::Tests),
];

/// Installs what is missing.
pub(crate) fn run(purpose: For) -> Result<Tools> {
    let binaries = binaries_folder()?;
    let folder = binaries.parent().context("cargo's target folder has no parent")?.join("tools");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    // Two runs at once take turns; the lock goes with the file at the end of this function.
    let turn = File::create(folder.join("lock"))?;
    turn.lock()?;

    let python = python::find();
    system_packages(purpose, python.is_ok())?;
    let python = python.or_else(|_| python::find())?;
    let installed = python::install(&python, &folder)?;
    let pocketbase = match env::var_os("SHOPSYNC_POCKETBASE") {
        Some(own) => own_pocketbase(Path::new(&own))?,
        None => installed.pocketbase,
    };
    Ok(Tools { pocketbase, python, python_packages: installed.packages, binaries })
}

/// The repository's folder.
pub(crate) fn repository() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

fn own_pocketbase(program: &Path) -> Result<PathBuf> {
    if !program.is_file() {
        bail!("SHOPSYNC_POCKETBASE names {}, and there is no such program", program.display());
    }
    Ok(program.to_owned())
}

/// The folder this very program lies in, which is where cargo puts the others of its profile.
fn binaries_folder() -> Result<PathBuf> {
    let program = env::current_exe().context("cannot tell where xtask itself lies")?;
    Ok(program.parent().context("xtask lies in no folder")?.to_owned())
}

fn system_packages(purpose: For, pip: bool) -> Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    let mut wanted = wanted_packages(purpose);
    if !pip {
        wanted.push("python3-pip");
    }
    if known_packages().is_none() {
        say(
            "This is no Debian: the headers of OpenSSL, GTK 3 and WebKitGTK 4.1, pkg-config, AppIndicator and what the \
             tests use (FreeTDS, Chromium, fonts, Xvfb, a panel) are taken as being there.",
        );
        return Ok(());
    }
    install_debian(&wanted)
}

fn known_packages() -> Option<String> {
    output_of(Command::new("dpkg-query").args(["-W", "-f=${Package} ${Status}\n"]))
}

/// Whether these packages are there, or this user may install them.
pub(crate) fn can_install(wanted: &[&str]) -> bool {
    let is_root = || output_of(Command::new("id").arg("-u")).as_deref() == Some("0");
    known_packages().is_some_and(|known| missing_packages(wanted, &known).is_empty() || is_root())
}

/// Installs those of Debian's packages that are missing; elsewhere they are taken as being there.
pub(crate) fn install_debian(wanted: &[&str]) -> Result<()> {
    let Some(known) = known_packages() else { return Ok(()) };
    let missing = missing_packages(wanted, &known);
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y --no-install-recommends {}", missing.join(" "));
    if output_of(Command::new("id").arg("-u")).as_deref() != Some("0") {
        bail!("Debian packages are missing. Run this once, then try again: sudo {line}");
    }
    say(&format!("    installing {}", missing.join(" ")));
    apt_get(&["-qq", "update"])?;
    let mut arguments = vec!["-qq", "install", "-y", "--no-install-recommends"];
    arguments.extend(missing);
    apt_get(&arguments)
}

fn wanted_packages(purpose: For) -> Vec<&'static str> {
    let needed = |need: For| need == For::Demo || purpose == For::Tests;
    DEBIAN_PACKAGES.iter().filter(|(_, need)| needed(*need)).map(|(name, _)| *name).collect()
}

fn missing_packages<'a>(wanted: &[&'a str], known: &str) -> Vec<&'a str> {
    let installed = |name: &str| known.lines().any(|line| line == format!("{name} install ok installed"));
    wanted.iter().copied().filter(|name| !installed(name)).collect()
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    run_program(Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_does_not_pull_in_a_browser() {
        assert!(!wanted_packages(For::Demo).contains(&"chromium"));
        assert!(wanted_packages(For::Demo).contains(&"libssl-dev"));
        assert!(wanted_packages(For::Tests).contains(&"libssl-dev"));
        assert!(wanted_packages(For::Tests).contains(&"chromium"));
    }

    #[test]
    fn a_removed_package_and_one_with_a_longer_name_count_as_missing() {
        let known = "chromium deinstall ok config-files\npkg-config install ok installed\n\
                     libssl-dev-doc install ok installed\n";
        assert_eq!(
            missing_packages(&["chromium", "pkg-config", "libssl-dev"], known),
            ["chromium", "libssl-dev"]
        );
    }
}
