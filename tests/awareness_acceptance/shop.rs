//! One shop in a folder of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shopsync::billing::OWN_PASSWORD_SECRET;
use shopsync::model::settings::{Encryption, Settings};
use shopsync::ports::Secrets as _;

use crate::pocketbase::{self, Caller};

/// How long something may take that takes a moment, on a machine that is busy.
pub(crate) const SOON: Duration = Duration::from_secs(60);
const PASSWORD: &str = "RainTek-1";

/// Below the range from which callers get theirs.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 200).unwrap() * 100;
    loop {
        let port = 10_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}

/// Waits until something holds; fails with its name.
pub(crate) async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    #[expect(clippy::disallowed_methods, reason = "the tests' own stop-watch")]
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < SOON, "not within {} s: {what}", SOON.as_secs());
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

fn spawn(command: &mut Command, log: &Path) -> Child {
    let file = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    let errors = file.try_clone().unwrap();
    command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn().unwrap()
}

fn sandbox() -> PathBuf {
    if let Some(named) = std::env::var_os("SHOPSYNC_SANDBOX") {
        return PathBuf::from(named);
    }
    let name = format!("raintek-sandbox{}", std::env::consts::EXE_SUFFIX);
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_shopsync")).with_file_name(name);
    assert!(beside.is_file(), "{} is not there: run the tests by `cargo xtask test`", beside.display());
    beside
}

/// Its processes end with it.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) settings: Settings,
    pub(crate) app: pocketbase::Shop,
    /// How RainTek's tables look: a choice of the sandbox.
    pub(crate) generation: &'static str,
    http: reqwest::Client,
    tds: u16,
    control: u16,
    raintek: Option<Child>,
    shopsync: Option<Child>,
}

impl Shop {
    /// Nothing runs yet.
    pub(crate) fn new() -> Self {
        let mut app = pocketbase::Shop::new();
        app.port = free_port();
        app.settings.url = format!("http://127.0.0.1:{}", app.port);
        app.settings.listen = format!("127.0.0.1:{}", app.port);
        let (tds, control) = (free_port(), free_port());
        let mut settings = Settings::default();
        settings.raintek.server = "127.0.0.1".into();
        settings.raintek.port = tds;
        settings.raintek.encryption = Encryption::None;
        settings.web.port = free_port();
        Self {
            settings,
            app,
            generation: "current",
            http: reqwest::Client::new(),
            tds,
            control,
            raintek: None,
            shopsync: None,
        }
    }

    /// A shop that runs and is in step, its till made to bill by `before` first.
    pub(crate) async fn open(till: &[&[&str]]) -> Self {
        Self::open_on("current", till).await
    }

    /// The same on tables of another generation.
    pub(crate) async fn open_on(generation: &'static str, till: &[&[&str]]) -> Self {
        let mut shop = Self::new();
        shop.generation = generation;
        shop.start_raintek().await;
        for work in till {
            shop.till(work).await;
        }
        shop.start().await;
        shop.in_step().await;
        shop
    }

    pub(crate) async fn start_raintek(&mut self) {
        let mut command = Command::new(sandbox());
        command.args(["--port", &self.tds.to_string(), "--control-port", &self.control.to_string()]);
        command.args(["--seed-products", "30", "--password", PASSWORD]);
        command.args(["--generation", self.generation]);
        command.arg("--file").arg(self.app.folder.path().join("raintek.sqlite"));
        self.raintek = Some(spawn(&mut command, &self.app.folder.path().join("raintek.log")));
        let url = format!("http://127.0.0.1:{}/state", self.control);
        eventually("RainTek answers", async || self.http.get(&url).send().await.is_ok()).await;
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shopsync"));
        command.arg("--data").arg(self.app.data());
        command
    }

    pub(crate) async fn start(&mut self) {
        let data = self.app.data();
        std::fs::create_dir_all(&data).unwrap();
        self.settings.billing = self.app.settings.clone();
        std::fs::write(data.join("settings.toml"), toml::to_string(&self.settings).unwrap()).unwrap();
        if !data.join("secrets.json").exists() {
            self.cli(&["secret", "raintek.password"], PASSWORD).await;
        }
        self.shopsync = Some(spawn(self.command().arg("run"), &self.app.folder.path().join("shopsync.log")));
        eventually("ShopSync's page answers", async || self.health().await.is_some()).await;
    }

    /// Ends ShopSync as a power cut does.
    pub(crate) fn kill(&mut self) {
        let mut child = self.shopsync.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub(crate) async fn in_step(&self) {
        eventually("everything is in step", async || {
            self.health().await.is_some_and(|health| health["state"] == "in_step")
        })
        .await;
        self.app.secrets.set(OWN_PASSWORD_SECRET, &self.secret(OWN_PASSWORD_SECRET)).unwrap();
    }

    fn secret(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.app.data().join("secrets.json")).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        all[name].as_str().unwrap().to_owned()
    }

    fn page(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.settings.web.port)
    }

    pub(crate) async fn health(&self) -> Option<Value> {
        self.http.get(self.page("/health")).send().await.ok()?.json().await.ok()
    }

    pub(crate) async fn status(&self) -> Value {
        let request = self.http.get(self.page("/api/status")).bearer_auth(self.secret("page.token"));
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Waits for a whole pass over RainTek's bills that began after this was called.
    pub(crate) async fn pass(&self) {
        // One may be under way: the second that ends began later.
        for _ in 0..2 {
            let before = self.status().await["from_raintek"]["last_pass"].clone();
            self.look().await;
            eventually("a pass over RainTek's bills ends", async || {
                self.status().await["from_raintek"]["last_pass"] != before
            })
            .await;
        }
    }

    /// Asks ShopSync to look at both sides now, as the page's button does.
    pub(crate) async fn look(&self) {
        let request = self.http.post(self.page("/api/command")).bearer_auth(self.secret("page.token"));
        let answer = request.json(&json!({"command": "sync_now"})).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// Runs a command of ShopSync that must succeed; returns what it said.
    pub(crate) async fn cli(&self, arguments: &[&str], input: &str) -> String {
        use tokio::io::AsyncWriteExt as _;
        let mut command = tokio::process::Command::from(self.command());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let done = child.wait_with_output().await.unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Where a bill says whose it is.
    pub(crate) fn customer_column(&self) -> &'static str {
        if self.generation == "old" { "CustomerID" } else { "Customer_ID" }
    }

    /// Works at the till; what it says of each thing it did.
    pub(crate) async fn till(&self, arguments: &[&str]) -> Vec<Value> {
        let mut command = tokio::process::Command::new(sandbox());
        command.arg("till").args(arguments).args(["--port", &self.tds.to_string(), "--password", PASSWORD]);
        let done = command.output().await.unwrap();
        assert!(done.status.success(), "till {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        let said = String::from_utf8(done.stdout).unwrap();
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Runs T-SQL in RainTek's server.
    pub(crate) async fn sql(&self, sql: &str) -> Value {
        let url = format!("http://127.0.0.1:{}/sql", self.control);
        let answer = self.http.post(url).json(&json!({ "sql": sql })).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["errors"], json!([]), "{sql}");
        answer
    }

    /// All of RainTek's tables at one moment, as texts; lines and payments stand in their bill.
    pub(crate) async fn dump(&self) -> Value {
        let url = format!("http://127.0.0.1:{}/dump", self.control);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// RainTek's bill of a number.
    pub(crate) async fn bill(&self, number: &str) -> Option<Value> {
        let dump = self.dump().await;
        dump["InvoiceInfo"].as_array().unwrap().iter().find(|row| row["InvoiceNo"] == number).cloned()
    }

    /// The app's invoices of a number, as its superuser sees them.
    pub(crate) async fn invoices(&self, owner: &Caller, number: &str) -> Vec<Value> {
        let all = owner.get("/api/collections/invoices/records?perPage=500&sort=@rowid").await;
        let items = all["items"].as_array().unwrap().iter();
        items.filter(|invoice| invoice["invoice_number"] == number).cloned().collect()
    }

    /// Lines or payments of an invoice.
    pub(crate) async fn parts(&self, owner: &Caller, collection: &str, invoice: &Value) -> Vec<Value> {
        let id = invoice["id"].as_str().unwrap();
        let path = format!("/api/collections/{collection}/records?perPage=500&filter=invoice%3D%27{id}%27");
        owner.get(&path).await["items"].as_array().unwrap().clone()
    }

    /// Bills `number` in the app on one piece of RainTek's first product; returns once it is in RainTek.
    pub(crate) async fn bill_in_app(&self, phone: &Caller, number: &str) -> Value {
        self.bill_in_app_on(phone, number, "2026-11-21").await
    }

    /// The same on another day, `YYYY-MM-DD`.
    pub(crate) async fn bill_in_app_on(&self, phone: &Caller, number: &str, day: &str) -> Value {
        let head = json!({
            "invoice_number": number, "invoice_date": format!("{day} 00:00:00.000Z"), "status": "completed",
            "tax_type": "NON GST", "item_count": 1, "taxable_amount": 50, "grand_total": 50, "amount_paid": 50,
            "payment_method": "cash",
        });
        let made = phone.make("invoices", head).await;
        let line = json!({
            "invoice": made["id"], "product_code": "P-0001", "product_name": "Thing", "quantity": 1, "unit": "PCS",
            "rate": 50, "tax_mode": "No Taxes", "taxable": 50, "total": 50,
        });
        phone.make("invoice_items", line).await;
        self.synced(phone, made["id"].as_str().unwrap()).await
    }

    /// The app's record once it is in RainTek.
    pub(crate) async fn synced(&self, phone: &Caller, id: &str) -> Value {
        let mut record = Value::Null;
        eventually(&format!("invoice {id} is in RainTek"), async || {
            record = phone.read("invoices", id).await;
            record["sync_status"] == "synced"
        })
        .await;
        record
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = std::fs::read_dir(self.app.data().join("logs")).into_iter().flatten().flatten();
            for log in logs {
                let text = std::fs::read_to_string(log.path()).unwrap_or_default();
                let lines: Vec<&str> = text.lines().collect();
                #[expect(clippy::print_stderr, reason = "a failing test tells what the program said")]
                {
                    eprintln!("{}", lines[lines.len().saturating_sub(40)..].join("\n"));
                }
            }
        }
        for mut child in [self.shopsync.take(), self.raintek.take()].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // What ShopSync started goes on without it: by design, and so it is ended here.
        let mark = std::fs::read_to_string(self.app.data().join("pocketbase.started")).unwrap_or_default();
        if let Some(pid) = mark.split(' ').next().and_then(|pid| pid.parse::<u32>().ok()) {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).contains(&*self.app.folder.path().to_string_lossy()) {
                let _ = Command::new("sh").arg("-c").arg(format!("kill -KILL {pid}")).status();
            }
        }
    }
}
