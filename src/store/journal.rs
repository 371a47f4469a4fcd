//! The journal that people read, and small named values.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::status::{Activity, Entry};

/// Lines kept; older ones go.
const KEPT: i64 = 50_000;

pub(super) fn add(db: &Connection, entry: &Entry) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO journal (at, kind, number, sentence) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![entry.at.timestamp_millis(), entry.kind, entry.number, entry.sentence])?;
    db.prepare_cached("DELETE FROM journal WHERE id <= (SELECT MAX(id) FROM journal) - ?1")?
        .execute([KEPT])?;
    Ok(())
}

pub(super) fn activity(db: &Connection, limit: u32) -> rusqlite::Result<Vec<Activity>> {
    db.prepare_cached("SELECT id, at, kind, number, sentence FROM journal ORDER BY id DESC LIMIT ?1")?
        .query_map([limit], read)?
        .collect()
}

/// A line in the order of its columns.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Activity> {
    Ok(Activity {
        id: row.get(0)?,
        at: super::outbox::time(row.get(1)?),
        kind: row.get(2)?,
        number: row.get(3)?,
        sentence: row.get(4)?,
    })
}

pub(super) fn get(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT value FROM named WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional()
}

/// A change that means nothing by itself.
pub(super) fn tick(db: &Connection) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO named VALUES ('flushed', '1') ON CONFLICT (key) DO UPDATE \
         SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
    )?
    .execute([])
    .map(|_| ())
}

pub(super) fn set(db: &Connection, key: &str, value: Option<&str>) -> rusqlite::Result<()> {
    match value {
        Some(value) => db
            .prepare_cached("INSERT INTO named VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2")?
            .execute(params![key, value])?,
        None => db.prepare_cached("DELETE FROM named WHERE key = ?1")?.execute([key])?,
    };
    Ok(())
}
