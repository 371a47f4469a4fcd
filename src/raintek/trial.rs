//! Taking a trial back: what stands under a number, whatever is posted, and customers that nobody needs.

use std::sync::Arc;

use async_trait::async_trait;
use tiberius::Query;

use super::connect::{self, Sql};
use super::statement::{quoted, results, select_list};
use super::values::row;
use super::{RainTek, lookup};
use crate::model::bill::{FoundBill, Row};
use crate::model::fault::Fault;
use crate::model::ids::{CustomerId, InvId};
use crate::model::invoice::TaxType;
use crate::model::schema::PosSchema;
use crate::model::settings::PostingSettings;
use crate::model::trial::CustomerUse;
use crate::ports::trial::TrialPos;

/// How versions of RainTek call the column that names a customer, by ID or by key.
const NAMES: [&str; 7] = ["Customer_ID", "CustomerID", "Cust_ID", "CustID", "CusID", "PartyID", "Party_ID"];

#[async_trait]
impl TrialPos for RainTek {
    async fn stands(&self, number: &str, inv_id: InvId, tax_type: TaxType) -> Result<Vec<FoundBill>, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        // The rows are those of the bill of that number; of another bill only its head is of interest.
        let of_number = lowest_of(&mut sql, number).await?.unwrap_or(inv_id);
        let all = PostingSettings::ALL;
        let mut bills = lookup::bills(&mut sql, &schema, all, number, Some(of_number), tax_type).await?;
        if of_number != inv_id {
            let known = lookup::bills(&mut sql, &schema, all, number, Some(inv_id), tax_type).await?;
            bills.extend(
                known.into_iter().filter(|bill| bill.inv_id() == inv_id && !same_number(bill, number)),
            );
        }
        *slot = Some(sql);
        Ok(bills)
    }

    async fn customer(&self, id: CustomerId) -> Result<CustomerUse, Fault> {
        let mut slot = self.reads.lock().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        let found = look(&mut sql, &schema, id, "").await?;
        *slot = Some(sql);
        Ok(found)
    }

    async fn remove_customer(&self, id: CustomerId, seen: &CustomerUse) -> Result<bool, Fault> {
        self.refuse_where_watching()?;
        let mut slot = Arc::clone(&self.writes).lock_owned().await;
        let mut sql = self.take(&mut slot).await?;
        let schema = self.need_schema()?;
        connect::begin(&mut sql).await?;
        let there = look(&mut sql, &schema, id, " WITH (UPDLOCK, HOLDLOCK)").await?;
        let same = there == *seen;
        if same {
            let mut query = Query::new("DELETE FROM Customer WHERE ID = @P1");
            query.bind(id);
            query.execute(&mut sql).await.map_err(|error| super::classify::classify(&error))?;
            // Whether a lost commit took effect is seen by the next look at it.
            sql.commit_transaction().await.map_err(|error| super::classify::classify(&error))?;
        } else {
            sql.rollback_transaction().await.map_err(|error| super::classify::classify(&error))?;
        }
        *slot = Some(sql);
        Ok(same)
    }
}

fn same_number(bill: &FoundBill, number: &str) -> bool {
    bill.info.text("InvoiceNo").trim().eq_ignore_ascii_case(number.trim())
}

async fn lowest_of(sql: &mut Sql, number: &str) -> Result<Option<InvId>, Fault> {
    let mut query = Query::new("SELECT MIN(Inv_ID) AS inv_id FROM InvoiceInfo WHERE InvoiceNo = @P1");
    query.bind(number.to_owned());
    let found = one(sql, query).await?;
    Ok(InvId::try_from(found.int("inv_id")).ok().filter(|id| *id > 0))
}

/// The customer, and how many rows each table has of it.
async fn look(sql: &mut Sql, schema: &PosSchema, id: CustomerId, hint: &str) -> Result<CustomerUse, Fault> {
    let table = schema.table("Customer").ok_or_else(super::schema::not_read)?;
    let mut query = Query::new(format!("SELECT {} FROM Customer{hint} WHERE ID = @P1", select_list(table)));
    query.bind(id);
    let sets = results(sql, query).await?;
    let Some(found) = sets.first().and_then(|rows| rows.first()).map(row).transpose()? else {
        return Ok(CustomerUse::default());
    };
    let names = NAMES.map(|name| format!("N'{name}'")).join(", ");
    let query = Query::new(format!(
        "SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS c \
         INNER JOIN INFORMATION_SCHEMA.TABLES t ON t.TABLE_NAME = c.TABLE_NAME AND t.TABLE_SCHEMA = c.TABLE_SCHEMA \
         WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA = 'dbo' AND c.TABLE_NAME <> N'Customer' \
         AND c.COLUMN_NAME IN ({names}) ORDER BY c.TABLE_NAME, c.COLUMN_NAME"
    ));
    let key = found.text("CustomerID").trim().to_owned();
    let mut uses: Vec<(String, u64)> = Vec::new();
    for place in results(sql, query).await?.into_iter().next().unwrap_or_default() {
        let place = row(&place)?;
        let (name, column) = (place.text("TABLE_NAME").to_owned(), place.text("COLUMN_NAME").to_owned());
        let by_key = place.text("DATA_TYPE").to_ascii_lowercase().contains("char");
        if by_key && key.is_empty() {
            continue;
        }
        let mut query = Query::new(format!(
            "SELECT COUNT(*) AS counted FROM [dbo].{} WHERE {} = @P1",
            quoted(&name),
            quoted(&column)
        ));
        if by_key {
            query.bind(key.clone());
        } else {
            query.bind(id);
        }
        let counted = u64::try_from(one(sql, query).await?.int("counted")).unwrap_or_default();
        if counted > 0 {
            uses.push((name, counted));
        }
    }
    Ok(CustomerUse { row: Some(found), uses })
}

async fn one(sql: &mut Sql, query: Query<'_>) -> Result<Row, Fault> {
    let sets = results(sql, query).await?;
    Ok(sets.first().and_then(|rows| rows.first()).map(row).transpose()?.unwrap_or_default())
}
