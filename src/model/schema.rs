//! How the shop's RainTek database really looks: installations differ by version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a column can hold, as far as writing and comparing need to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Whole numbers, any width.
    Int,
    /// `decimal`, `numeric`, `money`, `smallmoney`.
    Decimal {
        /// All digits.
        precision: u32,
        /// Digits behind the point.
        scale: u32,
    },
    /// `float`, `real`.
    Float,
    /// Any character type; `None`: no limit. The limit counts UTF-16 units.
    Text {
        /// The width.
        max: Option<usize>,
        /// Unicode (`nchar`, `nvarchar`); the others hold the server's code page only.
        wide: bool,
    },
    /// Any date type that has a day.
    Date,
    /// `time`.
    Time,
    /// `bit`.
    Bit,
    /// `image`, `binary`, `varbinary`.
    Bytes,
    /// `uniqueidentifier`.
    Guid,
    /// The server fills it itself (`timestamp`, computed), or nothing of ours can be put there. Neither written nor read.
    ServerOwned,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// As the server spells it.
    pub name: String,
    /// What it holds.
    pub kind: ColumnKind,
    /// The server numbers it: left out of an INSERT.
    pub identity: bool,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// As the server spells it.
    pub name: String,
    /// In the server's order.
    pub columns: Vec<Column>,
}

impl Table {
    /// A column by name, without regard to case (RainTek's databases are case-insensitive).
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// Whether the server numbers this column.
    pub fn is_identity(&self, name: &str) -> bool {
        self.column(name).is_some_and(|column| column.identity)
    }
}

/// The tables the product knows, by the name it uses for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PosSchema {
    /// Table name -> table.
    pub tables: BTreeMap<String, Table>,
}

impl PosSchema {
    /// A table by the product's name for it.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }
}

/// How the whole database looks, for people and for comparing with how it looked a week ago.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaDump {
    /// Table name -> table.
    pub tables: BTreeMap<String, DumpedTable>,
}

/// One table, as dumped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpedTable {
    /// In the server's order.
    pub columns: Vec<DumpedColumn>,
    /// `PRIMARY KEY (Inv_ID)`, sorted.
    pub keys: Vec<String>,
    /// How many rows it has.
    pub rows: u64,
    /// A few rows, column by column; `None` is NULL.
    pub samples: Vec<BTreeMap<String, Option<String>>>,
}

/// One column, as dumped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpedColumn {
    /// As the server spells it.
    pub name: String,
    /// `decimal(18,2)`.
    pub data_type: String,
    /// May be NULL.
    pub nullable: bool,
    /// The default, as the server writes it.
    pub default: Option<String>,
    /// The server numbers it.
    pub identity: bool,
}
