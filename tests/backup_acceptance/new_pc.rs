//! A new PC from the backups of the old one, as docs/INSTALL.md has it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{Bill, SOON, Shop, eventually};
use crate::v14_backups::{file, open, quiet, run};

#[tokio::test]
async fn v14_backups_of_both_sides_make_a_new_pc_that_is_in_step() {
    let mut old = open(quiet(3)).await;
    for number in ["GST-0001-2026/27", "GST-0002-2026/27"] {
        old.synced(&Bill::plain(number).send(&old).await).await;
    }
    assert_eq!(run(&old, "now").await.0, Some(0));
    old.stop().await;
    old.raintek.kill();
    let made = ["Raintech_DB1 bak", "pocketbase zip", "shopsync sqlite"]
        .map(|name| name.split_once(' ').map(|(start, end)| file(&old, start, end)).unwrap());

    // With the store, and where nobody kept it.
    for store in [true, false] {
        let mut new = quiet(3);
        restore(&made, store, &new);
        new.raintek.start().await;
        new.start().await;
        new.in_step().await;
        let said = new.cli(&["check"]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        // The phone's login came with the app.
        let phone = new.app.sign_in("users", "phone@shop.in", "phone-1234").await;
        let id = Bill::plain("GST-0003-2026/27").send_as(&phone, "completed").await;
        eventually("the new invoice is in RainTek", SOON, async || {
            phone.read("invoices", &id).await["sync_status"] == "synced"
        })
        .await;
        let dump = new.raintek.dump().await;
        for number in ["GST-0001-2026/27", "GST-0002-2026/27", "GST-0003-2026/27"] {
            assert_eq!(dump.bills(number).len(), 1, "{number}, store: {store}");
        }
        let app = new.app.as_shopsync().await.get("/api/collections/invoices/records").await;
        assert_eq!(app["totalItems"], 3, "{app}");
        assert_eq!(new.status().await["counts"]["held"], 0);
        new.stop().await;
    }
}

fn restore([raintek, billing, store]: &[PathBuf; 3], with_store: bool, new: &Shop) {
    let app = new.data().join("billing").join("pb_data");
    fs::create_dir_all(&app).unwrap();
    zip::ZipArchive::new(fs::File::open(billing).unwrap()).unwrap().extract(&app).unwrap();
    if with_store {
        fs::copy(store, new.data().join("shopsync.sqlite")).unwrap();
    }
    restore_raintek(raintek, &new.app.folder.path().join("raintek.sqlite"));
}

/// What `RESTORE DATABASE ... WITH REPLACE` does on a server that is empty: behind two lines of head lies the store.
fn restore_raintek(bak: &Path, to: &Path) {
    let bytes = fs::read(bak).unwrap();
    let start = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1).unwrap().0 + 1;
    assert!(bytes[start..].starts_with(b"SQLite format 3\0"));
    fs::write(to, &bytes[start..]).unwrap();
}
