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

use super::session::{Ending, Over};
use super::{Running, Screen, Start};
use crate::alerts::DesktopToasts;
use crate::model::command::{Command, Reply};
use crate::model::desktop::Toast;
use crate::model::fault::{Fault, Scope};
use crate::model::health::HealthState;
use crate::model::settings::{DesktopSettings, OpenIn};
use crate::platform::{LoginEntry, SystemClock, UserDesktop, asked_to_end, user_folder};
use crate::ports::desktop::{Autostart, Desktop, Front, Toaster};
use crate::ports::{Controls, State};
use crate::shell::{self, Bell, Desk, Notice, Order, Page};
use crate::store::Store;
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
        let mut desktop = running.desktop();
        let wanted = desktop.borrow_and_update().clone();
        self.show_page(running, &wanted, entry).await;
        let mut states = running.handle.watch();
        states.mark_changed();
        let (mut frames, mut redraws) = (interval(FRAME), interval(REDRAW));
        frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut publishes, mut works) = (true, false);
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Quit { finish }) => return finish,
                    Some(order) => self.carry_out(order, running),
                    None => return false,
                },
                Ok(()) = desktop.changed() => {
                    let wanted = desktop.borrow_and_update().clone();
                    self.show_page(running, &wanted, entry).await;
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
                    self.carry_out(Order::Command(Command::SyncNow), running);
                }
            }
        }
    }

    /// Has the shell show the page as the settings want it, and start at login as they say.
    async fn show_page(
        &self,
        running: &Running,
        wanted: &DesktopSettings,
        entry: Option<&Arc<dyn Autostart>>,
    ) {
        let place = running.state.get(PLACE).await.ok().flatten();
        let page = Page {
            router: running.page.clone(),
            zone: running.zone(),
            window: wanted.open_in == OpenIn::Window,
            place: place.and_then(|text| serde_json::from_str(&text).ok()),
        };
        self.bell.tell(Notice::Running(Box::new(page)));
        if let Some(entry) = entry {
            start_at_login(Arc::clone(entry), wanted.autostart, &running.state).await;
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

    fn carry_out(&self, order: Order, running: &Running) {
        match order {
            Order::Command(command) => {
                let (handle, toaster) = (running.handle.clone(), Arc::clone(&self.toaster));
                tokio::spawn(async move {
                    if let Reply::Refused { sentence } = handle.command(command).await {
                        let toast = Toast { title: "ShopSync".into(), text: sentence, item: None };
                        if let Err(fault) = toaster.show(&toast).await {
                            tracing::warn!(detail = fault.detail, "{}", toast.text);
                        }
                    }
                });
            }
            Order::Browser(item) => match running.access.link_once() {
                Some(link) => self.desktop.open(&format!("{link}{}", shell::fragment(item.as_deref()))),
                None => tracing::error!("no link could be made: the system has no randomness"),
            },
            Order::Logs => self.open_logs(),
            Order::Place(place) => {
                let state = Arc::clone(&running.state);
                tokio::spawn(async move {
                    let text = serde_json::to_string(&place).unwrap_or_default();
                    if let Err(fault) = state.set(PLACE, Some(&text)).await {
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
            let wait = tokio::select! {
                wait = host.serve(&running, entry.as_ref()) => Some(wait),
                () = end => Some(false),
                () = running.asked_to_restart() => None,
            };
            host.finish(&running, wait.unwrap_or(false)).await;
            running.stop().await;
            if wait.is_some() {
                return;
            }
            // Whoever asked for it looks at the window.
            again = true;
        }
    }
}

async fn start(settings: &Path, host: &Host) -> anyhow::Result<Running> {
    let start =
        Start { data: host.data.clone(), settings: settings.to_owned(), leave_billing_running: false };
    super::start_on(start, Some(host.screen()), true).await
}

/// One sentence for a person.
fn sentence(error: &anyhow::Error) -> String {
    error.downcast_ref::<Fault>().map_or_else(|| error.to_string(), |fault| fault.sentence.clone())
}

/// Carries out the setting. What does not work is tried again at the next start.
async fn start_at_login(entry: Arc<dyn Autostart>, wanted: bool, state: &Arc<Store>) {
    let carried_out = async {
        let remembered = state.get(AUTOSTART_DONE).await?.map(|text| text == "on");
        let done =
            tokio::task::spawn_blocking(move || match plan_autostart(wanted, remembered, entry.is_on()?) {
                Step::Write => entry.set(true),
                Step::Remove => entry.set(false),
                Step::Leave => Ok(()),
            });
        done.await.unwrap_or_else(|error| {
            Err(Fault::transient(Scope::Item, "The start at login cannot be set.").detail(error))
        })?;
        state.set(AUTOSTART_DONE, Some(if wanted { "on" } else { "off" })).await
    };
    if let Err(fault) = carried_out.await {
        tracing::warn!(detail = fault.detail, "{}", fault.sentence);
    }
}
