//! N invoices with everything that happens to a shop on the way, and both sides compared at the end.

use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::compare::{App, Memory, Report, compare};
use super::mixed::Mixed;
use super::phone::{Kind, Phone, UnknownItem};
use super::stage::Stage;
use super::till::{self, Till};
use super::{say, tell};
use crate::model::command::Command;
use crate::model::status::Snapshot;

/// Everything in step: so long for the way there, and so long for each invoice.
const LIMIT: Duration = Duration::from_secs(180);
const LIMIT_EACH: Duration = Duration::from_secs(1);
/// A side that is gone is noticed, or is back.
const LINK_LIMIT: Duration = Duration::from_secs(90);
/// Differences said one by one: one mistake shows in every bill.
const MOST_SAID: usize = 100;
/// Between two bills of RainTek's own till, about.
const TILL_PAUSE_MS: u64 = 900;
/// How long RainTek hangs: longer than anybody's patience, shorter than a timeout.
const HANGS: Duration = Duration::from_secs(3);

/// What happens to the shop on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    /// The next commit never reaches RainTek.
    LoseBeforeCommit,
    /// The next commit takes effect, but nobody is told.
    LoseAfterCommit,
    /// RainTek's server is gone.
    RainTekGone,
    RainTekBack,
    /// The second outage: RainTek hangs, or PocketBase crashes.
    SecondOutage,
    SecondOutageOver,
    /// The cashier corrects a bill, and the owner a price.
    TillWorks,
    /// The owner enters the item that only the phone knew.
    ItemArrives,
}

/// Runs it; says the result and whether both sides are the same.
pub(super) async fn run(stage: &Stage, invoices: u64, seed: u64, mixed: bool) -> anyhow::Result<bool> {
    let mut day = Day::begin(stage, invoices, seed).await?;
    if mixed {
        day.mixed = Some(Mixed::begin(stage, seed).await?);
    }
    day.work().await?;
    let report = day.end().await?;
    tell("");
    for difference in report.differences.iter().take(MOST_SAID) {
        say(difference);
    }
    if report.differences.len() > MOST_SAID {
        say(&format!("... and {} more.", report.differences.len() - MOST_SAID));
    }
    say(&report.line());
    Ok(report.differences.is_empty())
}

struct Day<'a> {
    stage: &'a Stage,
    invoices: u64,
    seed: u64,
    phone: Phone,
    till: Till,
    memory: Memory,
    unknown: Option<UnknownItem>,
    to_come: Vec<(u64, Event)>,
    /// What is done beside the billing.
    mixed: Option<Mixed>,
}

impl<'a> Day<'a> {
    async fn begin(stage: &'a Stage, invoices: u64, seed: u64) -> anyhow::Result<Self> {
        let opening = stage.sandbox()?.dump().await?;
        let phone = Phone::new(stage.phone().await?, seed, stage.clock.clone(), &opening).await?;
        let till = Till::open(stage.sandbox()?, 4 + invoices / 10, TILL_PAUSE_MS, seed)?;
        let at = |eighths: u64| invoices * eighths / 8;
        let to_come = vec![
            (at(1), Event::LoseBeforeCommit),
            (at(2), Event::RainTekGone),
            (at(3), Event::RainTekBack),
            (at(3), Event::TillWorks),
            (at(4), Event::LoseAfterCommit),
            (at(5), Event::SecondOutage),
            (at(6), Event::SecondOutageOver),
            (at(7), Event::ItemArrives),
        ];
        let memory = Memory { opening, ..Memory::default() };
        Ok(Self { stage, invoices, seed, phone, till, memory, unknown: None, to_come, mixed: None })
    }

    /// Bills, while things happen.
    async fn work(&mut self) -> anyhow::Result<()> {
        // An item that only the phone knows: in the first tenth, where there are enough others.
        let unknown_at = (self.invoices >= 10).then_some(self.invoices / 10);
        for place in 0..self.invoices {
            self.happen(place).await?;
            let number = if Some(place) == unknown_at {
                let (number, item) = self.phone.bill_unknown_item().await?;
                self.unknown = Some(item);
                if let Some(mixed) = &mut self.mixed {
                    mixed.leave_alone(&number);
                }
                number
            } else {
                self.phone.bill(Kind::at(place + self.seed)).await?
            };
            self.memory.numbers.push(number);
            self.phone.complete_drafts(false).await?;
            if let Some(mixed) = &mut self.mixed {
                mixed.after(self.stage, &mut self.phone, &self.till, place).await?;
            }
            progress(&self.stage.watch()?.borrow(), place + 1, self.invoices);
        }
        self.happen(u64::MAX).await?;
        self.phone.complete_drafts(true).await?;
        match &mut self.mixed {
            Some(mixed) => mixed.finish(self.stage, &mut self.phone, &self.till).await,
            None => Ok(()),
        }
    }

    /// Waits until all is in step, and compares.
    async fn end(mut self) -> anyhow::Result<Report> {
        let stage = self.stage;
        let limit = LIMIT + LIMIT_EACH * u32::try_from(self.invoices).unwrap_or(u32::MAX);
        let Ok(said) = tokio::time::timeout(limit, self.till.finish()).await else {
            bail!("RainTek's till does not close within {} s.", limit.as_secs());
        };
        self.memory.till_said = said?;
        // The till is closed: what it wrote must stay as it is, whatever still comes from the app.
        self.memory.close_till(&stage.sandbox()?.dump().await?);
        if let Some(mixed) = self.mixed.take() {
            return mixed.settle(stage, self.phone, self.memory, limit).await;
        }
        let (wanted, all) = (self.invoices, self.invoices);
        stage
            .wait("Not everything is in step", limit, |snapshot| {
                progress(snapshot, all, all);
                waits(snapshot, wanted)
            })
            .await?;
        // What the owner changed last may have missed a pass that was under way.
        for _ in 0..2 {
            let before = stage.watch()?.borrow().products.last_pass;
            stage.command(Command::SyncNow).await?;
            stage
                .wait("The products are not in step", limit, |snapshot| {
                    let said = snapshot.products.sentence.clone();
                    let fresh = snapshot.products.last_pass != before && said.is_none();
                    (!fresh).then(|| said.unwrap_or_else(|| snapshot.sentence.clone()))
                })
                .await?;
        }
        let mut report = report(stage, &self.memory).await?;
        report.differences.extend(own_check(stage, limit).await?);
        Ok(report)
    }

    /// Everything that is to happen before the invoice at this place.
    async fn happen(&mut self, place: u64) -> anyhow::Result<()> {
        while let Some((_, event)) = self.to_come.first().copied().filter(|(at, _)| *at <= place) {
            self.to_come.remove(0);
            self.one(event).await?;
        }
        Ok(())
    }

    async fn one(&mut self, event: Event) -> anyhow::Result<()> {
        let stage = self.stage;
        let sandbox = stage.sandbox()?;
        let crashes_billing = self.crashes_billing();
        if let Some(mixed) = &mut self.mixed {
            mixed.raintek_is_away = match event {
                Event::RainTekGone => true,
                Event::SecondOutage => !crashes_billing,
                Event::RainTekBack | Event::SecondOutageOver => false,
                _ => mixed.raintek_is_away,
            };
        }
        match event {
            Event::LoseBeforeCommit => sandbox.order("drop_before_commit").await,
            Event::LoseAfterCommit => sandbox.order("drop_after_commit").await,
            Event::RainTekGone => {
                sandbox.order("refuse").await?;
                stage
                    .wait("Nobody notices that RainTek is gone", LINK_LIMIT, |snapshot| {
                        snapshot.raintek.connected.then(|| snapshot.sentence.clone())
                    })
                    .await
            }
            Event::RainTekBack => sandbox.order("accept").await,
            Event::SecondOutage if self.crashes_billing() => {
                stage.crash_billing();
                Ok(())
            }
            Event::SecondOutage => sandbox.order("hang").await,
            Event::SecondOutageOver if self.crashes_billing() => Ok(()),
            Event::SecondOutageOver => {
                tokio::time::sleep(HANGS).await;
                sandbox.order("resume").await
            }
            Event::TillWorks => {
                self.till.edit(sandbox, self.seed + 1_000).await?;
                till::price(sandbox, "P-0001", "61.50").await?;
                till::switch_off(sandbox, "P-0002").await
            }
            Event::ItemArrives => match &self.unknown {
                Some(item) => till::add(sandbox, item).await,
                None => Ok(()),
            },
        }
    }

    fn crashes_billing(&self) -> bool {
        self.seed % 2 == 1
    }
}

/// What ShopSync's own look at every invoice finds: where both sides are the same, that must be nothing.
async fn own_check(stage: &Stage, limit: Duration) -> anyhow::Result<Vec<String>> {
    let answered = stage.watch()?.borrow().scan.answered;
    stage.command(Command::Check).await?;
    stage
        .wait("ShopSync does not come through its own check", limit, |snapshot| {
            (snapshot.scan.answered <= answered).then(|| snapshot.sentence.clone())
        })
        .await?;
    let answer = stage.watch()?.borrow().scan.answer.clone();
    let findings = answer.map(|answer| answer.findings).unwrap_or_default();
    Ok(findings
        .into_iter()
        .map(|finding| format!("ShopSync's own check: {} {}", finding.sentence, finding.details.join("; ")))
        .collect())
}

/// Compares both sides as they stand.
pub(super) async fn report(stage: &Stage, memory: &Memory) -> anyhow::Result<Report> {
    let app = App::read(&stage.superuser().await?).await?;
    let dump: Value = stage.sandbox()?.dump().await?;
    let mut report = compare(&app, &dump, memory);
    let lost = stage.sandbox()?.commits_to_lose().await?;
    if lost > 0 {
        report.differences.push(format!("{lost} commits that were to be lost never came."));
    }
    Ok(report)
}

/// What still waits, or nothing; `wanted` is how many invoices are to be in RainTek at least, 0 where that is not known.
pub(super) fn waits(snapshot: &Snapshot, wanted: u64) -> Option<String> {
    let counts = &snapshot.counts;
    let in_touch = snapshot.raintek.connected && snapshot.billing.connected;
    if in_touch && counts.waiting == 0 && counts.held == 0 && counts.done_total >= wanted {
        return None;
    }
    let of = if wanted == 0 { String::new() } else { format!(" of {wanted}") };
    let mut words = vec![format!(
        "{}{of} are in RainTek, {} wait, {} are held. {}",
        counts.done_total, counts.waiting, counts.held, snapshot.sentence
    )];
    for item in snapshot.items.iter().take(20) {
        let next = item.next_try.map(|at| at.format(" (next try %H:%M:%S UTC)").to_string());
        let next = next.unwrap_or_default();
        words.push(format!("{} {}: {}{next}", item.number, item.state, item.sentence));
    }
    Some(words.join("\n  "))
}

/// One line that is written over and over, for whoever looks.
pub(super) fn progress(snapshot: &Snapshot, made: u64, of: u64) {
    let counts = &snapshot.counts;
    tell(&format!(
        "{made} of {of} made, {} in RainTek, {} waiting, {} held",
        counts.done_total, counts.waiting, counts.held
    ));
}
