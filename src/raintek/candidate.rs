//! Looks at a database that may be RainTek's: reads what tells a person which shop it is, and proves that it may be
//! written, in a transaction that is rolled back.

use chrono::NaiveDate;
use tiberius::Row;

use super::classify::classify;
use super::connect::{Sql, Target, simple};
use super::values;
use crate::model::bill::Value;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::settings::RaintekSettings;

/// Tables that a bill is written to; an installation that numbers one series only has one counter.
const WRITTEN: [(&str, bool); 5] = [
    ("InvoiceInfo", true),
    ("Invoice_Product", true),
    ("Invoice_Payment", true),
    ("SaleGST", false),
    ("Customer", true),
];

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The shop's name; may be empty.
    pub shop: String,
    /// Bills in it.
    pub bills: u64,
    /// The day of the newest.
    pub latest: Option<NaiveDate>,
    /// `tcp` or `pipe`.
    pub via: &'static str,
}

/// Looks, and tries to write unless that is not wanted.
///
/// # Errors
/// Not reached, not let in, not RainTek's, or not to be written: one sentence.
pub async fn look(settings: &RaintekSettings, password: Option<String>, write: bool) -> Result<Look, Fault> {
    let (mut sql, via) = Target::new(settings, password).connect_by().await?;
    let tables = ask(&mut sql, "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES").await?;
    let tables: Vec<String> = tables.iter().filter_map(text).collect();
    let has = |name: &str| tables.iter().any(|table| table.trim().eq_ignore_ascii_case(name));
    if let Some((missing, _)) = WRITTEN.iter().find(|(table, needed)| *needed && !has(table)) {
        let sentence = format!("{} is not RainTek's database: it has no table {missing}.", settings.database);
        return Err(Fault::new(FaultKind::Config, Scope::Pos, sentence));
    }
    let shop = if has("Company") {
        let rows = ask(&mut sql, "SELECT TOP 1 CompanyName FROM Company").await?;
        rows.first().and_then(text).unwrap_or_default().trim().to_owned()
    } else {
        String::new()
    };
    let rows = ask(&mut sql, "SELECT CAST(COUNT(*) AS int), MAX(InvoiceDate) FROM InvoiceInfo").await?;
    let cells = rows.first().map(cells).unwrap_or_default();
    let count = match cells.first() {
        Some(Value::Int(count)) => *count,
        _ => 0,
    };
    let latest = match cells.get(1) {
        Some(Value::Date(at)) => Some(at.date()),
        _ => None,
    };
    if write {
        for (table, _) in WRITTEN.iter().filter(|(table, _)| has(table)) {
            try_to_write(&mut sql, table).await?;
        }
    }
    Ok(Look { shop, bills: u64::try_from(count).unwrap_or(0), latest, via })
}

/// Adds, changes and deletes no row: the server checks the rights all the same, and no till ever waits for it.
async fn try_to_write(sql: &mut Sql, table: &str) -> Result<(), Fault> {
    let names = ask(
        sql,
        &format!(
            "SELECT TOP 1 c.name FROM sys.columns c WHERE c.object_id = OBJECT_ID('{table}') AND c.is_identity = 0"
        ),
    )
    .await?;
    let column = names.first().and_then(text).unwrap_or_default();
    let column = column.trim().replace(']', "]]");
    let none = "1 = 0";
    let batch = format!(
        "UPDATE {table} SET [{column}] = [{column}] WHERE {none}; \
         INSERT INTO {table} ([{column}]) SELECT [{column}] FROM {table} WHERE {none}; \
         DELETE FROM {table} WHERE {none};"
    );
    sql.begin_transaction().await.map_err(|error| classify(&error))?;
    let tried = simple(sql, &batch).await;
    let undone = sql.rollback_transaction().await.map_err(|error| classify(&error));
    tried.map_err(|fault| {
        let sentence = format!("The login may read {table} in RainTek's database, but not write it.");
        Fault::new(FaultKind::Config, Scope::Pos, sentence).detail(fault.detail)
    })?;
    undone
}

fn cells(row: &Row) -> Vec<Value> {
    row.cells().filter_map(|(_, data)| values::value(data).ok()).collect()
}

fn text(row: &Row) -> Option<String> {
    match cells(row).into_iter().next()? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

async fn ask(sql: &mut Sql, query: &str) -> Result<Vec<Row>, Fault> {
    let answer = sql.simple_query(query).await.map_err(|error| classify(&error))?;
    answer.into_first_result().await.map_err(|error| classify(&error))
}
