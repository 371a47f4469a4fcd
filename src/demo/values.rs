//! Single values of records and rows, from JSON.

use rust_decimal::Decimal;
use serde_json::Value;

/// A text without spaces around it; empty where there is none.
pub(super) fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default().trim()
}

/// A number, whether it is written as one or as a text; 0 where there is none.
pub(super) fn number(row: &Value, field: &str) -> Decimal {
    let text = match row.get(field) {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.trim().to_owned(),
        _ => return Decimal::ZERO,
    };
    text.parse().or_else(|_| Decimal::from_scientific(&text)).unwrap_or_default()
}

/// A yes or no.
pub(super) fn flag(row: &Value, field: &str) -> bool {
    row.get(field).and_then(Value::as_bool).unwrap_or(false)
}

/// The rows of a table, or those that stand within a row.
pub(super) fn rows<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A number for PocketBase, with exactly the digits it has.
pub(super) fn json_number(value: Decimal) -> Value {
    let text = value.normalize().to_string();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}
