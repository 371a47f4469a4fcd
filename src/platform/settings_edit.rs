//! Changing lines of `settings.toml`: everything else of it stays as a person wrote it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::Value;
use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::migrate;
use super::settings::{ReadSettings, environment, parse_whole};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::fields;
use crate::model::settings::{Settings, VERSION};
use crate::model::setup::Refusal;
use crate::ports::trial::TrialSettings;

/// Held from reading to writing: a change that another made in between would be lost.
static WRITING: Mutex<()> = Mutex::new(());

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

    /// Writes all of these settings or none; `Null` leaves one out. Waits for the disk.
    ///
    /// # Errors
    /// What would stand there is not right, with the key where one is to blame; or the file cannot be written.
    pub fn change(&self, changes: &BTreeMap<String, Value>) -> Result<(), Refusal> {
        let _one_writer = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        let text = self.text().map_err(|error| self.unwritable(&error))?;
        let changed = changed(&text, changes)?;
        if changed != text {
            replace(&self.path, &changed).map_err(|error| self.unwritable(&error))?;
        }
        Ok(())
    }

    /// The settings as they would be with these changes. Writes nothing.
    ///
    /// # Errors
    /// As [`SettingsFile::change`].
    pub fn with(&self, changes: &BTreeMap<String, Value>) -> Result<ReadSettings, Refusal> {
        let text = self.text().map_err(|error| self.unwritable(&error))?;
        let read = parse_whole(&changed(&text, changes)?, &environment).map_err(Refusal::whole)?;
        let file = Some(self.path.clone());
        Ok(ReadSettings { settings: Settings { file, ..read.settings }, ..read })
    }

    /// Brings a file of an older shape up to date; what stood there is kept beside it. Waits for the disk.
    ///
    /// # Errors
    /// The system's, or a text that is no TOML.
    pub fn bring_up(&self) -> io::Result<Option<u32>> {
        let text = self.text()?;
        let mut document: DocumentMut = text.parse().map_err(io::Error::other)?;
        let older = migrate::bring_up(&mut document).map_err(io::Error::other)?;
        let Some(version) = older.filter(|_| !document.is_empty()) else { return Ok(None) };
        let kept = self.path.with_extension(format!("v{version}.toml"));
        if !kept.exists() {
            fs::copy(&self.path, kept)?;
        }
        put(&mut document, "version", &VERSION.into()).map_err(io::Error::other)?;
        replace(&self.path, &document.to_string())?;
        Ok(Some(version))
    }

    fn text(&self) -> io::Result<String> {
        match fs::read_to_string(&self.path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(error),
        }
    }

    fn unwritable(&self, error: &io::Error) -> Refusal {
        Refusal::whole(format!("The settings cannot be kept in {}: {error}.", self.path.display()))
    }
}

/// The text with these changes, checked as a whole.
fn changed(text: &str, changes: &BTreeMap<String, Value>) -> Result<String, Refusal> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Refusal::whole(format!("The settings file is not right, and so nothing was changed in it: {error}"))
    };
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| unreadable(&error.message()))?;
    migrate::bring_up(&mut document).map_err(|error| unreadable(&error))?;
    for (key, given) in changes {
        let refused = |sentence: String| Refusal { sentence, field: Some(key.clone()) };
        let field = fields::find(key).filter(|field| !field.is_secret());
        let field = field.ok_or_else(|| refused(format!("There is no setting {key}.")))?;
        let value = field.read(given).map_err(refused)?;
        if environment(key).is_some() {
            return Err(refused(
                "This is set by the environment of the program, and counts from there.".to_owned(),
            ));
        }
        put(&mut document, key, &value).map_err(refused)?;
    }
    if changes.is_empty() {
        return Ok(text.to_owned());
    }
    put(&mut document, "version", &VERSION.into()).map_err(Refusal::whole)?;
    let changed = document.to_string();
    parse_whole(&changed, &|_| None).map_err(|why| {
        let blamed = changes.keys().find(|key| why.contains(key.as_str())).or_else(|| changes.keys().next());
        Refusal { sentence: sentence(&why), field: blamed.cloned() }
    })?;
    Ok(changed)
}

/// What is wrong, as a sentence.
fn sentence(why: &str) -> String {
    let why =
        why.split_once(": ").filter(|(place, _)| place.starts_with("line ")).map_or(why, |(_, rest)| rest);
    let first = why.chars().next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let rest: String = why.chars().skip(1).collect();
    format!("{first}{}.", rest.trim_end_matches('.'))
}

/// Has the setting say this; `Null` leaves it out. Comments and the order of lines stay.
pub(super) fn put(document: &mut DocumentMut, key: &str, value: &Value) -> Result<(), String> {
    let (above, name) = key.rsplit_once('.').map_or((None, key), |(above, name)| (Some(above), name));
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for step in above.into_iter().flat_map(|above| above.split('.')) {
        if table.get(step).is_none() {
            if value.is_null() {
                return Ok(());
            }
            table.insert(step, Item::Table(Table::new()));
        }
        table = table
            .get_mut(step)
            .and_then(Item::as_table_like_mut)
            .ok_or_else(|| format!("{step} is no table in the settings file"))?;
    }
    let Some(value) = toml_value(value) else {
        table.remove(name);
        return Ok(());
    };
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(there) => {
            let around = there.decor().clone();
            *there = value;
            *there.decor_mut() = around;
        }
        None => {
            table.insert(name, Item::Value(value));
        }
    }
    Ok(())
}

fn toml_value(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => number.as_i64()?.into(),
        Value::String(text) => text.as_str().into(),
        Value::Array(all) => toml_edit::Value::Array(all.iter().filter_map(toml_value).collect()),
        Value::Object(all) => {
            let mut table = toml_edit::InlineTable::new();
            for (name, value) in all {
                if let Some(value) = toml_value(value) {
                    table.insert(name, value);
                }
            }
            toml_edit::Value::InlineTable(table)
        }
    })
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
    let _one_writer = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
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
pub(super) fn without_trial(text: &str) -> Result<Option<String>, toml_edit::TomlError> {
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
#[path = "settings_edit_tests.rs"]
mod tests;
