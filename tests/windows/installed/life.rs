//! A PC from the first installation to the last: what a shop sees of it, and what it never should.

use std::path::PathBuf;

use crate::harness::{Bill, Line, Shop, eventually};
use crate::pc::{DATA, PATIENCE, PROGRAM, Pc, as_windows, made};

const GREEN: [u8; 3] = [0x4a, 0xde, 0x80];
const AMBER: [u8; 3] = [0xfb, 0xbf, 0x24];
/// A tray icon has some dozens of pixels of its colour.
const SEEN: usize = 30;

const KEY: &str = r"HKLM\Software\ShopSync";
const SERVICE: &str = r"HKLM\System\CurrentControlSet\Services\ShopSyncBilling";
const RUN: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";
/// Of the PC, as Windows does it for an installation for everybody, and of the user, as Wine does it.
const SHORTCUTS: [&str; 2] = [
    r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs\ShopSync.lnk",
    r"C:\users\root\AppData\Roaming\Microsoft\Windows\Start Menu\Programs\ShopSync.lnk",
];
const FILES: [&str; 8] = [
    "LICENSE-APACHE.txt",
    "LICENSE-MIT.txt",
    "THIRD-PARTY-LICENSES.html",
    "WebView2Loader.dll",
    "pocketbase-LICENSE.txt",
    "pocketbase.exe",
    "shopsync.exe",
    "shopsync.png",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the installer: cargo xtask windows --test"]
async fn a_pc_from_the_first_installation_to_the_last() {
    let pc = Pc::new();
    let mut shop = Shop::new(6);
    // The one that the installer brings.
    shop.app.settings.program = None;
    shop.settings.backup.enabled = false;
    std::fs::create_dir_all(pc.at(DATA)).unwrap();
    std::os::unix::fs::symlink(pc.at(DATA), shop.data()).unwrap();
    shop.raintek.start().await;
    shop.lay_down().await;

    let older = made("SHOPSYNC_MSI_OLDER");
    pc.install(&older, &[]);
    assert_eq!(files(&pc), FILES);
    assert_eq!(pc.registry(KEY, "Version").as_deref(), Some("0.0.1"));
    assert_eq!(pc.registry(KEY, "DataDir").as_deref(), Some(DATA));
    assert!(in_the_menu(&pc));
    // Windows puts the program in quotation marks, Wine does not.
    let command = format!(r#"{PROGRAM} service --data "{DATA}\.""#);
    let image = pc.registry(SERVICE, "ImagePath").unwrap_or_default();
    assert_eq!(image.replace(&format!("\"{PROGRAM}\""), PROGRAM), command);
    assert_eq!(pc.registry(SERVICE, "Start").as_deref(), Some("0x2"), "automatic");

    // The installer started the tray; it sees to its own start at login.
    in_step(&shop).await;
    eventually("the icon is green", PATIENCE, async || pc.pixels(GREEN) >= SEEN).await;
    pc.keep("windows-tray-in_step");
    let entry = pc.registry(RUN, "ShopSync").expect("a start at login");
    assert_eq!(entry, format!(r#""{PROGRAM}" --tray"#));
    booked(&shop, "GST-0201-2026/27").await;

    // Killed in the middle of a day, it goes on where it was.
    pc.crash_tray().await;
    let waiting = Bill::plain("GST-0202-2026/27").send(&shop).await;
    let mut tray = pc.start(PROGRAM, &["--tray"]);
    synced(&shop, &waiting).await;
    for number in ["GST-0201-2026/27", "GST-0202-2026/27"] {
        assert_eq!(in_raintek(&shop, number).await, 1, "{number}");
    }
    let (out, code) = pc.cmd(PROGRAM, "status --json");
    let status: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}"));
    assert_eq!((&status["state"], code), (&"in_step".into(), 0));
    let (out, code) = pc.cmd(PROGRAM, "check");
    assert_eq!(code, 0, "{out}");

    // No WebView2 here: a start by hand opens the page in the browser, by a link that opens it once.
    pc.must(PROGRAM, &[]);
    eventually("the browser is asked", PATIENCE, async || !pc.opened().is_empty()).await;
    let link = pc.opened().remove(0);
    assert!(link.starts_with(&shop.page("/?once=")), "{link}");
    assert!(log(&shop).contains("the page opens in the browser"), "{}", log(&shop));

    // No toasts either: it says so in its log, and goes on.
    let mut bill = Bill::plain("GST-0203-2026/27");
    bill.lines[1] = Line { name: "Blue pen".into(), ..Line::new("PEN-9", "1", "10", "Exclusive", "18") };
    let held = bill.send(&shop).await;
    eventually("it is held", PATIENCE, async || {
        shop.phone().await.read("invoices", &held).await["sync_status"] == "failed"
    })
    .await;
    eventually("the icon is amber", PATIENCE, async || pc.pixels(AMBER) >= SEEN).await;
    pc.keep("windows-tray-attention");
    eventually("a toast failed", PATIENCE, async || log(&shop).contains("shows no messages now")).await;
    booked(&shop, "GST-0204-2026/27").await;
    assert!(tray.try_wait().unwrap().is_none(), "the tray goes on");

    // Power off, power on: the phones are served before anybody signs in, and the tray comes back with its user.
    pc.off();
    let _ = tray.wait();
    pc.on();
    eventually("the billing app answers", PATIENCE, async || answers(&shop).await).await;
    assert!(pc.trays().is_empty(), "nobody has signed in");
    let early = Bill::plain("GST-0205-2026/27").send(&shop).await;
    pc.sign_in();
    synced(&shop, &early).await;
    eventually("the icon is amber again", PATIENCE, async || pc.pixels(AMBER) >= SEEN).await;

    // An upgrade in place: it leaves, its files change, it comes back, and knows everything.
    let before = kept(&shop);
    let msi = made("SHOPSYNC_MSI");
    pc.install(&msi, &[]);
    assert_eq!(pc.registry(KEY, "Version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!((files(&pc), kept(&shop)), (FILES.map(str::to_owned).to_vec(), before));
    booked(&shop, "GST-0206-2026/27").await;
    for number in 201..=206 {
        let number = format!("GST-0{number}-2026/27");
        assert_eq!(in_raintek(&shop, &number).await, i32::from(!number.contains("0203")), "{number}");
    }

    // A downgrade is refused, and changes nothing. A repair brings back what is missing.
    assert_eq!(pc.msiexec(&["/i", &as_windows(&older)]), 1603);
    assert_eq!(pc.registry(KEY, "Version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    std::fs::remove_file(pc.at(r"C:\Program Files\ShopSync\shopsync.png")).unwrap();
    // By its code: Wine repairs nothing that is named by its file.
    let product = pc.registry(KEY, "Product").unwrap();
    assert_eq!(pc.msiexec(&["/fa", &product]), 0);
    assert_eq!(files(&pc), FILES);

    // Removed, only what belongs to the shop is left.
    let backup = pc.at(&format!(r"{DATA}\backups\kept.bak"));
    std::fs::write(&backup, "a backup").unwrap();
    assert_eq!(pc.msiexec(&["/x", &as_windows(&msi)]), 0);
    assert!(!pc.at(r"C:\Program Files\ShopSync").exists(), "{:?}", files(&pc));
    assert!(!in_the_menu(&pc));
    assert_eq!((pc.registry(KEY, "Version"), pc.registry(SERVICE, "ImagePath")), (None, None));
    assert_eq!(pc.registry(RUN, "ShopSync"), None);
    assert!(pc.processes("shopsync.exe").is_empty() && pc.processes("pocketbase.exe").is_empty());
    for file in ["settings.toml", "secrets.json", "shopsync.sqlite", r"billing/pb_data/data.db"] {
        assert!(shop.data().join(file).is_file(), "{file}");
    }
    assert!(backup.is_file());
}

fn in_the_menu(pc: &Pc) -> bool {
    SHORTCUTS.iter().any(|shortcut| pc.at(shortcut).is_file())
}

fn files(pc: &Pc) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(pc.at(r"C:\Program Files\ShopSync")) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What an upgrade must not touch.
fn kept(shop: &Shop) -> Vec<String> {
    ["settings.toml", "secrets.json"]
        .iter()
        .map(|name| std::fs::read_to_string(shop.data().join(name)).unwrap())
        .collect()
}

async fn in_step(shop: &Shop) {
    eventually("everything is in step", PATIENCE, async || {
        shop.health().await.is_some_and(|(_, health)| health["state"] == "in_step")
    })
    .await;
    shop.in_step().await;
}

async fn booked(shop: &Shop, number: &str) {
    let id = Bill::plain(number).send(shop).await;
    synced(shop, &id).await;
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
