//! Types and values on the wire: out for results, in for parameters.

use anyhow::{Context, bail};
use rusqlite::types::{Value, ValueRef};

use super::reader::{Reader, utf16};
use crate::sql::error::{SqlError, SqlResult};
use crate::sql::text;
use crate::sql::time;
use crate::sql::types::{Text, Ty};

/// SQL_Latin1_General_CP1_CI_AS.
pub(crate) const COLLATION: [u8; 5] = [0x09, 0x04, 0xD0, 0x00, 0x34];

/// Writes TYPE_INFO.
pub(crate) fn write_type(out: &mut Vec<u8>, ty: Ty, table: &str) {
    match ty {
        Ty::Null => out.extend([0x26, 4]),
        Ty::Bit => out.extend([0x68, 1]),
        Ty::Int(width) => out.extend([0x26, width]),
        Ty::Dec { p, s } => out.extend([0x6A, decimal_width(p), p, s]),
        Ty::Float => out.extend([0x6D, 8]),
        Ty::Str(Text { unicode, fixed, max }) => {
            out.push(match (unicode, fixed) {
                (true, true) => 0xEF,
                (true, false) => 0xE7,
                (false, true) => 0xAF,
                (false, false) => 0xA7,
            });
            let bytes =
                max.map_or(0xFFFF, |max| if unicode { max.saturating_mul(2).max(2) } else { max.max(1) });
            out.extend(bytes.to_le_bytes());
            out.extend(COLLATION);
        }
        Ty::DateTime => out.extend([0x6F, 8]),
        Ty::Date => out.push(0x28),
        Ty::DateTime2(scale) => out.extend([0x2A, scale]),
        Ty::Bin(max) => {
            out.push(0xA5);
            out.extend(max.unwrap_or(0xFFFF).to_le_bytes());
        }
        Ty::Image => {
            out.push(0x22);
            out.extend(i32::MAX.to_le_bytes());
            out.push(1);
            let name: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
            out.extend(u16::try_from(name.len() / 2).unwrap_or(0).to_le_bytes());
            out.extend(name);
        }
    }
}

/// Writes one value of a row.
pub(crate) fn write_value(out: &mut Vec<u8>, ty: Ty, value: ValueRef<'_>) -> SqlResult<()> {
    match (ty, value) {
        (_, ValueRef::Null) => write_null(out, ty),
        (Ty::Bit, ValueRef::Integer(number)) => out.extend([1, u8::from(number != 0)]),
        (Ty::Int(width), ValueRef::Integer(number)) => {
            let (low, high) = ty.range();
            if !(low..=high).contains(&number) {
                return Err(SqlError::overflow(ty.name()));
            }
            out.push(width);
            out.extend(number.to_le_bytes().iter().take(usize::from(width)));
        }
        (Ty::Null, ValueRef::Integer(number)) => write_value(out, Ty::INT, ValueRef::Integer(number))?,
        (Ty::Dec { p, .. }, ValueRef::Integer(number)) => {
            let magnitude = u128::from(number.unsigned_abs());
            if magnitude >= crate::sql::natives::power(i64::from(p)) {
                return Err(SqlError::overflow("numeric"));
            }
            let width = decimal_width(p);
            out.extend([width, u8::from(number >= 0)]);
            out.extend(magnitude.to_le_bytes().iter().take(usize::from(width - 1)));
        }
        // an integer of the store that grew past 64 bits
        (Ty::Dec { .. } | Ty::Int(_), ValueRef::Real(_)) => return Err(SqlError::overflow(ty.name())),
        (Ty::Float, ValueRef::Real(number)) => {
            out.push(8);
            out.extend(number.to_le_bytes());
        }
        (Ty::Str(text), ValueRef::Text(bytes)) => {
            write_text(out, text, std::str::from_utf8(bytes).unwrap_or("?"))?;
        }
        (Ty::DateTime, ValueRef::Integer(ticks)) => {
            let (days, thirds) = time::to_datetime_parts(ticks);
            out.push(8);
            out.extend(i32::try_from(days).unwrap_or(0).to_le_bytes());
            out.extend(u32::try_from(thirds).unwrap_or(0).to_le_bytes());
        }
        (Ty::Date, ValueRef::Integer(ticks)) => {
            out.push(3);
            out.extend(ticks.div_euclid(time::DAY).to_le_bytes().iter().take(3));
        }
        (Ty::DateTime2(scale), ValueRef::Integer(ticks)) => {
            let unit = 10_i64.pow(7_u32.saturating_sub(u32::from(scale)));
            let width = time_width(scale);
            out.push(width + 3);
            out.extend((ticks.rem_euclid(time::DAY) / unit).to_le_bytes().iter().take(usize::from(width)));
            out.extend(ticks.div_euclid(time::DAY).to_le_bytes().iter().take(3));
        }
        (Ty::Bin(None), ValueRef::Blob(bytes)) => write_chunks(out, bytes),
        (Ty::Bin(Some(_)), ValueRef::Blob(bytes)) => {
            out.extend(u16::try_from(bytes.len()).map_err(|_| SqlError::truncated())?.to_le_bytes());
            out.extend(bytes);
        }
        (Ty::Image, ValueRef::Blob(bytes)) => {
            // a text pointer and a timestamp nobody uses
            out.push(16);
            out.extend([0; 24]);
            out.extend(u32::try_from(bytes.len()).map_err(|_| SqlError::truncated())?.to_le_bytes());
            out.extend(bytes);
        }
        (ty, value) => {
            return Err(SqlError::new(
                50000,
                16,
                format!("The stand-in holds a {} as {:?}.", ty.name(), value.data_type()),
            ));
        }
    }
    Ok(())
}

fn write_null(out: &mut Vec<u8>, ty: Ty) {
    match ty {
        Ty::Str(Text { max: None, .. }) | Ty::Bin(None) => out.extend(u64::MAX.to_le_bytes()),
        Ty::Str(_) | Ty::Bin(_) => out.extend(u16::MAX.to_le_bytes()),
        _ => out.push(0),
    }
}

fn write_text(out: &mut Vec<u8>, ty: Text, word: &str) -> SqlResult<()> {
    let Some(max) = ty.max else {
        let bytes: Vec<u8> = if ty.unicode {
            word.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            text::to_1252(word)
        };
        write_chunks(out, &bytes);
        return Ok(());
    };
    // an expression longer than its type is cut, as SQL Server cuts at 8000 bytes
    let word = text::cut(word, usize::from(max.max(1)));
    let place = out.len();
    out.extend([0, 0]);
    if ty.unicode {
        for unit in word.encode_utf16() {
            out.extend(unit.to_le_bytes());
        }
    } else {
        out.extend(text::to_1252(word));
    }
    let length = u16::try_from(out.len() - place - 2).map_err(|_| SqlError::truncated())?;
    if let Some(slot) = out.get_mut(place..place + 2) {
        slot.copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

fn write_chunks(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u64::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
    if !bytes.is_empty() {
        out.extend(u32::try_from(bytes.len()).unwrap_or(0).to_le_bytes());
        out.extend(bytes);
    }
    out.extend(0_u32.to_le_bytes());
}

const fn decimal_width(precision: u8) -> u8 {
    match precision {
        0..=9 => 5,
        10..=19 => 9,
        20..=28 => 13,
        _ => 17,
    }
}

const fn time_width(scale: u8) -> u8 {
    match scale {
        0..=2 => 3,
        3..=4 => 4,
        _ => 5,
    }
}

/// Reads TYPE_INFO and the value after it. The inner error is SQL Server's, for a value nobody can hold.
pub(crate) fn read(reader: &mut Reader<'_>) -> anyhow::Result<SqlResult<(Ty, Value)>> {
    let code = reader.u8()?;
    let fixed = |ty: Ty, number: i64| Ok(Ok((ty, Value::Integer(number))));
    match code {
        0x1F => Ok(Ok((Ty::Null, Value::Null))),
        0x30 => fixed(Ty::Int(1), i64::from(reader.u8()?)),
        0x32 => fixed(Ty::Bit, i64::from(reader.u8()? != 0)),
        0x34 => fixed(Ty::Int(2), whole(reader.bytes(2)?)),
        0x38 => fixed(Ty::INT, whole(reader.bytes(4)?)),
        0x7F => fixed(Ty::BIGINT, whole(reader.bytes(8)?)),
        0x26 | 0x68 => {
            let declared = reader.u8()?;
            let length = reader.u8()?;
            let ty = if code == 0x68 { Ty::Bit } else { Ty::Int(declared) };
            let value = match length {
                0 => Value::Null,
                1 => Value::Integer(i64::from(reader.u8()?)),
                length => Value::Integer(whole(reader.bytes(usize::from(length))?)),
            };
            Ok(Ok((ty, value)))
        }
        0x6D => {
            let _declared = reader.u8()?;
            let value = match reader.u8()? {
                0 => Value::Null,
                4 => Value::Real(f64::from(f32::from_bits(reader.u32()?))),
                8 => Value::Real(f64::from_bits(reader.u64()?)),
                other => bail!("a float of {other} bytes"),
            };
            Ok(Ok((Ty::Float, value)))
        }
        0x6A | 0x6C => read_decimal(reader),
        0x6F => {
            let declared = reader.u8()?;
            let value = match reader.u8()? {
                0 => Value::Null,
                8 => {
                    let days = i64::from(reader.i32()?);
                    Value::Integer(time::from_datetime_parts(days, i64::from(reader.u32()?)))
                }
                4 => {
                    let (days, minutes) = (i64::from(reader.u16()?), i64::from(reader.u16()?));
                    Value::Integer(time::from_datetime_parts(days, minutes * 18_000))
                }
                other => bail!("a datetime of {other} bytes (declared {declared})"),
            };
            Ok(Ok((Ty::DateTime, value)))
        }
        0x28 => {
            let value = match reader.u8()? {
                0 => Value::Null,
                length => Value::Integer(unsigned(reader.bytes(usize::from(length))?) * time::DAY),
            };
            Ok(Ok((Ty::Date, value)))
        }
        0x2A => {
            let scale = reader.u8()?.min(7);
            let value = match reader.u8()? {
                0 => Value::Null,
                length => {
                    let width = usize::from(length).checked_sub(3).context("a datetime2 too short")?;
                    let unit = 10_i64.pow(7 - u32::from(scale));
                    let clock = unsigned(reader.bytes(width)?).saturating_mul(unit);
                    Value::Integer(unsigned(reader.bytes(3)?) * time::DAY + clock)
                }
            };
            Ok(Ok((Ty::DateTime2(scale), value)))
        }
        0xE7 | 0xEF | 0xA7 | 0xAF | 0xA5 | 0xAD => read_long(reader, code),
        other => Ok(Err(SqlError::unsupported(format!("a parameter of TDS type 0x{other:02X}")))),
    }
}

fn read_decimal(reader: &mut Reader<'_>) -> anyhow::Result<SqlResult<(Ty, Value)>> {
    let _width = reader.u8()?;
    let ty = Ty::Dec { p: reader.u8()?, s: reader.u8()? };
    let length = usize::from(reader.u8()?);
    let Some(digits) = length.checked_sub(1) else { return Ok(Ok((ty, Value::Null))) };
    let positive = reader.u8()? != 0;
    let mut magnitude: u128 = 0;
    for byte in reader.bytes(digits)?.iter().rev() {
        magnitude = (magnitude << 8) | u128::from(*byte);
    }
    let Ok(number) = i64::try_from(magnitude) else { return Ok(Err(SqlError::overflow("numeric"))) };
    Ok(Ok((ty, Value::Integer(if positive { number } else { -number }))))
}

fn read_long(reader: &mut Reader<'_>, code: u8) -> anyhow::Result<SqlResult<(Ty, Value)>> {
    let declared = reader.u16()?;
    let is_text = !matches!(code, 0xA5 | 0xAD);
    if is_text {
        reader.bytes(5)?;
    }
    let bytes = if declared == 0xFFFF {
        reader.chunks()?
    } else {
        match reader.u16()? {
            0xFFFF => None,
            length => Some(reader.bytes(usize::from(length))?.to_vec()),
        }
    };
    let unicode = matches!(code, 0xE7 | 0xEF);
    let max = (declared != 0xFFFF).then_some(if unicode { declared / 2 } else { declared });
    if !is_text {
        return Ok(Ok((Ty::Bin(max), bytes.map_or(Value::Null, Value::Blob))));
    }
    let ty = Ty::Str(Text { unicode, fixed: matches!(code, 0xEF | 0xAF), max });
    let value = match bytes {
        None => Value::Null,
        Some(bytes) if unicode => Value::Text(utf16(&bytes)?),
        Some(bytes) => Value::Text(text::from_1252(&bytes)),
    };
    Ok(Ok((ty, value)))
}

fn whole(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
    let mut filled = [if negative { 0xFF } else { 0 }; 8];
    for (slot, byte) in filled.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    i64::from_le_bytes(filled)
}

fn unsigned(bytes: &[u8]) -> i64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | i64::from(*byte))
}
