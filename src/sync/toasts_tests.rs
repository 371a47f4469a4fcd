use chrono::TimeZone as _;

use super::*;
use crate::model::sample;
use crate::model::status::Counts;

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 9, 15, 5, 0, 0).unwrap()
}

/// So many seconds after the start, with these invoices held.
fn at(seconds: i64, state: HealthState, held: &[&str]) -> Snapshot {
    let item = |number: &&str| ItemStatus {
        record_id: format!("record-{number}"),
        number: (*number).to_owned(),
        customer: String::new(),
        amount: "2900.00".into(),
        state: ItemState::Held.name().into(),
        sentence: "Item \"Blue pen\" is not in RainTek.".into(),
        action: String::new(),
        action_kind: String::new(),
        detail: String::new(),
        tries: 1,
        first_seen: start(),
        first_failed: None,
        next_try: None,
    };
    Snapshot {
        at: start() + TimeDelta::seconds(seconds),
        counts: Counts { held: held.len() as u64, ..Counts::default() },
        items: held.iter().map(item).collect(),
        ..sample::snapshot(start(), state, &format!("{state:?}."))
    }
}

/// What is said, in order: its title, with the seconds.
fn said(states: &[(i64, HealthState, &[&str])]) -> Vec<(i64, String)> {
    let mut memory = Memory::default();
    let mut all = Vec::new();
    for (seconds, state, held) in states {
        let toast = decide(&mut memory, &at(*seconds, *state, held));
        all.extend(toast.map(|toast| (*seconds, toast.title)));
    }
    all
}

use HealthState::{Attention, Failing, InStep, Starting, Working};

const RED: &str = "Invoices are not reaching RainTek";
const BACK: &str = "ShopSync is back";

#[test]
fn the_minute_between_two_toasts_ends_with_its_last_second() {
    let held = |seconds| {
        let one: &[&str] = &["A"];
        said(&[(0, Starting, &[]), (1, InStep, &[]), (10, Attention, one), (seconds, Attention, &["A", "B"])])
    };
    assert_eq!(held(69), [(10, "A needs you".into())]);
    assert_eq!(held(70), [(10, "A needs you".into()), (70, "B needs you".into())]);
}

#[test]
fn what_was_so_at_the_start_is_no_news() {
    assert_eq!(said(&[(0, Starting, &[]), (1, Attention, &["A", "B"]), (100, Attention, &["A", "B"])]), []);
    // What came to it is.
    let more = said(&[(0, Starting, &[]), (1, Attention, &["A", "B"]), (100, Attention, &["A", "B", "C"])]);
    assert_eq!(more, [(100, "C needs you".into())]);
    // A start into an outage is told: nobody has seen it yet.
    let outage = said(&[(0, Starting, &[]), (1, Starting, &[]), (61, Failing, &[]), (90, Failing, &[])]);
    assert_eq!(outage, [(61, RED.into())]);
}

#[test]
fn red_and_back_are_said_once_each() {
    let told = said(&[
        (1, InStep, &[]),
        (70, Failing, &[]),
        (75, Failing, &[]),
        (200, Failing, &[]),
        (300, Working, &[]),
        (301, InStep, &[]),
        (400, InStep, &[]),
    ]);
    assert_eq!(told, [(70, RED.into()), (300, BACK.into())]);
}

#[test]
fn at_most_one_a_minute_and_what_is_over_by_then_is_not_said() {
    let told = said(&[
        (1, InStep, &[]),
        (70, Failing, &[]),
        (80, InStep, &[]),
        (90, Failing, &[]),
        (129, Failing, &[]),
        // Still red, and that was said.
        (131, Failing, &[]),
        (140, InStep, &[]),
        // Red for a moment only, within the minute.
        (150, Failing, &[]),
        (170, InStep, &[]),
        (300, InStep, &[]),
    ]);
    assert_eq!(told, [(70, RED.into()), (140, BACK.into())]);
}

#[test]
fn not_yet_proven_is_not_back() {
    let told = said(&[(1, InStep, &[]), (70, Failing, &[]), (200, Starting, &[]), (210, InStep, &[])]);
    assert_eq!(told, [(70, RED.into()), (210, BACK.into())]);
}

#[test]
fn many_held_are_folded_into_one() {
    let told = said(&[
        (1, InStep, &[]),
        (10, Attention, &["A"]),
        (20, Attention, &["A", "B"]),
        (30, Attention, &["A", "B", "C", "D", "E"]),
        (71, Attention, &["A", "B", "C", "D", "E"]),
        (200, Attention, &["A", "B", "C", "D", "E"]),
    ]);
    assert_eq!(told, [(10, "A needs you".into()), (71, "5 invoices are waiting".into())]);
}

#[test]
fn one_that_is_held_again_is_news_again() {
    let told = said(&[(1, InStep, &[]), (10, Attention, &["A"]), (80, InStep, &[]), (90, Attention, &["A"])]);
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_toast_about_one_leads_to_it() {
    let mut memory = Memory::default();
    assert_eq!(decide(&mut memory, &at(1, InStep, &[])), None);
    let toast = decide(&mut memory, &at(10, Attention, &["GST-0151"])).unwrap();
    assert_eq!(toast.item.as_deref(), Some("GST-0151"));
    assert_eq!(toast.text, "Item \"Blue pen\" is not in RainTek.");
}

#[test]
fn a_clock_that_was_set_back_does_not_silence_it_for_hours() {
    let mut memory = Memory::default();
    decide(&mut memory, &at(1, InStep, &[]));
    assert!(decide(&mut memory, &at(7200, Attention, &["A"])).is_some());
    assert!(decide(&mut memory, &at(60, Attention, &["A", "B"])).is_some());
}

#[test]
fn one_that_stays_held_is_said_once() {
    let told = said(&[
        (1, InStep, &[]),
        (10, Attention, &["A"]),
        (100, Attention, &["A"]),
        (200, Attention, &["A"]),
    ]);
    assert_eq!(told, [(10, "A needs you".into())]);
}

#[test]
fn as_many_are_said_to_wait_as_the_list_shows() {
    let mut memory = Memory::default();
    decide(&mut memory, &at(1, InStep, &[]));
    let mut snapshot = at(10, Attention, &["A", "B", "C"]);
    // Counted a moment before the list was read.
    snapshot.counts.held = 1;
    assert_eq!(decide(&mut memory, &snapshot).unwrap().title, "3 invoices are waiting");
    let mut memory = Memory::default();
    decide(&mut memory, &at(1, InStep, &[]));
    // More than a list shows.
    snapshot.counts.held = 700;
    assert_eq!(decide(&mut memory, &snapshot).unwrap().title, "700 invoices are waiting");
}
