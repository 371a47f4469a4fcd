//! Settings that are changed while ShopSync runs, and what it then does.

use serde_json::json;

use crate::bot::{Bot, CHAT, TOKEN};
use crate::harness::raintek::PASSWORD;
use crate::harness::{Bill, SOON, Shop, eventually, free_port};

#[tokio::test]
async fn settings_count_at_once_and_nothing_is_lost_for_it() {
    let shop = Shop::open(8).await;
    let (pid, app, started) = (shop.pid(), shop.pocketbase_pid(), shop.status().await["started"].clone());

    // How often RainTek's products are looked at: five minutes until then.
    shop.change(json!({"products.every_seconds": 1})).await;
    shop.raintek.till(&["product", "--code", "P-9001", "--name", "New pen", "--price", "12.50"]).await;
    let phone = shop.phone().await;
    eventually("the product comes by itself", SOON, async || {
        let path = "/api/collections/products/records?filter=product_code%3D%27P-9001%27";
        phone.get(path).await["totalItems"] == 1
    })
    .await;

    // Nothing is written while it only watches; what waited goes afterwards.
    shop.change(json!({"watch_only": true})).await;
    let id = Bill::plain("GST-0700-2026/27").send(&shop).await;
    eventually("what would be done is shown", SOON, async || {
        let item = shop.item("GST-0700-2026/27").await;
        item.is_some_and(|item| item["sentence"].as_str().unwrap().starts_with("Would be booked"))
    })
    .await;
    assert!(shop.raintek.dump().await.bills("GST-0700-2026/27").is_empty());
    let ledgers = "SELECT COUNT(*) FROM LedgerBook WHERE LedgerNo = 'GST-0700-2026/27'";
    assert_eq!(shop.raintek.count(ledgers).await, 0);
    shop.change(json!({"watch_only": false, "posting.ledgers": true})).await;
    shop.synced(&id).await;
    assert_eq!(shop.raintek.dump().await.bills("GST-0700-2026/27").len(), 1, "once");
    assert!(shop.raintek.count(ledgers).await > 0, "ledgers are posted from here on");

    // A password that is wrong, and right again.
    shop.change(json!({"raintek.password": "wrong"})).await;
    eventually("the login is refused", SOON, async || {
        shop.status().await["raintek"]["sentence"] == "RainTek's server refuses the login."
    })
    .await;
    let waiting = Bill::plain("GST-0701-2026/27").send(&shop).await;
    let tested = shop
        .post("/api/settings/test", json!({"what": "raintek", "changes": {"raintek.password": PASSWORD}}));
    assert_eq!(tested.await.1["ok"], true, "tried without being kept");
    let said = shop.cli_with(&["settings", "set", "raintek.password"], PASSWORD).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    shop.synced(&waiting).await;
    shop.in_step().await;

    assert_eq!((shop.pid(), shop.pocketbase_pid()), (pid, app), "neither program was started again");
    assert_eq!(shop.status().await["started"], started, "and for people nothing was");
    let journal = shop.journal("app");
    assert_eq!(journal.iter().filter(|line| *line == "ShopSync was started.").count(), 1, "{journal:?}");
    let numbers =
        "SELECT COUNT(*) FROM InvoiceInfo WHERE InvoiceNo IN ('GST-0700-2026/27', 'GST-0701-2026/27')";
    assert_eq!(shop.raintek.count(numbers).await, 2);
}

#[tokio::test]
async fn settings_that_cannot_be_meant_are_refused_in_words_and_none_of_them_is_kept() {
    let shop = Shop::open(3).await;
    for (changes, field, words) in [
        (
            json!({"backup.keep_days": 7, "products.every_seconds": 0}),
            "products.every_seconds",
            "whole number",
        ),
        (json!({"backup.folder": "Backups"}), "backup.folder", "whole path"),
        (json!({"zone": "Mars/Olympus"}), "zone", "Mars"),
        (json!({"backup.times": ["evening"]}), "backup.times", "21:00"),
        (
            json!({"telegram.base_url": "http://telegram.example", "telegram.chats": [5]}),
            "telegram.base_url",
            "https://",
        ),
        (json!({"alerts.heartbeat_url": "nowhere"}), "alerts.heartbeat_url", "web address"),
        (json!({"raintek.folder": "/nowhere/RainTek"}), "raintek.folder", "not found"),
        (json!({"nonsense": 1}), "nonsense", "no setting"),
    ] {
        let refusal = shop.change_refused(changes.clone()).await;
        assert_eq!(refusal["field"], field, "{changes}: {refusal}");
        assert!(refusal["refused"].as_str().unwrap().contains(words), "{changes}: {refusal}");
    }
    assert_eq!(shop.setting("backup.keep_days").await["value"], 30);
    let said = shop.cli(&["settings", "set", "web.port", "70000"]).await;
    assert!(said.code == Some(2) && said.err.contains("whole number from 0 to 65535"), "{said:?}");
    let said = shop.cli(&["settings", "set", "telegram.token", "in-the-history"]).await;
    assert!(said.code == Some(2) && said.err.contains("must not stand in a command"), "{said:?}");
    let answer = shop
        .http
        .post(shop.page("/api/settings"))
        .bearer_auth(shop.secret("page.token"))
        .body("{")
        .send()
        .await;
    assert!(answer.unwrap().status().is_client_error());
    let stranger = shop.http.get(shop.page("/api/settings")).send().await.unwrap();
    assert_eq!(stranger.status().as_u16(), 401);
}

#[tokio::test]
async fn settings_bring_alerts_and_another_port_without_a_new_process() {
    let mut shop = Shop::open(3).await;
    let bot = Bot::start();
    shop.change(json!({"alerts.gap_seconds": 1, "telegram.base_url": bot.settings().base_url, "telegram.token": TOKEN, "telegram.chats": [CHAT]}))
        .await;
    bot.says("Sync started.").await;
    // Another change is no start, and no stop, for people.
    let told = bot.texts().len();
    shop.change(json!({"alerts.lost_after_seconds": 1})).await;
    shop.in_step().await;
    shop.raintek.kill();
    bot.says("RainTek").await;
    let texts = bot.texts();
    assert!(
        !texts[told..].iter().any(|text| text.contains("Sync started") || text.contains("stopped")),
        "{texts:?}"
    );
    shop.raintek.start().await;

    let (pid, port) = (shop.pid(), free_port());
    let (_, saved) = shop.post("/api/settings", json!({"changes": {"web.port": port}})).await;
    assert_eq!(saved["restart_needed"], json!(["web.port"]), "{saved}");
    assert_eq!(shop.get("/api/settings").await.1["restart_needed"], json!(["web.port"]));
    shop.post("/api/restart", json!({})).await;
    shop.settings.web.port = port;
    eventually("the page answers at its new place", SOON, async || shop.health().await.is_some()).await;
    assert_eq!(shop.get("/api/settings").await.1["restart_needed"], json!([]));
    assert_eq!(shop.pid(), pid);
    shop.in_step().await;
}

#[tokio::test]
async fn settings_of_an_older_shape_are_taken_over_and_unknown_keys_stay() {
    let mut shop = Shop::new(3);
    shop.raintek.start().await;
    shop.lay_down().await;
    let path = shop.data().join("settings.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("version = 2\n", "");
    let old = text.replace("times = [\"21:00:00\"]", "at = \"22:15:00\" # after closing")
        + "\n[printer]\npaper = \"A4\" # theirs\n";
    assert!(old.contains("at = \"22:15:00\""), "{old}");
    std::fs::write(&path, &old).unwrap();
    shop.start_as_it_is().await;
    shop.in_step().await;
    assert_eq!(shop.setting("backup.times").await["value"], json!(["22:15:00"]));
    assert_eq!(std::fs::read_to_string(shop.data().join("settings.v1.toml")).unwrap(), old);
    shop.change(json!({"backup.keep_days": 60})).await;
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("[printer]\npaper = \"A4\" # theirs") && text.contains("# after closing"),
        "{text}"
    );
    assert_eq!(shop.get("/api/settings").await.1["unknown"], json!(["printer"]));
}
