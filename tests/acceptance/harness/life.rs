//! How ShopSync ends and starts, and a phone that bills meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::OpenFlags;
use serde_json::{Value, json};

use super::raintek::Dump;
use super::{Bill, SOON, Shop, eventually, now, signal, spawn, tail};

impl Shop {
    /// The program's process.
    pub(crate) fn pid(&self) -> u32 {
        self.shopsync.as_ref().unwrap().id()
    }

    /// Starts the program and waits for nothing.
    pub(crate) fn spawn(&mut self) {
        self.shopsync = Some(spawn(self.command().arg("run"), &self.log()));
    }

    /// Ends ShopSync with a signal, in order. Returns how long it took.
    pub(crate) async fn end_by(&mut self, name: &str) -> Duration {
        let mut child = self.shopsync.take().unwrap();
        let asked = now();
        signal(child.id(), name);
        eventually("ShopSync ends", SOON, async || child.try_wait().unwrap().is_some()).await;
        let took = asked.elapsed();
        assert!(child.wait().unwrap().success(), "{}", tail(&self.log(), 20));
        took
    }

    /// Sentences of the journal of a kind, oldest first; also while ShopSync is away.
    pub(crate) fn journal(&self, kind: &str) -> Vec<String> {
        let path = self.data().join("shopsync.sqlite");
        let store = rusqlite::Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        store.busy_timeout(Duration::from_secs(5)).unwrap();
        let mut statement =
            store.prepare("SELECT sentence FROM journal WHERE kind = ?1 ORDER BY id").unwrap();
        statement.query_map([kind], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Waits until the journal says so.
    pub(crate) async fn journal_says(&self, kind: &str, sentence: &str) {
        eventually(&format!("the journal says: {sentence}"), SOON, async || {
            self.journal(kind).iter().any(|line| line.contains(sentence))
        })
        .await;
    }

    /// A command of the page; what it answers.
    pub(crate) async fn command_of_page(&self, command: Value) -> Value {
        let request = self.http.post(self.page("/api/command")).bearer_auth(self.secret("page.token"));
        request.json(&command).send().await.unwrap().json().await.unwrap()
    }
}

/// Exactly these numbers stand in RainTek, each once and whole, and nothing beside them.
pub(crate) fn assert_each_once(dump: &Dump, numbers: &BTreeSet<String>) {
    let booked: Vec<&str> =
        dump.rows("InvoiceInfo").iter().map(|row| row["InvoiceNo"].as_str().unwrap()).collect();
    assert_eq!(booked.len(), numbers.len(), "each once");
    assert_eq!(&booked.iter().map(|number| (*number).to_owned()).collect::<BTreeSet<_>>(), numbers);
    for row in dump.rows("InvoiceInfo") {
        assert_eq!(row["Invoice_Product"].as_array().unwrap().len(), 2, "{}", row["InvoiceNo"]);
        assert_eq!(row["Invoice_Payment"].as_array().unwrap().len(), 1, "{}", row["InvoiceNo"]);
    }
    for orphan in ["Invoice_Product", "Invoice_Payment"] {
        assert!(dump.rows(orphan).is_empty(), "{orphan} without a bill");
    }
    assert_eq!(dump.rows("SaleGST").len(), numbers.len());
}

/// A phone that bills on and on. The app may be away: it sends each bill until the app has it.
#[derive(Debug, Clone)]
pub(crate) struct Tireless {
    http: reqwest::Client,
    url: String,
    token: String,
    next: Arc<AtomicU32>,
    enough: Arc<AtomicBool>,
}

impl Tireless {
    /// At this address of the app, from this bill on.
    pub(crate) async fn new(shop: &Shop, url: &str, first: u32) -> Self {
        // Makes the user.
        shop.phone().await;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build().unwrap();
        let asked = http.post(format!("{url}/api/collections/users/auth-with-password"));
        let login = json!({"identity": "phone@shop.in", "password": "phone-1234"});
        let answer: Value = asked.json(&login).send().await.unwrap().json().await.unwrap();
        let token = answer["token"].as_str().unwrap().to_owned();
        let (next, enough) = (Arc::new(AtomicU32::new(first)), Arc::default());
        Self { http, url: url.to_owned(), token, next, enough }
    }

    /// Bills until it has been enough. Returns the numbers.
    pub(crate) fn bill_on(&self) -> tokio::task::JoinHandle<Vec<String>> {
        let phone = self.clone();
        tokio::spawn(async move {
            let mut numbers = Vec::new();
            while !phone.enough.load(Ordering::Relaxed) {
                numbers.push(phone.bill().await);
                // A cashier needs a moment for each.
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            numbers
        })
    }

    pub(crate) fn enough(&self) {
        self.enough.store(true, Ordering::Relaxed);
    }

    /// One bill; the app has it when this returns. Returns its number.
    pub(crate) async fn bill(&self) -> String {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        let bill = Bill::plain(&format!("GST-{at:04}-2026/27"));
        let id = format!("tireless{at:07}");
        let mut head = bill.head("completed");
        head["id"] = json!(id);
        let parts = std::iter::once(("invoices", head)).chain(bill.parts(&id));
        let requests: Vec<Value> = parts
            .map(|(collection, body)| {
                json!({"method": "POST", "url": format!("/api/collections/{collection}/records"), "body": body})
            })
            .collect();
        let batch = json!({ "requests": requests });
        while !(self.is_taken(&batch).await || self.has(&id).await) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bill.number
    }

    async fn is_taken(&self, batch: &Value) -> bool {
        let request = self.http.post(format!("{}/api/batch", self.url)).header("Authorization", &self.token);
        request.json(batch).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Whether it has it already: an answer may have been lost.
    async fn has(&self, id: &str) -> bool {
        let url = format!("{}/api/collections/invoices/records/{id}", self.url);
        let request = self.http.get(url).header("Authorization", &self.token);
        request.send().await.is_ok_and(|answer| answer.status().is_success())
    }
}
