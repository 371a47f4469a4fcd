//! When a backup is due, and what its file is called.

use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::model::backup::Part;

/// Between two trials of the same backup that failed, at first and at most.
const RETRY: (TimeDelta, TimeDelta) = (TimeDelta::minutes(5), TimeDelta::hours(1));
/// Between two schema dumps, and between two trial restores.
pub const WEEK: TimeDelta = TimeDelta::days(7);

/// Tries since the last success.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tries {
    /// The last one.
    pub last: Option<DateTime<Utc>>,
    /// How many failed, one after the other.
    pub failures: u32,
}

/// `Raintech_DB1_20261121.bak`, `pocketbase_20261121.zip`, `shopsync_20261121.sqlite`.
pub fn file_name(part: Part, database: &str, day: NaiveDate) -> String {
    let stamp = day.format("%Y%m%d");
    match part {
        Part::Raintek => {
            let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
            format!("{}_{stamp}.bak", database.chars().map(plain).collect::<String>())
        }
        Part::Billing => format!("pocketbase_{stamp}.zip"),
        Part::Store => format!("shopsync_{stamp}.sqlite"),
        Part::SchemaDump => format!("{}.json", day.format("%Y-%m-%d")),
        Part::Snapshots => day.format("%Y-%m-%d").to_string(),
    }
}

/// Whether a file is called as we call what we make.
pub fn is_ours(part: Part, file: &Path) -> bool {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return false };
    let folder = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let stamp = |text: &str| text.len() == 8 && NaiveDate::parse_from_str(text, "%Y%m%d").is_ok();
    let day = |text: &str| text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
    let ends = |start: &str, end: &str| {
        name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).is_some_and(stamp)
    };
    match part {
        Part::Raintek => {
            let rest = name.strip_suffix(".bak").and_then(|rest| rest.rsplit_once('_'));
            rest.is_some_and(|(database, day)| !database.is_empty() && stamp(day))
        }
        Part::Billing => ends("pocketbase_", ".zip"),
        Part::Store => ends("shopsync_", ".sqlite"),
        Part::SchemaDump => folder == Some("schema-dumps") && name.strip_suffix(".json").is_some_and(day),
        Part::Snapshots => folder == Some("snapshots") && day(name),
    }
}

/// The moment since which a backup is wanted: today's beginning, or the last of today's set times that has come.
pub fn wanted_since(now: DateTime<Utc>, zone: Tz, times: &[NaiveTime]) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let at = |time: NaiveTime| {
        // A time that the clocks leave out begins with the next that there is.
        let local = zone.from_local_datetime(&today.and_time(time)).earliest();
        local.map(|local| local.with_timezone(&Utc)).filter(|at| *at <= now)
    };
    times.iter().filter_map(|time| at(*time)).max().or_else(|| at(NaiveTime::MIN)).unwrap_or(now)
}

/// When a backup is due next; one in the past is due.
pub fn next(
    now: DateTime<Utc>,
    zone: Tz,
    times: &[NaiveTime],
    last_ok: Option<DateTime<Utc>>,
    tries: Tries,
) -> DateTime<Utc> {
    let wanted = wanted_since(now, zone, times);
    // A success in the future is a clock that was wrong.
    if last_ok.is_none_or(|at| at < wanted || at > now + TimeDelta::minutes(5)) {
        let failed = tries.last.filter(|at| *at >= wanted && *at <= now && tries.failures > 0);
        let wait = RETRY.0 * 2_i32.pow(tries.failures.saturating_sub(1).min(8));
        return failed.map_or(now, |at| at + wait.min(RETRY.1));
    }
    let today = now.with_timezone(&zone).date_naive();
    let tomorrow = today.succ_opt().unwrap_or(today);
    let todays = times.iter().map(|time| today.and_time(*time));
    todays
        .chain([tomorrow.and_time(NaiveTime::MIN)])
        .filter_map(|local| zone.from_local_datetime(&local).earliest())
        .map(|local| local.with_timezone(&Utc))
        .filter(|at| *at > now)
        .min()
        .unwrap_or(now + TimeDelta::hours(1))
}

/// Whether a backup is due.
pub fn is_due(
    now: DateTime<Utc>,
    zone: Tz,
    times: &[NaiveTime],
    last_ok: Option<DateTime<Utc>>,
    tries: Tries,
) -> bool {
    next(now, zone, times, last_ok, tries) <= now
}

/// `42 MB`, for a person.
pub fn size(bytes: u64) -> String {
    const MEGA: u64 = 1024 * 1024;
    match bytes {
        0..MEGA => format!("{} KB", bytes.div_ceil(1024)),
        _ if bytes < 1024 * MEGA => format!("{} MB", bytes.div_ceil(MEGA)),
        _ => format!("{}.{} GB", bytes / (1024 * MEGA), bytes % (1024 * MEGA) * 10 / (1024 * MEGA)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Asia::Kolkata;

    fn at(text: &str) -> DateTime<Utc> {
        let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        Kolkata.from_local_datetime(&local).unwrap().with_timezone(&Utc)
    }

    fn due(now: &str, last_ok: Option<&str>, tries: Tries) -> bool {
        let evening = NaiveTime::from_hms_opt(21, 0, 0).unwrap();
        is_due(at(now), Kolkata, &[evening], last_ok.map(at), tries)
    }

    #[test]
    fn a_day_begins_with_a_backup_and_ends_with_one() {
        let none = Tries::default();
        assert!(due("2026-11-21 09:00", None, none));
        assert!(due("2026-11-21 00:10", Some("2026-11-20 23:50"), none), "the day of the shop's zone");
        assert!(!due("2026-11-21 20:59", Some("2026-11-21 09:00"), none));
        assert!(due("2026-11-21 21:00", Some("2026-11-21 09:00"), none));
        assert!(!due("2026-11-21 23:59", Some("2026-11-21 21:01"), none));
        assert!(due("2026-11-21 09:00", Some("2027-11-21 09:00"), none), "made while the clock was wrong");
        assert!(due("2026-11-21 09:00", Some("2026-11-21 09:06"), none), "the same");
        assert!(
            !due("2026-11-21 09:00", Some("2026-11-21 09:05"), none),
            "a clock that was set back a little"
        );
    }

    #[test]
    fn one_that_failed_is_tried_again_later_and_later() {
        let tries = |last, failures| Tries { last: Some(at(last)), failures };
        assert!(!due("2026-11-21 09:04", None, tries("2026-11-21 09:00", 1)));
        assert!(due("2026-11-21 09:05", None, tries("2026-11-21 09:00", 1)));
        assert!(!due("2026-11-21 09:59", None, tries("2026-11-21 09:00", 20)));
        assert!(due("2026-11-21 10:00", None, tries("2026-11-21 09:00", 20)));
        assert!(
            due("2026-11-22 00:01", None, tries("2026-11-21 23:59", 20)),
            "a new day waits for no backoff"
        );
    }

    #[test]
    fn the_next_one_is_named() {
        let evening = NaiveTime::from_hms_opt(21, 0, 0).unwrap();
        let next = |now: &str, ok: &str| next(at(now), Kolkata, &[evening], Some(at(ok)), Tries::default());
        assert_eq!(next("2026-11-21 10:00", "2026-11-21 09:00"), at("2026-11-21 21:00"));
        assert_eq!(next("2026-11-21 22:00", "2026-11-21 21:00"), at("2026-11-22 00:00"));
    }

    #[test]
    fn several_times_a_day_are_each_kept() {
        let times = [21, 13].map(|hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap());
        let since = |now: &str| wanted_since(at(now), Kolkata, &times);
        assert_eq!(since("2026-11-21 12:59"), at("2026-11-21 00:00"));
        assert_eq!(since("2026-11-21 13:00"), at("2026-11-21 13:00"));
        assert_eq!(since("2026-11-21 22:00"), at("2026-11-21 21:00"));
        let after = |ok: &str| next(at(ok), Kolkata, &times, Some(at(ok)), Tries::default());
        assert_eq!(after("2026-11-21 09:00"), at("2026-11-21 13:00"));
        assert_eq!(after("2026-11-21 13:01"), at("2026-11-21 21:00"));
        let none = wanted_since(at("2026-11-21 22:00"), Kolkata, &[]);
        assert_eq!(none, at("2026-11-21 00:00"), "without a time there is the day's first one");
    }

    #[test]
    fn names_are_ours_or_not() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        assert_eq!(file_name(Part::Raintek, "Raintech_DB1", day), "Raintech_DB1_20261121.bak");
        assert_eq!(file_name(Part::Raintek, "..\\x", day), "___x_20261121.bak");
        for part in [Part::Raintek, Part::Billing, Part::Store] {
            assert!(is_ours(part, &Path::new("b").join(file_name(part, "Raintech_DB1", day))));
        }
        assert!(is_ours(Part::SchemaDump, Path::new("d/schema-dumps/2026-11-21.json")));
        assert!(is_ours(Part::Snapshots, Path::new("d/snapshots/2026-11-21")));
        for (part, name) in [
            (Part::Raintek, "Raintech_DB1.bak"),
            (Part::Raintek, "Raintech_DB1_2026112.bak"),
            (Part::Raintek, "_20261121.bak"),
            (Part::Billing, "pb_20261121.zip"),
            (Part::Billing, "pocketbase_20261341.zip"),
            (Part::Store, "shopsync.sqlite"),
            (Part::SchemaDump, "d/2026-11-21.json"),
            (Part::Snapshots, "d/snapshots"),
            // What is named by a day is ours only if that is a day, and in its own folder.
            (Part::SchemaDump, "d/schema-dumps/2026-13-41.json"),
            (Part::SchemaDump, "d/schema-dumps/2026-1-5.json"),
            (Part::Snapshots, "d/snapshots/2026-13-41"),
            (Part::Snapshots, "d/snapshots/2026-1-5"),
            (Part::Snapshots, "d/snapshots/of the accountant"),
            (Part::Snapshots, "d/photos/2026-11-21"),
            (Part::Raintek, "Raintech_DB1_20261341.bak"),
        ] {
            assert!(!is_ours(part, Path::new(name)), "{name}");
        }
    }

    #[test]
    fn sizes_are_read_by_people() {
        assert_eq!(
            [0, 1, 5 << 20, 1 << 30, 1536 << 20].map(size),
            ["0 KB", "1 KB", "5 MB", "1.0 GB", "1.5 GB"].map(str::to_owned)
        );
    }

    #[test]
    fn only_a_failure_makes_the_next_one_wait() {
        let begun = Tries { last: Some(at("2026-11-21 09:00")), failures: 0 };
        assert!(due("2026-11-21 09:01", None, begun));
    }

    #[test]
    fn one_that_was_made_at_its_very_minute_is_not_made_twice() {
        assert!(!due("2026-11-21 21:00", Some("2026-11-21 21:00"), Tries::default()));
    }

    #[test]
    fn where_a_day_has_no_midnight_the_next_is_looked_for_within_the_hour() {
        let zone = chrono_tz::America::Santiago;
        let local = |text: &str| {
            let local = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
            zone.from_local_datetime(&local).unwrap().with_timezone(&Utc)
        };
        // The clocks go from 23:59 to 01:00.
        let (now, ok) = (local("2024-09-07 22:00"), local("2024-09-07 21:30"));
        let evening = NaiveTime::from_hms_opt(21, 0, 0).unwrap();
        let next = next(now, zone, &[evening], Some(ok), Tries::default());
        assert_eq!(next, now + TimeDelta::hours(1), "and not at once, again and again");
    }
}
