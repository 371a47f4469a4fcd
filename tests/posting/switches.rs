//! Settings that change, tables that are missing, and rows and bills that are not ours.

use chrono::NaiveDate;
use raintek_sandbox::till::Bill;
use serde_json::Value;
use shopsync::model::bill::Conflict;
use shopsync::model::invoice::Invoice;

use crate::basket::{bill_of, invoice_of, list, text};
use crate::shop::{End, Shop};
use crate::{LEDGERS, OFF, ON};

async fn made_by_till(shop: &Shop, seed: u64) -> Invoice {
    let mut till = shop.till();
    let date = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
    let payments = vec![("By Cash".to_owned(), 100)];
    let bill = Bill { customer: 2, payments, gst: true, ..till.random_bill(seed, date).await.unwrap() };
    let billed = till.bill(&bill).await.unwrap();
    let dump = shop.dump().await;
    invoice_of(&dump, bill_of(&dump, &billed.number))
}

/// The same sale with every quantity doubled.
fn doubled(invoice: &Invoice) -> Invoice {
    let mut invoice = invoice.clone();
    invoice.lines.extend(invoice.lines.clone());
    invoice.item_count = u32::try_from(invoice.lines.len()).ok();
    let two = rust_decimal::Decimal::TWO;
    invoice.taxable *= two;
    for tax in
        [&mut invoice.taxes.cgst, &mut invoice.taxes.sgst, &mut invoice.taxes.igst, &mut invoice.taxes.cess]
    {
        *tax *= two;
    }
    invoice.round_off *= two;
    invoice.discount *= two;
    invoice.grand_total *= two;
    invoice.amount_paid *= two;
    invoice.payments.iter_mut().for_each(|payment| payment.amount *= two);
    invoice
}

fn stock(dump: &Value) -> Vec<Value> {
    list(dump, "Product").iter().map(|row| row["Temp_Stock"].clone()).collect()
}

fn books(dump: &Value) -> Vec<usize> {
    ["LedgerBook", "CustomerLedgerBook", "BankAccountLedger", "StockMovement"]
        .map(|table| list(dump, table).len())
        .to_vec()
}

#[tokio::test]
async fn switched_on_later_a_bill_is_posted_when_its_lines_are_next_written() {
    let theirs = Shop::open();
    let invoice = made_by_till(&theirs, 8).await;
    let lines = invoice.lines.len();
    let shop = Shop::open();
    let before = shop.dump().await;
    assert_eq!(shop.sync(OFF).send(&invoice, None).await.unwrap(), End::Written(1));
    let on = shop.sync(ON);
    assert_eq!(on.send(&invoice, Some(1)).await.unwrap(), End::Nothing(1));
    assert_eq!(shop.dump().await["Product"], before["Product"]);
    // A note changes no line: the ledgers come, the stock stays as it was.
    let noted = Invoice { notes: "Deliver on Friday.".into(), ..invoice.clone() };
    assert_eq!(on.send(&noted, Some(1)).await.unwrap(), End::Written(1));
    let dump = shop.dump().await;
    assert_eq!((books(&dump), stock(&dump)), (vec![2, 2, 0, 0], stock(&before)));
    // The lines change, and go out of stock as they are now.
    assert_eq!(on.send(&doubled(&invoice), Some(1)).await.unwrap(), End::Written(1));
    assert_eq!(on.send(&doubled(&invoice), Some(1)).await.unwrap(), End::Nothing(1));
    assert_eq!(books(&shop.dump().await), [2, 2, 0, 2 * lines]);
    // Back to the first content: just what the till's own bill of it leaves.
    assert_eq!(on.send(&invoice, Some(1)).await.unwrap(), End::Written(1));
    let dump = shop.dump().await;
    assert_eq!((books(&dump), stock(&dump)), (vec![2, 2, 0, lines], stock(&theirs.dump().await)));
    // Switched off, what was posted is still taken back with the bill.
    let off = shop.sync(OFF);
    assert_eq!(off.remove(&invoice.number, invoice.tax_type, 1).await.unwrap(), End::Gone);
    let dump = shop.dump().await;
    assert_eq!((books(&dump), stock(&dump)), (vec![0; 4], stock(&before)));
}

#[tokio::test]
async fn a_bill_of_ours_that_changes_its_number_takes_its_postings_along() {
    let invoice = made_by_till(&Shop::open(), 8).await;
    let shop = Shop::open();
    let sync = shop.sync(ON);
    sync.send(&invoice, None).await.unwrap();
    let before = shop.dump().await;
    let other = Invoice { number: "GST-0099-2025/26".into(), ..invoice };
    assert_eq!(sync.send(&other, Some(1)).await.unwrap(), End::Written(1));
    let after = shop.dump().await;
    assert_eq!((books(&after), stock(&after)), (books(&before), stock(&before)));
    for row in list(&after, "LedgerBook") {
        assert_eq!(text(row, "LedgerNo"), "GST-0099-2025/26");
    }
    for row in list(&after, "StockMovement") {
        assert_eq!(text(row, "TransID"), "GST-0099-2025/26");
    }
}

#[tokio::test]
async fn a_bill_of_the_tills_own_is_never_touched() {
    let shop = Shop::open();
    let theirs = made_by_till(&shop, 8).await;
    let before = shop.dump().await;
    let sync = shop.sync(ON);
    let sent = sync.send(&doubled(&theirs), None).await.unwrap();
    assert!(matches!(sent, End::Conflict(Conflict::NumberTaken { inv_id: 1, .. })), "{sent:?}");
    let removal = sync.remove(&theirs.number, theirs.tax_type, 999).await.unwrap();
    assert!(matches!(removal, End::Conflict(Conflict::NumberTaken { .. })), "{removal:?}");
    assert_eq!(shop.dump().await, before);
}

#[tokio::test]
async fn rows_of_the_number_without_a_bill_hold_the_invoice() {
    let invoice = made_by_till(&Shop::open(), 8).await;
    let shop = Shop::open();
    shop.sql(&format!(
        "INSERT INTO CustomerLedgerBook (Date, Name, LedgerNo, Label, Debit, Credit, PartyID, CustNameid, Remarks) \
         VALUES ('2026-01-01', N'Somebody', N'{}', N'Sales', 5, 0, N'C-0002', N'', N'')",
        invoice.number
    ))
    .await;
    let before = shop.dump().await;
    let held = shop.sync(ON).send(&invoice, None).await.unwrap();
    let tables = vec!["CustomerLedgerBook".to_owned()];
    assert_eq!(held, End::Conflict(Conflict::PostingsTaken { tables }));
    assert_eq!(shop.dump().await, before);
    // Who does not post does not look there.
    assert_eq!(shop.sync(OFF).send(&invoice, None).await.unwrap(), End::Written(1));
}

#[tokio::test]
async fn a_missing_column_switches_its_part_off_and_leaves_the_rest() {
    let theirs = Shop::open();
    let invoice = made_by_till(&theirs, 8).await;
    let shop = Shop::open();
    shop.sql("ALTER TABLE StockMovement DROP COLUMN TransID").await;
    shop.sql("ALTER TABLE Customer DROP COLUMN Lvisitdate").await;
    let before = shop.dump().await;
    assert_eq!(shop.sync(ON).send(&invoice, None).await.unwrap(), End::Written(1));
    let after = shop.dump().await;
    assert_eq!((books(&after), &after["Product"]), (vec![2, 2, 0, 0], &before["Product"]));
    let shop = Shop::after(|file| {
        let store = rusqlite::Connection::open(file).unwrap();
        store.execute("DELETE FROM _columns WHERE tab = 'BankAccountLedger'", []).unwrap();
    });
    assert_eq!(shop.sync(ON).send(&invoice, None).await.unwrap(), End::Written(1));
    let after = shop.dump().await;
    assert_eq!((books(&after)[0], stock(&after)), (0, stock(&theirs.dump().await)));
}

#[tokio::test]
async fn a_new_customer_is_in_the_ledgers_by_its_new_number() {
    let mut invoice = made_by_till(&Shop::open(), 8).await;
    let customer = invoice.customer.as_mut().unwrap();
    (customer.name, customer.phone) = ("Asha Traders".into(), "90000 00001".into());
    let shop = Shop::open();
    let sync = shop.sync(LEDGERS);
    assert_eq!(sync.send(&invoice, None).await.unwrap(), End::Written(1));
    assert_eq!(sync.send(&invoice, None).await.unwrap(), End::Nothing(1));
    let dump = shop.dump().await;
    let customer = list(&dump, "Customer").last().unwrap();
    assert_eq!((text(customer, "CustomerID"), text(customer, "Name")), ("C-0009", "Asha Traders"));
    assert!(text(customer, "Lvisitdate").starts_with("2026-02-01"));
    for table in ["LedgerBook", "CustomerLedgerBook"] {
        assert!(list(&dump, table).iter().all(|row| text(row, "PartyID") == "C-0009"), "{table}");
    }
}
