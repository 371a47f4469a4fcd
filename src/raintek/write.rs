//! Writing a plan inside the transaction that read what it was made from.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::classify::classify;
use super::connect::Sql;
use super::postings;
use super::statement::Batch;
use crate::model::bill::{InsertPlan, Plan, RemovePlan, ReplacePlan, Row, Value};
use crate::model::fault::{Fault, FaultKind, Scope, SendOutcome};
use crate::model::ids::{CustomerId, InvId};
use crate::model::schema::{PosSchema, Table};
use crate::ports::PosTransaction;

/// An open transaction. The connection goes back to its slot only after a clean end.
pub(super) struct Transaction {
    slot: OwnedMutexGuard<Option<Sql>>,
    sql: Option<Sql>,
    schema: Arc<PosSchema>,
}

impl Transaction {
    pub(super) fn new(slot: OwnedMutexGuard<Option<Sql>>, sql: Sql, schema: Arc<PosSchema>) -> Self {
        Self { slot, sql: Some(sql), schema }
    }

    fn table(&self, name: &str) -> Result<Table, Fault> {
        self.schema.table(name).cloned().ok_or_else(super::schema::not_read)
    }

    fn dead() -> Fault {
        Fault::transient(Scope::Item, "The transaction ended before it was used.")
    }

    async fn insert(&self, sql: &mut Sql, plan: &InsertPlan) -> Result<(InvId, CustomerId), Fault> {
        let mut batch = Batch::default();
        let info_table = self.table("InvoiceInfo")?;
        let mut info = plan.info.clone();
        let customer_id =
            self.customer(sql, &mut batch, plan.new_customer.as_ref(), plan.customer_id).await?;
        replace_value(&mut info, &["Customer_ID", "CustomerID"], customer_id);
        let mut inv_id = plan.inv_id;
        batch.insert(&info_table, std::slice::from_ref(&info));
        if info_table.is_identity("Inv_ID") {
            inv_id = std::mem::take(&mut batch).send_for_identity(sql).await?;
        }
        let of_bill = |rows: &[Row]| -> Vec<Row> {
            rows.iter()
                .map(|row| {
                    let mut row = row.clone();
                    replace_value(&mut row, &["InvoiceID"], inv_id);
                    row
                })
                .collect()
        };
        batch.insert(&self.table("Invoice_Product")?, &of_bill(&plan.lines));
        batch.insert(&self.table("Invoice_Payment")?, &of_bill(&plan.payments));
        if let Some(row) = &plan.counter_row {
            batch.insert(&self.table(plan.tax_type.counter_table())?, std::slice::from_ref(row));
        }
        postings::write(&mut batch, &self.schema, &plan.postings, customer_id)?;
        batch.send(sql).await?;
        Ok((inv_id, customer_id))
    }

    async fn replace(&self, sql: &mut Sql, plan: &ReplacePlan) -> Result<(InvId, CustomerId), Fault> {
        let mut batch = Batch::default();
        let inv_id = i64::from(plan.inv_id);
        let customer_id =
            self.customer(sql, &mut batch, plan.new_customer.as_ref(), plan.customer_id).await?;
        let mut info = plan.info.clone();
        replace_value(&mut info, &["Customer_ID", "CustomerID"], customer_id);
        batch.update(&self.table("InvoiceInfo")?, &info, &[("Inv_ID", inv_id)]);
        if let Some(lines) = &plan.lines {
            let table = self.table("Invoice_Product")?;
            batch.delete(&table, &[("InvoiceID", inv_id)]);
            batch.insert(&table, lines);
        }
        if let Some(change) = &plan.payments {
            let table = self.table("Invoice_Payment")?;
            for id in &change.delete {
                batch.delete(&table, &[("IP_ID", *id), ("InvoiceID", inv_id)]);
            }
            for (id, row) in &change.update {
                batch.update(&table, row, &[("IP_ID", *id), ("InvoiceID", inv_id)]);
            }
            batch.insert(&table, &change.insert);
        }
        for id in &plan.counter_ids {
            batch.delete(&self.table(plan.tax_type.counter_table())?, &[("ID", *id)]);
        }
        if let Some(row) = &plan.counter_row {
            batch.insert(&self.table(plan.tax_type.counter_table())?, std::slice::from_ref(row));
        }
        postings::write(&mut batch, &self.schema, &plan.postings, customer_id)?;
        batch.send(sql).await?;
        Ok((plan.inv_id, customer_id))
    }

    async fn remove(&self, sql: &mut Sql, plan: &RemovePlan) -> Result<(), Fault> {
        let mut batch = Batch::default();
        let inv_id = i64::from(plan.inv_id);
        batch.delete(&self.table("Invoice_Product")?, &[("InvoiceID", inv_id)]);
        batch.delete(&self.table("Invoice_Payment")?, &[("InvoiceID", inv_id)]);
        batch.delete(&self.table("InvoiceInfo")?, &[("Inv_ID", inv_id)]);
        for id in &plan.counter_ids {
            batch.delete(&self.table(plan.tax_type.counter_table())?, &[("ID", *id)]);
        }
        postings::write(&mut batch, &self.schema, &plan.postings, 0)?;
        batch.send(sql).await
    }

    /// Adds a new customer to the batch; where the server numbers customers itself it is sent at once.
    async fn customer(
        &self,
        sql: &mut Sql,
        batch: &mut Batch,
        new: Option<&Row>,
        given: CustomerId,
    ) -> Result<CustomerId, Fault> {
        let Some(row) = new else { return Ok(given) };
        let table = self.table("Customer")?;
        batch.insert(&table, std::slice::from_ref(row));
        if table.is_identity("ID") { std::mem::take(batch).send_for_identity(sql).await } else { Ok(given) }
    }
}

/// Sets the first of these columns that the row has.
fn replace_value(row: &mut Row, columns: &[&str], id: i32) {
    let name =
        row.0.keys().find(|name| columns.iter().any(|column| column.eq_ignore_ascii_case(name))).cloned();
    if let Some(name) = name {
        row.0.insert(name, Value::Int(id.into()));
    }
}

#[async_trait]
impl PosTransaction for Transaction {
    async fn apply(&mut self, plan: &Plan) -> Result<(InvId, CustomerId), Fault> {
        // Taken out, so that an error or a cancelled call leaves no connection in the middle of anything.
        let mut sql = self.sql.take().ok_or_else(Self::dead)?;
        let given = match plan {
            Plan::Insert(plan) => self.insert(&mut sql, plan).await?,
            Plan::Replace(plan) => self.replace(&mut sql, plan).await?,
            Plan::Remove(plan) => {
                self.remove(&mut sql, plan).await?;
                (plan.inv_id, 0)
            }
            Plan::Nothing { inv_id, customer_id } => (*inv_id, *customer_id),
            Plan::Conflict(_) => {
                return Err(Fault::new(FaultKind::Permanent, Scope::Item, "A conflict is never written."));
            }
        };
        self.sql = Some(sql);
        Ok(given)
    }

    async fn commit(mut self: Box<Self>) -> SendOutcome {
        let Some(mut sql) = self.sql.take() else { return SendOutcome::Rejected(Self::dead()) };
        match sql.commit_transaction().await {
            Ok(()) => {
                *self.slot = Some(sql);
                SendOutcome::Confirmed
            }
            // Whatever was said, it was said around a COMMIT: looked up before anything is sent again.
            Err(error) => SendOutcome::Unknown(classify(&error)),
        }
    }

    async fn rollback(mut self: Box<Self>) {
        if let Some(mut sql) = self.sql.take()
            && sql.rollback_transaction().await.is_ok()
        {
            *self.slot = Some(sql);
        }
    }
}
