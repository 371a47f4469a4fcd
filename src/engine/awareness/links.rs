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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::fixtures::invoice;

    #[test]
    fn a_customer_that_was_just_made_is_the_next_bills_too() {
        let customer = |phone: &str, pos_id| Customer {
            id: None,
            name: "Asha".into(),
            phone: phone.into(),
            address: String::new(),
            city: String::new(),
            state: String::new(),
            gstin: String::new(),
            pos_id,
        };
        let bill = |customer| PosInvoice {
            invoice: crate::model::invoice::Invoice { customer: Some(customer), ..invoice() },
            products: Vec::new(),
            paid_on: Vec::new(),
            payment_ids: Vec::new(),
        };
        let mut links = Links::default();
        let made = customer("98400 12345", Some(9));
        let link = links.customer(&bill(made.clone()));
        assert!(matches!(&link, CustomerLink::New { .. }), "{link:?}");
        links.confirm(&link, Some(&made));
        for same in [customer("", Some(9)), customer("9840012345", None)] {
            assert!(matches!(links.customer(&bill(same)), CustomerLink::Existing { stamp: None, .. }));
        }
    }

    #[test]
    fn a_line_is_linked_by_raintek_s_product_else_by_its_code() {
        let product = |id: &str, pos_id: &str, code: &str| AppProduct {
            id: RecordId::new(id),
            fields: None,
            code: code.to_owned(),
            barcode: String::new(),
            pos_id: pos_id.to_owned(),
            active: true,
        };
        let links = Links::new(vec![product("pen", "11", "X"), product("cup", "", "p-0001")], Vec::new());
        let line = invoice().lines[0].clone();
        let other = crate::model::invoice::Line { product_code: "P-0002".into(), ..line.clone() };
        let bill = PosInvoice {
            invoice: crate::model::invoice::Invoice { lines: vec![line.clone(), line, other], ..invoice() },
            products: vec![11, 12, 13],
            paid_on: Vec::new(),
            payment_ids: Vec::new(),
        };
        let linked = links.products(&bill);
        assert_eq!(linked, [Some(RecordId::new("pen")), Some(RecordId::new("cup")), None]);
    }
}
