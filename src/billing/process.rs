//! The PocketBase process that we started.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::folder::Layout;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::ports::Clock;

/// PocketBase says little: this is years.
const LARGEST_LOG: u64 = 5 * 1024 * 1024;
/// PocketBase ends within a second, unless it is in the middle of a backup. Ended after that it loses nothing: what it
/// acknowledged is with the system.
pub(super) const GRACE: Duration = Duration::from_secs(10);
/// The same where we are to end ourselves, within five seconds in all.
pub(super) const GRACE_AT_END: Duration = Duration::from_secs(1);
/// A program that a virus scanner looks at first takes a moment; a page that tells the version does not wait longer.
const SAYS_ITS_VERSION: Duration = Duration::from_secs(5);

/// Starts the server. Its output goes into a file, not into a pipe: should we be killed, it must be able to go on.
pub(super) fn start(program: &Path, layout: &Layout, listen: &str, log: &Path) -> Result<Child, Fault> {
    let fault = |sentence: &str, error: std::io::Error| {
        Fault::new(FaultKind::Config, Scope::Billing, sentence)
            .detail(format!("{}: {error}", program.display()))
    };
    let output =
        open_log(log).map_err(|error| fault("The billing app's log file cannot be written.", error))?;
    let errors =
        output.try_clone().map_err(|error| fault("The billing app's log file cannot be written.", error))?;
    let mut command = Command::new(program);
    command
        .args(["serve", "--http", listen, "--automigrate=false", "--hooksWatch=false"])
        .arg("--dir")
        .arg(layout.data())
        .arg("--hooksDir")
        .arg(layout.hooks())
        .arg("--migrationsDir")
        .arg(layout.migrations())
        .arg("--publicDir")
        .arg(layout.public())
        .current_dir(layout.root())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        // Without an orderly stop (a panic, a cancelled start) it must not outlive us either.
        .kill_on_drop(true);
    hide_window(&mut command);
    // Ctrl-C in a terminal is for us: we end it in order, or leave it running, once our own last writes are through.
    #[cfg(unix)]
    command.process_group(0);
    command.spawn().map_err(|error| fault("The billing app's program cannot be started.", error))
}

/// What `pocketbase --version` says: `pocketbase version 0.40.6`. Nothing where it says nothing within its time.
pub(super) async fn version(program: &Path, clock: &dyn Clock) -> Option<String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    hide_window(&mut command);
    tokio::select! {
        biased;
        said = command.output() => version_in(&String::from_utf8_lossy(&said.ok()?.stdout)),
        () = clock.sleep(SAYS_ITS_VERSION) => None,
    }
}

/// The number in it. A build by somebody else may say `(untracked)` instead.
fn version_in(said: &str) -> Option<String> {
    let (_, version) = said.trim().rsplit_once(' ')?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

/// Asks the process to end, waits a bounded time, then ends it.
pub(super) async fn stop(child: &mut Child, clock: &dyn Clock, grace: Duration) {
    if let Some(pid) = child.id() {
        ask_to_end(pid).await;
        tokio::select! {
            _ = child.wait() => return,
            () = clock.sleep(grace) => {}
        }
    }
    let _ = child.kill().await;
}

/// Unix: SIGTERM, on which PocketBase finishes its writes. By the shell, which has `kill` built in.
#[cfg(unix)]
pub(super) async fn ask_to_end(pid: u32) {
    let _ =
        Command::new("sh").arg("-c").arg(format!("kill -TERM {pid}")).stderr(Stdio::null()).status().await;
}

/// Ends it without asking: what it acknowledged is with the system.
#[cfg(unix)]
pub(super) async fn end_now(pid: u32) {
    let _ =
        Command::new("sh").arg("-c").arg(format!("kill -KILL {pid}")).stderr(Stdio::null()).status().await;
}

/// Not on Windows, where a number does not tell whose process it is: it may be another one's by now.
#[cfg(windows)]
pub(super) fn end_now(_: u32) -> std::future::Ready<()> {
    std::future::ready(())
}

/// Windows: Ctrl-C, which only a process can send that shares the other's console. Another one of ours does, so that
/// this one keeps its own. Where it cannot, SQLite's log makes the abrupt end that follows harmless.
#[cfg(windows)]
pub(super) async fn ask_to_end(pid: u32) {
    let Ok(own) = std::env::current_exe() else { return };
    if own.file_stem().is_none_or(|name| !name.eq_ignore_ascii_case("shopsync")) {
        return;
    }
    let mut command = Command::new(own);
    command.args(["interrupt", &pid.to_string()]).stdin(Stdio::null());
    hide_window(&mut command);
    let _ = command.status().await;
}

/// Keeps a console window from opening on the shop's screen.
#[cfg(windows)]
pub(super) fn hide_window(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NO_WINDOW);
}

/// Only Windows opens console windows.
#[cfg(not(windows))]
pub(super) fn hide_window(_: &mut Command) {}

/// Cuts a log that grew too large; the end of it is kept beside it. The process writes by appending, so it goes on.
pub(super) fn trim_log(log: &Path) {
    if fs::metadata(log).is_ok_and(|file| file.len() > LARGEST_LOG) {
        let _ = fs::copy(log, log.with_extension("log.1"));
        if let Ok(file) = OpenOptions::new().write(true).open(log) {
            let _ = file.set_len(0);
        }
    }
}

/// The last lines of the log, for whoever supports the shop.
pub(super) fn tail(log: &Path) -> String {
    const TAIL: u64 = 1000;
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    read().unwrap_or_default()
}

fn open_log(log: &Path) -> std::io::Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    trim_log(log);
    OpenOptions::new().create(true).append(true).open(log)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_is_no_version_is_none() {
        assert_eq!(version_in("pocketbase version 0.40.6\n").as_deref(), Some("0.40.6"));
        for said in ["pocketbase version (untracked)\n", "", "0.40.6", "unknown flag: --version"] {
            assert_eq!(version_in(said), None, "{said}");
        }
    }

    #[test]
    fn a_large_log_is_cut_while_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs").join("pocketbase.log");
        let mut writer = open_log(&log).unwrap();
        writer.write_all(&vec![b'x'; usize::try_from(LARGEST_LOG).unwrap() + 1]).unwrap();
        trim_log(&log);
        writer.write_all(b"after").unwrap();
        assert_eq!(fs::read(&log).unwrap(), b"after");
        assert_eq!(tail(&log), "after");
        assert!(log.with_extension("log.1").is_file());
    }
}
