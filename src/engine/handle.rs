//! How shell and web reach the engine: commands in, the published state out.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::Shared;
use super::claim::Claim;
use super::preview::Preview;
use crate::model::alert::Event;
use crate::model::command::{Command, Reply};
use crate::model::fault::{Action, Fault, Scope};
use crate::model::ids::RecordId;
use crate::model::outbox::{Item, ItemState};
use crate::model::status::Snapshot;
use crate::ports::Controls;

/// Why nothing can be asked for just then.
pub(super) const GOING_LIVE: &str = "ShopSync is going live. Try again when it is done.";
/// How often, and after what pause, a decision tries to get hold of its invoice.
const CLAIM_TRIES: u32 = 100;
const CLAIM_PAUSE: Duration = Duration::from_millis(20);
/// A command that has not ended by then hangs; none takes longer than some calls that are given up within a minute each.
const GIVEN_UP: Duration = Duration::from_secs(10 * 60);
/// Until when it is paused, in the store.
pub(super) const PAUSED_UNTIL: &str = "paused_until";

/// Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Takes up a pause that outlived a restart. Call before the tasks run.
    ///
    /// # Errors
    /// The store's.
    pub async fn restore(&self) -> Result<(), Fault> {
        let text = self.shared.world.state.get(PAUSED_UNTIL).await?;
        let until = text.and_then(|text| text.parse::<DateTime<Utc>>().ok());
        self.shared.board.update(|seen| seen.paused_until = until);
        super::alive::restore(&self.shared).await?;
        super::trial::restore(&self.shared).await?;
        super::backup::restore(&self.shared).await
    }

    /// Another engine of this program takes over once this one has stopped. Returns since when there is one. Call
    /// before the stop.
    pub fn hand_over(&self) -> DateTime<Utc> {
        self.shared.handing_over.store(true, Ordering::SeqCst);
        self.shared.board.seen().started
    }

    /// What would be done with the newest `count` invoices of the app. Nothing is written into RainTek, and nothing of
    /// it kept. The tasks need not run for it.
    ///
    /// # Errors
    /// A side does not answer.
    pub async fn preview(&self, count: usize, at: &(dyn Fn(&str) + Sync)) -> Result<Vec<Preview>, Fault> {
        super::preview::newest(&self.shared, count, at).await
    }

    /// Takes down that it stops in order. Call when the tasks have ended.
    pub async fn ended(&self) {
        super::alive::ended(&self.shared).await;
    }

    /// Reports to the alerts, for those outside the engine.
    pub async fn raise(&self, event: Event) {
        self.shared.raise(event).await;
    }

    async fn retry(&self, number: Option<&str>) -> Result<u64, Fault> {
        let shared = &self.shared;
        let due = shared.world.state.make_due(number, shared.now()).await?;
        // A person who asks does not want to wait for a backoff either.
        shared.board.update(|seen| {
            seen.raintek.status.next_try = None;
            seen.billing.status.next_try = None;
        });
        shared.signals.links.notify_one();
        shared.signals.push.notify_one();
        shared.signals.publish.notify_one();
        Ok(due)
    }

    async fn pause(&self, until: Option<DateTime<Utc>>) -> Result<(), Fault> {
        let text = until.map(|until| until.to_rfc3339());
        self.shared.world.state.set(PAUSED_UNTIL, text.as_deref()).await?;
        self.shared.board.update(|seen| seen.paused_until = until);
        self.shared.signals.push.notify_one();
        self.shared.signals.products.notify_one();
        self.shared.signals.bills.notify_one();
        self.shared.signals.publish.notify_one();
        Ok(())
    }

    /// A person decided about an invoice that the app took back.
    async fn decide(&self, number: &str, state: ItemState, words: &str) -> Result<Reply, Fault> {
        let shared = &self.shared;
        let refused = |sentence: String| Ok(Reply::Refused { sentence });
        let is_asked = |item: &Item| !item.state.is_settled() && item.action() == Action::RemoveOrLeave;
        let open = shared.world.state.open_items(u32::MAX).await?;
        let Some(asked) = open.into_iter().find(|item| item.number == number && is_asked(item)) else {
            return refused(format!("No invoice {number} waits for a decision."));
        };
        // Whoever works on it at this moment would write over the decision.
        let Some(claim) = self.claim(&asked.record_id).await else {
            return refused(format!("{number} is being worked on. Try again in a moment."));
        };
        let Some(mut item) = shared.world.state.item(&asked.record_id).await?.filter(is_asked) else {
            return refused(format!("No invoice {number} waits for a decision."));
        };
        item.state = state;
        item.next_try = shared.now();
        item.fault = None;
        item.first_failed = None;
        shared.world.state.put(&item).await?;
        if claim.end() {
            shared.signals.invoices.notify_one();
        }
        shared.signals.push.notify_one();
        let sentence = format!("{number} {words}.");
        shared.journal("push", number, sentence.clone()).await;
        Ok(Reply::Accepted { sentence })
    }

    /// What cannot be asked for at the moment, and why.
    fn refuses(&self, command: &Command) -> Option<String> {
        let trial = &self.shared.trial;
        match command {
            Command::GoLive { .. } | Command::Backup { .. } | Command::Pause { .. } | Command::Resume => None,
            _ if trial.going_live() => Some(GOING_LIVE.into()),
            Command::Remove { .. }
            | Command::Rewrite { .. }
            | Command::Renumber { .. }
            | Command::RestoreInvoice { confirmed: true, .. }
                if trial.watching() =>
            {
                Some("ShopSync only watches (watch_only in the settings): nothing is written.".into())
            }
            _ => None,
        }
    }

    async fn claim(&self, id: &RecordId) -> Option<Claim<'_>> {
        for _ in 0..CLAIM_TRIES {
            if let Some(claim) = self.shared.claims.try_claim(id) {
                return Some(claim);
            }
            self.shared.world.clock.sleep(CLAIM_PAUSE).await;
        }
        None
    }

    async fn run(&self, command: Command) -> Result<Reply, Fault> {
        let accepted = |sentence: String| Ok(Reply::Accepted { sentence });
        if let Some(sentence) = self.refuses(&command) {
            return Ok(Reply::Refused { sentence });
        }
        match command {
            Command::Retry { number } => match self.retry(Some(&number)).await? {
                0 => Ok(Reply::Refused { sentence: format!("No invoice {number} is waiting or held.") }),
                _ => accepted(format!("{number} is tried now.")),
            },
            Command::RetryAll => match self.retry(None).await? {
                0 => accepted("Nothing is waiting.".into()),
                1 => accepted("1 invoice is tried now.".into()),
                n => accepted(format!("{n} invoices are tried now.")),
            },
            Command::Remove { number } => {
                self.decide(&number, ItemState::Removing, "is being removed from RainTek").await
            }
            Command::Leave { number } => self.decide(&number, ItemState::Leaving, "stays in RainTek").await,
            Command::SyncNow => {
                self.retry(None).await?;
                super::vanished::ask_if_it_is_its_own(&self.shared);
                self.shared.signals.invoices.notify_one();
                self.shared.signals.products.notify_one();
                self.shared.board.update(|seen| seen.bills_asked = true);
                self.shared.signals.bills.notify_one();
                super::scan::look_again(&self.shared);
                accepted("Looking at both sides now.".into())
            }
            Command::Rewrite { number } => match super::awareness::rewrite(&self.shared, &number).await? {
                0 => Ok(Reply::Refused { sentence: format!("RainTek holds {number} as the app has it.") }),
                _ => accepted(format!("{number} is written into RainTek again.")),
            },
            Command::Preview { number } => super::preview::of_number(&self.shared, &number).await,
            Command::Renumber { number } => super::renumber::renumber(&self.shared, &number).await,
            Command::Pause { until } if until <= self.shared.now() => {
                Ok(Reply::Refused { sentence: "A pause must end in the future.".into() })
            }
            Command::Pause { until } => {
                self.pause(Some(until)).await?;
                let until = until.with_timezone(&self.shared.rules.zone).format("%d %b %H:%M").to_string();
                self.shared.journal("app", "", format!("Paused until {until}.")).await;
                accepted(format!("Paused until {until}."))
            }
            Command::Backup { task } => Ok(match super::backup::order(&self.shared, task) {
                Ok(sentence) => Reply::Accepted { sentence },
                Err(sentence) => Reply::Refused { sentence },
            }),
            Command::Check => accepted(super::scan::order(&self.shared)),
            Command::RestoreInvoice { copy, confirmed } => {
                super::restore::restore(&self.shared, &copy, confirmed).await
            }
            Command::Resume => {
                self.pause(None).await?;
                self.shared.journal("app", "", "Going on.").await;
                accepted("Going on.".into())
            }
            Command::GoLive { yes } => Ok(match super::trial::order(&self.shared, yes) {
                Ok(sentence) => Reply::Accepted { sentence },
                Err(sentence) => Reply::Refused { sentence },
            }),
        }
    }
}

#[async_trait]
impl Controls for Handle {
    async fn command(&self, command: Command) -> Reply {
        let done = tokio::select! {
            biased;
            done = self.run(command) => done,
            // What it holds is let go of: an invoice, or the right to give numbers.
            () = self.shared.world.clock.sleep(GIVEN_UP) => {
                Err(Fault::transient(Scope::Item, "That took too long and was given up. Look whether it was done."))
            }
        };
        match done {
            Ok(reply) => reply,
            Err(fault) => {
                self.shared.log("command", &fault);
                Reply::Refused { sentence: fault.sentence }
            }
        }
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.shared.snapshot.subscribe()
    }
}
