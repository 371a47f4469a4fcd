//! The app's counters follow RainTek's highest numbers, so that neither side takes a number of the other's.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Shared;
use crate::model::bill::NumberMarks;
use crate::model::fault::Fault;
use crate::sync::numbering::number_series;

/// Between two looks while somebody bills.
const BUSY: Duration = Duration::from_secs(2);
/// Between two looks while nobody does.
const QUIET: Duration = Duration::from_secs(15);
/// Nobody billed for so long: nobody is billing.
const BILLING: TimeDelta = TimeDelta::minutes(10);
/// The app is told again, also where nothing changed: its database may have been put back.
const TOLD_AGAIN: TimeDelta = TimeDelta::minutes(1);

#[derive(Debug, Default)]
struct Memory {
    marks: Option<NumberMarks>,
    told: Option<DateTime<Utc>>,
    billed: Option<DateTime<Utc>>,
}

/// Looks every few seconds, and after each push.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut memory = Memory::default();
    while !shared.stopping() {
        if shared.board.both_up()
            && let Some(_flow) = shared.trial.flow().await
            && let Err(fault) = look(&shared, &mut memory).await
        {
            shared.log("numbers", &fault);
            shared.note_outage(&fault);
            memory.told = None;
        }
        let now = shared.now();
        let busy = memory.billed.is_some_and(|at| (now - at).abs() < BILLING);
        shared.wait(&shared.signals.numbers, if busy { BUSY } else { QUIET }).await;
    }
}

async fn look(shared: &Shared, memory: &mut Memory) -> Result<(), Fault> {
    let marks = shared.world.pos.number_marks().await?;
    let now = shared.now();
    let changed = memory.marks.as_ref() != Some(&marks);
    if changed && memory.marks.is_some() {
        memory.billed = Some(now);
    }
    if !changed && memory.told.is_some_and(|at| (now - at).abs() < TOLD_AGAIN) {
        return Ok(());
    }
    shared.world.billing.follow_numbers(&number_series(&marks)).await?;
    memory.marks = Some(marks);
    memory.told = Some(now);
    Ok(())
}
