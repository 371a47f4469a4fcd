//! A published state, for tests.

use chrono::{DateTime, Utc};

use super::backup::BackupsStatus;
use super::health::HealthState;
use super::scan::ScanStatus;
use super::status::{AwarenessStatus, Counts, LinkStatus, ProductsStatus, Snapshot};
use super::trial::TrialStatus;

/// Both sides connected, nothing waiting, published at the very start.
pub(crate) fn snapshot(at: DateTime<Utc>, state: HealthState, sentence: &str) -> Snapshot {
    let link = LinkStatus { connected: true, ..LinkStatus::default() };
    Snapshot {
        version: "0.1.0".into(),
        at,
        started: at,
        state,
        sentence: sentence.into(),
        summary: String::new(),
        raintek: link.clone(),
        billing: link,
        realtime: true,
        products: ProductsStatus::default(),
        from_raintek: AwarenessStatus::default(),
        counts: Counts::default(),
        items: Vec::new(),
        last_push: None,
        paused_until: None,
        backups: BackupsStatus { enabled: true, ..BackupsStatus::default() },
        scan: ScanStatus::default(),
        heartbeat: None,
        cut_off: None,
        trial: TrialStatus::default(),
        activity: Vec::new(),
    }
}
