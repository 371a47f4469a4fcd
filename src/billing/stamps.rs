//! Stamps that are wanted in one moment go to the app in one request, which is one transaction.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::PocketBase;
use super::client::Ask;
use super::values::Record;
use crate::model::fault::Fault;

/// As many in one request; the phones' own writes wait as long as it takes, some 30 ms.
const MOST: usize = 32;

/// Whether it is written; no answer at all is a fault of the app's, not of the stamp's.
type Written = Result<bool, Fault>;

/// A stamp that waits for its turn.
struct Waiting {
    url: String,
    body: Value,
    status: &'static str,
    written: oneshot::Sender<Written>,
}

/// Those that wait, and whose turn it is.
#[derive(Default)]
pub(super) struct Stamps {
    waiting: Mutex<Vec<Waiting>>,
    sending: tokio::sync::Mutex<()>,
}

impl Stamps {
    fn take(&self, most: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever asked for it was stopped, and may want something else by now.
        waiting.retain(|one| !one.written.is_closed());
        let some = most.min(waiting.len());
        waiting.drain(..some).collect()
    }
}

impl PocketBase {
    /// Sends a stamp together with all others that wait, and by itself where one that the app refuses takes its neighbours
    /// along. Where it is not written, a plain change says why.
    ///
    /// # Errors
    /// The app does not answer.
    pub(super) async fn stamp_together(
        &self,
        most: usize,
        url: String,
        body: Value,
        status: &'static str,
    ) -> Written {
        let (written, mut answer) = oneshot::channel();
        let mine = Waiting { url, body, status, written };
        self.stamps.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(mine);
        let _turn = tokio::select! {
            biased;
            // Whoever sent it may have been stopped in the middle: then it is not known to be written.
            written = &mut answer => return written.unwrap_or(Ok(false)),
            turn = self.stamps.sending.lock() => turn,
        };
        loop {
            match answer.try_recv() {
                Ok(written) => return written,
                Err(oneshot::error::TryRecvError::Closed) => return Ok(false),
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let some = self.stamps.take(most.min(MOST));
            for left in self.stamp_all(some).await {
                self.stamp_all(vec![left]).await;
            }
        }
    }

    /// One request. Returns those of several that are to be tried by themselves.
    async fn stamp_all(&self, some: Vec<Waiting>) -> Vec<Waiting> {
        let requests: Vec<Value> =
            some.iter().map(|one| json!({"method": "PATCH", "url": one.url, "body": one.body})).collect();
        let answer = self.client.call(&Ask::post("/api/batch", json!({ "requests": requests }))).await;
        if some.len() > 1 && answer.as_ref().is_ok_and(|answer| !answer.is_ok()) {
            return some;
        }
        let shown = |record: &Value| Record::new(record, &self.reader.names, "invoices").text("sync_status");
        for (place, one) in some.into_iter().enumerate() {
            let written = match &answer {
                Ok(answer) => {
                    let record = answer.body.get(place).and_then(|answer| answer.get("body"));
                    Ok(answer.is_ok() && record.is_some_and(|record| shown(record) == one.status))
                }
                Err(fault) => Err(fault.clone()),
            };
            // A caller that is gone no longer needs the answer.
            let _ = one.written.send(written);
        }
        Vec::new()
    }
}
