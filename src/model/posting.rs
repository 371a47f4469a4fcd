//! What RainTek's till books beside a bill: ledgers, live stock, stock movements, last price and last visit.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::bill::{FoundBill, Row};
use super::ids::ProductId;
use super::settings::PostingSettings;

/// The customer's number in a ledger row.
pub const PARTY: &str = "PartyID";

/// A table that holds rows of a bill by the bill's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Book {
    /// The general ledger.
    LedgerBook,
    /// The customers' accounts: a balance is sum(Credit) - sum(Debit).
    CustomerLedgerBook,
    /// The bank accounts.
    BankAccountLedger,
    /// What came and went; its rows are written only together with `Temp_Stock`.
    StockMovement,
}

impl Book {
    /// All of them, in the order in which RainTek writes them.
    pub const ALL: [Self; 4] =
        [Self::LedgerBook, Self::CustomerLedgerBook, Self::BankAccountLedger, Self::StockMovement];

    /// The table's name.
    pub fn table(self) -> &'static str {
        match self {
            Self::LedgerBook => "LedgerBook",
            Self::CustomerLedgerBook => "CustomerLedgerBook",
            Self::BankAccountLedger => "BankAccountLedger",
            Self::StockMovement => "StockMovement",
        }
    }

    /// The column that holds the bill's number.
    pub fn number_column(self) -> &'static str {
        match self {
            Self::StockMovement => "TransID",
            _ => "LedgerNo",
        }
    }

    /// Which setting it belongs to.
    pub fn is_ledger(self) -> bool {
        self != Self::StockMovement
    }

    /// Whether these settings ask for it.
    pub fn is_in(self, settings: PostingSettings) -> bool {
        if self.is_ledger() { settings.ledgers } else { settings.stock }
    }
}

/// Rows by book. A book that is there without rows is one that must have none; one that is not there is left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Books(pub BTreeMap<Book, Vec<Row>>);

impl Books {
    /// The rows of one book.
    pub fn rows(&self, book: Book) -> &[Row] {
        self.0.get(&book).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether no book has a row.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(Vec::is_empty)
    }

    /// Which of the two kinds have rows.
    pub fn kinds(&self) -> PostingSettings {
        let any =
            |ledger: bool| self.0.iter().any(|(book, rows)| book.is_ledger() == ledger && !rows.is_empty());
        PostingSettings { stock: any(false), ledgers: any(true) }
    }
}

/// Which kinds of postings any of these bills has.
pub fn kinds_of(bills: &[FoundBill]) -> PostingSettings {
    bills.iter().fold(PostingSettings::default(), |all, bill| all.or(bill.postings.kinds()))
}

/// Whom the ledgers name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// `Customer.CustomerID`, trimmed.
    pub key: String,
    /// `Customer.Name`, trimmed.
    pub name: String,
}

/// What RainTek holds of postings beside those of the bills that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundPostings {
    /// The customer that was found.
    pub party: Party,
    /// Rows under the number that belong to no bill. Looked for only where postings are asked for.
    pub stray: Books,
    /// `MAX(ID)` of the books whose ID is no identity, true until the commit.
    pub marks: BTreeMap<Book, i32>,
    /// The barcodes under which `Temp_Stock` holds a product; a product that was not asked for is not there.
    pub stock: BTreeMap<ProductId, Vec<String>>,
}

/// What is to be posted for a bill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredPostings {
    /// What the settings ask for, less what this installation cannot do: only these are compared.
    pub wanted: PostingSettings,
    /// What stands there since this bill was written: a bill without it is not the same.
    pub written: PostingSettings,
    /// Whole rows but for their ID, and PartyID where the customer is new. Beside what is wanted, also what stands
    /// there already: a bill that was posted stays posted.
    pub books: Books,
    /// `Product.LastPrice`, as a row, by product.
    pub last_prices: BTreeMap<ProductId, Row>,
    /// `Customer.Lvisitdate`, as a row.
    pub last_visit: Option<Row>,
}

/// How much is added to one product's live stock under one barcode; a sale's is below zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockChange {
    /// Which product.
    pub pid: ProductId,
    /// Under which barcode, trimmed.
    pub barcode: String,
    /// How much is added.
    pub quantity: Decimal,
}

/// How a bill's postings change, in the transaction that changes the bill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PostingChange {
    /// IDs of rows to delete: those that were found, and no others.
    pub delete: BTreeMap<Book, Vec<i64>>,
    /// Full rows to insert.
    pub insert: Books,
    /// What is added to `Temp_Stock`.
    pub stock: Vec<StockChange>,
    /// Columns of `Product` to set.
    pub products: BTreeMap<ProductId, Row>,
    /// Columns of the bill's `Customer` to set.
    pub customer: Option<Row>,
}
