//! The copies of RainTek's rows that are kept before a change: `snapshots/YYYY-MM-DD/inv_<id>.json`.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::Shop;

/// The copies of a bill, as files.
pub(crate) fn copies(shop: &Shop, bill: &Value) -> Vec<Value> {
    let id = bill["Inv_ID"].as_str().unwrap();
    let mut all = Vec::new();
    for day in std::fs::read_dir(shop.data().join("snapshots")).into_iter().flatten().flatten() {
        let name = day.file_name().into_string().unwrap();
        assert!(name.parse::<NaiveDate>().is_ok(), "a folder of a day: {name}");
        for file in std::fs::read_dir(day.path()).unwrap().flatten() {
            let name = file.file_name().into_string().unwrap();
            let number = name.trim_start_matches("inv_").trim_end_matches(".json");
            if number == id || number.split_once('_').is_some_and(|(first, _)| first == id) {
                all.push(serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap());
            }
        }
    }
    all
}

/// There is a copy that holds this bill column by column.
pub(crate) fn assert_copied(shop: &Shop, bill: &Value) {
    let all = copies(shop, bill);
    let whole: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert!(all.iter().any(|copy| is_copy(copy, bill)), "no copy of {bill} in {}", whole.join("\n"));
}

fn is_copy(copy: &Value, bill: &Value) -> bool {
    let rows = |of: &Value, name: &str| of[name].as_array().cloned().unwrap_or_default();
    let all_same = |copied: Vec<Value>, rows: Vec<Value>| {
        copied.len() == rows.len() && copied.iter().zip(&rows).all(|(copied, row)| is_row(copied, row))
    };
    is_row(&copy["info"], bill)
        && all_same(rows(copy, "lines"), rows(bill, "Invoice_Product"))
        && all_same(rows(copy, "payments"), rows(bill, "Invoice_Payment"))
}

fn is_row(copied: &Value, row: &Value) -> bool {
    let columns = row.as_object().unwrap().iter().filter(|(_, cell)| !cell.is_array());
    columns.into_iter().all(|(column, cell)| {
        let there = copied[column].as_object().and_then(|cell| cell.values().next());
        there.is_some_and(|there| is_cell(there, cell.as_str().unwrap()))
    })
}

fn is_cell(copied: &Value, cell: &str) -> bool {
    let copied = match copied {
        Value::String(text) => text.clone(),
        Value::Bool(bit) => u8::from(*bit).to_string(),
        Value::Array(bytes) => return bytes.is_empty() && cell == "0x",
        other => other.to_string(),
    };
    let number = |text: &str| text.parse::<Decimal>().ok();
    copied == cell.trim_end_matches(' ')
        || format!("{}.000", copied.replace('T', " ")) == cell
        || copied.strip_suffix("T00:00:00") == Some(cell)
        || number(&copied).is_some() && number(&copied) == number(cell)
}
