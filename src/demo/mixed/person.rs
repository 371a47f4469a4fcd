//! The person in the shop: answers what ShopSync asks, through the same commands as the page and the command line.

use serde_json::Value;

use super::{Mixed, Touched};
use crate::demo::compare::Decision;
use crate::demo::stage::Stage;
use crate::demo::values::{rows, text};
use crate::model::command::{Command, Reply};
use crate::model::fault::Action;
use crate::model::status::Snapshot;

impl Mixed {
    /// Answers everything that is asked at this moment.
    pub(super) async fn answer(&mut self, stage: &Stage) -> anyhow::Result<()> {
        let snapshot = stage.watch()?.borrow().clone();
        self.decide(stage, &snapshot).await?;
        self.write_again(stage, &snapshot).await
    }

    /// Cancelled invoices that stand in RainTek: removed or left, as it comes.
    async fn decide(&mut self, stage: &Stage, snapshot: &Snapshot) -> anyhow::Result<()> {
        let asked = serde_json::to_value(Action::RemoveOrLeave)?;
        let asked = asked.as_str().unwrap_or_default();
        for item in snapshot.items.iter().filter(|item| item.action_kind == asked) {
            let number = item.number.clone();
            if self.notes.decisions.contains_key(&number) {
                continue;
            }
            let (decision, command) = if self.chance.one_in(3) {
                (Decision::Leave, Command::Leave { number: number.clone() })
            } else {
                (Decision::Remove, Command::Remove { number: number.clone() })
            };
            // Refused where it is no longer asked: then it is asked again, or settled.
            if matches!(stage.command(command).await?, Reply::Accepted { .. }) {
                self.notes.decisions.insert(number, decision);
            }
        }
        Ok(())
    }

    /// Bills of the app that the till changed: the app is the master. Until somebody says so, nothing may be done.
    async fn write_again(&mut self, stage: &Stage, snapshot: &Snapshot) -> anyhow::Result<()> {
        let problems = &snapshot.from_raintek.problems;
        for problem in problems.iter().filter(|problem| problem.command == "rewrite") {
            let Some(touched) = self.touched.iter_mut().find(|touched| touched.number == problem.number)
            else {
                let sentence =
                    format!("{}: nobody touched it, and ShopSync says: {}", problem.number, problem.sentence);
                if !self.wrong.contains(&sentence) {
                    self.wrong.push(sentence);
                }
                continue;
            };
            if touched.answered {
                continue;
            }
            if let Some(why) = overwritten(&stage.sandbox()?.dump().await?, touched) {
                self.wrong.push(why);
            }
            let command = Command::Rewrite { number: problem.number.clone() };
            touched.answered = matches!(stage.command(command).await?, Reply::Accepted { .. });
        }
        Ok(())
    }

    /// Whoever still waits for an answer.
    pub(super) fn unanswered(&self) -> Option<String> {
        let open: Vec<&str> = self
            .touched
            .iter()
            .filter(|touched| !touched.answered)
            .map(|touched| touched.number.as_str())
            .collect();
        (!open.is_empty()).then(|| {
            format!(
                "ShopSync has not noticed that the till changed {} of the app's bills: {}",
                open.len(),
                open.join(", ")
            )
        })
    }
}

/// Whether RainTek no longer holds what the till left, though nobody has said what is to become of it.
fn overwritten(dump: &Value, touched: &Touched) -> Option<String> {
    let bills: Vec<&Value> =
        rows(dump, "InvoiceInfo").iter().filter(|bill| text(bill, "InvoiceNo") == touched.number).collect();
    let stands = match (&touched.said, bills.as_slice()) {
        (Some(said), [bill]) => said.stands_as(bill),
        (None, []) => true,
        _ => false,
    };
    (!stands).then(|| {
        format!("{}: what the till made of it was overwritten before anybody was asked.", touched.number)
    })
}
