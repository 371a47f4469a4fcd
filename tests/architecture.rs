//! Who may know whom: reads every path in `src/` and fails on one that the rules below do not allow.
//!
//! Paths are read from tokens wherever they stand, so that a grouped or renamed import, a path that climbs
//! with `super` and a path inside a macro's arguments are all seen. Test modules keep to the same import
//! rules; only the ban on I/O and clocks does not hold for them, since they may read golden files.
#![allow(clippy::expect_used, reason = "a test may fail loudly")]

#[path = "architecture/operations.rs"]
mod operations;
#[path = "architecture/scan.rs"]
mod scan;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use scan::Scan;

// ---- The rules ----

/// What a top-level module may import from the others: whole modules, or one module of a module.
/// A module that does not stand here is refused: a new one gets its rule first.
fn may_import(module: &str) -> Option<Vec<&'static str>> {
    Some(match module {
        "lib" | "model" => vec![],
        "sync" | "ports" => vec!["model"],
        "engine" => vec!["sync", "ports", "model"],
        "supervisor" | "store" | "raintek" | "billing" | "alerts" | "platform" => vec!["ports", "model"],
        // Commands go into the engine, and its state comes out, through its handle alone.
        "web" | "shell" => vec!["ports", "model", "engine::handle"],
        "remote" => vec!["model"],
        "app" => BELOW_APP.to_vec(),
        "demo" => [BELOW_APP, &["app"]].concat(),
        "cli" => [BELOW_APP, &["app", "demo"]].concat(),
        "main" => [BELOW_APP, &["app", "demo", "cli"]].concat(),
        _ => return None,
    })
}

const BELOW_APP: &[&str] = &[
    "model",
    "sync",
    "ports",
    "engine",
    "supervisor",
    "store",
    "raintek",
    "billing",
    "alerts",
    "platform",
    "web",
    "shell",
    "remote",
];

/// Libraries that stay within their adapter. The demo plays a phone, and a phone speaks HTTP.
const HOMES: [(&str, &[&str]); 9] = [
    ("tiberius", &["raintek"]),
    ("reqwest", &["billing", "alerts", "remote", "demo"]),
    ("rusqlite", &["store"]),
    ("tao", &["shell"]),
    ("wry", &["shell"]),
    ("tray_icon", &["shell"]),
    ("gtk", &["shell"]),
    ("notify_rust", &["alerts"]),
    ("auto_launch", &["platform"]),
];

/// Decisions only: whatever these need from the world, they are given.
const PURE: [&str; 2] = ["model", "sync"];

/// What a pure module must not reach for: I/O, the clock, chance.
const IMPURE: [&str; 15] = [
    "tokio",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::env",
    "std::time::Instant",
    "std::time::SystemTime",
    "chrono::Utc::now",
    "chrono::Local",
    "getrandom",
    "rand::rng",
    "rand::random",
    "rand::thread_rng",
];

const LONGEST_FILE: usize = 500;
const LONGEST_MAIN: usize = 80;

// ---- The checks on the real sources ----

#[test]
fn nobody_imports_what_they_may_not_know() {
    let files = rust_files("src");
    assert!(files.contains_key("src/lib.rs"), "the sources were not found");
    let wrong = wrong_paths(&files);
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn files_stay_short_enough_to_be_read() {
    let wrong: Vec<_> =
        ["src", "tests", "xtask"].iter().flat_map(|folder| too_long(&rust_files(folder))).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

// ---- The checks on planted sources ----

#[test]
fn a_planted_wrong_import_is_found() {
    let planted = [
        // One for each rule of the table.
        ("src/model/money.rs", "use crate::sync::plan;", "`model` may not import `crate::sync::plan`"),
        ("src/sync/plan.rs", "use crate::ports::Pos;", "`sync` may not import `crate::ports::Pos`"),
        ("src/ports.rs", "use crate::engine::Push;", "`ports` may not import"),
        ("src/engine/push.rs", "use crate::raintek::Client;", "`engine` may not import"),
        ("src/supervisor/mod.rs", "use crate::engine::push;", "`supervisor` may not import"),
        ("src/store/outbox.rs", "use crate::raintek::Row;", "`store` may not import"),
        ("src/raintek.rs", "use crate::sync::plan;", "`raintek` may not import"),
        ("src/billing/realtime.rs", "use crate::store::Cursor;", "`billing` may not import"),
        ("src/alerts/toast.rs", "use crate::platform::paths;", "`alerts` may not import"),
        ("src/platform/mod.rs", "use crate::engine::handle;", "`platform` may not import"),
        ("src/remote.rs", "use crate::web::Access;", "`remote` may not import"),
        ("src/web/status.rs", "use crate::engine::push::Push;", "`web` may not import"),
        ("src/web/status.rs", "use crate::engine::*;", "`web` may not import `crate::engine::*`"),
        ("src/web/status.rs", "use crate::engine;", "`web` may not import `crate::engine`"),
        ("src/shell/tray.rs", "use crate::store::Journal;", "`shell` may not import"),
        ("src/app.rs", "use crate::cli::Arguments;", "`app` may not import"),
        ("src/engine/push.rs", "use crate::app::App;", "`engine` may not import `crate::app::App`"),
        ("src/demo/mod.rs", "use crate::cli;", "`demo` may not import `crate::cli`"),
        (
            "src/lib.rs",
            "pub mod store; pub use store::Outbox;",
            "`lib` may not import `crate::store::Outbox`",
        ),
        ("src/main.rs", "use shopsync::secret::Key;", "no rule for the module `secret`"),
        ("src/helpers/mod.rs", "", "no rule for the module `helpers`"),
        // Every way to write one.
        ("src/model/a.rs", "use crate::{model::b, store::{self, Row as R}};", "`crate::store`"),
        ("src/model/a.rs", "use crate::model::b;\nuse crate\n    ::store\n    ::Row;", "a.rs:2: "),
        ("src/model/a.rs", "use crate::*;", "`crate::*`"),
        ("src/model/a.rs", "use crate as root;", "`crate`"),
        ("src/model/a.rs", "use super::super::store::Row;", "`crate::store::Row`"),
        ("src/model/mod.rs", "mod inner { use super::super::store::Row; }", "`crate::store::Row`"),
        ("src/model/mod.rs", "use self::super::store::Row;", "`crate::store::Row`"),
        ("src/model/a.rs", "fn f() -> Vec<crate::store::Row> { vec![] }", "`crate::store::Row`"),
        ("src/model/a.rs", "fn f() { println!(\"{}\", crate::store::row()); }", "`crate::store::row`"),
        ("src/model/a.rs", "macro_rules! m { () => { $crate::store::row() } }", "`crate::store::row`"),
        ("src/model/a.rs", "#[serde(with = \"crate::store::date\")] struct A;", "`crate::store::date`"),
        ("src/model/a.rs", "#[cfg(test)] mod tests { use crate::store::Row; }", "`crate::store::Row`"),
        ("src/model/a.rs", "extern crate shopsync as me;", "`crate`"),
    ];
    assert_each_is_found(&planted);
}

#[test]
fn a_planted_library_outside_its_adapter_is_found() {
    let planted = [
        ("src/engine/push.rs", "use tiberius::Row;", "`tiberius::Row` stays within raintek"),
        ("src/billing/client.rs", "fn f(row: tiberius::Row) {}", "`tiberius::Row` stays within raintek"),
        ("src/web/mod.rs", "use reqwest as http;", "`reqwest` stays within billing, alerts, remote, demo"),
        ("src/app.rs", "use ::reqwest::Client;", "`reqwest::Client`"),
        ("src/app/desktop.rs", "use wry::WebView;", "`wry::WebView` stays within shell"),
        ("src/platform/desktop.rs", "fn f() { gtk::init(); }", "`gtk::init` stays within shell"),
        ("src/demo/till.rs", "extern crate rusqlite;", "`rusqlite` stays within store"),
        ("src/raintek/mod.rs", "#[cfg(test)] mod tests { use rusqlite::Connection; }", "`rusqlite::"),
    ];
    assert_each_is_found(&planted);
}

#[test]
fn a_planted_impurity_is_found() {
    let planted = [
        ("src/sync/backoff.rs", "use tokio::time::sleep;", "`sync` is pure and may not use `tokio::"),
        ("src/model/ids.rs", "use std::{collections::BTreeMap, fs};", "`std::fs`"),
        ("src/model/ids.rs", "fn f() { std::net::TcpStream::connect(\"x\"); }", "`std::net::"),
        ("src/model/ids.rs", "use chrono::Utc; fn f() { Utc::now(); }", "`chrono::Utc::now`"),
        (
            "src/model/ids.rs",
            "use chrono::Utc as Clock; fn f() { vec![Clock::now()]; }",
            "`chrono::Utc::now`",
        ),
        ("src/sync/plan.rs", "use std::time; fn f() { time::Instant::now(); }", "`std::time::Instant::now`"),
        ("src/sync/plan.rs", "use std::time::*;", "`std::time::*`"),
        ("src/sync/backoff.rs", "fn jitter() -> f64 { rand::random() }", "`rand::random`"),
        // A module that is not for tests alone, whatever stands before it or sounds like it.
        ("src/sync/plan.rs", "mod tests { use std::fs; }", "`std::fs`"),
        ("src/sync/plan.rs", "#[cfg(test)] use super::a; mod inner { use std::fs; }", "`std::fs`"),
        ("src/sync/plan.rs", "#[cfg(test)] fn f() {} mod inner { use std::fs; }", "`std::fs`"),
        ("src/sync/tests.rs", "use std::fs;", "`std::fs`"),
    ];
    assert_each_is_found(&planted);
}

#[test]
fn a_planted_long_file_is_found() {
    let planted = |path: &str, lines: usize| too_long(&files(&[(path, &"\n".repeat(lines))]));
    assert_eq!(planted("src/engine/push.rs", LONGEST_FILE + 1).len(), 1);
    assert_eq!(planted("src/engine/push.rs", LONGEST_FILE).len(), 0);
    assert_eq!(planted("src/main.rs", LONGEST_MAIN + 1).len(), 1);
    assert_eq!(planted("src/main.rs", LONGEST_MAIN).len(), 0);
}

#[test]
fn what_is_allowed_is_not_reported() {
    let sources = files(&[
        ("src/lib.rs", "//! `crate::app` builds it all.\npub mod app;\npub mod model;"),
        ("src/main.rs", "use shopsync::{app, cli};\nfn main() { cli::run(app::build) }"),
        ("src/app.rs", "use crate::{engine, store::Outbox, web};\n/// See [`crate::cli`].\nfn f() {}"),
        ("src/cli.rs", "use crate::{app, demo};\nfn f() { crate::platform::paths(); }"),
        ("src/demo/mod.rs", "use crate::app; use reqwest::Client;"),
        ("src/engine/push.rs", "use crate::sync::plan; use super::retry; use crate::ports::{Clock, Pos};"),
        ("src/web/mod.rs", "use crate::engine::handle::{Command, State}; mod page; use self::page::html;"),
        ("src/store/mod.rs", "use rusqlite::Connection; pub(in crate::store) fn f() {}"),
        ("src/model/mod.rs", "use chrono::{DateTime, Utc}; struct A { at: DateTime<Utc> }"),
        ("src/model/ids.rs", "use super::money::Money; impl Money { const A: Self = Self::B; }"),
        (
            "src/sync/mod.rs",
            "#[cfg(test)]\nmod golden;\n#[cfg(test)] mod tests { use super::*; use std::fs; }",
        ),
        ("src/sync/plan.rs", "#[cfg(test)]\n#[path = \"plan_tests.rs\"]\nmod tests;"),
        ("src/sync/plan_tests.rs", "use super::*; use std::fs;"),
        ("src/sync/golden.rs", "fn read() -> String { std::fs::read_to_string(\"a\").unwrap() }"),
        ("src/sync/backoff.rs", "use rand::Rng; fn jitter(rng: &mut impl Rng) -> impl Sized + use<> {}"),
    ]);
    assert_eq!(wrong_paths(&sources), Vec::<String>::new());
}

fn assert_each_is_found(planted: &[(&str, &str, &str)]) {
    for (path, text, expected) in planted {
        let found = wrong_paths(&files(&[(path, text)]));
        assert!(
            found.iter().any(|wrong| wrong.starts_with(path) && wrong.contains(expected)),
            "`{text}` in {path} should be reported with {expected}, and this was found: {found:#?}"
        );
    }
}

// ---- Judging ----

type Files = BTreeMap<String, String>;

fn wrong_paths(files: &Files) -> Vec<String> {
    let scans: Vec<_> = files.iter().map(|(path, text)| Scan::of(path, text)).collect();
    let test_modules: Vec<_> = scans.iter().flat_map(|scan| &scan.test_modules).collect();
    let is_test = |module: &[String]| test_modules.iter().any(|test| module.starts_with(test));

    let mut wrong = Vec::new();
    for scan in &scans {
        let Some(allowed) = may_import(&scan.top) else {
            wrong.push(format!("{}: there is no rule for the module `{}`", scan.file, scan.top));
            continue;
        };
        for found in &scan.found {
            let why = wrong_import(&scan.top, &allowed, &found.path)
                .or_else(|| wrong_library(&scan.top, &found.path))
                .or_else(|| if is_test(&found.within) { None } else { impurity(&scan.top, &found.path) });
            wrong.extend(why.map(|why| format!("{}:{}: {why}", scan.file, found.line)));
        }
    }
    wrong.dedup();
    wrong
}

fn wrong_import(top: &str, allowed: &[&str], path: &[String]) -> Option<String> {
    let (root, within) = path.split_first()?;
    if root != "crate" || within.first().is_some_and(|target| target == top) {
        return None;
    }
    if let Some(target) = within.first().filter(|target| *target != "*" && may_import(target).is_none()) {
        return Some(format!("there is no rule for the module `{target}`"));
    }
    let known = allowed.iter().any(|rule| lies_in(within, rule));
    (!known).then(|| format!("`{top}` may not import `{}`", path.join("::")))
}

fn wrong_library(top: &str, path: &[String]) -> Option<String> {
    let (_, homes) = HOMES.iter().find(|(library, _)| path.first().is_some_and(|first| first == library))?;
    let stray = !homes.contains(&top);
    stray.then(|| format!("`{}` stays within {}", path.join("::"), homes.join(", ")))
}

fn impurity(top: &str, path: &[String]) -> Option<String> {
    let reached = PURE.contains(&top) && IMPURE.iter().any(|banned| reaches(path, banned));
    reached.then(|| format!("`{top}` is pure and may not use `{}`", path.join("::")))
}

/// Whether the path names what the rule names, or something within it.
fn lies_in(path: &[String], rule: &str) -> bool {
    let rule: Vec<_> = rule.split("::").collect();
    path.len() >= rule.len() && path.iter().zip(rule).all(|(word, wanted)| word == wanted)
}

/// The same, or a `*` that brings in what the rule names along with its neighbours.
fn reaches(path: &[String], rule: &str) -> bool {
    let above = path.split_last().filter(|(last, above)| *last == "*" && !above.is_empty());
    lies_in(path, rule) || above.is_some_and(|(_, above)| rule.starts_with(&(above.join("::") + "::")))
}

fn too_long(files: &Files) -> Vec<String> {
    let is_main = |path: &str| path == "src/main.rs" || path == "xtask/src/main.rs";
    let limit = |path: &str| if is_main(path) { LONGEST_MAIN } else { LONGEST_FILE };
    let long = files.iter().filter(|(path, text)| text.lines().count() > limit(path));
    long.map(|(path, text)| format!("{path}: {} lines, at most {}", text.lines().count(), limit(path)))
        .collect()
}

// ---- Reading ----

/// Every Rust file below a folder of the repository, by its path from there with `/`.
fn rust_files(folder: &str) -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Files::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(root).expect("it lies below the root");
                let name = below.to_string_lossy().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).expect("a source is text"));
            }
        }
    }
    found
}

fn files(sources: &[(&str, &str)]) -> Files {
    sources.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}
