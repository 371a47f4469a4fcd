//! Runs tasks until stop: one that panics, ends or hangs is started again with backoff, and each is awaited at the end.

mod watch;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ports::{Clock, Task};
use watch::Watched;

/// How long tasks may take to finish what they are at once stop was asked for.
const STOP_WITHIN: Duration = Duration::from_secs(3);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Runs all tasks. Returns after `stop`, once every task has ended or was ended.
pub async fn run(tasks: Vec<Task>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut running = JoinSet::new();
    let mut all = Vec::with_capacity(tasks.len());
    for task in tasks {
        let watched = Arc::new(Watched::new(&task));
        all.push(Arc::clone(&watched));
        running.spawn(keep(task, watched, Arc::clone(&clock), stop.clone()));
    }
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = watch::over(&all, clock.as_ref()) => {}
    }
    let all_ended = async { while running.join_next().await.is_some() {} };
    tokio::select! {
        biased;
        () = all_ended => {}
        () = clock.sleep(STOP_WITHIN) => {
            let late: Vec<_> = all.iter().filter(|watched| !watched.has_ended()).map(|watched| watched.name()).collect();
            tracing::warn!(tasks = late.join(", "), "tasks did not end in time and are ended");
        }
    }
    running.shutdown().await;
}

async fn keep(task: Task, watched: Arc<Watched>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let mut wait = FIRST_WAIT;
    while !stop.is_cancelled() {
        let began = clock.elapsed();
        let ended = tokio::select! {
            biased;
            ended = AssertUnwindSafe(watched.life.of((task.run)())).catch_unwind() => Some(ended),
            // The watch has said so; dropped, it lets go of all that it held, as at a restart of the program.
            () = watched.hangs() => None,
        };
        match ended {
            None => {}
            Some(Ok(())) if stop.is_cancelled() => break,
            Some(Ok(())) => tracing::warn!(task = task.name, "a task ended and is started again"),
            Some(Err(panic)) => {
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
        let rest = watched.life.rest();
        tokio::select! {
            biased;
            () = clock.sleep(wait) => {}
            () = stop.cancelled() => {}
        }
        drop(rest);
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    watched.end();
}

#[cfg(test)]
mod tests;
