//! From an empty data folder to both sides in step.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use shopsync::ports::Secrets as _;

use crate::bot::{Bot, CHAT, TOKEN};
use crate::harness::raintek::PASSWORD;
use crate::harness::{Bill, SOON, Shop, eventually};

/// Statements that write and transactions that were begun, as the server counts them.
async fn written(shop: &Shop) -> Value {
    shop.raintek.state().await.unwrap()["writes"].clone()
}

#[tokio::test]
async fn setup_without_a_question_brings_an_empty_folder_in_step() {
    let mut shop = Shop::unknown().await;
    shop.raintek.till(&["bill", "--count", "2", "--date", "2026-09-15"]).await;
    shop.lay_raintek_here();
    let before = shop.raintek.dump().await;

    // It runs, says what it lacks, and touches neither side.
    shop.start_as_it_is().await;
    let status = shop.status().await;
    assert_eq!(status["state"], "starting", "{status}");
    assert!(status["sentence"].as_str().unwrap().starts_with("ShopSync is not set up yet"), "{status}");
    assert_eq!(shop.setup_view().await["step"], "raintek");
    assert!(!shop.app.is_up().await, "no billing app is started beside the shop's own");
    let said = shop.cli(&["retry", "--all"]).await;
    assert!(said.code == Some(1) && said.err.contains("not set up yet"), "{said:?}");
    let (code, refusal) = shop.post("/api/setup/start", json!({})).await;
    assert_eq!((code, &refusal["refused"]), (409, &json!("Choose RainTek's database first.")));
    assert!(!shop.data().join("settings.toml").exists());

    let pid = shop.pid();
    let said = shop.cli(&["setup", "--auto", "--json"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let done: Value = serde_json::from_str(&said.out).unwrap();
    let steps: Vec<&str> =
        done["steps"].as_array().unwrap().iter().map(|s| s["step"].as_str().unwrap()).collect();
    assert_eq!(
        (done["ok"].as_bool(), steps),
        (Some(true), vec!["raintek", "billing", "check", "start"]),
        "{done}"
    );
    let label = done["steps"][0]["sentence"].as_str().unwrap();
    let expected = format!(
        "Sri Venkateshwara Provision Stores (Raintech_DB1 on 127.0.0.1,{}), 2 bills, latest 15 Sep",
        shop.raintek.port
    );
    assert!(label.starts_with(&expected), "{label}");
    shop.in_step().await;
    assert_eq!(shop.pid(), pid, "and nothing was started again for it");
    assert_eq!(shop.raintek.dump().await.bills("GST-0001-2026/27"), before.bills("GST-0001-2026/27"));
    let text = std::fs::read_to_string(shop.data().join("settings.toml")).unwrap();
    assert!(text.contains("RainTek") && !text.contains(PASSWORD), "{text}");

    // Money flows.
    let id = Bill::plain("GST-0700-2026/27").send(&shop).await;
    shop.synced(&id).await;
    assert_eq!(shop.raintek.dump().await.bills("GST-0700-2026/27").len(), 1);

    // Once more is nothing to do, and after a restart it goes on by itself.
    let again = shop.cli(&["setup", "--auto"]).await;
    assert!(again.code == Some(0) && again.out.contains("set up already"), "{again:?}");
    shop.stop().await;
    shop.start_as_it_is().await;
    shop.in_step().await;
}

#[tokio::test]
async fn setup_by_hand_shows_what_would_be_written_and_writes_nothing_before_start() {
    let mut shop = Shop::unknown().await;
    shop.start_as_it_is().await;
    // Nothing is known: what is tried is named, and why it does not do.
    let found = shop.find().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["found_by"], &found[0]["ok"]), (&json!("localhost"), &json!(false)), "{found:?}");

    // By hand, with a wrong password first.
    let choice = |password: &str| json!({"server": "127.0.0.1", "port": shop.raintek.port, "user": "sa", "password": password});
    let (_, wrong) = shop.post("/api/setup/use", choice("wrong")).await;
    assert_eq!(
        (&wrong["ok"], &wrong["sentence"]),
        (&json!(false), &json!("RainTek's server refuses the login."))
    );
    let (code, missing) = shop.post("/api/setup/use", json!({"server": " "})).await;
    assert_eq!((code, &missing["field"]), (422, &json!("raintek.server")));
    let writes = written(&shop).await;
    let before = shop.raintek.dump().await;
    let (_, right) = shop.post("/api/setup/use", choice(PASSWORD)).await;
    assert_eq!(right["ok"], true, "{right}");
    assert_ne!(written(&shop).await, writes, "that it may be written was really tried");
    assert_eq!(shop.raintek.dump().await.whole(), before.whole(), "and nothing is left of it");

    let (_, app) = shop.post("/api/setup/billing", json!({})).await;
    assert_eq!(app["ok"], true, "{app}");
    let view = shop.setup_view().await;
    assert_eq!((&view["step"], &view["billing"]["running"]), (&json!("alerts"), &json!(true)), "{view}");
    assert_eq!(view["raintek"]["via"], "tcp");
    if let Some(link) = view["billing"]["lan"].as_array().unwrap().first() {
        let (code, svg) = shop.get(&format!("/api/setup/qr.svg?url={}", link.as_str().unwrap())).await;
        assert!(code == 200 && svg.as_str().unwrap().contains("<svg"), "{svg}");
    }
    assert_eq!(shop.get("/api/setup/qr.svg?url=http://evil.example").await.0, 422);

    // The check.
    let (_, empty) = shop.post("/api/setup/check", json!({})).await;
    assert!(empty["ok"] == true && empty["invoices"] == json!([]), "{empty}");
    shop.app
        .secrets
        .set(shopsync::billing::OWN_PASSWORD_SECRET, &shop.secret(shopsync::billing::OWN_PASSWORD_SECRET))
        .unwrap();
    for number in 801..=804 {
        Bill::plain(&format!("GST-0{number}-2026/27")).send(&shop).await;
    }
    let writes = written(&shop).await;
    let (_, check) = shop.post("/api/setup/check", json!({})).await;
    let invoices = check["invoices"].as_array().unwrap();
    assert_eq!(invoices.len(), 3, "{check}");
    let words = invoices[0]["words"][0].as_str().unwrap();
    assert!(words.starts_with("Would be booked as a new bill of Rs "), "{words}");
    let tables: Vec<&str> =
        invoices[0]["rows"].as_array().unwrap().iter().map(|row| row["table"].as_str().unwrap()).collect();
    assert!(
        tables.starts_with(&["InvoiceInfo", "Invoice_Product"]) && tables.ends_with(&["SaleGST"]),
        "{tables:?}"
    );

    // The power goes before Start: it is asked again, and not one invoice was sent.
    shop.kill();
    shop.start_as_it_is().await;
    assert_eq!(shop.status().await["state"], "starting");
    assert_eq!(written(&shop).await, writes);
    assert_eq!(shop.setup_view().await["raintek"]["ok"], true, "what was chosen is remembered");
    assert_eq!(shop.post("/api/setup/billing", json!({})).await.1["ok"], true);
    let (_, started) = shop.post("/api/setup/start", json!({})).await;
    assert_eq!(started["ok"], true, "{started}");
    shop.in_step().await;
    eventually("what waited is booked", SOON, async || {
        shop.raintek.count("SELECT COUNT(*) FROM InvoiceInfo").await == 4
    })
    .await;
}

#[tokio::test]
async fn setup_reaches_a_server_without_tcp_by_its_named_pipe_and_can_switch_tcp_on() {
    let mut shop = Shop::unknown().await;
    let pipes = tempfile::tempdir().unwrap();
    let listener = tokio::net::UnixListener::bind(pipes.path().join("MSSQL$SQLEXPRESS")).unwrap();
    let port = shop.raintek.port;
    let server = tokio::spawn(async move {
        loop {
            let (mut pipe, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut pipe, &mut tcp).await;
            });
        }
    });
    shop.environment.push(("SHOPSYNC_PIPES", pipes.path().display().to_string()));
    shop.lay_raintek("D/Shop/RainTek", r".\SQLEXPRESS", PASSWORD);
    let instances = json!([{"name": "SQLEXPRESS", "id": "MSSQL15.SQLEXPRESS", "tcp": false}]);
    std::fs::write(shop.pc().join("instances.json"), instances.to_string()).unwrap();
    shop.start_as_it_is().await;

    let found = shop.find().await;
    let express = &found[0];
    assert_eq!(
        (&express["server"], &express["ok"], &express["via"], &express["can_switch_tcp_on"]),
        (&json!(r".\SQLEXPRESS"), &json!(true), &json!("pipe"), &json!(true)),
        "{found:?}"
    );

    // The button says what it does, and does it only then; the administrator may say no.
    let told = shop.post("/api/setup/tcp", json!({"id": express["id"]})).await.1;
    assert!(told["sentence"].as_str().unwrap().contains("Close RainTek on every PC first"), "{told}");
    let elevated = shop.pc().join("elevated");
    assert!(!elevated.exists());
    let yes = json!({"id": express["id"], "confirmed": true});
    let refused = shop.post("/api/setup/tcp", yes.clone()).await.1;
    assert_eq!(refused["ok"], false, "{refused}");
    assert!(refused["sentence"].as_str().unwrap().contains("permission was not given"), "{refused}");
    std::fs::write(&elevated, "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$(dirname \"$0\")/asked\"\n").unwrap();
    std::fs::set_permissions(&elevated, std::fs::Permissions::from_mode(0o755)).unwrap();
    shop.post("/api/setup/tcp", yes).await;
    let asked = std::fs::read_to_string(shop.pc().join("asked")).unwrap();
    assert!(
        asked.contains("-Name Enabled -Value 1")
            && asked.contains("Restart-Service -Name 'MSSQL$SQLEXPRESS'"),
        "{asked}"
    );

    // All of it runs by the pipe alone.
    let said = shop.cli(&["setup", "--auto", "--json"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    shop.in_step().await;
    let id = Bill::plain("GST-0700-2026/27").send(&shop).await;
    shop.synced(&id).await;
    server.abort();
}

#[tokio::test]
async fn setup_finds_the_chat_that_is_told_by_itself() {
    let mut shop = Shop::unknown().await;
    let bot = Bot::start();
    shop.environment.push(("SHOPSYNC_SETTING_TELEGRAM_BASE_URL", bot.settings().base_url));
    // Anybody may have written to it some day.
    bot.write(666, std::time::Duration::from_secs(7200), "hi");
    shop.start_as_it_is().await;
    for wrong in ["", "not a token", "4839574812:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let (code, refusal) = shop.post("/api/setup/telegram", json!({"token": wrong})).await;
        assert_eq!((code, &refusal["field"]), (422, &json!("telegram.token")), "{wrong}: {refusal}");
    }
    assert_eq!(shop.setting("telegram.token").await["set"], false);
    let (_, taken) = shop.post("/api/setup/telegram", json!({"token": TOKEN})).await;
    assert_eq!(taken["details"], json!(["@shop_sync_bot"]), "{taken}");
    assert_eq!(shop.setup_view().await["telegram"]["waiting_for_hi"], true);
    eventually("the bot is asked", SOON, async || bot.asked().len() >= 2).await;
    bot.write(777, std::time::Duration::ZERO, "what do you sell?");
    bot.write(CHAT, std::time::Duration::ZERO, "Hi!");
    let mut telegram = Value::Null;
    eventually("the chat is found", SOON, async || {
        telegram = shop.setup_view().await["telegram"].clone();
        telegram["waiting_for_hi"] == false
    })
    .await;
    assert_eq!(telegram["chat"], "Asha", "{telegram}");
    assert_eq!(shop.setting("telegram.chats").await["value"], json!([CHAT]));
    assert_eq!(bot.saying("ShopSync tells you here").len(), 1);
    let (_, tested) = shop.post("/api/setup/telegram/test", json!({})).await;
    assert_eq!(tested["ok"], true, "{tested}");
    assert_eq!(bot.texts().len(), 2);
    let text = std::fs::read_to_string(shop.data().join("settings.toml")).unwrap();
    assert!(!text.contains(TOKEN), "{text}");
}
