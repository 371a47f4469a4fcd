//! How RainTek's tills and the app stay out of each other's numbers: both take the highest one plus one, and neither asks
//! the other.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::numbering::counter_of;

/// Clashes so close together are of invoices that were numbered before the first of them was known of.
const ONE_CLASH: TimeDelta = TimeDelta::seconds(1);
/// After so long without a clash half as much room is enough.
const HALVED_AFTER: TimeDelta = TimeDelta::minutes(1);
/// No shop's tills make more bills than this between an invoice's number and its push.
const MOST: i32 = 32;

/// How many numbers above RainTek's highest are left to its tills before the app takes one. None where tills bill one at
/// a time, as fast as a person can: a number that nobody takes is a gap in the books.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    left: i32,
    since: Option<DateTime<Utc>>,
}

impl Room {
    /// Tills bill as fast as no single one can: some number is always on its way to RainTek.
    pub fn several(&mut self, now: DateTime<Utc>) {
        if self.left(now) == 0 {
            *self = Self { left: 1, since: Some(now) };
        }
    }

    /// A till took the number of an invoice, or could have: where there is room, twice as much.
    pub fn clash(&mut self, now: DateTime<Utc>) {
        let left = self.left(now);
        if left > 0 && self.since.is_none_or(|since| now - since >= ONE_CLASH || now < since) {
            *self = Self { left: left.saturating_mul(2).min(MOST), since: Some(now) };
        }
    }

    /// How many numbers are left to the tills now.
    pub fn left(&self, now: DateTime<Utc>) -> i32 {
        let calm = self.since.map_or(TimeDelta::zero(), |since| now - since);
        let halvings = calm.num_seconds().max(0) / HALVED_AFTER.num_seconds();
        self.left >> u32::try_from(halvings).unwrap_or(u32::MAX).min(31)
    }
}

/// Which of these invoices to send ahead, by index: the one of the highest number of each series. Once it stands in
/// RainTek, a till goes on above it, and none takes the number of another one that waits.
pub fn leaders<'a>(numbers: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut highest: BTreeMap<(String, String), (i32, usize)> = BTreeMap::new();
    for (index, number) in numbers.enumerate() {
        let Some(n) = counter_of(number) else { continue };
        let mut parts = number.trim().splitn(3, '-');
        let (prefix, suffix) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
        let highest = highest.entry((prefix.to_owned(), suffix.to_owned())).or_insert((n, index));
        if n > highest.0 {
            *highest = (n, index);
        }
    }
    highest.into_values().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn room_is_made_for_several_tills_grows_by_clashes_and_is_given_back() {
        let mut room = Room::default();
        room.clash(at(0));
        assert_eq!(room.left(at(0)), 0, "one till may be unlucky: no gap is made for it");
        room.several(at(1));
        room.several(at(2));
        room.clash(at(1));
        assert_eq!(room.left(at(2)), 1, "of one moment");
        for (second, left) in [(3, 2), (4, 4), (6, 8), (8, 16), (10, 32), (12, 32)] {
            room.clash(at(second));
            assert_eq!(room.left(at(second)), left);
        }
        for (second, left) in [(71, 32), (72, 16), (132, 8), (312, 1), (372, 0), (100_000_000, 0)] {
            assert_eq!(room.left(at(second)), left, "at {second}");
        }
        room.clash(at(140));
        assert_eq!(room.left(at(140)), 16);
        // A clock that was set back must not keep clashes from counting.
        let mut room = Room::default();
        room.several(at(1000));
        room.clash(at(10));
        assert_eq!(room.left(at(10)), 2);
    }

    #[test]
    fn the_highest_of_each_series_leads() {
        let numbers = [
            "GST-0009-2026/27",
            "SINV-0004-2026/27",
            "ODD",
            "GST-0010-2026/27",
            "GST-0002-2026/27",
            "GST-0900-2025/26",
            "GST-0010-2026/27",
        ];
        let mut leaders = leaders(numbers.into_iter());
        leaders.sort_unstable();
        assert_eq!(leaders, [1, 3, 5]);
        assert_eq!(super::leaders(["A", ""].into_iter()), Vec::<usize>::new());
    }
}
