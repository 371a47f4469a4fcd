//! Bills of RainTek's own that the app refuses, that are edited and deleted meanwhile, and very many of them at once.

use super::{bill, day, has, lived, look, of_look, said};
use crate::scenes::Scene;
use crate::story::{Call, Do, Fault, Stage, Story, Wrong};

fn till(product: u32) -> Do {
    Do::TillBill { bill: bill(product, 1), gap: 1 }
}

/// The app refuses each new bill, its change, and that it is cancelled; it does each later, and says each once.
pub(super) fn refused() -> Story {
    let edit = |of, product| Do::TillEdit { of, bill: bill(product, 2), gap: 1 };
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (4_000, till(0)),
            (4_300, till(1)),
            (4_600, till(2)),
            (4_900, till(3)),
            (7_000, Do::SyncNow),
            (10_000, till(0)),
            (10_500, till(1)),
            (11_000, till(2)),
            // None of them is taken, twice.
            (14_000, Do::SyncNow),
            (17_000, Do::SyncNow),
            (20_000, Do::Look),
            // One of them is deleted before it was ever shown: the app does not cancel it either, twice.
            (20_500, Do::TillDelete { of: 7, gap: 1 }),
            (22_000, Do::SyncNow),
            (24_000, Do::SyncNow),
            (25_000, Do::Look),
            (26_000, Do::SyncNow),
            (28_000, Do::Look),
            // Both are changed. The app has no time, then it refuses one of the changes.
            (30_000, edit(5, 3)),
            (30_200, edit(6, 4)),
            (32_000, Do::SyncNow),
            (34_000, Do::SyncNow),
            (36_000, Do::Look),
            (38_000, Do::SyncNow),
            // Both are deleted. The app has no time, it is away, it refuses.
            (40_000, Do::TillDelete { of: 5, gap: 1 }),
            (41_500, Do::SyncNow),
            (46_000, Do::Look),
            (50_000, Do::TillDelete { of: 6, gap: 1 }),
            (52_000, Do::SyncNow),
            (54_000, Do::SyncNow),
            (56_000, Do::Look),
            (58_000, Do::SyncNow),
            (60_000, Do::Look),
            // A bill that is shown carries our mark for a while.
            (62_000, till(5)),
            (63_000, Do::SyncNow),
            (64_000, Do::Mark { of: 32, on: true }),
            (65_000, Do::SyncNow),
            (66_000, Do::Look),
            (67_000, Do::SyncNow),
            (75_000, Do::Look),
            (76_000, Do::Mark { of: 32, on: false }),
            (77_000, Do::SyncNow),
            (80_000, Do::Look),
        ],
    );
    let no = |at, times| (at, Wrong::Refuses { call: Call::WriteBill }, times);
    let stalls = |at| (at, Wrong::Stalls { call: Call::WriteBill }, 1);
    let wrong = [
        no(13_900, 6),
        no(16_900, 3),
        no(21_900, 3),
        no(23_900, 3),
        stalls(31_900),
        no(33_900, 1),
        (41_400, Wrong::Call { call: Call::WriteBill, after: false, hang: 0 }, 1),
        stalls(51_900),
        no(53_900, 1),
    ];
    let faults =
        wrong.into_iter().flat_map(|(at, what, times)| std::iter::repeat_n(Fault { at, what }, times));
    Story { faults: faults.collect(), ..story }
}

#[test]
fn what_the_app_refuses_of_rainteks_bills_is_said_once_and_done_later() {
    let outcome = lived(&refused());
    let [a, b, c] = ["GST-0005-2026/27", "GST-0006-2026/27", "GST-0007-2026/27"];
    let app = |n, number: &str| of_look(&outcome, n, &format!("app {number}")).join("");
    assert_eq!(of_look(&outcome, 0, "problem").len(), 3, "{:#?}", look(&outcome, 0));
    for number in [a, b, c] {
        assert!(app(0, number).is_empty(), "{:#?}", look(&outcome, 0));
    }
    let journal = said(&outcome, "journal");
    let times = |what: &str| journal.iter().filter(|line| **line == what).count();
    // Each is said once, however often it is tried: three that are new, and a change.
    assert_eq!(times("WriteBill is refused."), 4, "{journal:#?}");
    // What was never shown is not shown as cancelled either.
    assert_eq!(times(&format!("{c} was deleted in RainTek. WriteBill is refused.")), 1, "{journal:#?}");
    assert_eq!(times(&format!("{c} was deleted in RainTek; the app shows it cancelled.")), 0);
    assert!(app(2, c).is_empty() && app(2, a).contains("Completed"), "{:#?}", look(&outcome, 2));
    assert!(of_look(&outcome, 2, "problem").is_empty());
    // A change that is refused leaves what was shown.
    assert_eq!(of_look(&outcome, 3, "problem").len(), 1, "{:#?}", look(&outcome, 3));
    assert_eq!(times(&format!("{b} was changed in RainTek; the app shows it so.")), 1, "{journal:#?}");
    // Whoever is deleted is cancelled in the end; the number is given out again, and so is the bill with our mark.
    assert_eq!(times(&format!("{a} was deleted in RainTek; the app shows it cancelled.")), 2, "{journal:#?}");
    assert_eq!(of_look(&outcome, 5, "problem").len(), 1, "{:#?}", look(&outcome, 5));
    assert_eq!(times(&format!("{b} was deleted in RainTek. WriteBill is refused.")), 1, "{journal:#?}");
    assert!(of_look(&outcome, 6, "problem").is_empty(), "{:#?}", look(&outcome, 6));
    assert!(app(6, a).contains("Cancelled") && app(6, b).contains("Cancelled"), "{:#?}", look(&outcome, 6));
    has(&of_look(&outcome, 7, "app GST-0005-2026/27: 108"), "Cancelled");
    has(&of_look(&outcome, 8, "problem GST-0005"), "Unclaimed");
    assert!(of_look(&outcome, 9, "problem").is_empty());
    has(&of_look(&outcome, 9, "app GST-0005-2026/27: 108"), "Completed");
}

/// One more than a page has at once, all of them looked at once more, and a page of them to the last once more.
pub(super) fn many() -> Story {
    let mut events: Vec<(u64, Do)> = (0..201).map(|n| (5_000 + 150 * n, till(0))).collect();
    events.extend([
        (36_500, Do::SyncNow),
        (45_000, Do::On(Scene::Spoil("bills.cursor"))),
        (60_000, Do::TillDelete { of: 200, gap: 1 }),
        (62_000, Do::SyncNow),
        (70_000, Do::On(Scene::Spoil("bills.cursor"))),
    ]);
    day(Stage { says_bills: true, ..Stage::default() }, &events)
}

#[test]
fn very_many_bills_at_once_are_told_of_in_one_sentence() {
    let outcome = lived(&many());
    let journal = said(&outcome, "journal");
    let shown: Vec<_> = journal.iter().filter(|line| line.contains("shown in the billing app")).collect();
    assert_eq!(shown.len(), 1, "{shown:#?}");
    has(&journal, "201 bills of RainTek are shown in the billing app.");
    has(&journal, "GST-0201-2026/27 was deleted in RainTek; the app shows it cancelled.");
}
