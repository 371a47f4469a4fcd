//! The end of a user's session: Windows waits until what is on its way has ended in order.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::shell::Bell;

/// Windows ends a program by force that takes longer than five seconds.
#[cfg_attr(not(windows), expect(dead_code, reason = "only Windows tells a program so"))]
const WITHIN: Duration = Duration::from_millis(4_800);

/// Set once everything has stopped.
#[derive(Debug, Default)]
pub(super) struct Over {
    stopped: Mutex<bool>,
    told: Condvar,
}

impl Over {
    pub(super) fn set(&self) {
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.told.notify_all();
    }

    /// Waits for it, at most so long.
    #[cfg_attr(not(any(windows, test)), expect(dead_code, reason = "only Windows waits for a program"))]
    fn wait(&self, at_most: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.told.wait_timeout_while(stopped, at_most, |stopped| !*stopped);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What the end of the session is made of.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// Cancelled when the session ends.
    pub(super) asked: CancellationToken,
    over: Arc<Over>,
}

impl Ending {
    pub(super) fn over(&self) -> Arc<Over> {
        Arc::clone(&self.over)
    }

    /// Hears from Windows from now on: the end, a PC that woke, a taskbar that is another one.
    #[cfg(windows)]
    pub(super) fn listen(&self, bell: Bell, woke: Arc<Notify>) {
        use crate::platform::windows::session::{News, listen};
        use crate::shell::Notice;

        let (asked, over) = (self.asked.clone(), self.over());
        let listening = listen(move |news| match news {
            News::Ending => {
                asked.cancel();
                if !over.wait(WITHIN) {
                    tracing::warn!("the session ends before everything has stopped");
                }
            }
            News::Woke => woke.notify_one(),
            News::Redraw => {
                bell.tell(Notice::Again);
            }
        });
        if let Err(error) = listening {
            tracing::warn!(%error, "the end of the session cannot be heard");
        }
    }

    /// Elsewhere a session's end is a signal.
    #[cfg(not(windows))]
    #[expect(clippy::unused_self, reason = "the same shape as on Windows")]
    pub(super) fn listen(&self, _: Bell, _: Arc<Notify>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_waits_for_the_end_and_not_for_ever() {
        let ending = Ending::default();
        assert!(!ending.over().wait(Duration::from_millis(20)), "it has not ended");
        let over = ending.over();
        let waits = std::thread::spawn(move || over.wait(Duration::from_secs(60)));
        ending.over().set();
        assert!(waits.join().unwrap());
        assert!(ending.over().wait(Duration::ZERO));
    }
}
