//! Numbers read digit by digit, with nothing of the product's: what its reading is compared with.

use rust_decimal::Decimal;

/// Digits behind the point that are kept; what lies below is only known to be there.
const KEPT: u32 = 12;

/// A number as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// In units of 10^-12, cut; `more` says that something was cut.
    Fixed { units: i128, more: bool },
    /// 10^18 or more.
    Huge,
}

/// Sign, digits with at most one point, an exponent: nothing else is a number.
pub fn read(text: &str) -> Option<Written> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let exponent: i64 = match exponent {
        None => 0,
        Some(text) => {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            if digits.is_empty() || !all_digits(digits) {
                return None;
            }
            // An exponent of more digits is beyond everything.
            let size = digits
                .trim_start_matches('0')
                .parse::<i64>()
                .unwrap_or(if digits.trim_start_matches('0').is_empty() { 0 } else { i64::MAX / 4 });
            if text.starts_with('-') { -size.min(i64::MAX / 4) } else { size.min(i64::MAX / 4) }
        }
    };
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let digits = &digits[zeros..];
    if digits.is_empty() {
        return Some(Written::Fixed { units: 0, more: false });
    }
    // The point stands behind so many of the digits.
    let point = whole.len() as i64 - zeros as i64 + exponent;
    if point > 18 {
        return Some(Written::Huge);
    }
    let kept = usize::try_from((point + i64::from(KEPT)).max(0)).unwrap();
    let mut units: i128 = 0;
    for at in 0..kept {
        units = units * 10 + i128::from(digits.get(at).map_or(0, |digit| digit - b'0'));
    }
    let more = digits.iter().skip(kept).any(|digit| *digit != b'0');
    Some(Written::Fixed { units: if negative { -units } else { units }, more })
}

/// A decimal in the same units.
pub fn units_of(value: Decimal) -> i128 {
    let mut units = value.mantissa();
    let scale = value.scale();
    if scale > KEPT {
        units /= 10_i128.pow(scale - KEPT);
    } else {
        units *= 10_i128.pow(KEPT - scale);
    }
    units
}

/// A millionth: less than this is noise of floats.
pub const NOISE: i128 = 1_000_000;
/// One.
pub const ONE: i128 = 1_000_000_000_000;
