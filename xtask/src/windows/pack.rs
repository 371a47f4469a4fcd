//! Makes the installer of `wix/main.wxs`, the same whenever the same goes in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::build::Programs;
use crate::setup::repository;
use crate::steps::{run as run_program, say};

/// What wixl reads over, or has no word for. `wix/main.wxs` says all of it as well, for the WiX toolset.
const AFTERWARDS: [&str; 6] = [
    // MajorUpgrade/@Schedule: within the transaction, before anything else of it.
    "UPDATE `InstallExecuteSequence` SET `Sequence`=1501 WHERE `Action`='RemoveExistingProducts'",
    // MajorUpgrade/@AllowSameVersionUpgrades: another build of the same version takes its place, too.
    // (The attributes are part of that table's key: such a row cannot be changed, only replaced.)
    "DELETE FROM `Upgrade` WHERE `ActionProperty`='WIX_UPGRADE_DETECTED'",
    "INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMax`, `Attributes`, `ActionProperty`) \
     VALUES ('{5BA4F36C-9B2E-4F0F-9D6E-6C2F7B1F8D10}', '$(Version)', 513, 'WIX_UPGRADE_DETECTED')",
    // Component/Condition
    "UPDATE `Component` SET `Condition`='NOPOCKETBASE <> \"1\"' WHERE `Component`='PocketBase'",
    // Wixl marks these as not impersonated, which has a meaning for others only.
    "UPDATE `CustomAction` SET `Type`=51 WHERE `Type`=2099",
    // Property/@Secure: what is handed over reaches the part of the installer that has the rights.
    "UPDATE `Property` SET `Value`='WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;INSTALLDIR;DATADIR;BACKUPDIR;\
     NOPOCKETBASE;NOAUTOSTART' WHERE `Property`='SecureCustomProperties'",
];

/// Where the installer of a version lies.
pub(crate) fn msi_path(folder: &Path, version: &str) -> PathBuf {
    folder.join(format!("ShopSync-{version}.msi"))
}

/// Packs two times and compares: a difference would be something of this machine or this moment.
pub(crate) fn pack_twice(folder: &Path, programs: &Programs, version: &str) -> Result<PathBuf> {
    let msi = pack(programs, version, &msi_path(folder, version))?;
    if cfg!(windows) {
        return Ok(msi);
    }
    let again = pack(programs, version, &folder.join("again.msi"))?;
    let (one, other) = (contents(&msi)?, contents(&again)?);
    if one != other {
        bail!("two packings of the same files differ:\n{}\n{}", one.join("\n"), other.join("\n"));
    }
    fs::remove_file(again)?;
    say(&format!("    packed twice, the same {} files and tables", one.len()));
    Ok(msi)
}

/// Packs what lies in `programs.files`.
pub(crate) fn pack(programs: &Programs, version: &str, msi: &Path) -> Result<PathBuf> {
    if msi.exists() {
        fs::remove_file(msi)?;
    }
    let product = uuid("product", &[version, &digest(&programs.files)?]);
    let source = repository().join("wix/main.wxs");
    if cfg!(windows) {
        with_wix_toolset(programs, version, &product, &source, msi)?;
        return Ok(msi.to_owned());
    }
    let mut wixl = Command::new("wixl");
    wixl.args(["--arch", "x64", "-D", "Toolset=wixl"])
        .args(["-D", &format!("Version={version}"), "-D", &format!("ProductCode={product}")])
        // By a path from where it runs: an icon by a whole one it does not find.
        .args(["-D", &format!("Files={}", name_of(&programs.files))])
        .current_dir(&programs.folder)
        .arg("-o")
        .arg(std::path::absolute(msi)?)
        .arg(&source);
    // It warns of each attribute that it reads over, and those are put in below; a mistake aborts it.
    let done = wixl.stderr(Stdio::piped()).output().context("cannot start wixl")?;
    if !done.status.success() || !msi.is_file() {
        bail!("wixl: {}\n{}", done.status, String::from_utf8_lossy(&done.stderr));
    }
    let mut build = Command::new("msibuild");
    build.arg(msi);
    for query in AFTERWARDS {
        build.args(["-q", &query.replace("$(Version)", version)]);
    }
    let package = uuid("package", &[&product, &fs::read_to_string(&source)?]);
    build.args(["-s", &format!("ShopSync {version}"), "ShopSync", "x64;1033"]);
    build.arg(format!("{{{}}}", package.to_uppercase()));
    run_program(&mut build)?;
    Ok(msi.to_owned())
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// On Windows: candle and light of the WiX toolset, version 3, where they are in PATH or in its own folder.
fn with_wix_toolset(
    programs: &Programs,
    version: &str,
    product: &str,
    source: &Path,
    msi: &Path,
) -> Result<()> {
    let tool = |name: &str| match std::env::var_os("WIX") {
        Some(folder) => Command::new(Path::new(&folder).join("bin").join(name)),
        None => Command::new(name),
    };
    let object = programs.folder.join("main.wixobj");
    let mut candle = tool("candle.exe");
    candle.args(["-nologo", "-arch", "x64", "-dToolset=wix"]);
    candle.arg(format!("-dVersion={version}")).arg(format!("-dProductCode={product}"));
    candle.arg(format!("-dFiles={}", programs.files.display())).arg("-out").arg(&object).arg(source);
    run_program(&mut candle)
        .context("the WiX toolset 3 makes the installer on Windows: https://wixtoolset.org")?;
    run_program(tool("light.exe").args(["-nologo", "-sval", "-out"]).arg(msi).arg(&object))
}

/// Every file of the installer with its SHA-256, and every table.
pub(crate) fn contents(msi: &Path) -> Result<Vec<String>> {
    let folder = msi.with_extension("contents");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    run_program(Command::new("msiextract").arg("-C").arg(&folder).arg(msi).stdout(Stdio::null()))?;
    let mut found = Vec::new();
    walk(&folder, &mut |path| {
        found.push(format!("{} {}", path.strip_prefix(&folder)?.display(), sha256(path)?));
        Ok(())
    })?;
    fs::remove_dir_all(&folder)?;
    found.sort();
    if found.is_empty() {
        bail!("{} holds no files", msi.display());
    }
    found.push(super::tables::of(msi)?);
    Ok(found)
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path) -> Result<()>) -> Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() { walk(&path, each)? } else { each(&path)? }
    }
    Ok(())
}

/// One digest of all files of a folder and their names.
fn digest(folder: &Path) -> Result<String> {
    let mut whole = Sha256::new();
    walk(folder, &mut |path| {
        whole.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        whole.update(Sha256::digest(fs::read(path)?));
        Ok(())
    })?;
    Ok(hex(&whole.finalize()))
}

/// A name-based UUID: the same for the same words.
fn uuid(kind: &str, words: &[&str]) -> String {
    let mut hash = Sha256::new();
    for word in std::iter::once(&kind).chain(words) {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let mut digits: Vec<char> = hex(&hash.finalize()).chars().take(32).collect();
    // Version 8 (made by a rule of our own), variant 1.
    for (place, digit) in [(12, '8'), (16, 'a')] {
        if let Some(there) = digits.get_mut(place) {
            *there = digit;
        }
    }
    let mut text = String::new();
    for (place, digit) in digits.into_iter().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// A file's digest.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    Ok(hex(&Sha256::digest(fs::read(path).with_context(|| path.display().to_string())?)))
}

/// As everybody writes a digest.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_uuid_and_another_name_another() {
        let one = uuid("product", &["1.2.3", "abc"]);
        assert_eq!(one, uuid("product", &["1.2.3", "abc"]));
        assert_ne!(one, uuid("product", &["1.2.3a", "bc"]));
        assert_ne!(one, uuid("package", &["1.2.3", "abc"]));
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!((one.chars().nth(14), one.chars().nth(19)), (Some('8'), Some('a')));
    }

    #[test]
    fn a_folder_has_one_digest_until_a_file_or_a_name_changes() {
        let folder = std::env::temp_dir().join(format!("shopsync-digest-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a"), "1").unwrap();
        let first = digest(&folder).unwrap();
        assert_eq!(first, digest(&folder).unwrap());
        fs::write(folder.join("a"), "2").unwrap();
        let second = digest(&folder).unwrap();
        fs::rename(folder.join("a"), folder.join("b")).unwrap();
        let third = digest(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert!(first != second && second != third && first != third);
    }
}
