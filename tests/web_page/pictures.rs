//! Pictures of the page for people: `cargo test --test web_page pictures -- --ignored`, then `target/screenshots`.

use std::path::Path;

use shopsync::model::status::Snapshot;

use crate::browser::Browser;
use crate::scenes;
use crate::site::Site;

fn picture(name: &str, scene: Snapshot, size: (u32, u32), dark: bool, clicks: &[&str]) {
    let site = Site::open(scene);
    let mut browser = Browser::open(size.0, size.1);
    browser.prefer("prefers-color-scheme", if dark { "dark" } else { "light" });
    browser.go(&site.link());
    browser.wait("document.querySelector('.card .big').innerText !== ''");
    for selector in clicks {
        browser.click(selector);
    }
    browser.eval("scrollTo(0, 0)");
    browser.eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    let folder = std::env::var_os("SHOPSYNC_SCREENSHOTS").unwrap_or_else(|| "target/screenshots".into());
    std::fs::create_dir_all(&folder).unwrap();
    browser.screenshot(&Path::new(&folder).join(format!("{name}.png")));
}

const WINDOW: (u32, u32) = (960, 680);
const SMALL: (u32, u32) = (720, 520);
const PHONE: (u32, u32) = (390, 844);

#[test]
#[ignore = "for people to look at"]
fn pictures() {
    picture("1-starting", scenes::starting(), WINDOW, false, &[]);
    picture("2-in-step", scenes::in_step(), WINDOW, false, &[]);
    picture("2-in-step-dark", scenes::in_step(), WINDOW, true, &["[data-view=activity]"]);
    picture("3-working", scenes::working(), WINDOW, false, &[]);
    picture("4-attention", scenes::attention(), WINDOW, false, &[]);
    picture("4-attention-dark", scenes::attention(), WINDOW, true, &[]);
    picture("5-failing", scenes::failing(), WINDOW, false, &[]);
    picture("5-failing-dark", scenes::failing(), WINDOW, true, &[]);
    picture("6-paused", scenes::paused(), WINDOW, false, &["[data-tab=waiting]"]);
    picture("held-500", scenes::held_many(500), WINDOW, false, &[]);
    picture("hostile", scenes::hostile(), WINDOW, false, &[]);
    picture("menu", scenes::in_step(), WINDOW, false, &["[data-tab=held]", "[data-do=pause]"]);
    picture(
        "opened",
        scenes::attention(),
        WINDOW,
        false,
        &["[data-card=products] button", "#panel-held summary"],
    );
    picture(
        "opened-dark",
        scenes::attention(),
        WINDOW,
        true,
        &["[data-card=products] button", "#panel-held summary"],
    );
    picture("said", scenes::attention(), WINDOW, false, &["#panel-held [data-do=retry_all]"]);
    let old = Snapshot { at: scenes::now() - chrono::Duration::minutes(9), ..scenes::attention() };
    picture("stale", old.clone(), WINDOW, false, &[]);
    picture("stale-dark", old, WINDOW, true, &[]);
    picture("small", scenes::attention(), SMALL, false, &[]);
    picture("phone", scenes::attention(), PHONE, false, &[]);
    picture("phone-failing-dark", scenes::failing(), PHONE, true, &[]);
    picture("phone-hostile", scenes::hostile(), PHONE, false, &[]);
    picture("phone-activity", scenes::in_step(), PHONE, false, &["[data-view=activity]"]);
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
    std::fs::write("/tmp/page/link", site.link()).unwrap();
    loop {
        std::thread::park();
    }
}
