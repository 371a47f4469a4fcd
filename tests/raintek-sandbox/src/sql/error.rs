//! SQL Server's own error numbers and sentences, and the way they travel through SQLite.

use std::fmt;

/// What marks an error of ours inside an SQLite message (functions can only hand back text).
const MARK: &str = "\u{1}TSQL\u{1}";

/// One error as SQL Server words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SqlError {
    /// The number clients look at, e.g. 2627.
    pub(crate) number: i32,
    /// Severity: 10 and below is information, 11 to 19 an error, 20 and above ends the connection.
    pub(crate) class: u8,
    /// The state byte, which tells variants of one number apart.
    pub(crate) state: u8,
    /// The sentence.
    pub(crate) message: String,
}

pub(crate) type SqlResult<T> = Result<T, SqlError>;

impl SqlError {
    pub(crate) fn new(number: i32, class: u8, message: impl Into<String>) -> Self {
        Self { number, class, state: 1, message: message.into() }
    }

    /// What SQL Server says of syntax it does not know.
    pub(crate) fn syntax(near: impl fmt::Display) -> Self {
        Self::new(102, 15, format!("Incorrect syntax near '{near}'."))
    }

    /// T-SQL that is right but that this stand-in does not know: an error, never a guess.
    pub(crate) fn unsupported(what: impl fmt::Display) -> Self {
        Self::new(40514, 16, format!("'{what}' is not supported in this version of SQL Server."))
    }

    pub(crate) fn invalid_column(name: &str) -> Self {
        Self::new(207, 16, format!("Invalid column name '{name}'."))
    }

    pub(crate) fn invalid_object(name: &str) -> Self {
        Self::new(208, 16, format!("Invalid object name '{name}'."))
    }

    pub(crate) fn overflow(type_name: &str) -> Self {
        Self::new(
            8115,
            16,
            format!("Arithmetic overflow error converting expression to data type {type_name}."),
        )
    }

    pub(crate) fn truncated() -> Self {
        Self::new(8152, 16, "String or binary data would be truncated.")
    }

    pub(crate) fn null(column: &str, table: &str, verb: &str) -> Self {
        Self::new(
            515,
            16,
            format!(
                "Cannot insert the value NULL into column '{column}', table 'Raintech_DB1.dbo.{table}'; \
                 column does not allow nulls. {verb} fails."
            ),
        )
    }

    pub(crate) fn deadlock(spid: i32) -> Self {
        let mut error = Self::new(
            1205,
            13,
            format!(
                "Transaction (Process ID {spid}) was deadlocked on lock resources with another process and has \
                 been chosen as the deadlock victim. Rerun the transaction."
            ),
        );
        error.state = 51;
        error
    }

    pub(crate) fn lock_timeout() -> Self {
        Self::new(1222, 16, "Lock request time out period exceeded.")
    }

    /// Whether this error is found while the batch is compiled, so that nothing of it runs.
    pub(crate) fn is_compile_time(&self) -> bool {
        self.class == 15 || matches!(self.number, 207 | 209 | 4104 | 8120 | 8144 | 195 | 137 | 40514)
    }

    /// Whether SQL Server gives up the rest of the batch, whatever XACT_ABORT says.
    pub(crate) fn ends_batch(&self) -> bool {
        self.is_compile_time()
            || matches!(self.number, 208 | 241 | 242 | 245 | 1205 | 8114 | 2812)
            || self.class >= 17
    }

    /// Whether the open transaction is lost, whatever XACT_ABORT says.
    pub(crate) fn ends_transaction(&self) -> bool {
        matches!(self.number, 241 | 242 | 245 | 1205 | 8114)
    }

    /// Whether SQL Server adds "The statement has been terminated." (3621).
    pub(crate) fn terminates_statement(&self) -> bool {
        matches!(self.number, 515 | 547 | 2601 | 2627 | 8115 | 8134 | 8152 | 220)
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{}\u{1}{}\u{1}{}", self.number, self.class, self.message)
    }
}

impl std::error::Error for SqlError {}

/// Which table a statement writes and how, so that a constraint can be named as SQL Server does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Written {
    pub(crate) table: String,
    /// INSERT, UPDATE or DELETE.
    pub(crate) verb: &'static str,
}

/// Turns what SQLite says into what SQL Server would have said.
pub(crate) fn from_sqlite(error: &rusqlite::Error, written: &Written, pk: Option<&str>) -> SqlError {
    use rusqlite::ffi;
    let rusqlite::Error::SqliteFailure(code, message) = error else {
        return SqlError::new(50000, 16, format!("The stand-in's own store: {error}"));
    };
    let text = message.as_deref().unwrap_or_default();
    if let Some((_, rest)) = text.split_once(MARK) {
        let mut parts = rest.splitn(3, '\u{1}');
        let number = parts.next().and_then(|n| n.parse().ok()).unwrap_or(50000);
        let class = parts.next().and_then(|n| n.parse().ok()).unwrap_or(16);
        return SqlError::new(number, class, parts.next().unwrap_or_default());
    }
    let place = text.rsplit(": ").next().unwrap_or_default();
    let (table, column) = place.split(", ").next().unwrap_or_default().split_once('.').unwrap_or((place, ""));
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_NOTNULL => SqlError::null(column, table, written.verb),
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID | ffi::SQLITE_CONSTRAINT_UNIQUE => {
            let keyed = pk.is_some_and(|pk| pk.eq_ignore_ascii_case(column));
            if keyed {
                let mut error = SqlError::new(
                    2627,
                    14,
                    format!(
                        "Violation of PRIMARY KEY constraint 'PK_{table}'. Cannot insert duplicate key in object \
                         'dbo.{table}'."
                    ),
                );
                error.state = 1;
                error
            } else {
                let index = place.strip_prefix("index '").map_or(place, |name| name.trim_end_matches('\''));
                SqlError::new(
                    2601,
                    14,
                    format!(
                        "Cannot insert duplicate key row in object 'dbo.{}' with unique index '{index}'.",
                        written.table
                    ),
                )
            }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => {
            let kind = if written.verb == "DELETE" { "REFERENCE" } else { "FOREIGN KEY" };
            SqlError::new(
                547,
                16,
                format!(
                    "The {} statement conflicted with a {kind} constraint of table \"dbo.{}\".",
                    written.verb, written.table
                ),
            )
        }
        // a table of a database that was dropped again
        _ if text.starts_with("no such table: ") => {
            SqlError::invalid_object(text.trim_start_matches("no such table: "))
        }
        _ if text.contains("integer overflow") => SqlError::overflow("int"),
        _ => SqlError::new(50000, 16, format!("The stand-in's own store: {text}")),
    }
}
