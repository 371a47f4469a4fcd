//! Every table of RainTek's database as it is, politely: without locks, a few rows each.

use std::collections::BTreeMap;

use super::connect::Sql;
use super::statement::quoted;
use super::values::row;
use crate::model::bill::{Row, Value};
use crate::model::fault::Fault;
use crate::model::schema::{DumpedColumn, SchemaDump};

/// Rows of each table that are looked at.
const SAMPLES: u32 = 5;

/// Reads columns, keys, counts and a few rows of every table.
pub(super) async fn dump(sql: &mut Sql) -> Result<SchemaDump, Fault> {
    let mut dump = SchemaDump::default();
    for row in ask(
        sql,
        "SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.CHARACTER_MAXIMUM_LENGTH AS width, \
         CAST(c.NUMERIC_PRECISION AS int) AS digits, c.NUMERIC_SCALE AS scale, c.IS_NULLABLE, c.COLUMN_DEFAULT \
         FROM INFORMATION_SCHEMA.COLUMNS c INNER JOIN INFORMATION_SCHEMA.TABLES t \
         ON t.TABLE_NAME = c.TABLE_NAME AND t.TABLE_SCHEMA = c.TABLE_SCHEMA \
         WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA = 'dbo' ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION",
    )
    .await?
    {
        let table = dump.tables.entry(row.text("TABLE_NAME").to_owned()).or_default();
        table.columns.push(DumpedColumn {
            name: row.text("COLUMN_NAME").to_owned(),
            data_type: data_type(&row),
            nullable: row.text("IS_NULLABLE").eq_ignore_ascii_case("YES"),
            default: row.get("COLUMN_DEFAULT").and_then(shown),
            identity: false,
        });
    }
    for row in ask(
        sql,
        "SELECT t.name AS table_name, c.name AS column_name FROM sys.columns c \
         INNER JOIN sys.tables t ON t.object_id = c.object_id WHERE c.is_identity = 1",
    )
    .await?
    {
        let table = dump.tables.get_mut(row.text("table_name"));
        let column = row.text("column_name");
        if let Some(found) =
            table.and_then(|table| table.columns.iter_mut().find(|known| known.name == column))
        {
            found.identity = true;
        }
    }
    keys(sql, &mut dump).await?;
    for (name, table) in &mut dump.tables {
        let from = format!("[dbo].{} WITH (NOLOCK)", quoted(name));
        let counted = ask(sql, &format!("SELECT COUNT(*) AS counted FROM {from}")).await?;
        table.rows = counted.first().map_or(0, |row| u64::try_from(row.int("counted")).unwrap_or_default());
        let is_binary = |column: &&DumpedColumn| {
            ["image", "binary", "varbinary", "timestamp", "xml", "sql_variant", "geo", "hierarchyid"]
                .iter()
                .any(|kind| column.data_type.starts_with(kind))
        };
        let columns: Vec<&DumpedColumn> = table.columns.iter().filter(|column| !is_binary(column)).collect();
        if columns.is_empty() {
            continue;
        }
        let list = columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
        let found = ask(sql, &format!("SELECT TOP ({SAMPLES}) {list} FROM {from}")).await?;
        table.samples = found
            .iter()
            .map(|row| columns.iter().map(|c| (c.name.clone(), row.get(&c.name).and_then(shown))).collect())
            .collect();
    }
    Ok(dump)
}

async fn keys(sql: &mut Sql, dump: &mut SchemaDump) -> Result<(), Fault> {
    let mut keys: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
    for row in ask(
        sql,
        "SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, c.CONSTRAINT_TYPE \
         FROM INFORMATION_SCHEMA.KEY_COLUMN_USAGE k INNER JOIN INFORMATION_SCHEMA.TABLE_CONSTRAINTS c \
         ON c.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND c.TABLE_SCHEMA = k.TABLE_SCHEMA \
         WHERE k.TABLE_SCHEMA = 'dbo' ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION",
    )
    .await?
    {
        // The constraint's own name may be made up by the server: it only holds its columns together here.
        let key = ["TABLE_NAME", "CONSTRAINT_NAME", "CONSTRAINT_TYPE"].map(|name| row.text(name).to_owned());
        keys.entry(key.into()).or_default().push(row.text("COLUMN_NAME").to_owned());
    }
    for ((table, _, kind), columns) in keys {
        if let Some(table) = dump.tables.get_mut(&table) {
            table.keys.push(format!("{kind} ({})", columns.join(", ")));
        }
    }
    dump.tables.values_mut().for_each(|table| table.keys.sort());
    Ok(())
}

fn data_type(row: &Row) -> String {
    let name = row.text("DATA_TYPE");
    match (name, row.get("width"), row.get("digits"), row.get("scale")) {
        (_, Some(Value::Int(-1)), ..) => format!("{name}(max)"),
        ("image" | "text" | "ntext", ..) => name.to_owned(),
        (_, Some(Value::Int(width)), ..) => format!("{name}({width})"),
        ("decimal" | "numeric", _, Some(Value::Int(digits)), Some(Value::Int(scale))) => {
            format!("{name}({digits},{scale})")
        }
        _ => name.to_owned(),
    }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Int(number) => Some(number.to_string()),
        Value::Dec(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.clone()),
        Value::Date(at) => Some(at.to_string()),
        Value::Bit(bit) => Some(bit.to_string()),
        Value::Bytes(bytes) => Some(format!("{} bytes", bytes.len())),
    }
}

async fn ask(sql: &mut Sql, text: &str) -> Result<Vec<Row>, Fault> {
    let answer = sql.simple_query(text).await.map_err(|error| super::classify::classify(&error))?;
    let rows = answer.into_first_result().await.map_err(|error| super::classify::classify(&error))?;
    rows.iter().map(row).collect()
}
