//! An engine of another process: that of the service, or of the user who signed in first. A tray of this process only
//! shows it, and asks it by the API of its page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use tokio::sync::watch;
use tokio::time::sleep;

use super::behind::Behind;
use super::{PAGE_TOKEN, PORT_FILE, parts};
use crate::engine::first_snapshot;
use crate::model::command::{Command, Reply};
use crate::model::fault::{Fault, Scope};
use crate::model::home::EngineHome;
use crate::model::settings::{DesktopSettings, Settings};
use crate::model::status::Snapshot;
use crate::platform::{FileSecrets, Instance, random_token, read_settings};
use crate::ports::{Clock, Controls, Secrets as _};
use crate::remote::Client;
use crate::web::{self, Access};

/// Between two looks at an engine that does not answer, or that says no more than everybody may know.
const LOOK: Duration = Duration::from_secs(3);
/// At most so often another snapshot is fetched.
const GAP: Duration = Duration::from_millis(250);
/// An engine that starts itself anew is back within this: only then is its place free.
const GONE_FOR: Duration = Duration::from_secs(15);
/// A copy of a bill's rows, which the page may hand over, is the largest.
const LARGEST: usize = 17 * 1024 * 1024;
/// What this user's tray remembers: the shop's store is the other process'.
const MEMORY: &str = "tray.json";
/// Whoever cannot read the key to the page may look, and no more.
const ONLY_LOOKS: &str = "Only the Windows user who set ShopSync up, and administrators, can do that.";

/// It, as this process knows it.
#[derive(Debug)]
pub(super) struct Elsewhere {
    data: PathBuf,
    file: PathBuf,
    memory: PathBuf,
    states: watch::Sender<Arc<Snapshot>>,
    desktop: watch::Sender<DesktopSettings>,
    known: Mutex<Known>,
}

/// What was learnt of it.
#[derive(Debug, Default)]
struct Known {
    client: Option<Arc<Client>>,
    /// The client has the key to its page.
    opens: bool,
    zone: Tz,
    home: EngineHome,
    /// What was published last by it, not made up here.
    at: Option<DateTime<Utc>>,
}

impl Elsewhere {
    /// Nothing was heard yet. `user` is where this user's tray keeps files of its own.
    pub(super) fn new(data: &Path, file: &Path, user: &Path, clock: &dyn Clock) -> Arc<Self> {
        let settings = read_settings(file).unwrap_or_default();
        let first = first_snapshot(&parts::rules(&settings, String::new()), clock.now());
        let known = Known { zone: settings.zone, home: settings.engine, ..Known::default() };
        Arc::new(Self {
            data: data.to_owned(),
            file: file.to_owned(),
            memory: user.join(MEMORY),
            states: watch::Sender::new(Arc::new(first)),
            desktop: watch::Sender::new(settings.desktop),
            known: Mutex::new(known),
        })
    }

    /// Whether the engine of this data folder is none of this process': another has it, or the service is to have it.
    pub(super) fn is_elsewhere(data: &Path, file: &Path) -> bool {
        let home = read_settings(file).map(|settings| settings.engine).unwrap_or_default();
        home == EngineHome::Service || Instance::is_taken(data)
    }

    /// Whether it was heard at all.
    pub(super) fn was_heard(&self) -> bool {
        self.known().at.is_some()
    }

    /// Where it is at home.
    pub(super) fn home(&self) -> EngineHome {
        self.known().home
    }

    /// Follows it, until its place is free for an engine of this process.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut silent = Duration::ZERO;
        loop {
            self.look_at_settings().await;
            if let Err(fault) = self.listen(&mut silent).await {
                tracing::debug!(detail = fault.detail, "{}", fault.sentence);
            }
            self.known().client = None;
            sleep(LOOK).await;
            silent += LOOK;
            let data = self.data.clone();
            let taken = tokio::task::spawn_blocking(move || Instance::is_taken(&data)).await.unwrap_or(true);
            if taken || self.home() == EngineHome::Service {
                silent = Duration::ZERO;
            } else if silent >= GONE_FOR {
                return;
            }
        }
    }

    /// Hears what it publishes, until it does not answer any more.
    async fn listen(&self, silent: &mut Duration) -> Result<(), Fault> {
        let (client, opens) = self.reach().await?;
        loop {
            if opens {
                let after = self.known().at;
                if let Some(snapshot) = client.status_after(after).await? {
                    self.known().at = Some(snapshot.at);
                    self.states.send_replace(Arc::new(snapshot));
                }
                sleep(GAP).await;
            } else {
                let glance = client.glance().await?;
                self.known().at = Some(glance.at);
                self.states.send_modify(|shown| {
                    let shown = Arc::make_mut(shown);
                    (shown.state, shown.sentence, shown.at) = (glance.state, glance.sentence, glance.at);
                });
                sleep(LOOK).await;
            }
            *silent = Duration::ZERO;
        }
    }

    async fn reach(&self) -> Result<(Arc<Client>, bool), Fault> {
        let (data, settings) = (self.data.clone(), self.settings().await);
        let made = tokio::task::spawn_blocking(move || {
            // Another user's tray may be kept from reading it.
            let token = FileSecrets::new(&data).get(PAGE_TOKEN).ok().flatten();
            let noted = std::fs::read_to_string(data.join(PORT_FILE)).ok();
            let port = noted.and_then(|text| text.trim().parse().ok()).unwrap_or(settings.web.port);
            let opens = token.is_some();
            Client::new(port, token.unwrap_or_default()).map(|client| (Arc::new(client), opens))
        });
        let (client, opens) = made.await.unwrap_or_else(|error| {
            Err(Fault::transient(Scope::Item, "ShopSync cannot be asked.").detail(error))
        })?;
        let mut known = self.known();
        (known.client, known.opens) = (Some(Arc::clone(&client)), opens);
        Ok((client, opens))
    }

    async fn settings(&self) -> Settings {
        let file = self.file.clone();
        let read = tokio::task::spawn_blocking(move || read_settings(&file)).await;
        read.ok().and_then(Result::ok).unwrap_or_default()
    }

    async fn look_at_settings(&self) {
        let settings = self.settings().await;
        let mut known = self.known();
        (known.zone, known.home) = (settings.zone, settings.engine);
        drop(known);
        self.desktop.send_if_modified(|shown| {
            let differs = *shown != settings.desktop;
            *shown = settings.desktop;
            differs
        });
    }

    /// How it is asked, for those who may.
    fn opener(&self) -> Option<Arc<Client>> {
        let known = self.known();
        known.client.clone().filter(|_| known.opens)
    }

    fn refusal(&self) -> String {
        let known = self.known();
        let sentence = if known.client.is_some() { ONLY_LOOKS } else { "ShopSync does not answer now." };
        sentence.to_owned()
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn pass_on(self: Arc<Self>, request: Request) -> Response {
        let Some(client) = self.opener() else { return away(&self.refusal()) };
        let (head, body) = request.into_parts();
        let Ok(body) = to_bytes(body, LARGEST).await else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        match client.pass_on(head.method, path, &head.headers, body.to_vec()).await {
            Ok(answer) => answer.map(Body::from),
            Err(fault) => away(&fault.sentence),
        }
    }
}

fn away(sentence: &str) -> Response {
    let said = serde_json::json!({ "error": sentence }).to_string();
    (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "application/json")], said).into_response()
}

#[async_trait]
impl Controls for Elsewhere {
    async fn command(&self, command: Command) -> Reply {
        let Some(client) = self.opener() else { return Reply::Refused { sentence: self.refusal() } };
        client.command(&command).await.unwrap_or_else(|fault| Reply::Refused { sentence: fault.sentence })
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.states.subscribe()
    }
}

#[async_trait]
impl Behind for Elsewhere {
    fn is_here(&self) -> bool {
        false
    }

    fn desktop(&self) -> watch::Receiver<DesktopSettings> {
        self.desktop.subscribe()
    }

    fn zone(&self) -> Tz {
        self.known().zone
    }

    fn page(self: Arc<Self>) -> Router {
        let onward = Arc::clone(&self);
        let onward = Router::new().fallback(move |request: Request| Arc::clone(&onward).pass_on(request));
        let access = random_token().ok().and_then(|token| Access::new(token, 0).ok());
        let controls = self as Arc<dyn Controls>;
        // Without randomness nothing of this can be: then there is no page.
        access.map_or_else(Router::new, |access| web::router_onward(controls, access.for_window(), onward))
    }

    async fn link(&self) -> Result<String, String> {
        let Some(client) = self.opener() else { return Err(self.refusal()) };
        let link = client.link().await.map_err(|fault| fault.sentence)?;
        link.ok_or_else(|| "ShopSync could not make a link.".to_owned())
    }

    async fn recall(&self, name: &str) -> Result<Option<String>, Fault> {
        let memory = self.memory.clone();
        let read = tokio::task::spawn_blocking(move || memory_of(&memory)).await;
        Ok(read.ok().and_then(|mut memory| memory.remove(name)))
    }

    async fn remember(&self, name: &str, text: &str) -> Result<(), Fault> {
        let (path, name, text) = (self.memory.clone(), name.to_owned(), text.to_owned());
        let written = tokio::task::spawn_blocking(move || {
            let mut memory = memory_of(&path);
            memory.insert(name, text);
            std::fs::write(path, serde_json::to_vec(&memory)?)
        });
        let written = written.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        written.map_err(|error| {
            Fault::transient(Scope::Item, "The tray cannot remember where its window stood.").detail(error)
        })
    }
}

/// What cannot be read is as if it had never been: it is a comfort, no more.
fn memory_of(path: &Path) -> BTreeMap<String, String> {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
#[path = "elsewhere_tests.rs"]
mod tests;
