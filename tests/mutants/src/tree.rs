//! A copy of the repository with all mistakes in it, and the test programs that are built of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::listed::Mutant;
use crate::say;
use crate::switches::{Switched, switched};

/// Where the switches are in the copy.
const SWITCH: &str = "src/mutant.rs";
const ROOT: &str = "src/lib.rs";

/// The tests run some thousand times, and take a third of the time like this.
const OPTIMIZED: &str = "\n[profile.dev.package.shopsync]\nopt-level = 1\n";

pub(crate) struct Tree {
    folder: PathBuf,
    /// Where cargo builds it.
    build: PathBuf,
    /// The product's own.
    files: BTreeMap<String, String>,
    switched: BTreeMap<String, Switched>,
    /// What everything that is built or run says, in a number.
    pub(crate) digest: u64,
}

/// The test programs.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    pub(crate) lib: PathBuf,
    pub(crate) simulation: PathBuf,
}

impl Tree {
    /// Copies what git knows, with what is not committed yet. A file that is the same as before is left alone, so that
    /// cargo does not build it again.
    pub(crate) fn copied(repository: &Path, folder: &Path, build: &Path) -> Result<Self> {
        let output = Command::new("git")
            .current_dir(repository)
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .output()
            .context("cannot start git")?;
        let listed = String::from_utf8(output.stdout).context("git's list")?;
        let mut tree = Self {
            folder: folder.to_owned(),
            build: build.to_owned(),
            files: BTreeMap::new(),
            switched: BTreeMap::new(),
            digest: 0,
        };
        let mut digest = DefaultHasher::new();
        let mut paths = BTreeSet::from([SWITCH]);
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            let Ok(bytes) = fs::read(repository.join(path)) else { continue };
            paths.insert(path);
            if ["src/", "tests/", "Cargo."].iter().any(|start| path.starts_with(start)) {
                (path, &bytes).hash(&mut digest);
            }
            match String::from_utf8(bytes) {
                Ok(text) if path == "Cargo.toml" || path.starts_with("src/") => {
                    tree.files.insert(path.to_owned(), text);
                }
                Ok(text) => write(&folder.join(path), text.as_bytes())?,
                Err(error) => write(&folder.join(path), error.as_bytes())?,
            }
        }
        tree.digest = digest.finish();
        remove_others(folder, folder, &paths)?;
        Ok(tree)
    }

    /// What each file of the product says, in a number: its mistakes are the same where it is the same.
    pub(crate) fn digests(&self) -> BTreeMap<String, u64> {
        let digest = |text: &String| {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            hasher.finish()
        };
        self.files.iter().map(|(path, text)| (path.clone(), digest(text))).collect()
    }

    /// Puts in all mistakes but those that are left out. Answers those for which there is no place.
    pub(crate) fn write(&mut self, mutants: &[Mutant], left_out: &BTreeSet<u32>) -> Result<Vec<u32>> {
        let mut of_files: BTreeMap<&str, Vec<(u32, &Mutant)>> = BTreeMap::new();
        for (id, mutant) in (0..).zip(mutants).filter(|(id, _)| !left_out.contains(id)) {
            of_files.entry(&mutant.file).or_default().push((id, mutant));
        }
        self.switched.clear();
        for (path, text) in &self.files {
            let text = match path.as_str() {
                // What the product forbids itself is no fault of a mistake.
                "Cargo.toml" => text.replace("[lints]\nworkspace = true\n", "") + OPTIMIZED,
                ROOT => format!("#![allow(warnings)]\n{text}\n#[doc(hidden)]\npub mod mutant;\n"),
                path => match of_files.get(path) {
                    Some(mutants) => {
                        let made = switched(text, mutants).with_context(|| path.to_owned())?;
                        let text = made.text.clone();
                        self.switched.insert(path.to_owned(), made);
                        text
                    }
                    None => text.clone(),
                },
            };
            write(&self.folder.join(path), text.as_bytes())?;
        }
        write(&self.folder.join(SWITCH), include_bytes!("switch.rs"))?;
        Ok(self.switched.values().flat_map(|made| made.nowhere.iter().copied()).collect())
    }

    /// Builds the test programs. Where something does not compile it is left out, and they are to be built again.
    pub(crate) fn built(
        &mut self,
        mutants: &[Mutant],
        left_out: &mut BTreeSet<u32>,
    ) -> Result<Option<Programs>> {
        left_out.extend(self.write(mutants, left_out)?);
        let mut programs = Programs::default();
        // All that does not compile is in the library: it is built by itself until it does.
        let wrong = match self.cargo(&["--lib"], &mut programs)? {
            Some(wrong) => wrong,
            None => match self.cargo(&["--lib", "--test", "simulation"], &mut programs)? {
                Some(wrong) => wrong,
                None => return Ok(Some(programs)),
            },
        };
        say(&format!("    {} more do not compile", wrong.len()));
        left_out.extend(wrong);
        Ok(None)
    }

    /// Runs cargo; answers the mistakes that it complains of, or nothing where all is well.
    fn cargo(&self, wanted: &[&str], programs: &mut Programs) -> Result<Option<BTreeSet<u32>>> {
        let mut child = Command::new("cargo")
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.build)
            .args(["test", "--no-run", "--package", "shopsync", "--message-format", "json"])
            .args(wanted)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start cargo")?;
        let mut wrong = BTreeSet::new();
        let mut unclear = Vec::new();
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines() {
                let Ok(said) = serde_json::from_str::<Value>(&line?) else { continue };
                if let Some(program) = said["executable"].as_str() {
                    // The product itself is built as well, for the tests that start it.
                    match said["target"]["kind"][0].as_str() {
                        Some("test") => programs.simulation = program.into(),
                        Some("lib") => programs.lib = program.into(),
                        _ => {}
                    }
                }
                let message = &said["message"];
                if message["level"] == "error" {
                    let ids = self.meant(message);
                    if ids.is_empty() {
                        unclear.extend(message["rendered"].as_str().map(str::to_owned));
                    }
                    wrong.extend(ids);
                }
            }
        }
        if child.wait()?.success() {
            return Ok(None);
        }
        if wrong.is_empty() {
            bail!("the copy in {} does not compile:\n{}", self.folder.display(), unclear.join("\n"));
        }
        Ok(Some(wrong))
    }

    /// The mistakes that a message means.
    fn meant(&self, message: &Value) -> Vec<u32> {
        let mut spans = Vec::new();
        spans_of(message, &mut spans);
        let mut ids = Vec::new();
        for (path, made) in &self.switched {
            let of = |points: bool| -> Vec<Range<usize>> {
                let here = spans.iter().filter(|span| span.path == *path && (span.points || !points));
                here.map(|span| span.range.clone()).collect()
            };
            ids.extend(made.meant(&of(true), &of(false)));
        }
        ids
    }
}

struct Shown {
    path: String,
    range: Range<usize>,
    /// Whether the compiler says that the fault is here.
    points: bool,
}

/// All that a message shows: what a macro was made of, and its notes, as well.
fn spans_of(message: &Value, all: &mut Vec<Shown>) {
    let is_note = message["code"].is_null() && message["level"] != "error";
    for span in message["spans"].as_array().into_iter().flatten() {
        let mut span = span;
        while span.is_object() {
            let offset =
                |name: &str| span[name].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
            all.push(Shown {
                path: span["file_name"].as_str().unwrap_or_default().replace('\\', "/"),
                range: offset("byte_start")..offset("byte_end"),
                points: !is_note && span["is_primary"] == true,
            });
            span = &span["expansion"]["span"];
        }
    }
    for child in message["children"].as_array().into_iter().flatten() {
        spans_of(child, all);
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|before| before == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes).with_context(|| path.display().to_string())
}

/// Removes what is no longer in the repository; the copy's own `target` is none of it.
fn remove_others(root: &Path, folder: &Path, paths: &BTreeSet<&str>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let inner = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            remove_others(root, &path, paths)?;
        } else if !paths.contains(inner.as_str()) && inner != "Cargo.lock" {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
