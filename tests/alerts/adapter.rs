//! The adapter alone: what it sends, and what it makes of every answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shopsync::alerts::{HeartbeatUrl, TOKEN_SECRET, Telegram};
use shopsync::model::alert::Level;
use shopsync::model::fault::FaultKind;
use shopsync::model::settings::TelegramSettings;
use shopsync::ports::Secrets;
use shopsync::ports::alerts::{Heartbeat, Messenger, Refused};

use crate::bot::{Bot, CHAT, Instead, TOKEN};
use crate::pocketbase::MemorySecrets;

fn with_token(settings: &TelegramSettings, token: &str) -> Telegram {
    let secrets = Arc::new(MemorySecrets::default());
    secrets.set(TOKEN_SECRET, token).unwrap();
    Telegram::new(settings, secrets).unwrap()
}

fn telegram(bot: &Bot) -> Telegram {
    with_token(&bot.settings(), TOKEN)
}

/// The refusal, in which the token stands nowhere.
async fn refused(telegram: &Telegram) -> Refused {
    let refused = telegram.send(CHAT, "x", Level::Info).await.unwrap_err();
    let told = format!("{refused:?} {} {telegram:?}", refused.fault);
    assert!(!told.contains(TOKEN) && !told.contains("AAFD39"), "{told}");
    refused
}

#[tokio::test]
async fn a_text_arrives_as_it_is() {
    let bot = Bot::start();
    let hostile = "*b* _i_ [a](http://evil) <b>&amp;</b> `c`\n/retry @all \u{1F600}";
    telegram(&bot).send(CHAT, hostile, Level::Critical).await.unwrap();
    telegram(&bot).send(-100_123, "quiet", Level::Info).await.unwrap();
    let sent = bot.sent();
    assert_eq!((&sent[0]["chat_id"], &sent[0]["text"]), (&json!(CHAT), &json!(hostile)));
    assert_eq!(sent[0].get("parse_mode"), None);
    assert_eq!(sent[0]["disable_notification"], false);
    assert_eq!(sent[1]["disable_notification"], true);
    assert_eq!(sent[1]["chat_id"], -100_123);
}

#[tokio::test]
async fn every_refusal_has_its_fault_and_none_tells_the_token() {
    let bot = Bot::start();
    let telegram = telegram(&bot).with_patience(Duration::from_millis(500));
    let table: [(Instead, FaultKind, &str, Option<u64>); 9] = [
        (Instead::Refuse(401, "Unauthorized", Value::Null), FaultKind::Config, "token", None),
        (
            Instead::Refuse(403, "Forbidden: bot was blocked by the user", Value::Null),
            FaultKind::Config,
            "start the bot",
            None,
        ),
        (
            Instead::Refuse(400, "Bad Request: chat not found", Value::Null),
            FaultKind::Config,
            "telegram.chats",
            None,
        ),
        (
            Instead::Refuse(429, "Too Many Requests: retry after 7", json!({"retry_after": 7})),
            FaultKind::Transient,
            "wait",
            Some(7),
        ),
        (Instead::Refuse(502, "Bad Gateway", Value::Null), FaultKind::Transient, "error of its own", None),
        (Instead::Say(200, "<html>captive portal</html>".into()), FaultKind::Config, "not Telegram", None),
        (Instead::Say(200, "x".repeat(2 << 20)), FaultKind::Transient, "cannot be reached", None),
        (Instead::Redirect, FaultKind::Config, "not Telegram", None),
        (Instead::Hang, FaultKind::Transient, "in time", None),
    ];
    for (instead, kind, words, retry_after) in table {
        bot.instead(instead.clone());
        let refused = refused(&telegram).await;
        assert_eq!(refused.fault.kind, kind, "{instead:?}: {}", refused.fault);
        assert!(refused.fault.sentence.contains(words), "{instead:?}: {}", refused.fault);
        assert_eq!(refused.retry_after, retry_after.map(Duration::from_secs), "{instead:?}");
    }
    assert_eq!(bot.sent().len(), 1, "only the one that was not answered was taken");
    let stranger = with_token(&bot.settings(), "1:wrong");
    assert_eq!(refused_kind(&stranger).await, FaultKind::Config);
}

async fn refused_kind(telegram: &Telegram) -> FaultKind {
    refused(telegram).await.fault.kind
}

#[tokio::test]
async fn nobody_there_is_no_mistake() {
    let mut bot = Bot::start();
    let telegram = telegram(&bot);
    bot.go_away();
    let refused = refused(&telegram).await;
    assert_eq!(
        (refused.fault.kind, refused.fault.sentence.as_str()),
        (FaultKind::Transient, "Telegram cannot be reached.")
    );
    assert!(!refused.fault.detail.is_empty());
    bot.come_back();
    telegram.send(CHAT, "back", Level::Info).await.unwrap();
}

#[tokio::test]
async fn a_missing_or_impossible_token_is_never_sent() {
    let bot = Bot::start();
    for token in ["", "  ", "123/../../admin", "123:ABC?x=1", "123:ABC#", "1:\u{e9}"] {
        assert_eq!(refused_kind(&with_token(&bot.settings(), token)).await, FaultKind::Config, "{token}");
    }
    let spaced = with_token(&bot.settings(), &format!(" {TOKEN}\n"));
    spaced.send(CHAT, "x", Level::Info).await.unwrap();
    assert_eq!(bot.sent().len(), 1);
}

#[test]
fn the_token_is_not_sent_in_the_clear() {
    let with = |base_url: &str| {
        let settings = TelegramSettings { base_url: base_url.into(), ..TelegramSettings::default() };
        Telegram::new(&settings, Arc::new(MemorySecrets::default())).map(drop)
    };
    assert_eq!(with("https://api.telegram.org"), Ok(()));
    assert_eq!(with("https://bots.example.in/"), Ok(()));
    assert_eq!(with("http://127.0.0.1:8081"), Ok(()));
    assert_eq!(with("http://[::1]:8081"), Ok(()));
    for wrong in ["http://bots.example.in", "http://127.0.0.1.example.in", "ftp://x", "telegram", ""] {
        assert_eq!(with(wrong).unwrap_err().kind, FaultKind::Config, "{wrong}");
    }
}

#[tokio::test]
async fn updates_are_taken_once() {
    let bot = Bot::start();
    let telegram = telegram(&bot);
    bot.write(CHAT, Duration::ZERO, "/status");
    bot.write(7, Duration::ZERO, "/retry");
    let first = telegram.receive(None, Duration::ZERO).await.unwrap();
    let texts: Vec<_> = first.iter().map(|incoming| incoming.message.as_ref().unwrap()).collect();
    assert_eq!((texts[0].chat, texts[0].text.as_str()), (CHAT, "/status"));
    assert_eq!((texts[1].chat, texts[1].text.as_str()), (7, "/retry"));
    let next = first[1].update + 1;
    assert_eq!(telegram.receive(Some(next), Duration::ZERO).await.unwrap(), []);
    assert_eq!(bot.asked()[1]["offset"], next);
    assert_eq!(bot.asked()[0]["allowed_updates"], json!(["message"]));
    // A long look ends when something comes.
    let waiting = telegram.receive(Some(next), Duration::from_secs(50));
    let writing = async { bot.write(CHAT, Duration::ZERO, "/resume") };
    let (received, ()) = tokio::join!(waiting, writing);
    assert_eq!(received.unwrap().len(), 1);
    bot.another_reader(true);
    let conflict = telegram.receive(Some(next), Duration::from_secs(1)).await.unwrap_err();
    assert_eq!(conflict.fault.code, Some(409));
    assert!(conflict.fault.sentence.contains("Another program"), "{}", conflict.fault);
}

#[tokio::test]
async fn the_heartbeat_calls_its_address_and_never_tells_it() {
    let mut bot = Bot::start();
    let heartbeat = HeartbeatUrl::new(&bot.heartbeat_url()).unwrap();
    heartbeat.beat().await.unwrap();
    assert_eq!(bot.beats(), 1);
    bot.go_away();
    let fault = heartbeat.beat().await.unwrap_err();
    assert!(!format!("{fault:?} {fault} {heartbeat:?}").contains("0b6c7d"), "{fault:?}");
    for wrong in ["", "ping", "file:///etc/passwd", "http://"] {
        assert_eq!(HeartbeatUrl::new(wrong).unwrap_err().kind, FaultKind::Config, "{wrong}");
    }
}
