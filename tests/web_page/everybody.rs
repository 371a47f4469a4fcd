//! For whoever cannot see well, cannot use a mouse, or wants nothing to move: axe-core finds no fault anywhere.

use std::path::PathBuf;

use crate::browser::Browser;
use crate::scenes;
use crate::site::Site;

/// Every rule of WCAG 2.2 A and AA, and axe's own best practices.
const RUN: &str = "axe.run(document, { resultTypes: ['violations'] }).then((found) => found.violations.flatMap((one) => \
    one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`)).join('\\n'))";

fn axe() -> String {
    let folder = std::env::var_os("SHOPSYNC_TEST_PYTHONPATH").map(PathBuf::from);
    let folder =
        folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools/python"));
    let file = folder.join("axe_playwright_python/axe.min.js");
    std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("`cargo xtask setup` lays down axe-core: {file:?} {error}"))
}

#[test]
fn nothing_keeps_anybody_out() {
    let axe = axe();
    let mut wrong = Vec::new();
    for (language, scheme, width) in [("en", "light", 960), ("hi", "dark", 390)] {
        let site = Site::open(scenes::attention());
        site.back.choose("desktop.language", language);
        let mut browser = Browser::open(width, 680);
        browser.prefer("prefers-color-scheme", scheme);
        browser.go(&site.link());
        browser.wait("document.querySelectorAll('#charts .bar').length > 0");
        browser.eval(&axe);
        for view in ["today", "activity", "problems", "backups", "settings", "about"] {
            browser.click(&format!("[data-view={view}]"));
            browser.wait("!document.querySelector('#view-settings').checkVisibility() || document.querySelector('.field')");
            browser.wait("!document.querySelector('#view-about').checkVisibility() || document.querySelector('.facts dd')");
            let found = browser.eval(RUN);
            wrong.extend(found.as_str().unwrap().lines().map(|line| format!("{language} {view} {line}")));
        }
        browser.eval("location.hash = '#setup'");
        browser.wait("document.querySelector('.setup .step').innerText !== ''");
        wrong.extend(
            browser.eval(RUN).as_str().unwrap().lines().map(|line| format!("{language} setup {line}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn axe_itself_is_awake() {
    let site = Site::open(scenes::in_step());
    let mut browser = Browser::open(960, 680);
    browser.go(&site.link());
    browser.wait("document.querySelectorAll('#charts .bar').length > 0");
    browser.eval(&axe());
    browser.eval("document.querySelector('#page').append(document.createElement('button'), document.createElement('input'))");
    let found = browser.eval(RUN);
    let found = found.as_str().unwrap();
    assert!(found.contains("button-name") && found.contains("label"), "{found}");
}

#[test]
fn who_wants_nothing_to_move_sees_nothing_move() {
    let site = Site::open(scenes::backing_up(40));
    let mut browser = Browser::open(960, 680);
    browser.prefer("prefers-reduced-motion", "reduce");
    browser.go(&site.link());
    browser.wait("document.querySelector('.card .big').innerText !== ''");
    let moving = "[...document.querySelectorAll('*')].filter((node) => { const s = getComputedStyle(node); \
        return s.animationName !== 'none' || (s.transitionDuration !== '0s' && s.transitionProperty !== 'none'); }).length";
    assert_eq!(browser.eval(moving), 0);
}
