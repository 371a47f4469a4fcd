//! What a scan under way has found so far. It stands in the store.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::model::ids::RecordId;
use crate::model::scan::Finding;
use crate::model::status::MAX_ITEMS;

/// A scan under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) since: DateTime<Utc>,
    pub(super) ordered: bool,
    /// The `seq` of the last item that was gone through.
    pub(super) cursor: i64,
    /// Items gone through, and all of them.
    pub(super) done: u64,
    pub(super) total: u64,
    /// Items compared.
    pub(super) checked: u64,
    /// Of them, what could not be compared.
    pub(super) unclear: u64,
    /// Found so far; of more than the most only their number is kept here.
    pub(super) found: Vec<Finding>,
    pub(super) more: u64,
    /// Not in RainTek, or not in the app. Most of them at once is something else, and is decided at the end.
    pub(super) gone: Named,
    pub(super) lost: Named,
}

impl Job {
    pub(super) fn new(since: DateTime<Utc>, ordered: bool) -> Self {
        Self {
            since,
            ordered,
            cursor: 0,
            done: 0,
            total: 0,
            checked: 0,
            unclear: 0,
            found: Vec::new(),
            more: 0,
            gone: Named::default(),
            lost: Named::default(),
        }
    }

    /// One that was compared is not in RainTek.
    pub(super) fn is_gone(&mut self, id: RecordId) {
        self.gone.push(id);
        self.checked += 1;
    }

    /// One that was compared is not in the app.
    pub(super) fn is_lost(&mut self, id: RecordId) {
        self.lost.push(id);
        self.checked += 1;
    }

    /// So many of those that are kept still differ: how many those are with the others.
    pub(super) fn with_more(&self, kept: usize) -> u64 {
        u64::try_from(kept).unwrap_or(u64::MAX).saturating_add(self.more)
    }

    /// One that was compared is not the same.
    pub(super) fn differs(&mut self, finding: Finding) {
        if self.found.len() < MAX_ITEMS {
            self.found.push(finding);
        } else {
            self.more += 1;
        }
        self.checked += 1;
    }
}

/// Invoices of which at most some are kept by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    pub(super) named: Vec<RecordId>,
    pub(super) count: u64,
}

impl Named {
    fn push(&mut self, id: RecordId) {
        self.count += 1;
        if self.named.len() < MAX_ITEMS {
            self.named.push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scan::FindingKind;

    fn finding(n: usize) -> Finding {
        Finding {
            kind: FindingKind::Edited,
            number: format!("GST-{n}"),
            record_id: None,
            inv_id: None,
            day: None,
            sentence: String::new(),
            action: String::new(),
            details: Vec::new(),
        }
    }

    #[test]
    fn beyond_the_most_only_the_number_is_kept() {
        let mut job = Job::new(DateTime::UNIX_EPOCH, true);
        for n in 0..MAX_ITEMS + 2 {
            job.is_gone(RecordId::new(format!("gone{n}")));
            job.is_lost(RecordId::new(format!("lost{n}")));
            job.differs(finding(n));
        }
        let (most, all) = (MAX_ITEMS, u64::try_from(MAX_ITEMS).unwrap() + 2);
        assert_eq!((job.gone.named.len(), job.gone.count), (most, all));
        assert_eq!((job.lost.named.len(), job.lost.count), (most, all));
        assert_eq!((job.found.len(), job.more), (most, 2));
        assert_eq!(job.checked, all * 3);
        assert_eq!(job.with_more(3), 5);
    }
}
