//! Bills as they stand, page by page, for the app to show. No lock is taken and no statement runs long: a page is two
//! round trips, so that a till never waits for a walk through the books.

use std::collections::HashMap;

use chrono::{NaiveDateTime, NaiveTime};
use tiberius::Query;

use super::connect::Sql;
use super::statement::{quoted, results, unpadded};
use super::values::row;
use crate::model::awareness::BillPage;
use crate::model::bill::{FoundBill, NumberMarks, Row};
use crate::model::fault::Fault;
use crate::model::ids::InvId;
use crate::model::schema::{PosSchema, Table};

/// What is followed of a bill, as far as this version of RainTek has it.
const INFO: [&str; 23] = [
    "Inv_ID",
    "InvoiceNo",
    "InvoiceDate",
    "TaxType",
    "Customer_ID",
    "CustomerID",
    "SubTotal",
    "CGST",
    "SGST",
    "IGST",
    "CESS",
    "TaxableAmt",
    "FreightCharges",
    "OtherCharges",
    "BillDiscount",
    "Total",
    "RoundOff",
    "GrandTotal",
    "TotalPaid",
    "Balance",
    "Remarks",
    "TillID",
    "Operator",
];
const LINE: [&str; 25] = [
    "InvoiceID",
    "IPo_ID",
    "ProductID",
    "Barcode",
    "SalesRate",
    "Qty",
    "DiscountPer",
    "Discount",
    "CGSTPer",
    "CGSTAmt",
    "SGSTPer",
    "SGSTAmt",
    "IGSTPer",
    "IGSTAmt",
    "CESSAmt",
    "TotalAmount",
    "Descr",
    "MRP",
    "TaxableAmt",
    "STaxType",
    "MainUnit",
    // The generation before GST.
    "SellingPrice",
    "VATPer",
    "VAT",
    "Amount",
];
const PAYMENT: [&str; 5] = ["InvoiceID", "IP_ID", "PaymentDate", "TotalPaid", "PaymentMode"];
/// Of the customer and the product, as the app shows them.
const CUSTOMER: [&str; 6] = ["Name", "Address", "City", "State", "ContactNo", "GSTIN"];
const PRODUCT: [&str; 4] = ["ProductCode", "ProductName", "HSNCode", "SalesUnit"];

/// So many Inv_IDs that are not on a page are read along with it rather than asked around.
const GAP: InvId = 8;

/// Reads a page.
pub(super) async fn page(
    sql: &mut Sql,
    schema: &PosSchema,
    page: &BillPage,
) -> Result<Vec<FoundBill>, Fault> {
    let table = |name: &str| schema.table(name).ok_or_else(super::schema::not_read);
    let info = table("InvoiceInfo")?;
    let customer_column = if info.column("Customer_ID").is_some() { "Customer_ID" } else { "CustomerID" };
    let text = format!(
        "SELECT TOP ({}) {}, {} FROM InvoiceInfo b LEFT JOIN Customer c ON c.ID = b.{} WHERE {} ORDER BY b.Inv_ID",
        page.limit,
        list(info, "b", &INFO),
        list(table("Customer")?, "c", &CUSTOMER),
        quoted(customer_column),
        condition(page),
    );
    let heads = one_set(sql, bound(text, page)).await?;
    let mut bills: Vec<FoundBill> =
        heads.into_iter().map(|info| FoundBill { info, ..FoundBill::default() }).collect();
    let stretches = stretches(bills.iter().map(FoundBill::inv_id));
    if stretches.is_empty() {
        return Ok(bills);
    }
    let text = format!(
        "SET NOCOUNT ON;\n\
         SELECT {}, {} FROM Invoice_Product l LEFT JOIN Product p ON p.PID = l.ProductID \
         WHERE {} ORDER BY l.InvoiceID, l.IPo_ID;\n\
         SELECT {} FROM Invoice_Payment y WHERE {} ORDER BY y.InvoiceID, y.IP_ID;",
        list(table("Invoice_Product")?, "l", &LINE),
        list(table("Product")?, "p", &PRODUCT),
        within("l.InvoiceID", stretches.len()),
        list(table("Invoice_Payment")?, "y", &PAYMENT),
        within("y.InvoiceID", stretches.len()),
    );
    let mut query = Query::new(text);
    for (first, last) in stretches {
        query.bind(first);
        query.bind(last);
    }
    let mut sets = results(sql, query).await?.into_iter();
    let mut next = || -> Result<HashMap<i64, Vec<Row>>, Fault> {
        let mut of_bill: HashMap<i64, Vec<Row>> = HashMap::new();
        for sql in sets.next().unwrap_or_default() {
            let row = row(&sql)?;
            of_bill.entry(row.int("InvoiceID")).or_default().push(row);
        }
        Ok(of_bill)
    };
    let (mut lines, mut payments) = (next()?, next()?);
    for bill in &mut bills {
        let id = i64::from(bill.inv_id());
        bill.lines = lines.remove(&id).unwrap_or_default();
        bill.payments = payments.remove(&id).unwrap_or_default();
    }
    Ok(bills)
}

/// Ascending Inv_IDs as stretches from first to last, between which more than [`GAP`] are left out: a bill of ten years
/// ago that was given a day of this week stands on the page of this week's bills.
fn stretches(ids: impl IntoIterator<Item = InvId>) -> Vec<(InvId, InvId)> {
    let mut stretches: Vec<(InvId, InvId)> = Vec::new();
    for id in ids {
        match stretches.last_mut() {
            Some((_, last)) if id.saturating_sub(*last) <= GAP => *last = id,
            _ => stretches.push((id, id)),
        }
    }
    stretches
}

/// Whether a column is within one of so many stretches, each two parameters.
fn within(column: &str, stretches: usize) -> String {
    let within = |at| format!("{column} >= @P{} AND {column} <= @P{}", 2 * at + 1, 2 * at + 2);
    (0..stretches).map(within).collect::<Vec<_>>().join(" OR ")
}

/// Counts what a walk through the pages would show.
pub(super) async fn count(sql: &mut Sql, page: &BillPage) -> Result<u64, Fault> {
    let text = format!("SELECT COUNT(*) AS bills FROM InvoiceInfo b WHERE {}", condition(page));
    let rows = one_set(sql, bound(text, page)).await?;
    Ok(rows.first().map(|row| u64::try_from(row.int("bills")).unwrap_or_default()).unwrap_or_default())
}

/// The highest number of each series, and how RainTek forms numbers.
pub(super) async fn number_marks(sql: &mut Sql, schema: &PosSchema) -> Result<NumberMarks, Fault> {
    let highest = |name: &str| match schema.table(name) {
        Some(table) => format!("(SELECT MAX(ID) FROM {})", quoted(&table.name)),
        None => "NULL".to_owned(),
    };
    let mut text = format!(
        "SELECT (SELECT MAX(Inv_ID) FROM InvoiceInfo) AS inv_id, {} AS gst, {} AS non_gst;",
        highest("SaleGST"),
        highest("SaleNoTax")
    );
    if let Some(table) = schema.table("Invcode") {
        let (codes, order) = (list(table, "v", &["Code", "c10"]), list(table, "v", &["ID"]));
        let order = if table.column("ID").is_some() { format!(" ORDER BY {order}") } else { String::new() };
        text.push_str(&format!("\nSELECT TOP (1) {codes} FROM {} v{order};", quoted(&table.name)));
    }
    let mut sets = results(sql, Query::new(format!("SET NOCOUNT ON;\n{text}"))).await?.into_iter();
    let mut next = || -> Result<Row, Fault> {
        let first = sets.next().unwrap_or_default().into_iter().next();
        Ok(first.map(|sql| row(&sql)).transpose()?.unwrap_or_default())
    };
    let (highest, codes) = (next()?, next()?);
    let small = |name: &str| i32::try_from(highest.int(name)).unwrap_or_default();
    Ok(NumberMarks {
        inv_id: small("inv_id"),
        gst: small("gst"),
        non_gst: small("non_gst"),
        code: codes.text("Code").trim().to_owned(),
        suffix: codes.text("c10").trim().to_owned(),
    })
}

fn condition(page: &BillPage) -> &'static str {
    if page.from.is_some() { "b.Inv_ID > @P1 AND b.InvoiceDate >= @P2" } else { "b.Inv_ID > @P1" }
}

fn bound(text: String, page: &BillPage) -> Query<'static> {
    let mut query = Query::new(text);
    query.bind(page.after);
    if let Some(from) = page.from {
        query.bind(NaiveDateTime::new(from, NaiveTime::MIN));
    }
    query
}

async fn one_set(sql: &mut Sql, query: Query<'_>) -> Result<Vec<Row>, Fault> {
    let sets = results(sql, query).await?;
    sets.into_iter().next().unwrap_or_default().iter().map(row).collect()
}

/// Those of the columns that the table has.
fn list(table: &Table, alias: &str, names: &[&str]) -> String {
    let there = names.iter().filter_map(|name| table.column(name));
    let columns: Vec<String> = there.map(|column| unpadded(Some(alias), column)).collect();
    if columns.is_empty() { "NULL AS [none]".to_owned() } else { columns.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bill_far_off_does_not_bring_all_between() {
        assert_eq!(stretches([]), []);
        assert_eq!(stretches([7]), [(7, 7)]);
        assert_eq!(stretches([1, 2, 3, 3 + GAP]), [(1, 3 + GAP)]);
        assert_eq!(
            stretches([1, 2, 3 + GAP, 90_000, 90_002]),
            [(1, 2), (3 + GAP, 3 + GAP), (90_000, 90_002)]
        );
        assert_eq!(stretches([InvId::MIN, InvId::MAX]), [(InvId::MIN, InvId::MIN), (InvId::MAX, InvId::MAX)]);
    }

    #[test]
    fn each_stretch_has_parameters_of_its_own() {
        assert_eq!(within("l.ID", 1), "l.ID >= @P1 AND l.ID <= @P2");
        assert_eq!(within("l.ID", 2), "l.ID >= @P1 AND l.ID <= @P2 OR l.ID >= @P3 AND l.ID <= @P4");
    }
}
