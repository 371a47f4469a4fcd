//! Bills of RainTek's own, RainTek -> app; and bills of ours that somebody touched there.
//!
//! A pass walks through RainTek's bills twice: those above the cursor, which are new, and those of the window, whose
//! digest tells whether they were edited. What the window no longer shows was deleted; each such bill is asked for
//! once more by its own Inv_ID before that is believed.

mod links;
mod ours;
mod show;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use super::Shared;
use super::trial::{has_our_mark, is_disowned};
use crate::model::alert::Event;
use crate::model::awareness::{BillKey, BillPage, BillState, KnownBill};
use crate::model::bill::FoundBill;
use crate::model::fault::{Action, Fault, Scope};
use crate::model::ids::InvId;
use crate::model::status::{Entry, Progress};
use crate::sync::awareness::{day, found_digest, is_suspicious, is_whole, key};

pub(super) use ours::{proven_unmarked, remember_proven, rewrite};

/// Where the walk through new bills goes on, in the store.
const CURSOR: &str = "bills.cursor";
/// The day from which history is shown, fixed by the first pass.
const FROM: &str = "bills.from";
/// Bills in one page.
const PAGE: u32 = 200;
/// A pass that failed of itself is made again this soon.
const FAILED: Duration = Duration::from_secs(30);
/// What was seen half is looked at again this soon.
const AGAIN: Duration = Duration::from_secs(3);
/// Bills the app refused are tried again this often, beside at a start and on demand.
const REFUSED_EVERY: TimeDelta = TimeDelta::minutes(5);

/// What is kept between passes; nothing is lost with it.
#[derive(Debug, Default)]
struct Memory {
    /// Bills that were seen half, or with a product the app does not have: looked at once more before they are taken.
    doubted: HashMap<BillKey, String>,
    refused_tried: Option<DateTime<Utc>>,
}

/// One pass.
struct Pass<'a> {
    shared: &'a Shared,
    memory: &'a mut Memory,
    /// What was remembered when it began, and since.
    known: HashMap<BillKey, KnownBill>,
    window: NaiveDate,
    retry_refused: bool,
    /// Many bills at once are not journalled one by one.
    quiet: bool,
    links: Option<links::Links>,
    doubts: HashMap<BillKey, String>,
    put: Vec<KnownBill>,
    forget: Vec<BillKey>,
    journal: Vec<Entry>,
    /// For people off the PC, told once what they are of is stored.
    events: Vec<Event>,
    shown: u64,
}

pub(super) async fn run(shared: Arc<Shared>) {
    let mut memory = Memory::default();
    while !shared.stopping() {
        let now = shared.now();
        let flow = shared.trial.flow().await.filter(|_| shared.trial.may_begin_to_write());
        let ready = flow.is_some() && shared.board.both_up() && !shared.board.is_paused(now);
        let mut wait = shared.rules.awareness.every;
        if ready && !products_looked_at(&shared) {
            // Lines are linked with products: those come first where they can, and say so.
            wait = Duration::from_secs(1);
        } else if ready {
            match pass(&shared, &mut memory).await {
                Ok(again) => {
                    if again {
                        wait = wait.min(AGAIN);
                    }
                    let now = shared.now();
                    shared.board.update(|seen| {
                        seen.bills.last_ok = Some(now);
                        seen.bills.failing_since = None;
                        seen.bills.sentence.clear();
                        seen.bills_status.last_pass = Some(now);
                        seen.bills_status.sentence = None;
                        seen.bills_status.progress = None;
                    });
                }
                Err(fault) => {
                    wait = wait.min(FAILED);
                    shared.log("bills", &fault);
                    let news = shared.board.update(|seen| {
                        seen.bills.failing_since.get_or_insert(now);
                        seen.bills.sentence.clone_from(&fault.sentence);
                        seen.bills_status.progress = None;
                        let before = seen.bills_status.sentence.replace(fault.sentence.clone());
                        before.as_deref() != Some(fault.sentence.as_str())
                    });
                    if news && !fault.is_outage() {
                        shared.journal("bills", "", fault.sentence.clone()).await;
                    }
                    shared.note_outage(&fault);
                }
            }
            shared.signals.publish.notify_one();
        }
        drop(flow);
        shared.wait(&shared.signals.bills, wait).await;
    }
}

/// Has bills above this Inv_ID looked at once more.
pub(super) async fn go_back_to(shared: &Shared, inv_id: InvId) -> Result<(), Fault> {
    let cursor: Option<InvId> = shared.world.state.get(CURSOR).await?.and_then(|text| text.parse().ok());
    if cursor.is_some_and(|cursor| cursor > inv_id) {
        shared.world.state.set(CURSOR, Some(&inv_id.to_string())).await?;
    }
    Ok(())
}

pub(super) fn products_looked_at(shared: &Shared) -> bool {
    let seen = shared.board.seen();
    seen.products.last_ok.is_some() || seen.products.failing_since.is_some()
}

/// Returns whether something was seen half and is to be looked at again soon.
async fn pass(shared: &Shared, memory: &mut Memory) -> Result<bool, Fault> {
    let now = shared.now();
    let rules = &shared.rules.awareness;
    let today = now.with_timezone(&shared.rules.zone).date_naive();
    let back = |days: u32| today.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN);
    let from = match shared.world.state.get(FROM).await?.and_then(|text| text.parse().ok()) {
        Some(from) => from,
        None => {
            let from = rules.history_from.unwrap_or_else(|| back(rules.history_days));
            shared.world.state.set(FROM, Some(&from.to_string())).await?;
            from
        }
    };
    let window = back(rules.window_days).max(from);
    let cursor: Option<InvId> = shared.world.state.get(CURSOR).await?.and_then(|text| text.parse().ok());
    let known = shared.world.state.known_bills(if cursor.is_some() { window } else { from }).await?;
    let asked = shared.board.update(|seen| std::mem::take(&mut seen.bills_asked));
    let retry_refused = asked || memory.refused_tried.is_none_or(|at| now - at >= REFUSED_EVERY);
    if retry_refused {
        memory.refused_tried = Some(now);
    }
    let known: HashMap<BillKey, KnownBill> = known.into_iter().map(|bill| (bill.key(), bill)).collect();
    let mut pass = Pass {
        shared,
        memory,
        known,
        window,
        retry_refused,
        quiet: false,
        links: None,
        doubts: HashMap::new(),
        put: Vec::new(),
        forget: Vec::new(),
        journal: Vec::new(),
        events: Vec::new(),
        shown: 0,
    };
    pass.refuse_another_database().await?;
    pass.new_bills(cursor.unwrap_or_default(), from).await?;
    let seen = pass.window_bills().await?;
    pass.missing_bills(&seen).await?;
    let again = !pass.doubts.is_empty();
    let doubts = std::mem::take(&mut pass.doubts);
    memory.doubted = doubts;
    Ok(again)
}

impl Pass<'_> {
    /// Nothing is written when most of the bills are gone at once: that is another database, or a backup put back.
    async fn refuse_another_database(&self) -> Result<(), Fault> {
        let page = BillPage { after: 0, from: Some(self.window), limit: PAGE };
        let shown = usize::try_from(self.shared.world.pos.count_bills(&page).await?).unwrap_or(usize::MAX);
        let known = self.known.values().filter(|bill| is_expected(bill, self.window)).count();
        if !is_suspicious(known, shown) {
            return Ok(());
        }
        Err(Fault::transient(
            Scope::Item,
            format!("RainTek shows {shown} bills where {known} were known; none was cancelled in the app."),
        )
        .action(Action::CallSupport))
    }

    /// Bills above the cursor. It moves after each page is stored, so that a long first run goes on where it was.
    async fn new_bills(&mut self, cursor: InvId, from: NaiveDate) -> Result<(), Fault> {
        let mut page = BillPage { after: cursor, from: Some(from), limit: PAGE };
        let total = self.shared.world.pos.count_bills(&page).await?;
        self.quiet = total > u64::from(PAGE);
        let mut done = 0_u64;
        loop {
            if self.quiet {
                self.shared.board.update(|seen| seen.bills_status.progress = Some(Progress { done, total }));
                self.shared.signals.publish.notify_one();
            }
            let bills = self.shared.world.pos.bills(&page).await?;
            let last = bills.iter().map(FoundBill::inv_id).max();
            for bill in &bills {
                self.look_at(bill).await?;
            }
            self.store().await?;
            let Some(last) = last else { break };
            self.shared.world.state.set(CURSOR, Some(&last.to_string())).await?;
            page.after = last;
            done += u64::try_from(bills.len()).unwrap_or_default();
            // A long first run goes on where it was: who is stopping, or going live, need not wait for it.
            let is_wanted_to_end = self.shared.stopping() || self.shared.trial.going_live();
            if is_last(&bills) || is_wanted_to_end {
                break;
            }
        }
        if self.quiet && self.shown > 0 {
            let sentence = format!("{} bills of RainTek are shown in the billing app.", self.shown);
            self.shared.journal("bills", "", sentence).await;
        }
        self.quiet = false;
        Ok(())
    }

    /// Every bill of the window, compared with what is remembered. Returns what is there.
    async fn window_bills(&mut self) -> Result<HashSet<BillKey>, Fault> {
        let mut seen = HashSet::new();
        let mut page = BillPage { after: 0, from: Some(self.window), limit: PAGE };
        loop {
            let bills = self.shared.world.pos.bills(&page).await?;
            for bill in &bills {
                seen.insert(key(bill));
                self.look_at(bill).await?;
            }
            self.store().await?;
            if is_last(&bills) {
                return Ok(seen);
            }
            page.after = bills.last().map_or(page.after, FoundBill::inv_id);
            if self.shared.stopping() {
                return Err(Fault::transient(Scope::Item, "ShopSync is stopping."));
            }
        }
    }

    /// What the window no longer shows.
    async fn missing_bills(&mut self, seen: &HashSet<BillKey>) -> Result<(), Fault> {
        let window = self.window;
        let missing: Vec<KnownBill> = self
            .known
            .values()
            .filter(|bill| bill.day >= window && !seen.contains(&bill.key()))
            .filter(|bill| bill.state != BillState::Cancelled)
            .cloned()
            .collect();
        for known in missing {
            self.look_for(&known).await?;
            self.store().await?;
        }
        Ok(())
    }

    /// One bill as it stands in RainTek.
    async fn look_at(&mut self, bill: &FoundBill) -> Result<(), Fault> {
        let (key, digest) = (key(bill), found_digest(bill));
        let mut known = match self.known.get(&key) {
            Some(known) => Some(known.clone()),
            // Older than the window when it was remembered: somebody gave it another day.
            None => self.shared.world.state.known_bill(&key).await?,
        };
        if let Some(ours) = known.take_if(|known| known.state.is_ours() && known.digest != digest)
            && !self.was_given_out_again(&ours, bill).await?
        {
            known = Some(ours);
        }
        if known.as_ref().is_some_and(|known| known.state == BillState::Unclaimed)
            && !has_our_mark(self.shared, bill)
        {
            // Somebody took our mark off: it is RainTek's own now.
            self.no_longer_unclaimed(&key);
            known = None;
        }
        match &known {
            Some(known) if known.state == BillState::Unclaimed => {
                return self.claim(bill, known, digest).await;
            }
            Some(known) if known.state.is_ours() => return self.compare_ours(known, &digest).await,
            // RainTek's own was deleted, and ours was given its Inv_ID and number: not proven yet, or it would be known.
            Some(known) if has_our_mark(self.shared, bill) => {
                if known.state != BillState::Cancelled {
                    return self.cancel(known).await;
                }
                self.forget(key);
                return self.first_sight_of_ours(bill, digest).await;
            }
            Some(known) if known.digest == digest => {
                let settled = known.state == BillState::Shown
                    || known.state == BillState::Refused && !self.retry_refused;
                if settled {
                    return Ok(());
                }
            }
            _ => {}
        }
        if known.is_none() && self.is_ours(bill).await? {
            return self.first_sight_of_ours(bill, digest).await;
        }
        let Some(bill_day) = day(bill) else { return Ok(()) };
        let doubtful = !is_whole(bill) || !self.products_are_known(bill).await?;
        if doubtful && bill_day >= self.window && self.memory.doubted.get(&key) != Some(&digest) {
            self.doubts.insert(key, digest);
            return Ok(());
        }
        self.show(bill, known.as_ref(), bill_day, digest).await
    }

    /// A bill that was known and is not in the window: moved to another day, or deleted.
    async fn look_for(&mut self, known: &KnownBill) -> Result<(), Fault> {
        if let Some(bill) = self.read_one(known).await? {
            return self.look_at(&bill).await;
        }
        match known.state {
            BillState::Proven | BillState::Edited | BillState::Gone | BillState::Unclaimed => {
                self.ours_is_gone(known).await
            }
            BillState::Refused if !self.retry_refused => Ok(()),
            BillState::Refused | BillState::Shown => self.cancel(known).await,
            BillState::Cancelled => Ok(()),
        }
    }

    /// The bill by its own Inv_ID, whatever its day; `None` where it is not there, or another has its Inv_ID.
    async fn read_one(&self, known: &KnownBill) -> Result<Option<FoundBill>, Fault> {
        let page = BillPage { after: known.inv_id.saturating_sub(1), from: None, limit: 1 };
        let bills = self.shared.world.pos.bills(&page).await?;
        Ok(bills.into_iter().find(|bill| key(bill) == known.key()))
    }

    /// Whether the app made it: by our mark, or because the store knows the Inv_ID under this number.
    async fn is_ours(&self, bill: &FoundBill) -> Result<bool, Fault> {
        if is_disowned(self.shared, &key(bill)) {
            return Ok(false);
        }
        if bill.has_our_mark() {
            return Ok(true);
        }
        Ok(self.shared.world.state.proven_as(&key(bill)).await?.is_some())
    }

    fn keep(&mut self, bill: KnownBill) {
        self.known.insert(bill.key(), bill.clone());
        self.put.push(bill);
    }

    fn forget(&mut self, key: BillKey) {
        self.known.remove(&key);
        self.forget.push(key);
    }

    fn say(&mut self, number: &str, sentence: String) {
        if !self.quiet {
            let at = self.shared.now();
            self.journal.push(Entry { at, kind: "bills", number: number.to_owned(), sentence });
        }
    }

    /// What was learnt is stored before the walk goes on.
    async fn store(&mut self) -> Result<(), Fault> {
        if !(self.put.is_empty() && self.forget.is_empty() && self.journal.is_empty()) {
            self.shared.world.state.put_bills(&self.put, &self.forget, &self.journal).await?;
            self.put.clear();
            self.forget.clear();
            self.journal.clear();
            self.shared.signals.publish.notify_one();
        }
        for event in self.events.drain(..) {
            self.shared.raise(event).await;
        }
        Ok(())
    }
}

/// Whether RainTek should show the bill among those since that day.
fn is_expected(bill: &KnownBill, since: NaiveDate) -> bool {
    bill.state.stands() && bill.day >= since
}

/// Whether nothing can follow this page.
fn is_last(bills: &[FoundBill]) -> bool {
    bills.len() < usize::try_from(PAGE).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_is_expected_where_it_stands_and_is_not_too_old() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let bill = |state, at| KnownBill {
            inv_id: 1,
            number: "GST-1".into(),
            day: day(at),
            digest: String::new(),
            record_id: None,
            state,
            sentence: None,
        };
        let expected = |state, at| is_expected(&bill(state, at), day(10));
        assert!(expected(BillState::Shown, 10) && expected(BillState::Proven, 11));
        assert!(!expected(BillState::Shown, 9) && !expected(BillState::Cancelled, 10));
    }

    #[test]
    fn behind_a_full_page_there_may_be_more() {
        let page = |bills| is_last(&vec![FoundBill::default(); bills]);
        assert_eq!([0, 199, 200].map(page), [true, true, false]);
    }
}
