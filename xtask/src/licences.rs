//! `cargo xtask licences`: writes down every library that is part of the program, with its licence.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::checks::cargo;
use crate::setup::repository;
use crate::steps::{output_of, say};

/// Writes the list anew.
pub(crate) fn run() -> Result<()> {
    let list = list()?;
    fs::write(file(), &list).with_context(|| file().display().to_string())?;
    say(&format!("{} libraries", list.lines().count()));
    Ok(())
}

fn file() -> PathBuf {
    repository().join("assets/licences.tsv")
}

/// Name, version and licence of everything the program is linked with, on any system.
fn list() -> Result<String> {
    let metadata = output_of(&mut cargo(&["metadata", "--format-version", "1", "--locked"]))
        .context("cargo metadata does not answer")?;
    text_of(&serde_json::from_str(&metadata)?)
}

fn text_of(metadata: &Value) -> Result<String> {
    let mut lines = Vec::new();
    for package in linked(metadata)? {
        let (name, version) = (text(package, "name")?, text(package, "version")?);
        let Some(licence) = package["license"].as_str() else { bail!("{name} names no licence") };
        lines.push(format!("{name}\t{version}\t{licence}\n"));
    }
    lines.sort();
    Ok(lines.concat())
}

/// The packages that the program is linked with, of what `cargo metadata` says.
pub(crate) fn linked(metadata: &Value) -> Result<Vec<&Value>> {
    let mut packages = BTreeMap::new();
    for package in array(metadata, "packages")? {
        packages.insert(text(package, "id")?, package);
    }
    let root =
        packages.iter().find(|(_, package)| package["name"] == "shopsync" && package["source"].is_null());
    let root = *root.context("shopsync is none of the packages")?.0;
    let mut nodes = BTreeMap::new();
    for node in array(&metadata["resolve"], "nodes")? {
        nodes.insert(text(node, "id")?, node);
    }
    let (mut linked, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        let node = nodes.get(id).with_context(|| format!("{id} is not resolved"))?;
        for dependency in array(node, "deps")? {
            // Kinds with a name are for tests and for building.
            let normal = array(dependency, "dep_kinds")?.iter().any(|kind| kind["kind"].is_null());
            let next = text(dependency, "pkg")?;
            if normal && linked.insert(next) {
                open.push(next);
            }
        }
    }
    let package = |id| packages.get(id).copied().with_context(|| format!("{id} is no package"));
    linked.into_iter().map(package).collect()
}

fn array<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    value[name].as_array().with_context(|| format!("cargo metadata has no {name}"))
}

/// A text of `cargo metadata`'s.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().with_context(|| format!("cargo metadata has no {name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_in_the_program_is_the_one_of_the_lock() {
        let written = fs::read_to_string(file()).unwrap();
        assert!(written == list().unwrap(), "`cargo xtask licences` writes assets/licences.tsv anew");
    }

    #[test]
    fn what_only_builds_or_tests_is_not_part_of_the_program() {
        let package = |name: &str, source: Value| json!({"id": name, "name": name, "version": "1", "license": "MIT", "source": source});
        let dependency = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("shopsync", Value::Null), package("a", json!("registry")), package("b", json!("registry")), package("t", json!("registry"))],
            "resolve": {"nodes": [
                {"id": "shopsync", "deps": [dependency("a", Value::Null), dependency("t", json!("dev"))]},
                {"id": "a", "deps": [dependency("b", Value::Null), dependency("t", json!("build"))]},
                {"id": "b", "deps": []},
                {"id": "t", "deps": []},
            ]},
        });
        assert_eq!(text_of(&metadata).unwrap(), "a\t1\tMIT\nb\t1\tMIT\n");
    }
}
