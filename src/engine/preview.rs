//! What would be written for an invoice that waits or is held: for whoever looks into it. Nothing is written.

use super::Shared;
use super::watching::{held, planned};
use crate::model::command::Reply;
use crate::model::fault::Fault;
use crate::model::invoice::InvoiceRead;

/// One sentence, then a line for each row.
pub(super) async fn preview(shared: &Shared, number: &str) -> Result<Reply, Fault> {
    let open = shared.world.state.open_items(u32::MAX).await?;
    let Some(item) = open.into_iter().find(|item| item.number == number) else {
        return Ok(Reply::Refused { sentence: format!("No invoice {number} is waiting or held.") });
    };
    let lines = match shared.world.billing.invoice(&item.record_id).await? {
        InvoiceRead::Found(invoice) => planned(shared, &item, &invoice).await?,
        InvoiceRead::Broken(fault) => vec![held(&fault)],
        InvoiceRead::NotDue(_) => {
            vec![format!("{number} is no completed invoice of the billing app any more.")]
        }
    };
    Ok(Reply::Accepted { sentence: lines.join("\n") })
}
