//! Invoice and customer numbers.

/// N of a number of the form `<prefix>-<N>-<suffix>`; `None` for one of another form, which is kept as it is.
pub fn counter_of(number: &str) -> Option<i32> {
    let (_, rest) = number.trim().split_once('-')?;
    let (digits, suffix) = rest.split_once('-')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) && !suffix.is_empty();
    if plain { digits.parse().ok().filter(|n| *n > 0) } else { None }
}

/// N of a customer number `C-N`.
pub fn customer_number(text: &str) -> Option<i64> {
    let digits = text.trim().strip_prefix("C-")?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// A customer number as RainTek writes it: at least four digits.
pub fn customer_text(n: i64) -> String {
    format!("C-{n:04}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_n_out_of_raintek_numbers_only() {
        assert_eq!(counter_of("GST-0151-2025/26"), Some(151));
        assert_eq!(counter_of("SINV-12345-2025/26"), Some(12345));
        for other in
            ["GST-0151", "0151", "GST--2025/26", "GST-15A-2025/26", "GST-0000-25", "", "GST-99999999999-25"]
        {
            assert_eq!(counter_of(other), None, "{other}");
        }
    }

    #[test]
    fn customer_numbers_round_trip() {
        assert_eq!(customer_number(&customer_text(7)), Some(7));
        assert_eq!(customer_text(7), "C-0007");
        assert_eq!(customer_text(12345), "C-12345");
        assert_eq!(customer_number("C-7A"), None);
        assert_eq!(customer_number("X-7"), None);
    }
}
