//! Each file of a target's corpus holds what the target's properties ask; what fuzzing once found is among them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::properties::TARGETS;

/// A corpus of fewer files than this was lost on its way.
const FEWEST: usize = 10;
/// The corpora are read by people, and travel with every clone.
const MOST: usize = 60;
const LARGEST: u64 = 8 * 1024;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[track_caller]
fn holds(target: &str) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    let folder = folder("corpus").join(target);
    let files = names(&folder);
    assert!((FEWEST..=MOST).contains(&files.len()), "{target}: {} files", files.len());
    let mut broken = Vec::new();
    for file in files {
        let data = fs::read(folder.join(&file)).unwrap();
        assert!(data.len() as u64 <= LARGEST, "{target}/{file} is too large");
        if std::panic::catch_unwind(|| check(&data)).is_err() {
            broken.push(file);
        }
    }
    assert!(broken.is_empty(), "{target}: a property does not hold for {broken:?}; what it is stands above");
}

#[test]
fn number() {
    holds("number");
}

#[test]
fn record() {
    holds("record");
}

#[test]
fn row() {
    holds("row");
}

#[test]
fn settings() {
    holds("settings");
}

#[test]
fn sse() {
    holds("sse");
}

#[test]
fn telegram() {
    holds("telegram");
}

/// A target that has no corpus, or a corpus whose target nobody runs, would be green for nothing.
#[test]
fn every_target_has_a_corpus_and_a_program() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&folder("corpus")), targets);
    let programs = names(&folder("targets"));
    assert_eq!(programs, targets.iter().map(|name| format!("{name}.rs")).collect());
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for target in targets {
        assert!(
            manifest.contains(&format!("name = \"{target}\"\npath = \"targets/{target}.rs\"")),
            "{target}"
        );
    }
}

/// A record that no longer parses as what it stands for would hold whatever is asked of it.
#[test]
fn the_corpora_reach_what_they_are_for() {
    use shopsync::model::invoice::InvoiceRead;
    let read = |target: &str, file: &str| fs::read(folder("corpus").join(target).join(file)).unwrap();
    let record = |file: &str| {
        let json: serde_json::Value = serde_json::from_slice(&read("record", file)).unwrap();
        let list = |name: &str| json[name].as_array().cloned().unwrap_or_default();
        shopsync::billing::fuzzing::invoice(&json["invoice"], list("lines"), list("payments"))
    };
    for file in ["plain", "noise", "bare", "split", "customer", "igst", "nul_texts", "trailing_spaces"] {
        let InvoiceRead::Found(invoice) = record(file) else { panic!("{file}: {:?}", record(file)) };
        assert!(crate::properties::shop::books(&invoice), "{file} becomes no bill");
    }
    for file in ["separators", "long_number", "odd_tax_mode", "dates", "counts"] {
        assert!(matches!(record(file), InvoiceRead::Broken(_)), "{file}: {:?}", record(file));
    }
}
