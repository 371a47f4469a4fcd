//! Signs of life of a task, by which one that works is told from one that hangs.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;

tokio::task_local! {
    /// Of the task that runs just now, so that nobody has to hand it through to where something is waited for.
    static LIFE: Arc<Life>;
}

/// What is seen of a task from outside.
///
/// A sign of life is that something it waited for happened: an answer came, or a piece of one, or a time was over. So
/// long work gives signs of itself, whatever it works on, and one call that never comes back gives none.
#[derive(Debug, Default)]
pub struct Life {
    signs: AtomicU64,
    rests: AtomicUsize,
    backups: AtomicUsize,
}

impl Life {
    /// How many signs there were.
    pub fn signs(&self) -> u64 {
        self.signs.load(Ordering::Relaxed)
    }

    /// Whether it waits on purpose, for as long as it likes.
    pub fn is_resting(&self) -> bool {
        self.rests.load(Ordering::Relaxed) > 0
    }

    /// Whether it waits for a backup, which takes longer than anything else.
    pub fn is_at_a_backup(&self) -> bool {
        self.backups.load(Ordering::Relaxed) > 0
    }

    /// Counts as a rest until it is dropped.
    pub fn rest(self: &Arc<Self>) -> Rest {
        self.rests.fetch_add(1, Ordering::Relaxed);
        Rest(Arc::clone(self))
    }

    fn backup(self: &Arc<Self>) -> AtBackup {
        self.backups.fetch_add(1, Ordering::Relaxed);
        AtBackup(Arc::clone(self))
    }

    /// Runs a task and takes down its signs.
    pub async fn of(self: &Arc<Self>, task: BoxFuture<'static, ()>) {
        LIFE.scope(Arc::clone(self), Signs { life: Arc::clone(self), task }).await;
    }
}

/// A task waits on purpose while this is there.
#[derive(Debug)]
pub struct Rest(Arc<Life>);

impl Drop for Rest {
    fn drop(&mut self) {
        self.0.rests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A task waits for a backup while this is there.
struct AtBackup(Arc<Life>);

impl Drop for AtBackup {
    fn drop(&mut self) {
        self.0.backups.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes, proves or restores a backup: its task is given as long as that may take, and only meanwhile.
pub async fn at_a_backup<T>(work: impl Future<Output = T>) -> T {
    let _backup = LIFE.try_with(Life::backup).ok();
    work.await
}

/// Waits on purpose: no sign of life is expected of this task meanwhile.
pub async fn resting<T>(wait: impl Future<Output = T>) -> T {
    let _rest = LIFE.try_with(Life::rest).ok();
    wait.await
}

struct Signs {
    life: Arc<Life>,
    task: BoxFuture<'static, ()>,
}

impl Future for Signs {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.life.signs.fetch_add(1, Ordering::Relaxed);
        self.task.as_mut().poll(context)
    }
}
