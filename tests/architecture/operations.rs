//! docs/OPERATIONS.md knows every sentence about a whole side that a remote helper may be asked about.

use std::fs;
use std::path::Path;

/// Where errors of the sides and of the store become sentences.
const SOURCES: [&str; 5] = [
    "src/raintek/classify.rs",
    "src/billing/classify.rs",
    "src/billing/server.rs",
    "src/store/mod.rs",
    "src/platform/instance.rs",
];
/// The system's words, by which an error is known.
const NO_SENTENCES: [&str; 1] = ["Only one usage of each socket address"];
/// So much of a sentence tells it from the others.
const BEGINNING: usize = 30;

#[test]
fn every_sentence_of_an_outage_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).expect("the file is there");
    let manual = read("docs/OPERATIONS.md");
    let mut missing = Vec::new();
    let mut seen = 0;
    for source in SOURCES {
        let text = read(source);
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for sentence in sentences(code) {
            seen += 1;
            if NO_SENTENCES.contains(&sentence.as_str()) {
                continue;
            }
            let beginning: String = sentence.chars().take(BEGINNING).collect();
            if !manual.contains(beginning.trim()) {
                missing.push(format!("{source}: {sentence}"));
            }
        }
    }
    assert!(seen > 30, "sentences are no longer found: {seen}");
    assert!(missing.is_empty(), "docs/OPERATIONS.md does not explain:\n{}", missing.join("\n"));
}

/// Texts in quotes that read like a sentence, up to what is put into them.
fn sentences(code: &str) -> Vec<String> {
    let lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let quoted = lines.flat_map(|line| line.split('"').skip(1).step_by(2).collect::<Vec<_>>());
    quoted
        .map(|text| text.split('{').next().unwrap_or_default())
        .filter(|text| text.starts_with(char::is_uppercase) && text.split(' ').count() >= 4)
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_planted_sentence_is_found() {
    let code = "/// \"This is a comment and no sentence.\"\nlet a = (\"The app sends {x}.\", \"GET /x\", \"Ok now\");";
    assert_eq!(sentences(code), ["The app sends "]);
    assert_eq!(sentences("fault(\"One two three four five.\")"), ["One two three four five."]);
}
