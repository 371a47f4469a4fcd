//! When everything is well again and time has passed: both sides are the same, or what is not is said, truly.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use shopsync::model::awareness::{BillState, KnownBill};
use shopsync::model::fault::Action;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::InvoiceStatus;
use shopsync::model::outbox::{Item, ItemState};
use shopsync::model::posting::Book;
use shopsync::ports::State as _;
use shopsync::store::Store;

use crate::app::{App, Record};
use crate::compare::{bill_differs, not_shown, product_differs, stands};
use crate::goods::is_credit;
use crate::raintek::{Bills, Db, OPENING};
use crate::sim::{Sim, Truth, lock};
use crate::store::at_once;
use crate::story::Numbers;

/// Everything that is not as it should be.
pub(crate) fn differences(sim: &Sim, store: &Store) -> Vec<String> {
    let mut all = Vec::new();
    let (db, app, truth) = (lock(&sim.db), lock(&sim.app), lock(&sim.truth));
    let bills = Bills::of(&db);
    let known = at_once(store.known_bills(chrono::NaiveDate::MIN)).unwrap_or_default();
    for (id, record) in app.records.iter().filter(|(_, record)| !record.from_pos) {
        let item = at_once(store.item(id)).unwrap_or_default();
        let look = Look { bills: &bills, db: &db, app: &app, truth: &truth, known: &known };
        all.extend(look.invoice(id, record, item.as_ref()));
    }
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    for (id, info) in &db.infos {
        let number = info.text("InvoiceNo").to_owned();
        if db.is_ours(*id) {
            let count = numbers.entry(number.clone()).or_default();
            *count += 1;
            if *count > 1 {
                all.push(format!("{number} stands in RainTek {count} times"));
            }
            if !app.records.values().any(|record| record.invoice.number == number) {
                all.push(format!("{number} is ours, and no invoice of the app"));
            }
        } else if let Some(why) = not_shown(&bills, &app, *id) {
            all.push(format!("RainTek's own {number} (Inv_ID {id}) in the app: {why}"));
        }
    }
    for record in app.records.values().filter(|record| record.from_pos && !record.deleted) {
        let id = record.invoice.pos_id.unwrap_or_default();
        let there = db.of_number(&record.invoice.number).contains(&id);
        if !there && record.invoice.status == InvoiceStatus::Completed {
            all.push(format!("the app shows {}, which RainTek does not have", record.invoice.number));
        }
    }
    all.extend(db.products.values().filter_map(|product| product_differs(&app, product)));
    if sim.setup.numbers == Numbers::Ours {
        let highest = [&db.gst, &db.no_tax].map(|one| one.last_key_value().map_or(0, |(id, _)| *id));
        if app.counters[0] < highest[0] || app.counters[1] < highest[1] {
            all.push(format!("the app's counters are {:?} and RainTek's {highest:?}", app.counters));
        }
    }
    all.extend(postings(sim, &db, &truth));
    all
}

struct Look<'a> {
    bills: &'a Bills<'a>,
    db: &'a Db,
    app: &'a App,
    truth: &'a Truth,
    known: &'a [KnownBill],
}

impl Look<'_> {
    fn invoice(&self, id: &RecordId, record: &Record, item: Option<&Item>) -> Option<String> {
        let number = &record.invoice.number;
        let wrong = |what: String| Some(format!("{number} ({id}): {what}"));
        let ours: Vec<i32> =
            self.db.of_number(number).into_iter().filter(|one| self.db.is_ours(*one)).collect();
        if !record.is_due() {
            let gone = record.deleted || record.invoice.status == InvoiceStatus::Cancelled;
            let others = self.app.records.values().any(|other| {
                other.invoice.number == *number && other.invoice.id != record.invoice.id && !other.deleted
            });
            let waits = item.is_some_and(|item| item.action() == Action::RemoveOrLeave);
            if gone && !ours.is_empty() && !others && !waits && !self.is_left(number) {
                return wrong("was taken back, stands in RainTek, and nobody is asked".into());
            }
            return match item {
                Some(item) if !item.state.is_settled() && !waits => {
                    wrong(format!("is not due, and its item is {}", item.state.name()))
                }
                _ => None,
            };
        }
        let Some(item) = item else { return wrong("was never taken up".into()) };
        if stands(self.bills, record) {
            let stamped = record.sync_status == "synced" && record.invoice.pos_id == item.inv_id;
            return match item.state {
                ItemState::Done if stamped => None,
                ItemState::Done => wrong(format!("is in RainTek and shown as {}", record.sync_status)),
                _ if self.reason(id, record, item).is_ok() => None,
                state => wrong(format!("is in RainTek, and its item is {}: {:?}", state.name(), item.fault)),
            };
        }
        let mismatch = self
            .known
            .iter()
            .any(|bill| bill.number == *number && matches!(bill.state, BillState::Edited | BillState::Gone));
        if item.state == ItemState::Done && mismatch && self.truth.touched.contains_key(number) {
            return None;
        }
        match item.state {
            ItemState::Held | ItemState::Incomplete => match self.reason(id, record, item) {
                Ok(()) => None,
                Err(why) => wrong(why),
            },
            state => {
                let why = ours.first().and_then(|one| self.db.bill(*one));
                let why = why.and_then(|bill| bill_differs(self.db, &record.invoice, &bill));
                wrong(format!(
                    "is not in RainTek, and its item is {}: {why:?} {:?}",
                    state.name(),
                    item.fault
                ))
            }
        }
    }

    /// A person left the bill of this number in RainTek.
    fn is_left(&self, number: &str) -> bool {
        let mut left = self.truth.left.iter().filter_map(|id| self.app.records.get(id));
        left.any(|record| record.invoice.number == number)
    }

    /// Whether an item is held for a reason that is so.
    fn reason(&self, id: &RecordId, record: &Record, item: &Item) -> Result<(), String> {
        let fault = item.fault.as_ref().ok_or("is held without a reason")?;
        let said = fault.sentence.as_str();
        let number = &record.invoice.number;
        let bills = self.db.of_number(number);
        let lines: Decimal = record.invoice.lines.iter().take(record.arrived).map(|line| line.total).sum();
        let missing = record.arrived < record.invoice.lines.len();
        let is_true = if said.starts_with("Waiting for its") {
            missing || lines + record.invoice.round_off < record.invoice.grand_total
        } else if said.starts_with("The lines come to") {
            lines + record.invoice.round_off != record.invoice.grand_total
        } else if said.starts_with("Taxable amount, taxes") {
            let sum = record.invoice.taxable + record.invoice.taxes.sum() + record.invoice.round_off;
            sum != record.invoice.grand_total
        } else if said.contains("characters long; RainTek takes at most") {
            number.chars().count() > 30
        } else if said.ends_with("is not in RainTek.") {
            let codes: Vec<&String> = self.db.products.values().map(|product| &product.code).collect();
            record.invoice.lines.iter().any(|line| !codes.contains(&&line.product_code))
        } else if said.starts_with("RainTek used the number") {
            // An edit in RainTek takes our mark off: before it was proven nobody can tell it from RainTek's own.
            bills.iter().any(|one| !self.db.is_ours(*one)) || self.truth.touched.contains_key(number)
        } else if said.starts_with("RainTek has ") || said.starts_with("RainTek made a bill of the number") {
            bills.len() > 1 || self.truth.touched.contains_key(number)
        } else if said.starts_with("Another completed invoice") {
            self.app.completed_of(number).iter().any(|other| other != id)
        } else if said.starts_with("The number ") && said.contains("that the app lost") {
            let lost = |one: &Record| one.deleted && one.invoice.number == *number;
            bills.iter().any(|one| self.db.is_ours(*one)) && self.app.records.values().any(lost)
        } else if said.starts_with("RainTek has entries of the number") {
            self.db
                .books
                .iter()
                .any(|(book, rows)| rows.values().any(|row| row.text(book.number_column()) == number))
                && bills.is_empty()
        } else if said.starts_with("RainTek holds ") {
            self.truth.touched.contains_key(number)
        } else {
            false
        };
        if is_true { Ok(()) } else { Err(format!("is held, and this is not so: {said}")) }
    }
}

/// With postings on, every bill has its ledger rows once, and the stock is what was not sold.
fn postings(sim: &Sim, db: &Db, truth: &Truth) -> Vec<String> {
    let mut all = Vec::new();
    // Where the till and ShopSync wrote under one number nobody can tell whose rows are whose.
    if truth.clashed || !truth.touched.is_empty() {
        return all;
    }
    let mut stock: BTreeMap<(i32, String), Decimal> =
        db.stock.keys().map(|key| (key.clone(), OPENING)).collect();
    let rows = |book: Book, number: &str| -> Vec<&shopsync::model::bill::Row> {
        let of_number = |row: &&shopsync::model::bill::Row| row.text(book.number_column()) == number;
        db.books.get(&book).map(|rows| rows.values().filter(of_number).collect()).unwrap_or_default()
    };
    let mut numbers = Vec::new();
    for id in db.infos.keys() {
        let Some(bill) = db.bill(*id) else { continue };
        let number = bill.info.text("InvoiceNo");
        numbers.push(number.to_owned());
        let ours = db.is_ours(*id);
        let posted = !ours || sim.setup.posting;
        let paid: Vec<Decimal> = bill
            .payments
            .iter()
            .filter(|row| !is_credit(row.text("PaymentMode")))
            .map(|row| row.decimal("TotalPaid"))
            .collect();
        let ledger = rows(Book::LedgerBook, number);
        let debit: Decimal = ledger.iter().map(|row| row.decimal("Debit")).sum();
        let credit: Decimal = ledger.iter().map(|row| row.decimal("Credit")).sum();
        let wanted = if posted {
            (1 + paid.len(), bill.info.decimal("GrandTotal"), paid.iter().sum())
        } else {
            (0, Decimal::ZERO, Decimal::ZERO)
        };
        if (ledger.len(), debit, credit) != wanted {
            all.push(format!(
                "{number}: the ledger has {} rows, {debit} and {credit}; {wanted:?} were booked",
                ledger.len()
            ));
        }
        // Where RainTek has no table for them, ours move no stock.
        let moves = posted && !(ours && sim.setup.stage.no_stock);
        let moved = rows(Book::StockMovement, number);
        if moved.len() != if moves { bill.lines.len() } else { 0 } {
            all.push(format!("{number}: {} stock movements of {} lines", moved.len(), bill.lines.len()));
        }
        if moves {
            for line in &bill.lines {
                let key =
                    (i32::try_from(line.int("ProductID")).unwrap_or(0), line.text("Barcode").to_owned());
                if let Some(there) = stock.get_mut(&key) {
                    *there -= line.decimal("Qty");
                }
            }
        }
    }
    for (book, rows) in &db.books {
        if let Some(row) =
            rows.values().find(|row| !numbers.iter().any(|one| one == row.text(book.number_column())))
        {
            all.push(format!("{} has a row of no bill: {}", book.table(), row.text(book.number_column())));
        }
    }
    for (key, wanted) in &stock {
        let there = db.stock.get(key).copied().unwrap_or_default();
        if there != *wanted {
            all.push(format!("the stock of {key:?} is {there} and not {wanted}"));
        }
    }
    all
}
