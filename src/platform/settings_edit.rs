//! Changing one line of `settings.toml`: everything else of it stays as a person wrote it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use toml_edit::DocumentMut;

use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::trial::TrialSettings;

/// The settings file; it need not exist.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    path: PathBuf,
}

impl SettingsFile {
    /// At this place.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

#[async_trait]
impl TrialSettings for SettingsFile {
    async fn leave_trial(&self) -> Result<(), Fault> {
        let path = self.path.clone();
        let done = tokio::task::spawn_blocking(move || leave(&path)).await;
        let why = match done {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        let sentence = format!("{} cannot be written: set trial = false in it.", self.path.display());
        Err(Fault::new(FaultKind::Config, Scope::Item, sentence).action(Action::FixSettings).detail(why))
    }
}

/// What the installer was told, as the settings say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Where backups go.
    pub backups: Option<PathBuf>,
    /// No start at login.
    pub no_autostart: bool,
}

impl SettingsFile {
    /// Writes down what the installer was told; what it was not told stays. Makes the file where there is none.
    ///
    /// # Errors
    /// The file is no settings file, or cannot be written.
    pub fn tell(&self, told: &Told) -> io::Result<()> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read?,
        };
        match with(&text, told)? {
            Some(changed) => replace(&self.path, &changed),
            None => Ok(()),
        }
    }
}

/// The text with what was told; `None` where it says so already.
fn with(text: &str, told: &Told) -> io::Result<Option<String>> {
    let mut document: DocumentMut = text.parse().map_err(io::Error::other)?;
    if let Some(folder) = &told.backups {
        set(&mut document, "backup", "folder", folder.to_string_lossy().into_owned().into())?;
    }
    if told.no_autostart {
        set(&mut document, "desktop", "autostart", false.into())?;
    }
    let changed = document.to_string();
    Ok((changed != text).then_some(changed))
}

fn set(document: &mut DocumentMut, table: &str, key: &str, value: toml_edit::Value) -> io::Result<()> {
    let section = document.entry(table).or_insert_with(toml_edit::table);
    let section = section.as_table_like_mut();
    let section = section.ok_or_else(|| io::Error::other(format!("{table} is no section of it")))?;
    section.insert(key, toml_edit::value(value));
    Ok(())
}

fn leave(path: &Path) -> io::Result<()> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match without_trial(&text).map_err(io::Error::other)? {
        Some(changed) => replace(path, &changed),
        None => Ok(()),
    }
}

/// The text with `trial = false`; `None` where it says no other already.
fn without_trial(text: &str) -> Result<Option<String>, toml_edit::TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let Some(value) = document.get_mut("trial").and_then(|item| item.as_value_mut()) else {
        return Ok(None);
    };
    if value.as_bool() == Some(false) {
        return Ok(None);
    }
    let around = value.decor().clone();
    *value = false.into();
    *value.decor_mut() = around;
    Ok(Some(document.to_string()))
}

/// The old text or the new one, whatever happens in between.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = PathBuf::from(name);
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    // A file that only its owner may read stays so.
    if let Ok(there) = fs::metadata(path) {
        file.set_permissions(there.permissions())?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_changes_and_nothing_else() {
        let text = "# The shop's settings\r\nzone = \"Asia/Kolkata\"\ntrial   =  true  # until Monday\n\n[push]\n\
                    look_every_seconds = 30 # as before\n";
        let changed = without_trial(text).unwrap().unwrap();
        assert_eq!(changed.replace("\r\n", "\n"), text.replace("\r\n", "\n").replace("true", "false"));
        for same in ["", "trial = false\n", "[push]\nfrom_date = \"2026-04-01\"\n"] {
            assert_eq!(without_trial(same).unwrap(), None, "{same}");
        }
        assert!(without_trial("trial = ").is_err());
    }

    #[test]
    fn what_the_installer_was_told_is_written_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let file = SettingsFile::new(path.clone());
        file.tell(&Told::default()).unwrap();
        assert!(!path.exists(), "nothing was told");
        let told = Told { backups: Some(r"D:\Sicherung ü".into()), no_autostart: true };
        file.tell(&told).unwrap();
        let settings = crate::platform::read_settings(&path).unwrap();
        assert_eq!(
            (settings.backup.folder.as_ref(), settings.desktop.autostart),
            (told.backups.as_ref(), false)
        );

        fs::write(&path, "# ours\nzone = \"Asia/Kolkata\"\n[desktop] # icon\ntoasts = false\n").unwrap();
        file.tell(&Told { no_autostart: true, backups: None }).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# ours\nzone") && text.contains("[desktop] # icon\ntoasts = false\n"),
            "{text}"
        );
        let settings = crate::platform::read_settings(&path).unwrap();
        assert!(!settings.desktop.autostart && !settings.desktop.toasts);
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        file.tell(&Told { no_autostart: true, backups: None }).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);

        for damaged in ["zone = [", "desktop = 1"] {
            fs::write(&path, damaged).unwrap();
            assert!(file.tell(&Told { no_autostart: true, backups: None }).is_err(), "{damaged}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
    }

    #[tokio::test]
    async fn the_file_is_replaced_whole_and_one_that_is_not_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let file = SettingsFile::new(path.clone());
        file.leave_trial().await.unwrap();
        assert!(!path.exists());
        fs::write(&path, "trial = true # test\n[web]\nport = 3031\n").unwrap();
        file.leave_trial().await.unwrap();
        file.leave_trial().await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "trial = false # test\n[web]\nport = 3031\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        fs::write(&path, "trial = [").unwrap();
        let fault = file.leave_trial().await.unwrap_err();
        assert!(fault.sentence.contains("set trial = false in it"), "{fault}");
    }
}
