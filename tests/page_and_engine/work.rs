//! What a person does with invoices and backups.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::harness::{Bill, SOON, Shop, eventually};
use crate::{link, opened, says};

/// An invoice that is held, since RainTek's till has used its number; the number.
async fn held(shop: &Shop, seed: &str) -> String {
    let said = shop.raintek.till(&["bill", "--seed", seed, "--date", "2026-11-21"]).await;
    let number = said[0]["number"].as_str().unwrap_or_else(|| panic!("{said:?}")).to_owned();
    let id = Bill::plain(&number).send(shop).await;
    shop.held(&id).await;
    number
}

async fn tries(shop: &Shop, number: &str) -> u64 {
    let item = shop.item(number).await;
    item.unwrap_or_else(|| panic!("{number} is not open"))["tries"].as_u64().unwrap()
}

/// How many bills of a number are ours, by the mark on them.
async fn ours(shop: &Shop, number: &str) -> usize {
    let dump = shop.raintek.dump().await;
    dump.bills(number).iter().filter(|bill| bill["TillID"] == "SHOPSYNC").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_the_page_once_and_then_the_cookie_does() {
    let shop = Shop::open(3).await;
    let link = link(&shop).await;
    let mut browser = Browser::open(960, 680);
    browser.go(&link);
    browser.wait("document.querySelector('#sentence').innerText === 'Everything is in step.'");
    assert!(browser.holds("location.search === '' && document.cookie === ''"), "nothing of the key is seen");
    browser.eval("location.reload()");
    browser.wait("document.readyState === 'complete' && document.querySelector('#sentence').innerText === 'Everything is in step.'");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    // Whoever saw it on the way is too late, and sees nothing of the shop.
    let mut other = Browser::open(960, 680);
    other.go(&link);
    other.wait("document.body.innerText.includes('This page is locked.')");
    assert!(other.holds("document.querySelector('#sentence') === null"));
    // What the page tells of the program is what runs.
    browser.click("[data-view=about]");
    browser.wait("document.querySelectorAll('.about .facts dd').length === 3");
    let facts = browser.text(".about .facts");
    assert!(facts.contains("0.40.6") && facts.contains(&shop.data().display().to_string()), "{facts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_tried_again_then_all_and_a_pause_holds_everything_until_it_ends() {
    let shop = Shop::open(6).await;
    let (one, other) = (held(&shop, "5").await, held(&shop, "6").await);
    let mut browser = opened(&shop).await;
    browser.wait("document.querySelectorAll('#panel-held .item').length === 2");

    // One: it is tried, and only it.
    let before = (tries(&shop, &one).await, tries(&shop, &other).await);
    browser.click(&format!("[data-number='{one}'] [data-do=retry]"));
    browser.wait(&says(&format!("{one} is tried now.")));
    eventually("the one was tried", SOON, async || tries(&shop, &one).await > before.0).await;
    assert_eq!((tries(&shop, &one).await, tries(&shop, &other).await), (before.0 + 1, before.1));
    assert_eq!(ours(&shop, &one).await, 0, "RainTek's own bill is as it was");

    // All: RainTek has given the numbers back, and both are booked.
    for number in [&one, &other] {
        shop.raintek.till(&["delete", "--number", number]).await;
    }
    browser.click("#panel-held [data-do=retry_all]");
    browser.wait(&says("2 invoices are tried now."));
    for number in [&one, &other] {
        eventually(&format!("{number} is booked"), SOON, async || ours(&shop, number).await == 1).await;
    }
    browser.wait("document.querySelectorAll('#panel-held .item').length === 0");
    browser.wait("document.querySelector('#sentence').innerText === 'Everything is in step.'");

    // Paused, for a quarter of an hour: nothing is written, and the page says so.
    browser.click("[data-do=pause]");
    browser.click("[role=menuitem]");
    browser.wait("document.body.dataset.state === 'paused'");
    let until = shop.status().await["paused_until"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    let left = (until - now()).num_seconds();
    assert!((780..=900).contains(&left), "{left} s");
    let id = Bill::plain("GST-0700-2026/27").send(&shop).await;
    browser.wait("document.querySelector('[data-tab=waiting] .badge').innerText === '1'");
    let writes = shop.raintek.state().await.unwrap()["writes"].clone();
    // A look that was asked for shows that the engine lives and still writes no invoice.
    browser.click("[data-do=sync_now]");
    browser.wait("document.querySelector('#said.shown')");
    browser.click("[data-tab=waiting]");
    browser.wait("document.querySelector('#panel-waiting .item .number').innerText === 'GST-0700-2026/27'");
    assert_eq!(ours(&shop, "GST-0700-2026/27").await, 0);
    assert_eq!(shop.raintek.state().await.unwrap()["writes"], writes);
    assert!(shop.journal("push").iter().all(|line| !line.contains("GST-0700")), "nobody tried it");

    // Resumed: it goes at once, and its record says so.
    browser.click("[data-do=resume]");
    shop.synced(&id).await;
    assert_eq!(ours(&shop, "GST-0700-2026/27").await, 1);
    browser.wait("document.body.dataset.state === 'in_step'");
    assert_eq!(shop.status().await["paused_until"], Value::Null);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[expect(clippy::disallowed_methods, reason = "the program runs on the real day")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_now_and_how_far_it_is_is_seen() {
    let mut shop = Shop::new(3);
    // Without the evening's second backup, which would come in between where the tests run in the evening.
    shop.settings.backup.times = vec![chrono::NaiveTime::MIN];
    shop.settings.backup.drill = false;
    shop.raintek.start().await;
    shop.start().await;
    shop.in_step().await;
    let last_ok = async || shop.status().await["backups"]["last_ok"].as_str().map(str::to_owned);
    eventually("the day's backups are made", SOON, async || last_ok().await.is_some()).await;
    let before = last_ok().await;
    let mut browser = opened(&shop).await;
    browser.click("[data-view=backups]");
    browser.wait("document.querySelectorAll('#view-backups tbody tr').length === 4");

    shop.raintek.order(json!({"action": "hold_backup"})).await;
    browser.click("[data-do=backup_now]");
    browser.wait("document.querySelector('#view-backups .work').checkVisibility()");
    browser.wait("document.querySelector('#view-backups progress').value > 0");
    browser
        .wait("/Backing up RainTek · \\d+ %/.test(document.querySelector('#view-backups .work').innerText)");
    assert!(browser.holds("document.querySelector('[data-do=backup_now]').disabled"), "it is under way");
    let running = shop.status().await["backups"]["running"].clone();
    assert_eq!(running["doing"], "Backing up RainTek", "{running}");
    shop.raintek.order(json!({"action": "release_backup"})).await;
    browser.wait("!document.querySelector('#view-backups .work').checkVisibility()");
    browser.wait("!document.querySelector('[data-do=backup_now]').disabled");
    eventually("they are newer", SOON, async || last_ok().await > before).await;

    // What the page lists lies on the disk, as large as it says, and is proven.
    let files = shop.status().await["backups"]["files"].clone();
    for file in files.as_array().unwrap() {
        let path = std::path::Path::new(file["file"].as_str().unwrap());
        assert_eq!(std::fs::metadata(path).unwrap().len(), file["bytes"].as_u64().unwrap(), "{path:?}");
        assert!(file["proof"].is_string(), "{file}");
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        browser.wait(&format!("document.querySelector('#view-backups').innerText.includes({})", json!(name)));
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
