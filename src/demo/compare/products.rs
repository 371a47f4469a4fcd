//! RainTek's products against the app's, field by field.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::Value;

use super::App;
use crate::demo::values::{flag, number, rows, text};

/// Compares all products.
pub(super) fn compare(app: &App, dump: &Value, all: &mut Vec<String>) {
    let mut by_code: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for record in &app.products {
        by_code.entry(text(record, "product_code")).or_default().push(record);
    }
    let mut in_raintek: BTreeMap<&str, &Value> = BTreeMap::new();
    for product in rows(dump, "Product") {
        let lowest = in_raintek.entry(text(product, "ProductCode")).or_insert(product);
        if number(product, "PID") < number(lowest, "PID") {
            *lowest = product;
        }
    }
    for (code, product) in &in_raintek {
        match by_code.get(code).map(Vec::as_slice).unwrap_or_default() {
            [record] => one(product, record, all),
            records => all.push(format!("Product {code}: the app has {} of it.", records.len())),
        }
    }
    for record in &app.products {
        let code = text(record, "product_code");
        let gone = !text(record, "raintek_product_id").is_empty() && !in_raintek.contains_key(code);
        if gone && flag(record, "active") {
            all.push(format!("Product {code}: the app sells it, and RainTek does not have it."));
        }
    }
}

fn one(product: &Value, record: &Value, all: &mut Vec<String>) {
    let code = text(product, "ProductCode");
    let mut differ = |field: &str, shown: &str, wanted: &str| {
        if shown != wanted {
            all.push(format!("Product {code}: {field} is `{shown}`, not `{wanted}`."));
        }
    };
    let mut lots: Vec<&Value> = rows(product, "Product_OpeningStock").iter().collect();
    lots.sort_by_key(|lot| number(lot, "ID"));
    let newest_mrp = lots.iter().rev().map(|lot| number(lot, "MRP")).find(|mrp| *mrp > Decimal::ZERO);
    let is_code = |code: &&str| !matches!(*code, "" | "0");
    let newest_code = lots.iter().rev().map(|lot| text(lot, "Barcode")).find(is_code);
    let own_code = Some(text(product, "Barcode")).filter(is_code);
    let texts = [
        ("raintek_product_id", "PID"),
        ("name", "ProductName"),
        ("hsn_code", "HSNCode"),
        ("unit", "SalesUnit"),
    ];
    for (field, column) in texts {
        differ(field, text(record, field), text(product, column));
    }
    differ("barcode", text(record, "barcode"), newest_code.or(own_code).unwrap_or(""));
    let numbers = [
        ("retail_price", number(product, "SellingPrice")),
        ("mrp", newest_mrp.unwrap_or_else(|| number(product, "MRP"))),
        ("current_stock", lots.iter().map(|lot| number(lot, "Qty")).sum()),
        ("gst_rate", number(product, "CGST") + number(product, "SGST")),
    ];
    for (field, wanted) in numbers {
        let (shown, wanted) = (number(record, field).normalize(), wanted.normalize());
        differ(field, &shown.to_string(), &wanted.to_string());
    }
    let active = if flag(record, "active") { "Yes" } else { "No" };
    differ("active", active, if text(product, "Status") == "No" { "No" } else { "Yes" });
    let synced = if text(record, "last_synced_at").is_empty() { "never" } else { "once" };
    differ("last_synced_at", synced, "once");
}
