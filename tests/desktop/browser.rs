//! A tray without a web view, from settings that are broken: it says so, and goes on by itself when they are mended.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use shopsync::model::settings::OpenIn;

use crate::harness::{Bill, Line, SOON, Shop, eventually};
use crate::screen::Screen;
use crate::tray::{Tray, complaints, quit};
use crate::{AMBER, GREEN, RED};

/// A browser that writes down what it was asked to open.
struct Browser {
    folder: PathBuf,
}

impl Browser {
    fn new(home: &Path) -> Self {
        let folder = home.join("bin");
        std::fs::create_dir(&folder).unwrap();
        let program = folder.join("xdg-open");
        let script = format!("#!/bin/sh\necho \"$1\" >> '{}/asked'\n", folder.display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn asked(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("asked")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The `number`th thing that is opened, counted from 1.
    async fn opens(&self, number: usize) -> String {
        eventually("something is opened", SOON, async || self.asked().len() >= number).await;
        self.asked()[number - 1].clone()
    }
}

#[tokio::test]
async fn without_a_web_view_the_page_opens_in_the_browser_by_a_link_that_opens_once() {
    let mut screen = Screen::open().await;
    let browser = Browser::new(screen.home.path());
    let mut shop = Shop::new(6);
    shop.settings.desktop.open_in = OpenIn::Browser;
    shop.settings.desktop.autostart = false;
    shop.raintek.start().await;
    shop.lay_down().await;
    let file = shop.data().join("settings.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, settings.replace("[web]", "[webb]")).unwrap();

    // Nobody sees a message of a program without a window: it is the icon that says it.
    let tray = Tray::start(&shop, &screen, &[], Some(&browser.folder));
    eventually("the icon is red", SOON, async || screen.picture().in_panel(RED).is_some()).await;
    std::fs::write(&file, settings).unwrap();
    shop.in_step().await;
    eventually("the icon is green", SOON, async || screen.picture().in_panel(GREEN).is_some()).await;

    // Started by a person, the page opens; the link is good once.
    let link = browser.opens(1).await;
    assert!(link.starts_with(&shop.page("/?once=")) && !link.contains("token"), "{link}");
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let first = client.get(&link).send().await.unwrap();
    assert_eq!(
        (first.status(), &first.headers()["location"]),
        (reqwest::StatusCode::SEE_OTHER, &"/".parse().unwrap())
    );
    let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = client.get(shop.page("/")).header("cookie", cookie).send().await.unwrap();
    assert!(page.status().is_success());
    assert_eq!(client.get(&link).send().await.unwrap().status(), reqwest::StatusCode::UNAUTHORIZED);
    // No window and no web view beside it.
    assert_eq!((screen.windows("ShopSync"), tray.web_processes()), (vec![], vec![]));
    // A second start opens another.
    assert_eq!(Tray::start_again(&shop, &screen, &[]).await, Some(0));
    assert_ne!(browser.opens(2).await, link);

    // Without anybody who shows toasts it goes on, and says so once.
    hold(&shop, "GST-0101-2026/27", "Blue pen").await;
    eventually("the icon is amber", SOON, async || screen.picture().in_panel(AMBER).is_some()).await;
    eventually("it is said that there are no toasts", SOON, async || {
        complaints(&shop, "shows no messages now").len() == 1
    })
    .await;

    assert!(!screen.home.path().join(".config/autostart/ShopSync.desktop").exists());
    assert_eq!(tray.terminate().await.code(), Some(0));

    // With somebody who shows them; a click leads to the invoice.
    let rules = screen.home.path().join("dunstrc");
    let text = "[global]\nmouse_left_click = do_action, close_current\norigin = top-left\noffset = 20x60\n\
                width = 400\nheight = 200\n[urgency_normal]\ntimeout = 120\n";
    std::fs::write(&rules, text).unwrap();
    screen.start("dunst", &["-conf", rules.to_str().unwrap(), "-print"]);
    let tray = Tray::start(&shop, &screen, &["--tray"], Some(&browser.folder));
    eventually("the icon is amber", SOON, async || screen.picture().in_panel(AMBER).is_some()).await;
    eventually("the billing app is back", SOON, async || {
        shop.health().await.is_some_and(|(_, health)| health["billing"]["connected"] == true)
    })
    .await;
    hold(&shop, "GST-0102-2026/27", "Red pen").await;
    let shown = screen.home.path().join("dunst.log");
    let toast = || std::fs::read_to_string(&shown).unwrap_or_default();
    eventually("the toast is there", SOON, async || toast().contains("GST-0102-2026/27 needs you")).await;
    eventually("the toast is seen", SOON, async || !screen.windows("^Dunst$").is_empty()).await;
    screen.keep("toast");
    // What was held before it started is no news.
    assert!(
        !toast().contains("GST-0101") && toast().contains("Item \"Red pen\" is not in RainTek."),
        "{}",
        toast()
    );
    screen.does(&["mousemove", "120", "90", "click", "1"]);
    let link = browser.opens(3).await;
    assert!(link.contains("?once=") && link.ends_with("#invoice=GST%2D0102%2D2026%2F27"), "{link}");

    // Nothing is on its way: it quits at once.
    let icon = screen.picture().in_panel(AMBER).unwrap();
    quit(&screen, icon).await;
    assert_eq!(tray.ended().await.code(), Some(0));
    assert_eq!(complaints(&shop, "the event loop waited"), Vec::<String>::new());
}

async fn hold(shop: &Shop, number: &str, unknown: &str) {
    let mut bill = Bill::plain(number);
    bill.lines[1] = Line { name: unknown.into(), ..Line::new("PEN-9", "1", "10", "Exclusive", "18") };
    let id = bill.send(shop).await;
    shop.held(&id).await;
}

#[tokio::test]
async fn without_a_display_it_says_so_and_names_the_way_that_needs_none() {
    let shop = Shop::new(1);
    for display in [None, Some(":9876")] {
        let mut command = tokio::process::Command::from(shop.command());
        command.env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY");
        command.envs(display.map(|display| ("DISPLAY", display)));
        let done = tokio::time::timeout(SOON, command.output()).await.expect("it ends").unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{display:?} {said}");
        let lines: Vec<_> = said.lines().filter(|line| line.contains("ShopSync")).collect();
        assert!(lines.len() == 1 && lines[0].contains("shopsync run"), "{display:?} {said}");
    }
}
