//! The truth of the stand-in, checked by clients nobody here wrote: FreeTDS `tsql` and python-tds.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails loudly")]
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use raintek_sandbox::{Generation, Options, Sandbox};

const CASES: &str = include_str!("clients/cases.txt");

fn shop(folder: &Path) -> Sandbox {
    let file = folder.join("shop.sqlite");
    Sandbox::start(Options { file, seed_products: 5, ..Options::default() }).unwrap()
}

struct Case {
    name: String,
    sql: String,
    expected: Vec<String>,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in CASES.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case { name: name.to_owned(), sql: String::new(), expected: Vec::new() });
        } else if let Some(case) = cases.last_mut() {
            if line.starts_with("> ") || line.starts_with("! ") {
                case.expected.push(line.to_owned());
            } else if !line.is_empty() {
                case.sql.push_str(line);
                case.sql.push('\n');
            }
        }
    }
    assert!(cases.len() > 50, "the table of statements was read");
    cases
}

/// Rows and error numbers as `tsql` shows them; rows come on one stream, errors on the other.
fn tsql(port: u16, password: &str, database: &str, sql: &str) -> (Vec<String>, Vec<String>) {
    let port = port.to_string();
    let mut child = Command::new("tsql")
        .args([
            "-H",
            "127.0.0.1",
            "-p",
            &port,
            "-U",
            "sa",
            "-P",
            password,
            "-D",
            database,
            "-o",
            "fhq",
            "-J",
            "UTF-8",
        ])
        .env("TDSVER", "7.4")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tsql of FreeTDS is needed: on Debian it is in the package freetds-bin");
    writeln!(child.stdin.take().unwrap(), "{sql}\ngo\nexit").unwrap();
    let output = child.wait_with_output().unwrap();
    let rows = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("locale ") && !line.starts_with("using "))
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').map(|cell| cell.trim_end_matches(' ')).collect();
            format!("> {}", cells.join("|"))
        })
        .collect();
    let errors = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter_map(|line| line.strip_prefix("Msg ")?.split_once(" (severity "))
        .filter(|(_, rest)| rest.split(',').next().is_some_and(|class| class.parse::<u8>().unwrap() > 10))
        .map(|(number, _)| format!("! {number}"))
        .collect();
    (rows, errors)
}

#[test]
fn freetds_sees_what_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = shop(folder.path());
    let mut wrong = Vec::new();
    for case in cases() {
        let (rows, errors) = tsql(sandbox.tds_port, "RainTek-1", "Raintech_DB1", &case.sql);
        let (expected_rows, expected_errors): (Vec<String>, Vec<String>) =
            case.expected.iter().cloned().partition(|line| line.starts_with("> "));
        if rows != expected_rows || errors != expected_errors {
            wrong.push(format!("{}: expected {:?}, saw {rows:?} and {errors:?}", case.name, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn freetds_sees_each_generation_of_the_tables() {
    let columns = "SELECT COUNT(*) FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = N'Invoice_Product' AND \
                   COLUMN_NAME IN (N'VATPer', N'VAT', N'CostPrice', N'SellingPrice', N'Amount')";
    let numbered = "SELECT COUNT(*) FROM sys.columns WHERE is_identity = 1 AND name IN (N'IPo_ID', N'IP_ID')";
    let unknown = "INSERT INTO SaleGST (ID, InvNo) VALUES (1, N'x')";
    for (generation, sql, expected) in [
        (Generation::Current, columns, "> 0"),
        (Generation::Old, columns, "> 5"),
        (Generation::Old, "SELECT CustomerID FROM InvoiceInfo SELECT Customer_ID FROM InvoiceInfo", "! 207"),
        (Generation::Current, numbered, "> 2"),
        (Generation::PlainIds, numbered, "> 0"),
        (Generation::ExtraNotNull, unknown, "! 515"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.sqlite");
        let sandbox = Sandbox::start(Options { file, generation, ..Options::default() }).unwrap();
        let (rows, errors) = tsql(sandbox.tds_port, "RainTek-1", "Raintech_DB1", sql);
        let seen: Vec<String> = rows.into_iter().chain(errors).collect();
        assert_eq!(seen, [expected], "{generation:?}: {sql}");
    }
}

#[test]
fn freetds_is_refused_with_the_right_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = shop(folder.path());
    let (_, errors) = tsql(sandbox.tds_port, "wrong", "Raintech_DB1", "SELECT 1");
    assert_eq!(errors.first().map(String::as_str), Some("! 18456"));
    let (_, errors) = tsql(sandbox.tds_port, "RainTek-1", "nope", "SELECT 1");
    assert_eq!(errors.first().map(String::as_str), Some("! 4060"));
}

#[test]
fn python_tds_sees_what_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = shop(folder.path());
    let packages = python_packages();
    assert!(
        packages.join("pytds").is_dir(),
        "python-tds is not in {}: run `cargo xtask test` once, or set SHOPSYNC_TEST_PYTHONPATH",
        packages.display()
    );
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let output = Command::new("python3")
        .arg(clients.join("check.py"))
        .arg(sandbox.tds_port.to_string())
        .arg(clients.join("cases.txt"))
        .env("PYTHONPATH", &packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python3 is needed");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("cases passed"), "{said}");
}

/// Where xtask puts Python's packages: `tools/python` in the workspace's target folder.
fn python_packages() -> PathBuf {
    if let Some(path) = std::env::var_os("SHOPSYNC_TEST_PYTHONPATH") {
        return PathBuf::from(path);
    }
    let program = Path::new(env!("CARGO_BIN_EXE_raintek-sandbox"));
    let target = program.parent().and_then(Path::parent).unwrap();
    target.join("tools/python")
}
