//! The end of the day: waits until all is in step, and compares.

use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::Mixed;
use crate::demo::compare::{Memory, Report};
use crate::demo::headless::{progress, report, waits};
use crate::demo::phone::Phone;
use crate::demo::stage::Stage;
use crate::demo::values::{rows, text};
use crate::model::command::Command;
use crate::model::health::HealthState;
use crate::model::status::Snapshot;
use crate::ports::Clock;

/// Between two looks at the published state, where nothing changes it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Differences that are said beside what still waits.
const MOST_SAID: usize = 20;
/// Bills of RainTek's own that a phone tries to change.
const MEDDLED: usize = 3;

impl Mixed {
    /// Waits for everything that is owed, and compares once: what ShopSync calls in step has to be.
    pub(in crate::demo) async fn settle(
        mut self,
        stage: &Stage,
        phone: Phone,
        mut memory: Memory,
        limit: Duration,
    ) -> anyhow::Result<Report> {
        let end = stage.clock.elapsed() + limit;
        loop {
            let still = match self.wait(stage, &memory, end).await? {
                Some(still) => Some(still),
                None => self.fresh_look(stage, &memory, end).await?,
            };
            let Some(still) = still else { break };
            if stage.clock.elapsed() >= end {
                self.notes.copies = copies(stage)?;
                memory.mixed = Some(std::mem::take(&mut self.notes));
                let differences = report(stage, &memory).await?.differences;
                let some: Vec<&str> = differences.iter().take(MOST_SAID).map(String::as_str).collect();
                bail!(
                    "Not everything is in step within {} s: {still}\n{} differences so far:\n  {}",
                    limit.as_secs(),
                    differences.len(),
                    some.join("\n  ")
                );
            }
        }
        self.notes.copies = copies(stage)?;
        memory.mixed = Some(self.notes);
        let mut report = report(stage, &memory).await?;
        report.differences.append(&mut self.wrong);
        report.differences.extend(meddle(&phone, &self.owner).await?);
        Ok(report)
    }

    /// Until nothing waits, or the end comes; what still waits then.
    async fn wait(
        &mut self,
        stage: &Stage,
        memory: &Memory,
        end: Duration,
    ) -> anyhow::Result<Option<String>> {
        let mut states = stage.watch()?;
        let made = u64::try_from(memory.numbers.len()).unwrap_or_default();
        loop {
            self.answer(stage).await?;
            let snapshot = states.borrow_and_update().clone();
            progress(&snapshot, made, made);
            let still = match waits(&snapshot, 0).or_else(|| self.unanswered()) {
                Some(still) => Some(still),
                None => self.not_green(stage, &snapshot).await?,
            };
            if still.is_none() || stage.clock.elapsed() >= end {
                return Ok(still);
            }
            let _ = tokio::time::timeout(LOOK_EVERY, states.changed()).await;
        }
    }

    /// Why ShopSync does not say that all is well. A number that RainTek itself used twice is for its cashier.
    async fn not_green(&self, stage: &Stage, snapshot: &Snapshot) -> anyhow::Result<Option<String>> {
        let problems = &snapshot.from_raintek.problems;
        if problems.is_empty() {
            let green = snapshot.state == HealthState::InStep;
            return Ok((!green).then(|| snapshot.sentence.clone()));
        }
        let dump = stage.sandbox()?.dump().await?;
        let is_double = |number: &str| {
            rows(&dump, "InvoiceInfo").iter().filter(|bill| text(bill, "InvoiceNo") == number).count() > 1
        };
        let open = problems.iter().find(|problem| problem.state != "refused" || !is_double(&problem.number));
        Ok(open.map(|problem| problem.sentence.clone()))
    }

    /// Both flows from RainTek have to look once more from the beginning, and the app must show every invoice as synced.
    async fn fresh_look(
        &mut self,
        stage: &Stage,
        memory: &Memory,
        end: Duration,
    ) -> anyhow::Result<Option<String>> {
        // One may be under way: the second that ends began later.
        for _ in 0..2 {
            let before = stage.watch()?.borrow().clone();
            stage.command(Command::SyncNow).await?;
            let left = end.saturating_sub(stage.clock.elapsed()).max(Duration::from_secs(1));
            let looked = stage.wait("RainTek is not looked at", left, |now| {
                let products = now.products.last_pass != before.products.last_pass;
                let bills = now.from_raintek.last_pass != before.from_raintek.last_pass;
                let said = now.products.sentence.clone().or_else(|| now.from_raintek.sentence.clone());
                (!(products && bills) || said.is_some()).then(|| said.unwrap_or_else(|| now.sentence.clone()))
            });
            if let Err(late) = looked.await {
                return Ok(Some(late.to_string()));
            }
        }
        let invoices = self.owner.all("invoices").await?;
        let is_due = |invoice: &&Value| {
            text(invoice, "status") == "completed"
                && text(invoice, "source") != "raintek"
                && text(invoice, "sync_status") != "synced"
        };
        if let Some(invoice) = invoices.iter().find(is_due) {
            tokio::time::sleep(LOOK_EVERY).await;
            let (number, status) = (text(invoice, "invoice_number"), text(invoice, "sync_status"));
            return Ok(Some(format!("{number} is `{status}` in the app, though nothing waits.")));
        }
        // What that look brought up is settled as well.
        let snapshot = stage.watch()?.borrow().clone();
        let made = u64::try_from(memory.numbers.len()).unwrap_or_default();
        progress(&snapshot, made, made);
        match waits(&snapshot, 0).or_else(|| self.unanswered()) {
            Some(still) => Ok(Some(still)),
            None => self.not_green(stage, &snapshot).await,
        }
    }
}

/// RainTek's rows as they were copied before each change.
fn copies(stage: &Stage) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    let Ok(days) = std::fs::read_dir(stage.data().join("snapshots")) else { return Ok(all) };
    for day in days {
        for file in std::fs::read_dir(day?.path())? {
            all.push(serde_json::from_slice(&std::fs::read(file?.path())?)?);
        }
    }
    Ok(all)
}

/// RainTek's own bills are read-only for a phone, cancelled ones too.
async fn meddle(phone: &Phone, owner: &crate::demo::caller::Caller) -> anyhow::Result<Vec<String>> {
    let (invoices, items) = (owner.all("invoices").await?, owner.all("invoice_items").await?);
    let mut allowed = Vec::new();
    for status in ["completed", "cancelled"] {
        let own = invoices
            .iter()
            .filter(|invoice| text(invoice, "source") == "raintek" && text(invoice, "status") == status);
        for invoice in own.take(MEDDLED) {
            let item = items.iter().find(|item| text(item, "invoice") == text(invoice, "id"));
            allowed.extend(phone.meddle(invoice, item).await?);
        }
    }
    Ok(allowed)
}
