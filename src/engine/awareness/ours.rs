//! Bills of the app as they stand in RainTek: whoever changed or deleted one there is not overwritten without a
//! person's word.

use rust_decimal::Decimal;

use super::Pass;
use crate::engine::Shared;
use crate::model::alert::Event;
use crate::model::awareness::{BillState, KnownBill};
use crate::model::bill::{Desired, FoundBill};
use crate::model::fault::Fault;
use crate::model::ids::InvId;
use crate::model::invoice::InvoiceRead;
use crate::model::outbox::{Item, ItemState};
use crate::sync::awareness::{day, desired_digest, edited_sentence, found_digest, gone_sentence, key};

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
    let bill = KnownBill {
        inv_id,
        number: desired.number.trim().to_owned(),
        day: date,
        digest,
        record_id: None,
        state: BillState::Proven,
        sentence: None,
    };
    shared.world.state.put_bills(&[bill], &[], &[]).await
}

/// A person says: the app is the master. Makes the app's invoice due again; returns how many there were.
pub(in crate::engine) async fn rewrite(shared: &Shared, number: &str) -> Result<u64, Fault> {
    let problems = shared.world.state.bill_problems(u32::MAX).await?;
    let wanted = number.trim();
    let mut written = 0;
    for known in problems {
        if !known.state.is_mismatch() || !known.number.trim().eq_ignore_ascii_case(wanted) {
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
        let owner = self.shared.world.state.proven_as(&key(bill)).await?;
        // One that is on its way is remembered when it is proven.
        if owner.is_some_and(|item| item.state != ItemState::Done) {
            return Ok(());
        }
        let Some(day) = day(bill) else { return Ok(()) };
        self.keep(KnownBill {
            inv_id: bill.inv_id(),
            number: bill.info.text("InvoiceNo").trim().to_owned(),
            day,
            digest,
            record_id: None,
            state: BillState::Proven,
            sentence: None,
        });
        Ok(())
    }

    /// A bill of ours, by the digest that this pass saw.
    pub(super) async fn compare_ours(&mut self, known: &KnownBill, digest: &str) -> Result<(), Fault> {
        if known.digest == digest {
            if known.state != BillState::Proven {
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
