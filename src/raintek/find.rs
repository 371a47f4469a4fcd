//! Where RainTek's database may be: what its own files say, what the system knows, and where it usually is. Nothing is
//! connected to here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files::{Found, from_files};
use super::link;
use crate::model::settings::{RaintekAuth, RaintekSettings};
use crate::ports::setup::{Instance, Machine};

/// Folders looked at, however many there are on a disk.
const MOST_FOLDERS: usize = 4_000;
/// Names that say nothing of a shop.
const SKIPPED: [&str; 6] =
    ["windows", "$recycle.bin", "system volume information", "perflogs", "recovery", "msocache"];

/// A place to try.
#[derive(Clone, PartialEq, Eq)]
pub struct Hint {
    /// How to connect, without the password.
    pub settings: RaintekSettings,
    /// The password, where a file tells it.
    pub password: Option<String>,
    /// `SQLSettings.dat`, `registry` or `localhost`.
    pub found_by: &'static str,
    /// The server's name, as it is shown.
    pub server: String,
    /// The instance of this PC, where it is known to be one.
    pub instance: Option<Instance>,
}

impl std::fmt::Debug for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hint")
            .field("server", &self.server)
            .field("database", &self.settings.database)
            .field("found_by", &self.found_by)
            .finish_non_exhaustive()
    }
}

/// Every place, the likeliest first. `seen` is told of each folder that is looked at.
pub fn find(machine: &dyn Machine, seen: &mut dyn FnMut(&Path)) -> Vec<Hint> {
    let instances = machine.instances();
    let mut hints: Vec<Hint> = Vec::new();
    for folder in places(machine) {
        seen(&folder);
        let Some(settings) = machine.file(&folder.join("SQLSettings.dat")) else { continue };
        let database = machine.file(&folder.join("TempDBSettings.dat"));
        let Some(found) = from_files(&settings, database.as_deref()) else { continue };
        let hint = from_folder(folder, found, &instances);
        if !hints.iter().any(|there| same(there, &hint)) {
            hints.push(hint);
        }
    }
    // A server whose login no file tells is tried with that of RainTek's files, and with the Windows account.
    let known = hints.first().cloned();
    for instance in &instances {
        let server =
            if is_default(&instance.name) { ".".to_owned() } else { format!(r".\{}", instance.name) };
        let hint = guess(known.as_ref(), server, "registry", Some(instance.clone()));
        if !hints.iter().any(|there| same(there, &hint)) {
            hints.push(hint);
        }
    }
    let local = guess(known.as_ref(), ".".to_owned(), "localhost", None);
    if !hints.iter().any(|there| same(there, &local)) {
        hints.push(local);
    }
    hints
}

/// Folders of a billing app: PocketBase's program beside its data.
pub fn find_app_folders(machine: &dyn Machine) -> Vec<PathBuf> {
    let is_app = |folder: &PathBuf| {
        let folders = machine.folders(folder);
        let has = |name: &str| folders.iter().any(|inner| named(inner, name));
        has("pb_data") && (has("pb_public") || has("pb_migrations") || has("pb_hooks"))
    };
    places(machine).into_iter().filter(is_app).collect()
}

fn from_folder(folder: PathBuf, found: Found, instances: &[Instance]) -> Hint {
    let instance = instance_of(&found.server, instances);
    let settings = RaintekSettings {
        server: found.server.clone(),
        user: found.user,
        database: found.database.unwrap_or(RaintekSettings::default().database),
        folder: Some(folder),
        ..RaintekSettings::default()
    };
    Hint {
        settings,
        password: Some(found.password),
        found_by: "SQLSettings.dat",
        server: found.server,
        instance,
    }
}

fn guess(known: Option<&Hint>, server: String, found_by: &'static str, instance: Option<Instance>) -> Hint {
    let usual = RaintekSettings::default();
    let (user, database, password) = match known {
        Some(hint) => (hint.settings.user.clone(), hint.settings.database.clone(), hint.password.clone()),
        None => (usual.user.clone(), usual.database.clone(), None),
    };
    // Who has no password can be let in by the Windows account alone.
    let auth = if password.is_none() && cfg!(windows) { RaintekAuth::Windows } else { RaintekAuth::Sql };
    let port = instance.as_ref().and_then(|instance| instance.port).unwrap_or(0);
    let settings = RaintekSettings { server: server.clone(), port, user, database, auth, ..usual };
    Hint { settings, password, found_by, server, instance }
}

/// The instance of this PC that a server's name means.
fn instance_of(server: &str, instances: &[Instance]) -> Option<Instance> {
    let (host, name) =
        server.split_once('\\').map_or((server, None), |(host, name)| (host, Some(name.trim())));
    let own = std::env::var("COMPUTERNAME").unwrap_or_default();
    let here = matches!(host.trim(), "" | "." | "(local)" | "localhost" | "127.0.0.1")
        || (!own.is_empty() && host.trim().eq_ignore_ascii_case(&own));
    let meant = |instance: &&Instance| match name {
        Some(name) => instance.name.eq_ignore_ascii_case(name),
        None => is_default(&instance.name),
    };
    here.then(|| instances.iter().find(meant).cloned()).flatten()
}

fn is_default(instance: &str) -> bool {
    instance.eq_ignore_ascii_case("MSSQLSERVER")
}

/// The same server and database, however both are written.
fn same(one: &Hint, other: &Hint) -> bool {
    let server = |hint: &Hint| {
        let name = hint.server.to_lowercase();
        let name = name.trim().trim_start_matches("tcp:").to_owned();
        let (host, rest) = name.split_once('\\').map_or((name.as_str(), ""), |(host, rest)| (host, rest));
        let host = if matches!(host, "" | "." | "(local)" | "localhost" | "127.0.0.1") { "." } else { host };
        format!("{host}\\{rest}")
    };
    server(one) == server(other) && one.settings.database.eq_ignore_ascii_case(&other.settings.database)
}

/// Folders in which RainTek may lie: of programs that run, of the Start menu's shortcuts, and of every disk two levels
/// deep.
fn places(machine: &dyn Machine) -> Vec<PathBuf> {
    let mut known = BTreeSet::new();
    let mut places = Vec::new();
    let mut add = |folder: PathBuf, places: &mut Vec<PathBuf>| {
        if known.len() < MOST_FOLDERS && known.insert(folder.to_string_lossy().to_lowercase()) {
            places.push(folder);
        }
    };
    for folder in machine.running() {
        add(folder, &mut places);
    }
    for shortcut in machine.shortcuts() {
        let target = machine.file(&shortcut).and_then(|bytes| link::target(&bytes));
        if let Some(folder) = target.as_deref().and_then(folder_of) {
            add(machine.place(folder), &mut places);
        }
    }
    for root in machine.roots() {
        add(root.clone(), &mut places);
        let first: Vec<PathBuf> =
            machine.folders(&root).into_iter().filter(|folder| !is_skipped(folder)).collect();
        for folder in &first {
            add(folder.clone(), &mut places);
        }
        for folder in first {
            for inner in machine.folders(&folder) {
                add(inner, &mut places);
            }
        }
    }
    places
}

fn is_skipped(folder: &Path) -> bool {
    SKIPPED.iter().any(|name| named(folder, name))
}

fn named(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|own| own.to_string_lossy().eq_ignore_ascii_case(name))
}

/// The folder of a Windows path, wherever this runs.
fn folder_of(path: &str) -> Option<&str> {
    path.rsplit_once(['\\', '/']).map(|(folder, _)| folder).filter(|folder| !folder.is_empty())
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
