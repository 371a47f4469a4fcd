//! A row made to fit a table as it really is: columns that are missing are left out, columns nobody knows get
//! their neutral value, so that no NULL is ever written.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::model::bill::{Row, Value};
use crate::model::fault::Fault;
use crate::model::schema::{Column, ColumnKind, Table};

/// Columns whose neutral value is not that of their type (house rule of RainTek's own screens).
const NEUTRAL: [(&str, &str, &str); 7] = [
    ("InvoiceInfo", "TaxType", "GST"),
    ("InvoiceInfo", "CType", "Retail"),
    ("InvoiceInfo", "BillSundry", "None"),
    ("Customer", "Lstatus", "No"),
    ("Customer", "DiscStatus", "No"),
    ("Customer", "Optype", "DR"),
    ("Customer", "Status", "Activated"),
];

/// Builds one row.
#[derive(Debug)]
pub(super) struct RowBuilder<'a> {
    table: &'a Table,
    row: Row,
    notes: Vec<String>,
    day: NaiveDate,
    lost: Option<Fault>,
}

impl<'a> RowBuilder<'a> {
    /// An empty row; `day` is the neutral date.
    pub(super) fn new(table: &'a Table, day: NaiveDate) -> Self {
        Self { table, row: Row::default(), notes: Vec::new(), day, lost: None }
    }

    /// Sets a text, cut at a character where the column is narrower; what was cut is noted under `label`.
    #[must_use]
    pub(super) fn text(mut self, column: &str, value: &str, label: &str) -> Self {
        let Some(found) = self.table.column(column) else { return self };
        let (value, note) = fit_text(found, value, label);
        self.notes.extend(note);
        self.row.0.insert(found.name.clone(), value);
        self
    }

    /// Sets a number, rounded half to even where the column is coarser.
    #[must_use]
    pub(super) fn number(mut self, column: &str, value: Decimal) -> Self {
        let Some(found) = self.table.column(column) else { return self };
        let value = match found.kind {
            ColumnKind::Decimal { scale, .. } => {
                Value::Dec(value.round_dp_with_strategy(scale, RoundingStrategy::MidpointNearestEven))
            }
            ColumnKind::Int => i64::try_from(value.round()).map_or(Value::Dec(value), Value::Int),
            ColumnKind::Text { .. } => fit_text(found, &value.normalize().to_string(), column).0,
            _ => Value::Dec(value),
        };
        self.row.0.insert(found.name.clone(), value);
        self
    }

    /// Sets a number of which nothing may be lost: a coarser column makes [`Self::finish`] fail.
    #[must_use]
    pub(super) fn exact(mut self, column: &str, value: Decimal) -> Self {
        self = self.number(column, value);
        let Some(found) = self.table.column(column) else { return self };
        let stored = match self.row.get(column) {
            Some(Value::Dec(stored)) => *stored,
            Some(Value::Int(stored)) => Decimal::from(*stored),
            _ => return self,
        };
        if stored != value && self.lost.is_none() {
            let value = value.normalize();
            self.lost = Some(Fault::data(format!(
                "RainTek cannot store {value} exactly ({}.{}).",
                self.table.name, found.name
            )));
        }
        self
    }

    /// Sets a day at midnight.
    #[must_use]
    pub(super) fn date(mut self, column: &str, value: NaiveDate) -> Self {
        if let Some(found) = self.table.column(column) {
            self.row.0.insert(found.name.clone(), Value::Date(midnight(value)));
        }
        self
    }

    /// Only what was set, for an UPDATE of those columns.
    pub(super) fn some(self) -> Row {
        self.row
    }

    /// Fills what nobody maps with neutral values, but for `numbered` columns, which the plan gives.
    ///
    /// # Errors
    /// A number that does not fit its column (RainTek would answer 8115), or would not be the same there.
    pub(super) fn finish(mut self, numbered: &[&str]) -> Result<(Row, Vec<String>), Fault> {
        if let Some(fault) = self.lost.take() {
            return Err(fault);
        }
        for column in &self.table.columns {
            let given = numbered.iter().any(|name| name.eq_ignore_ascii_case(&column.name));
            if given || column.identity || column.kind == ColumnKind::ServerOwned {
                continue;
            }
            let value = self
                .row
                .0
                .entry(column.name.clone())
                .or_insert_with(|| neutral(&self.table.name, column, self.day));
            // A whole number that no column of whole numbers holds is left a decimal.
            if let (Value::Dec(number), ColumnKind::Int) = (&*value, column.kind) {
                return Err(too_large(*number, &self.table.name, &column.name));
            }
            if let (Value::Dec(number), ColumnKind::Decimal { precision, scale }) = (&*value, column.kind) {
                let digits = number.trunc().abs().normalize().mantissa().to_string().len();
                let room = usize::try_from(precision.saturating_sub(scale)).unwrap_or_default();
                if number.trunc() != Decimal::ZERO && digits > room {
                    return Err(too_large(*number, &self.table.name, &column.name));
                }
            }
        }
        Ok((self.row, self.notes))
    }
}

fn too_large(number: Decimal, table: &str, column: &str) -> Fault {
    Fault::data(format!("{number} is too large for RainTek ({table}.{column})."))
}

/// A row as it once stood in this table, with a neutral value for what the table has got since; `numbered` columns are
/// left out.
pub(in crate::sync) fn completed(table: &Table, mut row: Row, day: NaiveDate, numbered: &[&str]) -> Row {
    let is_numbered = |name: &str| numbered.iter().any(|other| other.eq_ignore_ascii_case(name));
    row.0.retain(|name, _| !is_numbered(name));
    for column in &table.columns {
        let skipped = column.identity || column.kind == ColumnKind::ServerOwned || is_numbered(&column.name);
        if !skipped && row.get(&column.name).is_none() {
            row.0.insert(column.name.clone(), neutral(&table.name, column, day));
        }
    }
    row
}

/// The value that breaks no screen of RainTek's.
fn neutral(table: &str, column: &Column, day: NaiveDate) -> Value {
    let special = NEUTRAL
        .iter()
        .find(|(t, c, _)| t.eq_ignore_ascii_case(table) && c.eq_ignore_ascii_case(&column.name))
        .map(|(_, _, text)| *text);
    match column.kind {
        ColumnKind::Int => Value::Int(0),
        ColumnKind::Decimal { .. } | ColumnKind::Float => Value::Dec(Decimal::ZERO),
        ColumnKind::Text { .. } => fit_text(column, special.unwrap_or_default(), "").0,
        ColumnKind::Date => Value::Date(midnight(day)),
        ColumnKind::Time => Value::Text("00:00:00".into()),
        ColumnKind::Bit => Value::Bit(false),
        ColumnKind::Bytes | ColumnKind::ServerOwned => Value::Bytes(Vec::new()),
        ColumnKind::Guid => Value::Text("00000000-0000-0000-0000-000000000000".into()),
    }
}

fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

/// The text as it will stand in the column, and a note where that is not all of it.
fn fit_text(column: &Column, value: &str, label: &str) -> (Value, Option<String>) {
    let ColumnKind::Text { max, wide } = column.kind else {
        return (Value::Text(value.trim_end().to_owned()), None);
    };
    let mut text = value.trim_end_matches(' ').to_owned();
    let mut note = None;
    if !wide && !text.is_ascii() {
        text = text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        note = Some(format!("RainTek cannot store all characters of {label}."));
    }
    if let Some(max) = max {
        let mut units = 0;
        let mut kept = String::new();
        for c in text.chars() {
            units += c.len_utf16();
            if units > max {
                note = Some(format!("{label} was cut to {max} characters for RainTek."));
                break;
            }
            kept.push(c);
        }
        text = kept;
    }
    (Value::Text(text.trim_end_matches(' ').to_owned()), note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: ColumnKind) -> Column {
        Column { name: name.into(), kind, identity: false }
    }

    fn table() -> Table {
        Table {
            name: "InvoiceInfo".into(),
            columns: vec![
                column("Inv_ID", ColumnKind::Int),
                column("Remarks", ColumnKind::Text { max: Some(5), wide: true }),
                column("Total", ColumnKind::Decimal { precision: 6, scale: 2 }),
                column("CType", ColumnKind::Text { max: Some(10), wide: true }),
                column("Unheard", ColumnKind::Date),
                column("Blob", ColumnKind::Bytes),
                column("Stamp", ColumnKind::ServerOwned),
            ],
        }
    }

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 4, 1).unwrap()
    }

    #[test]
    fn every_writable_column_has_a_value_and_none_is_null() {
        let table = table();
        let (row, _) = RowBuilder::new(&table, day()).finish(&["Inv_ID"]).unwrap();
        let names: Vec<&str> = row.0.keys().map(String::as_str).collect();
        assert_eq!(names, ["Blob", "CType", "Remarks", "Total", "Unheard"]);
        assert!(row.0.values().all(|value| *value != Value::Null));
        assert_eq!(row.text("CType"), "Retail");
        assert_eq!(row.get("Unheard"), Some(&Value::Date(midnight(day()))));
    }

    #[test]
    fn long_text_is_cut_at_a_character_and_noted() {
        let table = table();
        let (row, notes) =
            RowBuilder::new(&table, day()).text("Remarks", "abcd😀e", "The note").finish(&[]).unwrap();
        assert_eq!(row.text("Remarks"), "abcd");
        assert_eq!(notes, ["The note was cut to 5 characters for RainTek."]);
    }

    #[test]
    fn too_large_a_number_is_a_sentence() {
        let table = table();
        let fits = RowBuilder::new(&table, day()).number("Total", Decimal::new(999_999, 2)).finish(&[]);
        assert!(fits.is_ok());
        let fault =
            RowBuilder::new(&table, day()).number("Total", Decimal::from(10_000)).finish(&[]).unwrap_err();
        assert!(fault.sentence.contains("too large"), "{}", fault.sentence);
    }

    #[test]
    fn missing_columns_are_left_out() {
        let table = table();
        let (row, _) = RowBuilder::new(&table, day()).number("OfferAmt", Decimal::ONE).finish(&[]).unwrap();
        assert!(row.get("OfferAmt").is_none());
    }

    #[test]
    fn a_number_is_rounded_half_to_even_where_the_column_is_coarser() {
        let table = table();
        for (value, stored) in [("10.005", "10.00"), ("10.015", "10.02"), ("-0.005", "0")] {
            let row = RowBuilder::new(&table, day()).number("Total", value.parse().unwrap()).some();
            assert_eq!(row.get("Total"), Some(&Value::Dec(stored.parse().unwrap())), "{value}");
        }
    }

    #[test]
    fn a_number_in_a_column_of_text_is_written_as_a_person_writes_it() {
        let table = table();
        let row = RowBuilder::new(&table, day()).number("CType", "40.00".parse().unwrap()).some();
        assert_eq!(row.text("CType"), "40");
    }

    #[test]
    fn an_amount_that_a_column_would_round_is_refused() {
        let table = table();
        let exact =
            |value: &str| RowBuilder::new(&table, day()).exact("Total", value.parse().unwrap()).finish(&[]);
        assert!(exact("10.010").is_ok());
        assert_eq!(
            exact("10.005").unwrap_err().sentence,
            "RainTek cannot store 10.005 exactly (InvoiceInfo.Total)."
        );
    }

    #[test]
    fn what_a_narrow_column_cannot_hold_is_marked_and_noted() {
        let mut table = table();
        table.columns[1].kind = ColumnKind::Text { max: Some(50), wide: false };
        let stored = |text: &str| {
            let (row, notes) =
                RowBuilder::new(&table, day()).text("Remarks", text, "The note").finish(&[]).unwrap();
            (row.text("Remarks").to_owned(), notes.join(" "))
        };
        assert_eq!(stored("plain"), ("plain".into(), String::new()));
        assert_eq!(
            stored("For \u{0905} 5"),
            ("For ? 5".into(), "RainTek cannot store all characters of The note.".into())
        );
    }

    #[test]
    fn a_row_of_before_gets_no_value_that_the_server_gives_itself() {
        let mut table = table();
        table.columns.push(Column { identity: true, ..column("Row_ID", ColumnKind::Int) });
        let row = completed(&table, Row::default(), day(), &["inv_id"]);
        let names: Vec<&str> = row.0.keys().map(String::as_str).collect();
        assert_eq!(names, ["Blob", "CType", "Remarks", "Total", "Unheard"]);
    }
}
