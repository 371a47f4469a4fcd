//! What the first run needs of this PC, and what page and command line need of settings, first run and diagnostics.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::model::setup::{
    Changes, CheckView, Choice, Refusal, Report, Saved, SavedReport, SettingsView, SetupView, Tested, What,
};

/// An SQL Server of this PC, as the registry tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct Instance {
    /// `SQLEXPRESS`; `MSSQLSERVER` is the one without a name.
    pub name: String,
    /// `MSSQL15.SQLEXPRESS`: where its settings lie.
    pub id: String,
    /// Whether it listens to TCP; `None` where the registry does not say.
    pub tcp: Option<bool>,
    /// On which port, where one is set or was taken last.
    pub port: Option<u16>,
}

/// This PC, as far as RainTek and the billing app are looked for on it. Every method may wait for a disk.
pub trait Machine: Send + Sync {
    /// Folders of the programs that run.
    fn running(&self) -> Vec<PathBuf>;

    /// Shortcuts of the Start menu.
    fn shortcuts(&self) -> Vec<PathBuf>;

    /// Fixed disks.
    fn roots(&self) -> Vec<PathBuf>;

    /// Folders within a folder; none where it cannot be read.
    fn folders(&self, folder: &Path) -> Vec<PathBuf>;

    /// What stands in a file, where it is there and no larger than a settings file.
    fn file(&self, path: &Path) -> Option<Vec<u8>>;

    /// Where a path of this PC lies: the same, but where the PC is played by a folder.
    fn place(&self, path: &str) -> PathBuf;

    /// SQL Servers of this PC.
    fn instances(&self) -> Vec<Instance>;
}

/// Settings, first run and diagnostics. Nothing of it ever holds a secret, and all of it may be asked at any time.
#[async_trait]
pub trait Office: Send + Sync {
    /// All settings.
    async fn settings(&self) -> Result<SettingsView, Refusal>;

    /// Keeps all of these or none; they count from then on.
    async fn change(&self, changes: Changes) -> Result<Saved, Refusal>;

    /// Tries a side with what is set and these changes, which are not kept. Within 15 seconds.
    async fn test(&self, what: What, changes: Changes) -> Result<Tested, Refusal>;

    /// Has the program start itself anew, so that all settings count. One sentence.
    async fn restart(&self) -> Result<String, Refusal>;

    /// How the first run stands.
    async fn setup(&self) -> SetupView;

    /// Looks for RainTek; what is found comes with [`Office::setup`].
    async fn find(&self) -> Result<(), Refusal>;

    /// Takes one of the candidates, or another database, after trying it.
    async fn choose(&self, choice: Choice) -> Result<Tested, Refusal>;

    /// Has an SQL Server listen to TCP; without `yes` only what that means is said.
    async fn switch_tcp_on(&self, id: &str, yes: bool) -> Result<Tested, Refusal>;

    /// Which PocketBase the billing app's program is, where it lies on this PC.
    async fn pocketbase(&self) -> Option<String>;

    /// Starts the billing app, or uses the one that runs.
    async fn billing(&self) -> Result<Tested, Refusal>;

    /// Takes a bot's token, and waits for somebody to write to it.
    async fn telegram(&self, token: String) -> Result<Tested, Refusal>;

    /// Sends a message to everybody who is told.
    async fn telegram_test(&self) -> Result<Tested, Refusal>;

    /// What would be done with the newest invoices. Nothing is written into RainTek.
    async fn check(&self) -> Result<CheckView, Refusal>;

    /// Ends the first run: from here on everything is kept in step.
    async fn start(&self) -> Result<Tested, Refusal>;

    /// The QR code of one of the app's own addresses, as SVG.
    fn qr(&self, url: &str) -> Option<String>;

    /// What would be given to whoever supports the shop.
    async fn diagnostics(&self) -> Result<Report, Refusal>;

    /// The same as a zip.
    async fn diagnostics_zip(&self) -> Result<Vec<u8>, Refusal>;

    /// The same, saved: in the data folder, or as this file.
    async fn save_diagnostics(&self, path: Option<PathBuf>) -> Result<SavedReport, Refusal>;
}
