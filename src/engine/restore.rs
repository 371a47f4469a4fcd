//! Rows of a copy, put back into RainTek because a person wants them there.
//!
//! One transaction under the app lock, what stands there copied first, then read back: as any other write. The app
//! stays the master: where its invoice says something else, the bill is a mismatch from then on, and nothing writes
//! over it unasked.

use std::sync::Arc;

use super::attempt::copy_rows;
use super::handle::GOING_LIVE;
use super::{Shared, scan};
use crate::model::bill::{FoundBill, Plan, Value};
use crate::model::command::Reply;
use crate::model::fault::{Action, Fault, SendOutcome};
use crate::model::ids::InvId;
use crate::model::outbox::{Item, ItemState};
use crate::sync::awareness::key;
use crate::sync::restore::{Restore, lookup, plan_restore, read, title};

/// Bills that were put back though the app has no such invoice, in the store.
const APART: &str = "restore.apart";
/// An answer that was lost, and rows that somebody changed meanwhile, are looked at again so often.
const TRIES: u32 = 4;

/// Says what would be done, or does it. The answer's sentence has a line for each thing.
pub(super) async fn restore(shared: &Arc<Shared>, copy: &str, confirmed: bool) -> Result<Reply, Fault> {
    let copy = match read(copy) {
        Ok(copy) => copy,
        Err(sentence) => return Ok(Reply::Refused { sentence }),
    };
    let shared = Arc::clone(shared);
    // Whoever asked may go away in the middle; what was begun is finished all the same.
    let work = tokio::spawn(async move { put_back(&shared, copy, confirmed).await });
    match work.await {
        Ok(reply) => reply,
        Err(_) => Ok(Reply::Refused { sentence: "That did not work; the log says why.".into() }),
    }
}

async fn put_back(shared: &Shared, copy: FoundBill, confirmed: bool) -> Result<Reply, Fault> {
    let refused = |sentence: String| Ok(Reply::Refused { sentence });
    let Some(_flow) = shared.trial.flow().await else { return refused(GOING_LIVE.into()) };
    let number = lookup(&copy).number;
    if let Some(sentence) = shared.board.seen().backup.status.schema_hold {
        return refused(sentence);
    }
    let open = shared.world.state.open_items(u32::MAX).await?;
    let owner = owner(shared, &copy).await?;
    let busy = open.iter().find(|item| item.number.trim().eq_ignore_ascii_case(&number));
    if let Some(item) = busy.or(owner.as_ref().filter(|item| !item.state.is_settled())) {
        return refused(format!(
            "{} is on its way to RainTek or held, and what is put back would be written over. Settle that first.",
            item.number
        ));
    }
    let claim = match &owner {
        Some(item) => match shared.claims.claim_or_mark(&item.record_id) {
            Some(claim) => Some(claim),
            None => return refused(format!("{number} is being worked on. Try again in a moment.")),
        },
        None => None,
    };
    let written = match write(shared, &copy, confirmed).await? {
        Written::Said(reply) => return Ok(reply),
        Written::Done(inv_id) => inv_id,
    };
    let mut lines =
        vec![format!("{} stands in RainTek as the copy has it (Inv_ID {written}).", title(&copy))];
    let owner = match owner {
        Some(item) if item.state == ItemState::Done && item.inv_id != Some(written) => {
            let item = Item { inv_id: Some(written), ..item };
            shared.world.state.put(&item).await?;
            shared.world.state.put_bills(&[], &[key(&copy)], &[]).await?;
            Some(item)
        }
        owner => owner,
    };
    shared.journal("note", &number, format!("{number} was put back into RainTek from a copy.")).await;
    drop(claim);
    match owner {
        Some(item) if item.state == ItemState::Done => {
            if let Some(sentence) = scan::tell_apart(shared, &item).await? {
                lines.push(format!("The billing app has it differently. {sentence}"));
            }
        }
        Some(_) => lines.push("The billing app has taken this invoice back; RainTek keeps the bill.".into()),
        None => {
            keep_apart(shared, written, &number).await?;
            lines.push("The billing app has no invoice that belongs to it; RainTek keeps the bill.".into());
        }
    }
    scan::look_again(shared);
    shared.signals.bills.notify_one();
    Ok(Reply::Accepted { sentence: lines.join("\n") })
}

/// The app's invoice that was proven as this bill.
async fn owner(shared: &Shared, copy: &FoundBill) -> Result<Option<Item>, Fault> {
    shared.world.state.proven_as(&key(copy)).await
}

enum Written {
    /// Nothing was written, and why.
    Said(Reply),
    /// It stands there, read back.
    Done(InvId),
}

async fn write(shared: &Shared, copy: &FoundBill, confirmed: bool) -> Result<Written, Fault> {
    let mut copy = copy.clone();
    let mut copied: Option<FoundBill> = None;
    let mut applied: Option<InvId> = None;
    for _ in 0..TRIES {
        let (mut transaction, found) = shared.world.pos.open(&lookup(&copy)).await?;
        // Only now: opening may have found other tables than before.
        let schema = match shared.world.pos.schema().await {
            Ok(schema) => schema,
            Err(fault) => {
                transaction.rollback().await;
                return Err(fault);
            }
        };
        let planned = plan_restore(&copy, &found, &schema);
        let (plan, words) = match planned {
            Ok(Restore::Write { plan, words }) if applied.is_none() => (plan, words),
            other => {
                transaction.rollback().await;
                return Ok(match (other, applied) {
                    (Ok(Restore::Nothing), Some(inv_id)) => Written::Done(inv_id),
                    (Ok(Restore::Nothing), None) => Written::Said(Reply::Accepted {
                        sentence: format!("RainTek holds {} exactly as the copy has it.", title(&copy)),
                    }),
                    (Err(sentence), None) => Written::Said(Reply::Refused { sentence }),
                    (Err(_) | Ok(Restore::Write { .. }), _) => return Err(not_as_written(&copy)),
                });
            }
        };
        if !confirmed {
            transaction.rollback().await;
            let sentence = format!("{}\nNothing was written yet: --yes does it.", words.join("\n"));
            return Ok(Written::Said(Reply::Accepted { sentence }));
        }
        if let Plan::Replace(replace) = plan.as_ref()
            && copied.as_ref() != Some(&replace.before)
        {
            // Only rows whose copy is on disk are changed, and nobody waits for RainTek's locks meanwhile.
            transaction.rollback().await;
            copy_rows(shared, &replace.before).await?;
            copied = Some(replace.before.clone());
            continue;
        }
        let (inv_id, _) = transaction.apply(&plan).await?;
        match transaction.commit().await {
            SendOutcome::Confirmed => {
                shared.board.our_bill(inv_id);
                // Where the server numbers bills it is this one by now.
                copy.info.0.insert("Inv_ID".into(), Value::Int(inv_id.into()));
                applied = Some(inv_id);
            }
            SendOutcome::Rejected(fault) => return Err(fault),
            // The next look tells whether it took effect.
            SendOutcome::Unknown(fault) => shared.log("restore", &fault),
        }
    }
    Err(not_as_written(&copy))
}

fn not_as_written(copy: &FoundBill) -> Fault {
    Fault::data(format!("RainTek does not hold {} as the copy has it; look at the bill there.", title(copy)))
        .action(Action::CallSupport)
}

/// Whether a person put this bill back though the app has no such invoice.
pub(super) async fn kept_apart(shared: &Shared, inv_id: InvId, number: &str) -> Result<bool, Fault> {
    Ok(apart(shared).await?.iter().any(|(id, of)| (*id, of.as_str()) == (inv_id, number)))
}

async fn apart(shared: &Shared) -> Result<Vec<(InvId, String)>, Fault> {
    let text = shared.world.state.get(APART).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

async fn keep_apart(shared: &Shared, inv_id: InvId, number: &str) -> Result<(), Fault> {
    let mut all = apart(shared).await?;
    let entry = (inv_id, number.to_owned());
    if !all.contains(&entry) {
        all.push(entry);
    }
    // Numbers and texts always become JSON.
    let text = serde_json::to_string(&all).unwrap_or_default();
    shared.world.state.set(APART, Some(&text)).await
}
