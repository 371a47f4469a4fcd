//! `<sync-badge>` in a shop's own page, by the two lines of docs/APP.md.

use std::fs;

use crate::contrast::TOO_PALE;
use crate::open::Opened;

const THEIRS: &str = r#"<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>Our shop</title>
<body style="background: #ffffff; color: #000000">
<script type="module" src="/shopsync/badge.js"></script>
<p><sync-badge id="one" status="failed" error="Item &quot;&lt;b&gt;Pen&quot; is not in RainTek."></sync-badge></p>
<p><sync-badge id="two"></sync-badge></p>
<script>document.querySelector('#two').record = { status: 'completed', source: 'app', sync_status: 'pending' }</script>
"#;

/// What the badge of this name shows.
fn seen(id: &str) -> String {
    format!(
        "(() => {{ const r = document.querySelector('#{id}').shadowRoot; const b = r.querySelector('.badge'); \
        return [b.checkVisibility() ? b.querySelector('span').innerText : '', r.querySelector('.error').checkVisibility() ? r.querySelector('.error').innerText : ''].join('|'); }})()"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn two_lines_show_badges_in_the_shops_own_page() {
    let mut page = Opened::new().await;
    fs::write(page.shop.own_app().join("pb_public/index.html"), THEIRS).unwrap();
    page.browser.prefer("prefers-color-scheme", "dark");
    page.browser.go(&page.shop.settings.url.clone());
    page.browser.wait("document.querySelector('#one').shadowRoot");
    let browser = &mut page.browser;
    assert_eq!(browser.eval(&seen("one")), "Failed|Item \"<b>Pen\" is not in RainTek.");
    assert_eq!(browser.eval(&seen("two")), "Pending|", "a record that was given before the badge came");
    assert_eq!(
        browser.eval("document.querySelector('#two').shadowRoot.querySelector('.badge').textContent"),
        "Pending. It goes to RainTek by itself.",
        "what a screen reader says"
    );
    assert_eq!(browser.eval(TOO_PALE), "", "a light app stays light on a dark phone");
    let light =
        "getComputedStyle(document.querySelector('#two').shadowRoot.querySelector('.badge')).backgroundColor";
    assert_eq!(browser.eval(light), "rgb(253, 241, 225)");
    browser.eval("document.documentElement.style.colorScheme = 'dark', document.body.style.background = '#101010', document.body.style.color = '#eeeeee', 0");
    assert_ne!(browser.eval(light), "rgb(253, 241, 225)");
    assert_eq!(browser.eval(TOO_PALE), "", "and a dark one dark");
    for (attributes, expected) in [
        ("status: 'synced', source: 'app', error: 'old'", "Synced|"),
        ("status: ' Failed '", "Failed|"),
        ("status: 'na', source: 'raintek'", "RainTek|"),
        ("status: 'failed', source: 'RainTek', error: 'x'", "RainTek|"),
        ("status: 'na', source: 'app'", "|"),
        ("status: 'toString'", "|"),
        ("status: ''", "|"),
    ] {
        browser.eval(&format!(
            "(() => {{ const b = document.querySelector('#two'); for (const n of ['status', 'source', 'error']) b.removeAttribute(n); \
             for (const [n, v] of Object.entries({{ {attributes} }})) b.setAttribute(n, v); }})()"
        ));
        assert_eq!(browser.eval(&seen("two")), expected, "{attributes}");
    }
    for (record, expected) in [
        ("{ status: 'completed', sync_status: 'failed', sync_error: 'Why.' }", "Failed|Why."),
        ("{ sync_status: 'pending' }", "Pending|"),
        ("{ status: 'revised', sync_status: 'synced' }", "|"),
        ("{ status: 'draft', sync_status: 'pending' }", "|"),
        ("{ status: 'cancelled', sync_status: 'pending' }", "|"),
        ("{ status: 'cancelled', sync_status: 'failed', sync_error: null }", "Failed|"),
        ("{ status: 'cancelled', source: 'raintek', sync_status: 'na' }", "RainTek|"),
        ("null", "|"),
        ("undefined", "|"),
    ] {
        browser.eval(&format!("document.querySelector('#two').record = {record}, 0"));
        assert_eq!(browser.eval(&seen("two")), expected, "{record}");
    }
    page.assert_no_complaints();
    page.close().await;
}
