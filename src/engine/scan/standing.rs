//! What was found stands until it is right again.

use super::end::lost_finding;
use super::look::{self, Seen};
use super::{LAST, STANDING_EVERY, Scan, days, gives_way, write};
use crate::engine::Shared;
use crate::model::awareness::BillKey;
use crate::model::fault::Fault;
use crate::model::outbox::ItemState;
use crate::model::scan::{Finding, FindingKind};

impl Scan {
    /// Looks at what was found, and forgets what is right by now.
    pub(super) async fn look_at_findings(&mut self, shared: &Shared) -> Result<(), Fault> {
        if gives_way(shared, true).await?.is_some() {
            return Ok(());
        }
        let steady = shared.world.clock.elapsed();
        let asked = shared.board.update(|seen| std::mem::take(&mut seen.scan_findings_asked));
        let is_due =
            asked || self.looked_at_findings.is_none_or(|at| steady.saturating_sub(at) >= STANDING_EVERY);
        let Some(last) = self.last.as_mut().filter(|last| is_due && !last.findings.is_empty()) else {
            return Ok(());
        };
        self.looked_at_findings = Some(steady);
        let (mut standing, mut days) = (Vec::new(), days::Unequal::default());
        for finding in &last.findings {
            let began = shared.world.clock.elapsed();
            if still(shared, finding, &mut days).await? {
                standing.push(finding.clone());
            }
            shared.world.clock.sleep(shared.world.clock.elapsed().saturating_sub(began)).await;
        }
        if standing != last.findings {
            last.findings = standing;
            write(shared, LAST, Some(&*last)).await?;
            self.show(shared, None);
        }
        Ok(())
    }
}

/// Whether it is not right yet. What is on its way is not.
pub(super) async fn still(
    shared: &Shared,
    finding: &Finding,
    days: &mut days::Unequal,
) -> Result<bool, Fault> {
    match finding.kind {
        FindingKind::OtherDatabase => Ok(true),
        FindingKind::Stray | FindingKind::Day => days::still(shared, finding, days).await,
        FindingKind::Lost => {
            let Some(id) = &finding.record_id else { return Ok(false) };
            Ok(shared.world.state.item(id).await?.as_ref().and_then(lost_finding).is_some())
        }
        FindingKind::Edited | FindingKind::Gone => differs_still(shared, finding).await,
    }
}

async fn differs_still(shared: &Shared, finding: &Finding) -> Result<bool, Fault> {
    let (Some(id), Some(inv_id)) = (&finding.record_id, finding.inv_id) else { return Ok(false) };
    let Some(item) = shared.world.state.item(id).await? else { return Ok(false) };
    match look::look_at(shared, &item).await? {
        Seen::Same | Seen::Lost => Ok(false),
        Seen::Differs(_) => Ok(true),
        Seen::Unclear(_) => {
            let known = shared.world.state.known_bill(&BillKey::new(inv_id, &finding.number)).await?;
            Ok(known.is_some_and(|known| known.state.is_mismatch()))
        }
        // Revised or taken back, it is another invoice's matter; being written again it is not right yet.
        Seen::OnItsWay => Ok(!matches!(item.state, ItemState::Done | ItemState::Withdrawn)),
    }
}
