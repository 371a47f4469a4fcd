//! Tells a service outside that all is well, while it is.

use std::sync::Arc;

use super::Pulse;
use crate::engine::Shared;
use crate::ports::life::resting;
use crate::sync::alerting::all_is_well;

pub(super) async fn run(shared: Arc<Shared>, pulse: Pulse) {
    let mut failing = false;
    while !shared.stopping() {
        let snapshot = Arc::clone(&shared.snapshot.borrow());
        if all_is_well(snapshot.state, snapshot.at, shared.now()) {
            let outcome = tokio::select! {
                biased;
                outcome = pulse.heartbeat.beat() => outcome,
                () = shared.stop.cancelled() => return,
            };
            if let Err(fault) = &outcome
                && !failing
            {
                shared.log("heartbeat", fault);
            }
            failing = outcome.is_err();
        }
        resting(async {
            tokio::select! {
                biased;
                () = shared.world.clock.sleep(pulse.every) => {}
                () = shared.stop.cancelled() => {}
            }
        })
        .await;
    }
}
