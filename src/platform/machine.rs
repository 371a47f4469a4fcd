//! This PC, as RainTek and the billing app are looked for on it; or a folder that plays one, for tests.

use std::path::{Path, PathBuf};

use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::setup::{Instance, Machine};

/// A folder that plays a PC: disks in `disks`, shortcuts in `menu`, and `instances.json`.
const PLAYED_BY: &str = "SHOPSYNC_PC";
/// Settings files are smaller.
const LARGEST: u64 = 64 * 1024;
/// How deep the Start menu's folders go.
const MENU_DEPTH: usize = 4;

/// This PC.
#[derive(Debug, Clone, Default)]
pub struct ThisPc {
    played_by: Option<PathBuf>,
}

impl ThisPc {
    /// The real one, unless the environment names a folder that plays it.
    pub fn new() -> Self {
        let played_by = std::env::var_os(PLAYED_BY).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { played_by }
    }
}

impl Machine for ThisPc {
    fn running(&self) -> Vec<PathBuf> {
        if self.played_by.is_some() {
            return Vec::new();
        }
        #[cfg(windows)]
        return super::windows::running_folders();
        #[cfg(not(windows))]
        Vec::new()
    }

    fn shortcuts(&self) -> Vec<PathBuf> {
        let menus: Vec<PathBuf> = match &self.played_by {
            Some(root) => vec![root.join("menu")],
            None => ["ProgramData", "APPDATA"]
                .iter()
                .filter(|_| cfg!(windows))
                .filter_map(std::env::var_os)
                .map(|root| PathBuf::from(root).join(r"Microsoft\Windows\Start Menu"))
                .collect(),
        };
        let mut found = Vec::new();
        for menu in menus {
            shortcuts_in(&menu, MENU_DEPTH, &mut found);
        }
        found
    }

    fn roots(&self) -> Vec<PathBuf> {
        if let Some(root) = &self.played_by {
            return self.folders(&root.join("disks"));
        }
        #[cfg(windows)]
        return super::windows::fixed_disks();
        #[cfg(not(windows))]
        Vec::new()
    }

    fn folders(&self, folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        // Not what a link leads to: it would be looked at twice, or for ever.
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
        folders.sort();
        folders
    }

    fn file(&self, path: &Path) -> Option<Vec<u8>> {
        let file = std::fs::metadata(path).ok()?;
        if !file.is_file() || file.len() > LARGEST {
            return None;
        }
        std::fs::read(path).ok()
    }

    fn place(&self, path: &str) -> PathBuf {
        match &self.played_by {
            Some(root) => root.join("disks").join(path.replace(':', "").replace('\\', "/")),
            None => PathBuf::from(path),
        }
    }

    fn instances(&self) -> Vec<Instance> {
        if let Some(root) = &self.played_by {
            let text = std::fs::read_to_string(root.join("instances.json")).unwrap_or_default();
            return serde_json::from_str(&text).unwrap_or_default();
        }
        #[cfg(windows)]
        return super::windows::sql_instances();
        #[cfg(not(windows))]
        Vec::new()
    }
}

fn shortcuts_in(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type());
        if kind.as_ref().is_ok_and(std::fs::FileType::is_dir) && depth > 0 {
            shortcuts_in(&path, depth - 1, found);
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("lnk")) {
            found.push(path);
        }
    }
}

/// Runs a program with an administrator's rights, which Windows asks the user for, and waits until it has ended.
///
/// # Errors
/// The user said no, or the program did not do its work.
pub fn run_elevated(program: &str, arguments: &[String]) -> Result<(), Fault> {
    let fault =
        |sentence: &str| Fault::new(FaultKind::Config, Scope::Item, sentence).action(Action::FixServer);
    // A folder that plays a PC has a program of its own for it.
    if let Some(root) = std::env::var_os(PLAYED_BY).filter(|value| !value.is_empty()) {
        let done = std::process::Command::new(PathBuf::from(root).join("elevated"))
            .arg(program)
            .args(arguments)
            .status();
        return match done {
            Ok(status) if status.success() => Ok(()),
            _ => Err(fault("The administrator's permission was not given, so that nothing was changed.")),
        };
    }
    #[cfg(windows)]
    return super::windows::run_elevated(program, arguments).map_err(|error| {
        fault("The administrator's permission was not given, or SQL Server could not be changed.")
            .detail(error)
    });
    #[cfg(not(windows))]
    {
        let _ = (program, arguments);
        Err(fault("TCP can be switched on by ShopSync on Windows only."))
    }
}
