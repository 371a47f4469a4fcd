//! Bills that RainTek made itself, on their way into the app, and what is remembered of every bill.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::customer::Customer;
use super::ids::{CustomerId, InvId, ProductId, RecordId};
use super::invoice::Invoice;

/// Which bills of RainTek to read: those above `after`, dated `from` or later, lowest Inv_ID first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BillPage {
    /// The last Inv_ID of the page before.
    pub after: InvId,
    /// Bills dated earlier are left out; `None` takes any date.
    pub from: Option<NaiveDate>,
    /// At most so many.
    pub limit: u32,
}

/// A bill of RainTek as it is to stand in the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PosInvoice {
    /// Under its deterministic record; `pos_id` is its Inv_ID, the customer's `pos_id` is RainTek's.
    pub invoice: Invoice,
    /// `Product.PID` of each line.
    pub products: Vec<ProductId>,
    /// The day of each payment of [`Invoice::payments`].
    pub paid_on: Vec<NaiveDate>,
    /// The deterministic record of each payment.
    pub payment_ids: Vec<RecordId>,
}

/// The customer's record of the app that a bill is linked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustomerLink {
    /// The walk-in customer.
    None,
    /// One that the app has.
    Existing {
        /// Its record.
        id: RecordId,
        /// `raintek_customer_id` to write, where the record has none.
        stamp: Option<CustomerId>,
    },
    /// One to be made in the same transaction.
    New {
        /// 15 characters of `[a-z0-9]`, following from RainTek's ID.
        id: RecordId,
        /// Its content.
        customer: Box<Customer>,
    },
}

/// One write of a bill into the app, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BillWrite {
    /// The invoice with exactly these lines and payments, whatever stood there before.
    Put {
        /// All of it.
        bill: Box<PosInvoice>,
        /// Its customer.
        customer: CustomerLink,
        /// The app's product of each line, where it has it.
        products: Vec<Option<RecordId>>,
    },
    /// `status` cancelled; lines and payments stay.
    Cancel {
        /// The app's record.
        id: RecordId,
    },
}

/// Where a bill of RainTek stands. Stored by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillState {
    /// RainTek's own, and the app shows it.
    Shown,
    /// RainTek's own, deleted there and cancelled in the app.
    Cancelled,
    /// RainTek's own, and the app cannot show it: see the sentence.
    Refused,
    /// Ours, as it was proven.
    Proven,
    /// Ours, and somebody changed it in RainTek.
    Edited,
    /// Ours, and somebody deleted it in RainTek.
    Gone,
    /// Ours by its mark, and neither the store nor the app knows an invoice of it: a power cut took both's last second.
    Unclaimed,
}

impl BillState {
    const ALL: [Self; 7] = [
        Self::Shown,
        Self::Cancelled,
        Self::Refused,
        Self::Proven,
        Self::Edited,
        Self::Gone,
        Self::Unclaimed,
    ];

    /// As stored and published.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Proven => "proven",
            Self::Edited => "edited",
            Self::Gone => "gone",
            Self::Unclaimed => "unclaimed",
        }
    }

    /// The state of a stored name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it is a bill of the app that stands in RainTek, or should.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Proven | Self::Edited | Self::Gone | Self::Unclaimed)
    }

    /// Whether RainTek had it when last looked at.
    pub fn stands(self) -> bool {
        matches!(self, Self::Shown | Self::Refused | Self::Proven | Self::Edited | Self::Unclaimed)
    }

    /// Whether the app's invoice and RainTek's bill differ, so that a person has to choose.
    pub fn is_mismatch(self) -> bool {
        matches!(self, Self::Edited | Self::Gone | Self::Unclaimed)
    }
}

/// What is remembered of a bill of RainTek. RainTek gives the Inv_ID of a deleted newest bill out again: only with
/// its number a bill is itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownBill {
    /// `Inv_ID`.
    pub inv_id: InvId,
    /// `InvoiceNo`, trimmed.
    pub number: String,
    /// `InvoiceDate`.
    pub day: NaiveDate,
    /// SHA-256 (hex) over what is followed: as shown in the app, or as proven where it is ours.
    pub digest: String,
    /// The app's record of a bill of RainTek's own.
    pub record_id: Option<RecordId>,
    /// Where it stands.
    pub state: BillState,
    /// For a person, where something is to be done.
    pub sentence: Option<String>,
}

impl KnownBill {
    /// What tells it from every other bill.
    pub fn key(&self) -> BillKey {
        BillKey::new(self.inv_id, &self.number)
    }
}

/// Inv_ID and number, the latter without regard to case and spaces around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BillKey {
    /// `Inv_ID`.
    pub inv_id: InvId,
    /// `InvoiceNo`.
    pub number: String,
}

impl BillKey {
    /// Of a bill as RainTek spells it.
    pub fn new(inv_id: InvId, number: &str) -> Self {
        Self { inv_id, number: number.trim().to_uppercase() }
    }
}
