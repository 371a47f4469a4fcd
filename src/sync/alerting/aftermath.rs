//! What is told of an end without a word, of a database that is another one, and of invoices that were taken back.

use super::table::{Shop, at, item};
use super::*;
use crate::model::alert::Event;
use crate::model::fault::Action;

#[test]
fn an_end_without_warning_is_told_with_the_next_start() {
    let mut shop = Shop::open();
    shop.started = 3600;
    shop.cut_off = Some(at(2520));
    shop.catch_up = None;
    assert!(shop.says_at(3601).is_empty());
    shop.catch_up = Some(CatchUp { done: 3, left: 0 });
    assert_eq!(
        shop.says_at(3605),
        ["Sync started. Caught up 3 pending invoices. ShopSync was ended without warning at 10:42."]
    );
    assert!(shop.says_at(3700).is_empty(), "once");
    // One that could not catch up in its minute tells it as well.
    shop.started = 7200;
    shop.cut_off = Some(at(7000));
    shop.catch_up = Some(CatchUp { done: 0, left: 2 });
    shop.counts.waiting = 2;
    assert_eq!(
        shop.says_at(7200 + 60),
        ["Sync started. 2 invoices wait. ShopSync was ended without warning at 11:56."]
    );
    // The next ends in order.
    shop.started = 9000;
    shop.cut_off = None;
    shop.catch_up = Some(CatchUp::default());
    assert_eq!(shop.says_at(9100), ["Sync started."]);
}

#[test]
fn a_bill_that_is_gone_from_the_app_is_not_said_to_be_missing_in_raintek() {
    let mut shop = Shop::open();
    let mut gone = item("GST-0151", ItemState::Held, Some(0));
    gone.sentence = "GST-0151 is gone from the app and still stands in RainTek.".into();
    gone.action = Action::RemoveOrLeave.words().into();
    gone.action_kind = serde_json::to_value(Action::RemoveOrLeave).unwrap().as_str().unwrap().to_owned();
    shop.items = vec![gone];
    let decision = shop.decide();
    assert_eq!(decision.message.unwrap().level, Level::Critical);
    assert_eq!(
        decision.lines[0].text,
        "Invoice GST-0151 is gone from the app and still stands in RainTek. Remove it from RainTek, or leave it there."
    );
}

#[test]
fn another_database_is_told_once_and_resolved() {
    let mut shop = Shop::open();
    let sentence = crate::sync::vanished::another_database(500, 400);
    shop.raise(Event::AnotherDatabase { sentence: sentence.clone() });
    let decision = shop.decide();
    assert_eq!(decision.message.unwrap().level, Level::Critical);
    assert_eq!(decision.lines[0].text, sentence);
    shop.raise(Event::AnotherDatabase { sentence });
    assert!(shop.says_at(100).is_empty());
    shop.raise(Event::AnotherDatabaseOver);
    assert_eq!(shop.says_at(200), ["Resolved: the billing app has its invoices again."]);
    shop.raise(Event::AnotherDatabaseOver);
    assert!(shop.says_at(300).is_empty(), "the proof of each start is no news");
}

#[test]
fn a_store_that_takes_nothing_is_told_with_what_waits() {
    let reason = "The disk is full: ShopSync cannot store anything. Free some space on it.";
    assert_eq!(texts::cannot_store(reason, 2), format!("{reason} 2 invoices wait. Nothing is lost."));
}
