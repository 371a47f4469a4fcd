//! What every task has last seen, in memory: the state shown to people is made from it, and flows wait by it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Rules;
use super::backup::BackupBoard;
use super::scan::ScanBoard;
use super::surroundings::SurroundingsBoard;
use super::vanished::Compare;
use crate::model::fault::Fault;
use crate::model::ids::InvId;
use crate::model::invoice::TaxType;
use crate::model::status::{AwarenessStatus, LastPush, LinkStatus, ProductsStatus};
use crate::sync::backoff;
use crate::sync::health::Leg;
use crate::sync::room::Room;

/// Bills of RainTek's own within this time slow the catch-up down.
const TILL_BUSY: TimeDelta = TimeDelta::minutes(2);

/// Bills of RainTek's own that are seen so close together, and so often in a row, are not one till's.
const AT_ONCE: TimeDelta = TimeDelta::milliseconds(1500);
const STREAK: u32 = 4;
/// Whoever was sent ahead of a long queue keeps tills off the rest of it; numbers that came since are looked for again.
const LED_FOR: TimeDelta = TimeDelta::seconds(10);

/// One side's connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    pub(super) status: LinkStatus,
    pub(super) failing_since: Option<DateTime<Utc>>,
    failures: u32,
}

impl Link {
    fn new(target: &str) -> Self {
        Self { status: LinkStatus { target: target.to_owned(), ..LinkStatus::default() }, ..Self::default() }
    }

    fn ok(&mut self, now: DateTime<Utc>, latency: Duration) -> Option<TimeDelta> {
        let back_after = self.failing_since.take().map(|since| now - since);
        if !self.status.connected {
            self.status.since = Some(now);
        }
        self.failures = 0;
        self.status.connected = true;
        self.status.latency_ms = u64::try_from(latency.as_millis()).ok();
        self.status.last_ok = Some(now);
        self.status.sentence = None;
        self.status.detail = None;
        self.status.next_try = None;
        back_after
    }

    /// Returns whether it was well until now.
    fn failed(&mut self, fault: &Fault, now: DateTime<Utc>, jitter: u32) -> bool {
        let was_well = self.failing_since.is_none();
        self.failing_since.get_or_insert(now);
        if self.status.connected || self.status.since.is_none() {
            self.status.since = Some(now);
        }
        self.status.connected = false;
        self.status.sentence = Some(fault.sentence.clone());
        self.status.detail = Some(fault.detail.clone());
        // Everything that was on its way fails at once when a side goes: that is one failure, not ten.
        if self.status.next_try.is_none_or(|at| at <= now) {
            self.failures = self.failures.saturating_add(1);
            let wait = backoff::link_retry(self.failures, jitter);
            self.status.next_try = Some(now + TimeDelta::from_std(wait).unwrap_or_default());
        }
        was_well
    }

    pub(super) fn leg(&self) -> Leg {
        Leg {
            last_ok: self.status.last_ok,
            failing_since: self.failing_since,
            sentence: self.status.sentence.clone().unwrap_or_default(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) started: DateTime<Utc>,
    pub(super) raintek: Link,
    pub(super) billing: Link,
    pub(super) invoices: Leg,
    pub(super) products: Leg,
    pub(super) products_status: ProductsStatus,
    pub(super) bills: Leg,
    pub(super) bills_status: AwarenessStatus,
    /// A person asked: what the app refused is tried again, too.
    pub(super) bills_asked: bool,
    /// The app may hold other products than remembered: compare with what it really holds.
    pub(super) compare_products: bool,
    pub(super) realtime_down_since: Option<DateTime<Utc>>,
    pub(super) last_push: Option<LastPush>,
    pub(super) paused_until: Option<DateTime<Utc>>,
    pub(super) sending: u64,
    pub(super) backup: BackupBoard,
    pub(super) scan: ScanBoard,
    /// Something was put right: what a scan found is looked at anew.
    pub(super) scan_findings_asked: bool,
    /// Our own store: whether it takes what must be kept.
    pub(super) store: Leg,
    /// What was seen earlier proves nothing any more.
    pub(super) proof_since: DateTime<Utc>,
    /// The last sign of life that is stored.
    pub(super) heartbeat: Option<DateTime<Utc>>,
    /// When the run before this one was last seen, where it ended without a word.
    pub(super) cut_off: Option<DateTime<Utc>>,
    /// Which of the booked invoices are to be looked for in the app.
    pub(super) compare_invoices: Compare,
    /// The app lacks so many of them that it must be another database.
    pub(super) another_database: Option<String>,
    /// It was seen not to in this run.
    pub(super) database_proven: bool,
    pub(super) surroundings: SurroundingsBoard,
    highest_bill: Option<InvId>,
    till_billed: Option<DateTime<Utc>>,
    /// How often in a row new bills of tills were seen shortly after others.
    streak: u32,
    /// Of GST and of NON GST bills.
    rooms: [Room; 2],
    /// When all that waits was last looked through for whom to send ahead.
    led: Option<DateTime<Utc>>,
}

/// Shared by all tasks; locked only for a moment, never across an await.
#[derive(Debug)]
pub(super) struct Board {
    seen: Mutex<Seen>,
}

impl Board {
    pub(super) fn new(started: DateTime<Utc>, rules: &Rules) -> Self {
        Self {
            seen: Mutex::new(Seen {
                started,
                raintek: Link::new(&rules.raintek),
                billing: Link::new(&rules.billing),
                invoices: Leg::default(),
                products: Leg::default(),
                products_status: ProductsStatus::default(),
                bills: Leg::default(),
                bills_status: AwarenessStatus::default(),
                bills_asked: false,
                compare_products: true,
                realtime_down_since: Some(started),
                last_push: None,
                paused_until: None,
                sending: 0,
                backup: BackupBoard::default(),
                scan: ScanBoard::default(),
                scan_findings_asked: false,
                store: Leg::default(),
                proof_since: started,
                heartbeat: None,
                cut_off: None,
                compare_invoices: Compare::All,
                another_database: None,
                database_proven: false,
                surroundings: SurroundingsBoard::default(),
                highest_bill: None,
                till_billed: None,
                streak: 0,
                rooms: [Room::default(); 2],
                led: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.lock())
    }

    pub(super) fn raintek_ok(&self, now: DateTime<Utc>, latency: Duration) -> Option<TimeDelta> {
        self.lock().raintek.ok(now, latency)
    }

    pub(super) fn raintek_failed(&self, fault: &Fault, now: DateTime<Utc>, jitter: u32) {
        self.lock().raintek.failed(fault, now, jitter);
    }

    pub(super) fn billing_ok(&self, now: DateTime<Utc>, latency: Duration) -> Option<TimeDelta> {
        self.lock().billing.ok(now, latency)
    }

    pub(super) fn billing_failed(&self, fault: &Fault, now: DateTime<Utc>, jitter: u32) {
        self.lock().billing.failed(fault, now, jitter);
    }

    /// Our own store did not take something.
    pub(super) fn store_failed(&self, fault: &Fault, now: DateTime<Utc>) {
        let store = &mut self.lock().store;
        store.failing_since.get_or_insert(now);
        store.sentence.clone_from(&fault.sentence);
    }

    /// It took something; whether that is news.
    pub(super) fn store_ok(&self, now: DateTime<Utc>) -> bool {
        let store = &mut self.lock().store;
        store.last_ok = Some(now);
        store.sentence.clear();
        store.failing_since.take().is_some()
    }

    /// The PC slept, or its clock was set: everything is to be proven anew, and no time of before is waited for.
    pub(super) fn jumped(&self, now: DateTime<Utc>) {
        let seen = &mut *self.lock();
        seen.proof_since = now;
        for leg in [&mut seen.invoices, &mut seen.products, &mut seen.bills, &mut seen.store] {
            leg.last_ok = None;
            leg.failing_since = leg.failing_since.map(|since| since.min(now));
        }
        for link in [&mut seen.raintek, &mut seen.billing] {
            link.status.last_ok = None;
            link.status.next_try = None;
            link.status.since = link.status.since.map(|since| since.min(now));
            link.failing_since = link.failing_since.map(|since| since.min(now));
        }
        seen.till_billed = None;
        seen.realtime_down_since = seen.realtime_down_since.map(|since| since.min(now));
        seen.compare_products = true;
        seen.compare_invoices = Compare::All;
    }

    /// Whether both sides answered when last asked, so that sending makes sense.
    pub(super) fn both_up(&self) -> bool {
        let seen = self.lock();
        seen.raintek.status.connected && seen.billing.status.connected
    }

    /// Whether our own store takes what must be kept.
    pub(super) fn store_takes(&self) -> bool {
        self.lock().store.failing_since.is_none()
    }

    pub(super) fn is_paused(&self, now: DateTime<Utc>) -> bool {
        self.lock().paused_until.is_some_and(|until| until > now)
    }

    /// Whether a pause has ended since this was asked last. It stays ended, though the clock be put back.
    pub(super) fn pause_ended(&self, now: DateTime<Utc>) -> bool {
        let until = &mut self.lock().paused_until;
        until.take_if(|until| *until <= now).is_some()
    }

    /// A till took the number of an invoice that was on its way.
    pub(super) fn clash(&self, tax_type: TaxType, now: DateTime<Utc>) {
        room(&mut self.lock().rooms, tax_type).clash(now);
    }

    /// Whether there are so many tills that numbers are left to them. Asked where an invoice is about to take the next
    /// one all the same, so that there was too little room.
    pub(super) fn crowded(&self, tax_type: TaxType, now: DateTime<Utc>) -> bool {
        let mut seen = self.lock();
        let room = room(&mut seen.rooms, tax_type);
        let crowded = room.left(now) > 0;
        room.clash(now);
        crowded
    }

    /// How many numbers are left to RainTek's tills, of GST and of NON GST bills.
    pub(super) fn rooms(&self, now: DateTime<Utc>) -> [i32; 2] {
        self.lock().rooms.map(|room| room.left(now))
    }

    /// Whether it is time to look through all that waits for whom to send ahead; counts as done.
    pub(super) fn leads_again(&self, now: DateTime<Utc>) -> bool {
        let mut seen = self.lock();
        let again = seen.led.is_none_or(|at| now - at >= LED_FOR || now < at);
        if again {
            seen.led = Some(now);
        }
        again
    }

    /// A bill of ours is given this Inv_ID. Said before it is there, so that nobody takes it for a till's.
    pub(super) fn our_bill(&self, inv_id: InvId) {
        let mut seen = self.lock();
        seen.highest_bill = seen.highest_bill.max(Some(inv_id));
    }

    /// RainTek's highest bill; one that is neither known nor ours was made by a till.
    pub(super) fn highest_bill(&self, inv_id: InvId, now: DateTime<Utc>) {
        let mut seen = self.lock();
        if seen.highest_bill.is_some_and(|known| inv_id > known) {
            let at_once = seen.till_billed.is_some_and(|before| now - before < AT_ONCE);
            seen.streak = if at_once { seen.streak.saturating_add(1) } else { 0 };
            if seen.streak >= STREAK {
                seen.rooms.iter_mut().for_each(|room| room.several(now));
            }
            seen.till_billed = Some(now);
        }
        seen.highest_bill = seen.highest_bill.max(Some(inv_id));
    }

    /// Both sides were cleared of a trial: which bill is the highest is learnt anew, and nothing is in step until
    /// everything was looked at once more.
    pub(super) fn cleared(&self, now: DateTime<Utc>) {
        let seen = &mut *self.lock();
        seen.highest_bill = None;
        seen.proof_since = now;
        for leg in [&mut seen.invoices, &mut seen.products, &mut seen.bills] {
            leg.last_ok = None;
        }
        for link in [&mut seen.raintek, &mut seen.billing] {
            link.status.next_try = None;
        }
        seen.compare_products = true;
    }

    /// Whether RainTek's own till is billing, so that a catch-up gives way.
    pub(super) fn till_is_busy(&self, now: DateTime<Utc>) -> bool {
        self.lock().till_billed.is_some_and(|at| now - at < TILL_BUSY)
    }
}

fn room(rooms: &mut [Room; 2], tax_type: TaxType) -> &mut Room {
    let [gst, non_gst] = rooms;
    match tax_type {
        TaxType::Gst => gst,
        TaxType::NonGst => non_gst,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fault::Scope;

    #[test]
    fn a_number_that_a_till_took_leaves_tills_more_room_in_that_series() {
        let at = |milliseconds| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds);
        let board = Board::new(at(0), &crate::engine::rules_for_tests());
        assert_eq!(board.rooms(at(0)), [0, 0]);
        (0..9).for_each(|n| board.highest_bill(n, at(n.into())));
        assert_eq!(board.rooms(at(9)), [1, 1], "there are several");
        board.clash(TaxType::NonGst, at(2_000));
        assert_eq!(board.rooms(at(2_000)), [1, 2]);
    }

    #[test]
    fn after_a_jump_nothing_counts_as_proven_and_no_time_of_before_is_waited_for() {
        let at = |seconds| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        let fault = Fault::transient(Scope::Pos, "RainTek's database is not answering.");
        let board = Board::new(at(1000), &crate::engine::rules_for_tests());
        board.billing_ok(at(1010), Duration::ZERO);
        board.raintek_failed(&fault, at(1010), 0);
        board.update(|seen| {
            seen.invoices.last_ok = Some(at(1010));
            seen.compare_invoices = Compare::Nothing;
        });
        // The clock is set back by a quarter of an hour.
        board.jumped(at(110));
        let seen = board.seen();
        assert_eq!((seen.proof_since, seen.invoices.last_ok), (at(110), None));
        assert_eq!((seen.billing.status.last_ok, seen.raintek.status.next_try), (None, None));
        assert_eq!(seen.raintek.failing_since, Some(at(110)), "not in the future");
        assert!(seen.billing.status.connected && !seen.raintek.status.connected);
        assert_eq!(seen.compare_invoices, Compare::All);
    }

    #[test]
    fn a_queue_is_looked_through_for_its_leaders_every_ten_seconds() {
        let board = Board::new(DateTime::<Utc>::UNIX_EPOCH, &crate::engine::rules_for_tests());
        let at = |seconds| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(seconds);
        for (seconds, again) in [(100, true), (100, false), (109, false), (110, true), (119, false)] {
            assert_eq!(board.leads_again(at(seconds)), again, "{seconds}");
        }
        assert!(board.leads_again(at(50)), "the clock was set back");
        assert!(!board.leads_again(at(51)));
    }

    #[test]
    fn room_is_made_for_several_tills_and_not_for_one() {
        let board = Board::new(DateTime::<Utc>::UNIX_EPOCH, &crate::engine::rules_for_tests());
        let at = |milliseconds| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds);
        board.highest_bill(7, at(0));
        assert!(!board.till_is_busy(at(0)), "what was there before says nothing");
        board.our_bill(8);
        board.highest_bill(8, at(10));
        assert!(!board.till_is_busy(at(10)), "ours is no till's");
        // A till every two seconds.
        for bill in 0..10 {
            board.highest_bill(10 + bill, at(1000 + i64::from(bill) * 2000));
        }
        assert!(board.till_is_busy(at(20_000)));
        assert_eq!(board.rooms(at(20_000)), [0, 0]);
        assert!(!board.crowded(TaxType::Gst, at(20_000)));
        // Several at once.
        for bill in 0..5 {
            board.highest_bill(20 + bill, at(30_000 + i64::from(bill) * 500));
        }
        assert_eq!(board.rooms(at(32_000)), [1, 1]);
        assert!(board.crowded(TaxType::NonGst, at(34_000)));
        assert_eq!(board.rooms(at(34_000)), [1, 2], "it was too little");
        assert!(!board.till_is_busy(at(1_000_000)));
    }

    #[test]
    fn what_fails_together_counts_as_one_failure() {
        let fault = Fault::transient(Scope::Billing, "The billing app is not answering.");
        let start = DateTime::<Utc>::UNIX_EPOCH;
        let mut link = Link::new("app");
        for late in 0..20 {
            link.failed(&fault, start + TimeDelta::milliseconds(late), 0);
        }
        assert_eq!(link.status.next_try, Some(start + TimeDelta::seconds(1)));
        // Each try that fails waits twice as long.
        let tried = start + TimeDelta::seconds(1);
        link.failed(&fault, tried, 0);
        assert_eq!(link.status.next_try, Some(tried + TimeDelta::seconds(2)));
        link.ok(tried, Duration::ZERO);
        link.failed(&fault, tried, 0);
        assert_eq!(link.status.next_try, Some(tried + TimeDelta::seconds(1)));
    }
}
