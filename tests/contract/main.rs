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
mod together;
mod trial;

#[expect(dead_code, reason = "the support serves several tests")]
#[path = "../support/pocketbase.rs"]
mod pocketbase;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{NaiveDate, NaiveTime};
use raintek_sandbox::till::{Bill, Line, Till};
use raintek_sandbox::{Options, Sandbox};
use rust_decimal::Decimal;
use serde_json::json;
use shopsync::billing::PocketBase;
use shopsync::model::awareness::BillPage;
use shopsync::model::bill::{Lookup, Value};
use shopsync::model::ids::{InvId, RecordId};
use shopsync::model::invoice::{InvoiceStatus, TaxType};
use shopsync::model::settings::{Encryption, PostingSettings, RaintekSettings, StockSource};
use shopsync::ports::trial::{TrialApp, TrialPos};
use shopsync::ports::{Billing, Pos};
use shopsync::raintek::RainTek;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Query};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use pocketbase::Caller;

const PASSWORD: &str = "RainTek-1";

struct SandboxShop {
    sandbox: Sandbox,
    code: String,
    posting: PostingSettings,
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

    async fn edits(&self, table: &str, key: i32, column: &str, value: Value) {
        let name = if table == "InvoiceInfo" { "Inv_ID" } else { "ID" };
        let mut query = Query::new(format!("UPDATE [{table}] SET [{column}] = @P1 WHERE [{name}] = @P2"));
        match value {
            Value::Text(text) => query.bind(text),
            Value::Dec(number) => query.bind(number),
            Value::Null => query.bind(None::<i32>),
            other => panic!("{other:?}"),
        }
        query.bind(key);
        assert_eq!(query.execute(&mut self.client().await).await.unwrap().total(), 1, "{table} {key}");
    }
}

impl SandboxShop {
    /// Somebody else's connection.
    async fn client(&self) -> Client<Compat<TcpStream>> {
        let mut config = Config::new();
        config.host("127.0.0.1");
        config.port(self.sandbox.tds_port);
        config.database("Raintech_DB1");
        config.authentication(AuthMethod::sql_server("sa", PASSWORD));
        config.encryption(EncryptionLevel::NotSupported);
        let tcp = TcpStream::connect(config.get_addr()).await.unwrap();
        Client::connect(config, tcp.compat_write()).await.unwrap()
    }

    fn raintek(&self) -> Arc<RainTek> {
        Arc::new(self.with_stock(StockSource::Opening))
    }

    fn with_stock(&self, stock: StockSource) -> RainTek {
        let settings = RaintekSettings {
            server: "127.0.0.1".into(),
            port: self.sandbox.tds_port,
            encryption: Encryption::None,
            ..RaintekSettings::default()
        };
        RainTek::new(&settings, Some(PASSWORD.into()), stock).posting(self.posting)
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
    let mut shop = SandboxShop {
        sandbox: Sandbox::start(options).unwrap(),
        code: String::new(),
        posting: PostingSettings::default(),
        _folder: folder,
    };
    let products = pos::Shop::pos(&shop).products().await.unwrap();
    shop.code = products.iter().find(|one| one.active).and_then(|one| one.code.clone()).unwrap();
    shop
}

#[tokio::test]
async fn raintek_behind_its_adapter() {
    pos::keeps_its_word(&opened().await).await;
}

#[tokio::test]
async fn bills_looked_up_together_behind_the_adapter() {
    for posting in [PostingSettings::default(), PostingSettings::ALL] {
        let shop = SandboxShop { posting, ..opened().await };
        together::are_found_as_each(&shop, posting).await;
    }
}

/// A product with its lots is one product: the later lot counts, the quantities add up, and stock of now is its own sum.
#[tokio::test]
async fn products_come_with_what_their_lots_add_up_to() {
    let shop = opened().await;
    let mut client = shop.client().await;
    let (lots, now) = ("Product_OpeningStock", "Temp_Stock");
    for table in [lots, now] {
        client.execute(format!("DELETE FROM {table}"), &[]).await.unwrap();
    }
    // Not in the order of the products.
    for (table, product, quantity, mrp, barcode) in [
        (lots, 2, "4.250", "0", ""),
        (lots, 1, "1.000", "90.00", "8901"),
        (lots, 1, "2.500", "95.50", "0"),
        (now, 1, "0.750", "1.00", "1"),
        (now, 1, "0.125", "1.00", "1"),
        (now, 3, "6.000", "1.00", "1"),
    ] {
        let text = format!(
            "INSERT INTO {table} (ProductID, Qty, MRP, Barcode) VALUES ({product}, {quantity}, {mrp}, N'{barcode}')"
        );
        client.execute(text, &[]).await.unwrap();
    }
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    for (stock, quantities) in [
        (StockSource::Opening, [decimal("3.5"), decimal("4.25"), Decimal::ZERO]),
        (StockSource::Live, [decimal("0.875"), Decimal::ZERO, decimal("6")]),
    ] {
        let products = shop.with_stock(stock).products().await.unwrap();
        assert_eq!(products.len(), 10, "each once, in the order of their PID");
        assert!(products.is_sorted_by_key(|product| product.pid));
        let first: Vec<_> = products[..3]
            .iter()
            .map(|product| (product.pid, product.lot_mrp, product.lot_barcode.as_deref(), product.stock))
            .collect();
        let [one, two, three] = quantities;
        assert_eq!(
            first,
            [(1, Some(decimal("95.50")), Some("8901"), one), (2, None, None, two), (3, None, None, three)],
            "{stock:?}"
        );
    }
}

/// A bill of long ago that was given a day of this week stands on one page with this week's: each comes with its own rows,
/// and with nobody's between.
#[tokio::test]
async fn a_page_of_bills_far_apart_has_the_rows_of_each() {
    let shop = opened().await;
    let mut client = shop.client().await;
    let (old, new) =
        (NaiveDate::from_ymd_opt(2001, 1, 1).unwrap(), NaiveDate::from_ymd_opt(2026, 11, 1).unwrap());
    for at in 1..=60 {
        let date = if at > 1 && at < 50 { old } else { new }.and_time(NaiveTime::MIN);
        let number = format!("GST-{at:04}-2026/27");
        let text =
            "INSERT INTO InvoiceInfo (Inv_ID, InvoiceNo, InvoiceDate, Customer_ID) VALUES (@P1, @P2, @P3, 1)";
        client.execute(text, &[&at, &number.as_str(), &date]).await.unwrap();
        let text = "INSERT INTO Invoice_Product (InvoiceID, ProductID, Qty) VALUES (@P1, 1, 1)";
        client.execute(text, &[&at]).await.unwrap();
        let text = "INSERT INTO Invoice_Payment (InvoiceID, TotalPaid) VALUES (@P1, 5)";
        client.execute(text, &[&at]).await.unwrap();
    }
    let page = BillPage { after: 0, from: Some(new), limit: 200 };
    let bills = pos::Shop::pos(&shop).bills(&page).await.unwrap();
    let there: Vec<(i64, usize, usize)> =
        bills.iter().map(|bill| (bill.info.int("Inv_ID"), bill.lines.len(), bill.payments.len())).collect();
    let expected: Vec<(i64, usize, usize)> =
        [1].into_iter().chain(50..=60).map(|inv_id| (inv_id, 1, 1)).collect();
    assert_eq!(there, expected);
}

/// A scan grows with the invoices and not with their square only where a page of them costs as many looks through
/// RainTek's tables as a few do.
#[tokio::test]
async fn bills_looked_up_together_cost_as_many_requests_however_many_they_are() {
    let shop = SandboxShop { posting: PostingSettings::ALL, ..opened().await };
    let mut client = shop.client().await;
    let mut lookups = Vec::new();
    for at in 1..=300 {
        let number = format!("GST-{at:04}-2026/27");
        let text = "INSERT INTO InvoiceInfo (Inv_ID, InvoiceNo, Customer_ID) VALUES (@P1, @P2, 1)";
        client.execute(text, &[&at, &number.as_str()]).await.unwrap();
        lookups.push(Lookup {
            counter: Some(at),
            number,
            inv_id: Some(at),
            tax_type: TaxType::Gst,
            product_codes: vec![shop.code.clone(), format!("No-{at}")],
            phone: None,
        });
    }
    let pos = shop.raintek();
    pos.products().await.unwrap();
    let url = |path: &str| format!("http://127.0.0.1:{}/{path}", shop.sandbox.control_port);
    let http = reqwest::Client::new();
    http.post(url("control")).json(&json!({"action": "record"})).send().await.unwrap();
    let mut requests = Vec::new();
    for some in [&lookups[..30], &lookups] {
        let found = pos.inspect_all(some).await.unwrap();
        assert!(
            found
                .iter()
                .zip(some)
                .all(|(found, asked)| found.bills.len() == 1 && found.known == asked.inv_id)
        );
        let recorded: serde_json::Value =
            http.get(url("recorded")).send().await.unwrap().json().await.unwrap();
        requests.push(recorded.as_array().unwrap().len());
    }
    assert_eq!(requests, [6, 6]);
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
