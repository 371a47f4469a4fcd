//! Settings that are changed on the page: what then stands in the file, and what the engine does.

use crate::harness::{SOON, Shop, eventually};
use crate::{opened, says, write};

/// The settings file as it lies there.
fn file(shop: &Shop) -> String {
    std::fs::read_to_string(shop.data().join("settings.toml")).unwrap()
}

fn kept(shop: &Shop) -> toml::Table {
    file(shop).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_counts_at_once_and_what_cannot_be_meant_changes_nothing() {
    let shop = Shop::open(6).await;
    let mut browser = opened(&shop).await;
    browser.click("[data-view=settings]");

    // Products are looked at every five minutes until then.
    write(&mut browser, "products.every_seconds", "1");
    let group = browser.eval("document.getElementById('field-products-every_seconds').form.dataset.group");
    let save = format!("[data-group={}] [data-do=save]", group.as_str().unwrap());
    browser.click(&save);
    browser.wait(&says("Saved."));
    assert_eq!(kept(&shop)["products"]["every_seconds"].as_integer(), Some(1));
    shop.raintek.till(&["product", "--code", "P-9001", "--name", "New pen", "--price", "12.50"]).await;
    let phone = shop.phone().await;
    eventually("the product comes by itself", SOON, async || {
        let path = "/api/collections/products/records?filter=product_code%3D%27P-9001%27";
        phone.get(path).await["totalItems"] == 1
    })
    .await;
    browser.wait("document.querySelector('#field-products-every_seconds').value === '1'");

    // What only ShopSync can know to be wrong: it is said beside the field, nothing is kept, the engine goes on.
    let before = file(&shop);
    write(&mut browser, "zone", "Mars/Olympus");
    let group = browser.eval("document.getElementById('field-zone').form.dataset.group");
    browser.click(&format!("[data-group={}] [data-do=save]", group.as_str().unwrap()));
    browser
        .wait("document.querySelector('[data-field=zone] .refused:not(.room)').innerText.includes('Mars')");
    assert!(browser.holds("document.activeElement.id === 'field-zone'"), "it leads to the field");
    assert_eq!(file(&shop), before);
    shop.in_step().await;

    // Trying a side tries it really, with what is typed and not kept.
    write(&mut browser, "raintek.password", "wrong");
    browser.click("[data-group=raintek] [data-do=test]");
    browser.wait("document.querySelector('[data-group=raintek] .told').innerText === \"RainTek's server refuses the login.\"");
    assert_eq!(shop.secret("raintek.password"), crate::harness::raintek::PASSWORD);
    shop.in_step().await;
    let complaints: Vec<_> = browser.complaints().into_iter().filter(|line| !line.contains("422")).collect();
    assert_eq!(complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_is_kept_by_the_program_and_what_the_engine_says_is_said_in_it() {
    let mut shop = Shop::open(3).await;
    let mut browser = opened(&shop).await;
    assert!(browser.holds("document.documentElement.lang === 'en'"));
    browser.click("[data-view=settings]");
    browser.wait("document.querySelector('#field-desktop-language')");
    browser.eval("(() => { const s = document.querySelector('#field-desktop-language'); s.value = 'hi'; s.dispatchEvent(new Event('change')); })()");
    browser.click("[data-group=desktop] [data-do=save]");
    browser.wait(
        "document.documentElement.lang === 'hi' && document.querySelector('#nav').innerText.includes('सेटिंग')",
    );
    assert_eq!(kept(&shop)["desktop"]["language"].as_str(), Some("hi"));
    browser.wait("document.querySelector('#sentence').innerText === 'सब मिला हुआ है।'");
    // The engine's own words are the same for everybody.
    assert_eq!(shop.status().await["sentence"], "Everything is in step.");
    // Another browser, which knows nothing yet.
    let mut other = opened(&shop).await;
    other.wait("document.documentElement.lang === 'hi'");
    shop.raintek.kill();
    other.wait("document.querySelector('#sentence').innerText.startsWith('RainTek से कनेक्शन टूट गया।')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
