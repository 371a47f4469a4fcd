//! Invoices read ahead on both sides, since one look into RainTek's tables serves many of them.
//!
//! What was read ahead is never more than a reason to go on: an invoice that was written since is looked at anew, and so
//! is one that does not stand in RainTek as the app has it, before anything is said of it.

use std::collections::VecDeque;
use std::time::Duration;

use super::look::{self, Both};
use super::{REST, gives_way};
use crate::engine::Shared;
use crate::engine::invoices::read_all;
use crate::model::bill::Lookup;
use crate::model::fault::{Fault, FaultKind};
use crate::model::invoice::Invoice;
use crate::model::outbox::Item;

/// Invoices read together, so that what a look through whole tables costs is shared by many; and their lines, all of
/// which are in memory.
const MOST: u32 = 250;
const MOST_LINES: usize = 2_500;
/// Asked for of the app in one request.
const OF_APP: usize = 16;
/// What is older is read again: beside a billing till a scan goes slowly.
const FRESH: Duration = Duration::from_secs(120);

/// Some invoices, in the order of `seq`.
#[derive(Debug)]
pub(super) struct Ahead {
    read: Duration,
    /// With what both sides had; without it an invoice is looked at by itself.
    invoices: VecDeque<(Item, Option<Both>)>,
    /// None comes after them.
    pub(super) is_last: bool,
}

impl Ahead {
    /// Reads those after `seq`; nothing where the scan is to give way. Rests as long as it took.
    pub(super) async fn read(shared: &Shared, seq: i64, ordered: bool) -> Result<Option<Self>, Fault> {
        let began = shared.world.clock.elapsed();
        let items = shared.world.state.proven_after(seq, MOST).await?;
        let mut is_last = items.len() < usize::try_from(MOST).unwrap_or_default();
        let (mut taken, mut lines) = (Vec::with_capacity(items.len()), 0);
        for some in items.chunks(OF_APP) {
            if lines >= MOST_LINES {
                is_last = false;
                break;
            }
            if shared.stopping() || gives_way(shared, ordered).await?.is_some() {
                return Ok(None);
            }
            lines += of_app(shared, some, &mut taken).await?;
        }
        if shared.stopping() || gives_way(shared, ordered).await?.is_some() {
            return Ok(None);
        }
        let invoices = beside_raintek(shared, taken).await?;
        let now = shared.world.clock.elapsed();
        shared.pause(now.saturating_sub(began).max(REST)).await;
        Ok(Some(Self { read: now, invoices, is_last }))
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Option<(Item, Option<Both>)> {
        self.invoices.pop_front()
    }

    /// Whether all were gone through.
    pub(super) fn is_empty(&self) -> bool {
        self.invoices.is_empty()
    }

    /// Whether there is something left that is worth going on with.
    pub(super) fn is_fresh(&self, now: Duration) -> bool {
        !self.invoices.is_empty() && now.saturating_sub(self.read) < FRESH
    }
}

/// Reads a few once more, as they are by now.
pub(super) async fn again(
    shared: &Shared,
    items: Vec<Item>,
) -> Result<VecDeque<(Item, Option<Both>)>, Fault> {
    let mut taken = Vec::with_capacity(items.len());
    for some in items.chunks(OF_APP) {
        of_app(shared, some, &mut taken).await?;
    }
    beside_raintek(shared, taken).await
}

type Taken = Vec<(Item, Option<(Invoice, Lookup)>)>;

/// Reads some in the app; returns how many lines they have.
async fn of_app(shared: &Shared, items: &[Item], taken: &mut Taken) -> Result<usize, Fault> {
    let ids: Vec<_> = items.iter().map(|item| item.record_id.clone()).collect();
    let mut lines = 0;
    for (item, read) in items.iter().zip(read_all(&*shared.world.billing, &ids).await) {
        let asked = match read {
            Ok(read) => look::to_ask(shared, item, read),
            Err(fault) if goes_by_itself(&fault) => return Err(fault),
            Err(_) => None,
        };
        lines += asked.as_ref().map_or(0, |(invoice, _)| invoice.lines.len());
        taken.push((item.clone(), asked));
    }
    Ok(lines)
}

fn goes_by_itself(fault: &Fault) -> bool {
    fault.is_outage() || fault.kind == FaultKind::Transient
}

async fn beside_raintek(shared: &Shared, taken: Taken) -> Result<VecDeque<(Item, Option<Both>)>, Fault> {
    let lookups: Vec<Lookup> =
        taken.iter().filter_map(|(_, asked)| asked.as_ref().map(|(_, lookup)| lookup.clone())).collect();
    let found = match shared.world.pos.inspect_all(&lookups).await {
        Ok(found) => found,
        Err(fault) if goes_by_itself(&fault) => return Err(fault),
        // One of them cannot be read: each by itself, so that it is the only one.
        Err(_) => Vec::new(),
    };
    let mut found = found.into_iter();
    let both = |(item, asked): (Item, Option<(Invoice, Lookup)>)| {
        let both = asked.and_then(|(invoice, _)| Some(Both { invoice, found: found.next()? }));
        (item, both)
    };
    Ok(taken.into_iter().map(both).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fault::Scope;

    #[test]
    fn what_goes_by_itself_is_not_told_of_one_invoice() {
        assert!(goes_by_itself(&Fault::transient(Scope::Item, "The app is busy.")));
        assert!(goes_by_itself(&Fault::new(FaultKind::Config, Scope::Billing, "The login is wrong.")));
        assert!(!goes_by_itself(&Fault::data("It cannot be read.")));
    }
}
