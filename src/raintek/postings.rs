//! Ledgers, stock movements and live stock: what stands under a number, and how a plan changes it.

use std::collections::BTreeMap;

use tiberius::{Query, Row as SqlRow};

use super::connect::Sql;
use super::lookup::small;
use super::statement::{Batch, quoted, results, select_list, unpadded};
use super::values::row;
use crate::model::bill::{FoundBill, Row, Value};
use crate::model::fault::Fault;
use crate::model::ids::{CustomerId, ProductId};
use crate::model::posting::{Book, Books, Party, PostingChange, kinds_of};
use crate::model::schema::{PosSchema, Table};
use crate::model::settings::PostingSettings;

/// Tells which book a row is of: all of them come in one answer.
const TAG: &str = "shopsync_book";

/// The books this installation has, with what is needed to find a bill's rows and to delete them one by one.
fn books(schema: &PosSchema) -> impl Iterator<Item = (Book, &Table)> {
    Book::ALL.into_iter().filter_map(|book| {
        let table = schema.table(book.table())?;
        let whole = table.column("ID").is_some() && table.column(book.number_column()).is_some();
        whole.then_some((book, table))
    })
}

/// SELECTs of what stands under some numbers.
pub(super) fn select(schema: &PosSchema, asked: PostingSettings, numbers: &str) -> String {
    books(schema)
        .filter(|(book, _)| book.is_in(asked))
        .map(|(book, table)| {
            format!(
                "SELECT N'{}' AS {TAG}, {} FROM {} WHERE {number} IN ({numbers}) ORDER BY [ID];\n",
                book.table(),
                select_list(table),
                quoted(&table.name),
                number = quoted(book.number_column()),
            )
        })
        .collect()
}

/// The same before anything is locked: always where postings are asked for, else only where a bill stands there.
/// These tables have no index on the number, and RainTek's till must not wait for a scan of ours.
pub(super) fn select_before(schema: &PosSchema, asked: PostingSettings, numbers: &str) -> String {
    let rest = select(schema, asked.others(), numbers);
    let mut text = select(schema, asked, numbers);
    if !rest.is_empty() {
        text.push_str(&format!("IF @bills > 0 OR @known IS NOT NULL\nBEGIN\n{rest}END;\n"));
    }
    text
}

/// Adds rows to their books.
pub(super) fn collect(rows: &[SqlRow], all: &mut Books) -> Result<(), Fault> {
    for sql in rows {
        let mut row = row(sql)?;
        let Some(Value::Text(tag)) = row.0.remove(TAG) else { continue };
        if let Some(book) = Book::ALL.into_iter().find(|book| book.table() == tag) {
            all.0.entry(book).or_default().push(row);
        }
    }
    Ok(())
}

/// Gives every bill the rows of its number; what is left belongs to none.
pub(super) fn hand_out(all: Books, bills: &mut [FoundBill]) -> Books {
    let mut stray = Books::default();
    for (book, rows) in all.0 {
        for row in rows {
            let number = row.text(book.number_column()).trim();
            let of_number =
                |bill: &&mut FoundBill| bill.info.text("InvoiceNo").trim().eq_ignore_ascii_case(number);
            let place = bills.iter_mut().find(of_number).map_or(&mut stray, |bill| &mut bill.postings);
            place.0.entry(book).or_default().push(row);
        }
    }
    stray
}

/// The highest IDs of books that the server does not number, true until the commit.
pub(super) async fn marks(
    sql: &mut Sql,
    schema: &PosSchema,
    asked: PostingSettings,
    bills: &[FoundBill],
) -> Result<BTreeMap<Book, i32>, Fault> {
    // A bill that was posted stays posted, whatever is asked for by now.
    let wanted = asked.or(kinds_of(bills));
    let plain: Vec<(Book, &Table)> =
        books(schema).filter(|(book, table)| book.is_in(wanted) && !table.is_identity("ID")).collect();
    if plain.is_empty() {
        return Ok(BTreeMap::new());
    }
    let list: Vec<String> = plain
        .iter()
        .map(|(book, table)| {
            let table = quoted(&table.name);
            format!("(SELECT MAX([ID]) FROM {table} WITH (UPDLOCK, HOLDLOCK)) AS {}", book.table())
        })
        .collect();
    let sets = results(sql, Query::new(format!("SELECT {}", list.join(", ")))).await?;
    let head = sets.first().and_then(|rows| rows.first()).map(row).transpose()?.unwrap_or_default();
    Ok(plain.into_iter().map(|(book, _)| (book, small(&head, book.table()))).collect())
}

/// Under which barcodes these products are in stock: SELECT for keys that stand as parameters already.
pub(super) fn select_stock(schema: &PosSchema, keys: &str) -> String {
    stock_table(schema)
        .map(|table| {
            let table = quoted(&table.name);
            format!("SELECT ProductID, Barcode FROM {table} WHERE ProductID IN ({keys});\n")
        })
        .unwrap_or_default()
}

/// The answer: every product that was asked for is there, if only without a barcode.
pub(super) fn stock(rows: &[SqlRow], asked: &[ProductId]) -> Result<BTreeMap<ProductId, Vec<String>>, Fault> {
    let mut all: BTreeMap<ProductId, Vec<String>> = asked.iter().map(|pid| (*pid, Vec::new())).collect();
    for sql in rows {
        let row = row(sql)?;
        all.entry(small(&row, "ProductID")).or_default().push(row.text("Barcode").trim().to_owned());
    }
    Ok(all)
}

fn stock_table(schema: &PosSchema) -> Option<&Table> {
    let columns = ["ProductID", "Barcode", "Qty"];
    schema.table("Temp_Stock").filter(|table| columns.iter().all(|name| table.column(name).is_some()))
}

/// Adds what a plan changes to the statements of its bill.
pub(super) fn write(
    batch: &mut Batch,
    schema: &PosSchema,
    change: &PostingChange,
    customer_id: CustomerId,
) -> Result<(), Fault> {
    let table = |name: &str| schema.table(name).ok_or_else(super::schema::not_read);
    for (book, ids) in &change.delete {
        for id in ids {
            batch.delete(table(book.table())?, &[("ID", *id)]);
        }
    }
    for (book, rows) in &change.insert.0 {
        batch.insert(table(book.table())?, rows);
    }
    // Where this installation keeps no live stock there is none to bring back.
    if let Some(table) = stock_table(schema) {
        for moved in &change.stock {
            let keys = [
                ("ProductID", Value::Int(moved.pid.into())),
                ("Barcode", Value::Text(moved.barcode.clone())),
            ];
            batch.add(table, "Qty", moved.quantity, &keys);
        }
    }
    for (pid, row) in &change.products {
        batch.update(table("Product")?, row, &[("PID", (*pid).into())]);
    }
    if let Some(row) = &change.customer {
        batch.update(table("Customer")?, row, &[("ID", customer_id.into())]);
    }
    Ok(())
}

/// Whose name and number the ledgers take, as a SELECT list beside ID and what the customer is found by.
pub(super) fn party_columns(customer: Option<&Table>) -> String {
    ["CustomerID", "Name"]
        .map(|name| match customer.and_then(|table| table.column(name)) {
            Some(column) => unpadded(None, column),
            None => format!("NULL AS {}", quoted(name)),
        })
        .join(", ")
}

/// Name and number of the customer that was found.
pub(super) fn party(row: &Row) -> Party {
    let text = |column| row.text(column).trim().to_owned();
    Party { key: text("CustomerID"), name: text("Name") }
}
