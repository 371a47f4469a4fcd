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
use crate::model::fault::Fault;
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
        let mut is_last = is_last(&items);
        let mut taken = Vec::with_capacity(items.len());
        for some in items.chunks(OF_APP) {
            if is_full(&taken) {
                is_last = false;
                break;
            }
            if shared.stopping() || gives_way(shared, ordered).await?.is_some() {
                return Ok(None);
            }
            of_app(shared, some, &mut taken).await?;
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

/// Whether nothing can follow these.
fn is_last(items: &[Item]) -> bool {
    items.len() < usize::try_from(MOST).unwrap_or_default()
}

/// Whether so much was read that the rest is read another time.
fn is_full(taken: &Taken) -> bool {
    let lines = taken.iter().map(|(_, asked)| asked.as_ref().map_or(0, |(invoice, _)| invoice.lines.len()));
    lines.sum::<usize>() >= MOST_LINES
}

/// Reads some in the app.
async fn of_app(shared: &Shared, items: &[Item], taken: &mut Taken) -> Result<(), Fault> {
    let ids: Vec<_> = items.iter().map(|item| item.record_id.clone()).collect();
    for (item, read) in items.iter().zip(read_all(&*shared.world.billing, &ids).await) {
        let asked = match read {
            Ok(read) => look::to_ask(shared, item, read),
            Err(fault) if fault.goes_by_itself() => return Err(fault),
            Err(_) => None,
        };
        taken.push((item.clone(), asked));
    }
    Ok(())
}

async fn beside_raintek(shared: &Shared, taken: Taken) -> Result<VecDeque<(Item, Option<Both>)>, Fault> {
    let lookups: Vec<Lookup> =
        taken.iter().filter_map(|(_, asked)| asked.as_ref().map(|(_, lookup)| lookup.clone())).collect();
    let found = match shared.world.pos.inspect_all(&lookups).await {
        Ok(found) => found,
        Err(fault) if fault.goes_by_itself() => return Err(fault),
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
    use crate::engine::item_for_tests;
    use crate::model::bill::Lookup;
    use crate::model::invoice::TaxType;
    use crate::model::outbox::ItemState;
    use crate::sync::fixtures::invoice;

    #[test]
    fn behind_as_many_as_were_asked_for_there_may_be_more() {
        let page = |items| is_last(&vec![item_for_tests(ItemState::Done, None); items]);
        assert_eq!([0, 249, 250].map(page), [true, true, false]);
    }

    #[test]
    fn so_many_lines_are_enough_however_few_their_invoices() {
        let one = |lines: usize| {
            let invoice = Invoice { lines: vec![invoice().lines[0].clone(); lines], ..invoice() };
            let lookup = Lookup {
                number: invoice.number.clone(),
                inv_id: None,
                tax_type: TaxType::Gst,
                counter: None,
                product_codes: Vec::new(),
                phone: None,
            };
            (item_for_tests(ItemState::Done, None), Some((invoice, lookup)))
        };
        assert!(!is_full(&Vec::new()));
        assert!(!is_full(&vec![one(MOST_LINES - 2), one(1), (item_for_tests(ItemState::Done, None), None)]));
        assert!(is_full(&vec![one(MOST_LINES - 2), one(2)]));
    }
}
