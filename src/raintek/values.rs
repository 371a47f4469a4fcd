//! Values between tiberius and the model.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use rust_decimal::Decimal;
use tiberius::numeric::Numeric;
use tiberius::{ColumnData, FromSql, Query, Row as SqlRow};

use super::classify::classify;
use crate::model::bill::{Row, Value};
use crate::model::fault::Fault;
use crate::model::schema::ColumnKind;

/// A whole row, by column name.
pub(super) fn row(sql: &SqlRow) -> Result<Row, Fault> {
    let mut row = Row::default();
    for (column, data) in sql.cells() {
        row.0.insert(column.name().to_owned(), value(data)?);
    }
    Ok(row)
}

/// One value in the form in which values are compared.
pub(super) fn value(data: &ColumnData<'static>) -> Result<Value, Fault> {
    let value = match data {
        ColumnData::U8(v) => v.map(|v| Value::Int(v.into())),
        ColumnData::I16(v) => v.map(|v| Value::Int(v.into())),
        ColumnData::I32(v) => v.map(|v| Value::Int(v.into())),
        ColumnData::I64(v) => v.map(Value::Int),
        ColumnData::Bit(v) => v.map(Value::Bit),
        ColumnData::F32(v) => v.map(|v| float(&v.to_string())),
        // MONEY arrives as f64 too; its shortest text is exact to the four decimals it has.
        ColumnData::F64(v) => v.map(|v| float(&v.to_string())),
        ColumnData::Numeric(v) => v.map(numeric),
        ColumnData::String(v) => v.as_ref().map(|v| Value::Text(v.trim_end_matches(' ').to_owned())),
        ColumnData::Guid(v) => v.map(|v| Value::Text(v.to_string())),
        ColumnData::Binary(v) => v.as_ref().map(|v| Value::Bytes(v.to_vec())),
        ColumnData::DateTime(_) | ColumnData::SmallDateTime(_) | ColumnData::DateTime2(_) => {
            NaiveDateTime::from_sql(data).map_err(|e| classify(&e))?.map(|v| Value::Date(whole_seconds(v)))
        }
        ColumnData::Date(_) => NaiveDate::from_sql(data)
            .map_err(|e| classify(&e))?
            .map(|v| Value::Date(v.and_time(NaiveTime::MIN))),
        ColumnData::Time(_) => NaiveTime::from_sql(data)
            .map_err(|e| classify(&e))?
            .map(|v| Value::Text(v.format("%H:%M:%S").to_string())),
        ColumnData::DateTimeOffset(_) => chrono::DateTime::<chrono::FixedOffset>::from_sql(data)
            .map_err(|e| classify(&e))?
            .map(|v| Value::Date(whole_seconds(v.naive_local()))),
        ColumnData::Xml(v) => v.as_ref().map(|v| Value::Text(v.to_string())),
    };
    Ok(value.unwrap_or(Value::Null))
}

/// SQL Server's decimals have up to 38 digits, ours 28: one that has more is no number to us, rather than another number.
fn numeric(sent: Numeric) -> Value {
    let (mut digits, mut scale) = (sent.value(), u32::from(sent.scale()));
    loop {
        match Decimal::try_from_i128_with_scale(digits, scale) {
            Ok(value) => return Value::Dec(value),
            Err(_) if scale > 0 && digits % 10 == 0 => (digits, scale) = (digits / 10, scale - 1),
            Err(_) => return Value::Text(sent.to_string()),
        }
    }
}

fn float(text: &str) -> Value {
    text.parse::<Decimal>()
        .or_else(|_| Decimal::from_scientific(text))
        .map_or_else(|_| Value::Text(text.to_owned()), Value::Dec)
}

/// RainTek's `datetime` steps by 1/300 s: compared in whole seconds.
fn whole_seconds(value: NaiveDateTime) -> NaiveDateTime {
    let rounded =
        if value.nanosecond() >= 500_000_000 { value + chrono::TimeDelta::seconds(1) } else { value };
    rounded.with_nanosecond(0).unwrap_or(rounded)
}

/// Binds a value in the type of its column. All rows of one INSERT must agree on a type: SQL Server unites the
/// types of a VALUES list, and numbers of different scales would lose decimals in that.
pub(super) fn bind(query: &mut Query<'_>, value: &Value, kind: ColumnKind) {
    match (value, kind) {
        (Value::Int(v), ColumnKind::Decimal { scale, .. }) => query.bind(rescaled(Decimal::from(*v), scale)),
        (Value::Dec(v), ColumnKind::Decimal { scale, .. }) => query.bind(rescaled(*v, scale)),
        (Value::Dec(v), ColumnKind::Int) => query.bind(i64::try_from(v.round()).unwrap_or_default()),
        (Value::Dec(v), _) => query.bind(*v),
        (Value::Int(v), _) => match i32::try_from(*v) {
            Ok(v) => query.bind(v),
            Err(_) => query.bind(*v),
        },
        (Value::Text(v), _) => query.bind(v.clone()),
        (Value::Date(v), _) => query.bind(*v),
        (Value::Bit(v), _) => query.bind(*v),
        (Value::Bytes(v), _) => query.bind(v.clone()),
        // Also an empty value has the type of its column: a text does not become a picture.
        (Value::Null, ColumnKind::Int) => query.bind(Option::<i32>::None),
        (Value::Null, ColumnKind::Decimal { .. }) => query.bind(Option::<Decimal>::None),
        (Value::Null, ColumnKind::Float) => query.bind(Option::<f64>::None),
        (Value::Null, ColumnKind::Date) => query.bind(Option::<NaiveDateTime>::None),
        (Value::Null, ColumnKind::Bit) => query.bind(Option::<bool>::None),
        (Value::Null, ColumnKind::Bytes) => query.bind(Option::<Vec<u8>>::None),
        (Value::Null, _) => query.bind(Option::<String>::None),
    }
}

fn rescaled(mut value: Decimal, scale: u32) -> Decimal {
    value.rescale(scale);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetime_steps_round_to_whole_seconds() {
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        let just_before = day.and_hms_nano_opt(10, 0, 4, 997_000_000).unwrap();
        assert_eq!(whole_seconds(just_before), day.and_hms_opt(10, 0, 5).unwrap());
        let just_after = day.and_hms_nano_opt(10, 0, 5, 3_333_333).unwrap();
        assert_eq!(whole_seconds(just_after), day.and_hms_opt(10, 0, 5).unwrap());
    }

    #[test]
    fn a_decimal_of_more_digits_than_ours_is_none_rather_than_another() {
        let read = |value, scale| numeric(Numeric::new_with_scale(value, scale));
        assert_eq!(read(123_450, 4), Value::Dec("12.345".parse().unwrap()));
        assert_eq!(read(5 * 10_i128.pow(30), 31), Value::Dec("0.5".parse().unwrap()));
        assert_eq!(read(0, 38), Value::Dec(Decimal::ZERO));
        assert!(matches!(read(10_i128.pow(37) + 1, 0), Value::Text(_)));
        assert!(matches!(read(1, 38), Value::Text(_)));
    }

    #[test]
    fn money_read_as_float_is_exact() {
        assert_eq!(float("1234567.89"), Value::Dec("1234567.89".parse().unwrap()));
        assert_eq!(float("1e3"), Value::Dec(Decimal::from(1000)));
    }
}
