//! The first run by clicks alone: from an empty data folder to both sides in step.

use serde_json::{Value, json};
use shopsync::billing::OWN_PASSWORD_SECRET;
use shopsync::ports::Secrets as _;

use crate::browser::Browser;
use crate::harness::{Bill, SOON, Shop, eventually};
use crate::{link, says};

/// Statements that write and transactions that were begun, as RainTek's server counts them.
async fn written(shop: &Shop) -> Value {
    shop.raintek.state().await.unwrap()["writes"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_set_up_by_clicks_and_nothing_is_written_before_start() {
    let mut shop = Shop::unknown().await;
    shop.raintek.till(&["bill", "--count", "2", "--date", "2026-09-15"]).await;
    shop.lay_raintek_here();
    shop.start_as_it_is().await;
    let mut browser = Browser::open(960, 680);
    browser.go(&link(&shop).await);

    // It opens by itself, looks by itself, and comes with the shop's name.
    browser.wait("location.hash === '#setup'");
    browser.wait("document.querySelector('.candidates [data-do=use]:not([disabled])')");
    let name = browser.text(".candidates .name");
    let expected = format!(
        "Sri Venkateshwara Provision Stores (Raintech_DB1 on 127.0.0.1,{}), 2 bills, latest 15 Sep",
        shop.raintek.port
    );
    assert!(name.starts_with(&expected), "{name}");
    assert!(!shop.data().join("settings.toml").exists());

    // By hand, with a wrong password: refused in words, and nothing is kept.
    browser.wait("!document.querySelector('progress')?.checkVisibility()");
    browser.click("#view-setup details summary");
    let port = shop.raintek.port.to_string();
    for (field, text) in
        [("server", "127.0.0.1"), ("port", port.as_str()), ("user", "sa"), ("password", "wrong")]
    {
        browser.eval(&format!("document.getElementById('setup-{field}').focus()"));
        browser.type_in(text);
    }
    browser.click("[data-do=try]");
    browser.wait("document.querySelector('#view-setup form .refused').innerText === \"RainTek's server refuses the login.\"");
    assert!(!shop.data().join("settings.toml").exists());

    browser.click(".candidates [data-do=use]:not([disabled])");
    browser.wait("document.querySelector('.candidates .chosen')");
    let text = std::fs::read_to_string(shop.data().join("settings.toml")).unwrap();
    assert!(text.contains("RainTek"), "{text}");
    assert!(!shop.app.is_up().await, "no billing app is started before that step");

    // Whoever comes to the billing app wants it to run.
    browser.click("[data-do=next]");
    browser.wait_for(
        "document.querySelector('.step [role=status]').innerText === 'The billing app runs.'",
        SOON,
    );
    assert!(shop.app.is_up().await);
    shop.app.secrets.set(OWN_PASSWORD_SECRET, &shop.secret(OWN_PASSWORD_SECRET)).unwrap();
    browser.click("[data-do=next]");
    browser.click("[data-do=next]");

    // Nothing to show yet; then the newest three of four, looked up in RainTek and not written.
    browser.click("[data-do=check]");
    browser
        .wait("document.querySelector('.step .told').innerText.startsWith('There is no completed invoice')");
    for number in 801..=804 {
        Bill::plain(&format!("GST-0{number}-2026/27")).send(&shop).await;
    }
    let before = written(&shop).await;
    browser.click("[data-do=check]");
    browser.wait("document.querySelectorAll('.checks li').length === 3");
    let checks = browser.text(".checks");
    assert!(
        checks.contains("GST-0804-2026/27") && checks.contains("Would be booked as a new bill of Rs "),
        "{checks}"
    );
    assert_eq!(written(&shop).await, before);
    assert_eq!(shop.raintek.count("SELECT COUNT(*) FROM InvoiceInfo").await, 2);

    // RainTek is away for a moment: the check says so, and not that there is nothing.
    shop.raintek.kill();
    browser.click("[data-do=check]");
    browser
        .wait("document.querySelector('.step .told').innerText === \"RainTek's database is not answering.\"");
    shop.raintek.start().await;

    // Start, and what waited is booked.
    browser.click("[data-do=next]");
    browser.wait(&says("ShopSync keeps both sides in step from here on."));
    browser.wait("location.hash === '#today'");
    shop.in_step().await;
    eventually("what waited is booked", SOON, async || {
        shop.raintek.count("SELECT COUNT(*) FROM InvoiceInfo").await == 6
    })
    .await;
    assert_eq!(shop.setup_view().await["done"], json!(true));
    // The next time it opens on the day.
    browser.go("about:blank");
    browser.go(&link(&shop).await);
    browser.wait("document.querySelector('.card .big').innerText !== ''");
    assert!(browser.holds("document.body.dataset.part === 'today'"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
