//! What is looked at besides the shop's own data: this PC's clock, and the room on its disks.

use chrono::TimeDelta;

use crate::model::alert::Event;
use crate::model::room::Room;

/// A clock that is off by more than this gives invoices the wrong day.
const CLOCK_OFF: TimeDelta = TimeDelta::minutes(5);
/// Two looks that agree by this much saw the same thing.
const AGREE: TimeDelta = TimeDelta::minutes(1);

/// What is known of the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockSeen {
    /// What the look before this one saw.
    last: Option<TimeDelta>,
    /// It is wrong; as last told.
    wrong: Option<TimeDelta>,
    /// It was told once in this run, one way or the other.
    told: bool,
}

impl ClockSeen {
    /// One look: how far this PC's clock is ahead. What is to be raised, if anything.
    ///
    /// A single look is not believed: an answer may have come from a cache. It is wrong once two in a row say so, and
    /// right again once two in a row do.
    pub fn look(&mut self, ahead: TimeDelta) -> Option<Event> {
        let agree = self.last.is_some_and(|last| (last - ahead).abs() <= AGREE);
        self.last = Some(ahead);
        if !agree {
            return None;
        }
        let off = ahead.abs() > CLOCK_OFF;
        let was = std::mem::replace(&mut self.wrong, off.then_some(ahead));
        let told = std::mem::replace(&mut self.told, true);
        if off {
            // Raised as often as it is seen: the alerts say it once.
            return Some(Event::ClockWrong { seconds: ahead.num_seconds() });
        }
        // The first proof of this run also ends what an earlier run said.
        (was.is_some() || !told).then_some(Event::ClockOver)
    }

    /// Whether another look is wanted soon: nothing is known yet, or the last look says something new.
    pub fn is_doubtful(&self) -> bool {
        !self.told || self.last.is_some_and(|last| last.abs() > CLOCK_OFF) != self.wrong.is_some()
    }

    /// In one sentence, while it is wrong.
    pub fn sentence(&self) -> Option<String> {
        self.wrong.map(|ahead| clock_sentence(ahead.num_seconds()))
    }
}

/// For page and messages.
pub fn clock_sentence(seconds: i64) -> String {
    let minutes = seconds.unsigned_abs() / 60;
    let side = if seconds < 0 { "behind" } else { "ahead" };
    format!(
        "This PC's clock is {minutes} min {side}: invoices may get the wrong day. Set the clock, and switch on \"Set time \
         automatically\" in Windows."
    )
}

/// Whether a disk is nearly full, given what it was: one that was needs a tenth more to be well again, so that nothing
/// flickers.
pub fn is_nearly_full(room: &Room, was: bool, least: u64) -> bool {
    let least = if was { least.saturating_add(least / 10) } else { least };
    room.free_bytes < least
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(count: i64) -> TimeDelta {
        TimeDelta::minutes(count)
    }

    #[test]
    fn a_clock_is_wrong_when_two_looks_say_so() {
        let mut clock = ClockSeen::default();
        assert_eq!(clock.look(minutes(7)), None, "one look is none");
        assert!(clock.is_doubtful() && clock.sentence().is_none());
        assert_eq!(clock.look(TimeDelta::seconds(430)), Some(Event::ClockWrong { seconds: 430 }));
        assert!(!clock.is_doubtful());
        assert!(clock.sentence().unwrap().starts_with("This PC's clock is 7 min ahead"));
        assert_eq!(clock.look(minutes(0)), None, "one look is none");
        assert!(clock.is_doubtful() && clock.sentence().is_some());
        assert_eq!(clock.look(minutes(0)), Some(Event::ClockOver));
        assert!(!clock.is_doubtful() && clock.sentence().is_none());
        assert_eq!(clock.look(minutes(-6)), None);
        assert_eq!(clock.look(minutes(-30)), None, "two that do not agree");
        assert_eq!(clock.look(minutes(-30)), Some(Event::ClockWrong { seconds: -1800 }));
        assert!(clock.sentence().unwrap().contains("30 min behind"));
    }

    #[test]
    fn five_minutes_are_allowed() {
        for allowed in [minutes(5), minutes(-5)] {
            let mut clock = ClockSeen::default();
            // Two in a row agree, so that they are believed.
            assert_eq!(clock.look(allowed), None);
            assert_eq!(clock.look(allowed), Some(Event::ClockOver), "{allowed}");
            assert!(clock.sentence().is_none() && !clock.is_doubtful(), "{allowed}");
        }
    }

    #[test]
    fn a_disk_needs_a_tenth_more_to_be_well_again() {
        let room = |free_bytes| Room { disk: "C:".into(), free_bytes };
        assert!(!is_nearly_full(&room(1000), false, 1000));
        assert!(is_nearly_full(&room(999), false, 1000));
        assert!(is_nearly_full(&room(1099), true, 1000));
        assert!(!is_nearly_full(&room(1100), true, 1000));
        assert!(!is_nearly_full(&room(0), false, 0), "0 switches it off");
    }
}
