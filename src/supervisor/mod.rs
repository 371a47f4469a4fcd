//! Runs tasks until stop: one that panics or ends is started again with backoff, and each is awaited at the end.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ports::{Clock, Task};

/// How long tasks may take to finish what they are at once stop was asked for.
const STOP_WITHIN: Duration = Duration::from_secs(3);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Runs all tasks. Returns after `stop`, once every task has ended or was ended.
pub async fn run(tasks: Vec<Task>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut running = JoinSet::new();
    for task in tasks {
        running.spawn(keep(task, Arc::clone(&clock), stop.clone()));
    }
    stop.cancelled().await;
    let all_ended = async { while running.join_next().await.is_some() {} };
    tokio::select! {
        biased;
        () = all_ended => {}
        () = clock.sleep(STOP_WITHIN) => tracing::warn!("tasks did not end in time and are ended"),
    }
    running.shutdown().await;
}

async fn keep(task: Task, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut wait = FIRST_WAIT;
    while !stop.is_cancelled() {
        let began = clock.elapsed();
        match AssertUnwindSafe((task.run)()).catch_unwind().await {
            Ok(()) if stop.is_cancelled() => return,
            Ok(()) => tracing::warn!(task = task.name, "a task ended and is started again"),
            Err(panic) => {
                let why = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                tracing::error!(task = task.name, why, "a task panicked and is started again");
            }
        }
        // One that ran well for a while starts anew at once; one that fails at its start must not spin.
        if clock.elapsed().saturating_sub(began) > LONGEST_WAIT {
            wait = FIRST_WAIT;
        }
        tokio::select! {
            biased;
            () = clock.sleep(wait) => {}
            () = stop.cancelled() => {}
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Paused;

    #[async_trait]
    impl Clock for Paused {
        fn now(&self) -> DateTime<Utc> {
            DateTime::default()
        }
        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
        async fn sleep(&self, duration: Duration) {
            tokio::time::sleep(duration).await;
        }
        fn jitter(&self) -> u32 {
            0
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again_and_stop_ends_all() {
        let starts = Arc::new(AtomicU32::new(0));
        let stop = CancellationToken::new();
        let (counted, ending) = (Arc::clone(&starts), stop.clone());
        let task = Task {
            name: "shaky",
            run: Box::new(move || {
                let (counted, ending) = (Arc::clone(&counted), ending.clone());
                Box::pin(async move {
                    if counted.fetch_add(1, Ordering::SeqCst) < 2 {
                        panic!("planted");
                    }
                    ending.cancelled().await;
                })
            }),
        };
        let running = tokio::spawn(run(vec![task], Arc::new(Paused), stop.clone()));
        while starts.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        stop.cancel();
        running.await.unwrap();
        assert_eq!(starts.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_does_not_end_is_ended() {
        let stop = CancellationToken::new();
        let task = Task { name: "deaf", run: Box::new(|| Box::pin(std::future::pending())) };
        let running = tokio::spawn(run(vec![task], Arc::new(Paused), stop.clone()));
        stop.cancel();
        tokio::time::timeout(STOP_WITHIN * 2, running).await.unwrap().unwrap();
    }
}
