//! A task that is started again says so, and takes back what the run before it said of itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::board::Seen;
use super::{Shared, backup, trial};
use crate::ports::Task;

/// One that fails again and again fills no journal.
const TELL_EVERY: Duration = Duration::from_secs(3600);

/// What whoever waits for an answer is told.
pub(super) const GIVEN_UP: &str = "It stood still and was given up. Try again.";

type Run = fn(Arc<Shared>) -> BoxFuture<'static, ()>;

/// A task that tells when it is started again.
pub(super) fn task(shared: &Arc<Shared>, name: &'static str, patience: Duration, run: Run) -> Task {
    let shared = Arc::clone(shared);
    let (ran, told) = (AtomicBool::new(false), Arc::new(Mutex::new(None)));
    Task {
        name,
        patience,
        run: Box::new(move || {
            let again = ran.swap(true, Ordering::SeqCst);
            let (shared, told) = (Arc::clone(&shared), Arc::clone(&told));
            Box::pin(async move {
                if again {
                    started_again(&shared, name, &told).await;
                }
                run(shared).await;
            })
        }),
    }
}

/// What the run before said it was doing.
fn take_back(seen: &mut Seen, name: &str) {
    match name {
        "push" => seen.sending = 0,
        "products" => seen.products_status.progress = None,
        "bills" => seen.bills_status.progress = None,
        "backup" => backup::given_up(seen),
        _ => {}
    }
}

async fn started_again(shared: &Shared, name: &'static str, told: &Mutex<Option<Duration>>) {
    shared.board.update(|seen| take_back(seen, name));
    if name == "trial" {
        trial::given_up(shared);
    }
    let now = shared.world.clock.elapsed();
    let tells = {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let tells = told.is_none_or(|at| now.saturating_sub(at) >= TELL_EVERY);
        *told = if tells { Some(now) } else { *told };
        tells
    };
    if tells {
        let sentence = format!("A part of ShopSync ({name}) stood still and was started again.");
        shared.journal("app", "", sentence).await;
    }
    shared.signals.publish.notify_one();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::board::Board;
    use crate::model::status::Progress;

    #[test]
    fn only_what_the_task_itself_was_doing_is_taken_back() {
        let at_work = || {
            let board = Board::new(chrono::DateTime::UNIX_EPOCH, &crate::engine::rules_for_tests());
            let mut seen = board.seen();
            seen.sending = 2;
            let progress = Some(Progress { done: 1, total: 9 });
            (seen.products_status.progress, seen.bills_status.progress) = (progress, progress);
            seen
        };
        let said = |name| {
            let mut seen = at_work();
            take_back(&mut seen, name);
            let [products, bills] = [seen.products_status.progress, seen.bills_status.progress];
            (seen.sending, products.is_some(), bills.is_some())
        };
        assert_eq!(said("push"), (0, true, true));
        assert_eq!(said("products"), (2, false, true));
        assert_eq!(said("bills"), (2, true, false));
        assert_eq!(said("numbers"), (2, true, true));
    }
}
