//! `cargo xtask release X.Y.Z`: everything that a version is given away as, in `target/release-X.Y.Z`.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::python;
use crate::setup::repository;
use crate::steps::{Steps, output_of, run as run_program, say};
use crate::windows::{self, licences, sha256};
use crate::wine;

/// A certificate with its key (PFX), and the file with its password: without the first nothing is signed.
const CERTIFICATE: &str = "SHOPSYNC_SIGN_PFX";
const PASSWORD_FILE: &str = "SHOPSYNC_SIGN_PASSWORD_FILE";
/// Who says when it was signed; without it the signature ends with the certificate.
const TIMESTAMP: &str = "SHOPSYNC_SIGN_TIMESTAMP_URL";

/// Which version.
#[derive(Debug, Args)]
pub(crate) struct Release {
    /// As Cargo.toml and CHANGELOG.md name it
    version: String,
    /// Leave out the tests of the installed program
    #[arg(long)]
    untested: bool,
}

/// Checks, builds, signs where there is a certificate, and says what it did. It tags and publishes nothing.
pub(crate) fn run(asked: &Release) -> Result<ExitCode> {
    let mut steps = Steps::default();
    let mut said = Vec::new();
    let outcome = make(&mut steps, asked, &mut said);
    say(&steps.summary());
    for line in &said {
        say(line);
    }
    outcome?;
    Ok(ExitCode::SUCCESS)
}

fn make(steps: &mut Steps, asked: &Release, said: &mut Vec<String>) -> Result<()> {
    let version = &asked.version;
    steps.step("release: checks", || {
        let mut git = Command::new("git");
        git.current_dir(repository()).args(["status", "--porcelain"]);
        let changed = output_of(&mut git).context("git says nothing of this tree")?;
        let changelog = fs::read_to_string(repository().join("CHANGELOG.md"))?;
        let wrong = wrong_with(version, windows::version(), &changed, &changelog);
        if wrong.is_empty() { Ok(()) } else { bail!("{}", wrong.join("\n")) }
    })?;
    let signer = Signer::of_environment()?;
    let made =
        windows::make_signed(steps, |program| signer.as_ref().map_or(Ok(()), |signer| signer.sign(program)))?;
    if let Some(signer) = &signer {
        steps.step("release: sign", || signer.sign(&made.msi))?;
    }
    if asked.untested {
        said.push("The installed program was NOT tested (--untested).".into());
    } else {
        wine::test(steps, &made, |_| {})?;
        said.push("The installed program was tested under Wine.".into());
    }
    steps.step("release: files", || {
        let folder = repository().join(format!("target/release-{version}"));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let name = |ending: &str| folder.join(format!("ShopSync-{version}{ending}"));
        fs::copy(&made.msi, name(".msi"))?;
        zip(&made.programs.files, &name("-portable.zip"))?;
        zip(&made.programs.folder.join("symbols"), &name("-symbols.zip"))?;
        licences::write_parts(&name("-sbom.cdx.json"), version)?;
        fs::copy(
            made.programs.files.join("THIRD-PARTY-LICENSES.html"),
            folder.join("THIRD-PARTY-LICENSES.html"),
        )?;
        let sums = sums(&folder)?;
        fs::write(folder.join("SHA256SUMS"), &sums)?;
        said.push(format!("{}:\n{sums}", folder.display()));
        Ok(())
    })?;
    said.push(match &signer {
        Some(_) => "Signed: shopsync.exe and the installer.".into(),
        None => format!("NOT signed: {CERTIFICATE} names no certificate. Windows warns of the installer."),
    });
    said.push(format!("To do by hand: git tag v{version}, and publish these files."));
    Ok(())
}

/// What stands against releasing this version, one sentence each.
fn wrong_with(version: &str, built: &str, changed: &str, changelog: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let numbers: Vec<_> = version.split('.').map(str::parse::<u16>).collect();
    if numbers.len() != 3 || numbers.iter().any(Result::is_err) {
        wrong.push(format!("{version} is no version: it has three numbers, such as 1.2.0."));
    }
    if version != built {
        wrong.push(format!("Cargo.toml has version {built}, not {version}: change it there, and commit it."));
    }
    if !changed.is_empty() {
        wrong.push(format!("The tree has changes that are not committed:\n{changed}"));
    }
    let heading = format!("## {version}");
    let is_heading = |line: &str| line == heading || line.starts_with(&format!("{heading} "));
    if !changelog.lines().any(is_heading) {
        wrong.push(format!(
            "CHANGELOG.md has no heading \"{heading}\": what stood under Unreleased goes there."
        ));
    }
    wrong
}

/// A certificate, and the program of this system that signs with it.
#[derive(Debug)]
struct Signer {
    certificate: PathBuf,
    password_file: OsString,
}

impl Signer {
    fn of_environment() -> Result<Option<Self>> {
        let Some(certificate) = env::var_os(CERTIFICATE).map(PathBuf::from) else { return Ok(None) };
        if !certificate.is_file() {
            bail!("{CERTIFICATE} names {}, and there is no such file", certificate.display());
        }
        let password_file =
            env::var_os(PASSWORD_FILE).with_context(|| format!("{PASSWORD_FILE} is not set"))?;
        Ok(Some(Self { certificate, password_file }))
    }

    fn sign(&self, file: &Path) -> Result<()> {
        let time = env::var_os(TIMESTAMP);
        if cfg!(windows) {
            let password = fs::read_to_string(&self.password_file)?;
            let mut tool = Command::new("signtool.exe");
            tool.args(["sign", "/fd", "SHA256", "/f"]).arg(&self.certificate).args(["/p", password.trim()]);
            if let Some(url) = time {
                tool.args(["/td", "SHA256", "/tr"]).arg(url);
            }
            // Its own words alone: the command line holds the password.
            let status = tool.arg(file).status().context("cannot start signtool.exe")?;
            if !status.success() {
                bail!("signtool.exe did not sign {}: {status}", file.display());
            }
            return Ok(());
        }
        let mut signed = file.as_os_str().to_owned();
        signed.push(".signed");
        let signed = PathBuf::from(signed);
        let mut tool = Command::new("osslsigncode");
        tool.args(["sign", "-h", "sha256", "-n", "ShopSync", "-pkcs12"]).arg(&self.certificate);
        tool.arg("-readpass").arg(&self.password_file);
        if let Some(url) = time {
            tool.arg("-ts").arg(url);
        }
        run_program(tool.arg("-in").arg(file).arg("-out").arg(&signed))?;
        fs::rename(signed, file)?;
        Ok(())
    }
}

fn zip(folder: &Path, archive: &Path) -> Result<()> {
    let python = python::find()?;
    let mut command = Command::new(python);
    command.current_dir(folder).args(["-m", "zipfile", "-c"]).arg(archive);
    let mut names: Vec<_> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    names.sort();
    run_program(command.args(names))
}

/// As `sha256sum` writes them, so that `sha256sum --check SHA256SUMS` reads them.
fn sums(folder: &Path) -> Result<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        lines.push(format!("{}  {}\n", sha256(&entry.path())?, entry.file_name().display()));
    }
    lines.sort_by(|one, other| {
        one.split_once(' ').map(|(_, name)| name).cmp(&other.split_once(' ').map(|(_, name)| name))
    });
    Ok(lines.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_released_only_from_a_tree_that_says_so() {
        let changelog = "# Changelog\n\n## Unreleased\n\n## 1.2.0 (2026-11-25)\n- x\n";
        assert_eq!(wrong_with("1.2.0", "1.2.0", "", changelog), Vec::<String>::new());
        let all = wrong_with("1.2", "1.1.0", " M src/lib.rs", changelog).join(" ");
        for word in ["is no version", "Cargo.toml has version 1.1.0", "src/lib.rs", "no heading"] {
            assert!(all.contains(word), "{word}: {all}");
        }
        assert_eq!(wrong_with("1.2.1", "1.2.1", "", changelog).len(), 1);
        assert_eq!(wrong_with("1.2.0", "1.2.0", "", "## 1.2.01\n").len(), 1);
    }
}
