//! What is asked for and must not be done, and what one side refuses or loses in the middle of what was asked for.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::acts::Act;
use crate::scenes::Scene;
use crate::story::{Call, Do, Fault, Side, Stage, Story, Way, Wrong};

pub(super) fn in_the_middle() -> Story {
    let unknown = |n| Do::Bill { bill: bill(n, 1), way: Way::UnknownItem };
    let act = |act| Do::On(Scene::Act(act));
    let story = day(
        Stage { commands: true, ..Stage::default() },
        &[
            (20_000, unknown(0)),
            (21_000, unknown(1)),
            (22_000, whole(bill(2, 1))),
            (23_000, whole(bill(3, 1))),
            (24_000, whole(bill(4, 1))),
            (100_000, Do::Look),
            // It is held, and nobody was asked about it.
            (101_000, Do::Remove { of: 0 }),
            (102_000, Do::Pause { ms: 0 }),
            // The app refuses to show one of two, and RainTek is lost behind it.
            (105_000, Do::RetryAll),
            (112_000, Do::Look),
            (135_000, Do::RetryAll),
            // The answer to a stamp is lost while a bill is left.
            (140_000, Do::Delete { of: 2 }),
            (180_000, Do::Look),
            (181_000, Do::Leave { of: 2 }),
            (200_000, Do::Look),
            // RainTek is away: what a phone wrote into our fields is put right once it is back.
            (213_000, Do::Meddle { of: 3, inv_id: 99 }),
            (215_000, Do::Look),
            (240_000, Do::Look),
            // The app has a record of which nobody can make an invoice.
            (241_000, act(Act::Unreadable { of: 4, on: true })),
            (250_000, Do::Look),
            (251_000, act(Act::Unreadable { of: 4, on: false })),
            (260_000, Do::Look),
            // It does not take a product.
            (261_000, act(Act::Shun { product: 5, on: true })),
            (262_000, Do::Price { product: 5, paise: 12_300 }),
            (320_000, Do::Look),
            (321_000, act(Act::Shun { product: 5, on: false })),
            (370_000, Do::Look),
        ],
    );
    let fails = |at, call| Fault { at, what: Wrong::Call { call, after: false, hang: 0 } };
    let refused = |at| Fault { at, what: Wrong::Refuses { call: Call::Invoice } };
    let faults = vec![
        refused(104_999),
        refused(104_999),
        fails(104_999, Call::Open),
        fails(180_990, Call::Stamp),
        Fault { at: 210_000, what: Wrong::Down { side: Side::Pos, ms: 12_000 } },
    ];
    Story { faults, ..story }
}

#[test]
fn what_nobody_was_asked_about_is_not_done_and_what_is_lost_in_the_middle_goes_on() {
    let outcome = lived(&in_the_middle());
    let said = said(&outcome, "person");
    has(&said, "No invoice GST-0001-2026/27 waits for a decision.");
    has(&said, "A pause must end in the future.");
    let journal = super::said(&outcome, "journal");
    assert_eq!(journal.iter().filter(|line| line.contains("Invoice is refused.")).count(), 1);
    has(&journal, "The billing app did not take product P-1006: P-1006 is not taken.");
    has(&of_look(&outcome, 2, "open GST-0003"), "is gone from the app and still stands in RainTek.");
    has_not(&of_look(&outcome, 3, "open"), "GST-0003");
    has(&of_look(&outcome, 4, "page GST-0004"), "It is in RainTek; the billing app is told next.");
    has_not(&of_look(&outcome, 5, "open"), "GST-0004");
    has(&of_look(&outcome, 6, "open GST-0005"), "A price is no number.");
    has_not(&of_look(&outcome, 7, "open"), "GST-0005");
    assert_eq!(of_look(&outcome, 9, "RainTek").len(), 3, "{:#?}", look(&outcome, 9));
}

/// Nothing can be stored while somebody asks, and no message goes out at first.
pub(super) fn full_and_asked() -> Story {
    let writes = |text| Do::Chat { chat: 1, text, minutes_late: 0 };
    let story = day(
        Stage { commands: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (40_000, whole(bill(1, 1))),
            (235_000, writes("/status")),
            (270_000, Do::Look),
            (330_000, Do::Look),
        ],
    );
    let faults = vec![
        Fault { at: 30_000, what: Wrong::DiskFull { ms: 250_000 } },
        Fault { at: 31_000, what: Wrong::MessagesDown { ms: 140_000 } },
    ];
    Story { faults, ..story }
}

#[test]
fn a_store_that_takes_nothing_is_told_of_once_a_minute_until_somebody_hears_it() {
    let outcome = lived(&full_and_asked());
    let telegram = said(&outcome, "telegram");
    assert_eq!(telegram.iter().filter(|line| line.contains("cannot store anything")).count(), 1);
    has(&telegram, "Resolved: ShopSync can store again.");
    has(&of_look(&outcome, 1, "RainTek"), "GST-0002");
}
