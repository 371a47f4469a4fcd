//! The functions SQLite lacks: conversions that fail as SQL Server's do, its text functions, its collation.

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::Value;

use super::error::{SqlError, SqlResult};
use super::text;
use super::types::{Text, Ty};

/// Gives a connection everything the translated SQL calls.
pub(crate) fn install(connection: &Connection) -> rusqlite::Result<()> {
    connection.create_collation("T", text::compare)?;
    add(connection, "t_raise", 2, |args| {
        let class = u8::try_from(args.int(0)? / 1_000_000).unwrap_or(16);
        let number = i32::try_from(args.int(0)? % 1_000_000).unwrap_or(50000);
        Err(SqlError::new(number, class, args.text(1)?))
    })?;
    add(connection, "t_nn", 4, |args| match args.value(0)? {
        Value::Null => Err(SqlError::null(&args.text(1)?, &args.text(2)?, &args.text(3)?)),
        value => Ok(value),
    })?;
    numbers(connection)?;
    super::natives_text::texts(connection)?;
    super::natives_text::times(connection)
}

fn numbers(connection: &Connection) -> rusqlite::Result<()> {
    add(connection, "t_int", 2, |args| {
        let Some(number) = args.whole(0)? else { return Ok(Value::Null) };
        in_range(number, args.width(1)?)
    })?;
    add(connection, "t_dec", 4, |args| {
        let Some(number) = args.whole(0)? else { return Ok(Value::Null) };
        rescale(i128::from(number), args.int(1)?, args.int(2)?, args.int(3)?)
    })?;
    add(connection, "t_d2i", 3, |args| {
        let Some(number) = args.whole(0)? else { return Ok(Value::Null) };
        in_range(number / i64::try_from(power(args.int(1)?)).unwrap_or(1), args.width(2)?)
    })?;
    add(connection, "t_s2i", 3, |args| {
        let Some(word) = args.maybe_text(0)? else { return Ok(Value::Null) };
        let ty = args.width(1)?;
        let trimmed = word.trim();
        if trimmed.is_empty() {
            return Ok(Value::Integer(0));
        }
        match trimmed.parse::<i64>() {
            Ok(number) => {
                let (low, high) = ty.range();
                if (low..=high).contains(&number) {
                    return Ok(Value::Integer(number));
                }
                Err(SqlError::new(
                    248,
                    16,
                    format!(
                        "The conversion of the {} value '{trimmed}' overflowed an int column.",
                        args.text(2)?
                    ),
                ))
            }
            Err(_) => Err(SqlError::new(
                245,
                16,
                format!(
                    "Conversion failed when converting the {} value '{}' to data type {}.",
                    args.text(2)?,
                    word.trim_end(),
                    ty.name()
                ),
            )),
        }
    })?;
    add(connection, "t_s2d", 4, |args| {
        let Some(word) = args.maybe_text(0)? else { return Ok(Value::Null) };
        let fail =
            || SqlError::new(8114, 16, format!("Error converting data type {} to numeric.", "nvarchar"));
        let (number, scale) = parse_decimal(word.trim()).ok_or_else(fail)?;
        let _ = args.int(3)?;
        rescale(number, scale, args.int(1)?, args.int(2)?)
    })?;
    add(connection, "t_d2s", 2, |args| {
        let Some(number) = args.whole(0)? else { return Ok(Value::Null) };
        Ok(Value::Text(decimal_text(number, usize::try_from(args.int(1)?).unwrap_or(0))))
    })?;
    add(connection, "t_mul", 2, |args| match (args.whole(0)?, args.whole(1)?) {
        (Some(a), Some(b)) => {
            a.checked_mul(b).map(Value::Integer).ok_or_else(|| SqlError::overflow("numeric"))
        }
        _ => Ok(Value::Null),
    })?;
    // a / b with the scales of both and the scale wanted; SQL Server cuts, it does not round
    add(connection, "t_div", 5, |args| {
        let (Some(a), Some(b)) = (args.whole(0)?, args.whole(2)?) else { return Ok(Value::Null) };
        let shift = args.int(4)? - args.int(1)? + args.int(3)?;
        let quotient = i128::from(a)
            .checked_mul(i128::try_from(power(shift)).unwrap_or(i128::MAX))
            .ok_or_else(|| SqlError::overflow("numeric"))?
            .checked_div(i128::from(b))
            .ok_or_else(divided_by_zero)?;
        i64::try_from(quotient).map(Value::Integer).map_err(|_| SqlError::overflow("numeric"))
    })?;
    add(connection, "t_mod", 2, |args| match (args.whole(0)?, args.whole(1)?) {
        (Some(a), Some(b)) => a.checked_rem(b).map(Value::Integer).ok_or_else(divided_by_zero),
        _ => Ok(Value::Null),
    })?;
    // a decimal rounded (or cut) to n places, its scale kept
    add(connection, "t_round", 4, |args| {
        let (Some(number), Some(places)) = (args.whole(0)?, args.whole(2)?) else { return Ok(Value::Null) };
        let scale = args.int(1)?;
        if places >= scale {
            return Ok(Value::Integer(number));
        }
        let unit = i128::try_from(power(scale - places)).unwrap_or(i128::MAX);
        let number = i128::from(number);
        let half = if args.int(3)? == 0 { unit / 2 * number.signum() } else { 0 };
        i64::try_from((number + half) / unit * unit)
            .map(Value::Integer)
            .map_err(|_| SqlError::overflow("numeric"))
    })?;
    floats(connection)
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "SQL Server's float is a double; ranges are checked before a cast"
)]
fn floats(connection: &Connection) -> rusqlite::Result<()> {
    add(connection, "t_f2d", 3, |args| {
        let Some(number) = args.real(0)? else { return Ok(Value::Null) };
        let scaled = number * power(args.int(2)?) as f64;
        if !scaled.is_finite() || scaled.abs() >= 9.0e18 {
            return Err(SqlError::overflow("numeric"));
        }
        rescale(scaled.round() as i128, args.int(2)?, args.int(1)?, args.int(2)?)
    })?;
    add(connection, "t_f2i", 2, |args| {
        let Some(number) = args.real(0)? else { return Ok(Value::Null) };
        if !number.is_finite() || number.abs() >= 9.0e18 {
            return Err(SqlError::overflow("int"));
        }
        in_range(number.trunc() as i64, args.width(1)?)
    })?;
    add(connection, "t_d2f", 2, |args| {
        let Some(number) = args.whole(0)? else { return Ok(Value::Null) };
        Ok(Value::Real(number as f64 / power(args.int(1)?) as f64))
    })?;
    add(connection, "t_s2f", 1, |args| {
        let Some(word) = args.maybe_text(0)? else { return Ok(Value::Null) };
        word.trim()
            .parse()
            .map(Value::Real)
            .map_err(|_| SqlError::new(8114, 16, "Error converting data type nvarchar to float."))
    })
}

fn divided_by_zero() -> SqlError {
    SqlError::new(8134, 16, "Divide by zero error encountered.")
}

pub(super) fn count(number: usize) -> Value {
    Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

fn in_range(number: i64, ty: Ty) -> SqlResult<Value> {
    let (low, high) = ty.range();
    if (low..=high).contains(&number) {
        return Ok(Value::Integer(number));
    }
    Err(match ty {
        Ty::Int(1 | 2) => SqlError::new(
            220,
            16,
            format!("Arithmetic overflow error for data type {}, value = {number}.", ty.name()),
        ),
        _ => SqlError::overflow(ty.name()),
    })
}

pub(crate) fn power(exponent: i64) -> u128 {
    10_u128.saturating_pow(u32::try_from(exponent).unwrap_or(0))
}

/// Brings a scaled number from one scale to another, rounding half away from zero; too wide is 8115.
pub(crate) fn rescale(number: i128, from: i64, p: i64, s: i64) -> SqlResult<Value> {
    let overflow = || SqlError::overflow("numeric");
    let scaled = if s >= from {
        number.checked_mul(i128::try_from(power(s - from)).map_err(|_| overflow())?).ok_or_else(overflow)?
    } else {
        let unit = i128::try_from(power(from - s)).map_err(|_| overflow())?;
        (number + unit / 2 * number.signum()) / unit
    };
    if scaled.unsigned_abs() >= power(p) {
        return Err(overflow());
    }
    i64::try_from(scaled).map(Value::Integer).map_err(|_| overflow())
}

/// Reads a decimal as written: the digits as one number, and how many stand behind the point.
pub(crate) fn parse_decimal(word: &str) -> Option<(i128, i64)> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty())
        || !(whole.bytes().chain(fraction.bytes())).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let number: i128 = format!("0{whole}{fraction}").parse().ok()?;
    Some((if negative { -number } else { number }, i64::try_from(fraction.len()).ok()?))
}

/// Writes a scaled number with all digits of its scale.
pub(crate) fn decimal_text(number: i64, scale: usize) -> String {
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// What a function was called with.
pub(super) struct Args<'a, 'b>(&'a Context<'b>);

impl Args<'_, '_> {
    pub(super) fn value(&self, at: usize) -> SqlResult<Value> {
        self.0.get(at).map_err(|error| SqlError::new(50000, 16, error.to_string()))
    }

    /// A whole number; a REAL here is an integer that grew past 64 bits.
    pub(super) fn whole(&self, at: usize) -> SqlResult<Option<i64>> {
        match self.value(at)? {
            Value::Null => Ok(None),
            Value::Integer(number) => Ok(Some(number)),
            _ => Err(SqlError::overflow("numeric")),
        }
    }

    pub(super) fn int(&self, at: usize) -> SqlResult<i64> {
        Ok(self.whole(at)?.unwrap_or_default())
    }

    fn real(&self, at: usize) -> SqlResult<Option<f64>> {
        match self.value(at)? {
            Value::Real(number) => Ok(Some(number)),
            Value::Null => Ok(None),
            _ => Err(SqlError::new(50000, 16, "a float was expected")),
        }
    }

    pub(super) fn maybe_text(&self, at: usize) -> SqlResult<Option<String>> {
        match self.value(at)? {
            Value::Text(word) => Ok(Some(word)),
            Value::Null => Ok(None),
            _ => Err(SqlError::new(50000, 16, "a text was expected")),
        }
    }

    pub(super) fn text(&self, at: usize) -> SqlResult<String> {
        Ok(self.maybe_text(at)?.unwrap_or_default())
    }

    /// The integer type of this many bytes.
    fn width(&self, at: usize) -> SqlResult<Ty> {
        Ok(Ty::Int(u8::try_from(self.int(at)?).unwrap_or(4)))
    }

    pub(super) fn moment(&self, at: usize) -> SqlResult<Ty> {
        Ok(moment_of(self.int(at)?))
    }
}

/// The number under which a date type is handed to the functions above.
pub(crate) const fn moment_code(ty: Ty) -> i64 {
    match ty {
        Ty::Date => 100,
        Ty::DateTime2(scale) => scale as i64,
        _ => 101,
    }
}

fn moment_of(code: i64) -> Ty {
    match code {
        100 => Ty::Date,
        101 => Ty::DateTime,
        scale => Ty::DateTime2(u8::try_from(scale).unwrap_or(7)),
    }
}

/// What `t_str` is told for a text type.
pub(crate) fn text_flags(ty: Text, cut: bool) -> u8 {
    u8::from(ty.fixed) | (u8::from(cut) << 1) | (u8::from(!ty.unicode) << 2)
}

pub(super) fn add(
    connection: &Connection,
    name: &str,
    arguments: i32,
    body: impl Fn(&Args<'_, '_>) -> SqlResult<Value>
    + Send
    + Sync
    + std::panic::UnwindSafe
    + std::panic::RefUnwindSafe
    + 'static,
) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(name, arguments, flags, move |context| {
        body(&Args(context)).map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_round_half_away_from_zero_and_overflow_is_8115() {
        assert_eq!(rescale(12_345, 3, 18, 2), Ok(Value::Integer(1_235)));
        assert_eq!(rescale(-12_345, 3, 18, 2), Ok(Value::Integer(-1_235)));
        assert_eq!(rescale(5, 0, 18, 2), Ok(Value::Integer(500)));
        assert_eq!(rescale(100_000, 0, 5, 0).unwrap_err().number, 8115);
    }

    #[test]
    fn decimals_are_read_and_written_whole() {
        assert_eq!(parse_decimal("-1.50"), Some((-150, 2)));
        assert_eq!(parse_decimal("1e3"), None);
        assert_eq!(decimal_text(-5, 2), "-0.05");
        assert_eq!(decimal_text(1_250, 3), "1.250");
        assert_eq!(decimal_text(7, 0), "7");
    }
}
