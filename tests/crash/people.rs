//! A phone and a till that go on billing whatever dies: a phone sends again until it was told that it is kept.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::harness::{Bill, Line, sandbox};

/// What a phone was told is kept: the newest content of a number, and its record.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) bill: Bill,
    pub(crate) record: String,
}

/// By number.
pub(crate) type Book = Arc<Mutex<BTreeMap<String, Kept>>>;

/// Ends the people when they are to go home.
pub(crate) type Closed = Arc<AtomicBool>;

/// Somebody who sends until the answer is there.
#[derive(Debug, Clone)]
pub(crate) struct Phone {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: String,
}

impl Phone {
    pub(crate) async fn sign_in(url: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        let login = json!({"identity": "phone@shop.in", "password": "phone-1234"});
        let path = format!("{url}/api/collections/users/auth-with-password");
        let answer: Value = http.post(path).json(&login).send().await.unwrap().json().await.unwrap();
        Self { http, url: url.to_owned(), token: answer["token"].as_str().unwrap().to_owned() }
    }

    async fn try_send(&self, requests: &[Value]) -> Result<u16, reqwest::Error> {
        let request = self.http.post(format!("{}/api/batch", self.url)).header("Authorization", &self.token);
        let answer = request.json(&json!({ "requests": requests })).send().await?;
        Ok(answer.status().as_u16())
    }

    async fn exists(&self, record: &str) -> Result<bool, reqwest::Error> {
        let path = format!("{}/api/collections/invoices/records/{record}", self.url);
        let answer = self.http.get(path).header("Authorization", &self.token).send().await?;
        Ok(answer.status().is_success())
    }

    /// One transaction, sent until it is known to have happened once. A lost answer is looked up first.
    pub(crate) async fn send(&self, record: &str, requests: &[Value]) {
        let mut tries = 0_u32;
        loop {
            let answer = self.try_send(requests).await;
            if matches!(answer, Ok(200)) || matches!(self.exists(record).await, Ok(true)) {
                return;
            }
            tries += 1;
            assert!(tries < 2_000, "the app never took {record}: {answer:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The requests of a bill whose records carry the phone's own ids; the revised record goes in the same batch.
pub(crate) fn requests(bill: &Bill, record: &str, revised: Option<&str>) -> Vec<Value> {
    let at = |collection: &str| format!("/api/collections/{collection}/records");
    let mut head = bill.head("completed");
    head["id"] = json!(record);
    let mut all = Vec::new();
    if let Some(old) = revised {
        let url = format!("{}/{old}", at("invoices"));
        all.push(json!({"method": "PATCH", "url": url, "body": {"status": "revised"}}));
    }
    all.push(json!({"method": "POST", "url": at("invoices"), "body": head}));
    let parts = bill.parts(record).into_iter();
    all.extend(
        parts.map(|(collection, body)| json!({"method": "POST", "url": at(collection), "body": body})),
    );
    all
}

/// A bill of a few lines. Its number is of a form that RainTek's till never makes: the two do not clash.
pub(crate) fn basket(number: &str, rng: &mut StdRng) -> Bill {
    let count = rng.random_range(1..=4);
    let modes = ["Exclusive", "Inclusive"];
    let lines = (0..count).map(|_| {
        let code = format!("P-{:04}", rng.random_range(1..=4));
        let rate = format!("{}.{:02}", rng.random_range(5..500), rng.random_range(0..100));
        let quantity = rng.random_range(1..=5).to_string();
        Line::new(
            &code,
            &quantity,
            &rate,
            modes[rng.random_range(0..2)],
            ["5", "12", "18"][rng.random_range(0..3)],
        )
    });
    let mut bill = Bill::new(number, lines.collect());
    bill.method = ["cash", "upi", "card", "credit"][rng.random_range(0..4)];
    bill
}

/// Bills until the shop closes; every sixth bill is revised later.
pub(crate) async fn bill_on_the_phone(phone: Phone, seed: u64, pace: Duration, book: Book, closed: Closed) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut made = 0_u32;
    while !closed.load(Ordering::Relaxed) {
        made += 1;
        let old = (made.is_multiple_of(6)).then(|| {
            let book = book.lock().unwrap();
            let at = rng.random_range(0..book.len());
            book.values().nth(at).cloned().unwrap()
        });
        let number = old.as_ref().map_or_else(|| format!("M{made:05}"), |kept| kept.bill.number.clone());
        let record = format!("m{made:014}");
        let bill = basket(&number, &mut rng);
        phone.send(&record, &requests(&bill, &record, old.as_ref().map(|kept| kept.record.as_str()))).await;
        book.lock().unwrap().insert(number, Kept { bill, record });
        tokio::time::sleep(pace.mul_f64(rng.random_range(0.2..1.8))).await;
    }
}

/// Bills at RainTek's own till. Returns number and Inv_ID of the bills that it said are saved; one whose server died
/// in the middle is saved by half, and its number is given out again.
pub(crate) async fn bill_at_the_till(
    port: u16,
    password: &'static str,
    pace: Duration,
    closed: Closed,
) -> Vec<(String, i64)> {
    let mut saved = Vec::new();
    let mut seed = 0_u64;
    while !closed.load(Ordering::Relaxed) {
        seed += 1;
        let mut command = tokio::process::Command::new(sandbox());
        command.args(["till", "bill", "--count", "1", "--seed", &seed.to_string()]);
        command.args(["--port", &port.to_string(), "--password", password]).kill_on_drop(true);
        let done = tokio::time::timeout(Duration::from_secs(90), command.output()).await;
        if let Ok(Ok(done)) = done {
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            let said = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            saved.extend(
                said.filter_map(|line| Some((line["number"].as_str()?.to_owned(), line["inv_id"].as_i64()?))),
            );
        }
        tokio::time::sleep(pace).await;
    }
    saved
}
