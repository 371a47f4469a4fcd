//! Backups in memory: they take their time, hold what stood there, and are only as good as the try that made them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::NaiveTime;

use shopsync::engine::backup::{BackupRules, Sources};
use shopsync::model::backup::{Part, RowRange, Trial};
use shopsync::model::fault::{Fault, FaultKind, Scope};
use shopsync::model::schema::SchemaDump;
use shopsync::ports::backup::{BillingBackup, Disk, Percent, PosBackup, StoreBackup};
use shopsync::sync::retention::Keep;

use crate::checks;
use crate::gate::{self, Of};
use crate::sim::lock;
use crate::story::Call;
use crate::wire::Wire;

/// The table of the app's database that holds invoices.
const TABLE: &str = "invoices";

/// A file on the disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct File {
    pub(crate) rows: u64,
    text: Vec<u8>,
    /// All of it was written.
    pub(crate) whole: bool,
}

/// The disk.
pub(crate) type Files = BTreeMap<PathBuf, File>;

/// Backups of one run of the engine.
pub(crate) struct Cellar(Wire);

/// What the engine makes backups of, and with.
pub(crate) fn sources(wire: &Wire) -> Sources {
    let cellar = Arc::new(Cellar(wire.clone()));
    let rules = BackupRules {
        folder: "backups".into(),
        data: "data".into(),
        database: "Raintech_DB1".into(),
        times: NaiveTime::from_hms_opt(20, 30, 0).into_iter().collect(),
        keep: Keep { days: 30, snapshot_days: 90 },
        keep_free: 0,
        drill: true,
    };
    Sources {
        pos: Arc::clone(&cellar) as Arc<dyn PosBackup>,
        billing: Arc::clone(&cellar) as Arc<dyn BillingBackup>,
        store: Arc::clone(&cellar) as Arc<dyn StoreBackup>,
        disk: cellar,
        rules,
    }
}

impl Cellar {
    /// Whichever backup the disk fails, it was tried.
    async fn disk(&self, after: bool) -> Result<(), Fault> {
        let done = self.0.at(Call::Disk, after).await;
        if done.is_err() {
            gate::tried(&self.0.sim, self.0.sim.day(), &[Of::RainTek, Of::App]);
        }
        done
    }

    async fn copy(
        &self,
        call: Call,
        file: &Path,
        percent: Option<Percent<'_>>,
        count: impl Fn() -> u64,
    ) -> Result<RowRange, Fault> {
        self.0.at(call, false).await?;
        let before = count();
        // It is there from the first byte on, and whole at the end.
        lock(&self.0.sim.files).insert(file.to_owned(), File::default());
        let long = std::mem::take(&mut lock(&self.0.sim.troubles).slow_backups);
        if long > 0 {
            self.0.sim.say("disk", || format!("{call:?} takes {} s", long / 1000));
            tokio::time::sleep(Duration::from_millis(long)).await;
            self.0.at(call, true).await?;
        }
        for part in 0..4 {
            tokio::time::sleep(Duration::from_millis(300 + self.0.sim.below(4_000))).await;
            self.0.at(call, true).await?;
            if let Some(percent) = percent {
                percent(part * 25);
            }
        }
        let rows = count();
        lock(&self.0.sim.files).insert(file.to_owned(), File { rows, whole: true, ..File::default() });
        self.0.at(call, true).await?;
        Ok(RowRange::between(before, rows))
    }

    fn look(&self, file: &Path) -> Result<File, Fault> {
        let there = lock(&self.0.sim.files).get(file).cloned();
        there.filter(|file| file.whole).ok_or_else(|| {
            Fault::new(FaultKind::Permanent, Scope::Item, format!("{} is damaged.", file.display()))
        })
    }

    fn in_app(&self) -> u64 {
        lock(&self.0.sim.app).records.values().filter(|record| !record.deleted).count() as u64
    }
}

#[async_trait]
impl PosBackup for Cellar {
    async fn back_up(&self, file: &Path, percent: Percent<'_>) -> Result<RowRange, Fault> {
        let (count, began) = (|| lock(&self.0.sim.db).infos.len() as u64, self.0.sim.day());
        let made = self.copy(Call::PosBackup, file, Some(percent), count).await;
        gate::tried(&self.0.sim, began, &[Of::RainTek]);
        made
    }

    async fn verify(&self, file: &Path) -> Result<(), Fault> {
        self.0.at(Call::PosBackup, false).await?;
        self.look(file).map(|_| ())
    }

    async fn restore_trial(&self, file: &Path, _: &Path, _: u64) -> Result<Trial, Fault> {
        self.0.at(Call::PosBackup, false).await?;
        self.look(file).map(|file| Trial::Restored(file.rows))
    }

    async fn dump(&self) -> Result<SchemaDump, Fault> {
        self.0.at(Call::PosBackup, false).await?;
        Ok(lock(&self.0.sim.truth).tables.clone())
    }
}

#[async_trait]
impl BillingBackup for Cellar {
    async fn back_up(&self, file: &Path, percent: Percent<'_>) -> Result<RowRange, Fault> {
        let began = self.0.sim.day();
        let made = self.copy(Call::AppBackup, file, Some(percent), || self.in_app()).await;
        gate::tried(&self.0.sim, began, &[Of::App]);
        made
    }

    async fn unpack(&self, file: &Path, folder: &Path) -> Result<(PathBuf, String), Fault> {
        self.disk(false).await?;
        let database = folder.join("data.db");
        let there = self.look(file)?;
        lock(&self.0.sim.files).insert(database.clone(), there);
        Ok((database, TABLE.into()))
    }

    async fn restore_trial(&self, file: &Path, _: &Path) -> Result<Trial, Fault> {
        self.disk(false).await?;
        self.look(file).map(|file| Trial::Restored(file.rows))
    }
}

#[async_trait]
impl StoreBackup for Cellar {
    async fn back_up(&self, file: &Path) -> Result<RowRange, Fault> {
        self.copy(Call::Disk, file, None, || 1).await
    }

    async fn check(&self, database: &Path, _: Option<&str>) -> Result<u64, Fault> {
        self.disk(false).await?;
        self.look(database).map(|file| file.rows)
    }
}

#[async_trait]
impl Disk for Cellar {
    async fn prepare(&self, _: &Path) -> Result<u64, Fault> {
        self.disk(false).await?;
        Ok(lock(&self.0.sim.truth).room)
    }

    async fn keep(&self, finished: &Path, file: &Path) -> Result<u64, Fault> {
        self.disk(false).await?;
        {
            let files = &mut *lock(&self.0.sim.files);
            if let Some(there) = files.remove(finished) {
                files.insert(file.to_owned(), there);
            }
        }
        self.0.sim.say("disk", || format!("{} is kept", file.display()));
        checks::kept(&self.0.sim, file);
        self.disk(true).await?;
        Ok(1000)
    }

    async fn write(&self, file: &Path, content: Vec<u8>) -> Result<u64, Fault> {
        self.disk(false).await?;
        let bytes = content.len() as u64;
        lock(&self.0.sim.files).insert(file.to_owned(), File { text: content, whole: true, rows: 0 });
        self.disk(true).await?;
        Ok(bytes)
    }

    async fn read(&self, file: &Path) -> Result<Option<Vec<u8>>, Fault> {
        self.disk(false).await?;
        Ok(lock(&self.0.sim.files).get(file).map(|file| file.text.clone()))
    }

    async fn size(&self, file: &Path) -> Result<Option<u64>, Fault> {
        self.disk(false).await?;
        Ok(lock(&self.0.sim.files).get(file).map(|_| 1000))
    }

    async fn clear(&self, folder: &Path, start: &str, end: &str) -> Result<(), Fault> {
        self.0.sim.say("disk", || format!("{start}*{end} go from {}", folder.display()));
        self.discard(folder).await
    }

    async fn discard(&self, path: &Path) -> Result<(), Fault> {
        self.disk(false).await?;
        lock(&self.0.sim.files).retain(|file, _| !file.starts_with(path));
        checks::kept(&self.0.sim, path);
        self.disk(true).await
    }
}

/// Those that a backup consists of.
pub(crate) fn is_daily(part: Part) -> bool {
    Part::DAILY.contains(&part)
}
