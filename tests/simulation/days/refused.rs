//! Either side refuses something that it always took: one thing is held or told, and all the rest goes on.

use super::{bill, day, has, lived, of_look, said, whole};
use crate::story::{Call, Do, Fault, Stage, Story, Wrong};

pub(super) fn now_and_then() -> Story {
    let till = |product| Do::TillBill { bill: bill(product, 1), gap: 1 };
    let story = day(
        Stage::default(),
        &[
            (10_000, till(0)),
            (11_000, till(1)),
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 1))),
            (22_000, whole(bill(2, 1))),
            // The app does not let go of a bill that a till deleted.
            (60_000, Do::TillDelete { of: 0, gap: 1 }),
            (110_000, Do::Look),
            // RainTek's rows cannot be read: neither together, nor of one invoice.
            (120_000, Do::Check),
            (170_000, Do::Look),
            // The app's cannot.
            (200_000, Do::Check),
            (230_000, Do::Check),
            // What was written cannot be read back.
            (260_000, whole(bill(3, 1))),
            (280_000, Do::Look),
            // What was written cannot be stamped.
            (300_000, whole(bill(4, 1))),
            (320_000, Do::Look),
            // Rows that are to go cannot be opened.
            (330_000, Do::Delete { of: 3 }),
            (370_000, Do::Remove { of: 3 }),
            (390_000, Do::Look),
            (400_000, Do::TillEditsOurs { of: 4, bill: bill(5, 2), gap: 5 }),
            (410_000, Do::Rewrite { of: 4 }),
            (430_000, Do::RetryAll),
            (470_000, Do::Look),
        ],
    );
    let refused = [
        (50_000, Call::WriteBill, 2),
        (121_000, Call::PosRead, 12),
        (199_900, Call::Invoice, 7),
        (229_995, Call::PosRead, 8),
        (260_009, Call::PosRead, 3),
        (300_000, Call::Stamp, 1),
        (370_000, Call::Open, 2),
        (440_000, Call::List, 1),
        (445_000, Call::AppProducts, 1),
        (450_000, Call::PosProducts, 1),
    ];
    let faults = refused.into_iter().flat_map(|(at, call, times)| {
        std::iter::repeat_n(Fault { at, what: Wrong::Refuses { call } }, times)
    });
    Story { faults: faults.collect(), ..story }
}

#[test]
fn what_one_side_refuses_keeps_nothing_else() {
    let outcome = lived(&now_and_then());
    has(&said(&outcome, "fault"), "is refused");
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 4);
}
