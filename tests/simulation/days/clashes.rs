//! Numbers that both sides used, in the moments that count; and whose bill it is after the clock was set back.

use super::{bill, day, has, lived, look, of_look, said as said_of, whole};
use crate::acts::{Act, AtCommit};
use crate::scenes::Scene;
use crate::story::{Call, Do, Fault, Numbers, Setup, Stage, Story, Way, Wrong};

pub(super) fn same_numbers() -> Story {
    let act = |act| Do::On(Scene::Act(act));
    let asks = |number| Do::On(Scene::Renumber(number));
    let story = day(
        Stage::default(),
        &[
            (20_000, Do::TillBill { bill: bill(0, 1), gap: 1 }),
            (21_000, Do::TillBill { bill: bill(0, 1), gap: 1 }),
            (22_000, Do::TillBill { bill: bill(0, 1), gap: 1 }),
            (30_000, whole(bill(1, 1))),
            (31_000, whole(bill(2, 1))),
            (32_000, whole(bill(3, 1))),
            (60_000, Do::Look),
            // It is being tried while another number is asked for: that is waited for, though not for ever.
            (61_000, Do::Retry { of: 3 }),
            (61_300, asks("GST-0001-2026/27")),
            (75_000, Do::RetryAll),
            (90_000, Do::Retry { of: 3 }),
            (90_300, asks("GST-0001-2026/27")),
            (105_000, Do::RetryAll),
            (110_000, Do::Look),
            // A till has its bill there, and not yet its row of the counter.
            (120_000, Do::TillBill { bill: bill(0, 1), gap: 300 }),
            (121_650, asks("GST-0002-2026/27")),
            (140_000, Do::Look),
            // In the moment of a COMMIT.
            (150_010, whole(bill(4, 1))),
            (151_000, whole(bill(4, 1))),
            (152_000, act(Act::Then(AtCommit::Twin))),
            (152_010, whole(bill(4, 1))),
            (160_000, Do::Look),
            (161_000, act(Act::Then(AtCommit::Dearer))),
            (161_010, whole(bill(5, 1))),
            (162_000, whole(bill(5, 1))),
            (170_000, Do::Look),
            // A till has the number too, and then the invoice is revised.
            (171_000, act(Act::Twin { of: 24 })),
            (172_000, Do::Revise { of: 24, bill: bill(4, 2), newest_first: false, gap: 5, way: Way::Whole }),
            (182_000, asks("GST-0008-2026/27")),
            (200_000, Do::Look),
        ],
    );
    let hangs = |at, hang| Fault { at, what: Wrong::Call { call: Call::Open, after: false, hang } };
    let faults = vec![hangs(60_999, 3_000), hangs(89_999, 9_000)];
    Story { setup: Setup { numbers: Numbers::Same, ..story.setup }, faults, ..story }
}

#[test]
fn a_number_that_both_sides_used_is_told_as_what_it_is() {
    let outcome = lived(&same_numbers());
    let said = said_of(&outcome, "person");
    has(&look(&outcome, 0), "open GST-0001-2026/27: held RainTek used the number");
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 3);
    has(&said, "The invoice does not wait for another number any more.");
    has(&said, "GST-0001-2026/27 is being tried right now. Ask again in a moment.");
    has(&said, "GST-0002-2026/27 has the number GST-0005-2026/27 now.");
    has(
        &of_look(&outcome, 3, "open GST-0006"),
        "RainTek made a bill of the number GST-0006-2026/27 at the same moment; both stand there.",
    );
    has(&said_of(&outcome, "journal"), "RainTek holds GST-0007-2026/27 differently from what was written.");
    // Under another number a revision would be a second bill of the same sale.
    has(&said, "GST-0008-2026/27 does not wait for another number. RainTek has 2 bills of the number");
    has(&of_look(&outcome, 5, "page GST-0008"), "Call whoever supports the shop.");
    assert!(of_look(&outcome, 5, "RainTek GST-0009").is_empty(), "{:#?}", look(&outcome, 5));
}

/// A revision takes the place of an invoice that was proven when the clock was ahead; then it is changed.
pub(super) fn set_back() -> Story {
    day(
        Stage::default(),
        &[
            (20_000, whole(bill(0, 1))),
            (40_000, Do::ClockSet { seconds: -900 }),
            (60_000, Do::Revise { of: 0, bill: bill(1, 1), newest_first: false, gap: 5, way: Way::Whole }),
            (80_000, Do::Look),
            (81_000, Do::Change { of: 0, bill: bill(2, 1), gap: 5 }),
            (100_000, Do::Check),
            (120_000, Do::Look),
            // The bill goes, and its Inv_ID is another's.
            (121_000, Do::TillDeletesOurs { of: 0, gap: 5 }),
            (123_000, whole(bill(3, 1))),
            (126_000, Do::Restore { of: 0, copy: 1, confirmed: true }),
            (130_000, Do::Check),
            (200_000, Do::Look),
            // And a till has its number.
            (200_500, Do::On(Scene::Act(Act::Twin { of: 0 }))),
            (201_000, Do::Change { of: 0, bill: bill(4, 1), gap: 5 }),
            (220_000, Do::Look),
        ],
    )
}

#[test]
fn the_last_one_proven_owns_the_bill_though_the_clock_was_set_back() {
    let outcome = lived(&set_back());
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 1, "{:#?}", look(&outcome, 0));
    assert_eq!(of_look(&outcome, 1, "RainTek").len(), 1, "{:#?}", look(&outcome, 1));
    has(&said_of(&outcome, "person"), "GST-0001-2026/27 cannot be put back");
    assert_eq!(of_look(&outcome, 2, "RainTek"), ["RainTek GST-0002-2026/27: 73 by SHOPSYNC (Inv_ID 1)"]);
    has(&of_look(&outcome, 3, "open GST-0001"), "held RainTek used the number GST-0001-2026/27");
    assert_eq!(of_look(&outcome, 3, "RainTek").len(), 2, "{:#?}", look(&outcome, 3));
}
