//! The start at login: one entry of the current user, and no other anywhere.

use std::fmt;
use std::path::Path;

use auto_launch::{AutoLaunch, AutoLaunchBuilder, WindowsEnableMode};

use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::desktop::Autostart;

/// What the entry is called.
pub const NAME: &str = "ShopSync";

/// The entry in `HKCU\...\Run`, or the file in `~/.config/autostart`.
pub struct LoginEntry {
    entry: AutoLaunch,
}

impl fmt::Debug for LoginEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginEntry").field("args", &self.entry.get_args()).finish_non_exhaustive()
    }
}

impl LoginEntry {
    /// Starts this very program with `--tray`, and with the data folder and the settings where they are not the usual
    /// ones.
    ///
    /// # Errors
    /// The system does not tell where this program lies.
    pub fn new(data: Option<&Path>, settings: Option<&Path>) -> Result<Self, Fault> {
        let program = std::env::current_exe().map_err(refused)?;
        let mut arguments = vec!["--tray".to_owned()];
        for (option, path) in [("--data", data), ("--settings", settings)] {
            if let Some(path) = path {
                arguments.push(option.to_owned());
                arguments.push(quoted(&std::path::absolute(path).map_err(refused)?));
            }
        }
        let entry = AutoLaunchBuilder::new()
            .set_app_name(NAME)
            .set_app_path(&quoted(&program))
            .set_args(&arguments)
            .set_windows_enable_mode(WindowsEnableMode::CurrentUser)
            .build()
            .map_err(refused)?;
        Ok(Self { entry })
    }
}

impl Autostart for LoginEntry {
    fn is_on(&self) -> Result<bool, Fault> {
        self.entry.is_enabled().map_err(refused)
    }

    fn set(&self, on: bool) -> Result<(), Fault> {
        if on { self.entry.enable() } else { self.entry.disable() }.map_err(refused)
    }
}

/// The library writes paths as they are, and `C:\Program Files` has a space in it.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}

fn refused(why: impl fmt::Display) -> Fault {
    Fault::new(FaultKind::Transient, Scope::Item, "The start at login cannot be set.")
        .action(Action::CallSupport)
        .detail(why)
}
