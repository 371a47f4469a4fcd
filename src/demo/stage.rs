//! The shop: a folder, RainTek's stand-in, PocketBase and ShopSync itself, put up and taken down again.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::json;
use tokio::sync::watch;

use super::caller::Caller;
use super::sandbox::{self, Sandbox};
use crate::app::desktop::Host;
use crate::app::{self, RAINTEK_PASSWORD, Running, Screen, Start};
use crate::billing::{OWN_IDENTITY, OWN_PASSWORD_SECRET};
use crate::model::command::{Command, Reply};
use crate::model::settings::{Encryption, Settings};
use crate::model::status::Snapshot;
use crate::platform::{FileSecrets, SystemClock, make_private_folder, random_token, settings_path};
use crate::ports::{Clock, Controls, Secrets};

/// The phone's login in the app's `users`.
pub(super) const PHONE: &str = "phone@shop.example";
/// Its password; everything here is made up and listens on this machine alone.
pub(super) const PHONE_PASSWORD: &str = "phone-1234";

/// Both sides in touch and all products over: a first start lays down PocketBase's database, too.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A shop that is open.
#[derive(Debug)]
pub(super) struct Stage {
    /// Everything lies here.
    pub(super) folder: PathBuf,
    /// Time.
    pub(super) clock: Arc<SystemClock>,
    url: String,
    sandbox: Option<Sandbox>,
    running: Option<Running>,
    /// The desktop, where it is shown on one.
    screen: Option<Screen>,
    /// The folder stays, and what runs in it.
    keep: bool,
    closed: bool,
}

impl Stage {
    /// A folder, and nothing in it yet.
    pub(super) fn new(keep: bool) -> anyhow::Result<Self> {
        let name: String = random_token()?.chars().take(10).collect();
        let folder = std::env::temp_dir().join(format!("shopsync-demo-{name}"));
        make_private_folder(&folder)
            .with_context(|| format!("The folder {} cannot be made.", folder.display()))?;
        let clock = Arc::new(SystemClock::new());
        let url = String::new();
        Ok(Self { folder, clock, url, sandbox: None, running: None, screen: None, keep, closed: false })
    }

    /// What it is shown on.
    pub(super) fn screen(&mut self, host: Option<&Host>) {
        self.screen = host.map(Host::screen);
    }

    /// ShopSync itself.
    pub(super) fn running(&self) -> anyhow::Result<&Running> {
        self.running.as_ref().context("ShopSync has ended")
    }

    /// Puts everything up, and waits until all products stand in the app.
    pub(super) async fn open(&mut self, seed: u64) -> anyhow::Result<()> {
        let program = sandbox::program()?;
        // Said now rather than after two minutes of waiting.
        sandbox::find("SHOPSYNC_POCKETBASE", "pocketbase")?;
        log_to(&self.data().join("logs"))?;
        let sandbox = Sandbox::start(&program, &self.folder, seed).await?;
        let tds = sandbox.tds;
        self.sandbox = Some(sandbox);
        let port = free_port()?;
        self.url = format!("http://127.0.0.1:{port}");
        let settings = self.write_settings(tds, port)?;
        let start = Start { data: self.data(), settings, leave_billing_running: self.keep };
        self.running = Some(app::start_on(start, self.screen.take(), false).await?);
        self.wait("The shop does not open", START_LIMIT, |snapshot| {
            if snapshot.products.last_pass.is_some() && snapshot.products.progress.is_none() {
                return None;
            }
            let sides = [&snapshot.raintek.sentence, &snapshot.billing.sentence, &snapshot.products.sentence];
            let said: Vec<&str> = sides.into_iter().flatten().map(String::as_str).collect();
            Some(if said.is_empty() { snapshot.sentence.clone() } else { said.join(" ") })
        })
        .await?;
        let user = json!({
            "id": "demophone000001", "email": PHONE, "password": PHONE_PASSWORD,
            "passwordConfirm": PHONE_PASSWORD, "name": "Shop phone", "verified": true
        });
        self.superuser().await?.create("users", &user).await
    }

    fn write_settings(&self, tds: u16, port: u16) -> anyhow::Result<PathBuf> {
        let data = self.data();
        make_private_folder(&data)?;
        FileSecrets::new(&data).set(RAINTEK_PASSWORD, sandbox::PASSWORD)?;
        let mut settings = Settings::default();
        settings.raintek.server = format!("127.0.0.1,{tds}");
        settings.raintek.database = sandbox::DATABASE.to_owned();
        settings.raintek.user = sandbox::USER.to_owned();
        settings.raintek.encryption = Encryption::None;
        settings.billing.url.clone_from(&self.url);
        settings.billing.listen = format!("127.0.0.1:{port}");
        // A demonstration is short: five minutes between two looks at the products would show nothing.
        settings.products.every_seconds = 5;
        settings.push.look_every_seconds = 5;
        settings.awareness.every_seconds = 5;
        settings.web.port = 0;
        let path = settings_path(&data);
        let text = toml::to_string(&settings).context("the settings cannot be written")?;
        std::fs::write(&path, text).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(path)
    }

    /// ShopSync's data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("shopsync")
    }

    /// RainTek's stand-in.
    pub(super) fn sandbox(&self) -> anyhow::Result<&Sandbox> {
        self.sandbox.as_ref().context("RainTek's stand-in has ended")
    }

    /// The status page, with its token.
    pub(super) fn link(&self) -> &str {
        self.running.as_ref().map_or("", |running| running.link.as_str())
    }

    /// The superuser that ShopSync made for itself.
    pub(super) async fn superuser(&self) -> anyhow::Result<Caller> {
        Caller::guest(&self.url)?.sign_in("_superusers", OWN_IDENTITY, &self.superuser_password()?).await
    }

    /// The phone, signed in as an ordinary user.
    pub(super) async fn phone(&self) -> anyhow::Result<Caller> {
        Caller::guest(&self.url)?.sign_in("users", PHONE, PHONE_PASSWORD).await
    }

    fn superuser_password(&self) -> anyhow::Result<String> {
        let secrets = FileSecrets::new(&self.data());
        secrets.get(OWN_PASSWORD_SECRET)?.context("ShopSync has made no login in the billing app")
    }

    /// The published state.
    pub(super) fn watch(&self) -> anyhow::Result<watch::Receiver<Arc<Snapshot>>> {
        Ok(self.running.as_ref().context("ShopSync has ended")?.handle.watch())
    }

    /// What a button of the page asks for. What comes of it is seen in the published state.
    pub(super) async fn command(&self, command: Command) -> anyhow::Result<Reply> {
        let running = self.running.as_ref().context("ShopSync has ended")?;
        Ok(running.handle.command(command).await)
    }

    /// Waits for a published state about which `still` has nothing to say; else its last words end the wait.
    pub(super) async fn wait(
        &self,
        what: &str,
        limit: Duration,
        mut still: impl FnMut(&Snapshot) -> Option<String>,
    ) -> anyhow::Result<()> {
        let mut states = self.watch()?;
        let end = self.clock.elapsed() + limit;
        loop {
            let Some(words) = still(&states.borrow_and_update().clone()) else { return Ok(()) };
            let left = end.saturating_sub(self.clock.elapsed());
            match tokio::time::timeout(left, states.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => bail!("ShopSync ended: {words}"),
                Err(_) => bail!("{what} within {} s: {words}", limit.as_secs()),
            }
        }
    }

    /// Ends PocketBase as a crash would; ShopSync is to start it again.
    pub(super) fn crash_billing(&self) {
        end_billing(&self.data());
    }

    /// Whether there is anything to look at.
    pub(super) fn is_open(&self) -> bool {
        self.running.is_some()
    }

    /// Keeps nothing: it did not even open.
    pub(super) fn give_up(&mut self) {
        self.keep = false;
    }

    /// Takes everything down, or leaves both servers running; `clean` removes the folder where nothing is kept.
    pub(super) async fn close(mut self, clean: bool) {
        self.closed = true;
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        if !self.keep {
            // Where it was to be left running, and then was not.
            end_billing(&self.data());
        }
        if let Some(sandbox) = self.sandbox.take() {
            if self.keep { sandbox.leave_running() } else { sandbox.stop().await }
        }
        if clean && !self.keep {
            remove(&self.folder).await;
        }
    }

    /// Addresses and logins, for anybody's own tools.
    pub(super) fn logins(&self) -> anyhow::Result<Vec<String>> {
        let sandbox = self.sandbox()?;
        Ok(vec![
            "Both servers go on running.".to_owned(),
            format!("RainTek (TDS)     127.0.0.1,{}  database {}", sandbox.tds, sandbox::DATABASE),
            format!("  SQL login       {}  password {}", sandbox::USER, sandbox::PASSWORD),
            format!("  control         http://127.0.0.1:{}/ (dump, state, control, sql)", sandbox.control),
            format!("PocketBase        {}  dashboard {}/_/", self.url, self.url),
            format!("  superuser       {OWN_IDENTITY}  password {}", self.superuser_password()?),
            format!("  users login     {PHONE}  password {PHONE_PASSWORD}"),
            format!("Folder            {}", self.folder.display()),
            format!("  ShopSync's data {}", self.data().display()),
            format!("  PocketBase's    {}", self.data().join("billing").display()),
        ])
    }
}

impl Drop for Stage {
    /// After a panic: nothing of ours may go on. The stand-in ends with its handle.
    fn drop(&mut self) {
        if !self.closed {
            end_billing(&self.data());
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Ends the PocketBase that this data folder's ShopSync started, by the id it noted down.
fn end_billing(data: &Path) {
    let mark = std::fs::read_to_string(data.join("pocketbase.started")).unwrap_or_default();
    let Some(pid) = mark.split(' ').next().and_then(|pid| pid.parse::<u32>().ok()) else { return };
    let pid = pid.to_string();
    let mut command = if cfg!(windows) {
        let mut command = std::process::Command::new("taskkill");
        command.args(["/F", "/PID", &pid]);
        command
    } else {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "kill -KILL \"$0\"", &pid]);
        command
    };
    let nowhere = std::process::Stdio::null;
    let _ = command.stdin(nowhere()).stdout(nowhere()).stderr(nowhere()).status();
}

/// On Windows a file that somebody still closes cannot go yet.
async fn remove(folder: &Path) {
    for _ in 0..20 {
        if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// ShopSync's log, as JSON lines beside PocketBase's.
fn log_to(folder: &Path) -> anyhow::Result<()> {
    make_private_folder(folder)?;
    let file = std::fs::File::create(folder.join("shopsync.jsonl")).context("no log can be written")?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("SHOPSYNC_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,tiberius=error"));
    // A second demo in one process, as in a test, goes on with the first one's log.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(Arc::new(file))
        .try_init();
    Ok(())
}
