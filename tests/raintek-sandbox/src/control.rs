//! The control endpoint: faults to order, the server's state, and what the tables hold.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::types::ValueRef;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::dump;
use crate::engine::session::{Change, Failure, Session, Sink};
use crate::engine::shared::Shared;
use crate::sql::error::SqlError;
use crate::sql::types::ColumnInfo;

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

/// Serves HTTP on a thread of its own until told to stop.
pub(crate) fn spawn(
    shared: Arc<Shared>,
    listener: TcpListener,
    stopped: tokio::sync::oneshot::Receiver<()>,
) -> anyhow::Result<JoinHandle<()>> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(std::thread::Builder::new().name("control".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            let routes = Router::new()
                .route("/control", post(control))
                .route("/state", get(state))
                .route("/dump", get(whole))
                .route("/sql", post(sql))
                .route("/recorded", get(recorded))
                .with_state(shared);
            // dropping the serving future closes its connections, idle ones too
            tokio::select! {
                _ = axum::serve(listener, routes) => {}
                _ = stopped => {}
            }
        });
    })?)
}

/// What POST /control takes.
#[derive(Debug, Deserialize)]
struct Order {
    action: String,
    /// The error's number, for `error`.
    number: Option<i32>,
    /// How many times; 1 where it is left out.
    count: Option<u32>,
    /// A part of the statement's text that `error` waits for.
    on: Option<String>,
}

async fn control(State(shared): State<Arc<Shared>>, Json(order): Json<Order>) -> Answer {
    let count = order.count.unwrap_or(1);
    match order.action.as_str() {
        "refuse" => {
            shared.faults.change(|orders| orders.refuse = true);
            shared.cut_all();
        }
        "accept" => shared.faults.change(|orders| orders.refuse = false),
        "hang" => shared.faults.change(|orders| orders.hang = true),
        "resume" => shared.faults.change(|orders| orders.hang = false),
        "record" => shared.recorder.switch(true),
        "stop_recording" => shared.recorder.switch(false),
        "deny_backup" => shared.faults.change(|orders| orders.deny_backup = true),
        "allow_backup" => shared.faults.change(|orders| orders.deny_backup = false),
        "deny_restore" => shared.faults.change(|orders| orders.deny_restore = true),
        "allow_restore" => shared.faults.change(|orders| orders.deny_restore = false),
        "hold_backup" => shared.faults.change(|orders| orders.hold_backup = true),
        "release_backup" => shared.faults.change(|orders| orders.hold_backup = false),
        "drop_before_commit" => shared.faults.change(|orders| orders.drop_before_commit = count),
        "drop_after_commit" => shared.faults.change(|orders| orders.drop_after_commit = count),
        "error" => {
            let Some(number) = order.number else { return Err(bad("error needs a number")) };
            shared.faults.change(|orders| {
                orders.error_count = count;
                orders.error_number = number;
                orders.error_on = order.on;
            });
        }
        _ => {
            return Err(bad(
                "action is refuse, accept, hang, resume, record, stop_recording, deny_backup, allow_backup, deny_restore, \
                 allow_restore, hold_backup, release_backup, drop_before_commit, drop_after_commit or error",
            ));
        }
    }
    Ok(Json(report(&shared)))
}

async fn state(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(report(&shared))
}

fn report(shared: &Shared) -> Value {
    json!({
        "orders": shared.faults.now(),
        "connected": shared.connected(),
        "waiting": shared.locks.waiting(),
        "logins": shared.logins.load(Ordering::Relaxed),
        "requests": shared.requests.load(Ordering::Relaxed),
        "commits": shared.commits.load(Ordering::Relaxed),
        "writes": shared.writes.load(Ordering::Relaxed),
    })
}

/// What was asked since the last time this was read, while it is recorded.
async fn recorded(State(shared): State<Arc<Shared>>) -> Answer {
    off_thread(move || Ok(Value::Array(shared.recorder.take()))).await
}

async fn whole(State(shared): State<Arc<Shared>>) -> Answer {
    off_thread(move || dump::dump(&shared)).await
}

/// What POST /sql takes.
#[derive(Debug, Deserialize)]
struct Statement {
    sql: String,
}

async fn sql(State(shared): State<Arc<Shared>>, Json(statement): Json<Statement>) -> Answer {
    off_thread(move || {
        let spid = shared.enter(None);
        let mut session = Session::new(Arc::clone(&shared), spid, Arc::new(|| None))?;
        let mut answers = Answers::default();
        // nothing can stop a session that nobody is connected to
        let _ = session.batch(&statement.sql, "", Vec::new(), &mut answers);
        Ok(json!({ "results": answers.results, "errors": answers.errors, "rows_affected": answers.affected }))
    })
    .await
}

async fn off_thread(work: impl FnOnce() -> anyhow::Result<Value> + Send + 'static) -> Answer {
    let failed = |text: String| (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": text })));
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(Json(value)),
        Ok(Err(error)) => Err(failed(format!("{error:#}"))),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn bad(text: &str) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": text })))
}

/// Collects what a batch answers.
#[derive(Debug, Default)]
struct Answers {
    results: Vec<Value>,
    rows: Vec<Value>,
    names: Option<Vec<String>>,
    errors: Vec<Value>,
    affected: u64,
}

impl Answers {
    fn close(&mut self) {
        if let Some(names) = self.names.take() {
            self.results.push(json!({ "columns": names, "rows": std::mem::take(&mut self.rows) }));
        }
    }
}

impl Sink for Answers {
    fn columns(&mut self, columns: &[ColumnInfo]) -> Result<(), Failure> {
        self.close();
        self.names = Some(columns.iter().map(|column| column.name.clone()).collect());
        Ok(())
    }

    fn row(&mut self, columns: &[ColumnInfo], cells: &[ValueRef<'_>]) -> Result<(), Failure> {
        self.rows
            .push(columns.iter().zip(cells).map(|(column, cell)| dump::shown(column.ty, *cell)).collect());
        Ok(())
    }

    fn done(&mut self, count: Option<u64>, select: bool, _failed: bool) {
        self.close();
        if !select {
            self.affected += count.unwrap_or(0);
        }
    }

    fn error(&mut self, error: &SqlError, _line: u32) {
        if error.class > 10 {
            self.errors.push(json!({ "number": error.number, "message": error.message }));
        }
    }

    fn change(&mut self, _change: Change) {}

    fn database(&mut self, _name: &str) {}
}
