//! `shopsync installer`: what the MSI has the program do beside laying down files. No person needs it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
#[cfg(windows)]
use std::process::Stdio;

use anyhow::Context;
use clap::Subcommand;

use super::say;
use crate::app::desktop::AUTOSTART_DONE;
use crate::platform::installation::{CommandLine, Installation, close_firewall, handed_over};
use crate::platform::{SettingsFile, Told, default_backup_folder, read_settings, settings_path};
use crate::ports::State as _;
use crate::store::Store;

/// How long running programs have to end.
#[cfg(windows)]
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

/// What the installer asks for.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub(super) enum Task {
    /// Make the folders, set who may write them, open the firewall.
    Arrange {
        /// Who installs, as a SID.
        #[arg(long, default_value = "")]
        user: String,
        /// The folder for backups, where one was named.
        #[arg(long, default_value = "")]
        backups: String,
        /// `1`: no start at login.
        #[arg(long, default_value = "")]
        no_autostart: String,
    },
    /// Have the programs that run from this folder end.
    Leave,
    /// Wait until nothing runs from this folder any more, before its files change.
    Gone,
    /// Close the firewall, and forget the users' entries.
    Withdraw,
}

/// Does it. What Windows refuses is said and costs nothing else: an installation without a firewall rule is better than
/// none.
///
/// # Errors
/// The data folder cannot be made.
pub(super) async fn run(task: &Task, data: &Path) -> anyhow::Result<ExitCode> {
    match task {
        Task::Arrange { user, backups, no_autostart } => {
            arrange(data, user, &Told { backups: handed_over(backups), no_autostart: no_autostart == "1" })?;
        }
        Task::Leave => leave(),
        Task::Gone => gone(),
        Task::Withdraw => withdraw(data).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn arrange(data: &Path, user: &str, told: &Told) -> anyhow::Result<()> {
    std::fs::create_dir_all(data)
        .with_context(|| format!("The data folder {} cannot be made.", data.display()))?;
    let file = settings_path(data);
    if let Err(error) = SettingsFile::new(file.clone()).tell(told) {
        say(&format!("{} stays as it is: {error}.", file.display()));
    }
    // Settings with a mistake are told by the tray; the usual places are good enough here.
    let settings = read_settings(&file).unwrap_or_default();
    let backups = settings.backup.folder.clone().unwrap_or_else(|| default_backup_folder(data));
    if let Err(error) = std::fs::create_dir_all(&backups) {
        say(&format!("The folder for backups {} cannot be made: {error}.", backups.display()));
    }
    let port = settings.billing.listen.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let installation = Installation {
        data: data.to_owned(),
        backups,
        user: Some(user.to_owned()).filter(|sid| !sid.is_empty()),
        phones: port.filter(|_| beside("pocketbase.exe").is_some_and(|program| program.is_file())),
    };
    for line in installation.arrange() {
        carry_out(&line);
    }
    Ok(())
}

fn beside(name: &str) -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.join(name))
}

#[cfg(windows)]
fn leave() {
    if crate::platform::windows::ask_all(PATIENCE) {
        return;
    }
    // It hangs: everything is written so that this loses nothing. This very process has the same name.
    let own = format!("PID ne {}", std::process::id());
    let words = ["/F", "/IM", "shopsync.exe", "/FI", &own].map(str::to_owned);
    carry_out(&CommandLine { program: "taskkill.exe", arguments: words.to_vec() });
}

#[cfg(windows)]
fn gone() {
    for process in crate::platform::windows::wait_for_others(PATIENCE) {
        let words = ["/F".to_owned(), "/PID".to_owned(), process.to_string()];
        carry_out(&CommandLine { program: "taskkill.exe", arguments: words.to_vec() });
    }
}

async fn withdraw(data: &Path) {
    carry_out(&close_firewall());
    #[cfg(windows)]
    crate::platform::windows::forget_users(crate::alerts::APP_ID, crate::platform::LOGIN_ENTRY);
    let store = data.join("shopsync.sqlite");
    if !store.is_file() {
        return;
    }
    // Installed again, the tray is to start at login again: that the entry is gone is nobody's wish.
    let forgotten = match Store::open(&store) {
        Ok(store) => store.set(AUTOSTART_DONE, None).await,
        Err(fault) => Err(fault),
    };
    if let Err(fault) = forgotten {
        say(&fault.sentence);
    }
}

#[cfg(windows)]
fn carry_out(line: &CommandLine) {
    use std::os::windows::process::CommandExt as _;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;

    let mut command = std::process::Command::new(line.program);
    command.args(&line.arguments).creation_flags(CREATE_NO_WINDOW);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) => say(&format!("{}: {status}", line.shown())),
        Err(error) => say(&format!("{}: {error}", line.shown())),
    }
}

/// Nothing to arrange, nobody to ask elsewhere: the words are what there is to look at.
#[cfg(not(windows))]
fn carry_out(line: &CommandLine) {
    say(&line.shown());
}

#[cfg(not(windows))]
fn leave() {}

#[cfg(not(windows))]
fn gone() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn arranging_makes_the_folders_and_keeps_settings_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("Läden");
        let backups = folder.path().join("backups elsewhere");
        let task = Task::Arrange {
            user: String::new(),
            backups: backups.display().to_string(),
            no_autostart: "1".into(),
        };
        run(&task, &data).await.unwrap();
        assert!(data.is_dir() && backups.is_dir());
        let settings = read_settings(&settings_path(&data)).unwrap();
        assert!(!settings.desktop.autostart);
        // An upgrade that is told nothing changes nothing, and a damaged file stops nothing.
        let plain =
            Task::Arrange { user: String::new(), backups: String::new(), no_autostart: String::new() };
        let text = std::fs::read_to_string(settings_path(&data)).unwrap();
        run(&plain, &data).await.unwrap();
        assert_eq!(std::fs::read_to_string(settings_path(&data)).unwrap(), text);
        std::fs::write(settings_path(&data), "zone = [").unwrap();
        run(&task, &data).await.unwrap();
        assert_eq!(std::fs::read_to_string(settings_path(&data)).unwrap(), "zone = [");
    }
    #[tokio::test]
    async fn what_is_removed_and_installed_again_starts_at_login_again() {
        let folder = tempfile::tempdir().unwrap();
        run(&Task::Withdraw, folder.path()).await.unwrap();
        assert!(!folder.path().join("shopsync.sqlite").exists(), "nothing is made on the way out");
        {
            let store = Store::open(&folder.path().join("shopsync.sqlite")).unwrap();
            store.set(AUTOSTART_DONE, Some("on")).await.unwrap();
        }
        run(&Task::Withdraw, folder.path()).await.unwrap();
        let store = Store::open(&folder.path().join("shopsync.sqlite")).unwrap();
        assert_eq!(store.get(AUTOSTART_DONE).await.unwrap(), None);
    }
}
