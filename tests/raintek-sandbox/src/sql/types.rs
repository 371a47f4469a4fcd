//! SQL Server's types, and how their values lie in SQLite.
//!
//! Every expression has a type known before it runs, so the store needs no type tags:
//! decimals are integers scaled by 10^s, dates are 100 ns ticks since 0001-01-01,
//! texts of fixed width are kept padded, as SQL Server shows them.

use sqlparser::ast::{
    BinaryLength, CharacterLength, DataType, ExactNumberInfo, ObjectName, ObjectNamePart, TimezoneInfo,
};

use super::error::{SqlError, SqlResult};

/// A text type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Text {
    /// nchar and nvarchar, against char and varchar.
    pub(crate) unicode: bool,
    /// nchar and char: padded with spaces.
    pub(crate) fixed: bool,
    /// Width in UTF-16 units (or bytes of code page 1252); None is `max`.
    pub(crate) max: Option<u16>,
}

/// The type of a column, a parameter or an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ty {
    /// The literal NULL, which takes any type.
    Null,
    Bit,
    /// 1, 2, 4 or 8 bytes.
    Int(u8),
    Dec {
        p: u8,
        s: u8,
    },
    Float,
    Str(Text),
    DateTime,
    Date,
    DateTime2(u8),
    /// varbinary; None is `max`.
    Bin(Option<u16>),
    Image,
}

impl Ty {
    pub(crate) const INT: Self = Self::Int(4);
    pub(crate) const BIGINT: Self = Self::Int(8);

    pub(crate) const fn nvarchar(max: u16) -> Self {
        Self::Str(Text { unicode: true, fixed: false, max: Some(max) })
    }

    /// Which of two types wins when they meet; the higher one does.
    pub(crate) const fn precedence(self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bin(_) | Self::Image => 1,
            Self::Str(Text { unicode: false, .. }) => 2,
            Self::Str(_) => 3,
            Self::Bit => 4,
            Self::Int(width) => 5 + width,
            Self::Dec { .. } => 20,
            Self::Float => 21,
            Self::Date => 22,
            Self::DateTime => 23,
            Self::DateTime2(_) => 24,
        }
    }

    /// The name as INFORMATION_SCHEMA and the error sentences give it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Null | Self::Int(4) => "int",
            Self::Bit => "bit",
            Self::Int(1) => "tinyint",
            Self::Int(2) => "smallint",
            Self::Int(_) => "bigint",
            Self::Dec { .. } => "decimal",
            Self::Float => "float",
            Self::Str(Text { unicode: true, fixed: true, .. }) => "nchar",
            Self::Str(Text { unicode: true, .. }) => "nvarchar",
            Self::Str(Text { fixed: true, .. }) => "char",
            Self::Str(_) => "varchar",
            Self::DateTime => "datetime",
            Self::Date => "date",
            Self::DateTime2(_) => "datetime2",
            Self::Bin(_) => "varbinary",
            Self::Image => "image",
        }
    }

    /// The smallest and the largest whole number of an integer type.
    pub(crate) const fn range(self) -> (i64, i64) {
        match self {
            Self::Int(1) => (0, 255),
            Self::Int(2) => (i16::MIN as i64, i16::MAX as i64),
            Self::Int(8) => (i64::MIN, i64::MAX),
            _ => (i32::MIN as i64, i32::MAX as i64),
        }
    }

    /// Precision and scale, taking whole numbers as decimals without a fraction.
    pub(crate) const fn digits(self) -> (u8, u8) {
        match self {
            Self::Dec { p, s } => (p, s),
            Self::Bit => (1, 0),
            Self::Int(1) => (3, 0),
            Self::Int(2) => (5, 0),
            Self::Int(8) => (19, 0),
            _ => (10, 0),
        }
    }

    pub(crate) const fn is_text(self) -> bool {
        matches!(self, Self::Str(_))
    }

    pub(crate) const fn is_time(self) -> bool {
        matches!(self, Self::DateTime | Self::Date | Self::DateTime2(_))
    }

    /// How SQLite declares a column of this type; texts compare as SQL Server's collation does.
    pub(crate) const fn affinity(self) -> &'static str {
        match self {
            Self::Str(_) => "TEXT COLLATE T",
            Self::Float => "REAL",
            Self::Bin(_) | Self::Image => "BLOB",
            _ => "INTEGER",
        }
    }

    /// The type two operands or branches share.
    pub(crate) fn common(self, other: Self) -> Self {
        match (self, other) {
            (Self::Dec { .. }, Self::Dec { .. } | Self::Int(_) | Self::Bit)
            | (Self::Int(_) | Self::Bit, Self::Dec { .. }) => {
                let ((p1, s1), (p2, s2)) = (self.digits(), other.digits());
                let s = s1.max(s2);
                Self::Dec { p: (p1.saturating_sub(s1).max(p2.saturating_sub(s2)) + s).min(38), s }
            }
            (Self::Str(a), Self::Str(b)) => Self::Str(Text {
                unicode: a.unicode || b.unicode,
                fixed: a.fixed && b.fixed && a.max == b.max,
                max: a.max.zip(b.max).map(|(a, b)| a.max(b)),
            }),
            (Self::Bin(a), Self::Bin(b)) => Self::Bin(a.zip(b).map(|(a, b)| a.max(b))),
            (a, b) if a.precedence() >= b.precedence() => a,
            (_, b) => b,
        }
    }
}

/// Reads a type as it is written in T-SQL.
pub(crate) fn from_ast(data_type: &DataType) -> SqlResult<Ty> {
    let unknown = || SqlError::new(2715, 16, format!("Cannot find data type {data_type}."));
    let text = |unicode, fixed, length: Option<&CharacterLength>, default: u16| -> SqlResult<Ty> {
        let max = match length {
            None => Some(default),
            Some(CharacterLength::Max) => None,
            Some(CharacterLength::IntegerLength { length, .. }) => {
                Some(u16::try_from(*length).map_err(|_| unknown())?)
            }
        };
        Ok(Ty::Str(Text { unicode, fixed, max }))
    };
    Ok(match data_type {
        DataType::Bit(_) | DataType::Boolean => Ty::Bit,
        DataType::TinyInt(_) => Ty::Int(1),
        DataType::SmallInt(_) => Ty::Int(2),
        DataType::Int(_) | DataType::Integer(_) => Ty::INT,
        DataType::BigInt(_) => Ty::BIGINT,
        DataType::Decimal(info) | DataType::Numeric(info) | DataType::Dec(info) => match info {
            ExactNumberInfo::None => Ty::Dec { p: 18, s: 0 },
            ExactNumberInfo::Precision(p) => Ty::Dec { p: u8::try_from(*p).map_err(|_| unknown())?, s: 0 },
            ExactNumberInfo::PrecisionAndScale(p, s) => Ty::Dec {
                p: u8::try_from(*p).map_err(|_| unknown())?,
                s: u8::try_from(*s).map_err(|_| unknown())?,
            },
        },
        DataType::Float(_) | DataType::Real | DataType::Double(_) => Ty::Float,
        DataType::Varchar(length) | DataType::CharVarying(length) => text(false, false, length.as_ref(), 1)?,
        DataType::Nvarchar(length) => text(true, false, length.as_ref(), 1)?,
        DataType::Char(length) | DataType::Character(length) => text(false, true, length.as_ref(), 1)?,
        DataType::Date => Ty::Date,
        DataType::Datetime(None) => Ty::DateTime,
        DataType::Timestamp(_, TimezoneInfo::None) => return Err(unknown()),
        DataType::Varbinary(length) => Ty::Bin(match length {
            None => Some(1),
            Some(BinaryLength::Max) => None,
            Some(BinaryLength::IntegerLength { length }) => {
                Some(u16::try_from(*length).map_err(|_| unknown())?)
            }
        }),
        DataType::Custom(name, modifiers) => from_words(&last_name(name), modifiers).ok_or_else(unknown)?,
        _ => return Err(unknown()),
    })
}

/// Reads a type from its name and what stands in the brackets after it.
pub(crate) fn from_words(name: &str, modifiers: &[String]) -> Option<Ty> {
    let first = modifiers.first().map(String::as_str);
    let width = |default: u16| match first {
        None => Some(Some(default)),
        Some(word) if word.eq_ignore_ascii_case("max") => Some(None),
        Some(word) => word.trim().parse().ok().map(Some),
    };
    let text = |unicode, fixed| Some(Ty::Str(Text { unicode, fixed, max: width(1)? }));
    Some(match name.to_ascii_lowercase().as_str() {
        "bit" => Ty::Bit,
        "tinyint" => Ty::Int(1),
        "smallint" => Ty::Int(2),
        "int" | "integer" => Ty::INT,
        "bigint" => Ty::BIGINT,
        "decimal" | "numeric" | "dec" => Ty::Dec {
            p: first.map_or(Some(18), |p| p.trim().parse().ok())?,
            s: modifiers.get(1).map_or(Some(0), |s| s.trim().parse().ok())?,
        },
        "float" | "real" => Ty::Float,
        "nvarchar" => text(true, false)?,
        "nchar" => text(true, true)?,
        "sysname" => Ty::nvarchar(128),
        "varchar" => text(false, false)?,
        "char" => text(false, true)?,
        "date" => Ty::Date,
        "datetime" | "smalldatetime" => Ty::DateTime,
        "datetime2" => Ty::DateTime2(first.map_or(Some(7), |s| s.trim().parse().ok())?),
        "varbinary" | "binary" => Ty::Bin(width(1)?),
        "image" => Ty::Image,
        _ => return None,
    })
}

/// The last part of a name of several parts, without its brackets.
pub(crate) fn last_name(name: &ObjectName) -> String {
    name.0
        .last()
        .and_then(ObjectNamePart::as_ident)
        .map_or_else(|| name.to_string(), |ident| ident.value.clone())
}

/// What a column of a result is called and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnInfo {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    pub(crate) identity: bool,
}
