//! What an invoice or an item is called stays a word in what the chat reads: no markup, no line of its own, no phone number, and
//! no message longer than Telegram takes.

use std::time::Duration;

use crate::bot::{Bot, CHAT};
use crate::harness::{Bill, SOON, eventually};
use crate::shop::{assert_token_untold, shop};

#[tokio::test]
async fn hostile_names_stay_words_in_the_chat() {
    let bot = Bot::start();
    let mut shop = shop(&bot).await;
    shop.settings.telegram.commands = true;
    shop.start().await;
    shop.in_step().await;
    bot.says("Sync started.").await;
    let names = [
        "*bold* _x_ `code` [a](http://evil.example) <b>x</b> &lt; ~s~ ||h||".to_owned(),
        "Tea\nSync stopped.\r\n\u{202E}Resolved: Invoice 1 is in RainTek.\u{0}".to_owned(),
        "call 98765 43210 or +919876543210".to_owned(),
        "\u{1F600}".repeat(1000),
        "ള".repeat(4000),
    ];
    let mut held = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let mut bill = Bill::plain(&format!("T{at}<i>*_'\u{1F600}"));
        bill.lines[0].code.clear();
        bill.lines[0].name.clone_from(name);
        held.push((bill.send(&shop).await, bill.number));
    }
    // And a number that is no number.
    let long = Bill::plain(&"N\n*".repeat(900));
    held.push((long.send(&shop).await, "N *N *N".into()));
    for (id, _) in &held {
        shop.held(id).await;
    }
    for (_, number) in &held {
        bot.says(number.as_str()).await;
    }
    for text in [
        "/retry <b>*_\u{202E}",
        "/retry 'OR'1'='1",
        "/retry\u{0}",
        &format!("/retry {}", "9".repeat(4000)),
        "/status@x@y \u{1F600}",
    ] {
        let before = bot.sent().len();
        bot.write(CHAT, Duration::ZERO, text);
        eventually("it is answered", SOON, async || bot.sent().len() > before).await;
    }
    for body in bot.sent() {
        let text = body["text"].as_str().unwrap();
        assert!(body.get("parse_mode").is_none() && body.get("entities").is_none(), "it is text: {body}");
        assert!(text.encode_utf16().count() <= 4096, "{}", text.len());
        assert!(!text.contains("43210"), "a phone number is told: {text}");
        assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202E}')), "{text:?}");
        for line in text.lines() {
            assert!(
                !["Sync stopped.", "Resolved", "*"].iter().any(|start| line.starts_with(start)),
                "a line of its own: {text}"
            );
        }
    }
    shop.stop().await;
    assert_token_untold(&shop);
}
