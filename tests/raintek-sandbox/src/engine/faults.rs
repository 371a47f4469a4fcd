//! The faults the control endpoint can order.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// What is ordered at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Orders {
    /// New connections are closed at once.
    pub(crate) refuse: bool,
    /// Requests get no answer.
    pub(crate) hang: bool,
    /// How many of the next commits lose their connection before, or after, they happen.
    pub(crate) drop_before_commit: u32,
    pub(crate) drop_after_commit: u32,
    /// How many of the next matching statements fail, with what, and what they must contain.
    pub(crate) error_count: u32,
    pub(crate) error_number: i32,
    pub(crate) error_on: Option<String>,
    /// The service's account may not write where a backup is to go, or may make no database.
    pub(crate) deny_backup: bool,
    pub(crate) deny_restore: bool,
    /// Backups stand still in the middle.
    pub(crate) hold_backup: bool,
    /// The server stops.
    #[serde(skip)]
    pub(crate) stopping: bool,
}

/// What becomes of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitFault {
    None,
    DropBefore,
    DropAfter,
}

/// The orders, shared by all sessions.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    orders: Mutex<Orders>,
    changed: Condvar,
}

impl Faults {
    pub(crate) fn now(&self) -> Orders {
        self.lock().clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Orders)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits while requests are to hang.
    pub(crate) fn wait_while_hanging(&self) {
        let mut orders = self.lock();
        while orders.hang && !orders.stopping && !orders.refuse {
            orders = self.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits while backups are to stand still.
    pub(crate) fn wait_while_backup_held(&self) {
        let mut orders = self.lock();
        while orders.hold_backup && !orders.stopping && !orders.refuse {
            orders = self.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn commit(&self) -> CommitFault {
        let mut orders = self.lock();
        if orders.drop_before_commit > 0 {
            orders.drop_before_commit -= 1;
            CommitFault::DropBefore
        } else if orders.drop_after_commit > 0 {
            orders.drop_after_commit -= 1;
            CommitFault::DropAfter
        } else {
            CommitFault::None
        }
    }

    /// The error this statement is to fail with.
    pub(crate) fn statement(&self, text: &str) -> Option<i32> {
        let mut orders = self.lock();
        if orders.error_count == 0 {
            return None;
        }
        let hit = orders.error_on.as_ref().is_none_or(|on| text.to_lowercase().contains(&on.to_lowercase()));
        if !hit {
            return None;
        }
        orders.error_count -= 1;
        Some(orders.error_number)
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
