//! What backups need from the world.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::model::backup::{RowRange, Trial};
use crate::model::fault::Fault;
use crate::model::room::Room;
use crate::model::schema::SchemaDump;

/// Told how far long work is, in percent.
pub type Percent<'a> = &'a (dyn Fn(u8) + Send + Sync);

/// RainTek's database. Its files are written and read by SQL Server, so paths are as its service sees them.
#[async_trait]
pub trait PosBackup: Send + Sync {
    /// Writes a backup, over one of the same name. Takes as long as it takes; dropped, the server gives it up.
    async fn back_up(&self, file: &Path, percent: Percent<'_>) -> Result<RowRange, Fault>;

    /// Reads a backup back.
    ///
    /// # Errors
    /// Permanent where it is damaged.
    async fn verify(&self, file: &Path) -> Result<(), Fault>;

    /// Restores a backup as a database beside the shop's in `folder`, counts its invoices, and drops it again; where
    /// the login may and `room` bytes suffice.
    async fn restore_trial(&self, file: &Path, folder: &Path, room: u64) -> Result<Trial, Fault>;

    /// Every table as it is, sample rows unmasked.
    async fn dump(&self) -> Result<SchemaDump, Fault>;
}

/// The billing app's data.
#[async_trait]
pub trait BillingBackup: Send + Sync {
    /// Has the app make a backup, fetches it into `file`, and removes the app's own copy.
    async fn back_up(&self, file: &Path, percent: Percent<'_>) -> Result<RowRange, Fault>;

    /// Reads every byte of a backup and lays its database down in `folder`. Returns the database and the name of the
    /// table that holds invoices.
    ///
    /// # Errors
    /// Permanent where it is damaged.
    async fn unpack(&self, file: &Path, folder: &Path) -> Result<(PathBuf, String), Fault>;

    /// Starts an app of its own on a backup, laid down in `folder`, and counts its invoices.
    async fn restore_trial(&self, file: &Path, folder: &Path) -> Result<Trial, Fault>;
}

/// Databases in single files: our own, and those that others' backups hold.
#[async_trait]
pub trait StoreBackup: Send + Sync {
    /// Copies our own store, consistent.
    async fn back_up(&self, file: &Path) -> Result<RowRange, Fault>;

    /// Checks a database whole and counts a table; without one, our own.
    ///
    /// # Errors
    /// Permanent where it is damaged.
    async fn check(&self, database: &Path, table: Option<&str>) -> Result<u64, Fault>;
}

/// Files on this PC's disks.
#[async_trait]
pub trait Disk: Send + Sync {
    /// Makes the folder where it is missing and its parent is there, proves that it can be written, and says how many bytes are free.
    async fn prepare(&self, folder: &Path) -> Result<u64, Fault>;

    /// Puts a finished file in its place, durably, over an older one. Returns its size.
    async fn keep(&self, finished: &Path, file: &Path) -> Result<u64, Fault>;

    /// Writes a small file whole.
    async fn write(&self, file: &Path, content: Vec<u8>) -> Result<u64, Fault>;

    /// Reads a small file; `None` where there is none.
    async fn read(&self, file: &Path) -> Result<Option<Vec<u8>>, Fault>;

    /// Its size; `None` where it is not there.
    async fn size(&self, file: &Path) -> Result<Option<u64>, Fault>;

    /// Removes a folder's files of these beginnings and ends, and the folder where nothing else lies in it.
    async fn clear(&self, folder: &Path, start: &str, end: &str) -> Result<(), Fault>;

    /// Removes a file, or a folder with all in it; one that is not there is removed already.
    async fn discard(&self, path: &Path) -> Result<(), Fault>;
}

/// The room on this PC's disks, without touching them.
#[async_trait]
pub trait DiskRoom: Send + Sync {
    /// What is left where this folder lies, or would lie.
    async fn room(&self, folder: &Path) -> Result<Room, Fault>;
}
