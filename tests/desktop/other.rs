//! A tray whose engine runs in another process: the service's, or that of the user who signed in first.

use shopsync::model::home::EngineHome;

use crate::harness::{Bill, Line, SOON, Shop, eventually};
use crate::screen::Screen;
use crate::tray::{Tray, complaints, open_menu, quit};
use crate::window::sync_now;
use crate::{AMBER, GREEN, RED};

#[tokio::test]
async fn a_tray_shows_the_engine_of_another_process_and_takes_its_place_when_it_is_gone() {
    let screen = Screen::open().await;
    let mut shop = Shop::open(6).await;
    shop.in_step().await;
    let engine = shop.pid();

    let tray = Tray::start(&shop, &screen, &["--tray"], None);
    let mut icon = None;
    eventually("the icon is green", SOON, async || {
        icon = screen.picture().in_panel(GREEN);
        icon.is_some()
    })
    .await;
    // Its window shows the other's page, and what is clicked there reaches the other.
    open_menu(&screen, icon.unwrap()).await;
    screen.keep("tray-other-menu");
    screen.does(&["key", "Down", "Return"]);
    let mut window = String::new();
    eventually("the window shows that all is in step", SOON, async || {
        window = screen.windows("In step").pop().unwrap_or_default();
        !window.is_empty() && screen.picture().colours(screen.place(&window)) > 200
    })
    .await;
    screen.keep("window-other");
    sync_now(&shop, &screen, &window).await;
    let entry = screen.home.path().join(".config/autostart/ShopSync.desktop");
    eventually("the start at login is set", SOON, async || entry.is_file()).await;
    let mut bill = Bill::plain("GST-0401-2026/27");
    bill.lines[1] = Line { name: "Blue pen".into(), ..Line::new("PEN-9", "1", "10", "Exclusive", "18") };
    bill.send(&shop).await;
    eventually("the icon is amber", SOON, async || screen.picture().in_panel(AMBER).is_some()).await;
    assert!(crate::harness::is_alive(engine), "there is one engine, and it is the other's");

    // The other one is cut off: this one goes on with the work.
    shop.kill();
    let second = Bill::plain("GST-0402-2026/27").send(&shop).await;
    let phone = shop.phone().await;
    eventually("this one books it", SOON, async || {
        phone.read("invoices", &second).await["sync_status"] == "synced"
    })
    .await;
    eventually("the icon is amber still", SOON, async || screen.picture().in_panel(AMBER).is_some()).await;
    assert!(tray.terminate().await.success());
    assert_eq!(complaints(&shop, "panicked"), Vec::<String>::new());
}

#[tokio::test]
async fn where_the_service_has_the_engine_a_tray_never_takes_it() {
    let screen = Screen::open().await;
    let mut shop = Shop::new(6);
    shop.settings.engine = EngineHome::Service;
    shop.raintek.start().await;
    shop.lay_down().await;
    // Nobody serves yet: it waits, grey, and says so in the end.
    let tray = Tray::start(&shop, &screen, &["--tray"], None);
    eventually("it says that the service does not answer", SOON, async || {
        screen.picture().in_panel(RED).is_some()
    })
    .await;
    assert!(shop.health().await.is_none(), "no engine runs");

    shop.start_as_it_is().await;
    shop.in_step().await;
    eventually("the icon is green", SOON, async || screen.picture().in_panel(GREEN).is_some()).await;
    let icon = screen.picture().in_panel(GREEN).unwrap();
    let engine = shop.pid();
    // Closing the icon ends the tray, and nothing else.
    quit(&screen, icon).await;
    assert!(tray.ended().await.success());
    assert!(crate::harness::is_alive(engine));
    shop.in_step().await;
}
