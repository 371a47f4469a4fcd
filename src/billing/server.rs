//! Finds the shop's PocketBase, or runs one, and keeps what it started alive.
//!
//! There is never a second one beside a running one: whatever answers as PocketBase at the address is used. Only where
//! nobody listens, and the address is on this machine, one is started: from the app's folder that the settings name,
//! else from a folder of our own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Child;
use tokio::sync::{Mutex, watch};

use super::account::{Account, Workshop};
use super::classify::config;
use super::folder::Layout;
use super::health::{Health, Lookout, not_answering};
use super::http::Http;
use super::owner::{Owner, Ownership};
use super::process;
use super::templates::{self, Hook};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::settings::BillingSettings;
use crate::ports::Clock;

/// The first start on a slow PC, with a virus scanner and migrations.
const START_LIMIT: Duration = Duration::from_secs(60);
const START_STEP: Duration = Duration::from_millis(10);
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A process that lives and does not answer for this long hangs.
const HANGS: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Where the PocketBase that answers comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Started by this process.
    Started,
    /// Started by an earlier run of ours that was killed: kept alive as if it were ours.
    Adopted,
    /// Somebody else's, our Windows service among them: used, never started or stopped.
    Found,
}

/// What is known of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerState {
    /// Nobody looked yet.
    Unknown,
    /// It answers.
    Up(Origin),
    /// It does not, and why.
    Down(Fault),
}

/// The shop's PocketBase.
pub struct Server {
    settings: BillingSettings,
    /// Where an app may be started from; `None` where the address is another machine's.
    layout: Option<Layout>,
    program: Option<PathBuf>,
    log: PathBuf,
    mark: PathBuf,
    /// Names the app's data folder in which our login was made.
    login_mark: PathBuf,
    hook: Hook,
    lookout: Lookout,
    clock: Arc<dyn Clock>,
    account: Arc<Account>,
    state: watch::Sender<ServerState>,
    process: Mutex<Process>,
    ownership: Ownership,
}

#[derive(Default)]
struct Process {
    child: Option<Child>,
    failures: u32,
    /// Somebody else's was seen running: its own starter brings it back, and two would fight for the address.
    theirs: bool,
    /// Not before this moment of the clock.
    not_before: Duration,
    last_answer: Duration,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("url", &self.settings.url).finish_non_exhaustive()
    }
}

/// Where the app lies that may be started and worked on, if anywhere.
pub(super) fn layout_of(settings: &BillingSettings, data_dir: &Path) -> Option<Layout> {
    let host = reqwest::Url::parse(&settings.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let here = matches!(host.as_deref(), Some("127.0.0.1" | "localhost" | "[::1]" | "0.0.0.0"));
    match &settings.folder {
        Some(folder) => Some(Layout::new(folder.clone())),
        None => here.then(|| Layout::new(data_dir.join("billing"))),
    }
}

/// PocketBase's program: the app's own first, since it made the app's data.
pub(super) fn program_of(settings: &BillingSettings) -> Option<PathBuf> {
    let name = format!("pocketbase{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join(&name)));
    [
        settings.folder.as_ref().map(|folder| folder.join(&name)),
        settings.program.clone(),
        std::env::var_os("SHOPSYNC_POCKETBASE").map(PathBuf::from),
        beside,
    ]
    .into_iter()
    .flatten()
    .find(|program| program.is_file())
    .map(|program| std::path::absolute(&program).unwrap_or(program))
}

impl Server {
    pub(super) fn new(
        settings: BillingSettings,
        data_dir: &Path,
        layout: Option<Layout>,
        account: Arc<Account>,
        clock: Arc<dyn Clock>,
        zone_minutes: i32,
        http: Http,
    ) -> Self {
        Self {
            program: program_of(&settings),
            log: data_dir.join("logs").join("pocketbase.log"),
            mark: data_dir.join("pocketbase.started"),
            login_mark: data_dir.join("pocketbase.login"),
            hook: templates::hook(&settings, zone_minutes),
            layout,
            lookout: Lookout::new(&settings.url, http),
            settings,
            clock,
            account,
            state: watch::Sender::new(ServerState::Unknown),
            process: Mutex::default(),
            ownership: Ownership::of(data_dir),
        }
    }

    /// What is known of the server; changes wake the receiver.
    pub fn state(&self) -> watch::Receiver<ServerState> {
        self.state.subscribe()
    }

    /// PocketBase's program, where it is on this machine.
    pub(super) fn program(&self) -> Option<PathBuf> {
        self.program.clone()
    }

    /// The text that our hook answers once it runs.
    pub(super) fn hook_mark(&self) -> &str {
        &self.hook.mark
    }

    /// Whether PocketBase answers. Starts nothing.
    pub(super) async fn answers(&self) -> bool {
        matches!(self.health().await, Health::PocketBase)
    }

    /// Finds the server or starts it, and waits until it answers. Cheap where it does.
    ///
    /// # Errors
    /// It is somebody else's and down, or cannot be started; the sentence says why.
    pub async fn ensure(&self) -> Result<Origin, Fault> {
        let mut process = self.process.lock().await;
        let result = self.ensure_locked(&mut process).await;
        self.publish(match &result {
            Ok(origin) => ServerState::Up(*origin),
            Err(fault) => ServerState::Down(fault.clone()),
        });
        result
    }

    /// Writes our files into the app's folder where they are missing. Returns whether anything was written.
    pub(super) async fn lay_files(&self) -> Result<bool, Fault> {
        let Some(layout) = self.layout.clone() else { return Ok(false) };
        // A server that answers here without our ever having made this folder is somebody else's.
        if self.settings.folder.is_none() && !layout.data().exists() {
            return Ok(false);
        }
        let names = self.settings.clone();
        let now = self.clock.now();
        let hook = self.hook.clone();
        let lay = move || layout.lay(&names, &hook, now);
        tokio::task::spawn_blocking(lay).await.unwrap_or_else(|error| {
            Err(Fault::new(FaultKind::Permanent, Scope::Billing, "ShopSync could not lay down its files.")
                .detail(error))
        })
    }

    /// Keeps the server alive, for ever: starts it again with backoff when it ends, ends it when it hangs.
    pub async fn keep_alive(&self) {
        loop {
            self.look().await;
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    /// Ends what we started, in order. What somebody else started goes on.
    pub async fn stop(&self) {
        let mut process = self.process.lock().await;
        if let Some(mut child) = process.child.take() {
            process::stop(&mut child, self.clock.as_ref(), process::GRACE_AT_END).await;
        } else if let Some(pid) = self.orphan().filter(|_| self.ownership.take() != Owner::Another) {
            process::ask_to_end(pid).await;
            self.ended(pid).await;
        }
        if self.ownership.take() != Owner::Another {
            let _ = std::fs::remove_file(&self.mark);
        }
        self.ownership.give_up();
        self.publish(ServerState::Unknown);
    }

    /// Waits as long for what an earlier run left behind as for what we started, then ends it: nothing of ours goes on
    /// behind us.
    async fn ended(&self, pid: u32) {
        let began = self.clock.elapsed();
        while self.goes_on().await {
            if self.clock.elapsed().saturating_sub(began) > process::GRACE_AT_END {
                return process::end_now(pid).await;
            }
            self.clock.sleep(START_STEP).await;
        }
    }

    /// Linux tells of the process itself; elsewhere it is believed gone once nobody answers.
    async fn goes_on(&self) -> bool {
        if cfg!(target_os = "linux") {
            return self.orphan().is_some();
        }
        !matches!(self.health().await, Health::Nobody)
    }

    /// Lets what we started go on without us; the next run finds and adopts it.
    pub async fn leave_running(&self) {
        std::mem::forget(self.process.lock().await.child.take());
        self.ownership.give_up();
    }

    async fn look(&self) {
        let mut process = self.process.lock().await;
        process::trim_log(&self.log);
        let now = self.clock.elapsed();
        let ended = matches!(process.child.as_mut().map(Child::try_wait), Some(Ok(Some(_)) | Err(_)));
        if ended {
            process.child = None;
            self.failed(&mut process);
        }
        if now < process.not_before {
            return;
        }
        let result = self.ensure_locked(&mut process).await;
        drop(process);
        self.publish(match result {
            Ok(origin) => ServerState::Up(origin),
            Err(fault) => ServerState::Down(fault),
        });
    }

    async fn ensure_locked(&self, process: &mut Process) -> Result<Origin, Fault> {
        let owner = self.ownership.take();
        // Who looked after it until now has ended: it is ours to bring back.
        process.theirs &= owner != Owner::UsNow;
        // Asked before: whoever answers may end right after, and would then look like somebody else's.
        let origin = self.origin(process, owner);
        match self.health().await {
            Health::PocketBase => {
                process.last_answer = self.clock.elapsed();
                process.failures = 0;
                process.theirs = origin == Origin::Found;
                return Ok(origin);
            }
            Health::SomethingElse => {
                return Err(config(format!(
                    "Another program answers at {}, not the billing app.",
                    self.settings.url
                )));
            }
            Health::Silent(fault) => return self.maybe_hangs(process, fault).await,
            Health::Nobody => {}
        }
        if let Some(child) = process.child.as_mut() {
            if matches!(child.try_wait(), Ok(None)) {
                return self.maybe_hangs(process, not_answering()).await;
            }
            process.child = None;
        }
        if owner == Owner::Another || process.theirs || self.clock.elapsed() < process.not_before {
            return Err(not_answering());
        }
        match self.start(process).await {
            Ok(()) => {
                process.failures = 0;
                Ok(Origin::Started)
            }
            Err(fault) => {
                self.failed(process);
                Err(fault)
            }
        }
    }

    /// A child that lives but does not answer: patience first, then it is ended; the next look starts it again.
    async fn maybe_hangs(&self, process: &mut Process, fault: Fault) -> Result<Origin, Fault> {
        let silent = self.clock.elapsed().saturating_sub(process.last_answer);
        if silent >= HANGS
            && let Some(mut child) = process.child.take()
        {
            tracing::warn!(seconds = silent.as_secs(), "the billing app hangs and is started again");
            let _ = child.kill().await;
            self.failed(process);
        }
        Err(fault)
    }

    async fn start(&self, process: &mut Process) -> Result<(), Fault> {
        let Some(layout) = &self.layout else { return Err(not_answering()) };
        let Some(program) = &self.program else {
            return Err(config("The billing app's program, pocketbase, is not found.")
                .detail("the setting billing.program names it"));
        };
        self.check_listen()?;
        self.prepare_folder(layout)?;
        self.lay_files().await?;
        self.make_login(program, layout).await?;
        let mut child = process::start(program, layout, &self.settings.listen, &self.log)?;
        if let Some(pid) = child.id() {
            let _ = std::fs::write(&self.mark, format!("{pid} {}", self.settings.url));
        }
        let began = self.clock.elapsed();
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(ended_at_once(
                    &self.settings.listen,
                    &process::tail(&self.log),
                    &status.to_string(),
                ));
            }
            let health = self.health().await;
            if matches!(health, Health::PocketBase) && matches!(child.try_wait(), Ok(None)) {
                process.last_answer = self.clock.elapsed();
                process.child = Some(child);
                return Ok(());
            }
            if self.clock.elapsed().saturating_sub(began) > START_LIMIT {
                process::stop(&mut child, self.clock.as_ref(), process::GRACE).await;
                return Err(Fault::transient(
                    Scope::Billing,
                    "The billing app was started, but does not answer.",
                )
                .detail(process::tail(&self.log)));
            }
            self.clock.sleep(START_STEP).await;
        }
    }

    /// Before the first start. Later ones need no further process for it: a login that is gone, since an older database
    /// was put back, is noticed and made again when we sign in.
    async fn make_login(&self, program: &Path, layout: &Layout) -> Result<(), Fault> {
        let data = layout.data();
        let place = data.to_string_lossy().into_owned();
        let made = std::fs::read_to_string(&self.login_mark).is_ok_and(|known| known == place);
        if made && data.join("data.db").exists() {
            return Ok(());
        }
        self.account.prepare(&Workshop { program: program.to_owned(), data }).await?;
        // Where it cannot be kept the login is made again next time.
        let _ = std::fs::write(&self.login_mark, place);
        Ok(())
    }

    fn prepare_folder(&self, layout: &Layout) -> Result<(), Fault> {
        let made = match &self.settings.folder {
            // A folder that the settings name is a shop's: a wrong path must not become an empty app.
            Some(folder) if !folder.is_dir() => {
                return Err(config(format!("The billing app's folder {} does not exist.", folder.display())));
            }
            _ => std::fs::create_dir_all(layout.data()),
        };
        made.map_err(|error| {
            config("The billing app's folder cannot be made.")
                .detail(format!("{}: {error}", layout.root().display()))
        })
    }

    /// We reach what we start: an address for phones on another port would never be seen to answer.
    fn check_listen(&self) -> Result<(), Fault> {
        let url = reqwest::Url::parse(&self.settings.url).ok();
        let port = url.as_ref().and_then(reqwest::Url::port_or_known_default);
        let listens = self.settings.listen.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
        if listens.is_some() && listens == port {
            return Ok(());
        }
        Err(config(format!(
            "The billing app would listen on {}, but ShopSync looks for it at {}.",
            self.settings.listen, self.settings.url
        )))
    }

    fn failed(&self, process: &mut Process) {
        process.failures = process.failures.saturating_add(1);
        let wait = Duration::from_secs(1 << process.failures.saturating_sub(1).min(6)).min(LONGEST_WAIT);
        let jitter = wait.saturating_mul(self.clock.jitter().min(1000)) / 5000;
        process.not_before = self.clock.elapsed() + wait + jitter;
    }

    fn origin(&self, process: &mut Process, owner: Owner) -> Origin {
        let lives = process.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)));
        if lives {
            Origin::Started
        } else if owner != Owner::Another && self.orphan().is_some() {
            Origin::Adopted
        } else {
            Origin::Found
        }
    }

    /// The process that an earlier run of ours left behind at this address.
    fn orphan(&self) -> Option<u32> {
        let mark = std::fs::read_to_string(&self.mark).ok()?;
        let (pid, url) = mark.trim().split_once(' ')?;
        let pid: u32 = pid.parse().ok()?;
        if url != self.settings.url {
            return None;
        }
        // Linux tells at once whether that number is still the same program; elsewhere the mark has to do.
        let link = std::fs::read_link(format!("/proc/{pid}/exe"));
        let same = match (cfg!(target_os = "linux"), &self.program) {
            (true, Some(program)) => {
                link.ok().zip(std::fs::canonicalize(program).ok()).is_some_and(|(runs, ours)| runs == ours)
            }
            (true, None) => false,
            (false, _) => true,
        };
        same.then_some(pid)
    }

    async fn health(&self) -> Health {
        self.lookout.health(self.clock.as_ref()).await
    }

    fn publish(&self, state: ServerState) {
        self.state.send_if_modified(|there| {
            let changed = *there != state;
            *there = state;
            changed
        });
    }
}

fn ended_at_once(listen: &str, said: &str, status: &str) -> Fault {
    // Linux's and Windows' words for it.
    let taken =
        said.contains("address already in use") || said.contains("Only one usage of each socket address");
    let fault = if taken {
        config(format!("Another program uses the billing app's address {listen}."))
    } else {
        Fault::transient(Scope::Billing, "The billing app ends as soon as it is started.")
    };
    fault.detail(format!("pocketbase: {status}: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_app_on_this_machine_is_started() {
        let data = Path::new("data");
        let layout = |url: &str, folder: Option<&str>| {
            let settings =
                BillingSettings { url: url.into(), folder: folder.map(PathBuf::from), ..Default::default() };
            layout_of(&settings, data).map(|layout| layout.root().to_owned())
        };
        assert_eq!(layout("http://127.0.0.1:8090", None), Some(data.join("billing")));
        assert_eq!(layout("http://localhost:8090/", None), Some(data.join("billing")));
        assert_eq!(layout("http://192.168.1.7:8090", None), None);
        assert_eq!(layout("http://192.168.1.7:8090", Some("app")), Some("app".into()));
    }

    #[test]
    fn a_taken_address_is_named_in_both_systems_words() {
        for said in [
            "listen tcp 0.0.0.0:8090: bind: address already in use",
            "listen tcp 0.0.0.0:8090: bind: Only one usage of each socket address (protocol/network address/port) is normally permitted.",
        ] {
            let fault = ended_at_once("0.0.0.0:8090", said, "exit status: 1");
            assert_eq!(fault.kind, FaultKind::Config);
            assert_eq!(fault.sentence, "Another program uses the billing app's address 0.0.0.0:8090.");
        }
        assert_eq!(ended_at_once("x", "no such table", "1").kind, FaultKind::Transient);
    }
}
