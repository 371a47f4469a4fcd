//! v10: how things are, for a monitor, a script and a person; and what strangers do not get to see.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::harness::{Bill, SOON, Shop, eventually, free_port};

fn is_recent(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// Samples by their name and labels; anything else in the text fails.
fn samples(text: &str) -> std::collections::BTreeMap<String, f64> {
    let mut found = std::collections::BTreeMap::new();
    let mut declared = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(matches!(kind, "gauge" | "counter"), "{line}");
            assert!(declared.insert(name.to_owned()), "{name} is declared twice");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            let family = name.split('{').next().unwrap();
            assert!(declared.contains(family), "{family} is not declared");
            assert!(found.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} stands twice");
        }
    }
    found
}

#[tokio::test]
async fn v10_health() {
    let shop = Shop::open(3).await;
    let bill = Bill::plain("GST-0001-2026/27");
    shop.synced(&bill.send(&shop).await).await;
    let mut held = Bill::plain("GST-0002-2026/27");
    (held.lines[0].code, held.lines[0].name) = ("NOBODY".into(), "Blue pen".into());
    shop.held(&held.send(&shop).await).await;

    eventually("the state says so", SOON, async || shop.health().await.unwrap().1["queue"]["held"] == 1)
        .await;
    let (code, health) = shop.health().await.unwrap();
    assert_eq!((code, &health["state"]), (200, &json!("attention")));
    for side in ["raintek", "billing"] {
        assert_eq!(health[side]["connected"], true, "{health}");
        assert!(health[side]["latency_ms"].as_u64().is_some_and(|latency| latency < 10_000), "{health}");
        assert!(is_recent(&health[side]["last_ok"]) && is_recent(&health[side]["since"]), "{health}");
    }
    assert_eq!(health["realtime"], true);
    assert_eq!((&health["queue"]["waiting"], &health["queue"]["done_total"]), (&json!(0), &json!(1)));
    assert!(is_recent(&health["last_push"]["at"]) && health["last_push"]["took_ms"].is_u64(), "{health}");
    assert_eq!((&health["products"]["total"], &health["products"]["problems"]), (&json!(3), &json!(0)));
    assert!(is_recent(&health["products"]["last_pass"]));
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    // Anybody on this PC may read it: nobody's number or name.
    assert!(!health.to_string().contains("GST-0002"), "{health}");

    let answer = shop.http.get(shop.page("/metrics")).send().await.unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let samples = samples(&answer.text().await.unwrap());
    let value =
        |ending: &str| samples.iter().find(|(name, _)| name.ends_with(ending)).map(|(_, value)| *value);
    assert_eq!(value("invoices_held"), Some(1.0), "{samples:?}");
    assert_eq!(value("invoices_done_total"), Some(1.0));
    assert_eq!(value("_products"), Some(3.0));
    assert_eq!(value("state{state=\"attention\"}"), Some(1.0));
    assert_eq!(value("link_up{side=\"raintek\"}"), Some(1.0));

    // The command line tells the same.
    let said = shop.cli(&["status", "--json"]).await;
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    let status: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&status["state"], &status["counts"]["held"]), (&json!("attention"), &json!(1)));
    assert_eq!(status["items"][0]["number"], "GST-0002-2026/27");
    let said = shop.cli(&["status"]).await;
    assert_eq!(said.code, Some(0));
    assert!(
        said.out.starts_with("1 invoice needs you: GST-0002-2026/27. Item \"Blue pen\" is not in RainTek."),
        "{}",
        said.out
    );
    let said = shop.cli(&["retry", "GST-9999-2026/27"]).await;
    assert_eq!((said.code, said.err.trim()), (Some(1), "No invoice GST-9999-2026/27 is waiting or held."));

    shop.raintek.till(&["product", "--code", "NOBODY", "--name", "Somebody", "--price", "5"]).await;
    let said = shop.cli(&["retry", "GST-0002-2026/27"]).await;
    assert_eq!((said.code, said.out.trim()), (Some(0), "GST-0002-2026/27 is tried now."));
    shop.in_step().await;
    let said = shop.cli(&["retry", "--all"]).await;
    assert_eq!((said.code, said.out.trim()), (Some(0), "Nothing is waiting."));
}

#[tokio::test]
async fn v10_health_of_a_shop_without_raintek() {
    let mut shop = Shop::new(0);
    shop.start().await;
    eventually("it says that RainTek does not answer", SOON, async || {
        let (_, health) = shop.health().await.unwrap();
        health["raintek"]["connected"] == false && health["raintek"]["since"].is_string()
    })
    .await;
    let (_, health) = shop.health().await.unwrap();
    assert_ne!(health["state"], "in_step", "never green before proof");
    assert!(health["last_push"].is_null() && health["products"]["last_pass"].is_null());

    // Strangers: no token, a wrong one, another web page, another name, another address.
    let get = |path: &str| shop.http.get(shop.page(path));
    for path in ["/api/status", "/api/events", "/"] {
        assert_eq!(get(path).send().await.unwrap().status(), 401, "{path} without the token");
        assert_eq!(
            get(path).bearer_auth("x".repeat(64)).send().await.unwrap().status(),
            401,
            "{path} with a wrong one"
        );
    }
    let command = shop.http.post(shop.page("/api/command")).json(&json!({"command": "retry_all"}));
    assert_eq!(command.send().await.unwrap().status(), 401);
    let token = shop.secret("page.token");
    assert_eq!(get("/api/status").bearer_auth(&token).send().await.unwrap().status(), 200);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let opened = browser.get(shop.page(&format!("/?token={token}"))).send().await.unwrap();
    assert_eq!((opened.status().as_u16(), opened.headers()["location"].to_str().unwrap()), (303, "/"));
    let cookie = opened.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    assert_eq!(get("/").header("Cookie", cookie).send().await.unwrap().status(), 200);
    let foreign = get("/api/status").bearer_auth(&token).header("Origin", "http://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let renamed = get("/health").header("Host", "evil.example");
    assert_eq!(renamed.send().await.unwrap().status(), 421);
    for address in addresses() {
        let reached = tokio::net::TcpStream::connect((address, shop.settings.web.port)).await;
        assert!(reached.is_err(), "the page is reachable at {address}");
    }
    assert!(shop.log().exists());
    let log = std::fs::read_to_string(shop.log()).unwrap();
    assert!(log.contains(&shop.page("/?token=")), "the link is said once to whoever started it: {log}");

    // A second one on the same folder, and another folder on the same port.
    let said = shop.cli(&["run"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("ShopSync is already running with the data folder"), "{}", said.err);
    let mut other = Shop::new(0);
    other.settings.web.port = shop.settings.web.port;
    std::fs::create_dir_all(other.data()).unwrap();
    std::fs::write(other.data().join("settings.toml"), toml::to_string(&other.settings).unwrap()).unwrap();
    let said = other.cli(&["run"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains(&format!("Port {} of this PC is already used", other.settings.web.port)),
        "{}",
        said.err
    );
    assert!(shop.health().await.is_some(), "the first one goes on");
}

/// This machine's addresses that others can reach.
fn addresses() -> Vec<Ipv4Addr> {
    let said = std::process::Command::new("hostname").arg("-I").output();
    let said = said.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
    said.split_whitespace().filter_map(|address| address.parse().ok()).collect()
}

#[tokio::test]
async fn v10_health_of_bad_input() {
    let shop = Shop::new(0);
    std::fs::create_dir_all(shop.data()).unwrap();
    let settings = shop.data().join("settings.toml");
    let port = free_port();
    for (text, wanted) in [
        ("zone = \"Mars/Olympus\"", "line 1"),
        ("[web]\nport = 70000", "line 2"),
        ("[raintek]\nserverr = \"x\"", "serverr"),
        ("[products]\nevery_seconds = 0", "products.every_seconds must be at least 1"),
        ("this is no TOML", "line 1"),
        ("[raintek]\nfolder = \"/nowhere/at/all\"", "/nowhere/at/all"),
    ] {
        let text =
            if text.contains("[web]") { text.to_owned() } else { format!("{text}\n[web]\nport = {port}\n") };
        std::fs::write(&settings, text).unwrap();
        let said = shop.cli(&["run"]).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(wanted), "{wanted} in {}", said.err);
        assert_eq!(said.err.trim().lines().count(), 1, "one sentence: {}", said.err);
        assert!(!said.err.contains("panicked"), "{}", said.err);
    }
    std::fs::remove_file(&settings).unwrap();
    for arguments in [
        &["dance"][..],
        &["retry"],
        &["retry", "X", "--all"],
        &["secret", "my.own"],
        &["status", "--jsn"],
        &[],
    ] {
        let said = shop.cli(arguments).await;
        assert_eq!(said.code, Some(2), "{arguments:?}: {said:?}");
        assert!(!said.err.trim().is_empty() && said.out.is_empty(), "{arguments:?}: {said:?}");
    }
    let said = shop.cli(&["status"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("ShopSync has never run with the data folder"), "{}", said.err);
    assert_eq!(shop.cli(&["--version"]).await.out.trim(), format!("shopsync {}", env!("CARGO_PKG_VERSION")));
}
