//! The real adapters keep the same word as the simulation's pictures of what stands behind them: one suite for both
//! (`tests/simulation/pictures.rs` runs it on those).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod billing;
mod pos;
mod trial;

#[expect(dead_code, reason = "the support serves several tests")]
#[path = "../support/pocketbase.rs"]
mod pocketbase;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use raintek_sandbox::till::{Bill, Line, Till};
use raintek_sandbox::{Options, Sandbox};
use rust_decimal::Decimal;
use serde_json::json;
use shopsync::billing::PocketBase;
use shopsync::model::ids::{InvId, RecordId};
use shopsync::model::invoice::InvoiceStatus;
use shopsync::model::settings::{Encryption, RaintekSettings, StockSource};
use shopsync::ports::trial::{TrialApp, TrialPos};
use shopsync::ports::{Billing, Pos};
use shopsync::raintek::RainTek;

use pocketbase::Caller;

const PASSWORD: &str = "RainTek-1";

struct SandboxShop {
    sandbox: Sandbox,
    code: String,
    _folder: tempfile::TempDir,
}

impl SandboxShop {
    fn till(&self) -> Till {
        Till::new(self.sandbox.tds_port, "sa", PASSWORD)
    }
}

#[async_trait]
impl pos::Shop for SandboxShop {
    fn pos(&self) -> Arc<dyn Pos> {
        self.raintek()
    }

    async fn till_bills(&self) -> (InvId, String) {
        let line =
            Line { code: self.code.clone(), qty: Decimal::ONE, rate: None, discount_percent: Decimal::ZERO };
        let bill = Bill {
            date: NaiveDate::from_ymd_opt(2026, 11, 23).unwrap(),
            customer: 1,
            lines: vec![line],
            payments: vec![("By Cash".into(), 100)],
            discount: Decimal::ZERO,
            gst: true,
        };
        let billed = self.till().bill(&bill).await.unwrap();
        (billed.inv_id, billed.number)
    }

    async fn till_deletes(&self, number: &str) {
        self.till().delete(number).await.unwrap();
    }
}

impl SandboxShop {
    fn raintek(&self) -> Arc<RainTek> {
        let settings = RaintekSettings {
            server: "127.0.0.1".into(),
            port: self.sandbox.tds_port,
            encryption: Encryption::None,
            ..RaintekSettings::default()
        };
        Arc::new(RainTek::new(&settings, Some(PASSWORD.into()), StockSource::Opening))
    }
}

impl trial::TrialShop for SandboxShop {
    fn trial(&self) -> Arc<dyn TrialPos> {
        self.raintek()
    }
}

async fn opened() -> SandboxShop {
    let folder = tempfile::tempdir().unwrap();
    let options =
        Options { file: folder.path().join("shop.sqlite"), seed_products: 10, ..Options::default() };
    let mut shop =
        SandboxShop { sandbox: Sandbox::start(options).unwrap(), code: String::new(), _folder: folder };
    let products = pos::Shop::pos(&shop).products().await.unwrap();
    shop.code = products.iter().find(|one| one.active).and_then(|one| one.code.clone()).unwrap();
    shop
}

#[tokio::test]
async fn raintek_behind_its_adapter() {
    pos::keeps_its_word(&opened().await).await;
}

#[tokio::test]
async fn raintek_when_a_trial_ends() {
    trial::pos_keeps_its_word(&opened().await).await;
}

struct PocketBaseApp {
    adapter: Arc<PocketBase>,
    phone: Caller,
    admin: Caller,
    _shop: pocketbase::Shop,
}

#[async_trait]
impl billing::App for PocketBaseApp {
    fn billing(&self) -> Arc<dyn Billing> {
        Arc::clone(&self.adapter) as Arc<dyn Billing>
    }

    async fn bills(&self, number: Option<&str>) -> (RecordId, String) {
        let invoice = json!({
            "invoice_number": number.unwrap_or_default(), "invoice_date": "2026-11-23 00:00:00.000Z",
            "status": "completed", "tax_type": "GST", "item_count": 1, "grand_total": 100, "payment_method": "cash",
            "amount_paid": 100, "taxable_amount": 100,
        });
        let made = self.phone.make("invoices", invoice).await;
        let line = json!({
            "invoice": made["id"], "product_code": "P-1", "product_name": "Pen", "quantity": 1, "rate": 100,
            "tax_mode": "No Taxes", "taxable": 100, "total": 100,
        });
        self.phone.make("invoice_items", line).await;
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        (RecordId::new(text("id")), text("invoice_number"))
    }

    async fn sets_status(&self, id: &RecordId, status: InvoiceStatus) {
        let name = serde_json::to_value(status).unwrap();
        self.admin.change("invoices", id.as_str(), json!({ "status": name })).await;
    }

    async fn deletes(&self, id: &RecordId) {
        let path = format!("/api/collections/invoices/records/{id}");
        let (status, body) = self.admin.send("DELETE", &path, None).await;
        assert_eq!(status, 204, "{body}");
    }
}

impl trial::TrialSide for PocketBaseApp {
    fn trial(&self) -> Arc<dyn TrialApp> {
        Arc::clone(&self.adapter) as Arc<dyn TrialApp>
    }
}

async fn set_up() -> PocketBaseApp {
    let shop = pocketbase::Shop::new();
    let adapter = Arc::new(shop.adapter());
    adapter.set_up().await.unwrap();
    let (phone, admin) = (shop.as_phone().await, shop.as_shopsync().await);
    PocketBaseApp { adapter, phone, admin, _shop: shop }
}

#[tokio::test]
async fn the_app_behind_its_adapter() {
    let app = set_up().await;
    billing::keeps_its_word(&app).await;
    app.adapter.server().stop().await;
}

#[tokio::test]
async fn the_app_when_a_trial_ends() {
    let app = set_up().await;
    trial::app_keeps_its_word(&app).await;
    app.adapter.server().stop().await;
}
