//! Bills of ours whose place, number or mark is another one's for a while.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::scenes::Scene;
use crate::story::{Bill, Call, Do, Fault, Numbers, Setup, Stage, Story, Wrong};

/// Ours takes the Inv_ID and number of a bill that RainTek deleted; RainTek takes those of ours; a mark is taken off
/// before the app's next change; two bills have one number.
pub(super) fn handed_over() -> Story {
    let till = |product| Do::TillBill { bill: bill(product, 1), gap: 1 };
    let no_tax = |product| Do::TillBill { bill: Bill { gst: false, ..bill(product, 1) }, gap: 1 };
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            // RainTek keeps two numbers free while its till bills.
            (20_000, no_tax(0)),
            (20_300, no_tax(1)),
            (20_600, till(0)),
            (22_000, Do::SyncNow),
            (24_800, Do::TillDelete { of: 1, gap: 1 }),
            (25_000, Do::TillDelete { of: 2, gap: 1 }),
            (26_000, whole(bill(1, 1))),
            (30_000, Do::SyncNow),
            (34_000, Do::Look),
            (35_000, Do::SyncNow),
            (40_000, whole(bill(2, 1))),
            (45_000, Do::TillDeletesOurs { of: 10, gap: 5 }),
            (47_000, Do::SyncNow),
            (50_000, Do::Look),
            (51_000, no_tax(1)),
            (51_300, till(3)),
            (53_000, Do::SyncNow),
            (58_000, Do::Look),
            (60_000, Do::On(Scene::Renumber("GST-0002-2026/27"))),
            (65_000, Do::Look),
            (66_000, Do::Mark { of: 6, on: false }),
            (67_000, Do::Change { of: 6, bill: bill(4, 2), gap: 5 }),
            (72_000, Do::Look),
            (75_000, till(5)),
            (75_500, Do::On(Scene::SameNumber { of: "GST-0004-2026/27", now: "GST-0003-2026/27" })),
            (77_000, Do::SyncNow),
            (82_000, Do::Look),
        ],
    );
    Story { setup: Setup { numbers: Numbers::Same, ..story.setup }, ..story }
}

#[test]
fn whose_bill_it_is_follows_from_what_stands_there() {
    let outcome = lived(&handed_over());
    has(&of_look(&outcome, 0, "RainTek GST-0001"), "by SHOPSYNC (Inv_ID 3)");
    let journal = said(&outcome, "journal");
    let cancelled = journal.iter().filter(|line| line.contains("RainTek's own GST-0001-2026/27 was deleted"));
    assert_eq!(cancelled.count(), 1, "{journal:#?}");
    has(&of_look(&outcome, 1, "problem GST-0002"), "Gone");
    has(&of_look(&outcome, 2, "open GST-0002"), "held");
    has_not(&look(&outcome, 2), "problem GST-0002-2026/27: Gone");
    has(&of_look(&outcome, 3, "RainTek GST-0003"), "by SHOPSYNC");
    has_not(&of_look(&outcome, 4, "open"), "GST-0001");
    has(&of_look(&outcome, 5, "open GST-0003"), "held");
}

/// The app and ShopSync's store are lost, but not for ever: a bill is nobody's, somebody edits it, and it is claimed
/// though it cannot be sent yet.
pub(super) fn claimed() -> Story {
    let story = day(
        Stage { says_bills: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 2))),
            (30_000, Do::StoreLost),
            (30_005, Do::Delete { of: 1 }),
            (34_000, Do::SyncNow),
            (45_000, Do::Look),
            (46_000, Do::TillEditsOurs { of: 1, bill: bill(3, 2), gap: 5 }),
            (49_000, Do::SyncNow),
            (52_000, Do::Look),
            (60_000, Do::AppFinds(1)),
            (95_000, Do::Look),
            (97_000, Do::SyncNow),
            (105_000, Do::Look),
        ],
    );
    let faults = vec![Fault { at: 59_900, what: Wrong::Refuses { call: Call::Open } }];
    Story { faults, ..story }
}

#[test]
fn a_bill_of_nobody_is_claimed_as_soon_as_the_app_has_its_number() {
    let outcome = lived(&claimed());
    for n in [0, 1] {
        has(&of_look(&outcome, n, "problem GST-0002"), "Unclaimed");
    }
    has_not(&of_look(&outcome, 2, "problem"), "Unclaimed");
    let journal = said(&outcome, "journal");
    let claims = journal.iter().filter(|line| line.contains("The app has GST-0002-2026/27 again."));
    assert_eq!(claims.count(), 1, "{journal:#?}");
    has(&of_look(&outcome, 2, "open GST-0002"), "held");
    has(&of_look(&outcome, 3, "RainTek GST-0002"), ": 91 by SHOPSYNC");
    assert!(of_look(&outcome, 3, "problem").is_empty(), "{:#?}", look(&outcome, 3));
}

/// The same, and it is sent while a pass that has read its bill asks the app whether it has its invoice again.
#[test]
fn a_bill_that_is_claimed_while_it_is_written_is_no_changed_one() {
    let mut story = claimed();
    story.events.retain(|event| event.at != 95_000);
    let at = story.events.iter().position(|event| event.at > 62_000).unwrap();
    let event = crate::story::Event { id: 1_000, at: 62_000, what: Do::SyncNow };
    story.events.insert(at, event);
    let outcome = lived(&story);
    let journal = said(&outcome, "journal");
    assert!(!journal.iter().any(|line| line.contains("was changed in RainTek")), "{journal:#?}");
    assert!(of_look(&outcome, 2, "problem").is_empty(), "{:#?}", look(&outcome, 2));
    has(&of_look(&outcome, 2, "RainTek GST-0002"), ": 91 by SHOPSYNC");
}
