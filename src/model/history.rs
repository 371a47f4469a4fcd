//! Looking back: what was proven, and how a day went.

use chrono::{DateTime, NaiveDate, Timelike as _, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde::Serialize;

/// An invoice of the app that stands in RainTek.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The invoice number.
    pub number: String,
    /// May be empty (walk-in).
    pub customer: String,
    /// Rupees; `None` where unreadable.
    pub amount: Option<Decimal>,
    /// When this version of it was first seen.
    pub first_seen: DateTime<Utc>,
    /// When it was proven.
    pub done_at: DateTime<Utc>,
}

impl Settled {
    /// Milliseconds from being seen to being proven; 0 where the clock was set back in between.
    pub fn took_ms(&self) -> u64 {
        u64::try_from((self.done_at - self.first_seen).num_milliseconds()).unwrap_or_default()
    }
}

/// How long invoices of one hour took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HourLatency {
    /// 0 to 23 in the shop's zone.
    pub hour: u32,
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: u64,
    /// The slowest of them, in milliseconds.
    pub slowest_ms: u64,
    /// How many there were.
    pub count: usize,
}

/// A day, hour by hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayChart {
    /// The day in the shop's zone.
    pub day: NaiveDate,
    /// Invoices proven in each of its 24 hours.
    pub per_hour: Vec<usize>,
    /// Hours in which any were proven, in order.
    pub latency: Vec<HourLatency>,
}

impl DayChart {
    /// Of those that were proven on that day; others are left out.
    pub fn of(day: NaiveDate, zone: Tz, settled: &[Settled]) -> Self {
        let mut hours: Vec<Vec<u64>> = vec![Vec::new(); 24];
        for one in settled {
            let at = one.done_at.with_timezone(&zone);
            let hour = usize::try_from(at.hour()).unwrap_or_default();
            if let Some(took) = hours.get_mut(hour).filter(|_| at.date_naive() == day) {
                took.push(one.took_ms());
            }
        }
        let per_hour = hours.iter().map(Vec::len).collect();
        let latency = (0..).zip(hours.iter_mut()).filter_map(|(hour, took)| latency(hour, took)).collect();
        Self { day, per_hour, latency }
    }
}

fn latency(hour: u32, took: &mut [u64]) -> Option<HourLatency> {
    took.sort_unstable();
    let p50_ms = *took.get(took.len().saturating_sub(1) / 2)?;
    Some(HourLatency { hour, p50_ms, slowest_ms: *took.last()?, count: took.len() })
}

#[cfg(test)]
mod tests {
    use chrono::{TimeDelta, TimeZone as _};

    use super::*;

    fn settled(hour: u32, minute: u32, took_ms: i64) -> Settled {
        let done_at = Utc.with_ymd_and_hms(2026, 11, 25, hour, minute, 0).unwrap();
        Settled {
            number: "GST-1".into(),
            customer: String::new(),
            amount: None,
            first_seen: done_at - TimeDelta::milliseconds(took_ms),
            done_at,
        }
    }

    #[test]
    fn hours_are_the_shops_and_other_days_are_left_out() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
        // 18:29 UTC is 23:59 in India, 18:30 is the next day.
        let all = [settled(4, 0, 900), settled(4, 10, 100), settled(18, 29, 50), settled(18, 30, 50)];
        let chart = DayChart::of(day, Tz::Asia__Kolkata, &all);
        assert_eq!(chart.per_hour.iter().sum::<usize>(), 3);
        assert_eq!((chart.per_hour[9], chart.per_hour[23]), (2, 1));
        let nine = HourLatency { hour: 9, p50_ms: 100, slowest_ms: 900, count: 2 };
        let last = HourLatency { hour: 23, p50_ms: 50, slowest_ms: 50, count: 1 };
        assert_eq!(chart.latency, [nine, last]);
    }

    #[test]
    fn the_middle_of_three_is_the_second_and_a_clock_that_went_back_counts_as_nothing() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 25).unwrap();
        let all = [settled(4, 0, 300), settled(4, 1, -5000), settled(4, 2, 700)];
        let chart = DayChart::of(day, Tz::UTC, &all);
        assert_eq!(chart.latency, [HourLatency { hour: 4, p50_ms: 300, slowest_ms: 700, count: 3 }]);
        assert_eq!(DayChart::of(day, Tz::UTC, &[]).per_hour, vec![0; 24]);
    }
}
