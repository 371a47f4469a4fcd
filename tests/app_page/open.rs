//! A shop with invoices of every kind, and its page on a phone.

use std::path::Path;

use serde_json::{Value, json};
use shopsync::billing::PocketBase;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::Stamp;
use shopsync::ports::Billing as _;

use crate::browser::Browser;
use crate::pocketbase::{Caller, Shop};

/// What RainTek's absence of an item sounds like.
pub(crate) const SENTENCE: &str = "Item \"Blue pen\" is not in RainTek.";
/// Each invoice that is seen: number, badge, sentence.
pub(crate) const ROWS: &str = r"[...document.querySelectorAll('li')].map((row) => {
  const root = row.querySelector('sync-badge').shadowRoot;
  const seen = (selector) => { const node = root.querySelector(selector); return node.checkVisibility() ? node.innerText : ''; };
  return [row.querySelector('.number').firstChild.data, seen('.badge') && seen('.badge > span'), seen('.error')].join('|');
})";

/// A shop of our own, open.
pub(crate) struct Opened {
    pub(crate) shop: Shop,
    pub(crate) app: PocketBase,
    pub(crate) owner: Caller,
    pub(crate) phone: Caller,
    pub(crate) browser: Browser,
}

impl Opened {
    /// A shop without invoices, with the user `phone@shop.in`, and the page's login form.
    pub(crate) async fn new() -> Self {
        let shop = Shop::new();
        let app = shop.adapter();
        app.set_up().await.unwrap();
        let phone = shop.as_phone().await;
        let owner = shop.as_shopsync().await;
        let mut browser = Browser::open(390, 844);
        browser.go(&format!("{}/shopsync/", shop.settings.url));
        browser.wait("document.querySelector('input[name=identity]')");
        Self { shop, app, owner, phone, browser }
    }

    /// The same with an invoice of each kind.
    pub(crate) async fn with_every_kind() -> Self {
        let opened = Self::new().await;
        let customers = opened.customers(&["Asha Traders", "S. Venkatesh & Sons"]).await;
        for (minute, number, total, customer) in [
            (1, "GST-0147", json!(123_456.5), &customers[0]),
            (2, "GST-0148", json!(410), &Value::Null),
            (3, "GST-0149", json!(2900), &customers[1]),
        ] {
            opened.bill(number, &format!("2025-03-09 12:0{minute}:00.000Z"), total, customer).await;
        }
        opened.stamp("GST-0147", &Stamp::Synced { inv_id: 71, customer: None }).await;
        opened.stamp("GST-0149", &Stamp::Failed(SENTENCE.into())).await;
        let others = [
            ("RT-12", "completed", "raintek", "na"),
            ("GST-0150", "cancelled", "app", "failed"),
            ("GST-0100", "draft", "app", "pending"),
            ("GST-0149", "revised", "app", "failed"),
        ];
        for (number, status, source, sync) in others {
            let record = json!({"invoice_number": number, "invoice_date": "2025-03-08", "status": status, "source": source,
                "sync_status": sync, "sync_error": if sync == "failed" { SENTENCE } else { "" }, "grand_total": 55});
            opened.owner.make("invoices", record).await;
        }
        opened
    }

    pub(crate) async fn customers(&self, names: &[&str]) -> Vec<Value> {
        let mut made = Vec::new();
        for name in names {
            made.push(self.owner.make("customers", json!({"name": name})).await["id"].clone());
        }
        made
    }

    /// A bill of the phone.
    pub(crate) async fn bill(&self, number: &str, date: &str, total: Value, customer: &Value) -> Value {
        let record = json!({"invoice_number": number, "invoice_date": date, "status": "completed",
            "grand_total": total, "customer": customer, "item_count": 1});
        self.phone.make("invoices", record).await
    }

    /// What ShopSync says of it.
    pub(crate) async fn stamp(&self, number: &str, stamp: &Stamp) {
        let heads = self.app.of_number(number).await.unwrap();
        self.app.stamp(&RecordId::new(heads[0].id.as_str()), stamp).await.unwrap();
    }

    pub(crate) fn sign_in(&mut self) {
        sign_in(&mut self.browser, "phone@shop.in", "phone-1234");
        self.browser
            .wait("document.querySelector('.tools') && !document.querySelector('.empty').checkVisibility()");
    }

    /// Waits until the list shows just these.
    pub(crate) fn shows(&mut self, rows: &[&str]) {
        self.browser.wait(&format!("JSON.stringify({ROWS}) === {}", json!(json!(rows).to_string())));
    }

    pub(crate) fn search(&mut self, text: &str) {
        self.browser.eval("document.querySelector('[type=search]').focus(), document.querySelector('[type=search]').select(), 0");
        if text.is_empty() {
            self.browser.eval("(() => { const s = document.activeElement; s.value = ''; s.dispatchEvent(new Event('input')); })()");
        }
        self.browser.type_in(text);
    }

    /// A picture, where somebody wants to look.
    pub(crate) fn picture(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("SHOPSYNC_SCREENSHOTS") {
            for scheme in ["light", "dark"] {
                self.browser.prefer("prefers-color-scheme", scheme);
                self.browser
                    .eval("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
                self.browser.screenshot(&Path::new(&folder).join(format!("app-{name}-{scheme}.png")));
            }
            self.browser.prefer("prefers-color-scheme", "light");
        }
    }

    pub(crate) fn assert_no_complaints(&mut self) {
        assert_eq!(self.browser.complaints(), Vec::<String>::new());
    }

    pub(crate) async fn close(self) {
        drop(self.browser);
        self.app.server().stop().await;
    }
}

/// Fills the form as a person does.
pub(crate) fn sign_in(browser: &mut Browser, identity: &str, password: &str) {
    for (name, text) in [("identity", identity), ("password", password)] {
        browser.click(&format!("input[name={name}]"));
        browser.eval("document.activeElement.select(), 0");
        browser.type_in(text);
    }
    browser.press("Enter");
}
