//! What would be done with the newest invoices, looked up and planned as a push does, but without a lock, a transaction
//! or a trace: what the first run shows before anything is written.

use super::Shared;
use super::watching::{held, plan_of};
use crate::model::bill::{Plan, Row};
use crate::model::command::Reply;
use crate::model::fault::Fault;
use crate::model::invoice::{InvoiceHead, InvoiceRead};
use crate::model::outbox::{Item, ItemState};
use crate::ports::InvoiceScan;
use crate::sync::watch::{rows, told};

/// An invoice, and what would be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// As the app lists it.
    pub head: InvoiceHead,
    /// One sentence.
    pub sentence: String,
    /// The rows that would be written, by table.
    pub rows: Vec<(&'static str, Row)>,
}

/// `at` is told the number of each before it is looked at.
pub(super) async fn newest(
    shared: &Shared,
    count: usize,
    at: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Preview>, Fault> {
    let mut heads = shared.world.billing.list(&InvoiceScan::All).await?;
    heads.sort_by(|one, other| {
        (other.date, &other.created, &other.number).cmp(&(one.date, &one.created, &one.number))
    });
    heads.truncate(count);
    let mut previews = Vec::new();
    for head in heads {
        at(&head.number);
        previews.push(look(shared, head).await?);
    }
    Ok(previews)
}

/// What would be written for an invoice that waits or is held: one sentence, then a line for each row.
pub(super) async fn of_number(shared: &Shared, number: &str) -> Result<Reply, Fault> {
    let open = shared.world.state.open_items(u32::MAX).await?;
    let Some(item) = open.into_iter().find(|item| item.number == number) else {
        return Ok(Reply::Refused { sentence: format!("No invoice {number} is waiting or held.") });
    };
    let (sentence, plan) = match shared.world.billing.invoice(&item.record_id).await? {
        InvoiceRead::Found(invoice) => plan_of(shared, &item, &invoice).await?,
        InvoiceRead::Broken(fault) => (held(&fault), None),
        InvoiceRead::NotDue(_) => ("Is not completed any more: nothing would be written.".into(), None),
    };
    let rows = plan.as_ref().map(rows).unwrap_or_default();
    let lines = rows.iter().map(|(table, row)| told(table, row));
    let lines: Vec<_> = std::iter::once(sentence).chain(lines).collect();
    Ok(Reply::Accepted { sentence: lines.join("\n") })
}

async fn look(shared: &Shared, head: InvoiceHead) -> Result<Preview, Fault> {
    let words = |head, sentence: String| Preview { head, sentence, rows: Vec::new() };
    let known = shared.world.state.item(&head.id).await?;
    let item = known.unwrap_or_else(|| unknown(shared, &head));
    match shared.world.billing.invoice(&head.id).await? {
        InvoiceRead::Found(invoice) => {
            let (sentence, plan) = plan_of(shared, &item, &invoice).await?;
            let early = shared.rules.from_date.zip(head.date).is_some_and(|(from, date)| date < from);
            if early && !matches!(plan, Some(Plan::Nothing { .. })) {
                return Ok(words(
                    head,
                    "Is left alone: it is dated before push.from_date of the settings.".into(),
                ));
            }
            let rows = plan.as_ref().map(rows).unwrap_or_default();
            Ok(Preview { rows, ..words(head, sentence) })
        }
        InvoiceRead::Broken(fault) => Ok(words(head, held(&fault))),
        InvoiceRead::NotDue(_) => {
            Ok(words(head, "Is not completed any more: nothing would be written.".into()))
        }
    }
}

/// An item as it would be taken up.
fn unknown(shared: &Shared, head: &InvoiceHead) -> Item {
    Item {
        record_id: head.id.clone(),
        number: head.number.clone(),
        customer: head.customer.clone(),
        amount: head.grand_total,
        state: ItemState::Waiting,
        attempts: 0,
        seq: 0,
        first_seen: shared.now(),
        first_failed: None,
        next_try: shared.now(),
        fault: None,
        inv_id: None,
        digest: None,
        failed_digest: None,
        updated: head.updated.clone(),
        done_at: None,
        stamped_failed: None,
    }
}
