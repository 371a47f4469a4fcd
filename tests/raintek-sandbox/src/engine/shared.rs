//! What all sessions share: the tables, compiled programs, locks, and connections to the store.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::backup::{self, Restored, Running};
use super::faults::Faults;
use super::locks::Locks;
use super::recorder::Recorder;
use crate::sandbox::Options;
use crate::sql::catalog::Catalog;
use crate::sql::compile::{self, Program};
use crate::sql::error::SqlResult;
use crate::sql::{natives, parse};
use crate::tds::wire::{self, Certificate};

/// How many compiled programs are kept.
const PROGRAMS: usize = 1_000;
/// How many prepared statements each connection to the store keeps.
const STATEMENTS: usize = 400;

type Key = (u64, String, String, String);

/// The server's common part.
#[derive(Debug)]
pub(crate) struct Shared {
    file: PathBuf,
    pub(crate) password: String,
    pub(crate) user: String,
    pub(crate) locks: Locks,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    /// Encrypts connections; without it there is no encryption.
    pub(crate) certificate: Option<Certificate>,
    pub(crate) running: Running,
    pub(crate) restored: Restored,
    catalog: Mutex<Arc<Catalog>>,
    programs: Mutex<HashMap<Key, Arc<Program>>>,
    idle: Mutex<Vec<Connection>>,
    clients: Mutex<HashMap<u16, TcpStream>>,
    next_session: AtomicU16,
    next_transaction: AtomicU64,
    pub(crate) logins: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) commits: AtomicU64,
    /// Statements that write and transactions that were begun, whatever became of them.
    pub(crate) writes: AtomicU64,
}

impl Shared {
    /// Opens the store, laying RainTek's tables of this generation down where it is empty.
    pub(crate) fn open(options: &Options) -> anyhow::Result<Self> {
        let file = options.file.as_path();
        let running = Running::default();
        let connection = connect(file, &running)?;
        connection.execute_batch("PRAGMA journal_mode = WAL")?;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let catalog = Catalog::open(&connection, options.generation)?;
        connection.execute_batch("COMMIT")?;
        Ok(Self {
            file: file.to_owned(),
            user: options.user.clone(),
            password: options.password.clone(),
            locks: Locks::default(),
            faults: Faults::default(),
            recorder: Recorder::default(),
            certificate: wire::certificate(options.tls)?,
            running,
            restored: Restored::default(),
            catalog: Mutex::new(Arc::new(catalog)),
            programs: Mutex::default(),
            idle: Mutex::new(vec![connection]),
            clients: Mutex::default(),
            next_session: AtomicU16::new(51),
            next_transaction: AtomicU64::new(1),
            logins: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            writes: AtomicU64::new(0),
        })
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&lock(&self.catalog))
    }

    pub(crate) fn set_catalog(&self, catalog: Catalog) {
        *lock(&self.catalog) = Arc::new(catalog);
    }

    /// A connection to the store, used ones first: their prepared statements are worth keeping.
    pub(crate) fn take_connection(&self) -> anyhow::Result<Connection> {
        match lock(&self.idle).pop() {
            Some(connection) => Ok(connection),
            None => connect(&self.file, &self.running),
        }
    }

    pub(crate) fn give_connection(&self, connection: Connection) {
        if connection.is_autocommit() {
            lock(&self.idle).push(connection);
        }
    }

    /// The program for a batch, compiled once.
    pub(crate) fn program(&self, database: &str, sql: &str, declarations: &str) -> SqlResult<Arc<Program>> {
        let catalog = self.catalog();
        let key = (catalog.version, database.to_owned(), sql.to_owned(), declarations.to_owned());
        if let Some(program) = lock(&self.programs).get(&key) {
            return Ok(Arc::clone(program));
        }
        let parameters = parse::declarations(declarations)?;
        let statements = parse::batch(sql)?;
        let program = Arc::new(compile::program(&catalog, database, &statements, parameters)?);
        let mut programs = lock(&self.programs);
        if programs.len() >= PROGRAMS {
            programs.clear();
        }
        programs.insert(key, Arc::clone(&program));
        Ok(program)
    }

    pub(crate) fn new_transaction(&self) -> u64 {
        self.next_transaction.fetch_add(1, Ordering::Relaxed)
    }

    /// Enters a client, so that it can be cut off; gives it its number.
    pub(crate) fn enter(&self, stream: Option<TcpStream>) -> u16 {
        let mut clients = lock(&self.clients);
        loop {
            let number = self.next_session.fetch_add(1, Ordering::Relaxed);
            if number < 51 || clients.contains_key(&number) {
                continue;
            }
            if let Some(stream) = stream {
                clients.insert(number, stream);
            }
            return number;
        }
    }

    pub(crate) fn leave(&self, session: u16) {
        lock(&self.clients).remove(&session);
    }

    pub(crate) fn connected(&self) -> usize {
        lock(&self.clients).len()
    }

    /// Cuts every client off.
    pub(crate) fn cut_all(&self) {
        for stream in lock(&self.clients).values() {
            // a client that has gone already is as good as cut off
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn connect(file: &Path, running: &Running) -> anyhow::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000",
    )?;
    natives::install(&connection)?;
    backup::install(&connection, running)?;
    Ok(connection)
}

/// A panic of another session does not end this one's work.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
