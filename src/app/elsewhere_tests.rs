use std::fs::File;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{Method, Request as HttpRequest};
use chrono::TimeZone as _;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::*;
use crate::model::health::HealthState;
use crate::model::sample;
use crate::platform::SystemClock;

const TOKEN: &str = "0123456789abcdefghijklmnopqrstuv";

/// An engine of another process: its page is served, and it remembers what it was asked.
struct Other {
    states: watch::Sender<Arc<Snapshot>>,
    asked: Mutex<Vec<Command>>,
}

#[async_trait]
impl Controls for Other {
    async fn command(&self, command: Command) -> Reply {
        self.asked.lock().unwrap().push(command);
        Reply::Accepted { sentence: "It is being tried now.".into() }
    }

    fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.states.subscribe()
    }
}

struct Pc {
    folder: TempDir,
    other: Arc<Other>,
    stop: CancellationToken,
    _lock: File,
}

fn snapshot(second: u32, sentence: &str) -> Snapshot {
    let at = Utc.with_ymd_and_hms(2026, 9, 15, 5, 12, second).unwrap();
    sample::snapshot(at, HealthState::InStep, sentence)
}

impl Pc {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lock = File::create(folder.path().join("shopsync.lock")).unwrap();
        lock.try_lock().unwrap();
        let (states, _) = watch::channel(Arc::new(snapshot(1, "Everything is in step.")));
        let other = Arc::new(Other { states, asked: Mutex::default() });
        let listener = web::bind(0).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        std::fs::write(folder.path().join(PORT_FILE), port.to_string()).unwrap();
        let access = Access::new(TOKEN, port).unwrap();
        let router = web::router(Arc::clone(&other) as Arc<dyn Controls>, access);
        let stop = CancellationToken::new();
        tokio::spawn(web::serve(listener, router, stop.clone()));
        Self { folder, other, stop, _lock: lock }
    }

    /// A user who may read the key.
    fn give_key(&self) {
        FileSecrets::new(self.folder.path()).set(PAGE_TOKEN, TOKEN).unwrap();
    }

    fn elsewhere(&self) -> Arc<Elsewhere> {
        let file = self.folder.path().join("settings.toml");
        Elsewhere::new(self.folder.path(), &file, self.folder.path(), &SystemClock::new())
    }
}

impl Drop for Pc {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What is shown once it has this sentence.
async fn shown(elsewhere: &Elsewhere, sentence: &str) -> Arc<Snapshot> {
    let mut states = elsewhere.watch();
    let found = states.wait_for(|snapshot| snapshot.sentence == sentence);
    let found = tokio::time::timeout(Duration::from_secs(20), found).await;
    Arc::clone(&found.unwrap_or_else(|_| panic!("{sentence}")).unwrap())
}

async fn ask(elsewhere: &Arc<Elsewhere>, path: &str, origin: &str) -> (StatusCode, String) {
    let request = HttpRequest::builder().method(Method::GET).uri(path);
    let request = request.header(HOST, "shopsync.localhost").header(ORIGIN, origin).body(Body::empty());
    let answer = Arc::clone(elsewhere).page().oneshot(request.unwrap()).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap();
    (head.status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn it_is_shown_asked_and_seen_in_a_window_of_this_process() {
    let pc = Pc::new().await;
    pc.give_key();
    let elsewhere = pc.elsewhere();
    assert!(!elsewhere.was_heard());
    let following = tokio::spawn(Arc::clone(&elsewhere).follow());
    shown(&elsewhere, "Everything is in step.").await;
    assert!(elsewhere.was_heard());
    pc.other.states.send_replace(Arc::new(snapshot(2, "1 invoice is on its way.")));
    shown(&elsewhere, "1 invoice is on its way.").await;

    let reply = elsewhere.command(Command::SyncNow).await;
    assert!(matches!(reply, Reply::Accepted { .. }), "{reply:?}");
    assert_eq!(*pc.other.asked.lock().unwrap(), [Command::SyncNow]);
    let link = elsewhere.link().await.unwrap();
    assert!(link.starts_with("http://127.0.0.1:") && link.contains("/?once="), "{link}");

    let own = "http://shopsync.localhost";
    let (status, body) = ask(&elsewhere, "/api/status", own).await;
    assert!(status == StatusCode::OK && body.contains("1 invoice is on its way."), "{status} {body}");
    let (status, body) = ask(&elsewhere, "/", own).await;
    assert!(status == StatusCode::OK && body.contains("<html"), "{status} {body}");
    let (status, _) = ask(&elsewhere, "/api/status", "http://evil.example").await;
    assert_eq!(status, StatusCode::FORBIDDEN, "another page reaches nothing through the window");
    following.abort();
}

#[tokio::test]
async fn who_has_no_key_sees_how_it_is_and_does_nothing() {
    let pc = Pc::new().await;
    let elsewhere = pc.elsewhere();
    let following = tokio::spawn(Arc::clone(&elsewhere).follow());
    let seen = shown(&elsewhere, "Everything is in step.").await;
    assert_eq!((seen.state, seen.at), (HealthState::InStep, snapshot(1, "").at));
    assert!(seen.items.is_empty(), "no customer, no number");
    let reply = elsewhere.command(Command::SyncNow).await;
    assert_eq!(reply, Reply::Refused { sentence: ONLY_LOOKS.into() });
    assert_eq!(elsewhere.link().await.unwrap_err(), ONLY_LOOKS);
    let (status, body) = ask(&elsewhere, "/api/status", "http://shopsync.localhost").await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && body.contains("Only the Windows user"), "{body}");
    assert!(pc.other.asked.lock().unwrap().is_empty());
    following.abort();
}

#[tokio::test]
async fn what_the_tray_remembers_is_this_users() {
    let pc = Pc::new().await;
    let elsewhere = pc.elsewhere();
    assert_eq!(elsewhere.recall("place").await.unwrap(), None);
    elsewhere.remember("place", "here").await.unwrap();
    elsewhere.remember("entry", "on").await.unwrap();
    assert_eq!(pc.elsewhere().recall("place").await.unwrap().as_deref(), Some("here"));
    std::fs::write(pc.folder.path().join(MEMORY), "{ torn").unwrap();
    assert_eq!(elsewhere.recall("place").await.unwrap(), None);
}

#[tokio::test]
async fn the_settings_say_whose_it_is() {
    let pc = Pc::new().await;
    let file = pc.folder.path().join("settings.toml");
    assert!(Elsewhere::is_elsewhere(pc.folder.path(), &file), "another has the data folder");
    let free = tempfile::tempdir().unwrap();
    assert!(!Elsewhere::is_elsewhere(free.path(), &file));
    std::fs::write(&file, "engine = \"service\"\n").unwrap();
    assert!(Elsewhere::is_elsewhere(free.path(), &file), "the service is to have it, whether it runs or not");
    assert_eq!(pc.elsewhere().home(), EngineHome::Service);
}
