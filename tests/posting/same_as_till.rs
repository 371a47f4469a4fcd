//! The same baskets, billed by the till in one shop and sent by ShopSync in its twin: column by column the same.

use chrono::NaiveDate;
use raintek_sandbox::till::{Bill, Till};
use serde_json::Value;

use crate::basket::{bill_of, invoice_of, list, text};
use crate::shop::{End, Shop};
use crate::{LEDGERS, OFF, ON, STOCK};

const LEDGER_TABLES: [&str; 3] = ["LedgerBook", "CustomerLedgerBook", "BankAccountLedger"];

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, day).unwrap()
}

/// A basket of the till's making. Customer 7 has the phone of customer 3, who is the one found by it.
async fn basket(till: &mut Till, seed: u64, date: NaiveDate) -> Bill {
    let bill = till.random_bill(seed, date).await.unwrap();
    Bill { customer: if bill.customer == 7 { 3 } else { bill.customer }, ..bill }
}

/// Rows of a table without the numbers the server gives, in an order of their own.
///
/// One reading differs, and is left out: where a bill was paid partly by cash, the sandbox's till names every receipt
/// after `Cash Account`, ShopSync each after its own payment ("per payment a row `Receipt`", facts/raintek.md).
fn rows(dump: &Value, table: &str) -> Vec<String> {
    let in_part_by_cash = |number: &str| {
        let bill = list(dump, "InvoiceInfo").iter().find(|bill| text(bill, "InvoiceNo") == number);
        let payments = bill.map(|bill| list(bill, "Invoice_Payment")).unwrap_or_default();
        payments.len() > 1 && payments.iter().any(|row| text(row, "PaymentMode") == "By Cash")
    };
    let mut all: Vec<String> = list(dump, table)
        .iter()
        .map(|row| {
            let mut row = row.as_object().unwrap().clone();
            row.remove("ID");
            if row.get("Label").is_some_and(|label| label == "Receipt")
                && in_part_by_cash(row["LedgerNo"].as_str().unwrap())
            {
                row.remove("Name");
            }
            Value::Object(row).to_string()
        })
        .collect();
    all.sort();
    all
}

fn assert_same(till: &Value, ours: &Value, when: &str) {
    for table in LEDGER_TABLES.into_iter().chain(["StockMovement"]) {
        assert_eq!(rows(ours, table), rows(till, table), "{table} {when}");
    }
    // Live stock stands inside of its product, with the last price; the last visit in the customer.
    for table in ["Product", "Customer"] {
        for (ours, till) in list(ours, table).iter().zip(list(till, table)) {
            assert_eq!(ours, till, "{table} {when}");
        }
        assert_eq!(list(ours, table).len(), list(till, table).len());
    }
}

#[tokio::test]
async fn new_changed_and_removed_bills_are_posted_as_the_till_does() {
    let (theirs, ours) = (Shop::open(), Shop::open());
    let mut till = theirs.till();
    let sync = ours.sync(ON);
    let before = ours.dump().await;
    let (mut modes, mut sent) = (std::collections::BTreeSet::new(), Vec::new());
    for seed in 0..14 {
        let bill = basket(&mut till, seed, day(1 + u32::try_from(seed).unwrap())).await;
        modes.extend(bill.payments.iter().map(|(mode, _)| mode.clone()));
        let billed = till.bill(&bill).await.unwrap();
        let dump = theirs.dump().await;
        let invoice = invoice_of(&dump, bill_of(&dump, &billed.number));
        let End::Written(inv_id) = sync.send(&invoice, None).await.unwrap() else { panic!("{invoice:?}") };
        assert_eq!(inv_id, billed.inv_id);
        sent.push((billed.number, invoice.tax_type, inv_id));
    }
    assert_eq!(modes.len(), 4, "every kind of payment was there: {modes:?}");
    assert_same(&theirs.dump().await, &ours.dump().await, "after new bills");
    assert_ne!(before["Product"], ours.dump().await["Product"], "stock was moved");

    for ((seed, (number, tax_type, inv_id)), date) in (100..).zip(&sent).step_by(2).zip(2..) {
        let gst = *tax_type == shopsync::model::invoice::TaxType::Gst;
        let bill = Bill { gst, ..basket(&mut till, seed, day(date)).await };
        till.edit(number, &bill).await.unwrap();
        let dump = theirs.dump().await;
        let invoice = invoice_of(&dump, bill_of(&dump, number));
        assert_eq!(sync.send(&invoice, Some(*inv_id)).await.unwrap(), End::Written(*inv_id));
        assert_eq!(sync.send(&invoice, Some(*inv_id)).await.unwrap(), End::Nothing(*inv_id));
    }
    assert_same(&theirs.dump().await, &ours.dump().await, "after changed bills");

    for (number, tax_type, inv_id) in &sent {
        till.delete(number).await.unwrap();
        assert_eq!(sync.remove(number, *tax_type, *inv_id).await.unwrap(), End::Gone);
    }
    let after = ours.dump().await;
    assert_same(&theirs.dump().await, &after, "after removed bills");
    for table in LEDGER_TABLES.into_iter().chain(["StockMovement"]) {
        assert!(list(&after, table).is_empty(), "{table}");
    }
    for (after, before) in list(&after, "Product").iter().zip(list(&before, "Product")) {
        assert_eq!(after["Temp_Stock"], before["Temp_Stock"], "stock is where it began");
    }
}

#[tokio::test]
async fn each_setting_posts_its_own_part_and_off_posts_nothing() {
    let theirs = Shop::open();
    let mut till = theirs.till();
    let bill = Bill {
        payments: vec![("By Cash".into(), 50), ("PhonePe".into(), 50)],
        ..basket(&mut till, 3, day(3)).await
    };
    let billed = till.bill(&bill).await.unwrap();
    let till = theirs.dump().await;
    let invoice = invoice_of(&till, bill_of(&till, &billed.number));
    for posting in [OFF, STOCK, LEDGERS] {
        let shop = Shop::open();
        let before = shop.dump().await;
        shop.sync(posting).send(&invoice, None).await.unwrap();
        let after = shop.dump().await;
        for table in LEDGER_TABLES {
            let expected = if posting.ledgers { rows(&till, table) } else { Vec::new() };
            assert_eq!(rows(&after, table), expected, "{table} with {posting:?}");
        }
        let moved = if posting.stock { &till } else { &before };
        assert_eq!(after["StockMovement"], moved["StockMovement"], "{posting:?}");
        assert_eq!(after["Product"], moved["Product"], "{posting:?}");
        let visited = if posting.ledgers { &till } else { &before };
        assert_eq!(after["Customer"], visited["Customer"], "{posting:?}");
    }
}

#[tokio::test]
async fn a_receipt_stands_on_the_account_of_its_own_payment() {
    let theirs = Shop::open();
    let mut till = theirs.till();
    let bill = Bill {
        payments: vec![("By Cash".into(), 50), ("PhonePe".into(), 50)],
        ..basket(&mut till, 5, day(5)).await
    };
    let billed = till.bill(&bill).await.unwrap();
    let dump = theirs.dump().await;
    let invoice = invoice_of(&dump, bill_of(&dump, &billed.number));
    let ours = Shop::open();
    ours.sync(LEDGERS).send(&invoice, None).await.unwrap();
    let dump = ours.dump().await;
    for table in ["LedgerBook", "CustomerLedgerBook"] {
        let names: Vec<&str> = list(&dump, table)
            .iter()
            .filter(|row| text(row, "Label") == "Receipt")
            .map(|row| text(row, "Name"))
            .collect();
        assert_eq!(names, ["Cash Account", "Bank Account"], "{table}");
    }
}
