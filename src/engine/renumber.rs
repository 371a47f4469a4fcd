//! "Give it the next free number": an invoice that is held because somebody else has its number.
//!
//! The app is the master: its record gets the number first, compared and set in the app's own transaction, and what then
//! stands in the record is sent as any changed invoice is. So there is no moment at which a crash loses anything: before
//! the app's answer nothing was done or the record carries the number already, and a record that carries another number
//! than the one it is held under is never given a second one.

use std::time::Duration;

use super::claim::Claim;
use super::handle::GOING_LIVE;
use super::{Shared, invoices};
use crate::model::bill::{Lookup, NumberMarks, NumberSeries};
use crate::model::command::Reply;
use crate::model::fault::{Action, Fault, Scope};
use crate::model::ids::RecordId;
use crate::model::invoice::{Invoice, InvoiceRead, TaxType};
use crate::model::outbox::{Item, ItemState};
use crate::model::renumber::{Renumber, Renumbered};
use crate::model::status::Entry;
use crate::sync::numbering::{number_series, series_of};

/// What a number was exchanged for, in the store: whoever asks again hears the same answer.
const GIVEN: &str = "renumbered.";
/// The push may be trying the invoice right now: that long it is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(50);
/// Numbers above RainTek's highest that may be taken there before looking for a free one is given up.
const MOST_TAKEN: i32 = 1_000;

/// Gives a held invoice the next free number in the app; it is then sent under it.
///
/// # Errors
/// One side is away, or its answer is no use: nothing was given, or asking again tells what.
pub(super) async fn renumber(shared: &Shared, number: &str) -> Result<Reply, Fault> {
    let number = number.trim();
    // Asked twice at once, the second hears what the first was given.
    let _one_at_a_time = shared.renumbering.lock().await;
    let Some(_flow) = shared.trial.flow().await else { return refused(GOING_LIVE.into()) };
    let open = shared.world.state.open_items(u32::MAX).await?;
    let of_number = |item: &&Item| item.number.trim().eq_ignore_ascii_case(number);
    let waits = open.iter().filter(of_number).find(|item| waits_for_a_number(item) || is_being_tried(item));
    let Some(item) = waits else {
        return refused(match (given(shared, number).await?, open.iter().find(of_number)) {
            (Some(new), _) => {
                return Ok(Reply::Accepted { sentence: format!("{number} has the number {new} by now.") });
            }
            (None, Some(other)) => match &other.fault {
                Some(fault) => format!("{number} does not wait for another number. {}", fault.sentence),
                None => format!("{number} does not wait for another number: it is on its way."),
            },
            (None, None) => format!("No invoice {number} waits for another number."),
        });
    };
    let id = item.record_id.clone();
    let reply = match claimed(shared, &id).await? {
        Some(_claim) => give(shared, &id).await,
        None => refused(format!("{number} is being tried right now. Ask again in a moment.")),
    };
    // Whoever wanted to look meanwhile left word: it is made up for.
    if let Err(fault) = invoices::recheck(shared, &id).await {
        shared.log("recheck", &fault);
        shared.signals.invoices.notify_one();
    }
    reply
}

fn refused(sentence: String) -> Result<Reply, Fault> {
    Ok(Reply::Refused { sentence })
}

/// A clash that is waited out first (the app may be in the middle of a revision) is not held yet.
fn waits_for_a_number(item: &Item) -> bool {
    item.state == ItemState::Held && item.action() == Action::Renumber
}

/// What is held is tried again by itself, for the moment of which it is on its way.
fn is_being_tried(item: &Item) -> bool {
    matches!(item.state, ItemState::Sending | ItemState::Unknown) && item.action() == Action::Renumber
}

fn key(number: &str) -> String {
    format!("{GIVEN}{}", number.trim().to_uppercase())
}

async fn given(shared: &Shared, number: &str) -> Result<Option<String>, Fault> {
    shared.world.state.get(&key(number)).await
}

/// The invoice for as long as nobody else works on it, once its try has ended.
async fn claimed<'a>(shared: &'a Shared, id: &RecordId) -> Result<Option<Claim<'a>>, Fault> {
    let began = shared.world.clock.elapsed();
    let mut turn = shared.claims.turn(id);
    loop {
        let released = shared.claims.released();
        match turn.take() {
            Some(claim) if shared.world.state.item(id).await?.as_ref().is_some_and(is_being_tried) => {
                // Its try has not ended: the push goes on with it.
                drop((claim, turn));
                shared.world.clock.sleep(STEP).await;
                turn = shared.claims.turn(id);
            }
            Some(claim) => return Ok(Some(claim)),
            None => tokio::select! {
                biased;
                () = released => {}
                () = shared.world.clock.sleep(STEP) => {}
            },
        }
        if shared.world.clock.elapsed().saturating_sub(began) >= PATIENCE || shared.stopping() {
            return Ok(None);
        }
    }
}

async fn give(shared: &Shared, id: &RecordId) -> Result<Reply, Fault> {
    let item = shared.world.state.item(id).await?.filter(waits_for_a_number);
    let Some(item) = item else {
        return refused("The invoice does not wait for another number any more.".into());
    };
    let old = item.number.trim().to_owned();
    let gone = || refused(format!("{old} is no completed invoice of the billing app any more."));
    let invoice = match shared.world.billing.invoice(id).await? {
        InvoiceRead::Found(invoice) => invoice,
        InvoiceRead::NotDue(_) => return gone(),
        InvoiceRead::Broken(fault) => return refused(fault.sentence),
    };
    // It carries another number already: a person corrected it, or a try of ours whose end nobody heard of.
    let new = if invoice.number == old {
        let (marks, series) = next_free(shared, &invoice).await?;
        shared.world.billing.follow_numbers(&number_series(&marks)).await?;
        let wanted = Renumber { id: id.clone(), from: old.clone(), series };
        match shared.world.billing.renumber(&wanted).await? {
            Renumbered::Carries(new) => new,
            Renumbered::NotDue => return gone(),
        }
    } else {
        invoice.number.clone()
    };
    finish(shared, item, &old, &new).await
}

/// The item follows, and everybody is told.
async fn finish(shared: &Shared, mut item: Item, old: &str, new: &str) -> Result<Reply, Fault> {
    let now = shared.now();
    item.number = new.to_owned();
    item.state = ItemState::Waiting;
    item.attempts = 0;
    item.first_seen = now;
    item.first_failed = None;
    item.next_try = now;
    item.fault = None;
    item.failed_digest = None;
    // The app's own hook shows it as waiting again.
    item.stamped_failed = None;
    let what = format!("{old} has the number {new} now.");
    let warning = "A copy that was already printed carries the old number: print it again.";
    let entry =
        Entry { at: now, kind: "push", number: new.to_owned(), sentence: format!("{what} {warning}") };
    shared.world.state.set(&key(old), Some(new)).await?;
    shared.world.state.put_all(std::slice::from_ref(&item), &[entry]).await?;
    // RainTek's own bill of the old number can be shown in the app now.
    shared.board.update(|seen| seen.bills_asked = true);
    shared.signals.push.notify_one();
    shared.signals.bills.notify_one();
    shared.signals.publish.notify_one();
    let sent = if shared.board.is_paused(now) {
        "It is sent when ShopSync goes on."
    } else {
        "It is sent to RainTek now."
    };
    Ok(Reply::Accepted { sentence: format!("{what} {sent} {warning}") })
}

/// Where the app goes on from: below that, every number is RainTek's, of a bill or of what a deleted one left behind.
async fn next_free(shared: &Shared, invoice: &Invoice) -> Result<(NumberMarks, NumberSeries), Fault> {
    let marks = shared.world.pos.number_marks().await?;
    let mut series = series_of(&marks, invoice.tax_type, invoice.date);
    let [gst, non_gst] = shared.board.rooms(shared.now());
    let room = match invoice.tax_type {
        TaxType::Gst => gst,
        TaxType::NonGst => non_gst,
    };
    // Where several tills bill, the very next ones are on their way to one of them (ADR 13).
    series.value = series.value.saturating_add(room);
    for _ in 0..MOST_TAKEN {
        let n = series.value.saturating_add(1);
        let lookup = Lookup {
            number: series.text(n),
            inv_id: None,
            tax_type: invoice.tax_type,
            counter: Some(n),
            product_codes: Vec::new(),
            phone: None,
        };
        let found = shared.world.pos.inspect(&lookup).await?;
        let free = found.bills.is_empty()
            && found.postings.stray.is_empty()
            && !found.marks.counter_has_number
            && !found.marks.counter_taken;
        if free {
            return Ok((marks, series));
        }
        series.value = n;
    }
    Err(Fault::transient(Scope::Item, "RainTek has no free number among the next thousand."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::item_for_tests;

    #[test]
    fn only_an_invoice_whose_number_somebody_else_has_waits_for_another() {
        let item = |state, action| {
            let fault = Fault::data("RainTek used the number for a bill of its own.").action(action);
            item_for_tests(state, Some(fault))
        };
        assert!(waits_for_a_number(&item(ItemState::Held, Action::Renumber)));
        assert!(!waits_for_a_number(&item(ItemState::Held, Action::PullProducts)), "held for something else");
        assert!(!waits_for_a_number(&item(ItemState::Waiting, Action::Renumber)), "waited out first");
        assert!(!waits_for_a_number(&item_for_tests(ItemState::Held, None)));
        for (state, tried) in
            [(ItemState::Sending, true), (ItemState::Unknown, true), (ItemState::Held, false)]
        {
            assert_eq!(is_being_tried(&item(state, Action::Renumber)), tried, "{state:?}");
            assert!(!is_being_tried(&item(state, Action::Wait)), "{state:?}");
        }
    }
}
