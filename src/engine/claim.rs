//! One task at a time works on an invoice; a look that comes meanwhile is made up for afterwards.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::model::ids::RecordId;

/// Record -> whether somebody wanted to look meanwhile.
#[derive(Debug, Default)]
pub(super) struct Claims {
    claimed: Mutex<HashMap<RecordId, bool>>,
    /// Those that somebody waits for: nobody else begins with one.
    awaited: Mutex<HashSet<RecordId>>,
    released: Notify,
}

/// Who has it is next. Nobody makes up for a look that somebody wanted meanwhile: that is for who has it to do.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    claims: &'a Claims,
    id: RecordId,
}

/// Held while working; given back when dropped, also by a task that was stopped.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    /// Nothing once it was given back.
    id: Option<RecordId>,
}

impl Claims {
    /// Takes it, or leaves word that a look is wanted.
    pub(super) fn claim_or_mark(&self, id: &RecordId) -> Option<Claim<'_>> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wanted) = claimed.get_mut(id) {
            *wanted = true;
            return None;
        }
        if self.is_awaited(id) {
            return None;
        }
        claimed.insert(id.clone(), false);
        Some(Claim { claims: self, id: Some(id.clone()) })
    }

    /// Takes it, or leaves no word: for who tries again by itself.
    pub(super) fn try_claim(&self, id: &RecordId) -> Option<Claim<'_>> {
        self.claim(id).then(|| Claim { claims: self, id: Some(id.clone()) })
    }

    /// Forgets all: whoever held them was stopped in the middle.
    pub(super) fn clear(&self) {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes it, or not.
    pub(super) fn claim(&self, id: &RecordId) -> bool {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if claimed.contains_key(id) || self.is_awaited(id) {
            return false;
        }
        claimed.insert(id.clone(), false);
        true
    }

    /// Gives it back; whether a look was wanted meanwhile.
    pub(super) fn release(&self, id: &RecordId) -> bool {
        let wanted = self.claimed.lock().unwrap_or_else(PoisonError::into_inner).remove(id).unwrap_or(false);
        self.released.notify_waiters();
        wanted
    }

    /// From now on nobody else begins with it, until what is returned is dropped.
    pub(super) fn turn(&self, id: &RecordId) -> Turn<'_> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone());
        Turn { claims: self, id: id.clone() }
    }

    fn is_awaited(&self, id: &RecordId) -> bool {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// Ends when any invoice is given back from now on.
    pub(super) fn released(&self) -> Notified<'_> {
        self.released.notified()
    }
}

impl<'a> Turn<'a> {
    /// Takes it, where whoever had it has given it back.
    pub(super) fn take(&self) -> Option<Claim<'a>> {
        let mut claimed = self.claims.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if claimed.contains_key(&self.id) {
            return None;
        }
        claimed.insert(self.id.clone(), false);
        Some(Claim { claims: self.claims, id: Some(self.id.clone()) })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.claims.awaited.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Claim<'_> {
    /// Gives it back; whether a look was wanted meanwhile.
    pub(super) fn end(mut self) -> bool {
        self.id.take().is_some_and(|id| self.claims.release(&id))
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.claims.release(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_was_wanted_meanwhile_is_told_of_once() {
        let claims = Claims::default();
        let id = RecordId::new("a");
        let claim = claims.claim_or_mark(&id).unwrap();
        assert!(claims.claim_or_mark(&id).is_none(), "somebody works on it");
        assert!(claim.end(), "and is told that it is to be looked at again");
        let claim = claims.claim_or_mark(&id).unwrap();
        assert!(!claim.end());
    }

    #[tokio::test]
    async fn who_waits_hears_the_moment_in_which_it_is_given_back() {
        let claims = Claims::default();
        let id = RecordId::new("a");
        let claim = claims.claim_or_mark(&id).unwrap();
        let (released, turn) = (claims.released(), claims.turn(&id));
        assert!(turn.take().is_none(), "not yet");
        drop(claim);
        released.await;
        assert!(!claims.claim(&id) && claims.claim_or_mark(&id).is_none(), "nobody else is next");
        drop(turn.take().unwrap());
        drop(turn);
        assert!(claims.try_claim(&id).is_some());
    }

    #[test]
    fn what_a_run_held_that_was_stopped_is_free() {
        let claims = Claims::default();
        let id = RecordId::new("a");
        assert!(claims.claim(&id) && !claims.claim(&id));
        claims.clear();
        assert!(claims.claim(&id));
    }

    #[test]
    fn who_only_tries_keeps_nobody_looking_again() {
        let claims = Claims::default();
        let id = RecordId::new("a");
        let claim = claims.claim_or_mark(&id).unwrap();
        assert!(claims.try_claim(&id).is_none());
        assert!(!claim.end());
        assert!(claims.try_claim(&id).is_some());
    }

    #[test]
    fn a_claim_that_is_dropped_is_given_back_and_no_other() {
        let claims = Claims::default();
        let id = RecordId::new("a");
        drop(claims.claim_or_mark(&id));
        let ended = claims.claim_or_mark(&id).unwrap();
        ended.end();
        assert!(claims.claim(&id), "free");
        assert!(!claims.claim(&id), "taken");
    }
}
