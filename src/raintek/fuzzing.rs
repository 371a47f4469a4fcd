//! What fuzzing calls: the functions that read RainTek's values and rows, as they are. They stay private otherwise,
//! since their types are tiberius', which does not leave this folder.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tiberius::ColumnData;
use tiberius::numeric::Numeric;
use tiberius::time::DateTime;

use super::{products, values};
use crate::model::bill::Value;
use crate::model::fault::Fault;
use crate::model::product::PosProduct;

/// A value as SQL Server sends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// NULL.
    Null,
    /// `int`, `bigint`.
    Int(i64),
    /// `bit`.
    Bit(bool),
    /// `float`, and `money` as tiberius reads it.
    Float(f64),
    /// `decimal`: all digits, and how many of them stand behind the point (at most 38).
    Decimal(i128, u8),
    /// Any character type.
    Text(String),
    /// `datetime`: days since 1900, and steps of 1/300 s.
    DateTime(i32, u32),
    /// `image`, `varbinary`.
    Bytes(Vec<u8>),
}

impl Cell {
    fn data(&self) -> ColumnData<'static> {
        match self {
            Self::Null => ColumnData::String(None),
            Self::Int(value) => ColumnData::I64(Some(*value)),
            Self::Bit(value) => ColumnData::Bit(Some(*value)),
            Self::Float(value) => ColumnData::F64(Some(*value)),
            Self::Decimal(value, scale) => ColumnData::Numeric(Some(Numeric::new_with_scale(
                *value,
                (*scale).min(Numeric::MAX_NUMERIC_SCALE),
            ))),
            Self::Text(text) => ColumnData::String(Some(Cow::Owned(text.clone()))),
            Self::DateTime(days, steps) => ColumnData::DateTime(Some(DateTime::new(*days, *steps))),
            Self::Bytes(bytes) => ColumnData::Binary(Some(Cow::Owned(bytes.clone()))),
        }
    }

    /// The value as it is compared.
    ///
    /// # Errors
    /// A value that cannot be read.
    pub fn read(&self) -> Result<Value, Fault> {
        values::value(&self.data())
    }
}

/// The columns of a product, in the order in which [`product`] takes them.
pub const PRODUCT: &[&str] = &products::PRODUCT;

/// A row of `Product`.
///
/// # Errors
/// A value that cannot be read.
pub fn product(cells: &[Cell], has_gst: bool) -> Result<PosProduct, Fault> {
    products::product(cells.iter().map(Cell::read), has_gst)
}
