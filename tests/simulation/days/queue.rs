//! More invoices wait than are sent at a time.

use super::{bill, day, has, lived, look, of_look, whole};
use crate::story::{Bill, Do, Fault, Setup, Side, Stage, Story, Way, Wrong};

/// More than the push takes at a time.
const MANY: u64 = 138;

/// RainTek is away while they are billed. The one of the highest number has an item that RainTek does not know.
pub(super) fn behind_an_outage() -> Story {
    let mut events: Vec<_> =
        (0..MANY).map(|n| (31_000 + n * 50, whole(Bill { gst: n % 20 != 19, ..bill(3, 1) }))).collect();
    events.push((40_000, Do::Bill { bill: bill(1, 1), way: Way::UnknownItem }));
    events.push((85_000, Do::Look));
    events.push((200_000, Do::Look));
    let story = day(Stage::default(), &events);
    let faults = vec![Fault { at: 30_000, what: Wrong::Down { side: Side::Pos, ms: 50_000 } }];
    Story { setup: Setup { posting: false, ..story.setup }, faults, ..story }
}

#[test]
fn the_highest_number_of_a_queue_goes_first() {
    let outcome = lived(&behind_an_outage());
    assert!(of_look(&outcome, 0, "RainTek").len() < 100, "{:#?}", look(&outcome, 0));
    let committed: Vec<&str> =
        outcome.told.iter().filter_map(|line| Some(line.split_once(" commits ")?.1)).collect();
    has(&committed[..1], "SINV-0006-");
    assert_eq!(of_look(&outcome, 1, "RainTek").len(), 138);
    has(&of_look(&outcome, 1, "open GST-0133"), "held");
}
