use super::*;
use crate::model::outbox::ItemState;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn head(id: &str, number: &str) -> InvoiceHead {
    InvoiceHead {
        id: RecordId::new(id),
        number: number.into(),
        grand_total: Some("106.00".parse().unwrap()),
        customer: "Asha".into(),
        created: String::new(),
        updated: "u1".into(),
        date: NaiveDate::from_ymd_opt(2026, 3, 31),
        stamped: None,
    }
}

fn store() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Store::open(&folder.path().join("store.sqlite")).unwrap(), folder)
}

async fn done(store: &Store, id: &str, inv_id: i32) {
    let mut item = store.item(&RecordId::new(id)).await.unwrap().unwrap();
    item.state = ItemState::Done;
    item.inv_id = Some(inv_id);
    item.done_at = Some(at(5));
    store.put(&item).await.unwrap();
}

#[tokio::test]
async fn what_was_put_survives_a_new_start() {
    let (store, folder) = store();
    store.take_up(&[head("a", "GST-1")], at(0)).await.unwrap();
    let mut item = store.item(&RecordId::new("a")).await.unwrap().unwrap();
    item.state = ItemState::Held;
    item.attempts = 3;
    item.fault = Some(Fault::data("Item is not in RainTek."));
    item.first_failed = Some(at(1));
    item.next_try = at(60);
    item.digest = Some("abc".into());
    item.stamped_failed = Some("Item is not in RainTek.".into());
    store.put(&item).await.unwrap();
    drop(store);
    let store = Store::open(&folder.path().join("store.sqlite")).unwrap();
    assert_eq!(store.item(&item.record_id).await.unwrap(), Some(item));
}

#[tokio::test]
async fn invoices_of_one_number_keep_their_order_and_others_do_not_wait() {
    let (store, _folder) = store();
    let heads = [head("a", "GST-1"), head("b", "GST-1"), head("c", "GST-2")];
    store.take_up(&heads, at(0)).await.unwrap();
    let ids = |items: Vec<Item>| items.iter().map(|i| i.record_id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(store.due(at(0), 10).await.unwrap()), ["a", "c"]);
    let mut first = store.item(&RecordId::new("a")).await.unwrap().unwrap();
    first.state = ItemState::Held;
    first.next_try = at(3600);
    store.put(&first).await.unwrap();
    // Held for a person it may stand for days: the others are looked at meanwhile, but never beside it.
    assert_eq!(ids(store.due(at(0), 10).await.unwrap()), ["b", "c"]);
    assert_eq!(ids(store.due(at(3600), 10).await.unwrap()), ["a", "c"]);
    first.state = ItemState::Unknown;
    store.put(&first).await.unwrap();
    assert_eq!(ids(store.due(at(0), 10).await.unwrap()), ["c"], "it may stand in RainTek");
    first.state = ItemState::Applied;
    first.inv_id = Some(7);
    store.put(&first).await.unwrap();
    assert_eq!(ids(store.due(at(0), 10).await.unwrap()), ["b", "c"]);
}

#[tokio::test]
async fn a_known_invoice_is_looked_at_again_only_when_it_was_written_or_lost_its_stamp() {
    let (store, _folder) = store();
    let seen = head("a", "GST-1");
    assert_eq!(store.take_up(std::slice::from_ref(&seen), at(0)).await.unwrap().new, 1);
    assert_eq!(store.take_up(std::slice::from_ref(&seen), at(1)).await.unwrap(), TakenUp::default());
    done(&store, "a", 7).await;
    let stamped = InvoiceHead { stamped: Some(7), ..seen.clone() };
    assert_eq!(store.take_up(std::slice::from_ref(&stamped), at(2)).await.unwrap(), TakenUp::default());
    let written = InvoiceHead { updated: "u2".into(), ..stamped };
    assert_eq!(store.take_up(&[written], at(2)).await.unwrap().recheck, [RecordId::new("a")]);
    assert_eq!(store.take_up(&[seen], at(2)).await.unwrap().recheck, [RecordId::new("a")]);
}

#[tokio::test]
async fn a_withdrawn_invoice_comes_back_as_new() {
    let (store, _folder) = store();
    store.take_up(&[head("a", "GST-1")], at(0)).await.unwrap();
    let mut item = store.item(&RecordId::new("a")).await.unwrap().unwrap();
    item.state = ItemState::Withdrawn;
    store.put(&item).await.unwrap();
    assert!(store.due(at(9), 10).await.unwrap().is_empty());
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(store.take_up(&[head("a", "GST-1")], at(10)).await.unwrap().new, 1);
    assert_eq!(store.due(at(10), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn counts_and_retry_see_only_what_is_open() {
    let (store, _folder) = store();
    let heads = [head("a", "GST-1"), head("b", "GST-2"), head("c", "GST-3")];
    store.take_up(&heads, at(0)).await.unwrap();
    done(&store, "a", 7).await;
    let mut held = store.item(&RecordId::new("b")).await.unwrap().unwrap();
    held.state = ItemState::Held;
    held.next_try = at(3600);
    store.put(&held).await.unwrap();
    let today = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
    let counts = store.counts(today).await.unwrap();
    assert_eq!(counts, Counts { waiting: 1, held: 1, done_today: 1, seen_today: 3, done_total: 1 });
    assert_eq!(store.counts(today.succ_opt().unwrap()).await.unwrap().seen_today, 0);
    assert_eq!(store.make_due(Some("GST-1"), at(1)).await.unwrap(), 0);
    assert_eq!(store.make_due(Some("GST-2"), at(1)).await.unwrap(), 1);
    assert_eq!(store.due(at(1), 10).await.unwrap().len(), 2);
    assert_eq!(store.open_items(10).await.unwrap()[0].number, "GST-2", "held ones first");
    let several = store.items(&["c", "x", "a"].map(RecordId::new)).await.unwrap();
    let numbers: Vec<_> = several.iter().map(|item| item.number.as_str()).collect();
    assert_eq!(numbers, ["GST-3", "GST-1"], "in the order they were asked for, without what is not known");
    assert_eq!(store.owner_of(7).await.unwrap().unwrap().number, "GST-1");
    assert_eq!(store.booked_under("GST-1").await.unwrap().unwrap().inv_id, Some(7));
    assert_eq!(store.booked_under("GST-9").await.unwrap(), None);
    let beside = async |number, id: &str| store.booked_beside(number, &RecordId::new(id)).await.unwrap();
    assert_eq!(beside("GST-1", "x").await, [RecordId::new("a")], "the number is taken by another");
    assert_eq!(beside("GST-1", "a").await, [], "but for itself");
    assert_eq!(beside("GST-2", "x").await, [], "what is held never stood there");
    let overview = store.overview(NaiveDate::MIN, 9, 9).await.unwrap();
    assert_eq!(overview.last_done, Some(("GST-1".into(), at(5))));
    // The next bill gets the Inv_ID again; the one before is still found by both.
    done(&store, "c", 7).await;
    let as_bill = async |number| store.proven_as(&BillKey::new(7, number)).await.unwrap();
    assert_eq!(as_bill("gst-1 ").await.unwrap().record_id, RecordId::new("a"));
    assert_eq!(as_bill("GST-3").await.unwrap().record_id, RecordId::new("c"));
    assert_eq!(as_bill("GST-2").await, None);
}

#[tokio::test]
async fn journal_and_named_values() {
    let (store, _folder) = store();
    let entry = |seconds, sentence: &str| Entry {
        at: at(seconds),
        kind: "push",
        number: "GST-1".into(),
        sentence: sentence.into(),
    };
    store.journal(entry(0, "first")).await.unwrap();
    store.journal(entry(1, "second")).await.unwrap();
    assert_eq!(store.activity(1).await.unwrap()[0].sentence, "second");
    store.set("cursor", Some("x")).await.unwrap();
    store.set("cursor", Some("y")).await.unwrap();
    assert_eq!(store.get("cursor").await.unwrap().as_deref(), Some("y"));
    store.set("cursor", None).await.unwrap();
    assert_eq!(store.get("cursor").await.unwrap(), None);
}

#[tokio::test]
async fn an_item_that_is_not_there_cannot_be_acknowledged() {
    let (store, _folder) = store();
    store.take_up(&[head("a", "GST-1")], at(0)).await.unwrap();
    let mut item = store.item(&RecordId::new("a")).await.unwrap().unwrap();
    item.record_id = RecordId::new("other");
    assert!(store.put(&item).await.is_err());
}

#[test]
fn a_store_of_a_newer_version_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let fault = Store::open(&path).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Config);
    assert!(fault.sentence.contains("newer ShopSync"));
}

#[test]
fn a_damaged_store_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    std::fs::write(&path, vec![7_u8; 8192]).unwrap();
    assert_eq!(Store::open(&path).unwrap_err().sentence, "ShopSync's own store is damaged.");
}

#[tokio::test]
async fn a_full_disk_takes_nothing_says_so_and_forgets_nothing() {
    let (store, folder) = store();
    store.take_up(&[head("a", "GST-1")], at(0)).await.unwrap();
    // As full as a disk can be: not one page more.
    let limit = |pages: &'static str| store.run(move |db| db.execute_batch(pages));
    limit("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA max_page_count = 1").await.unwrap();
    let mut refused = None;
    for at in 0..10_000 {
        let entry =
            Entry { at: self::at(at), kind: "note", number: String::new(), sentence: "x".repeat(2000) };
        if let Err(fault) = store.journal(entry).await {
            refused = Some((at, fault));
            break;
        }
    }
    let (written, fault) = refused.expect("the disk gets full");
    assert_eq!((fault.kind, fault.scope), (FaultKind::Transient, Scope::Store), "{fault}");
    assert!(fault.sentence.starts_with("The disk is full"), "{fault}");
    // Several things are stored together or not at all.
    let mut item = store.item(&RecordId::new("a")).await.unwrap().unwrap();
    item.state = ItemState::Done;
    item.inv_id = Some(7);
    let entry = Entry { at: at(0), kind: "push", number: String::new(), sentence: "x".repeat(100_000) };
    store.put_all(std::slice::from_ref(&item), &[entry]).await.unwrap_err();
    let there = store.item(&RecordId::new("a")).await.unwrap().unwrap();
    assert_eq!((there.state, there.inv_id), (ItemState::Waiting, None));
    assert!(store.activity(1).await.is_ok(), "what is stored can be read");

    limit("PRAGMA max_page_count = 1000000").await.unwrap();
    store.put(&item).await.unwrap();
    drop(store);
    let store = Store::open(&folder.path().join("store.sqlite")).unwrap();
    assert_eq!(store.item(&RecordId::new("a")).await.unwrap(), Some(item));
    assert_eq!(store.activity(u32::MAX).await.unwrap().len(), usize::try_from(written).unwrap());
}

#[tokio::test]
async fn booked_invoices_are_known_by_when_they_were_proven() {
    let (store, _folder) = store();
    let heads = [head("a", "GST-1"), head("b", "GST-2"), head("c", "GST-3"), head("d", "GST-4")];
    store.take_up(&heads, at(0)).await.unwrap();
    for (id, state, inv_id, done) in
        [("a", ItemState::Done, 1, 5), ("b", ItemState::Applied, 2, 50), ("c", ItemState::Withdrawn, 3, 50)]
    {
        let mut item = store.item(&RecordId::new(id)).await.unwrap().unwrap();
        (item.state, item.inv_id, item.done_at) = (state, Some(inv_id), Some(at(done)));
        store.put(&item).await.unwrap();
    }
    let ids = |ids: Vec<RecordId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        ids(store.booked(None).await.unwrap()),
        ["a", "b"],
        "neither one on its way nor one taken back"
    );
    assert_eq!(ids(store.booked(Some(at(6))).await.unwrap()), ["b"]);
}

#[tokio::test]
async fn only_what_is_found_again_by_itself_does_not_wait_for_the_disk() {
    let (store, _folder) = store();
    let level = |db: &mut Connection| db.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0));
    let (normal, full) = (1, 2);
    assert_eq!(store.run(level).await.unwrap(), full);
    assert_eq!(store.run_in_order(level).await.unwrap(), normal);
    assert_eq!(store.run(level).await.unwrap(), full);
    // Also where it went wrong.
    store.run_in_order(|db| db.execute_batch("no such statement")).await.unwrap_err();
    assert_eq!(store.run(level).await.unwrap(), full);
}

/// What is kept of the last look is never older than what another connection reads from the file.
#[tokio::test]
async fn an_overview_is_that_of_this_moment_whatever_was_written() {
    let (store, folder) = store();
    let path = folder.path().join("store.sqlite");
    let today = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
    let (id, key) = (RecordId::new("a"), BillKey::new(7, "GST-7"));
    let entry = Entry { at: at(3), kind: "pc", number: String::new(), sentence: "said".into() };
    let bill = KnownBill {
        inv_id: 7,
        number: "GST-7".into(),
        day: today,
        digest: String::new(),
        record_id: None,
        state: crate::model::awareness::BillState::Edited,
        sentence: Some("Changed.".into()),
    };
    let mut before = None;
    for step in 0..10 {
        match step {
            0 => {}
            1 => drop(store.take_up(&[head("a", "GST-1"), head("b", "GST-2")], at(0)).await.unwrap()),
            2 => {
                let mut item = store.item(&id).await.unwrap().unwrap();
                item.state = ItemState::Held;
                item.next_try = at(900);
                store.put(&item).await.unwrap();
            }
            3 => assert_eq!(store.make_due(None, at(1)).await.unwrap(), 2),
            4 => done(&store, "b", 3).await,
            5 => store.put_bills(std::slice::from_ref(&bill), &[], &[]).await.unwrap(),
            6 => store.put_bills(&[], std::slice::from_ref(&key), &[]).await.unwrap(),
            7 => store.journal(entry.clone()).await.unwrap(),
            8 => {
                let item = store.item(&id).await.unwrap().unwrap();
                store.put_in_order(&[Item { attempts: 5, ..item }], &[]).await.unwrap();
            }
            _ => store.flush().await.unwrap(),
        }
        let overview = store.overview(today, 9, 9).await.unwrap();
        let read = Store::open(&path).unwrap().overview(today, 9, 9).await.unwrap();
        assert_eq!(overview, read, "step {step}");
        assert_eq!(before.replace(read.clone()) != Some(read), step < 9, "step {step} changes what is shown");
    }
    let other_day = store.overview(today.succ_opt().unwrap(), 9, 9).await.unwrap();
    assert_eq!(
        (other_day.counts.seen_today, store.overview(today, 1, 0).await.unwrap().activity.len()),
        (0, 0)
    );
}
