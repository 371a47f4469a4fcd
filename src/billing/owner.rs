//! Who keeps the shop's PocketBase alive: one process at a time.
//!
//! The Windows service and the tray look after the same data folder. Whoever has the lock starts, adopts and ends
//! PocketBase; to the other it is somebody else's.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// `pocketbase.lock` of a data folder.
#[derive(Debug)]
pub(super) struct Ownership {
    path: PathBuf,
    /// The file while it is ours; the system frees it when the process ends in any way.
    lock: Mutex<Option<File>>,
    /// Another process had it when it was last asked for.
    others: AtomicBool,
}

/// How it stands after asking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// It is ours.
    Us,
    /// It has become ours just now: another process had it, and has ended.
    UsNow,
    /// Another process of ours on this PC has it.
    Another,
}

impl Ownership {
    pub(super) fn of(data: &Path) -> Self {
        Self { path: data.join("pocketbase.lock"), lock: Mutex::new(None), others: AtomicBool::new(false) }
    }

    /// Takes it where it is free. A folder in which no lock can be kept has one user only: it is ours.
    pub(super) fn take(&self) -> Owner {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_some() {
            return Owner::Us;
        }
        if let Some(folder) = self.path.parent() {
            // Where it cannot be made, the lock cannot be either, and that is told below.
            let _ = std::fs::create_dir_all(folder);
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path);
        match file.map(|file| (file.try_lock(), file)) {
            Ok((Err(TryLockError::WouldBlock), _)) => {
                self.others.store(true, Ordering::Relaxed);
                Owner::Another
            }
            Ok((Ok(()), file)) => {
                *lock = Some(file);
                if self.others.swap(false, Ordering::Relaxed) { Owner::UsNow } else { Owner::Us }
            }
            Ok((Err(TryLockError::Error(error)), _)) | Err(error) => {
                tracing::debug!(%error, "the billing app cannot be claimed");
                Owner::Us
            }
        }
    }

    /// Lets another have it.
    pub(super) fn give_up(&self) {
        *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_the_next_when_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Ownership::of(folder.path()), Ownership::of(folder.path()));
        assert_eq!([first.take(), first.take()], [Owner::Us, Owner::Us]);
        assert_eq!(second.take(), Owner::Another);
        first.give_up();
        assert_eq!(second.take(), Owner::UsNow);
        assert_eq!(second.take(), Owner::Us, "told once");
        assert_eq!(first.take(), Owner::Another);
        second.give_up();
        assert_eq!(second.take(), Owner::Us, "it was ours before: nobody else ended");
    }

    #[test]
    fn where_no_lock_can_be_kept_it_is_ours() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(Ownership::of(file.path()).take(), Owner::Us);
    }
}
