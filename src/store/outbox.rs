//! The outbox: one row for each completed invoice the app ever showed.

use chrono::{DateTime, NaiveDate, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::awareness::BillKey;
use crate::model::ids::{InvId, RecordId};
use crate::model::invoice::InvoiceHead;
use crate::model::outbox::{Item, ItemState};
use crate::model::status::{Counts, Entry};
use crate::ports::TakenUp;

const COLUMNS: &str = "record_id, number, customer, amount, state, attempts, seq, first_seen, first_failed, \
     next_try, fault, inv_id, digest, failed_digest, updated, done_at, stamped_failed";

/// A stored number of milliseconds as a time; one out of range (a damaged row) reads as the epoch: long due.
pub(super) fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Item> {
    let invalid = |index| rusqlite::Error::InvalidColumnType(index, "outbox".into(), Type::Text);
    let state: String = row.get(4)?;
    let fault: Option<String> = row.get(10)?;
    Ok(Item {
        record_id: RecordId::new(row.get::<_, String>(0)?),
        number: row.get(1)?,
        customer: row.get(2)?,
        amount: row.get::<_, Option<String>>(3)?.and_then(|text| text.parse().ok()),
        state: ItemState::parse(&state).ok_or_else(|| invalid(4))?,
        attempts: row.get(5)?,
        seq: row.get(6)?,
        first_seen: time(row.get(7)?),
        first_failed: row.get::<_, Option<i64>>(8)?.map(time),
        next_try: time(row.get(9)?),
        fault: fault.and_then(|text| serde_json::from_str(&text).ok()),
        inv_id: row.get(11)?,
        digest: row.get(12)?,
        failed_digest: row.get(13)?,
        updated: row.get(14)?,
        done_at: row.get::<_, Option<i64>>(15)?.map(time),
        stamped_failed: row.get(16)?,
    })
}

pub(super) fn take_up(
    db: &mut Connection,
    heads: &[InvoiceHead],
    now: DateTime<Utc>,
) -> rusqlite::Result<TakenUp> {
    let mut taken = TakenUp::default();
    let transaction = db.transaction()?;
    {
        let mut find =
            transaction.prepare_cached("SELECT state, updated, inv_id FROM outbox WHERE record_id = ?1")?;
        let mut add = transaction.prepare_cached(
            "INSERT INTO outbox (record_id, number, customer, amount, day, state, attempts, seq, first_seen, \
             next_try, updated) VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', 0, \
             (SELECT COALESCE(MAX(seq), 0) + 1 FROM outbox), ?6, ?6, ?7)",
        )?;
        let mut again = transaction.prepare_cached(
            "UPDATE outbox SET state = 'waiting', attempts = 0, first_seen = ?2, next_try = ?2, first_failed = NULL, \
             fault = NULL, updated = ?3, seq = (SELECT MAX(seq) + 1 FROM outbox) WHERE record_id = ?1",
        )?;
        let mut show = transaction.prepare_cached(
            "UPDATE outbox SET number = ?2, customer = ?3, amount = ?4, day = ?5 WHERE record_id = ?1",
        )?;
        for head in heads {
            let id = head.id.as_str();
            let amount = head.grand_total.map(|amount| amount.to_string());
            let day = head.date.map(|day| day.to_string());
            let known: Option<(String, String, Option<InvId>)> =
                find.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
            let Some((state, updated, inv_id)) = known else {
                add.execute(params![
                    id,
                    head.number,
                    head.customer,
                    amount,
                    day,
                    now.timestamp_millis(),
                    head.updated
                ])?;
                taken.new += 1;
                continue;
            };
            match ItemState::parse(&state) {
                Some(ItemState::Withdrawn) => {
                    again.execute(params![id, now.timestamp_millis(), head.updated])?;
                    show.execute(params![id, head.number, head.customer, amount, day])?;
                    taken.new += 1;
                }
                Some(ItemState::Done) if updated != head.updated || head.stamped != inv_id => {
                    taken.recheck.push(head.id.clone());
                }
                Some(ItemState::Done) => {}
                _ if updated != head.updated => {
                    show.execute(params![id, head.number, head.customer, amount, day])?;
                    taken.recheck.push(head.id.clone());
                }
                _ => {}
            }
        }
    }
    transaction.commit()?;
    Ok(taken)
}

pub(super) fn item(db: &Connection, id: &RecordId) -> rusqlite::Result<Option<Item>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE record_id = ?1"))?
        .query_row([id.as_str()], read)
        .optional()
}

pub(super) fn items(db: &mut Connection, ids: &[RecordId]) -> rusqlite::Result<Vec<Item>> {
    // One transaction, so that all are of one moment.
    let transaction = db.transaction()?;
    ids.iter().filter_map(|id| item(&transaction, id).transpose()).collect()
}

/// Of one number only the oldest that never stood in RainTek: its invoices keep their order.
pub(super) fn due(db: &Connection, now: DateTime<Utc>, limit: u32) -> rusqlite::Result<Vec<Item>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox AS mine INDEXED BY outbox_due \
         WHERE state NOT IN ('done', 'withdrawn') AND next_try <= ?1 AND NOT EXISTS \
         (SELECT 1 FROM outbox AS older WHERE older.number = mine.number AND older.seq < mine.seq \
         AND older.inv_id IS NULL AND older.state NOT IN ('done', 'withdrawn') \
         AND (older.state <> 'held' OR older.next_try <= ?1)) ORDER BY seq LIMIT ?2"
    ))?
    .query_map(params![now.timestamp_millis(), limit], read)?
    .collect()
}

pub(super) fn next_due(db: &Connection) -> rusqlite::Result<Option<DateTime<Utc>>> {
    db.prepare_cached(
        "SELECT MIN(next_try) FROM outbox AS mine WHERE state NOT IN ('done', 'withdrawn') \
         AND NOT EXISTS (SELECT 1 FROM outbox AS older WHERE older.number = mine.number AND older.seq < mine.seq \
         AND older.inv_id IS NULL AND older.state NOT IN ('done', 'withdrawn', 'held'))",
    )?
    .query_row([], |row| Ok(row.get::<_, Option<i64>>(0)?.map(time)))
}

/// Items, and what the journal says of it, in one transaction.
pub(super) fn put_with(db: &mut Connection, items: &[Item], journal: &[Entry]) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    put_all(&transaction, items)?;
    journal.iter().try_for_each(|entry| super::journal::add(&transaction, entry))?;
    transaction.commit()
}

fn put_all(db: &Connection, items: &[Item]) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "UPDATE outbox SET number = ?2, customer = ?3, amount = ?4, state = ?5, attempts = ?6, \
             first_seen = ?7, first_failed = ?8, next_try = ?9, fault = ?10, inv_id = ?11, digest = ?12, \
             failed_digest = ?13, updated = ?14, done_at = ?15, stamped_failed = ?16 WHERE record_id = ?1",
    )?;
    for item in items {
        let fault = item.fault.as_ref().and_then(|fault| serde_json::to_string(fault).ok());
        let changed = statement.execute(params![
            item.record_id.as_str(),
            item.number,
            item.customer,
            item.amount.map(|amount| amount.to_string()),
            item.state.name(),
            item.attempts,
            item.first_seen.timestamp_millis(),
            item.first_failed.map(|at| at.timestamp_millis()),
            item.next_try.timestamp_millis(),
            fault,
            item.inv_id,
            item.digest,
            item.failed_digest,
            item.updated,
            item.done_at.map(|at| at.timestamp_millis()),
            item.stamped_failed,
        ])?;
        if changed != 1 {
            return Err(rusqlite::Error::StatementChangedRows(changed));
        }
    }
    Ok(())
}

pub(super) fn open_items(db: &Connection, limit: u32) -> rusqlite::Result<Vec<Item>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE state NOT IN ('done', 'withdrawn') \
         ORDER BY state <> 'held', fault IS NULL, seq LIMIT ?1"
    ))?
    .query_map([limit], read)?
    .collect()
}

pub(super) fn owner_of(db: &Connection, inv_id: InvId) -> rusqlite::Result<Option<Item>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE inv_id = ?1 ORDER BY done_at DESC, seq DESC LIMIT 1"
    ))?
    .query_row([inv_id], read)
    .optional()
}

/// Numbers are compared as [`BillKey`] spells them.
pub(super) fn proven_as(db: &Connection, key: &BillKey) -> rusqlite::Result<Option<Item>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE inv_id = ?1 AND UPPER(TRIM(number)) = ?2 \
         ORDER BY done_at DESC, seq DESC LIMIT 1"
    ))?
    .query_row(params![key.inv_id, key.number], read)
    .optional()
}

pub(super) fn booked_under(db: &Connection, number: &str) -> rusqlite::Result<Option<Item>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE number = ?1 AND inv_id IS NOT NULL ORDER BY seq DESC LIMIT 1"
    ))?
    .query_row([number], read)
    .optional()
}

pub(super) fn booked_beside(db: &Connection, number: &str, id: &RecordId) -> rusqlite::Result<Vec<RecordId>> {
    db.prepare_cached(
        "SELECT record_id FROM outbox WHERE number = ?1 AND record_id <> ?2 AND inv_id IS NOT NULL \
         AND state IN ('done', 'applied') ORDER BY seq",
    )?
    .query_map([number, id.as_str()], |row| row.get::<_, String>(0).map(RecordId::new))?
    .collect()
}

pub(super) fn proven_after(db: &Connection, seq: i64, limit: u32) -> rusqlite::Result<Vec<Item>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE seq > ?1 AND state = 'done' ORDER BY seq LIMIT ?2"
    ))?
    .query_map(params![seq, limit], read)?
    .collect()
}

pub(super) fn booked(db: &Connection, since: Option<DateTime<Utc>>) -> rusqlite::Result<Vec<RecordId>> {
    db.prepare_cached(
        "SELECT record_id FROM outbox WHERE state IN ('done', 'applied') AND inv_id IS NOT NULL \
         AND done_at >= ?1 ORDER BY seq",
    )?
    .query_map([since.map_or(i64::MIN, |since| since.timestamp_millis())], |row| {
        row.get::<_, String>(0).map(RecordId::new)
    })?
    .collect()
}

pub(super) fn make_due(db: &Connection, number: Option<&str>, now: DateTime<Utc>) -> rusqlite::Result<u64> {
    let changed = db
        .prepare_cached(
            "UPDATE outbox SET next_try = ?1 WHERE state NOT IN ('done', 'withdrawn') \
             AND (?2 IS NULL OR number = ?2)",
        )?
        .execute(params![now.timestamp_millis(), number])?;
    Ok(u64::try_from(changed).unwrap_or_default())
}

pub(super) fn counts(db: &Connection, today: NaiveDate) -> rusqlite::Result<Counts> {
    let open = "SELECT COUNT(*) FROM outbox WHERE state NOT IN ('done', 'withdrawn')";
    let count = |sql: &str| -> rusqlite::Result<u64> {
        db.prepare_cached(sql)?
            .query_row([], |row| row.get::<_, i64>(0))
            .map(|n| u64::try_from(n).unwrap_or(0))
    };
    let of_today = |condition: &str| -> rusqlite::Result<u64> {
        db.prepare_cached(&format!("SELECT COUNT(*) FROM outbox WHERE day = ?1 AND {condition}"))?
            .query_row([today.to_string()], |row| row.get::<_, i64>(0))
            .map(|n| u64::try_from(n).unwrap_or(0))
    };
    Ok(Counts {
        waiting: count(&format!("{open} AND state <> 'held'"))?,
        held: count(&format!("{open} AND state = 'held'"))?,
        done_today: of_today("state IN ('done', 'applied')")?,
        seen_today: of_today("state <> 'withdrawn'")?,
        done_total: count("SELECT COUNT(*) FROM outbox WHERE done_at IS NOT NULL")?,
    })
}

pub(super) fn last_done(db: &Connection) -> rusqlite::Result<Option<(String, DateTime<Utc>)>> {
    db.prepare_cached(
        "SELECT number, done_at FROM outbox WHERE done_at IS NOT NULL ORDER BY done_at DESC LIMIT 1",
    )?
    .query_row([], |row| Ok((row.get(0)?, time(row.get(1)?))))
    .optional()
}
