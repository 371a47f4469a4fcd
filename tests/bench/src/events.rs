//! The app's event stream, followed by nobody's engine: the limit of how soon an invoice can be known.

use std::collections::HashMap;

use serde_json::{Value, json};
use shopsync::billing::{OWN_IDENTITY, OWN_PASSWORD_SECRET};
use tokio::sync::watch;

use crate::harness::Shop;
use crate::process::now_us;

/// When records were first told of as completed, and as synced, in microseconds since 1970.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    completed: HashMap<String, u64>,
    synced: HashMap<String, u64>,
}

/// A bare follower of `invoices`; it ends with this.
#[derive(Debug)]
pub(crate) struct Events {
    told: watch::Receiver<Told>,
    following: tokio::task::JoinHandle<()>,
}

impl Drop for Events {
    fn drop(&mut self) {
        self.following.abort();
    }
}

impl Events {
    /// Follows from now on.
    pub(crate) async fn follow(shop: &Shop) -> Self {
        let url = shop.app.settings.url.clone();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let login = json!({"identity": OWN_IDENTITY, "password": shop.secret(OWN_PASSWORD_SECRET)});
        let path = format!("{url}/api/collections/_superusers/auth-with-password");
        let login: Value = http.post(path).json(&login).send().await.unwrap().json().await.unwrap();
        let token = login["token"].as_str().unwrap().to_owned();
        let mut stream = http.get(format!("{url}/api/realtime")).send().await.unwrap();
        let mut parser = Parser::default();
        let client = loop {
            let chunk = stream.chunk().await.unwrap().unwrap();
            if let Some(greeting) = parser.push(&chunk).into_iter().next() {
                break greeting["clientId"].as_str().unwrap().to_owned();
            }
        };
        let fields = "%7B%22query%22%3A%7B%22fields%22%3A%22id%2Cstatus%2Csync_status%22%7D%7D";
        let wanted = json!({"clientId": client, "subscriptions": [format!("invoices/*?options={fields}")]});
        let asked = http.post(format!("{url}/api/realtime")).header("Authorization", token).json(&wanted);
        assert_eq!(asked.send().await.unwrap().status(), 204);
        let (news, told) = watch::channel(Told::default());
        let following = tokio::spawn(async move {
            while let Ok(Some(chunk)) = stream.chunk().await {
                let at = now_us();
                for event in parser.push(&chunk) {
                    let record = &event["record"];
                    let id = record["id"].as_str().unwrap_or_default().to_owned();
                    news.send_modify(|told| {
                        if record["sync_status"] == "synced" {
                            told.synced.entry(id).or_insert(at);
                        } else if record["status"] == "completed" {
                            told.completed.entry(id).or_insert(at);
                        }
                    });
                }
            }
        });
        Self { told, following }
    }

    /// When the app told that this record is completed.
    pub(crate) async fn completed(&mut self, id: &str) -> u64 {
        self.wait(|told| told.completed.get(id).copied()).await
    }

    /// When it told that this record is synced.
    pub(crate) async fn synced(&mut self, id: &str) -> u64 {
        self.wait(|told| told.synced.get(id).copied()).await
    }

    async fn wait(&mut self, look: impl Fn(&Told) -> Option<u64>) -> u64 {
        let told = self.told.wait_for(|told| look(told).is_some());
        let told = tokio::time::timeout(std::time::Duration::from_secs(60), told).await;
        look(&told.expect("the app does not tell of it").unwrap()).unwrap()
    }
}

/// Cuts the stream into the data of its events.
#[derive(Debug, Default)]
struct Parser {
    rest: Vec<u8>,
}

impl Parser {
    fn push(&mut self, chunk: &[u8]) -> Vec<Value> {
        self.rest.extend_from_slice(chunk);
        let mut found = Vec::new();
        while let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = self.rest.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&event).into_owned();
            let data = text.lines().find_map(|line| line.strip_prefix("data:"));
            found.extend(data.and_then(|data| serde_json::from_str(data).ok()));
        }
        found
    }
}
