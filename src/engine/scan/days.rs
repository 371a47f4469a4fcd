//! How many invoices each day has on both sides, and what they come to: a cross-check that needs no invoice to be
//! looked at, and the only one that sees a bill with our mark that belongs to nobody.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::look::{self, Seen};
use super::{BELIEVE, each_proven};
use crate::engine::Shared;
use crate::engine::restore::kept_apart;
use crate::engine::trial::is_disowned;
use crate::model::alert::Event;
use crate::model::awareness::BillKey;
use crate::model::fault::Fault;
use crate::model::ids::{InvId, RecordId};
use crate::model::outbox::Item;
use crate::model::scan::{Finding, FindingKind, MarkedBill};
use crate::ports::InvoiceScan;
use crate::sync::scan::{
    DayInvoice, DaySums, day_gaps, day_sentence, day_sums, stray_sentence, unequal_days,
};

/// Both sides at one moment, or nearly.
struct Both {
    app: DaySums,
    pos: DaySums,
    invoices: HashMap<NaiveDate, Vec<DayInvoice>>,
    /// Numbers of all invoices of the app, also of those that are not proven.
    numbers: HashSet<String>,
}

/// Compares. What is found already explains a day as far as it goes.
pub(super) async fn compare(shared: &Shared, found: &[Finding]) -> Result<Vec<Finding>, Fault> {
    let first = look(shared).await?;
    let mut days = unequal_days(&first.app, &first.pos);
    if days.is_empty() {
        return Ok(Vec::new());
    }
    // What was on its way between the two reads is on both sides by now.
    shared.world.clock.sleep(BELIEVE.max(Duration::from_secs(1))).await;
    let both = look(shared).await?;
    let still: HashSet<NaiveDate> = unequal_days(&both.app, &both.pos).into_iter().collect();
    days.retain(|day| still.contains(day));
    let mut all = Vec::new();
    for day in days {
        all.extend(explain(shared, day, &both, found).await?);
    }
    Ok(all)
}

async fn look(shared: &Shared) -> Result<Both, Fault> {
    let mut proven: HashMap<RecordId, InvId> = HashMap::new();
    each_proven(shared, |item: Item| {
        if let Some(inv_id) = item.inv_id {
            proven.insert(item.record_id, inv_id);
        }
    })
    .await?;
    let heads = shared.world.billing.list(&InvoiceScan::All).await?;
    let numbers = heads.iter().map(|head| head.number.to_uppercase()).collect();
    let mut invoices: HashMap<NaiveDate, Vec<DayInvoice>> = HashMap::new();
    for head in heads {
        // What is not proven is on its way, or held: that is told elsewhere.
        let (Some(inv_id), Some(day), Some(total)) = (proven.get(&head.id), head.date, head.grand_total)
        else {
            continue;
        };
        invoices.entry(day).or_default().push(DayInvoice { record_id: head.id, inv_id: *inv_id, total });
    }
    let sums = invoices.iter().map(|(day, all)| {
        let total: Decimal = all.iter().map(|invoice| invoice.total).sum();
        (*day, u64::try_from(all.len()).unwrap_or(u64::MAX), total)
    });
    Ok(Both { app: day_sums(sums), pos: day_sums(shared.world.pos.our_days().await?), invoices, numbers })
}

/// Names what makes a day differ: bills that are nobody's, and, where nothing explains it, the day itself.
async fn explain(
    shared: &Shared,
    day: NaiveDate,
    both: &Both,
    found: &[Finding],
) -> Result<Vec<Finding>, Fault> {
    let theirs = shared.world.pos.our_bills(day).await?;
    let ours = both.invoices.get(&day).map(Vec::as_slice).unwrap_or_default();
    let gaps = day_gaps(ours, &theirs);
    let mut all = Vec::new();
    for bill in &gaps.only_pos {
        let named = both.numbers.contains(&bill.number.to_uppercase());
        if !named && is_nobodys(shared, bill).await? {
            all.push(stray(shared, day, bill).await);
        }
    }
    for id in &gaps.suspects {
        let is_named =
            |findings: &[Finding]| findings.iter().any(|finding| finding.record_id.as_ref() == Some(id));
        if is_named(found) || is_named(&all) {
            continue;
        }
        let Some(item) = shared.world.state.item(id).await? else { continue };
        match look::look_at(shared, &item).await? {
            Seen::Differs(differs) => all.push(look::keep(shared, &item, &differs).await?),
            // It stands there, saved by a till without a change: then it has no mark of ours, and that is all.
            Seen::Same if !theirs.iter().any(|bill| Some(bill.inv_id) == item.inv_id) => {}
            Seen::Same => all.push(day_finding(day, both)),
            Seen::Lost | Seen::OnItsWay | Seen::Unclear(_) => {}
        }
    }
    say_a_day_once(&mut all);
    Ok(all)
}

/// However many of its invoices show nothing that differs, the day is one finding.
fn say_a_day_once(findings: &mut Vec<Finding>) {
    findings.dedup_by(|left, right| left.kind == FindingKind::Day && right.kind == FindingKind::Day);
}

/// Whether no invoice that ShopSync ever knew belongs to the bill.
async fn is_nobodys(shared: &Shared, bill: &MarkedBill) -> Result<bool, Fault> {
    let key = BillKey::new(bill.inv_id, &bill.number);
    if is_disowned(shared, &key)
        || shared.world.state.proven_as(&key).await?.is_some()
        || kept_apart(shared, bill.inv_id, &bill.number).await?
    {
        return Ok(false);
    }
    // Its invoice may be on its way, the answer of the commit lost.
    let open = shared.world.state.open_items(u32::MAX).await?;
    Ok(!open.iter().any(|item| item.number.trim().eq_ignore_ascii_case(&bill.number)))
}

async fn stray(shared: &Shared, day: NaiveDate, bill: &MarkedBill) -> Finding {
    let raintek_total = Some(bill.total);
    let number = bill.number.clone();
    shared.raise(Event::Mismatch { number, app_total: Decimal::ZERO, raintek_total }).await;
    Finding {
        kind: FindingKind::Stray,
        number: bill.number.clone(),
        record_id: None,
        inv_id: Some(bill.inv_id),
        day: Some(day),
        sentence: stray_sentence(bill),
        action: "Look at the bill in RainTek: delete it there, or make the invoice in the billing app."
            .into(),
        details: Vec::new(),
    }
}

fn day_finding(day: NaiveDate, both: &Both) -> Finding {
    Finding {
        kind: FindingKind::Day,
        number: String::new(),
        record_id: None,
        inv_id: None,
        day: Some(day),
        sentence: day_sentence(day, &both.app, &both.pos),
        action: "Compare the day in the billing app and in RainTek.".into(),
        details: Vec::new(),
    }
}

/// Days that differ right now for no reason that is known, looked up once for all findings that ask.
#[derive(Default)]
pub(super) struct Unequal(Option<Both>);

impl Unequal {
    /// A bill that a person leaves in RainTek, or that was left there with a trial, makes the sums differ for ever.
    async fn contains(&mut self, shared: &Shared, day: NaiveDate) -> Result<bool, Fault> {
        let both = match self.0.take() {
            Some(both) => both,
            None => look(shared).await?,
        };
        let both = self.0.insert(both);
        if !unequal_days(&both.app, &both.pos).contains(&day) {
            return Ok(false);
        }
        let unexplained = explain(shared, day, both, &[]).await?;
        Ok(unexplained.iter().any(|finding| finding.kind == FindingKind::Day))
    }
}

/// Whether a day still differs, or a bill is still nobody's.
pub(super) async fn still(shared: &Shared, finding: &Finding, days: &mut Unequal) -> Result<bool, Fault> {
    let Some(day) = finding.day else { return Ok(true) };
    if finding.kind == FindingKind::Day {
        return days.contains(shared, day).await;
    }
    let bills = shared.world.pos.our_bills(day).await?;
    let there = bills.iter().find(|bill| is_of(bill, finding));
    let stands = match there {
        Some(bill) => {
            is_nobodys(shared, bill).await? && shared.world.billing.of_number(&bill.number).await?.is_empty()
        }
        None => false,
    };
    if !stands {
        shared.raise(Event::MismatchOver { number: finding.number.clone() }).await;
    }
    Ok(stands)
}

fn is_of(bill: &MarkedBill, finding: &Finding) -> bool {
    Some(bill.inv_id) == finding.inv_id && bill.number == finding.number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(kind: FindingKind, inv_id: InvId, number: &str) -> Finding {
        Finding {
            kind,
            number: number.to_owned(),
            record_id: None,
            inv_id: Some(inv_id),
            day: None,
            sentence: String::new(),
            action: String::new(),
            details: Vec::new(),
        }
    }

    #[test]
    fn a_day_is_said_once_beside_what_is_known_of_its_bills() {
        use FindingKind::{Day, Edited};
        let mut all = [Edited, Day, Day, Edited].map(|kind| finding(kind, 7, "GST-1")).to_vec();
        say_a_day_once(&mut all);
        assert_eq!(all.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [Edited, Day, Edited]);
    }

    #[test]
    fn a_bill_is_the_one_that_was_found_by_both_inv_id_and_number() {
        let bill = MarkedBill { inv_id: 7, number: "GST-1".into(), total: Decimal::ONE };
        let finding = |inv_id, number| finding(FindingKind::Stray, inv_id, number);
        assert!(is_of(&bill, &finding(7, "GST-1")));
        assert!(!is_of(&bill, &finding(8, "GST-1")));
        assert!(!is_of(&bill, &finding(7, "GST-2")));
    }
}
