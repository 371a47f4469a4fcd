//! RainTek's own till: statement by statement, each on its own, highest number plus one and no lock.

use std::sync::Arc;
use std::time::Duration;

use chrono::{Datelike as _, NaiveDate};
use rust_decimal::Decimal;

use shopsync::model::bill::Row;
use shopsync::model::posting::Book;

use super::transaction::{add_posting, keyed};
use super::{Db, row};
use crate::goods::{Totals, is_credit, payments, work_out};
use crate::sim::{Sim, ZONE, lock};
use crate::story::Bill;

/// `2025/26` for a day from April 2025 to March 2026.
pub(crate) fn financial_year(day: NaiveDate) -> String {
    let start = if day.month() >= 4 { day.year() } else { day.year() - 1 };
    format!("{start}/{:02}", (start + 1).rem_euclid(100))
}

/// A till in the middle of something.
pub(crate) struct Till {
    sim: Arc<Sim>,
    gap: Duration,
}

impl Till {
    pub(crate) fn new(sim: &Arc<Sim>, gap: u64) -> Self {
        lock(&sim.db).under_way += 1;
        Self { sim: Arc::clone(sim), gap: Duration::from_millis(gap) }
    }

    /// One statement; it waits for rows that ShopSync has written and not committed, and with a new row also while
    /// ShopSync holds the end of the numbers.
    async fn statement<T>(&self, adds: bool, work: impl FnOnce(&mut Db) -> T) -> T {
        tokio::time::sleep(self.gap).await;
        loop {
            let changed = Arc::clone(&lock(&self.sim.db).changed);
            let changed = changed.notified();
            {
                let db = &mut *lock(&self.sim.db);
                if db.dirty == 0 && (!adds || db.open == 0) {
                    return work(db);
                }
            }
            changed.await;
        }
    }

    fn today(&self) -> NaiveDate {
        self.sim.wall().with_timezone(&ZONE).date_naive()
    }

    /// A new bill. Returns its Inv_ID and number.
    pub(crate) async fn bill(&self, bill: &Bill) -> Option<(i32, String)> {
        let day = self.today();
        for _ in 0..6 {
            let (totals, customer) = self.statement(false, |db| (totals(db, bill), customer(db, bill))).await;
            if totals.lines.is_empty() {
                return None;
            }
            let inv_id = 1 + self.statement(false, |db| db.max_inv()).await;
            let next = 1 + self
                .statement(false, |db| db.counter(bill.gst).last_key_value().map_or(0, |(id, _)| *id))
                .await;
            let code = if bill.gst { "GST" } else { "SINV" };
            let number = format!("{code}-{next:04}-{}", financial_year(day));
            let info = info(bill, &totals, customer, day, inv_id, &number);
            let added = self
                .statement(true, |db| match db.infos.entry(inv_id) {
                    std::collections::btree_map::Entry::Vacant(place) => {
                        place.insert(info);
                        true
                    }
                    std::collections::btree_map::Entry::Occupied(_) => false,
                })
                .await;
            if !added {
                // The screen says that the number is taken; the cashier saves once more.
                self.sim.say("till", || format!("{number} (Inv_ID {inv_id}) is taken; saves again"));
                continue;
            }
            self.sim.say("till", || format!("begins {number}, Inv_ID {inv_id}, {}", totals.grand_total));
            self.rest(bill, &totals, customer, inv_id, &number, day).await;
            let text = number.clone();
            self.statement(true, |db| {
                db.counter(bill.gst).entry(next).or_insert(text);
            })
            .await;
            self.ended(inv_id, &number);
            return Some((inv_id, number));
        }
        None
    }

    pub(crate) async fn edit(&self, inv_id: i32, bill: &Bill) {
        let standing = self.statement(false, |db| db.infos.get(&inv_id).cloned()).await;
        let Some(old) = standing else { return };
        let number = old.text("InvoiceNo").to_owned();
        // RainTek keeps the series, the day and the customer.
        let bill = Bill { gst: old.text("TaxType") != "NON GST", ..*bill };
        let (totals, customer, day) = self
            .statement(false, |db| {
                (totals(db, &bill), i32::try_from(old.int("Customer_ID")).unwrap_or(1), self.today())
            })
            .await;
        if totals.lines.is_empty() {
            return;
        }
        let day = match old.get("InvoiceDate") {
            Some(shopsync::model::bill::Value::Date(at)) => at.date(),
            _ => day,
        };
        self.sim.say("till", || format!("edits {number}, Inv_ID {inv_id}: {}", totals.grand_total));
        self.take_back(inv_id, &number).await;
        let mut info = info(&bill, &totals, customer, day, inv_id, &number);
        // Who sold it stays, or is who edits it.
        if inv_id % 2 == 0 {
            info.0.retain(|name, _| name != "TillID" && name != "Operator");
        }
        self.statement(false, |db| {
            if let Some(there) = db.infos.get_mut(&inv_id) {
                there.0.extend(info.0);
            }
        })
        .await;
        self.rest(&bill, &totals, customer, inv_id, &number, day).await;
        self.ended(inv_id, &number);
    }

    fn ended(&self, inv_id: i32, number: &str) {
        self.sim.say("till", || format!("is done with {number}"));
        let now = self.sim.ms();
        let mut db = lock(&self.sim.db);
        db.till_at.insert(inv_id, now);
        let clash = db.of_number(number).len() > 1;
        drop(db);
        lock(&self.sim.truth).clashed |= clash;
    }

    pub(crate) async fn delete(&self, inv_id: i32) {
        let standing = self.statement(false, |db| db.infos.get(&inv_id).cloned()).await;
        let Some(old) = standing else { return };
        let number = old.text("InvoiceNo").to_owned();
        self.sim.say("till", || format!("deletes {number}, Inv_ID {inv_id}"));
        self.take_back(inv_id, &number).await;
        self.statement(false, |db| {
            db.gst.retain(|_, text| *text != number);
            db.no_tax.retain(|_, text| *text != number);
        })
        .await;
        self.statement(false, |db| {
            // Its parts refer to it: whatever came meanwhile goes with it.
            db.lines.retain(|_, row| row.int("InvoiceID") != i64::from(inv_id));
            db.payments.retain(|_, row| row.int("InvoiceID") != i64::from(inv_id));
            db.infos.remove(&inv_id);
            db.ours.remove(&inv_id);
        })
        .await;
        self.ended(inv_id, &number);
    }

    async fn take_back(&self, inv_id: i32, number: &str) {
        let posted = move |db: &Db| {
            db.books
                .get(&Book::StockMovement)
                .is_some_and(|rows| rows.values().any(|row| row.text("TransID") == number))
        };
        // RainTek brings back what it sold; what was never taken from the stock is no matter of its own till.
        self.statement(false, |db| {
            let lines: Vec<Row> =
                db.lines.values().filter(|row| row.int("InvoiceID") == i64::from(inv_id)).cloned().collect();
            if posted(db) {
                for line in lines {
                    move_stock(db, &line, line.decimal("Qty"));
                }
            }
        })
        .await;
        self.statement(false, |db| db.lines.retain(|_, row| row.int("InvoiceID") != i64::from(inv_id))).await;
        self.statement(false, |db| db.payments.retain(|_, row| row.int("InvoiceID") != i64::from(inv_id)))
            .await;
        self.statement(false, |db| {
            for (book, rows) in &mut db.books {
                rows.retain(|_, row| row.text(book.number_column()) != number);
            }
        })
        .await;
    }

    async fn rest(
        &self,
        bill: &Bill,
        totals: &Totals,
        customer: i32,
        inv_id: i32,
        number: &str,
        day: NaiveDate,
    ) {
        for line in &totals.lines {
            self.statement(false, |db| {
                let key = db.next_identity();
                let row = line_row(db, line, inv_id);
                db.lines.insert(key, keyed(&row, "IPo_ID", key));
            })
            .await;
        }
        for (mode, amount) in payments(bill.pay, totals.grand_total) {
            self.statement(false, |db| {
                let key = db.next_identity();
                let row = row([
                    ("InvoiceID", inv_id.into()),
                    ("PaymentDate", day.into()),
                    ("TotalPaid", amount.into()),
                    ("PaymentMode", mode.into()),
                    ("BankAc", "".into()),
                ]);
                db.payments.insert(key, keyed(&row, "IP_ID", key));
            })
            .await;
        }
        self.statement(false, |db| post(db, bill, totals, customer, number)).await;
        self.statement(false, |db| {
            let lines: Vec<Row> =
                db.lines.values().filter(|row| row.int("InvoiceID") == i64::from(inv_id)).cloned().collect();
            for line in lines {
                move_stock(db, &line, -line.decimal("Qty"));
                let moved = row([
                    ("ProductID", i32::try_from(line.int("ProductID")).unwrap_or(0).into()),
                    ("StockOut", line.decimal("Qty").into()),
                    ("Date", day.into()),
                    ("TransID", number.into()),
                ]);
                add_posting(db, Book::StockMovement, &moved);
            }
        })
        .await;
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        lock(&self.sim.db).under_way -= 1;
    }
}

fn totals(db: &Db, bill: &Bill) -> Totals {
    work_out(bill, |n| {
        let product = db.products.get(&(11 + i32::try_from(n).unwrap_or(0)))?;
        Some((product.price, product.gst))
    })
}

fn customer(db: &Db, bill: &Bill) -> i32 {
    // RainTek's cashier picks somebody RainTek has.
    if bill.customer == Some(0) && db.customers.contains_key(&2) { 2 } else { 1 }
}

fn move_stock(db: &mut Db, line: &Row, by: Decimal) {
    let key = (i32::try_from(line.int("ProductID")).unwrap_or(0), line.text("Barcode").to_owned());
    if let Some(there) = db.stock.get_mut(&key) {
        *there += by;
    }
}

fn info(bill: &Bill, totals: &Totals, customer: i32, day: NaiveDate, inv_id: i32, number: &str) -> Row {
    let paid: Decimal = payments(bill.pay, totals.grand_total)
        .iter()
        .filter(|(mode, _)| !is_credit(mode))
        .map(|(_, a)| *a)
        .sum();
    row([
        ("Inv_ID", inv_id.into()),
        ("InvoiceNo", number.into()),
        ("InvoiceDate", day.into()),
        ("TaxType", if bill.gst { "GST" } else { "NON GST" }.into()),
        ("Customer_ID", customer.into()),
        ("SubTotal", totals.sub_total.into()),
        ("CGST", totals.half.into()),
        ("SGST", totals.half.into()),
        ("IGST", Decimal::ZERO.into()),
        ("CESS", Decimal::ZERO.into()),
        ("FreightCharges", Decimal::ZERO.into()),
        ("OtherCharges", Decimal::ZERO.into()),
        ("BillDiscount", Decimal::ZERO.into()),
        ("Total", totals.sub_total.into()),
        ("RoundOff", totals.round_off.into()),
        ("GrandTotal", totals.grand_total.into()),
        ("TotalPaid", paid.into()),
        ("Balance", (totals.grand_total - paid).into()),
        ("TaxableAmt", totals.taxable.into()),
        ("Remarks", "".into()),
        ("TillID", "TILL-1".into()),
        ("Operator", "admin".into()),
    ])
}

fn line_row(db: &Db, line: &crate::goods::Worked, inv_id: i32) -> Row {
    let pid = 11 + i32::try_from(line.product).unwrap_or(0);
    let barcode = db.products.get(&pid).map(|product| product.barcode.clone()).unwrap_or_default();
    let half_percent = line.gst / Decimal::TWO;
    row([
        ("InvoiceID", inv_id.into()),
        ("ProductID", pid.into()),
        ("Barcode", barcode.as_str().into()),
        ("SalesRate", line.rate.into()),
        ("Qty", line.quantity.into()),
        ("DiscountPer", Decimal::ZERO.into()),
        ("Discount", Decimal::ZERO.into()),
        ("CGSTPer", half_percent.into()),
        ("CGSTAmt", line.half.into()),
        ("SGSTPer", half_percent.into()),
        ("SGSTAmt", line.half.into()),
        ("IGSTPer", Decimal::ZERO.into()),
        ("IGSTAmt", Decimal::ZERO.into()),
        ("CESSAmt", Decimal::ZERO.into()),
        ("TotalAmount", line.total.into()),
        ("Descr", "".into()),
        ("MRP", line.rate.into()),
        ("TaxableAmt", line.taxable.into()),
        ("STaxType", "Exclusive".into()),
        ("MainUnit", "PCS".into()),
    ])
}

/// Ledger rows as RainTek writes them.
fn post(db: &mut Db, bill: &Bill, totals: &Totals, customer: i32, number: &str) {
    let party = db.customers.get(&customer).map(|row| row.text("CustomerID").to_owned()).unwrap_or_default();
    let entry = |label: &str, debit: Decimal, credit: Decimal| {
        row([
            ("LedgerNo", number.into()),
            ("Label", label.into()),
            ("Debit", debit.into()),
            ("Credit", credit.into()),
            ("PartyID", party.as_str().into()),
        ])
    };
    let mut entries = vec![entry("Sales", totals.grand_total, Decimal::ZERO)];
    for (mode, amount) in payments(bill.pay, totals.grand_total) {
        if is_credit(mode) {
            continue;
        }
        entries.push(entry("Receipt", Decimal::ZERO, amount));
        if mode != "By Cash" {
            add_posting(db, Book::BankAccountLedger, &entry(&format!("Sale-{mode}"), Decimal::ZERO, amount));
        }
    }
    for entry in entries {
        add_posting(db, Book::LedgerBook, &entry);
        add_posting(db, Book::CustomerLedgerBook, &entry);
    }
}
