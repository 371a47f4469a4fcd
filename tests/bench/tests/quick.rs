//! The benchmark itself works: every part runs in its short form, over the real programs. No time is judged here.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::process::Command;

#[test]
fn every_part_of_the_benchmark_runs_and_fills_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("benchmarks.md");
    let said = Command::new(env!("CARGO_BIN_EXE_shopsync-bench"))
        .args(["--quick", "--commit", "tested", "--table"])
        .arg(&table)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{errors}");
    let table = std::fs::read_to_string(table).unwrap();
    let rows = [
        "committed in RainTek, p50",
        "committed in RainTek, p99",
        "catch-up of",
        "first load of",
        "pass without changes",
        "memory while idle",
        "CPU while idle",
        "wake-ups while idle",
        "nothing leaks over",
        "start to first proven state",
        "tray with the window closed",
        "tray after its window was opened and closed",
        "click to first paint",
        "the program, built",
        "push beside",
        "scan beside",
    ];
    for row in rows {
        let line = table.lines().find(|line| line.starts_with('|') && line.contains(row));
        let line = line.unwrap_or_else(|| panic!("no row {row} in\n{table}"));
        assert!(!line.contains("NaN") && !line.contains("inf"), "{line}");
        assert!(line.contains("tested"), "{line}");
    }
}
