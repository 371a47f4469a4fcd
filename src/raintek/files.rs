//! RainTek's own settings files: they already say where the database is.

use std::path::Path;

use crate::model::fault::{Fault, FaultKind, Scope};

/// What RainTek's program folder says.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// As RainTek writes it: `.`, `(local)`, `.\SQLEXPRESS`.
    pub server: String,
    /// SQL login.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The database in use, where `TempDBSettings.dat` says so.
    pub database: Option<String>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Found")
            .field("server", &self.server)
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

/// Reads `SQLSettings.dat` (three lines: server, user, password) and `TempDBSettings.dat` (one line: the database).
///
/// # Errors
/// Config, where the first is missing or incomplete.
pub fn read_folder(folder: &Path) -> Result<Found, Fault> {
    let unreadable = |why: String| {
        Fault::new(
            FaultKind::Config,
            Scope::Pos,
            format!("RainTek's settings were not found in {}.", folder.display()),
        )
        .detail(why)
    };
    let read = |name: &str| std::fs::read(folder.join(name));
    let settings = read("SQLSettings.dat").map_err(|error| unreadable(error.to_string()))?;
    let found = from_files(&settings, read("TempDBSettings.dat").ok().as_deref());
    found.ok_or_else(|| unreadable("SQLSettings.dat has fewer than two lines".into()))
}

/// Reads what stands in both files; the second need not be there.
pub(super) fn from_files(settings: &[u8], database: Option<&[u8]>) -> Option<Found> {
    let text = decoded(settings);
    let mut lines = text.lines().map(str::trim);
    let (server, user) = (lines.next()?, lines.next()?);
    let password = lines.next().unwrap_or_default();
    let database = database
        .and_then(|bytes| decoded(bytes).lines().next().map(|line| line.trim().to_owned()))
        .filter(|name| !name.is_empty());
    Some(Found { server: server.to_owned(), user: user.to_owned(), password: password.to_owned(), database })
}

/// .NET may have written a byte order mark, or UTF-16.
fn decoded(bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        let units: Vec<u16> =
            rest.chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(pair.try_into().ok()?))).collect();
        return String::from_utf16_lossy(&units);
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_raintek_wrote() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("SQLSettings.dat"), "\u{feff}.\\SQLEXPRESS\r\nsa\r\np@ss\r\n")
            .unwrap();
        let found = read_folder(folder.path()).unwrap();
        assert_eq!((found.server.as_str(), found.user.as_str()), (".\\SQLEXPRESS", "sa"));
        assert_eq!((found.password.as_str(), found.database.clone()), ("p@ss", None));
        std::fs::write(folder.path().join("TempDBSettings.dat"), "Raintech_DB2\r\n").unwrap();
        assert_eq!(read_folder(folder.path()).unwrap().database.as_deref(), Some("Raintech_DB2"));
        assert!(!format!("{found:?}").contains("p@ss"));
    }

    #[test]
    fn a_folder_without_them_is_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_folder(folder.path()).unwrap_err().kind, FaultKind::Config);
    }
}
