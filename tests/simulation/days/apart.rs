//! One side is another database for a while, or an older copy of ShopSync's own store is put back.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::scenes::Scene;
use crate::story::{Do, Setup, Stage, Story};

/// RainTek is asked for bills that it does not have, as if another database had been put in its place; then it has them
/// again. Then the app and RainTek lose the same invoice.
pub(super) fn another_database() -> Story {
    day(
        Stage::default(),
        &[
            (15_000, Do::Keep),
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 1))),
            (22_000, whole(bill(2, 1))),
            (23_000, whole(bill(3, 1))),
            (60_000, Do::On(Scene::Swap)),
            (61_000, Do::Check),
            (110_000, Do::Look),
            (111_000, Do::On(Scene::Swap)),
            (112_000, Do::Check),
            (250_000, Do::Look),
            // A bill of ours that somebody saved without a change has no mark any more.
            (251_000, Do::Mark { of: 1, on: false }),
            (252_000, Do::Check),
            (300_000, Do::Look),
            (301_000, Do::Mark { of: 1, on: true }),
            (310_000, whole(bill(4, 1))),
            (320_000, Do::TillDeletesOurs { of: 15, gap: 5 }),
            (321_000, Do::AppForgets { ms: 12_000 }),
            (380_000, Do::Look),
        ],
    )
}

#[test]
fn another_database_is_told_as_one_and_nothing_is_done_about_it() {
    let outcome = lived(&another_database());
    assert!(of_look(&outcome, 0, "RainTek").is_empty());
    has(&look(&outcome, 0), "another database, or an older backup");
    assert_eq!(of_look(&outcome, 0, "finding").len(), 1, "{:#?}", look(&outcome, 0));
    for n in 1..3 {
        assert_eq!(of_look(&outcome, n, "RainTek").len(), 4);
        has_not(&look(&outcome, n), "finding");
    }
    has(&said(&outcome, "journal"), "is gone from the app and from RainTek.");
    assert_eq!(of_look(&outcome, 3, "RainTek").len(), 4);
}

/// The app comes back without any of its invoices; then it has them again.
pub(super) fn app_emptied() -> Story {
    const INVOICES: u32 = 21;
    let at = |n: u32| 20_000 + u64::from(n) * 500;
    let billed = (0..INVOICES).map(|n| (at(n), whole(bill(n % 6, 1))));
    let found = (0..INVOICES).map(|n| (60_000 + u64::from(n), Do::AppFinds(n)));
    let lost = [
        (40_000, Do::AppForgets { ms: 25_000 }),
        (50_000, Do::Look),
        (51_000, Do::SyncNow),
        (58_000, Do::Look),
    ];
    let after = [(61_000, Do::SyncNow), (75_000, Do::Look)];
    let events: Vec<(u64, Do)> = billed.chain(lost).chain(found).chain(after).collect();
    day(Stage::default(), &events)
}

#[test]
fn an_app_without_its_invoices_is_told_as_one_thing_and_once() {
    let outcome = lived(&app_emptied());
    for n in 0..2 {
        has(&of_look(&outcome, n, "state"), "it seems to run on another or an older database");
        assert_eq!(of_look(&outcome, n, "RainTek").len(), 21);
        assert!(of_look(&outcome, n, "open").is_empty(), "nobody is asked about each");
    }
    let journal = said(&outcome, "journal");
    let told = journal.iter().filter(|line| line.contains("another or an older database"));
    assert_eq!(told.count(), 1, "{journal:#?}");
    has_not(&look(&outcome, 2), "another or an older database");
}

/// A trial, in which a copy of the store that is some minutes old is put back, with bills on both sides that it does not
/// know; then it is over.
pub(super) fn older_store() -> Story {
    let story = day(
        Stage { heartbeat: true, ..Stage::default() },
        &[
            (80_000, whole(bill(0, 1))),
            (81_000, Do::TillBill { bill: bill(1, 1), gap: 1 }),
            (82_000, whole(bill(1, 1))),
            (100_000, Do::On(Scene::KeepStore)),
            (101_000, whole(bill(2, 1))),
            (102_000, whole(bill(3, 1))),
            (120_000, Do::On(Scene::OlderStore)),
            (120_005, Do::Change { of: 5, bill: bill(5, 1), gap: 5 }),
            (170_000, Do::Look),
            (171_000, Do::GoLive { yes: false }),
            (200_000, Do::GoLive { yes: true }),
            (300_000, whole(bill(0, 2))),
            (330_000, Do::Look),
        ],
    );
    Story { setup: Setup { trial: true, backups: true, ..story.setup }, ..story }
}

#[test]
fn a_trial_whose_records_are_older_than_its_bills_leaves_nothing_behind() {
    let outcome = lived(&older_store());
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 4);
    // What the till billed meanwhile has an invoice's number.
    assert_eq!(of_look(&outcome, 0, "problem").len(), 1, "{:#?}", look(&outcome, 0));
    assert_eq!(of_look(&outcome, 1, "RainTek").len(), 2, "{:#?}", look(&outcome, 1));
}
