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

#[test]
fn a_list_that_is_full_says_nothing_of_what_is_not_on_it() {
    let bill = |number: &str| BillProblem {
        number: number.into(),
        inv_id: 7,
        state: "refused".into(),
        sentence: String::new(),
        action: String::new(),
        command: String::new(),
    };
    let mut shop = Shop::open();
    shop.bills = vec![BillProblem { state: "edited".into(), ..bill("GST-0151") }];
    assert_eq!(shop.says().len(), 1);
    shop.bills = (0..MAX_ITEMS).map(|n| bill(&format!("GST-{n}"))).collect();
    assert!(shop.says_at(100).is_empty(), "it may stand further down");
    shop.bills.pop();
    assert_eq!(shop.says_at(200), ["Resolved: GST-0151 no longer differs."]);
}

#[test]
fn nothing_to_catch_up_is_not_told_a_second_time() {
    let mut shop = Shop::open();
    (shop.started, shop.catch_up) = (100, None);
    assert_eq!(shop.says_at(160), ["Sync started."]);
    shop.catch_up = Some(CatchUp::default());
    assert!(shop.says_at(300).is_empty());
}

#[test]
fn of_more_mismatches_than_anybody_reads_those_that_were_said_go_on() {
    let mut shop = Shop::open();
    let differs =
        |n: usize| Event::Mismatch { number: format!("GST-{n}"), app_total: 2.into(), raintek_total: None };
    (0..201).for_each(|n| shop.raise(differs(n)));
    assert_eq!(shop.says().len(), 200);
    // A day later one of them is found again, and another one.
    shop.raise(differs(0));
    shop.raise(differs(300));
    shop.now = 86_400;
    let decision = shop.decide();
    let said: Vec<_> = decision.lines.iter().map(|line| (line.key.as_str(), line.becomes)).collect();
    assert_eq!(said, [("mismatch GST-0", Becomes::Again)]);
}

#[test]
fn what_was_worth_a_note_the_day_before_yesterday_is_no_news() {
    const DAY: i64 = 86_400;
    let told = |later: i64| {
        let mut shop = Shop::open();
        shop.raise(Event::Scanned { checked: 1, mismatches: 0 });
        assert_eq!(shop.says().len(), 1);
        // Within the minute, so that it waits for the next; then the PC sleeps.
        shop.raise(Event::Scanned { checked: 2, mismatches: 0 });
        assert!(shop.says_at(10).is_empty());
        shop.says_at(10 + later).len()
    };
    assert_eq!((told(DAY - 1), told(DAY + 1)), (1, 0));
}

#[test]
fn an_invoice_without_a_number_is_called_so() {
    let mut shop = Shop::open();
    shop.items = vec![item("", ItemState::Held, Some(0))];
    let said = shop.says();
    assert!(said[0].starts_with("An invoice without a number has not reached RainTek."), "{said:?}");
    shop.items.clear();
    assert_eq!(shop.says_at(100), ["Resolved: An invoice without a number is in RainTek."]);
}

#[test]
fn a_day_without_invoices_is_summed_up_as_one() {
    let mut shop = Shop::open();
    shop.rules.closing = NaiveTime::from_hms_opt(21, 0, 0);
    assert_eq!(shop.says_at(11 * 3600), ["Today: no invoices."]);
}
