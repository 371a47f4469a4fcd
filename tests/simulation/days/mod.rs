//! Scripted days: each a short story of a shop that no seed tells, with what must be so in the middle of it. Word for word
//! they are kept as the weeks are ([`crate::told`]).

mod again;
mod apart;
mod asked;
mod backups;
mod clashes;
mod commands;
mod kept;
mod odd;
mod ours;
mod own;
mod queue;
mod refused;
mod restored;
mod righted;
mod scanned;
mod surroundings;
mod touched;
mod tried;
mod watching;

use crate::run::{Outcome, run};
use crate::story::{Bill, Do, Event, Numbers, Setup, Stage, Story, Take, Way};

/// Each by the name of its file.
pub(crate) fn all() -> Vec<(&'static str, Story)> {
    vec![
        ("again", again::stands_still_twice()),
        ("another-database", apart::another_database()),
        ("app-emptied", apart::app_emptied()),
        ("backups", backups::tables_and_files()),
        ("asked", asked::in_the_middle()),
        ("clashes", clashes::same_numbers()),
        ("clock-set-back", clashes::set_back()),
        ("full-and-asked", asked::full_and_asked()),
        ("kept", kept::through_months()),
        ("queue", queue::behind_an_outage()),
        ("taken-over", again::taken_over()),
        ("commands", commands::from_a_chat()),
        ("no-stock", odd::no_stock()),
        ("never-ending", backups::never_ending()),
        ("older-store", apart::older_store()),
        ("full-and-silent", odd::full_and_silent()),
        ("refused", refused::now_and_then()),
        ("claimed", ours::claimed()),
        ("doubted", righted::doubted()),
        ("handed-over", ours::handed_over()),
        ("own-many", own::many()),
        ("own-refused", own::refused()),
        ("righted", righted::righted()),
        ("second-day", odd::second_day()),
        ("watching-at-once", odd::watching_all_at_once()),
        ("restored", restored::lost_in_raintek()),
        ("restored-apart", restored::taken_back()),
        ("edited", scanned::edited()),
        ("store-lost", scanned::store_lost()),
        ("stray", scanned::stray()),
        ("surroundings", surroundings::clock_and_disk()),
        ("touched-twice", touched::twice()),
        ("touched-places", touched::places()),
        ("queue-broken-off", touched::broken_off()),
        ("unanswered", touched::unanswered()),
        ("tried-customer-kept", tried::customer_kept()),
        ("tried-anew", tried::anew()),
        ("tried-and-refused", tried::refused()),
        ("tried-from-before", tried::from_before()),
        ("tried-made-whole", tried::made_whole()),
        ("watching", watching::for_a_while()),
    ]
}

/// Nothing goes wrong by itself; the order of the events is that of their time.
fn day(stage: Stage, events: &[(u64, Do)]) -> Story {
    let last = events.last().map_or(0, |(at, _)| *at);
    Story {
        seed: 1,
        setup: Setup {
            posting: true,
            snapshots: true,
            item_count: true,
            numbers: Numbers::Ours,
            backups: false,
            alerts: true,
            trial: false,
            days: 1,
            day: last + 10_000,
            products: 6,
            stage,
        },
        events: events.iter().zip(0..).map(|((at, what), id)| Event { id, at: *at, what: *what }).collect(),
        faults: Vec::new(),
    }
}

/// A bill of the walk-in customer, paid in cash: so many of one product.
fn bill(product: u32, pieces: i64) -> Bill {
    let line = Some(Take { product, milli: pieces * 1000 });
    Bill { lines: [line, None, None, None], pay: crate::story::Pay::Cash, customer: None, gst: true }
}

fn whole(bill: Bill) -> Do {
    Do::Bill { bill, way: Way::Whole }
}

/// The day, as it was; nothing was that must never be.
fn lived(story: &Story) -> Outcome {
    let outcome = run(story, None, true);
    if let Some(failure) = &outcome.failure {
        panic!("{failure}\n{}", outcome.told.join("\n"));
    }
    outcome
}

/// What stood there at the n-th [`Do::Look`].
fn look(outcome: &Outcome, n: usize) -> Vec<&str> {
    let stands: Vec<&str> =
        outcome.told.iter().filter_map(|line| Some(line.split_once(" stands   ")?.1)).collect();
    let looks: Vec<&[&str]> = stands.split(|line| *line == "both sides:").skip(1).collect();
    looks.get(n).map(|lines| lines.to_vec()).unwrap_or_default()
}

/// Of the n-th look, what begins like this.
fn of_look<'a>(outcome: &'a Outcome, n: usize, start: &str) -> Vec<&'a str> {
    look(outcome, n).into_iter().filter(|line| line.starts_with(start)).collect()
}

/// What somebody said, in order.
fn said<'a>(outcome: &'a Outcome, who: &str) -> Vec<&'a str> {
    let by = format!(" {who:<8} ");
    outcome.told.iter().filter_map(|line| Some(line.split_once(&by)?.1)).collect()
}

#[track_caller]
fn has(lines: &[&str], what: &str) {
    assert!(lines.iter().any(|line| line.contains(what)), "{what:?} is not in {lines:#?}");
}

#[track_caller]
fn has_not(lines: &[&str], what: &str) {
    assert!(!lines.iter().any(|line| line.contains(what)), "{what:?} is in {lines:#?}");
}
