//! One task at a time works on an invoice; a look that comes meanwhile is made up for afterwards.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::ids::RecordId;

/// Record -> whether somebody wanted to look meanwhile.
#[derive(Debug, Default)]
pub(super) struct Claims {
    claimed: Mutex<HashMap<RecordId, bool>>,
}

/// Held while working; given back when dropped, also by a task that was stopped.
#[derive(Debug)]
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    id: RecordId,
}

impl Claims {
    /// Takes it, or leaves word that a look is wanted.
    pub(super) fn claim_or_mark(&self, id: &RecordId) -> Option<Claim<'_>> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wanted) = claimed.get_mut(id) {
            *wanted = true;
            return None;
        }
        claimed.insert(id.clone(), false);
        Some(Claim { claims: self, id: id.clone() })
    }

    /// Forgets all: whoever held them was stopped in the middle.
    pub(super) fn clear(&self) {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes it, or not.
    pub(super) fn claim(&self, id: &RecordId) -> bool {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if claimed.contains_key(id) {
            return false;
        }
        claimed.insert(id.clone(), false);
        true
    }

    /// Gives it back; whether a look was wanted meanwhile.
    pub(super) fn release(&self, id: &RecordId) -> bool {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner).remove(id).unwrap_or(false)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.claims.release(&self.id);
    }
}
