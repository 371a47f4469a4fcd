//! The app's records that a bill of RainTek's is linked with, read once a pass and only where one is to be written.

use std::collections::{HashMap, HashSet};

use super::Pass;
use crate::model::awareness::{CustomerLink, PosInvoice};
use crate::model::bill::FoundBill;
use crate::model::customer::{Customer, phone_key};
use crate::model::fault::Fault;
use crate::model::ids::{CustomerId, RecordId};
use crate::model::product::AppProduct;
use crate::ports::InvoiceScan;
use crate::sync::awareness::customer_record_id;

#[derive(Debug, Default)]
pub(super) struct Links {
    by_pid: HashMap<String, RecordId>,
    by_code: HashMap<String, RecordId>,
    by_pos_id: HashMap<CustomerId, RecordId>,
    by_phone: HashMap<String, (RecordId, Option<CustomerId>)>,
    /// Numbers of the app's own completed invoices.
    numbers: HashSet<String>,
}

impl Links {
    fn new(products: Vec<AppProduct>, customers: Vec<Customer>) -> Self {
        let mut links = Self::default();
        for product in products {
            if !product.pos_id.is_empty() {
                links.by_pid.insert(product.pos_id, product.id.clone());
            }
            if !product.code.is_empty() {
                links.by_code.entry(product.code.to_uppercase()).or_insert(product.id);
            }
        }
        for customer in customers {
            let Some(id) = customer.id.clone() else { continue };
            if let Some(pos_id) = customer.pos_id {
                links.by_pos_id.entry(pos_id).or_insert_with(|| id.clone());
            }
            if let Some(phone) = phone_key(&customer.phone) {
                links.by_phone.entry(phone).or_insert((id, customer.pos_id));
            }
        }
        links
    }

    fn product(&self, pid: i64, code: &str) -> Option<&RecordId> {
        self.by_pid.get(&pid.to_string()).or_else(|| self.by_code.get(&code.trim().to_uppercase()))
    }

    /// The product of each line.
    pub(super) fn products(&self, bill: &PosInvoice) -> Vec<Option<RecordId>> {
        let lines = bill.invoice.lines.iter().zip(&bill.products);
        lines.map(|(line, pid)| self.product((*pid).into(), &line.product_code).cloned()).collect()
    }

    /// By RainTek's ID, else by phone, else a new one.
    pub(super) fn customer(&self, bill: &PosInvoice) -> CustomerLink {
        let Some(customer) = &bill.invoice.customer else { return CustomerLink::None };
        if let Some(id) = customer.pos_id.and_then(|pos_id| self.by_pos_id.get(&pos_id)) {
            return CustomerLink::Existing { id: id.clone(), stamp: None };
        }
        let by_phone = phone_key(&customer.phone).and_then(|phone| self.by_phone.get(&phone));
        match (by_phone, customer.pos_id) {
            (Some((id, there)), pos_id) => {
                CustomerLink::Existing { id: id.clone(), stamp: pos_id.filter(|_| there.is_none()) }
            }
            (None, Some(pos_id)) => {
                CustomerLink::New { id: customer_record_id(pos_id), customer: Box::new(customer.clone()) }
            }
            (None, None) => CustomerLink::None,
        }
    }

    /// Takes over what was just written.
    pub(super) fn confirm(&mut self, link: &CustomerLink, customer: Option<&Customer>) {
        let (CustomerLink::Existing { id, .. } | CustomerLink::New { id, .. }, Some(customer)) =
            (link, customer)
        else {
            return;
        };
        if let Some(pos_id) = customer.pos_id
            && !matches!(link, CustomerLink::Existing { stamp: None, .. })
        {
            self.by_pos_id.insert(pos_id, id.clone());
        }
        if let Some(phone) = phone_key(&customer.phone) {
            self.by_phone.entry(phone).or_insert((id.clone(), customer.pos_id)).1 = customer.pos_id;
        }
    }

    /// Whether an invoice of the app has the number.
    pub(super) fn is_taken(&self, number: &str) -> bool {
        self.numbers.contains(&number.trim().to_uppercase())
    }
}

impl Pass<'_> {
    /// The app's records, read when first needed.
    pub(super) async fn links(&mut self) -> Result<&mut Links, Fault> {
        let links = match self.links.take() {
            Some(links) => links,
            None => {
                let billing = &self.shared.world.billing;
                let mut links = Links::new(billing.products().await?, billing.customers().await?);
                let heads = billing.list(&InvoiceScan::All).await?;
                links.numbers = heads.iter().map(|head| head.number.trim().to_uppercase()).collect();
                links
            }
        };
        Ok(self.links.insert(links))
    }

    /// Whether the app has the product of each line. Where not, RainTek's products are looked at: the till may have
    /// billed what was added a moment ago.
    pub(super) async fn products_are_known(&mut self, bill: &FoundBill) -> Result<bool, Fault> {
        let links = self.links().await?;
        let known = bill
            .lines
            .iter()
            .all(|line| links.product(line.int("ProductID"), line.text("ProductCode")).is_some());
        if !known {
            self.shared.signals.products.notify_one();
        }
        Ok(known)
    }
}
