//! What changed in RainTek's tables since they were looked at last, and sample rows that give nobody away.

use std::collections::BTreeMap;

use crate::model::schema::{DumpedColumn, DumpedTable, SchemaDump};

/// The tables that invoices are written to.
const WRITTEN: [&str; 6] =
    ["InvoiceInfo", "Invoice_Product", "Invoice_Payment", "Customer", "SaleGST", "SaleNoTax"];
/// Letters of a sample that are kept, masked.
const SAMPLE: usize = 40;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub table: String,
    /// In words: `InvoiceInfo has a new column Cess2 (decimal(18,2), never empty)`.
    pub words: String,
}

impl Change {
    /// Whether invoices are written to that table.
    pub fn is_written(&self) -> bool {
        WRITTEN.iter().any(|written| written.eq_ignore_ascii_case(&self.table))
    }
}

/// What differs; numbers of rows and samples do not count.
pub fn changes(before: &SchemaDump, now: &SchemaDump) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut add = |table: &str, words: String| changes.push(Change { table: table.to_owned(), words });
    for (name, old) in &before.tables {
        match now.tables.get(name) {
            None => add(name, format!("the table {name} is gone")),
            Some(new) => columns(name, old, new).into_iter().for_each(|words| add(name, words)),
        }
    }
    for name in now.tables.keys().filter(|name| !before.tables.contains_key(*name)) {
        add(name, format!("there is a new table {name}"));
    }
    changes
}

fn columns(table: &str, old: &DumpedTable, new: &DumpedTable) -> Vec<String> {
    fn by_name(table: &DumpedTable) -> BTreeMap<String, &DumpedColumn> {
        table.columns.iter().map(|column| (column.name.to_lowercase(), column)).collect()
    }
    let (before, now) = (by_name(old), by_name(new));
    let mut words = Vec::new();
    for (key, old) in &before {
        match now.get(key) {
            None => words.push(format!("{table} no longer has the column {}", old.name)),
            Some(new) => {
                let (old_form, new_form) = (form(old), form(new));
                if old_form != new_form {
                    words.push(format!("{table}.{} is {new_form} instead of {old_form}", new.name));
                }
            }
        }
    }
    for new in now.iter().filter(|(key, _)| !before.contains_key(*key)).map(|(_, column)| column) {
        words.push(format!("{table} has a new column {} ({})", new.name, form(new)));
    }
    if old.keys != new.keys {
        words.push(format!("the keys of {table} are {} instead of {}", list(&new.keys), list(&old.keys)));
    }
    words
}

fn form(column: &DumpedColumn) -> String {
    let mut form = column.data_type.clone();
    form.push_str(if column.nullable { "" } else { ", never empty" });
    form.push_str(if column.identity { ", numbered by the server" } else { "" });
    if let Some(default) = &column.default {
        form.push_str(&format!(", by default {default}"));
    }
    form
}

fn list(keys: &[String]) -> String {
    if keys.is_empty() { "none".to_owned() } else { keys.join(" and ") }
}

/// The dump with every letter and digit of its sample rows masked: names, phones and amounts give nobody away, and
/// their forms are still seen.
#[must_use]
pub fn masked(mut dump: SchemaDump) -> SchemaDump {
    let samples = dump.tables.values_mut().flat_map(|table| &mut table.samples);
    for value in samples.flat_map(BTreeMap::values_mut).flatten() {
        *value = value.chars().take(SAMPLE).map(mask).collect();
    }
    dump
}

fn mask(letter: char) -> char {
    match letter {
        _ if letter.is_numeric() => '9',
        _ if letter.is_uppercase() => 'X',
        _ if letter.is_alphabetic() => 'x',
        // Marks of Indian scripts belong to their letters.
        _ if !letter.is_ascii() => '?',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, data_type: &str, nullable: bool) -> DumpedColumn {
        DumpedColumn { name: name.into(), data_type: data_type.into(), nullable, ..DumpedColumn::default() }
    }

    fn dump(tables: &[(&str, &[DumpedColumn])]) -> SchemaDump {
        let table =
            |columns: &[DumpedColumn]| DumpedTable { columns: columns.to_vec(), ..DumpedTable::default() };
        SchemaDump {
            tables: tables.iter().map(|(name, columns)| ((*name).to_owned(), table(columns))).collect(),
        }
    }

    #[test]
    fn every_change_is_named_and_rows_do_not_count() {
        let id = column("ID", "int", false);
        let before = dump(&[
            ("Customer", &[id.clone(), column("Name", "nchar(100)", true), column("Old", "int", true)]),
            ("Gone", std::slice::from_ref(&id)),
        ]);
        let mut now = dump(&[
            ("Customer", &[id.clone(), column("name", "nvarchar(200)", true), column("New", "bit", false)]),
            ("Fresh", std::slice::from_ref(&id)),
        ]);
        now.tables.get_mut("Customer").unwrap().rows = 7;
        now.tables.get_mut("Customer").unwrap().keys = vec!["PRIMARY KEY (ID)".into()];
        let found = changes(&before, &now);
        let words: Vec<&str> = found.iter().map(|change| change.words.as_str()).collect();
        assert_eq!(
            words,
            [
                "Customer.name is nvarchar(200) instead of nchar(100)",
                "Customer no longer has the column Old",
                "Customer has a new column New (bit, never empty)",
                "the keys of Customer are PRIMARY KEY (ID) instead of none",
                "the table Gone is gone",
                "there is a new table Fresh",
            ]
        );
        assert_eq!(found.iter().filter(|change| change.is_written()).count(), 4);
        assert_eq!(changes(&now, &now), []);
    }

    #[test]
    fn samples_give_nobody_away() {
        let mut dump = dump(&[("Customer", &[])]);
        let row = [
            ("Name", Some("Asha Rao")),
            ("ContactNo", Some("+91 98450-12345")),
            ("Note", Some("नमस्ते")),
            ("None", None),
        ];
        let row = row.into_iter().map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect();
        dump.tables.get_mut("Customer").unwrap().samples = vec![row];
        let dump = masked(dump);
        let row = &dump.tables["Customer"].samples[0];
        assert_eq!(row["Name"].as_deref(), Some("Xxxx Xxx"));
        assert_eq!(row["ContactNo"].as_deref(), Some("+99 99999-99999"));
        assert!(row["Note"].as_deref().unwrap().chars().all(|c| c == 'x' || c == '?'));
        assert_eq!(row["None"], None);
    }
}
