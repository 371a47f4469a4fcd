//! ShopSync's store, looked at from outside while it runs or after it died.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// How many items stand in each state.
pub(crate) type States = BTreeMap<String, u64>;

/// The store in this data folder.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join("shopsync.sqlite")
}

fn look(data: &Path) -> Option<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file(data), flags).ok()?;
    connection.busy_timeout(Duration::from_secs(2)).ok()?;
    Some(connection)
}

/// The outbox, state by state; empty where it cannot be read at this moment.
pub(crate) fn states(data: &Path) -> States {
    let read = || -> Option<States> {
        let connection = look(data)?;
        let mut select = connection.prepare("SELECT state, COUNT(*) FROM outbox GROUP BY state").ok()?;
        let rows = select
            .query_map([], |row| Ok((row.get::<_, String>(0)?, u64::from(row.get::<_, u32>(1)?))))
            .ok()?;
        rows.collect::<Result<_, _>>().ok()
    };
    read().unwrap_or_default()
}

/// Whether an item may be with RainTek right now.
pub(crate) fn is_on_its_way(states: &States) -> bool {
    ["sending", "unknown"].iter().any(|state| states.contains_key(*state))
}

/// SQLite's own word on a database.
pub(crate) fn integrity(database: &Path) -> String {
    let connection = Connection::open(database).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// A copy of a database at one moment, which may be in use.
pub(crate) fn copy(database: &Path, to: &Path) {
    let from = Connection::open(database).unwrap();
    from.busy_timeout(Duration::from_secs(10)).unwrap();
    let mut to = Connection::open(to).unwrap();
    let backup = rusqlite::backup::Backup::new(&from, &mut to).unwrap();
    backup.run_to_completion(1_000, Duration::ZERO, None).unwrap();
}

/// Puts a copy back, as if what was written since had never reached the disk.
pub(crate) fn put_back(copy: &Path, database: &Path) {
    for rest in ["-wal", "-shm"] {
        let mut name = database.as_os_str().to_owned();
        name.push(rest);
        let _ = std::fs::remove_file(PathBuf::from(name));
    }
    std::fs::copy(copy, database).unwrap();
}
