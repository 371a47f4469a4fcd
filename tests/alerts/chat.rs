//! Commands from chats, and the command line that goes with alerts.

use std::time::Duration;

use crate::bot::{Bot, CHAT, Instead, TOKEN};
use crate::harness::{Bill, SOON, eventually};
use crate::shop::{assert_token_untold, shop};

const NOW: Duration = Duration::ZERO;

#[tokio::test]
async fn allowed_chats_may_ask_and_others_are_counted() {
    let bot = Bot::start();
    let mut shop = shop(&bot).await;
    shop.settings.telegram.commands = true;
    shop.start().await;
    shop.in_step().await;
    bot.says("Sync started.").await;

    bot.write(CHAT, NOW, "/status");
    bot.says("Everything is in step.").await;
    bot.write(7, NOW, "/pause 2h");
    bot.write(CHAT, NOW, "good morning");
    bot.write(CHAT, NOW, "/status");
    bot.says("1 message of another chat was ignored.").await;
    assert_eq!(shop.status().await["paused_until"], serde_json::Value::Null, "a stranger paused it");

    bot.write(CHAT, NOW, "/pause 30m");
    bot.says("Paused until ").await;
    eventually("it is paused", SOON, async || shop.status().await["state"] == "paused").await;
    bot.write(CHAT, NOW, "/resume");
    bot.says("Going on.").await;
    bot.write(CHAT, NOW, "/retry GST-9999-2026/27");
    bot.says("No invoice GST-9999-2026/27 is waiting or held.").await;
    bot.write(CHAT, NOW, "/retry");
    bot.says("Nothing is waiting.").await;
    let mut held = Bill::plain("GST-0001-2026/27");
    held.lines[0].code = "LATE".into();
    let id = held.send(&shop).await;
    shop.held(&id).await;
    shop.raintek.till(&["product", "--code", "LATE", "--name", "Late", "--price", "5"]).await;
    bot.write(CHAT, NOW, &format!("/retry {}", held.number));
    bot.says(&format!("{} is tried now.", held.number)).await;
    shop.synced(&id).await;
    bot.write(CHAT, NOW, "/backup");
    bot.says("Backing up now.").await;
    eventually("a backup is made for it", SOON, async || {
        let backups = &shop.status().await["backups"];
        backups["answered"] == 1 && backups["answer"]["ok"] == true
    })
    .await;
    bot.write(CHAT, Duration::from_secs(3600), "/pause 2h");
    bot.says("came too late").await;
    bot.write(CHAT, NOW, "/drop\u{202E} \u{0} tables");
    bot.says("/help lists them").await;
    assert_eq!(shop.status().await["paused_until"], serde_json::Value::Null);

    // It goes on where it was, also after it was cut off.
    shop.kill();
    bot.write(CHAT, NOW, "/help");
    shop.start().await;
    bot.says("/pause 30m: send nothing for a while").await;
    assert_eq!(bot.saying("Going on.").len(), 1, "done twice: {:?}", bot.texts());
    assert!(bot.sent().iter().all(|body| body["chat_id"] == CHAT), "a stranger was answered");
    shop.stop().await;
    assert_token_untold(&shop);
}

#[tokio::test]
async fn a_bot_with_another_reader_still_sends_and_says_why_it_does_not_listen() {
    let bot = Bot::start();
    bot.another_reader(true);
    let mut shop = shop(&bot).await;
    shop.settings.telegram.commands = true;
    shop.start().await;
    bot.says("Sync started.").await;
    let explained = async || {
        let status = shop.status().await;
        let lines = status["activity"].as_array().unwrap().clone();
        lines
            .iter()
            .filter(|line| line["sentence"].as_str().unwrap().contains("Another program reads"))
            .count()
    };
    eventually("it is explained", SOON, async || explained().await == 1).await;
    assert_eq!(bot.asked().len(), 1, "it does not fight with the other reader");
    shop.stop().await;
}

#[tokio::test]
async fn a_test_message_says_what_became_of_it() {
    let mut bot = Bot::start();
    let mut shop = shop(&bot).await;
    let lay = |shop: &crate::harness::Shop| {
        std::fs::write(shop.data().join("settings.toml"), toml::to_string(&shop.settings).unwrap()).unwrap();
    };
    lay(&shop);
    let said = shop.cli(&["alerts", "test"]).await;
    assert_eq!((said.code, said.out.trim()), (Some(0), format!("Sent to chat {CHAT}.").as_str()), "{said:?}");
    assert!(bot.texts()[0].starts_with("Test message from ShopSync"), "{:?}", bot.texts());
    bot.instead(Instead::Refuse(401, "Unauthorized", serde_json::Value::Null));
    let said = shop.cli(&["alerts", "test"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("does not know the bot's token"), "{said:?}");
    bot.go_away();
    let said = shop.cli(&["alerts", "test"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("cannot be reached") && !said.err.contains(TOKEN), "{said:?}");
    shop.settings.telegram.chats.clear();
    lay(&shop);
    let said = shop.cli(&["alerts", "test"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("No chat is set"), "{said:?}");
}
