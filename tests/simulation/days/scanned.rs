//! What the look at every invoice finds, and how it goes again.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::story::{Do, Stage, Story};

/// A till edits two bills of ours and deletes a third.
pub(super) fn edited() -> Story {
    let [a, b] = [bill(0, 1), bill(1, 2)];
    let edits = |of, bill| Do::TillEditsOurs { of, bill, gap: 5 };
    day(
        Stage::default(),
        &[
            (20_000, whole(a)),
            (21_000, whole(a)),
            (22_000, whole(a)),
            (23_000, whole(a)),
            (24_000, whole(a)),
            (39_000, Do::Keep),
            (40_500, edits(0, b)),
            (41_000, edits(1, b)),
            (42_000, Do::TillDeletesOurs { of: 2, gap: 5 }),
            (46_000, Do::Check),
            (75_000, Do::Look),
            // One is put right by hand, and what was found goes by itself.
            (76_000, Do::PutBack { of: 1 }),
            (250_000, Do::Look),
            // Of the others a person says that the app is right.
            (251_000, Do::Rewrite { of: 0 }),
            (252_000, Do::Rewrite { of: 2 }),
            (270_000, Do::Look),
        ],
    )
}

#[test]
fn what_a_scan_found_goes_when_it_is_right_again() {
    let outcome = lived(&edited());
    let found = |n| {
        let of = |line: &str| line.split(' ').nth(1).map(str::to_owned);
        of_look(&outcome, n, "finding").into_iter().filter_map(of).collect::<Vec<_>>()
    };
    assert_eq!(found(0), ["GST-0001-2026/27:", "GST-0002-2026/27:", "GST-0003-2026/27:"]);
    has(&of_look(&outcome, 0, "finding GST-0003"), "Gone");
    assert_eq!(found(1), ["GST-0001-2026/27:", "GST-0003-2026/27:"], "one was put right");
    assert!(found(2).is_empty());
    has_not(&look(&outcome, 2), "problem");
    assert_eq!(of_look(&outcome, 2, "RainTek").len(), 5);
}

/// A bill carries our mark, and no invoice of the app belongs to it. So does a second, whose mark somebody takes off.
pub(super) fn stray() -> Story {
    day(
        Stage::default(),
        &[
            (20_000, Do::TillBill { bill: bill(0, 1), gap: 1 }),
            (21_000, Do::TillBill { bill: bill(1, 2), gap: 1 }),
            (21_300, Do::Mark { of: 0, on: true }),
            (21_300, Do::Mark { of: 1, on: true }),
            (80_000, whole(bill(2, 3))),
            (90_000, Do::Check),
            (100_000, Do::Look),
            (101_000, Do::TillDelete { of: 0, gap: 1 }),
            (102_000, Do::Mark { of: 1, on: false }),
            (103_000, Do::SyncNow),
            (160_000, Do::Look),
        ],
    )
}

#[test]
fn a_bill_of_nobody_is_found_and_is_over_once_it_is_gone() {
    let outcome = lived(&stray());
    let found = of_look(&outcome, 0, "finding");
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|finding| finding.contains("Stray")), "{found:#?}");
    has(&said(&outcome, "message"), "GST-0001-2026/27");
    has_not(&look(&outcome, 1), "finding");
    has_not(&look(&outcome, 1), "problem");
    // What carries no mark is RainTek's own, and is shown.
    has(&of_look(&outcome, 1, "app GST-0002"), "Completed");
}

/// The app loses an invoice, ShopSync its own store: nobody knows whose the bill is, until the app has its invoice again.
pub(super) fn store_lost() -> Story {
    day(
        Stage { heartbeat: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 2))),
            (30_000, Do::StoreLost),
            (30_005, Do::Delete { of: 0 }),
            (90_000, Do::Check),
            (100_000, Do::Look),
            (101_000, Do::AppFinds(0)),
            (190_000, Do::Look),
        ],
    )
}

#[test]
fn a_bill_that_nobody_remembers_is_over_once_the_app_has_its_invoice_again() {
    let outcome = lived(&store_lost());
    let both = [
        "RainTek GST-0001-2026/27: 26 by SHOPSYNC (Inv_ID 1)",
        "RainTek GST-0002-2026/27: 91 by SHOPSYNC (Inv_ID 2)",
    ];
    assert_eq!(of_look(&outcome, 0, "RainTek"), both);
    assert_eq!(of_look(&outcome, 0, "problem").len(), 1, "{:#?}", look(&outcome, 0));
    has(&of_look(&outcome, 0, "problem GST-0001"), "Unclaimed");
    has(&of_look(&outcome, 0, "finding GST-0001"), "Stray");
    assert_eq!(of_look(&outcome, 1, "RainTek"), both, "nothing is booked twice");
    has_not(&look(&outcome, 1), "problem");
    has_not(&look(&outcome, 1), "finding");
}
