//! One backup: made beside its place, proven, and only then put there, so that nothing proven is ever lost to a try.

use std::path::{Path, PathBuf};

use super::{Sources, change_made, doing, done, note, show_percent, today};
use crate::engine::Shared;
use crate::model::alert::Event;
use crate::model::backup::{Made, Part, Proof, RowRange};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::ports::life::at_a_backup;
use crate::sync::backups::{Tries, file_name, size};

/// What the next backup may be larger than the last: a fifth.
const GROWTH: u64 = 5;

/// Makes one and proves it. One line for a person, whichever way it ended.
pub(super) async fn back_up(shared: &Shared, sources: &Sources, part: Part) -> Result<String, String> {
    let started = shared.now();
    doing(shared, format!("Backing up {}", part.words()));
    let made = at_a_backup(make(shared, sources, part)).await;
    done(shared);
    match made {
        Ok(made) => {
            shared
                .board
                .update(|seen| seen.backup.tries.insert(part, Tries { last: Some(started), failures: 0 }));
            note(shared, about(part), None).await;
            let name = made.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let line = format!("Backup of {}: {name}, {}, read back.", part.words(), size(made.bytes));
            shared.journal("backup", "", line.clone()).await;
            tell_whole(shared).await;
            Ok(line)
        }
        Err(fault) => {
            shared.board.update(|seen| {
                let tries = seen.backup.tries.entry(part).or_default();
                *tries = Tries { last: Some(started), failures: tries.failures.saturating_add(1) };
            });
            shared
                .raise(Event::BackupFailed { reason: fault.sentence.clone(), advice: advice(&fault) })
                .await;
            let sentence = format!("The backup of {} failed. {}", part.words(), fault.sentence);
            let fault = Fault { sentence: sentence.clone(), ..fault };
            note(shared, about(part), Some(&fault)).await;
            Err(sentence)
        }
    }
}

/// Tells the alerts once all of today's are made and proven, and none of them fails since.
async fn tell_whole(shared: &Shared) {
    let (today, seen) = (today(shared), shared.board.seen().backup);
    let proven = |part: Part| {
        let made = seen.newest_proven(part).filter(|made| made.day == today)?;
        (!seen.problems.contains_key(about(part))).then_some(made.bytes)
    };
    if let (Some(raintek_bytes), Some(app_bytes), Some(_)) =
        (proven(Part::Raintek), proven(Part::Billing), proven(Part::Store))
    {
        shared.raise(Event::BackupDone { raintek_bytes, app_bytes }).await;
    }
}

/// What to do, where the reason does not say it.
fn advice(fault: &Fault) -> String {
    match fault.kind {
        FaultKind::Config => String::new(),
        _ => fault.action.words().to_owned(),
    }
}

/// Reads the newest back again.
pub(super) async fn verify(shared: &Shared, sources: &Sources, part: Part) -> Result<String, String> {
    let newest = shared.board.seen().backup.newest(part).cloned();
    let Some(made) = newest else { return Err(format!("There is no backup of {} yet.", part.words())) };
    doing(shared, format!("Reading the backup of {} back", part.words()));
    let proven = at_a_backup(prove(sources, part, &made.file, made.rows)).await;
    done(shared);
    let (at, name) = (shared.now(), made.file.file_name().unwrap_or_default().to_string_lossy().into_owned());
    let ok = proven.is_ok();
    let kept = change_made(shared, |all| {
        for file in all.iter_mut().filter(|other| other.file == made.file) {
            // One that was restored is not less proven by being read once more.
            file.proof = ok.then(|| file.proof.unwrap_or(Proof::ReadBack));
            file.proven_at = if ok { Some(at) } else { None };
        }
    })
    .await;
    match proven.and(kept) {
        Ok(()) => {
            note(shared, about(part), None).await;
            Ok(format!("{name}: read back, {}.", size(made.bytes)))
        }
        Err(fault) => {
            note(shared, about(part), Some(&fault)).await;
            Err(fault.sentence)
        }
    }
}

async fn make(shared: &Shared, sources: &Sources, part: Part) -> Result<Made, Fault> {
    let Sources { disk, rules, .. } = sources;
    let free = disk.prepare(&rules.folder).await?;
    let last = shared.board.seen().backup.newest(part).map_or(0, |made| made.bytes);
    let needed = rules.keep_free.saturating_add(last + last / GROWTH);
    if free < needed {
        return Err(Fault::new(
            FaultKind::Config,
            Scope::Item,
            format!(
                "Little room is left on the disk of {} ({} free, {} needed): free some space, or name another folder \
                 in the settings (backup.folder).",
                rules.folder.display(),
                size(free),
                size(needed)
            ),
        )
        .action(Action::FixServer));
    }
    let day = today(shared);
    let file = rules.folder.join(file_name(part, &rules.database, day));
    let draft = draft_of(&file);
    disk.discard(&draft).await?;
    let made = match fill(shared, sources, part, &draft).await {
        Ok(rows) => {
            let bytes = disk.keep(&draft, &file).await?;
            let at = shared.now();
            Made {
                part,
                file,
                day,
                at,
                bytes,
                rows: Some(rows),
                proof: Some(Proof::ReadBack),
                proven_at: Some(at),
            }
        }
        Err(fault) => {
            // Why it failed is what counts; what is left of it goes before the next try.
            let _ = disk.discard(&draft).await;
            return Err(fault);
        }
    };
    let kept = made.clone();
    change_made(shared, move |all| {
        all.retain(|other| other.file != kept.file);
        all.push(kept);
    })
    .await?;
    Ok(made)
}

/// Writes it and reads it back.
async fn fill(shared: &Shared, sources: &Sources, part: Part, draft: &Path) -> Result<RowRange, Fault> {
    let percent = |percent| show_percent(shared, percent);
    let rows = match part {
        Part::Raintek => sources.pos.back_up(draft, &percent).await?,
        Part::Billing => sources.billing.back_up(draft, &percent).await?,
        Part::Store | Part::SchemaDump | Part::Snapshots => sources.store.back_up(draft).await?,
    };
    if sources.disk.size(draft).await?.is_none() {
        return Err(Fault::new(
            FaultKind::Config,
            Scope::Item,
            "SQL Server wrote the backup where ShopSync does not find it: name a folder in the settings \
             (backup.folder) that both see.",
        ));
    }
    doing(shared, format!("Reading the backup of {} back", part.words()));
    prove(sources, part, draft, Some(rows)).await?;
    Ok(rows)
}

async fn prove(sources: &Sources, part: Part, file: &Path, rows: Option<RowRange>) -> Result<(), Fault> {
    let found = match part {
        Part::Raintek => return sources.pos.verify(file).await,
        Part::Billing => {
            let work = work_folder(sources);
            sources.disk.discard(&work).await?;
            let checked = async {
                let (database, table) = sources.billing.unpack(file, &work).await?;
                sources.store.check(&database, Some(&table)).await
            }
            .await;
            sources.disk.discard(&work).await?;
            checked?
        }
        Part::Store | Part::SchemaDump | Part::Snapshots => sources.store.check(file, None).await?,
    };
    holds_all(part, rows, found)
}

/// Whether a copy holds what stood there when it was made.
pub(super) fn holds_all(part: Part, rows: Option<RowRange>, found: u64) -> Result<(), Fault> {
    match rows {
        Some(rows) if !rows.holds(found) => Err(Fault::new(
            FaultKind::Permanent,
            Scope::Item,
            format!(
                "The backup of {} holds {found} invoices where there were {}: it cannot be relied on.",
                part.words(),
                rows.most
            ),
        )),
        _ => Ok(()),
    }
}

/// Where backups are unpacked and tried; emptied before and after.
pub(super) fn work_folder(sources: &Sources) -> PathBuf {
    sources.rules.data.join("backup-work")
}

fn draft_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

pub(super) fn about(part: Part) -> &'static str {
    part.words()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use chrono::NaiveTime;

    use super::*;
    use crate::engine::backup::BackupRules;
    use crate::model::backup::Trial;
    use crate::model::schema::SchemaDump;
    use crate::ports::backup::{BillingBackup, Disk, Percent, PosBackup, StoreBackup};
    use crate::sync::retention::Keep;

    /// Backups that hold four invoices.
    struct Four;

    #[async_trait]
    impl PosBackup for Four {
        async fn back_up(&self, _: &Path, _: Percent<'_>) -> Result<RowRange, Fault> {
            Ok(RowRange::between(4, 4))
        }
        async fn verify(&self, _: &Path) -> Result<(), Fault> {
            Ok(())
        }
        async fn restore_trial(&self, _: &Path, _: &Path, _: u64) -> Result<Trial, Fault> {
            Ok(Trial::Restored(4))
        }
        async fn dump(&self) -> Result<SchemaDump, Fault> {
            Ok(SchemaDump::default())
        }
    }

    #[async_trait]
    impl BillingBackup for Four {
        async fn back_up(&self, _: &Path, _: Percent<'_>) -> Result<RowRange, Fault> {
            Ok(RowRange::between(4, 4))
        }
        async fn unpack(&self, _: &Path, folder: &Path) -> Result<(PathBuf, String), Fault> {
            Ok((folder.join("data.db"), "bills".into()))
        }
        async fn restore_trial(&self, _: &Path, _: &Path) -> Result<Trial, Fault> {
            Ok(Trial::Restored(4))
        }
    }

    #[async_trait]
    impl StoreBackup for Four {
        async fn back_up(&self, _: &Path) -> Result<RowRange, Fault> {
            Ok(RowRange::between(4, 4))
        }
        async fn check(&self, database: &Path, table: Option<&str>) -> Result<u64, Fault> {
            assert!(table.is_none_or(|table| table == "bills" && database.ends_with("data.db")));
            Ok(4)
        }
    }

    #[async_trait]
    impl Disk for Four {
        async fn prepare(&self, _: &Path) -> Result<u64, Fault> {
            Ok(1)
        }
        async fn keep(&self, _: &Path, _: &Path) -> Result<u64, Fault> {
            Ok(1)
        }
        async fn write(&self, _: &Path, _: Vec<u8>) -> Result<u64, Fault> {
            Ok(1)
        }
        async fn read(&self, _: &Path) -> Result<Option<Vec<u8>>, Fault> {
            Ok(None)
        }
        async fn size(&self, _: &Path) -> Result<Option<u64>, Fault> {
            Ok(Some(1))
        }
        async fn clear(&self, _: &Path, _: &str, _: &str) -> Result<(), Fault> {
            Ok(())
        }
        async fn discard(&self, _: &Path) -> Result<(), Fault> {
            Ok(())
        }
    }

    fn four() -> Sources {
        let rules = BackupRules {
            folder: "backups".into(),
            data: "data".into(),
            database: "Raintech_DB1".into(),
            times: vec![NaiveTime::MIN],
            keep: Keep { days: 30, snapshot_days: 90 },
            keep_free: 0,
            drill: true,
        };
        let four = Arc::new(Four);
        Sources { pos: four.clone(), billing: four.clone(), store: four.clone(), disk: four, rules }
    }

    #[tokio::test]
    async fn a_backup_must_hold_what_stood_there_while_it_was_made() {
        let sources = four();
        for part in [Part::Billing, Part::Store] {
            for (before, after, right) in
                [(4, 4, true), (3, 5, true), (5, 4, true), (5, 5, false), (2, 3, false)]
            {
                let rows = Some(RowRange::between(before, after));
                let proven = prove(&sources, part, Path::new("x"), rows).await;
                assert_eq!(proven.is_ok(), right, "{part:?} {before} to {after}: {proven:?}");
            }
        }
        let made = |most| Made {
            part: Part::Raintek,
            file: "x".into(),
            day: chrono::NaiveDate::default(),
            at: chrono::DateTime::default(),
            bytes: 1,
            rows: Some(RowRange::between(most, most)),
            proof: Some(Proof::ReadBack),
            proven_at: None,
        };
        for part in [Part::Raintek, Part::Billing] {
            assert!(super::super::weekly::try_out(&sources, part, &made(4)).await.is_ok());
            let fault = super::super::weekly::try_out(&sources, part, &made(5)).await.unwrap_err();
            assert!(fault.sentence.contains("holds 4 invoices where there were 5"), "{fault}");
        }
    }
}
