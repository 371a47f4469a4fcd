//! The tray: the event loop on the main thread, and beside it a host that starts the engine, tells the shell what it
//! publishes, and carries out what the shell orders.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::behind::Behind;
use super::elsewhere::Elsewhere;
use super::house::wanted_toasts;
use super::session::{Ending, Over};
use super::{Running, Screen, Start};
use crate::alerts::DesktopToasts;
use crate::engine::toasts;
use crate::model::command::{Command, Reply};
use crate::model::desktop::Toast;
use crate::model::fault::{Fault, Scope};
use crate::model::health::HealthState;
use crate::model::home::EngineHome;
use crate::model::settings::{DesktopSettings, OpenIn};
use crate::platform::{LoginEntry, SystemClock, UserDesktop, asked_to_end, user_folder};
use crate::ports::Controls as _;
use crate::ports::desktop::{Autostart, Desktop, Front, Toaster};
use crate::shell::{self, Bell, Desk, Notice, Order, Page};
use crate::supervisor;
use crate::sync::autostart::{Step, plan_autostart};

/// Clicks that wait for the host: more than a person can make.
const ORDERS: usize = 16;
/// Between two tries to start an engine that could not be started.
const AGAIN: Duration = Duration::from_secs(15);
/// Between two pictures of the animation.
const FRAME: Duration = Duration::from_millis(700);
/// Between two times that everything is drawn again.
const REDRAW: Duration = Duration::from_secs(10);
/// How long what is on its way may take before it ends all the same; it goes on at the next start.
const FINISH: Duration = Duration::from_secs(30);
/// An engine elsewhere that said nothing for so long is not merely starting.
const UNHEARD: Duration = Duration::from_secs(30);
/// In the store: the setting of the start at login as it was carried out last.
pub(crate) const AUTOSTART_DONE: &str = "desktop.autostart";
/// In the store: where the window stood.
const PLACE: &str = "desktop.window";

/// The engine's side of a desk: hears orders, tells the shell.
pub struct Host {
    /// The data folder.
    data: PathBuf,
    bell: Bell,
    orders: mpsc::Receiver<Order>,
    desktop: Arc<dyn Desktop>,
    toaster: Arc<dyn Toaster>,
    /// The session ends.
    ending: CancellationToken,
    /// The PC woke, or its clock was set.
    woke: Arc<Notify>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("data", &self.data).finish_non_exhaustive()
    }
}

/// Runs the shell on this thread and the work beside it; both end with the work. With `show` the window opens as soon
/// as there is a page.
///
/// # Errors
/// There is no display; the work was not begun.
pub fn on_desk<T, F>(
    runtime: &Runtime,
    data: PathBuf,
    show: bool,
    work: impl FnOnce(Host) -> F,
) -> Result<T, shell::NoDesktop>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let (orders, asked) = mpsc::channel(ORDERS);
    let desktop: Arc<dyn Desktop> = Arc::new(UserDesktop);
    let folder = user_folder(&data);
    let picture = folder.join("shopsync.png");
    let desk = Desk {
        orders,
        clock: Arc::new(SystemClock::new()),
        desktop: Arc::clone(&desktop),
        runtime: runtime.handle().clone(),
        folder: folder.clone(),
        show,
    };
    let mut working = None;
    let ending = Ending::default();
    shell::run(desk, |bell| {
        let ended = EndOnDrop(bell.clone(), ending.over());
        let front: Arc<dyn Front> = Arc::new(bell.clone());
        let toaster: Arc<dyn Toaster> =
            Arc::new(DesktopToasts::new(front, Some(picture.to_string_lossy().into_owned())));
        let (token, woke) = (ending.asked.clone(), Arc::default());
        ending.listen(bell.clone(), Arc::clone(&woke));
        let work = work(Host { data, bell, orders: asked, desktop, toaster, ending: token, woke });
        working = Some(runtime.spawn(async move {
            let _ended = ended;
            // Before the first toast; where it cannot be written, toasts have no picture.
            let _ = tokio::task::spawn_blocking(move || introduce(&folder, &picture)).await;
            work.await
        }));
    })?;
    match working.map(|working| runtime.block_on(working)) {
        Some(Ok(done)) => Ok(done),
        Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Some(Err(_)) | None => Err(shell::NoDesktop),
    }
}

/// Makes the program known to the desktop by name and picture.
fn introduce(folder: &Path, picture: &Path) {
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(picture, include_bytes!("../../assets/icons/png/shopsync-48.png")));
    if let Err(error) = written {
        tracing::debug!(%error, "toasts have no picture");
    }
    #[cfg(windows)]
    crate::platform::windows::register_app(crate::alerts::APP_ID, "ShopSync", picture);
}

/// The shell ends with the work, however that ends; and a session that ends waits for it no longer.
struct EndOnDrop(Bell, Arc<Over>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.tell(Notice::Stopped);
        self.1.set();
    }
}

impl Host {
    /// Returns when the process is asked to end, or the session ends.
    fn asked_to_end(&self) -> impl Future<Output = ()> + Send + use<> {
        let ending = self.ending.clone();
        async move {
            tokio::select! {
                () = asked_to_end() => {}
                () = ending.cancelled() => {}
            }
        }
    }

    /// What the engine shows itself with.
    pub(crate) fn screen(&self) -> Screen {
        Screen { front: Arc::new(self.bell.clone()), toaster: Some(Arc::clone(&self.toaster)) }
    }

    /// Gives the shell its page, and serves it until it is quit. Returns whether to wait for what is on its way.
    /// `entry` is the start at login, where it can be set.
    pub(crate) async fn serve(&mut self, running: &Running, entry: Option<&Arc<dyn Autostart>>) -> bool {
        self.serve_behind(&running.behind(), entry).await
    }

    /// The same, wherever the engine is.
    async fn serve_behind(&mut self, behind: &Arc<dyn Behind>, entry: Option<&Arc<dyn Autostart>>) -> bool {
        let mut desktop = behind.desktop();
        let wanted = desktop.borrow_and_update().clone();
        self.show_page(behind, &wanted, entry).await;
        let mut states = behind.watch();
        states.mark_changed();
        let (mut frames, mut redraws) = (interval(FRAME), interval(REDRAW));
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut publishes, mut works) = (true, false);
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Quit { finish }) => return finish,
                    Some(order) => self.carry_out(order, behind),
                    None => return false,
                },
                Ok(()) = desktop.changed() => {
                    let wanted = desktop.borrow_and_update().clone();
                    self.show_page(behind, &wanted, entry).await;
                    states.mark_changed();
                }
                changed = states.changed(), if publishes => {
                    publishes = changed.is_ok();
                    let snapshot = Arc::clone(&states.borrow_and_update());
                    works = snapshot.state == HealthState::Working;
                    self.bell.tell(Notice::State(snapshot));
                }
                _ = frames.tick(), if works => {
                    self.bell.tell(Notice::Frame);
                }
                _ = redraws.tick() => {
                    self.bell.tell(Notice::Again);
                }
                () = self.woke.notified() => {
                    self.carry_out(Order::Command(Command::SyncNow), behind);
                }
            }
        }
    }

    /// Has the shell show the page as the settings want it, and start at login as they say.
    async fn show_page(
        &self,
        behind: &Arc<dyn Behind>,
        wanted: &DesktopSettings,
        entry: Option<&Arc<dyn Autostart>>,
    ) {
        let place = behind.recall(PLACE).await.ok().flatten();
        let page = Page {
            router: Arc::clone(behind).page(),
            zone: behind.zone(),
            window: wanted.open_in == OpenIn::Window,
            ends_with_us: behind.is_here(),
            place: place.and_then(|text| serde_json::from_str(&text).ok()),
        };
        self.bell.tell(Notice::Running(Box::new(page)));
        if let Some(entry) = entry {
            start_at_login(Arc::clone(entry), wanted.autostart, behind.as_ref()).await;
        }
    }

    /// Says that it ends, and waits for what is on its way where that is worth it.
    pub(crate) async fn finish(&self, running: &Running, wait: bool) {
        self.bell.tell(Notice::Stopping);
        if wait {
            let mut states = running.handle.watch();
            let done = states
                .wait_for(|snapshot| snapshot.counts.waiting == 0 && snapshot.backups.running.is_none());
            if timeout(FINISH, done).await.is_err() {
                tracing::info!("what is still on its way goes on at the next start");
            }
        }
    }

    fn carry_out(&self, order: Order, behind: &Arc<dyn Behind>) {
        match order {
            Order::Command(command) => {
                let (behind, toaster) = (Arc::clone(behind), Arc::clone(&self.toaster));
                tokio::spawn(async move {
                    if let Reply::Refused { sentence } = behind.command(command).await {
                        say(toaster.as_ref(), sentence).await;
                    }
                });
            }
            Order::Browser(item) => {
                let (behind, toaster) = (Arc::clone(behind), Arc::clone(&self.toaster));
                let desktop = Arc::clone(&self.desktop);
                tokio::spawn(async move {
                    match behind.link().await {
                        Ok(link) => desktop.open(&format!("{link}{}", shell::fragment(item.as_deref()))),
                        Err(sentence) => say(toaster.as_ref(), sentence).await,
                    }
                });
            }
            Order::Logs => self.open_logs(),
            Order::Place(place) => {
                let behind = Arc::clone(behind);
                tokio::spawn(async move {
                    let text = serde_json::to_string(&place).unwrap_or_default();
                    if let Err(fault) = behind.remember(PLACE, &text).await {
                        tracing::warn!(%fault, "the window's place is not remembered");
                    }
                });
            }
            Order::Quit { .. } => {}
        }
    }

    fn open_logs(&self) {
        self.desktop.open(&self.data.join("logs").to_string_lossy());
    }

    /// Serves the little that can be done without an engine. Ends when it is quit.
    async fn serve_without(&mut self) {
        while let Some(order) = self.orders.recv().await {
            match order {
                Order::Quit { .. } => return,
                Order::Logs => self.open_logs(),
                Order::Command(_) | Order::Browser(_) | Order::Place(_) => {}
            }
        }
    }
}

/// The tray of a shop.
#[derive(Debug)]
pub struct Tray {
    /// The settings file.
    pub settings: PathBuf,
    /// The start at login, where it can be set.
    pub entry: Option<LoginEntry>,
}

impl Tray {
    /// Starts the engine, again and again where it cannot be started, and serves until it is quit or the process is
    /// asked to end.
    pub async fn run(self, mut host: Host) {
        let entry = self.entry.map(|entry| Arc::new(entry) as Arc<dyn Autostart>);
        let mut again = false;
        loop {
            if is_elsewhere(&host.data, &self.settings).await {
                if show_other(&self.settings, &mut host, entry.as_ref()).await {
                    return;
                }
                continue;
            }
            let running = match start(&self.settings, &host).await {
                Ok(running) => running,
                Err(error) => {
                    tracing::error!("{error:#}");
                    host.bell.tell(Notice::Unable(sentence(&error)));
                    let end = host.asked_to_end();
                    tokio::select! {
                        () = sleep(AGAIN) => continue,
                        () = host.serve_without() => return,
                        () = end => return,
                    }
                }
            };
            if std::mem::take(&mut again) {
                host.bell.tell(Notice::Show(None));
            }
            let end = host.asked_to_end();
            let ended = tokio::select! {
                wait = host.serve(&running, entry.as_ref()) => Ended::Quit { wait },
                () = end => Ended::Quit { wait: false },
                () = running.asked_to_restart() => Ended::Restart,
                () = given_away(&self.settings) => Ended::GivenAway,
            };
            host.finish(&running, ended == Ended::Quit { wait: true }).await;
            running.stop().await;
            match ended {
                Ended::Quit { .. } => return,
                // Whoever asked for it looks at the window.
                Ended::Restart => again = true,
                Ended::GivenAway => tracing::info!("the engine is the service's from here on"),
            }
        }
    }
}

/// How a stretch with an engine of this process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// For good; what is on its way may be worth waiting for.
    Quit { wait: bool },
    /// To be started anew.
    Restart,
    /// The settings give the engine to the service.
    GivenAway,
}

async fn is_elsewhere(data: &Path, settings: &Path) -> bool {
    let (data, settings) = (data.to_owned(), settings.to_owned());
    let looked = tokio::task::spawn_blocking(move || Elsewhere::is_elsewhere(&data, &settings));
    looked.await.unwrap_or(false)
}

/// Returns when the settings give the engine to the service.
async fn given_away(settings: &Path) {
    super::service::other(settings, |now| now.engine == EngineHome::Service).await;
}

/// Shows the engine of another process until it is quit (`true`), or that engine's place is free.
async fn show_other(settings: &Path, host: &mut Host, entry: Option<&Arc<dyn Autostart>>) -> bool {
    let clock = SystemClock::new();
    let elsewhere = Elsewhere::new(&host.data, settings, &user_folder(&host.data), &clock);
    tracing::info!(home = ?elsewhere.home(), "the engine runs in another process: it is only shown");
    let behind = Arc::clone(&elsewhere) as Arc<dyn Behind>;
    let toaster = wanted_toasts(Arc::clone(&host.toaster), behind.desktop());
    let stop = CancellationToken::new();
    let _stops = stop.clone().drop_guard();
    let toasting = vec![toasts::task(behind.watch(), toaster, stop.clone())];
    tokio::spawn(supervisor::run(toasting, Arc::new(clock), stop));
    let (bell, end) = (host.bell.clone(), host.asked_to_end());
    let unheard = async {
        sleep(UNHEARD).await;
        if !elsewhere.was_heard() {
            bell.tell(Notice::Unable(unheard_sentence(elsewhere.home())));
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = host.serve_behind(&behind, entry) => true,
        () = end => true,
        () = Arc::clone(&elsewhere).follow() => false,
        () = unheard => false,
    }
}

fn unheard_sentence(home: EngineHome) -> String {
    let whose = match home {
        EngineHome::Service => "ShopSync's Windows service does not answer. Restart this PC.",
        EngineHome::Tray => "ShopSync runs for another user of this PC, and does not answer.",
    };
    whose.to_owned()
}

async fn start(settings: &Path, host: &Host) -> anyhow::Result<Running> {
    let start =
        Start { data: host.data.clone(), settings: settings.to_owned(), leave_billing_running: false };
    super::start_on(start, Some(host.screen()), true).await
}

/// Says it in a toast; where there are none, in the log.
async fn say(toaster: &dyn Toaster, sentence: String) {
    let toast = Toast { title: "ShopSync".into(), text: sentence, item: None };
    if let Err(fault) = toaster.show(&toast).await {
        tracing::warn!(detail = fault.detail, "{}", toast.text);
    }
}

/// One sentence for a person.
fn sentence(error: &anyhow::Error) -> String {
    error.downcast_ref::<Fault>().map_or_else(|| error.to_string(), |fault| fault.sentence.clone())
}

/// Carries out the setting. What does not work is tried again at the next start.
async fn start_at_login(entry: Arc<dyn Autostart>, wanted: bool, behind: &dyn Behind) {
    let carried_out = async {
        let remembered = behind.recall(AUTOSTART_DONE).await?.map(|text| text == "on");
        let done =
            tokio::task::spawn_blocking(move || match plan_autostart(wanted, remembered, entry.is_on()?) {
                Step::Write => entry.set(true),
                Step::Remove => entry.set(false),
                Step::Leave => Ok(()),
            });
        done.await.unwrap_or_else(|error| {
            Err(Fault::transient(Scope::Item, "The start at login cannot be set.").detail(error))
        })?;
        behind.remember(AUTOSTART_DONE, if wanted { "on" } else { "off" }).await
    };
    if let Err(fault) = carried_out.await {
        tracing::warn!(detail = fault.detail, "{}", fault.sentence);
    }
}
