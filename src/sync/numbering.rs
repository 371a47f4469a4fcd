//! Invoice and customer numbers.

use chrono::{Datelike, NaiveDate};

use crate::model::bill::{Marks, NumberMarks, NumberSeries};
use crate::model::invoice::TaxType;

/// RainTek's own words where its `Invcode` says nothing.
const GST_PREFIX: &str = "GST";
const NON_GST_PREFIX: &str = "SINV";

/// The app's counters as RainTek's numbers stand.
pub fn number_series(marks: &NumberMarks) -> [NumberSeries; 2] {
    let code = marks.code.trim();
    let gst = if code.is_empty() { GST_PREFIX } else { code };
    let series = |name, value: i32, prefix: &str| NumberSeries {
        name,
        value: value.max(0),
        prefix: prefix.to_owned(),
        suffix: marks.suffix.trim().to_owned(),
    };
    [series("invoice_gst", marks.gst, gst), series("invoice_non_gst", marks.non_gst, NON_GST_PREFIX)]
}

/// The series in which a bill of that day is numbered; its suffix is filled in.
pub fn series_of(marks: &NumberMarks, tax_type: TaxType, day: NaiveDate) -> NumberSeries {
    let [gst, non_gst] = number_series(marks);
    let mut series = match tax_type {
        TaxType::Gst => gst,
        TaxType::NonGst => non_gst,
    };
    if series.suffix.is_empty() {
        series.suffix = financial_year(day);
    }
    series
}

/// The number of a bill of that day as RainTek's till forms it.
pub fn number_text(marks: &NumberMarks, tax_type: TaxType, n: i32, day: NaiveDate) -> String {
    series_of(marks, tax_type, day).text(n)
}

/// `2025/26` for a day from April 2025 to March 2026.
pub fn financial_year(day: NaiveDate) -> String {
    let start = if day.month() >= 4 { day.year() } else { day.year() - 1 };
    format!("{start}/{:02}", (start + 1).rem_euclid(100))
}

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

/// Leaves the next Inv_ID and number to a till that bills: it has read the highest one and takes the one above it.
pub fn leave_the_next_number(marks: &mut Marks, counter: Option<i32>, is_crowded: impl FnOnce() -> bool) {
    let next = marks.counter.saturating_add(1);
    marks.inv_id = marks.inv_id.saturating_add(1);
    marks.counter = next;
    // So is the counter's row, where so many tills bill that one of them is on its way to it at any moment: that
    // invoice's row goes one further, and no save of a till fails by it.
    if counter == Some(next) && is_crowded() {
        marks.counter_taken = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_row_that_a_till_takes_next_is_left_to_it_and_only_in_a_crowd() {
        let taken = |counter, crowded| {
            let mut marks = Marks { inv_id: 7, counter: 3, ..Marks::default() };
            leave_the_next_number(&mut marks, counter, || crowded);
            assert_eq!((marks.inv_id, marks.counter), (8, 4));
            marks.counter_taken
        };
        assert!(taken(Some(4), true));
        assert!(!taken(Some(4), false) && !taken(Some(5), true) && !taken(None, true));
    }

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
    fn numbers_are_formed_as_raintek_forms_them() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let blank = NumberMarks::default();
        let own = NumberMarks { code: "ABC ".into(), suffix: "25".into(), ..NumberMarks::default() };
        let table = [
            (&blank, TaxType::Gst, 151, "2026-03-31", "GST-0151-2025/26"),
            (&blank, TaxType::Gst, 152, "2026-04-01", "GST-0152-2026/27"),
            (&blank, TaxType::NonGst, 12345, "2026-04-01", "SINV-12345-2026/27"),
            (&own, TaxType::Gst, 7, "2026-04-01", "ABC-0007-25"),
            (&own, TaxType::NonGst, 7, "2026-04-01", "SINV-0007-25"),
            (&blank, TaxType::Gst, 1, "2100-01-01", "GST-0001-2099/00"),
        ];
        for (marks, tax_type, n, on, expected) in table {
            let number = number_text(marks, tax_type, n, day(on));
            assert_eq!(number, expected);
            assert_eq!(counter_of(&number), Some(n));
        }
        assert_eq!(number_series(&NumberMarks { gst: -1, ..blank })[0].value, 0);
    }

    #[test]
    fn customer_numbers_round_trip() {
        assert_eq!(customer_number(&customer_text(7)), Some(7));
        assert_eq!(customer_text(7), "C-0007");
        assert_eq!(customer_text(12345), "C-12345");
        assert_eq!(customer_number("C-7A"), None);
        assert_eq!(customer_number("X-7"), None);
    }

    #[test]
    fn a_number_without_plain_digits_or_without_its_year_is_of_another_form() {
        for other in ["GST-+151-2025/26", "GST--151-2025/26", "GST-0151-", "GST-0151- "] {
            assert_eq!(counter_of(other), None, "{other}");
        }
    }
}
