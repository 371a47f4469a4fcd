//! What a look doubts and what is right again: by the time of the second look, behind a side that stalls, for reasons
//! that no invoice shows by itself.

use super::{bill, day, has, lived, look, of_look, said, whole};
use crate::scenes::Scene;
use crate::story::{Call, Do, Fault, Stage, Story, Wrong};

/// Every invoice is compared while one is put right, one is gone, one is taken back and one changed unheard; then while
/// the app's list says something else than its invoices.
pub(super) fn doubted() -> Story {
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 1))),
            (22_000, whole(bill(2, 1))),
            (23_000, whole(bill(3, 1))),
            (24_000, whole(bill(4, 1))),
            (25_000, whole(bill(5, 1))),
            (39_000, Do::Keep),
            // Put right between the first look and the second.
            (50_000, Do::TillEditsOurs { of: 0, bill: bill(3, 2), gap: 5 }),
            (50_500, Do::Check),
            (51_100, Do::PutBack { of: 0 }),
            (55_000, Do::Look),
            // The app loses one, and nobody hears of it.
            (60_500, Do::Delete { of: 1 }),
            (61_000, Do::Check),
            (66_000, Do::Look),
            // Of one that was cancelled a person is asked, and it is no finding; of the lost one nobody decided yet.
            (69_000, Do::Cancel { of: 2 }),
            (72_000, Do::Check),
            (77_000, Do::Look),
            (80_000, Do::Remove { of: 1 }),
            (81_000, Do::Remove { of: 2 }),
            // Changed, and nobody hears of it.
            (86_000, Do::SyncNow),
            (88_000, Do::Change { of: 3, bill: bill(5, 2), gap: 5 }),
            (89_000, Do::Check),
            (95_000, Do::Look),
            // Edited; that it is written again is refused, so that it stays found.
            (100_000, Do::TillEditsOurs { of: 4, bill: bill(2, 3), gap: 5 }),
            (101_000, Do::Check),
            (106_000, Do::Look),
            (107_500, Do::Rewrite { of: 4 }),
            (115_000, Do::Look),
            (116_000, Do::RetryAll),
            (125_000, Do::Look),
            // Nothing differs but the sums.
            (130_000, Do::On(Scene::ListSays(100))),
            (131_000, Do::Check),
            (137_000, Do::Look),
            (137_500, Do::Rewrite { of: 5 }),
            // A bill that a person leaves in RainTek is a difference that is known.
            (137_600, Do::Cancel { of: 0 }),
            (139_500, Do::Leave { of: 0 }),
            (141_000, Do::Look),
            (141_500, Do::On(Scene::ListSays(0))),
            (142_000, Do::Rewrite { of: 5 }),
            (146_000, Do::Look),
            // What the app does not know of is another one there.
            (148_000, Do::On(Scene::Barcode("GST-0006-2026/27"))),
            (149_000, Do::Check),
            (154_000, Do::Look),
            (155_000, Do::Rewrite { of: 5 }),
            (162_000, Do::Look),
        ],
    );
    let faults = vec![
        Fault { at: 60_000, what: Wrong::EventsLost { ms: 8_000 } },
        Fault { at: 85_000, what: Wrong::EventsLost { ms: 8_000 } },
        Fault { at: 107_000, what: Wrong::Refuses { call: Call::Open } },
    ];
    Story { faults, ..story }
}

#[test]
fn what_is_doubted_is_found_only_where_it_is_so() {
    let outcome = lived(&doubted());
    let found = |n| of_look(&outcome, n, "finding");
    assert!(found(0).is_empty(), "{:#?}", look(&outcome, 0));
    for n in [1, 2] {
        assert_eq!(found(n).len(), 1, "{:#?}", look(&outcome, n));
        has(&found(n), "GST-0002-2026/27: Lost");
    }
    assert!(found(3).is_empty(), "{:#?}", look(&outcome, 3));
    for n in [4, 5] {
        assert_eq!(found(n).len(), 1, "{:#?}", look(&outcome, n));
        has(&found(n), "GST-0005-2026/27: Edited");
    }
    assert!(found(6).is_empty(), "{:#?}", look(&outcome, 6));
    for n in [7, 8] {
        assert_eq!(found(n).len(), 1, "{:#?}", look(&outcome, n));
        has(&found(n), "Day");
    }
    assert!(found(9).is_empty(), "{:#?}", look(&outcome, 9));
    has(&found(10), "GST-0006-2026/27: Edited");
    assert!(found(11).is_empty(), "{:#?}", look(&outcome, 11));
}

/// Bills of ours that were edited are put back by hand, while the app refuses, stalls, or is away; the number of
/// another one is a till's as well.
pub(super) fn righted() -> Story {
    let edits = |of| Do::TillEditsOurs { of, bill: bill(3, 2), gap: 5 };
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 1))),
            (22_000, whole(bill(2, 1))),
            (23_000, whole(bill(4, 1))),
            (39_000, Do::Keep),
            (45_000, edits(0)),
            (46_000, edits(1)),
            (47_000, edits(2)),
            (50_000, Do::SyncNow),
            (54_000, Do::Look),
            (55_000, Do::PutBack { of: 0 }),
            (56_000, Do::SyncNow),
            (58_000, Do::Look),
            (60_000, Do::PutBack { of: 1 }),
            (61_000, Do::SyncNow),
            (62_500, Do::Look),
            (63_000, Do::SyncNow),
            (65_000, Do::Look),
            (66_000, Do::PutBack { of: 2 }),
            (67_000, Do::SyncNow),
            (68_000, Do::Look),
            (80_000, Do::Look),
            (81_000, Do::TillBill { bill: bill(5, 1), gap: 1 }),
            (81_300, Do::On(Scene::SameNumber { of: "GST-0005-2026/27", now: "GST-0004-2026/27" })),
            (81_500, Do::Check),
            (85_000, Do::Look),
            (86_000, Do::SyncNow),
            (92_000, Do::SyncNow),
            (95_000, Do::Look),
        ],
    );
    let faults = vec![
        Fault { at: 55_900, what: Wrong::Refuses { call: Call::Invoice } },
        Fault { at: 60_900, what: Wrong::Stalls { call: Call::Invoice } },
        Fault { at: 66_900, what: Wrong::Call { call: Call::Invoice, after: false, hang: 0 } },
    ];
    Story { faults, ..story }
}

#[test]
fn what_was_put_right_by_hand_is_over_once_it_was_looked_at() {
    let outcome = lived(&righted());
    let problems = |n| of_look(&outcome, n, "problem").len();
    let all: Vec<usize> = (0..8).map(problems).collect();
    assert_eq!(all, [3, 2, 2, 1, 1, 0, 1, 2], "{:#?}", said(&outcome, "journal"));
}
