//! Pictures of the window for people, with real data: `cargo xtask screenshots`, then `target/screenshots`.

use crate::first_run::still;
use crate::harness::{Bill, Line, SOON, Shop, eventually};
use crate::screen::Screen;
use crate::tray::Tray;
use crate::window::shown;

/// The bar at the bottom of the window: where its parts are, from the left.
const PARTS: [(&str, &str); 6] = [
    ("today", "214"),
    ("activity", "300"),
    ("problems", "414"),
    ("backups", "541"),
    ("settings", "648"),
    ("about", "745"),
];

#[tokio::test]
#[ignore = "for people to look at"]
async fn pictures() {
    for (look, theme) in [("light", "Adwaita"), ("dark", "Adwaita:dark")] {
        let screen = Screen::open().await;
        let mut shop = Shop::new(30);
        shop.raintek.start().await;
        shop.lay_down().await;
        let tray = Tray::start_themed(&shop, &screen, theme);
        let window = shown(&screen, "In step").await;
        shop.in_step().await;
        for number in 101..112 {
            let mut bill = Bill::plain(&format!("GST-0{number}-2026/27"));
            if number == 107 {
                bill.lines[0] =
                    Line { name: "Blue pen".into(), ..Line::new("PEN-9", "1", "10", "Exclusive", "18") };
            }
            bill.send(&shop).await;
        }
        eventually("all but one are in RainTek", SOON, async || {
            let counts = shop.status().await["counts"].clone();
            counts["held"] == 1 && counts["waiting"] == 0
        })
        .await;
        shown(&screen, "Needs attention").await;
        for (part, x) in PARTS {
            screen.does(&["mousemove", "--window", &window, x, "658", "click", "1"]);
            still(&screen).await;
            screen.keep_window(&window, &format!("window-{look}-{part}"));
        }
        assert_eq!(tray.terminate().await.code(), Some(0));
    }
}
