//! A phone that keeps what it once loaded has the new version as soon as it lies there.

use std::fs::{self, File};
use std::time::Duration;

use crate::open::Opened;

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_keeps_files_has_the_new_version_at_once() {
    let mut page = Opened::new().await;
    let folder = page.shop.own_app().join("pb_public/shopsync");
    let address = format!("{}/shopsync/", page.shop.settings.url);
    // The older a file, the longer a browser keeps it without asking.
    for entry in fs::read_dir(&folder).unwrap() {
        let file = File::options().write(true).open(entry.unwrap().path()).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.set_modified(modified - Duration::from_secs(3600 * 24 * 1000)).unwrap();
    }
    // It stores what it loads in its own time.
    let kept = "performance.getEntriesByType('resource').find((e) => e.name.endsWith('index.js')).transferSize === 0";
    let mut loads = 0;
    while loads == 0 || !page.browser.holds(kept) {
        loads += 1;
        assert!(loads < 10, "this browser keeps nothing, so it proves nothing");
        page.browser.go("about:blank");
        page.browser.go(&address);
        page.browser.wait("document.querySelector('h1')?.innerText === 'Invoices'");
    }

    let current: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("current.json")).unwrap()).unwrap();
    let (old_page, old_session) = (current["page"].as_str().unwrap(), session_of(&folder));
    let (new_page, new_session) = ("invoices.1111111111111111.js", "session.1111111111111111.js");
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    fs::write(folder.join(new_session), text(&old_session).replace("title: 'Invoices'", "title: 'Bills'"))
        .unwrap();
    fs::write(folder.join(new_page), text(old_page).replace(&old_session, new_session)).unwrap();
    fs::write(folder.join("current.json"), text("current.json").replace(old_page, new_page)).unwrap();
    for old in [old_page, &old_session] {
        fs::remove_file(folder.join(old)).unwrap();
    }
    page.browser.go("about:blank");
    page.browser.go(&address);
    page.browser.wait("document.querySelector('h1')?.innerText === 'Bills'");
    page.assert_no_complaints();

    // ShopSync lays its own down again and takes the other version away.
    page.app.server().stop().await;
    page.app = page.shop.adapter();
    page.app.set_up().await.unwrap();
    assert!(!folder.join(new_page).exists() && folder.join(old_page).exists());
    page.browser.go("about:blank");
    page.browser.go(&address);
    page.browser.wait("document.querySelector('h1')?.innerText === 'Invoices'");
    page.close().await;
}

fn session_of(folder: &std::path::Path) -> String {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.into_iter().find(|name| name.starts_with("session.")).unwrap()
}
