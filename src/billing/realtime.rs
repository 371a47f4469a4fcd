//! Follows the app's event stream. An event is a hint to go and look, never the only way in which a record is found.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::PocketBase;
use super::classify::{Doing, Trouble, classify_trouble};
use super::client::Ask;
use super::sse::{Event, Parser};
use crate::model::fault::{Fault, Scope};
use crate::model::ids::RecordId;
use crate::model::settings::BillingSettings;
use crate::ports::BillingEvent;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// PocketBase closes a stream on which nothing happened for five minutes; one that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(6 * 60);
/// The first event tells our client id and comes at once.
const GREETING: Duration = Duration::from_secs(15);
/// A stream that ends sooner than this is not taken for an orderly end, or two broken ends would chase each other.
const SHORTEST_LIFE: Duration = Duration::from_secs(10);

/// Why a stream ended.
enum End {
    /// PocketBase closed it in order.
    Closed,
    /// It broke, or never stood.
    Broke(Fault),
    /// Nobody listens to us any more.
    Unwanted,
}

impl PocketBase {
    /// Follows for ever; ends when the receiver is gone.
    pub(super) async fn follow_events(&self, events: &mpsc::Sender<BillingEvent>) {
        let mut wait = FIRST_WAIT;
        let mut told = false;
        while !events.is_closed() {
            let started = self.clock.elapsed();
            let mut stood = false;
            let end = self.follow_once(events, &mut stood).await;
            if stood || !told {
                told = true;
                if events.send(BillingEvent::Disconnected).await.is_err() {
                    return;
                }
            }
            let lived = self.clock.elapsed().saturating_sub(started);
            if stood {
                wait = FIRST_WAIT;
            }
            match end {
                End::Unwanted => return,
                End::Closed if stood && lived >= SHORTEST_LIFE => continue,
                End::Closed => {}
                End::Broke(fault) => tracing::debug!(error = %fault, "the billing app's event stream broke"),
            }
            // Up to half as much again, so that several programs do not come back in one moment.
            let jitter = wait.saturating_mul(self.clock.jitter().min(1000)) / 2000;
            tokio::select! {
                () = self.clock.sleep(wait + jitter) => {}
                () = events.closed() => return,
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn follow_once(&self, events: &mpsc::Sender<BillingEvent>, stood: &mut bool) -> End {
        let opened = async {
            self.ready().await?;
            self.client.open_stream().await
        };
        let mut stream = tokio::select! {
            opened = opened => match opened {
                Ok(stream) => stream,
                Err(fault) => return End::Broke(fault),
            },
            () = events.closed() => return End::Unwanted,
        };
        let mut parser = Parser::default();
        let mut client_id: Option<String> = None;
        // Something was not told for want of room: then everything is to be looked at.
        let mut behind = false;
        let mut renew = SILENCE;
        let mut since_renewal = self.clock.elapsed();
        loop {
            let patience = if client_id.is_none() { GREETING } else { SILENCE };
            let until_renewal = renew.saturating_sub(self.clock.elapsed().saturating_sub(since_renewal));
            let chunk = tokio::select! {
                chunk = stream.chunk() => chunk,
                () = self.clock.sleep(patience) => return End::Broke(broken("nothing came for too long")),
                () = events.closed() => return End::Unwanted,
                permit = events.reserve(), if behind => {
                    let Ok(permit) = permit else { return End::Unwanted };
                    permit.send(BillingEvent::Connected);
                    behind = false;
                    continue;
                }
                () = self.clock.sleep(until_renewal), if client_id.is_some() => {
                    match self.subscribe(client_id.as_deref().unwrap_or_default()).await {
                        Ok(left) => (renew, since_renewal) = (left, self.clock.elapsed()),
                        Err(fault) => return End::Broke(fault),
                    }
                    continue;
                }
            };
            let bytes = match chunk {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return End::Closed,
                Err(error) => return End::Broke(classify_trouble(Trouble::of(&error), "the event stream")),
            };
            let whole = match parser.push(&bytes) {
                Ok(whole) => whole,
                Err(error) => return End::Broke(broken(&error.to_string())),
            };
            for event in whole {
                if client_id.is_none() {
                    let Some(id) = greeted(&event) else { return End::Broke(broken("no greeting")) };
                    match self.subscribe(&id).await {
                        Ok(left) => (renew, since_renewal) = (left, self.clock.elapsed()),
                        Err(fault) => return End::Broke(fault),
                    }
                    client_id = Some(id);
                    *stood = true;
                    if events.send(BillingEvent::Connected).await.is_err() {
                        return End::Unwanted;
                    }
                } else if let Some(hint) = hint(&self.reader.names, &event) {
                    behind |= events.try_send(hint).is_err();
                }
            }
        }
    }

    /// Subscribes as superuser; returns how long the login counts. A guest's subscription is accepted as well and
    /// then hears nothing, so the very token is proven behind it.
    async fn subscribe(&self, client_id: &str) -> Result<Duration, Fault> {
        // Ids are all we use; lines and customers need not travel.
        let topics: Vec<String> = ["invoices", "invoice_items", "invoice_payments"]
            .iter()
            .map(|collection| {
                let fields = format!("id,{}", self.field(collection, "invoice"));
                let options = json!({"query": {"fields": fields}}).to_string();
                format!("{}/*?options={}", self.collection(collection), percent(&options))
            })
            .collect();
        let subscribe = Ask::post("/api/realtime", json!({"clientId": client_id, "subscriptions": topics}));
        let token = self.client.token().await?;
        self.client.call_with(&subscribe, &token).await?.ok(Doing::App)?;
        let proof =
            Ask::get(format!("/api/collections/{}", self.collection("invoices"))).with("fields", "id");
        let answer = self.client.call_with(&proof, &token).await?;
        if !answer.is_ok() {
            self.client.forget(&token).await;
            return Err(answer.fault(Doing::App));
        }
        Ok(self.client.token_left().await.max(FIRST_WAIT))
    }
}

/// What an event tells; `None` for one that tells nothing of an invoice.
pub(super) fn hint(names: &BillingSettings, event: &Event) -> Option<BillingEvent> {
    let (collection, _) = event.name.split_once('/')?;
    let data: Value = serde_json::from_str(&event.data).ok()?;
    let record = data.get("record")?;
    let text = |field: &str| {
        record.get(field).and_then(Value::as_str).filter(|id| !id.is_empty()).map(RecordId::new)
    };
    if collection == names.collection("invoices") {
        return text("id").map(BillingEvent::Invoice);
    }
    let part = ["invoice_items", "invoice_payments"]
        .into_iter()
        .find(|part| collection == names.collection(part))?;
    text(names.field(part, "invoice")).map(BillingEvent::Part)
}

fn greeted(event: &Event) -> Option<String> {
    if event.name != "PB_CONNECT" {
        return None;
    }
    let data: Value = serde_json::from_str(&event.data).ok()?;
    data.get("clientId")
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty() && id.len() <= 200)
        .map(str::to_owned)
}

fn broken(detail: &str) -> Fault {
    Fault::transient(Scope::Billing, "The billing app's live connection broke.").detail(detail)
}

/// Percent-encodes all but letters and digits.
fn percent(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
