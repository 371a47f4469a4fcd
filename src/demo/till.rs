//! RainTek's own till beside us, as a child process that bills all the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;

use super::compare::TillBill;
use super::phone::UnknownItem;
use super::sandbox::Sandbox;
use super::values::text;

/// A till that cannot reach its server tries again; so do the errands.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);
const ERRAND_LIMIT: Duration = Duration::from_secs(60);

type Said = Arc<Mutex<BTreeMap<String, TillBill>>>;

/// A till at work; ended when dropped.
#[derive(Debug)]
pub(super) struct Till {
    child: Child,
    said: Said,
    listening: JoinHandle<()>,
}

impl Till {
    /// Bills so many random baskets (0: for ever) with a pause between two.
    pub(super) fn open(sandbox: &Sandbox, count: u64, pause_ms: u64, seed: u64) -> anyhow::Result<Self> {
        let (count, pause, seed) = (count.to_string(), pause_ms.to_string(), seed.to_string());
        let mut command = sandbox.till(&["bill", "--count", &count, "--pause-ms", &pause, "--seed", &seed]);
        let mut child =
            command.stderr(std::process::Stdio::null()).spawn().context("the till cannot be opened")?;
        let output = child.stdout.take().context("the till has no output")?;
        let said = Said::default();
        let noted = Arc::clone(&said);
        let listening = tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let bill: Value = serde_json::from_str(&line).unwrap_or_default();
                note(&noted, &bill);
            }
        });
        Ok(Self { child, said, listening })
    }

    /// What it said it saved, by number.
    pub(super) fn said(&self) -> BTreeMap<String, TillBill> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes one of its bills anew, as a cashier who corrects one. Nothing where there is none yet.
    pub(super) async fn edit(&self, sandbox: &Sandbox, seed: u64) -> anyhow::Result<Option<String>> {
        let Some(number) = self.said().into_keys().next_back() else { return Ok(None) };
        self.edit_one(sandbox, &number, seed).await?;
        Ok(Some(number))
    }

    /// Writes this bill of its own anew.
    pub(super) async fn edit_one(&self, sandbox: &Sandbox, number: &str, seed: u64) -> anyhow::Result<()> {
        let edited = errand(sandbox, &["edit", "--number", number, "--seed", &seed.to_string()]).await?;
        note(&self.said, &edited);
        Ok(())
    }

    /// Deletes a bill of its own.
    pub(super) async fn delete(&self, sandbox: &Sandbox, number: &str) -> anyhow::Result<()> {
        // First: the next bill may get the number the moment it is free.
        self.said.lock().unwrap_or_else(PoisonError::into_inner).remove(number);
        delete(sandbox, number).await
    }

    /// Waits until it has billed all it was to bill.
    pub(super) async fn finish(mut self) -> anyhow::Result<BTreeMap<String, TillBill>> {
        let status = self.child.wait().await?;
        self.listening.await.context("nobody listens to the till")?;
        if !status.success() {
            bail!("the till ended with {status}");
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(said.clone())
    }
}

/// A new price at RainTek.
pub(super) async fn price(sandbox: &Sandbox, code: &str, price: &str) -> anyhow::Result<()> {
    errand(sandbox, &["price", "--code", code, "--price", price]).await.map(|_| ())
}

/// A new product at RainTek.
pub(super) async fn add(sandbox: &Sandbox, item: &UnknownItem) -> anyhow::Result<()> {
    let (price, gst) = (item.price.to_string(), item.gst.to_string());
    let work = ["product", "--code", &item.code, "--name", &item.name, "--price", &price, "--gst", &gst];
    errand(sandbox, &work).await.map(|_| ())
}

/// Switches a product of RainTek off.
pub(super) async fn switch_off(sandbox: &Sandbox, code: &str) -> anyhow::Result<()> {
    errand(sandbox, &["product", "--code", code, "--set", "off"]).await.map(|_| ())
}

/// Switches a product of RainTek on.
pub(super) async fn switch_on(sandbox: &Sandbox, code: &str) -> anyhow::Result<()> {
    errand(sandbox, &["product", "--code", code, "--set", "on"]).await.map(|_| ())
}

/// A cashier writes any bill anew, also one that the app made; returns it as it then stands.
pub(super) async fn write_over(sandbox: &Sandbox, number: &str, seed: u64) -> anyhow::Result<TillBill> {
    let edited = errand(sandbox, &["edit", "--number", number, "--seed", &seed.to_string()]).await?;
    TillBill::said(&edited).context("the till does not say what it saved")
}

/// A cashier deletes any bill, also one that the app made.
pub(super) async fn delete(sandbox: &Sandbox, number: &str) -> anyhow::Result<()> {
    errand(sandbox, &["delete", "--number", number]).await.map(|_| ())
}

/// One piece of work at the till, done by a child of its own.
async fn errand(sandbox: &Sandbox, work: &[&str]) -> anyhow::Result<Value> {
    let mut last = String::new();
    for tries in 0..TRIES {
        if tries > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        let output = tokio::time::timeout(ERRAND_LIMIT, sandbox.till(work).output()).await;
        let output = output.with_context(|| format!("the till does not end: {work:?}"))??;
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap_or_default());
        }
        last = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    }
    bail!("the till cannot do {work:?}: {last}")
}

/// A bill that failed is not noted down: the cashier was told, and tries again.
fn note(said: &Said, bill: &Value) {
    let number = text(bill, "number");
    let Some(saved) = TillBill::said(bill).filter(|_| !number.is_empty()) else { return };
    said.lock().unwrap_or_else(PoisonError::into_inner).insert(number.to_owned(), saved);
}
