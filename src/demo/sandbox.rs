//! RainTek's stand-in as a child process: its server, its till, and the faults it can be ordered to have.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::model::fault::{Fault, FaultKind, Scope};

/// The SQL login.
pub(super) const USER: &str = "sa";
/// Its password; everything here is made up and listens on this machine alone.
pub(super) const PASSWORD: &str = "RainTek-1";
/// The shop's database.
pub(super) const DATABASE: &str = "Raintech_DB1";
/// How many products the shop has.
pub(super) const PRODUCTS: u32 = 500;
/// Bills that the shop made before the demo began. RainTek numbers a new bill from the highest counter, so the till
/// goes on from here, and the phone's own numbers below do not push it along.
const EARLIER_BILLS: u32 = 9_000;

const START_LIMIT: Duration = Duration::from_secs(60);

/// A running stand-in; ended when dropped.
#[derive(Debug)]
pub(super) struct Sandbox {
    child: Child,
    program: PathBuf,
    /// Where it speaks TDS, on 127.0.0.1.
    pub(super) tds: u16,
    /// Where it takes orders, on 127.0.0.1.
    pub(super) control: u16,
    http: reqwest::Client,
}

/// The stand-in's program: named by the environment, else beside this one.
///
/// # Errors
/// It is not there, said in one sentence.
pub(super) fn program() -> Result<PathBuf, Fault> {
    find("SHOPSYNC_SANDBOX", "raintek-sandbox")
}

/// A program: named by an environment variable, else beside this one.
///
/// # Errors
/// It is not there, said in one sentence.
pub(super) fn find(variable: &str, name: &str) -> Result<PathBuf, Fault> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let named = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(&file)));
    let missing = match &named {
        Some(path) => format!("{variable} names {}, and there is no such program.", path.display()),
        None => format!(
            "The demo needs {file} beside this program, or named by {variable}; `cargo xtask demo` sees to it."
        ),
    };
    named
        .or(beside)
        .filter(|path| path.is_file())
        .and_then(|path| std::path::absolute(path).ok())
        .ok_or_else(|| Fault::new(FaultKind::Config, Scope::Store, missing))
}

impl Sandbox {
    /// Starts it with a shop made up from the seed.
    pub(super) async fn start(program: &Path, folder: &Path, seed: u64) -> anyhow::Result<Self> {
        let log = std::fs::File::create(folder.join("raintek-sandbox.log"))
            .context("the stand-in's log file cannot be made")?;
        let mut command = Command::new(program);
        command
            .args(["--port", "0", "--control-port", "0", "--user", USER, "--password", PASSWORD])
            .args(["--seed-products", &PRODUCTS.to_string(), "--seed", &seed.to_string()])
            .arg("--file")
            .arg(folder.join("raintek.sqlite"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        apart(&mut command);
        let mut child =
            command.spawn().with_context(|| format!("{} cannot be started", program.display()))?;
        let output = child.stdout.take().context("the stand-in has no output")?;
        let mut lines = BufReader::new(output).lines();
        let first = tokio::time::timeout(START_LIMIT, lines.next_line())
            .await
            .context("the stand-in does not say its ports")??
            .context("the stand-in ended at once; its log says why")?;
        let ports: Value = serde_json::from_str(&first).with_context(|| format!("not its ports: {first}"))?;
        let port = |name: &str| {
            let port = ports.get(name).and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
            port.with_context(|| format!("no port {name} in {first}"))
        };
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        let sandbox =
            Self { child, program: program.to_owned(), tds: port("tds")?, control: port("control")?, http };
        sandbox.open_the_books().await?;
        Ok(sandbox)
    }

    /// Has it do something: `refuse`, `accept`, `hang`, `resume`, `drop_before_commit`, `drop_after_commit`.
    pub(super) async fn order(&self, action: &str) -> anyhow::Result<()> {
        self.post("control", &json!({ "action": action })).await.map(|_| ())
    }

    /// How many ordered commits are still to be lost.
    pub(super) async fn commits_to_lose(&self) -> anyhow::Result<u64> {
        let state: Value = self.http.get(self.url("state")).send().await?.json().await?;
        let orders = state.get("orders").context("a state without orders")?;
        let count = |name: &str| orders.get(name).and_then(Value::as_u64).unwrap_or(0);
        Ok(count("drop_before_commit") + count("drop_after_commit"))
    }

    /// All rows of all tables.
    pub(super) async fn dump(&self) -> anyhow::Result<Value> {
        let answer = self.http.get(self.url("dump")).send().await?;
        let status = answer.status();
        let dump: Value = answer.json().await?;
        if !status.is_success() {
            bail!("the stand-in cannot show its tables: {dump}");
        }
        Ok(dump)
    }

    /// A child that works at the till.
    pub(super) fn till(&self, work: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg("till")
            .args(work)
            .args(["--port", &self.tds.to_string(), "--user", USER, "--password", PASSWORD])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        apart(&mut command);
        command
    }

    /// Lets it go on without us.
    pub(super) fn leave_running(self) {
        std::mem::forget(self.child);
    }

    /// Ends it.
    pub(super) async fn stop(mut self) {
        // Its file goes with the folder: there is nothing to finish.
        let _ = self.child.kill().await;
    }

    async fn open_the_books(&self) -> anyhow::Result<()> {
        for (table, prefix) in [("SaleGST", "GST"), ("SaleNoTax", "SINV")] {
            let sql = format!(
                "IF (SELECT COUNT(*) FROM {table}) = 0 \
                 INSERT INTO {table} (ID, InvNo) VALUES ({EARLIER_BILLS}, N'{prefix}-{EARLIER_BILLS}-EARLIER')"
            );
            let answer = self.post("sql", &json!({ "sql": sql })).await?;
            let errors = answer.get("errors").and_then(Value::as_array);
            if errors.is_none_or(|errors| !errors.is_empty()) {
                bail!("the books cannot be opened: {answer}");
            }
        }
        Ok(())
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let answer = self.http.post(self.url(path)).json(body).send().await?;
        let status = answer.status();
        let said: Value = answer.json().await.unwrap_or_default();
        if !status.is_success() {
            bail!("the stand-in refuses {body}: {said}");
        }
        Ok(said)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.control)
    }
}

/// Ctrl-C in the terminal is for the demo alone: it ends its children in order.
#[cfg(unix)]
fn apart(command: &mut Command) {
    command.process_group(0);
}

#[cfg(windows)]
fn apart(command: &mut Command) {
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_NO_WINDOW);
}

#[cfg(not(any(unix, windows)))]
fn apart(_: &mut Command) {}
