//! A few weeks, and the scripted days, in their very words, as somebody last looked at them: what the engine asks for,
//! stores, shows and says, and when.
//!
//! The checks of a week say what must never be; what a person sees in between (a number on the page, a message that
//! comes later, a look that comes twice) is only seen to change here. A change that is meant is written down anew
//! with `SHOPSYNC_REFRESH_TOLD=1`, and its difference is read as any other.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use shopsync::model::status::Snapshot;

use crate::entropy::IS_FIXED;
use crate::many::in_parallel;
use crate::run::run_as_before;
use crate::{chance, days};

/// Between them they have everything that a week can have.
const WEEKS: [u64; 7] = [25, 40, 85, 122, 148, 150, 158];
/// Lines around the first that differs.
const AROUND: usize = 6;
/// Why a week that is told otherwise ends. It is looked at after so many lines.
pub(crate) const OTHERWISE: &str = "it is told otherwise";
pub(crate) const LOOKS_EVERY: usize = 200;
/// What is another at each look, and the journal, whose lines are told by themselves.
const NOT_SHOWN: [&str; 4] = ["at", "heartbeat", "activity", "version"];

#[test]
fn a_few_weeks_tell_what_they_told() {
    if !IS_FIXED {
        return;
    }
    let refreshes = std::env::var_os("SHOPSYNC_REFRESH_TOLD").is_some();
    let weeks = WEEKS.iter().map(|seed| (seed.to_string(), chance::story(*seed)));
    let days = days::all().into_iter().map(|(name, day)| (name.to_owned(), day));
    // One alone, for whoever looks what it sees.
    let only = std::env::var("SHOPSYNC_TOLD").ok();
    let stories = weeks.chain(days).filter(|(name, _)| only.as_ref().is_none_or(|only| only == name));
    let differs = in_parallel(stories.collect(), |(name, story)| {
        let file =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/simulation/told/{name}.txt"));
        let before = if refreshes { String::new() } else { fs::read_to_string(&file).expect("it is there") };
        let outcome = run_as_before(&story, None, true, before.lines().map(str::to_owned).collect());
        assert!(
            outcome.failure.as_deref().is_none_or(|why| why == OTHERWISE),
            "{name}: {:?}",
            outcome.failure
        );
        let told = shortened(&outcome.told);
        if refreshes {
            fs::write(&file, told.join("\n") + "\n").expect("it is written");
            return None;
        }
        let before: Vec<&str> = before.lines().collect();
        difference(&before, &told).map(|difference| format!("{name}, in {}:\n{difference}", file.display()))
    });
    let differs: Vec<String> = differs.into_iter().flatten().collect();
    assert!(
        differs.is_empty(),
        "{}\nWhat is meant is written down with `SHOPSYNC_REFRESH_TOLD=1 cargo test -p shopsync --test simulation told`.",
        differs.join("\n")
    );
}

/// Where they part, with some lines before and behind.
fn difference(before: &[&str], now: &[String]) -> Option<String> {
    let at = (0..before.len().max(now.len()))
        .find(|at| before.get(*at).copied() != now.get(*at).map(String::as_str))?;
    let mut lines: Vec<String> =
        before[at.saturating_sub(AROUND)..at].iter().map(|line| format!("  {line}")).collect();
    lines.extend(before.iter().skip(at).take(AROUND).map(|line| format!("- {line}")));
    lines.extend(now.iter().skip(at).take(AROUND).map(|line| format!("+ {line}")));
    Some(lines.join("\n"))
}

/// Whether what is told so far begins otherwise than what was told before, if anything was.
pub(crate) fn is_otherwise(before: &[String], told: &[String]) -> bool {
    let now = shortened(told);
    // The last may still be left out.
    let so_far = now.get(..now.len().saturating_sub(AROUND)).unwrap_or_default();
    !before.is_empty() && !before.starts_with(so_far)
}

/// Each in a line of its own; the same words again and again only the first and the last time.
fn shortened(told: &[String]) -> Vec<String> {
    const STAMP: usize = "    0.000 23 Nov 09:30:00 ".len();
    let lines: Vec<String> = told.iter().map(|line| line.trim_end().replace('\n', " | ")).collect();
    let words = |at: usize| lines.get(at).and_then(|line| line.get(STAMP..));
    let is_between = |at: usize| at > 0 && words(at - 1) == words(at) && words(at) == words(at + 1);
    lines.iter().enumerate().filter(|(at, _)| !is_between(*at)).map(|(_, line)| line.clone()).collect()
}

/// What was shown last.
#[derive(Default)]
pub(crate) struct Shown(BTreeMap<String, String>);

impl Shown {
    /// What is shown otherwise now, in one line; nothing where all is as it was.
    pub(crate) fn changes(&mut self, snapshot: &Snapshot) -> Vec<String> {
        let mut now = BTreeMap::new();
        if let Ok(Value::Object(fields)) = serde_json::to_value(snapshot) {
            for (name, value) in fields.iter().filter(|(name, _)| !NOT_SHOWN.contains(&name.as_str())) {
                flat(name, value, &mut now);
            }
        }
        let mut changes: Vec<String> = now
            .iter()
            .filter(|(name, value)| self.0.get(*name) != Some(value))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        changes
            .extend(self.0.keys().filter(|name| !now.contains_key(*name)).map(|name| format!("no {name}")));
        self.0 = now;
        if changes.is_empty() { Vec::new() } else { vec![changes.join("; ")] }
    }
}

fn flat(name: &str, value: &Value, all: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(inner, value)| flat(&format!("{name}.{inner}"), value, all));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| flat(&format!("{name}.{at}"), value, all));
        }
        // Drawn by lot.
        _ if name.ends_with(".latency_ms") => {}
        Value::Null => {}
        value => {
            all.insert(name.to_owned(), value.to_string());
        }
    }
}
