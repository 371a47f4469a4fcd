use super::*;
use crate::model::ids::RecordId;
use crate::model::invoice::InvoiceHead;
use crate::model::outbox::ItemState;
use crate::ports::State as _;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn store() -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Store::open(&folder.path().join("store.sqlite")).unwrap(), folder)
}

fn message(seconds: i64, text: &str) -> Message {
    Message { at: at(seconds), level: Level::Warning, text: text.into() }
}

fn texts(queued: &[Queued]) -> Vec<(i64, &str)> {
    queued.iter().map(|queued| (queued.chat, queued.message.text.as_str())).collect()
}

#[tokio::test]
async fn every_event_survives_a_new_start_until_it_is_taken() {
    let (store, folder) = store();
    let text = || "D:\\\u{1F600}\n".to_owned();
    let events = [
        Event::BackupDone { raintek_bytes: u64::MAX, app_bytes: 0 },
        Event::BackupFailed { reason: text(), advice: String::new() },
        Event::Mismatch { number: text(), app_total: "2900.10".parse().unwrap(), raintek_total: None },
        Event::MismatchOver { number: text() },
        Event::Scanned { checked: 147, mismatches: 0 },
        Event::ClockWrong { seconds: i64::MIN },
        Event::ClockOver,
        Event::DiskNearlyFull { place: text(), free_bytes: 5 },
        Event::DiskOver { place: text() },
    ];
    for event in &events {
        store.raise(event, at(7)).await.unwrap();
    }
    drop(store);
    let store = Store::open(&folder.path().join("store.sqlite")).unwrap();
    let raised = store.raised(100).await.unwrap();
    assert!(raised.iter().all(|raised| raised.at == at(7)));
    assert_eq!(raised.iter().map(|raised| raised.event.clone()).collect::<Vec<_>>(), events);
    store.decide("{}", Some(raised[1].id), None, &[1]).await.unwrap();
    assert_eq!(store.raised(2).await.unwrap(), raised[2..4]);
}

#[tokio::test]
async fn events_that_nobody_takes_do_not_fill_the_disk() {
    let (store, _folder) = store();
    for _ in 0..MOST_EVENTS + 5 {
        store.raise(&Event::ClockOver, at(0)).await.unwrap();
    }
    let raised = store.raised(u32::MAX).await.unwrap();
    assert_eq!(i64::try_from(raised.len()).unwrap(), MOST_EVENTS);
}

#[tokio::test]
async fn a_decision_is_kept_whole_and_messages_wait_for_each_chat() {
    let (store, folder) = store();
    assert_eq!(store.memory().await.unwrap(), None);
    store.decide("one", None, Some(&message(0, "lost")), &[5, -7]).await.unwrap();
    store.decide("two", None, Some(&message(60, "back")), &[5, -7]).await.unwrap();
    drop(store);
    let store = Store::open(&folder.path().join("store.sqlite")).unwrap();
    assert_eq!(store.memory().await.unwrap().as_deref(), Some("two"));
    let queued = store.queued(at(0)).await.unwrap();
    assert_eq!(texts(&queued), [(5, "lost"), (-7, "lost"), (5, "back"), (-7, "back")]);
    assert_eq!(queued[0].message, message(0, "lost"));
    store.sent(&[queued[0].id, queued[2].id]).await.unwrap();
    assert_eq!(texts(&store.queued(at(0)).await.unwrap()), [(-7, "lost"), (-7, "back")]);
    // A day later the first is no longer worth sending.
    assert_eq!(texts(&store.queued(at(1)).await.unwrap()), [(-7, "back")]);
    assert_eq!(texts(&store.queued(at(0)).await.unwrap()), [(-7, "back")]);
}

#[tokio::test]
async fn a_chat_that_is_away_for_long_keeps_the_newest() {
    let (store, _folder) = store();
    for number in 0..MOST_QUEUED + 3 {
        store.decide("", None, Some(&message(number, &number.to_string())), &[5]).await.unwrap();
    }
    let queued = store.queued(at(0)).await.unwrap();
    assert_eq!(i64::try_from(queued.len()).unwrap(), MOST_QUEUED);
    assert_eq!(queued[0].message.text, "3");
}

#[tokio::test]
async fn caught_up_is_what_had_waited_and_is_proven_since() {
    let (store, _folder) = store();
    let take_up = async |id: &str, seen: i64| {
        let head = InvoiceHead {
            id: RecordId::new(id),
            number: id.into(),
            grand_total: None,
            customer: String::new(),
            created: String::new(),
            updated: String::new(),
            date: None,
            stamped: None,
        };
        store.take_up(&[head], at(seen)).await.unwrap();
    };
    let put = async |id: &str, state: ItemState, done: Option<i64>| {
        let mut item = store.item(&RecordId::new(id)).await.unwrap().unwrap();
        item.state = state;
        item.done_at = done.map(at);
        item.first_failed = (state == ItemState::Held).then(|| at(0));
        store.put(&item).await.unwrap();
    };
    let count = async || {
        let CatchUp { done, left } = store.catch_up(at(100), at(110)).await.unwrap();
        (done, left)
    };
    assert_eq!(count().await, (0, 0));
    for (id, seen) in [
        ("of yesterday", 0),
        ("waited", 50),
        ("lost answer", 60),
        ("held", 70),
        ("while off", 105),
        ("live", 111),
    ] {
        take_up(id, seen).await;
    }
    put("of yesterday", ItemState::Done, Some(10)).await;
    put("held", ItemState::Held, None).await;
    put("lost answer", ItemState::Unknown, None).await;
    assert_eq!(count().await, (0, 3));
    put("waited", ItemState::Done, Some(120)).await;
    put("lost answer", ItemState::Applied, Some(121)).await;
    put("live", ItemState::Done, Some(122)).await;
    assert_eq!(count().await, (2, 1));
    put("while off", ItemState::Done, Some(123)).await;
    assert_eq!(count().await, (3, 0));
}
