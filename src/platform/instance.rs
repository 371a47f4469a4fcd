//! One ShopSync a data folder: two would send the same invoices.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::model::fault::{Action, Fault, FaultKind, Scope};

/// Holds the data folder until dropped; the system frees it when the process ends in any way.
#[derive(Debug)]
pub struct Instance {
    _lock: File,
}

impl Instance {
    /// Whether another ShopSync has the folder now, or it is another user's and closed to this one.
    pub fn is_taken(data: &Path) -> bool {
        taken(OpenOptions::new().read(true).open(data.join("shopsync.lock")))
    }

    /// Takes the folder.
    ///
    /// # Errors
    /// Config with one sentence, where another ShopSync has it or it cannot be written.
    pub fn take(data: &Path) -> Result<Self, Fault> {
        Self::lock(data, "shopsync.lock")?.ok_or_else(|| {
            refused(format!("ShopSync is already running with the data folder {}.", data.display()))
        })
    }

    /// The same for a tray: one for each user of the PC and each data folder; `None` where there is one. `user` is where
    /// that user's tray keeps files of its own.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn take_tray(user: &Path, data: &Path) -> Result<Option<Self>, Fault> {
        let whole = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
        let digest = Sha256::digest(whole.as_os_str().as_encoded_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self::lock(user, &format!("tray-{name}.lock"))
    }

    fn lock(folder: &Path, name: &str) -> Result<Option<Self>, Fault> {
        let path = folder.join(name);
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(|error| {
                refused(format!("The data folder {} cannot be written.", folder.display())).detail(error)
            })?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _lock: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(refused(format!("The data folder {} cannot be locked.", folder.display())).detail(error))
            }
        }
    }
}

fn taken(lock: std::io::Result<File>) -> bool {
    match lock {
        Ok(file) => matches!(file.try_lock(), Err(TryLockError::WouldBlock)),
        Err(error) => error.kind() == ErrorKind::PermissionDenied,
    }
}

fn refused(sentence: String) -> Fault {
    Fault::new(FaultKind::Config, Scope::Store, sentence).action(Action::FixSettings)
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
        assert!(taken(Err(ErrorKind::PermissionDenied.into())), "another user's");
        assert!(!taken(Err(ErrorKind::NotFound.into())), "nobody's yet");
        Instance::take(folder.path()).unwrap();
    }
    #[test]
    fn a_user_has_one_tray_for_each_data_folder() {
        let (user, other, data) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let take = |user: &Path, data: &Path| Instance::take_tray(user, data).unwrap();
        let first = take(user.path(), data.path());
        assert!(first.is_some() && take(user.path(), data.path()).is_none());
        assert!(take(other.path(), data.path()).is_some(), "another user's");
        assert!(take(user.path(), other.path()).is_some(), "another data folder's");
        assert!(!Instance::is_taken(data.path()), "a tray is no engine");
        assert!(Instance::take_tray(&user.path().join("not there"), data.path()).is_err());
        drop(first);
        assert!(take(user.path(), data.path()).is_some());
    }
}
