//! Values of rows, as RainTek writes them: a column nobody gives a value gets its neutral one, never NULL.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use tiberius::Query;

use crate::sql::types::Ty;

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Int(i32),
    Money(Decimal),
    Text(String),
    Day(NaiveDate),
    Bytes,
}

impl From<i32> for Cell {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}

impl From<Decimal> for Cell {
    fn from(value: Decimal) -> Self {
        Self::Money(value)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl Cell {
    pub(super) fn bind(self, query: &mut Query<'_>) {
        match self {
            Self::Int(value) => query.bind(value),
            Self::Money(value) => query.bind(value),
            Self::Text(value) => query.bind(value),
            Self::Day(value) => query.bind(value.and_hms_opt(0, 0, 0)),
            Self::Bytes => query.bind(Vec::<u8>::new()),
        }
    }
}

/// A statement with its values in order.
pub(crate) fn statement(sql: &str, values: Vec<Cell>) -> Query<'static> {
    let mut query = Query::new(sql.to_owned());
    for value in values {
        value.bind(&mut query);
    }
    query
}

pub(super) const fn neutral(ty: Ty, day: NaiveDate) -> Cell {
    match ty {
        Ty::Str(_) => Cell::Text(String::new()),
        Ty::Dec { .. } | Ty::Float => Cell::Money(Decimal::ZERO),
        Ty::DateTime | Ty::Date | Ty::DateTime2(_) => Cell::Day(day),
        Ty::Bin(_) | Ty::Image => Cell::Bytes,
        _ => Cell::Int(0),
    }
}
