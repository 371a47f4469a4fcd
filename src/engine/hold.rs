//! What becomes of an item that did not go.

use super::Shared;
use crate::model::fault::Fault;
use crate::model::invoice::Stamp;
use crate::model::outbox::{Item, ItemState};

/// The item waits for a person; it is tried again by itself as well, and never dropped.
pub(super) async fn hold(
    shared: &Shared,
    mut item: Item,
    fault: Fault,
    digest: Option<String>,
) -> Result<(), Fault> {
    let news = item.fault.as_ref().is_none_or(|known| known.sentence != fault.sentence)
        || item.state != ItemState::Held;
    let sentence = fault.sentence.clone();
    shared.log("hold", &fault);
    shared.failed(&mut item, fault, digest, ItemState::Held);
    stamp_failed(shared, &mut item).await;
    shared.world.state.put(&item).await?;
    if news {
        shared.journal("hold", &item.number, sentence).await;
    }
    Ok(())
}

pub(super) async fn retry_later(shared: &Shared, mut item: Item, fault: Fault) -> Result<(), Fault> {
    shared.failed(&mut item, fault, None, ItemState::Waiting);
    if item.first_failed.is_some_and(|since| shared.now() - since >= crate::sync::health::FAILING) {
        stamp_failed(shared, &mut item).await;
    }
    shared.world.state.put(&item).await
}

/// What was missing for so long that people should know.
pub(super) async fn show_overdue(shared: &Shared, item: &mut Item) {
    stamp_failed(shared, item).await;
}

/// Shows the reason in the app, once. The invoice itself does not depend on it: if it fails, the next try shows it.
async fn stamp_failed(shared: &Shared, item: &mut Item) {
    let Some(sentence) = item.fault.as_ref().map(|fault| fault.sentence.clone()) else { return };
    if item.stamped_failed.as_ref() == Some(&sentence) || shared.trial.watching() {
        return;
    }
    match shared.world.billing.stamp(&item.record_id, &Stamp::Failed(sentence.clone())).await {
        Ok(()) => item.stamped_failed = Some(sentence),
        Err(fault) => shared.log("stamp", &fault),
    }
}
