//! Rows that a FROM makes by itself: a query in brackets, or a list of values.

use sqlparser::ast::{Query, SetExpr, TableAlias, Values};

use super::compile::{Compiler, Source};
use super::convert::{How, convert};
use super::error::{SqlError, SqlResult};
use super::types::{ColumnInfo, Ty};

impl Compiler<'_> {
    /// `(SELECT ...) AS name`, or `(VALUES (...), ...) AS name (column, ...)`.
    pub(super) fn derived(&mut self, query: &Query, alias: &TableAlias) -> SqlResult<(String, Source)> {
        // a derived table does not see its neighbours
        let neighbours = self.scopes.pop();
        let result = match query.body.as_ref() {
            SetExpr::Values(values) => self.values(values, alias),
            _ if !alias.columns.is_empty() => Err(SqlError::unsupported("column aliases of a derived table")),
            _ => self.query(query, false),
        };
        self.scopes.extend(neighbours);
        let (sql, columns) = result?;
        let name = alias.name.value.clone();
        if columns.iter().any(|column| column.name.is_empty()) {
            let text = format!("No column name was specified for a column of '{name}'.");
            return Err(SqlError::new(8155, 16, text));
        }
        Ok((format!("({sql}) AS \"{name}\""), Source { alias: name, columns }))
    }

    /// All rows of a column are of the type that its values have in common.
    fn values(&mut self, values: &Values, alias: &TableAlias) -> SqlResult<(String, Vec<ColumnInfo>)> {
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            rows.push(row.content.iter().map(|expr| self.expr(expr)).collect::<SqlResult<Vec<_>>>()?);
        }
        let width = rows.first().map_or(0, Vec::len);
        if rows.iter().any(|row| row.len() != width) {
            let text = "All the elements of a table value constructor must have the same number of columns.";
            return Err(SqlError::new(10709, 16, text));
        }
        if alias.columns.len() != width {
            let (number, word) = if alias.columns.len() < width { (8158, "more") } else { (8159, "fewer") };
            let text =
                format!("'{}' has {word} columns than were specified in the column list.", alias.name.value);
            return Err(SqlError::new(number, 16, text));
        }
        let mut types = vec![Ty::Null; width];
        for row in &rows {
            for (ty, value) in types.iter_mut().zip(row) {
                *ty = ty.common(value.ty);
            }
        }
        let mut tuples = Vec::with_capacity(rows.len());
        for row in rows {
            let cells = row.into_iter().zip(&types).map(|(value, ty)| convert(value, *ty, How::Cast(0)));
            let cells = cells.map(|cell| cell.map(|cell| cell.sql)).collect::<SqlResult<Vec<_>>>()?;
            tuples.push(format!("({})", cells.join(", ")));
        }
        let columns: Vec<ColumnInfo> = alias
            .columns
            .iter()
            .zip(types)
            .map(|(column, ty)| ColumnInfo { name: column.name.value.clone(), ty, identity: false })
            .collect();
        let names = columns
            .iter()
            .zip(1..)
            .map(|(column, at)| format!("\"column{at}\" AS \"{}\"", column.name.replace('"', "\"\"")));
        let names: Vec<String> = names.collect();
        Ok((format!("SELECT {} FROM (VALUES {})", names.join(", "), tuples.join(", ")), columns))
    }
}
