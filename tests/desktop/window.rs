//! One day of a tray: it starts with the session, its window opens, works and closes, and it is quit by its menu.

use serde_json::json;

use crate::harness::{Bill, SOON, Shop, eventually, is_alive};
use crate::screen::Screen;
use crate::tray::{Tray, complaints, open_menu, quit};
use crate::{AMBER, BLUE, GREEN, RED};

#[tokio::test]
async fn the_window_opens_works_closes_and_leaves_the_tray() {
    let screen = Screen::open().await;
    let mut shop = Shop::new(20);
    shop.raintek.start().await;
    shop.lay_down().await;
    let tray = Tray::start(&shop, &screen, &["--tray"], None);

    // In the tray, and nowhere else.
    let mut icon = None;
    eventually("the icon is green", SOON, async || {
        icon = screen.picture().in_panel(GREEN);
        icon.is_some()
    })
    .await;
    let (x, y) = icon.unwrap();
    assert_eq!(screen.windows("ShopSync"), Vec::<String>::new());
    assert_eq!(tray.web_processes(), Vec::<u32>::new());

    // The start at login: one entry, quoted, with the data folder it was started with.
    let entry = screen.home.path().join(".config/autostart/ShopSync.desktop");
    eventually("the start at login is set", SOON, async || entry.is_file()).await;
    let text = std::fs::read_to_string(&entry).unwrap();
    let program = env!("CARGO_BIN_EXE_shopsync");
    let line = format!("Exec=\"{program}\" --tray --data \"{}\"", shop.data().display());
    assert!(text.lines().any(|found| found == line), "{line}\n{text}");

    // The session's own second start is silent; a person's brings the window.
    assert_eq!(Tray::start_again(&shop, &screen, &["--tray"]).await, Some(0));
    assert_eq!(screen.windows("ShopSync"), Vec::<String>::new());
    assert_eq!(Tray::start_again(&shop, &screen, &[]).await, Some(0));
    let window = shown(&screen, "In step").await;
    assert!(!tray.web_processes().is_empty());
    let mut place = screen.place(&window);
    assert_eq!((place.2, place.3), (960, 680));
    // The window manager puts it into a frame first.
    eventually("the page is drawn", SOON, async || {
        let before = place;
        place = screen.place(&window);
        place == before && screen.picture().colours(place) > 200
    })
    .await;
    screen.keep("window");

    // What is clicked there reaches the engine, body and all.
    sync_now(&shop, &screen, &window).await;

    // What changes elsewhere shows there by itself.
    order(&shop, json!({"command": "pause", "until": "2999-01-01T00:00:00Z"})).await;
    shown(&screen, "Paused").await;
    order(&shop, json!({"command": "resume"})).await;
    let window = shown(&screen, "In step").await;

    // Closed, everything of it is gone, and it comes back where it was.
    screen.does(&["windowmove", "--sync", &window, "200", "90"]);
    let place = screen.place(&window);
    close(&screen, &window).await;
    eventually("the web view's processes are gone", SOON, async || tray.web_processes().is_empty()).await;
    open_menu(&screen, (x, y)).await;
    screen.keep_part("420x240+860+0", "tray-menu");
    screen.does(&["key", "Down", "Return"]);
    let window = shown(&screen, "In step").await;
    let (left, top, width, height) = screen.place(&window);
    assert!(left.abs_diff(place.0) <= 40 && top.abs_diff(place.1) <= 60, "{left} {top}, not {place:?}");
    assert_eq!((width, height), (960, 680));
    close(&screen, &window).await;

    // Quit, by the menu's last line, while something waits: it asks first, and no is the answer of who only looks.
    let pocketbase = shop.pocketbase_pid();
    shop.in_step().await;
    shop.raintek.kill();
    Bill::plain("GST-0101-2026/27").send(&shop).await;
    eventually("an invoice waits", SOON, async || shop.status().await["counts"]["waiting"] == 1).await;
    quit(&screen, (x, y)).await;
    eventually("it asks", SOON, async || screen.windows("^ShopSync$").len() == 1).await;
    screen.keep("quit-question");
    screen.does(&["windowactivate", "--sync", &screen.windows("^ShopSync$")[0], "key", "Escape"]);
    eventually("the question is gone", SOON, async || screen.windows("^ShopSync$").is_empty()).await;
    assert_eq!(shop.status().await["counts"]["waiting"], 1);
    quit(&screen, (x, y)).await;
    eventually("it asks again", SOON, async || screen.windows("^ShopSync$").len() == 1).await;
    screen.does(&[
        "windowactivate",
        "--sync",
        &screen.windows("^ShopSync$")[0],
        "key",
        "Tab",
        "key",
        "Return",
    ]);
    assert_eq!(tray.ended().await.code(), Some(0));
    assert!(!is_alive(pocketbase));
    let gone = async || [GREEN, BLUE, AMBER, RED].iter().all(|one| screen.picture().in_panel(*one).is_none());
    eventually("the icon is gone", SOON, gone).await;
    assert_eq!(complaints(&shop, "the event loop waited"), Vec::<String>::new());
    assert_eq!(complaints(&shop, "a click was lost"), Vec::<String>::new());
}

/// Clicks on "Sync now" in a window of the usual size, and waits until that is done.
pub(crate) async fn sync_now(shop: &Shop, screen: &Screen, window: &str) {
    let before = shop.status().await["products"]["last_pass"].clone();
    screen.does(&["mousemove", "--window", window, "835", "52", "click", "1"]);
    eventually("a click on Sync now is a pass", SOON, async || {
        shop.status().await["products"]["last_pass"] != before
    })
    .await;
}

async fn order(shop: &Shop, command: serde_json::Value) {
    let request = shop.http.post(shop.page("/api/command")).bearer_auth(shop.secret("page.token"));
    assert!(request.json(&command).send().await.unwrap().status().is_success(), "{command}");
}

/// A window with this in its title, which is the page's own: the page runs and has heard how things are.
pub(crate) async fn shown(screen: &Screen, title: &str) -> String {
    let title = format!("{title}.* ShopSync");
    eventually(&format!("a window shows `{title}`"), SOON, async || screen.windows(&title).len() == 1).await;
    screen.windows(&title).remove(0)
}

/// Closes it as a person does; a busy window manager may miss a key, or that it was asked to bring the window to the
/// front, for which xdotool waits a quarter of a minute.
async fn close(screen: &Screen, window: &str) {
    eventually("the window is gone", SOON, async || {
        let mut keys = screen.command("timeout");
        let _ = keys.args(["3", "xdotool", "windowactivate", "--sync", window, "key", "alt+F4"]).output();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        screen.windows("ShopSync").is_empty()
    })
    .await;
}
