//! What else the engine has around it: a folder for copies, somebody to be told.

use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveDate;

use shopsync::model::alert::{Incoming, Level};
use shopsync::model::bill::FoundBill;
use shopsync::model::fault::Fault;
use shopsync::ports::Archive;
use shopsync::ports::alerts::{Messenger, Refused};

use crate::checks::rows_text;
use crate::planted::Planted;
use crate::sim::lock;
use crate::story::Call;
use crate::wire::Wire;

/// Copies of rows.
pub(crate) struct Folder(pub(crate) Wire);

#[async_trait]
impl Archive for Folder {
    async fn snapshot(&self, day: NaiveDate, bill: &FoundBill) -> Result<String, Fault> {
        self.0.at(Call::Snapshot, false).await?;
        let copy = (bill.inv_id(), rows_text(bill));
        let truth = &mut *lock(&self.0.sim.truth);
        if self.0.sim.is(Planted::SnapshotAfter) {
            truth.copies_later.push(copy);
        } else {
            truth.copies.push(copy);
        }
        Ok(format!("{day}/{}.json", bill.inv_id()))
    }
}

/// Messages to the shopkeeper.
pub(crate) struct Telegram(pub(crate) Wire);

#[async_trait]
impl Messenger for Telegram {
    async fn send(&self, _: i64, _: &str, _: Level) -> Result<(), Refused> {
        let sent = self.0.at(Call::Message, false).await;
        sent.map_err(|fault| Refused { fault, retry_after: None })
    }

    async fn receive(&self, _: Option<i64>, wait: Duration) -> Result<Vec<Incoming>, Refused> {
        tokio::time::sleep(wait).await;
        Ok(Vec::new())
    }
}
