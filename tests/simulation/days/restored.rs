//! Somebody has rows put back into RainTek from a copy that ShopSync made.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::acts::{Act, AtCommit};
use crate::scenes::Scene;
use crate::story::{Do, Stage, Story};

/// The invoice is written as A, then as B, then as A again: there is a copy of each. Then a till deletes the bill.
pub(super) fn lost_in_raintek() -> Story {
    let (a, b) = (bill(0, 1), bill(1, 2));
    let back = |copy, confirmed| Do::Restore { of: 0, copy, confirmed };
    day(
        Stage::default(),
        &[
            (20_000, whole(a)),
            (30_000, Do::Change { of: 0, bill: b, gap: 5 }),
            (40_000, Do::Change { of: 0, bill: a, gap: 5 }),
            (50_000, Do::TillDeletesOurs { of: 0, gap: 5 }),
            (52_000, Do::Check),
            (100_000, Do::Look),
            // What would be done is only said.
            (101_000, back(0, false)),
            (103_000, Do::Look),
            (104_000, back(0, true)),
            (107_000, Do::Look),
            (108_000, back(0, true)),
            // The older content: the app stays the master, and says so.
            (110_000, back(1, true)),
            (113_000, Do::Look),
            (114_000, Do::Rewrite { of: 0 }),
            (124_000, Do::Look),
            // What stands there once it was written is not the copy.
            (126_000, Do::On(Scene::Act(Act::Then(AtCommit::Dearer)))),
            (126_500, back(1, true)),
            // Its Inv_ID is a till's by now.
            (130_000, Do::TillDeletesOurs { of: 0, gap: 5 }),
            (132_000, Do::TillBill { bill: crate::story::Bill { gst: false, ..b }, gap: 1 }),
            (136_000, back(0, true)),
            (140_000, Do::Look),
            (141_000, Do::SyncNow),
            (150_000, Do::Look),
        ],
    )
}

#[test]
fn an_invoice_that_raintek_lost_is_put_back() {
    let outcome = lived(&lost_in_raintek());
    let said = said(&outcome, "person");
    assert!(of_look(&outcome, 0, "RainTek").is_empty());
    has(&of_look(&outcome, 0, "problem GST-0001"), "Gone");
    has(&of_look(&outcome, 0, "finding GST-0001"), "Gone");
    has(&said, "Nothing was written yet");
    assert_eq!(look(&outcome, 0), look(&outcome, 1), "asking writes nothing");
    // Once, as the app has it, and nobody needs to look any more.
    assert_eq!(of_look(&outcome, 2, "RainTek"), ["RainTek GST-0001-2026/27: 26 by SHOPSYNC (Inv_ID 1)"]);
    has_not(&look(&outcome, 2), "problem");
    has_not(&look(&outcome, 2), "finding");
    has(&said, "RainTek holds GST-0001-2026/27 (26.00) exactly as the copy has it.");
    assert_eq!(of_look(&outcome, 3, "RainTek").len(), 1);
    has(&of_look(&outcome, 3, "problem GST-0001"), "Edited");
    has(&said, "The billing app has it differently.");
    assert_eq!(of_look(&outcome, 4, "RainTek"), of_look(&outcome, 2, "RainTek"), "the app is the master");
    has_not(&look(&outcome, 4), "problem");
    has(&said, "RainTek does not hold GST-0001-2026/27");
    has(&said, "Inv_ID 1 is RainTek's bill SINV-0001-2026/27 (77.00) by now");
    assert!(of_look(&outcome, 5, "RainTek GST").is_empty());
    has(&of_look(&outcome, 6, "problem GST-0001"), "Gone");
}

/// The app takes two invoices back; a person has the bill of one removed and leaves the other, which a till deletes. Both
/// are put back after all.
pub(super) fn taken_back() -> Story {
    let back = |of| Do::Restore { of, copy: 0, confirmed: true };
    day(
        Stage::default(),
        &[
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 1))),
            (25_000, Do::Change { of: 1, bill: bill(1, 2), gap: 5 }),
            (30_000, Do::Delete { of: 0 }),
            (31_000, Do::Delete { of: 1 }),
            (70_000, Do::Look),
            // There is no copy of the one yet, and the other waits for a decision.
            (71_000, back(0)),
            (71_500, back(1)),
            (72_000, Do::Remove { of: 0 }),
            (73_000, Do::Leave { of: 1 }),
            (77_000, Do::TillDeletesOurs { of: 1, gap: 5 }),
            (80_000, Do::Look),
            (81_000, back(0)),
            (82_000, back(1)),
            (85_000, Do::Look),
            (86_000, Do::Check),
            (200_000, Do::Check),
            (210_000, Do::Look),
        ],
    )
}

#[test]
fn a_bill_that_the_app_took_back_stays_where_a_person_puts_it() {
    let outcome = lived(&taken_back());
    let said = said(&outcome, "person");
    has(&of_look(&outcome, 0, "open GST-0001"), "held");
    has(&said, "finds no copy 0");
    has(
        &said,
        "GST-0002-2026/27 is on its way to RainTek or held, and what is put back would be written over.",
    );
    assert!(of_look(&outcome, 1, "RainTek").is_empty(), "one is removed, one deleted");
    has(&said, "The billing app has no invoice that belongs to it; RainTek keeps the bill.");
    has(&said, "The billing app has taken this invoice back; RainTek keeps the bill.");
    for n in 2..4 {
        assert_eq!(
            of_look(&outcome, n, "RainTek"),
            [
                "RainTek GST-0001-2026/27: 26 by SHOPSYNC (Inv_ID 1)",
                "RainTek GST-0002-2026/27: 45 by SHOPSYNC (Inv_ID 2)",
            ]
        );
        has_not(&look(&outcome, n), "problem");
        has_not(&look(&outcome, n), "finding");
        has_not(&look(&outcome, n), "open");
    }
}
