//! The table: printed, and written as Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One line of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) measured: String,
    /// What it is measured against.
    pub(crate) limit: String,
    pub(crate) ratio: String,
    pub(crate) target: String,
    /// `None` where there is no target.
    pub(crate) reached: Option<bool>,
    pub(crate) note: String,
}

impl Row {
    /// A ratio that must not be larger than `most`.
    pub(crate) fn at_most(what: &str, measured: String, limit: String, ratio: f64, most: f64) -> Self {
        Self {
            what: what.into(),
            measured,
            limit,
            ratio: format!("{ratio:.2} x"),
            target: format!("<= {most} x"),
            reached: Some(ratio <= most),
            note: String::new(),
        }
    }

    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Section {
    at: String,
    commit: String,
    rows: Vec<Row>,
}

/// What was measured, now and before.
#[derive(Debug)]
pub(crate) struct Report {
    kept: BTreeMap<String, Section>,
    place: Option<PathBuf>,
    commit: String,
}

/// The order in which sections are shown.
const ORDER: [&str; 9] =
    ["push", "catch-up", "products", "leaks", "start", "desktop", "size", "invoices", "catalogue"];

impl Report {
    pub(crate) fn open(place: Option<&Path>, commit: &str) -> Self {
        let text = place.and_then(|place| std::fs::read_to_string(place).ok()).unwrap_or_default();
        let kept = serde_json::from_str(&text).unwrap_or_default();
        Self { kept, place: place.map(Path::to_owned), commit: commit.to_owned() }
    }

    /// A section was measured.
    pub(crate) fn keep(&mut self, name: &str, rows: Vec<Row>) {
        for row in &rows {
            eprintln!("{}", line(row));
        }
        let section = Section { at: now(), commit: self.commit.clone(), rows };
        self.kept.insert(name.to_owned(), section);
        if let Some(place) = &self.place {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, serde_json::to_string_pretty(&self.kept).unwrap()).unwrap();
        }
    }

    /// Prints all of it, and writes it where that is asked for.
    #[expect(clippy::print_stdout, reason = "this is what the program is for")]
    pub(crate) fn end(&self, table: Option<&Path>) {
        let text = self.markdown();
        println!("{text}");
        if let Some(table) = table {
            std::fs::write(table, text).unwrap();
        }
    }

    fn markdown(&self) -> String {
        let mut text = String::from(HEAD);
        let _ = write!(text, "\nMachine: {}.\n\n", machine());
        text.push_str("| what | measured | the limit | ratio | to reach | reached | measured on |\n");
        text.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
        let mut notes = String::new();
        let sections = ORDER.iter().filter_map(|name| self.kept.get(*name));
        for section in sections {
            for row in &section.rows {
                let _ = writeln!(text, "{} {}, {} |", line(row), section.at, section.commit);
                if !row.note.is_empty() {
                    let _ = writeln!(notes, "- **{}**: {}", row.what, row.note);
                }
            }
        }
        let _ = write!(text, "\n## Notes\n{notes}");
        text
    }
}

const HEAD: &str = "# Benchmarks
Written by `cargo xtask bench` (`--quick` for a short form, `--only NAME` for one part, `--hour` to idle for an hour). The
real program, release build, real PocketBase; RainTek's server is this repository's sandbox over SQLite, so absolute times
are not those of SQL Server. What counts are the ratios: measured and limit belong to the same run, pair by pair, and the
median of the pairs' ratios stands here. The limit of a push is what its own statements, written down by the server word by
word, cost a bare tiberius client on a copy of the same database.
";

fn line(row: &Row) -> String {
    let reached = match row.reached {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "-",
    };
    format!(
        "| {} | {} | {} | {} | {} | {reached} |",
        row.what, row.measured, row.limit, row.ratio, row.target
    )
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of = |name: &str| -> Vec<String> {
        let lines = cpus.lines().filter(|line| line.starts_with(name));
        lines.filter_map(|line| Some(line.split_once(':')?.1.trim().to_owned())).collect()
    };
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory =
        memory.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok()).unwrap_or_default();
    format!(
        "{} x {}, {} GiB, {}",
        of("processor").len(),
        of("model name").first().map_or("an unknown processor", String::as_str),
        memory >> 20,
        std::env::consts::OS
    )
}

#[expect(clippy::disallowed_methods, reason = "the day on which it was measured")]
fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%d %H:%M UTC").to_string()
}
