//! The app's counters follow RainTek's highest numbers, so that neither side takes a number of the other's.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Shared;
use crate::model::bill::{NumberMarks, NumberSeries};
use crate::model::fault::Fault;
use crate::sync::numbering::number_series;

/// Between two looks while somebody bills.
const BUSY: Duration = Duration::from_secs(2);
/// Between two looks while RainTek's own till does: what it takes meanwhile, the app would take, too.
const TILL: Duration = Duration::from_millis(500);
/// Between two looks while nobody does.
const QUIET: Duration = Duration::from_secs(15);
/// Not more often than this, however many invoices are sent: of a queue the highest number goes first.
const AT_MOST: Duration = Duration::from_millis(100);
/// Nobody billed for so long: nobody is billing.
const BILLING: TimeDelta = TimeDelta::minutes(10);
/// The app is told again, also where nothing changed: its database may have been put back.
const TOLD_AGAIN: TimeDelta = TimeDelta::minutes(1);

#[derive(Debug, Default)]
struct Memory {
    marks: Option<NumberMarks>,
    series: Option<[NumberSeries; 2]>,
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
        shared.pause(AT_MOST).await;
        let now = shared.now();
        let busy = memory.billed.is_some_and(|at| (now - at).abs() < BILLING);
        let wait = match (busy, shared.board.till_is_busy(now)) {
            (_, true) => TILL,
            (true, false) => BUSY,
            (false, false) => QUIET,
        };
        shared.wait(&shared.signals.numbers, wait).await;
    }
}

async fn look(shared: &Shared, memory: &mut Memory) -> Result<(), Fault> {
    let marks = shared.world.pos.number_marks().await?;
    let now = shared.now();
    shared.board.highest_bill(marks.inv_id, now);
    if memory.marks.as_ref().is_some_and(|known| *known != marks) {
        memory.billed = Some(now);
    }
    memory.marks = Some(marks.clone());
    let mut series = number_series(&marks);
    for (series, room) in series.iter_mut().zip(shared.board.rooms(now)) {
        series.value = series.value.saturating_add(room);
    }
    if memory.series.as_ref() == Some(&series) && memory.told.is_some_and(|at| (now - at).abs() < TOLD_AGAIN)
    {
        return Ok(());
    }
    shared.world.billing.follow_numbers(&series).await?;
    memory.series = Some(series);
    memory.told = Some(now);
    Ok(())
}
