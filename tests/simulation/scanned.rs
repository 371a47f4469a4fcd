//! What the product's look at every invoice found, against both sides compared from the facts.

use shopsync::model::outbox::ItemState;
use shopsync::model::scan::FindingKind;
use shopsync::model::status::Snapshot;
use shopsync::ports::State as _;
use shopsync::store::Store;

use crate::compare::stands;
use crate::raintek::Bills;
use crate::sim::{Sim, lock};
use crate::store::at_once;

/// What it found that is not so, and what it did not find.
pub(crate) fn wrong(sim: &Sim, store: &Store, snapshot: &Snapshot) -> Vec<String> {
    let (db, app, truth) = (lock(&sim.db), lock(&sim.app), lock(&sim.truth));
    let bills = Bills::of(&db);
    let Some(answer) = &snapshot.scan.answer else { return vec!["nobody is answered".into()] };
    let mut all = Vec::new();
    for finding in &answer.findings {
        let number = &finding.number;
        let touched = truth.touched.contains_key(number);
        let of_number = || app.records.values().filter(|record| record.invoice.number == *number);
        let is_so = match finding.kind {
            FindingKind::Edited | FindingKind::Gone => {
                touched || !of_number().any(|record| record.is_due() && stands(&bills, record))
            }
            FindingKind::Lost => of_number().any(|record| record.deleted) && !db.of_number(number).is_empty(),
            FindingKind::Stray => touched || !of_number().any(|record| record.is_due()),
            FindingKind::Day => truth.clashed || !truth.touched.is_empty(),
            FindingKind::OtherDatabase => false,
        };
        if !is_so {
            all.push(format!("this is not so: {:?} {}", finding.kind, finding.sentence));
        }
    }
    for (id, record) in app.records.iter().filter(|(_, record)| record.is_due()) {
        let number = &record.invoice.number;
        let item = at_once(store.item(id)).unwrap_or_default();
        let done = item.is_some_and(|item| item.state == ItemState::Done);
        if done && !stands(&bills, record) && !answer.findings.iter().any(|finding| finding.number == *number)
        {
            all.push(format!("it was not found that RainTek does not hold {number} as the app has it"));
        }
    }
    all
}
