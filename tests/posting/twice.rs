//! Lost answers, aborted transactions and repeats: nothing is posted twice, and nothing by halves.

use chrono::NaiveDate;
use raintek_sandbox::till::Bill;
use serde_json::{Value, json};
use shopsync::model::invoice::Invoice;

use crate::ON;
use crate::basket::{bill_of, invoice_of, list, text};
use crate::shop::{End, Shop};

/// Two invoices of one number, and the tables as they are once the first, and then the second, is booked.
struct Story {
    first: Invoice,
    second: Invoice,
    empty: Value,
    booked: Value,
    changed: Value,
}

/// What a posting touches; the bill's own rows are for other tests.
fn postings(dump: &Value) -> Value {
    let without_ids = |table: &str| -> Vec<Value> {
        let mut rows: Vec<Value> = list(dump, table).to_vec();
        rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("ID")));
        rows.sort_by_key(Value::to_string);
        rows
    };
    json!({
        "LedgerBook": without_ids("LedgerBook"),
        "CustomerLedgerBook": without_ids("CustomerLedgerBook"),
        "BankAccountLedger": without_ids("BankAccountLedger"),
        "StockMovement": without_ids("StockMovement"),
        "Temp_Stock": list(dump, "Product").iter().map(|row| row["Temp_Stock"].clone()).collect::<Vec<_>>(),
    })
}

async fn story() -> Story {
    let shop = Shop::open();
    let empty = postings(&shop.dump().await);
    let mut till = shop.till();
    let date = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
    let payments = vec![("Google Pay".to_owned(), 100)];
    let first = Bill { payments: payments.clone(), gst: true, ..till.random_bill(8, date).await.unwrap() };
    let second = Bill { payments, gst: true, ..till.random_bill(9, date).await.unwrap() };
    let billed = till.bill(&first).await.unwrap();
    let dump = shop.dump().await;
    let (first, booked) = (invoice_of(&dump, bill_of(&dump, &billed.number)), postings(&dump));
    till.edit(&billed.number, &second).await.unwrap();
    let dump = shop.dump().await;
    let (second, changed) = (invoice_of(&dump, bill_of(&dump, &billed.number)), postings(&dump));
    assert_ne!(booked, changed);
    Story { first, second, empty, booked, changed }
}

async fn assert_posted(shop: &Shop, expected: &Value, when: &str) {
    let there = postings(&shop.dump().await);
    for (table, rows) in expected.as_object().unwrap() {
        assert_eq!(&there[table], rows, "{table} {when}");
    }
}

#[tokio::test]
async fn a_lost_answer_neither_doubles_nor_loses_a_posting() {
    let story = story().await;
    for (order, landed) in [("drop_before_commit", false), ("drop_after_commit", true)] {
        let shop = Shop::open();
        let sync = shop.sync(ON);
        let lose = || shop.order(json!({ "action": order }));
        let id = 1;

        lose().await;
        assert_eq!(sync.send(&story.first, None).await.unwrap(), End::Lost);
        assert_posted(&shop, if landed { &story.booked } else { &story.empty }, order).await;
        let expected = if landed { End::Nothing(id) } else { End::Written(id) };
        assert_eq!(sync.send(&story.first, None).await.unwrap(), expected, "{order}");
        assert_eq!(sync.send(&story.first, None).await.unwrap(), End::Nothing(id));
        assert_posted(&shop, &story.booked, order).await;

        lose().await;
        assert_eq!(sync.send(&story.second, Some(id)).await.unwrap(), End::Lost);
        assert_posted(&shop, if landed { &story.changed } else { &story.booked }, order).await;
        let expected = if landed { End::Nothing(id) } else { End::Written(id) };
        assert_eq!(sync.send(&story.second, Some(id)).await.unwrap(), expected, "{order}");
        assert_posted(&shop, &story.changed, order).await;

        lose().await;
        let (number, tax_type) = (&story.first.number, story.first.tax_type);
        assert_eq!(sync.remove(number, tax_type, id).await.unwrap(), End::Lost);
        assert_posted(&shop, if landed { &story.empty } else { &story.changed }, order).await;
        assert_eq!(sync.remove(number, tax_type, id).await.unwrap(), End::Gone);
        assert_posted(&shop, &story.empty, order).await;
    }
}

#[tokio::test]
async fn an_error_in_the_middle_leaves_no_half() {
    let story = story().await;
    // The posting's statements travel with the bill's own; whichever fails takes all of them back.
    for on in ["Invoice_Product", "[LedgerBook]", "[Temp_Stock]", "UPDATE [Customer]"] {
        let shop = Shop::open();
        let sync = shop.sync(ON);
        // The schema is read and the connection made before anything fails.
        sync.pull_products().await;
        shop.order(json!({ "action": "error", "number": 1205, "on": on })).await;
        assert!(sync.send(&story.first, None).await.is_err(), "{on}");
        assert_posted(&shop, &story.empty, on).await;
        assert!(list(&shop.dump().await, "InvoiceInfo").is_empty());
        assert_eq!(sync.send(&story.first, None).await.unwrap(), End::Written(1), "{on}");
        assert_posted(&shop, &story.booked, on).await;
    }
}

#[tokio::test]
async fn books_that_the_server_does_not_number_get_the_next_ids() {
    let story = story().await;
    let shop = Shop::after(|file| {
        let store = rusqlite::Connection::open(file).unwrap();
        let tables = "('LedgerBook', 'CustomerLedgerBook', 'BankAccountLedger', 'StockMovement')";
        let changed = store
            .execute(&format!("UPDATE _columns SET ident = 0 WHERE name = 'ID' AND tab IN {tables}"), [])
            .unwrap();
        assert_eq!(changed, 4);
    });
    shop.sql(
        "INSERT INTO LedgerBook (ID, Date, Name, LedgerNo, Label, Debit, Credit, PartyID, PartyName) \
         VALUES (40, '2026-01-01', N'Rent', N'R-1', N'Payment', 5, 0, N'', N'')",
    )
    .await;
    let sync = shop.sync(ON);
    assert_eq!(sync.send(&story.first, None).await.unwrap(), End::Written(1));
    let ids = |dump: &Value| -> Vec<String> {
        list(dump, "LedgerBook").iter().map(|row| text(row, "ID").to_owned()).collect()
    };
    assert_eq!(ids(&shop.dump().await), ["40", "41", "42"]);
    // Booked again with the setting off, it stays posted, and needs its numbers all the same.
    assert_eq!(shop.sync(crate::OFF).send(&story.second, Some(1)).await.unwrap(), End::Written(1));
    let dump = shop.dump().await;
    assert_eq!(ids(&dump), ["40", "43", "44"]);
    assert_eq!(postings(&dump)["StockMovement"], story.changed["StockMovement"]);
    assert_eq!(sync.remove(&story.first.number, story.first.tax_type, 1).await.unwrap(), End::Gone);
    assert_eq!(ids(&shop.dump().await), ["40"]);
}
