//! Bills of ours that are touched in RainTek more than once, and places that change hands twice.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::scenes::Scene;
use crate::story::{Call, Do, Fault, Setup, Stage, Story, Way, Wrong};

/// One bill is edited again and again, another is put right by hand; a code becomes another product's; a bill without our
/// mark is revised, and one is removed.
pub(super) fn twice() -> Story {
    let edits = |of, product| Do::TillEditsOurs { of, bill: bill(product, 2), gap: 5 };
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 1))),
            (22_000, whole(bill(2, 1))),
            (30_000, Do::Keep),
            (31_000, edits(0, 3)),
            (31_500, edits(1, 4)),
            (33_000, Do::SyncNow),
            (37_000, Do::Look),
            (38_000, edits(0, 5)),
            (39_000, Do::SyncNow),
            (43_000, Do::Look),
            // The look at all invoices comes first, and ends it as well.
            (43_300, edits(0, 2)),
            (44_000, Do::PutBack { of: 1 }),
            (45_000, Do::Check),
            (55_000, Do::Look),
            // By the plan the line would have another product; it stands there as it was proven.
            (56_000, Do::On(Scene::Recode(2))),
            (57_000, Do::Check),
            (67_000, Do::Look),
            (70_000, Do::Mark { of: 2, on: false }),
            (71_000, Do::Revise { of: 2, bill: bill(4, 3), newest_first: false, gap: 5, way: Way::Whole }),
            (80_000, Do::Look),
            // What has no mark is removed by the store's word alone.
            (81_000, Do::Mark { of: 1, on: false }),
            (82_000, Do::Cancel { of: 1 }),
            (86_000, Do::Remove { of: 1 }),
            (95_000, Do::Look),
            // Who asks for it has all compared while nothing is sent, too.
            (96_000, Do::Pause { ms: 60_000 }),
            (97_000, Do::Check),
            (105_000, Do::Look),
        ],
    );
    Story { setup: Setup { posting: false, ..story.setup }, ..story }
}

#[test]
fn what_is_said_of_a_bill_is_what_it_is_by_now() {
    let outcome = lived(&twice());
    let problems = |n| of_look(&outcome, n, "problem");
    assert_eq!(
        [0, 1, 2, 3, 4].map(|n| problems(n).len()),
        [2, 2, 1, 1, 1],
        "{:#?}",
        said(&outcome, "journal")
    );
    assert_ne!(problems(0), problems(1), "it was edited again");
    assert_ne!(problems(1), problems(2), "and again");
    has(&problems(2), "GST-0001");
    has_not(&of_look(&outcome, 3, "finding"), "GST-0003");
    has_not(&look(&outcome, 4), "open");
    assert_eq!(of_look(&outcome, 4, "RainTek GST-0003").len(), 1);
    assert!(of_look(&outcome, 5, "RainTek GST-0002").is_empty());
    let journal = said(&outcome, "journal");
    let until_it_went_on = journal.iter().take_while(|line| **line != "Going on.");
    assert_eq!(until_it_went_on.filter(|line| line.contains("invoices checked")).count(), 3, "{journal:#?}");
}

/// RainTek gives the Inv_ID of a deleted bill of ours to another one of ours, and its number to one of its own. Then the
/// app changes the first.
pub(super) fn places() -> Story {
    day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (30_000, Do::TillDeletesOurs { of: 0, gap: 5 }),
            (32_000, whole(bill(1, 1))),
            (40_000, Do::TillBill { bill: bill(2, 1), gap: 1 }),
            (40_500, Do::On(Scene::SameNumber { of: "GST-0003-2026/27", now: "GST-0001-2026/27" })),
            (45_000, Do::Change { of: 0, bill: bill(3, 2), gap: 5 }),
            (55_000, Do::Look),
        ],
    )
}

#[test]
fn a_number_that_a_till_has_is_held_though_the_place_is_anothers() {
    let outcome = lived(&places());
    has(&of_look(&outcome, 0, "RainTek GST-0002"), "(Inv_ID 1)");
    assert_eq!(of_look(&outcome, 0, "RainTek GST-0001").len(), 1, "{:#?}", look(&outcome, 0));
    has(&of_look(&outcome, 0, "open GST-0001"), "held");
}

/// What stands there by now cannot be read back at first; the answer to a COMMIT is lost, and a phone makes a draft of the
/// invoice before it is looked up.
pub(super) fn unanswered() -> Story {
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (30_000, whole(bill(1, 1))),
            (30_300, Do::DraftAgain { of: 1, bill: bill(2, 2), gap: 15_000 }),
            (33_000, Do::SyncNow),
            (37_000, Do::SyncNow),
            (42_000, Do::Look),
            (60_000, Do::Look),
        ],
    );
    let faults = vec![
        Fault { at: 19_990, what: Wrong::Stalls { call: Call::PosRead } },
        Fault { at: 29_990, what: Wrong::CommitLost { effect: true, late: 0 } },
    ];
    Story { faults, ..story }
}

#[test]
fn what_nobody_answered_is_looked_up() {
    let outcome = lived(&unanswered());
    for n in 0..2 {
        has(&of_look(&outcome, n, "app GST-0001"), "synced");
        assert_eq!(of_look(&outcome, n, "RainTek").len(), 2);
        has_not(&look(&outcome, n), "problem");
    }
    has(&of_look(&outcome, 1, "app GST-0002"), "synced");
}

/// One of a queue was taken back, and nobody heard of it; then RainTek is away before the others are sent.
pub(super) fn broken_off() -> Story {
    let story = day(
        Stage::default(),
        &[
            (20_000, Do::Pause { ms: 60_000 }),
            (21_000, whole(bill(0, 1))),
            (21_500, whole(bill(1, 1))),
            (22_000, whole(bill(2, 1))),
            (25_000, Do::Cancel { of: 1 }),
            (28_000, Do::Resume),
            (50_000, Do::Look),
        ],
    );
    let faults = vec![
        Fault { at: 24_500, what: Wrong::EventsLost { ms: 2_000 } },
        Fault { at: 27_900, what: Wrong::Call { call: Call::Open, after: false, hang: 0 } },
    ];
    Story { faults, ..story }
}

#[test]
fn a_queue_that_is_broken_off_goes_on() {
    let outcome = lived(&broken_off());
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 2, "{:#?}", look(&outcome, 0));
    assert!(of_look(&outcome, 0, "open").is_empty());
}
