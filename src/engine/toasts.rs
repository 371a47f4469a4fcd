//! Toasts: follows the published state and shows what `sync::toasts` decides. A desktop without toasts costs a line
//! in the log, and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::model::status::Snapshot;
use crate::ports::Task;
use crate::ports::desktop::Toaster;
use crate::ports::life::resting;
use crate::sync::toasts::{Memory, decide};

/// The loop; ends with the publisher, or when `stop` says so.
pub fn task(
    states: watch::Receiver<Arc<Snapshot>>,
    toaster: Arc<dyn Toaster>,
    stop: CancellationToken,
) -> Task {
    // Outlives a run: a task that is started again repeats nothing.
    let memory = Arc::new(Mutex::new(Memory::default()));
    let run = move || {
        let (states, toaster, memory) = (states.clone(), Arc::clone(&toaster), Arc::clone(&memory));
        let stop = stop.clone();
        async move {
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = follow(states, toaster, memory) => {}
            }
        }
    };
    Task { name: "toasts", patience: Task::PATIENCE, run: Box::new(move || Box::pin(run())) }
}

async fn follow(
    mut states: watch::Receiver<Arc<Snapshot>>,
    toaster: Arc<dyn Toaster>,
    memory: Arc<Mutex<Memory>>,
) {
    let mut silent = false;
    loop {
        let snapshot = Arc::clone(&states.borrow_and_update());
        let toast = decide(&mut memory.lock().unwrap_or_else(PoisonError::into_inner), &snapshot);
        if let Some(toast) = toast {
            match toaster.show(&toast).await {
                Ok(()) => silent = false,
                Err(fault) => {
                    if !silent {
                        tracing::warn!(detail = %fault.detail, "{}", fault.sentence);
                    }
                    silent = true;
                }
            }
        }
        if resting(states.changed()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use chrono::{TimeDelta, TimeZone as _, Utc};

    use super::*;
    use crate::model::desktop::Toast;
    use crate::model::fault::{Fault, FaultKind, Scope};
    use crate::model::health::HealthState;
    use crate::model::sample;

    struct Desktop {
        works: bool,
        asked: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Toaster for Desktop {
        async fn show(&self, toast: &Toast) -> Result<(), Fault> {
            self.asked.lock().unwrap().push(toast.title.clone());
            if self.works { Ok(()) } else { Err(Fault::new(FaultKind::Transient, Scope::Item, "No.")) }
        }
    }

    #[tokio::test]
    async fn a_desktop_without_toasts_is_survived_and_asked_again() {
        for works in [true, false] {
            let start = Utc.with_ymd_and_hms(2026, 9, 15, 5, 0, 0).unwrap();
            let mut snapshot = sample::snapshot(start, HealthState::Starting, "Looking.");
            let (publisher, states) = watch::channel(Arc::new(snapshot.clone()));
            let desktop = Arc::new(Desktop { works, asked: Mutex::default() });
            let stop = CancellationToken::new();
            let task = task(states, Arc::clone(&desktop) as Arc<dyn Toaster>, stop);
            let running = tokio::spawn((task.run)());
            for (seconds, state) in [
                (1, HealthState::InStep),
                (70, HealthState::Failing),
                (71, HealthState::Failing),
                (140, HealthState::InStep),
            ] {
                snapshot.at = start + TimeDelta::seconds(seconds);
                snapshot.state = state;
                publisher.send_replace(Arc::new(snapshot.clone()));
                // Each is looked at before the next comes.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
            }
            drop(publisher);
            running.await.unwrap();
            let asked = desktop.asked.lock().unwrap().clone();
            assert_eq!(asked, ["Invoices are not reaching RainTek", "ShopSync is back"]);
        }
    }
    #[tokio::test]
    async fn it_ends_when_shopsync_does_though_states_are_published_still() {
        let at = Utc.with_ymd_and_hms(2026, 9, 15, 5, 0, 0).unwrap();
        let snapshot = sample::snapshot(at, HealthState::InStep, "Everything is in step.");
        let (_publisher, states) = watch::channel(Arc::new(snapshot));
        let (desktop, stop) = (Desktop { works: true, asked: Mutex::default() }, CancellationToken::new());
        let running = tokio::spawn((task(states, Arc::new(desktop), stop.clone()).run)());
        tokio::task::yield_now().await;
        stop.cancel();
        tokio::time::timeout(std::time::Duration::from_secs(5), running).await.unwrap().unwrap();
    }
}
