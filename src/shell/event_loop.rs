//! The main thread: takes notices and clicks one by one, draws, and hands on whatever takes time.

use std::sync::Arc;

use tao::event::{Event, StartCause, WindowEvent};
use tao::event_loop::{ControlFlow, EventLoopBuilder, EventLoopProxy, EventLoopWindowTarget};
use tao::platform::run_return::EventLoopExtRunReturn as _;
use tray_icon::menu::MenuEvent;
use tray_icon::{MouseButton, MouseButtonState, TrayIconEvent};

use super::menu::{self, Choice, Engine, Seen};
use super::meter::Meter;
use super::tray::Tray;
use super::window::StatusWindow;
use super::{Desk, Notice, Order, Page, dialog};
use crate::model::desktop::Look;
use crate::model::settings::Settings;
use crate::model::status::Snapshot;
use crate::ports::desktop::Front;

/// There is nothing to draw on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no display")]
pub struct NoDesktop;

/// Tells the shell, from any thread; never waits. What is told after its end is lost.
#[derive(Debug, Clone)]
pub struct Bell(EventLoopProxy<Notice>);

impl Bell {
    /// Tells it. `false` after its end.
    pub fn tell(&self, notice: Notice) -> bool {
        self.0.send_event(notice).is_ok()
    }
}

impl Front for Bell {
    fn show(&self, item: Option<String>) -> bool {
        self.tell(Notice::Show(item))
    }
}

/// Runs until [`Notice::Stopped`]. `start` is called once the shell can be told things.
///
/// # Errors
/// [`NoDesktop`] before `start` is called.
pub fn run(desk: Desk, start: impl FnOnce(Bell)) -> Result<(), NoDesktop> {
    // Asked first: the window library panics where it cannot be drawn.
    #[cfg(target_os = "linux")]
    gtk::init().map_err(|_| NoDesktop)?;
    let mut builder = EventLoopBuilder::<Notice>::with_user_event();
    #[cfg(target_os = "linux")]
    tao::platform::unix::EventLoopBuilderExtUnix::with_any_thread(&mut builder, true);
    let mut events = builder.build();
    let bell = Bell(events.create_proxy());

    let clicked = bell.clone();
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| {
        if let Some(choice) = Choice::from_name(event.id.as_ref()) {
            clicked.tell(Notice::Chosen(choice));
        }
    }));
    let clicked = bell.clone();
    TrayIconEvent::set_event_handler(Some(move |event: TrayIconEvent| {
        if opens(&event) {
            clicked.tell(Notice::Show(None));
        }
    }));
    start(bell.clone());
    let mut shell = Shell::new(desk, bell);
    events.run_return(|event, target, flow| {
        *flow = ControlFlow::Wait;
        if shell.handle(event, target) {
            *flow = ControlFlow::Exit;
        }
    });
    Ok(())
}

/// Windows sends these; Linux trays do not.
fn opens(event: &TrayIconEvent) -> bool {
    matches!(
        event,
        TrayIconEvent::Click { button: MouseButton::Left, button_state: MouseButtonState::Up, .. }
            | TrayIconEvent::DoubleClick { button: MouseButton::Left, .. }
    )
}

/// How far the engine is.
enum Phase {
    Starting,
    Unable(String),
    Running(Arc<Snapshot>),
    Stopping,
}

struct Shell {
    desk: Desk,
    bell: Bell,
    phase: Phase,
    page: Option<Page>,
    tray: Option<Tray>,
    window: Option<StatusWindow>,
    /// The web view failed when it was last wanted.
    broken: bool,
    /// To be shown as soon as there is a page: at that invoice where one is named.
    wanted: Option<Option<String>>,
    look: Look,
    frame: usize,
    asking: bool,
}

impl Shell {
    fn new(desk: Desk, bell: Bell) -> Self {
        let wanted = desk.show.then_some(None);
        Self {
            desk,
            bell,
            phase: Phase::Starting,
            page: None,
            tray: None,
            window: None,
            broken: false,
            wanted,
            look: Look::default(),
            frame: 0,
            asking: false,
        }
    }

    /// Whether that was the end.
    fn handle(&mut self, event: Event<'_, Notice>, target: &EventLoopWindowTarget<Notice>) -> bool {
        let meter = Meter::begin(self.desk.clock.as_ref());
        let had_window = self.window.is_some();
        let (name, end) = match event {
            Event::NewEvents(StartCause::Init) => {
                self.begin(target);
                ("begin", false)
            }
            Event::UserEvent(notice) => {
                let name = notice.name();
                (name, self.notice(notice, target))
            }
            Event::WindowEvent { event: WindowEvent::CloseRequested, window_id, .. }
                if self.window.as_ref().is_some_and(|window| window.id() == window_id) =>
            {
                self.close();
                ("close", false)
            }
            _ => return false,
        };
        let made_view = had_window != self.window.is_some();
        // Putting up the icon loads a library and greets the bus, once, before there is anything to click.
        if !made_view && name != "begin" {
            meter.end(self.desk.clock.as_ref(), name);
        }
        end
    }

    fn begin(&mut self, target: &EventLoopWindowTarget<Notice>) {
        let scale = target.primary_monitor().map_or(1.0, |monitor| monitor.scale_factor());
        match Tray::new(&self.desk.folder.join("tray"), scale) {
            Ok(tray) => self.tray = Some(tray),
            // Then the window is all there is.
            Err(error) => {
                tracing::warn!(error, "there is no tray");
                self.wanted = Some(None);
            }
        }
        self.look = look(&self.desk);
        self.draw();
    }

    fn notice(&mut self, notice: Notice, target: &EventLoopWindowTarget<Notice>) -> bool {
        match notice {
            Notice::Unable(sentence) => self.phase = Phase::Unable(sentence),
            Notice::Running(page) => {
                self.page = Some(*page);
                // It started itself anew.
                if matches!(self.phase, Phase::Stopping) {
                    self.phase = Phase::Starting;
                }
                if let Some(item) = self.wanted.take() {
                    self.show(item.as_deref(), target);
                }
            }
            Notice::State(snapshot) => {
                if !matches!(self.phase, Phase::Stopping) {
                    self.phase = Phase::Running(snapshot);
                }
            }
            Notice::Stopping => {
                self.phase = Phase::Stopping;
                self.close();
            }
            Notice::Stopped => {
                // The icon leaves first: a dead one stays in some trays.
                self.tray = None;
                return true;
            }
            Notice::Show(item) => self.show(item.as_deref(), target),
            Notice::Titled(title) => {
                if let Some(window) = &self.window {
                    window.set_title(&title);
                }
                return false;
            }
            Notice::Frame => self.frame = self.frame.wrapping_add(1),
            Notice::Again => {
                self.look = look(&self.desk);
                if let Some(tray) = &mut self.tray {
                    tray.doubt();
                }
            }
            Notice::Chosen(choice) => self.chosen(choice, target),
            Notice::Answered(yes) => {
                self.asking = false;
                if yes {
                    self.quit();
                }
            }
        }
        self.draw();
        false
    }

    fn chosen(&mut self, choice: Choice, target: &EventLoopWindowTarget<Notice>) {
        match choice {
            Choice::Open => self.show(None, target),
            Choice::Logs => self.order(Order::Logs),
            Choice::Quit => self.ask_to_quit(),
            _ => {
                if let Some(command) = choice.command(self.desk.clock.now(), self.zone()) {
                    self.order(Order::Command(command));
                }
            }
        }
    }

    fn ask_to_quit(&mut self) {
        if self.asking {
            return;
        }
        let question = menu::question(&self.engine()).filter(|_| self.ends_with_us());
        let Some(question) = question else { return self.quit() };
        self.asking = true;
        let bell = self.bell.clone();
        let answer = Box::new(move |yes| {
            bell.tell(Notice::Answered(yes));
        });
        if let Some(answer) = self.desk.desktop.ask(&question, answer) {
            dialog::ask(&question, answer);
        }
    }

    fn quit(&mut self) {
        let finish = matches!(&self.phase, Phase::Running(snapshot) if menu::finishes(snapshot));
        let finish = finish && self.ends_with_us();
        self.order(Order::Quit { finish });
    }

    fn show(&mut self, item: Option<&str>, target: &EventLoopWindowTarget<Notice>) {
        let Some(page) = &self.page else {
            self.wanted = Some(item.map(str::to_owned));
            return;
        };
        if let Some(window) = &self.window {
            window.show(item);
            return;
        }
        if page.window {
            let folder = self.desk.folder.join("webview");
            match StatusWindow::open(target, page, &folder, &self.desk.runtime, &self.bell, item) {
                Ok(window) => {
                    self.window = Some(window);
                    self.broken = false;
                    return;
                }
                // Asked again each time: it may be installed meanwhile.
                Err(error) => {
                    tracing::warn!(%error, "the page opens in the browser");
                    self.broken = true;
                }
            }
        }
        self.order(Order::Browser(item.map(str::to_owned)));
    }

    fn close(&mut self) {
        let Some(window) = self.window.take() else { return };
        if let Some(place) = window.place() {
            if let Some(page) = &mut self.page {
                page.place = Some(place);
            }
            self.order(Order::Place(place));
        }
    }

    /// Never waits: a host that has so much to do has no room for more.
    fn order(&self, order: Order) {
        if let Err(error) = self.desk.orders.try_send(order) {
            tracing::warn!(%error, "a click was lost");
        }
    }

    fn draw(&mut self) {
        let window = self.page.as_ref().is_none_or(|page| page.window) && !self.broken;
        let (now, zone, ends_with_us) = (self.desk.clock.now(), self.zone(), self.ends_with_us());
        let seen = Seen { engine: self.engine(), now, zone, window, ends_with_us };
        let view = menu::view(&seen);
        let (look, frame) = (self.look, self.frame);
        if let Some(tray) = &mut self.tray {
            tray.apply(&view, look, frame);
        }
    }

    fn engine(&self) -> Engine<'_> {
        match &self.phase {
            Phase::Starting => Engine::Starting,
            Phase::Unable(sentence) => Engine::Unable(sentence),
            Phase::Running(snapshot) => Engine::Running(snapshot),
            Phase::Stopping => Engine::Stopping,
        }
    }

    fn ends_with_us(&self) -> bool {
        self.page.as_ref().is_none_or(|page| page.ends_with_us)
    }

    fn zone(&self) -> chrono_tz::Tz {
        self.page.as_ref().map_or_else(|| Settings::default().zone, |page| page.zone)
    }
}

fn look(desk: &Desk) -> Look {
    desk.desktop.look().unwrap_or_else(by_toolkit)
}

/// Panels follow the theme, but for those that are dark whatever it is.
#[cfg(target_os = "linux")]
fn by_toolkit() -> Look {
    use gtk::prelude::GtkSettingsExt as _;

    const DARK: [&str; 4] = ["GNOME", "XFCE", "Unity", "Cinnamon"];
    let desktop = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
    let always = DARK.iter().any(|name| desktop.contains(name));
    let Some(settings) = gtk::Settings::default() else { return Look::default() };
    let theme = settings.gtk_theme_name().is_some_and(|name| name.to_lowercase().contains("dark"));
    Look {
        dark_taskbar: always || theme || settings.is_gtk_application_prefer_dark_theme(),
        reduced_motion: !settings.is_gtk_enable_animations(),
    }
}

#[cfg(not(target_os = "linux"))]
fn by_toolkit() -> Look {
    Look::default()
}
