//! A shop that had its own billing app before: its folder, its PocketBase, its hooks.

use std::path::Path;

use super::{booked, in_step, shop_on};
use crate::harness::{eventually, is_alive, spawn};
use crate::pc::{DATA, PATIENCE, Pc, as_windows, made};

const FOLDER: &str = r"C:\Billing App";
const HOOK: &str = "onBootstrap((e) => { e.next() })\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the installer: cargo xtask windows --test"]
async fn a_shops_own_app_is_used_and_outlives_shopsync() {
    let pc = Pc::new();
    let shop = shop_on(&pc, |shop| shop.app.settings.folder = Some(FOLDER.into())).await;
    let program = lay_down(&pc);
    let listen = format!("--http={}", shop.app.settings.listen);
    let start = |pc: &Pc| {
        let mut command = pc.command(&program, &["serve", &listen]);
        spawn(command.current_dir(pc.at(FOLDER)), &pc.folder.path().join("theirs.log"))
    };
    let mut own = start(&pc);
    eventually("their app answers", PATIENCE, async || super::answers(&shop).await).await;
    let apps = |pc: &Pc| -> Vec<u32> {
        let all = pc.processes("pocketbase.exe").into_iter();
        all.filter(|(_, line)| line.contains(" serve ")).map(|(pid, _)| pid).collect()
    };
    let theirs = apps(&pc);
    assert_eq!(theirs.len(), 1, "{theirs:?}");

    // It runs already: it is used, by an installation that brings none and by one that does.
    pc.install(&made("SHOPSYNC_MSI_OLDER"), &["NOPOCKETBASE=1"]);
    assert!(!pc.at(r"C:\Program Files\ShopSync\pocketbase.exe").exists());
    in_step(&shop).await;
    booked(&shop, "GST-0501-2026/27").await;
    assert_eq!(apps(&pc), theirs);
    unchanged(&pc);

    let msi = made("SHOPSYNC_MSI");
    pc.install(&msi, &[]);
    assert!(!pc.at(r"C:\Program Files\ShopSync\pocketbase.exe").exists(), "what was said once is kept");
    booked(&shop, "GST-0502-2026/27").await;
    assert_eq!(apps(&pc), theirs, "an upgrade does not touch it");
    unchanged(&pc);

    // Power off, power on: nobody starts it any more, so the service does, from the shop's own folder.
    pc.off();
    let _ = own.wait();
    pc.on();
    eventually("the billing app answers", PATIENCE, async || super::answers(&shop).await).await;
    let line = &pc.processes("pocketbase.exe")[0].1;
    assert!(line.starts_with(&program), "{line}");
    pc.sign_in();
    let last = booked(&shop, "GST-0503-2026/27").await;
    unchanged(&pc);

    // ShopSync goes, the shop's app stays as it was.
    assert_eq!(pc.msiexec(&["/x", &as_windows(&msi)]), 0);
    assert!(pc.processes("shopsync.exe").is_empty());
    assert!(!pc.at(r"C:\Program Files\ShopSync").exists());
    unchanged(&pc);
    let mut own = start(&pc);
    eventually("their app answers", PATIENCE, async || super::answers(&shop).await).await;
    assert_eq!(shop.phone().await.read("invoices", &last).await["sync_status"], "synced");
    assert!(is_alive(apps(&pc)[0]) && own.try_wait().unwrap().is_none());
    assert!(pc.at(&format!(r"{DATA}\settings.toml")).is_file());
}

/// The folder as it was before anything of ours came; its program.
fn lay_down(pc: &Pc) -> String {
    let folder = pc.at(FOLDER);
    std::fs::create_dir_all(folder.join("pb_hooks")).unwrap();
    std::fs::write(folder.join("pb_hooks/theirs.pb.js"), HOOK).unwrap();
    let bundled = made("SHOPSYNC_MSI");
    let bundled = bundled.parent().unwrap_or(Path::new("")).join("files/pocketbase.exe");
    std::fs::copy(bundled, folder.join("pocketbase.exe")).unwrap();
    format!(r"{FOLDER}\pocketbase.exe")
}

/// What is theirs is as they left it.
fn unchanged(pc: &Pc) {
    let hook = std::fs::read_to_string(pc.at(&format!(r"{FOLDER}\pb_hooks\theirs.pb.js"))).unwrap();
    assert_eq!(hook, HOOK);
    assert!(pc.at(&format!(r"{FOLDER}\pocketbase.exe")).is_file());
    assert!(pc.at(&format!(r"{FOLDER}\pb_data\data.db")).is_file());
}
