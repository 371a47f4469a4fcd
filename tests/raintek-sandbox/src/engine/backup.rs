//! Backups: a consistent copy of the store in one file, read back, and restored as a database beside the shop's.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value, ValueRef};
use serde::{Deserialize, Serialize};

use super::session::{Failure, Session, Sink};
use super::shared::lock;
use crate::sql::backup::Copying;
use crate::sql::catalog::DATABASES;
use crate::sql::error::SqlError;
use crate::sql::types::{ColumnInfo, Ty};

/// The first line of a backup file; the second is its [`Header`], then comes the store.
const MAGIC: &str = "RAINTEK-SANDBOX-BAK 1";
/// Pages copied between two looks at the orders.
const PAGES: i32 = 16;

/// What each session does at the moment that takes long: its command and how far it is, in percent.
pub(crate) type Running = Arc<Mutex<BTreeMap<u16, (String, f64)>>>;

/// Databases restored beside the shop's: name -> the files they lie in, the data file first.
pub(crate) type Restored = Mutex<BTreeMap<String, Vec<PathBuf>>>;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    database: String,
    name: String,
    bytes: u64,
    checksum: Option<u64>,
}

/// Lets a connection of the store answer `sys.dm_exec_requests`.
pub(crate) fn install(connection: &Connection, running: &Running) -> rusqlite::Result<()> {
    let running = Arc::clone(running);
    connection.create_scalar_function("_requests", 0, FunctionFlags::SQLITE_UTF8, move |_| {
        let rows: Vec<_> =
            lock(&running).iter().map(|(spid, (what, part))| (*spid, what.clone(), *part)).collect();
        serde_json::to_string(&rows).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
    })?;
    connection.execute_batch(
        "CREATE TEMP VIEW IF NOT EXISTS _dm_exec_requests AS SELECT json_extract(value, '$[0]') AS session_id, \
         json_extract(value, '$[1]') AS command, json_extract(value, '$[2]') AS percent_complete \
         FROM json_each(_requests())",
    )
}

impl Session {
    /// Runs one of these statements.
    pub(crate) fn copying(&mut self, what: &Copying, sink: &mut dyn Sink) -> Result<(), Failure> {
        let verb = match what {
            Copying::Backup { .. } => "BACKUP DATABASE",
            Copying::Drop { .. } => "DROP DATABASE",
            _ => "RESTORE DATABASE",
        };
        if self.depth > 0 {
            let inside = "Cannot perform a backup or restore operation within a transaction.";
            return Err(SqlError::new(3021, 16, inside).into());
        }
        let spid = self.spid;
        lock(&self.shared.running).insert(spid, (verb.to_owned(), 0.0));
        let result = self.copy(what, sink);
        lock(&self.shared.running).remove(&spid);
        match (result, what) {
            (Err(Failure::Sql(first)), Copying::Backup { .. } | Copying::Restore { .. })
                if (3000..3300).contains(&first.number) =>
            {
                // the reason, and then that it was given up, as SQL Server says it
                sink.error(&first, 1);
                Err(SqlError::new(3013, 16, format!("{verb} is terminating abnormally.")).into())
            }
            (result, _) => result,
        }
    }

    fn copy(&mut self, what: &Copying, sink: &mut dyn Sink) -> Result<(), Failure> {
        let orders = self.shared.faults.now();
        let text = |value: &str| Value::Text(value.to_owned());
        match what {
            Copying::Backup { database, file, name, checksum } => {
                if !database.eq_ignore_ascii_case(self.shop()) {
                    return Err(no_database(database).into());
                }
                if orders.deny_backup {
                    return Err(device("open", file, 5).into());
                }
                self.back_up(Path::new(file), name, *checksum)?;
                sink.done(None, false, false);
            }
            Copying::VerifyOnly { file } => {
                open(Path::new(file))?;
                sink.error(&SqlError::new(3262, 0, "The backup set on file 1 is valid."), 1);
                sink.done(None, false, false);
            }
            Copying::HeaderOnly { file } => {
                let (header, _) = read(Path::new(file))?;
                let size = i64::try_from(header.bytes).unwrap_or(i64::MAX);
                let rows = [
                    ("BackupName", Ty::nvarchar(128), text(&header.name)),
                    ("BackupType", Ty::Int(1), Value::Integer(1)),
                    ("DatabaseName", Ty::nvarchar(128), text(&header.database)),
                    ("BackupSize", Ty::Dec { p: 20, s: 0 }, Value::Integer(size)),
                    ("HasBackupChecksums", Ty::Bit, Value::Integer(i64::from(header.checksum.is_some()))),
                ];
                self.answer(&[rows.to_vec()], sink)?;
            }
            Copying::FileListOnly { file } => {
                let (header, _) = read(Path::new(file))?;
                let size = i64::try_from(header.bytes).unwrap_or(i64::MAX);
                let row = |logical: String, kind: &str, size: i64| {
                    vec![
                        ("LogicalName", Ty::nvarchar(128), Value::Text(logical)),
                        ("PhysicalName", Ty::nvarchar(260), text("C:\\Data\\raintek")),
                        ("Type", Ty::nvarchar(1), text(kind)),
                        ("Size", Ty::Dec { p: 20, s: 0 }, Value::Integer(size)),
                    ]
                };
                let rows = [
                    row(header.database.clone(), "D", size),
                    row(format!("{}_log", header.database), "L", 4096),
                ];
                self.answer(&rows, sink)?;
            }
            Copying::Restore { database, file, moves, replace } => {
                if orders.deny_restore {
                    let denied = "CREATE DATABASE permission denied in database 'master'.";
                    return Err(SqlError::new(262, 14, denied).into());
                }
                if DATABASES.iter().any(|known| known.eq_ignore_ascii_case(database)) {
                    return Err(SqlError::unsupported("RESTORE over the shop's own database").into());
                }
                self.restore(database, Path::new(file), moves, *replace)?;
                sink.done(None, false, false);
            }
            Copying::Drop { database } => {
                let Some(files) = lock(&self.shared.restored).remove(&database.to_lowercase()) else {
                    let sentence = format!(
                        "Cannot drop the database '{database}', because it does not exist or you do not have permission."
                    );
                    return Err(SqlError::new(3701, 11, sentence).into());
                };
                for file in files {
                    // a file that is gone already is as good as removed
                    let _ = std::fs::remove_file(file);
                }
                sink.done(None, false, false);
            }
        }
        Ok(())
    }

    fn shop(&self) -> &'static str {
        DATABASES.first().copied().unwrap_or_default()
    }

    fn back_up(&mut self, file: &Path, name: &str, checksum: bool) -> Result<(), Failure> {
        let shown = file.display().to_string();
        let mut target = std::fs::File::create(file).map_err(|error| os(&error, &shown))?;
        let copy = file.with_extension("sandbox-copy");
        let made = self.online_copy(&copy);
        let bytes = made.and_then(|()| std::fs::read(&copy).map_err(|error| os(&error, &shown).into()));
        let _ = std::fs::remove_file(&copy);
        let bytes = bytes?;
        let header = Header {
            database: self.shop().to_owned(),
            name: name.to_owned(),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            checksum: checksum.then(|| sum(&bytes)),
        };
        let header = serde_json::to_string(&header)
            .map_err(|error| SqlError::new(50000, 16, format!("The stand-in's own store: {error}")))?;
        write!(target, "{MAGIC}\n{header}\n")
            .and_then(|()| target.write_all(&bytes))
            .and_then(|()| target.sync_all())
            .map_err(|error| os(&error, &shown))?;
        Ok(())
    }

    /// SQLite's online backup: consistent, whoever writes meanwhile.
    fn online_copy(&mut self, to: &Path) -> Result<(), Failure> {
        let store =
            |error: rusqlite::Error| SqlError::new(50000, 16, format!("The stand-in's own store: {error}"));
        let _ = std::fs::remove_file(to);
        let mut copy = Connection::open(to).map_err(store)?;
        let backup = Backup::new(&self.store, &mut copy).map_err(store)?;
        loop {
            let step = backup.step(PAGES).map_err(store)?;
            let progress = backup.progress();
            let done = i64::from(progress.pagecount - progress.remaining);
            let percent = i32::try_from(done * 100 / i64::from(progress.pagecount.max(1))).unwrap_or(0);
            if let Some((_, shown)) = lock(&self.shared.running).get_mut(&self.spid) {
                *shown = f64::from(percent);
            }
            if step == StepResult::Done {
                return Ok(());
            }
            if matches!(step, StepResult::Busy | StepResult::Locked) {
                std::thread::sleep(Duration::from_millis(1));
            }
            self.shared.faults.wait_while_backup_held();
            if let Some(stop) = (self.watch)() {
                return Err(stop.into());
            }
        }
    }

    fn restore(
        &mut self,
        database: &str,
        file: &Path,
        moves: &[(String, String)],
        replace: bool,
    ) -> Result<(), Failure> {
        let (header, bytes) = open(file)?;
        let key = database.to_lowercase();
        if lock(&self.shared.restored).contains_key(&key) && !replace {
            let sentence = format!("Database '{database}' already exists. Choose a different database name.");
            return Err(SqlError::new(1801, 16, sentence).into());
        }
        let place = |logical: String| {
            let found = moves.iter().find(|(name, _)| name.eq_ignore_ascii_case(&logical));
            found.map(|(_, path)| PathBuf::from(path)).ok_or_else(|| {
                // the shop's own files are in use
                SqlError::new(
                    1834,
                    16,
                    format!("The file for '{logical}' cannot be overwritten. It is being used by the shop's database."),
                )
            })
        };
        let data = place(header.database.clone())?;
        let log = place(format!("{}_log", header.database))?;
        std::fs::write(&data, bytes).map_err(|error| os(&error, &data.display().to_string()))?;
        std::fs::write(&log, b"log").map_err(|error| os(&error, &log.display().to_string()))?;
        lock(&self.shared.restored).insert(key, vec![data, log]);
        Ok(())
    }

    /// Makes restored databases reachable by three-part names for one batch; what it gives back ends that.
    pub(crate) fn attach_restored(&self, sql: &str) -> Result<Vec<String>, Failure> {
        let lower = sql.to_lowercase();
        let wanted: Vec<(String, PathBuf)> = lock(&self.shared.restored)
            .iter()
            .filter(|(name, _)| lower.contains(&format!("[{name}].")))
            .filter_map(|(name, files)| Some((name.clone(), files.first()?.clone())))
            .collect();
        let mut attached = Vec::new();
        for (name, file) in wanted {
            let file = file.display().to_string().replace('\'', "''");
            self.steer(&format!("ATTACH DATABASE '{file}' AS \"{name}\""))?;
            attached.push(name);
        }
        Ok(attached)
    }

    /// Ends what [`Self::attach_restored`] began.
    pub(crate) fn detach(&self, attached: &[String]) {
        for name in attached {
            // a session that is cut off in the middle takes its connection with it
            let _ = self.steer(&format!("DETACH DATABASE \"{name}\""));
        }
    }

    fn answer(&mut self, rows: &[Vec<(&str, Ty, Value)>], sink: &mut dyn Sink) -> Result<(), Failure> {
        let columns: Vec<ColumnInfo> = rows
            .first()
            .into_iter()
            .flatten()
            .map(|(name, ty, _)| ColumnInfo { name: (*name).to_owned(), ty: *ty, identity: false })
            .collect();
        sink.columns(&columns)?;
        for row in rows {
            let cells: Vec<ValueRef<'_>> = row.iter().map(|(_, _, value)| ValueRef::from(value)).collect();
            sink.row(&columns, &cells)?;
        }
        sink.done(u64::try_from(rows.len()).ok(), true, false);
        Ok(())
    }
}

/// Reads what a backup says of itself; its content is not looked at.
fn read(file: &Path) -> Result<(Header, Vec<u8>), SqlError> {
    let shown = file.display().to_string();
    let mut all = Vec::new();
    std::fs::File::open(file)
        .and_then(|mut file| file.read_to_end(&mut all))
        .map_err(|error| os(&error, &shown))?;
    let foreign = || {
        SqlError::new(
            3242,
            16,
            format!("The file on device '{shown}' is not a valid Microsoft Tape Format backup set."),
        )
    };
    let mut parts = all.splitn(3, |byte| *byte == b'\n');
    if parts.next() != Some(MAGIC.as_bytes()) {
        return Err(foreign());
    }
    let header: Header =
        parts.next().and_then(|line| serde_json::from_slice(line).ok()).ok_or_else(foreign)?;
    Ok((header, parts.next().unwrap_or_default().to_vec()))
}

/// Reads a backup whole and checks it.
fn open(file: &Path) -> Result<(Header, Vec<u8>), SqlError> {
    let shown = file.display().to_string();
    let (header, store) = read(file)?;
    if u64::try_from(store.len()).ok() != Some(header.bytes) {
        return Err(SqlError::new(
            3203,
            16,
            format!("Read on \"{shown}\" failed: 38(Reached the end of the file.)"),
        ));
    }
    if header.checksum.is_some_and(|expected| expected != sum(&store)) {
        return Err(SqlError::new(3189, 16, "Damage to the backup set was detected."));
    }
    Ok((header, store))
}

/// FNV-1a: enough to notice a byte that changed.
fn sum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn no_database(name: &str) -> SqlError {
    SqlError::new(
        911,
        16,
        format!("Database '{name}' does not exist. Make sure that the name is entered correctly."),
    )
}

fn os(error: &std::io::Error, file: &str) -> SqlError {
    match error.kind() {
        ErrorKind::NotFound => device("open", file, 3),
        ErrorKind::PermissionDenied => device("open", file, 5),
        ErrorKind::StorageFull => SqlError::new(
            3202,
            16,
            format!("Write on \"{file}\" failed: 112(There is not enough space on the disk.)"),
        ),
        _ => device("open", file, 1117),
    }
}

fn device(doing: &str, file: &str, code: u32) -> SqlError {
    let words = match code {
        3 => "The system cannot find the path specified.",
        5 => "Access is denied.",
        _ => "The request could not be performed because of an I/O device error.",
    };
    SqlError::new(
        3201,
        16,
        format!("Cannot {doing} backup device '{file}'. Operating system error {code}({words})."),
    )
}
