//! The room on this PC's disks.

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use super::disk::LocalDisk;
use crate::model::fault::{Fault, Scope};
use crate::model::room::Room;
use crate::ports::backup::DiskRoom;

#[async_trait]
impl DiskRoom for LocalDisk {
    async fn room(&self, folder: &Path) -> Result<Room, Fault> {
        let folder = folder.to_owned();
        let fault = || Fault::transient(Scope::Item, "A disk cannot be looked at.");
        let looked = tokio::task::spawn_blocking(move || look(&folder)).await;
        looked.map_err(|panic| fault().detail(panic))?.map_err(|error| fault().detail(error))
    }
}

fn look(folder: &Path) -> io::Result<Room> {
    // A folder that is yet to be made will lie where its parent does.
    let there = folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(folder);
    Ok(Room { disk: disk_of(there)?, free_bytes: fs4::available_space(there)? })
}

/// `C:`; or what a path on a network begins with.
#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
fn disk_of(folder: &Path) -> io::Result<String> {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let root: PathBuf = whole.components().take(1).collect();
    Ok(root.display().to_string())
}

/// The highest folder that lies on the same disk: where it is mounted.
#[cfg(unix)]
fn disk_of(folder: &Path) -> io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    let whole: PathBuf = folder.canonicalize()?;
    let device = whole.metadata()?.dev();
    let on_it = |folder: &&Path| folder.metadata().is_ok_and(|found| found.dev() == device);
    let root = whole.ancestors().take_while(on_it).last().unwrap_or(&whole);
    Ok(root.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn folders_of_one_disk_are_one_disk_also_before_they_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let here = LocalDisk.room(folder.path()).await.unwrap();
        let deeper = LocalDisk.room(&folder.path().join("not/yet/there")).await.unwrap();
        assert_eq!(here.disk, deeper.disk);
        assert!(here.free_bytes > 0 && !here.disk.is_empty());
        assert!(!folder.path().join("not").exists(), "a look makes nothing");
    }
}
