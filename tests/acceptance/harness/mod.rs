//! A shop: RainTek, ShopSync and the billing app as processes, and the people and programs around them.

pub(crate) mod bill;
#[cfg(target_os = "linux")]
pub(crate) mod disk;
pub(crate) mod generation;
pub(crate) mod life;
pub(crate) mod raintek;
pub(crate) mod rows;
pub(crate) mod shop;
pub(crate) mod snapshots;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

pub(crate) use bill::{Bill, Line};
pub(crate) use shop::Shop;

/// How long something may take that takes a moment, on a machine that is busy.
pub(crate) const SOON: Duration = Duration::from_secs(40);

/// An address nobody listens on. It lies below the range from which callers get theirs, so that a server that is
/// started again finds it free.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 200).unwrap() * 100;
    loop {
        let port = 10_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' own stop-watch")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits until something holds; fails with its name after `deadline`.
pub(crate) async fn eventually<F: AsyncFnMut() -> bool>(what: &str, deadline: Duration, mut holds: F) {
    let start = now();
    while !holds().await {
        assert!(start.elapsed() < deadline, "not within {} s: {what}", deadline.as_secs());
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Starts a program whose words go to a file.
pub(crate) fn spawn(command: &mut Command, log: &Path) -> Child {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    let errors = file.try_clone().unwrap();
    let child = command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn();
    child.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Sends a signal to a process that a test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let done = Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")).stderr(Stdio::null()).status();
    done.unwrap();
}

/// Whether a process is there.
pub(crate) fn is_alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

/// Processes in whose command line both words stand.
pub(crate) fn processes_of(program: &str, folder: &Path) -> Vec<u32> {
    let folder = folder.to_string_lossy();
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let first = line.split('\0').next().unwrap_or_default();
        first.ends_with(program) && line.contains(&*folder) && is_alive(*pid)
    })
    .collect()
}

/// The last lines of a file.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// The program under test.
pub(crate) fn shopsync() -> PathBuf {
    match option_env!("CARGO_BIN_EXE_shopsync") {
        Some(built) => PathBuf::from(built),
        // Another package's program: cargo puts them side by side.
        None => {
            let beside = std::env::current_exe().unwrap();
            beside.with_file_name(format!("shopsync{}", std::env::consts::EXE_SUFFIX))
        }
    }
}

/// The stand-in of RainTek: named by the environment, else where it was built.
pub(crate) fn sandbox() -> PathBuf {
    if let Some(named) = std::env::var_os("SHOPSYNC_SANDBOX") {
        return PathBuf::from(named);
    }
    let beside = shopsync().with_file_name(format!("raintek-sandbox{}", std::env::consts::EXE_SUFFIX));
    assert!(beside.is_file(), "{} is not there: run the tests by `cargo xtask test`", beside.display());
    beside
}
