//! The end of a trial whose app does not let go of everything.

use super::{bill, day, has, lived, of_look, said, whole};
use crate::story::{Call, Do, Fault, Setup, Stage, Story, Wrong};

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
