//! The store's tables, version by version. A migration imports no live type, so that it never changes.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::classify;
use crate::model::fault::{Action, Fault, FaultKind, Scope};

/// More than there are different statements: what falls out is parsed anew each time.
const STATEMENTS: usize = 128;

const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE outbox (
        record_id TEXT PRIMARY KEY,
        number TEXT NOT NULL,
        customer TEXT NOT NULL,
        amount TEXT,
        day TEXT,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        seq INTEGER NOT NULL UNIQUE,
        first_seen INTEGER NOT NULL,
        first_failed INTEGER,
        next_try INTEGER NOT NULL,
        fault TEXT,
        inv_id INTEGER,
        digest TEXT,
        failed_digest TEXT,
        updated TEXT NOT NULL,
        done_at INTEGER,
        stamped_failed TEXT
    ) STRICT;
    CREATE INDEX outbox_number ON outbox (number, seq);
    CREATE INDEX outbox_open ON outbox (next_try, seq) WHERE state NOT IN ('done', 'withdrawn');
    CREATE INDEX outbox_inv_id ON outbox (inv_id) WHERE inv_id IS NOT NULL;
    CREATE INDEX outbox_day ON outbox (day);
    CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at IS NOT NULL;
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        number TEXT NOT NULL,
        sentence TEXT NOT NULL
    ) STRICT;
    CREATE TABLE named (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE bills (
        inv_id INTEGER NOT NULL,
        number TEXT NOT NULL COLLATE NOCASE,
        day TEXT NOT NULL,
        digest TEXT NOT NULL,
        record_id TEXT,
        state TEXT NOT NULL,
        sentence TEXT,
        PRIMARY KEY (inv_id, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX bills_day ON bills (day, state);
    CREATE INDEX bills_problem ON bills (state, day) WHERE sentence IS NOT NULL;
",
    super::alerts::TABLES,
    super::trial::TABLES,
    // What is due is asked for all the time, and goes through the open items alone, however many are done.
    "
    CREATE INDEX outbox_due ON outbox (seq) WHERE state NOT IN ('done', 'withdrawn');
",
];

/// Sets what every connection needs and brings the tables up to date.
pub(super) fn prepare(db: &mut Connection) -> Result<(), Fault> {
    let run = |db: &mut Connection| -> rusqlite::Result<i64> {
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.busy_timeout(std::time::Duration::from_secs(10))?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        // A plan holds whatever is bound: else what a partial index might serve is planned anew with each value.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        db.pragma_query_value(None, "user_version", |row| row.get(0))
    };
    let version = run(db).map_err(|error| classify(&error))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > known {
        return Err(Fault::new(
            FaultKind::Config,
            Scope::Store,
            "The data folder was written by a newer ShopSync; install that version again.",
        )
        .action(Action::CallSupport)
        .detail(format!("store version {version}, known {known}")));
    }
    let done = usize::try_from(version).unwrap_or_default();
    for (number, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let mut apply = || -> rusqlite::Result<()> {
            let transaction = db.transaction()?;
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", i64::try_from(number + 1).unwrap_or(i64::MAX))?;
            transaction.commit()
        };
        apply().map_err(|error| classify(&error))?;
    }
    Ok(())
}
