//! What our own store remembers, for people who look back.

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::model::awareness::KnownBill;
use crate::model::fault::Fault;
use crate::model::history::Settled;
use crate::model::status::Activity;

/// Reads only.
#[async_trait]
pub trait History: Send + Sync {
    /// Lines of the journal below the id `before` (`None`: from the newest on), newest first; of one kind, or all.
    async fn lines(
        &self,
        kind: Option<String>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Activity>, Fault>;

    /// Invoices of the app that were proven in RainTek at or after `from` and before `until`, newest first.
    async fn settled(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Settled>, Fault>;

    /// Bills of RainTek's own, newest first.
    async fn own_bills(&self, limit: u32) -> Result<Vec<KnownBill>, Fault>;
}
