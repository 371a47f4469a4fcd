//! What alerts keep: events that were raised, what was said, messages that wait for the internet.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, params};

use super::outbox::time;
use super::{Store, journal};
use crate::model::alert::{CatchUp, Event, Level, Message, Queued, Raised};
use crate::model::fault::Fault;
use crate::ports::alerts::AlertStore;

/// A migration: never changed.
pub(super) const TABLES: &str = "
    CREATE TABLE alert_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        event TEXT NOT NULL
    ) STRICT;
    CREATE TABLE alert_queue (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        chat INTEGER NOT NULL,
        level TEXT NOT NULL,
        text TEXT NOT NULL
    ) STRICT;
";

/// What was said, as a named value.
const MEMORY: &str = "alerts.memory";
/// Events kept where nobody looks at them: no chat is set.
const MOST_EVENTS: i64 = 1000;
/// Messages kept for one chat.
const MOST_QUEUED: i64 = 500;

fn raise(db: &mut Connection, event: &str, at: DateTime<Utc>) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    transaction
        .prepare_cached("INSERT INTO alert_events (at, event) VALUES (?1, ?2)")?
        .execute(params![at.timestamp_millis(), event])?;
    transaction
        .prepare_cached("DELETE FROM alert_events WHERE id <= (SELECT MAX(id) FROM alert_events) - ?1")?
        .execute([MOST_EVENTS])?;
    transaction.commit()
}

fn raised(db: &Connection, limit: u32) -> rusqlite::Result<Vec<Raised>> {
    db.prepare_cached("SELECT id, at, event FROM alert_events ORDER BY id LIMIT ?1")?
        .query_map([limit], |row| {
            let event = serde_json::from_str(&row.get::<_, String>(2)?)
                .map_err(|error| rusqlite::Error::FromSqlConversionFailure(2, Type::Text, error.into()))?;
            Ok(Raised { id: row.get(0)?, at: time(row.get(1)?), event })
        })?
        .collect()
}

fn decide(
    db: &mut Connection,
    memory: &str,
    taken: Option<i64>,
    message: Option<&Message>,
    chats: &[i64],
) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    journal::set(&transaction, MEMORY, Some(memory))?;
    if let Some(taken) = taken {
        transaction.prepare_cached("DELETE FROM alert_events WHERE id <= ?1")?.execute([taken])?;
    }
    if let Some(Message { at, level, text }) = message {
        let mut add = transaction
            .prepare_cached("INSERT INTO alert_queue (at, chat, level, text) VALUES (?1, ?2, ?3, ?4)")?;
        let mut trim = transaction.prepare_cached(
            "DELETE FROM alert_queue WHERE chat = ?1 AND id IN \
             (SELECT id FROM alert_queue WHERE chat = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
        )?;
        for chat in chats {
            add.execute(params![at.timestamp_millis(), chat, level.name(), text])?;
            trim.execute(params![chat, MOST_QUEUED])?;
        }
    }
    transaction.commit()
}

fn queued(db: &Connection, since: DateTime<Utc>) -> rusqlite::Result<Vec<Queued>> {
    db.prepare_cached("DELETE FROM alert_queue WHERE at < ?1")?.execute([since.timestamp_millis()])?;
    db.prepare_cached("SELECT id, at, chat, level, text FROM alert_queue ORDER BY id")?
        .query_map([], |row| {
            let level: String = row.get(3)?;
            Ok(Queued {
                id: row.get(0)?,
                chat: row.get(2)?,
                message: Message {
                    at: time(row.get(1)?),
                    level: Level::parse(&level).unwrap_or(Level::Critical),
                    text: row.get(4)?,
                },
            })
        })?
        .collect()
}

fn sent(db: &mut Connection, ids: &[i64]) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    {
        let mut delete = transaction.prepare_cached("DELETE FROM alert_queue WHERE id = ?1")?;
        ids.iter().try_for_each(|id| delete.execute([id]).map(|_| ()))?;
    }
    transaction.commit()
}

fn catch_up(db: &Connection, started: DateTime<Utc>, looked: DateTime<Utc>) -> rusqlite::Result<CatchUp> {
    let count = |condition: &str| -> rusqlite::Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM outbox WHERE first_seen <= ?1 AND {condition}");
        db.prepare_cached(&sql)?
            .query_row(params![looked.timestamp_millis(), started.timestamp_millis()], |row| {
                row.get::<_, i64>(0)
            })
            .map(|n| u64::try_from(n).unwrap_or(0))
    };
    Ok(CatchUp {
        done: count("done_at >= ?2 AND state IN ('done', 'applied')")?,
        // What fails, lacks its lines or is held is not caught up by waiting.
        left: count(
            "?2 IS NOT NULL AND state IN ('waiting', 'sending', 'unknown') AND first_failed IS NULL",
        )?,
    })
}

#[async_trait]
impl AlertStore for Store {
    async fn raise(&self, event: &Event, at: DateTime<Utc>) -> Result<(), Fault> {
        let event = event.clone();
        self.run(move |db| {
            let text = serde_json::to_string(&event)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            raise(db, &text, at)
        })
        .await
    }

    async fn raised(&self, limit: u32) -> Result<Vec<Raised>, Fault> {
        self.run(move |db| raised(db, limit)).await
    }

    async fn decide(
        &self,
        memory: &str,
        taken: Option<i64>,
        message: Option<&Message>,
        chats: &[i64],
    ) -> Result<(), Fault> {
        let (memory, message, chats) = (memory.to_owned(), message.cloned(), chats.to_vec());
        self.run(move |db| decide(db, &memory, taken, message.as_ref(), &chats)).await
    }

    async fn memory(&self) -> Result<Option<String>, Fault> {
        self.run(|db| journal::get(db, MEMORY)).await
    }

    async fn queued(&self, since: DateTime<Utc>) -> Result<Vec<Queued>, Fault> {
        self.run(move |db| queued(db, since)).await
    }

    async fn sent(&self, ids: &[i64]) -> Result<(), Fault> {
        let ids = ids.to_vec();
        self.run(move |db| sent(db, &ids)).await
    }

    async fn catch_up(&self, started: DateTime<Utc>, looked: DateTime<Utc>) -> Result<CatchUp, Fault> {
        self.run(move |db| catch_up(db, started, looked)).await
    }
}

#[cfg(test)]
#[path = "alerts_tests.rs"]
mod tests;
