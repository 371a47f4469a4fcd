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
    /// The number does not fit RainTek's columns.
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
/// a millionth) is dropped; a real third decimal of money is refused.
///
/// # Errors
/// [`NotExact`] when the text is no number, too fine or too large.
pub fn exact(text: &str, scale: u32) -> Result<Decimal, NotExact> {
    let parsed = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .or_else(|_| text.parse::<Decimal>())
        .map_err(|_| NotExact::NotANumber(text.chars().take(40).collect()))?;
    if parsed.abs() > LARGEST {
        return Err(NotExact::TooLarge(text.to_owned()));
    }
    let rounded = parsed.round_dp_with_strategy(scale, RoundingStrategy::MidpointNearestEven);
    if (parsed - rounded).abs() >= FLOAT_NOISE {
        return Err(NotExact::TooFine { value: text.to_owned(), scale });
    }
    Ok(rounded)
}

/// An amount with two decimals and Indian grouping: `1,23,456.00`.
pub fn rupees(value: Decimal) -> String {
    let text = format!("{:.2}", r2(value).abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
    let digits: Vec<char> = whole.chars().collect();
    let mut grouped = String::new();
    for (position, digit) in digits.iter().enumerate() {
        let left = digits.len() - position;
        if position > 0 && (left == 3 || (left > 3 && (left - 3).is_multiple_of(2))) {
            grouped.push(',');
        }
        grouped.push(*digit);
    }
    let sign = if value < Decimal::ZERO { "-" } else { "" };
    format!("{sign}{grouped}.{fraction}")
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
