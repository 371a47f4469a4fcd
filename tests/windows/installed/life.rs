//! A PC from the first installation to the last: what a shop sees of it, and what it never should.

use super::{AMBER, GREEN, SEEN, answers, booked, in_raintek, in_step, log, shop_on, synced};
use crate::harness::{Bill, Line, Shop, eventually};
use crate::pc::{DATA, PATIENCE, PROGRAM, Pc, as_windows, made};

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
    let shop = shop_on(&pc, |_| {}).await;

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
    // So does a click on the icon.
    pc.click(GREEN);
    eventually("the browser is asked again", PATIENCE, async || pc.opened().len() > 1).await;
    assert!(pc.opened()[1].starts_with(&shop.page("/?once=")), "{:?}", pc.opened());

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
    eventually("the billing app answers again", PATIENCE, async || answers(&shop).await).await;
    booked(&shop, "GST-0206-2026/27").await;
    for number in 201..=206 {
        let number = format!("GST-0{number}-2026/27");
        assert_eq!(in_raintek(&shop, &number).await, i32::from(!number.contains("0203")), "{number}");
    }

    // Asked to leave, it leaves at once.
    assert!(!log(&shop).contains("did not end in time"), "{}", log(&shop));

    // A downgrade is refused, and changes nothing. A repair brings back what is missing.
    assert_eq!(pc.msiexec(&["/i", &as_windows(&older)]), 1603);
    assert_eq!(pc.registry(KEY, "Version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    std::fs::remove_file(pc.at(r"C:\Program Files\ShopSync\shopsync.png")).unwrap();
    // What `msiexec /f` asks for, which Wine's has no word for.
    assert_eq!(pc.msiexec(&["/i", &as_windows(&msi), "REINSTALL=ALL", "REINSTALLMODE=amus"]), 0);
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
    for file in ["settings.toml", "secrets.sealed", "shopsync.sqlite", r"billing/pb_data/data.db"] {
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
    assert!(!shop.data().join("secrets.json").exists(), "it was sealed, and is gone");
    let text = |name: &&str| {
        let bytes = std::fs::read(shop.data().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    ["settings.toml", "secrets.sealed"].iter().map(text).collect()
}
