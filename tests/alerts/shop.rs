//! A whole shop: what its owner reads when something goes wrong, and when it is well again.

use std::time::Duration;

use rusqlite::OpenFlags;
use serde_json::json;

use crate::bot::{Bot, CHAT, Instead, TOKEN};
use crate::harness::raintek::PASSWORD;
use crate::harness::{Bill, SOON, Shop, eventually};

/// A shop whose minute is two seconds, laid down and not started.
pub(crate) async fn shop(bot: &Bot) -> Shop {
    let mut shop = Shop::new(4);
    shop.settings.telegram = bot.settings();
    shop.settings.alerts.lost_after_seconds = 2;
    shop.settings.alerts.gap_seconds = 1;
    for (name, secret) in [("raintek.password", PASSWORD), ("telegram.token", TOKEN)] {
        let said = shop.cli_with(&["secret", name], secret).await;
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    shop.raintek.start().await;
    shop
}

/// Nothing that ShopSync wrote holds the token.
pub(crate) fn assert_token_untold(shop: &Shop) {
    let mut files = vec![shop.log()];
    files.extend(std::fs::read_dir(shop.data().join("logs")).unwrap().map(|file| file.unwrap().path()));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains(TOKEN), "the token stands in {}", file.display());
    }
}

/// Messages that wait for the internet.
fn queued(shop: &Shop) -> Vec<String> {
    let path = shop.data().join("shopsync.sqlite");
    let store = rusqlite::Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = store.prepare("SELECT text FROM alert_queue ORDER BY id").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

async fn state(shop: &Shop) -> String {
    shop.health().await.map(|(_, health)| health["state"].as_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn an_outage_gives_one_warning_and_one_back() {
    let bot = Bot::start();
    let mut shop = shop(&bot).await;
    shop.settings.alerts.heartbeat_url = Some(bot.heartbeat_url());
    shop.settings.alerts.heartbeat_seconds = 1;
    shop.start().await;
    shop.in_step().await;
    bot.says("Sync started.").await;
    bot.says("Daily backup: RainTek less than 1 MB, app less than 1 MB, both verified.").await;
    eventually("the heartbeat is called", SOON, async || bot.beats() >= 2).await;

    shop.raintek.kill();
    for at in 1..4 {
        Bill::plain(&format!("GST-{at:04}-2026/27")).send(&shop).await;
    }
    eventually("it is seen", SOON, async || !["in_step", "working"].contains(&state(&shop).await.as_str()))
        .await;
    // One may have been on its way.
    let beats = bot.beats() + 1;
    let lost = bot.says("SQL Server").await;
    assert!(lost.starts_with("SQL Server connection lost. Retrying."), "{lost}");
    eventually("all wait", SOON, async || shop.status().await["counts"]["waiting"] == 3).await;
    assert!(bot.beats() <= beats, "the heartbeat was called while RainTek was away");

    shop.raintek.start().await;
    let back = bot.says("SQL Server back").await;
    assert!(
        back.starts_with("SQL Server back after ") && back.contains("Syncing 3 queued invoices."),
        "{back}"
    );
    shop.in_step().await;
    eventually("the heartbeat is called again", SOON, async || bot.beats() > beats).await;
    shop.stop().await;
    // The last message tells everything that was to be told.
    bot.says("Sync stopped.").await;
    assert_eq!(bot.saying("connection lost").len(), 1, "{:?}", bot.texts());
    assert_eq!(bot.saying("SQL Server back").len(), 1, "{:?}", bot.texts());
    assert_eq!(bot.saying("Daily backup").len(), 1, "{:?}", bot.texts());
    assert_token_untold(&shop);
}

#[tokio::test]
async fn a_start_tells_how_many_it_caught_up() {
    let bot = Bot::start();
    let mut shop = shop(&bot).await;
    shop.start().await;
    shop.in_step().await;
    bot.says("Sync started.").await;
    // Cut off; the billing app goes on.
    shop.kill();
    let called = bot.calls().len();
    bot.instead(Instead::Refuse(429, "Too Many Requests: retry after 4", json!({"retry_after": 4})));
    for at in 1..4 {
        Bill::plain(&format!("GST-{at:04}-2026/27")).send(&shop).await;
    }
    shop.start().await;
    bot.says("Sync started. Caught up 3 pending invoices.").await;
    let calls = &bot.calls()[called..];
    assert!(calls[1] - calls[0] >= Duration::from_secs(4), "Telegram asked to wait");
    shop.in_step().await;
    shop.stop().await;
    bot.says("Sync stopped.").await;
    assert_eq!(bot.saying("Caught up").len(), 1, "{:?}", bot.texts());
}

#[tokio::test]
async fn a_held_invoice_gives_one_critical_and_one_resolved() {
    let bot = Bot::start();
    let mut shop = shop(&bot).await;
    shop.start().await;
    shop.in_step().await;
    let theirs = shop.raintek.till(&["bill", "--seed", "5", "--date", "2026-11-21"]).await;
    let number = theirs[0]["number"].as_str().unwrap().to_owned();
    let phone = shop.phone().await;
    let customer = json!({"name": "Asha\n*Sync stopped.* 98765 43210", "phone": "9876543210"});
    let customer = phone.make("customers", customer).await["id"].as_str().unwrap().to_owned();
    let id = Bill { customer: Some(customer), ..Bill::plain(&number) }.send(&shop).await;
    shop.held(&id).await;
    let alert = bot.says("has not reached RainTek").await;
    assert!(alert.contains(&format!("Invoice {number} has not reached RainTek. ")), "{alert}");
    assert!(alert.contains("bill of its own"), "the reason: {alert}");
    assert!(alert.contains("free number"), "what to do: {alert}");
    let body = bot.sent().into_iter().find(|body| body["text"] == alert.as_str()).unwrap();
    assert_eq!(body["disable_notification"], false, "it rings");

    // Tried again in vain: nothing new is said.
    assert_eq!(shop.cli(&["retry", &number]).await.code, Some(0));
    shop.raintek.till(&["delete", "--number", &number]).await;
    eventually("it is booked", SOON, async || {
        shop.cli(&["retry", "--all"]).await;
        phone.read("invoices", &id).await["sync_status"] == "synced"
    })
    .await;
    bot.says(&format!("Resolved: Invoice {number} is in RainTek.")).await;
    shop.stop().await;
    bot.says("Sync stopped.").await;
    assert_eq!(bot.saying("has not reached").len(), 1, "{:?}", bot.texts());
    assert_eq!(bot.saying("Resolved").len(), 1, "{:?}", bot.texts());
    assert!(bot.texts().iter().all(|text| !text.contains("43210")), "{:?}", bot.texts());
    assert!(bot.sent().iter().all(|body| body["chat_id"] == CHAT));
}

#[tokio::test]
async fn what_happens_while_the_internet_is_away_is_sent_later() {
    let mut bot = Bot::start();
    let mut shop = shop(&bot).await;
    shop.start().await;
    shop.in_step().await;
    bot.says("Sync started.").await;
    bot.go_away();
    shop.raintek.kill();
    eventually("the alert waits in the store", SOON, async || {
        queued(&shop).iter().any(|text| text.contains("connection lost"))
    })
    .await;
    // It outlives the program.
    shop.kill();
    shop.start().await;
    shop.raintek.start().await;
    eventually("its end waits as well", SOON, async || {
        queued(&shop).iter().any(|text| text.contains("SQL Server back"))
    })
    .await;
    assert!(bot.saying("SQL Server").is_empty());
    bot.come_back();
    let text = bot.says("SQL Server back").await;
    let (back, lost) = (text.find("SQL Server back"), text.find("SQL Server connection lost"));
    assert!(lost.is_some() && back < lost, "the newest first, in one message: {text}");
    eventually("nothing waits any more", SOON, async || queued(&shop).is_empty()).await;
    shop.in_step().await;
    shop.stop().await;
    bot.says("Sync stopped.").await;
    assert_eq!(bot.saying("connection lost").len(), 1, "{:?}", bot.texts());
    assert_eq!(bot.saying("SQL Server back").len(), 1, "{:?}", bot.texts());
    assert_token_untold(&shop);
}
