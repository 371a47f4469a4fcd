//! What a person does, with mouse and keyboard, and what the engine was asked.

use chrono::Duration;
use shopsync::model::command::Command;

use crate::{opened, scenes};

#[test]
fn retry_now_of_one_held_invoice_reaches_the_engine() {
    let (site, mut browser) = opened(scenes::attention());
    browser.wait("document.querySelector('[data-tab=held]').ariaSelected === 'true'");
    browser.click("[data-number='GST-0151'] [data-do=retry]");
    browser.wait("document.querySelector('#said.shown').innerText === 'GST-0151 is being tried now.'");
    assert_eq!(site.asked(), [Command::Retry { number: "GST-0151".into() }]);
    browser.wait(
        "document.querySelector(\"[data-number='GST-0151'] [data-do=retry]\").innerText === 'Retry now'",
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_other_buttons_reach_the_engine_too() {
    let (site, mut browser) = opened(scenes::attention());
    browser.click("#panel-held [data-do=retry_all]");
    browser.wait("document.querySelector('#said.shown').innerText.startsWith('Everything')");
    browser.click("[data-do=sync_now]");
    browser.wait("document.querySelector('#said.shown').innerText.startsWith('Both')");
    browser.click("[data-do=pause]");
    browser.click("[role=menuitem]:nth-child(2)");
    browser.wait("document.querySelector('#said.shown').innerText === 'Paused.'");
    site.publish(scenes::paused());
    browser.wait("document.body.dataset.state === 'paused'");
    assert!(browser.holds("!document.querySelector('[data-do=pause]').checkVisibility()"));
    browser.click("[data-do=resume]");
    browser.wait("document.querySelector('#said.shown').innerText === 'Going on.'");

    let asked = site.asked();
    assert_eq!((&asked[0], &asked[1], &asked[3]), (&Command::RetryAll, &Command::SyncNow, &Command::Resume));
    let Command::Pause { until } = &asked[2] else { panic!("{asked:?}") };
    let minutes = (*until - scenes::now()).num_seconds();
    assert!((3300..=3600).contains(&minutes), "{minutes} s");
}

#[test]
fn until_tomorrow_is_the_shops_own_midnight() {
    let (site, mut browser) = opened(scenes::in_step());
    browser.click("[data-do=pause]");
    browser.click("[role=menuitem]:nth-child(3)");
    browser.wait("document.querySelector('#said.shown')");
    let asked = site.asked();
    let Command::Pause { until } = &asked[0] else { panic!("{asked:?}") };
    // Midnight in India is 18:30 UTC.
    assert_eq!(until.format("%H:%M:%S").to_string(), "18:30:00");
    assert!(*until > scenes::now() && *until <= scenes::now() + Duration::days(1));
}

#[test]
fn everything_is_reached_and_seen_by_keyboard() {
    let (site, mut browser) = opened(scenes::attention());
    let mut reached = Vec::new();
    for _ in 0..24 {
        browser.press("Tab");
        let name = browser.eval("document.activeElement.dataset.do ?? document.activeElement.dataset.tab ?? document.activeElement.dataset.view ?? document.activeElement.tagName");
        if name == "BODY" {
            break;
        }
        assert!(
            browser.holds("getComputedStyle(document.activeElement).outlineStyle !== 'none'"),
            "{name} unseen"
        );
        reached.push(name.as_str().unwrap().to_owned());
    }
    let all = [
        "pause",
        "sync_now",
        "more",
        "held",
        "INPUT",
        "retry_all",
        "SUMMARY",
        "retry",
        "pull",
        "today",
        "settings",
    ];
    for wanted in all {
        assert!(reached.iter().any(|name| name == wanted), "{wanted} in {reached:?}");
    }
    browser.eval("document.querySelector('[data-tab=held]').focus()");
    browser.press("ArrowRight");
    assert!(browser.holds("document.activeElement.dataset.tab === 'done' && location.hash === '#done'"));
    browser.eval("document.querySelector('[data-do=pause]').focus()");
    browser.press("Enter");
    assert!(browser.holds("document.activeElement.innerText === '15 minutes'"));
    browser.press("ArrowDown");
    browser.press("Escape");
    assert!(
        browser
            .holds("document.activeElement.dataset.do === 'pause' && document.querySelector('.menu').hidden")
    );
    browser.eval("document.querySelector('[data-do=sync_now]').focus()");
    browser.press("Enter");
    browser.wait("document.querySelector('#said.shown')");
    assert_eq!(site.asked(), [Command::SyncNow]);
}

#[test]
fn search_details_and_problems_show_what_was_asked_for() {
    let (_site, mut browser) = opened(scenes::failing());
    browser.wait("document.querySelectorAll('#panel-waiting .item').length === 12");
    browser.eval("document.querySelector('#tabs input').focus()");
    browser.type_in("gst-0165");
    browser.wait("document.querySelectorAll('#panel-waiting .item').length === 1");
    browser.click("#panel-waiting summary");
    browser.wait("document.querySelector('#panel-waiting pre').innerText.includes('timed out')");
    browser.wait("document.querySelector('#panel-waiting .plan').innerText.includes('GrandTotal 2900.00')");
    browser.type_in(" nobody");
    browser.wait("document.querySelector('#panel-waiting .empty').innerText.includes('Nothing found')");

    let (_site, mut browser) = opened(scenes::attention());
    browser.click("[data-card=products] button");
    browser.wait("document.querySelectorAll('#product-problems li').length === 3");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn who_follows_a_toast_comes_to_its_invoice() {
    let (site, mut browser) = opened(scenes::attention());
    browser.eval("location.hash = '#done'");
    browser.wait("document.querySelector('[data-tab=done]').ariaSelected === 'true'");
    browser.eval("location.hash = '#invoice=GST%2D0151'");
    browser.wait("document.querySelector('[data-tab=held]').ariaSelected === 'true'");
    browser.wait("document.querySelector(\"[data-number='GST-0151'] details\").open");
    assert!(
        browser
            .holds("document.querySelector(\"[data-number='GST-0151']\").contains(document.activeElement)")
    );
    // One that is gone by now, and what was never a number: the list, and no complaint.
    for hash in ["GST%2D9999", "%", ""] {
        browser.eval("location.hash = '#done'");
        browser.wait("document.querySelector('[data-tab=done]').ariaSelected === 'true'");
        browser.eval(&format!("location.hash = '#invoice={hash}'"));
        browser.wait("document.querySelector('[data-tab=held]').ariaSelected === 'true'");
    }
    // As the first thing that is opened, before anything was heard.
    browser.go(&format!("{}#invoice=GST%2D0151", site.link()));
    browser.wait("document.querySelector(\"[data-number='GST-0151'] details\")?.open");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
