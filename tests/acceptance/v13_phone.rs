//! v13: phones reach the app at this machine's address in the shop; ShopSync's own control surface is reachable by
//! nobody but this PC.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::life::{Tireless, assert_each_once};
use crate::harness::{SOON, Shop, eventually};

/// An address of this machine that others reach it by. A machine without one is given one for the time.
struct Address {
    ip: Ipv4Addr,
    ours: bool,
}

impl Address {
    fn find() -> Self {
        let said = Command::new("hostname").arg("-I").output();
        let said = said.map(|done| String::from_utf8_lossy(&done.stdout).into_owned()).unwrap_or_default();
        let there = said.split_whitespace().filter_map(|address| address.parse::<Ipv4Addr>().ok());
        if let Some(ip) = there.into_iter().find(|ip| !ip.is_loopback()) {
            return Self { ip, ours: false };
        }
        let ip = Ipv4Addr::new(198, 51, 100, 77);
        let done =
            Command::new("ip").args(["address", "add", &format!("{ip}/32"), "dev", "lo"]).output().unwrap();
        assert!(
            done.status.success(),
            "this machine has no address but its loopback, and none can be added without root: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Self { ip, ours: true }
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        if self.ours {
            let _ =
                Command::new("ip").args(["address", "del", &format!("{}/32", self.ip), "dev", "lo"]).status();
        }
    }
}

/// Addresses and ports on which a process listens.
fn listens(pid: u32) -> Vec<(String, u16)> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let sockets: BTreeSet<String> = links
        .filter_map(|link| std::fs::read_link(link.path()).ok())
        .filter_map(|link| {
            link.to_string_lossy().strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned)
        })
        .collect();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        let text = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            if words[3] == "0A" && sockets.contains(words[9]) {
                let (address, port) = words[1].split_once(':').unwrap();
                found.push((address.to_owned(), u16::from_str_radix(port, 16).unwrap()));
            }
        }
    }
    found
}

#[tokio::test]
async fn v13_phone() {
    let address = Address::find();
    let ip = address.ip;
    let shop = Shop::open(4).await;
    // The request comes from that address, too.
    let from = reqwest::Client::builder().local_address(IpAddr::V4(ip)).no_proxy().build().unwrap();
    let app = format!("http://{ip}:{}", shop.app.port);
    let health = from.get(format!("{app}/api/health")).send().await.unwrap();
    assert_eq!(health.status(), 200, "the app is reachable at {app}");
    let page = from.get(format!("{app}/shopsync/")).send().await.unwrap();
    assert_eq!(page.status(), 200, "and so is its list of invoices");

    // A phone signs in there, bills, and sees that it arrived.
    let phone = Tireless::new(&shop, &app, 1).await;
    let numbers = BTreeSet::from([phone.bill().await, phone.bill().await]);
    eventually("the phone sees both in RainTek", SOON, async || {
        let admin = shop.app.as_shopsync().await;
        let list = admin.get("/api/collections/invoices/records").await;
        list["items"].as_array().unwrap().iter().filter(|item| item["sync_status"] == "synced").count() == 2
    })
    .await;
    assert_each_once(&shop.raintek.dump().await, &numbers);

    // The control surface: not there, with the token or without, whatever the path.
    let (port, token) = (shop.settings.web.port, shop.secret("page.token"));
    for target in [IpAddr::V4(ip), "::1".parse().unwrap()] {
        let reached = tokio::net::TcpStream::connect((target, port)).await;
        assert!(reached.is_err(), "ShopSync's page is reachable at {target}");
    }
    for path in ["/health", "/metrics", "/api/status", "/api/command", "/", &format!("/?token={token}")] {
        let asked = from.get(format!("http://{ip}:{port}{path}")).bearer_auth(&token).send().await;
        assert!(asked.is_err(), "{path} answers at {ip}");
    }
    let listening = listens(shop.pid());
    assert_eq!(listening, [("0100007F".to_owned(), port)], "it listens at 127.0.0.1 alone");
    // Nor through the app, which phones do reach.
    for path in
        ["/api/status", "/api/command", "/metrics", "/api/shopsync/status", "/shopsync/../secrets.json"]
    {
        let answer = from.get(format!("{app}{path}")).bearer_auth(&token).send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert!(!text.contains("raintek_inv_id") && !text.contains(&token), "{path}: {text}");
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        assert!(value["counts"].is_null(), "{path}: {text}");
    }
    // From this PC it answers, but not to a page of that address.
    assert_eq!(shop.health().await.unwrap().0, 200);
    let page = shop.http.post(shop.page("/api/command")).bearer_auth(&token).header("Origin", &app);
    assert_eq!(page.json(&json!({"command": "retry_all"})).send().await.unwrap().status(), 403);
}
