//! One ShopSync a data folder: two would send the same invoices.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::model::fault::{Action, Fault, FaultKind, Scope};

/// Holds the data folder until dropped; the system frees it when the process ends in any way.
#[derive(Debug)]
pub struct Instance {
    _lock: File,
}

impl Instance {
    /// Whether another ShopSync has the folder now.
    pub fn is_taken(data: &Path) -> bool {
        let file = OpenOptions::new().write(true).open(data.join("shopsync.lock"));
        file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the folder.
    ///
    /// # Errors
    /// Config with one sentence, where another ShopSync has it or it cannot be written.
    pub fn take(data: &Path) -> Result<Self, Fault> {
        let refused = |sentence: String| {
            Fault::new(FaultKind::Config, Scope::Store, sentence).action(Action::FixSettings)
        };
        let path = data.join("shopsync.lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| {
                refused(format!("The data folder {} cannot be written.", data.display())).detail(error)
            })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _lock: file }),
            Err(TryLockError::WouldBlock) => {
                Err(refused(format!("ShopSync is already running with the data folder {}.", data.display())))
            }
            Err(TryLockError::Error(error)) => {
                Err(refused(format!("The data folder {} cannot be locked.", data.display())).detail(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_refused_until_the_first_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!Instance::is_taken(folder.path()));
        let first = Instance::take(folder.path()).unwrap();
        assert!(Instance::is_taken(folder.path()));
        let fault = Instance::take(folder.path()).unwrap_err();
        assert!(fault.sentence.contains("already running"), "{}", fault.sentence);
        drop(first);
        assert!(!Instance::is_taken(folder.path()));
        Instance::take(folder.path()).unwrap();
    }
}
