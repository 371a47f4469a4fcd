//! Notices a handler that waits: nothing on the event loop may, but for making and taking down a web view.

use std::time::Duration;

use crate::ports::Clock;

/// A handler that stood still for longer waited for something.
const SLOW: Duration = Duration::from_millis(100);

/// From the begin of a handler to its end.
pub(super) struct Meter {
    began: Duration,
    busy: Option<Duration>,
}

impl Meter {
    pub(super) fn begin(clock: &dyn Clock) -> Self {
        Self { began: clock.elapsed(), busy: busy() }
    }

    /// Says so where it waited.
    pub(super) fn end(self, clock: &dyn Clock, event: &'static str) {
        let took = clock.elapsed().saturating_sub(self.began);
        let busy = self.busy.zip(busy()).map(|(before, after)| after.saturating_sub(before));
        let waited = took.saturating_sub(busy.unwrap_or_default());
        if waited >= SLOW {
            let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(event, waited_ms = ms(waited), took_ms = ms(took), "the event loop waited");
        }
    }
}

/// How long this thread has computed, or could have, had others not had the processor. A test build on a busy machine
/// tells by this what waited from what was only slow; elsewhere all time counts.
fn busy() -> Option<Duration> {
    if !cfg!(all(debug_assertions, target_os = "linux")) {
        return None;
    }
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let mut numbers = text.split_whitespace().map_while(|number| number.parse().ok());
    let (computed, queued): (u64, u64) = (numbers.next()?, numbers.next()?);
    Some(Duration::from_nanos(computed.saturating_add(queued)))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_told_from_computing() {
        let waited = |work: &dyn Fn()| {
            let before = busy().unwrap();
            work();
            busy().unwrap().saturating_sub(before)
        };
        let slept = waited(&|| std::thread::sleep(Duration::from_millis(60)));
        assert!(slept < Duration::from_millis(30), "{slept:?}");
        let computed = waited(&|| {
            let mut sum = 0_u64;
            for number in 0..20_000_000_u64 {
                sum = std::hint::black_box(sum.wrapping_add(number));
            }
        });
        assert!(computed > Duration::from_millis(20), "{computed:?}");
    }
}
