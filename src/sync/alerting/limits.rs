//! Every rule below the table of alerts.

use super::table::{Shop, at, down, item, up};
use super::*;
use crate::model::alert::Event;

#[test]
fn one_message_a_minute_with_everything_of_that_minute() {
    let mut shop = Shop::open();
    shop.items = vec![item("GST-1", ItemState::Held, Some(0))];
    assert_eq!(shop.says().len(), 1);
    for second in 1..60 {
        shop.items.push(item(&format!("GST-{}", second + 1), ItemState::Held, Some(second)));
        assert!(shop.says_at(second).is_empty());
    }
    shop.now = 60;
    let decision = shop.decide();
    let text = decision.message.unwrap().text;
    assert_eq!(decision.lines.len(), 59, "all are said");
    assert_eq!(text.lines().count(), 21, "and a message stays readable");
    assert!(text.ends_with("And 39 more: see the list on the PC."), "{text}");
    assert!(shop.says_at(600).is_empty());
}

#[test]
fn more_invoices_than_anybody_reads_are_said_as_the_others_are_resolved() {
    let mut shop = Shop::open();
    let numbers = 1..=MOST_INVOICES + 2;
    shop.items = numbers.map(|n| item(&format!("GST-{n}"), ItemState::Held, Some(0))).collect();
    assert_eq!(shop.says().len(), MOST_INVOICES);
    assert!(shop.says_at(60).is_empty(), "two wait for room");
    shop.items.remove(0);
    let resolved = shop.says_at(120);
    assert_eq!(resolved.len(), 1, "{resolved:?}");
    let next = shop.says_at(180);
    assert!(next.len() == 1 && next[0].contains(&format!("GST-{}", MOST_INVOICES + 1)), "{next:?}");
    assert!(shop.says_at(240).is_empty(), "one still waits");
}

#[test]
fn what_ends_before_it_could_be_said_is_not_said() {
    let mut shop = Shop::open();
    shop.raise(Event::Scanned { checked: 1, mismatches: 0 });
    assert_eq!(shop.says().len(), 1);
    shop.items = vec![item("GST-1", ItemState::Held, Some(5))];
    assert!(shop.says_at(5).is_empty());
    shop.items.clear();
    assert!(shop.says_at(60).is_empty());
}

#[test]
fn what_begins_again_before_its_end_was_said_goes_on() {
    let mut shop = Shop::open();
    shop.raintek = down(0);
    assert_eq!(shop.says_at(60).len(), 1);
    shop.raintek = up(70);
    assert!(shop.says_at(71).is_empty(), "within the minute");
    shop.raintek = down(80);
    assert!(shop.says_at(120).is_empty(), "neither back nor lost anew");
    shop.raintek = up(180);
    assert_eq!(shop.says_at(181), ["SQL Server back after 3 min."]);
}

#[test]
fn a_clock_that_is_set_back_does_not_silence_anything() {
    let mut shop = Shop::open();
    shop.raise(Event::ClockWrong { seconds: 7200 });
    assert_eq!(shop.says_at(7200).len(), 1);
    shop.raise(Event::ClockOver);
    assert_eq!(shop.says_at(10).len(), 1);
}

#[test]
fn the_dead_mans_switch_is_told_only_what_is_proven_now() {
    for (state, well) in [
        (HealthState::InStep, true),
        (HealthState::Working, true),
        (HealthState::Starting, false),
        (HealthState::Attention, false),
        (HealthState::Failing, false),
        (HealthState::Paused, false),
    ] {
        assert_eq!(all_is_well(state, at(100), at(110)), well, "{state:?}");
        assert!(!all_is_well(state, at(100), at(121)), "stale: {state:?}");
    }
}
