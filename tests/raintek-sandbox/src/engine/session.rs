//! One client's session: its settings, its transaction, the locks it holds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::{Value, ValueRef};

use super::faults::CommitFault;
use super::locks::{Refusal, Resource};
use super::shared::Shared;
use crate::sql::catalog::DATABASES;
use crate::sql::error::{SqlError, Written, from_sqlite};
use crate::sql::types::ColumnInfo;

/// Why a session stops in the middle of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The client asked for it.
    Attention,
    /// The client is gone, or is to be cut off.
    Disconnect,
}

/// What ends a statement early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    Sql(SqlError),
    Stop(Stop),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// A change of the transaction that the client must hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Begun(u64),
    Committed(u64),
    RolledBack(u64),
}

/// Where answers go.
pub(crate) trait Sink {
    fn columns(&mut self, columns: &[ColumnInfo]) -> Result<(), Failure>;
    fn row(&mut self, columns: &[ColumnInfo], cells: &[ValueRef<'_>]) -> Result<(), Failure>;
    /// A statement is done; the count is of its rows.
    fn done(&mut self, count: Option<u64>, select: bool, failed: bool);
    fn error(&mut self, error: &SqlError, line: u32);
    fn change(&mut self, change: Change);
    fn database(&mut self, name: &str);
}

/// Tells whether the client gave up while a session works or waits.
pub(crate) type Watch = Arc<dyn Fn() -> Option<Stop> + Send + Sync>;

/// Settings that end with sp_executesql, where they are made in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) xact_abort: bool,
    pub(crate) no_count: bool,
    /// Milliseconds; below 0 waits for ever.
    pub(crate) lock_timeout: i64,
    pub(crate) identity_insert: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { xact_abort: false, no_count: false, lock_timeout: -1, identity_insert: None }
    }
}

/// One session.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) spid: u16,
    pub(crate) store: Connection,
    pub(crate) watch: Watch,
    pub(crate) settings: Settings,
    pub(crate) database: String,
    /// `@@TRANCOUNT`
    pub(crate) depth: u32,
    /// The descriptor of the open transaction; 0 where there is none.
    pub(crate) transaction: u64,
    /// The store's own transaction is open, and the write lock held.
    writing: bool,
    /// Application locks that end with the transaction.
    pub(crate) transaction_locks: Vec<Resource>,
    pub(crate) row_count: i64,
    pub(crate) last_error: i32,
    pub(crate) scope_identity: Value,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("spid", &self.spid)
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, spid: u16, watch: Watch) -> anyhow::Result<Self> {
        let mut store = shared.take_connection()?;
        let interrupt = Arc::clone(&watch);
        store.progress_handler(200_000, Some(move || interrupt().is_some()))?;
        Ok(Self {
            shared,
            spid,
            store,
            watch,
            settings: Settings::default(),
            database: DATABASES.first().copied().unwrap_or_default().to_owned(),
            depth: 0,
            transaction: 0,
            writing: false,
            transaction_locks: Vec::new(),
            row_count: 0,
            last_error: 0,
            scope_identity: Value::Null,
        })
    }

    /// Runs one of the few statements that steer the store.
    pub(crate) fn steer(&self, sql: &str) -> Result<(), Failure> {
        self.store
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map(|_| ())
            .map_err(|error| self.failure(&error, &Written::default(), None))
    }

    pub(crate) fn failure(&self, error: &rusqlite::Error, written: &Written, key: Option<&str>) -> Failure {
        if let rusqlite::Error::SqliteFailure(code, _) = error
            && code.code == rusqlite::ErrorCode::OperationInterrupted
        {
            return Failure::Stop((self.watch)().unwrap_or(Stop::Attention));
        }
        Failure::Sql(from_sqlite(error, written, key))
    }

    /// Takes the write lock and, inside a transaction, opens the store's.
    pub(crate) fn take_writer(&mut self) -> Result<(), Failure> {
        if self.writing {
            return Ok(());
        }
        let timeout = u64::try_from(self.settings.lock_timeout).ok().map(Duration::from_millis);
        let watch = Arc::clone(&self.watch);
        match self.shared.locks.acquire(self.spid, Resource::Writer, true, timeout, &|| watch().is_some()) {
            Ok(_) => {}
            Err(Refusal::Timeout) => return Err(SqlError::lock_timeout().into()),
            Err(Refusal::Deadlock) => return Err(SqlError::deadlock(i32::from(self.spid)).into()),
            Err(Refusal::Interrupted) => return Err((self.watch)().unwrap_or(Stop::Attention).into()),
        }
        if let Err(failure) = self.steer("BEGIN IMMEDIATE") {
            self.shared.locks.release(self.spid, &Resource::Writer);
            return Err(failure);
        }
        self.writing = true;
        Ok(())
    }

    /// Ends the store's transaction, if one is open, and lets the next writer in.
    fn end_writing(&mut self, commit: bool) -> Result<(), Failure> {
        if !self.writing {
            return Ok(());
        }
        let mut result = self.steer(if commit { "COMMIT" } else { "ROLLBACK" });
        if result.is_err() && !self.store.is_autocommit() {
            result = result.and(self.steer("ROLLBACK"));
        }
        self.writing = false;
        self.shared.locks.release(self.spid, &Resource::Writer);
        result
    }

    /// Runs a write: in its own transaction, or under a savepoint of the open one, so that it happens whole or not.
    pub(crate) fn writing<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let alone = self.depth == 0;
        self.take_writer()?;
        if !alone {
            self.steer("SAVEPOINT statement")?;
        }
        let result = work(self);
        if alone {
            let ended = self.end_writing(result.is_ok());
            return result.and_then(|value| ended.map(|()| value));
        }
        if result.is_err() {
            self.steer("ROLLBACK TO statement")?;
        }
        self.steer("RELEASE statement")?;
        result
    }

    /// Runs a read that takes the write lock for as long as its transaction lasts.
    pub(crate) fn locking<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.take_writer()?;
        let result = work(self);
        if self.depth == 0 {
            self.end_writing(true)?;
        }
        result
    }

    pub(crate) fn begin(&mut self, sink: &mut dyn Sink) {
        // Whoever opens a transaction means to write.
        self.shared.writes.fetch_add(1, Ordering::Relaxed);
        self.depth += 1;
        if self.depth == 1 {
            self.transaction = self.shared.new_transaction();
            sink.change(Change::Begun(self.transaction));
        }
    }

    pub(crate) fn commit(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        match self.depth {
            0 => {
                return Err(SqlError::new(
                    3902,
                    16,
                    "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION.",
                )
                .into());
            }
            1 => {}
            _ => {
                self.depth -= 1;
                return Ok(());
            }
        }
        let fault = self.shared.faults.commit();
        if fault == CommitFault::DropBefore {
            self.forget();
            return Err(Stop::Disconnect.into());
        }
        let ended = self.end_writing(true);
        let transaction = self.end_transaction();
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        if fault == CommitFault::DropAfter {
            return Err(Stop::Disconnect.into());
        }
        sink.change(Change::Committed(transaction));
        ended
    }

    pub(crate) fn rollback(&mut self, sink: &mut dyn Sink) -> Result<(), Failure> {
        if self.depth == 0 {
            return Err(SqlError::new(
                3903,
                16,
                "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION.",
            )
            .into());
        }
        let ended = self.end_writing(false);
        let transaction = self.end_transaction();
        sink.change(Change::RolledBack(transaction));
        ended
    }

    /// Ends the transaction as a transaction manager request does; errors go to the client.
    pub(crate) fn end_by_request(&mut self, commit: bool, sink: &mut dyn Sink) -> Result<(), Stop> {
        let ordered = if commit { self.shared.faults.statement("COMMIT") } else { None };
        let result = match ordered {
            Some(number) => Err(Failure::Sql(super::run::ordered_error(number))),
            None if commit => self.commit(sink),
            None => self.rollback(sink),
        };
        match result {
            Ok(()) => {
                self.last_error = 0;
                Ok(())
            }
            Err(Failure::Stop(stop)) => Err(stop),
            Err(Failure::Sql(error)) => {
                self.failed(&error, 1, false, sink);
                Ok(())
            }
        }
    }

    fn end_transaction(&mut self) -> u64 {
        self.depth = 0;
        for lock in std::mem::take(&mut self.transaction_locks) {
            self.shared.locks.release(self.spid, &lock);
        }
        std::mem::take(&mut self.transaction)
    }

    /// Rolls everything back and gives every lock back: the client is gone, or wants to start anew.
    pub(crate) fn forget(&mut self) {
        // a rollback that fails leaves a connection that is not given back to the pool
        let _ = self.end_writing(false);
        self.end_transaction();
        self.shared.locks.release_all(self.spid);
    }

    /// As a pooled connection starts over.
    pub(crate) fn reset(&mut self) {
        self.forget();
        self.settings = Settings::default();
        DATABASES.first().copied().unwrap_or_default().clone_into(&mut self.database);
        self.scope_identity = Value::Null;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.forget();
        let _ = self.store.progress_handler(0, None::<fn() -> bool>);
        let empty = Connection::open_in_memory();
        if let Ok(empty) = empty {
            self.shared.give_connection(std::mem::replace(&mut self.store, empty));
        }
    }
}
