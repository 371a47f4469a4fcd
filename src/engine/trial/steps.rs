//! Going live, step by step. How far it is stands in the store before each step begins, and every step can be made
//! again: whatever interrupts it, the next start goes on.

use std::collections::HashSet;
use std::time::Duration;

use super::{
    AGAIN, AppKind, GO_LIVE, NET, Shared, Sources, answer, app_side, pos_side, record, show, told, wake_all,
};
use crate::engine::{backup, products};
use crate::model::alert::Event;
use crate::model::awareness::BillKey;
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::ids::RecordId;
use crate::model::invoice::TaxType;
use crate::model::trial::{GoLive, GoLiveAnswer, GoLiveStep, TrialState};
use crate::ports::life::resting;
use crate::sync::numbering::{number_series, number_text};

/// Tries of a backup after a start that found going live under way.
const TRIES: u32 = 6;

/// A person said yes: from here on it goes on by itself until it is done.
pub(super) async fn start(shared: &Shared) -> Result<(), Fault> {
    let going = GoLive { step: GoLiveStep::Stock, at: shared.now(), lines: Vec::new(), kept: Vec::new() };
    keep(shared, &going).await?;
    shared.trial.lock().going = Some(going);
    shared.journal("app", "", "Going live began.").await;
    Ok(())
}

async fn keep(shared: &Shared, going: &GoLive) -> Result<(), Fault> {
    let text = serde_json::to_string(going).map_err(|error| {
        Fault::new(FaultKind::Permanent, Scope::Store, "How far going live is cannot be kept.").detail(error)
    })?;
    shared.world.state.set(GO_LIVE, Some(&text)).await
}

/// Goes on where it is. Returns when it is to be looked at again.
pub(super) async fn go(shared: &Shared, sources: &Sources) -> Duration {
    // Whatever a flow had begun is ended; no other begins. Each is watched over by itself.
    drop(resting(shared.trial.flows.write()).await);
    loop {
        let Some(mut going) = shared.trial.lock().going.clone() else { return Duration::ZERO };
        show(shared, going.step, None);
        let made = step(shared, sources, &mut going).await;
        let made = match (made, going.step.next()) {
            (Ok(()), Some(next)) => {
                going.step = next;
                keep(shared, &going).await
            }
            (made, _) => made,
        };
        match made {
            Ok(()) if going.step == GoLiveStep::Settings && shared.trial.lock().begin.is_none() => {
                return Duration::ZERO;
            }
            Ok(()) => shared.trial.lock().going = Some(going),
            Err(fault) if going.step.can_be_given_up() => {
                shared.log("go live", &fault);
                if let Err(fault) = give_up(shared, fault.sentence).await {
                    shared.log("go live", &fault);
                    return AGAIN;
                }
                return NET;
            }
            Err(fault) => {
                shared.log("go live", &fault);
                shared.note_outage(&fault);
                if let Some(work) = &mut shared.trial.lock().work {
                    work.sentence = Some(fault.sentence);
                }
                shared.signals.publish.notify_one();
                return AGAIN;
            }
        }
    }
}

/// Nothing was removed yet: everything is as before.
async fn give_up(shared: &Shared, sentence: String) -> Result<(), Fault> {
    shared.world.state.set(GO_LIVE, None).await?;
    let line = format!("Not gone live; nothing was removed. {sentence}");
    answer(shared, GoLiveAnswer { ok: false, lines: vec![line.clone()] });
    shared.journal("app", "", line).await;
    wake_all(shared);
    Ok(())
}

async fn step(shared: &Shared, sources: &Sources, going: &mut GoLive) -> Result<(), Fault> {
    match going.step {
        GoLiveStep::Stock => {
            let begin = shared.trial.lock().begin.clone();
            if let Some(begin) = begin {
                going.lines.extend(record::make_whole(shared, sources, &begin).await?);
            }
            // What is made from here on is real.
            let (records, _) = app_side::records(sources).await?;
            sources.store.put_records(&records).await
        }
        GoLiveStep::Backups => {
            going.lines.extend(back_up(shared).await?);
            Ok(())
        }
        GoLiveStep::Bills => pos_side::remove_bills(shared, sources).await,
        GoLiveStep::Customers => pos_side::remove_customers(shared, sources).await,
        GoLiveStep::App => {
            let kept = app_side::empty(shared, sources).await?;
            going.lines.extend(kept.lines);
            going.kept = kept.records;
            Ok(())
        }
        GoLiveStep::Forget => forget(shared, sources).await,
        GoLiveStep::Counters => {
            let marks = shared.world.pos.number_marks().await?;
            if sources.app.set_numbers(&number_series(&marks)).await? {
                let day = shared.now().with_timezone(&shared.rules.zone).date_naive();
                let next = number_text(&marks, TaxType::Gst, marks.gst.saturating_add(1), day);
                going.lines.push(format!("The next GST bill is {next}."));
            }
            Ok(())
        }
        GoLiveStep::Products => {
            let changed = products::pull(shared).await?;
            going.lines.push(match changed {
                0 => "Products are as RainTek has them.".to_owned(),
                1 => "1 product was brought up to date.".to_owned(),
                n => format!("{n} products were brought up to date."),
            });
            Ok(())
        }
        GoLiveStep::Settings => leave(shared, sources, going).await,
    }
}

/// A backup that was interrupted may still be ending on its server: then it is tried again before it is given up.
async fn back_up(shared: &Shared) -> Result<Vec<String>, Fault> {
    let tries = if shared.trial.lock().resumed { TRIES } else { 1 };
    let mut sentence = String::new();
    for at in 0..tries {
        if at > 0 {
            shared.world.clock.sleep(AGAIN).await;
        }
        match backup::before_going_live(shared).await {
            Ok(lines) => return Ok(lines),
            Err(why) => sentence = why,
        }
    }
    Err(Fault::transient(Scope::Item, sentence))
}

/// The outbox and the memory of RainTek's bills know nothing of the trial any more.
async fn forget(shared: &Shared, sources: &Sources) -> Result<(), Fault> {
    let before: HashSet<RecordId> = of_before(sources).await?;
    // An invoice from before the trial whose bill is gone is sent anew. One whose bill stays is left as it is, with what
    // is known of that bill: seen for the first time, it would be taken as it stands there, however it was changed.
    let mut bills = sources.store.bills().await?;
    bills.retain(|bill| bill.state == TrialState::Removed || !before.contains(&bill.record_id));
    let keys: HashSet<BillKey> =
        bills.iter().filter_map(|bill| Some(BillKey::new(bill.inv_id?, &bill.number))).collect();
    for known in shared.world.state.bill_problems(u32::MAX).await? {
        if known.state.is_mismatch() && keys.contains(&known.key()) {
            shared.raise(Event::MismatchOver { number: known.number }).await;
        }
    }
    let records = sources.store.records().await?;
    let invoices =
        records.into_iter().filter(|record| record.kind == AppKind::Invoice).map(|record| record.id);
    let invoices: HashSet<RecordId> = invoices.chain(bills.into_iter().map(|bill| bill.record_id)).collect();
    sources
        .store
        .forget(&invoices.into_iter().collect::<Vec<_>>(), &keys.into_iter().collect::<Vec<_>>())
        .await
}

/// Invoices that the app held when the trial began.
pub(super) async fn of_before(sources: &Sources) -> Result<HashSet<RecordId>, Fault> {
    let before = sources.store.before().await?;
    Ok(before.into_iter().filter(|(kind, _)| *kind == AppKind::Invoice).map(|(_, id)| id).collect())
}

/// The settings first: what says that it is a trial must be gone before what was kept of it.
async fn leave(shared: &Shared, sources: &Sources, going: &GoLive) -> Result<(), Fault> {
    sources.settings.leave_trial().await?;
    let told = told::result(sources, going).await?;
    sources.store.end().await?;
    let disowned = sources.store.disowned().await?;
    {
        let mut now = shared.trial.lock();
        now.is_set = false;
        now.begin = None;
        now.disowned.extend(disowned);
        now.plans.clear();
        now.answer(told.clone());
    }
    shared.board.cleared(shared.now());
    for line in told.lines {
        shared.journal("app", "", line).await;
    }
    wake_all(shared);
    Ok(())
}
