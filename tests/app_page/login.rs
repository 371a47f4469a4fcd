//! Who is not signed in, or no longer, sees the login form and nothing else.

use serde_json::json;

use crate::open::{Opened, sign_in};

const FORM: &str = "document.querySelector('form input[name=password]') && !document.querySelector('li')";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_login_there_is_a_form_and_nothing_else() {
    let mut page = Opened::with_every_kind().await;
    assert!(page.browser.holds(FORM));
    assert!(!page.browser.text("body").contains("GST-"));
    assert_eq!(page.browser.text(".sign-in .soft"), "With your login of the billing app.");
    page.picture("login");
    page.assert_no_complaints();
    sign_in(&mut page.browser, "phone@shop.in", "wrong-password");
    page.browser.wait("document.querySelector('.wrong').innerText === 'The email or the password is wrong.'");
    page.picture("login-wrong");
    for scheme in ["light", "dark"] {
        page.browser.prefer("prefers-color-scheme", scheme);
        assert_eq!(page.browser.eval(crate::contrast::TOO_PALE), "", "{scheme}");
    }
    page.sign_in();
    // Where PocketBase's own library keeps it: one login for the app and the page.
    assert!(page.browser.holds("JSON.parse(localStorage.pocketbase_auth).token.split('.').length === 3"));
    assert!(page.browser.holds("JSON.parse(localStorage.pocketbase_auth).record.email === 'phone@shop.in'"));
    page.browser.eval("location.reload()");
    page.browser.wait("document.querySelectorAll('li').length === 5");
    page.browser.click("header .link");
    page.browser.wait(FORM);
    assert!(page.browser.holds("localStorage.length === 0"));
    page.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_has_ended_leads_to_the_form() {
    let mut page = Opened::with_every_kind().await;
    let address = format!("{}/shopsync/", page.shop.settings.url);
    for token in ["{\"token\":\"\"}", "not json", "null", "{\"token\":\"a.b.c\"}"] {
        page.browser.eval(&format!("localStorage.setItem('pocketbase_auth', {}), 0", json!(token)));
        page.browser.go(&address);
        page.browser.wait(&format!("document.readyState === 'complete' && {FORM}"));
    }
    // By its own word: nothing is even asked.
    let claims = "btoa(JSON.stringify({ exp: Math.floor(Date.now() / 1000) - 5, collectionId: '_pb_users_auth_', id: 'x' }))";
    page.browser.eval(&format!(
        "localStorage.setItem('pocketbase_auth', JSON.stringify({{ token: `e30.${{{claims}}}.c2ln`, record: {{}} }})), 0"
    ));
    page.browser.go(&address);
    page.browser
        .wait("document.querySelector('.soft')?.innerText === 'Your login has ended. Please sign in again.'");
    page.assert_no_complaints();
    // By PocketBase's: it takes who comes with an old login for a guest, who sees an empty list.
    page.sign_in();
    let users = page.owner.get("/api/collections/users/records").await;
    let change = json!({"password": "other-12345", "passwordConfirm": "other-12345"});
    page.owner.change("users", users["items"][0]["id"].as_str().unwrap(), change).await;
    page.browser.click("[value=failed]");
    page.browser
        .wait("document.querySelector('.soft')?.innerText === 'Your login has ended. Please sign in again.'");
    assert!(page.browser.holds(FORM) && page.browser.holds("localStorage.length === 0"));
    page.picture("login-ended");
    sign_in(&mut page.browser, "phone@shop.in", "other-12345");
    page.browser.wait("document.querySelectorAll('li').length === 5");
    page.close().await;
}
