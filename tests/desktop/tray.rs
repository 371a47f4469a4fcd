//! ShopSync in the tray, as a process.

use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};

use crate::harness::{SOON, Shop, eventually, is_alive, signal, spawn};
use crate::screen::Screen;

/// Ends with it as by a power cut.
#[derive(Debug)]
pub(crate) struct Tray {
    pub(crate) child: Child,
}

impl Tray {
    /// Starts it on the shop's data folder.
    pub(crate) fn start(shop: &Shop, screen: &Screen, arguments: &[&str], programs: Option<&Path>) -> Self {
        let mut command = shop.command();
        screen.inherit(&mut command);
        if let Some(programs) = programs {
            command.env("PATH", format!("{}:{}", programs.display(), std::env::var("PATH").unwrap()));
        }
        Self { child: spawn(command.args(arguments), &shop.log()) }
    }

    /// The same with its window, in this GTK theme.
    pub(crate) fn start_themed(shop: &Shop, screen: &Screen, theme: &str) -> Self {
        let mut command = shop.command();
        screen.inherit(&mut command);
        Self { child: spawn(command.env("GTK_THEME", theme), &shop.log()) }
    }

    /// Starts another beside it; how that ends.
    pub(crate) async fn start_again(shop: &Shop, screen: &Screen, arguments: &[&str]) -> Option<i32> {
        let mut command = shop.command();
        screen.inherit(&mut command);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        let ended = tokio::time::timeout(SOON, child.wait()).await;
        ended.expect("a second start ends").unwrap().code()
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let mut ended = None;
        eventually("the tray ends", SOON, async || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        })
        .await;
        ended.unwrap()
    }

    /// Asks it to end, as the system does.
    pub(crate) async fn terminate(self) -> ExitStatus {
        signal(self.child.id(), "TERM");
        self.ended().await
    }

    /// The web view's processes.
    pub(crate) fn web_processes(&self) -> Vec<u32> {
        let pids = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let ours = |pid: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
            stat.contains("(WebKit") && parent == Some(&self.child.id().to_string())
        };
        pids.filter(|pid| ours(pid) && is_alive(*pid)).collect()
    }
}

impl Drop for Tray {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What ShopSync wrote to its log at WARN or above, in which a word stands.
pub(crate) fn complaints(shop: &Shop, word: &str) -> Vec<String> {
    let files = std::fs::read_dir(shop.data().join("logs")).unwrap().flatten();
    let text: String = files.map(|file| std::fs::read_to_string(file.path()).unwrap()).collect();
    let bad = text.lines().filter(|line| line.contains("\"WARN\"") || line.contains("\"ERROR\""));
    bad.filter(|line| line.contains(word)).map(str::to_owned).collect()
}

/// Clicks the icon; its menu is there, and still, when this returns.
pub(crate) async fn open_menu(screen: &Screen, (x, y): (usize, usize)) {
    let below = (x - 60, y + 40);
    let before = screen.picture().around(below);
    screen.does(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
    eventually("the menu is there", SOON, async || {
        let now = screen.picture().around(below);
        now != before && screen.picture().around(below) == now
    })
    .await;
}

/// Chooses the menu's last line.
pub(crate) async fn quit(screen: &Screen, icon: (usize, usize)) {
    open_menu(screen, icon).await;
    screen.does(&["key", "Up", "Return"]);
}
