//! Keeps an eye on both sides: while one is away it is tried with backoff, and everything goes when it is back.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::Shared;
use super::vanished::app_is_back;
use crate::model::fault::Scope;
use crate::sync::posting::possible;

/// Between two looks at a side that is well.
const EVERY: Duration = Duration::from_secs(15);

pub(super) async fn run(shared: Arc<Shared>) {
    while !shared.stopping() {
        let now = shared.now();
        let due = |next: Option<chrono::DateTime<chrono::Utc>>| next.is_none_or(|at| at <= now);
        let seen = shared.board.seen();
        if due(seen.raintek.status.next_try) {
            raintek(&shared).await;
        }
        if due(seen.billing.status.next_try) {
            billing(&shared).await;
        }
        shared.signals.publish.notify_one();
        let seen = shared.board.seen();
        let now = shared.now();
        let wait = [seen.raintek.status.next_try, seen.billing.status.next_try]
            .into_iter()
            .flatten()
            .map(|at| (at - now).to_std().unwrap_or_default())
            .fold(EVERY, Duration::min);
        shared.wait(&shared.signals.links, wait.max(Duration::from_millis(100))).await;
    }
}

async fn raintek(shared: &Shared) {
    let started = shared.world.clock.elapsed();
    match shared.world.pos.probe().await {
        Ok(highest) => {
            let latency = shared.world.clock.elapsed().saturating_sub(started);
            shared.board.highest_bill(highest, shared.now());
            let first = shared.board.seen().raintek.status.last_ok.is_none();
            if let Some(away) = shared.board.raintek_ok(shared.now(), latency) {
                shared.journal("link", "", format!("RainTek is back after {}.", span(away))).await;
                wake_all(shared);
            } else if first {
                wake_all(shared);
            }
            posting(shared).await;
        }
        Err(mut fault) => {
            fault.scope = Scope::Pos;
            if shared.board.seen().raintek.failing_since.is_none() {
                shared.log("raintek", &fault);
                shared.journal("link", "", fault.sentence.clone()).await;
            }
            shared.board.raintek_failed(&fault, shared.now(), shared.world.clock.jitter());
        }
    }
}

/// What is to be posted and cannot be in this database is said, once, and shown as long as it is so.
async fn posting(shared: &Shared) {
    // Read at connect, so there is nothing to wait for; without it there is nothing to say yet.
    let Ok(schema) = shared.world.pos.schema().await else { return };
    let (_, problems) = possible(shared.rules.map.posting, &schema);
    let known =
        shared.board.update(|seen| std::mem::replace(&mut seen.raintek.status.problems, problems.clone()));
    for sentence in news(problems, &known) {
        shared.journal("note", "", sentence).await;
    }
}

/// What was not said before.
fn news(problems: Vec<String>, known: &[String]) -> impl Iterator<Item = String> {
    problems.into_iter().filter(|sentence| !known.contains(sentence))
}

async fn billing(shared: &Shared) {
    let started = shared.world.clock.elapsed();
    match shared.world.billing.probe().await {
        Ok(()) => {
            let latency = shared.world.clock.elapsed().saturating_sub(started);
            let first = shared.board.seen().billing.status.last_ok.is_none();
            if let Some(away) = shared.board.billing_ok(shared.now(), latency) {
                shared.journal("link", "", format!("The billing app is back after {}.", span(away))).await;
                // It may have come back with older data: compare with what it really holds.
                shared.board.update(|seen| seen.compare_products = true);
                app_is_back(shared);
                wake_all(shared);
            } else if first {
                wake_all(shared);
            }
        }
        Err(mut fault) => {
            fault.scope = Scope::Billing;
            if shared.board.seen().billing.failing_since.is_none() {
                shared.log("billing", &fault);
                shared.journal("link", "", fault.sentence.clone()).await;
            }
            shared.board.billing_failed(&fault, shared.now(), shared.world.clock.jitter());
        }
    }
}

pub(super) fn wake_all(shared: &Shared) {
    shared.signals.invoices.notify_one();
    shared.signals.push.notify_one();
    shared.signals.products.notify_one();
    shared.signals.bills.notify_one();
    // Until the app knows RainTek's numbers it gives none.
    shared.signals.numbers.notify_one();
    shared.signals.backup.notify_one();
    shared.signals.trial.notify_one();
}

fn span(time: TimeDelta) -> String {
    match time.num_seconds() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_not_said_again() {
        let text = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let said: Vec<String> = news(text(&["no stock", "no ledgers"]), &text(&["no stock"])).collect();
        assert_eq!(said, text(&["no ledgers"]));
    }
}
