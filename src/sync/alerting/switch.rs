//! The dead man's switch is told only what is proven.

use super::table::at;
use super::*;

#[test]
fn the_dead_mans_switch_is_told_only_what_is_proven_now() {
    let snapshot = |state, seconds| Snapshot {
        version: String::new(),
        at: at(seconds),
        started: at(0),
        state,
        sentence: String::new(),
        summary: String::new(),
        raintek: LinkStatus::default(),
        billing: LinkStatus::default(),
        realtime: true,
        products: crate::model::status::ProductsStatus::default(),
        counts: Counts::default(),
        items: Vec::new(),
        last_push: None,
        paused_until: None,
        activity: Vec::new(),
        backups: Default::default(),
        from_raintek: Default::default(),
    };
    for (state, well) in [
        (HealthState::InStep, true),
        (HealthState::Working, true),
        (HealthState::Starting, false),
        (HealthState::Attention, false),
        (HealthState::Failing, false),
        (HealthState::Paused, false),
    ] {
        assert_eq!(all_is_well(&snapshot(state, 100), at(110)), well, "{state:?}");
        assert!(!all_is_well(&snapshot(state, 100), at(121)), "stale: {state:?}");
    }
}
