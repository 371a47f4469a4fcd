//! Numbers asked for twice, a date from which on is sent, a full disk, and what waits when ShopSync begins to watch only.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::scenes::Scene;
use crate::story::{Call, Do, Fault, Numbers, Setup, Side, Stage, Story, Wrong};

/// Invoices of the first day are left alone, and those of the second are sent. One has a number that a till took.
pub(super) fn second_day() -> Story {
    let story = day(
        Stage { second_day: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (21_000, whole(bill(1, 1))),
            (30_000, Do::Newest { count: 3 }),
            (31_000, Do::Preview { of: 0 }),
            (40_000, Do::Look),
            (50_000, Do::Cancel { of: 0 }),
            (50_000, Do::Cancel { of: 1 }),
            (60_000, Do::Night { off: true, hours: 22 }),
            (62_000, Do::TillBill { bill: bill(2, 1), gap: 1 }),
            (62_300, Do::TillBill { bill: bill(2, 1), gap: 1 }),
            (62_600, Do::TillBill { bill: bill(2, 1), gap: 1 }),
            (63_000, whole(bill(3, 1))),
            (64_000, Do::Newest { count: 3 }),
            (65_000, whole(bill(4, 1))),
            (66_000, whole(bill(5, 1))),
            (110_000, Do::Look),
            (111_000, Do::On(Scene::Renumber("GST-0001-2026/27"))),
            (112_000, Do::On(Scene::Renumber("GST-0001-2026/27"))),
            (113_000, Do::On(Scene::Renumber("GST-0002-2026/27"))),
            (114_000, Do::On(Scene::Renumber("GST-0003-2026/27"))),
            (115_000, Do::On(Scene::Renumber("GST-0001-2026/27"))),
            (116_000, Do::On(Scene::Renumber("GST-0003-2026/27"))),
            (150_000, Do::Look),
        ],
    );
    Story { setup: Setup { numbers: Numbers::Same, ..story.setup }, ..story }
}

#[test]
fn what_is_older_than_the_settings_say_is_left_alone() {
    let outcome = lived(&second_day());
    assert!(of_look(&outcome, 0, "RainTek").is_empty());
    has_not(&look(&outcome, 0), "open");
    has(&said(&outcome, "person"), "Is left alone: it is dated before push.from_date of the settings.");
    has(&said(&outcome, "person"), "by now.");
}

/// Nothing can be stored for some minutes, and then no message goes out.
pub(super) fn full_and_silent() -> Story {
    let story = day(
        Stage { heartbeat: true, commands: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (40_000, whole(bill(1, 1))),
            (170_000, Do::Look),
            (250_000, Do::Look),
            (300_000, whole(bill(2, 1))),
            (310_000, Do::Chat { chat: 1, text: "/status", minutes_late: 0 }),
            (500_000, Do::Look),
        ],
    );
    let faults = vec![
        Fault { at: 30_000, what: Wrong::DiskFull { ms: 180_000 } },
        Fault { at: 290_000, what: Wrong::MessagesDown { ms: 130_000 } },
    ];
    Story { faults, ..story }
}

#[test]
fn a_store_that_takes_nothing_is_told_of_at_once_and_what_could_not_be_sent_is_sent_later() {
    let outcome = lived(&full_and_silent());
    has(&look(&outcome, 0), "cannot store anything");
    has(&of_look(&outcome, 1, "RainTek"), "GST-0002");
    has(&said(&outcome, "telegram"), "GST-0003-2026/27");
}

/// It begins to watch only while one bill is being removed and another is not stamped yet; either side refuses to be
/// looked at, or is away.
pub(super) fn watching_all_at_once() -> Story {
    let story = day(
        Stage { heartbeat: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (30_000, Do::Delete { of: 0 }),
            (60_000, whole(bill(1, 1))),
            (70_500, Do::Remove { of: 0 }),
            (71_000, Do::WatchOnly { on: true }),
            (100_000, Do::Look),
            (101_000, whole(bill(2, 1))),
            (120_000, Do::Look),
            (130_500, whole(bill(3, 1))),
            (133_000, Do::Look),
            (150_000, Do::Delete { of: 6 }),
            (170_000, Do::Look),
            (180_000, Do::WatchOnly { on: false }),
            (200_000, Do::Look),
        ],
    );
    let refused = |at, call| Fault { at, what: Wrong::Refuses { call } };
    let faults = vec![
        refused(60_000, Call::Stamp),
        Fault { at: 70_000, what: Wrong::Down { side: Side::Pos, ms: 15_000 } },
        refused(101_000, Call::PosRead),
        refused(101_000, Call::PosRead),
        Fault { at: 130_000, what: Wrong::Down { side: Side::Pos, ms: 10_000 } },
    ];
    Story { faults, ..story }
}

#[test]
fn what_is_under_way_when_it_begins_to_watch_is_shown_and_done_later() {
    let outcome = lived(&watching_all_at_once());
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 2, "{:#?}", look(&outcome, 0));
    has(&look(&outcome, 0), "Would be removed from RainTek.");
    has_not(&of_look(&outcome, 5, "RainTek"), "GST-0001");
}

/// RainTek has no table of stock movements, and the settings ask for postings.
pub(super) fn no_stock() -> Story {
    day(
        Stage { no_stock: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (40_000, Do::Look),
            (41_000, Do::Restart { down: 500 }),
            (60_000, Do::Look),
        ],
    )
}

#[test]
fn what_cannot_be_posted_is_said_once_a_start_and_invoices_go() {
    let outcome = lived(&no_stock());
    for n in 0..2 {
        has(&of_look(&outcome, n, "state"), "Stock is not posted");
        has(&of_look(&outcome, n, "app GST-0001"), "synced");
    }
    let journal = said(&outcome, "journal");
    let told = journal.iter().filter(|line| line.contains("Stock is not posted")).count();
    assert_eq!(told, 2, "{journal:#?}");
}
