//! The text and date functions SQLite lacks.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::error::{SqlError, SqlResult};
use super::natives::{add, count};
use super::types::Ty;
use super::{text, time};

pub(super) fn texts(connection: &Connection) -> rusqlite::Result<()> {
    // value, width (-1 is max), and what to do: 1 pad, 2 cut instead of failing, 4 code page 1252
    add(connection, "t_str", 3, |args| {
        let Some(word) = args.maybe_text(0)? else { return Ok(Value::Null) };
        let flags = args.int(2)?;
        let mut word = word;
        if flags & 4 != 0 && !word.is_ascii() {
            word = text::from_1252(&text::to_1252(&word));
        }
        let Ok(max) = usize::try_from(args.int(1)?) else { return Ok(Value::Text(word)) };
        if text::width(&word) > max {
            let kept = text::cut(&word, max);
            let lost = word.get(kept.len()..).unwrap_or_default();
            if flags & 2 == 0 && lost.chars().any(|letter| letter != ' ') {
                return Err(SqlError::truncated());
            }
            word = kept.to_owned();
        }
        Ok(Value::Text(if flags & 1 != 0 { text::pad(&word, max) } else { word }))
    })?;
    add(connection, "t_bin", 3, |args| match args.value(0)? {
        Value::Blob(mut bytes) => {
            let Ok(max) = usize::try_from(args.int(1)?) else { return Ok(Value::Blob(bytes)) };
            if bytes.len() > max {
                if args.int(2)? == 0 {
                    return Err(SqlError::truncated());
                }
                bytes.truncate(max);
            }
            Ok(Value::Blob(bytes))
        }
        other => Ok(other),
    })?;
    add(connection, "t_len", 1, |args| {
        Ok(args.maybe_text(0)?.map_or(Value::Null, |word| count(text::width(word.trim_end_matches(' ')))))
    })?;
    add(connection, "t_bytes", 2, |args| {
        Ok(match args.value(0)? {
            Value::Null => Value::Null,
            Value::Blob(bytes) => count(bytes.len()),
            Value::Text(word) => count(text::width(&word) * usize::try_from(args.int(1)?).unwrap_or(1)),
            _ => Value::Integer(args.int(1)?),
        })
    })?;
    add(connection, "t_upper", 1, |args| {
        Ok(args.maybe_text(0)?.map_or(Value::Null, |w| Value::Text(w.to_uppercase())))
    })?;
    add(connection, "t_lower", 1, |args| {
        Ok(args.maybe_text(0)?.map_or(Value::Null, |w| Value::Text(w.to_lowercase())))
    })?;
    // text, first place (from 1), how many
    add(connection, "t_substr", 3, |args| {
        let (Some(word), Some(start), Some(length)) = (args.maybe_text(0)?, args.whole(1)?, args.whole(2)?)
        else {
            return Ok(Value::Null);
        };
        if length < 0 {
            return Err(SqlError::new(
                537,
                16,
                "Invalid length parameter passed to the LEFT or SUBSTRING function.",
            ));
        }
        let units: Vec<u16> = word.encode_utf16().collect();
        let clamp = |at: i64| usize::try_from(at.max(0)).unwrap_or(usize::MAX).min(units.len());
        let (from, to) =
            (clamp(start.saturating_sub(1)), clamp(start.saturating_sub(1).saturating_add(length)));
        Ok(Value::Text(String::from_utf16_lossy(units.get(from..to).unwrap_or_default())))
    })?;
    add(connection, "t_right", 2, |args| {
        let (Some(word), Some(length)) = (args.maybe_text(0)?, args.whole(1)?) else {
            return Ok(Value::Null);
        };
        let length = usize::try_from(length)
            .map_err(|_| SqlError::new(536, 16, "Invalid length parameter passed to the RIGHT function."))?;
        let units: Vec<u16> = word.encode_utf16().collect();
        let from = units.len().saturating_sub(length);
        Ok(Value::Text(String::from_utf16_lossy(units.get(from..).unwrap_or_default())))
    })?;
    add(connection, "t_replace", 3, |args| {
        let (Some(word), Some(from), Some(to)) =
            (args.maybe_text(0)?, args.maybe_text(1)?, args.maybe_text(2)?)
        else {
            return Ok(Value::Null);
        };
        Ok(Value::Text(replace(&word, &from, &to)))
    })?;
    add(connection, "t_charindex", 2, |args| {
        let (Some(wanted), Some(word)) = (args.maybe_text(0)?, args.maybe_text(1)?) else {
            return Ok(Value::Null);
        };
        let (wanted, word) = (wanted.to_lowercase(), word.to_lowercase());
        Ok(word
            .find(&wanted)
            .map_or(Value::Integer(0), |at| count(text::width(word.get(..at).unwrap_or_default()) + 1)))
    })?;
    add(connection, "t_like", 3, |args| {
        let (Some(pattern), Some(word)) = (args.maybe_text(0)?, args.maybe_text(1)?) else {
            return Ok(Value::Null);
        };
        let escape = args.maybe_text(2)?.and_then(|e| e.to_lowercase().chars().next());
        Ok(Value::Integer(i64::from(text::like(&pattern, &word, escape))))
    })
}

pub(super) fn times(connection: &Connection) -> rusqlite::Result<()> {
    add(connection, "t_s2t", 2, |args| {
        let Some(word) = args.maybe_text(0)? else { return Ok(Value::Null) };
        let ticks = time::parse(&word).ok_or_else(|| {
            SqlError::new(
                241,
                16,
                "Conversion failed when converting date and/or time from character string.",
            )
        })?;
        fit(ticks, args.moment(1)?)
    })?;
    add(connection, "t_fit", 2, |args| match args.whole(0)? {
        Some(ticks) => fit(ticks, args.moment(1)?),
        None => Ok(Value::Null),
    })?;
    add(connection, "t_t2s", 3, |args| {
        let Some(ticks) = args.whole(0)? else { return Ok(Value::Null) };
        let style = args.int(2)?;
        time::format(ticks, args.moment(1)?, style).map(Value::Text).ok_or_else(|| {
            SqlError::new(
                281,
                16,
                format!(
                    "{style} is not a valid style number when converting from datetime to a character string."
                ),
            )
        })
    })?;
    add(connection, "t_part", 2, |args| {
        let Some(ticks) = args.whole(1)? else { return Ok(Value::Null) };
        time::part(&args.text(0)?, ticks).map(Value::Integer).ok_or_else(|| SqlError::unsupported("DATEPART"))
    })?;
    add(connection, "t_dateadd", 3, |args| {
        let (Some(number), Some(ticks)) = (args.whole(1)?, args.whole(2)?) else { return Ok(Value::Null) };
        time::add(&args.text(0)?, number, ticks).map(Value::Integer).ok_or_else(|| {
            SqlError::new(517, 16, "Adding a value to a 'datetime' column caused an overflow.")
        })
    })?;
    add(connection, "t_datediff", 3, |args| {
        let (Some(from), Some(to)) = (args.whole(1)?, args.whole(2)?) else { return Ok(Value::Null) };
        time::difference(&args.text(0)?, from, to)
            .map(Value::Integer)
            .ok_or_else(|| SqlError::unsupported("DATEDIFF"))
    })
}

fn fit(ticks: i64, ty: Ty) -> SqlResult<Value> {
    time::fit(ticks, ty).map(Value::Integer).ok_or_else(|| {
        SqlError::new(
            242,
            16,
            "The conversion of a varchar data type to a datetime data type resulted in an out-of-range value.",
        )
    })
}

/// Replaces without regard to case, as a case-insensitive collation does.
fn replace(text: &str, from: &str, to: &str) -> String {
    if from.is_empty() {
        return text.to_owned();
    }
    let fold = |c: char| c.to_lowercase().next().unwrap_or(c);
    let wanted: Vec<char> = from.chars().map(fold).collect();
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let window = letters.get(at..at + wanted.len()).unwrap_or_default();
        if window.len() == wanted.len() && window.iter().zip(&wanted).all(|(&a, &b)| fold(a) == b) {
            out.push_str(to);
            at += wanted.len();
        } else {
            out.push(letter);
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_ignores_case() {
        assert_eq!(replace("GST-gst", "Gst", "x"), "x-x");
    }
}
