//! What the end of a trial asks of RainTek's tables in memory.

use async_trait::async_trait;

use shopsync::model::bill::FoundBill;
use shopsync::model::fault::Fault;
use shopsync::model::ids::{CustomerId, InvId};
use shopsync::model::invoice::TaxType;
use shopsync::model::trial::CustomerUse;
use shopsync::ports::trial::TrialPos;

use super::Db;
use super::adapter::{RainTek, bills, hand_out, standing};
use super::transaction::Held;
use crate::sim::lock;
use crate::story::Call;

#[async_trait]
impl TrialPos for RainTek {
    async fn stands(&self, number: &str, inv_id: InvId, tax: TaxType) -> Result<Vec<FoundBill>, Fault> {
        self.read(Call::Stands, |db| {
            let of_number = db.of_number(number).first().copied().unwrap_or(inv_id);
            let mut all = with_books(db, number, of_number, tax);
            if of_number != inv_id {
                let known = with_books(db, number, inv_id, tax);
                let same = |bill: &FoundBill| bill.info.text("InvoiceNo").eq_ignore_ascii_case(number);
                all.extend(known.into_iter().filter(|bill| bill.inv_id() == inv_id && !same(bill)));
            }
            all
        })
        .await
    }

    async fn customer(&self, id: CustomerId) -> Result<CustomerUse, Fault> {
        self.read(Call::Stands, |db| uses(db, id)).await
    }

    async fn remove_customer(&self, id: CustomerId, seen: &CustomerUse) -> Result<bool, Fault> {
        let sim = &self.wire.sim;
        let _connection = std::sync::Arc::clone(&self.writes).lock_owned().await;
        self.wire.at(Call::RemoveCustomer, false).await?;
        let held = Held::take(sim).await;
        let same = {
            let db = &mut *lock(&sim.db);
            let same = uses(db, id) == *seen;
            if same {
                db.customers.remove(&id);
            }
            same
        };
        drop(held);
        sim.say("raintek", || format!("customer {id} goes: {same}"));
        self.wire.at(Call::RemoveCustomer, true).await?;
        Ok(same)
    }
}

fn with_books(db: &Db, number: &str, inv_id: InvId, tax: TaxType) -> Vec<FoundBill> {
    let mut all = bills(db, number, Some(inv_id), tax);
    hand_out(&mut standing(db, &[number], |_| true), &mut all);
    all
}

/// A customer, and which tables name it, by ID or by key.
fn uses(db: &Db, id: CustomerId) -> CustomerUse {
    let Some(row) = db.customers.get(&id) else { return CustomerUse::default() };
    let key = row.text("CustomerID");
    let of_bills = db.infos.values().filter(|info| info.int("Customer_ID") == i64::from(id)).count();
    let mut uses: Vec<(String, u64)> = db
        .books
        .iter()
        .map(|(book, rows)| {
            let named = rows.values().filter(|row| !key.is_empty() && row.text("PartyID") == key).count();
            (book.table().to_owned(), named as u64)
        })
        .collect();
    uses.push(("InvoiceInfo".into(), of_bills as u64));
    uses.retain(|(_, count)| *count > 0);
    uses.sort();
    CustomerUse { row: Some(row.clone()), uses }
}
