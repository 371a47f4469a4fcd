//! The event stream: hints that arrive, and come back after everything that can happen to a server.

use std::sync::Arc;

use serde_json::json;
use shopsync::model::ids::RecordId;
use shopsync::ports::{Billing as _, BillingEvent};
use tokio::sync::mpsc;

use crate::pocketbase::{Shop, soon};

async fn next(events: &mut mpsc::Receiver<BillingEvent>) -> BillingEvent {
    soon("an event", events.recv()).await.unwrap()
}

#[tokio::test]
async fn what_is_written_is_told_and_a_restart_is_survived() {
    let mut shop = Shop::new();
    shop.speed = 10;
    let app = Arc::new(shop.adapter());
    app.set_up().await.unwrap();
    let phone = shop.as_phone().await;
    let (sender, mut events) = mpsc::channel(16);
    let follower = tokio::spawn({
        let app = app.clone();
        async move { app.follow(sender).await }
    });
    let keeper = tokio::spawn({
        let server = app.server();
        async move { server.keep_alive().await }
    });
    for round in 0..2 {
        while next(&mut events).await != BillingEvent::Connected {}
        let number = format!("E-{round}");
        let made = phone.make("invoices", json!({"invoice_number": number, "status": "completed"})).await;
        let id = RecordId::new(made["id"].as_str().unwrap());
        assert_eq!(next(&mut events).await, BillingEvent::Invoice(id.clone()));
        phone.make("invoice_items", json!({"invoice": made["id"], "quantity": 1})).await;
        assert_eq!(next(&mut events).await, BillingEvent::Part(id.clone()));
        phone.make("invoice_payments", json!({"invoice": made["id"], "mode": "cash", "amount": 1})).await;
        assert_eq!(next(&mut events).await, BillingEvent::Part(id));
        if round == 0 {
            let pid = shop.server_pid();
            let kill =
                if cfg!(windows) { format!("taskkill /F /PID {pid}") } else { format!("kill -KILL {pid}") };
            let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
            tokio::process::Command::new(shell).args([flag, &kill]).status().await.unwrap();
            assert_eq!(next(&mut events).await, BillingEvent::Disconnected);
        }
    }
    drop(events);
    follower.await.unwrap();
    keeper.abort();
    let _ = keeper.await;
    app.server().stop().await;
}

#[tokio::test]
async fn hints_that_find_no_room_become_one_look_at_everything() {
    let shop = Shop::new();
    let app = Arc::new(shop.adapter());
    app.set_up().await.unwrap();
    let phone = shop.as_phone().await;
    let (sender, mut events) = mpsc::channel(1);
    let follower = tokio::spawn({
        let app = app.clone();
        async move { app.follow(sender).await }
    });
    while next(&mut events).await != BillingEvent::Connected {}
    // How fast the follower reads is its own affair: in a round in which it was as slow as we are it was never without
    // room. What counts in every round is that no hint is missing before a look at everything is asked for.
    let mut asked = false;
    for round in 0..20 {
        let mut made = Vec::new();
        for number in 0..10 {
            let number = format!("R-{round}-{number}");
            let record = phone.make("invoices", json!({"invoice_number": number, "status": "draft"})).await;
            made.push(BillingEvent::Invoice(RecordId::new(record["id"].as_str().unwrap())));
        }
        for hint in made {
            let told = next(&mut events).await;
            asked = told == BillingEvent::Connected;
            if asked {
                break;
            }
            assert_eq!(told, hint, "a hint is missing and nothing asks for a look at everything");
        }
        if asked {
            break;
        }
    }
    assert!(asked, "ten hints always found room for one");
    drop(events);
    follower.await.unwrap();
    app.server().stop().await;
}
