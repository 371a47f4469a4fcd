//! Phones: they make invoices, revise them, call them off, and do not care what else is going on.

use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;

use shopsync::model::customer::Customer;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{Invoice, InvoiceStatus, Line, Payment, PaymentKind, TaxMode, TaxType, Taxes};
use shopsync::model::product::ProductFields;
use shopsync::ports::BillingEvent;

use super::events::tell;
use super::{App, Product, Record, stamp};
use crate::goods::{code, customer, paise, payments, work_out};
use crate::sim::{Sim, ZONE, lock};
use crate::story::{Bill, Numbers, Pay, Way};

/// A phone in somebody's hand.
pub(crate) struct Phone(pub(crate) Arc<Sim>);

impl Phone {
    async fn after(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    fn told(&self, id: &RecordId, part: bool) {
        let event = if part { BillingEvent::Part(id.clone()) } else { BillingEvent::Invoice(id.clone()) };
        tell(&self.0, &event);
    }

    fn say(&self, what: impl FnOnce() -> String) {
        self.0.say("phone", what);
    }

    /// A new invoice; `number` is that of the one it takes the place of.
    pub(crate) async fn bill(
        &self,
        event: u32,
        bill: &Bill,
        way: Way,
        number: Option<String>,
    ) -> Option<RecordId> {
        let day = self.0.wall().with_timezone(&ZONE).date_naive();
        let number = match (number, way) {
            (Some(number), _) if lock(&self.0.app).is_refused(&number, None) => return None,
            (Some(number), _) => number,
            (None, Way::LongNumber) => format!("GST-{event:04}-a-number-that-is-much-too-long"),
            (None, _) => self.number(bill.gst).await?,
        };
        let (id, record) = {
            let mut app = lock(&self.0.app);
            let id = app.new_id("inv");
            let invoice = invoice(&mut app, &self.0, id.clone(), &number, day, bill, way);
            if invoice.lines.is_empty() {
                return None;
            }
            let later = matches!(way, Way::LinesLater(_) | Way::Short);
            let status =
                if matches!(way, Way::Draft(_)) { InvoiceStatus::Draft } else { InvoiceStatus::Completed };
            let now = stamp(self.0.wall());
            let record = Record {
                arrived: if later { 0 } else { invoice.lines.len() },
                invoice: Invoice { status, ..invoice },
                from_pos: false,
                sync_status: "pending".into(),
                sync_error: String::new(),
                created: now.clone(),
                updated: now,
                made: self.0.ms(),
                changed: self.0.ms(),
                deleted: false,
                former: Vec::new(),
            };
            app.records.insert(id.clone(), record.clone());
            app.of_event.insert(event, id.clone());
            app.touched(&id, self.0.wall(), self.0.ms());
            app.count(self.0.ms());
            (id, record)
        };
        self.say(|| format!("bills {number} as {id}, {}, {way:?}", record.invoice.grand_total));
        self.told(&id, false);
        match way {
            Way::LinesLater(gap) => self.lines(&id, gap, record.invoice.lines.len()).await,
            Way::Short => self.lines(&id, 20, record.invoice.lines.len() - 1).await,
            Way::Draft(gap) => {
                self.after(gap).await;
                if lock(&self.0.app).is_refused(&number, Some(&id)) {
                    return Some(id);
                }
                self.set(&id, "completes", |record| {
                    if record.invoice.status == InvoiceStatus::Draft {
                        record.invoice.status = InvoiceStatus::Completed;
                    }
                });
            }
            _ => (0..record.arrived).for_each(|_| self.told(&id, true)),
        }
        Some(id)
    }

    /// The app's hook gives the number; before it can, the phone is refused and its owner tries again.
    async fn number(&self, gst: bool) -> Option<String> {
        for _ in 0..30 {
            let day = self.0.wall().with_timezone(&ZONE).date_naive();
            if let Some(number) = lock(&self.0.app).next_number(gst, day) {
                return Some(number);
            }
            self.after(3_000).await;
        }
        None
    }

    async fn lines(&self, id: &RecordId, gap: u64, count: usize) {
        for _ in 0..count {
            self.after(gap).await;
            {
                let mut app = lock(&self.0.app);
                let Some(record) = app.records.get_mut(id) else { return };
                record.arrived = (record.arrived + 1).min(record.invoice.lines.len());
                // A line is a record of its own: that of the invoice is not written.
                let updated = record.updated.clone();
                app.touched(id, self.0.wall(), self.0.ms());
                if let Some(record) = app.records.get_mut(id) {
                    record.updated = updated;
                }
            }
            self.say(|| format!("a line of {id} arrives"));
            self.told(id, true);
        }
    }

    pub(crate) fn set(&self, id: &RecordId, what: &str, change: impl FnOnce(&mut Record)) {
        {
            let mut app = lock(&self.0.app);
            let Some(record) = app.records.get_mut(id).filter(|record| !record.deleted) else { return };
            change(record);
            app.touched(id, self.0.wall(), self.0.ms());
        }
        self.say(|| format!("{what} {id}"));
        self.told(id, false);
    }

    fn of(&self, event: u32) -> Option<RecordId> {
        lock(&self.0.app).of_event.get(&event).cloned()
    }

    fn status(&self, id: &RecordId) -> Option<(InvoiceStatus, String)> {
        let app = lock(&self.0.app);
        let record = app.records.get(id).filter(|record| !record.deleted)?;
        Some((record.invoice.status, record.invoice.number.clone()))
    }

    /// The old record is marked and a new one of the number made, in either order.
    pub(crate) async fn revise(&self, of: u32, bill: &Bill, newest_first: bool, gap: u64, way: Way) {
        let Some(old) = self.of(of) else { return };
        let Some((InvoiceStatus::Completed, number)) = self.status(&old) else { return };
        let mark = |phone: &Self| {
            phone.set(&old, "marks revised", |record| record.invoice.status = InvoiceStatus::Revised);
        };
        // The series is in the number.
        let gst =
            lock(&self.0.app).records.get(&old).is_none_or(|record| record.invoice.tax_type == TaxType::Gst);
        let bill = Bill { gst, ..*bill };
        // An app that takes no two completed invoices of one number leaves a phone no choice.
        if newest_first && lock(&self.0.app).numbers != Numbers::Ours {
            self.bill(of, &bill, way, Some(number)).await;
            self.after(gap).await;
            mark(self);
        } else {
            mark(self);
            self.after(gap).await;
            self.bill(of, &bill, way, Some(number)).await;
        }
    }

    /// In place: the invoice's own record first, then its lines.
    pub(crate) async fn change(&self, of: u32, bill: &Bill, gap: u64) {
        let Some(id) = self.of(of) else { return };
        let Some((InvoiceStatus::Completed, number)) = self.status(&id) else { return };
        let fresh = self.again(&id, bill, &number);
        let Some(fresh) = fresh else { return };
        let lines = fresh.lines.clone();
        self.set(&id, "changes the head of", |record| {
            // The new head with the old lines is no whole invoice, and nobody is to take it for one.
            let old = std::mem::take(&mut record.invoice.lines);
            record.invoice = Invoice { lines: old, ..fresh.clone() };
        });
        self.after(gap).await;
        self.set(&id, "changes the lines of", |record| {
            record.arrived = lines.len();
            record.invoice.lines = lines;
            record.invoice.item_count = fresh.item_count;
        });
        self.told(&id, true);
    }

    fn again(&self, id: &RecordId, bill: &Bill, number: &str) -> Option<Invoice> {
        let mut app = lock(&self.0.app);
        let old = app.records.get(id)?.invoice.clone();
        let bill = Bill { gst: old.tax_type == TaxType::Gst, ..*bill };
        let fresh = invoice(&mut app, &self.0, id.clone(), number, old.date, &bill, Way::Whole);
        let whole = !fresh.lines.is_empty();
        whole.then_some(Invoice { pos_id: old.pos_id, ..fresh })
    }

    pub(crate) fn cancel(&self, of: u32) {
        let Some(id) = self.of(of) else { return };
        if let Some((InvoiceStatus::Completed | InvoiceStatus::Draft, _)) = self.status(&id) {
            self.set(&id, "cancels", |record| record.invoice.status = InvoiceStatus::Cancelled);
        }
    }

    pub(crate) fn reopen(&self, of: u32) {
        let Some(id) = self.of(of) else { return };
        if let Some((InvoiceStatus::Cancelled, number)) = self.status(&id)
            && lock(&self.0.app).completed_of(&number).is_empty()
            && !lock(&self.0.app).is_refused(&number, Some(&id))
        {
            self.set(&id, "opens again", |record| record.invoice.status = InvoiceStatus::Completed);
        }
    }

    pub(crate) fn counts_again(&self, of: u32) {
        let number = self.of(of).and_then(|id| self.status(&id));
        let Some((_, number)) = number else { return };
        let is_older = |record: &Record| {
            record.invoice.number == number && record.invoice.status == InvoiceStatus::Revised
        };
        let older = {
            let app = lock(&self.0.app);
            app.records.iter().find(|(_, record)| is_older(record)).map(|(id, _)| id.clone())
        };
        if let Some(id) = older {
            self.set(&id, "counts again", |record| record.invoice.status = InvoiceStatus::Completed);
        }
    }

    pub(crate) fn delete(&self, of: u32) {
        let Some(id) = self.of(of) else { return };
        self.set(&id, "deletes", |record| record.deleted = true);
    }

    /// What was deleted is there again.
    pub(crate) fn finds(&self, of: u32) {
        let Some(id) = self.of(of) else { return };
        if let Some(record) = lock(&self.0.app).records.get_mut(&id) {
            record.deleted = false;
        }
        self.set(&id, "finds again", |_| {});
    }

    /// The app comes back without its last moments.
    pub(crate) fn forgets(&self, ms: u64) {
        let since = self.0.ms().saturating_sub(ms);
        let gone = lock(&self.0.app).forget(since);
        lock(&self.0.truth).app_forgot = self.0.ms();
        lock(&self.0.troubles).stream_down = self.0.ms() + 1_500;
        self.0.say("app", || format!("comes back without its last {ms} ms: {gone:?} are gone"));
    }

    pub(crate) async fn draft_again(&self, of: u32, bill: &Bill, gap: u64) {
        let Some(id) = self.of(of) else { return };
        let Some((InvoiceStatus::Completed, number)) = self.status(&id) else { return };
        self.set(&id, "makes a draft of", |record| record.invoice.status = InvoiceStatus::Draft);
        self.after(gap).await;
        let refused = lock(&self.0.app).is_refused(&number, Some(&id));
        if !refused && self.status(&id).is_some_and(|(status, _)| status == InvoiceStatus::Draft) {
            let Some(fresh) = self.again(&id, bill, &number) else { return };
            self.set(&id, "completes", |record| {
                record.arrived = fresh.lines.len();
                record.invoice = fresh;
            });
        }
    }

    pub(crate) fn meddle(&self, of: u32, inv_id: i32) {
        let Some(id) = self.of(of) else { return };
        self.set(&id, "writes into our fields of", |record| {
            record.sync_status = "synced".into();
            record.invoice.pos_id = Some(inv_id);
        });
        if let Some((_, number)) = self.status(&id) {
            lock(&self.0.truth).touched.insert(number, self.0.ms());
        }
    }

    /// A product that RainTek does not have yet.
    pub(crate) fn product(&self, n: u32) {
        let mut app = lock(&self.0.app);
        let id = app.new_id("pro");
        let fields = ProductFields {
            code: format!("PHONE-{n}"),
            pos_id: String::new(),
            name: format!("Added on a phone {n}"),
            retail_price: paise(1_000),
            mrp: paise(1_000),
            barcode: format!("890100000{:04}", 500 + n),
            current_stock: Decimal::ZERO,
            hsn_code: String::new(),
            gst_rate: Decimal::ZERO,
            unit: "PCS".into(),
            active: true,
        };
        let there = app.products.values().any(|product| product.fields.barcode == fields.barcode);
        if !there {
            app.products.insert(id, Product { fields, linked: false });
        }
    }
}

/// An invoice as a phone works it out, from the app's own prices where it has any.
fn invoice(
    app: &mut App,
    sim: &Sim,
    id: RecordId,
    number: &str,
    date: chrono::NaiveDate,
    bill: &Bill,
    way: Way,
) -> Invoice {
    let totals = work_out(bill, |n| {
        let product = app.products.values().find(|product| product.fields.code == code(n));
        let known = product.map(|product| (product.fields.retail_price, product.fields.gst_rate));
        // Before the first products came the phone's owner types what it costs.
        Some(known.unwrap_or((paise(2_500 + i64::from(n) * 1_337), Decimal::from(5))))
    });
    let barcode = |n: u32| format!("890100000{n:04}");
    let lines: Vec<Line> = totals
        .lines
        .iter()
        .map(|line| Line {
            id: app.new_id("lin"),
            product_code: if way == Way::UnknownItem { "NOT-THERE".into() } else { code(line.product) },
            product_name: format!("Article {}", line.product),
            hsn_code: "9608".into(),
            barcode: barcode(line.product),
            quantity: line.quantity,
            unit: "PCS".into(),
            rate: line.rate,
            mrp: line.rate,
            discount_percent: Decimal::ZERO,
            discount: Decimal::ZERO,
            tax_mode: TaxMode::Exclusive,
            gst_rate: line.gst,
            taxes: Taxes { cgst: line.half, sgst: line.half, ..Taxes::default() },
            taxable: line.taxable,
            total: line.total,
        })
        .collect();
    let wrong = if way == Way::Wrong { Decimal::from(50) } else { Decimal::ZERO };
    let total = totals.grand_total + wrong;
    let method = match bill.pay {
        Pay::Cash | Pay::PartCash => "cash",
        Pay::Upi => "upi",
        Pay::Card => "card",
        Pay::Credit => "credit",
        Pay::Split => "split",
    };
    let parts = payments(bill.pay, total);
    let paid = match bill.pay {
        Pay::Credit => Decimal::ZERO,
        Pay::PartCash => parts[0].1,
        _ => total,
    };
    let split = if bill.pay == Pay::Split {
        let modes = ["cash", "upi"];
        parts
            .iter()
            .zip(modes)
            .map(|((_, amount), mode)| Payment { mode: PaymentKind(mode.into()), amount: *amount })
            .collect()
    } else {
        Vec::new()
    };
    Invoice {
        id,
        number: number.to_owned(),
        date,
        status: InvoiceStatus::Completed,
        tax_type: if bill.gst { TaxType::Gst } else { TaxType::NonGst },
        customer: bill.customer.map(|n| person(app, n)),
        item_count: sim.setup.item_count.then(|| u32::try_from(lines.len()).unwrap_or(0)),
        taxable: totals.taxable,
        taxes: Taxes { cgst: totals.half, sgst: totals.half, ..Taxes::default() },
        freight: Decimal::ZERO,
        discount: Decimal::ZERO,
        round_off: totals.round_off,
        grand_total: total,
        amount_paid: paid,
        payment_method: PaymentKind(method.into()),
        notes: String::new(),
        pos_id: None,
        stamped: false,
        updated: String::new(),
        lines,
        payments: split,
    }
}

/// The n-th customer's record; the first invoice makes it.
fn person(app: &mut App, n: u32) -> Customer {
    let (name, phone) = customer(n);
    if let Some(there) = app.customers.values().find(|one| one.phone == phone) {
        return there.clone();
    }
    let id = app.new_id("cus");
    let one = Customer { id: Some(id.clone()), name, phone, ..Customer::default() };
    app.customers.insert(id, one.clone());
    one
}
