//! Chance that is the same for the same seed, on every machine (splitmix64).

/// A stream of numbers that look like chance.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

/// What PocketBase's record ids are made of.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// How long they are.
const ID_LENGTH: usize = 15;

impl Chance {
    /// The stream of a seed; `stream` keeps those who draw from the same seed apart.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut chance =
            Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`; 0 for 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.next() % bound }
    }

    /// From `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True once in so many times.
    pub(super) fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// One of them.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let at = usize::try_from(self.below(u64::try_from(items.len()).unwrap_or(0))).unwrap_or(0);
        items.get(at)
    }

    /// An id for a record, as a phone that may have to send twice chooses it itself.
    pub(super) fn record_id(&mut self) -> String {
        (0..ID_LENGTH).filter_map(|_| self.pick(LETTERS)).map(|letter| char::from(*letter)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_stream_give_the_same_ids_and_others_do_not() {
        let ids = |seed, stream| {
            let mut chance = Chance::new(seed, stream);
            [chance.record_id(), chance.record_id()]
        };
        assert_eq!(ids(1, 1), ids(1, 1));
        assert_ne!(ids(1, 1), ids(2, 1));
        assert_ne!(ids(1, 1), ids(1, 2));
        assert_eq!(ids(1, 1)[0].len(), ID_LENGTH);
    }
}
