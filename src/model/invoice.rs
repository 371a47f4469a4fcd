//! An invoice as the app holds it, its numbers already exact.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::customer::Customer;
use super::fault::Fault;
use super::ids::{InvId, RecordId};
use super::money::total;

/// `invoices.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvoiceStatus {
    /// Not finished: nothing of ours.
    Draft,
    /// To be booked.
    Completed,
    /// Replaced by a newer record of the same number.
    Revised,
    /// Called off.
    Cancelled,
}

/// Which series a bill is numbered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaxType {
    /// `GST`: counter `SaleGST`.
    Gst,
    /// `NON GST`: counter `SaleNoTax`.
    NonGst,
}

impl TaxType {
    /// The text in `InvoiceInfo.TaxType` and in the app.
    pub fn text(self) -> &'static str {
        match self {
            Self::Gst => "GST",
            Self::NonGst => "NON GST",
        }
    }

    /// RainTek's table that counts the bills of this series; an installation that numbers one series only has one.
    pub fn counter_table(self) -> &'static str {
        match self {
            Self::Gst => "SaleGST",
            Self::NonGst => "SaleNoTax",
        }
    }
}

/// How a line's tax sits in its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TaxMode {
    /// The tax comes on top. A blank counts as this.
    Exclusive,
    /// The tax is carved out of the rate.
    Inclusive,
    /// No GST; a cess may apply.
    ExemptGst,
    /// No tax at all.
    NoTaxes,
}

impl TaxMode {
    /// The text in `Invoice_Product.STaxType`.
    pub fn text(self) -> &'static str {
        match self {
            Self::Exclusive => "Exclusive",
            Self::Inclusive => "Inclusive",
            Self::ExemptGst => "Exempt GST",
            Self::NoTaxes => "No Taxes",
        }
    }

    /// Reads RainTek's and the app's spelling, without regard to case and spaces around it.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "exclusive" => Some(Self::Exclusive),
            "inclusive" => Some(Self::Inclusive),
            "exempt gst" => Some(Self::ExemptGst),
            "no taxes" => Some(Self::NoTaxes),
            _ => None,
        }
    }
}

/// Taxes of a line or of a whole bill, in rupees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxes {
    /// Central GST.
    pub cgst: Decimal,
    /// State GST.
    pub sgst: Decimal,
    /// Integrated GST, for another state.
    pub igst: Decimal,
    /// Cess.
    pub cess: Decimal,
}

impl Taxes {
    /// All four together.
    pub fn sum(&self) -> Decimal {
        total([self.cgst, self.sgst, self.igst, self.cess])
    }

    /// Adds another set, tax by tax.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            cgst: self.cgst.saturating_add(other.cgst),
            sgst: self.sgst.saturating_add(other.sgst),
            igst: self.igst.saturating_add(other.igst),
            cess: self.cess.saturating_add(other.cess),
        }
    }
}

/// One record of `invoice_items`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The app's record.
    pub id: RecordId,
    /// `product_code`, trimmed: the line's own, else its product's.
    pub product_code: String,
    /// As billed.
    pub product_name: String,
    /// As billed.
    pub hsn_code: String,
    /// As billed; may be empty.
    pub barcode: String,
    /// Three decimals.
    pub quantity: Decimal,
    /// As billed; may be empty.
    pub unit: String,
    /// Rupees per unit.
    pub rate: Decimal,
    /// Rupees per unit; 0 where unknown.
    pub mrp: Decimal,
    /// Percent, four decimals.
    pub discount_percent: Decimal,
    /// Rupees.
    pub discount: Decimal,
    /// How the tax sits in the rate.
    pub tax_mode: TaxMode,
    /// Percent, both halves together.
    pub gst_rate: Decimal,
    /// Rupees.
    pub taxes: Taxes,
    /// Rupees.
    pub taxable: Decimal,
    /// Rupees, taxes included.
    pub total: Decimal,
}

/// A way to pay, as the app names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaymentKind(pub String);

/// One payment: of `invoice_payments`, or the whole of an invoice that is not split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// `cash`, `upi`, `card`, `cheque`, `phonepe`, `gpay`, `paytm`, `wallet`, `credit`.
    pub mode: PaymentKind,
    /// Rupees.
    pub amount: Decimal,
}

/// A record of `invoices` with its lines and payments: complete, or it is not one of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// The app's record.
    pub id: RecordId,
    /// The idempotency key across both systems, trimmed.
    pub number: String,
    /// The day in the shop's zone.
    pub date: NaiveDate,
    /// Where it stands in the app.
    pub status: InvoiceStatus,
    /// The series.
    pub tax_type: TaxType,
    /// `None`: a walk-in.
    pub customer: Option<Customer>,
    /// How many lines the app says there are; `None` where it does not say.
    pub item_count: Option<u32>,
    /// Rupees.
    pub taxable: Decimal,
    /// Rupees.
    pub taxes: Taxes,
    /// Rupees.
    pub freight: Decimal,
    /// Rupees off the whole bill, after tax.
    pub discount: Decimal,
    /// Rupees, either sign.
    pub round_off: Decimal,
    /// Rupees: the truth all else must add up to.
    pub grand_total: Decimal,
    /// Rupees.
    pub amount_paid: Decimal,
    /// `payment_method`; `split` means that [`Invoice::payments`] counts.
    pub payment_method: PaymentKind,
    /// Free text.
    pub notes: String,
    /// `raintek_inv_id`, where stamped.
    pub pos_id: Option<InvId>,
    /// Whether the app shows it as synced.
    pub stamped: bool,
    /// PocketBase's `updated`, as text; empty where the app has no such field.
    pub updated: String,
    /// In the order in which they were entered.
    pub lines: Vec<Line>,
    /// Of a split payment only.
    pub payments: Vec<Payment>,
}

/// What a list of invoices tells of one, without its lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoiceHead {
    /// The app's record.
    pub id: RecordId,
    /// Trimmed; may be empty in a broken record.
    pub number: String,
    /// Rupees, for display; `None` where it is no exact amount.
    pub grand_total: Option<Decimal>,
    /// The customer's name, for display; may be empty.
    pub customer: String,
    /// PocketBase's `created`, as text: sorts by time. Empty where the app has no such field.
    pub created: String,
    /// PocketBase's `updated`, as text: changes with every write. Empty where the app has no such field.
    pub updated: String,
    /// The day of the invoice in the shop's zone; `None` where it is not readable.
    pub date: Option<NaiveDate>,
    /// Whether the app shows it as synced with an Inv_ID.
    pub stamped: Option<InvId>,
}

/// The answer to reading one invoice: all of it, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvoiceRead {
    /// Everything that is there now, in one consistent look. Whether all its lines have come is decided by
    /// `sync::completeness`.
    Found(Box<Invoice>),
    /// A number or date that does not survive: cannot be booked until somebody corrects it.
    Broken(Fault),
    /// No completed invoice of the app any more: a draft, revised, cancelled, of RainTek's, or deleted.
    NotDue(NotDue),
}

/// Why an invoice is not to be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotDue {
    /// Still being written.
    Draft,
    /// Replaced by a newer record.
    Revised,
    /// Called off.
    Cancelled,
    /// Came from RainTek.
    FromPos,
    /// Proven to be gone: the app itself answered so to a superuser.
    Deleted,
}

/// What is written back to an invoice of the app. Only our own fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stamp {
    /// It stands in RainTek, read back.
    Synced {
        /// `raintek_inv_id`.
        inv_id: InvId,
        /// The customer's record and `raintek_customer_id`, where there is one to stamp.
        customer: Option<(RecordId, i32)>,
    },
    /// A person must look, with the sentence for `sync_error`.
    Failed(String),
    /// It waits again.
    Pending,
    /// It was taken out of RainTek, as a person wanted: nothing is shown of it any more.
    Removed,
}
