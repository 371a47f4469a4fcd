//! Pictures of the page for people: `cargo xtask screenshots`, then `target/screenshots`.

use std::path::{Path, PathBuf};

use shopsync::model::status::Snapshot;

use crate::browser::Browser;
use crate::scenes;
use crate::site::Site;

/// How a picture is taken.
struct Look {
    size: (u32, u32),
    dark: bool,
    hindi: bool,
}

const LIGHT: Look = Look { size: (960, 680), dark: false, hindi: false };
const DARK: Look = Look { dark: true, ..LIGHT };
const HINDI: Look = Look { hindi: true, ..LIGHT };
const WIDE: Look = Look { size: (1280, 860), ..LIGHT };
const SMALL: Look = Look { size: (720, 520), ..LIGHT };
const PHONE: Look = Look { size: (390, 844), ..LIGHT };
const PHONE_DARK: Look = Look { dark: true, ..PHONE };
const PHONE_HINDI: Look = Look { hindi: true, ..PHONE };

fn picture(name: &str, scene: Snapshot, look: &Look, part: &str, clicks: &[&str]) {
    // It answers until the picture is taken: what is clicked last may ask it.
    let site = Site::open(scene);
    let mut browser = arranged(&site, look, part, clicks);
    keep(&mut browser, name);
}

/// The page as it is to be seen: this part of it, after these clicks.
fn arranged(site: &Site, look: &Look, part: &str, clicks: &[&str]) -> Browser {
    if look.hindi {
        site.back.choose("desktop.language", "hi");
    }
    let zone = scenes::in_the_afternoon();
    let mut browser = Browser::open_in(zone.name(), look.size.0, look.size.1);
    browser.prefer("prefers-color-scheme", if look.dark { "dark" } else { "light" });
    browser.go(&format!("{}#{part}", site.link()));
    browser.wait("document.querySelector('.card .big').innerText !== ''");
    browser.wait("document.body.dataset.part !== 'today' || !document.querySelector('#charts').hidden");
    browser.wait("document.body.dataset.part !== 'settings' || document.querySelector('.field')");
    for selector in clicks {
        browser.click(selector);
    }
    browser.eval("if (!document.querySelector('dialog')) scrollTo(0, 0)");
    browser
}

fn keep(browser: &mut Browser, name: &str) {
    browser.eval("new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 250))");
    let named = std::env::var_os("SHOPSYNC_SCREENSHOTS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots"));
    std::fs::create_dir_all(&folder).unwrap();
    browser.screenshot(&folder.join(format!("{name}.png")));
}

#[test]
#[ignore = "for people to look at"]
fn pictures() {
    scenes::in_the_afternoon();
    picture("1-starting", scenes::starting(), &LIGHT, "", &[]);
    picture("2-in-step", scenes::in_step(), &LIGHT, "", &[]);
    picture("2-in-step-dark", scenes::in_step(), &DARK, "", &[]);
    picture("3-working", scenes::working(), &LIGHT, "", &[]);
    picture("4-attention", scenes::attention(), &LIGHT, "", &[]);
    picture("4-attention-dark", scenes::attention(), &DARK, "", &[]);
    picture("5-failing", scenes::failing(), &LIGHT, "", &[]);
    picture("5-failing-dark", scenes::failing(), &DARK, "", &[]);
    picture("6-paused", scenes::paused(), &LIGHT, "", &["[data-tab=waiting]"]);
    for (name, look) in [
        ("1280", &WIDE),
        ("720", &SMALL),
        ("390", &PHONE),
        ("390-dark", &PHONE_DARK),
        ("390-hindi", &PHONE_HINDI),
    ] {
        for part in ["held", "activity", "problems", "backups", "settings", "about"] {
            picture(&format!("{part}-{name}"), scenes::attention(), look, part, &[]);
        }
    }
    for part in ["held", "done", "raintek", "activity", "problems", "backups", "settings", "about"] {
        picture(&format!("{part}-960"), scenes::attention(), &LIGHT, part, &[]);
        picture(&format!("{part}-960-hindi"), scenes::attention(), &HINDI, part, &[]);
        picture(&format!("{part}-960-dark"), scenes::attention(), &DARK, part, &[]);
    }
    picture("held-0", scenes::in_step(), &LIGHT, "held", &[]);
    picture("held-3", scenes::held_many(3), &LIGHT, "held", &[]);
    picture("held-500", scenes::held_many(500), &LIGHT, "held", &[]);
    picture("names", scenes::hostile(), &LIGHT, "held", &[]);
    picture("names-390", scenes::hostile(), &PHONE, "held", &[]);
    picture("menu", scenes::in_step(), &LIGHT, "held", &["[data-do=pause]"]);
    picture(
        "details",
        scenes::attention(),
        &LIGHT,
        "held",
        &["[data-card=products] button", "#panel-held summary"],
    );
    picture("question", renumber(), &LIGHT, "held", &["[data-do=renumber]"]);
    picture("said", scenes::attention(), &LIGHT, "held", &["#panel-held [data-do=retry_all]"]);
    picture("backing-up", scenes::backing_up(40), &LIGHT, "backups", &[]);
    picture("licences", scenes::in_step(), &LIGHT, "about", &[".licence-list summary"]);
    let old = Snapshot { at: scenes::now() - chrono::Duration::minutes(9), ..scenes::attention() };
    picture("stale", old.clone(), &LIGHT, "", &[]);
    picture("stale-dark", old, &DARK, "", &[]);
    gone();
    diagnostics();
    refused();
    keyboard();
    for (name, look) in [("", &LIGHT), ("-dark", &DARK), ("-hindi", &HINDI), ("-390", &PHONE)] {
        first_run(name, look);
    }
}

fn renumber() -> Snapshot {
    let mut scene = scenes::attention();
    for item in &mut scene.items {
        item.action_kind = "renumber".into();
    }
    scene
}

/// What would be given away, one file of it open.
fn diagnostics() {
    let site = Site::open(scenes::in_step());
    let mut browser = arranged(&site, &LIGHT, "about", &["[data-do=diagnostics]"]);
    browser.click(".diagnostic-files summary");
    browser.eval("scrollTo(0, 0)");
    keep(&mut browser, "diagnostics");
}

/// A setting that cannot be meant.
fn refused() {
    let site = Site::open(scenes::in_step());
    let mut browser = arranged(&site, &LIGHT, "settings", &[]);
    browser.eval(
        "(() => { const i = document.getElementById('field-backup-keep_days'); i.focus(); i.select(); })()",
    );
    browser.type_in("many");
    browser.press("Tab");
    browser.wait(
        "document.querySelector('[data-field=\"backup.keep_days\"] .refused:not(.room)').checkVisibility()",
    );
    keep(&mut browser, "settings-refused");
}

/// ShopSync ended while the page was looked at.
fn gone() {
    let mut site = Site::open(scenes::in_step());
    let mut browser = arranged(&site, &LIGHT, "", &[]);
    site.stop();
    browser.wait("document.body.classList.contains('stale')");
    keep(&mut browser, "engine-gone");
}

/// What has the focus is seen.
fn keyboard() {
    let site = Site::open(scenes::attention());
    let mut browser = arranged(&site, &LIGHT, "held", &[]);
    for (presses, name) in [(1, "pause"), (3, "list"), (4, "item")] {
        for _ in 0..presses {
            browser.press("Tab");
        }
        keep(&mut browser, &format!("keyboard-{name}"));
    }
}

fn first_run(name: &str, look: &Look) {
    let site = Site::first_run(scenes::not_set_up());
    let mut browser = arranged(&site, look, "setup", &[]);
    browser.wait("document.querySelector('.candidates .name')");
    keep(&mut browser, &format!("first-run-1{name}"));
    browser.click("[data-do=use]");
    browser.wait("document.querySelector('.candidates .chosen')");
    for step in 2..=4 {
        browser.click("[data-do=next]");
        if step == 4 {
            browser.click("[data-do=check]");
            browser.wait("document.querySelectorAll('.checks li').length === 2");
        }
        keep(&mut browser, &format!("first-run-{step}{name}"));
    }
}

/// Serves a scene until it is killed: for working on the page.
#[test]
#[ignore = "for people to look at"]
fn serve() {
    let scene = match std::env::var("SCENE").unwrap_or_default().as_str() {
        "attention" => scenes::attention(),
        "failing" => scenes::failing(),
        "many" => scenes::held_many(500),
        "hostile" => scenes::hostile(),
        "starting" => scenes::starting(),
        "backing_up" => scenes::backing_up(40),
        _ => scenes::in_step(),
    };
    let site = if std::env::var_os("FIRST").is_some() { Site::first_run(scene) } else { Site::open(scene) };
    std::fs::write(std::env::var_os("LINK").unwrap(), site.link()).unwrap();
    loop {
        std::thread::park();
    }
}
