//! The list: every state by word and shape, found again, followed as it changes, and only ever text.

use serde_json::{Value, json};
use shopsync::model::invoice::Stamp;

use crate::browser::Browser;
use crate::contrast::TOO_PALE;
use crate::foreign_app::ForeignApp;
use crate::open::{Opened, ROWS, SENTENCE, sign_in};
use crate::pocketbase::Shop;

const FAILED: &str = "GST-0149|Failed|Item \"Blue pen\" is not in RainTek.";
const CANCELLED: &str = "GST-0150|Failed|Item \"Blue pen\" is not in RainTek.";

#[tokio::test(flavor = "multi_thread")]
async fn every_state_is_shown_by_word_and_shape() {
    let mut page = Opened::with_every_kind().await;
    page.sign_in();
    page.shows(&[FAILED, "GST-0148|Pending|", "GST-0147|Synced|", CANCELLED, "RT-12|RainTek|"]);
    let browser = &mut page.browser;
    let shapes = browser.eval(
        "new Set([...document.querySelectorAll('sync-badge')].map((b) => b.shadowRoot.querySelector('svg').innerHTML)).size",
    );
    assert_eq!(shapes, 4, "told apart without colour");
    assert_eq!(browser.text("li:first-child .amount"), "₹\u{a0}2,900.00");
    assert_eq!(browser.text("li:nth-child(3) .amount"), "₹\u{a0}1,23,456.50");
    assert_eq!(browser.text("li:first-child .about"), "S. Venkatesh & Sons · 5:33 pm", "the time in India");
    assert_eq!(browser.text("li:nth-child(2) .about"), "Walk-in customer · 5:32 pm");
    let days = browser.eval("[...document.querySelectorAll('h2')].map((day) => day.innerText).join()");
    assert_eq!(days, "9 Mar 2025,8 Mar 2025");
    assert_eq!(browser.text("section:nth-child(2) li:first-child .tag"), "Cancelled");
    assert_eq!(
        browser.text("header .soft"),
        "2 invoices need a look at the shop’s PC. 1 is pending and goes by itself."
    );
    assert!(browser.holds("document.documentElement.scrollWidth <= innerWidth"));
    assert!(browser.holds(
        "[...document.querySelectorAll('button, [type=search], .chips label')].filter((e) => e.checkVisibility()).every((e) => e.getBoundingClientRect().height >= 40)"
    ));
    for scheme in ["light", "dark"] {
        browser.prefer("prefers-color-scheme", scheme);
        assert_eq!(browser.eval(TOO_PALE), "", "{scheme}");
    }
    page.picture("list");
    page.assert_no_complaints();
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_found_by_state_number_customer_and_amount() {
    let mut page = Opened::with_every_kind().await;
    page.sign_in();
    for (kind, rows) in [
        ("pending", &["GST-0148|Pending|"][..]),
        ("failed", &[FAILED, CANCELLED]),
        ("synced", &["GST-0147|Synced|"]),
        ("raintek", &["RT-12|RainTek|"]),
    ] {
        page.browser.click(&format!("[value={kind}]"));
        page.shows(rows);
    }
    page.browser.click("[value='']");
    for (text, rows) in [
        ("gst-0148", &["GST-0148|Pending|"][..]),
        ("asha", &["GST-0147|Synced|"]),
        ("₹ 1,23,456.50", &["GST-0147|Synced|"]),
        ("2900", &[FAILED]),
        ("& sons", &[FAILED]),
    ] {
        page.search(text);
        page.shows(rows);
    }
    for text in ["it's", "\\", "'", "100%", "\" || id != '", "_"] {
        page.search(text);
        let words = format!("Nothing found for “{text}”.");
        page.browser.wait(&format!(
            "document.querySelector('.empty').innerText === {} || {ROWS}.length === 5",
            json!(words)
        ));
    }
    page.search("nobody");
    page.browser.wait("document.querySelector('.empty').innerText === 'Nothing found for “nobody”.'");
    page.picture("nothing");
    page.search("");
    page.browser.wait(&format!("{ROWS}.length === 5"));
    // By keyboard: from the search to the kinds, and along them.
    page.browser.eval("document.querySelector('[type=search]').focus()");
    page.browser.press("Tab");
    assert!(page.browser.holds("document.activeElement.name === 'kind'"));
    assert!(
        page.browser.holds("getComputedStyle(document.activeElement.parentElement).outlineStyle === 'solid'")
    );
    page.browser.press("ArrowRight");
    page.shows(&["GST-0148|Pending|"]);
    page.assert_no_complaints();
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_meanwhile_is_seen_at_once() {
    let mut page = Opened::new().await;
    page.bill("GST-1", "2025-03-09 06:00:00.000Z", json!(10), &Value::Null).await;
    page.sign_in();
    page.shows(&["GST-1|Pending|"]);
    page.browser.wait("performance.getEntriesByName(new URL('/api/realtime', location).href).length > 0");
    page.stamp("GST-1", &Stamp::Failed(SENTENCE.into())).await;
    page.shows(&["GST-1|Failed|Item \"Blue pen\" is not in RainTek."]);
    page.stamp("GST-1", &Stamp::Synced { inv_id: 1, customer: None }).await;
    page.bill("GST-2", "2025-03-09 07:00:00.000Z", json!(20), &Value::Null).await;
    page.shows(&["GST-2|Pending|", "GST-1|Synced|"]);
    assert_eq!(page.browser.text("header .soft"), "1 is pending and goes by itself.");
    page.assert_no_complaints();
    // The server goes: what is seen stays, and says how old it is.
    page.app.server().stop().await;
    page.browser.wait("document.querySelector('.banner').innerText.startsWith('The billing app is not answering. This is how it was at ')");
    assert!(page.browser.text(".days").contains("GST-2"));
    page.picture("away");
    // But never as the answer to another question.
    page.browser.click("[value=pending]");
    page.browser.wait("!document.querySelector('li')");
    assert!(page.browser.text(".banner").ends_with("It is asked again by itself."));
    page.app.server().ensure().await.unwrap();
    page.browser.wait("document.querySelector('.banner').hidden");
    page.shows(&["GST-2|Pending|"]);
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_comes_in_pages() {
    let mut page = Opened::new().await;
    for n in 0..120 {
        let record = json!({"invoice_number": format!("RT-{n:03}"), "invoice_date": "2025-03-09", "status": "completed",
            "source": "raintek", "sync_status": "na", "grand_total": n});
        page.owner.make("invoices", record).await;
    }
    page.sign_in();
    page.browser.wait(&format!("{ROWS}.length === 50 && {ROWS}[0].startsWith('RT-119')"));
    page.browser.click(".more");
    page.browser.wait(&format!("{ROWS}.length === 100"));
    // A new one moves all pages by one, just as the next is asked for: none is left out, none ever seen twice.
    page.browser.eval(&format!(
        "window.twice = false; new MutationObserver(() => {{ const rows = {ROWS}; twice ||= new Set(rows).size < rows.length; }}) \
         .observe(document.querySelector('.days'), {{ childList: true }}); \
         fetch('/api/collections/invoices/records', {{ method: 'POST', body: JSON.stringify({{ invoice_number: 'GST-1', \
         invoice_date: '2025-03-10', status: 'completed' }}), headers: {{ 'Content-Type': 'application/json', \
         Authorization: JSON.parse(localStorage.pocketbase_auth).token }} }}).then(() => document.querySelector('.more').click())"
    ));
    page.browser.wait(&format!("{ROWS}.length === 121 && {ROWS}[0] === 'GST-1|Pending|'"));
    assert!(page.browser.holds(&format!("!twice && new Set({ROWS}).size === 121")));
    assert!(page.browser.holds("document.querySelector('.more').hidden"));
    page.assert_no_complaints();
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_only_ever_text() {
    let mut page = Opened::new().await;
    let bad = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>";
    let long = format!("{bad}{}", "very-long-name-without-a-break".repeat(8));
    let customers = page.customers(&[&long]).await;
    page.bill(&format!("GST-1{bad}"), "2025-03-09 10:00:00.000Z", json!(12_345_678.5), &customers[0]).await;
    let record = page.bill("constructor", "2025-03-09 09:00:00.000Z", json!(-5), &customers[0]).await;
    page.bill("GST-3", "", Value::Null, &Value::Null).await;
    let change = json!({"sync_status": "failed", "sync_error": format!("Item {long} is not in RainTek.")});
    page.owner.change("invoices", record["id"].as_str().unwrap(), change).await;
    page.sign_in();
    page.browser.wait(&format!("{ROWS}.length === 3"));
    let browser = &mut page.browser;
    assert!(browser.holds("document.querySelectorAll('img, #page script').length === 0"));
    assert!(browser.holds("document.title === 'Invoices – ShopSync'"));
    let rows = browser.eval(ROWS);
    assert!(rows[0].as_str().unwrap().starts_with(&format!("GST-1{bad}|Pending|")), "{rows}");
    assert!(rows[1].as_str().unwrap().contains(&format!("|Failed|Item {bad}")), "{rows}");
    assert_eq!(browser.text("li:nth-child(2) .amount"), "−₹\u{a0}5.00");
    assert!(browser.text(".days").contains("Without a date"));
    for width in [390, 320, 960] {
        browser.resize(width, 844);
        assert!(browser.holds("document.documentElement.scrollWidth <= innerWidth"), "wider than {width}");
    }
    browser.resize(390, 844);
    page.picture("hostile");
    page.assert_no_complaints();
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_with_names_of_its_own_has_the_page_too() {
    let mut shop = Shop::new();
    let theirs = ForeignApp::lay(&mut shop).await;
    let fields = shop.settings.fields.get_mut("invoices").unwrap();
    fields.insert("sync_status".into(), "till_state".into());
    let app = shop.adapter();
    app.set_up().await.unwrap();
    let phone = ForeignApp::phone(&shop).await;
    let bill = json!({"state": "completed", "invoice_date": "2025-03-09 12:00:00.000Z", "grand_total": 55.5});
    phone.make("bills", bill).await;
    let mut browser = Browser::open(390, 844);
    browser.go(&format!("{}/shopsync/", shop.settings.url));
    browser.wait("document.querySelector('input[name=identity]')");
    sign_in(&mut browser, "asha@shop.in", "asha-12345");
    // One was billed before ShopSync came: nothing is known of it.
    browser.wait(&format!("JSON.stringify({ROWS}) === '[\"S-42-26||\",\"S-43-26|Pending|\"]'"));
    browser.click("[value=pending]");
    browser.wait(&format!("JSON.stringify({ROWS}) === '[\"S-43-26|Pending|\"]'"));
    browser.eval("document.querySelector('[type=search]').focus()");
    browser.type_in("s-43");
    browser.wait(&format!("JSON.stringify({ROWS}) === '[\"S-43-26|Pending|\"]'"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    theirs.assert_untouched(&shop).await;
    drop(browser);
    app.server().stop().await;
}
