//! Backups that cannot be relied on, and tables that change under ShopSync.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::scenes::Scene;
use crate::story::{Call, Do, Fault, Setup, Stage, Story, Wrong};
use shopsync::model::backup::BackupTask;

pub(super) fn tables_and_files() -> Story {
    let ask = |task| Do::On(Scene::Backup(task));
    let story = day(
        Stage::default(),
        &[
            (60_000, whole(bill(0, 1))),
            (100_000, ask(BackupTask::AcceptSchema)),
            (101_000, ask(BackupTask::Verify)),
            (130_000, ask(BackupTask::Drill)),
            (160_000, Do::On(Scene::Damage)),
            (161_000, ask(BackupTask::Verify)),
            (180_000, ask(BackupTask::Drill)),
            (200_000, Do::On(Scene::Tables)),
            (201_000, ask(BackupTask::Now)),
            (250_000, Do::Look),
            (251_000, whole(bill(1, 1))),
            (270_000, Do::Look),
            (271_000, ask(BackupTask::AcceptSchema)),
            (300_000, Do::Look),
            (301_000, ask(BackupTask::Now)),
            (360_000, Do::On(Scene::Spoil("backups.made"))),
            (400_000, Do::Look),
        ],
    );
    let setup = Setup { backups: true, ..story.setup };
    let refused = |at| Fault { at, what: Wrong::Refuses { call: Call::PosBackup } };
    Story { setup, faults: vec![refused(301_000), refused(301_000)], ..story }
}

#[test]
fn what_is_wrong_with_backups_is_said_and_changed_tables_hold_invoices() {
    let outcome = lived(&tables_and_files());
    let said = said(&outcome, "person");
    has(&said, "Nothing is held because of RainTek's tables.");
    has(&said, "RainTek's tables are taken as they are now.");
    has_not(&of_look(&outcome, 1, "RainTek"), "GST-0002");
    has(&of_look(&outcome, 2, "RainTek"), "GST-0002");
    has(&look(&outcome, 1), "RainTek's tables changed");
}

/// A backup that a person asked for never ends, and nor does the look at what the end of the trial would do.
pub(super) fn never_ending() -> Story {
    let story = day(
        Stage::default(),
        &[
            (60_000, whole(bill(0, 1))),
            (100_000, Do::Backup { verify: false }),
            (101_000, Do::Backup { verify: true }),
            (102_000, Do::GoLive { yes: false }),
            (110_000, Do::Look),
            (1_500_000, Do::Look),
            (1_501_000, whole(bill(1, 1))),
            (1_510_000, Do::Backup { verify: true }),
            (1_550_000, Do::GoLive { yes: false }),
        ],
    );
    let hangs = |at, call| Fault { at, what: Wrong::Hangs { call, after: false } };
    let faults = vec![hangs(99_000, Call::PosBackup), hangs(101_500, Call::AppHolds)];
    Story { setup: Setup { backups: true, trial: true, ..story.setup }, faults, ..story }
}

#[test]
fn whoever_waits_for_work_that_never_ends_is_answered() {
    let outcome = lived(&never_ending());
    has(&outcome.told.iter().map(String::as_str).collect::<Vec<_>>(), "It stood still and was given up.");
}
