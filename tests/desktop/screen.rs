//! A desktop of its own: screen, session bus, window manager, and a panel with a tray.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::{SOON, eventually, now, spawn};

/// A panel that is to come is there by then.
const PANEL_SOON: Duration = Duration::from_secs(15);

/// Everything ends with it.
#[derive(Debug)]
pub(crate) struct Screen {
    display: String,
    bus: String,
    pub(crate) home: TempDir,
    /// The panel before the screen.
    children: Vec<Child>,
}

/// A picture of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    width: usize,
    pixels: Vec<[u8; 3]>,
}

impl Screen {
    pub(crate) async fn open() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut screen = Self { display: String::new(), bus: String::new(), home, children: Vec::new() };
        let mut server = Command::new("Xvfb");
        server.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
        // What is seen lies in a file there (`Xvfb_screen0`), for who looks more often than a program that takes pictures can.
        server.arg("-fbdir").arg(screen.home.path());
        screen.display = format!(":{}", screen.first_line(&mut server));
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]);
        screen.bus = screen.first_line(&mut bus);
        screen.start("openbox", &[]);
        screen.start_panel().await;
        // Before that an icon is a window of its own, and becomes the panel's a moment later.
        eventually("the panel takes icons", SOON, async || {
            screen.has_on_the_bus("org.kde.StatusNotifierWatcher")
        })
        .await;
        screen
    }

    /// Starts the panel; again where it does not come, as one of several that start at once on a busy machine may not.
    async fn start_panel(&mut self) {
        let there = |screen: &Self| !screen.windows("^xfce4-panel$").is_empty();
        for _ in 0..3 {
            self.start("xfce4-panel", &["--disable-wm-check"]);
            let since = now();
            while since.elapsed() < PANEL_SOON {
                if there(self) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
            let mut panel = self.children.remove(0);
            let _ = panel.kill();
            let _ = panel.wait();
        }
        self.start("xfce4-panel", &["--disable-wm-check"]);
        eventually("the panel is there", SOON, async || there(self)).await;
    }

    /// Starts a program on this desktop.
    pub(crate) fn start(&mut self, program: &str, arguments: &[&str]) {
        let log = self.home.path().join(format!("{program}.log"));
        let mut command = self.command(program);
        self.children.insert(0, spawn(command.args(arguments), &log));
    }

    fn has_on_the_bus(&self, name: &str) -> bool {
        let mut command = self.command("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus"]);
        command.arg("org.freedesktop.DBus.NameHasOwner").arg(format!("string:{name}"));
        String::from_utf8_lossy(&command.output().unwrap().stdout).contains("boolean true")
    }

    fn first_line(&mut self, command: &mut Command) -> String {
        command.env("HOME", self.home.path()).stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.children.push(child);
        line.trim().to_owned()
    }

    /// A program of this desktop's user.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.inherit(&mut command);
        command
    }

    /// Makes a program one of this desktop.
    pub(crate) fn inherit(&self, command: &mut Command) {
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        command.env("HOME", self.home.path()).env("XDG_CURRENT_DESKTOP", "XFCE");
        for name in ["WAYLAND_DISPLAY", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
            command.env_remove(name);
        }
    }

    /// What is seen now.
    pub(crate) fn picture(&self) -> Picture {
        let mut command = self.command("import");
        let done = command.args(["-window", "root", "-depth", "8", "ppm:-"]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        // P6, width and height, 255: three lines, then the pixels.
        let mut parts = done.stdout.splitn(4, |byte| *byte == b'\n');
        let (kind, size) = (parts.next().unwrap(), parts.next().unwrap());
        assert_eq!((kind, parts.next().unwrap()), (b"P6" as &[u8], b"255" as &[u8]));
        let width = String::from_utf8_lossy(size).split(' ').next().unwrap().parse().unwrap();
        let pixels = parts.next().unwrap().chunks_exact(3).map(|one| [one[0], one[1], one[2]]).collect();
        Picture { width, pixels }
    }

    /// Keeps a picture for people, in `target/screenshots` or where the environment says.
    pub(crate) fn keep(&self, name: &str) {
        self.keep_window("root", name);
    }

    /// The same of one window.
    pub(crate) fn keep_window(&self, window: &str, name: &str) {
        self.keep_of(window, &[], name);
    }

    /// The same of a part of the screen: `WIDTHxHEIGHT+LEFT+TOP`.
    pub(crate) fn keep_part(&self, place: &str, name: &str) {
        self.keep_of("root", &["-crop", place, "+repage"], name);
    }

    fn keep_of(&self, window: &str, more: &[&str], name: &str) {
        let named = std::env::var_os("SHOPSYNC_SCREENSHOTS").map(PathBuf::from);
        let folder =
            named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = self.command("import");
        command.args(["-window", window]).args(more).arg(folder.join(format!("{name}.png")));
        assert!(command.status().unwrap().success());
    }

    /// Windows that can be seen, by a pattern of their title.
    pub(crate) fn windows(&self, title: &str) -> Vec<String> {
        let mut command = self.command("xdotool");
        let done = command.args(["search", "--onlyvisible", "--name", title]).output().unwrap();
        String::from_utf8_lossy(&done.stdout).lines().map(str::to_owned).collect()
    }

    /// Mouse and keyboard, as xdotool has it.
    pub(crate) fn does(&self, words: &[&str]) {
        let status = self.command("xdotool").args(words).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "xdotool {words:?}");
    }

    /// Where a window stands and how large it is.
    pub(crate) fn place(&self, window: &str) -> (i32, i32, i32, i32) {
        let done = self.command("xdotool").args(["getwindowgeometry", "--shell", window]).output().unwrap();
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
            line.and_then(|value| value.parse().ok()).unwrap_or_default()
        };
        (value("X"), value("Y"), value("WIDTH"), value("HEIGHT"))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The panel's height.
const PANEL: usize = 28;

impl Picture {
    /// The middle of what has nearly this colour in the panel, where enough of it is there.
    pub(crate) fn in_panel(&self, colour: [u8; 3]) -> Option<(usize, usize)> {
        let near = |pixel: &[u8; 3]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 12);
        let found = self.pixels.iter().take(self.width * PANEL).enumerate().filter(|(_, pixel)| near(pixel));
        let places: Vec<_> = found.map(|(at, _)| (at % self.width, at / self.width)).collect();
        let count = places.len();
        if count < 30 {
            return None;
        }
        let sum = places.iter().fold((0, 0), |sum, place| (sum.0 + place.0, sum.1 + place.1));
        Some((sum.0 / count, sum.1 / count))
    }

    /// What is seen around a place of the panel.
    pub(crate) fn around(&self, (x, y): (usize, usize)) -> Vec<[u8; 3]> {
        let (left, top) = (x - 12, y.saturating_sub(12));
        (top..top + 24)
            .flat_map(|row| (left..left + 24).map(move |column| self.pixels[row * self.width + column]))
            .collect()
    }

    /// How many colours there are in a rectangle: a white one has one, a page hundreds.
    pub(crate) fn colours(&self, (x, y, width, height): (i32, i32, i32, i32)) -> usize {
        let at = |value: i32| usize::try_from(value.max(0)).unwrap();
        let (x, y, width, height) = (at(x), at(y), at(width), at(height));
        let rows = (y..y + height).flat_map(|row| (x..x + width).map(move |column| (row, column)));
        let pixels = rows.filter_map(|(row, column)| {
            (column < self.width).then(|| self.pixels.get(row * self.width + column))?
        });
        pixels.collect::<std::collections::BTreeSet<_>>().len()
    }
}
