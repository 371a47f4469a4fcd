use super::*;
use crate::model::bill::{FoundBill, Row as Cells, Value};
use crate::model::invoice::InvoiceHead;
use crate::model::trial::PlannedWrite;
use crate::ports::State as _;
use crate::store::Store;

fn cells(column: &str, value: i64) -> Cells {
    Cells([(column.to_owned(), Value::Int(value))].into())
}

fn written(number: &str, inv_id: Option<i32>, planned: bool) -> TrialBill {
    let rows = FoundBill { info: cells("Inv_ID", 7), ..FoundBill::default() };
    TrialBill {
        number: number.into(),
        inv_id,
        record_id: RecordId::new("r1"),
        tax_type: TaxType::NonGst,
        bill: inv_id.map(|_| rows.clone()),
        planned: planned.then(|| PlannedWrite { bill: rows, new_customer: Some(cells("ID", 9)) }),
        own_counter: true,
        state: TrialState::Standing,
        sentence: None,
    }
}

fn head(id: &str) -> InvoiceHead {
    InvoiceHead {
        id: RecordId::new(id),
        number: format!("N-{id}"),
        grand_total: None,
        customer: String::new(),
        created: String::new(),
        updated: String::new(),
        date: None,
        stamped: None,
    }
}

#[tokio::test]
async fn what_was_about_to_be_written_is_kept_until_it_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = Store::open(&path).unwrap();
    let about_to = written("SINV-0007-26", None, true);
    store.put_bill(&about_to, None).await.unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(TrialStore::bill(&store, " sinv-0007-26 ").await.unwrap(), Some(about_to));

    // Read back under its Inv_ID, it takes the place of what had the Inv_ID under another number.
    store.put_bill(&written("SINV-0006-26", Some(7), false), None).await.unwrap();
    let customer = TrialCustomer { id: 9, row: cells("ID", 9), state: TrialState::Standing, sentence: None };
    let there = written("SINV-0007-26", Some(7), false);
    store.put_bill(&there, Some(&customer)).await.unwrap();
    assert_eq!(TrialStore::bills(&store).await.unwrap(), [there]);
    assert_eq!(TrialStore::customers(&store).await.unwrap(), [customer]);
    store.drop_bill("SINV-0007-26").await.unwrap();
    assert!(TrialStore::bills(&store).await.unwrap().is_empty());
}

#[tokio::test]
async fn only_what_came_from_the_trial_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).unwrap();
    let begin = TrialBegin { since: chrono::DateTime::UNIX_EPOCH, inv_mark: 40 };
    let before = [(AppKind::Invoice, RecordId::new("old")), (AppKind::Customer, RecordId::new("old"))];
    store.begin(&begin, &before).await.unwrap();
    assert_eq!(store.begun().await.unwrap(), Some(begin));
    assert_eq!(store.before().await.unwrap().len(), 2);
    store.take_up(&[head("old"), head("trial"), head("real")], chrono::DateTime::UNIX_EPOCH).await.unwrap();
    store.set("bills.cursor", Some("44")).await.unwrap();
    store.forget(&[RecordId::new("trial")], &[]).await.unwrap();
    let known: Vec<String> =
        store.known_invoices().await.unwrap().into_iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(known, ["old", "real"]);
    assert_eq!(store.get("bills.cursor").await.unwrap(), None);

    let left = BillKey::new(41, "GST-0041-2026/27");
    store.put_bill(&written("SINV-0007-26", Some(7), false), None).await.unwrap();
    store.disown(std::slice::from_ref(&left)).await.unwrap();
    store.disown(std::slice::from_ref(&left)).await.unwrap();
    store.end().await.unwrap();
    assert_eq!(store.begun().await.unwrap(), None);
    assert!(TrialStore::bills(&store).await.unwrap().is_empty() && store.before().await.unwrap().is_empty());
    assert_eq!(store.disowned().await.unwrap(), std::slice::from_ref(&left));
    store.own(&left).await.unwrap();
    assert!(store.disowned().await.unwrap().is_empty());
}
