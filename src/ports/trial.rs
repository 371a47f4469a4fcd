//! What a trial needs from the world: to remember what it wrote, and to take it back.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::model::awareness::BillKey;
use crate::model::bill::{FoundBill, NumberSeries};
use crate::model::fault::{Fault, SendOutcome};
use crate::model::ids::{CustomerId, InvId, RecordId};
use crate::model::invoice::TaxType;
use crate::model::trial::{
    AppHolds, AppKind, CustomerUse, TrialBegin, TrialBill, TrialCustomer, TrialRecord,
};

/// RainTek's database.
#[async_trait]
pub trait TrialPos: Send + Sync {
    /// Every bill of that number, and the one of that Inv_ID with all its rows, whatever is posted. Takes no lock.
    async fn stands(&self, number: &str, inv_id: InvId, tax_type: TaxType) -> Result<Vec<FoundBill>, Fault>;

    /// A customer, and every table of the database that holds rows of it.
    async fn customer(&self, id: CustomerId) -> Result<CustomerUse, Fault>;

    /// Deletes a customer in one transaction, if it and its uses are as they were seen; `false` where they are not.
    ///
    /// # Errors
    /// [`SendOutcome::Unknown`] counts as transient: it is looked at anew.
    async fn remove_customer(&self, id: CustomerId, seen: &CustomerUse) -> Result<bool, Fault>;
}

/// What came of asking for a commit, as a plain result: an unknown outcome is looked up by the next try.
///
/// # Errors
/// Whatever was not confirmed.
pub fn confirmed(outcome: SendOutcome) -> Result<(), Fault> {
    match outcome {
        SendOutcome::Confirmed => Ok(()),
        SendOutcome::Rejected(fault) | SendOutcome::Unknown(fault) => Err(fault),
    }
}

/// The billing app.
#[async_trait]
pub trait TrialApp: Send + Sync {
    /// All invoices and customers, complete or an error.
    async fn holds(&self) -> Result<AppHolds, Fault>;

    /// Customers that any record of the app refers to, and one collection that does.
    async fn customers_in_use(&self) -> Result<BTreeMap<RecordId, String>, Fault>;

    /// Deletes an invoice with its lines and payments; one that is not there is deleted already.
    ///
    /// # Errors
    /// A Data fault where the app refuses.
    async fn remove_invoice(&self, id: &RecordId) -> Result<(), Fault>;

    /// Deletes a customer; one that is not there is deleted already.
    ///
    /// # Errors
    /// A Data fault where the app refuses.
    async fn remove_customer(&self, id: &RecordId) -> Result<(), Fault>;

    /// Takes our own stamp off a record.
    async fn unstamp(&self, kind: AppKind, id: &RecordId) -> Result<(), Fault>;

    /// Sets the app's counters to these, down as well as up. `false` where the app numbers its invoices its own way:
    /// then nothing is touched.
    async fn set_numbers(&self, series: &[NumberSeries]) -> Result<bool, Fault>;
}

/// What the trial wrote, in our own store. Every method is durable before it returns.
#[async_trait]
pub trait TrialStore: Send + Sync {
    /// Whether a trial runs.
    async fn begun(&self) -> Result<Option<TrialBegin>, Fault>;

    /// Begins one; `before` is what the app held already.
    async fn begin(&self, begin: &TrialBegin, before: &[(AppKind, RecordId)]) -> Result<(), Fault>;

    /// What the app held when it began.
    async fn before(&self) -> Result<Vec<(AppKind, RecordId)>, Fault>;

    /// A bill by its number.
    async fn bill(&self, number: &str) -> Result<Option<TrialBill>, Fault>;

    /// Every bill, the newest of RainTek first.
    async fn bills(&self) -> Result<Vec<TrialBill>, Fault>;

    /// Keeps a bill, and the customer that was made with it; forgets what else was kept under its Inv_ID.
    async fn put_bill(&self, bill: &TrialBill, customer: Option<&TrialCustomer>) -> Result<(), Fault>;

    /// Forgets a bill that was taken back while the trial runs.
    async fn drop_bill(&self, number: &str) -> Result<(), Fault>;

    /// Every customer.
    async fn customers(&self) -> Result<Vec<TrialCustomer>, Fault>;

    /// Keeps a customer.
    async fn put_customer(&self, customer: &TrialCustomer) -> Result<(), Fault>;

    /// The app's records that are to go, once they were written down.
    async fn records(&self) -> Result<Vec<TrialRecord>, Fault>;

    /// Writes down which records of the app are to go, in place of those written down before.
    async fn put_records(&self, records: &[TrialRecord]) -> Result<(), Fault>;

    /// Records of the app that the outbox knows.
    async fn known_invoices(&self) -> Result<Vec<(RecordId, String)>, Fault>;

    /// Forgets what the outbox and the memory of RainTek's bills hold of the trial, and where their looks stood.
    async fn forget(&self, invoices: &[RecordId], bills: &[BillKey]) -> Result<(), Fault>;

    /// Ends the trial: its tables are emptied.
    async fn end(&self) -> Result<(), Fault>;

    /// Bills of ours that stay in RainTek are RainTek's from here on.
    async fn disown(&self, left: &[BillKey]) -> Result<(), Fault>;

    /// Bills that carry our mark and are RainTek's all the same.
    async fn disowned(&self) -> Result<Vec<BillKey>, Fault>;

    /// A bill is ours again: the app booked it anew under the same Inv_ID and number.
    async fn own(&self, key: &BillKey) -> Result<(), Fault>;
}

/// The settings file.
#[async_trait]
pub trait TrialSettings: Send + Sync {
    /// Has it say that it is no trial; the rest of it stays as it is, to the letter.
    ///
    /// # Errors
    /// Config where it cannot be written.
    async fn leave_trial(&self) -> Result<(), Fault>;
}
