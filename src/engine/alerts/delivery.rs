//! Sends what waits: everything for a chat in one message, kept until the service took it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use super::Alerting;
use crate::engine::Shared;
use crate::model::alert::Queued;
use crate::model::fault::{Fault, FaultKind};
use crate::ports::alerts::Refused;
use crate::sync::alerting::{KEPT_FOR, combine};
use crate::sync::backoff;

/// What does not go by itself is tried again this often.
const SLOWLY: Duration = Duration::from_secs(60);
/// A look without being told: a safety net.
const NET: Duration = Duration::from_secs(30);

/// One at a time sends; the queue is in the store.
pub(super) struct Delivery {
    shared: Arc<Shared>,
    alerting: Arc<Alerting>,
    chats: Mutex<BTreeMap<i64, Tries>>,
}

/// How a service, or one chat of it, took the last tries.
#[derive(Debug, Default)]
pub(super) struct Tries {
    failures: u32,
    /// Not before then, by the clock that never jumps.
    not_before: Duration,
    /// What was last told to a person.
    told: Option<String>,
}

impl Tries {
    /// Notes a failure: waits as long as is asked for, and tells a person once what does not go by itself.
    pub(super) async fn failed(&mut self, shared: &Shared, what: &'static str, refused: Refused) -> Duration {
        let Refused { fault, retry_after } = refused;
        self.failures = self.failures.saturating_add(1);
        let wait = retry_after.unwrap_or_else(|| match fault.kind {
            FaultKind::Transient => backoff::link_retry(self.failures, shared.world.clock.jitter()),
            _ => SLOWLY,
        });
        self.not_before = shared.world.clock.elapsed() + wait;
        if !self.is_told(&fault.sentence) {
            shared.log(what, &fault);
            if fault.kind != FaultKind::Transient {
                shared.journal("app", "", fault.sentence.clone()).await;
            }
            self.told = Some(fault.sentence);
        }
        wait
    }

    fn is_told(&self, sentence: &str) -> bool {
        self.told.as_deref() == Some(sentence)
    }

    pub(super) fn worked(&mut self) {
        *self = Self::default();
    }
}

impl Delivery {
    pub(super) fn new(shared: Arc<Shared>, alerting: Arc<Alerting>) -> Self {
        Self { shared, alerting, chats: Mutex::default() }
    }

    pub(super) async fn run(self: Arc<Self>) {
        while !self.shared.stopping() {
            let wait = self.deliver().await.unwrap_or_else(|fault| {
                self.shared.log("alerts", &fault);
                NET
            });
            self.shared.wait(&self.shared.signals.deliver, wait.max(Duration::from_millis(50))).await;
        }
    }

    /// Sends what may be sent now. Returns when to look again.
    pub(super) async fn deliver(&self) -> Result<Duration, Fault> {
        let mut chats = self.chats.lock().await;
        let mut next = NET;
        for &chat in &self.alerting.chats {
            let tries = chats.entry(chat).or_default();
            let elapsed = self.shared.world.clock.elapsed();
            if elapsed < tries.not_before {
                next = next.min(tries.not_before - elapsed);
                continue;
            }
            if let Some(wait) = self.deliver_to(chat, tries).await? {
                next = next.min(wait);
            }
        }
        Ok(next)
    }

    async fn deliver_to(&self, chat: i64, tries: &mut Tries) -> Result<Option<Duration>, Fault> {
        let shared = &self.shared;
        let now = shared.now();
        let mut queued = shared.world.alerts.queued(now - KEPT_FOR).await?;
        queued.retain(|queued| queued.chat == chat);
        let ids: Vec<i64> = queued.iter().map(|queued: &Queued| queued.id).collect();
        let Some(message) = combine(&queued, now, self.alerting.rules.zone) else { return Ok(None) };
        match self.alerting.messenger.send(chat, &message.text, message.level).await {
            Ok(()) => {
                tries.worked();
                // Were this to fail it would be sent again: at least once.
                shared.world.alerts.sent(&ids).await?;
                Ok(None)
            }
            Err(refused) => Ok(Some(tries.failed(shared, "alerts", refused).await)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once_until_it_is_another_one_or_a_message_went() {
        let mut tries = Tries::default();
        assert!(!tries.is_told("The bot is not in the chat."), "nobody was told yet");
        tries.told = Some("The bot is not in the chat.".into());
        assert!(tries.is_told("The bot is not in the chat."));
        assert!(!tries.is_told("Telegram refuses the token."));
        tries.worked();
        assert!(!tries.is_told("The bot is not in the chat."), "it is news again");
    }
}
