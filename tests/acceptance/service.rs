//! The service that Windows starts before anyone signs in, in a console of its own.

use std::process::Child;

use shopsync::model::home::EngineHome;

use crate::harness::{Bill, SOON, Shop, eventually, is_alive, processes_of, signal, spawn};

/// Ends with the test.
struct Service(Child);

impl Service {
    fn start(shop: &Shop) -> Self {
        let log = shop.app.folder.path().join("service.log");
        Self(spawn(shop.command().args(["service", "--console"]), &log))
    }

    async fn stop(&mut self) {
        signal(self.0.id(), "TERM");
        eventually("the service ends", SOON, async || self.0.try_wait().unwrap().is_some()).await;
        assert!(self.0.wait().unwrap().success());
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn back_after_a_kill(shop: &Shop) {
    let pid = shop.pocketbase_pid();
    signal(pid, "KILL");
    eventually("PocketBase is back after it was killed", SOON, async || {
        std::fs::read_to_string(shop.data().join("pocketbase.started"))
            .is_ok_and(|mark| !mark.starts_with(&format!("{pid} ")))
            && shop.app.is_up().await
    })
    .await;
    assert_eq!(processes_of("pocketbase", &shop.data()).len(), 1);
}

#[tokio::test]
async fn the_phones_are_served_before_anyone_signs_in_and_after_they_left() {
    let mut shop = Shop::new(6);
    shop.raintek.start().await;
    shop.lay_down().await;
    let mut service = Service::start(&shop);
    eventually("the phones reach the app", SOON, async || shop.app.is_up().await).await;
    let pid = shop.pocketbase_pid();
    back_after_a_kill(&shop).await;

    // Somebody signs in: the engine uses the app that runs, and leaves it running.
    shop.start().await;
    shop.in_step().await;
    let bill = Bill::plain("GST-0001-2026/27").send(&shop).await;
    shop.synced(&bill).await;
    assert_ne!(shop.pocketbase_pid(), pid);
    let pid = shop.pocketbase_pid();
    shop.stop().await;
    assert!(is_alive(pid) && shop.app.is_up().await, "the phones are served on");

    // The service dies under a running engine: it looks after the app from then on, the same process of it.
    shop.start().await;
    shop.in_step().await;
    service.kill();
    back_after_a_kill(&shop).await;
    let mut service = Service::start(&shop);
    let next = Bill::plain("GST-0002-2026/27").send(&shop).await;
    shop.synced(&next).await;
    assert_eq!(processes_of("pocketbase", &shop.data()).len(), 1, "the service waits its turn");
    // It is the engine's: it ends with it, and the service brings it back.
    shop.stop().await;
    eventually("the service serves the phones", SOON, async || shop.app.is_up().await).await;
    let pid = shop.pocketbase_pid();
    service.stop().await;
    assert!(!is_alive(pid), "what it started ends with it");
}

#[tokio::test]
async fn the_service_runs_the_engine_where_the_settings_say_so_and_nobody_else_does() {
    let mut shop = Shop::new(6);
    shop.settings.engine = EngineHome::Service;
    shop.raintek.start().await;
    shop.lay_down().await;
    let mut service = Service::start(&shop);
    shop.in_step().await;
    let bill = Bill::plain("GST-0001-2026/27").send(&shop).await;
    shop.synced(&bill).await;
    let said = shop.cli(&["run"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("already running"), "{said:?}");

    // Changed by hand: the service lets the engine go, and goes on serving the phones.
    shop.settings.engine = EngineHome::Tray;
    shop.lay_down().await;
    eventually("the engine is free", SOON, async || shop.health().await.is_none()).await;
    shop.start().await;
    shop.in_step().await;
    let next = Bill::plain("GST-0002-2026/27").send(&shop).await;
    shop.synced(&next).await;
    shop.stop().await;
    eventually("the phones are served", SOON, async || shop.app.is_up().await).await;
    service.stop().await;
    assert!(!shop.app.is_up().await);
}
