//! `shopsync` without a command: the tray. A second start brings the first one's window forward and leaves.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;

use super::{client, log_to, say};
use crate::app::desktop::{Tray, on_desk};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::platform::{
    Instance, LoginEntry, default_data_folder, has_display, make_private_folder, open_now, read_settings,
    settings_path, user_folder,
};

/// A first start may be a moment away from answering.
const TRIES: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(500);

/// Runs the tray; `quiet` is the start at login, which shows no window.
///
/// # Errors
/// There is no display (the input is wrong), or the data folder cannot be used.
pub(super) fn run(
    runtime: Runtime,
    data: Option<PathBuf>,
    settings: Option<PathBuf>,
    quiet: bool,
) -> anyhow::Result<ExitCode> {
    if !has_display() {
        return Err(no_display().into());
    }
    let entry = LoginEntry::new(data.as_deref(), settings.as_deref());
    let data = data.unwrap_or_else(default_data_folder);
    let settings = settings.unwrap_or_else(|| settings_path(&data));
    make_private_folder(&data)
        .with_context(|| format!("The data folder {} cannot be made.", data.display()))?;
    let user = user_folder(&data);
    std::fs::create_dir_all(&user)
        .with_context(|| format!("The folder {} cannot be made.", user.display()))?;
    let Some(_tray) = Instance::take_tray(&user, &data)? else {
        if !quiet {
            runtime.block_on(come_forward(&data, &settings))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    // A user who only may look has nothing to write in the shop's own folder.
    let _writer = log_to(&data).or_else(|_| log_to(&user))?;
    let entry = entry.inspect_err(|fault| tracing::warn!(detail = fault.detail, "{}", fault.sentence)).ok();
    let tray = Tray { settings, entry };
    on_desk(&runtime, data, !quiet, |host| tray.run(host)).map_err(|_| no_display())?;
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

/// Asks the ShopSync that runs to show its window; where it has none, its page opens in the browser.
async fn come_forward(data: &std::path::Path, settings: &std::path::Path) -> anyhow::Result<()> {
    #[cfg(windows)]
    crate::platform::windows::let_others_come_forward();
    let settings = read_settings(settings)?;
    let mut last = None;
    for _ in 0..TRIES {
        let shown = match client(data, &settings) {
            Ok(client) => client.show().await.map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        match shown {
            Ok(None) => return Ok(()),
            Ok(Some(link)) => {
                say("ShopSync runs without a window here; its page opens in the browser.");
                return open_now(&link).context("No browser can be opened.");
            }
            Err(error) => last = Some(error),
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Err(last.unwrap_or_else(|| anyhow!("ShopSync is running, but does not answer.")))
}

fn no_display() -> Fault {
    let sentence =
        "There is no display here for ShopSync's icon and window. Without them it runs by: shopsync run";
    Fault::new(FaultKind::Config, Scope::Store, sentence)
}
