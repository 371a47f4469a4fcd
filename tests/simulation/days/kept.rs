//! Backups through months: what has had its time goes, what is kept is tried out each week, and there must be room.

use super::{bill, day, has, has_not, lived, look, of_look, said, whole};
use crate::scenes::Scene;
use crate::story::{Do, Setup, Stage, Story};
use shopsync::model::backup::BackupTask;

pub(super) fn through_months() -> Story {
    let now = Do::On(Scene::Backup(BackupTask::Now));
    let story = day(
        Stage::default(),
        &[
            (60_000, whole(bill(0, 1))),
            (70_000, Do::Change { of: 0, bill: bill(1, 1), gap: 5 }),
            // Too little room for another as large as the last and a fifth; then enough.
            (80_000, Do::Room { free: 1_100 }),
            (81_000, now),
            (90_000, Do::Room { free: 1_250 }),
            (91_000, now),
            (140_000, Do::Room { free: 1 << 40 }),
            (150_000, Do::Sleep { minutes: 661 }),
            (260_000, Do::Holiday { days: 7 }),
            (360_000, Do::Change { of: 0, bill: bill(2, 1), gap: 5 }),
            (380_000, Do::Holiday { days: 31 }),
            (480_000, Do::Holiday { days: 60 }),
            // A change in the tables holds invoices, and no comparison waits for what is held.
            (580_000, Do::On(Scene::Tables)),
            (581_000, now),
            (630_000, whole(bill(3, 1))),
            (635_000, Do::Check),
            (660_000, Do::Look),
            (661_000, Do::On(Scene::Backup(BackupTask::AcceptSchema))),
            (690_000, Do::Look),
        ],
    );
    Story { setup: Setup { backups: true, ..story.setup }, ..story }
}

#[test]
fn old_backups_go_and_each_week_one_is_restored_for_trial() {
    let outcome = lived(&through_months());
    let journal = said(&outcome, "journal");
    has(&journal, "The backup of RainTek failed. Little room is left on the disk of backups");
    let drills = journal.iter().filter(|line| line.contains("The backup of RainTek was restored"));
    assert_eq!(drills.count(), 4, "{journal:#?}");
    let disk = said(&outcome, "disk");
    let first = disk.iter().filter(|line| line.contains("Raintech_DB1_20261123.bak is kept"));
    assert_eq!(first.count(), 3, "in the morning, once there was room, and in the evening: {disk:#?}");
    let cleared = disk.iter().filter(|line| line.contains("inv_*.json go from snapshots/2026-11-23"));
    assert_eq!(cleared.count(), 1, "{disk:#?}");
    has_not(&of_look(&outcome, 0, "RainTek"), "GST-0002");
    has_not(&said(&outcome, "shows"), "Waits while invoices are on their way.");
    has(&look(&outcome, 0), "no invoice is written until");
    has(&of_look(&outcome, 1, "RainTek"), "GST-0002");
}
