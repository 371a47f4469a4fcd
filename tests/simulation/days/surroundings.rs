//! The PC's clock is set wrong, its disk fills up, and somebody outside notices silence.

use super::{bill, day, has, lived, of_look, said, whole};
use crate::story::{Do, Stage, Story};

pub(super) fn clock_and_disk() -> Story {
    day(
        Stage { surroundings: true, heartbeat: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (60_000, Do::ClockSet { seconds: 720 }),
            (100_000, Do::Look),
            (110_000, Do::Room { free: 500_000_000 }),
            (250_000, Do::Look),
            (251_000, Do::ClockSet { seconds: -720 }),
            // A little room is not room again.
            (252_000, Do::Room { free: 1_100_000_000 }),
            (330_000, Do::Look),
            (332_000, Do::Room { free: 2_000_000_000 }),
            (460_000, Do::Look),
        ],
    )
}

#[test]
fn a_wrong_clock_and_a_full_disk_are_said_until_they_are_right() {
    let outcome = lived(&clock_and_disk());
    let (clock, disk) = ("This PC's clock is 12 min ahead", "The disk C:");
    has(&of_look(&outcome, 0, "state"), clock);
    has(&of_look(&outcome, 1, "state"), clock);
    has(&of_look(&outcome, 2, "state"), disk);
    has(&of_look(&outcome, 3, "state in_step"), "");
    let journal = said(&outcome, "journal");
    for what in [clock, "is nearly full", "The disk C: has room again."] {
        assert_eq!(journal.iter().filter(|line| line.contains(what)).count(), 1, "{what}: {journal:#?}");
    }
    let messages = said(&outcome, "message").join("\n");
    assert_eq!(messages.matches("min ahead").count(), 1, "{messages}");
    assert!(said(&outcome, "outside").len() > 3, "who is alive says so");
    assert!(messages.contains("C:"), "{messages}");
}
