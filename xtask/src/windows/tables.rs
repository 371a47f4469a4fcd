//! The installer's tables against `wix/tables.txt`: what it will do on a PC, line by line.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::setup::repository;
use crate::steps::{output_of, say};

/// Those that decide what happens; the others follow from the files.
const TABLES: [&str; 18] = [
    "Property",
    "Directory",
    "Feature",
    "FeatureComponents",
    "Component",
    "File",
    "Registry",
    "RegLocator",
    "AppSearch",
    "Shortcut",
    "ServiceInstall",
    "ServiceControl",
    "CustomAction",
    "InstallExecuteSequence",
    "InstallUISequence",
    "LaunchCondition",
    "Upgrade",
    "RemoveFile",
];
/// Set, and the committed text is written anew.
const REFRESH: &str = "SHOPSYNC_REFRESH_GOLDEN";

/// All of them as text.
pub(super) fn of(msi: &Path) -> Result<String> {
    let mut text = String::new();
    let there =
        output_of(Command::new("msiinfo").arg("tables").arg(msi)).context("msiinfo reads no tables")?;
    for table in TABLES {
        text.push_str(&format!("[{table}]\n"));
        if !there.lines().any(|line| line == table) {
            continue;
        }
        let table_text = output_of(Command::new("msiinfo").arg("export").arg(msi).arg(table));
        let table_text = table_text.with_context(|| format!("msiinfo reads no {table}"))?;
        // Three lines of head: names, types, keys.
        let mut rows: Vec<&str> = table_text.lines().skip(3).collect();
        if table != "InstallExecuteSequence" && table != "InstallUISequence" {
            rows.sort_unstable();
        }
        for row in rows {
            text.push_str(row.trim_end_matches('\r'));
            text.push('\n');
        }
    }
    Ok(text)
}

/// Fails where they are not what is committed.
pub(super) fn compare(msi: &Path) -> Result<()> {
    if cfg!(windows) {
        say("    skipped: msiinfo reads the tables on Debian");
        return Ok(());
    }
    let path = repository().join("wix/tables.txt");
    let found = settled(&of(msi)?, super::version());
    if env::var_os(REFRESH).is_some() {
        fs::write(&path, &found)?;
        return Ok(());
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let differences = differences(&expected, &found);
    if !differences.is_empty() {
        bail!(
            "the installer's tables are not those of wix/tables.txt ({REFRESH}=1 writes them anew):\n{}",
            differences.join("\n")
        );
    }
    say(&format!("    {} lines as committed", found.lines().count()));
    Ok(())
}

/// Without what changes with each build: versions, sizes, the product's code.
fn settled(text: &str, version: &str) -> String {
    let mut settled = String::new();
    let mut table = "";
    for line in text.lines() {
        if line.starts_with('[') {
            table = line;
        }
        let mut cells: Vec<String> = line.split('\t').map(|cell| cell.replace(version, "x.y.z")).collect();
        if table == "[File]"
            && let Some(size) = cells.get_mut(3)
        {
            "size".clone_into(size);
        }
        let is_code = table == "[Property]" && cells.first().is_some_and(|name| name == "ProductCode");
        if is_code && let Some(code) = cells.get_mut(1) {
            "code".clone_into(code);
        }
        settled.push_str(&cells.join("\t"));
        settled.push('\n');
    }
    settled
}

fn differences(expected: &str, found: &str) -> Vec<String> {
    let (expected, found): (Vec<_>, Vec<_>) = (expected.lines().collect(), found.lines().collect());
    let gone = expected.iter().filter(|line| !found.contains(line)).map(|line| format!("- {line}"));
    let come = found.iter().filter(|line| !expected.contains(line)).map(|line| format!("+ {line}"));
    let mut all: Vec<String> = gone.chain(come).collect();
    if all.is_empty() && expected != found {
        all.push("the same lines in another order".to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_build_changes_is_no_difference_and_everything_else_is() {
        let text = |version: &str, size: &str, rule: &str| {
            format!(
                "[Property]\nProductCode\t{{{size}}}\nProductVersion\t{version}\n[File]\nx\tC\tx.exe\t{size}\t\t1\n\
                 [CustomAction]\nArrange\t{rule}\n"
            )
        };
        let one = settled(&text("1.2.3", "10", "3090"), "1.2.3");
        assert_eq!(one, settled(&text("1.3.0", "11", "3090"), "1.3.0"));
        let other = settled(&text("1.2.3", "10", "18"), "1.2.3");
        assert_eq!(differences(&one, &other), ["- Arrange\t3090", "+ Arrange\t18"]);
        assert_eq!(differences("a\nb\n", "b\na\n").len(), 1);
        assert!(differences(&one, &one).is_empty());
    }
}
