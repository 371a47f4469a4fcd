//! When to try again. Jitter is an argument: per mille, 0..1000.

use std::time::Duration;

/// Minutes after which an item that failed is tried again: then hourly, for ever.
const ITEM_MINUTES: [u64; 4] = [1, 5, 15, 60];
/// Seconds after which an invoice whose lines are missing is looked at again: then each minute.
const LINES_SECONDS: [u64; 5] = [1, 2, 5, 10, 30];
/// Longest wait between two tries to reach a side.
pub const LINK_LONGEST: Duration = Duration::from_secs(300);
/// How long lines may be missing before it is a problem.
pub const LINES_GRACE: Duration = Duration::from_secs(120);

/// Wait before the next try of an item that has failed `attempts` times (at least 1), with up to a tenth of jitter.
pub fn item_retry(attempts: u32, jitter: u32) -> Duration {
    let index = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let minutes = ITEM_MINUTES.get(index).copied().unwrap_or(60);
    spread(Duration::from_secs(minutes * 60), jitter)
}

/// Wait before looking again at an invoice whose lines were missing `looks` times (at least 1). No jitter: it is
/// one record of a local server.
pub fn lines_retry(looks: u32) -> Duration {
    let index = usize::try_from(looks.saturating_sub(1)).unwrap_or(usize::MAX);
    Duration::from_secs(LINES_SECONDS.get(index).copied().unwrap_or(60))
}

/// Wait before the next try to reach a side that failed `failures` times in a row (at least 1): 1 s doubling to
/// five minutes, with up to a tenth of jitter.
pub fn link_retry(failures: u32, jitter: u32) -> Duration {
    let doubled = 1_u64 << failures.saturating_sub(1).min(9);
    spread(Duration::from_secs(doubled).min(LINK_LONGEST), jitter).min(LINK_LONGEST)
}

fn spread(wait: Duration, jitter: u32) -> Duration {
    wait + wait * jitter.min(1000) / 10_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn items_wait_1_5_15_60_then_hourly() {
        let minutes: Vec<u64> = (1..=6).map(|attempts| item_retry(attempts, 0).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 5, 15, 60, 60, 60]);
    }

    #[test]
    fn lines_wait_1_2_5_10_30_then_each_minute() {
        let seconds: Vec<u64> = (1..=7).map(|looks| lines_retry(looks).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 5, 10, 30, 60, 60]);
    }

    proptest! {
        #[test]
        fn waits_stay_within_bounds(count: u32, jitter: u32) {
            prop_assert!(lines_retry(count) >= Duration::from_secs(1) && lines_retry(count) <= Duration::from_secs(60));
            // A later try never comes sooner, and jitter never makes it sooner.
            let next = count.saturating_add(1);
            prop_assert!(item_retry(next, 0) >= item_retry(count, 0) && item_retry(count, jitter) >= item_retry(count, 0));
            prop_assert!(link_retry(next, 0) >= link_retry(count, 0) && link_retry(count, jitter) >= link_retry(count, 0));
            prop_assert!(lines_retry(next) >= lines_retry(count));
            prop_assert!(item_retry(count, jitter) >= Duration::from_secs(60));
            prop_assert!(item_retry(count, jitter) <= Duration::from_secs(3960));
            prop_assert!(link_retry(count, jitter) >= Duration::from_secs(1));
            prop_assert!(link_retry(count, jitter) <= LINK_LONGEST);
        }
    }
}
