//! Where things lie.

use std::io;
use std::path::{Path, PathBuf};

/// `%ProgramData%\ShopSync` on Windows, or where the installer was told; `$XDG_DATA_HOME/shopsync` or `~/.local/share/shopsync` elsewhere.
/// `SHOPSYNC_DATA` overrides both.
pub fn default_data_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("SHOPSYNC_DATA").filter(|value| !value.is_empty()) {
        return PathBuf::from(folder);
    }
    #[cfg(windows)]
    if let Some(folder) = super::windows::installed_data_folder() {
        return folder;
    }
    if cfg!(windows) {
        let root = std::env::var_os("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
        return PathBuf::from(root).join("ShopSync");
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let root = std::env::var_os("XDG_DATA_HOME").filter(|value| !value.is_empty()).map(PathBuf::from);
    root.or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("shopsync")
}

/// Where the window and the tray keep files of their own: they belong to the user who is signed in, not to the shop.
pub fn user_folder(data: &Path) -> PathBuf {
    let local = std::env::var_os("LOCALAPPDATA").filter(|value| cfg!(windows) && !value.is_empty());
    local.map_or_else(|| data.join("desktop"), |root| PathBuf::from(root).join("ShopSync"))
}

/// Where backups lie unless the settings say: on another disk than Windows' own where there is one.
pub fn default_backup_folder(data: &Path) -> PathBuf {
    if cfg!(windows) && Path::new(r"D:\").is_dir() {
        return PathBuf::from(r"D:\Backups");
    }
    data.join("backups")
}

/// Makes a folder that only its user may enter (on Windows the installer sets the rights).
///
/// # Errors
/// The system's.
pub fn make_private_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
