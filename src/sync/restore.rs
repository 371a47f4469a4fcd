//! A copy of a bill's rows, put back into RainTek: what would be written, and what a person is shown before.
//!
//! The copy becomes the desired bill of the ordinary plan, so that what is written, and whether it then stands there,
//! is decided by the one function that decides it everywhere.

use chrono::NaiveDate;

use super::awareness::{day, key};
use super::mapping::completed;
use super::numbering::counter_of;
use super::plan::{differences, plan, same_rows};
use super::posting::{ids, stock};
use crate::model::awareness::BillKey;
use crate::model::bill::{
    Conflict, Desired, DesiredCustomer, Difference, Found, FoundBill, InsertPlan, Lookup, Plan, ReplacePlan,
    Row, TILL_ID, Value,
};
use crate::model::ids::{CustomerId, InvId};
use crate::model::invoice::TaxType;
use crate::model::money::rupees;
use crate::model::posting::{Book, DesiredPostings, PostingChange, StockChange};
use crate::model::schema::{PosSchema, Table};
use crate::model::settings::PostingSettings;

/// Differences named before a person says yes.
const MOST_CHANGES: usize = 200;

/// Reads a file of `snapshots/`.
///
/// # Errors
/// One sentence: it is no copy of a bill.
pub fn read(text: &str) -> Result<FoundBill, String> {
    let bill: FoundBill = serde_json::from_str(text)
        .map_err(|error| format!("The file is no copy of a bill that ShopSync made ({error})."))?;
    let is_whole =
        bill.inv_id() > 0 && !number_of(&bill).is_empty() && day(&bill).is_some() && !bill.lines.is_empty();
    if is_whole {
        Ok(bill)
    } else {
        Err("The file is no whole copy of a bill: number, day or lines are missing.".into())
    }
}

/// What must be read under the lock.
pub fn lookup(copy: &FoundBill) -> Lookup {
    Lookup {
        number: number_of(copy).to_owned(),
        inv_id: Some(copy.inv_id()),
        tax_type: tax_type_of(copy),
        counter: counter_id(copy),
        product_codes: Vec::new(),
        phone: None,
    }
}

/// What is to be done so that the copy's rows stand in RainTek.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restore {
    /// They stand there.
    Nothing,
    /// To be written.
    Write {
        /// An Insert, or a Replace.
        plan: Box<Plan>,
        /// What a person is shown, line by line.
        words: Vec<String>,
    },
}

/// Decides. `found` is what [`lookup`] found under the lock.
///
/// # Errors
/// One sentence: why they cannot be put back.
pub fn plan_restore(copy: &FoundBill, found: &Found, schema: &PosSchema) -> Result<Restore, String> {
    refuse_other_bills(copy, found)?;
    refuse_other_tables(copy, schema)?;
    let desired = desired(copy, schema)?;
    let found = Found { known: Some(copy.inv_id()), ..found.clone() };
    let before = found.bills.iter().find(|bill| key(bill) == key(copy));
    match plan(&desired, &found) {
        Plan::Nothing { .. } => Ok(Restore::Nothing),
        Plan::Insert(mut insert) => {
            let taken = found.marks.counter_taken && insert.counter_row.is_some();
            if let Some(id) = counter_id(copy).filter(|_| taken) {
                return Err(format!(
                    "RainTek's counter {id} is another number's by now; {} cannot be put back as it was.",
                    desired.number
                ));
            }
            place(&mut insert, copy, schema);
            insert.postings = postings(copy, None, &found, schema);
            let words = words_of_insert(copy, &insert, schema);
            Ok(Restore::Write { plan: Box::new(Plan::Insert(insert)), words })
        }
        Plan::Replace(mut replace) => {
            replace.postings = postings(copy, before, &found, schema);
            if let (Some(lines), Some(table)) = (&mut replace.lines, schema.table("Invoice_Product")) {
                renumber(lines, &copy.lines, &replace.before.lines, table, "IPo_ID", found.marks.line_id);
            }
            let words = words_of_replace(copy, &replace, &desired);
            Ok(Restore::Write { plan: Box::new(Plan::Replace(replace)), words })
        }
        Plan::Conflict(Conflict::PostingsTaken { tables }) => Err(format!(
            "RainTek has entries of the number {} already, though no bill of it ({}).",
            desired.number,
            tables.join(", ")
        )),
        Plan::Conflict(_) | Plan::Remove(_) => {
            Err(format!("The number {} is another bill's by now.", desired.number))
        }
    }
}

/// What the copy says it is, in one line.
pub fn title(copy: &FoundBill) -> String {
    format!("{} ({})", number_of(copy), rupees(copy.info.decimal("GrandTotal")))
}

fn number_of(bill: &FoundBill) -> &str {
    bill.info.text("InvoiceNo").trim()
}

fn tax_type_of(bill: &FoundBill) -> TaxType {
    let is_non_gst = bill.info.text("TaxType").trim().eq_ignore_ascii_case(TaxType::NonGst.text());
    if is_non_gst { TaxType::NonGst } else { TaxType::Gst }
}

fn counter_id(copy: &FoundBill) -> Option<i32> {
    let counted = copy.counter.first().and_then(|row| i32::try_from(row.int("ID")).ok()).filter(|id| *id > 0);
    counted.or_else(|| counter_of(number_of(copy)))
}

fn refuse_other_bills(copy: &FoundBill, found: &Found) -> Result<(), String> {
    let wanted: BillKey = key(copy);
    for bill in found.bills.iter().filter(|bill| key(bill) != wanted) {
        let total = rupees(bill.info.decimal("GrandTotal"));
        if bill.inv_id() == wanted.inv_id {
            return Err(format!(
                "Inv_ID {} is RainTek's bill {} ({total}) by now; {} cannot be put back there.",
                wanted.inv_id,
                number_of(bill),
                number_of(copy)
            ));
        }
        if key(bill).number == wanted.number {
            return Err(format!(
                "The number {} is on another bill of RainTek by now (Inv_ID {}, {total}); the copy is of Inv_ID {}.",
                number_of(copy),
                bill.inv_id(),
                wanted.inv_id
            ));
        }
    }
    Ok(())
}

/// The copy's rows by the table they belong to.
fn tables(copy: &FoundBill) -> Vec<(&'static str, &[Row])> {
    let mut all: Vec<(&'static str, &[Row])> = vec![
        ("InvoiceInfo", std::slice::from_ref(&copy.info)),
        ("Invoice_Product", &copy.lines),
        ("Invoice_Payment", &copy.payments),
        (tax_type_of(copy).counter_table(), &copy.counter),
    ];
    all.extend(copy.postings.0.iter().map(|(book, rows)| (book.table(), rows.as_slice())));
    all
}

fn refuse_other_tables(copy: &FoundBill, schema: &PosSchema) -> Result<(), String> {
    for (name, rows) in tables(copy).into_iter().filter(|(_, rows)| !rows.is_empty()) {
        let Some(table) = schema.table(name) else {
            return Err(format!(
                "RainTek's database has no table {name} any more; the copy cannot be put back."
            ));
        };
        let missing = rows.iter().flat_map(|row| row.0.keys()).find(|column| table.column(column).is_none());
        if let Some(column) = missing {
            return Err(format!(
                "RainTek's table {name} has no column {column} any more; the copy cannot be put back as it was."
            ));
        }
    }
    Ok(())
}

/// The copy as a bill that is to stand in RainTek.
fn desired(copy: &FoundBill, schema: &PosSchema) -> Result<Desired, String> {
    let table =
        |name: &str| schema.table(name).ok_or_else(|| format!("RainTek's database has no table {name}."));
    let date = day(copy).unwrap_or(NaiveDate::MIN);
    let info_table = table("InvoiceInfo")?;
    let customer_column = ["Customer_ID", "CustomerID"]
        .into_iter()
        .find_map(|name| info_table.column(name))
        .map_or("Customer_ID", |column| column.name.as_str());
    let rows = |name: &str, rows: &[Row], numbered: &[&str]| -> Result<Vec<Row>, String> {
        let table = table(name)?;
        Ok(rows.iter().map(|row| completed(table, row.clone(), date, numbered)).collect())
    };
    let info = completed(info_table, copy.info.clone(), date, &["Inv_ID", customer_column]);
    let mut counter_row = copy.counter.first().cloned().unwrap_or_default();
    counter_row.0.retain(|name, _| !name.eq_ignore_ascii_case("ID"));
    if counter_row.0.is_empty() {
        counter_row.0.insert("InvNo".into(), Value::Text(number_of(copy).to_owned()));
    }
    let mut postings = DesiredPostings {
        wanted: PostingSettings::ALL,
        written: copy.postings.kinds(),
        ..DesiredPostings::default()
    };
    for book in Book::ALL.into_iter().filter(|book| schema.table(book.table()).is_some()) {
        postings.books.0.insert(book, rows(book.table(), copy.postings.rows(book), &["ID"])?);
    }
    Ok(Desired {
        number: number_of(copy).to_owned(),
        tax_type: tax_type_of(copy),
        counter: counter_id(copy),
        info,
        customer_column: customer_column.to_owned(),
        lines: rows("Invoice_Product", &copy.lines, &["IPo_ID", "InvoiceID"])?,
        payments: rows("Invoice_Payment", &copy.payments, &["IP_ID", "InvoiceID"])?,
        counter_row: schema.table(tax_type_of(copy).counter_table()).map(|_| counter_row),
        customer: DesiredCustomer::Existing(
            CustomerId::try_from(copy.info.int(customer_column)).unwrap_or_default(),
        ),
        postings,
        notes: Vec::new(),
    })
}

/// A bill that is not there goes where it stood.
fn place(insert: &mut InsertPlan, copy: &FoundBill, schema: &PosSchema) {
    let inv_id: InvId = copy.inv_id();
    insert.inv_id = inv_id;
    insert.info.0.insert("Inv_ID".into(), Value::Int(inv_id.into()));
    for row in insert.lines.iter_mut().chain(&mut insert.payments) {
        row.0.insert("InvoiceID".into(), Value::Int(inv_id.into()));
    }
    let parts = [
        ("Invoice_Product", "IPo_ID", &mut insert.lines, &copy.lines),
        ("Invoice_Payment", "IP_ID", &mut insert.payments, &copy.payments),
    ];
    for (name, column, rows, copied) in parts {
        if let Some(table) = schema.table(name) {
            // Numbers above these are free; whether one below is, nobody has looked.
            let highest = rows.first().map_or(0, |row| row.int(column)) - 1;
            renumber(rows, copied, &[], table, column, i32::try_from(highest).unwrap_or(i32::MAX));
        }
    }
}

/// Rows of a table that the server does not number keep their own numbers where those are theirs or free for sure.
fn renumber(rows: &mut [Row], copied: &[Row], own: &[Row], table: &Table, column: &str, highest: i32) {
    let is_free = |id: i64| id > i64::from(highest) || own.iter().any(|row| row.int(column) == id);
    if table.is_identity(column) || !copied.iter().all(|row| is_free(row.int(column))) {
        return;
    }
    for (row, copy) in rows.iter_mut().zip(copied) {
        row.0.insert(column.to_owned(), Value::Int(copy.int(column)));
    }
}

/// Makes the postings those of the copy. Stock follows as it does for any bill: the movements tell what was taken.
fn postings(
    copy: &FoundBill,
    before: Option<&FoundBill>,
    found: &Found,
    schema: &PosSchema,
) -> PostingChange {
    let mut change = PostingChange::default();
    let date = day(copy).unwrap_or(NaiveDate::MIN);
    for (book, table) in Book::ALL.into_iter().filter_map(|book| Some((book, schema.table(book.table())?))) {
        let wanted: Vec<Row> =
            copy.postings.rows(book).iter().map(|row| completed(table, row.clone(), date, &["ID"])).collect();
        let there = before.map(|bill| bill.postings.rows(book)).unwrap_or_default();
        if same_rows(&wanted, there) {
            continue;
        }
        change.delete.extend(ids(book, there));
        let highest = found.postings.marks.get(&book).copied();
        let mut rows = wanted;
        for ((row, copied), offset) in rows.iter_mut().zip(copy.postings.rows(book)).zip(1_i64..) {
            let id = highest.map_or(copied.int("ID"), |highest| i64::from(highest).saturating_add(offset));
            row.0.insert("ID".into(), Value::Int(id));
        }
        if !rows.is_empty() {
            change.insert.0.insert(book, rows);
        }
    }
    let lines = |bill: Option<&FoundBill>| {
        bill.filter(|bill| bill.postings.kinds().stock).map(|bill| bill.lines.clone()).unwrap_or_default()
    };
    change.stock = stock(&lines(before), &lines(Some(copy)));
    change
}

fn words_of_insert(copy: &FoundBill, insert: &InsertPlan, schema: &PosSchema) -> Vec<String> {
    let mut words = vec![
        format!("RainTek has no bill {} now.", number_of(copy)),
        format!("It would stand there again under Inv_ID {}: {}", copy.inv_id(), in_short(copy)),
    ];
    if schema.table("InvoiceInfo").is_some_and(|table| table.is_identity("Inv_ID")) {
        words.push("This RainTek numbers its bills itself, so that the Inv_ID will be a new one.".into());
    }
    words.extend(copy.lines.iter().zip(1..).map(|(row, at)| {
        format!(
            "  line {at}: product {}, {} x {} = {}",
            row.int("ProductID"),
            row.decimal("Qty").normalize(),
            rupees(row.decimal("SalesRate")),
            rupees(row.decimal("TotalAmount"))
        )
    }));
    words.extend(copy.payments.iter().zip(1..).map(|(row, at)| {
        format!("  payment {at}: {} {}", row.text("PaymentMode").trim(), rupees(row.decimal("TotalPaid")))
    }));
    words.push(match &insert.counter_row {
        Some(row) => format!("  counter: {}", row.int("ID")),
        None => "  counter: RainTek has counted this number already; it stays as it is".into(),
    });
    words.extend(posted(&insert.postings));
    words.push(ROW_NUMBERS.into());
    words
}

fn words_of_replace(copy: &FoundBill, plan: &ReplacePlan, desired: &Desired) -> Vec<String> {
    let before = &plan.before;
    let mut words = vec![
        format!("{} (Inv_ID {}) stands in RainTek now: {}", number_of(copy), copy.inv_id(), in_short(before)),
        format!("As the copy has it: {}", in_short(copy)),
        "What would change:".into(),
    ];
    let all = differences(desired, before);
    words.extend(all.iter().take(MOST_CHANGES).map(|difference| format!("  {}", change(difference))));
    if all.len() > MOST_CHANGES {
        words.push(format!("  and {} more", all.len() - MOST_CHANGES));
    }
    words.extend(moved(&plan.postings));
    let counted = |bill: &FoundBill| bill.counter.first().map(|row| row.int("ID"));
    if let (Some(now), Some(then)) = (counted(before), counted(copy))
        && now != then
    {
        words.push(format!(
            "The counter stays at {now} (the copy has {then}): the number is counted already."
        ));
    }
    words.push(ROW_NUMBERS.into());
    words.push("What stands there now is copied to a file of its own first.".into());
    words
}

const ROW_NUMBERS: &str = "Lines, payments and entries get new row numbers (IPo_ID, IP_ID, ID) where the server gives \
     them; everything else becomes as in the copy.";

fn in_short(bill: &FoundBill) -> String {
    let many = |n: usize, word: &str| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") };
    let till = bill.info.text("TillID").trim();
    let by =
        if till.eq_ignore_ascii_case(TILL_ID) { "ShopSync".to_owned() } else { format!("the till {till}") };
    let day = day(bill).map(|day| day.format("%d %b %Y").to_string()).unwrap_or_default();
    let entries: usize = bill.postings.0.values().map(Vec::len).sum();
    let entries = if entries == 0 {
        String::new()
    } else {
        format!(", {}", many(entries, "entry").replace("entrys", "entries"))
    };
    format!(
        "{day}, {}, {}, {}{entries}, saved by {by}.",
        rupees(bill.info.decimal("GrandTotal")),
        many(bill.lines.len(), "line"),
        many(bill.payments.len(), "payment")
    )
}

fn change(difference: &Difference) -> String {
    let Difference { table, row, column, desired, found } = difference;
    match (column.is_empty(), *table == "InvoiceInfo") {
        (true, _) => format!("{table}: {found} become {desired}"),
        (false, true) => format!("{table}.{column}: {found} becomes {desired}"),
        (false, false) => format!("{table}, row {}, {column}: {found} becomes {desired}", row + 1),
    }
}

fn posted(change: &PostingChange) -> Vec<String> {
    let rows = change.insert.0.iter().map(|(book, rows)| format!("  {}: {} rows", book.table(), rows.len()));
    rows.chain(moved(change)).collect()
}

fn moved(change: &PostingChange) -> Vec<String> {
    let words = |moved: &StockChange| {
        format!("  live stock of product {}: {:+}", moved.pid, moved.quantity.normalize())
    };
    change.stock.iter().map(words).collect()
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
