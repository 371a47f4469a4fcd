use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::*;
use crate::ports::life::{at_a_backup, resting};

/// Passes when nobody has anything to do, and jumps when it is told to.
struct Paused {
    start: Instant,
    slept: Mutex<Duration>,
}

#[expect(clippy::disallowed_methods, reason = "tokio's own clock, which stands still in these tests")]
fn now() -> Instant {
    Instant::now()
}

impl Paused {
    fn new() -> Arc<Self> {
        Arc::new(Self { start: now(), slept: Mutex::default() })
    }
}

#[async_trait]
impl Clock for Paused {
    fn now(&self) -> DateTime<Utc> {
        DateTime::default()
    }
    fn elapsed(&self) -> Duration {
        now().saturating_duration_since(self.start) + *self.slept.lock().unwrap()
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
    fn jitter(&self) -> u32 {
        0
    }
}

const PATIENCE: Duration = Duration::from_secs(300);

/// A task whose runs are counted; `run` is given which of them it is, from 0.
fn counted(
    starts: &Arc<AtomicU32>,
    run: impl Fn(u32) -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> Task {
    let starts = Arc::clone(starts);
    let run = move || run(starts.fetch_add(1, Ordering::SeqCst));
    Task { name: "counted", patience: PATIENCE, run: Box::new(run) }
}

/// How often a task was started by then.
async fn starts_within(
    time: Duration,
    run: impl Fn(u32) -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> u32 {
    let (starts, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
    let task = counted(&starts, run);
    let running = tokio::spawn(super::run(vec![task], Paused::new(), stop.clone()));
    tokio::time::sleep(time).await;
    stop.cancel();
    running.await.unwrap();
    starts.load(Ordering::SeqCst)
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_started_again_and_stop_ends_all() {
    let (starts, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
    let ending = stop.clone();
    let task = counted(&starts, move |nth| {
        let ending = ending.clone();
        Box::pin(async move {
            assert!(nth >= 2, "planted");
            ending.cancelled().await;
        })
    });
    let running = tokio::spawn(run(vec![task], Paused::new(), stop.clone()));
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
    let task = Task { name: "deaf", patience: PATIENCE, run: Box::new(|| Box::pin(std::future::pending())) };
    let running = tokio::spawn(run(vec![task], Paused::new(), stop.clone()));
    stop.cancel();
    tokio::time::timeout(STOP_WITHIN * 2, running).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_task_that_hangs_is_started_again() {
    let once = |nth: u32| -> BoxFuture<'static, ()> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(100)).await;
            match nth {
                0 => std::future::pending().await,
                _ => resting(std::future::pending()).await,
            }
        })
    };
    assert_eq!(starts_within(Duration::from_secs(100) + PATIENCE - Duration::from_secs(1), once).await, 1);
    assert_eq!(starts_within(Duration::from_secs(100) + PATIENCE * 2, once).await, 2);
    assert_eq!(starts_within(PATIENCE * 100, once).await, 2, "it works again");
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_each_time_is_started_again_each_time_and_what_it_held_is_let_go_of() {
    let held = Arc::new(tokio::sync::Mutex::new(0_u32));
    let holds = Arc::clone(&held);
    let starts = starts_within(PATIENCE * 10, move |_| {
        let holds = Arc::clone(&holds);
        Box::pin(async move {
            let mut held = holds.lock().await;
            *held += 1;
            std::future::pending::<()>().await;
        })
    });
    let starts = starts.await;
    assert!((8..=10).contains(&starts), "{starts}");
    assert_eq!(*held.lock().await, starts, "each got hold of it");
}

#[tokio::test(start_paused = true)]
async fn long_work_and_long_rests_are_left_alone() {
    let works = |_| -> BoxFuture<'static, ()> {
        Box::pin(async {
            loop {
                tokio::time::sleep(PATIENCE - Duration::from_secs(40)).await;
            }
        })
    };
    assert_eq!(starts_within(PATIENCE * 100, works).await, 1, "each piece is a sign of life");
    let rests = |_| -> BoxFuture<'static, ()> { Box::pin(resting(std::future::pending())) };
    assert_eq!(starts_within(PATIENCE * 100, rests).await, 1, "it waits on purpose");
}

#[tokio::test(start_paused = true)]
async fn a_backup_is_given_longer_and_nothing_else_of_its_task_is() {
    let backup = Task::PATIENCE_FOR_BACKUPS;
    let long = move |_| -> BoxFuture<'static, ()> {
        Box::pin(async move {
            at_a_backup(tokio::time::sleep(backup - Duration::from_secs(40))).await;
            resting(std::future::pending()).await
        })
    };
    assert_eq!(starts_within(backup * 3, long).await, 1, "it takes its time");
    let ended = |_| -> BoxFuture<'static, ()> {
        Box::pin(async {
            at_a_backup(tokio::time::sleep(Duration::from_secs(20))).await;
            std::future::pending().await
        })
    };
    assert!(starts_within(PATIENCE * 3, ended).await > 1, "what follows the backup hangs");
    let hangs = |nth| -> BoxFuture<'static, ()> {
        Box::pin(async move {
            match nth {
                0 => at_a_backup(std::future::pending()).await,
                _ => resting(std::future::pending()).await,
            }
        })
    };
    assert_eq!(starts_within(backup - Duration::from_secs(1), hangs).await, 1);
    assert_eq!(starts_within(backup * 2, hangs).await, 2, "nor is a backup waited for for ever");
}

#[tokio::test(start_paused = true)]
async fn the_time_in_which_the_pc_slept_does_not_count() {
    let (starts, stop, clock) = (Arc::new(AtomicU32::new(0)), CancellationToken::new(), Paused::new());
    let task = counted(&starts, |_| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_secs(200)).await;
            resting(std::future::pending()).await
        })
    });
    let running = tokio::spawn(run(vec![task], Arc::clone(&clock) as Arc<dyn Clock>, stop.clone()));
    tokio::time::sleep(Duration::from_secs(100)).await;
    *clock.slept.lock().unwrap() += Duration::from_secs(8 * 3600);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(starts.load(Ordering::SeqCst), 1);
}
