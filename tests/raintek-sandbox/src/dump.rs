//! All rows as JSON, for comparisons that share nothing with the product.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use crate::engine::shared::Shared;
use crate::sql::catalog::Table;
use crate::sql::natives::decimal_text;
use crate::sql::time;
use crate::sql::types::{Text, Ty};

/// Which tables stand inside the rows of another: table, its column, the parent and its key.
const INSIDE: [(&str, &str, &str, &str); 4] = [
    ("Invoice_Product", "InvoiceID", "InvoiceInfo", "Inv_ID"),
    ("Invoice_Payment", "InvoiceID", "InvoiceInfo", "Inv_ID"),
    ("Product_OpeningStock", "ProductID", "Product", "PID"),
    ("Temp_Stock", "ProductID", "Product", "PID"),
];

/// Every table as a list of rows, at one moment. Lines and payments stand in their bill, lots and live stock
/// in their product; a row without its parent stays in a list under its own table's name.
pub(crate) fn dump(shared: &Shared) -> anyhow::Result<Value> {
    let store = shared.take_connection()?;
    store.execute_batch("BEGIN")?;
    let catalog = shared.catalog();
    let read = catalog
        .user_tables()
        .map(|table| Ok((table.name.clone(), rows(&store, table)?)))
        .collect::<anyhow::Result<BTreeMap<_, _>>>();
    store.execute_batch("COMMIT")?;
    shared.give_connection(store);
    let mut tables = read?;
    for (child, column, parent, key) in INSIDE {
        let mut by_parent: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for row in tables.remove(child).unwrap_or_default() {
            by_parent.entry(text(&row, column)).or_default().push(row);
        }
        for row in tables.get_mut(parent).into_iter().flatten() {
            let own = by_parent.remove(&text(row, key)).unwrap_or_default();
            if let Value::Object(fields) = row {
                fields.insert(child.to_owned(), Value::Array(own));
            }
        }
        let orphans: Vec<Value> = by_parent.into_values().flatten().collect();
        if !orphans.is_empty() {
            tables.insert(child.to_owned(), orphans);
        }
    }
    Ok(Value::Object(tables.into_iter().map(|(name, rows)| (name, Value::Array(rows))).collect()))
}

fn text(row: &Value, column: &str) -> String {
    row.get(column).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn rows(store: &rusqlite::Connection, table: &Table) -> anyhow::Result<Vec<Value>> {
    let names: Vec<String> = table.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    let mut statement =
        store.prepare(&format!("SELECT {} FROM \"{}\" ORDER BY 1", names.join(", "), table.store))?;
    let mut found = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let mut fields = Map::new();
        for (at, column) in table.columns.iter().enumerate() {
            fields.insert(column.name.clone(), shown(column.ty, row.get_ref(at)?));
        }
        all.push(Value::Object(fields));
    }
    Ok(all)
}

/// A value as text: decimals with all their digits, `datetime` to the millisecond, bytes in hex, fixed-width
/// texts without their padding. NULL is null.
pub(crate) fn shown(ty: Ty, value: ValueRef<'_>) -> Value {
    let text = match (ty, value) {
        (_, ValueRef::Null) => return Value::Null,
        (Ty::Dec { s, .. }, ValueRef::Integer(number)) => decimal_text(number, usize::from(s)),
        (Ty::DateTime | Ty::DateTime2(_), ValueRef::Integer(ticks)) => {
            time::format(ticks, ty, 121).unwrap_or_default()
        }
        (Ty::Date, ValueRef::Integer(ticks)) => time::format(ticks, ty, 23).unwrap_or_default(),
        (_, ValueRef::Integer(number)) => number.to_string(),
        (_, ValueRef::Real(number)) => number.to_string(),
        (Ty::Str(Text { fixed: true, .. }), ValueRef::Text(bytes)) => {
            String::from_utf8_lossy(bytes).trim_end_matches(' ').to_owned()
        }
        (_, ValueRef::Text(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        (_, ValueRef::Blob(bytes)) => {
            bytes.iter().fold("0x".to_owned(), |hex, byte| hex + &format!("{byte:02X}"))
        }
    };
    Value::String(text)
}
