//! Looking back at the journal, the outbox and RainTek's bills.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::params;

use super::{Store, bills, journal, outbox};
use crate::model::awareness::KnownBill;
use crate::model::fault::Fault;
use crate::model::history::Settled;
use crate::model::status::Activity;
use crate::ports::history::History;

#[async_trait]
impl History for Store {
    async fn lines(
        &self,
        kind: Option<String>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Activity>, Fault> {
        self.run(move |db| {
            db.prepare_cached(
                "SELECT id, at, kind, number, sentence FROM journal WHERE id < ?1 AND (?2 IS NULL OR kind = ?2) \
                 ORDER BY id DESC LIMIT ?3",
            )?
            .query_map(params![before.unwrap_or(i64::MAX), kind, limit], journal::read)?
            .collect()
        })
        .await
    }

    async fn settled(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Settled>, Fault> {
        self.run(move |db| {
            db.prepare_cached(
                "SELECT number, customer, amount, first_seen, done_at FROM outbox \
                 WHERE done_at >= ?1 AND done_at < ?2 AND state = 'done' ORDER BY done_at DESC, seq DESC LIMIT ?3",
            )?
            .query_map(params![from.timestamp_millis(), until.timestamp_millis(), limit], |row| {
                Ok(Settled {
                    number: row.get(0)?,
                    customer: row.get(1)?,
                    amount: row.get::<_, Option<String>>(2)?.and_then(|text| text.parse().ok()),
                    first_seen: outbox::time(row.get(3)?),
                    done_at: outbox::time(row.get(4)?),
                })
            })?
            .collect()
        })
        .await
    }

    async fn own_bills(&self, limit: u32) -> Result<Vec<KnownBill>, Fault> {
        self.run(move |db| bills::own(db, limit)).await
    }
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta, TimeZone as _};

    use super::*;
    use crate::model::awareness::BillState;
    use crate::model::ids::RecordId;
    use crate::model::invoice::InvoiceHead;
    use crate::model::outbox::ItemState;
    use crate::model::status::Entry;
    use crate::ports::State as _;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).unwrap();
        (folder, store)
    }

    fn at(minute: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 11, 25, 10, minute, 0).unwrap()
    }

    #[tokio::test]
    async fn the_journal_is_read_page_by_page_and_by_kind() {
        let (_folder, store) = store();
        for (minute, kind) in (0..).zip(["push", "hold", "push", "push"]) {
            let entry =
                Entry { at: at(minute), kind, number: String::new(), sentence: format!("Line {minute}.") };
            store.journal(entry).await.unwrap();
        }
        let page = store.lines(None, None, 3).await.unwrap();
        assert_eq!(page.iter().map(|line| line.id).collect::<Vec<_>>(), [4, 3, 2]);
        let rest = store.lines(None, Some(2), 3).await.unwrap();
        assert_eq!(rest.iter().map(|line| line.sentence.as_str()).collect::<Vec<_>>(), ["Line 0."]);
        let held = store.lines(Some("hold".into()), None, 10).await.unwrap();
        assert_eq!(held.len(), 1);
        assert!(store.lines(Some("' OR 1=1".into()), None, 10).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn only_what_was_proven_in_that_time_counts() {
        let (_folder, store) = store();
        for (seq, number) in (0..).zip(["A", "B", "C", "D"]) {
            let head = InvoiceHead {
                id: RecordId::new(number),
                number: number.into(),
                customer: "Asha".into(),
                grand_total: "10.50".parse().ok(),
                date: NaiveDate::from_ymd_opt(2026, 11, 25),
                created: String::new(),
                updated: "1".into(),
                stamped: None,
            };
            store.take_up(&[head], at(seq)).await.unwrap();
            let mut item = store.item(&RecordId::new(number)).await.unwrap().unwrap();
            item.state = if number == "D" { ItemState::Held } else { ItemState::Done };
            item.done_at = Some(at(10 + seq));
            store.put(&item).await.unwrap();
        }
        let settled = store.settled(at(10), at(12), 10).await.unwrap();
        assert_eq!(settled.iter().map(|one| one.number.as_str()).collect::<Vec<_>>(), ["B", "A"]);
        assert_eq!(settled[1].amount, "10.50".parse().ok());
        assert_eq!(settled[1].done_at - settled[1].first_seen, TimeDelta::minutes(10));
        assert_eq!(store.settled(at(0), at(59), 2).await.unwrap().len(), 2);
    }

    #[tokio::test]
    async fn bills_of_raintek_alone_are_listed_the_newest_first() {
        let (_folder, store) = store();
        let bill = |inv_id: i32, day: u32, state| KnownBill {
            inv_id,
            number: format!("SINV-{inv_id}"),
            day: NaiveDate::from_ymd_opt(2026, 11, day).unwrap(),
            digest: String::new(),
            record_id: None,
            state,
            sentence: None,
        };
        let all = [
            bill(1, 24, BillState::Shown),
            bill(2, 25, BillState::Cancelled),
            bill(3, 25, BillState::Proven),
            bill(4, 25, BillState::Shown),
        ];
        store.put_bills(&all, &[], &[]).await.unwrap();
        let own = store.own_bills(2).await.unwrap();
        assert_eq!(own.iter().map(|bill| bill.inv_id).collect::<Vec<_>>(), [4, 2]);
    }
}
