//! A secret is in its own file and nowhere else, whatever goes wrong with it; and what is given away names nobody.

use std::io::{Cursor, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bot::Bot;
use crate::harness::{Bill, SOON, Shop, eventually};

const CANARY: &str = "C4n4ry-7f3a9b";

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn secrets_are_nowhere_but_in_their_file_and_diagnostics_name_nobody() {
    let mut shop = Shop::open(3).await;
    let bot = Bot::start();
    let phone = shop.phone().await;
    let customer = json!({"name": "Ashalata Deshmukh", "phone": "9876543210"});
    let customer = phone.make("customers", customer).await["id"].as_str().unwrap().to_owned();
    let bill = Bill { customer: Some(customer), ..Bill::plain("GST-0700-2026/27") };
    let id = bill.send(&shop).await;
    shop.synced(&id).await;

    // Each secret is one that does not work, so that every error there is about it is made.
    let token = format!("4839574812:{CANARY}-token");
    shop.change(
        json!({"telegram.base_url": bot.settings().base_url, "telegram.chats": [5], "telegram.token": token}),
    )
    .await;
    shop.change(json!({"raintek.password": format!("{CANARY}-password")})).await;
    shop.change(json!({"billing.password": format!("{CANARY}-app")})).await;
    shop.change(json!({"alerts.heartbeat_url": format!("http://127.0.0.1:9/{CANARY}")})).await;
    eventually("the login is refused", SOON, async || {
        shop.status().await["raintek"]["sentence"] == "RainTek's server refuses the login."
    })
    .await;
    let given = format!("{CANARY}-given");
    let mut answers = Vec::new();
    for (path, body) in [
        ("/api/settings/test", json!({"what": "raintek", "changes": {"raintek.password": given}})),
        (
            "/api/settings/test",
            json!({"what": "telegram", "changes": {"telegram.token": format!("1:{given}")}}),
        ),
        ("/api/settings", json!({"changes": {"raintek.password": format!("{given}\n")}})),
        ("/api/settings", json!({"changes": {"telegram.token": {"a": given}}})),
        ("/api/settings", json!({"changes": [given]})),
        ("/api/setup/telegram", json!({"token": format!("no token {given}")})),
        ("/api/setup/use", json!({"server": "127.0.0.1", "port": shop.raintek.port, "password": given})),
        ("/api/setup/telegram/test", json!({})),
        ("/api/diagnostics/save", json!({})),
    ] {
        answers.push((path, shop.post(path, body).await.1.to_string()));
    }
    for path in ["/api/settings", "/api/setup", "/api/status", "/health", "/metrics", "/api/diagnostics"] {
        answers.push((path, shop.get(path).await.1.to_string()));
    }
    for command in
        [&["status", "--json"][..], &["settings", "get"], &["settings", "test", "telegram"], &["setup"]]
    {
        let said = shop.cli(command).await;
        answers.push(("the command line", said.out + &said.err));
    }
    for (what, answer) in &answers {
        // The address that is called is a setting that a person must see again.
        let answer = answer.replace(&format!("127.0.0.1:9/{CANARY}"), "");
        assert!(!answer.contains(CANARY), "{what}: {answer}");
    }

    let zip = shop.data().join("out.zip");
    let said = shop.cli(&["diagnostics", &zip.display().to_string()]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let mut archive = zip::ZipArchive::new(Cursor::new(std::fs::read(&zip).unwrap())).unwrap();
    let mut names = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        for hidden in [CANARY, "Ashalata", "Deshmukh", "9876543210", &shop.secret("page.token")] {
            assert!(!text.contains(hidden), "{}: {hidden}", file.name());
        }
        if file.name() == "events.txt" {
            assert!(text.contains("GST-0700-2026/27"), "what happened can still be told: {text}");
        }
        names.push(file.name().to_owned());
    }
    for wanted in ["versions.json", "state.json", "settings.json", "raintek-tables.txt", "events.txt"] {
        assert!(names.iter().any(|name| name == wanted), "{names:?}");
    }
    assert!(names.iter().any(|name| name.starts_with("logs/shopsync.")), "{names:?}");
    let (_, preview) = shop.get("/api/diagnostics").await;
    let shown: Vec<&Value> = preview["files"].as_array().unwrap().iter().map(|file| &file["name"]).collect();
    assert!(shown.iter().any(|name| *name == "state.json"), "{preview}");

    shop.stop().await;
    let mut all = Vec::new();
    files(&shop.data(), &mut all);
    assert!(all.iter().any(|path| path.extension().is_some_and(|e| e == "jsonl")), "{all:?}");
    for path in all {
        let bytes = std::fs::read(&path).unwrap();
        let own = path.ends_with("secrets.json");
        let settings = path.ends_with("settings.toml");
        if own {
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            assert!(contains(&bytes, CANARY));
        } else if settings {
            assert!(!contains(&bytes, &format!("{CANARY}-")), "{}", path.display());
        } else {
            assert!(!contains(&bytes, CANARY), "{}", path.display());
        }
    }
}
