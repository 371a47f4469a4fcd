//! Two completed invoices of the app carry one number: neither is ever missing in RainTek without anybody being asked.

use crate::run::{Outcome, run};
use crate::story::{Do, Event, Numbers, Setup, Story, Way};
use crate::{a_queue, chance};

/// A day in which this happens, and nothing goes wrong by itself.
fn day(numbers: Numbers, events: &[(u64, Do)]) -> Story {
    let week = a_queue(0);
    let events = events.iter().zip(0..);
    Story {
        setup: Setup { numbers, ..week.setup },
        events: events.map(|((at, what), id)| Event { id, at: *at, what: *what }).collect(),
        faults: Vec::new(),
        ..week
    }
}

/// Two different bills of the GST series.
fn bills() -> [crate::story::Bill; 2] {
    let mut all = Vec::new();
    for event in chance::plain(1).events {
        if let Do::Bill { bill, .. } = event.what {
            let bill = crate::story::Bill { gst: true, ..bill };
            if !all.contains(&bill) {
                all.push(bill);
            }
        }
    }
    [all[0], all[1]]
}

fn says(outcome: &Outcome, what: &str) -> bool {
    outcome.told.iter().any(|line| line.contains(what))
}

/// RainTek deletes the bill of the first while the second waits because of it, and would give the second its Inv_ID and
/// its number.
#[test]
fn the_place_of_a_deleted_bill_is_not_another_invoices() {
    let [first, second] = bills();
    let whole = |bill| Do::Bill { bill, way: Way::Whole };
    let outcome = run(
        &day(
            Numbers::Same,
            &[
                (20_000, Do::TillBill { bill: first, gap: 5 }),
                // Its number is the till's: the next free one is the number that the app gives out next.
                (24_000, whole(first)),
                (26_000, Do::Renumber { nth: 0, while_tried: false }),
                (30_000, whole(second)),
                (30_300, Do::TillDeletesOurs { of: 1, gap: 5 }),
            ],
        ),
        None,
        true,
    );
    assert!(says(&outcome, "looks GST-0002-2026/27 up: 1 bill(s)"));
    assert!(says(&outcome, "deletes GST-0002-2026/27, Inv_ID 3"));
    assert_eq!(outcome.failure, None);
    assert!(says(&outcome, "attention - GST-0002-2026/27 was deleted in RainTek."));
}

/// A revision has taken the bill over when the older record counts again, with the content that was once proven.
#[test]
fn an_older_record_that_counts_again_no_longer_owns_its_bill() {
    let [first, second] = bills();
    let outcome = run(
        &day(
            Numbers::Own,
            &[
                (20_000, Do::Bill { bill: first, way: Way::Whole }),
                (26_000, Do::Revise { of: 0, bill: second, newest_first: false, gap: 5, way: Way::Whole }),
                (34_000, Do::CountsAgain { of: 0 }),
            ],
        ),
        None,
        true,
    );
    assert!(says(&outcome, "counts again"));
    assert_eq!(outcome.failure, None);
    assert!(says(&outcome, "journal  Another completed invoice of the app"));
}
