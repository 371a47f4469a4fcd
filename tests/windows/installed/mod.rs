//! What is done with the installed program.

mod commands;
mod life;
mod own_app;
mod service;

use std::path::PathBuf;

use serde_json::Value;
use shopsync::billing::OWN_PASSWORD_SECRET;
use shopsync::ports::Secrets as _;

use crate::harness::{Bill, Shop, eventually};
use crate::pc::{DATA, PATIENCE, Pc};

const GREEN: [u8; 3] = [0x4a, 0xde, 0x80];
const AMBER: [u8; 3] = [0xfb, 0xbf, 0x24];
/// A tray icon has some dozens of pixels of its colour.
const SEEN: usize = 30;

/// A shop whose RainTek runs outside, and whose settings lie on the PC before anything is installed there.
async fn shop_on(pc: &Pc, change: impl FnOnce(&mut Shop)) -> Shop {
    let mut shop = Shop::new(6);
    // The one that the installer brings.
    shop.app.settings.program = None;
    shop.settings.backup.enabled = false;
    change(&mut shop);
    std::fs::create_dir_all(pc.at(DATA)).unwrap();
    std::os::unix::fs::symlink(pc.at(DATA), shop.data()).unwrap();
    shop.raintek.start().await;
    shop.lay_down().await;
    know_the_login(&shop);
    shop
}

async fn in_step(shop: &Shop) {
    eventually("everything is in step", PATIENCE, async || {
        shop.health().await.is_some_and(|(_, health)| health["state"] == "in_step")
    })
    .await;
}

/// What the program keeps under seal nobody outside can read: the phones' way in is laid down beforehand, in the open
/// file that it takes over.
fn know_the_login(shop: &Shop) {
    let file = shop.data().join("secrets.json");
    let mut all: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let password = "of-this-test-0123456789";
    all[OWN_PASSWORD_SECRET] = password.into();
    std::fs::write(&file, all.to_string()).unwrap();
    shop.app.secrets.set(OWN_PASSWORD_SECRET, password).unwrap();
}

/// Bills it on a phone; its record once it is in RainTek.
async fn booked(shop: &Shop, number: &str) -> String {
    let id = Bill::plain(number).send(shop).await;
    synced(shop, &id).await;
    id
}

async fn synced(shop: &Shop, id: &str) {
    let phone = shop.phone().await;
    eventually("the invoice is in RainTek", PATIENCE, async || {
        phone.read("invoices", id).await["sync_status"] == "synced"
    })
    .await;
}

async fn in_raintek(shop: &Shop, number: &str) -> i32 {
    shop.raintek.count(&format!("SELECT COUNT(*) FROM InvoiceInfo WHERE InvoiceNo = N'{number}'")).await
}

async fn answers(shop: &Shop) -> bool {
    let url = format!("http://127.0.0.1:{}/api/health", shop.app.port);
    shop.http.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
}

/// Everything that the tray logged.
fn log(shop: &Shop) -> String {
    let Ok(entries) = std::fs::read_dir(shop.data().join("logs")) else { return String::new() };
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let logs = paths
        .iter()
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("shopsync.")));
    logs.map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect()
}
