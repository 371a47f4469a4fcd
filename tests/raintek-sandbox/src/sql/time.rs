//! Dates and times as 100 ns ticks since 0001-01-01, and SQL Server's ways of reading and writing them.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::types::Ty;

/// Ticks of 100 ns in a day.
pub(crate) const DAY: i64 = 864_000_000_000;
/// Days from 0001-01-01 to 1900-01-01, where `datetime` starts to count.
pub(crate) const DAYS_TO_1900: i64 = 693_595;
/// The first `datetime`: 1753-01-01.
const FIRST_DATETIME: i64 = 639_905 * DAY;

pub(crate) fn from_naive(moment: NaiveDateTime) -> i64 {
    let days = i64::from(moment.date().num_days_from_ce()) - 1;
    let time = moment.time();
    days * DAY + i64::from(time.num_seconds_from_midnight()) * 10_000_000 + i64::from(time.nanosecond() / 100)
}

pub(crate) fn to_naive(ticks: i64) -> NaiveDateTime {
    let days = i32::try_from(ticks.div_euclid(DAY)).unwrap_or(0);
    let date = NaiveDate::from_num_days_from_ce_opt(days + 1).unwrap_or_default();
    date.and_time(NaiveTime::MIN)
        + Duration::microseconds(ticks.rem_euclid(DAY) / 10)
        + Duration::nanoseconds(ticks.rem_euclid(10) * 100)
}

/// Days since 1900 and 1/300 seconds of the day, rounded as `datetime` rounds.
pub(crate) const fn to_datetime_parts(ticks: i64) -> (i64, i64) {
    let (day, rest) = (ticks.div_euclid(DAY), ticks.rem_euclid(DAY));
    let thirds = (rest * 3 + 50_000) / 100_000;
    if thirds == 25_920_000 { (day + 1 - DAYS_TO_1900, 0) } else { (day - DAYS_TO_1900, thirds) }
}

pub(crate) const fn from_datetime_parts(days: i64, thirds: i64) -> i64 {
    (days + DAYS_TO_1900) * DAY + (thirds * 100_000 + 1) / 3
}

/// Brings a moment to what the type can hold; None where `datetime` does not reach.
pub(crate) const fn fit(ticks: i64, ty: Ty) -> Option<i64> {
    match ty {
        Ty::DateTime if ticks < FIRST_DATETIME => None,
        Ty::DateTime => {
            let (days, thirds) = to_datetime_parts(ticks);
            Some(from_datetime_parts(days, thirds))
        }
        Ty::Date => Some(ticks.div_euclid(DAY) * DAY),
        Ty::DateTime2(scale) => {
            let unit = 10_i64.pow(7_u32.saturating_sub(scale as u32));
            Some((ticks + unit / 2).div_euclid(unit) * unit)
        }
        _ => Some(ticks),
    }
}

/// Reads the forms that mean the same under every language setting.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(DAYS_TO_1900 * DAY);
    }
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time.trim()),
        None => (text, ""),
    };
    let date = NaiveDate::parse_from_str(date, "%Y-%m-%d")
        .or_else(|_| NaiveDate::parse_from_str(date, "%Y/%m/%d"))
        .or_else(|error| if date.len() == 8 { NaiveDate::parse_from_str(date, "%Y%m%d") } else { Err(error) })
        .ok()?;
    let time = if time.is_empty() {
        NaiveTime::MIN
    } else {
        NaiveTime::parse_from_str(time, "%H:%M:%S%.f")
            .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M"))
            .ok()?
    };
    Some(from_naive(date.and_time(time)))
}

/// Writes a moment in a style of `CONVERT`; None for a style not known here.
pub(crate) fn format(ticks: i64, ty: Ty, style: i64) -> Option<String> {
    let moment = to_naive(ticks);
    let fraction = match ty {
        Ty::DateTime => {
            let (_, thirds) = to_datetime_parts(ticks);
            format!(".{:03}", (thirds % 300 * 10 + 1) / 3)
        }
        Ty::DateTime2(0) => String::new(),
        Ty::DateTime2(scale) => {
            let digits = format!("{:07}", ticks.rem_euclid(10_000_000));
            format!(".{}", digits.get(..usize::from(scale)).unwrap_or(&digits))
        }
        _ => String::new(),
    };
    let seconds = moment.format("%H:%M:%S");
    Some(match (style, ty) {
        (0, Ty::DateTime) => moment.format("%b %e %Y %l:%M%p").to_string(),
        (23 | 0 | 21 | 120 | 121 | 25, Ty::Date) | (23, _) => moment.format("%Y-%m-%d").to_string(),
        (20 | 120, _) => moment.format("%Y-%m-%d %H:%M:%S").to_string(),
        (0 | 21 | 25 | 121, _) => format!("{} {seconds}{fraction}", moment.format("%Y-%m-%d")),
        (126, _) => format!("{}T{seconds}{fraction}", moment.format("%Y-%m-%d")),
        (112, _) => moment.format("%Y%m%d").to_string(),
        (101, _) => moment.format("%m/%d/%Y").to_string(),
        (103, _) => moment.format("%d/%m/%Y").to_string(),
        (104, _) => moment.format("%d.%m.%Y").to_string(),
        (105, _) => moment.format("%d-%m-%Y").to_string(),
        (106, _) => moment.format("%d %b %Y").to_string(),
        (108, _) => seconds.to_string(),
        (111, _) => moment.format("%Y/%m/%d").to_string(),
        _ => return None,
    })
}

/// One part of a moment (`year`, `month`, `day`, `hour`, `minute`, `second`).
pub(crate) fn part(name: &str, ticks: i64) -> Option<i64> {
    let moment = to_naive(ticks);
    Some(match name {
        "year" => i64::from(moment.year()),
        "month" => i64::from(moment.month()),
        "day" => i64::from(moment.day()),
        "hour" => i64::from(moment.hour()),
        "minute" => i64::from(moment.minute()),
        "second" => i64::from(moment.second()),
        _ => return None,
    })
}

/// `DATEADD`; a month too short takes its last day.
pub(crate) fn add(name: &str, number: i64, ticks: i64) -> Option<i64> {
    let unit = match name {
        "day" => DAY,
        "hour" => DAY / 24,
        "minute" => 600_000_000,
        "second" => 10_000_000,
        "millisecond" => 10_000,
        _ => {
            let months = match name {
                "month" => number,
                "year" => number.checked_mul(12)?,
                _ => return None,
            };
            let moment = to_naive(ticks);
            let size = chrono::Months::new(u32::try_from(months.unsigned_abs()).ok()?);
            let moved =
                if months < 0 { moment.checked_sub_months(size) } else { moment.checked_add_months(size) };
            return moved.map(from_naive);
        }
    };
    ticks.checked_add(number.checked_mul(unit)?)
}

/// `DATEDIFF`: how many borders of the part lie between the two.
pub(crate) fn difference(name: &str, from: i64, to: i64) -> Option<i64> {
    let unit = match name {
        "day" => DAY,
        "hour" => DAY / 24,
        "minute" => 600_000_000,
        "second" => 10_000_000,
        "millisecond" => 10_000,
        "year" => return Some(part("year", to)? - part("year", from)?),
        "month" => {
            return Some(
                (part("year", to)? - part("year", from)?) * 12 + part("month", to)? - part("month", from)?,
            );
        }
        _ => return None,
    };
    Some(to.div_euclid(unit) - from.div_euclid(unit))
}

/// The long name of a part, from any of its short ones.
pub(crate) fn part_name(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "year" | "yy" | "yyyy" => "year",
        "month" | "mm" | "m" => "month",
        "day" | "dd" | "d" => "day",
        "hour" | "hh" => "hour",
        "minute" | "mi" | "n" => "minute",
        "second" | "ss" | "s" => "second",
        "millisecond" | "ms" => "millisecond",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetime_steps_by_a_three_hundredth_of_a_second() {
        let at = parse("2025-04-01 10:20:30.005").unwrap();
        let fitted = fit(at, Ty::DateTime).unwrap();
        assert_eq!(format(fitted, Ty::DateTime, 121).unwrap(), "2025-04-01 10:20:30.007");
        assert_eq!(fit(fitted, Ty::DateTime), Some(fitted));
        let late = parse("2025-03-31 23:59:59.999").unwrap();
        let fitted = fit(late, Ty::DateTime).unwrap();
        assert_eq!(format(fitted, Ty::DateTime, 120).unwrap(), "2025-04-01 00:00:00");
    }

    #[test]
    fn before_1753_there_is_no_datetime() {
        assert_eq!(fit(parse("1752-12-31").unwrap(), Ty::DateTime), None);
        assert!(fit(parse("1753-01-01").unwrap(), Ty::DateTime).is_some());
    }

    #[test]
    fn parts_and_differences() {
        let (a, b) = (parse("2025-03-31 23:59").unwrap(), parse("20250401").unwrap());
        assert_eq!(difference("day", a, b), Some(1));
        assert_eq!(difference("hour", a, b), Some(1));
        assert_eq!(format(add("month", -1, a).unwrap(), Ty::Date, 23).unwrap(), "2025-02-28");
        assert_eq!(parse("31-03-2025"), None);
    }
}
