//! A row as it should be against a row as it is.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::demo::values::{number, text};

/// What should stand in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Want {
    Number(Decimal),
    Text(String),
    /// This day, at midnight.
    Day(NaiveDate),
}

impl Want {
    fn is_in(&self, row: &Value, column: &str) -> bool {
        match self {
            // A missing value is not a zero.
            Self::Number(wanted) => {
                row.get(column).is_some_and(|value| !value.is_null()) && number(row, column) == *wanted
            }
            Self::Text(wanted) => {
                row.get(column).is_some_and(Value::is_string) && text(row, column) == wanted.trim()
            }
            Self::Day(wanted) => text(row, column) == format!("{wanted} 00:00:00.000"),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Number(wanted) => wanted.normalize().to_string(),
            Self::Text(wanted) => format!("`{wanted}`"),
            Self::Day(wanted) => wanted.to_string(),
        }
    }
}

/// Columns with what should stand in them.
pub(super) type Row = Vec<(&'static str, Want)>;

/// One sentence for each column that is not as it should be.
pub(super) fn differences(row: &Row, found: &Value) -> Vec<String> {
    row.iter()
        .filter(|(column, want)| !want.is_in(found, column))
        .map(|(column, want)| {
            let there = found.get(column).map_or_else(
                || "nothing".to_owned(),
                |value| match value {
                    Value::String(text) => format!("`{text}`"),
                    other => other.to_string(),
                },
            );
            format!("{column} is {there}, not {}", want.shown())
        })
        .collect()
}

/// Rows in any order: the server may number the rows of one statement as it likes.
pub(super) fn rows_differ(what: &str, wanted: &[Row], found: &[Value]) -> Vec<String> {
    let mut left: Vec<&Value> = found.iter().collect();
    let mut missing: Vec<&Row> = Vec::new();
    for row in wanted {
        match left.iter().position(|there| differences(row, there).is_empty()) {
            Some(at) => {
                left.swap_remove(at);
            }
            None => missing.push(row),
        }
    }
    let mut all = Vec::new();
    if wanted.len() != found.len() {
        all.push(format!("{} rows of {what}, not {}", found.len(), wanted.len()));
    }
    for row in missing {
        // The row that comes nearest says what is wrong.
        let nearest = left.iter().enumerate().min_by_key(|(_, there)| differences(row, there).len());
        match nearest.map(|(at, there)| (at, differences(row, there))) {
            Some((at, why)) => {
                all.push(format!("{what}: {}", why.join(", ")));
                left.swap_remove(at);
            }
            None => all.push(format!("{what}: a row is missing: {row:?}")),
        }
    }
    all
}

/// The columns of a row, and of the rows that stand within it, that hold NULL.
pub(super) fn nulls(what: &str, row: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for (column, value) in row.as_object().into_iter().flatten() {
        match value {
            Value::Null => all.push(format!("{what}.{column} is NULL")),
            Value::Array(inner) => all.extend(inner.iter().flat_map(|row| nulls(column, row))),
            _ => {}
        }
    }
    all
}

/// A text cut to the width of its column, counted as SQL Server counts.
pub(super) fn cut(text: &str, width: usize) -> String {
    let mut units = 0;
    let fits = |letter: &char| {
        units += letter.len_utf16();
        units <= width
    };
    text.trim().chars().take_while(fits).collect::<String>().trim_end().to_owned()
}
