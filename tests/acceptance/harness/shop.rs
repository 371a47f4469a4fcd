//! One shop, laid down in a folder of its own.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use shopsync::billing::OWN_PASSWORD_SECRET;
use shopsync::model::settings::Settings;
use shopsync::ports::Secrets as _;

use super::raintek::{PASSWORD, RainTek};
use super::{SOON, eventually, free_port, is_alive, shopsync, signal, spawn, tail};
use crate::pocketbase::{self, Caller};

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Its processes end with it.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) raintek: RainTek,
    pub(crate) settings: Settings,
    /// The billing app's side: folder, address, who signs in.
    pub(crate) app: pocketbase::Shop,
    pub(crate) http: reqwest::Client,
    /// What the program finds in its environment beside the usual.
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(super) shopsync: Option<Child>,
    phone: OnceLock<Caller>,
}

impl Shop {
    /// Nothing runs yet; what is changed in `settings` and `app.settings` until then counts.
    pub(crate) fn new(products: u32) -> Self {
        let mut app = pocketbase::Shop::new();
        app.port = free_port();
        app.settings.url = format!("http://127.0.0.1:{}", app.port);
        app.settings.listen = format!("0.0.0.0:{}", app.port);
        let raintek = RainTek::new(app.folder.path().to_owned(), products);
        let mut settings = Settings::default();
        settings.raintek.server = "127.0.0.1".into();
        settings.raintek.port = raintek.port;
        settings.raintek.encryption = shopsync::model::settings::Encryption::None;
        settings.web.port = free_port();
        Self {
            raintek,
            settings,
            app,
            // The page hangs up on who says nothing for ten seconds: a connection is not kept until that very moment.
            http: reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(5)).build().unwrap(),
            environment: Vec::new(),
            shopsync: None,
            phone: OnceLock::new(),
        }
    }

    /// A shop that runs, its products in the app.
    pub(crate) async fn open(products: u32) -> Self {
        Self::open_on("current", products).await
    }

    /// The same on tables of another generation.
    pub(crate) async fn open_on(generation: &'static str, products: u32) -> Self {
        let mut shop = Self::new(products);
        shop.raintek.generation = generation;
        shop.raintek.start().await;
        shop.start().await;
        shop.in_step().await;
        shop
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.app.data()
    }

    /// ShopSync on this shop's data folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(shopsync());
        command
            .arg("--data")
            .arg(self.data())
            .envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Starts ShopSync; its page answers when this returns.
    pub(crate) async fn start(&mut self) {
        self.lay_down().await;
        self.start_as_it_is().await;
    }

    /// The same on a data folder as it lies there.
    pub(crate) async fn start_as_it_is(&mut self) {
        self.shopsync = Some(spawn(self.command().arg("run"), &self.log()));
        eventually("ShopSync's page answers", SOON, async || self.health().await.is_some()).await;
    }

    /// Writes settings and secrets; nothing is started.
    pub(crate) async fn lay_down(&mut self) {
        std::fs::create_dir_all(self.data()).unwrap();
        self.settings.billing = self.app.settings.clone();
        std::fs::write(self.data().join("settings.toml"), toml::to_string(&self.settings).unwrap()).unwrap();
        if !self.data().join("secrets.json").exists() {
            let said = self.cli_with(&["secret", "raintek.password"], PASSWORD).await;
            assert_eq!(said.code, Some(0), "{said:?}");
        }
    }

    /// Both sides looked at, products written, nothing waiting.
    pub(crate) async fn in_step(&self) {
        eventually("everything is in step", SOON, async || {
            self.health().await.is_some_and(|(_, health)| health["state"] == "in_step")
        })
        .await;
        self.app.secrets.set(OWN_PASSWORD_SECRET, &self.secret(OWN_PASSWORD_SECRET)).unwrap();
    }

    /// Ends ShopSync as Ctrl-C does.
    pub(crate) async fn stop(&mut self) {
        let mut child = self.shopsync.take().unwrap();
        signal(child.id(), "TERM");
        eventually("ShopSync ends", SOON, async || child.try_wait().unwrap().is_some()).await;
        assert!(child.wait().unwrap().success(), "{}", tail(&self.log(), 20));
    }

    /// Ends ShopSync as a power cut does. PocketBase goes on.
    pub(crate) fn kill(&mut self) {
        let mut child = self.shopsync.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.app.folder.path().join("shopsync.log")
    }

    /// One of ShopSync's secrets.
    pub(crate) fn secret(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.data().join("secrets.json")).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        all[name].as_str().unwrap_or_else(|| panic!("there is no secret {name}")).to_owned()
    }

    pub(crate) fn page(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.settings.web.port)
    }

    /// `/health`, where it answers.
    pub(crate) async fn health(&self) -> Option<(u16, Value)> {
        let answer = self.http.get(self.page("/health")).send().await.ok()?;
        Some((answer.status().as_u16(), answer.json().await.ok()?))
    }

    /// Everything that the page is told.
    pub(crate) async fn status(&self) -> Value {
        let request = self.http.get(self.page("/api/status")).bearer_auth(self.secret("page.token"));
        request.send().await.unwrap().json().await.unwrap()
    }

    /// What the page says of a waiting or held invoice.
    pub(crate) async fn item(&self, number: &str) -> Option<Value> {
        let status = self.status().await;
        status["items"].as_array().unwrap().iter().find(|item| item["number"] == number).cloned()
    }

    /// Asks ShopSync to look at both sides now, as the page's button does.
    pub(crate) async fn look(&self) {
        self.order(json!({"command": "sync_now"})).await;
    }

    /// Presses a button of the page.
    pub(crate) async fn order(&self, command: Value) {
        let request = self.http.post(self.page("/api/command")).bearer_auth(self.secret("page.token"));
        let answer = request.json(&command).send().await.unwrap();
        assert!(answer.status().is_success(), "{command}: {}", answer.text().await.unwrap());
    }

    /// A button of the page; what it was answered.
    pub(crate) async fn ask(&self, command: Value) -> Value {
        let request = self.http.post(self.page("/api/command")).bearer_auth(self.secret("page.token"));
        request.json(&command).send().await.unwrap().json().await.unwrap()
    }

    /// Waits for a whole products pass that began after this was called.
    pub(crate) async fn pass(&self) {
        // One may be under way: the second that ends began later.
        for _ in 0..2 {
            let before = self.status().await["products"]["last_pass"].clone();
            self.look().await;
            eventually("a products pass ends", SOON, async || {
                self.status().await["products"]["last_pass"] != before
            })
            .await;
        }
    }

    pub(crate) async fn cli(&self, arguments: &[&str]) -> Said {
        self.cli_with(arguments, "").await
    }

    pub(crate) async fn cli_with(&self, arguments: &[&str], input: &str) -> Said {
        use tokio::io::AsyncWriteExt as _;
        let mut command = tokio::process::Command::from(self.command());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that reads nothing may be gone by now.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let done = tokio::time::timeout(SOON, child.wait_with_output()).await;
        let done = done.unwrap_or_else(|_| panic!("shopsync {arguments:?} does not end")).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Said { code: done.status.code(), out: text(&done.stdout), err: text(&done.stderr) }
    }

    /// A phone, signed in as an ordinary user.
    pub(crate) async fn phone(&self) -> Caller {
        if let Some(phone) = self.phone.get() {
            return phone.clone();
        }
        let phone = self.app.as_phone().await;
        self.phone.get_or_init(|| phone).clone()
    }

    /// The app's record once ShopSync says that the invoice is in RainTek.
    pub(crate) async fn synced(&self, id: &str) -> Value {
        self.becomes(id, "synced").await
    }

    /// The app's record once ShopSync says that it cannot be booked.
    pub(crate) async fn held(&self, id: &str) -> Value {
        self.becomes(id, "failed").await
    }

    /// The app's record once ShopSync shows this of it.
    pub(crate) async fn becomes(&self, id: &str, wanted: &str) -> Value {
        let phone = self.phone().await;
        let mut record = Value::Null;
        eventually(&format!("invoice {id} is {wanted}"), SOON, async || {
            record = phone.read("invoices", id).await;
            record["sync_status"] == wanted
        })
        .await;
        record
    }

    /// The PocketBase that ShopSync runs.
    pub(crate) fn pocketbase_pid(&self) -> u32 {
        self.app.server_pid()
    }

    fn tell(&self) {
        let folder = self.app.folder.path();
        let said = self.command().arg("status").output().map(|said| said.stdout).unwrap_or_default();
        #[expect(clippy::print_stderr, reason = "a failing test tells how things were")]
        {
            eprintln!("--- shopsync status\n{}", String::from_utf8_lossy(&said));
        }
        let mut logs = vec![self.log(), self.raintek.log(), self.data().join("pocketbase.log")];
        logs.extend(
            std::fs::read_dir(self.data().join("logs"))
                .into_iter()
                .flatten()
                .flatten()
                .map(|file| file.path()),
        );
        for log in logs {
            let name = log.strip_prefix(folder).unwrap_or(&log).display().to_string();
            // The test runner shows what a failed test printed.
            #[expect(clippy::print_stderr, reason = "a failing test tells what the programs said")]
            {
                eprintln!("--- {name}\n{}", tail(&log, 25));
            }
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell();
        }
        if let Some(mut child) = self.shopsync.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // What ShopSync started goes on without it: by design, and so it is ended here.
        let mark = std::fs::read_to_string(self.data().join("pocketbase.started")).unwrap_or_default();
        if let Some(pid) = mark.split(' ').next().and_then(|pid| pid.parse().ok())
            && is_alive(pid)
            && super::processes_of("pocketbase", self.app.folder.path()).contains(&pid)
        {
            signal(pid, "KILL");
        }
    }
}
