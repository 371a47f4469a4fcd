//! How a scan ends: what is gone on one side, the sums of every day, and the one sentence.

use super::look::{self, Seen};
use super::{JOB, Job, LAST, Last, Scan, days, standing, write};
use crate::engine::Shared;
use crate::engine::invoices::recheck;
use crate::model::alert::Event;
use crate::model::fault::{Action, Fault};
use crate::model::ids::RecordId;
use crate::model::outbox::{Item, ItemState};
use crate::model::scan::{Finding, FindingKind, ScanEnd};
use crate::sync::awareness::is_suspicious;
use crate::sync::scan::summary;

impl Scan {
    /// All invoices were gone through.
    pub(super) async fn finish(&mut self, shared: &Shared) -> Result<(), Fault> {
        let Some(job) = self.job.clone() else { return Ok(()) };
        let mut all = gone(shared, &job).await?;
        all.extend(lost(shared, &job).await?);
        all.extend(still_lost(shared, &all).await?);
        all.extend(job.found.iter().cloned());
        let unsettled = all.iter().any(|finding| finding.kind == FindingKind::OtherDatabase);
        if !unsettled {
            all.extend(days::compare(shared, &all).await?);
        }
        // A long scan found its first a while ago.
        let (mut findings, mut days) = (Vec::new(), days::Unequal::default());
        for finding in all {
            if standing::still(shared, &finding, &mut days).await? {
                findings.push(finding);
            }
        }
        findings.sort_by(|left, right| (left.kind, &left.number).cmp(&(right.kind, &right.number)));
        let many = match unsettled {
            true => job.gone.count.max(job.lost.count),
            false => job.with_more(findings.len()),
        };
        let end = ScanEnd {
            at: shared.now(),
            sentence: summary(job.ordered, job.checked, many, job.unclear),
            checked: job.checked,
            mismatches: many,
        };
        let last = Last { end: end.clone(), findings };
        write(shared, LAST, Some(&last)).await?;
        write::<Job>(shared, JOB, None).await?;
        shared.journal("scan", "", end.sentence.clone()).await;
        shared.raise(Event::Scanned { checked: end.checked, mismatches: end.mismatches }).await;
        self.answer(shared, end, &last.findings);
        self.last = Some(last);
        self.job = None;
        self.looked_at_findings = Some(shared.world.clock.elapsed());
        self.show(shared, None);
        Ok(())
    }
}

/// What RainTek no longer has. Where that is most of it, it is rather another database, and nothing is decided.
async fn gone(shared: &Shared, job: &Job) -> Result<Vec<Finding>, Fault> {
    let (checked, count) = (job.checked, job.gone.count);
    if is_most(checked, count) {
        let sentence = format!(
            "RainTek lacks {count} of the {checked} invoices that ShopSync booked: another database, or an older backup that \
             was put back."
        );
        return Ok(vec![other_database(sentence)]);
    }
    let mut found = Vec::new();
    for id in &job.gone.named {
        let Some(_claim) = shared.claims.claim_or_mark(id) else { continue };
        let Some(item) = shared.world.state.item(id).await? else { continue };
        if let Seen::Differs(differs) = look::look_at(shared, &item).await? {
            found.push(look::keep(shared, &item, &differs).await?);
        }
    }
    Ok(found)
}

fn is_most(checked: u64, missing: u64) -> bool {
    let small = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    is_suspicious(small(checked), small(checked.saturating_sub(missing)))
}

/// What the app no longer has though it stands in RainTek: held, so that a person decides about the bill.
async fn lost(shared: &Shared, job: &Job) -> Result<Vec<Finding>, Fault> {
    let (checked, count) = (job.checked, job.lost.count);
    if is_most(checked, count) {
        let sentence = format!(
            "The billing app lacks {count} of the {checked} invoices that stand in RainTek: another app, or an older backup \
             that was put back."
        );
        return Ok(vec![other_database(sentence)]);
    }
    let mut found = Vec::new();
    for id in &job.lost.named {
        recheck(shared, id).await?;
        found.extend(shared.world.state.item(id).await?.as_ref().and_then(lost_finding));
    }
    Ok(found)
}

/// What an earlier look found so, and nobody has decided about.
async fn still_lost(shared: &Shared, found: &[Finding]) -> Result<Vec<Finding>, Fault> {
    let known = |id: &RecordId| found.iter().any(|finding| finding.record_id.as_ref() == Some(id));
    let open = shared.world.state.open_items(u32::MAX).await?;
    let open = open.iter().filter(|item| !known(&item.record_id));
    Ok(open.filter_map(lost_finding).collect())
}

/// The finding that a held invoice is, where it is one that the app no longer has.
pub(super) fn lost_finding(item: &Item) -> Option<Finding> {
    let fault = item.fault.as_ref().filter(|fault| fault.action == Action::RemoveOrLeave)?;
    let is_lost = item.state == ItemState::Held && fault.sentence.contains(crate::engine::removal::GONE);
    is_lost.then(|| Finding {
        kind: FindingKind::Lost,
        number: item.number.clone(),
        record_id: Some(item.record_id.clone()),
        inv_id: item.inv_id,
        day: None,
        sentence: fault.sentence.clone(),
        action: "Remove it from RainTek, or leave it there: the page has a button for each.".into(),
        details: Vec::new(),
    })
}

fn other_database(sentence: String) -> Finding {
    Finding {
        kind: FindingKind::OtherDatabase,
        number: String::new(),
        record_id: None,
        inv_id: None,
        day: None,
        sentence,
        action: "Nothing was changed. Call whoever supports the shop; then run `shopsync check`.".into(),
        details: Vec::new(),
    }
}
