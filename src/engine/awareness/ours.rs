//! Bills of the app as they stand in RainTek: whoever changed or deleted one there is not overwritten without a
//! person's word.

use rust_decimal::Decimal;

use super::Pass;
use crate::engine::restore::kept_apart;
use crate::engine::trial::has_our_mark;
use crate::engine::{Shared, scan};
use crate::model::alert::Event;
use crate::model::awareness::{BillKey, BillState, BillWrite, KnownBill};
use crate::model::bill::{Desired, Found, FoundBill};
use crate::model::fault::Fault;
use crate::model::ids::InvId;
use crate::model::invoice::InvoiceRead;
use crate::model::outbox::{Item, ItemState};
use crate::sync::awareness::{
    day, desired_digest, edited_sentence, found_digest, gone_sentence, key, tax_type, unclaimed_sentence,
};

/// Keeps the digest of a bill that was just proven. Called before the item itself is stored as done, so that no pass
/// ever compares a new bill with the digest of the one it replaced.
pub(in crate::engine) async fn remember_proven(
    shared: &Shared,
    desired: &Desired,
    inv_id: InvId,
) -> Result<(), Fault> {
    let date = match desired.info.get("InvoiceDate") {
        Some(crate::model::bill::Value::Date(at)) => at.date(),
        _ => return Ok(()),
    };
    let Some(digest) = desired_digest(desired) else { return Ok(()) };
    let number = desired.number.trim().to_owned();
    // A deleted bill of RainTek's own may have had this very Inv_ID and number: where the app still shows it, its
    // record is kept here until the next pass cancels it.
    let before = shared.world.state.known_bill(&BillKey::new(inv_id, &number)).await?;
    let shown = before.filter(|bill| bill.state != BillState::Cancelled).and_then(|bill| bill.record_id);
    let bill = KnownBill {
        inv_id,
        number,
        day: date,
        digest,
        record_id: shown,
        state: BillState::Proven,
        sentence: None,
    };
    shared.world.state.put_bills(&[bill], &[], &[]).await
}

/// The bill under the number that stands just as it was proven, though nothing in it says whose it is: an installation
/// without a column for our mark, or one in which the mark was lost.
pub(in crate::engine) async fn proven_unmarked(
    shared: &Shared,
    found: &Found,
    number: &str,
) -> Result<Option<InvId>, Fault> {
    for bill in found.bills.iter().filter(|bill| !bill.has_our_mark()) {
        let own = key(bill);
        if own != BillKey::new(own.inv_id, number) {
            continue;
        }
        let known = shared.world.state.known_bill(&own).await?;
        let is_proven = |known: &KnownBill| known.state == BillState::Proven;
        if known.filter(is_proven).is_some_and(|known| known.digest == found_digest(bill)) {
            return Ok(Some(own.inv_id));
        }
    }
    Ok(None)
}

/// A person says: the app is the master. Makes the app's invoice due again; returns how many there were.
pub(in crate::engine) async fn rewrite(shared: &Shared, number: &str) -> Result<u64, Fault> {
    let problems = shared.world.state.bill_problems(u32::MAX).await?;
    let wanted = number.trim();
    let mut written = 0;
    for known in problems {
        // What the app does not have cannot be written as the app has it.
        let rewritable = known.state.is_mismatch() && known.state != BillState::Unclaimed;
        if !rewritable || !known.number.trim().eq_ignore_ascii_case(wanted) {
            continue;
        }
        if let Some(mut item) = owner(shared, &known).await? {
            item.state = ItemState::Waiting;
            item.attempts = 0;
            item.next_try = shared.now();
            item.first_seen = shared.now();
            // What stands there is no longer what was proven.
            item.digest = None;
            item.failed_digest = None;
            shared.world.state.put(&item).await?;
            written += 1;
        }
        shared.raise(Event::MismatchOver { number: known.number.clone() }).await;
        // Proven anew, it is remembered anew.
        shared.world.state.put_bills(&[], &[known.key()], &[]).await?;
    }
    shared.signals.push.notify_one();
    shared.signals.publish.notify_one();
    scan::look_again(shared);
    Ok(written)
}

/// The app's invoice that was proven as this bill.
async fn owner(shared: &Shared, known: &KnownBill) -> Result<Option<Item>, Fault> {
    shared.world.state.proven_as(&known.key()).await
}

impl Pass<'_> {
    /// A bill of ours that was written before digests were kept, or by a ShopSync whose store was lost.
    pub(super) async fn first_sight_of_ours(
        &mut self,
        bill: &FoundBill,
        digest: String,
    ) -> Result<(), Fault> {
        let number = bill.info.text("InvoiceNo").trim().to_owned();
        let owner = self.shared.world.state.proven_as(&key(bill)).await?;
        // One that is on its way is remembered when it is proven.
        if owner.as_ref().is_some_and(|item| item.state != ItemState::Done) {
            return Ok(());
        }
        let Some(day) = day(bill) else { return Ok(()) };
        let claimed = owner.is_some()
            || self.app_has(&number).await?
            || kept_apart(self.shared, bill.inv_id(), &number).await?;
        // What is committed is proven a moment later: only who is alone at the second look as well is told of.
        if !claimed && self.memory.doubted.get(&key(bill)) != Some(&digest) {
            self.doubts.insert(key(bill), digest);
            return Ok(());
        }
        let inv_id = bill.inv_id();
        let known = KnownBill {
            inv_id,
            number,
            day,
            digest,
            record_id: None,
            state: BillState::Proven,
            sentence: None,
        };
        if claimed {
            return self.keep_unless_proven(known).await;
        }
        let sentence = unclaimed_sentence(&known.number, bill.info.decimal("GrandTotal"));
        tracing::warn!(number = known.number, inv_id, "{sentence}");
        self.say(&known.number, sentence.clone());
        self.keep(KnownBill { state: BillState::Unclaimed, sentence: Some(sentence), ..known });
        Ok(())
    }

    /// What was read a moment ago may be written anew by now: what that proves is not to be forgotten for it. Who is on
    /// the way now is remembered when it is proven, and who was is remembered already: asked in this order.
    async fn keep_unless_proven(&mut self, bill: KnownBill) -> Result<(), Fault> {
        let is_written = self.is_on_its_way(&bill.number).await?
            || self.shared.world.state.known_bill(&bill.key()).await?.is_some();
        if is_written {
            return Ok(());
        }
        self.keep(bill);
        self.store().await
    }

    async fn is_on_its_way(&self, number: &str) -> Result<bool, Fault> {
        let on_its_way = |item: &Item| {
            !matches!(item.state, ItemState::Held | ItemState::Incomplete)
                && item.number.trim().eq_ignore_ascii_case(number)
        };
        Ok(self.shared.world.state.open_items(u32::MAX).await?.iter().any(on_its_way))
    }

    /// A bill that nobody remembered: the app may have its invoice by now.
    pub(super) async fn claim(
        &mut self,
        bill: &FoundBill,
        known: &KnownBill,
        digest: String,
    ) -> Result<(), Fault> {
        let owner = self.shared.world.state.proven_as(&key(bill)).await?;
        if owner.is_none() && !self.app_has(&known.number).await? {
            return Ok(());
        }
        self.events.push(Event::MismatchOver { number: known.number.clone() });
        self.say(&known.number, format!("The app has {} again.", known.number));
        // As in `keep_unless_proven`: the digest of what was read would make a change of what is written since.
        let is_written = self.is_on_its_way(&known.number).await?
            || self.shared.world.state.known_bill(&known.key()).await?.as_ref() != Some(known);
        if is_written {
            return Ok(());
        }
        self.keep(KnownBill { state: BillState::Proven, sentence: None, digest, ..known.clone() });
        self.store().await
    }

    /// Nobody needs to look any more; what it is instead is seen next.
    pub(super) fn no_longer_unclaimed(&mut self, key: &BillKey) {
        self.events.push(Event::MismatchOver { number: key.number.clone() });
        self.forget(key.clone());
    }

    /// Whether a completed invoice of the app carries the number.
    async fn app_has(&self, number: &str) -> Result<bool, Fault> {
        Ok(!self.shared.world.billing.of_number(number).await?.is_empty())
    }

    /// A bill of ours stands where one of RainTek's own stood, under its Inv_ID and number. Returns what is known of it.
    async fn take_the_place(&mut self, known: &KnownBill) -> Result<KnownBill, Fault> {
        let Some(id) = known.record_id.clone() else { return Ok(known.clone()) };
        self.shared.world.billing.write_bill(&BillWrite::Cancel { id }).await?;
        let known = KnownBill { record_id: None, ..known.clone() };
        self.say(
            &known.number,
            format!("RainTek's own {} was deleted; the app shows it cancelled.", known.number),
        );
        self.keep(known.clone());
        Ok(known)
    }

    /// Whether ours was removed and RainTek gave its Inv_ID and number to a bill of its own. Then it is forgotten.
    pub(super) async fn was_given_out_again(
        &mut self,
        known: &KnownBill,
        bill: &FoundBill,
    ) -> Result<bool, Fault> {
        if has_our_mark(self.shared, bill) {
            return Ok(false);
        }
        match owner(self.shared, known).await? {
            None => {}
            // It was seen to be gone before: what stands there by now is no edit of it. The push says so, and a person
            // chooses another number.
            Some(mut item) if known.state == BillState::Gone && item.state == ItemState::Done => {
                item.state = ItemState::Waiting;
                item.attempts = 0;
                item.first_seen = self.shared.now();
                item.next_try = self.shared.now();
                item.inv_id = None;
                item.digest = None;
                self.shared.world.state.put(&item).await?;
                self.shared.signals.push.notify_one();
            }
            Some(_) => return Ok(false),
        }
        if known.state.is_mismatch() {
            self.events.push(Event::MismatchOver { number: known.number.clone() });
        }
        self.forget(known.key());
        Ok(true)
    }

    /// A bill of ours, by the digest that this pass saw.
    pub(super) async fn compare_ours(&mut self, known: &KnownBill, digest: &str) -> Result<(), Fault> {
        let known = &self.take_the_place(known).await?;
        if known.digest == digest {
            // What the digest does not follow may still differ.
            let is_right = known.state == BillState::Proven || self.is_right(known).await?;
            if known.state != BillState::Proven && is_right {
                self.events.push(Event::MismatchOver { number: known.number.clone() });
                self.say(&known.number, format!("{} stands in RainTek as the app has it.", known.number));
                self.keep(KnownBill { state: BillState::Proven, sentence: None, ..known.clone() });
            }
            return Ok(());
        }
        // It may have been written again since the page was read, or be on its way right now.
        let Some(invoice) = self.settled_owner(known).await? else { return Ok(()) };
        let Some(there) = self.read_one(known).await? else { return Ok(()) };
        let Some(fresh) = self.shared.world.state.known_bill(&known.key()).await? else { return Ok(()) };
        if self.settled_owner(known).await?.is_none() || found_digest(&there) == fresh.digest {
            return Ok(());
        }
        let total = there.info.decimal("GrandTotal");
        let sentence = edited_sentence(&known.number, invoice.amount, total);
        self.mismatch(fresh, BillState::Edited, sentence, invoice.amount, Some(total));
        Ok(())
    }

    /// RainTek has no bill under its Inv_ID and number any more.
    pub(super) async fn ours_is_gone(&mut self, known: &KnownBill) -> Result<(), Fault> {
        let Some(owner) = owner(self.shared, known).await? else {
            // Written again under another Inv_ID, or taken back.
            if known.state.is_mismatch() {
                self.events.push(Event::MismatchOver { number: known.number.clone() });
            }
            self.forget(known.key());
            return Ok(());
        };
        if owner.state != ItemState::Done || self.settled_owner(known).await?.is_none() {
            return Ok(());
        }
        let amount = owner.amount;
        let Some(fresh) = self.shared.world.state.known_bill(&known.key()).await? else { return Ok(()) };
        self.mismatch(fresh, BillState::Gone, gone_sentence(&known.number), amount, None);
        Ok(())
    }

    /// Whether a bill that was a mismatch needs nobody any more.
    async fn is_right(&self, known: &KnownBill) -> Result<bool, Fault> {
        match owner(self.shared, known).await? {
            Some(item) => scan::stands(self.shared, &item).await,
            None => Ok(true),
        }
    }

    /// RainTek made a bill of its own whose number one of ours carries there as well: its till had read the number when
    /// ours was written. Ours is sent again, so that the plan sees both and it is held for a person.
    pub(super) async fn ours_of_the_same_number(&self, theirs: &FoundBill) -> Result<(), Fault> {
        let shared = self.shared;
        let number = theirs.info.text("InvoiceNo").trim();
        let bills = shared.world.pos.read_back(number, -1, tax_type(theirs)).await?;
        for bill in bills.iter().filter(|bill| bill.inv_id() != theirs.inv_id()) {
            let Some(owner) = shared.world.state.proven_as(&key(bill)).await? else { continue };
            let Some(_claim) = shared.claims.claim_or_mark(&owner.record_id) else { continue };
            let Some(mut item) = shared.world.state.item(&owner.record_id).await? else { continue };
            if item.state != ItemState::Done || !item.number.trim().eq_ignore_ascii_case(number) {
                continue;
            }
            item.state = ItemState::Waiting;
            item.attempts = 0;
            item.next_try = shared.now();
            item.first_seen = shared.now();
            item.failed_digest = None;
            shared.world.state.put(&item).await?;
            shared.signals.push.notify_one();
        }
        Ok(())
    }

    fn mismatch(
        &mut self,
        fresh: KnownBill,
        state: BillState,
        sentence: String,
        in_app: Option<Decimal>,
        in_raintek: Option<Decimal>,
    ) {
        // Raised as often as it is seen: the alerts say it once.
        self.events.push(Event::Mismatch {
            number: fresh.number.clone(),
            app_total: in_app.unwrap_or_default(),
            raintek_total: in_raintek,
        });
        if fresh.state == state && fresh.sentence.as_ref() == Some(&sentence) {
            return;
        }
        tracing::warn!(number = fresh.number, inv_id = fresh.inv_id, "{sentence}");
        self.say(&fresh.number, sentence.clone());
        self.keep(KnownBill { state, sentence: Some(sentence), ..fresh });
    }

    /// The app's invoice, where it is proven and the app still means it.
    async fn settled_owner(&self, known: &KnownBill) -> Result<Option<Item>, Fault> {
        let Some(item) = owner(self.shared, known).await? else { return Ok(None) };
        if item.state != ItemState::Done {
            return Ok(None);
        }
        match self.shared.world.billing.invoice(&item.record_id).await? {
            // Revised or cancelled: that is the push's to settle, not a mismatch.
            InvoiceRead::NotDue(_) => Ok(None),
            InvoiceRead::Found(_) | InvoiceRead::Broken(_) => Ok(Some(item)),
        }
    }
}
