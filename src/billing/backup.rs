//! The app's data backed up by PocketBase itself, fetched, read back, and started as an app of its own for trial.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::PocketBase;
use super::account::Workshop;
use super::classify::{Doing, Trouble, classify_trouble};
use super::client::{Ask, Client};
use super::folder::Layout;
use super::health::{Health, Lookout};
use super::process;
use crate::model::backup::{RowRange, Trial};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::backup::{BillingBackup, Percent};

/// The app's own copy, for as long as it takes to fetch it. PocketBase allows small letters, digits, `_` and `-`.
const PASSING: &str = "shopsync_passing.zip";
/// A backup of many files on a slow disk.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// The first start on a slow PC, with a virus scanner.
const START_LIMIT: Duration = Duration::from_secs(60);
const START_STEP: Duration = Duration::from_millis(50);

#[async_trait]
impl BillingBackup for PocketBase {
    async fn back_up(&self, file: &Path, percent: Percent<'_>) -> Result<RowRange, Fault> {
        self.ready().await?;
        self.drop_passing().await?;
        let before = self.count(&self.client).await?;
        let ask = Ask::post("/api/backups", json!({"name": PASSING})).patient(PATIENCE);
        let made = self.client.call(&ask).await?;
        if made.status == 400 {
            let sentence = "The billing app is making another backup at the moment.";
            return Err(Fault::transient(Scope::Item, sentence).detail(&made.body));
        }
        made.ok(Doing::App)?;
        let fetched = self.fetch(file, percent).await;
        // Gone again also where fetching failed: it takes the shop's space.
        let dropped = self.drop_passing().await;
        fetched?;
        dropped?;
        Ok(RowRange::between(before, self.count(&self.client).await?))
    }

    async fn unpack(&self, file: &Path, folder: &Path) -> Result<(PathBuf, String), Fault> {
        unpack(file, folder, false).await?;
        Ok((folder.join("data.db"), self.collection("invoices").to_owned()))
    }

    async fn restore_trial(&self, file: &Path, folder: &Path) -> Result<Trial, Fault> {
        let Some(program) = self.server.program() else {
            return Ok(Trial::Skipped("The billing app's program is not on this PC.".into()));
        };
        let layout = Layout::new(folder.to_owned());
        unpack(file, &layout.data(), true).await?;
        let account = Arc::new(self.account.at(Workshop { program: program.clone(), data: layout.data() }));
        account.restore().await?;
        let port = free_port()?;
        let listen = format!("127.0.0.1:{port}");
        let url = format!("http://{listen}");
        // No hooks and no migrations lie there: the shop's own could send mails, or change what is to be proven.
        let log = folder.join("trial.log");
        let mut child = process::start(&program, &layout, &listen, &log)?;
        let counted = async {
            self.answers(&url, &mut child, &log).await?;
            let client = Client::new(&url, Arc::clone(&self.clock), account, self.http.clone())?;
            self.count(&client).await
        }
        .await;
        process::stop(&mut child, self.clock.as_ref(), process::GRACE).await;
        counted.map(Trial::Restored).map_err(|fault| Fault { scope: Scope::Item, ..fault })
    }
}

impl PocketBase {
    /// How many invoices there are, whatever their state.
    async fn count(&self, client: &Client) -> Result<u64, Fault> {
        let ask = self.ask("invoices", "id != ''").with("perPage", "1").with("fields", "id");
        let body = client.call(&ask).await?.ok(Doing::App)?;
        body.get("totalItems")
            .and_then(Value::as_u64)
            .ok_or_else(|| classify_trouble(Trouble::NotJson, "a list without its number of items"))
    }

    async fn drop_passing(&self) -> Result<(), Fault> {
        let answer = self.client.call(&Ask::delete(format!("/api/backups/{PASSING}"))).await?;
        match answer.status {
            // It is not there: 400 or 404, by the version.
            400 | 404 => Ok(()),
            _ => answer.ok(Doing::App).map(|_| ()),
        }
    }

    async fn fetch(&self, file: &Path, percent: Percent<'_>) -> Result<(), Fault> {
        let token = self.client.call(&Ask::post("/api/files/token", Value::Null)).await?.ok(Doing::App)?;
        let token = token.get("token").and_then(Value::as_str).unwrap_or_default();
        let ask = Ask::get(format!("/api/backups/{PASSING}")).with("token", token);
        let mut download = self.client.download(&ask).await?;
        let disk = |error: io::Error| {
            let sentence = format!("{} cannot be written: look at its disk.", file.display());
            Fault::new(FaultKind::Config, Scope::Item, sentence).action(Action::FixServer).detail(error)
        };
        let mut open = tokio::fs::File::create(file).await.map_err(disk)?;
        let mut done = 0_u64;
        while let Some(chunk) = download.chunk().await? {
            open.write_all(&chunk).await.map_err(disk)?;
            done = done.saturating_add(u64::try_from(chunk.len()).unwrap_or_default());
            if let Some(total) = download.total.filter(|total| *total > 0) {
                percent(u8::try_from(done.saturating_mul(100) / total).unwrap_or(100).min(100));
            }
        }
        if download.total.is_some_and(|total| total != done) {
            return Err(classify_trouble(Trouble::Broke, "a backup that ended early"));
        }
        open.sync_all().await.map_err(disk)
    }

    async fn answers(&self, url: &str, child: &mut tokio::process::Child, log: &Path) -> Result<(), Fault> {
        let lookout = Lookout::new(url, self.http.clone());
        let began = self.clock.elapsed();
        let failed = |why: &str| {
            let sentence = "The billing app does not start on its own backup.";
            Err(Fault::new(FaultKind::Permanent, Scope::Item, sentence)
                .detail(format!("{why}: {}", process::tail(log))))
        };
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                return failed(&status.to_string());
            }
            if matches!(lookout.health(self.clock.as_ref()).await, Health::PocketBase) {
                return Ok(());
            }
            if self.clock.elapsed().saturating_sub(began) > START_LIMIT {
                return failed("no answer");
            }
            self.clock.sleep(START_STEP).await;
        }
    }
}

fn free_port() -> Result<u16, Fault> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).map_err(|error| {
        Fault::transient(Scope::Item, "Windows gives no port for a trial of the backup.").detail(error)
    })
}

/// Reads every byte of a zip, and lays down its database, or all of it.
async fn unpack(file: &Path, folder: &Path, whole: bool) -> Result<(), Fault> {
    let (file, folder) = (file.to_owned(), folder.to_owned());
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let unpacked = tokio::task::spawn_blocking(move || unpack_here(&file, &folder, whole)).await;
    let error = match unpacked {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error,
        Err(panic) => io::Error::other(panic),
    };
    let disk = matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound
    );
    Err(if disk {
        Fault::new(FaultKind::Config, Scope::Item, format!("{name} cannot be unpacked: look at the disk."))
            .action(Action::FixServer)
    } else {
        Fault::new(
            FaultKind::Permanent,
            Scope::Item,
            format!("The backup {name} is damaged; a new one is needed."),
        )
    }
    .detail(error))
}

fn unpack_here(file: &Path, folder: &Path, whole: bool) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut archive = zip::ZipArchive::new(File::open(file)?).map_err(io::Error::other)?;
    let mut found = false;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(io::Error::other)?;
        let path =
            entry.enclosed_name().ok_or_else(|| io::Error::other("a path that leads out of the archive"))?;
        if entry.is_dir() {
            continue;
        }
        found |= path == Path::new("data.db");
        // The database with the log that may lie beside it.
        let wanted = whole || path == Path::new("data.db") || path == Path::new("data.db-wal");
        // Reading to the end compares the checksum.
        if wanted {
            let target = folder.join(&path);
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
            }
            io::copy(&mut entry, &mut File::create(target)?)?;
        } else {
            io::copy(&mut entry, &mut io::sink())?;
        }
    }
    if found { Ok(()) } else { Err(io::Error::other("no data.db in it")) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(folder: &Path, name: &str) -> PathBuf {
        let file = folder.join("x.zip");
        let mut zip = zip::ZipWriter::new(File::create(&file).unwrap());
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&b"rows ".repeat(1000)).unwrap();
        zip.start_file("storage/a/picture", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"pixels").unwrap();
        zip.finish().unwrap();
        file
    }

    #[tokio::test]
    async fn every_byte_is_read_and_a_damaged_one_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("to");
        let file = packed(folder.path(), "data.db");
        unpack(&file, &to, false).await.unwrap();
        assert!(to.join("data.db").is_file() && !to.join("storage").exists());
        unpack(&file, &to, true).await.unwrap();
        assert_eq!(std::fs::read(to.join("storage/a/picture")).unwrap(), b"pixels");

        let whole = std::fs::read(&file).unwrap();
        let picture = whole.windows(6).position(|bytes| bytes == b"storag").unwrap() + 18;
        let mut damaged = whole.clone();
        damaged[picture] ^= 1;
        for content in [&damaged[..], &whole[..whole.len() / 2], b"no zip"] {
            std::fs::write(&file, content).unwrap();
            let fault = unpack(&file, &to, false).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Permanent, "{fault}");
        }
        let file = packed(folder.path(), "other.db");
        assert!(unpack(&file, &to, false).await.unwrap_err().detail.contains("data.db"));
    }
}
