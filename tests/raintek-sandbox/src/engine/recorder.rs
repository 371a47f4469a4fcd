//! What clients ask for, word by word, for whoever wants to ask the very same again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::Value as Stored;
use serde_json::{Value, json};

use crate::dump;
use crate::sql::types::Ty;
use crate::tds::request::Request;

/// A request and when it was read and done, in microseconds since 1970.
#[derive(Debug)]
struct Recorded {
    session: u16,
    began: u64,
    done: u64,
    request: Request,
}

/// Keeps requests while it is on.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    on: AtomicBool,
    kept: Mutex<Vec<Recorded>>,
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Open {
    began: u64,
    request: Request,
}

impl Recorder {
    pub(crate) fn switch(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
        if !on {
            self.lock().clear();
        }
    }

    /// A request was read; nothing where nobody records.
    pub(crate) fn begin(&self, request: &Request) -> Option<Open> {
        self.on.load(Ordering::Relaxed).then(|| Open { began: now(), request: request.clone() })
    }

    /// It is done; its answer may still be on its way.
    pub(crate) fn end(&self, session: u16, open: Option<Open>) {
        if let Some(Open { began, request }) = open {
            self.lock().push(Recorded { session, began, done: now(), request });
        }
    }

    /// Takes out what was kept so far, in the order in which it was done.
    pub(crate) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.lock()).iter().map(shown).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Recorded>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shown(recorded: &Recorded) -> Value {
    let mut shown = match &recorded.request {
        Request::Batch(sql) => json!({ "kind": "batch", "sql": sql }),
        Request::Execute { sql, declarations, values } => json!({
            "kind": "execute",
            "sql": sql,
            "declarations": declarations,
            "values": values.iter().map(|(ty, value)| one(*ty, value)).collect::<Vec<_>>(),
        }),
        Request::Begin => json!({ "kind": "begin" }),
        Request::Commit { .. } => json!({ "kind": "commit" }),
        Request::Rollback { .. } => json!({ "kind": "rollback" }),
    };
    for (name, number) in
        [("session", u64::from(recorded.session)), ("began", recorded.began), ("done", recorded.done)]
    {
        if let Some(shown) = shown.as_object_mut() {
            shown.insert(name.to_owned(), json!(number));
        }
    }
    shown
}

fn one(ty: Ty, value: &Stored) -> Value {
    json!([ty.name(), dump::shown(ty, value.into())])
}

#[expect(clippy::disallowed_methods, reason = "another process compares this with its own clock")]
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
