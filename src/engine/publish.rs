//! Makes the published state from what was last seen.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::{Rules, Shared, trial};
use crate::model::awareness::{BillState, KnownBill};
use crate::model::backup::BackupsStatus;
use crate::model::fault::{Action, Fault};
use crate::model::health::HealthState;
use crate::model::outbox::{Item, ItemState};
use crate::model::scan::ScanStatus;
use crate::model::status::{
    AwarenessStatus, BillProblem, Counts, ItemStatus, LinkStatus, MAX_ACTIVITY, MAX_ITEMS, ProductsStatus,
    Snapshot,
};
use crate::model::trial::TrialStatus;
use crate::ports::Overview;
use crate::sync::health::{Looks, assess, summary};

/// States age without any event: they are made anew this often.
const EVERY: Duration = Duration::from_secs(5);
/// Not more often than this, however much happens.
const AT_MOST: Duration = Duration::from_millis(150);
/// So long after something happened.
const TOGETHER: Duration = Duration::from_millis(30);
/// Between two states while nothing is proven yet: whoever started the PC waits for it.
const AT_MOST_AT_FIRST: Duration = Duration::from_millis(15);

pub(super) async fn run(shared: Arc<Shared>) {
    while !shared.stopping() {
        let mut pause = AT_MOST;
        match snapshot(&shared).await {
            Ok(snapshot) => {
                if snapshot.state == HealthState::Starting {
                    pause = AT_MOST_AT_FIRST;
                }
                shared.snapshot.send_replace(Arc::new(snapshot));
            }
            Err(fault) => {
                shared.log("publish", &fault);
                // What cannot be read cannot be green.
                shared.snapshot.send_modify(|snapshot| {
                    let mut failed = Snapshot::clone(snapshot);
                    failed.at = shared.now();
                    failed.state = HealthState::Failing;
                    failed.sentence = fault.sentence.clone();
                    *snapshot = Arc::new(failed);
                });
            }
        }
        shared.pause(pause).await;
        shared.wait(&shared.signals.publish, EVERY).await;
        if pause == AT_MOST {
            // What is on its way goes first: showing it asks the store seven things.
            shared.pause(TOGETHER).await;
        }
    }
}

/// Before anything was seen.
pub(super) fn empty(rules: &Rules, started: DateTime<Utc>) -> Snapshot {
    let link = |target: &str| LinkStatus { target: target.to_owned(), ..LinkStatus::default() };
    Snapshot {
        version: rules.version.clone(),
        at: started,
        started,
        state: HealthState::Starting,
        sentence: "Looking at both sides.".into(),
        summary: String::new(),
        raintek: link(&rules.raintek),
        billing: link(&rules.billing),
        realtime: false,
        products: ProductsStatus::default(),
        from_raintek: AwarenessStatus::default(),
        counts: Counts::default(),
        items: Vec::new(),
        last_push: None,
        paused_until: None,
        backups: BackupsStatus::default(),
        scan: ScanStatus::default(),
        heartbeat: None,
        cut_off: None,
        trial: TrialStatus::default(),
        activity: Vec::new(),
    }
}

async fn snapshot(shared: &Shared) -> Result<Snapshot, Fault> {
    let now = shared.now();
    let state = &shared.world.state;
    let today = now.with_timezone(&shared.rules.zone).date_naive();
    let most = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let overview = state.overview(today, most(MAX_ITEMS), most(MAX_ACTIVITY)).await?;
    let Overview { counts, items, last_done, shown_bills, problems, activity } = &*overview;
    let (counts, (bills_today, bills_total)) = (*counts, *shown_bills);
    let seen = shared.board.seen();
    let held = items.iter().find(|item| item.state == ItemState::Held || overdue(item));
    let failing = |item: &&Item| item.first_failed.is_some();
    let looks = Looks {
        now,
        started: seen.proof_since,
        zone: shared.rules.zone,
        raintek: seen.raintek.leg(),
        billing: seen.billing.leg(),
        invoices: seen.invoices.clone(),
        products: seen.products.clone(),
        products_fresh: TimeDelta::from_std(shared.rules.products_every * 2).unwrap_or(TimeDelta::hours(1)),
        bills: seen.bills.clone(),
        bills_fresh: TimeDelta::from_std(shared.rules.awareness.every * 2).unwrap_or(TimeDelta::hours(1)),
        mismatch: bill_trouble(problems, today, shared.rules.awareness.window_days),
        realtime_down_since: seen.realtime_down_since,
        counts,
        oldest_waiting: oldest_waiting(items, shared.trial.watching()),
        // What a person is to decide about an invoice that stands in RainTek keeps no money from the books.
        oldest_failure: items
            .iter()
            .filter(|item| item.action() != Action::RemoveOrLeave)
            .filter_map(|item| item.first_failed)
            .min(),
        retrying: u64::try_from(
            items.iter().filter(failing).filter(|item| item.state != ItemState::Held).count(),
        )
        .unwrap_or_default(),
        held: held.map(|item| (item.number.clone(), sentence_of(item))),
        sending: seen.sending,
        paused_until: seen.paused_until,
        backup: seen.backup.status.sentence.clone(),
        schema_hold: seen.backup.status.schema_hold.clone(),
        first_backup: shared.sources.get().is_some() && !seen.backup.has_begun(today),
        store: seen.store.clone(),
        problems: seen
            .another_database
            .iter()
            .chain(seen.surroundings.sentences())
            .cloned()
            .chain(seen.scan.trouble(now, seen.started, shared.rules.zone))
            .chain(seen.raintek.status.problems.iter().cloned())
            .collect(),
    };
    let verdict = trial::in_mode(shared, assess(&looks), counts.waiting);
    let last = last_done.as_ref().map(|(number, at)| (number.as_str(), *at));
    Ok(Snapshot {
        version: shared.rules.version.clone(),
        at: now,
        started: seen.started,
        state: verdict.state,
        sentence: verdict.sentence,
        summary: summary(&counts, last, now),
        realtime: seen.realtime_down_since.is_none(),
        items: items
            .iter()
            .map(|item| {
                let status = item_status(item, items, &seen.raintek.status, &seen.billing.status);
                match shared.trial.plan_of(&item.record_id) {
                    Some(plan) => watched(status, plan),
                    None => status,
                }
            })
            .collect(),
        raintek: seen.raintek.status,
        billing: seen.billing.status,
        products: seen.products_status,
        from_raintek: AwarenessStatus {
            total: bills_total,
            today: bills_today,
            problems: problems.iter().map(bill_problem).collect(),
            ..seen.bills_status
        },
        counts,
        last_push: seen.last_push,
        paused_until: seen.paused_until.filter(|until| *until > now),
        backups: seen.backup.status,
        scan: seen.scan.status,
        heartbeat: seen.heartbeat,
        cut_off: seen.cut_off,
        trial: trial::status(shared),
        activity: activity.clone(),
    })
}

/// The first bill that is not the same on both sides. One that the app refuses counts as long as it is followed: what
/// was wrong before the shop had ShopSync keeps nobody's state amber for ever.
fn bill_trouble(problems: &[KnownBill], today: NaiveDate, window_days: u32) -> Option<String> {
    let window = today.checked_sub_days(Days::new(window_days.into())).unwrap_or(NaiveDate::MIN);
    let counts = |bill: &&KnownBill| bill.state.is_mismatch() || bill.day >= window;
    problems.iter().find(counts).and_then(|bill| bill.sentence.clone())
}

fn bill_problem(bill: &KnownBill) -> BillProblem {
    let (action, command) = if bill.state == BillState::Unclaimed {
        (
            "Make the invoice again in the billing app under its number, or delete the bill in RainTek.",
            "sync_now",
        )
    } else if bill.state.is_mismatch() {
        ("Write it again as the app has it, or correct the invoice in the billing app.", "rewrite")
    } else {
        ("Correct the invoice in the billing app or the bill in RainTek; then look again.", "sync_now")
    };
    BillProblem {
        number: bill.number.clone(),
        inv_id: bill.inv_id,
        state: bill.state.name().to_owned(),
        sentence: bill.sentence.clone().unwrap_or_default(),
        action: action.to_owned(),
        command: command.to_owned(),
    }
}

/// An invoice whose lines stayed away beyond their grace needs a look, though it goes by itself when they come.
fn overdue(item: &Item) -> bool {
    item.state == ItemState::Incomplete && item.first_failed.is_some()
}

fn sentence_of(item: &Item) -> String {
    item.fault.as_ref().map(|fault| fault.sentence.clone()).unwrap_or_default()
}

/// Where it only watches, what would be done is what there is to say.
fn watched(status: ItemStatus, plan: String) -> ItemStatus {
    ItemStatus { sentence: plan, action: "Nothing is written while watch_only is set.".into(), ..status }
}

fn item_status(item: &Item, all: &[Item], raintek: &LinkStatus, billing: &LinkStatus) -> ItemStatus {
    let earlier =
        all.iter().any(|other| other.number == item.number && other.seq < item.seq && other.inv_id.is_none());
    let sentence = match (&item.fault, item.state) {
        (Some(fault), _) => fault.sentence.clone(),
        _ if earlier => format!("Waits for an earlier invoice of the number {}.", item.number),
        (None, ItemState::Unknown) => "RainTek's answer was lost; it is looked up first.".into(),
        (None, ItemState::Applied) => "It is in RainTek; the billing app is told next.".into(),
        (None, ItemState::Removing) => "It is being removed from RainTek.".into(),
        (None, ItemState::Leaving) => "It stays in RainTek; the billing app is told next.".into(),
        (None, ItemState::Sending) => "On its way to RainTek.".into(),
        _ => [raintek, billing]
            .iter()
            .find_map(|link| link.sentence.clone())
            .unwrap_or_else(|| "Waits for its turn.".into()),
    };
    ItemStatus {
        record_id: item.record_id.to_string(),
        number: item.number.clone(),
        customer: item.customer.clone(),
        amount: item.amount.map(|amount| format!("{amount:.2}")).unwrap_or_default(),
        state: item.state.name().into(),
        sentence,
        action: item.action().words().into(),
        action_kind: serde_json::to_value(item.action())
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default(),
        detail: item.fault.as_ref().map(|fault| fault.detail.clone()).unwrap_or_default(),
        tries: item.attempts,
        first_seen: item.first_seen,
        first_failed: item.first_failed,
        // While a side is away, nothing goes before that is tried again.
        next_try: [raintek.next_try, billing.next_try].into_iter().flatten().chain([item.next_try]).max(),
    }
}

/// Since when the oldest of them waits; where it only watches, they wait because nothing is sent.
fn oldest_waiting(items: &[Item], watches: bool) -> Option<DateTime<Utc>> {
    let waits =
        |item: &&Item| matches!(item.state, ItemState::Waiting | ItemState::Sending | ItemState::Unknown);
    items.iter().filter(waits).map(|item| item.first_seen).min().filter(|_| !watches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::item_for_tests;

    #[test]
    fn the_oldest_that_waits_is_said_unless_nothing_is_sent_at_all() {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let item = |state, seconds| Item { first_seen: at(seconds), ..item_for_tests(state, None) };
        let items = [item(ItemState::Waiting, 9), item(ItemState::Unknown, 5), item(ItemState::Held, 1)];
        assert_eq!(oldest_waiting(&items, false), Some(at(5)));
        assert_eq!(oldest_waiting(&items, true), None);
    }

    #[test]
    fn before_anything_was_seen_it_says_what_it_looks_at() {
        let rules =
            Rules { raintek: "SHOP".into(), billing: "app".into(), ..crate::engine::rules_for_tests() };
        let first = empty(&rules, DateTime::UNIX_EPOCH);
        assert_eq!((first.raintek.target.as_str(), first.billing.target.as_str()), ("SHOP", "app"));
        assert_eq!(first.state, HealthState::Starting);
    }

    #[test]
    fn nobody_is_called_for_an_invoice_that_is_on_its_way_or_whose_lines_may_still_come() {
        let calls = |state, first_failed| overdue(&Item { first_failed, ..item_for_tests(state, None) });
        let failed = Some(DateTime::UNIX_EPOCH);
        assert!(calls(ItemState::Incomplete, failed), "its lines stayed away beyond their grace");
        assert!(!calls(ItemState::Incomplete, None), "they may still come");
        assert!(!calls(ItemState::Waiting, failed), "it is tried again by itself");
        assert!(!calls(ItemState::Waiting, None));
        assert!(!calls(ItemState::Sending, None));
    }
}
