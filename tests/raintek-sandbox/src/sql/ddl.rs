//! The few changes of tables that tests make: a column more or less, a unique index, a table of their own.

use rusqlite::Connection;
use sqlparser::ast::{AlterTableOperation, ColumnDef, ColumnOption};

use super::catalog::{self, Catalog, Column};
use super::compile::table_name;
use super::error::{SqlError, SqlResult};
use super::parse::Node;
use super::types;

/// Columns as CREATE TABLE and DECLARE @t TABLE write them.
pub(crate) fn columns(definitions: &[ColumnDef]) -> SqlResult<Vec<Column>> {
    definitions
        .iter()
        .map(|definition| {
            let mut column = Column {
                name: definition.name.value.clone(),
                ty: types::from_ast(&definition.data_type)?,
                nullable: true,
                identity: false,
                primary_key: false,
                references: None,
            };
            for option in &definition.options {
                match &option.option {
                    ColumnOption::Null => {}
                    ColumnOption::NotNull => column.nullable = false,
                    ColumnOption::PrimaryKey(_) => {
                        column.primary_key = true;
                        column.nullable = false;
                    }
                    ColumnOption::Identity(_) => {
                        column.identity = true;
                        column.primary_key = true;
                        column.nullable = false;
                    }
                    other => return Err(SqlError::unsupported(other)),
                }
            }
            Ok(column)
        })
        .collect()
}

/// Changes a table and gives back what the tables are now.
pub(crate) fn run(connection: &Connection, catalog: &Catalog, node: &Node) -> SqlResult<Catalog> {
    let store = |error: anyhow::Error| SqlError::new(50000, 16, error.to_string());
    let plain = |error: rusqlite::Error| SqlError::new(50000, 16, error.to_string());
    match node {
        Node::CreateTable(table) => {
            let name = types::last_name(&table.name);
            if catalog.table(&name).is_some() {
                return Err(SqlError::new(
                    2714,
                    16,
                    format!("There is already an object named '{name}' in the database."),
                ));
            }
            catalog::create_table(connection, &name, &columns(&table.columns)?).map_err(store)?;
        }
        Node::CreateIndex(index) => {
            let table = catalog
                .table(&table_name(&index.table_name))
                .ok_or_else(|| SqlError::invalid_object(&index.table_name.to_string()))?;
            let name = index.name.as_ref().map(types::last_name).unwrap_or_default();
            let columns: Vec<String> =
                index.columns.iter().map(|column| format!("\"{}\" COLLATE T", column.column.expr)).collect();
            let unique = if index.unique { "UNIQUE " } else { "" };
            connection
                .execute_batch(&format!(
                    "CREATE {unique}INDEX \"{name}\" ON \"{}\" ({})",
                    table.store,
                    columns.join(", ")
                ))
                .map_err(plain)?;
        }
        Node::Alter(name, operation) => {
            let table = catalog.table(name).ok_or_else(|| SqlError::new(4902, 16, format!("Cannot find the object \"{name}\" because it does not exist or you do not have permissions.")))?;
            match operation.as_ref() {
                AlterTableOperation::AddColumn { column_def, .. } => {
                    for column in columns(std::slice::from_ref(column_def))? {
                        let ddl = catalog::column_ddl(&column);
                        connection
                            .execute_batch(&format!("ALTER TABLE \"{}\" ADD COLUMN {ddl}", table.store))
                            .map_err(plain)?;
                        catalog::record_column(connection, &table.name, &column).map_err(store)?;
                    }
                }
                AlterTableOperation::DropColumn { column_names, .. } => {
                    for column in column_names {
                        connection
                            .execute_batch(&format!(
                                "ALTER TABLE \"{}\" DROP COLUMN \"{}\"",
                                table.store, column.value
                            ))
                            .map_err(plain)?;
                        connection
                            .execute(
                                "DELETE FROM _columns WHERE tab = ?1 AND name = ?2 COLLATE NOCASE",
                                [&table.name, &column.value],
                            )
                            .map_err(plain)?;
                    }
                }
                other => return Err(SqlError::unsupported(other)),
            }
        }
        _ => return Err(SqlError::unsupported("this change of tables")),
    }
    Catalog::load(connection, catalog.version + 1).map_err(store)
}
