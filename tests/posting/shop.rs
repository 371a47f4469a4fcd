//! A shop of the sandbox, its till, and ShopSync's own way of booking an invoice there.

use std::path::PathBuf;

use raintek_sandbox::till::Till;
use raintek_sandbox::{Options, Sandbox, Tls};
use serde_json::{Value, json};
use shopsync::model::bill::{Conflict, Desired, Found, Lookup, Plan};
use shopsync::model::customer::phone_key;
use shopsync::model::fault::{Fault, SendOutcome};
use shopsync::model::invoice::{Invoice, TaxType};
use shopsync::model::settings::{
    Encryption, PostingSettings, RaintekSettings, StockSource, default_payments,
};
use shopsync::ports::Pos;
use shopsync::raintek::RainTek;
use shopsync::sync::mapping::{MapContext, desired_bill};
use shopsync::sync::numbering::counter_of;
use shopsync::sync::plan::{plan, plan_removal};
use shopsync::sync::posting::as_written;

const PASSWORD: &str = "RainTek-1";

/// How a send ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    Written(i32),
    Nothing(i32),
    Gone,
    Conflict(Conflict),
    /// The answer to the commit was lost.
    Lost,
}

pub(crate) struct Shop {
    sandbox: Sandbox,
    /// One for all: each reads all certificates that the system trusts.
    http: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Shop {
    pub(crate) fn open() -> Self {
        Self::with(Tls::Off)
    }

    /// A shop whose file was changed before it opened.
    pub(crate) fn after(change: impl FnOnce(PathBuf)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options =
            Options { file: folder.path().join("shop.sqlite"), seed_products: 30, ..Options::default() };
        drop(Sandbox::start(options.clone()).unwrap());
        change(options.file.clone());
        Self { sandbox: Sandbox::start(options).unwrap(), http: reqwest::Client::new(), _folder: folder }
    }

    /// A shop whose server shows this certificate.
    pub(crate) fn with(tls: Tls) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("shop.sqlite");
        let options = Options { file, seed_products: 30, tls, ..Options::default() };
        Self { sandbox: Sandbox::start(options).unwrap(), http: reqwest::Client::new(), _folder: folder }
    }

    /// The server's own port.
    pub(crate) fn port(&self) -> u16 {
        self.sandbox.tds_port
    }

    pub(crate) fn till(&self) -> Till {
        Till::new(self.sandbox.tds_port, "sa", PASSWORD)
    }

    async fn http(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.sandbox.control_port);
        let request = match body {
            Some(body) => self.http.post(url).json(&body),
            None => self.http.get(url),
        };
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    pub(crate) async fn order(&self, order: Value) {
        self.http("/control", Some(order)).await;
    }

    /// Runs T-SQL in the server, as its owner would; the rows of each answer.
    pub(crate) async fn sql(&self, sql: &str) -> Value {
        let mut answer = self.http("/sql", Some(json!({ "sql": sql }))).await;
        assert_eq!(answer["errors"], json!([]), "{sql}");
        answer["results"].take()
    }

    /// Every table, as the sandbox holds it.
    pub(crate) async fn dump(&self) -> Value {
        self.http("/dump", None).await
    }

    pub(crate) fn sync(&self, posting: PostingSettings) -> Sync {
        self.sync_at(self.port(), Encryption::None, posting)
    }

    /// ShopSync's adapter, by another way to the server.
    pub(crate) fn sync_at(&self, port: u16, encryption: Encryption, posting: PostingSettings) -> Sync {
        let settings =
            RaintekSettings { server: "127.0.0.1".into(), port, encryption, ..RaintekSettings::default() };
        let raintek = RainTek::new(&settings, Some(PASSWORD.into()), StockSource::Opening).posting(posting);
        Sync { raintek, posting }
    }
}

/// ShopSync's adapter with the settings it was made with; what the engine does around it is done here in its order.
pub(crate) struct Sync {
    pub(crate) raintek: RainTek,
    posting: PostingSettings,
}

impl Sync {
    pub(crate) fn lookup(invoice: &Invoice, known: Option<i32>) -> Lookup {
        let mut codes: Vec<String> = invoice.lines.iter().map(|line| line.product_code.clone()).collect();
        codes.sort();
        codes.dedup();
        Lookup {
            number: invoice.number.clone(),
            inv_id: known,
            tax_type: invoice.tax_type,
            counter: counter_of(&invoice.number),
            product_codes: codes,
            phone: invoice.customer.as_ref().and_then(|customer| phone_key(&customer.phone)),
        }
    }

    /// Reads the products, so that the next look-up finds them by key and knows their stock.
    pub(crate) async fn pull_products(&self) {
        self.raintek.products().await.unwrap();
    }

    async fn desired(&self, invoice: &Invoice, found: &Found) -> Desired {
        let context = MapContext { payments: default_payments(), unknown_item: None, posting: self.posting };
        desired_bill(invoice, found, &self.raintek.schema().await.unwrap(), &context).unwrap()
    }

    /// Books an invoice in one transaction and reads it back.
    pub(crate) async fn send(&self, invoice: &Invoice, known: Option<i32>) -> Result<End, Fault> {
        let (mut transaction, found) = self.raintek.open(&Self::lookup(invoice, known)).await?;
        let found = Found { known, ..found };
        let desired = self.desired(invoice, &found).await;
        let plan_now = plan(&desired, &found);
        match &plan_now {
            Plan::Nothing { inv_id, .. } => {
                transaction.rollback().await;
                return Ok(End::Nothing(*inv_id));
            }
            Plan::Conflict(conflict) => {
                transaction.rollback().await;
                return Ok(End::Conflict(conflict.clone()));
            }
            _ => {}
        }
        let (inv_id, customer) = transaction.apply(&plan_now).await?;
        match transaction.commit().await {
            SendOutcome::Confirmed => {}
            SendOutcome::Rejected(fault) => return Err(fault),
            SendOutcome::Unknown(_) => return Ok(End::Lost),
        }
        let mut proof = as_written(desired, &plan_now);
        proof.customer = shopsync::model::bill::DesiredCustomer::Existing(customer);
        let bills = self.raintek.read_back(&invoice.number, inv_id, invoice.tax_type).await?;
        let there = Found { bills, known: Some(inv_id), ..Found::default() };
        let verified = plan(&proof, &there);
        assert!(matches!(verified, Plan::Nothing { .. }), "read back: {verified:?}");
        Ok(End::Written(inv_id))
    }

    /// Takes an invoice out again.
    pub(crate) async fn remove(&self, number: &str, tax_type: TaxType, known: i32) -> Result<End, Fault> {
        let lookup = Lookup {
            number: number.to_owned(),
            inv_id: Some(known),
            tax_type,
            counter: counter_of(number),
            product_codes: Vec::new(),
            phone: None,
        };
        let (mut transaction, found) = self.raintek.open(&lookup).await?;
        let found = Found { known: Some(known), ..found };
        let Some(plan) = plan_removal(number, tax_type, &found) else {
            transaction.rollback().await;
            return Ok(End::Gone);
        };
        if let Plan::Conflict(conflict) = plan {
            transaction.rollback().await;
            return Ok(End::Conflict(conflict));
        }
        transaction.apply(&plan).await?;
        match transaction.commit().await {
            SendOutcome::Confirmed => Ok(End::Gone),
            SendOutcome::Rejected(fault) => Err(fault),
            SendOutcome::Unknown(_) => Ok(End::Lost),
        }
    }
}
