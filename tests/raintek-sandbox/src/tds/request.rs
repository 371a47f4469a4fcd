//! What clients ask for, read from whole messages.

use anyhow::bail;
use rusqlite::types::Value;

use super::reader::Reader;
use super::values;
use crate::sql::error::{SqlError, SqlResult};
use crate::sql::types::Ty;

/// SQL Server takes at most this many parameters.
const MAX_PARAMETERS: usize = 2100;

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    Batch(String),
    /// sp_executesql: the text, what it declares, and the values in that order.
    Execute {
        sql: String,
        declarations: String,
        values: Vec<(Ty, Value)>,
    },
    Begin,
    Commit {
        begin_again: bool,
    },
    Rollback {
        begin_again: bool,
    },
}

/// A request with the transaction it says it belongs to; the inner error goes back to the client.
pub(crate) type Decoded = (u64, SqlResult<Request>);

pub(crate) fn batch(message: &[u8]) -> anyhow::Result<Decoded> {
    let mut reader = Reader::new(message);
    let transaction = reader.headers()?;
    let text = super::reader::utf16(reader.remaining())?;
    Ok((transaction, Ok(Request::Batch(text))))
}

pub(crate) fn transaction(message: &[u8]) -> anyhow::Result<Decoded> {
    let mut reader = Reader::new(message);
    let transaction = reader.headers()?;
    let kind = reader.u16()?;
    let request = match kind {
        5 => match reader.u8()? {
            0..=2 => Ok(Request::Begin),
            level => Err(SqlError::unsupported(format!("isolation level {level}"))),
        },
        7 | 8 => {
            let length = reader.u8()?;
            reader.bytes(usize::from(length))?;
            let begin_again = !reader.is_empty() && reader.u8()? & 1 != 0;
            Ok(if kind == 7 { Request::Commit { begin_again } } else { Request::Rollback { begin_again } })
        }
        other => Err(SqlError::unsupported(format!("transaction manager request {other}"))),
    };
    Ok((transaction, request))
}

pub(crate) fn procedure(message: &[u8]) -> anyhow::Result<Decoded> {
    let mut reader = Reader::new(message);
    let transaction = reader.headers()?;
    let name = match reader.u16()? {
        0xFFFF => match reader.u16()? {
            10 => "sp_executesql".to_owned(),
            number => format!("procedure {number}"),
        },
        units => reader.utf16(usize::from(units))?,
    };
    let _options = reader.u16()?;
    if !name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("sp_executesql")) {
        return Ok((
            transaction,
            Err(SqlError::new(2812, 16, format!("Could not find stored procedure '{name}'."))),
        ));
    }
    let mut given = Vec::new();
    while !reader.is_empty() {
        let units = usize::from(reader.u8()?);
        let parameter = reader.utf16(units)?;
        if reader.u8()? & 1 != 0 {
            return Ok((transaction, Err(SqlError::unsupported("OUTPUT parameters"))));
        }
        match values::read(&mut reader)? {
            Ok((ty, value)) => given.push((parameter, ty, value)),
            Err(error) => return Ok((transaction, Err(error))),
        }
    }
    if given.len() > MAX_PARAMETERS {
        return Ok((
            transaction,
            Err(SqlError::new(
                8003,
                16,
                "The incoming request has too many parameters. The server supports a maximum of 2100 parameters. \
                 Reduce the number of parameters and resend the request.",
            )),
        ));
    }
    let mut given = given.into_iter();
    let Some((_, _, Value::Text(sql))) = given.next() else { bail!("sp_executesql without a statement") };
    let declarations = match given.next() {
        Some((_, _, Value::Text(declarations))) => declarations,
        _ => String::new(),
    };
    Ok((
        transaction,
        in_order(&declarations, given.collect()).map(|values| Request::Execute { sql, declarations, values }),
    ))
}

/// The values in the order they are declared in: named ones may come in any.
fn in_order(declarations: &str, given: Vec<(String, Ty, Value)>) -> SqlResult<Vec<(Ty, Value)>> {
    let declared = crate::sql::parse::declarations(declarations)?;
    if given.len() > declared.len() {
        return Err(SqlError::new(8144, 16, "Procedure or function has too many arguments specified."));
    }
    let missing = |name: &str| {
        SqlError::new(
            8178,
            16,
            format!("The parameterized query expects the parameter '{name}', which was not supplied."),
        )
    };
    let positional = given.iter().all(|(name, ..)| name.is_empty());
    let same_order =
        given.iter().zip(&declared).all(|((name, ..), (known, _))| name.eq_ignore_ascii_case(known));
    if positional || same_order {
        if let Some((name, _)) = declared.get(given.len()) {
            return Err(missing(name));
        }
        return Ok(given.into_iter().map(|(_, ty, value)| (ty, value)).collect());
    }
    declared
        .iter()
        .map(|(name, _)| {
            given
                .iter()
                .find(|(known, ..)| known.eq_ignore_ascii_case(name))
                .map(|(_, ty, value)| (*ty, value.clone()))
                .ok_or_else(|| missing(name))
        })
        .collect()
}
