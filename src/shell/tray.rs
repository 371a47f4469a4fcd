//! Draws a [`TrayView`]: changes only what differs, so that an open menu is not taken away.

use std::path::Path;

use tray_icon::menu::{ContextMenu, IsMenuItem, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tray_icon::{Icon, TrayIcon, TrayIconBuilder};

use super::icons;
use super::menu::{Entry, TrayView};
use crate::model::desktop::Look;
use crate::model::health::HealthState;

/// How often a change is drawn again where panels may miss one.
const DRAWN_AGAIN: u8 = 2;

/// The icon in the tray.
pub(super) struct Tray {
    icon: TrayIcon,
    size: u32,
    picture: Option<Picture>,
    tooltip: Option<String>,
    /// The state that was drawn last, and how often it is to be drawn again.
    settled_as: Option<HealthState>,
    unsettled: u8,
    drawn: Vec<Entry>,
    widgets: Vec<Widget>,
    complained: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Picture {
    state: HealthState,
    dark: bool,
    frame: usize,
}

impl Picture {
    /// Only what is on its way moves, and that not for who wants nothing to move.
    fn of(state: HealthState, look: Look, frame: usize) -> Self {
        let moves = state == HealthState::Working && !look.reduced_motion;
        Self { state, dark: look.dark_taskbar, frame: if moves { frame % icons::FRAMES } else { 0 } }
    }
}

enum Widget {
    Item(MenuItem),
    Submenu(Submenu, Vec<Widget>),
    Separator(PredefinedMenuItem),
}

impl Tray {
    /// Puts the icon up; it need not be seen for that. `scale` is the main screen's.
    ///
    /// # Errors
    /// The desktop has no tray that could be spoken to, in words for a log.
    pub(super) fn new(folder: &Path, scale: f64) -> Result<Self, String> {
        let build = || {
            TrayIconBuilder::new()
                .with_id("shopsync")
                .with_tooltip("ShopSync")
                .with_menu_on_left_click(false)
                .with_temp_dir_path(folder)
                .build()
        };
        // Where AppIndicator's library is missing, its loader panics.
        let icon = std::panic::catch_unwind(build).map_err(|_| "the tray's library is missing".to_owned())?;
        let icon = icon.map_err(|error| error.to_string())?;
        Ok(Self {
            icon,
            size: size(scale),
            picture: None,
            tooltip: None,
            settled_as: None,
            unsettled: 0,
            drawn: Vec::new(),
            widgets: Vec::new(),
            complained: false,
        })
    }

    /// Draws what differs from what was drawn.
    pub(super) fn apply(&mut self, view: &TrayView, look: Look, frame: usize) {
        let picture = Picture::of(view.icon, look, frame);
        if self.picture != Some(picture) {
            let done = self.set_picture(picture);
            if self.settled_as != Some(picture.state) {
                self.settled_as = Some(picture.state);
                self.unsettled = DRAWN_AGAIN;
            }
            self.picture = done.is_ok().then_some(picture);
            self.complain(done);
        }
        if self.tooltip.as_ref() != Some(&view.tooltip) {
            let done = self.icon.set_tooltip(Some(&view.tooltip)).map_err(|error| error.to_string());
            self.tooltip = done.is_ok().then(|| view.tooltip.clone());
            self.complain(done);
        }
        if self.drawn != view.menu {
            if same_shape(&self.drawn, &view.menu) {
                rewrite(&self.widgets, &view.menu);
            } else {
                let (menu, widgets) = built(&view.menu);
                self.icon.set_menu(Some(Box::new(menu) as Box<dyn ContextMenu>));
                self.widgets = widgets;
            }
            self.drawn.clone_from(&view.menu);
        }
    }

    /// The next [`Tray::apply`] draws even what seems to be there. A taskbar that was away shows what it remembers;
    /// panels elsewhere now and then miss a change, so there each is drawn again a few times and then left alone.
    pub(super) fn doubt(&mut self) {
        if cfg!(windows) || self.unsettled > 0 {
            self.unsettled = self.unsettled.saturating_sub(1);
            self.picture = None;
            self.tooltip = None;
        }
    }

    fn set_picture(&self, picture: Picture) -> Result<(), String> {
        let Picture { state, dark, frame } = picture;
        let rgba = icons::of_state(state, dark, frame, self.size).ok_or("the picture cannot be read")?;
        let icon = Icon::from_rgba(rgba.bytes, rgba.width, rgba.height).map_err(|error| error.to_string())?;
        self.icon.set_icon(Some(icon)).map_err(|error| error.to_string())
    }

    /// Once: a taskbar that is away is away for a while, and all is drawn again then.
    fn complain(&mut self, done: Result<(), String>) {
        match done {
            Ok(()) => self.complained = false,
            Err(error) if !self.complained => {
                self.complained = true;
                tracing::warn!(error, "the tray's icon cannot be changed now");
            }
            Err(_) => {}
        }
    }
}

/// Pixels of a tray icon; panels other than Windows' scale it down themselves.
fn size(scale: f64) -> u32 {
    if !cfg!(windows) {
        return 48;
    }
    [(1.0, 16), (1.25, 20), (1.5, 24), (2.0, 32)]
        .into_iter()
        .find(|(upto, _)| scale <= *upto)
        .map_or(48, |(_, size)| size)
}

fn same_shape(old: &[Entry], new: &[Entry]) -> bool {
    let same = |(old, new): (&Entry, &Entry)| match (old, new) {
        (Entry::Label(_), Entry::Label(_)) | (Entry::Separator, Entry::Separator) => true,
        (Entry::Item { choice: old, .. }, Entry::Item { choice: new, .. }) => old == new,
        (Entry::Submenu { entries: old, .. }, Entry::Submenu { entries: new, .. }) => same_shape(old, new),
        _ => false,
    };
    old.len() == new.len() && old.iter().zip(new).all(same)
}

fn rewrite(widgets: &[Widget], entries: &[Entry]) {
    for (widget, entry) in widgets.iter().zip(entries) {
        match (widget, entry) {
            (Widget::Item(item), Entry::Label(text)) => item.set_text(plain(text)),
            (Widget::Item(item), Entry::Item { text, enabled, .. }) => {
                item.set_text(plain(text));
                item.set_enabled(*enabled);
            }
            (Widget::Submenu(submenu, inner), Entry::Submenu { text, enabled, entries }) => {
                submenu.set_text(plain(text));
                submenu.set_enabled(*enabled);
                rewrite(inner, entries);
            }
            _ => {}
        }
    }
}

fn built(entries: &[Entry]) -> (Menu, Vec<Widget>) {
    let menu = Menu::new();
    let widgets = entries.iter().map(widget).collect::<Vec<_>>();
    for widget in &widgets {
        // Only a widget of another menu is refused, and these are new.
        let _ = menu.append(widget.as_item());
    }
    (menu, widgets)
}

fn widget(entry: &Entry) -> Widget {
    match entry {
        Entry::Label(text) => Widget::Item(MenuItem::new(plain(text), false, None)),
        Entry::Item { choice, text, enabled } => {
            Widget::Item(MenuItem::with_id(choice.name(), plain(text), *enabled, None))
        }
        Entry::Submenu { text, enabled, entries } => {
            let submenu = Submenu::new(plain(text), *enabled);
            let inner: Vec<_> = entries.iter().map(widget).collect();
            for widget in &inner {
                let _ = submenu.append(widget.as_item());
            }
            Widget::Submenu(submenu, inner)
        }
        Entry::Separator => Widget::Separator(PredefinedMenuItem::separator()),
    }
}

/// An ampersand would underline the letter after it.
fn plain(text: &str) -> String {
    text.replace('&', "&&")
}

impl Widget {
    fn as_item(&self) -> &dyn IsMenuItem {
        match self {
            Self::Item(item) => item,
            Self::Submenu(submenu, _) => submenu,
            Self::Separator(separator) => separator,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::menu::Choice;
    use super::*;

    #[test]
    fn only_what_is_on_its_way_moves_and_nothing_under_reduced_motion() {
        let look = |reduced_motion| Look { dark_taskbar: true, reduced_motion };
        let frames =
            |state, look| (0..4).map(|frame| Picture::of(state, look, frame).frame).collect::<Vec<_>>();
        assert_eq!(frames(HealthState::Working, look(false)), [0, 1, 2, 0]);
        assert_eq!(frames(HealthState::Working, look(true)), [0, 0, 0, 0]);
        assert_eq!(frames(HealthState::InStep, look(false)), [0, 0, 0, 0]);
    }

    #[test]
    fn a_menu_is_taken_away_only_when_its_lines_change() {
        let item = |text: &str, enabled| Entry::Item { choice: Choice::Open, text: text.into(), enabled };
        let submenu = |text: &str| Entry::Submenu {
            text: "Pause".into(),
            enabled: true,
            entries: vec![Entry::Label(text.into())],
        };
        let menu = [Entry::Label("a".into()), item("Open", true), submenu("b")];
        assert!(same_shape(&menu, &[Entry::Label("c".into()), item("Browser", false), submenu("d")]));
        assert!(!same_shape(&menu, &[Entry::Label("a".into()), item("Open", true)]));
        assert!(!same_shape(&menu, &[Entry::Separator, item("Open", true), submenu("b")]));
        let other = Entry::Item { choice: Choice::Quit, text: "Open".into(), enabled: true };
        assert!(!same_shape(&menu, &[Entry::Label("a".into()), other, submenu("b")]));
        assert_eq!(plain("Rao & Sons"), "Rao && Sons");
    }
}
