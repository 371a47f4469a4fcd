//! Our own PocketBase in an empty folder, and how it is kept alive.

use std::time::Duration;

use serde_json::json;
use shopsync::billing::{Origin, PocketBase, ServerState};
use shopsync::model::fault::FaultKind;
use shopsync::ports::{Billing as _, InvoiceScan};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::pocketbase::{Shop, soon, until};

#[tokio::test]
async fn an_empty_folder_becomes_an_app_and_is_back_after_a_restart() {
    let shop = Shop::new();
    let app = shop.adapter();
    let report = app.set_up().await.unwrap();
    assert_eq!(report.origin, Origin::Started);
    assert!(report.hook_active);
    assert_eq!(report.added, ["batch requests"]);
    app.probe().await.unwrap();
    assert_eq!(app.list(&InvoiceScan::All).await.unwrap(), []);

    let phone = shop.as_phone().await;
    let sent = json!({"invoice_number": "G-1-26", "invoice_date": "2026-11-21", "status": "completed", "item_count": 1,
        "source": "raintek", "sync_status": "synced", "raintek_inv_id": 7});
    let made = phone.make("invoices", sent.clone()).await;
    assert_eq!((made["source"].as_str(), made["sync_status"].as_str()), (Some("app"), Some("pending")));
    assert_eq!(made["raintek_inv_id"], 0);
    let (status, _) = phone.send("POST", "/api/collections/invoices/records", Some(sent)).await;
    assert_eq!(status, 400, "a second completed invoice of one number");
    let stranger = json!({"email": "x@y.in", "password": "12345678", "passwordConfirm": "12345678"});
    assert_eq!(shop.as_guest().send("POST", "/api/collections/users/records", Some(stranger)).await.0, 403);
    assert_eq!(shop.as_guest().get("/api/collections/invoices/records").await["items"], json!([]));
    let page = reqwest::get(format!("{}/shopsync/", shop.settings.url)).await.unwrap();
    assert!(page.status().is_success());

    app.server().stop().await;
    assert!(!shop.is_up().await);
    let app = shop.adapter();
    assert!(app.set_up().await.unwrap().added.is_empty());
    assert_eq!(app.list(&InvoiceScan::All).await.unwrap().len(), 1);
    app.server().stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_dies_or_hangs_is_started_again() {
    let mut shop = Shop::new();
    shop.speed = 10;
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let server = app.server();
    let keeper = tokio::spawn({
        let server = server.clone();
        async move { server.keep_alive().await }
    });
    for signal in ["-KILL", "-STOP"] {
        let pid = shop.server_pid();
        let done =
            tokio::process::Command::new("sh").arg("-c").arg(format!("kill {signal} {pid}")).status().await;
        assert!(done.unwrap().success());
        until("another process answers", async || {
            std::fs::read_to_string(shop.data().join("pocketbase.started"))
                .is_ok_and(|mark| !mark.starts_with(&pid.to_string()))
                && app.probe().await.is_ok()
        })
        .await;
    }
    keeper.abort();
    let _ = keeper.await;
    server.stop().await;
    assert!(!shop.is_up().await);
}

/// A server that a run left behind when it was killed, by its process, and the next run, which uses it.
#[cfg(unix)]
async fn left_behind(shop: &mut Shop) -> (u32, PocketBase) {
    shop.speed = 10;
    let first = shop.adapter();
    first.set_up().await.unwrap();
    first.server().leave_running().await;
    drop(first);
    let pid = shop.server_pid();
    let second = shop.adapter();
    assert_eq!(second.set_up().await.unwrap().origin, Origin::Adopted);
    (pid, second)
}

/// It is halted, so that it cannot do as it is asked.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_killed_run_left_behind_does_not_go_on_behind_the_next() {
    let mut shop = Shop::new();
    let (pid, second) = left_behind(&mut shop).await;
    let _ = tokio::process::Command::new("sh").arg("-c").arg(format!("kill -STOP {pid}")).status().await;
    second.server().stop().await;
    let runs = std::fs::read_link(format!("/proc/{pid}/exe"));
    assert!(runs.is_err(), "{runs:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn what_a_killed_run_left_behind_is_used_again_and_kept_alive() {
    let mut shop = Shop::new();
    let (pid, second) = left_behind(&mut shop).await;
    assert_eq!(shop.server_pid(), pid);
    let server = second.server();
    let keeper = tokio::spawn({
        let server = server.clone();
        async move { server.keep_alive().await }
    });
    let _ = tokio::process::Command::new("sh").arg("-c").arg(format!("kill -KILL {pid}")).status().await;
    let mut state = server.state();
    let started = state.wait_for(|state| *state == ServerState::Up(Origin::Started));
    soon("it is started again", started).await.unwrap();
    second.probe().await.unwrap();
    keeper.abort();
    let _ = keeper.await;
    server.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn of_two_that_look_after_one_folder_only_one_starts_and_ends_the_app() {
    let mut shop = Shop::new();
    shop.speed = 10;
    let (service, tray) = (shop.adapter(), shop.adapter());
    assert_eq!(service.set_up().await.unwrap().origin, Origin::Started);
    assert_eq!(tray.set_up().await.unwrap().origin, Origin::Found);
    let pid = shop.server_pid();
    tray.server().stop().await;
    assert!(shop.is_up().await, "it is not the tray's to end");
    assert_eq!(shop.server_pid(), pid);

    // The service is killed, and what it started with it: the tray brings it back.
    assert_eq!(tray.server().ensure().await.unwrap(), Origin::Found);
    let server = tray.server();
    let mut state = server.state();
    let keeper = tokio::spawn({
        let server = server.clone();
        async move { server.keep_alive().await }
    });
    let _ = tokio::process::Command::new("sh").arg("-c").arg(format!("kill -KILL {pid}")).status().await;
    soon("it is seen to be away", state.wait_for(|state| matches!(state, ServerState::Down(_))))
        .await
        .unwrap();
    assert!(!shop.is_up().await, "who has the lock brings it back, nobody else");
    service.server().leave_running().await;
    let started = state.wait_for(|state| *state == ServerState::Up(Origin::Started));
    soon("the tray starts it", started).await.unwrap();
    assert_ne!(shop.server_pid(), pid);
    keeper.abort();
    let _ = keeper.await;
    server.stop().await;
    assert!(!shop.is_up().await);
}

#[tokio::test]
async fn an_address_that_another_program_has_is_named() {
    for says in ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "SSH-2.0-OpenSSH_9.2\r\n", ""] {
        let shop = Shop::new();
        let listener = TcpListener::bind(("127.0.0.1", shop.port)).await.unwrap();
        let other = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0_u8; 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(says.as_bytes()).await;
            }
        });
        let fault = shop.adapter().set_up().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Config, "{says:?}");
        assert_eq!(
            fault.sentence,
            format!("Another program answers at {}, not the billing app.", shop.settings.url)
        );
        other.abort();
    }
}

#[tokio::test]
async fn a_missing_program_or_folder_is_one_sentence() {
    let mut shop = Shop::new();
    shop.settings.folder = Some(shop.folder.path().join("nowhere"));
    let fault = shop.adapter().set_up().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    assert!(fault.sentence.ends_with("nowhere does not exist."), "{}", fault.sentence);
    // What is on another machine is never started here.
    let mut shop = Shop::new();
    shop.settings.url = "http://192.0.2.1:9".into();
    let app = shop.adapter();
    let asked = tokio::time::timeout(Duration::from_secs(30), app.set_up()).await.unwrap();
    assert_eq!(asked.unwrap_err().kind, FaultKind::Transient);
    assert!(!shop.own_app().exists());
}
