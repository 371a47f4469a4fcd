//! Exact decimals. A float of the app becomes a decimal once, at the edge, or is refused.

use rust_decimal::{Decimal, RoundingStrategy};

/// Rupees with two decimals.
pub const MONEY_SCALE: u32 = 2;
/// Quantities: weight sales have three decimals.
pub const QUANTITY_SCALE: u32 = 3;
/// Percentages: RainTek keeps four decimals of a discount's.
pub const PERCENT_SCALE: u32 = 4;

/// What float64 arithmetic of the app can leave behind on a true two-decimal value; anything larger is content.
const FLOAT_NOISE: Decimal = Decimal::from_parts(1, 0, 0, false, 6);
/// RainTek's columns are `decimal(18,2)`: 16 digits before the point. One digit is kept in hand for sums.
const LARGEST: Decimal = Decimal::from_parts(2_764_472_319, 232_830, 0, false, 0);
/// A barcode that was scanned into the quantity is longer.
const LARGEST_QUANTITY: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
const LARGEST_PERCENT: Decimal = Decimal::ONE_THOUSAND;
/// Digits that a decimal holds whatever they are.
const DIGITS: i64 = 28;
/// Characters of a number that is refused, for the sentence that refuses it.
const SAID: usize = 40;

/// The largest value that a number of this scale may have, either way. Money times a quantity times percent, and sums of
/// that, are decimals still.
pub fn largest(scale: u32) -> Decimal {
    match scale {
        QUANTITY_SCALE => LARGEST_QUANTITY,
        PERCENT_SCALE => LARGEST_PERCENT,
        _ => LARGEST,
    }
}

/// A sum that stays at the largest decimal instead of ending the program: for numbers that somebody else checked, or nobody.
pub fn total(values: impl IntoIterator<Item = Decimal>) -> Decimal {
    values.into_iter().fold(Decimal::ZERO, Decimal::saturating_add)
}

/// Why a number of the app is not a usable amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotExact {
    /// The text is no decimal number at all (NaN, text, an exponent out of range).
    #[error("{0} is not a number")]
    NotANumber(String),
    /// There is more behind the point than the value may carry.
    #[error("{value} has more than {scale} decimals")]
    TooFine {
        /// The number as the app gave it.
        value: String,
        /// How many decimals it may have.
        scale: u32,
    },
    /// The number does not fit RainTek's columns, or is none that anybody means.
    #[error("{0} is too large")]
    TooLarge(String),
}

/// R2: two decimals, half to even, as RainTek rounds.
pub fn r2(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(MONEY_SCALE, RoundingStrategy::MidpointNearestEven)
}

/// R0: whole rupees, half to even.
pub fn r0(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven)
}

/// Reads a JSON number's text as a decimal of at most `scale` decimals.
///
/// PocketBase stores float64, and an app that adds floats writes `1180.3000000000002` for 1180.30. Such noise (below
/// a millionth) is dropped; a real third decimal of money is refused. A text is a number as JSON writes one, with a `+`
/// before it or no digit on one side of its point at most: what else a person may mean by `1,180` or `1_180` is not guessed.
///
/// # Errors
/// [`NotExact`] when the text is no number, too fine or too large.
pub fn exact(text: &str, scale: u32) -> Result<Decimal, NotExact> {
    let said = || text.chars().take(SAID).collect::<String>();
    let written = Written::read(text).ok_or_else(|| NotExact::NotANumber(said()))?;
    let parsed = written.decimal().filter(|parsed| parsed.abs() <= largest(scale));
    let parsed = parsed.ok_or_else(|| NotExact::TooLarge(said()))?;
    let rounded = parsed.round_dp_with_strategy(scale, RoundingStrategy::MidpointNearestEven);
    if (parsed - rounded).abs() >= FLOAT_NOISE {
        return Err(NotExact::TooFine { value: said(), scale });
    }
    Ok(rounded)
}

/// A number as its text says it.
struct Written {
    negative: bool,
    /// From the first that is not 0.
    digits: String,
    /// Behind how many of the digits the point stands.
    point: i64,
}

impl Written {
    fn read(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, self::exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = || whole.chars().chain(fraction.chars());
        if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let zeros = digits().take_while(|digit| *digit == '0').count();
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()? + exponent;
        Some(Self { negative, digits: digits().skip(zeros).collect(), point })
    }

    /// The value, less what lies behind the digits that a decimal holds; `None` where it is larger than any.
    fn decimal(&self) -> Option<Decimal> {
        if self.digits.is_empty() {
            return Some(Decimal::ZERO);
        }
        if self.point >= DIGITS {
            return None;
        }
        let kept = usize::try_from(self.point.min(0) + DIGITS).unwrap_or_default();
        let mut digits: String = self.digits.chars().take(kept).collect();
        let mut scale = i64::try_from(digits.len()).ok()? - self.point;
        while scale < 0 {
            digits.push('0');
            scale += 1;
        }
        // Smaller than what a decimal can tell from 0.
        let mantissa = if digits.is_empty() { 0 } else { digits.parse::<i128>().ok()? };
        let signed = if self.negative { -mantissa } else { mantissa };
        let scale = if mantissa == 0 { 0 } else { u32::try_from(scale).ok()? };
        Decimal::try_from_i128_with_scale(signed, scale).ok()
    }
}

/// One that goes beyond all digits stops there.
fn exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() {
        return None;
    }
    let size = digits.chars().try_fold(0_i64, |size, digit| {
        Some(
            (size * 10 + i64::from(digit.to_digit(10).filter(|_| digit.is_ascii_digit())?))
                .min(1_000_000_000),
        )
    })?;
    Some(if negative { -size } else { size })
}

/// An amount with two decimals and Indian grouping: `1,23,456.00`.
pub fn rupees(value: Decimal) -> String {
    let text = format!("{:.2}", r2(value).abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
    let sign = if value < Decimal::ZERO { "-" } else { "" };
    format!("{sign}{}.{fraction}", grouped(whole))
}

/// Digits with Indian grouping: `1,23,456`.
pub fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        let left = digits.len() - at;
        if at > 0 && left >= 3 && left % 2 == 1 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_half_to_even() {
        let d = |t: &str| t.parse::<Decimal>().unwrap();
        assert_eq!(r2(d("0.125")), d("0.12"));
        assert_eq!(r2(d("0.135")), d("0.14"));
        assert_eq!(r0(d("2.5")), d("2"));
        assert_eq!(r0(d("3.5")), d("4"));
    }

    #[test]
    fn float_noise_goes_and_content_is_refused() {
        assert_eq!(exact("1180.3000000000002", 2).unwrap().to_string(), "1180.30");
        assert_eq!(exact("89.99", 2).unwrap().to_string(), "89.99");
        assert!(matches!(exact("100.005", 2), Err(NotExact::TooFine { .. })));
        assert!(matches!(exact("1e300", 2), Err(NotExact::NotANumber(_) | NotExact::TooLarge(_))));
        assert!(matches!(exact("99999999999999999", 2), Err(NotExact::TooLarge(_))));
        assert!(matches!(exact("NaN", 2), Err(NotExact::NotANumber(_))));
        assert_eq!(exact("2.5e-1", 3).unwrap().to_string(), "0.25");
    }

    #[test]
    fn a_number_is_never_half_read() {
        for text in [
            "1_000",
            "1,180.30",
            "1e",
            "1e2e3",
            "12abc",
            "0x10",
            "1.2.3",
            "-",
            ".",
            "+-1",
            "",
            " 1",
            "\u{661}\u{662}",
        ] {
            assert!(matches!(exact(text, 2), Err(NotExact::NotANumber(_))), "{text}");
        }
        for (text, value) in [
            ("5.551115123125783e-17", "0"),
            ("5e-324", "0"),
            ("1E+5", "100000"),
            (".5", "0.5"),
            ("12.", "12"),
        ] {
            assert_eq!(exact(text, 2).unwrap(), value.parse::<Decimal>().unwrap(), "{text}");
        }
        for (text, scale) in [
            ("8901234567890", QUANTITY_SCALE),
            ("1001", PERCENT_SCALE),
            ("1e15.01", 2),
            ("1000000000000000.01", 2),
        ] {
            assert!(exact(text, scale).is_err(), "{text}");
        }
        let long = format!("0.{}", "1".repeat(300));
        assert!(exact(&long, 2).unwrap_err().to_string().len() < 100, "it is part of a sentence");
    }

    #[test]
    fn the_largest_numbers_can_be_multiplied_and_added() {
        let product = LARGEST * LARGEST_QUANTITY * LARGEST_PERCENT;
        assert_eq!(total([product, product]), product * Decimal::TWO);
        assert_eq!(total([Decimal::MAX, Decimal::MAX]), Decimal::MAX);
    }

    #[test]
    fn groups_the_indian_way() {
        let show = |t: &str| rupees(t.parse().unwrap());
        assert_eq!(show("123456"), "1,23,456.00");
        assert_eq!(show("-1234567.8"), "-12,34,567.80");
        assert_eq!(show("999.5"), "999.50");
        assert_eq!(show("1000"), "1,000.00");
    }

    proptest! {
        #[test]
        fn every_two_decimal_float_survives(paise in -100_000_000_000_i64..100_000_000_000) {
            let value = Decimal::new(paise, 2);
            let as_float = value.to_string().parse::<f64>().unwrap();
            prop_assert_eq!(exact(&as_float.to_string(), 2).unwrap(), value);
        }
    }
}
