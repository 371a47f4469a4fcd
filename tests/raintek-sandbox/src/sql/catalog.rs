//! Which tables exist and what their columns are: RainTek's from the csv, and SQL Server's own views of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params};

use super::generation::{Definition, Generation};
use super::types::{self, Text, Ty};

/// RainTek's tables as facts/raintek_columns.csv gives them.
const COLUMNS: &str = include_str!("../../data/raintek_columns.csv");
/// The one shop's database, and the one that lists the shops.
pub(crate) const DATABASES: [&str; 2] = ["Raintech_DB1", "RaintechMaster_DB"];

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) ty: Ty,
    pub(crate) nullable: bool,
    pub(crate) identity: bool,
    pub(crate) primary_key: bool,
    pub(crate) references: Option<(String, String)>,
}

/// One table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// What SQLite calls it.
    pub(crate) store: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) id: i64,
    /// A view of SQL Server's own, which nobody writes.
    pub(crate) system: bool,
}

impl Table {
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn primary_key(&self) -> Option<&str> {
        self.columns.iter().find(|column| column.primary_key).map(|column| column.name.as_str())
    }

    pub(crate) fn identity(&self) -> Option<&Column> {
        self.columns.iter().find(|column| column.identity)
    }
}

/// All tables, by lower-case name; `sys.` and `information_schema.` are part of the name of a view.
#[derive(Debug, Clone, Default)]
pub(crate) struct Catalog {
    tables: BTreeMap<String, Arc<Table>>,
    /// Grows with every change of a table, so that what was compiled before is compiled anew.
    pub(crate) version: u64,
}

impl Catalog {
    pub(crate) fn table(&self, name: &str) -> Option<&Arc<Table>> {
        self.tables.get(&name.to_lowercase())
    }

    pub(crate) fn user_tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values().filter(|table| !table.system)
    }

    /// Reads the tables a store holds; an empty store gets RainTek's of this generation first.
    pub(crate) fn open(connection: &Connection, generation: Generation) -> anyhow::Result<Self> {
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS _columns (tab TEXT, pos INTEGER, name TEXT, type TEXT, nullable INTEGER,
               ident INTEGER, pk INTEGER, ref_tab TEXT, ref_col TEXT)",
        )?;
        let known: i64 = connection.query_row("SELECT count(*) FROM _columns", [], |row| row.get(0))?;
        if known == 0 {
            lay_down(connection, generation)?;
        }
        Self::load(connection, 1)
    }

    /// Reads the tables again after one has changed, and renews SQL Server's views of them.
    pub(crate) fn load(connection: &Connection, version: u64) -> anyhow::Result<Self> {
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        let mut names: Vec<String> = Vec::new();
        let mut statement = connection.prepare(
            "SELECT tab, name, type, nullable, ident, pk, ref_tab, ref_col FROM _columns ORDER BY rowid",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            if !names.contains(&name) {
                names.push(name.clone());
            }
            let id = 2_000_000 + i64::try_from(names.iter().position(|n| *n == name).unwrap_or(0))?;
            let type_text: String = row.get(2)?;
            let references = row.get::<_, Option<String>>(6)?.zip(row.get::<_, Option<String>>(7)?);
            let column = Column {
                name: row.get(1)?,
                ty: parse_type(&type_text)?,
                nullable: row.get(3)?,
                identity: row.get(4)?,
                primary_key: row.get(5)?,
                references,
            };
            tables
                .entry(name.to_lowercase())
                .or_insert_with(|| Table {
                    name: name.clone(),
                    store: name,
                    columns: Vec::new(),
                    id,
                    system: false,
                })
                .columns
                .push(column);
        }
        drop(rows);
        drop(statement);
        views(connection, tables.values())?;
        for table in view_tables() {
            tables.insert(table.name.to_lowercase(), table);
        }
        let tables = tables.into_iter().map(|(name, table)| (name, Arc::new(table))).collect();
        Ok(Self { tables, version })
    }
}

/// A type as the csv writes it, e.g. `decimal(18,2)`.
pub(crate) fn parse_type(text: &str) -> anyhow::Result<Ty> {
    let (name, rest) = text.split_once('(').unwrap_or((text, ""));
    let modifiers: Vec<String> =
        rest.trim_end_matches(')').split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    types::from_words(name, &modifiers)
        .ok_or_else(|| anyhow::anyhow!("{text} is not a type this stand-in knows"))
}

/// A type as the csv writes it.
pub(crate) fn type_text(ty: Ty) -> String {
    match ty {
        Ty::Dec { p, s } => format!("decimal({p},{s})"),
        Ty::Str(Text { max, .. }) | Ty::Bin(max) => {
            format!("{}({})", ty.name(), max.map_or_else(|| "max".to_owned(), |max| max.to_string()))
        }
        Ty::DateTime2(scale) => format!("datetime2({scale})"),
        _ => ty.name().to_owned(),
    }
}

/// The definition of a column in SQLite. Only keys are NOT NULL: RainTek's installations differ, and its
/// own rows are known to hold NULLs, which is what crashes its screens.
pub(crate) fn column_ddl(column: &Column) -> String {
    let mut ddl = format!("\"{}\" {}", column.name, column.ty.affinity());
    if column.identity {
        ddl.push_str(" NOT NULL PRIMARY KEY AUTOINCREMENT");
    } else if column.primary_key {
        ddl.push_str(" NOT NULL PRIMARY KEY");
    } else if !column.nullable {
        ddl.push_str(" NOT NULL");
    }
    if let Some((table, column)) = &column.references {
        ddl.push_str(&format!(" REFERENCES \"{table}\"(\"{column}\")"));
    }
    ddl
}

/// Writes a table down: SQLite's own, and the row per column that says what it is.
pub(crate) fn create_table(connection: &Connection, name: &str, columns: &[Column]) -> anyhow::Result<()> {
    let ddl: Vec<String> = columns.iter().map(column_ddl).collect();
    connection.execute_batch(&format!("CREATE TABLE \"{name}\" ({})", ddl.join(", ")))?;
    for column in columns {
        record_column(connection, name, column)?;
        if column.references.is_some() {
            let column = &column.name;
            connection.execute_batch(&format!(
                "CREATE INDEX \"_fk_{name}_{column}\" ON \"{name}\"(\"{column}\")"
            ))?;
        }
    }
    Ok(())
}

/// Notes down what a column is.
pub(crate) fn record_column(connection: &Connection, table: &str, column: &Column) -> anyhow::Result<()> {
    let (ref_table, ref_column) = column.references.clone().unzip();
    connection.execute(
        "INSERT INTO _columns SELECT ?1, 1 + ifnull(max(pos), 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM _columns WHERE tab = ?1",
        params![
            table,
            column.name,
            type_text(column.ty),
            column.nullable,
            column.identity,
            column.primary_key,
            ref_table,
            ref_column
        ],
    )?;
    Ok(())
}

fn lay_down(connection: &Connection, generation: Generation) -> anyhow::Result<()> {
    for (name, columns) in &generation.shape(raintek()?) {
        create_table(connection, name, columns)?;
    }
    Ok(())
}

/// RainTek's current tables.
pub(crate) fn raintek() -> anyhow::Result<Vec<Definition>> {
    let mut tables: Vec<Definition> = Vec::new();
    for line in COLUMNS.lines().skip(1) {
        let fields = csv_fields(line);
        let field = |at: usize| fields.get(at).map_or("", String::as_str);
        let primary_key = field(3) == "yes";
        let column = Column {
            name: field(1).to_owned(),
            ty: parse_type(field(2))?,
            nullable: !primary_key,
            identity: field(4) == "yes",
            primary_key,
            references: field(5).split_once('.').map(|(table, column)| (table.to_owned(), column.to_owned())),
        };
        match tables.last_mut() {
            Some((name, columns)) if name == field(0) => columns.push(column),
            _ => tables.push((field(0).to_owned(), vec![column])),
        }
    }
    Ok(tables)
}

fn csv_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => {
                if let Some(field) = fields.last_mut() {
                    field.push(letter);
                }
            }
        }
    }
    fields
}

/// What runs at the moment; it is in no table.
const RUNNING: &str = "_dm_exec_requests";
/// SQL Server's views, each with the SQLite table behind it and its columns.
const VIEWS: [(&str, &str, &str); 9] = [
    (
        "information_schema.columns",
        "_is_columns",
        "TABLE_CATALOG:s TABLE_SCHEMA:s TABLE_NAME:s COLUMN_NAME:s ORDINAL_POSITION:i COLUMN_DEFAULT:m IS_NULLABLE:s \
         DATA_TYPE:s CHARACTER_MAXIMUM_LENGTH:i NUMERIC_PRECISION:t NUMERIC_SCALE:i DATETIME_PRECISION:i",
    ),
    ("information_schema.tables", "_is_tables", "TABLE_CATALOG:s TABLE_SCHEMA:s TABLE_NAME:s TABLE_TYPE:s"),
    ("sys.tables", "_sys_tables", "name:s object_id:i schema_id:i type:s type_desc:s"),
    ("sys.objects", "_sys_tables", "name:s object_id:i schema_id:i type:s type_desc:s"),
    (
        "sys.columns",
        "_sys_columns",
        "object_id:i name:s column_id:i is_nullable:b is_identity:b is_computed:b max_length:i precision:t scale:t",
    ),
    ("sys.databases", "_sys_databases", "name:s database_id:i state:t state_desc:s"),
    (
        "information_schema.table_constraints",
        "_is_table_constraints",
        "CONSTRAINT_NAME:s TABLE_SCHEMA:s TABLE_NAME:s CONSTRAINT_TYPE:s",
    ),
    (
        "information_schema.key_column_usage",
        "_is_key_column_usage",
        "CONSTRAINT_NAME:s TABLE_SCHEMA:s TABLE_NAME:s COLUMN_NAME:s ORDINAL_POSITION:i",
    ),
    // each connection to the store has a view of its own by this name
    ("sys.dm_exec_requests", RUNNING, "session_id:i command:s percent_complete:f"),
];

fn view_columns(list: &str) -> impl Iterator<Item = (String, Ty)> {
    list.split_whitespace().filter_map(|entry| entry.split_once(':')).map(|(name, code)| {
        let ty = match code {
            "i" => Ty::INT,
            "t" => Ty::Int(1),
            "b" => Ty::Bit,
            "m" => Ty::nvarchar(4000),
            "f" => Ty::Float,
            _ => Ty::nvarchar(128),
        };
        (name.to_owned(), ty)
    })
}

fn view_tables() -> impl Iterator<Item = Table> {
    VIEWS.iter().zip(1..).map(|(&(name, store, columns), id)| Table {
        name: name.to_owned(),
        store: store.to_owned(),
        columns: view_columns(columns)
            .map(|(name, ty)| Column {
                name,
                ty,
                nullable: true,
                identity: false,
                primary_key: false,
                references: None,
            })
            .collect(),
        id,
        system: true,
    })
}

fn views<'a>(connection: &Connection, tables: impl Iterator<Item = &'a Table>) -> anyhow::Result<()> {
    for (_, store, columns) in VIEWS.into_iter().filter(|(_, store, _)| *store != RUNNING) {
        let columns: Vec<String> =
            view_columns(columns).map(|(name, ty)| format!("\"{name}\" {}", ty.affinity())).collect();
        connection.execute_batch(&format!(
            "CREATE TABLE IF NOT EXISTS {store} ({}); DELETE FROM {store}",
            columns.join(", ")
        ))?;
    }
    for (name, id) in DATABASES.iter().zip(5..) {
        connection.execute("INSERT INTO _sys_databases VALUES (?1, ?2, 0, 'ONLINE')", params![name, id])?;
    }
    let [database, _] = DATABASES;
    for table in tables {
        connection.execute(
            "INSERT INTO _is_tables VALUES (?1, 'dbo', ?2, 'BASE TABLE')",
            params![database, table.name],
        )?;
        connection.execute(
            "INSERT INTO _sys_tables VALUES (?1, ?2, 1, 'U ', 'USER_TABLE')",
            params![table.name, table.id],
        )?;
        for column in &table.columns {
            let kinds = [
                column.primary_key.then_some(("PK", "PRIMARY KEY")),
                column.references.is_some().then_some(("FK", "FOREIGN KEY")),
            ];
            for (mark, kind) in kinds.into_iter().flatten() {
                let name = match mark {
                    "PK" => format!("PK_{}", table.name),
                    _ => format!("{mark}_{}_{}", table.name, column.name),
                };
                connection.execute(
                    "INSERT INTO _is_table_constraints VALUES (?1, 'dbo', ?2, ?3)",
                    params![name, table.name, kind],
                )?;
                connection.execute(
                    "INSERT INTO _is_key_column_usage VALUES (?1, 'dbo', ?2, ?3, 1)",
                    params![name, table.name, column.name],
                )?;
            }
        }
        for (column, position) in table.columns.iter().zip(1..) {
            view_column(connection, table, column, position)?;
        }
    }
    Ok(())
}

fn view_column(connection: &Connection, table: &Table, column: &Column, position: i64) -> anyhow::Result<()> {
    let (length, bytes) = match column.ty {
        Ty::Str(Text { max, unicode, .. }) => {
            let length = max.map_or(-1, i64::from);
            (Some(length), if length < 0 { -1 } else { length * if unicode { 2 } else { 1 } })
        }
        Ty::Bin(max) => (Some(max.map_or(-1, i64::from)), max.map_or(-1, i64::from)),
        Ty::Image => (Some(2_147_483_647), 16),
        Ty::Int(width) => (None, i64::from(width)),
        Ty::Bit => (None, 1),
        Ty::Dec { p, .. } => (None, if p < 10 { 5 } else { 9 }),
        _ => (None, 8),
    };
    let number = matches!(column.ty, Ty::Int(_) | Ty::Dec { .. } | Ty::Float);
    let (p, s) = column.ty.digits();
    let (precision, scale) = (number.then_some(p), number.then_some(s));
    connection.execute(
        "INSERT INTO _is_columns VALUES (?1, 'dbo', ?2, ?3, ?4, NULL, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            DATABASES.first(),
            table.name,
            column.name,
            position,
            if column.nullable { "YES" } else { "NO" },
            column.ty.name(),
            length,
            precision,
            scale,
            (column.ty == Ty::DateTime).then_some(3),
        ],
    )?;
    connection.execute(
        "INSERT INTO _sys_columns VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8)",
        params![
            table.id,
            column.name,
            position,
            column.nullable,
            column.identity,
            bytes,
            precision.unwrap_or(0),
            scale.unwrap_or(0)
        ],
    )?;
    Ok(())
}
