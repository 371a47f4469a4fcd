//! The end of a trial: of an app that does not let go of everything, of bills that nothing was kept of, and of invoices
//! from before it.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::acts::Act;
use crate::scenes::Scene;
use crate::story::{Bill, Call, Do, Fault, Numbers, Setup, Side, Stage, Story, Wrong};

pub(super) fn refused() -> Story {
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (80_000, whole(bill(0, 1))),
            (81_000, whole(bill(1, 1))),
            (82_000, whole(bill(2, 1))),
            (100_000, Do::GoLive { yes: false }),
            (110_000, Do::GoLive { yes: true }),
            (200_000, Do::Look),
            (201_000, whole(bill(3, 1))),
            (230_000, Do::Look),
        ],
    );
    let faults = vec![
        // It has no time at first, it is away, then it does not let go of one.
        Fault { at: 109_000, what: Wrong::Stalls { call: Call::AppRemoves } },
        Fault { at: 136_000, what: Wrong::Call { call: Call::AppRemoves, after: false, hang: 0 } },
        Fault { at: 139_500, what: Wrong::Refuses { call: Call::AppRemoves } },
    ];
    Story { setup: Setup { trial: true, backups: true, ..story.setup }, faults, ..story }
}

#[test]
fn what_the_app_does_not_let_go_of_stays_cancelled_and_is_said() {
    let outcome = lived(&refused());
    assert!(of_look(&outcome, 0, "RainTek").is_empty());
    has(&said(&outcome, "journal"), "Left in the billing app, cancelled: ");
    assert_eq!(of_look(&outcome, 1, "RainTek").len(), 1);
}

/// An older copy of the store is put back, and what was written since cannot be read back: the end of the trial finds
/// out by itself whose each bill is. One that carries our mark is nobody's.
pub(super) fn made_whole() -> Story {
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (80_000, whole(bill(0, 1))),
            (82_000, whole(bill(1, 1))),
            (100_000, Do::On(Scene::KeepStore)),
            (101_000, whole(bill(2, 1))),
            (102_000, whole(bill(3, 1))),
            (104_000, Do::TillBill { bill: bill(4, 1), gap: 1 }),
            (104_500, Do::Mark { of: 5, on: true }),
            (120_000, Do::On(Scene::OlderStore)),
            (140_000, whole(bill(5, 1))),
            (145_000, Do::TillEditsOurs { of: 8, bill: bill(5, 2), gap: 5 }),
            (150_000, Do::GoLive { yes: true }),
            (230_000, Do::Look),
            (231_000, Do::Mark { of: 5, on: false }),
        ],
    );
    let refused =
        |at, times| std::iter::repeat_n(Fault { at, what: Wrong::Refuses { call: Call::Stands } }, times);
    let faults = refused(120_001, 2).chain(refused(139_900, 1)).collect();
    Story { setup: Setup { trial: true, backups: true, ..story.setup }, faults, ..story }
}

#[test]
fn the_end_of_a_trial_finds_what_nothing_was_kept_of() {
    let outcome = lived(&made_whole());
    // The one with our mark that nobody knows stays.
    // So does one that nobody read back before a till edited it; it is RainTek's own from then on.
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 2, "{:#?}", look(&outcome, 0));
    has_not(&of_look(&outcome, 0, "problem"), "GST-0006");
    has(&said(&outcome, "journal"), "Left in RainTek: GST-0006-2026/27: RainTek changed the total of it.");
    has(&said(&outcome, "journal"), "carries ShopSync's mark, but nothing tells that the trial wrote it.");
    has(&said(&outcome, "journal"), "Removed from RainTek: 4 bills");
}

/// Invoices that the app had before the trial are sent in it: their bills go, and they are sent anew. A bill of the trial
/// that was edited in RainTek stays there.
pub(super) fn from_before() -> Story {
    let of = |product, customer| whole(Bill { customer: Some(customer), ..bill(product, 1) });
    let edits = |of, product| Do::TillEditsOurs { of, bill: bill(product, 2), gap: 5 };
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (5_000, of(0, 1)),
            (6_000, of(1, 2)),
            (80_000, of(2, 3)),
            (81_000, of(3, 4)),
            (82_000, of(4, 4)),
            (100_000, edits(1, 5)),
            (101_000, edits(3, 5)),
            (110_000, Do::GoLive { yes: false }),
            (120_000, Do::GoLive { yes: true }),
            (230_000, Do::Look),
            // The number of the one that RainTek keeps is given out again.
            (231_000, Do::On(Scene::Act(Act::Counter(3)))),
            (232_000, of(4, 1)),
            (245_000, Do::Look),
        ],
    );
    let faults = vec![Fault { at: 0, what: Wrong::Down { side: Side::App, ms: 12_000 } }];
    let setup = Setup { trial: true, backups: true, numbers: Numbers::Same, ..story.setup };
    Story { setup, faults, ..story }
}

#[test]
fn what_was_there_before_the_trial_stays_and_is_sent_anew() {
    let outcome = lived(&from_before());
    has(
        &said(&outcome, "shows"),
        "2 invoices of the billing app from before the trial are sent to RainTek anew.",
    );
    has(&of_look(&outcome, 0, "app GST-0001"), "synced");
    // What a till changed of one that stays is known afterwards as before.
    has(&of_look(&outcome, 0, "problem GST-0002"), "Edited");
    has(&of_look(&outcome, 1, "open GST-0004"), "held");
    has(&of_look(&outcome, 1, "RainTek GST-0004"), "(Inv_ID 4)");
}

/// ShopSync's store is lost within the trial, which begins anew: what stands in RainTek by then is no test data.
pub(super) fn anew() -> Story {
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (80_000, whole(bill(0, 1))),
            (81_000, whole(bill(1, 1))),
            (90_000, Do::StoreLost),
            (110_000, whole(bill(2, 1))),
            (120_000, Do::GoLive { yes: false }),
            (130_000, Do::GoLive { yes: true }),
            (200_000, Do::Look),
        ],
    );
    Story { setup: Setup { trial: true, backups: true, ..story.setup }, ..story }
}

#[test]
fn what_stood_there_when_a_trial_began_stays() {
    let outcome = lived(&anew());
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 2, "{:#?}", look(&outcome, 0));
    has(&said(&outcome, "journal"), "Removed from RainTek: 1 bill and");
}

/// The app has no time for a customer at first, and then does not let go of it.
pub(super) fn customer_kept() -> Story {
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (80_000, whole(Bill { customer: Some(1), ..bill(0, 1) })),
            (85_000, Do::On(Scene::Act(Act::CustomerStays))),
            (90_000, Do::GoLive { yes: true }),
            (150_000, Do::Look),
        ],
    );
    Story { setup: Setup { trial: true, backups: true, ..story.setup }, ..story }
}

#[test]
fn a_customer_that_the_app_does_not_let_go_of_is_said() {
    let outcome = lived(&customer_kept());
    let journal = said(&outcome, "journal");
    has(&journal, "Left in the billing app: customer ");
    has(&journal, "Removed from the billing app: 1 invoice and 0 customers.");
}
