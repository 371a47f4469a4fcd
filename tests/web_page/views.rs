//! The parts behind the bar: what is done there reaches ShopSync, and what it says is shown.

use serde_json::json;
use shopsync::model::backup::BackupTask;
use shopsync::model::command::Command;

use crate::browser::Browser;
use crate::site::Site;
use crate::{opened, scenes};

#[test]
fn back_up_now_reaches_the_engine_and_its_progress_is_shown() {
    let (site, mut browser) = opened(scenes::in_step());
    browser.click("[data-view=backups]");
    browser.wait("document.querySelectorAll('#view-backups tbody tr').length === 5");
    let first = browser.text("#view-backups tbody tr");
    assert!(first.contains("Raintech_DB1_20261125.bak") && first.contains("42 MB"), "{first}");
    assert!(first.contains("Proven: read back") && browser.text("#view-backups").contains("Not proven"));
    browser.click("[data-do=backup_now]");
    browser.wait("document.querySelector('#said.shown').innerText === 'Backing up now.'");
    assert_eq!(site.asked(), [Command::Backup { task: BackupTask::Now }]);
    for percent in [40, 90] {
        site.publish(scenes::backing_up(percent));
        browser.wait(&format!("document.querySelector('#view-backups progress').value === {percent}"));
        browser.wait(&format!(
            "document.querySelector('#view-backups .work').innerText.includes('{percent} %')"
        ));
        assert!(browser.holds("document.querySelector('[data-do=backup_now]').disabled"));
    }
    site.publish(scenes::in_step());
    browser.wait("document.querySelector('#view-backups .work').hidden");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_setting_is_changed_kept_and_refused_in_words() {
    let (site, mut browser) = opened(scenes::in_step());
    browser.click("[data-view=settings]");
    browser.wait("document.querySelector('[data-field=\"backup.keep_days\"] input').value === '30'");
    assert!(browser.holds("[...document.querySelectorAll('.field label')].every((label) => label.control)"));
    assert!(browser.holds(
        "[...document.querySelectorAll('.field input')].every((i) => i.type !== 'password' || i.value === '')"
    ));

    // Bad input is refused before anything is sent.
    write(&mut browser, "backup.keep_days", "many");
    browser.wait("document.querySelector('[data-field=\"backup.keep_days\"] .refused:not(.room)').innerText.startsWith('Write a whole number')");
    browser.click("[data-group=backup] [data-do=save]");
    assert!(browser.holds("document.activeElement.id === 'field-backup-keep_days'"), "it leads to the field");
    write(&mut browser, "backup.times", "25:70");
    browser.wait(
        "document.querySelector('[data-field=\"backup.times\"] .refused:not(.room)').innerText.startsWith('Write a time')",
    );
    assert!(site.back.asked_of("/api/settings").is_empty());

    // What only ShopSync knows to be bad is said beside the field, and nothing of the form is kept.
    write(&mut browser, "backup.times", "20:30");
    write(&mut browser, "backup.keep_days", "0");
    browser.click("[data-group=backup] [data-do=save]");
    browser.wait("document.querySelector('[data-field=\"backup.keep_days\"] .refused:not(.room)').innerText === 'Backups are kept for at least 1 day.'");
    assert!(
        browser.holds(
            "document.querySelector('#field-backup-keep_days').getAttribute('aria-invalid') === 'true'"
        )
    );
    assert!(site.back.asked_of("/api/settings").is_empty());

    write(&mut browser, "backup.keep_days", "60");
    browser.click("[data-group=backup] [data-do=save]");
    browser.wait("document.querySelector('#said.shown').innerText === 'Saved.'");
    let changes = json!({"changes": {"backup.times": ["20:30"], "backup.keep_days": 60}});
    assert_eq!(site.back.asked_of("/api/settings"), [changes]);
    browser.wait("document.querySelector('#field-backup-keep_days').value === '60'");
    browser.wait("document.activeElement.dataset.do === 'save'");

    // A secret is sent once and never shown, and what needs a restart says so.
    write(&mut browser, "raintek.database", "Raintech_DB2");
    write(&mut browser, "raintek.password", "new secret");
    browser.click("[data-group=raintek] [data-do=test]");
    browser.wait("document.querySelector('[data-group=raintek] .told').innerText === \"RainTek's server refuses the login.\"");
    let tried = &site.back.asked_of("/api/settings/test")[0];
    assert_eq!(
        (&tried["what"], &tried["changes"]["raintek.password"]),
        (&json!("raintek"), &json!("new secret"))
    );
    browser.click("[data-group=raintek] [data-do=save]");
    browser.wait("document.querySelector('#field-raintek-password').value === ''");
    assert_eq!(site.back.value("raintek.database"), "Raintech_DB2");
    assert!(browser.holds("document.querySelector('.restart').hidden"));
    write(&mut browser, "web.port", "3031");
    browser.click("[data-group=advanced] [data-do=save]");
    browser.wait(
        "document.querySelector('.restart').innerText.startsWith('Restart ShopSync for: Port of this page')",
    );
    assert_eq!(
        browser.complaints().into_iter().filter(|line| !line.contains("422")).collect::<Vec<_>>(),
        Vec::<String>::new()
    );
}

fn write(browser: &mut Browser, key: &str, text: &str) {
    put(browser, key, text);
    // As leaving the field does.
    browser.press("Tab");
}

#[test]
fn a_click_on_save_straight_from_a_field_that_is_refused_hits_the_button() {
    // Leaving the field is pressing the mouse: what is said of it then moves nothing of what lies below it.
    const PLACES: &str = "JSON.stringify([...document.querySelectorAll('.field > input, [data-do=save]')].map((one) => one.getBoundingClientRect().top + scrollY))";
    for (language, width) in [("en", 960), ("hi", 960), ("en", 390), ("hi", 390)] {
        let site = Site::open(scenes::in_step());
        site.back.choose("desktop.language", language);
        let mut browser = Browser::open(width, 680);
        browser.go(&format!("{}#settings", site.link()));
        browser.wait("document.querySelector('#field-backup-keep_days')");
        let before = browser.eval(PLACES);
        for (key, text) in [("backup.times", "25:70"), ("backup.keep_days", "many")] {
            put(&mut browser, key, text);
            browser.click("[data-group=backup] [data-do=save]");
            let refused = format!(
                "document.querySelector('[data-field=\"{key}\"] .refused:not(.room)').checkVisibility()"
            );
            browser.wait(&refused);
            browser.wait("document.activeElement.getAttribute('aria-invalid') === 'true'");
            assert_eq!(browser.eval(PLACES), before, "{language} {width} {key}");
        }
        assert!(site.back.asked_of("/api/settings").is_empty());

        // A long refusal of ShopSync's own makes room for itself; it goes while the field is mended, not when it is left.
        put(&mut browser, "backup.times", "20:30");
        put(&mut browser, "backup.keep_days", "0");
        browser.click("[data-group=backup] [data-do=save]");
        browser.wait("document.querySelector('[data-field=\"backup.keep_days\"] .refused:not(.room)').checkVisibility()");
        put(&mut browser, "backup.keep_days", "60");
        let mended = browser.eval(PLACES);
        assert_eq!(mended, before, "{language} {width}");
        browser.click("[data-group=backup] [data-do=save]");
        browser.wait("document.querySelector('#field-backup-keep_days').value === '60' && document.querySelector('#said.shown')");
        let changes = json!({"changes": {"backup.times": ["20:30"], "backup.keep_days": 60}});
        assert_eq!(site.back.asked_of("/api/settings"), [changes], "{language} {width}");
    }
}

/// Writes into a field and stays there.
fn put(browser: &mut Browser, key: &str, text: &str) {
    let id = format!("field-{}", key.replace('.', "-"));
    browser
        .eval(&format!("(() => {{ const i = document.getElementById('{id}'); i.focus(); i.select(); }})()"));
    browser.type_in(text);
}

#[test]
fn the_language_is_switched_at_once_and_all_of_it() {
    let (site, mut browser) = opened(scenes::attention());
    browser.click("[data-view=settings]");
    browser.wait("document.querySelector('#field-desktop-language')");
    browser.eval("(() => { const s = document.querySelector('#field-desktop-language'); s.value = 'hi'; s.dispatchEvent(new Event('change')); })()");
    browser.click("[data-group=desktop] [data-do=save]");
    browser.wait(
        "document.documentElement.lang === 'hi' && document.querySelector('#nav').innerText.includes('सेटिंग')",
    );
    assert_eq!(site.back.value("desktop.language"), "hi");
    browser.wait("document.querySelector('#sentence').textContent === '1 बिल को आपकी ज़रूरत है: GST-0151। सामान “Blue pen” RainTek में नहीं है।'");
    browser.click("[data-view=today]");
    browser.wait(
        "document.querySelector('#panel-held .sentence').innerText === 'सामान “Blue pen” RainTek में नहीं है।'",
    );
    let amount = browser.text("#panel-held .amount").replace('\u{a0}', " ");
    assert_eq!(amount, "₹ 8,44,047.50");
    browser.click("[data-view=settings]");
    browser.wait("document.querySelector('#field-desktop-theme')");
    browser.eval("(() => { const s = document.querySelector('#field-desktop-theme'); s.value = 'dark'; s.dispatchEvent(new Event('change')); })()");
    browser.click("[data-group=desktop] [data-do=save]");
    browser.wait("document.documentElement.dataset.theme === 'dark' && getComputedStyle(document.body).backgroundColor === 'rgb(20, 23, 28)'");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_journal_is_filtered_goes_back_and_can_be_taken_along() {
    let (site, mut browser) = opened(scenes::in_step());
    browser.click("[data-view=activity]");
    browser.wait("document.querySelectorAll('#view-activity li').length === 100");
    browser.click("[data-do=older]");
    browser.wait("document.querySelectorAll('#view-activity li').length === 200");
    browser.eval("(() => { const s = document.querySelector('#view-activity select'); s.value = 'link'; s.dispatchEvent(new Event('change')); })()");
    browser.wait("document.querySelectorAll('#view-activity li').length === 2");
    assert!(browser.holds("document.querySelector('[data-do=older]').hidden"));
    let csv = browser.eval("fetch('/api/journal.csv?kind=link').then((answer) => answer.text())");
    assert_eq!(csv.as_str().unwrap().lines().count(), 3, "{csv}");
    // As a window does it, which has no downloads.
    let saved = browser
        .eval("import('/api.js').then(({ post }) => post('/api/journal/save?kind=link')).then((answer) => answer.body)");
    let path = std::path::Path::new(saved["path"].as_str().unwrap());
    assert!(path.starts_with(site.back.data()), "{path:?}");
    assert!(std::fs::read_to_string(path).unwrap().contains("RainTek's database is not answering."));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn what_is_open_says_since_when_and_what_is_done_about_it() {
    let (site, mut browser) = opened(scenes::failing());
    browser.wait("document.querySelector('[data-view=problems] .badge').innerText === '1'");
    browser.click("[data-view=problems]");
    browser.wait("document.querySelector('[data-problem=raintek]')");
    let text = browser.text("[data-problem=raintek]");
    for part in ["RainTek's database is not answering.", "since ", "Next try in "] {
        assert!(text.contains(part), "{part} in {text}");
    }
    site.publish(scenes::attention());
    browser.wait("document.querySelector('[data-view=problems] .badge').innerText === '4'");
    browser.click("[data-do=rewrite]:not([hidden])");
    browser.click("dialog [data-do=yes]");
    browser.wait("document.querySelector('#said.shown').innerText.includes('written into RainTek again')");
    assert_eq!(site.asked(), [Command::Rewrite { number: "GST-0099-2025/26".into() }]);
    site.publish(scenes::in_step());
    browser.wait("document.querySelector('#view-problems .empty').innerText.startsWith('Nothing is open.')");
    browser.wait("document.querySelector('[data-view=problems] .badge').hidden");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn an_unknown_item_is_pulled_or_booked_on_a_product_that_is_named_once() {
    let (site, mut browser) = opened(scenes::attention());
    browser.click("[data-number='GST-0151'] [data-do=pull]");
    browser.wait("document.querySelector('#said.shown').innerText.startsWith('Both')");
    browser.click("[data-number='GST-0151'] [data-do=book]");
    browser.wait("document.querySelector('dialog input') === document.activeElement");
    browser.type_in("P-9999");
    browser.press("Enter");
    browser.wait("document.querySelector('#said.shown').innerText === 'GST-0151 is being tried now.'");
    assert_eq!(site.back.value("products.unknown_item"), "P-9999");
    assert_eq!(site.asked(), [Command::SyncNow, Command::Retry { number: "GST-0151".into() }]);
    browser.wait(
        "document.querySelector(\"[data-number='GST-0151'] [data-do=book]\").innerText === 'Book as P-9999'",
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_day_is_drawn_and_its_invoices_are_listed_and_found() {
    let (_site, mut browser) = opened(scenes::in_step());
    browser.wait("document.querySelectorAll('#charts .bar').length > 0");
    assert!(browser.holds("document.querySelectorAll('#charts .dot.slowest').length === document.querySelectorAll('#charts .dot.middle').length"));
    assert!(
        browser.holds("document.querySelectorAll('#charts .unseen table').length === 2"),
        "also as tables"
    );
    browser.click("[data-tab=done]");
    browser.wait("document.querySelectorAll('#panel-done li').length > 0");
    browser.eval("document.querySelector('#tabs input').focus()");
    browser.type_in("gst-0143");
    browser.wait("document.querySelectorAll('#panel-done li').length === 1");
    assert!(browser.text("#panel-done li").contains("Asha Traders"));
    browser.eval("(() => { const s = document.querySelector('#tabs input'); s.value = ''; s.dispatchEvent(new Event('input')); })()");
    browser.click("[data-tab=raintek]");
    browser.wait("document.querySelectorAll('#panel-raintek li').length === 4");
    browser.wait("document.querySelector('#panel-raintek').innerText.includes('an invoice of the app has this number too')");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_first_run_asks_for_nothing_that_can_be_found() {
    let site = Site::first_run(scenes::starting());
    let mut browser = Browser::open(960, 680);
    browser.go(&site.link());
    // It looks by itself, and comes with what it found.
    browser.wait("document.querySelector('.candidates .name').innerText.startsWith('Demo Mart')");
    assert!(
        browser.holds("location.hash === '#setup' && !document.querySelector('#view-setup details').open")
    );
    browser.click("[data-do=use]");
    browser.wait("document.querySelector('.candidates .chosen')");
    assert_eq!(site.back.asked_of("/api/setup/use"), [json!({"id": "1"})]);
    assert!(
        browser.holds("document.querySelectorAll('.candidates li').length === 1"),
        "one shop stands there once"
    );
    browser.click("[data-do=next]");
    browser.wait("document.querySelector('.addresses code').innerText === 'http://192.168.1.5:8090'");
    browser.wait("document.querySelector('.addresses img').naturalWidth > 0");
    browser.click("[data-do=next]");
    browser.eval("document.querySelector('#setup-token').focus()");
    browser.type_in("123456:ABC-DEF");
    browser.press("Enter");
    browser.wait("document.querySelector('.step .told').innerText.includes('@demo_mart_bot')");
    assert_eq!(site.back.asked_of("/api/setup/telegram"), [json!({"token": "123456:ABC-DEF"})]);
    site.back.setup.lock().unwrap()["telegram"] = json!({"token": true, "chat": "Asha"});
    browser.wait("document.querySelector('.step .told').innerText === 'Alerts go to Asha.'");
    browser.click("[data-do=next]");
    browser.click("[data-do=check]");
    browser.wait("document.querySelectorAll('.checks li').length === 2");
    assert!(browser.text(".checks").contains("Would be booked as a new bill of Rs 2,900.00"));
    browser.click("[data-do=next]");
    browser.wait("location.hash === '#today'");
    assert_eq!(site.back.asked_of("/api/setup/start").len(), 1);
    // Once it was done, the page opens on the day.
    browser.go("about:blank");
    browser.go(&site.link());
    browser.wait("document.querySelector('.card .big').innerText !== ''");
    assert!(browser.holds("document.body.dataset.part === 'today'"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_first_run_comes_also_where_the_pc_was_too_busy_to_say_so() {
    let site = Site::first_run(scenes::starting());
    site.back.setup.lock().unwrap()["busy"] = json!(true);
    let mut browser = Browser::open(960, 680);
    browser.go(&site.link());
    browser.wait("performance.getEntriesByName(new URL('/api/setup', location)).length > 0");
    browser.wait("document.querySelector('.card .big').innerText !== ''");
    assert!(browser.holds("document.body.dataset.part === 'today'"));
    site.back.setup.lock().unwrap()["busy"] = json!(false);
    browser.wait("location.hash === '#setup' && document.querySelector('.candidates .name')");
}

#[test]
fn a_step_that_takes_its_time_says_what_it_is_at() {
    let site = Site::first_run(scenes::starting());
    site.back.setup.lock().unwrap()["billing"]["running"] = json!(false);
    site.back.choose("desktop.language", "hi");
    site.back.steps.send_replace(false);
    let mut browser = Browser::open(960, 680);
    browser.go(&site.link());
    browser.click("[data-do=use]");
    browser.wait("document.querySelector('.candidates .chosen')");
    browser.click("[data-do=next]");
    let doing = |sentence: &str| site.back.setup.lock().unwrap()["doing"] = json!(sentence);
    let says = |words: &str| format!("document.querySelector('.step [role=status]').innerText === '{words}'");
    browser.wait(&says("बिलिंग ऐप चालू हो रहा है…"));
    doing("Setting up the billing app.");
    browser.wait(&says("बिलिंग ऐप तैयार हो रहा है।"));
    site.back.setup.lock().unwrap()["billing"]["running"] = json!(true);
    doing("");
    site.back.steps.send_replace(true);
    browser.wait(&says("बिलिंग ऐप चल रहा है।"));
    site.back.steps.send_replace(false);
    browser.click("[data-do=next]");
    browser.click("[data-do=next]");
    browser.click("[data-do=check]");
    doing("Looking in RainTek what GST-0151 would change there.");
    browser.wait(&says("RainTek में देख रहे हैं कि GST-0151 से वहाँ क्या बदलेगा।"));
    assert!(browser.holds("document.querySelector('[data-do=check]').disabled"));
    doing("");
    site.back.steps.send_replace(true);
    browser.wait("document.querySelectorAll('.checks li').length === 2");
    // One that did not work says why, and not that there is nothing.
    site.back.setup.lock().unwrap()["broken"] = json!("RainTek's server refuses the login.");
    browser.click("[data-do=check]");
    browser.wait(&says("RainTek का सर्वर लॉगिन नहीं मान रहा।"));
    assert!(browser.holds("document.querySelectorAll('.checks li').length === 0"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn nothing_of_about_is_moved_away_under_the_mouse() {
    // Within its sheet: what the state says above that may be longer or shorter.
    const PLACES: &str = "JSON.stringify(['diagnostics', 'licence-list'].map((name) => document.querySelector(`.${name}`).getBoundingClientRect().top \
        - document.querySelector('.about').getBoundingClientRect().top))";
    let (site, mut browser) = opened(scenes::in_step());
    site.back.about.send_replace(false);
    browser.click("[data-view=about]");
    browser.wait("document.querySelector('.about .version').innerText === 'Version 0.1.0'");
    assert!(
        browser.holds("!document.querySelector('[data-do=diagnostics]').checkVisibility()"),
        "what is still to come above it would move it"
    );
    site.back.about.send_replace(true);
    browser.wait("document.querySelector('[data-do=diagnostics]').checkVisibility()");
    let before = browser.eval(PLACES);
    let facts = browser.text(".about .facts");
    assert!(
        facts.contains("PocketBase") && facts.contains(&site.back.data().join("logs").display().to_string()),
        "{facts}"
    );
    site.publish(scenes::attention());
    browser.wait("document.body.dataset.state === 'attention'");
    assert_eq!(browser.eval(PLACES), before);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn diagnostics_are_seen_before_they_are_saved() {
    let (_site, mut browser) = opened(scenes::in_step());
    browser.click("[data-do=more]");
    browser.click(".more [role=menuitem]:nth-child(3)");
    browser.wait("document.body.dataset.part === 'about'");
    assert!(browser.holds("document.querySelector('[data-do=diagnostics_save]').hidden"));
    browser.click("[data-do=diagnostics]");
    browser.wait("document.querySelectorAll('.diagnostic-files details').length === 2");
    assert!(browser.holds("document.querySelector('[data-do=diagnostics_save]').checkVisibility()"));
    browser.click(".licence-list summary");
    browser.wait(
        "[...document.querySelectorAll('.licences li')].some((line) => line.innerText.startsWith('axum '))",
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
