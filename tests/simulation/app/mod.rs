//! The billing app in memory: records as the phones write them, one after the other.

mod adapter;
mod events;
pub(crate) mod phone;
mod trial;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

use shopsync::model::awareness::PosInvoice;
use shopsync::model::bill::Plan;
use shopsync::model::customer::Customer;
use shopsync::model::fault::Fault;
use shopsync::model::ids::RecordId;
use shopsync::model::invoice::{Invoice, InvoiceHead, InvoiceRead, InvoiceStatus, NotDue};
use shopsync::model::product::{AppProduct, ProductFields, ProductWrite};

pub(crate) use adapter::App as AppAdapter;
pub(crate) use events::Hub;

use crate::raintek::cashier::financial_year;
use crate::story::{Numbers, Setup};

/// One record of `invoices`, its lines with it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// All of it, as it was meant.
    pub(crate) invoice: Invoice,
    /// How many of its lines are there.
    pub(crate) arrived: usize,
    pub(crate) from_pos: bool,
    pub(crate) sync_status: String,
    pub(crate) sync_error: String,
    pub(crate) created: String,
    pub(crate) updated: String,
    /// Steady milliseconds of its making.
    pub(crate) made: u64,
    /// Steady milliseconds of its last change by a person.
    pub(crate) changed: u64,
    pub(crate) deleted: bool,
    /// Numbers that it carried before.
    pub(crate) former: Vec<String>,
}

impl Record {
    pub(crate) fn is_due(&self) -> bool {
        !self.deleted && !self.from_pos && self.invoice.status == InvoiceStatus::Completed
    }

    pub(crate) fn is_whole(&self) -> bool {
        let lines: Decimal = self.invoice.lines.iter().map(|line| line.total).sum();
        self.arrived == self.invoice.lines.len()
            && lines + self.invoice.round_off == self.invoice.grand_total
            && self.invoice.item_count.is_none_or(|count| usize::try_from(count) == Ok(self.arrived))
    }
}

/// One record of `products`.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) fields: ProductFields,
    pub(crate) linked: bool,
}

/// The database of the app.
pub(crate) struct App {
    pub(crate) records: BTreeMap<RecordId, Record>,
    pub(crate) products: BTreeMap<RecordId, Product>,
    pub(crate) customers: BTreeMap<RecordId, Customer>,
    /// The last number used, GST and not.
    pub(crate) counters: [i32; 2],
    /// Prefix and suffix of each, once somebody said.
    pub(crate) forms: [Option<(String, String)>; 2],
    pub(crate) numbers: Numbers,
    pub(crate) own: [i32; 2],
    next: u32,
    /// So much more the list says of each invoice.
    pub(crate) list_says: Decimal,
    /// Every whole content that an invoice of a number ever had.
    pub(crate) versions: HashMap<String, Vec<Invoice>>,
    /// The record that stands for the bill of an event.
    pub(crate) of_event: HashMap<u32, RecordId>,
    pub(crate) hub: Hub,
    /// What the counters were, with the time.
    pub(crate) counted: Vec<(u64, [i32; 2], [i32; 2])>,
    /// Codes of products that it does not take, and records of which it makes no invoice.
    pub(crate) shunned: Vec<String>,
    pub(crate) unreadable: Vec<RecordId>,
    /// What becomes of the next tries to remove a customer.
    pub(crate) customers_stay: Vec<Fault>,
}

impl App {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            records: BTreeMap::new(),
            products: BTreeMap::new(),
            customers: BTreeMap::new(),
            counters: [0, 0],
            forms: [None, None],
            numbers: setup.numbers,
            own: [0, 0],
            next: 0,
            list_says: Decimal::ZERO,
            versions: HashMap::new(),
            of_event: HashMap::new(),
            hub: Hub::default(),
            counted: Vec::new(),
            shunned: Vec::new(),
            unreadable: Vec::new(),
            customers_stay: Vec::new(),
        }
    }

    pub(crate) fn new_id(&mut self, what: &str) -> RecordId {
        self.next += 1;
        RecordId::new(format!("{what}{:0width$}", self.next, width = 15 - what.len()))
    }

    /// The next number, in the transaction that saves the invoice; `None` where it is refused: before RainTek's numbers
    /// were ever read, and where the app has a completed invoice of that number.
    pub(crate) fn next_number(&mut self, gst: bool, day: NaiveDate) -> Option<String> {
        let at = usize::from(!gst);
        if self.numbers != Numbers::Ours {
            self.own[at] += 1;
            let (n, year) = (self.own[at], financial_year(day));
            return Some(match (self.numbers, gst) {
                (Numbers::Same, true) => format!("GST-{n:04}-{year}"),
                (Numbers::Same, false) => format!("SINV-{n:04}-{year}"),
                _ => format!("A{at}-{n:04}-26"),
            });
        }
        let (prefix, suffix) = self.forms[at].clone()?;
        let suffix = if suffix.is_empty() { financial_year(day) } else { suffix };
        let number = format!("{prefix}-{:04}-{suffix}", self.counters[at] + 1);
        if self.is_refused(&number, None) {
            return None;
        }
        self.counters[at] += 1;
        Some(number)
    }

    /// What was made since then is lost; the counters are as they were. Returns what is gone.
    pub(crate) fn forget(&mut self, since: u64) -> Vec<RecordId> {
        let lost = |record: &Record| record.made >= since && !record.deleted;
        let gone: Vec<RecordId> =
            self.records.iter().filter(|(_, record)| lost(record)).map(|(id, _)| id.clone()).collect();
        for id in &gone {
            if let Some(record) = self.records.get_mut(id) {
                record.deleted = true;
            }
        }
        self.counted.retain(|(at, ..)| *at < since);
        let (counters, own) = self.counted.last().map_or(([0, 0], [0, 0]), |(_, ours, own)| (*ours, *own));
        (self.counters, self.own) = (counters, own);
        gone
    }

    /// Keeps what the counters are.
    pub(crate) fn count(&mut self, ms: u64) {
        self.counted.push((ms, self.counters, self.own));
    }

    /// Whether the app has a completed invoice of the number already, and minds.
    pub(crate) fn is_refused(&self, number: &str, but: Option<&RecordId>) -> bool {
        self.numbers == Numbers::Ours
            && self.records.iter().any(|(id, record)| {
                Some(id) != but
                    && !record.deleted
                    && record.invoice.status == InvoiceStatus::Completed
                    && record.invoice.number == number
            })
    }

    /// Completed invoices of a number that are not RainTek's.
    pub(crate) fn completed_of(&self, number: &str) -> Vec<RecordId> {
        let same = |record: &Record| record.is_due() && record.invoice.number == number;
        self.records.iter().filter(|(_, record)| same(record)).map(|(id, _)| id.clone()).collect()
    }

    /// A person changed a record: PocketBase stamps it, and its content may have become whole.
    pub(crate) fn touched(&mut self, id: &RecordId, wall: DateTime<Utc>, ms: u64) {
        let Some(record) = self.records.get_mut(id) else { return };
        record.updated = stamp(wall);
        record.changed = ms;
        if record.is_due() && record.is_whole() {
            let versions = self.versions.entry(record.invoice.number.clone()).or_default();
            versions.push(record.invoice.clone());
        }
    }

    /// What the adapter reads of a record.
    pub(crate) fn read(&self, id: &RecordId) -> InvoiceRead {
        let Some(record) = self.records.get(id).filter(|record| !record.deleted) else {
            return InvoiceRead::NotDue(NotDue::Deleted);
        };
        if record.from_pos {
            return InvoiceRead::NotDue(NotDue::FromPos);
        }
        match record.invoice.status {
            InvoiceStatus::Completed => {}
            InvoiceStatus::Draft => return InvoiceRead::NotDue(NotDue::Draft),
            InvoiceStatus::Revised => return InvoiceRead::NotDue(NotDue::Revised),
            InvoiceStatus::Cancelled => return InvoiceRead::NotDue(NotDue::Cancelled),
        }
        if self.unreadable.contains(id) {
            return InvoiceRead::Broken(Fault::data("A price is no number."));
        }
        let mut invoice = record.invoice.clone();
        invoice.lines.truncate(record.arrived);
        invoice.updated.clone_from(&record.updated);
        invoice.stamped = record.sync_status == "synced";
        if let Some(customer) = &mut invoice.customer {
            let there = customer.id.as_ref().and_then(|id| self.customers.get(id));
            customer.pos_id = there.and_then(|there| there.pos_id);
        }
        InvoiceRead::Found(Box::new(invoice))
    }

    fn head(id: &RecordId, record: &Record) -> InvoiceHead {
        InvoiceHead {
            id: id.clone(),
            number: record.invoice.number.clone(),
            grand_total: Some(record.invoice.grand_total),
            customer: record.invoice.customer.as_ref().map(|one| one.name.clone()).unwrap_or_default(),
            created: record.created.clone(),
            updated: record.updated.clone(),
            date: Some(record.invoice.date),
            stamped: record.invoice.pos_id.filter(|_| record.sync_status == "synced"),
        }
    }

    fn product(id: &RecordId, product: &Product) -> AppProduct {
        AppProduct {
            id: id.clone(),
            fields: product.linked.then(|| product.fields.clone()),
            code: product.fields.code.clone(),
            barcode: product.fields.barcode.clone(),
            pos_id: if product.linked { product.fields.pos_id.clone() } else { String::new() },
            active: product.fields.active,
        }
    }

    fn write_product(&mut self, write: &ProductWrite) -> Result<(), String> {
        match write {
            ProductWrite::Create { id, fields } | ProductWrite::Update { id, fields } => {
                if self.shunned.contains(&fields.code) {
                    return Err(format!("{} is not taken.", fields.code));
                }
                let taken =
                    self.products.iter().any(|(other, p)| other != id && p.fields.code == fields.code);
                if taken {
                    return Err(format!("product_code: {} is there already.", fields.code));
                }
                self.products.insert(id.clone(), Product { fields: fields.clone(), linked: true });
            }
            ProductWrite::Deactivate { id } => {
                if let Some(product) = self.products.get_mut(id) {
                    product.fields.active = false;
                }
            }
        }
        Ok(())
    }

    fn put_bill(&mut self, bill: &PosInvoice, wall: DateTime<Utc>, ms: u64) -> Result<(), String> {
        let invoice = &bill.invoice;
        if self.is_refused(&invoice.number, Some(&invoice.id)) {
            return Err(format!("invoice_number: {} is there already.", invoice.number));
        }
        let created =
            self.records.get(&invoice.id).map_or_else(|| stamp(wall), |record| record.created.clone());
        self.records.insert(
            invoice.id.clone(),
            Record {
                arrived: invoice.lines.len(),
                invoice: invoice.clone(),
                from_pos: true,
                sync_status: "na".into(),
                sync_error: String::new(),
                created,
                updated: stamp(wall),
                made: ms,
                changed: ms,
                deleted: false,
                former: Vec::new(),
            },
        );
        Ok(())
    }

    /// A planted fault: the app says synced before RainTek has it.
    pub(crate) fn stamp_early(&mut self, number: &str, plan: &Plan) {
        let Plan::Insert(plan) = plan else { return };
        for id in self.completed_of(number) {
            if let Some(record) = self.records.get_mut(&id) {
                record.sync_status = "synced".into();
                record.invoice.pos_id = Some(plan.inv_id);
            }
        }
    }
}

/// PocketBase's time text.
pub(crate) fn stamp(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string()
}

pub(crate) fn zero() -> Decimal {
    Decimal::ZERO
}
