//! The service and the tray: who keeps the billing app alive, and who has the engine.

use super::{GREEN, SEEN, answers, booked, in_raintek, in_step, log, shop_on};
use crate::harness::{Shop, eventually, signal};
use crate::pc::{PATIENCE, PROGRAM, Pc, made};

const SERVICE: &str = "ShopSyncBilling";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the installer: cargo xtask windows --test"]
async fn the_service_and_the_tray_share_the_work() {
    let pc = Pc::new();
    let shop = shop_on(&pc, |_| {}).await;
    pc.install(&made("SHOPSYNC_MSI"), &[]);
    in_step(&shop).await;
    assert_eq!(apps(&pc).len(), 1, "{:?}", apps(&pc));

    // PocketBase crashes: it is back, by the service.
    crash_app(&pc, &shop).await;
    booked(&shop, "GST-0301-2026/27").await;

    // The service is stopped: its PocketBase ends with it, and the tray starts one.
    pc.must("net", &["stop", SERVICE]);
    eventually("the service has ended", PATIENCE, async || services(&pc).is_empty()).await;
    eventually("the billing app answers", PATIENCE, async || answers(&shop).await).await;
    booked(&shop, "GST-0302-2026/27").await;
    crash_app(&pc, &shop).await;
    // It starts again, and leaves alone what runs.
    let running = apps(&pc);
    pc.must("net", &["start", SERVICE]);
    booked(&shop, "GST-0303-2026/27").await;
    assert_eq!(apps(&pc), running);

    // The settings give it the engine: the tray lets go of it, and shows it.
    let file = shop.data().join("settings.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    assert!(settings.contains("engine = \"tray\""), "{settings}");
    std::fs::write(&file, settings.replace("engine = \"tray\"", "engine = \"service\"")).unwrap();
    eventually("the tray only shows", PATIENCE, async || log(&shop).contains("it is only shown")).await;
    eventually("the service has the engine", PATIENCE, async || shop.health().await.is_some()).await;
    in_step(&shop).await;
    booked(&shop, "GST-0304-2026/27").await;
    eventually("the icon is green", PATIENCE, async || pc.pixels(GREEN) >= SEEN).await;
    pc.click(GREEN);
    eventually("the browser is asked", PATIENCE, async || !pc.opened().is_empty()).await;
    assert!(pc.opened()[0].starts_with(&shop.page("/?once=")), "{:?}", pc.opened());

    // Without the tray it works on; and after the power was gone, before anybody signs in.
    pc.crash_tray().await;
    booked(&shop, "GST-0305-2026/27").await;
    pc.off();
    pc.on();
    eventually("the billing app answers", PATIENCE, async || answers(&shop).await).await;
    booked(&shop, "GST-0306-2026/27").await;
    assert!(pc.trays().is_empty(), "nobody has signed in");
    let mut tray = pc.start(PROGRAM, &["--tray"]);
    eventually("the icon is green", PATIENCE, async || pc.pixels(GREEN) >= SEEN).await;

    // The service itself crashes. (Wine has no recovery of services: here somebody starts it.)
    for (pid, _) in services(&pc) {
        signal(pid, "KILL");
    }
    eventually("the service has ended", PATIENCE, async || services(&pc).is_empty()).await;
    eventually("Windows starts it", PATIENCE, async || {
        pc.run("net", &["start", SERVICE]);
        !services(&pc).is_empty()
    })
    .await;
    booked(&shop, "GST-0307-2026/27").await;
    assert!(tray.try_wait().unwrap().is_none(), "the tray goes on");
    for number in 301..=307 {
        let number = format!("GST-0{number}-2026/27");
        assert_eq!(in_raintek(&shop, &number).await, 1, "{number}");
    }
    assert!(!log(&shop).contains("panicked"), "{}", log(&shop));
}

/// PocketBase's processes.
fn apps(pc: &Pc) -> Vec<u32> {
    pc.processes("pocketbase.exe")
        .into_iter()
        .filter(|(_, line)| line.contains(" serve "))
        .map(|(pid, _)| pid)
        .collect()
}

fn services(pc: &Pc) -> Vec<(u32, String)> {
    pc.processes("shopsync.exe").into_iter().filter(|(_, line)| line.contains(" service ")).collect()
}

/// Ends PocketBase as a crash does; another one answers when this returns.
async fn crash_app(pc: &Pc, shop: &Shop) {
    let before = apps(pc);
    assert_eq!(before.len(), 1, "{before:?}");
    signal(before[0], "KILL");
    eventually("another PocketBase runs", PATIENCE, async || {
        let now = apps(pc);
        now.len() == 1 && now != before && answers(shop).await
    })
    .await;
}
