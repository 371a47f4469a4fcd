//! One invoice on both sides, and what becomes of one that differs.

use crate::engine::Shared;
use crate::engine::invoices::{owns_its_bill, recheck};
use crate::model::alert::Event;
use crate::model::awareness::{BillKey, BillState, KnownBill};
use crate::model::bill::{Found, Lookup};
use crate::model::customer::phone_key;
use crate::model::fault::Fault;
use crate::model::ids::InvId;
use crate::model::invoice::{Invoice, InvoiceRead, NotDue};
use crate::model::outbox::{Item, ItemState};
use crate::model::scan::{Finding, FindingKind};
use crate::model::status::Entry;
use crate::sync::digest::invoice_digest;
use crate::sync::numbering::counter_of;
use crate::sync::scan::{Mismatch, Verdict, verdict};

/// What one look at both sides says of an invoice.
#[derive(Debug)]
pub(super) enum Seen {
    /// It stands in RainTek as the app has it.
    Same,
    /// It does not.
    Differs(Box<Differs>),
    /// The app no longer has it.
    Lost,
    /// It is being sent, revised or cancelled: the push settles it.
    OnItsWay,
    /// It cannot be compared.
    Unclear(Fault),
}

/// An invoice of the app that RainTek holds differently, or not at all.
#[derive(Debug)]
pub(super) struct Differs {
    pub(super) mismatch: Mismatch,
    invoice: Invoice,
    inv_id: InvId,
}

/// Looks at one that the store says is proven.
///
/// # Errors
/// What goes by itself, or concerns a whole side.
pub(super) async fn look_at(shared: &Shared, item: &Item) -> Result<Seen, Fault> {
    match compare(shared, item).await {
        Ok((seen, Some(digest))) => {
            settle(shared, item, &digest).await?;
            Ok(seen)
        }
        Ok((seen, None)) => Ok(seen),
        Err(fault) => unclear(fault),
    }
}

fn unclear(fault: Fault) -> Result<Seen, Fault> {
    if fault.goes_by_itself() { Err(fault) } else { Ok(Seen::Unclear(fault)) }
}

/// An invoice that is what was proven, and what RainTek had of it.
#[derive(Debug)]
pub(super) struct Both {
    pub(super) invoice: Invoice,
    pub(super) found: Found,
}

/// What to look up in RainTek for an invoice of the app that is what was proven; any other is looked at by itself.
pub(super) fn to_ask(shared: &Shared, item: &Item, read: InvoiceRead) -> Option<(Invoice, Lookup)> {
    let (ItemState::Done, Some(inv_id), InvoiceRead::Found(invoice)) = (item.state, item.inv_id, read) else {
        return None;
    };
    let lookup = lookup(&invoice, inv_id, shared.rules.map.unknown_item.as_deref());
    is_as_proven(item, &invoice).then_some((*invoice, lookup))
}

fn is_as_proven(item: &Item, invoice: &Invoice) -> bool {
    item.digest.as_deref() == Some(&invoice_digest(invoice))
}

/// Looks at one that was read ahead. What was read is some seconds old, so that nothing is changed on its word: where
/// the invoice was written since, or what it says is not what is known, both sides are read anew.
///
/// # Errors
/// As of [`look_at`].
pub(super) async fn look_at_both(shared: &Shared, item: &Item, both: Option<Both>) -> Result<Seen, Fault> {
    let state = &shared.world.state;
    let Some(now) = state.item(&item.record_id).await? else { return Ok(Seen::OnItsWay) };
    let (Some(Both { invoice, found }), Some(inv_id)) = (both.filter(|_| now == *item), item.inv_id) else {
        return look_at(shared, &now).await;
    };
    if !owns_its_bill(shared, item).await? {
        return look_at(shared, item).await;
    }
    let (judged, is_mismatch) = judge(shared, &invoice, inv_id, &found).await?;
    Ok(match judged {
        Verdict::Same { .. } if is_mismatch => look_at(shared, item).await?,
        Verdict::Same { .. } => Seen::Same,
        Verdict::Unclear(fault) => Seen::Unclear(fault),
        Verdict::Mismatch(mismatch) => Seen::Differs(Box::new(Differs { mismatch, invoice, inv_id })),
    })
}

/// Judges what was found; and whether it is known to be a mismatch.
async fn judge(
    shared: &Shared,
    invoice: &Invoice,
    inv_id: InvId,
    found: &Found,
) -> Result<(Verdict, bool), Fault> {
    let schema = shared.world.pos.schema().await?;
    let known = shared.world.state.known_bill(&BillKey::new(inv_id, &invoice.number)).await?;
    let proven = known.as_ref().map(|bill| bill.digest.as_str()).filter(|digest| !digest.is_empty());
    let verdict = verdict(invoice, inv_id, found, proven, &schema, &shared.rules.map);
    Ok((verdict, known.is_some_and(|known| known.state.is_mismatch())))
}

/// The digest of what stands there comes along where all is well.
async fn compare(shared: &Shared, item: &Item) -> Result<(Seen, Option<String>), Fault> {
    let (ItemState::Done, Some(inv_id)) = (item.state, item.inv_id) else {
        return Ok((Seen::OnItsWay, None));
    };
    let read = shared.world.billing.invoice(&item.record_id).await?;
    // Whether the bill is still this invoice's, and not another one's of the same number.
    let owns = owns_its_bill(shared, item).await?;
    let invoice = match read {
        InvoiceRead::Found(invoice) if owns && is_as_proven(item, &invoice) => *invoice,
        InvoiceRead::NotDue(NotDue::Deleted) => return Ok((Seen::Lost, None)),
        InvoiceRead::NotDue(NotDue::Revised) if !owns => return Ok((Seen::OnItsWay, None)),
        // Changed or taken back, and no event told of it; or another invoice has its place.
        _ => {
            recheck(shared, &item.record_id).await?;
            return Ok((Seen::OnItsWay, None));
        }
    };
    let lookup = lookup(&invoice, inv_id, shared.rules.map.unknown_item.as_deref());
    let found = shared.world.pos.inspect(&lookup).await?;
    Ok(match judge(shared, &invoice, inv_id, &found).await?.0 {
        Verdict::Same { digest } => (Seen::Same, Some(digest)),
        Verdict::Unclear(fault) => (Seen::Unclear(fault), None),
        // The app's invoice was written, or proven anew, while RainTek was read.
        Verdict::Mismatch(_) if shared.world.state.item(&item.record_id).await?.as_ref() != Some(item) => {
            (Seen::OnItsWay, None)
        }
        Verdict::Mismatch(mismatch) => (Seen::Differs(Box::new(Differs { mismatch, invoice, inv_id })), None),
    })
}

fn lookup(invoice: &Invoice, inv_id: InvId, unknown_item: Option<&str>) -> Lookup {
    let codes = invoice.lines.iter().map(|line| line.product_code.trim());
    let mut product_codes: Vec<String> =
        codes.chain(unknown_item).filter(|code| !code.is_empty()).map(str::to_owned).collect();
    product_codes.sort();
    product_codes.dedup();
    Lookup {
        number: invoice.number.clone(),
        inv_id: Some(inv_id),
        tax_type: invoice.tax_type,
        counter: counter_of(&invoice.number),
        product_codes,
        phone: invoice.customer.as_ref().and_then(|customer| phone_key(&customer.phone)),
    }
}

/// A mismatch that is right again is over.
async fn settle(shared: &Shared, item: &Item, digest: &str) -> Result<(), Fault> {
    let Some(inv_id) = item.inv_id else { return Ok(()) };
    let known = shared.world.state.known_bill(&BillKey::new(inv_id, &item.number)).await?;
    let Some(known) = known.filter(|known| known.state.is_mismatch()) else { return Ok(()) };
    let sentence = format!("{} stands in RainTek as the app has it.", item.number);
    let entry = Entry { at: shared.now(), kind: "bills", number: item.number.clone(), sentence };
    let number = known.number.clone();
    let right = KnownBill { state: BillState::Proven, sentence: None, digest: digest.to_owned(), ..known };
    shared.world.state.put_bills(&[right], &[], &[entry]).await?;
    shared.raise(Event::MismatchOver { number }).await;
    shared.signals.publish.notify_one();
    Ok(())
}

/// Keeps a mismatch for a person, as the walk through RainTek's bills does, and says what it is.
pub(super) async fn keep(shared: &Shared, item: &Item, differs: &Differs) -> Result<Finding, Fault> {
    let Differs { mismatch, invoice, inv_id } = differs;
    let key = BillKey::new(*inv_id, &invoice.number);
    let known = shared.world.state.known_bill(&key).await?;
    let is_news = known.as_ref().is_none_or(|known| {
        known.state != mismatch.state || known.sentence.as_ref() != Some(&mismatch.sentence)
    });
    if is_news {
        let fresh = known.unwrap_or_else(|| KnownBill {
            inv_id: *inv_id,
            number: invoice.number.trim().to_owned(),
            day: invoice.date,
            digest: mismatch.digest.clone().unwrap_or_default(),
            record_id: None,
            state: mismatch.state,
            sentence: None,
        });
        let bill = KnownBill { state: mismatch.state, sentence: Some(mismatch.sentence.clone()), ..fresh };
        let sentence = mismatch.sentence.clone();
        let entry = Entry { at: shared.now(), kind: "bills", number: invoice.number.clone(), sentence };
        tracing::warn!(number = invoice.number, inv_id, details = ?mismatch.details, "{}", mismatch.sentence);
        shared.world.state.put_bills(&[bill], &[], &[entry]).await?;
        shared.signals.publish.notify_one();
    }
    shared
        .raise(Event::Mismatch {
            number: invoice.number.clone(),
            app_total: invoice.grand_total,
            raintek_total: mismatch.total,
        })
        .await;
    let kind = if mismatch.state == BillState::Gone { FindingKind::Gone } else { FindingKind::Edited };
    Ok(Finding {
        kind,
        number: invoice.number.clone(),
        record_id: Some(item.record_id.clone()),
        inv_id: Some(*inv_id),
        day: Some(invoice.date),
        sentence: mismatch.sentence.clone(),
        action: format!(
            "`shopsync rewrite {}` writes it again as the app has it; or correct the invoice in the billing app.",
            invoice.number
        ),
        details: mismatch.details.clone(),
    })
}

/// Whether a bill whose followed content is as it was proven needs nobody: what is not followed may still differ.
pub(in crate::engine) async fn stands(shared: &Shared, item: &Item) -> Result<bool, Fault> {
    match compare(shared, item).await {
        Ok((Seen::Differs(_) | Seen::OnItsWay, _)) => Ok(false),
        Err(fault) if fault.goes_by_itself() => Err(fault),
        _ => Ok(true),
    }
}

/// Looks at one invoice now and keeps a mismatch where it is one; returns its sentence.
pub(in crate::engine) async fn tell_apart(shared: &Shared, item: &Item) -> Result<Option<String>, Fault> {
    match look_at(shared, item).await? {
        Seen::Differs(differs) => Ok(Some(keep(shared, item, &differs).await?.sentence)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fault::Scope;

    #[test]
    fn an_invoice_is_unclear_only_where_it_is_to_blame() {
        let away = Fault::transient(Scope::Pos, "RainTek's database is not answering.");
        assert!(unclear(away).is_err());
        assert!(matches!(unclear(Fault::data("It cannot be read.")), Ok(Seen::Unclear(_))));
    }
}
