//! What is remembered of RainTek's bills: the digest by which edits are noticed, and what a person has to decide.

use chrono::NaiveDate;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::model::awareness::{BillKey, BillState, KnownBill};
use crate::model::ids::RecordId;

const COLUMNS: &str = "inv_id, number, day, digest, record_id, state, sentence";

fn read(row: &Row<'_>) -> rusqlite::Result<KnownBill> {
    let invalid = |index| rusqlite::Error::InvalidColumnType(index, "bills".into(), Type::Text);
    let (day, state): (String, String) = (row.get(2)?, row.get(5)?);
    Ok(KnownBill {
        inv_id: row.get(0)?,
        number: row.get(1)?,
        day: day.parse().map_err(|_| invalid(2))?,
        digest: row.get(3)?,
        record_id: row.get::<_, Option<String>>(4)?.map(RecordId::new),
        state: BillState::parse(&state).ok_or_else(|| invalid(5))?,
        sentence: row.get(6)?,
    })
}

pub(super) fn known(db: &Connection, from: NaiveDate) -> rusqlite::Result<Vec<KnownBill>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM bills WHERE day >= ?1"))?
        .query_map([from.to_string()], read)?
        .collect()
}

pub(super) fn one(db: &Connection, key: &BillKey) -> rusqlite::Result<Option<KnownBill>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM bills WHERE inv_id = ?1 AND number = ?2"))?
        .query_row(params![key.inv_id, key.number], read)
        .optional()
}

pub(super) fn put(db: &Connection, put: &[KnownBill], forget: &[BillKey]) -> rusqlite::Result<()> {
    let mut remove = db.prepare_cached("DELETE FROM bills WHERE inv_id = ?1 AND number = ?2")?;
    for key in forget {
        remove.execute(params![key.inv_id, key.number])?;
    }
    let mut keep = db.prepare_cached(&format!(
        "INSERT INTO bills ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (inv_id, number) DO UPDATE \
         SET number = ?2, day = ?3, digest = ?4, record_id = ?5, state = ?6, sentence = ?7"
    ))?;
    for bill in put {
        keep.execute(params![
            bill.inv_id,
            bill.number,
            bill.day.to_string(),
            bill.digest,
            bill.record_id.as_ref().map(RecordId::as_str),
            bill.state.name(),
            bill.sentence,
        ])?;
    }
    Ok(())
}

pub(super) fn shown(db: &Connection, day: NaiveDate) -> rusqlite::Result<(u64, u64)> {
    db.prepare_cached("SELECT COUNT(*) FILTER (WHERE day = ?1), COUNT(*) FROM bills WHERE state = 'shown'")?
        .query_row([day.to_string()], |row| {
            let count = |index| row.get::<_, i64>(index).map(|n| u64::try_from(n).unwrap_or_default());
            Ok((count(0)?, count(1)?))
        })
}

pub(super) fn problems(db: &Connection, limit: u32) -> rusqlite::Result<Vec<KnownBill>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM bills WHERE sentence IS NOT NULL AND state IN ('refused', 'edited', 'gone', 'unclaimed') \
         ORDER BY state = 'refused', day DESC, inv_id DESC LIMIT ?1"
    ))?
    .query_map([limit], read)?
    .collect()
}

/// Of RainTek's own, shown or no longer, newest first.
pub(super) fn own(db: &Connection, limit: u32) -> rusqlite::Result<Vec<KnownBill>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM bills WHERE state IN ('shown', 'cancelled', 'refused') \
         ORDER BY day DESC, inv_id DESC LIMIT ?1"
    ))?
    .query_map([limit], read)?
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;
    use crate::ports::State as _;

    fn bill(inv_id: i32, number: &str, state: BillState) -> KnownBill {
        KnownBill {
            inv_id,
            number: number.into(),
            day: NaiveDate::from_ymd_opt(2026, 3, 31).unwrap(),
            digest: "abc".into(),
            record_id: Some(RecordId::new("r")),
            state,
            sentence: state.is_mismatch().then(|| "Changed.".into()),
        }
    }

    #[tokio::test]
    async fn a_bill_is_itself_by_its_id_and_number_together() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).unwrap();
        let first = bill(7, "GST-0007-2025/26", BillState::Cancelled);
        let second = bill(7, "SINV-0001-2025/26", BillState::Shown);
        store.put_bills(&[first.clone(), second.clone()], &[], &[]).await.unwrap();
        assert_eq!(
            store.known_bill(&BillKey::new(7, " gst-0007-2025/26")).await.unwrap(),
            Some(first.clone())
        );
        assert_eq!(store.known_bills(first.day).await.unwrap().len(), 2);
        assert!(store.known_bills(first.day.succ_opt().unwrap()).await.unwrap().is_empty());
        assert_eq!(store.overview(first.day, 9, 9).await.unwrap().shown_bills, (1, 1));
        let edited = bill(7, "gst-0007-2025/26", BillState::Edited);
        store.put_bills(std::slice::from_ref(&edited), &[second.key()], &[]).await.unwrap();
        assert_eq!(store.known_bills(first.day).await.unwrap(), std::slice::from_ref(&edited));
        assert_eq!(store.bill_problems(10).await.unwrap(), [edited]);
        assert_eq!(store.overview(first.day, 9, 9).await.unwrap().shown_bills, (0, 0));
    }
}
