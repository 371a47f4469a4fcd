//! Which generation of RainTek a new store is laid down as: installations differ by version.

use super::catalog::Column;
use super::types::{Text, Ty};

/// How RainTek's tables look in a store that is made new. A store that is there already keeps its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Generation {
    /// As `raintek_columns.csv` has them.
    #[default]
    Current,
    /// Before GST: `InvoiceInfo.CustomerID`, `VATPer/VAT/CostPrice/SellingPrice/Amount` in `Invoice_Product`, no GST
    /// columns, one series of numbers, no live stock.
    Old,
    /// `IPo_ID` and `IP_ID` are plain numbers.
    PlainIds,
    /// Every written table has columns that must not be NULL, have no default, and nobody knows of.
    ExtraNotNull,
}

/// A table and its columns.
pub(crate) type Definition = (String, Vec<Column>);

/// Tables that came later than the old generation.
const LATER_TABLES: [&str; 4] = ["SaleNoTax", "Invcode", "Temp_Stock", "StockMovement"];

/// Columns of the old generation by the name of their successor.
const OLD_NAMES: [(&str, &str, &str); 7] = [
    ("InvoiceInfo", "Customer_ID", "CustomerID"),
    ("Invoice_Product", "SalesRate", "SellingPrice"),
    ("Invoice_Product", "PurchaseRate", "CostPrice"),
    ("Invoice_Product", "TotalAmount", "Amount"),
    ("Invoice_Product", "CGSTPer", "VATPer"),
    ("Invoice_Product", "CGSTAmt", "VAT"),
    ("Product", "CGST", "VAT"),
];

/// Columns that came with GST, or later.
const LATER_COLUMNS: [(&str, &[&str]); 5] = [
    (
        "InvoiceInfo",
        &[
            "CGST",
            "SGST",
            "IGST",
            "CESS",
            "TaxableAmt",
            "TaxType",
            "TCSPer",
            "Eway",
            "OfferAmt",
            "LoyaAmt",
            "AddLpoint",
            "CouponAmt",
            "GiftAmt",
            "ByReturn",
            "SRNumber",
            "TotalLoyalityPoints",
            "LoyalityReedemPoints",
            "LoyalityReedemAmt",
        ],
    ),
    (
        "Invoice_Product",
        &[
            "SGSTPer",
            "SGSTAmt",
            "IGSTPer",
            "IGSTAmt",
            "CESSPer",
            "CESSAmt",
            "TaxableAmt",
            "STaxType",
            "LoyalityPoints",
        ],
    ),
    ("Product", &["SGST", "CESS", "loyality_mode", "loyality_value"]),
    ("Customer", &["GSTIN", "OpLoyalitytype", "OpbalLoyality", "is_loyalityDisable"]),
    ("Company", &["GSTIN", "Loyality_perpoint"]),
];

/// The tables a sale is written to.
const WRITTEN: [&str; 10] = [
    "InvoiceInfo",
    "Invoice_Product",
    "Invoice_Payment",
    "SaleGST",
    "SaleNoTax",
    "Customer",
    "LedgerBook",
    "CustomerLedgerBook",
    "BankAccountLedger",
    "StockMovement",
];

/// Columns that nobody knows of.
const EXTRA: [(&str, Ty); 8] = [
    ("XText", Ty::nvarchar(20)),
    ("XCode", Ty::Str(Text { unicode: false, fixed: true, max: Some(5) })),
    ("XWhen", Ty::DateTime),
    ("XDay", Ty::Date),
    ("XAmount", Ty::Dec { p: 9, s: 3 }),
    ("XCount", Ty::Int(2)),
    ("XFlag", Ty::Bit),
    ("XRatio", Ty::Float),
];

impl Generation {
    /// RainTek's current tables as this generation has them.
    pub(crate) fn shape(self, tables: Vec<Definition>) -> Vec<Definition> {
        match self {
            Self::Current => tables,
            Self::Old => tables.into_iter().filter_map(old).collect(),
            Self::PlainIds => tables.into_iter().map(plain_ids).collect(),
            Self::ExtraNotNull => tables.into_iter().map(extra).collect(),
        }
    }
}

/// Whether RainTek of any generation has this column: one it does not know it leaves to the server.
pub(crate) fn is_old_name(table: &str, column: &str) -> bool {
    OLD_NAMES.iter().any(|(t, _, old)| *t == table && *old == column)
}

fn old((name, columns): Definition) -> Option<Definition> {
    if LATER_TABLES.contains(&name.as_str()) {
        return None;
    }
    let later: Vec<&str> =
        LATER_COLUMNS.iter().filter(|(t, _)| *t == name).flat_map(|(_, all)| all.iter().copied()).collect();
    let kept = columns.into_iter().filter_map(|mut column| {
        let renamed = OLD_NAMES.iter().find(|(t, new, _)| *t == name && *new == column.name);
        match renamed {
            Some((_, _, old)) => (*old).clone_into(&mut column.name),
            None if later.contains(&column.name.as_str()) => return None,
            None => {}
        }
        Some(column)
    });
    Some((name.clone(), kept.collect()))
}

fn plain_ids((name, mut columns): Definition) -> Definition {
    for column in columns.iter_mut().filter(|column| matches!(column.name.as_str(), "IPo_ID" | "IP_ID")) {
        column.identity = false;
    }
    (name, columns)
}

fn extra((name, mut columns): Definition) -> Definition {
    if WRITTEN.contains(&name.as_str()) {
        columns.extend(EXTRA.map(|(column, ty)| Column {
            name: column.to_owned(),
            ty,
            nullable: false,
            identity: false,
            primary_key: false,
            references: None,
        }));
    }
    (name, columns)
}
