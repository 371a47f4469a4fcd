//! `Billing` over the records in memory.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use shopsync::model::awareness::{BillWrite, CustomerLink};
use shopsync::model::bill::NumberSeries;
use shopsync::model::customer::Customer;
use shopsync::model::fault::Fault;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{InvoiceHead, InvoiceRead, InvoiceStatus, Stamp};
use shopsync::model::product::{AppProduct, ProductWrite};
use shopsync::model::renumber::{Renumber, Renumbered};
use shopsync::ports::{Billing, BillingEvent, InvoiceScan};

use super::events::{OnTheWay, tell};
use super::{App as Records, stamp};
use crate::checks;
use crate::gate;
use crate::planted::Planted;
use crate::sim::lock;
use crate::story::{Call, Numbers};
use crate::wire::Wire;

/// The adapter of one run of the engine.
pub(crate) struct App {
    pub(crate) wire: Wire,
    /// Whether it is signed in.
    ready: tokio::sync::Mutex<bool>,
}

/// How long signing in takes.
const SIGN_IN: Duration = Duration::from_millis(20);

impl App {
    pub(crate) fn new(wire: Wire) -> Self {
        Self { wire, ready: tokio::sync::Mutex::default() }
    }

    /// As the real adapter: whoever comes first after an outage looks at the app and signs in, and every other call
    /// waits for that one.
    async fn ready(&self) {
        let mut ready = self.ready.lock().await;
        if !*ready {
            tokio::time::sleep(SIGN_IN).await;
            self.wire.pass().await;
            *ready = true;
        }
    }

    async fn at(&self, call: Call, after: bool) -> Result<(), Fault> {
        let outcome = self.wire.at(call, after).await;
        if outcome.is_err() {
            // It looks at once what is wrong, and at nothing else meanwhile.
            *self.ready.lock().await = false;
            self.ready().await;
        }
        outcome
    }

    pub(super) async fn call<T>(
        &self,
        call: Call,
        work: impl FnOnce(&mut Records) -> T + Send,
    ) -> Result<T, Fault> {
        self.ready().await;
        self.at(call, false).await?;
        let done = work(&mut lock(&self.wire.sim.app));
        self.at(call, true).await?;
        Ok(done)
    }

    /// Writes, and says so before the answer goes out.
    pub(super) async fn write<T>(
        &self,
        call: Call,
        events: &[BillingEvent],
        work: impl FnOnce(&mut Records) -> T + Send,
    ) -> Result<T, Fault> {
        self.ready().await;
        self.at(call, false).await?;
        let done = work(&mut lock(&self.wire.sim.app));
        for event in events {
            tell(&self.wire.sim, event);
        }
        self.at(call, true).await?;
        Ok(done)
    }

    fn seen(&self, leg: usize) {
        let now = self.wire.sim.ms();
        lock(&self.wire.sim.truth).looked[leg] = Some(now);
    }

    fn answers_unseen(&self) -> bool {
        self.wire.sim.is(Planted::GreenBeforeLook)
            && lock(&self.wire.sim.truth).looked.iter().any(Option::is_none)
    }

    /// A planted fault: a guest sees nothing, and what is not seen is switched off.
    fn as_guest(&self) -> bool {
        let expired = lock(&self.wire.sim.troubles).token > 0;
        if !(expired && self.wire.sim.is(Planted::EmptyReadSwitchesOff)) {
            return false;
        }
        lock(&self.wire.sim.troubles).token = 0;
        for product in lock(&self.wire.sim.app).products.values_mut() {
            product.fields.active = false;
        }
        checks::products(&self.wire.sim);
        true
    }
}

#[async_trait]
impl Billing for App {
    async fn probe(&self) -> Result<(), Fault> {
        if self.answers_unseen() {
            return Ok(());
        }
        self.as_guest();
        self.call(Call::AppProbe, |_| ()).await?;
        self.seen(1);
        Ok(())
    }

    async fn list(&self, scan: &InvoiceScan) -> Result<Vec<InvoiceHead>, Fault> {
        if self.answers_unseen() {
            return Ok(Vec::new());
        }
        let served = self.wire.sim.ms();
        let heads: Vec<InvoiceHead> = self
            .call(Call::List, |app| {
                let wanted = |record: &super::Record| match scan {
                    InvoiceScan::All => true,
                    InvoiceScan::Unproven { since } => {
                        record.sync_status != "synced"
                            || record.invoice.pos_id.is_none_or(|id| id <= 0)
                            || since.as_ref().is_some_and(|since| record.updated >= *since)
                    }
                };
                let due = app.records.iter().filter(|(_, record)| record.is_due() && wanted(record));
                let more = app.list_says;
                due.map(|(id, record)| Records::head(id, record))
                    .map(|head| InvoiceHead { grand_total: head.grand_total.map(|it| it + more), ..head })
                    .collect()
            })
            .await?;
        self.seen(2);
        lock(&self.wire.sim.truth).list_served = Some(served);
        if self.wire.sim.is(Planted::CursorFirst)
            && let Some(newest) = heads.iter().map(|head| head.updated.as_str()).max()
        {
            checks::cursor_saved(&self.wire.sim, newest);
        }
        Ok(heads)
    }

    async fn taken_back(&self, since: Option<&str>) -> Result<Vec<InvoiceHead>, Fault> {
        self.call(Call::List, |app| {
            let gone = app.records.iter().filter(|(_, record)| {
                !record.is_due()
                    && !record.deleted
                    && !record.from_pos
                    && since.is_none_or(|since| record.updated.as_str() >= since)
            });
            gone.map(|(id, record)| Records::head(id, record)).collect()
        })
        .await
    }

    async fn invoice(&self, id: &RecordId) -> Result<InvoiceRead, Fault> {
        let half = self.wire.sim.is(Planted::HalfAsWhole);
        self.call(Call::Invoice, |app| match app.read(id) {
            InvoiceRead::Found(mut invoice) if half && !invoice.lines.is_empty() => {
                // What is there is taken for all there is.
                invoice.item_count = None;
                invoice.taxable = invoice.lines.iter().map(|line| line.taxable).sum();
                invoice.taxes.cgst = invoice.lines.iter().map(|line| line.taxes.cgst).sum();
                invoice.taxes.sgst = invoice.taxes.cgst;
                invoice.round_off = super::zero();
                invoice.grand_total = invoice.lines.iter().map(|line| line.total).sum();
                invoice.amount_paid = invoice.grand_total;
                InvoiceRead::Found(invoice)
            }
            read => read,
        })
        .await
    }

    async fn of_number(&self, number: &str) -> Result<Vec<InvoiceHead>, Fault> {
        self.call(Call::OfNumber, |app| {
            let ids = app.completed_of(number);
            ids.iter().filter_map(|id| app.records.get(id).map(|record| Records::head(id, record))).collect()
        })
        .await
    }

    async fn missing(&self, ids: &[RecordId]) -> Result<Vec<RecordId>, Fault> {
        if self.wire.sim.is(Planted::LostUnseen) {
            return Ok(Vec::new());
        }
        self.call(Call::List, |app| {
            let there = |id: &RecordId| app.records.get(id).is_some_and(|record| !record.deleted);
            ids.iter().filter(|id| !there(id)).cloned().collect()
        })
        .await
    }

    async fn stamp(&self, id: &RecordId, mark: &Stamp) -> Result<(), Fault> {
        let wall = self.wire.sim.wall();
        let events = [BillingEvent::Invoice(id.clone())];
        let done = self
            .write(Call::Stamp, &events, |app| {
                if let Stamp::Synced { customer: Some((customer, pos_id)), .. } = mark
                    && let Some(customer) = app.customers.get_mut(customer)
                {
                    customer.pos_id = Some(*pos_id);
                }
                let record = app.records.get_mut(id).filter(|record| !record.deleted)?;
                record.updated = stamp(wall);
                record.sync_error.clear();
                match mark {
                    Stamp::Synced { inv_id, .. } => {
                        record.sync_status = "synced".into();
                        record.invoice.pos_id = Some(*inv_id);
                    }
                    Stamp::Failed(sentence) => {
                        record.sync_status = "failed".into();
                        record.sync_error.clone_from(sentence);
                    }
                    Stamp::Pending => record.sync_status = "pending".into(),
                    Stamp::Removed => {
                        record.sync_status = "na".into();
                        record.invoice.pos_id = None;
                    }
                }
                Some(())
            })
            .await?;
        self.wire.sim.say("app", || format!("{id} is stamped {mark:?}"));
        checks::stamped(&self.wire.sim);
        done.ok_or_else(|| Fault::data("The billing app no longer has the invoice.").code(404))
    }

    async fn products(&self) -> Result<Vec<AppProduct>, Fault> {
        if self.answers_unseen() || self.as_guest() {
            return Ok(Vec::new());
        }
        self.call(Call::AppProducts, |app| {
            app.products.iter().map(|(id, p)| Records::product(id, p)).collect()
        })
        .await
    }

    async fn write_products(&self, writes: &[ProductWrite]) -> Result<Vec<Result<(), Fault>>, Fault> {
        gate::app_write(&self.wire.sim, "products are written into the app");
        let outcomes = self
            .call(Call::WriteProducts, |app| {
                let done = writes.iter().map(|write| app.write_product(write));
                done.map(|outcome| outcome.map_err(Fault::data)).collect()
            })
            .await;
        self.wire.sim.say("app", || format!("{} product(s) written", writes.len()));
        checks::products(&self.wire.sim);
        outcomes
    }

    async fn customers(&self) -> Result<Vec<Customer>, Fault> {
        self.call(Call::AppProducts, |app| app.customers.values().cloned().collect()).await
    }

    async fn follow_numbers(&self, series: &[NumberSeries]) -> Result<bool, Fault> {
        if self.wire.sim.is(Planted::CounterNotFollowed) && lock(&self.wire.sim.app).forms[0].is_some() {
            return Ok(true);
        }
        let ours = self.wire.sim.setup.numbers == Numbers::Ours;
        self.call(Call::Numbers, |app| {
            for one in series.iter().filter(|_| ours) {
                let at = usize::from(one.name == "invoice_non_gst");
                app.counters[at] = app.counters[at].max(one.value);
                app.forms[at] = Some((one.prefix.clone(), one.suffix.clone()));
            }
            ours
        })
        .await
    }

    async fn renumber(&self, wanted: &Renumber) -> Result<Renumbered, Fault> {
        let (wall, ms) = (self.wire.sim.wall(), self.wire.sim.ms());
        let events = [BillingEvent::Invoice(wanted.id.clone())];
        self.write(Call::Numbers, &events, |app| {
            let ours = app.numbers == Numbers::Ours;
            let at = usize::from(wanted.series.name == "invoice_non_gst");
            let used: Vec<String> =
                app.records.values().map(|record| record.invoice.number.clone()).collect();
            let above = if ours { app.counters[at] } else { 0 };
            let Some(record) = app.records.get_mut(&wanted.id).filter(|record| record.is_due()) else {
                return Renumbered::NotDue;
            };
            if record.invoice.number != wanted.from {
                return Renumbered::Carries(record.invoice.number.clone());
            }
            let mut n = wanted.series.value.max(above) + 1;
            while used.contains(&wanted.series.text(n)) {
                n += 1;
            }
            let number = wanted.series.text(n);
            let former = std::mem::replace(&mut record.invoice.number, number.clone());
            record.former.push(former);
            // The app's own hook: it is another invoice to RainTek.
            record.sync_status = "pending".into();
            record.sync_error.clear();
            if ours {
                app.counters[at] = n;
            }
            app.touched(&wanted.id, wall, ms);
            Renumbered::Carries(number)
        })
        .await
    }

    async fn write_bill(&self, write: &BillWrite) -> Result<(), Fault> {
        gate::app_write(&self.wire.sim, "a bill of RainTek's is written into the app");
        let (wall, ms) = (self.wire.sim.wall(), self.wire.sim.ms());
        let id = match write {
            BillWrite::Put { bill, .. } => bill.invoice.id.clone(),
            BillWrite::Cancel { id } => id.clone(),
        };
        let events = [BillingEvent::Invoice(id.clone())];
        let outcome = self
            .write(Call::WriteBill, &events, |app| match write {
                BillWrite::Put { bill, customer, .. } => {
                    app.put_bill(bill, wall, ms)?;
                    match customer {
                        CustomerLink::None | CustomerLink::Existing { stamp: None, .. } => {}
                        CustomerLink::Existing { id, stamp } => {
                            if let Some(customer) = app.customers.get_mut(id) {
                                customer.pos_id = *stamp;
                            }
                        }
                        CustomerLink::New { id, customer } => {
                            let customer = Customer { id: Some(id.clone()), ..(**customer).clone() };
                            app.customers.insert(id.clone(), customer);
                        }
                    }
                    Ok(())
                }
                BillWrite::Cancel { id } => {
                    if let Some(record) = app.records.get_mut(id) {
                        record.invoice.status = InvoiceStatus::Cancelled;
                        record.updated = stamp(wall);
                    }
                    Ok(())
                }
            })
            .await?;
        self.wire.sim.say("app", || match write {
            BillWrite::Put { bill, .. } => format!("RainTek's {} is shown: {outcome:?}", bill.invoice.number),
            BillWrite::Cancel { id } => format!("RainTek's bill {id} is cancelled"),
        });
        checks::shown(&self.wire.sim, write);
        outcome.map_err(|reason: String| {
            Fault::data(format!("The billing app refuses RainTek's bill: {reason}"))
        })
    }

    async fn follow(&self, events: mpsc::Sender<BillingEvent>) {
        let sim = &self.wire.sim;
        let step = Duration::from_millis(250);
        loop {
            let mut stream = lock(&sim.app).hub.follow();
            let mut on_the_way = OnTheWay::default();
            if events.send(BillingEvent::Connected).await.is_err() {
                return;
            }
            loop {
                self.wire.pass().await;
                let now = sim.ms();
                if lock(&sim.troubles).stream_down > now || lock(&sim.troubles).app_down > now {
                    break;
                }
                while let Some(event) = on_the_way.take(now) {
                    if events.send(event).await.is_err() {
                        return;
                    }
                }
                // While nothing comes a broken stream is noticed only now and then.
                let wait = on_the_way.next_at().map_or(step * 8, |at| Duration::from_millis(at - now));
                tokio::select! {
                    biased;
                    next = stream.recv() => match next {
                        Some((at, event)) => on_the_way.add(at, event),
                        None => break,
                    },
                    () = tokio::time::sleep(wait) => {}
                }
            }
            if events.send(BillingEvent::Disconnected).await.is_err() {
                return;
            }
            loop {
                tokio::time::sleep(step * 4).await;
                self.wire.pass().await;
                let now = sim.ms();
                if lock(&sim.troubles).stream_down <= now && lock(&sim.troubles).app_down <= now {
                    break;
                }
            }
        }
    }
}
