//! Statements with their parameters, packed into as few round trips as SQL Server's limits allow.

use std::collections::HashMap;

use rust_decimal::Decimal;
use tiberius::{Query, Row as SqlRow};

use super::classify::classify;
use super::connect::Sql;
use super::values::bind;
use crate::model::bill::{Row, Value};
use crate::model::fault::Fault;
use crate::model::schema::{Column, ColumnKind, Table};

/// SQL Server takes 2,100 parameters a request, sp_executesql's own two among them.
const MOST_PARAMETERS: usize = 2_090;
/// SQL Server takes 1,000 rows in one VALUES list.
const MOST_ROWS: usize = 1_000;

/// Statements for one round trip.
#[derive(Debug, Default)]
struct Request {
    sql: String,
    parameters: Vec<(Value, ColumnKind)>,
    known: HashMap<(Value, ColumnKind), usize>,
}

impl Request {
    /// The placeholder of a value; equal values of one type share a parameter.
    fn placeholder(&mut self, value: &Value, kind: ColumnKind) -> String {
        let key = (value.clone(), kind);
        let number = match self.known.get(&key) {
            Some(number) => *number,
            None => {
                self.parameters.push(key.clone());
                let number = self.parameters.len();
                self.known.insert(key, number);
                number
            }
        };
        format!("@P{number}")
    }

    fn room_for(&self, values: &[(Value, ColumnKind)]) -> bool {
        let new = values.iter().filter(|key| !self.known.contains_key(key)).count();
        self.parameters.len() + new <= MOST_PARAMETERS
    }
}

/// Collects statements, then sends them in order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    requests: Vec<Request>,
}

impl Batch {
    fn current(&mut self, values: &[(Value, ColumnKind)]) -> &mut Request {
        let fits = self.requests.last().is_some_and(|request| request.room_for(values));
        if !fits {
            self.requests.push(Request::default());
        }
        let last = self.requests.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "a request was pushed where there was none")]
        &mut self.requests[last]
    }

    /// `INSERT` of rows that share their columns; identity columns and ones the table does not have are left out.
    pub(super) fn insert(&mut self, table: &Table, rows: &[Row]) {
        let columns: Vec<&Column> = match rows.first() {
            Some(first) => table
                .columns
                .iter()
                .filter(|column| !column.identity && first.get(&column.name).is_some())
                .collect(),
            None => return,
        };
        let list = columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
        let head = format!("INSERT INTO {} ({list}) VALUES ", quoted(&table.name));
        let mut in_statement = 0;
        for row in rows {
            let values: Vec<(Value, ColumnKind)> = columns
                .iter()
                .map(|column| (row.get(&column.name).cloned().unwrap_or(Value::Null), column.kind))
                .collect();
            let request = self.current(&values);
            let placeholders =
                values.iter().map(|(value, kind)| request.placeholder(value, *kind)).collect::<Vec<_>>();
            // An open VALUES list is one of this call: every call closes its own.
            let open = request.sql.ends_with(')');
            if open && in_statement < MOST_ROWS {
                request.sql.push_str(", (");
            } else {
                if open {
                    request.sql.push_str(";\n");
                }
                request.sql.push_str(&head);
                request.sql.push('(');
                in_statement = 0;
            }
            request.sql.push_str(&placeholders.join(", "));
            request.sql.push(')');
            in_statement += 1;
        }
        self.close();
    }

    /// `UPDATE` of one row by its keys.
    pub(super) fn update(&mut self, table: &Table, row: &Row, keys: &[(&str, i64)]) {
        let set: Vec<(&Column, &Value)> = table
            .columns
            .iter()
            .filter(|column| {
                !column.identity && !keys.iter().any(|(key, _)| key.eq_ignore_ascii_case(&column.name))
            })
            .filter_map(|column| row.get(&column.name).map(|value| (column, value)))
            .collect();
        let mut values: Vec<(Value, ColumnKind)> =
            set.iter().map(|(column, value)| ((*value).clone(), column.kind)).collect();
        values.extend(keys.iter().map(|(_, key)| (Value::Int(*key), ColumnKind::Int)));
        let request = self.current(&values);
        let assignments = set
            .iter()
            .map(|(column, value)| {
                format!("{} = {}", quoted(&column.name), request.placeholder(value, column.kind))
            })
            .collect::<Vec<_>>()
            .join(", ");
        let condition = condition(request, keys);
        request
            .sql
            .push_str(&format!("UPDATE {} SET {assignments} WHERE {condition};\n", quoted(&table.name)));
    }

    /// `DELETE` by keys.
    pub(super) fn delete(&mut self, table: &Table, keys: &[(&str, i64)]) {
        let values: Vec<(Value, ColumnKind)> =
            keys.iter().map(|(_, key)| (Value::Int(*key), ColumnKind::Int)).collect();
        let request = self.current(&values);
        let condition = condition(request, keys);
        request.sql.push_str(&format!("DELETE FROM {} WHERE {condition};\n", quoted(&table.name)));
    }

    /// Adds to a number of the rows of these keys; one that is NULL counts as 0.
    pub(super) fn add(&mut self, table: &Table, column: &str, amount: Decimal, keys: &[(&str, Value)]) {
        let kind = |name: &str| table.column(name).map_or(ColumnKind::Int, |column| column.kind);
        let amount = (Value::Dec(amount), kind(column));
        let mut values = vec![amount.clone()];
        values.extend(keys.iter().map(|(name, key)| (key.clone(), kind(name))));
        let request = self.current(&values);
        let amount = request.placeholder(&amount.0, amount.1);
        let condition = keys
            .iter()
            .map(|(name, key)| format!("{} = {}", quoted(name), request.placeholder(key, kind(name))))
            .collect::<Vec<_>>()
            .join(" AND ");
        request.sql.push_str(&format!(
            "UPDATE {} SET {column} = ISNULL({column}, 0) + {amount} WHERE {condition};\n",
            quoted(&table.name),
            column = quoted(column),
        ));
    }

    fn close(&mut self) {
        for request in &mut self.requests {
            if request.sql.ends_with(')') {
                request.sql.push_str(";\n");
            }
        }
    }

    /// Sends everything, one round trip for each request.
    pub(super) async fn send(self, sql: &mut Sql) -> Result<(), Fault> {
        for request in self.requests {
            let text = format!("SET NOCOUNT ON;\n{}", request.sql);
            let mut query = Query::new(text);
            for (value, kind) in &request.parameters {
                bind(&mut query, value, *kind);
            }
            query.execute(sql).await.map_err(|error| classify(&error))?;
        }
        Ok(())
    }

    /// Sends everything and returns the identity that the last statement was given.
    pub(super) async fn send_for_identity(mut self, sql: &mut Sql) -> Result<i32, Fault> {
        let Some(mut last) = self.requests.pop() else { return Ok(0) };
        self.send(sql).await?;
        last.sql.push_str("SELECT CAST(SCOPE_IDENTITY() AS int) AS id;");
        let mut query = Query::new(format!("SET NOCOUNT ON;\n{}", last.sql));
        for (value, kind) in &last.parameters {
            bind(&mut query, value, *kind);
        }
        let rows = query.query(sql).await.map_err(|error| classify(&error))?;
        let row = rows.into_row().await.map_err(|error| classify(&error))?;
        let id = row.and_then(|row| row.get::<i32, _>(0));
        id.ok_or_else(|| {
            Fault::transient(
                crate::model::fault::Scope::Item,
                "RainTek's database gave no number for a new row.",
            )
        })
    }
}

fn condition(request: &mut Request, keys: &[(&str, i64)]) -> String {
    keys.iter()
        .map(|(name, key)| {
            format!("{} = {}", quoted(name), request.placeholder(&Value::Int(*key), ColumnKind::Int))
        })
        .collect::<Vec<_>>()
        .join(" AND ")
}

/// A name in brackets: names come from the server, and may hold anything.
pub(super) fn quoted(name: &str) -> String {
    format!("[{}]", name.replace(']', "]]"))
}

/// A column in a SELECT list, of the table of this alias. RainTek's texts are filled up with blanks to their width, a
/// kilobyte in each product: the server leaves those out, so that they neither cross the wire nor are decoded.
pub(super) fn unpadded(alias: Option<&str>, column: &Column) -> String {
    let name = quoted(&column.name);
    let place = alias.map_or_else(|| name.clone(), |alias| format!("{alias}.{name}"));
    match column.kind {
        // `RTRIM` takes no `text` and no `ntext`, which have no limit and no padding.
        ColumnKind::Text { max: Some(_), .. } => format!("RTRIM({place}) AS {name}"),
        _ => place,
    }
}

/// All columns of a table that can be read back and compared, as a SELECT list.
pub(super) fn select_list(table: &Table) -> String {
    table
        .columns
        .iter()
        .filter(|column| column.kind != ColumnKind::ServerOwned)
        .map(|column| unpadded(None, column))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Runs a query and returns all its result sets.
pub(super) async fn results(sql: &mut Sql, query: Query<'_>) -> Result<Vec<Vec<SqlRow>>, Fault> {
    let stream = query.query(sql).await.map_err(|error| classify(&error))?;
    stream.into_results().await.map_err(|error| classify(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: usize) -> Table {
        let column = |index| Column {
            name: format!("c{index}"),
            kind: ColumnKind::Decimal { precision: 18, scale: 2 },
            identity: index == 0,
        };
        Table { name: "t".into(), columns: (0..columns).map(column).collect() }
    }

    fn row(columns: usize, seed: i64) -> Row {
        Row((0..columns)
            .map(|index| (format!("c{index}"), Value::Dec(Decimal::new(seed * 100 + index as i64, 2))))
            .collect())
    }

    #[test]
    fn texts_of_a_known_width_are_read_without_their_padding() {
        let of = |name: &str, kind| Column { name: name.into(), kind, identity: false };
        let padded = of("Product]Name", ColumnKind::Text { max: Some(200), wide: true });
        assert_eq!(unpadded(Some("p"), &padded), "RTRIM(p.[Product]]Name]) AS [Product]]Name]");
        assert_eq!(unpadded(None, &padded), "RTRIM([Product]]Name]) AS [Product]]Name]");
        for kind in [ColumnKind::Text { max: None, wide: true }, ColumnKind::Int, ColumnKind::Date] {
            assert_eq!(unpadded(Some("p"), &of("a", kind)), "p.[a]", "{kind:?}");
        }
    }

    #[test]
    fn rows_of_one_insert_go_in_one_statement_without_identity() {
        let mut batch = Batch::default();
        batch.insert(&table(3), &[row(3, 1), row(3, 2)]);
        assert_eq!(batch.requests.len(), 1);
        assert_eq!(batch.requests[0].sql, "INSERT INTO [t] ([c1], [c2]) VALUES (@P1, @P2), (@P3, @P4);\n");
    }

    #[test]
    fn equal_values_share_a_parameter() {
        let mut batch = Batch::default();
        batch.insert(&table(3), &[row(3, 1), row(3, 1)]);
        assert_eq!(batch.requests[0].sql, "INSERT INTO [t] ([c1], [c2]) VALUES (@P1, @P2), (@P1, @P2);\n");
    }

    #[test]
    fn no_request_passes_the_limits_and_no_row_is_lost() {
        let rows: Vec<Row> = (1..=500).map(|seed| row(31, seed)).collect();
        let mut batch = Batch::default();
        batch.insert(&table(3), &[row(3, 9999)]);
        batch.insert(&table(31), &rows);
        batch.delete(&table(3), &[("c1", 5)]);
        assert!(batch.requests.iter().all(|request| request.parameters.len() <= MOST_PARAMETERS));
        assert!(batch.requests.len() > 1);
        let tuples: usize = batch.requests.iter().map(|request| request.sql.matches("(@P").count()).sum();
        assert_eq!(tuples, 501);
        for request in &batch.requests {
            assert!(!request.sql.contains(")("), "{}", request.sql);
            assert!(request.sql.ends_with(";\n"), "{}", request.sql);
        }
    }

    #[test]
    fn many_rows_are_split_at_a_thousand() {
        let rows: Vec<Row> = (0..2500).map(|_| row(3, 1)).collect();
        let mut batch = Batch::default();
        batch.insert(&table(3), &rows);
        assert_eq!(batch.requests[0].sql.matches("INSERT").count(), 3);
    }

    #[test]
    fn names_cannot_break_out_of_their_brackets() {
        assert_eq!(quoted("a]; DROP TABLE x--"), "[a]]; DROP TABLE x--]");
    }
}
