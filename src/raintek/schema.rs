//! How this installation's tables look: versions differ, so the server is asked at every connect.

use std::collections::{BTreeMap, HashMap};

use tiberius::Row as SqlRow;

use super::classify::classify;
use super::connect::Sql;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::schema::{Column, ColumnKind, PosSchema, Table};

/// Every table the product reads or writes.
const TABLES: [&str; 15] = [
    "BankAccountLedger",
    "Company",
    "Customer",
    "CustomerLedgerBook",
    "InvoiceInfo",
    "Invoice_Payment",
    "Invoice_Product",
    "Invcode",
    "LedgerBook",
    "Product",
    "Product_OpeningStock",
    "SaleGST",
    "SaleNoTax",
    "StockMovement",
    "Temp_Stock",
];

/// Without these nothing can be booked or shown. Alternatives are spellings of other versions.
const ESSENTIAL: [(&str, &[&str]); 21] = [
    ("InvoiceInfo", &["Inv_ID"]),
    ("InvoiceInfo", &["InvoiceNo"]),
    ("InvoiceInfo", &["InvoiceDate"]),
    ("InvoiceInfo", &["Customer_ID", "CustomerID"]),
    ("InvoiceInfo", &["GrandTotal"]),
    ("Invoice_Product", &["IPo_ID"]),
    ("Invoice_Product", &["InvoiceID"]),
    ("Invoice_Product", &["ProductID"]),
    ("Invoice_Product", &["Qty"]),
    ("Invoice_Payment", &["IP_ID"]),
    ("Invoice_Payment", &["InvoiceID"]),
    ("Invoice_Payment", &["TotalPaid"]),
    ("Invoice_Payment", &["PaymentMode"]),
    ("Customer", &["ID"]),
    ("Customer", &["Name"]),
    ("Customer", &["ContactNo"]),
    ("SaleGST", &["InvNo"]),
    ("Product", &["PID"]),
    ("Product", &["ProductCode"]),
    ("Product", &["ProductName"]),
    ("Product", &["SellingPrice"]),
];

/// The schema was needed before any connection read it.
pub(super) fn not_read() -> Fault {
    Fault::transient(Scope::Pos, "RainTek's database is not answering.").detail("schema not read yet")
}

/// Reads and checks.
pub(super) async fn read(sql: &mut Sql) -> Result<PosSchema, Fault> {
    let names = TABLES.map(|name| format!("N'{name}'")).join(", ");
    let columns = rows(
        sql,
        &format!(
            "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, \
             NUMERIC_SCALE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = N'dbo' AND TABLE_NAME IN ({names}) \
             ORDER BY TABLE_NAME, ORDINAL_POSITION"
        ),
    )
    .await?;
    let flags = rows(
        sql,
        &format!(
            "SELECT t.name AS table_name, c.name AS column_name, c.is_identity, c.is_computed FROM sys.columns c \
             INNER JOIN sys.tables t ON t.object_id = c.object_id WHERE t.name IN ({names})"
        ),
    )
    .await?;
    let mut flagged: HashMap<(String, String), (bool, bool)> = HashMap::new();
    for row in &flags {
        let key = (text(row, 0)?, text(row, 1)?);
        flagged.insert(key, (flag(row, 2)?, flag(row, 3)?));
    }
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in &columns {
        let spelled = text(row, 0)?;
        let Some(name) = TABLES.iter().find(|name| name.eq_ignore_ascii_case(&spelled)) else { continue };
        let column = text(row, 1)?;
        let (identity, computed) =
            flagged.get(&(spelled.clone(), column.clone())).copied().unwrap_or_default();
        let kind = if computed {
            ColumnKind::ServerOwned
        } else {
            kind_of(&text(row, 2)?, number(row, 3)?, number(row, 4)?, number(row, 5)?)
        };
        tables
            .entry((*name).to_owned())
            .or_insert_with(|| Table { name: spelled.clone(), columns: Vec::new() })
            .columns
            .push(Column { name: column, kind, identity });
    }
    let schema = PosSchema { tables };
    check(&schema)?;
    Ok(schema)
}

/// One clear fault that names what is missing.
fn check(schema: &PosSchema) -> Result<(), Fault> {
    for (table, columns) in ESSENTIAL {
        let found = schema.table(table);
        let there = found.is_some_and(|found| columns.iter().any(|name| found.column(name).is_some()));
        if !there {
            let missing = if found.is_none() {
                format!("table {table}")
            } else {
                format!("column {table}.{}", columns.join(" or "))
            };
            return Err(Fault::new(
                FaultKind::Schema,
                Scope::Pos,
                format!("RainTek's database has no {missing}; this version of RainTek is not known."),
            ));
        }
    }
    Ok(())
}

fn kind_of(data_type: &str, length: Option<i64>, precision: Option<i64>, scale: Option<i64>) -> ColumnKind {
    let small =
        |value: Option<i64>, default: u32| value.and_then(|v| u32::try_from(v).ok()).unwrap_or(default);
    let data_type = data_type.to_ascii_lowercase();
    // -1 is (max); text types report 2^30 or so.
    let max = length
        .and_then(|length| usize::try_from(length).ok())
        .filter(|length| *length < 1_000_000 && !matches!(&*data_type, "text" | "ntext"));
    match &*data_type {
        "int" | "bigint" | "smallint" | "tinyint" => ColumnKind::Int,
        "decimal" | "numeric" => {
            ColumnKind::Decimal { precision: small(precision, 18), scale: small(scale, 0) }
        }
        "money" => ColumnKind::Decimal { precision: 19, scale: 4 },
        "smallmoney" => ColumnKind::Decimal { precision: 10, scale: 4 },
        "float" | "real" => ColumnKind::Float,
        "date" | "datetime" | "datetime2" | "smalldatetime" | "datetimeoffset" => ColumnKind::Date,
        "time" => ColumnKind::Time,
        "bit" => ColumnKind::Bit,
        "image" | "binary" | "varbinary" => ColumnKind::Bytes,
        "uniqueidentifier" => ColumnKind::Guid,
        // What the driver cannot read is left alone, so that the rest of the table can be.
        "timestamp" | "rowversion" | "sql_variant" | "geometry" | "geography" | "hierarchyid" => {
            ColumnKind::ServerOwned
        }
        "char" | "varchar" | "text" => ColumnKind::Text { max, wide: false },
        _ => ColumnKind::Text { max, wide: true },
    }
}

async fn rows(sql: &mut Sql, text: &str) -> Result<Vec<SqlRow>, Fault> {
    let stream = sql.simple_query(text).await.map_err(|error| classify(&error))?;
    stream.into_first_result().await.map_err(|error| classify(&error))
}

fn text(row: &SqlRow, index: usize) -> Result<String, Fault> {
    let value = row.try_get::<&str, _>(index).map_err(|error| classify(&error))?;
    Ok(value.unwrap_or_default().to_owned())
}

fn number(row: &SqlRow, index: usize) -> Result<Option<i64>, Fault> {
    let data = row.get_column_data(index).map_err(|error| classify(&error))?;
    match super::values::value(data)? {
        crate::model::bill::Value::Int(value) => Ok(Some(value)),
        _ => Ok(None),
    }
}

fn flag(row: &SqlRow, index: usize) -> Result<bool, Fault> {
    let data = row.get_column_data(index).map_err(|error| classify(&error))?;
    match super::values::value(data)? {
        crate::model::bill::Value::Int(value) => Ok(value != 0),
        crate::model::bill::Value::Bit(value) => Ok(value),
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_kinds() {
        assert_eq!(kind_of("nchar", Some(30), None, None), ColumnKind::Text { max: Some(30), wide: true });
        assert_eq!(kind_of("nvarchar", Some(-1), None, None), ColumnKind::Text { max: None, wide: true });
        assert_eq!(
            kind_of("ntext", Some(1_073_741_823), None, None),
            ColumnKind::Text { max: None, wide: true }
        );
        // Other servers give the width of what points to it.
        assert_eq!(kind_of("TEXT", Some(16), None, None), ColumnKind::Text { max: None, wide: false });
        assert_eq!(
            kind_of("varchar", Some(150), None, None),
            ColumnKind::Text { max: Some(150), wide: false }
        );
        assert_eq!(
            kind_of("decimal", None, Some(18), Some(3)),
            ColumnKind::Decimal { precision: 18, scale: 3 }
        );
        for left_alone in ["timestamp", "sql_variant", "hierarchyid"] {
            assert_eq!(kind_of(left_alone, None, None, None), ColumnKind::ServerOwned, "{left_alone}");
        }
    }

    #[test]
    fn a_missing_column_is_named() {
        let fault = check(&PosSchema::default()).unwrap_err();
        assert!(fault.sentence.contains("table InvoiceInfo"), "{}", fault.sentence);
        let mut schema = PosSchema::default();
        for (table, columns) in ESSENTIAL {
            let entry = schema.tables.entry(table.to_owned()).or_default();
            entry.columns.push(Column { name: columns[0].into(), kind: ColumnKind::Int, identity: false });
        }
        assert_eq!(check(&schema), Ok(()));
        let info = schema.tables.get_mut("InvoiceInfo").unwrap();
        info.columns.retain(|column| column.name != "Customer_ID");
        let fault = check(&schema).unwrap_err();
        assert!(fault.sentence.contains("InvoiceInfo.Customer_ID or CustomerID"), "{}", fault.sentence);
        assert_eq!(fault.kind, FaultKind::Schema);
    }
}
