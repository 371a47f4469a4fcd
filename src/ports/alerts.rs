//! What alerts need: a durable queue, a way to people, a service that notices silence.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::model::alert::{CatchUp, Event, Incoming, Level, Message, Queued, Raised};
use crate::model::fault::Fault;

/// What alerts keep, durable before each method returns.
#[async_trait]
pub trait AlertStore: Send + Sync {
    /// Keeps an event for the alerts. Bounded: the oldest go.
    async fn raise(&self, event: &Event, at: DateTime<Utc>) -> Result<(), Fault>;

    /// Events that wait to be looked at, oldest first.
    async fn raised(&self, limit: u32) -> Result<Vec<Raised>, Fault>;

    /// In one transaction: what was said is remembered as `memory`, events up to `taken` are forgotten, and a message
    /// waits for each chat.
    async fn decide(
        &self,
        memory: &str,
        taken: Option<i64>,
        message: Option<&Message>,
        chats: &[i64],
    ) -> Result<(), Fault>;

    /// What was remembered last.
    async fn memory(&self) -> Result<Option<String>, Fault>;

    /// Messages that wait, oldest first; those decided before `since` are dropped.
    async fn queued(&self, since: DateTime<Utc>) -> Result<Vec<Queued>, Fault>;

    /// Messages that were sent.
    async fn sent(&self, ids: &[i64]) -> Result<(), Fault>;

    /// Of the invoices first seen by `looked`: how many were proven since `started`, and how many are on their way.
    async fn catch_up(&self, started: DateTime<Utc>, looked: DateTime<Utc>) -> Result<CatchUp, Fault>;
}

/// Why a message service did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As for every adapter; never with the token.
    pub fault: Fault,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// A service that brings messages to people.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Sends plain text; [`Level::Info`] arrives without a sound. A fault may come after it was sent after all.
    async fn send(&self, chat: i64, text: &str, level: Level) -> Result<(), Refused>;

    /// Waits for messages from update `after` on, up to about `wait`; at most a few dozen at a time.
    async fn receive(&self, after: Option<i64>, wait: Duration) -> Result<Vec<Incoming>, Refused>;
}

/// A service that notices when it is no longer told that all is well.
#[async_trait]
pub trait Heartbeat: Send + Sync {
    /// Tells it.
    async fn beat(&self) -> Result<(), Fault>;
}

/// A clock that is right, outside of the shop.
#[async_trait]
pub trait TrueTime: Send + Sync {
    /// How far this PC's clock is ahead of it, to about a second. A fault where it cannot be asked at the moment.
    async fn ahead(&self) -> Result<TimeDelta, Fault>;
}
