//! What the trial wrote into RainTek, what the app held before it, and which of the app's records go with it.

use async_trait::async_trait;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Store, journal};
use crate::model::awareness::BillKey;
use crate::model::fault::Fault;
use crate::model::ids::RecordId;
use crate::model::invoice::TaxType;
use crate::model::trial::{AppKind, TrialBegin, TrialBill, TrialCustomer, TrialRecord, TrialState};
use crate::ports::trial::TrialStore;

/// A migration: never changed.
pub(super) const TABLES: &str = "
    CREATE TABLE trial_bills (
        number TEXT PRIMARY KEY COLLATE NOCASE,
        inv_id INTEGER,
        record_id TEXT NOT NULL,
        tax_type TEXT NOT NULL,
        bill TEXT,
        planned TEXT,
        own_counter INTEGER NOT NULL,
        state TEXT NOT NULL,
        sentence TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE trial_customers (
        id INTEGER PRIMARY KEY,
        content TEXT NOT NULL,
        state TEXT NOT NULL,
        sentence TEXT
    ) STRICT;
    CREATE TABLE trial_before (
        kind TEXT NOT NULL,
        record_id TEXT NOT NULL,
        PRIMARY KEY (kind, record_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE trial_records (
        kind TEXT NOT NULL,
        record_id TEXT NOT NULL,
        label TEXT NOT NULL,
        PRIMARY KEY (kind, record_id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE disowned_bills (
        inv_id INTEGER NOT NULL,
        number TEXT NOT NULL COLLATE NOCASE,
        PRIMARY KEY (inv_id, number)
    ) STRICT, WITHOUT ROWID;
";

/// Since when a trial runs, as a named value.
const BEGIN: &str = "trial.begin";
/// Where the look for RainTek's own bills goes on; bills of lower Inv_IDs than the trial's come after it.
const BILLS_CURSOR: &str = "bills.cursor";
/// How a going live stands, as a named value.
const GO_LIVE: &str = "trial.go_live";
const BILL: &str = "number, inv_id, record_id, tax_type, bill, planned, own_counter, state, sentence";

fn invalid(index: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(index, "trial".into(), Type::Text)
}

fn json<T: serde::de::DeserializeOwned>(index: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error.into()))
}

/// Plain data always becomes JSON; were it ever not to, nothing is stored rather than something else.
fn text(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn read_bill(row: &Row<'_>) -> rusqlite::Result<TrialBill> {
    let maybe = |index: usize| row.get::<_, Option<String>>(index);
    let series: String = row.get(3)?;
    Ok(TrialBill {
        number: row.get(0)?,
        inv_id: row.get(1)?,
        record_id: RecordId::new(row.get::<_, String>(2)?),
        tax_type: [TaxType::Gst, TaxType::NonGst]
            .into_iter()
            .find(|tax_type| tax_type.text() == series)
            .ok_or_else(|| invalid(3))?,
        bill: maybe(4)?.map(|text| json(4, &text)).transpose()?,
        planned: maybe(5)?.map(|text| json(5, &text)).transpose()?,
        own_counter: row.get(6)?,
        state: TrialState::parse(&row.get::<_, String>(7)?).ok_or_else(|| invalid(7))?,
        sentence: row.get(8)?,
    })
}

fn bill(db: &Connection, number: &str) -> rusqlite::Result<Option<TrialBill>> {
    db.prepare_cached(&format!("SELECT {BILL} FROM trial_bills WHERE number = ?1"))?
        .query_row([number.trim()], read_bill)
        .optional()
}

fn bills(db: &Connection) -> rusqlite::Result<Vec<TrialBill>> {
    db.prepare_cached(&format!(
        "SELECT {BILL} FROM trial_bills ORDER BY inv_id IS NOT NULL, inv_id DESC, number"
    ))?
    .query_map([], read_bill)?
    .collect()
}

fn put_bill(db: &Connection, bill: &TrialBill) -> rusqlite::Result<()> {
    let number = bill.number.trim();
    if let (Some(inv_id), true) = (bill.inv_id, bill.planned.is_none()) {
        db.prepare_cached("DELETE FROM trial_bills WHERE inv_id = ?1 AND number <> ?2")?
            .execute(params![inv_id, number])?;
    }
    db.prepare_cached(&format!(
        "INSERT OR REPLACE INTO trial_bills ({BILL}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    ))?
    .execute(params![
        number,
        bill.inv_id,
        bill.record_id.as_str(),
        bill.tax_type.text(),
        bill.bill.as_ref().map(text).transpose()?,
        bill.planned.as_ref().map(text).transpose()?,
        bill.own_counter,
        bill.state.name(),
        bill.sentence,
    ])?;
    Ok(())
}

fn put_customer(db: &Connection, customer: &TrialCustomer) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO trial_customers (id, content, state, sentence) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![customer.id, text(&customer.row)?, customer.state.name(), customer.sentence])?;
    Ok(())
}

fn customers(db: &Connection) -> rusqlite::Result<Vec<TrialCustomer>> {
    db.prepare_cached("SELECT id, content, state, sentence FROM trial_customers ORDER BY id DESC")?
        .query_map([], |row| {
            Ok(TrialCustomer {
                id: row.get(0)?,
                row: json(1, &row.get::<_, String>(1)?)?,
                state: TrialState::parse(&row.get::<_, String>(2)?).ok_or_else(|| invalid(2))?,
                sentence: row.get(3)?,
            })
        })?
        .collect()
}

fn kind(row: &Row<'_>) -> rusqlite::Result<AppKind> {
    AppKind::parse(&row.get::<_, String>(0)?).ok_or_else(|| invalid(0))
}

#[async_trait]
impl TrialStore for Store {
    async fn begun(&self) -> Result<Option<TrialBegin>, Fault> {
        self.run(|db| journal::get(db, BEGIN)?.map(|text| json(0, &text)).transpose()).await
    }

    async fn begin(&self, begin: &TrialBegin, before: &[(AppKind, RecordId)]) -> Result<(), Fault> {
        let (begin, before) = (begin.clone(), before.to_vec());
        self.run(move |db| {
            let transaction = db.transaction()?;
            transaction.execute("DELETE FROM trial_before", [])?;
            let mut keep = transaction.prepare("INSERT OR IGNORE INTO trial_before VALUES (?1, ?2)")?;
            for (kind, id) in &before {
                keep.execute(params![kind.name(), id.as_str()])?;
            }
            drop(keep);
            journal::set(&transaction, BEGIN, Some(&text(&begin)?))?;
            transaction.commit()
        })
        .await
    }

    async fn before(&self) -> Result<Vec<(AppKind, RecordId)>, Fault> {
        self.run(|db| {
            db.prepare_cached("SELECT kind, record_id FROM trial_before")?
                .query_map([], |row| Ok((kind(row)?, RecordId::new(row.get::<_, String>(1)?))))?
                .collect()
        })
        .await
    }

    async fn bill(&self, number: &str) -> Result<Option<TrialBill>, Fault> {
        let number = number.to_owned();
        self.run(move |db| bill(db, &number)).await
    }

    async fn bills(&self) -> Result<Vec<TrialBill>, Fault> {
        self.run(|db| bills(db)).await
    }

    async fn put_bill(&self, bill: &TrialBill, customer: Option<&TrialCustomer>) -> Result<(), Fault> {
        let (bill, customer) = (bill.clone(), customer.cloned());
        self.run(move |db| {
            let transaction = db.transaction()?;
            put_bill(&transaction, &bill)?;
            customer.iter().try_for_each(|customer| put_customer(&transaction, customer))?;
            transaction.commit()
        })
        .await
    }

    async fn drop_bill(&self, number: &str) -> Result<(), Fault> {
        let number = number.trim().to_owned();
        self.run(move |db| db.execute("DELETE FROM trial_bills WHERE number = ?1", [number]).map(|_| ()))
            .await
    }

    async fn customers(&self) -> Result<Vec<TrialCustomer>, Fault> {
        self.run(|db| customers(db)).await
    }

    async fn put_customer(&self, customer: &TrialCustomer) -> Result<(), Fault> {
        let customer = customer.clone();
        self.run(move |db| put_customer(db, &customer)).await
    }

    async fn records(&self) -> Result<Vec<TrialRecord>, Fault> {
        self.run(|db| {
            db.prepare_cached(
                "SELECT kind, record_id, label FROM trial_records ORDER BY kind DESC, record_id",
            )?
            .query_map([], |row| {
                let id = RecordId::new(row.get::<_, String>(1)?);
                Ok(TrialRecord { kind: kind(row)?, id, label: row.get(2)? })
            })?
            .collect()
        })
        .await
    }

    async fn put_records(&self, records: &[TrialRecord]) -> Result<(), Fault> {
        let records = records.to_vec();
        self.run(move |db| {
            let transaction = db.transaction()?;
            transaction.execute("DELETE FROM trial_records", [])?;
            let mut keep = transaction.prepare("INSERT OR IGNORE INTO trial_records VALUES (?1, ?2, ?3)")?;
            for record in &records {
                keep.execute(params![record.kind.name(), record.id.as_str(), record.label])?;
            }
            drop(keep);
            transaction.commit()
        })
        .await
    }

    async fn known_invoices(&self) -> Result<Vec<(RecordId, String)>, Fault> {
        self.run(|db| {
            db.prepare_cached("SELECT record_id, number FROM outbox")?
                .query_map([], |row| Ok((RecordId::new(row.get::<_, String>(0)?), row.get(1)?)))?
                .collect()
        })
        .await
    }

    async fn forget(&self, invoices: &[RecordId], bills: &[BillKey]) -> Result<(), Fault> {
        let (invoices, bills) = (invoices.to_vec(), bills.to_vec());
        self.run(move |db| {
            let transaction = db.transaction()?;
            let mut item = transaction.prepare("DELETE FROM outbox WHERE record_id = ?1")?;
            let mut shown = transaction.prepare("DELETE FROM bills WHERE record_id = ?1")?;
            for id in &invoices {
                item.execute([id.as_str()])?;
                shown.execute([id.as_str()])?;
            }
            let mut ours = transaction.prepare("DELETE FROM bills WHERE inv_id = ?1 AND number = ?2")?;
            for key in &bills {
                ours.execute(params![key.inv_id, key.number])?;
            }
            drop((item, shown, ours));
            journal::set(&transaction, BILLS_CURSOR, None)?;
            transaction.commit()
        })
        .await
    }

    async fn disown(&self, left: &[BillKey]) -> Result<(), Fault> {
        let left = left.to_vec();
        self.run(move |db| {
            let transaction = db.transaction()?;
            for key in &left {
                transaction.execute(
                    "INSERT OR IGNORE INTO disowned_bills VALUES (?1, ?2)",
                    params![key.inv_id, key.number],
                )?;
            }
            transaction.commit()
        })
        .await
    }

    async fn end(&self) -> Result<(), Fault> {
        self.run(|db| {
            let transaction = db.transaction()?;
            for table in ["trial_bills", "trial_customers", "trial_before", "trial_records"] {
                transaction.execute(&format!("DELETE FROM {table}"), [])?;
            }
            journal::set(&transaction, BEGIN, None)?;
            journal::set(&transaction, GO_LIVE, None)?;
            transaction.commit()
        })
        .await
    }

    async fn disowned(&self) -> Result<Vec<BillKey>, Fault> {
        self.run(|db| {
            db.prepare_cached("SELECT inv_id, number FROM disowned_bills")?
                .query_map([], |row| Ok(BillKey::new(row.get(0)?, &row.get::<_, String>(1)?)))?
                .collect()
        })
        .await
    }

    async fn own(&self, key: &BillKey) -> Result<(), Fault> {
        let key = key.clone();
        self.run(move |db| {
            let sql = "DELETE FROM disowned_bills WHERE inv_id = ?1 AND number = ?2";
            db.execute(sql, params![key.inv_id, key.number]).map(|_| ())
        })
        .await
    }
}

#[cfg(test)]
#[path = "trial_tests.rs"]
mod tests;
