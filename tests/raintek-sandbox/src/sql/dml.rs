//! INSERT, UPDATE and DELETE.

use sqlparser::ast::{
    AssignmentTarget, Delete, Expr, FromTable, Insert, ObjectName, OutputClause, SelectItem, SetExpr,
    TableFactor, TableObject, TableWithJoins, Update,
};

use super::catalog::{Column, Table};
use super::compile::{Action, Compiler, Scope, Source, Write, column_infos, table_name};
use super::convert::{How, Typed, convert};
use super::error::{SqlError, SqlResult, Written};
use super::types::{self, ColumnInfo};

/// SQL Server takes at most this many rows in one VALUES.
const MAX_ROWS: usize = 1000;

impl Compiler<'_> {
    pub(crate) fn insert(&mut self, insert: &Insert) -> SqlResult<Action> {
        let TableObject::TableName(name) = &insert.table else {
            return Err(SqlError::unsupported("INSERT INTO this"));
        };
        let table = self.writable(name)?;
        let names: Vec<String> = if insert.columns.is_empty() {
            table.columns.iter().filter(|c| !c.identity).map(|c| c.name.clone()).collect()
        } else {
            insert.columns.iter().map(types::last_name).collect()
        };
        let columns = names
            .iter()
            .map(|name| table.column(name).cloned().ok_or_else(|| SqlError::invalid_column(name)))
            .collect::<SqlResult<Vec<Column>>>()?;
        for (at, column) in columns.iter().enumerate() {
            if columns.iter().take(at).any(|other| other.name == column.name) {
                return Err(SqlError::new(
                    264,
                    16,
                    format!(
                        "The column name '{}' is specified more than once in the SET clause or column list of an INSERT.",
                        column.name
                    ),
                ));
            }
        }
        let identity =
            table.identity().map(|identity| columns.iter().any(|column| column.name == identity.name));
        let missing = table.columns.iter().find(|column| {
            !column.nullable && !column.identity && !columns.iter().any(|given| given.name == column.name)
        });
        if let Some(missing) = missing {
            return Ok(Action::Raise(SqlError::null(&missing.name, &table.name, "INSERT")));
        }
        let Some(source) = &insert.source else { return Err(SqlError::unsupported("INSERT DEFAULT VALUES")) };
        let body = match source.body.as_ref() {
            SetExpr::Values(values) => {
                if values.rows.len() > MAX_ROWS {
                    return Err(SqlError::new(
                        10738,
                        15,
                        "The number of row value expressions in the INSERT statement exceeds the maximum allowed number of 1000 row values.",
                    ));
                }
                let mut rows = Vec::with_capacity(values.rows.len());
                for row in &values.rows {
                    rows.push(self.row(&row.content, &columns, &table)?);
                }
                format!("VALUES {}", rows.join(", "))
            }
            _ => {
                let (sql, given) = self.nested_query_named(source)?;
                if given.len() != columns.len() {
                    return Err(wrong_count(given.len() < columns.len()));
                }
                let mut items = Vec::new();
                for ((at, column), info) in (1..).zip(&columns).zip(&given) {
                    let name = if info.name.is_empty() { format!("_{at}") } else { info.name.clone() };
                    let typed = Typed::new(format!("\"{name}\""), info.ty);
                    items.push(stored(typed, column, &table, "INSERT")?);
                }
                format!("SELECT {} FROM ({sql}) WHERE true", items.join(", "))
            }
        };
        let list: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        let (output, returning, into) = self.output(insert.output.as_ref(), &table, "inserted")?;
        let text = format!("INSERT INTO \"{}\" ({}) {body}{returning}", table.store, list.join(", "));
        Ok(self.write(&table, "INSERT", text, identity, output, into))
    }

    fn row(&mut self, values: &[Expr], columns: &[Column], table: &Table) -> SqlResult<String> {
        if values.len() != columns.len() {
            return Err(wrong_count(values.len() < columns.len()));
        }
        let mut cells = Vec::with_capacity(values.len());
        for (value, column) in values.iter().zip(columns) {
            let typed = self.expr(value)?;
            cells.push(stored(typed, column, table, "INSERT")?);
        }
        Ok(format!("({})", cells.join(", ")))
    }

    pub(crate) fn update(&mut self, update: &Update) -> SqlResult<Action> {
        if update.from.is_some() || !update.table.joins.is_empty() {
            return Err(SqlError::unsupported("UPDATE ... FROM"));
        }
        let (name, alias) = target(&update.table)?;
        let table = self.writable(&name)?;
        self.see(&table, &alias);
        let mut sets = Vec::new();
        for assignment in &update.assignments {
            let AssignmentTarget::ColumnName(column) = &assignment.target else {
                return Err(SqlError::syntax("("));
            };
            let column = types::last_name(column);
            let column = table.column(&column).ok_or_else(|| SqlError::invalid_column(&column))?.clone();
            if column.identity {
                return Err(SqlError::new(
                    8102,
                    16,
                    format!("Cannot update identity column '{}'.", column.name),
                ));
            }
            let value = self.expr(&assignment.value)?;
            sets.push(format!("\"{}\" = {}", column.name, stored(value, &column, &table, "UPDATE")?));
        }
        let mut text = format!("UPDATE \"{}\" AS \"{alias}\" SET {}", table.store, sets.join(", "));
        if let Some(condition) = &update.selection {
            text.push_str(&format!(" WHERE {}", self.condition(condition)?));
        }
        let (output, returning, into) = self.output(update.output.as_ref(), &table, "inserted")?;
        text.push_str(&returning);
        Ok(self.write(&table, "UPDATE", text, None, output, into))
    }

    pub(crate) fn delete(&mut self, delete: &Delete) -> SqlResult<Action> {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let [single] = from.as_slice() else {
            return Err(SqlError::unsupported("DELETE from several tables"));
        };
        if !delete.tables.is_empty() || delete.using.is_some() || !single.joins.is_empty() {
            return Err(SqlError::unsupported("DELETE ... FROM"));
        }
        let (name, alias) = target(single)?;
        let table = self.writable(&name)?;
        self.see(&table, &alias);
        let mut text = format!("DELETE FROM \"{}\" AS \"{alias}\"", table.store);
        if let Some(condition) = &delete.selection {
            text.push_str(&format!(" WHERE {}", self.condition(condition)?));
        }
        let (output, returning, into) = self.output(delete.output.as_ref(), &table, "deleted")?;
        text.push_str(&returning);
        Ok(self.write(&table, "DELETE", text, None, output, into))
    }

    fn nested_query_named(&mut self, query: &sqlparser::ast::Query) -> SqlResult<(String, Vec<ColumnInfo>)> {
        let (sql, mut columns) = self.nested_query(query)?;
        // a single column of a nested query is always called _1
        if let [only] = columns.as_mut_slice() {
            only.name.clear();
        }
        Ok((sql, columns))
    }

    fn writable(&self, name: &ObjectName) -> SqlResult<std::sync::Arc<Table>> {
        let table = self.table(&table_name(name))?;
        if table.system {
            return Err(SqlError::new(259, 16, "Ad hoc updates to system catalogs are not allowed."));
        }
        Ok(table)
    }

    fn see(&mut self, table: &Table, alias: &str) {
        let source = Source { alias: alias.to_owned(), columns: column_infos(table) };
        self.scopes.push(Scope { sources: vec![source], group_by: None });
    }

    /// OUTPUT: what comes back, the RETURNING clause for it, and the statement that keeps it in a table variable.
    fn output(
        &mut self,
        output: Option<&OutputClause>,
        table: &Table,
        prefix: &str,
    ) -> SqlResult<(Vec<ColumnInfo>, String, Option<String>)> {
        let Some(output) = output else { return Ok((Vec::new(), String::new(), None)) };
        let OutputClause::Output { select_items, into_table, .. } = output else {
            return Err(SqlError::syntax("RETURNING"));
        };
        let (mut columns, mut sql) = (Vec::new(), Vec::new());
        for item in select_items {
            let (expr, alias) = match item {
                SelectItem::UnnamedExpr(expr) => (expr, None),
                SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias.value.clone())),
                _ => return Err(SqlError::unsupported(item)),
            };
            let Expr::CompoundIdentifier(parts) = expr else { return Err(SqlError::unsupported(expr)) };
            let [from, column] = parts.as_slice() else { return Err(SqlError::unsupported(expr)) };
            if !from.value.eq_ignore_ascii_case(prefix) {
                return Err(SqlError::unsupported(expr));
            }
            let column =
                table.column(&column.value).ok_or_else(|| SqlError::invalid_column(&column.value))?;
            sql.push(format!("\"{}\"", column.name));
            columns.push(ColumnInfo {
                name: alias.unwrap_or_else(|| column.name.clone()),
                ty: column.ty,
                identity: column.identity,
            });
        }
        let returning = format!(" RETURNING {}", sql.join(", "));
        let Some(into) = into_table else { return Ok((columns, returning, None)) };
        let [target] = into.targets.as_slice() else { return Err(SqlError::unsupported("OUTPUT INTO")) };
        let target = self.table(&target.to_string())?;
        let cells: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
        let keep = format!("INSERT INTO \"{}\" VALUES ({})", target.store, cells.join(", "));
        Ok((columns, returning, Some(keep)))
    }

    fn write(
        &mut self,
        table: &Table,
        verb: &'static str,
        text: String,
        identity: Option<bool>,
        output: Vec<ColumnInfo>,
        into: Option<String>,
    ) -> Action {
        Action::Write(Box::new(Write {
            sql: self.finish(text),
            written: Written { table: table.name.clone(), verb },
            primary_key: table.primary_key().map(str::to_owned),
            identity: if table.name.starts_with('@') { None } else { identity },
            output,
            into,
            local: table.name.starts_with('@'),
        }))
    }
}

/// A value as a column keeps it; a key that is NULL is 515 here, because SQLite would number the row itself.
fn stored(value: Typed, column: &Column, table: &Table, verb: &str) -> SqlResult<String> {
    let typed = convert(value, column.ty, How::Store)?;
    if column.primary_key || !column.nullable {
        return Ok(format!("t_nn({}, '{}', '{}', '{verb}')", typed.sql, column.name, table.name));
    }
    Ok(typed.sql)
}

fn wrong_count(fewer: bool) -> SqlError {
    let (number, word) = if fewer { (109, "more") } else { (110, "fewer") };
    SqlError::new(
        number,
        15,
        format!(
            "There are {word} columns in the INSERT statement than values specified in the VALUES clause."
        ),
    )
}

fn target(table: &TableWithJoins) -> SqlResult<(ObjectName, String)> {
    match &table.relation {
        TableFactor::Table { name, alias, .. } => {
            let shown =
                alias.as_ref().map_or_else(|| types::last_name(name), |alias| alias.name.value.clone());
            Ok((name.clone(), shown))
        }
        _ => Err(SqlError::unsupported("writing this")),
    }
}
