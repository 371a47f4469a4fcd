//! Whether the last run ended in order, and whether this one slept.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// More than this between what passed and what should have passed is no slow PC.
const JUMP: TimeDelta = TimeDelta::seconds(20);

/// The last sign of life, as the store keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    /// When it was alive.
    pub at: DateTime<Utc>,
    /// Whether it said that it stops.
    pub in_order: bool,
}

/// When the run before this one was last seen, where it ended without a word: killed, or by a power cut.
pub fn cut_off(before: Option<LastSeen>) -> Option<DateTime<Utc>> {
    before.filter(|seen| !seen.in_order).map(|seen| seen.at)
}

/// For journal and messages. The time is that of the last sign of life.
pub fn cut_off_sentence(last_seen: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (at, now) = (last_seen.with_timezone(&zone), now.with_timezone(&zone));
    if at.date_naive() == now.date_naive() {
        format!("ShopSync was ended without warning at {}.", at.format("%H:%M"))
    } else {
        format!("ShopSync was ended without warning on {}.", at.format("%d %b at %H:%M"))
    }
}

/// Time did something else than pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jump {
    /// The PC slept or stood still, or its clock was set ahead: by this much.
    Ahead(TimeDelta),
    /// Its clock was set back: by this much.
    Back(TimeDelta),
}

/// Judges a pause of `planned`: how much later the wall clock stood behind it, and the clock that never jumps.
///
/// The latter stands still while Linux sleeps and goes on while Windows does, so both are compared: with each other,
/// and with what was planned.
pub fn jump(wall: TimeDelta, steady: Duration, planned: Duration) -> Option<Jump> {
    let delta = |time: Duration| TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    let drift = wall - delta(steady);
    let late = delta(steady.saturating_sub(planned));
    if drift < -JUMP {
        Some(Jump::Back(-drift))
    } else if drift.max(late) > JUMP {
        Some(Jump::Ahead(drift.max(late)))
    } else {
        None
    }
}

/// What is said of one that people notice.
pub fn jump_sentence(jump: Jump) -> Option<String> {
    let minutes = |time: TimeDelta| match time.num_minutes() {
        minutes @ ..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    };
    match jump {
        Jump::Ahead(time) if time >= TimeDelta::minutes(2) => Some(format!(
            "This PC slept for {}, or its clock was set ahead: both sides are looked at again.",
            minutes(time)
        )),
        Jump::Back(time) if time >= TimeDelta::minutes(2) => Some(format!(
            "This PC's clock was set back by {}: both sides are looked at again.",
            minutes(time)
        )),
        Jump::Ahead(_) | Jump::Back(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        // 21 November 2026, 10:00 in the shop.
        DateTime::from_timestamp(1_795_235_400 + seconds, 0).unwrap()
    }

    #[test]
    fn only_an_end_without_a_word_is_told() {
        assert_eq!(cut_off(None), None, "the first start");
        assert_eq!(cut_off(Some(LastSeen { at: at(0), in_order: true })), None);
        assert_eq!(cut_off(Some(LastSeen { at: at(0), in_order: false })), Some(at(0)));
        let zone = Tz::Asia__Kolkata;
        assert_eq!(
            cut_off_sentence(at(2520), at(9000), zone),
            "ShopSync was ended without warning at 10:42."
        );
        assert_eq!(
            cut_off_sentence(at(2520), at(90_000), zone),
            "ShopSync was ended without warning on 21 Nov at 10:42."
        );
    }

    #[test]
    fn sleep_and_a_set_clock_are_told_from_a_slow_pc() {
        let planned = Duration::from_secs(5);
        let table = [
            // wall, steady, found
            (5, 5, None),
            (24, 24, None),
            (25, 25, None),
            (-14, 5, None),
            (-15, 5, None),
            // Linux sleeps: its steady clock stands still.
            (3605, 5, Some(Jump::Ahead(TimeDelta::seconds(3600)))),
            // Windows sleeps: its steady clock goes on.
            (3605, 3605, Some(Jump::Ahead(TimeDelta::seconds(3600)))),
            (26, 26, Some(Jump::Ahead(TimeDelta::seconds(21)))),
            // The clock was set, in either direction.
            (-3595, 5, Some(Jump::Back(TimeDelta::seconds(3600)))),
            (-16, 5, Some(Jump::Back(TimeDelta::seconds(21)))),
        ];
        for (wall, steady, found) in table {
            let judged = jump(TimeDelta::seconds(wall), Duration::from_secs(steady), planned);
            assert_eq!(judged, found, "{wall} s and {steady} s");
        }
        for jump in [Jump::Ahead, Jump::Back] {
            assert_eq!(jump_sentence(jump(TimeDelta::seconds(119))), None, "nobody notices");
            assert!(jump_sentence(jump(TimeDelta::minutes(2))).is_some());
        }
        let slept = jump_sentence(Jump::Ahead(TimeDelta::hours(9))).unwrap();
        assert!(slept.contains("slept for 9 h"), "{slept}");
        let back = jump_sentence(Jump::Back(TimeDelta::minutes(61))).unwrap();
        assert!(back.contains("set back by 61 min"), "{back}");
    }
}
