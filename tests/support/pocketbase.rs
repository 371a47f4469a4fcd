//! A real PocketBase for tests, and what a phone and a shop's own app do with it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use shopsync::billing::{OWN_IDENTITY, OWN_PASSWORD_SECRET, PocketBase};
use shopsync::model::fault::Fault;
use shopsync::model::settings::BillingSettings;
use shopsync::ports::{Clock, Secrets};
use tokio::process::{Child, Command};

/// Real PocketBase: named by the environment, else where xtask puts it.
pub(crate) fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("SHOPSYNC_POCKETBASE") {
        return PathBuf::from(named);
    }
    let binary = std::env::current_exe().unwrap();
    let name = format!("pocketbase{}", std::env::consts::EXE_SUFFIX);
    let found = binary.ancestors().map(|folder| folder.join("tools/pocketbase-0.40.6").join(&name));
    found.into_iter().find(|program| program.is_file()).unwrap_or_else(|| {
        panic!("PocketBase 0.40.6 is not there: run the tests by `cargo xtask test`, or name it in SHOPSYNC_POCKETBASE")
    })
}

/// An address that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Real time, but it can run `speed` times as fast, and be wrong by `behind`.
#[derive(Debug)]
pub(crate) struct TestClock {
    start: Instant,
    speed: u32,
    behind: Duration,
}

impl TestClock {
    pub(crate) fn new(speed: u32) -> Arc<Self> {
        Self::wrong_by(speed, Duration::ZERO)
    }

    fn wrong_by(speed: u32, behind: Duration) -> Arc<Self> {
        #[expect(clippy::disallowed_methods, reason = "the tests' clock")]
        Arc::new(Self { start: Instant::now(), speed, behind })
    }
}

#[async_trait::async_trait]
impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(clippy::disallowed_methods, reason = "the tests' clock; tokens end by real time")]
        let now = Utc::now();
        now - self.behind
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed() * self.speed
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / self.speed).await;
    }

    fn jitter(&self) -> u32 {
        0
    }
}

/// Secrets in memory.
#[derive(Debug, Default)]
pub(crate) struct MemorySecrets(Mutex<BTreeMap<String, String>>);

impl MemorySecrets {
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap()
    }
}

impl Secrets for MemorySecrets {
    fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.known().get(name).cloned())
    }

    fn set(&self, name: &str, value: &str) -> Result<(), Fault> {
        self.known().insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

/// One shop: its folder, its address, ShopSync's secrets.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) port: u16,
    pub(crate) secrets: Arc<MemorySecrets>,
    pub(crate) settings: BillingSettings,
    pub(crate) speed: u32,
    pub(crate) behind: Duration,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let port = free_port();
        let settings = BillingSettings {
            url: format!("http://127.0.0.1:{port}"),
            listen: format!("127.0.0.1:{port}"),
            program: Some(program()),
            ..BillingSettings::default()
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            port,
            secrets: Arc::default(),
            settings,
            speed: 1,
            behind: Duration::ZERO,
        }
    }

    /// ShopSync's data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of ShopSync's own app.
    pub(crate) fn own_app(&self) -> PathBuf {
        self.data().join("billing")
    }

    /// A ShopSync that begins anew, as after a restart.
    pub(crate) fn adapter(&self) -> PocketBase {
        let zone = chrono_tz::Tz::Asia__Kolkata;
        let secrets: Arc<dyn Secrets> = self.secrets.clone();
        let clock = TestClock::wrong_by(self.speed, self.behind);
        PocketBase::new(self.settings.clone(), zone, &self.data(), clock, secrets).unwrap()
    }

    pub(crate) fn as_guest(&self) -> Caller {
        Caller { http: reqwest::Client::new(), url: self.settings.url.clone(), token: None }
    }

    pub(crate) async fn sign_in(&self, collection: &str, identity: &str, password: &str) -> Caller {
        self.as_guest().sign_in(collection, identity, password).await
    }

    /// ShopSync's own superuser.
    pub(crate) async fn as_shopsync(&self) -> Caller {
        let password = self.secrets.get(OWN_PASSWORD_SECRET).unwrap().expect("ShopSync has made its login");
        self.sign_in("_superusers", OWN_IDENTITY, &password).await
    }

    /// A phone, signed in as a user that is made here.
    pub(crate) async fn as_phone(&self) -> Caller {
        let user =
            json!({"email": "phone@shop.in", "password": "phone-1234", "passwordConfirm": "phone-1234"});
        self.as_shopsync().await.post("/api/collections/users/records", user).await;
        self.sign_in("users", "phone@shop.in", "phone-1234").await
    }

    /// The process that ShopSync started.
    pub(crate) fn server_pid(&self) -> u32 {
        let mark = std::fs::read_to_string(self.data().join("pocketbase.started")).unwrap();
        mark.split(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) async fn is_up(&self) -> bool {
        let health = reqwest::Client::new().get(format!("{}/api/health", self.settings.url)).send().await;
        health.is_ok_and(|answer| answer.status().is_success())
    }
}

/// Somebody who calls PocketBase.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Caller {
    async fn sign_in(&self, collection: &str, identity: &str, password: &str) -> Self {
        let path = format!("/api/collections/{collection}/auth-with-password");
        let (status, body) =
            self.send("POST", &path, Some(json!({"identity": identity, "password": password}))).await;
        assert_eq!(status, 200, "{identity} cannot sign in: {body}");
        Self { token: Some(body["token"].as_str().unwrap().to_owned()), ..self.clone() }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("Authorization", token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
    }

    async fn done(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.done("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.done("POST", path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Value {
        self.done("PATCH", path, Some(body)).await
    }

    /// Makes a record.
    pub(crate) async fn make(&self, collection: &str, body: Value) -> Value {
        self.post(&format!("/api/collections/{collection}/records"), body).await
    }

    /// Changes a record.
    pub(crate) async fn change(&self, collection: &str, id: &str, body: Value) -> Value {
        self.patch(&format!("/api/collections/{collection}/records/{id}"), body).await
    }

    /// Reads a record.
    pub(crate) async fn read(&self, collection: &str, id: &str) -> Value {
        self.get(&format!("/api/collections/{collection}/records/{id}")).await
    }

    /// All collections, by name.
    pub(crate) async fn collections(&self) -> BTreeMap<String, Value> {
        let list = self.get("/api/collections?perPage=500").await;
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| (item["name"].as_str().unwrap().to_owned(), item.clone())).collect()
    }
}

/// A PocketBase that somebody else started, as a Windows service does: with its defaults.
pub(crate) fn start_service(folder: &Path, port: u16) -> Child {
    let mut command = Command::new(program());
    command.args(["serve", "--http", &format!("127.0.0.1:{port}")]).arg("--dir").arg(folder.join("pb_data"));
    for (flag, name) in
        [("--hooksDir", "pb_hooks"), ("--migrationsDir", "pb_migrations"), ("--publicDir", "pb_public")]
    {
        command.arg(flag).arg(folder.join(name));
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Waits until something holds; fails after a minute.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    let start = TestClock::new(1);
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        start.sleep(Duration::from_millis(20)).await;
    }
}

/// What must come within a minute.
pub(crate) async fn soon<T>(what: &str, comes: impl Future<Output = T>) -> T {
    let came = tokio::time::timeout(Duration::from_secs(60), comes).await;
    came.unwrap_or_else(|_| panic!("not within a minute: {what}"))
}

/// Every file below a folder with its content, without the database.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder_or_file) = open.pop() {
        if folder_or_file.ends_with("pb_data") {
            continue;
        }
        if folder_or_file.is_dir() {
            open.extend(std::fs::read_dir(&folder_or_file).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let name = folder_or_file.strip_prefix(folder).unwrap().to_owned();
            found.insert(name, std::fs::read(&folder_or_file).unwrap());
        }
    }
    found
}
