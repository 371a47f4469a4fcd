//! Files on this PC's disks: made durable before they take another's place.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use async_trait::async_trait;

use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::backup::Disk;

/// The disks of this PC.
#[derive(Debug, Default, Clone, Copy)]
pub struct LocalDisk;

async fn aside<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, Fault> {
    let path = path.to_owned();
    let shown = path.display().to_string();
    let result = tokio::task::spawn_blocking(move || work(&path)).await;
    result.unwrap_or_else(|panic| Err(io::Error::other(panic))).map_err(|error| explain(&error, &shown))
}

fn explain(error: &io::Error, path: &str) -> Fault {
    let other = "or name another folder in the settings (backup.folder)";
    let sentence = match error.kind() {
        io::ErrorKind::NotFound => format!("{path} is gone: make it again, {other}."),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("ShopSync may not write to {path}: give it the right to, {other}.")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            format!("The disk of {path} is full: free some space, {other}.")
        }
        _ => format!("{path} cannot be used: look at its disk, {other}."),
    };
    Fault::new(FaultKind::Config, Scope::Item, sentence).action(Action::FixServer).detail(error)
}

#[async_trait]
impl Disk for LocalDisk {
    async fn prepare(&self, folder: &Path) -> Result<u64, Fault> {
        aside(folder, |folder| {
            // A whole path is never made up: a drive that was pulled out must be missed, not replaced by a folder.
            if !folder.is_dir() {
                fs::create_dir(folder)?;
            }
            let probe = folder.join("shopsync.part");
            File::create(&probe)?;
            fs::remove_file(&probe)?;
            fs4::available_space(folder)
        })
        .await
    }

    async fn keep(&self, finished: &Path, file: &Path) -> Result<u64, Fault> {
        let file = file.to_owned();
        aside(finished, move |finished| {
            // Another account's service may have written it: what it synced itself need not be synced by us.
            if let Ok(own) = File::options().write(true).open(finished) {
                own.sync_all()?;
            }
            let bytes = fs::metadata(finished)?.len();
            fs::rename(finished, &file)?;
            sync_folder(&file)?;
            Ok(bytes)
        })
        .await
    }

    async fn write(&self, file: &Path, content: Vec<u8>) -> Result<u64, Fault> {
        aside(file, move |file| {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            let draft = file.with_extension("part");
            let mut open = File::create(&draft)?;
            io::Write::write_all(&mut open, &content)?;
            open.sync_all()?;
            drop(open);
            fs::rename(&draft, file)?;
            sync_folder(file)?;
            Ok(u64::try_from(content.len()).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn read(&self, file: &Path) -> Result<Option<Vec<u8>>, Fault> {
        aside(file, |file| match fs::read(file) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn size(&self, file: &Path) -> Result<Option<u64>, Fault> {
        aside(file, |file| match fs::metadata(file) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn clear(&self, folder: &Path, start: &str, end: &str) -> Result<(), Fault> {
        let (start, end) = (start.to_owned(), end.to_owned());
        aside(folder, move |folder| {
            let entries = match fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                entries => entries?,
            };
            let mut others = false;
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                let ours = name.to_str().is_some_and(|name| name.starts_with(&start) && name.ends_with(&end));
                if ours {
                    fs::remove_file(entry.path())?;
                } else {
                    others = true;
                }
            }
            if others { Ok(()) } else { fs::remove_dir(folder) }
        })
        .await
    }

    async fn discard(&self, path: &Path) -> Result<(), Fault> {
        aside(path, |path| {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
        .await
    }
}

/// A rename survives a power cut once its folder is on disk; Windows does that by itself.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn somebody_elses_file_in_a_folder_of_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let day = folder.path().join("2026-08-01");
        fs::create_dir(&day).unwrap();
        for name in ["inv_7.json", "inv_7_2.json", "note.txt"] {
            fs::write(day.join(name), "").unwrap();
        }
        LocalDisk.clear(&day, "inv_", ".json").await.unwrap();
        let left: Vec<_> = fs::read_dir(&day).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["note.txt"]);
        fs::remove_file(day.join("note.txt")).unwrap();
        LocalDisk.clear(&day, "inv_", ".json").await.unwrap();
        LocalDisk.clear(&day, "inv_", ".json").await.unwrap();
        assert!(!day.exists());
    }

    #[tokio::test]
    async fn a_finished_file_takes_its_place_and_a_missing_drive_is_missed() {
        let folder = tempfile::tempdir().unwrap();
        let backups = folder.path().join("backups");
        assert!(LocalDisk.prepare(&backups).await.unwrap() > 0);
        let (part, file) = (backups.join("x.part"), backups.join("x"));
        fs::write(&file, "old").unwrap();
        fs::write(&part, "finished").unwrap();
        assert_eq!(LocalDisk.keep(&part, &file).await, Ok(8));
        assert_eq!(LocalDisk.read(&file).await, Ok(Some(b"finished".to_vec())));
        LocalDisk.discard(&backups).await.unwrap();
        LocalDisk.discard(&backups).await.unwrap();
        assert_eq!(LocalDisk.size(&file).await, Ok(None));
        let fault = LocalDisk.prepare(&backups.join("deeper")).await.unwrap_err();
        assert!(fault.sentence.contains("is gone") && fault.sentence.contains("backup.folder"), "{fault}");
    }
}
