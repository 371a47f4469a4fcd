//! What is shown is true: every state by shape and word, never stale as fresh, text never as markup.

use std::time::Duration;

use chrono::TimeDelta;
use shopsync::model::health::HealthState;

use crate::browser::Browser;
use crate::site::Site;
use crate::{opened, scenes};

#[test]
fn every_state_has_its_icon_title_and_tab_picture() {
    let (site, mut browser) = opened(scenes::starting());
    let scenes = [
        scenes::starting(),
        scenes::in_step(),
        scenes::working(),
        scenes::attention(),
        scenes::failing(),
        scenes::paused(),
    ];
    let mut pictures = Vec::new();
    for scene in scenes {
        let (state, sentence) = (scene.state.name(), scene.sentence.clone());
        site.publish(scene);
        browser.wait(&format!("document.querySelector('#state-icon [data-icon={state}]')"));
        assert_eq!(browser.eval("document.querySelector('#sentence').textContent"), sentence);
        browser.wait("document.querySelector('#favicon').dataset.state === document.body.dataset.state");
        pictures.push(browser.eval("document.querySelector('#favicon').href").to_string());
        assert!(browser.holds("document.title.endsWith('ShopSync')"));
    }
    pictures.sort();
    pictures.dedup();
    assert_eq!(pictures.len(), 6);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn without_the_link_nothing_is_shown() {
    let site = Site::open(scenes::attention());
    let mut browser = Browser::open(960, 680);
    browser.go(&site.address());
    browser.wait("document.body.innerText.includes('This page is locked.')");
    assert!(!browser.text("body").contains("GST-"));
    browser.go(&site.link());
    browser.wait("document.body.innerText.includes('GST-0151')");
    assert!(browser.holds("location.search === '' && document.cookie === ''"));
}

#[test]
fn a_trial_is_said_at_the_top_for_as_long_as_it_is_one() {
    let (site, mut browser) = opened(scenes::in_step());
    browser.wait("document.querySelector('#mode').hidden");
    let mut on_trial = scenes::in_step();
    on_trial.trial.banner = Some("This is a trial. <b>Test</b> data.".into());
    site.publish(on_trial);
    browser.wait("!document.querySelector('#mode').hidden");
    assert_eq!(browser.text("#mode"), "This is a trial. <b>Test</b> data.");
    site.publish(scenes::in_step());
    browser.wait("document.querySelector('#mode').hidden");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn quiet_is_not_silence() {
    let (_site, mut browser) = opened(scenes::in_step());
    browser.eval(
        "window.alarms = 0; new MutationObserver(() => { alarms += 1; }) \
         .observe(document.querySelector('#banner'), { attributes: true, childList: true }); 0",
    );
    browser.eval("new Promise((done) => setTimeout(done, 13000))");
    assert!(browser.holds("alarms === 0 && document.querySelector('#banner').hidden"));
}

#[test]
fn silence_is_said_and_the_page_comes_back_by_itself() {
    let (mut site, mut browser) = opened(scenes::in_step());
    assert!(browser.holds("document.querySelector('#banner').hidden"));
    site.stop();
    browser.wait_for("!document.querySelector('#banner').hidden", Duration::from_secs(20));
    assert!(browser.text("#banner").starts_with("No answer from ShopSync since"));
    assert!(
        browser.holds("document.body.classList.contains('stale') && document.title.startsWith('No answer')")
    );
    assert!(browser.holds("[...document.querySelectorAll('[data-do]')].every((button) => button.disabled || !button.checkVisibility())"));
    site.start();
    browser.wait("document.querySelector('#banner').hidden && !document.body.classList.contains('stale')");
    assert!(browser.holds("!document.querySelector('[data-do=sync_now]').disabled"));
}

#[test]
fn an_engine_that_says_nothing_new_is_stale_too() {
    let mut old = scenes::in_step();
    old.at -= TimeDelta::minutes(5);
    let (site, mut browser) = opened(old);
    browser.wait("document.querySelector('#banner').innerText.startsWith('No answer from ShopSync since')");
    site.publish(scenes::in_step());
    browser.wait("document.querySelector('#banner').hidden");
}

#[test]
fn names_are_only_ever_text() {
    let (_site, mut browser) = opened(scenes::hostile());
    browser.wait("document.querySelectorAll('#panel-held .item').length === 2");
    browser.click("#panel-held .item:nth-child(2) summary");
    browser.click("[data-view=problems]");
    browser.wait("document.querySelector('#view-problems li')");
    assert!(browser.holds("document.querySelectorAll('img, #page script').length === 0"));
    assert!(browser.holds("document.title !== 'taken'"));
    assert!(browser.text("#sentence").contains("<script>"));
    for view in ["today", "activity", "problems", "backups", "settings", "about"] {
        browser.click(&format!("[data-view={view}]"));
        for width in [1280, 960, 720, 390] {
            browser.resize(width, 680);
            assert!(
                browser.holds("document.documentElement.scrollWidth <= innerWidth"),
                "{view} is wider than {width}"
            );
        }
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn amounts_and_times_are_the_readers() {
    let mut scene = scenes::attention();
    for (item, amount) in scene.items.iter_mut().zip(["12345678.5", "0.00", "999"]) {
        item.amount = amount.into();
        item.state = "held".into();
    }
    scene.state = HealthState::Attention;
    let (_site, mut browser) = opened(scene);
    browser.wait("document.querySelectorAll('#panel-held .item').length === 3");
    let amounts = browser
        .eval("[...document.querySelectorAll('#panel-held .amount')].map((e) => e.innerText).join('|')");
    assert_eq!(amounts.as_str().unwrap().replace('\u{a0}', " "), "₹ 1,23,45,678.50|₹ 0.00|₹ 999.00");
    let first = browser.text("#panel-held .item:nth-child(2) .when");
    assert!(first.contains("Next try in "), "{first}");
    browser.wait(&format!(
        "document.querySelector('#panel-held .item:nth-child(2) .when').innerText !== {first:?}"
    ));
}

#[test]
fn five_hundred_held_stay_fluid_and_keep_what_is_open() {
    let (site, mut browser) = opened(scenes::held_many(500));
    browser.wait("document.querySelectorAll('#panel-held .item').length === 500");
    browser.click("[data-number='GST-0002'] summary");
    browser.eval(
        "window.kept = document.querySelector(\"[data-number='GST-0002']\"); window.changed = 0; window.longest = 0; \
         new MutationObserver((all) => { for (const m of all) changed += m.addedNodes.length + m.removedNodes.length; }) \
         .observe(document.querySelector('#panel-held .items'), { childList: true }); \
         new PerformanceObserver((list) => { for (const e of list.getEntries()) longest = Math.max(longest, e.duration); }) \
         .observe({ type: 'longtask' }); 0",
    );
    let mut next = scenes::held_many(500);
    next.items.remove(1);
    next.items[1].sentence = "Changed meanwhile.".into();
    site.publish(next);
    browser.wait(
        "document.querySelector(\"[data-number='GST-0002'] .sentence\").innerText === 'Changed meanwhile.'",
    );
    assert!(browser.holds(
        "kept === document.querySelector(\"[data-number='GST-0002']\") && kept.querySelector('details').open"
    ));
    assert_eq!(browser.eval("changed"), 1, "only the one that went may change the list");
    let longest = browser.eval("new Promise((done) => setTimeout(() => done(longest), 1500))");
    assert!(longest.as_f64().unwrap() < 400.0, "a task of {longest} ms");
}

#[test]
fn every_text_has_enough_contrast_in_light_and_dark() {
    let (site, mut browser) = opened(scenes::attention());
    browser.click("[data-card=products] button");
    browser.click("#panel-held summary");
    for scheme in ["light", "dark"] {
        browser.prefer("prefers-color-scheme", scheme);
        for view in ["problems", "backups", "settings", "about", "activity", "today"] {
            browser.click(&format!("[data-view={view}]"));
            browser.wait("document.querySelector('#page').innerText.length > 200");
            assert_eq!(browser.eval(crate::contrast::TOO_PALE), "", "{scheme}, {view}");
        }
        for scene in [scenes::failing(), scenes::hostile(), scenes::attention()] {
            let state = scene.state.name();
            site.publish(scene);
            browser.wait(&format!("document.body.dataset.state === '{state}'"));
            assert_eq!(browser.eval(crate::contrast::TOO_PALE), "", "{scheme}, {state}");
        }
    }
}

#[test]
fn before_any_proof_nothing_is_called_well() {
    let (_site, mut browser) = opened(scenes::starting());
    for tab in ["waiting", "held", "done"] {
        browser.click(&format!("[data-tab={tab}]"));
        assert_eq!(browser.text(&format!("#panel-{tab} .empty")).trim(), "ShopSync is still looking.");
    }
    assert!(browser.holds("document.querySelector('[data-icon=in_step]') === null"));
}
