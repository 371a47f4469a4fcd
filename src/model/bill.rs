//! A bill as rows of RainTek's tables, what is found there, and what is to be done.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{CustomerId, InvId, ProductId};
use super::invoice::TaxType;
use super::posting::{Book, Books, DesiredPostings, FoundPostings, PARTY, Party, PostingChange};
use super::scan::MarkedBill;

/// What ShopSync writes into `InvoiceInfo.TillID`: tells our bills from RainTek's own.
pub const TILL_ID: &str = "SHOPSYNC";
/// What ShopSync writes into `InvoiceInfo.Operator`.
pub const OPERATOR: &str = "ShopSync";

/// One value of a row, in the form in which it is compared: text trimmed at its end, dates in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Only ever read, never written.
    Null,
    /// Whole number.
    Int(i64),
    /// Exact number; 1.5 and 1.50 are equal.
    Dec(Decimal),
    /// Without trailing spaces.
    Text(String),
    /// Whole seconds, in the server's (the shop's) local time.
    Date(NaiveDateTime),
    /// Yes or no.
    Bit(bool),
    /// Raw bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// The same content, whatever the type it came back as: RainTek's installations differ in a column's exact type.
    pub fn same(&self, other: &Self) -> bool {
        match (self.as_decimal(), other.as_decimal()) {
            (Some(left), Some(right)) => left == right,
            _ => match (self, other) {
                // A column of fixed width is filled up with zeros.
                (Self::Bytes(left), Self::Bytes(right)) => without_zeros(left) == without_zeros(right),
                _ => self == other,
            },
        }
    }

    fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Int(value) => Some(Decimal::from(*value)),
            Self::Dec(value) => Some(*value),
            Self::Bit(value) => Some(Decimal::from(u8::from(*value))),
            _ => None,
        }
    }
}

/// In words, for a person who compares two of them.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("nothing"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Dec(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Date(at) if at.time() == NaiveTime::MIN => write!(f, "{}", at.date()),
            Self::Date(at) => write!(f, "{at}"),
            Self::Bit(value) => f.write_str(if *value { "yes" } else { "no" }),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
        }
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    bytes.get(..length).unwrap_or_default()
}

/// A row: column name -> value. Names are as the server spells them where it has the column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Row(pub BTreeMap<String, Value>);

impl Row {
    /// A value by column name, without regard to case.
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.0
            .get(column)
            .or_else(|| self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)).map(|(_, v)| v))
    }

    /// A whole number, 0 where there is none.
    pub fn int(&self, column: &str) -> i64 {
        match self.get(column) {
            Some(Value::Int(value)) => *value,
            Some(Value::Dec(value)) => i64::try_from(*value).unwrap_or_default(),
            _ => 0,
        }
    }

    /// A decimal, 0 where there is none.
    pub fn decimal(&self, column: &str) -> Decimal {
        self.get(column).and_then(Value::as_decimal).unwrap_or_default()
    }

    /// A text, empty where there is none.
    pub fn text(&self, column: &str) -> &str {
        match self.get(column) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }
}

/// A bill as it stands in RainTek.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundBill {
    /// `InvoiceInfo`, all columns.
    pub info: Row,
    /// `Invoice_Product`, all columns, in the order of `IPo_ID`.
    pub lines: Vec<Row>,
    /// `Invoice_Payment`, all columns, in the order of `IP_ID`.
    pub payments: Vec<Row>,
    /// `InvNo` of the `SaleGST`/`SaleNoTax` rows of this number.
    pub counter: Vec<Row>,
    /// What stands in ledgers and stock movements under its number, as far as it was read.
    #[serde(default, skip_serializing_if = "Books::is_empty")]
    pub postings: Books,
}

impl FoundBill {
    /// `Inv_ID`.
    pub fn inv_id(&self) -> InvId {
        InvId::try_from(self.info.int("Inv_ID")).unwrap_or_default()
    }

    /// What a day's sum needs of it, where it is of this day and carries our mark.
    pub fn marked(&self, day: NaiveDate) -> Option<MarkedBill> {
        let is_of_day = matches!(self.info.get("InvoiceDate"), Some(Value::Date(at)) if at.date() == day);
        (is_of_day && self.has_our_mark()).then(|| MarkedBill {
            inv_id: self.inv_id(),
            number: self.info.text("InvoiceNo").trim().to_owned(),
            total: self.info.decimal("GrandTotal"),
        })
    }

    /// Whether ShopSync wrote it, by the mark it leaves; an installation without `TillID` carries it in `Operator`.
    pub fn has_our_mark(&self) -> bool {
        let (column, mark) =
            if self.info.get("TillID").is_some() { ("TillID", TILL_ID) } else { ("Operator", OPERATOR) };
        self.info.text(column).trim().eq_ignore_ascii_case(mark)
    }

    /// Whether it carries this very number.
    pub fn has_number(&self, number: &str) -> bool {
        self.info.text("InvoiceNo").trim().eq_ignore_ascii_case(number.trim())
    }

    /// Whose it is, where it says so.
    pub fn customer_id(&self) -> Option<CustomerId> {
        let id = ["Customer_ID", "CustomerID"].iter().map(|name| self.info.int(name)).find(|id| *id > 0);
        id.and_then(|id| CustomerId::try_from(id).ok())
    }

    /// Whom its ledgers name, where they say so: customers are renamed.
    pub fn party(&self) -> Option<Party> {
        let mut rows = self.postings.rows(Book::LedgerBook).iter();
        let sales = rows.find(|row| row.text("Label").trim() == "Sales")?;
        let name = if sales.get("PartyName").is_some() { "PartyName" } else { "Name" };
        let text = |column| sales.text(column).trim().to_owned();
        Some(Party { key: text(PARTY), name: text(name) })
    }
}

/// What RainTek says about a product that an invoice names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProduct {
    /// `PID`.
    pub pid: ProductId,
    /// `ProductCode`, trimmed.
    pub code: String,
    /// `CostPrice`.
    pub cost_price: Decimal,
    /// `CESS`, percent.
    pub cess_percent: Decimal,
    /// `Barcode`, trimmed; `0` means none.
    pub barcode: String,
    /// `STax`, trimmed.
    pub tax_mode: String,
    /// `SalesUnit`, trimmed.
    pub unit: String,
}

/// The highest numbers in use, read under the lock that keeps them true until the commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// `MAX(InvoiceInfo.Inv_ID)`.
    pub inv_id: i32,
    /// `MAX(Customer.ID)`.
    pub customer_id: i32,
    /// `MAX(ID)` of the bill's counter table.
    pub counter: i32,
    /// Whether the number's own N is taken in the counter table.
    pub counter_taken: bool,
    /// Whether the counter table has a row of this invoice number already.
    pub counter_has_number: bool,
    /// `MAX(IPo_ID)`; used only where the column is no identity.
    pub line_id: i32,
    /// `MAX(IP_ID)`; used only where the column is no identity.
    pub payment_id: i32,
    /// The highest N of the `C-N` customer numbers.
    pub customer_number: i64,
}

/// How RainTek numbers its bills right now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberMarks {
    /// `MAX(InvoiceInfo.Inv_ID)`.
    pub inv_id: InvId,
    /// `MAX(SaleGST.ID)`.
    pub gst: i32,
    /// `MAX(SaleNoTax.ID)`.
    pub non_gst: i32,
    /// `Invcode.Code`, trimmed; empty where there is none.
    pub code: String,
    /// `Invcode.c10`, trimmed; empty where there is none.
    pub suffix: String,
}

/// One of the app's counters as it is to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberSeries {
    /// `invoice_gst` or `invoice_non_gst`.
    pub name: &'static str,
    /// The last number used; the app's own only ever goes up to it.
    pub value: i32,
    /// In front of the number.
    pub prefix: String,
    /// Behind it; empty is the financial year of the bill's day.
    pub suffix: String,
}

impl NumberSeries {
    /// The number text of an N, at least four digits; only where the suffix is filled in.
    pub fn text(&self, n: i32) -> String {
        format!("{}-{n:04}-{}", self.prefix, self.suffix)
    }
}

/// What is looked up before anything is decided, in one round trip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The invoice number.
    pub number: String,
    /// `Inv_ID` where the store or the app knows it.
    pub inv_id: Option<InvId>,
    /// Chooses the counter table.
    pub tax_type: TaxType,
    /// N of the number, where it has one.
    pub counter: Option<i32>,
    /// Product codes of the lines, distinct.
    pub product_codes: Vec<String>,
    /// Last ten digits; `None` looks for the walk-in customer.
    pub phone: Option<String>,
}

/// Everything a plan needs to know, as it stands in RainTek under the lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Bills that carry the number, or the known Inv_ID. Nearly always none or one.
    pub bills: Vec<FoundBill>,
    /// Products by code.
    pub products: Vec<LineProduct>,
    /// The customer of that phone, or the walk-in one: the lowest ID that matches.
    pub customer: Option<CustomerId>,
    /// `Company.State`, trimmed.
    pub company_state: String,
    /// The Inv_ID under which the store or the app knows this invoice.
    pub known: Option<InvId>,
    /// What is left under the number that the bill of the known Inv_ID carries, where that is another one.
    pub former: Option<Former>,
    /// Highest numbers.
    pub marks: Marks,
    /// What postings need to know.
    pub postings: FoundPostings,
}

/// What stands under the number that a bill is to carry no longer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Former {
    /// Its rows in the counter table, lowest ID first.
    pub counter: Vec<Row>,
    /// Whether another bill carries it, too: then what stands under it is not all ours.
    pub shared: bool,
}

/// The customer a bill goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DesiredCustomer {
    /// One that RainTek has.
    Existing(CustomerId),
    /// One to be made: the whole row but its ID and CustomerID, which the plan numbers.
    New(Row),
}

/// A bill as it is to stand in RainTek: every column that can be written, but for the numbers the plan gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// The invoice number, as it goes into RainTek.
    pub number: String,
    /// The series.
    pub tax_type: TaxType,
    /// N of the number, where it has one.
    pub counter: Option<i32>,
    /// `InvoiceInfo` without Inv_ID and Customer_ID.
    pub info: Row,
    /// The name of the column that holds the customer's ID.
    pub customer_column: String,
    /// `Invoice_Product` without IPo_ID and InvoiceID.
    pub lines: Vec<Row>,
    /// `Invoice_Payment` without IP_ID and InvoiceID.
    pub payments: Vec<Row>,
    /// `SaleGST` or `SaleNoTax` without ID; `None` where this installation has no such table.
    pub counter_row: Option<Row>,
    /// To whom.
    pub customer: DesiredCustomer,
    /// What RainTek's till would book beside it.
    #[serde(default)]
    pub postings: DesiredPostings,
    /// What was cut or replaced to make it fit, one sentence each.
    pub notes: Vec<String>,
}

/// What is to be done, with every number given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Write a new bill.
    Insert(Box<InsertPlan>),
    /// Write the bill again under its own Inv_ID.
    Replace(Box<ReplacePlan>),
    /// Take the bill out, as RainTek's own delete does.
    Remove(Box<RemovePlan>),
    /// It stands there just so.
    Nothing {
        /// Where.
        inv_id: InvId,
        /// Whose.
        customer_id: CustomerId,
    },
    /// Writing would harm something that is not ours.
    Conflict(Conflict),
}

/// A new bill, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsertPlan {
    /// Given Inv_ID; the server gives its own where the column is an identity.
    pub inv_id: InvId,
    /// Customer's ID, given or found.
    pub customer_id: CustomerId,
    /// The row to insert where the customer is new.
    pub new_customer: Option<Row>,
    /// Full row with Inv_ID and customer.
    pub info: Row,
    /// Full rows with InvoiceID.
    pub lines: Vec<Row>,
    /// Full rows with InvoiceID.
    pub payments: Vec<Row>,
    /// Which counter table.
    pub tax_type: TaxType,
    /// Full row with ID; `None` where the counter table has this number already.
    pub counter_row: Option<Row>,
    /// What is posted with it.
    pub postings: PostingChange,
}

/// A bill that is written again in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacePlan {
    /// Which bill.
    pub inv_id: InvId,
    /// Customer's ID, given or found.
    pub customer_id: CustomerId,
    /// The row to insert where the customer is new.
    pub new_customer: Option<Row>,
    /// Columns of InvoiceInfo to set.
    pub info: Row,
    /// Full rows with InvoiceID; `None` leaves the lines as they are.
    pub lines: Option<Vec<Row>>,
    /// Payments to make equal; `None` leaves them as they are.
    pub payments: Option<PaymentChange>,
    /// A counter row to add where the number has none.
    pub counter_row: Option<Row>,
    /// IDs of counter rows to delete: those of a number that the bill carries no longer.
    pub counter_ids: Vec<i64>,
    /// Which counter table.
    pub tax_type: TaxType,
    /// How its postings change with it.
    pub postings: PostingChange,
    /// What stood there before, for the snapshot.
    pub before: FoundBill,
}

/// A bill that is taken out: its lines, payments, counter row and itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovePlan {
    /// Which bill.
    pub inv_id: InvId,
    /// Which counter table.
    pub tax_type: TaxType,
    /// IDs of its rows in the counter table.
    pub counter_ids: Vec<i64>,
    /// How its postings are taken back.
    pub postings: PostingChange,
    /// What stood there before, for the snapshot.
    pub before: FoundBill,
}

/// How payments become equal: one row stays one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentChange {
    /// IP_IDs whose row is set to these values, pair by pair.
    pub update: Vec<(i64, Row)>,
    /// Full rows to add.
    pub insert: Vec<Row>,
    /// IP_IDs to delete.
    pub delete: Vec<i64>,
}

/// Why nothing is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// RainTek used the number for a bill of its own.
    NumberTaken {
        /// Its bill.
        inv_id: InvId,
        /// Its grand total in rupees.
        grand_total: Decimal,
    },
    /// More than one bill carries the number.
    Ambiguous {
        /// All of them.
        inv_ids: Vec<InvId>,
    },
    /// Ledgers or stock movements hold rows of the number, and no bill does.
    PostingsTaken {
        /// In which tables.
        tables: Vec<String>,
    },
}

/// Which part of a bill differs, for a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Table.
    pub table: &'static str,
    /// Which row, from 0.
    pub row: usize,
    /// Column; empty where the number of rows differs.
    pub column: String,
    /// What should stand there.
    pub desired: String,
    /// What stands there.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, row, column, desired, found } = self;
        match (column.is_empty(), *table == "InvoiceInfo") {
            (true, _) => write!(f, "{table}: {found} instead of {desired}"),
            (false, true) => write!(f, "{table}.{column}: {found} instead of {desired}"),
            (false, false) => write!(f, "{table}.{column}, row {}: {found} instead of {desired}", row + 1),
        }
    }
}
