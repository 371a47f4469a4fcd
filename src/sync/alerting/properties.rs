//! Whatever happens to a shop: never more messages than are allowed, and one "resolved" for each alert that was sent.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::table::{Shop, down, item, up};
use super::*;
use crate::model::alert::Event;

#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    RaintekDown,
    RaintekUp,
    BillingDown,
    BillingUp,
    Hold(u8),
    Retry(u8),
    Finish(u8),
    Raise(u8),
    Over(u8),
    Restart,
    Stop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_i64..200).prop_map(Step::Wait),
        1 => Just(Step::Wait(100_000)),
        2 => Just(Step::RaintekDown),
        2 => Just(Step::RaintekUp),
        1 => Just(Step::BillingDown),
        1 => Just(Step::BillingUp),
        3 => (0_u8..5).prop_map(Step::Hold),
        2 => (0_u8..5).prop_map(Step::Retry),
        3 => (0_u8..5).prop_map(Step::Finish),
        3 => (0_u8..5).prop_map(Step::Raise),
        3 => (0_u8..5).prop_map(Step::Over),
        1 => Just(Step::Restart),
        1 => Just(Step::Stop),
    ]
}

fn event(which: u8) -> (Event, Event) {
    let number = || format!("GST-{which}");
    match which {
        0 => (
            Event::BackupFailed { reason: "full".into(), advice: String::new() },
            Event::BackupDone { raintek_bytes: 1, app_bytes: 1 },
        ),
        1 => (Event::ClockWrong { seconds: 400 }, Event::ClockOver),
        2 => (
            Event::DiskNearlyFull { place: "D:".into(), free_bytes: 1 },
            Event::DiskOver { place: "D:".into() },
        ),
        _ => (
            Event::Mismatch { number: number(), app_total: 2.into(), raintek_total: None },
            Event::MismatchOver { number: number() },
        ),
    }
}

/// Counts what is said, and refuses what must not be.
#[derive(Default)]
struct Chat {
    last: Option<i64>,
    open: BTreeMap<String, u32>,
}

impl Chat {
    fn hears(&mut self, shop: &mut Shop) -> Result<(), TestCaseError> {
        let decision = shop.decide();
        let Some(message) = decision.message else {
            prop_assert!(decision.lines.is_empty());
            return Ok(());
        };
        prop_assert!(!message.text.is_empty());
        if let Some(last) = self.last.filter(|_| !shop.stopping) {
            prop_assert!(shop.now - last >= 60, "two messages within {} s", shop.now - last);
        }
        self.last = Some(shop.now);
        for line in decision.lines {
            let open = self.open.entry(line.key.clone()).or_default();
            match line.becomes {
                Becomes::Open => {
                    prop_assert_eq!(*open, 0, "said twice: {}", &line.text);
                    *open += 1;
                }
                Becomes::Again => prop_assert_eq!(*open, 1, "again without being said: {}", &line.text),
                Becomes::Resolved => {
                    prop_assert_eq!(*open, 1, "resolved without being said: {}", &line.text);
                    *open -= 1;
                }
                Becomes::Noted => {}
            }
        }
        Ok(())
    }
}

fn go(shop: &mut Shop, step: &Step) {
    let now = shop.now;
    let name = |which: &u8| format!("GST-{which}");
    match step {
        Step::Wait(seconds) => shop.now += seconds,
        Step::RaintekDown if shop.raintek.connected => shop.raintek = down(now),
        Step::BillingDown if shop.billing.connected => shop.billing = down(now),
        Step::RaintekUp if !shop.raintek.connected => shop.raintek = up(now),
        Step::BillingUp if !shop.billing.connected => shop.billing = up(now),
        Step::RaintekDown | Step::BillingDown | Step::RaintekUp | Step::BillingUp => {}
        Step::Hold(which) => {
            shop.items.retain(|item| item.number != name(which));
            shop.items.push(item(&name(which), ItemState::Held, Some(now)));
        }
        Step::Retry(which) => {
            for item in shop.items.iter_mut().filter(|item| item.number == name(which)) {
                item.state = ItemState::Sending.name().into();
            }
        }
        Step::Finish(which) => shop.items.retain(|item| item.number != name(which)),
        Step::Raise(which) => shop.raise(event(*which).0),
        Step::Over(which) => shop.raise(event(*which).1),
        Step::Restart => shop.started = now,
        Step::Stop => shop.stopping = true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn limits_hold_and_every_alert_is_resolved_once(steps in prop::collection::vec(step(), 1..120)) {
        let mut shop = Shop::open();
        let mut chat = Chat::default();
        for step in &steps {
            go(&mut shop, step);
            chat.hears(&mut shop)?;
            shop.stopping = false;
        }
        // Everything ends well: whatever is open is resolved, with the next messages.
        for which in 0..5 {
            go(&mut shop, &Step::Finish(which));
            go(&mut shop, &Step::Over(which));
        }
        go(&mut shop, &Step::RaintekUp);
        go(&mut shop, &Step::BillingUp);
        for _ in 0..3 {
            shop.now += 61;
            chat.hears(&mut shop)?;
        }
        for (key, open) in &chat.open {
            prop_assert_eq!(*open, 0, "never resolved: {}", key);
        }
    }
}
