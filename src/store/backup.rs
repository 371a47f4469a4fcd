//! Copies of the store, and databases in files that others' backups hold.

use std::path::Path;

use async_trait::async_trait;
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use super::{Store, classify};
use crate::model::backup::RowRange;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::ports::backup::StoreBackup;

/// Every table of ours that counts as its content.
const OWN: &str = "outbox";

#[async_trait]
impl StoreBackup for Store {
    async fn back_up(&self, file: &Path) -> Result<RowRange, Fault> {
        let file = file.to_owned();
        // On the store's own thread, in one step: nobody writes meanwhile, and a store is small.
        let rows = self
            .run(move |db| {
                let mut copy = Connection::open(&file)?;
                Backup::new(db, &mut copy)?.step(-1)?;
                // A single file, that nothing has to be kept beside.
                copy.pragma_update(None, "journal_mode", "DELETE")?;
                count(db, OWN)
            })
            .await?;
        Ok(RowRange::between(rows, rows))
    }

    async fn check(&self, database: &Path, table: Option<&str>) -> Result<u64, Fault> {
        let database = database.to_owned();
        let table = table.unwrap_or(OWN).to_owned();
        let name = database.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let checked = tokio::task::spawn_blocking(move || check(&database, &table)).await;
        let damaged = |detail: String| {
            let sentence = format!("The backup of {name} is damaged; a new one is needed.");
            Err(Fault::new(FaultKind::Permanent, Scope::Item, sentence).detail(detail))
        };
        match checked {
            Ok(Ok(Ok(rows))) => Ok(rows),
            Ok(Ok(Err(found))) => damaged(found),
            Ok(Err(error)) if classify(&error).kind == FaultKind::Permanent => damaged(error.to_string()),
            Ok(Err(error)) => Err(Fault { scope: Scope::Item, ..classify(&error) }),
            Err(panic) => damaged(panic.to_string()),
        }
    }
}

/// The rows of the table, or what SQLite found wrong.
fn check(database: &Path, table: &str) -> rusqlite::Result<Result<u64, String>> {
    // With the log that may lie beside it, which is read in first; never a new, empty database.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(database, flags)?;
    let found: String = db.pragma_query_value(None, "integrity_check", |row| row.get(0))?;
    if found != "ok" {
        return Ok(Err(found));
    }
    count(&db, table).map(Ok)
}

fn count(db: &Connection, table: &str) -> rusqlite::Result<u64> {
    let table = table.replace('"', "\"\"");
    let rows: i64 = db.query_row(&format!("SELECT COUNT(*) FROM \"{table}\""), [], |row| row.get(0))?;
    Ok(u64::try_from(rows).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::State as _;

    #[tokio::test]
    async fn a_copy_is_checked_whole_and_a_damaged_one_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("shopsync.sqlite")).unwrap();
        for at in 0..200 {
            store.set(&format!("key {at}"), Some(&"x".repeat(200))).await.unwrap();
        }
        let copy = folder.path().join("copy.sqlite");
        let rows = store.back_up(&copy).await.unwrap();
        assert!(rows.holds(store.check(&copy, None).await.unwrap()));
        assert_eq!(store.check(&copy, Some("named")).await, Ok(200));

        let mut bytes = std::fs::read(&copy).unwrap();
        // The head of a page: damage to a text within one is nothing SQLite could notice.
        let middle = bytes.len() / 2 / 4096 * 4096;
        bytes[middle..middle + 2000].fill(0xA5);
        std::fs::write(&copy, bytes).unwrap();
        let fault = store.check(&copy, None).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
        std::fs::write(&copy, "no database at all, but long enough to be looked at as one").unwrap();
        assert_eq!(store.check(&copy, None).await.unwrap_err().kind, FaultKind::Permanent);
        assert!(store.check(&folder.path().join("none"), None).await.is_err());
    }
}
