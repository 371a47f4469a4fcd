//! Copies of RainTek's rows, one file each: `snapshots/YYYY-MM-DD/inv_<id>.json`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use chrono::NaiveDate;

use crate::model::bill::FoundBill;
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::Archive;

/// The folder `snapshots` of the data folder.
#[derive(Debug)]
pub struct SnapshotFolder {
    folder: PathBuf,
}

impl SnapshotFolder {
    /// The folder need not exist.
    pub fn new(data: &Path) -> Self {
        Self { folder: data.join("snapshots") }
    }
}

#[async_trait]
impl Archive for SnapshotFolder {
    async fn snapshot(&self, day: NaiveDate, bill: &FoundBill) -> Result<String, Fault> {
        let folder = self.folder.join(day.to_string());
        let bill = bill.clone();
        let written = tokio::task::spawn_blocking(move || write(&folder, &bill)).await;
        let failed = |why: String| {
            Fault::new(
                FaultKind::Transient,
                Scope::Store,
                "No copy of RainTek's rows can be written; nothing is changed.",
            )
            .action(Action::FixServer)
            .detail(why)
        };
        match written {
            Ok(Ok(path)) => Ok(path.display().to_string()),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// A bill that is changed twice a day has a second file beside the first.
fn write(folder: &Path, bill: &FoundBill) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let content = serde_json::to_vec_pretty(bill).map_err(io::Error::other)?;
    let name = |count: u32| match count {
        1 => format!("inv_{}.json", bill.inv_id()),
        more => format!("inv_{}_{more}.json", bill.inv_id()),
    };
    for count in 1_u32.. {
        let path = folder.join(name(count));
        if fs::read(&path).is_ok_and(|there| there == content) {
            return Ok(path);
        }
        if path.exists() {
            continue;
        }
        let temporary = path.with_extension("new");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&temporary)?;
        file.write_all(&content)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        #[cfg(unix)]
        fs::File::open(folder)?.sync_all()?;
        return Ok(path);
    }
    Err(io::Error::other("too many copies of one bill"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bill::Value;

    #[tokio::test]
    async fn each_state_of_a_bill_has_its_file_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let archive = SnapshotFolder::new(folder.path());
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        let mut bill = FoundBill::default();
        bill.info.0.insert("Inv_ID".into(), Value::Int(7));
        bill.info.0.insert("GrandTotal".into(), Value::Dec("106.00".parse().unwrap()));
        let first = archive.snapshot(day, &bill).await.unwrap();
        assert_eq!(archive.snapshot(day, &bill).await.unwrap(), first, "the same rows need no second file");
        bill.info.0.insert("Remarks".into(), Value::Text("x".into()));
        let second = archive.snapshot(day, &bill).await.unwrap();
        assert!(
            Path::new(&first).ends_with("2026-04-01/inv_7.json") && second.ends_with("inv_7_2.json"),
            "{first} {second}"
        );
        let read: FoundBill = serde_json::from_slice(&fs::read(second).unwrap()).unwrap();
        assert_eq!(read, bill);
    }
}
