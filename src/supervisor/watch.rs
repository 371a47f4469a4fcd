//! Which tasks hang: those that neither give a sign of life nor rest for longer than their patience.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::ports::life::Life;
use crate::ports::{Clock, Task};

/// Between two looks at all tasks.
const LOOK: Duration = Duration::from_secs(15);

/// A task as the watch sees it, through all its starts.
#[derive(Debug)]
pub(super) struct Watched {
    name: &'static str,
    patience: Duration,
    pub(super) life: Arc<Life>,
    hangs: Notify,
    ended: AtomicBool,
}

impl Watched {
    pub(super) fn new(task: &Task) -> Self {
        Self {
            name: task.name,
            patience: task.patience,
            life: Arc::default(),
            hangs: Notify::new(),
            ended: AtomicBool::new(false),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// How long it may be silent with what it is at.
    fn patience(&self) -> Duration {
        match self.life.is_at_a_backup() {
            true => self.patience.max(Task::PATIENCE_FOR_BACKUPS),
            false => self.patience,
        }
    }

    /// It is not started again.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Ends when the watch says that it hangs.
    pub(super) async fn hangs(&self) {
        self.hangs.notified().await;
    }
}

/// Watches over all of them, for ever.
pub(super) async fn over(all: &[Arc<Watched>], clock: &dyn Clock) {
    let mut silent = vec![(0, Duration::ZERO); all.len()];
    let mut looked = clock.elapsed();
    loop {
        clock.sleep(LOOK).await;
        let now = clock.elapsed();
        // A PC that slept, or had no time for us, had none for them either.
        let passed = now.saturating_sub(looked).min(LOOK * 2);
        looked = now;
        for (watched, (signs, silence)) in all.iter().zip(&mut silent) {
            let seen = watched.life.signs();
            if watched.life.is_resting() || seen != *signs {
                (*signs, *silence) = (seen, Duration::ZERO);
                continue;
            }
            *silence += passed;
            if *silence >= watched.patience() {
                let seconds = silence.as_secs();
                tracing::error!(task = watched.name, seconds, "a task hangs, is ended and started again");
                *silence = Duration::ZERO;
                // Nothing is left behind for a run that begins later.
                watched.hangs.notify_waiters();
            }
        }
    }
}
