//! The trial: what it wrote, what is shown of it, and going live.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::bill::{FoundBill, Row};
use super::ids::{CustomerId, InvId, RecordId};
use super::invoice::TaxType;
use super::status::Progress;

/// What stands of a row that the trial wrote. Stored by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialState {
    /// As far as is known it stands in RainTek.
    Standing,
    /// It stands in RainTek no more.
    Removed,
    /// It stays: RainTek changed it, or built on it.
    Left,
}

impl TrialState {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standing => "standing",
            Self::Removed => "removed",
            Self::Left => "left",
        }
    }

    /// The state of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Standing, Self::Removed, Self::Left].into_iter().find(|state| state.name() == name)
    }
}

/// A bill as it was about to be written: kept before the commit, so that no crash loses it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWrite {
    /// Its rows, without what the server numbers itself.
    pub bill: FoundBill,
    /// The customer that is made with it.
    pub new_customer: Option<Row>,
}

/// A bill that the trial wrote into RainTek. Its number is its key: RainTek holds one bill of ours under a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialBill {
    /// The invoice number.
    pub number: String,
    /// `Inv_ID`, once it was read back.
    pub inv_id: Option<InvId>,
    /// The app's record.
    pub record_id: RecordId,
    /// In which series it is numbered.
    pub tax_type: TaxType,
    /// As it was read back.
    pub bill: Option<FoundBill>,
    /// As it was about to be written since then.
    pub planned: Option<PlannedWrite>,
    /// Whether the row in the counter table is the trial's, too.
    pub own_counter: bool,
    /// What stands of it.
    pub state: TrialState,
    /// Why it was left.
    pub sentence: Option<String>,
}

/// A customer that the trial made in RainTek.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialCustomer {
    /// `Customer.ID`.
    pub id: CustomerId,
    /// As it was read back, all columns.
    pub row: Row,
    /// What stands of it.
    pub state: TrialState,
    /// Why it was left.
    pub sentence: Option<String>,
}

/// A customer of RainTek, and who needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomerUse {
    /// As it stands, all columns; `None` where there is none.
    pub row: Option<Row>,
    /// Tables with rows of this customer, and how many.
    pub uses: Vec<(String, u64)>,
}

/// What the app holds, by record: all of it, whatever its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppHolds {
    /// Whether ShopSync laid this app down: nothing of a shop's own is in it.
    pub laid_down: bool,
    /// Invoices of any status and source.
    pub invoices: Vec<AppInvoice>,
    /// Customers.
    pub customers: Vec<AppCustomer>,
}

/// An invoice of the app, as far as going live needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppInvoice {
    /// Its record.
    pub id: RecordId,
    /// Its number; may be empty.
    pub number: String,
    /// Whether RainTek made it.
    pub from_raintek: bool,
    /// Its customer.
    pub customer: Option<RecordId>,
    /// What our stamp says.
    pub inv_id: Option<InvId>,
}

/// A customer of the app, as far as going live needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppCustomer {
    /// Its record.
    pub id: RecordId,
    /// As typed.
    pub name: String,
    /// What our stamp says.
    pub pos_id: Option<CustomerId>,
}

/// What kind of record of the app. Stored by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// An invoice, with its lines and payments.
    Invoice,
    /// A customer.
    Customer,
}

impl AppKind {
    /// As stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Customer => "customer",
        }
    }

    /// The kind of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Invoice, Self::Customer].into_iter().find(|kind| kind.name() == name)
    }
}

/// A record of the app that came from the trial.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrialRecord {
    /// What it is.
    pub kind: AppKind,
    /// The app's record.
    pub id: RecordId,
    /// Its number or name, for a person.
    pub label: String,
}

/// Since when a trial runs, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialBegin {
    /// When it began.
    pub since: DateTime<Utc>,
    /// RainTek's highest Inv_ID then: what is ours above it came from the trial.
    pub inv_mark: InvId,
}

/// How far going live is. Every step can be made again from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GoLiveStep {
    /// What came from the trial is written down; what is billed from here on is real.
    Stock,
    /// Both sides are backed up.
    Backups,
    /// Bills go from RainTek.
    Bills,
    /// Customers go from RainTek.
    Customers,
    /// Invoices and customers go from the app.
    App,
    /// The outbox forgets them.
    Forget,
    /// Counters take RainTek's numbers.
    Counters,
    /// Products are compared anew.
    Products,
    /// The settings say that it is no trial.
    Settings,
}

impl GoLiveStep {
    /// What comes after it.
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Stock => Some(Self::Backups),
            Self::Backups => Some(Self::Bills),
            Self::Bills => Some(Self::Customers),
            Self::Customers => Some(Self::App),
            Self::App => Some(Self::Forget),
            Self::Forget => Some(Self::Counters),
            Self::Counters => Some(Self::Products),
            Self::Products => Some(Self::Settings),
            Self::Settings => None,
        }
    }

    /// Whether nothing was removed yet, so that it can be given up.
    pub fn can_be_given_up(self) -> bool {
        self <= Self::Backups
    }

    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stock => "Looking at what came from the trial",
            Self::Backups => "Backing up both sides",
            Self::Bills => "Removing the trial's bills from RainTek",
            Self::Customers => "Removing the trial's customers from RainTek",
            Self::App => "Emptying the billing app",
            Self::Forget => "Forgetting the trial's invoices",
            Self::Counters => "Setting the invoice numbers",
            Self::Products => "Pulling products",
            Self::Settings => "Leaving the trial",
        }
    }
}

/// What a going live that is under way must remember.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoLive {
    /// The step to be made.
    pub step: GoLiveStep,
    /// When a person said so.
    pub at: DateTime<Utc>,
    /// For the answer: the backups that were made, and what was met on the way.
    pub lines: Vec<String>,
    /// Records of the trial that the app does not let go of.
    #[serde(default)]
    pub kept: Vec<(AppKind, RecordId)>,
}

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoLiveWork {
    /// `Removing the trial's bills from RainTek`.
    pub doing: String,
    /// How far it is.
    pub progress: Option<Progress>,
    /// Why it stands still, in one sentence; it is tried again by itself.
    pub sentence: Option<String>,
}

/// How it ended, or what it would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoLiveAnswer {
    /// It went well.
    pub ok: bool,
    /// One line for each thing.
    pub lines: Vec<String>,
}

/// The trial, as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialStatus {
    /// It is a trial.
    pub on: bool,
    /// Nothing is written into RainTek.
    pub watch_only: bool,
    /// For the top of the page; `None` where everything is as ever.
    pub banner: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Going live, while it is under way.
    pub work: Option<GoLiveWork>,
    /// What a person asked for, counted.
    pub asked: u64,
    /// Of it, what is done.
    pub answered: u64,
    /// How the last of it ended.
    pub answer: Option<GoLiveAnswer>,
}
