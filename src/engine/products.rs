//! Products, RainTek -> app.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::Shared;
use crate::model::fault::{Action, Fault, Scope};
use crate::model::outbox::ItemState;
use crate::model::product::{ProductProblem, ProductWrite};
use crate::model::status::Progress;
use crate::sync::catalogue::{CataloguePlan, Comparison, Held};

/// Writes in one batch.
const BATCH: usize = 200;
/// How often the app's products are compared with what is remembered, beside at start and after it was away.
const COMPARE_EVERY: TimeDelta = TimeDelta::hours(24);

pub(super) async fn run(shared: Arc<Shared>) {
    let mut held: Option<(Held, DateTime<Utc>)> = None;
    while !shared.stopping() {
        let now = shared.now();
        if shared.board.both_up()
            && !shared.board.is_paused(now)
            && let Some(_flow) = shared.trial.flow().await
        {
            let first = !super::awareness::products_looked_at(&shared);
            let compare = shared.board.update(|seen| std::mem::take(&mut seen.compare_products));
            if compare || held.as_ref().is_some_and(|(_, at)| now - *at >= COMPARE_EVERY) {
                held = None;
            }
            match pass(&shared, &mut held).await {
                Ok(changed) => retry_unknown_items(&shared, changed > 0).await,
                Err(fault) => {
                    // What is remembered may no longer be what the app holds: it is read anew.
                    held = None;
                    shared.log("products", &fault);
                    shared.board.update(|seen| {
                        seen.products.failing_since.get_or_insert(now);
                        seen.products.sentence.clone_from(&fault.sentence);
                        seen.products_status.sentence = Some(fault.sentence.clone());
                        seen.products_status.progress = None;
                    });
                    shared.note_outage(&fault);
                }
            }
            if first {
                // They wait for it.
                shared.signals.bills.notify_one();
            }
            shared.signals.publish.notify_one();
        }
        shared.wait(&shared.signals.products, shared.rules.products_every).await;
    }
}

/// One pass that compares all of RainTek's products with what the app really holds. Returns how many were written.
pub(super) async fn pull(shared: &Shared) -> Result<u64, Fault> {
    pass(shared, &mut None).await
}

/// Returns how many products were written.
async fn pass(shared: &Shared, held: &mut Option<(Held, DateTime<Utc>)>) -> Result<u64, Fault> {
    let mut compared = None;
    if let Some((held, _)) = held {
        compared = Some(compare(shared, held).await?);
    }
    let (plan, shown) = match compared.filter(|(plan, _)| !plan.makes_new()) {
        Some(compared) => compared,
        // What is to be made anew may have been added on a phone meanwhile: the app itself must say.
        None => {
            let mut app = Held::default();
            shared.world.billing.each_product(&mut |product| app.add(&product)).await?;
            let (held, _) = held.insert((app, shared.now()));
            compare(shared, held).await?
        }
    };
    let (writes, mut problems) = match plan {
        CataloguePlan::Write { writes, problems } => (writes, problems),
        CataloguePlan::Suspicious { shown, known } => {
            return Err(Fault::transient(
                Scope::Item,
                format!("RainTek shows {shown} products where {known} were known; none was switched off."),
            )
            .action(Action::CallSupport));
        }
    };
    let total = u64::try_from(writes.len()).unwrap_or_default();
    let mut done = 0_u64;
    for batch in writes.chunks(BATCH) {
        shared.board.update(|seen| seen.products_status.progress = Some(Progress { done, total }));
        shared.signals.publish.notify_one();
        let outcomes = shared.world.billing.write_products(batch).await?;
        for (write, outcome) in batch.iter().zip(outcomes) {
            match outcome {
                Ok(()) => {
                    if let Some((held, _)) = held {
                        held.confirm(write);
                    }
                    done += 1;
                }
                Err(fault) => problems.extend(problem(write, &fault)),
            }
        }
    }
    finish(shared, shown, done, problems).await;
    Ok(done)
}

/// Compares row by row. Returns how many there were, too.
async fn compare(shared: &Shared, held: &Held) -> Result<(CataloguePlan, usize), Fault> {
    let mut comparison = Comparison::new(held);
    shared.world.pos.each_product(&mut |product| comparison.take(&product)).await?;
    let shown = comparison.shown();
    Ok((comparison.finish(), shown))
}

async fn finish(shared: &Shared, rows: usize, done: u64, problems: Vec<ProductProblem>) {
    let now = shared.now();
    let news = shared.board.update(|seen| {
        let status = &mut seen.products_status;
        let news = status.problems.len() != problems.len();
        status.total = u64::try_from(rows).unwrap_or_default();
        if done > 0 || status.last_pass.is_none() {
            status.changed = done;
        }
        status.last_pass = Some(now);
        status.progress = None;
        status.sentence = None;
        status.problems.clone_from(&problems);
        seen.products.last_ok = Some(now);
        seen.products.failing_since = None;
        seen.products.sentence.clear();
        news
    });
    if done > 0 {
        let word = if done == 1 { "product" } else { "products" };
        shared.journal("products", "", format!("{done} {word} written into the billing app.")).await;
    }
    if news && !problems.is_empty() {
        for problem in problems.iter().take(20) {
            shared.journal("products", "", problem.sentence.clone()).await;
        }
    }
}

fn problem(write: &ProductWrite, fault: &Fault) -> Option<ProductProblem> {
    let fields = match write {
        ProductWrite::Create { fields, .. } | ProductWrite::Update { fields, .. } => fields,
        ProductWrite::Deactivate { .. } => return None,
    };
    Some(ProductProblem {
        pid: fields.pos_id.parse().unwrap_or_default(),
        code: fields.code.clone(),
        sentence: format!("The billing app did not take product {}: {}", fields.code, fault.sentence),
    })
}

/// Invoices that waited for a product are tried again now that products were pulled: those that failed once in any
/// case, those that are held where RainTek's products changed, since theirs may be among them.
async fn retry_unknown_items(shared: &Shared, changed: bool) {
    let now = shared.now();
    let open = match shared.world.state.open_items(500).await {
        Ok(open) => open,
        Err(fault) => return shared.log("products", &fault),
    };
    for item in open {
        let waits = (item.state == ItemState::Waiting || changed && item.state == ItemState::Held)
            && item.fault.as_ref().is_some_and(|fault| fault.action == Action::PullProducts)
            && item.next_try > now;
        if !waits {
            continue;
        }
        if let Err(fault) = shared.world.state.make_due(Some(&item.number), now).await {
            shared.log("products", &fault);
        }
    }
    shared.signals.push.notify_one();
}
