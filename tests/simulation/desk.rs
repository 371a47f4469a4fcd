//! What else the engine has around it: a folder for copies, somebody to be told.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};

use shopsync::model::alert::{Incoming, Level};
use shopsync::model::bill::FoundBill;
use shopsync::model::fault::{Fault, Scope};
use shopsync::model::room::Room;
use shopsync::ports::Archive;
use shopsync::ports::alerts::{Heartbeat, Messenger, Refused, TrueTime};
use shopsync::ports::backup::DiskRoom;

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
        truth.archive.push((bill.info.text("InvoiceNo").to_owned(), bill.clone()));
        if self.0.sim.is(Planted::SnapshotAfter) {
            truth.copies_later.push(copy);
        } else {
            truth.copies.push(copy);
        }
        Ok(format!("snapshots/{day}/{}.json", bill.inv_id()))
    }
}

/// This PC: how far its clock is ahead, and what is left on its disks. And who is told that it is alive.
pub(crate) struct Pc(pub(crate) Wire);

#[async_trait]
impl TrueTime for Pc {
    async fn ahead(&self) -> Result<TimeDelta, Fault> {
        self.0.pass().await;
        Ok(lock(&self.0.sim.truth).ahead)
    }
}

#[async_trait]
impl DiskRoom for Pc {
    async fn room(&self, folder: &Path) -> Result<Room, Fault> {
        self.0.pass().await;
        if folder.starts_with("gone") {
            return Err(Fault::transient(Scope::Item, "The disk does not answer."));
        }
        if folder.starts_with("copies") {
            return Ok(Room { disk: "D:".into(), free_bytes: 1 << 40 });
        }
        Ok(Room { disk: "C:".into(), free_bytes: lock(&self.0.sim.truth).room })
    }
}

#[async_trait]
impl Heartbeat for Pc {
    async fn beat(&self) -> Result<(), Fault> {
        self.0.at(Call::Message, false).await?;
        self.0.sim.say("outside", || "is told that all is well".into());
        Ok(())
    }
}

/// Messages to the shopkeeper.
pub(crate) struct Telegram(pub(crate) Wire);

#[async_trait]
impl Messenger for Telegram {
    async fn send(&self, chat: i64, text: &str, _: Level) -> Result<(), Refused> {
        let sent = self.0.at(Call::Message, false).await;
        if sent.is_ok() && self.0.sim.setup.stage.commands {
            self.0.sim.say("telegram", || format!("to chat {chat}: {text}"));
        }
        sent.map_err(|fault| Refused { fault, retry_after: None })
    }

    /// Whatever was not confirmed comes again, as Telegram has it.
    async fn receive(&self, after: Option<i64>, wait: Duration) -> Result<Vec<Incoming>, Refused> {
        let asked = self.0.at(Call::Message, false).await;
        asked.map_err(|fault| Refused { fault, retry_after: None })?;
        let fresh = || {
            let chats = &mut lock(&self.0.sim.truth).chats;
            chats.retain(|incoming| after.is_none_or(|after| incoming.update >= after));
            chats.clone()
        };
        let until = tokio::time::sleep(wait);
        tokio::pin!(until);
        loop {
            let written = self.0.sim.written.notified();
            let there = fresh();
            if !there.is_empty() {
                return Ok(there);
            }
            tokio::select! {
                biased;
                () = written => {}
                () = &mut until => return Ok(Vec::new()),
            }
        }
    }
}
