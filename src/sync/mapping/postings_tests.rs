use super::*;
use crate::model::bill::{Desired, FoundBill, Value};
use crate::model::invoice::{Payment, PaymentKind};
use crate::model::posting::FoundPostings;
use crate::sync::fixtures::{context, decimal, found, invoice, schema};
use crate::sync::mapping::{MapContext, desired_bill};

fn asha() -> Found {
    let party = Party { key: "C-0007".into(), name: "Asha Traders".into() };
    Found { customer: Some(7), postings: FoundPostings { party, ..FoundPostings::default() }, ..found() }
}

fn on() -> MapContext {
    MapContext { posting: PostingSettings::ALL, ..context() }
}

/// 50 by cash, 40 by phone, and 16 on credit.
fn split() -> Invoice {
    let payment =
        |mode: &str, amount: &str| Payment { mode: PaymentKind(mode.into()), amount: decimal(amount) };
    Invoice {
        payment_method: PaymentKind("split".into()),
        payments: vec![payment("cash", "50"), payment("phonepe", "40")],
        ..invoice()
    }
}

fn desired(invoice: &Invoice, found: &Found) -> Desired {
    desired_bill(invoice, found, &schema(), &on()).unwrap()
}

fn shown(rows: &[Row], columns: &[&str]) -> Vec<String> {
    let cell = |row: &Row, column: &str| match row.get(column) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Date(date)) => date.date().to_string(),
        Some(_) => row.decimal(column).normalize().to_string(),
        None => "-".into(),
    };
    rows.iter()
        .map(|row| columns.iter().map(|column| cell(row, column)).collect::<Vec<_>>().join(" | "))
        .collect()
}

#[test]
fn a_split_bill_is_posted_as_raintek_writes_it() {
    let postings = desired(&split(), &asha()).postings;
    let number = "2026-03-31 | GST-0151-2025/26 | C-0007";
    for (book, party) in [(Book::LedgerBook, "PartyName"), (Book::CustomerLedgerBook, "CustNameid")] {
        let rows = shown(
            postings.books.rows(book),
            &["Date", "LedgerNo", "PartyID", "Name", "Label", "Debit", "Credit", party],
        );
        assert_eq!(
            rows,
            [
                format!("{number} | Asha Traders | Sales | 106 | 0 | Asha Traders"),
                format!("{number} | Cash Account | Receipt | 0 | 50 | Asha Traders"),
                format!("{number} | Bank Account | Receipt | 0 | 40 | Asha Traders"),
            ],
            "{book:?}"
        );
    }
    let columns = ["Date", "LedgerNo", "PartyID", "AccountNo", "Label", "Debit", "Credit"];
    assert_eq!(
        shown(postings.books.rows(Book::BankAccountLedger), &columns),
        [format!("{number} |  | Sale-PhonePe | 0 | 40")]
    );
    let columns = ["Date", "TransID", "ProductID", "OpeningStock", "StockIn", "StockOut"];
    assert_eq!(
        shown(postings.books.rows(Book::StockMovement), &columns),
        ["2026-03-31 | GST-0151-2025/26 | 11 | 0 | 0 | 3"]
    );
    assert_eq!(postings.last_prices[&11].decimal("LastPrice"), decimal("33.33"));
    assert!(postings.last_visit.unwrap().get("Lvisitdate").is_some());
}

#[test]
fn every_column_but_the_numbered_ones_is_filled() {
    let nobody = Found { customer: None, ..found() };
    for (found, given) in [(asha(), 1), (nobody, 2)] {
        let postings = desired(&split(), &found).postings;
        assert_eq!(postings.books.0.len(), 4);
        for (book, rows) in &postings.books.0 {
            let columns = schema().table(book.table()).unwrap().columns.len();
            let given = if book.is_ledger() { given } else { 1 };
            for row in rows {
                assert_eq!(row.0.len() + given, columns, "{book:?}");
                assert!(row.0.values().all(|value| *value != Value::Null), "{book:?}");
            }
        }
    }
}

#[test]
fn off_nothing_is_posted_but_for_a_bill_that_was() {
    let off = |found: &Found| desired_bill(&invoice(), found, &schema(), &context()).unwrap().postings;
    assert_eq!(off(&asha()), DesiredPostings::default());
    let mut posted = FoundBill::default();
    posted.postings.0.insert(Book::LedgerBook, vec![Row::default()]);
    let books = off(&Found { bills: vec![posted], ..asha() }).books;
    assert_eq!(books.0.keys().copied().collect::<Vec<_>>(), Book::ALL[..3]);
}

#[test]
fn what_a_database_cannot_hold_is_left_out_and_said() {
    let asked = PostingSettings::ALL;
    assert_eq!(possible(asked, &schema()), (asked, Vec::new()));
    let mut poor = schema();
    poor.tables.remove("StockMovement");
    poor.tables.get_mut("LedgerBook").unwrap().columns.retain(|column| column.name != "PartyID");
    let (can, sentences) = possible(asked, &poor);
    assert_eq!(can, PostingSettings::default());
    assert_eq!(
        sentences,
        [
            "Stock is not posted: RainTek's database has no table StockMovement. Switch it off in the settings.",
            "Ledgers are not posted: RainTek's database has no column LedgerBook.PartyID. Switch it off in the settings.",
        ]
    );
    assert_eq!(possible(PostingSettings::default(), &poor), (PostingSettings::default(), Vec::new()));
    let bill = desired_bill(&invoice(), &asha(), &poor, &on()).unwrap();
    assert_eq!(bill.postings, DesiredPostings::default());
}

#[test]
fn a_product_without_stock_of_that_barcode_is_noted() {
    let mut found = asha();
    found.postings.stock.insert(11, vec!["8901234567890".into()]);
    assert_eq!(desired(&invoice(), &found).notes, Vec::<String>::new());
    found.postings.stock.insert(11, vec!["0".into()]);
    assert_eq!(
        desired(&invoice(), &found).notes,
        [
            "The stock of P-0001 was not lowered: RainTek holds none of it under the barcode \"8901234567890\"."
        ]
    );
}
