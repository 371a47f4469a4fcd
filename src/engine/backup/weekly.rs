//! Once a week: RainTek's tables looked at whole, backups restored for trial. And what has had its time goes.

use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::daily::{about, holds_all, work_folder};
use super::{DRILL, SCHEMA_HOLD, Sources, change_made, doing, done, note, today};
use crate::engine::Shared;
use crate::model::backup::{Made, Part, Proof, Trial};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::schema::SchemaDump;
use crate::ports::life::at_a_backup;
use crate::sync::backups::{WEEK, file_name, wanted_since};
use crate::sync::retention::surplus;
use crate::sync::tables::{changes, masked};

const CLEARING: &str = "old backups";
const TRIAL: &str = "trial restore";

/// How the last trial restore ended.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Drill {
    /// When it was tried.
    pub(super) tried_at: Option<DateTime<Utc>>,
    /// When all that could be tried was found restorable.
    pub(super) proven_at: Option<DateTime<Utc>>,
}

/// Deletes what has had its time.
pub(super) async fn clear_away(shared: &Shared, sources: &Sources) {
    let made = shared.board.seen().backup.made;
    let gone: Vec<(Part, PathBuf)> = surplus(&made, today(shared), sources.rules.keep)
        .into_iter()
        .map(|made| (made.part, made.file.clone()))
        .collect();
    if gone.is_empty() {
        return;
    }
    let mut wrong = None;
    for (part, file) in gone {
        let removed = match part {
            Part::Snapshots => sources.disk.clear(&file, "inv_", ".json").await,
            _ => sources.disk.discard(&file).await,
        };
        let removed = match removed {
            Ok(()) => change_made(shared, |all| all.retain(|other| other.file != file)).await,
            Err(fault) => Err(fault),
        };
        wrong = wrong.or(removed.err());
    }
    note(shared, CLEARING, wrong.as_ref()).await;
}

/// Whether tables that were looked at so long ago, and tried to be, are looked at again. A look far in the future is one
/// of a clock that was wrong.
fn is_due(age: Option<TimeDelta>, tried: Option<TimeDelta>) -> bool {
    age.is_none_or(|age| age.abs() >= WEEK) && tried.is_none_or(|ago| ago >= TimeDelta::hours(1))
}

/// Looks at RainTek's tables where that is due, or at once; a change in one that invoices are written to holds them.
pub(super) async fn look_at_tables(shared: &Shared, sources: &Sources, at_once: bool) {
    let seen = shared.board.seen();
    let last = seen.backup.newest(Part::SchemaDump).cloned();
    let (now, age) = (shared.now(), last.as_ref().map(|made| shared.now() - made.at));
    let tries = seen.backup.tries.get(&Part::SchemaDump).copied().unwrap_or_default();
    let is_time = at_once || is_due(age, tries.last.map(|at| now - at));
    if !is_time || !seen.raintek.status.connected {
        return;
    }
    shared.board.update(|seen| seen.backup.tries.entry(Part::SchemaDump).or_default().last = Some(now));
    doing(shared, "Looking at RainTek's tables");
    let looked = dump(shared, sources, last.as_ref()).await;
    done(shared);
    let wrong = looked.err().map(|fault| Fault {
        sentence: format!("RainTek's tables could not be looked at. {}", fault.sentence),
        ..fault
    });
    note(shared, about(Part::SchemaDump), wrong.as_ref()).await;
}

async fn dump(shared: &Shared, sources: &Sources, last: Option<&Made>) -> Result<(), Fault> {
    let dump = masked(sources.pos.dump().await?);
    let before = match last {
        Some(last) => sources.disk.read(&last.file).await?,
        None => None,
    };
    // One that a person damaged is as good as none.
    let before: Option<SchemaDump> = before.and_then(|text| serde_json::from_slice(&text).ok());
    let found = before.map(|before| changes(&before, &dump)).unwrap_or_default();
    let (written, other): (Vec<_>, Vec<_>) = found.into_iter().partition(|change| change.is_written());
    for change in &other {
        shared.journal("backup", "", format!("RainTek's database changed: {}.", change.words)).await;
    }
    if !written.is_empty() {
        let words: Vec<&str> = written.iter().map(|change| change.words.as_str()).collect();
        hold(shared, &words.join("; ")).await?;
    }
    // Only now it is what the next one is compared with: a hold that was not stored is found again.
    let day = today(shared);
    let file = sources.rules.data.join("schema-dumps").join(file_name(Part::SchemaDump, "", day));
    let text = serde_json::to_vec_pretty(&dump).map_err(|error| {
        Fault::new(FaultKind::Permanent, Scope::Item, "The tables cannot be written down.").detail(error)
    })?;
    let bytes = sources.disk.write(&file, text).await?;
    let at = shared.now();
    let made = Made {
        part: Part::SchemaDump,
        file,
        day,
        at,
        bytes,
        rows: None,
        proof: Some(Proof::ReadBack),
        proven_at: Some(at),
    };
    change_made(shared, |all| {
        all.retain(|other| other.file != made.file);
        all.push(made);
    })
    .await
}

async fn hold(shared: &Shared, words: &str) -> Result<(), Fault> {
    let sentence = format!(
        "RainTek's tables changed ({words}); no invoice is written until whoever supports the shop has looked and run \
         `shopsync backup accept`."
    );
    shared.world.state.set(SCHEMA_HOLD, Some(&sentence)).await?;
    shared.board.update(|seen| seen.backup.status.schema_hold = Some(sentence.clone()));
    shared.journal("backup", "", sentence).await;
    Ok(())
}

/// A person looked at the change.
pub(super) async fn accept_tables(shared: &Shared) -> Result<String, String> {
    if let Err(fault) = shared.world.state.set(SCHEMA_HOLD, None).await {
        shared.log("backup", &fault);
        return Err(fault.sentence);
    }
    shared.board.update(|seen| seen.backup.status.schema_hold = None);
    shared.signals.push.notify_one();
    let line = "RainTek's tables are taken as they are; invoices go on.".to_owned();
    shared.journal("backup", "", line.clone()).await;
    Ok(line)
}

/// Behind the day's last backup, when the shop is quiet.
pub(super) async fn drill_where_due(shared: &Shared, sources: &Sources) {
    if !sources.rules.drill {
        return;
    }
    let (now, zone) = (shared.now(), shared.rules.zone);
    let evening = wanted_since(now, zone, &sources.rules.times);
    let is_evening = sources.rules.times.iter().max() == Some(&evening.with_timezone(&zone).time());
    let seen = shared.board.seen().backup;
    let is_ready = [Part::Raintek, Part::Billing]
        .iter()
        .all(|part| seen.newest_proven(*part).is_some_and(|made| made.at >= evening));
    let last = last_drill(shared).await.tried_at;
    // Half a day less than a week, so that it does not wander into the next morning.
    let is_due = last.is_none_or(|at| now - at >= WEEK - TimeDelta::hours(12) || at > now);
    if is_evening && is_ready && is_due {
        drill(shared, sources).await;
    }
}

/// Restores the newest backup of each side beside the shop and counts it.
pub(super) async fn drill(shared: &Shared, sources: &Sources) -> Vec<Result<String, String>> {
    let mut drill = last_drill(shared).await;
    drill.tried_at = Some(shared.now());
    keep_drill(shared, &drill).await;
    let (mut lines, mut restored, mut wrong) = (Vec::new(), false, None);
    for part in [Part::Raintek, Part::Billing] {
        let Some(made) = shared.board.seen().backup.newest_proven(part).cloned() else {
            lines.push(Err(format!("There is no backup of {} yet.", part.words())));
            continue;
        };
        doing(shared, format!("Restoring the backup of {} for trial", part.words()));
        let tried = at_a_backup(try_out(sources, part, &made)).await;
        done(shared);
        match tried {
            Ok(Trial::Restored(rows)) => {
                restored = true;
                let at = shared.now();
                let kept = change_made(shared, |all| {
                    for file in all.iter_mut().filter(|other| other.file == made.file) {
                        (file.proof, file.proven_at) = (Some(Proof::Restored), Some(at));
                    }
                })
                .await;
                lines.push(match kept {
                    Ok(()) => Ok(format!("The backup of {} was restored: {rows} invoices.", part.words())),
                    Err(fault) => Err(fault.sentence),
                });
            }
            Ok(Trial::Skipped(why)) => lines.push(Ok(format!("{why} Reading it back stands."))),
            Err(fault) => {
                lines.push(Err(fault.sentence.clone()));
                wrong = Some(fault);
            }
        }
    }
    for line in &lines {
        let line = line.as_ref().unwrap_or_else(|sentence| sentence);
        shared.journal("backup", "", line.clone()).await;
    }
    if proves(restored, &lines) {
        drill.proven_at = Some(shared.now());
        shared.board.update(|seen| seen.backup.status.restorable = drill.proven_at);
        keep_drill(shared, &drill).await;
    }
    note(shared, TRIAL, wrong.as_ref()).await;
    lines
}

/// Whether it is known again that backups can be restored: one was, and nothing went wrong.
fn proves(restored: bool, lines: &[Result<String, String>]) -> bool {
    restored && lines.iter().all(Result::is_ok)
}

pub(super) async fn try_out(sources: &Sources, part: Part, made: &Made) -> Result<Trial, Fault> {
    let Sources { disk, rules, .. } = sources;
    let trial = if part == Part::Raintek {
        let room = disk.prepare(&rules.folder).await?.saturating_sub(rules.keep_free);
        sources.pos.restore_trial(&made.file, &rules.folder, room).await?
    } else {
        let work = work_folder(sources);
        disk.discard(&work).await?;
        let trial = sources.billing.restore_trial(&made.file, &work).await;
        let cleared = disk.discard(&work).await;
        let trial = trial?;
        cleared?;
        trial
    };
    if let Trial::Restored(rows) = trial {
        holds_all(part, made.rows, rows).map_err(|fault| fault.action(Action::CallSupport))?;
    }
    Ok(trial)
}

async fn last_drill(shared: &Shared) -> Drill {
    let text = shared.world.state.get(DRILL).await.ok().flatten();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

async fn keep_drill(shared: &Shared, drill: &Drill) {
    let text = serde_json::to_string(drill).unwrap_or_default();
    if let Err(fault) = shared.world.state.set(DRILL, Some(&text)).await {
        shared.log("backup", &fault);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_that_restored_nothing_or_failed_in_part_proves_nothing() {
        let (well, ill) = (Ok(String::new()), Err(String::new()));
        assert!(proves(true, std::slice::from_ref(&well)));
        assert!(!proves(false, std::slice::from_ref(&well)));
        assert!(!proves(true, &[well, ill]));
    }

    #[test]
    fn tables_are_looked_at_weekly_and_after_a_failure_hourly() {
        let (days, minutes) = (TimeDelta::days, TimeDelta::minutes);
        assert!(is_due(None, None), "never yet");
        assert!(!is_due(None, Some(minutes(59))) && is_due(None, Some(minutes(60))));
        assert!(!is_due(Some(days(6)), None) && is_due(Some(days(7)), None));
        assert!(!is_due(Some(days(-6)), None), "the clock was put back a little");
        assert!(is_due(Some(days(-8)), None), "or was years ahead");
        assert!(!is_due(Some(days(8)), Some(minutes(5))));
    }
}
