//! The same part stands still twice, and a backup does while somebody waits for it; other settings are taken over.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::acts::Act;
use crate::scenes::Scene;
use crate::story::{Call, Do, Fault, Setup, Stage, Story, Wrong};
use shopsync::model::backup::BackupTask;

pub(super) fn stands_still_twice() -> Story {
    let story = day(
        Stage::default(),
        &[
            (60_000, whole(bill(0, 1))),
            (100_000, Do::On(Scene::Backup(BackupTask::Now))),
            (760_000, Do::Look),
            (1_500_000, whole(bill(1, 1))),
            (1_520_000, Do::Look),
        ],
    );
    let hangs = |at, call| Fault { at, what: Wrong::Hangs { call, after: false } };
    let faults = vec![
        hangs(60_000, Call::PosProducts),
        hangs(800_000, Call::PosProducts),
        hangs(TABLES, Call::PosBackup),
    ];
    Story { setup: Setup { backups: true, ..story.setup }, faults, ..story }
}

/// All is backed up, and RainTek's tables are about to be looked at.
const TABLES: u64 = 115_000;

#[test]
fn what_stands_still_is_told_once_an_hour_and_whoever_waits_for_it_is_answered() {
    let outcome = lived(&stands_still_twice());
    let journal = said(&outcome, "journal");
    let times = |what: &str| journal.iter().filter(|line| line.contains(what)).count();
    assert_eq!(times("A part of ShopSync (products) stood still"), 1, "{journal:#?}");
    assert_eq!(times("A part of ShopSync (backup) stood still"), 1, "{journal:#?}");
    has(&said(&outcome, "shows"), "backups.answer.lines.0: \"It stood still and was given up. Try again.\"");
    assert_eq!(of_look(&outcome, 1, "RainTek").len(), 2);
}

pub(super) fn taken_over() -> Story {
    day(
        Stage { heartbeat: true, ..Stage::default() },
        &[
            (20_000, whole(bill(0, 1))),
            (40_000, Do::On(Scene::Act(Act::TakeOver))),
            (40_005, whole(bill(1, 1))),
            (70_000, Do::Look),
            (71_000, Do::On(Scene::Act(Act::Raise))),
            (90_000, Do::Look),
        ],
    )
}

#[test]
fn nobody_is_told_of_a_start_where_settings_are_taken_over() {
    let outcome = lived(&taken_over());
    let journal = said(&outcome, "journal");
    has(&journal, "The settings were taken over.");
    assert_eq!(journal.iter().filter(|line| line.contains("ShopSync was started.")).count(), 1);
    has_not(&journal, "caught up");
    assert_eq!(of_look(&outcome, 0, "RainTek").len(), 2, "{:#?}", look(&outcome, 0));
    has(&said(&outcome, "message"), "E:");
}
