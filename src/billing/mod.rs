//! The shop's billing app, on PocketBase.
//!
//! [`PocketBase`] is the adapter behind [`Billing`]; [`Server`] is the process it talks to. Every call of the adapter
//! first makes sure that the app is set up: that our login counts and our fields are there. So it does not
//! matter in which order the shop's programs start, nor whether an older database is put back under us.
//!
//! Two things are deliberately absent. There is no "read, and then check whether we were signed in": the proof is part
//! of each read (see `reads`). And nothing here decides what is to be booked: that is `sync`'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Offset as _;
use chrono_tz::Tz;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

use self::account::{Account, Workshop};
use self::client::{Ask, Client};
use self::records::Reader;
use self::setup::Ready;
use crate::model::awareness::BillWrite;
use crate::model::bill::NumberSeries;
use crate::model::customer::Customer;
use crate::model::fault::{Fault, FaultKind};
use crate::model::ids::RecordId;
use crate::model::invoice::{InvoiceHead, InvoiceRead, Stamp};
use crate::model::product::{AppProduct, ProductWrite};
use crate::model::renumber::{Renumber, Renumbered};
use crate::model::settings::BillingSettings;
use crate::ports::{Billing, BillingEvent, Clock, InvoiceScan, Secrets};

mod account;
mod backup;
mod bills;
mod classify;
mod client;
mod folder;
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod http;
mod numbers;
mod owner;
mod page;
mod process;
mod reads;
mod realtime;
mod records;
mod server;
mod setup;
mod shape;
pub mod sse;
mod stamps;
mod templates;
mod trial;
mod values;
mod writes;

pub use account::{GIVEN_PASSWORD_SECRET, OWN_IDENTITY, OWN_PASSWORD_SECRET};
pub use server::{Origin, Server, ServerState};

/// PocketBase loads new hooks by itself within this time, where it does at all.
const HOOK_LIMIT: Duration = Duration::from_secs(5);
const HOOK_STEP: Duration = Duration::from_millis(200);

/// What the set-up found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupReport {
    /// Whose server it is.
    pub origin: Origin,
    /// What was added through the running app, in words; files are not named here.
    pub added: Vec<String>,
    /// Whether our hook file runs. Without it everything is found by looking; the app merely shows less.
    pub hook_active: bool,
    /// What a person should do, if anything: one sentence.
    pub advice: Option<String>,
}

/// The billing app.
pub struct PocketBase {
    client: Client,
    http: http::Http,
    server: Arc<Server>,
    account: Arc<Account>,
    reader: Reader,
    clock: Arc<dyn Clock>,
    ready: Mutex<Option<Arc<Ready>>>,
    stamps: stamps::Stamps,
    report: std::sync::Mutex<Option<SetupReport>>,
}

impl std::fmt::Debug for PocketBase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PocketBase").field("server", &self.server).finish_non_exhaustive()
    }
}

/// One attempt with the app as it was seen last; where the app lacks something by then, one more after setting it up
/// anew. A database that was put back from before ShopSync heals that way.
macro_rules! healing {
    ($self:ident, $ready:ident => $attempt:expr) => {{
        let $ready = $self.ready().await?;
        match $attempt.await {
            Err(fault) if fault.kind == FaultKind::Schema => {
                $self.forget(&$ready).await;
                let $ready = $self.ready().await?;
                $attempt.await
            }
            result => result,
        }
    }};
}

impl PocketBase {
    /// Prepares the adapter; nothing is reached for yet.
    ///
    /// `data_dir` is ShopSync's data folder: `billing/` and `logs/` lie there. `zone` is the shop's.
    ///
    /// # Errors
    /// The settings cannot be meant: no web address, names that no collection can have.
    pub fn new(
        settings: BillingSettings,
        zone: Tz,
        data_dir: &Path,
        clock: Arc<dyn Clock>,
        secrets: Arc<dyn Secrets>,
    ) -> Result<Self, Fault> {
        templates::check_names(&settings)?;
        let data_dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        let settings = BillingSettings { folder: settings.folder.map(absolute), ..settings };
        let layout = server::layout_of(&settings, &data_dir);
        let workshop = layout.as_ref().zip(server::program_of(&settings));
        let workshop = workshop.map(|(layout, program)| Workshop { program, data: layout.data() });
        let account = Arc::new(Account::new(&settings, secrets, Arc::clone(&clock), workshop));
        let http = http::Http::new();
        let client = Client::new(&settings.url, Arc::clone(&clock), Arc::clone(&account), http.clone())?;
        let server = Server::new(
            settings.clone(),
            &data_dir,
            layout,
            Arc::clone(&account),
            Arc::clone(&clock),
            clock.now().with_timezone(&zone).offset().fix().local_minus_utc() / 60,
            http.clone(),
        );
        Ok(Self {
            client,
            http,
            server: Arc::new(server),
            account,
            reader: Reader { names: settings, zone },
            clock,
            ready: Mutex::new(None),
            stamps: stamps::Stamps::default(),
            report: std::sync::Mutex::new(None),
        })
    }

    /// The server: whoever composes the program runs [`Server::keep_alive`] and, at the end, [`Server::stop`].
    pub fn server(&self) -> Arc<Server> {
        Arc::clone(&self.server)
    }

    /// Whether PocketBase answers at the address. Starts nothing.
    pub async fn is_up(&self) -> bool {
        self.server.answers().await
    }

    /// Which PocketBase lies on this PC; nothing where the app runs elsewhere, or its program does not say it.
    pub async fn version(&self) -> Option<String> {
        process::version(&self.server.program()?, self.clock.as_ref()).await
    }

    /// Finds or starts the server and sets the app up. Every other call does the same where it was not done yet.
    ///
    /// # Errors
    /// The server is down, our login does not count, or the app lacks what ShopSync needs.
    pub async fn set_up(&self) -> Result<SetupReport, Fault> {
        self.ready().await?;
        self.report().ok_or_else(|| {
            Fault::transient(crate::model::fault::Scope::Billing, "The billing app is being set up.")
        })
    }

    /// What the last set-up found and did, once there was one.
    pub fn report(&self) -> Option<SetupReport> {
        self.report.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The app, set up.
    async fn ready(&self) -> Result<Arc<Ready>, Fault> {
        let mut held = self.ready.lock().await;
        if let Some(ready) = held.as_ref() {
            return Ok(Arc::clone(ready));
        }
        let origin = self.server.ensure().await?;
        let ready = setup::ensure(&self.client, &self.reader.names).await?;
        // Behind the fields, so that the hook never meets a collection without them. A running PocketBase that loads
        // the hook by itself starts itself anew for it.
        let written = self.server.lay_files().await?;
        let hook_active = self.await_hook(written).await;
        let advice = (!hook_active).then(|| {
            "Restart the billing app once, so that it shows which invoices wait to be sent.".to_owned()
        });
        let report = SetupReport { origin, added: ready.added.clone(), hook_active, advice };
        *self.report.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(report);
        let ready = Arc::new(ready);
        *held = Some(Arc::clone(&ready));
        Ok(ready)
    }

    /// Drops what is known of the app, unless somebody looked anew already.
    async fn forget(&self, seen: &Arc<Ready>) {
        let mut held = self.ready.lock().await;
        if held.as_ref().is_some_and(|there| Arc::ptr_eq(there, seen)) {
            *held = None;
        }
    }

    async fn await_hook(&self, written: bool) -> bool {
        let began = self.clock.elapsed();
        let ask = Ask::get("/api/shopsync/hook");
        loop {
            let mark = match self.client.call_as_guest(&ask).await {
                Ok(answer) => {
                    answer.body.get("hook").and_then(Value::as_str) == Some(self.server.hook_mark())
                }
                Err(_) => false,
            };
            if mark || !written || self.clock.elapsed().saturating_sub(began) >= HOOK_LIMIT {
                return mark;
            }
            self.clock.sleep(HOOK_STEP).await;
        }
    }

    fn collection<'a>(&'a self, ours: &'a str) -> &'a str {
        self.reader.names.collection(ours)
    }

    fn field<'a>(&'a self, collection: &str, ours: &'a str) -> &'a str {
        self.reader.names.field(collection, ours)
    }

    fn path(&self, collection: &str) -> String {
        format!("/api/collections/{}/records", self.reader.names.collection(collection))
    }
}

#[async_trait]
impl Billing for PocketBase {
    async fn probe(&self) -> Result<(), Fault> {
        healing!(self, ready => self.probe_once(&ready))
    }

    async fn list(&self, scan: &InvoiceScan) -> Result<Vec<InvoiceHead>, Fault> {
        healing!(self, ready => self.list_once(&ready, scan))
    }

    async fn taken_back(&self, since: Option<&str>) -> Result<Vec<InvoiceHead>, Fault> {
        healing!(self, ready => self.taken_back_once(&ready, since))
    }

    async fn invoice(&self, id: &RecordId) -> Result<InvoiceRead, Fault> {
        healing!(self, ready => self.invoice_once(&ready, id))
    }

    async fn invoices(&self, ids: &[RecordId]) -> Result<Vec<InvoiceRead>, Fault> {
        healing!(self, ready => self.invoices_once(&ready, ids))
    }

    async fn of_number(&self, number: &str) -> Result<Vec<InvoiceHead>, Fault> {
        healing!(self, ready => self.of_number_once(&ready, number))
    }

    async fn missing(&self, ids: &[RecordId]) -> Result<Vec<RecordId>, Fault> {
        healing!(self, ready => self.missing_once(&ready, ids))
    }

    async fn stamp(&self, id: &RecordId, stamp: &Stamp) -> Result<(), Fault> {
        healing!(self, ready => self.stamp_once(&ready, id, stamp))
    }

    async fn products(&self) -> Result<Vec<AppProduct>, Fault> {
        let mut products = Vec::new();
        self.each_product(&mut |product| products.push(product)).await?;
        Ok(products)
    }

    async fn each_product(&self, take: &mut (dyn FnMut(AppProduct) + Send)) -> Result<(), Fault> {
        let ready = self.ready().await?;
        let mut taken = false;
        let mut each = |product| {
            taken = true;
            take(product);
        };
        match self.products_once(&mut each).await {
            // As for every other call, but that nothing may be taken twice.
            Err(fault) if fault.kind == FaultKind::Schema => {
                self.forget(&ready).await;
                if taken {
                    return Err(fault);
                }
                self.ready().await?;
                self.products_once(take).await
            }
            done => done,
        }
    }

    async fn write_products(&self, writes: &[ProductWrite]) -> Result<Vec<Result<(), Fault>>, Fault> {
        healing!(self, ready => self.write_products_once(&ready, writes))
    }

    async fn customers(&self) -> Result<Vec<Customer>, Fault> {
        healing!(self, ready => self.customers_once(&ready))
    }

    async fn write_bill(&self, write: &BillWrite) -> Result<(), Fault> {
        healing!(self, ready => self.write_bill_once(&ready, write))
    }

    async fn follow_numbers(&self, series: &[NumberSeries]) -> Result<bool, Fault> {
        healing!(self, ready => self.follow_numbers_once(&ready, series))
    }

    async fn renumber(&self, wanted: &Renumber) -> Result<Renumbered, Fault> {
        healing!(self, ready => self.renumber_once(&ready, wanted))
    }

    async fn follow(&self, events: mpsc::Sender<BillingEvent>) {
        self.follow_events(&events).await;
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
