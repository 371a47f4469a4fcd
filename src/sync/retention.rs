//! Which of the files that we made have had their time.

use chrono::{NaiveDate, TimeDelta};

use super::backups::is_ours;
use crate::model::backup::{Made, Part};

/// How long files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Days for backups.
    pub days: u32,
    /// Days for snapshots of replaced bills, and for schema dumps.
    pub snapshot_days: u32,
}

/// What may go: older than its days, called as we call our files, and neither the newest of its part nor the newest
/// that is proven. What does not stand in `made` is never looked at, so a stranger's file is never deleted.
pub fn surplus(made: &[Made], today: NaiveDate, keep: Keep) -> Vec<&Made> {
    let newest = |part: Part, proven: bool| {
        made.iter()
            .filter(|file| file.part == part && (!proven || file.proof.is_some()))
            .max_by_key(|file| file.at)
    };
    made.iter()
        .filter(|file| {
            let days = match file.part {
                Part::Raintek | Part::Billing | Part::Store => keep.days,
                Part::SchemaDump | Part::Snapshots => keep.snapshot_days,
            };
            let kept = [newest(file.part, true), newest(file.part, false)];
            let is_kept = kept.into_iter().flatten().any(|other| other.file == file.file);
            today - file.day > TimeDelta::days(i64::from(days)) && is_ours(file.part, &file.file) && !is_kept
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use chrono::{NaiveTime, Utc};
    use proptest::prelude::*;

    use super::*;
    use crate::model::backup::Proof;
    use crate::sync::backups::file_name;

    const KEEP: Keep = Keep { days: 30, snapshot_days: 90 };

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
    }

    fn made(part: Part, age: i64, proven: bool, ours: bool) -> Made {
        let day = today() - TimeDelta::days(age);
        let folder = match part {
            Part::SchemaDump => "schema-dumps",
            Part::Snapshots => "snapshots",
            _ => "backups",
        };
        let name = if ours { file_name(part, "Raintech_DB1", day) } else { format!("mine {age}") };
        Made {
            part,
            file: PathBuf::from(folder).join(name),
            day,
            at: day.and_time(NaiveTime::MIN).and_local_timezone(Utc).unwrap(),
            bytes: 1,
            rows: None,
            proof: proven.then_some(Proof::ReadBack),
            proven_at: None,
        }
    }

    #[test]
    fn thirty_days_stay_and_ninety_of_snapshots() {
        let files: Vec<Made> = [Part::Raintek, Part::Snapshots]
            .into_iter()
            .flat_map(|part| (0..120).map(move |age| made(part, age, true, true)))
            .collect();
        let gone = surplus(&files, today(), KEEP);
        let ages = |part| gone.iter().filter(|f| f.part == part).map(|f| (today() - f.day).num_days()).min();
        assert_eq!((ages(Part::Raintek), ages(Part::Snapshots)), (Some(31), Some(91)));
    }

    #[test]
    fn the_newest_proven_stays_however_old() {
        let files = [
            made(Part::Billing, 5, false, true),
            made(Part::Billing, 400, true, true),
            made(Part::Billing, 500, true, true),
        ];
        let gone: Vec<_> = surplus(&files, today(), KEEP).iter().map(|file| file.day).collect();
        assert_eq!(gone, [today() - TimeDelta::days(500)]);
    }

    prop_compose! {
        fn any_file()(
            part in prop::sample::select(vec![Part::Raintek, Part::Billing, Part::Store, Part::SchemaDump, Part::Snapshots]),
            age in -10_i64..400, proven: bool, ours in prop::bool::weighted(0.8),
        ) -> Made {
            made(part, age, proven, ours)
        }
    }

    proptest! {
        #[test]
        fn nothing_goes_that_must_stay(mut files in prop::collection::vec(any_file(), 0..60)) {
            files.sort_by(|a, b| a.file.cmp(&b.file));
            files.dedup_by(|a, b| a.file == b.file);
            let gone = surplus(&files, today(), KEEP);
            for file in &gone {
                prop_assert!(is_ours(file.part, &file.file), "somebody else's: {}", file.file.display());
                let days = if matches!(file.part, Part::SchemaDump | Part::Snapshots) { 90 } else { 30 };
                prop_assert!((today() - file.day).num_days() > days, "too young");
                let stays = |other: &&Made| other.part == file.part && !gone.iter().any(|g| g.file == other.file);
                prop_assert!(files.iter().filter(stays).any(|other| other.at >= file.at), "nothing newer stays");
                if file.proof.is_some() {
                    let newer = files.iter().filter(stays).any(|o| o.proof.is_some() && o.at >= file.at);
                    prop_assert!(newer, "the newest proven one goes");
                }
            }
            // What went once is enough: a second look finds nothing more.
            let rest: Vec<Made> = files.iter().filter(|f| !gone.iter().any(|g| g.file == f.file)).cloned().collect();
            prop_assert!(surplus(&rest, today(), KEEP).is_empty());
        }
    }
}
