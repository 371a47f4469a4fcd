//! How RainTek's tables look in each generation of the sandbox, said here once more and taken from nothing of it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::rows::{Want, Wanted, num};

/// RainTek's columns and their types, as raintek.md's table has them.
const COLUMNS: &str = include_str!("../../raintek-sandbox/data/raintek_columns.csv");

/// Columns of the generation before GST, by their successors.
const RENAMED: [(&str, &str, &str); 6] = [
    ("InvoiceInfo", "Customer_ID", "CustomerID"),
    ("Invoice_Product", "SalesRate", "SellingPrice"),
    ("Invoice_Product", "PurchaseRate", "CostPrice"),
    ("Invoice_Product", "TotalAmount", "Amount"),
    ("Invoice_Product", "CGSTPer", "VATPer"),
    ("Invoice_Product", "CGSTAmt", "VAT"),
];

/// Columns that came with GST or later.
const GONE: [(&str, &str); 4] = [
    (
        "InvoiceInfo",
        "CGST SGST IGST CESS TaxableAmt TaxType TCSPer Eway OfferAmt LoyaAmt AddLpoint CouponAmt GiftAmt ByReturn \
         SRNumber TotalLoyalityPoints LoyalityReedemPoints LoyalityReedemAmt",
    ),
    ("Invoice_Product", "SGSTPer SGSTAmt IGSTPer IGSTAmt CESSPer CESSAmt TaxableAmt STaxType LoyalityPoints"),
    ("Customer", "GSTIN OpLoyalitytype OpbalLoyality is_loyalityDisable"),
    ("SaleNoTax", "ID InvNo"),
];

/// Columns that nobody knows of, and that must not be NULL.
const EXTRA: [(&str, &str); 8] = [
    ("XText", "nvarchar"),
    ("XCode", "char"),
    ("XWhen", "datetime"),
    ("XDay", "date"),
    ("XAmount", "decimal"),
    ("XCount", "smallint"),
    ("XFlag", "bit"),
    ("XRatio", "float"),
];

fn is_gone(table: &str, column: &str) -> bool {
    GONE.iter().any(|(t, all)| *t == table && all.split_whitespace().any(|name| name == column))
}

fn older(table: &str, column: &'static str) -> &'static str {
    let renamed = RENAMED.iter().find(|(t, name, _)| *t == table && *name == column);
    renamed.map_or(column, |(_, _, older)| older)
}

/// Whether bills are counted in this table.
pub(crate) fn counter_of(generation: &str, table: &str) -> bool {
    generation != "old" || table == "SaleGST"
}

/// The columns of a written table and their types.
pub(crate) fn types_of(generation: &str, table: &str) -> BTreeMap<&'static str, &'static str> {
    let rows = COLUMNS.lines().skip(1).filter_map(|line| {
        let (name, rest) = line.split_once(',')?;
        let (column, rest) = rest.split_once(',')?;
        let kind = rest.trim_start_matches('"').split([',', '"']).next()?;
        (name == table).then_some((column, kind))
    });
    match generation {
        "old" => rows
            .filter(|(column, _)| !is_gone(table, column))
            .map(|(column, kind)| (older(table, column), kind))
            .collect(),
        "extra-not-null" => rows.chain(EXTRA).collect(),
        _ => rows.collect(),
    }
}

/// What a row of the current generation must hold, as that of this one: the old one knows one tax a line.
pub(crate) fn translated(generation: &str, table: &str, wanted: &Wanted) -> Wanted {
    if generation != "old" {
        return wanted.clone();
    }
    let sum = |columns: [&str; 4]| -> Decimal {
        let value = |column| match wanted.get(column) {
            Some(Want::Number(value)) => *value,
            _ => Decimal::ZERO,
        };
        columns.map(value).iter().sum()
    };
    let kept = wanted.iter().filter(|(column, _)| !is_gone(table, column));
    let mut all: Wanted = kept.map(|(column, want)| (older(table, column), want.clone())).collect();
    if table == "Invoice_Product" {
        let tax = sum(["CGSTAmt", "SGSTAmt", "IGSTAmt", "CESSAmt"]);
        let rate = sum(["CGSTPer", "SGSTPer", "IGSTPer", "CESSPer"]);
        all.insert("VAT", num(tax));
        all.insert("VATPer", num(if tax.is_zero() { Decimal::ZERO } else { rate }));
    }
    all
}
