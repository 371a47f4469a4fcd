//! The tables as this shop's RainTek has them: the till of a generation writes the columns of its generation.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use chrono::NaiveDate;
use tiberius::{Query, Row};

use super::rows::{Cell, neutral};
use crate::sql::types::Ty;
use crate::sql::{catalog, generation};

/// One column of a table that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    ty: Ty,
    identity: bool,
    /// RainTek leaves columns that others added to the server, but for those it cannot leave out.
    written: bool,
}

/// The tables that are there, by name.
#[derive(Debug, Default)]
pub(super) struct Shape {
    tables: BTreeMap<String, Vec<Column>>,
    /// Every column that RainTek of any generation has.
    known: BTreeSet<(String, String)>,
}

/// What [`Shape::read`] needs from the server: every column, and every column that the server numbers.
pub(super) const COLUMNS: &str = "SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE, IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS \
     WHERE TABLE_SCHEMA = N'dbo' ORDER BY TABLE_NAME, ORDINAL_POSITION";
pub(super) const IDENTITIES: &str = "SELECT t.name, c.name FROM sys.columns c \
     INNER JOIN sys.tables t ON t.object_id = c.object_id WHERE c.is_identity = 1";

impl Shape {
    pub(super) fn read(columns: &[Row], identities: &[Row]) -> anyhow::Result<Self> {
        let text = |row: &Row, at| row.get::<&str, _>(at).unwrap_or_default().to_owned();
        let numbered: BTreeSet<(String, String)> =
            identities.iter().map(|row| (text(row, 0), text(row, 1))).collect();
        let mut shape = Self::default();
        for (table, columns) in catalog::raintek()? {
            shape.known.extend(columns.into_iter().map(|column| (table.clone(), column.name)));
        }
        for row in columns {
            let (table, name) = (text(row, 0), text(row, 1));
            let ty = catalog::parse_type(&text(row, 2))?;
            let key = (table.clone(), name.clone());
            let is_known = shape.known.contains(&key) || generation::is_old_name(&table, &name);
            let written = is_known || text(row, 3) == "NO";
            let column = Column { identity: numbered.contains(&key), name, ty, written };
            shape.tables.entry(table).or_default().push(column);
        }
        Ok(shape)
    }

    pub(super) fn has_table(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    pub(super) fn has(&self, table: &str, column: &str) -> bool {
        self.column(table, column).is_some()
    }

    /// Whether the till must number this column itself.
    pub(super) fn is_plain(&self, table: &str, column: &str) -> bool {
        self.column(table, column).is_some_and(|column| !column.identity)
    }

    fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.tables.get(table)?.iter().find(|found| found.name == column)
    }

    /// Those of the values that this generation has a column for.
    pub(super) fn kept<'a>(
        &self,
        table: &str,
        given: Vec<(&'a str, Cell)>,
    ) -> anyhow::Result<Vec<(&'a str, Cell)>> {
        for (name, _) in &given {
            let known = self.known.contains(&(table.to_owned(), (*name).to_owned()));
            if !known && !generation::is_old_name(table, name) {
                anyhow::bail!("{table} of no generation has a column {name}");
            }
        }
        Ok(given.into_iter().filter(|(name, _)| self.has(table, name)).collect())
    }

    /// An INSERT of a whole row; an identity column is left to the server. Nothing where there is no such table.
    pub(super) fn insert(
        &self,
        table: &str,
        day: NaiveDate,
        given: &[(&str, Cell)],
    ) -> anyhow::Result<Query<'static>> {
        let given = self.kept(table, given.to_vec())?;
        let columns = self.tables.get(table).with_context(|| format!("there is no table {table}"))?;
        let columns: Vec<&Column> =
            columns.iter().filter(|column| column.written && !column.identity).collect();
        let names: Vec<String> = columns.iter().map(|column| format!("[{}]", column.name)).collect();
        let marks: Vec<String> = (1..=columns.len()).map(|at| format!("@P{at}")).collect();
        let mut query =
            Query::new(format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), marks.join(", ")));
        for column in columns {
            let cell = given.iter().find(|(name, _)| *name == column.name).map(|(_, cell)| cell.clone());
            cell.unwrap_or_else(|| neutral(column.ty, day)).bind(&mut query);
        }
        Ok(query)
    }
}
