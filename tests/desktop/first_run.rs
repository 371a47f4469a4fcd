//! The first run as whoever installed ShopSync meets it: an empty data folder, an icon, a window that leads through it.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{SOON, Shop, eventually, now};
use crate::screen::Screen;
use crate::tray::{Tray, complaints};
use crate::window::shown;
use crate::{AMBER, GREEN, RED};

/// The button of the first place that was found: where it is in the window, above and beside its words, and what it is drawn
/// with. A frame's height, which xdotool counts or not, leaves it there.
const USE: (i32, i32) = (782, 340);
const ACCENT: [u8; 3] = [0x1f, 0x5f, 0xbf];

#[tokio::test]
async fn the_first_start_opens_the_first_run_in_the_window() {
    let screen = Screen::open().await;
    let shop = Shop::unknown().await;
    shop.raintek.till(&["bill", "--count", "2", "--date", "2026-09-15"]).await;
    shop.lay_raintek_here();
    assert!(!shop.data().join("settings.toml").exists());
    let tray = Tray::start(&shop, &screen, &[], None);
    let window = shown(&screen, "Starting").await;

    // It looks by itself, and the window shows what was found.
    eventually("RainTek is found", SOON, async || {
        let view = shop.setup_view().await;
        view["searching"] == false && view["candidates"][0]["ok"] == true
    })
    .await;
    let place = || {
        let (left, top, ..) = screen.place(&window);
        (usize::try_from(left + USE.0).unwrap(), usize::try_from(top + USE.1).unwrap())
    };
    eventually("its button is there", SOON, async || {
        screen.picture().around(place()).get(12 * 24 + 12) == Some(&ACCENT)
    })
    .await;
    still(&screen).await;
    screen.keep_window(&window, "first-run-window");
    // Nobody was asked, so nothing is kept and nothing is wrong.
    assert!(!shop.data().join("settings.toml").exists());
    assert_eq!(shop.setup_view().await["raintek"], Value::Null);
    for wrong in [GREEN, AMBER, RED] {
        assert_eq!(screen.picture().in_panel(wrong), None, "the icon says that nothing is proven yet");
    }

    // One click in the window chooses it.
    let (x, y) = place();
    screen.does(&["mousemove", &x.to_string(), &y.to_string(), "click", "1"]);
    eventually("it is chosen", SOON, async || !shop.setup_view().await["raintek"].is_null()).await;
    still(&screen).await;
    screen.keep_window(&window, "first-run-window-chosen");
    assert!(shop.data().join("settings.toml").exists());
    assert!(tray.terminate().await.success());
    assert_eq!(complaints(&shop, "the event loop waited"), Vec::<String>::new());
}

/// Waits until nothing on the screen changes for a moment.
pub(crate) async fn still(screen: &Screen) {
    let (mut before, mut since) = (screen.picture(), now());
    eventually("the window stands still", SOON, async || {
        let now_seen = screen.picture();
        if now_seen != before {
            (before, since) = (now_seen, now());
        }
        since.elapsed() > Duration::from_millis(700)
    })
    .await;
}
