//! Who may write, and who holds which application lock.
//!
//! SQLite has one writer, which stands in for SQL Server's row locks: whoever writes, or reads with UPDLOCK,
//! holds the write lock to the end of its transaction. Waiting is first come, first served; a circle of
//! waiting sessions is a deadlock, and the session that closes it is the victim.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a waiting session looks whether its client gave up.
const LOOK: Duration = Duration::from_millis(20);

/// What can be locked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Resource {
    Writer,
    /// An application lock, by its name.
    Application(String),
}

/// Why a lock was not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Timeout,
    Deadlock,
    /// The client sent an attention or went away.
    Interrupted,
}

#[derive(Debug, Default)]
struct Held {
    /// Session, whether exclusive, how often.
    owners: Vec<(u16, bool, u32)>,
    queue: VecDeque<(u16, bool)>,
}

impl Held {
    fn blockers(&self, session: u16, exclusive: bool) -> Vec<u16> {
        let owners = self
            .owners
            .iter()
            .filter(|(owner, held_exclusive, _)| *owner != session && (exclusive || *held_exclusive))
            .map(|(owner, ..)| *owner);
        let holds_already = self.owners.iter().any(|(owner, ..)| *owner == session);
        let ahead = self
            .queue
            .iter()
            .take_while(|(waiting, _)| *waiting != session)
            .filter(|(_, waits_exclusive)| !holds_already && (exclusive || *waits_exclusive))
            .map(|(waiting, _)| *waiting);
        owners.chain(ahead).collect()
    }
}

#[derive(Debug, Default)]
struct State {
    held: HashMap<Resource, Held>,
    waiting: HashMap<u16, (Resource, bool)>,
}

impl State {
    /// Whether a chain of waiting sessions leads from `session` back to itself.
    fn in_circle(&self, session: u16) -> bool {
        let mut open = vec![session];
        let mut seen = Vec::new();
        while let Some(current) = open.pop() {
            let Some((resource, exclusive)) = self.waiting.get(&current) else { continue };
            for blocker in
                self.held.get(resource).map(|h| h.blockers(current, *exclusive)).unwrap_or_default()
            {
                if blocker == session {
                    return true;
                }
                if !seen.contains(&blocker) {
                    seen.push(blocker);
                    open.push(blocker);
                }
            }
        }
        false
    }
}

/// All locks of the server.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    state: Mutex<State>,
    changed: Condvar,
}

impl Locks {
    #[expect(clippy::disallowed_methods, reason = "SQL Server's own lock timeout runs on real time")]
    /// Takes a lock; gives back whether it had to wait. `timeout` None waits for ever.
    pub(crate) fn acquire(
        &self,
        session: u16,
        resource: Resource,
        exclusive: bool,
        timeout: Option<Duration>,
        interrupted: &dyn Fn() -> bool,
    ) -> Result<bool, Refusal> {
        let started = Instant::now();
        let mut state = self.state();
        let held = state.held.entry(resource.clone()).or_default();
        held.queue.push_back((session, exclusive));
        let mut waited = false;
        let refusal = loop {
            let held = state.held.entry(resource.clone()).or_default();
            if held.blockers(session, exclusive).is_empty() {
                held.queue.retain(|(waiting, _)| *waiting != session);
                match held.owners.iter_mut().find(|(owner, ..)| *owner == session) {
                    Some((_, held_exclusive, times)) => {
                        *held_exclusive |= exclusive;
                        *times += 1;
                    }
                    None => held.owners.push((session, exclusive, 1)),
                }
                state.waiting.remove(&session);
                self.changed.notify_all();
                return Ok(waited);
            }
            state.waiting.insert(session, (resource.clone(), exclusive));
            if state.in_circle(session) {
                break Refusal::Deadlock;
            }
            if timeout.is_some_and(|timeout| started.elapsed() >= timeout) {
                break Refusal::Timeout;
            }
            if waited && interrupted() {
                break Refusal::Interrupted;
            }
            waited = true;
            let left = timeout.map_or(LOOK, |timeout| timeout.saturating_sub(started.elapsed()).min(LOOK));
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        };
        state.waiting.remove(&session);
        if let Some(held) = state.held.get_mut(&resource) {
            held.queue.retain(|(waiting, _)| *waiting != session);
        }
        self.changed.notify_all();
        Err(refusal)
    }

    /// Gives one hold of a lock back; false where the session does not hold it.
    pub(crate) fn release(&self, session: u16, resource: &Resource) -> bool {
        let mut state = self.state();
        let Some(held) = state.held.get_mut(resource) else { return false };
        let Some((_, _, times)) = held.owners.iter_mut().find(|(owner, ..)| *owner == session) else {
            return false;
        };
        *times -= 1;
        if *times == 0 {
            held.owners.retain(|(owner, ..)| *owner != session);
        }
        self.changed.notify_all();
        true
    }

    /// Gives back everything a session holds.
    pub(crate) fn release_all(&self, session: u16) {
        let mut state = self.state();
        for held in state.held.values_mut() {
            held.owners.retain(|(owner, ..)| *owner != session);
        }
        self.changed.notify_all();
    }

    /// How many sessions wait for a lock now.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(name: &str) -> Resource {
        Resource::Application(name.to_owned())
    }

    #[test]
    fn shared_holders_do_not_block_each_other_but_an_exclusive_one() {
        let locks = Locks::default();
        let now = Some(Duration::ZERO);
        assert_eq!(locks.acquire(1, application("a"), false, now, &|| false), Ok(false));
        assert_eq!(locks.acquire(2, application("a"), false, now, &|| false), Ok(false));
        assert_eq!(locks.acquire(3, application("a"), true, now, &|| false), Err(Refusal::Timeout));
        locks.release_all(1);
        locks.release_all(2);
        assert_eq!(locks.acquire(3, application("a"), true, now, &|| false), Ok(false));
    }

    #[test]
    fn who_closes_the_circle_is_the_victim() {
        let locks = std::sync::Arc::new(Locks::default());
        locks.acquire(1, Resource::Writer, true, None, &|| false).unwrap();
        locks.acquire(2, application("a"), true, None, &|| false).unwrap();
        let other = std::sync::Arc::clone(&locks);
        let waiter = std::thread::spawn(move || other.acquire(2, Resource::Writer, true, None, &|| false));
        while locks.waiting() == 0 {
            std::thread::yield_now();
        }
        assert_eq!(locks.acquire(1, application("a"), true, None, &|| false), Err(Refusal::Deadlock));
        locks.release_all(1);
        assert_eq!(waiter.join().unwrap(), Ok(true));
    }
}
