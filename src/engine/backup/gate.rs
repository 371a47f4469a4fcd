//! Nothing is written into RainTek before the day's first backups were made, or tried for two minutes.

use std::time::Duration;

use chrono::NaiveDate;

/// The longest that invoices wait for the day's first backups.
const AT_MOST: Duration = Duration::from_secs(120);

/// The day's first write.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate {
    /// The day on which invoices may be written.
    open_on: Option<NaiveDate>,
    /// The day whose first write waits, and since when (on the clock that never jumps).
    waiting: Option<(NaiveDate, Duration)>,
}

impl Gate {
    /// How much longer a write waits at most; `None` where it may go. Also whether this is the day's first that waits.
    pub(super) fn wait(&mut self, today: NaiveDate, steady: Duration) -> (Option<Duration>, bool) {
        if self.is_open(today) {
            return (None, false);
        }
        let since = self.waiting.filter(|(day, _)| *day == today).map(|(_, since)| since);
        let rest = AT_MOST.saturating_sub(steady.saturating_sub(since.unwrap_or(steady)));
        self.waiting = Some((today, since.unwrap_or(steady)));
        if rest.is_zero() {
            self.open_on = Some(today);
            return (None, false);
        }
        (Some(rest), since.is_none())
    }

    /// Lets the day's writes go; whether that is news.
    pub(super) fn open(&mut self, today: NaiveDate) -> bool {
        let news = !self.is_open(today);
        self.open_on = Some(today);
        news
    }

    pub(super) fn is_open(&self, today: NaiveDate) -> bool {
        self.open_on == Some(today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_waits_for_the_days_backups_and_never_longer_than_two_minutes() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let at = Duration::from_secs;
        let mut gate = Gate::default();
        assert_eq!(gate.wait(day(21), at(1000)), (Some(at(120)), true));
        assert_eq!(gate.wait(day(21), at(1119)), (Some(at(1)), false));
        assert_eq!(gate.wait(day(21), at(1120)), (None, false));
        assert_eq!(gate.wait(day(21), at(1121)), (None, false));
        assert_eq!(gate.wait(day(22), at(9000)), (Some(at(120)), true), "a new day");
        assert!(gate.open(day(22)) && !gate.open(day(22)));
        assert_eq!(gate.wait(day(22), at(9001)), (None, false));
    }
}
