//! The shop only watches: what would be written is shown, and nothing is.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::story::{Do, Fault, Stage, Story, Way, Wrong};

/// It only watches at first; then it writes; then it watches again while things change.
pub(super) fn for_a_while() -> Story {
    let story = day(
        Stage { watch_only: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (22_000, whole(bill(1, 1))),
            (23_000, whole(bill(2, 1))),
            (24_000, Do::Bill { bill: bill(3, 1), way: Way::UnknownItem }),
            (40_000, Do::Look),
            (41_000, Do::Preview { of: 0 }),
            (42_000, Do::Newest { count: 2 }),
            (44_000, Do::RetryAll),
            (50_000, Do::WatchOnly { on: false }),
            (70_000, Do::Look),
            (71_000, Do::WatchOnly { on: true }),
            // By the store alone it is known that the bill is this invoice's.
            (84_000, Do::Mark { of: 0, on: false }),
            (85_000, Do::Change { of: 0, bill: bill(4, 2), gap: 5 }),
            (86_500, Do::Mark { of: 0, on: true }),
            (87_000, Do::Cancel { of: 1 }),
            (88_000, whole(bill(5, 1))),
            // A phone says that it is another one's bill.
            (88_500, Do::Meddle { of: 15, inv_id: 2 }),
            // Nobody hears that it is taken back before it was written.
            (89_000, whole(bill(0, 2))),
            (91_000, Do::Cancel { of: 17 }),
            (93_000, Do::RetryAll),
            (95_000, Do::Remove { of: 1 }),
            (96_000, Do::Preview { of: 0 }),
            (97_000, Do::Preview { of: 1 }),
            (100_000, Do::TillDeletesOurs { of: 2, gap: 5 }),
            (150_000, Do::Rewrite { of: 2 }),
            (151_000, Do::Newest { count: 4 }),
            (160_000, Do::Look),
            (161_000, Do::WatchOnly { on: false }),
            (180_000, Do::Look),
        ],
    );
    Story { faults: vec![Fault { at: 90_500, what: Wrong::EventsLost { ms: 2_000 } }], ..story }
}

#[test]
fn what_is_only_watched_is_shown_and_not_written() {
    let outcome = lived(&for_a_while());
    assert!(of_look(&outcome, 0, "RainTek").is_empty());
    has_not(&of_look(&outcome, 0, "app"), "synced");
    has(&of_look(&outcome, 0, "page GST-0001"), "Would be");
    has(&of_look(&outcome, 0, "page GST-0004"), "Would be held");
    // What waited goes at once.
    assert_eq!(of_look(&outcome, 1, "RainTek").len(), 3);
    has(&of_look(&outcome, 1, "app GST-0001"), "synced");
    // Watching again: RainTek stays as it is, but for what its own till did.
    let before: Vec<_> = of_look(&outcome, 1, "RainTek").into_iter().take(2).collect();
    assert_eq!(of_look(&outcome, 2, "RainTek"), before);
    has(&said(&outcome, "person"), "nothing is written");
    let commits = outcome.told.iter().filter(|line| line.contains(" raintek  commits"));
    let seconds: Vec<u64> =
        commits.filter_map(|line| line.trim_start().split_once('.')?.0.parse().ok()).collect();
    assert!(!seconds.is_empty());
    assert!(seconds.iter().all(|at| (50..72).contains(at) || *at >= 161), "{seconds:?}");
    has(&look(&outcome, 3), "GST-0005");
}
