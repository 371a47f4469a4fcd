//! What a plan needs to know: one round trip for a new bill, one more where a bill is there already or a customer
//! must be made.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use rust_decimal::Decimal;
use tiberius::{Query, Row as SqlRow};

use super::connect::Sql;
use super::postings;
use super::statement::{quoted, results, select_list, unpadded};
use super::values::row;
use crate::model::bill::{
    Former, Found, FoundBill, LineProduct, Lookup, Marks, OPERATOR, Row, TILL_ID, Value,
};
use crate::model::customer::phone_key;
use crate::model::fault::{Fault, Scope};
use crate::model::ids::{CustomerId, InvId, ProductId};
use crate::model::invoice::TaxType;
use crate::model::posting::{Books, FoundPostings, Party};
use crate::model::scan::MarkedBill;
use crate::model::schema::{PosSchema, Table};
use crate::model::settings::PostingSettings;

/// Milliseconds to wait for another ShopSync's transaction.
const LOCK_WAIT_MS: u32 = 10_000;
/// Keys in one IN list.
const MOST_KEYS: usize = 1_000;

/// The tables a push writes to.
const WRITTEN: [&str; 10] = [
    "InvoiceInfo",
    "Invoice_Product",
    "Invoice_Payment",
    "SaleGST",
    "SaleNoTax",
    "Customer",
    "LedgerBook",
    "CustomerLedgerBook",
    "BankAccountLedger",
    "StockMovement",
];

/// Reads everything: `locked` under the app lock with the marks kept true until the commit, for which a transaction
/// must be open; else as it is at the moment.
pub(super) async fn read(
    sql: &mut Sql,
    schema: &PosSchema,
    posting: PostingSettings,
    lookup: &Lookup,
    pids: &[ProductId],
    locked: bool,
) -> Result<Found, Fault> {
    let hint = if locked { " WITH (UPDLOCK, HOLDLOCK)" } else { "" };
    let lock = if locked {
        format!(
            "EXEC @lock = sp_getapplock @Resource = N'ShopSync', @LockMode = N'Exclusive', \
             @LockOwner = N'Transaction', @LockTimeout = {LOCK_WAIT_MS};"
        )
    } else {
        "SET @lock = 0;".to_owned()
    };
    let table = |name: &str| schema.table(name).ok_or_else(super::schema::not_read);
    let counter = match schema.table(lookup.tax_type.counter_table()) {
        Some(counter) => {
            let counter = quoted(&counter.name);
            format!(
                "(SELECT MAX(ID) FROM {counter}{hint}) AS max_counter, \
                 (SELECT COUNT(*) FROM {counter} WHERE ID = @P2) AS counter_taken, \
                 (SELECT COUNT(*) FROM {counter} WHERE InvNo = @P1) AS counter_has_number"
            )
        }
        // This version numbers one series only.
        None => "0 AS max_counter, 0 AS counter_taken, 0 AS counter_has_number".to_owned(),
    };
    let key_mark = |name: &str, key: &str| -> Result<String, Fault> {
        // The server numbers an identity itself; a plain key is given by us, under the lock.
        Ok(if table(name)?.is_identity(key) {
            "NULL".into()
        } else {
            format!("(SELECT MAX({}) FROM {}{hint})", quoted(key), quoted(name))
        })
    };
    let (state, columns) = (company_state(schema), column_count());
    // Bills are counted without a range lock: InvoiceNo has no index, and RainTek's till must not wait for ours.
    let mut text = format!(
        "SET NOCOUNT ON;\n\
         DECLARE @lock int, @bills int, @inv int, @known nvarchar(200);\n\
         {lock}\n\
         SELECT @bills = COUNT(*), @inv = MIN(Inv_ID) FROM InvoiceInfo WHERE InvoiceNo = @P1;\n\
         SELECT @known = RTRIM(InvoiceNo) FROM InvoiceInfo WHERE Inv_ID = @P4;\n\
         {standing}\
         SELECT @lock AS lock_result, @bills AS bills, @inv AS inv_id, \
         (SELECT MAX(Inv_ID) FROM InvoiceInfo{hint}) AS max_inv, \
         {counter}, \
         {columns}, {} AS max_line, {} AS max_payment, {state};\n",
        key_mark("Invoice_Product", "IPo_ID")?,
        key_mark("Invoice_Payment", "IP_ID")?,
        standing = if locked {
            postings::select_before(schema, posting, "@P1, @known")
        } else {
            postings::select(schema, posting, "@P1, @known")
        },
    );
    let party = postings::party_columns(schema.table("Customer"));
    let mut query_values: Vec<String> = Vec::new();
    match &lookup.phone {
        // Every way to write the number has its digits in this order; the exact match is made here, not there.
        Some(phone) => {
            text.push_str(&format!(
                "SELECT ID, ContactNo, {party} FROM Customer WHERE ContactNo LIKE @P3 ORDER BY ID;\n"
            ));
            let pattern: String = phone.chars().flat_map(|digit| ['%', digit]).chain(['%']).collect();
            query_values.push(pattern);
        }
        None => {
            text.push_str(&format!(
                "SELECT ID, Name AS walk_in, {party} FROM Customer WHERE Name = @P3 ORDER BY ID;\n"
            ));
            query_values.push("Cash".into());
        }
    }
    let product_columns = product_columns(table("Product")?);
    let first = pids.get(..pids.len().min(MOST_KEYS)).unwrap_or_default();
    if !first.is_empty() {
        let keys = Query::placeholders(5, first.len());
        text.push_str(&format!("SELECT {product_columns} FROM Product WHERE PID IN ({keys});\n"));
        if posting.stock {
            text.push_str(&postings::select_stock(schema, &keys));
        }
    }
    let mut query = Query::new(text);
    query.bind(lookup.number.clone());
    query.bind(lookup.counter.unwrap_or(0));
    query.bind_iter(query_values);
    query.bind(lookup.inv_id.unwrap_or(-1));
    query.bind_iter(first.iter().copied());
    let mut sets = results(sql, query).await?.into_iter();
    // What stands under the number comes first, in as many answers as there were tables to look at.
    let mut standing = Books::default();
    let mut head = Row::default();
    for rows in sets.by_ref() {
        match rows.first().map(row).transpose()? {
            Some(first) if first.get("lock_result").is_some() => {
                head = first;
                break;
            }
            _ => postings::collect(&rows, &mut standing)?,
        }
    }
    if !matches!(head.get("lock_result"), Some(Value::Int(0 | 1))) {
        return Err(Fault::transient(Scope::Item, "Another ShopSync is writing to RainTek. Trying again.")
            .detail(format!("sp_getapplock {:?}", head.get("lock_result"))));
    }
    check_columns(&head, schema)?;
    let (customer, party) = customer(&sets.next().unwrap_or_default(), lookup.phone.as_deref())?;
    let mut found = Found {
        bills: Vec::new(),
        products: products(&sets.next().unwrap_or_default())?,
        customer,
        company_state: head.text("company_state").trim().to_owned(),
        known: lookup.inv_id,
        former: None,
        marks: Marks {
            inv_id: small(&head, "max_inv"),
            customer_id: 0,
            counter: small(&head, "max_counter"),
            counter_taken: lookup.counter.is_none() || head.int("counter_taken") > 0,
            counter_has_number: head.int("counter_has_number") > 0,
            line_id: small(&head, "max_line"),
            payment_id: small(&head, "max_payment"),
            customer_number: 0,
        },
        postings: FoundPostings {
            party,
            stock: match posting.stock {
                true => postings::stock(&sets.next().unwrap_or_default(), first)?,
                false => BTreeMap::new(),
            },
            ..FoundPostings::default()
        },
    };
    missing_products(sql, &product_columns, lookup, &mut found).await?;
    if found.customer.is_none() && locked {
        customer_marks(sql, &mut found.marks).await?;
    }
    if head.int("bills") > 0 || lookup.inv_id.is_some() {
        let of_number = InvId::try_from(head.int("inv_id")).ok().filter(|id| *id > 0);
        let inv_id = of_number.or(lookup.inv_id);
        let read_already = PostingSettings::default();
        found.bills = bills(sql, schema, read_already, &lookup.number, inv_id, lookup.tax_type).await?;
        // The server may hold more texts for equal than are (letters its collation does not know): the rows that count
        // are those of the number itself.
        let itself = found.bills.iter().find(|bill| bill.has_number(&lookup.number)).map(FoundBill::inv_id);
        if let Some(other) = itself.filter(|id| Some(*id) != inv_id) {
            found.bills =
                bills(sql, schema, read_already, &lookup.number, Some(other), lookup.tax_type).await?;
        }
    }
    found.former = former(sql, schema, lookup, &found.bills).await?;
    found.postings.stray = postings::hand_out(standing, &mut found.bills);
    if locked {
        found.postings.marks = postings::marks(sql, schema, posting, &found.bills).await?;
    }
    Ok(found)
}

/// How many columns the tables have that a push writes to, as a column.
pub(super) fn column_count() -> String {
    let written = WRITTEN.map(|name| format!("N'{name}'")).join(", ");
    format!(
        "(SELECT COUNT(*) FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = N'dbo' AND TABLE_NAME IN ({written})) \
         AS column_count"
    )
}

/// A new version of RainTek alters its tables while we are connected: a column left out would be NULL.
/// This connection is dropped then, and the next one reads the tables anew.
pub(super) fn check_columns(head: &Row, schema: &PosSchema) -> Result<(), Fault> {
    let known: usize =
        WRITTEN.iter().filter_map(|name| schema.table(name)).map(|table| table.columns.len()).sum();
    if usize::try_from(head.int("column_count")) == Ok(known) {
        return Ok(());
    }
    Err(Fault::transient(Scope::Item, "RainTek's tables were just changed. Trying again.")
        .detail(format!("{} columns instead of {known}", head.int("column_count"))))
}

/// The shop's own state, as a column.
pub(super) fn company_state(schema: &PosSchema) -> &'static str {
    let company = schema.table("Company").filter(|company| company.column("State").is_some());
    match company.map(|company| company.column("ID").is_some()) {
        Some(true) => "(SELECT TOP (1) State FROM Company ORDER BY ID) AS company_state",
        Some(false) => "(SELECT TOP (1) State FROM Company) AS company_state",
        None => "NULL AS company_state",
    }
}

/// Every bill of a number, and the one of an Inv_ID with all its rows.
pub(super) async fn bills(
    sql: &mut Sql,
    schema: &PosSchema,
    posting: PostingSettings,
    number: &str,
    inv_id: Option<InvId>,
    tax_type: TaxType,
) -> Result<Vec<FoundBill>, Fault> {
    let table = |name: &str| schema.table(name).ok_or_else(super::schema::not_read);
    let counter = schema.table(tax_type.counter_table());
    let text = format!(
        "SET NOCOUNT ON;\n\
         SELECT {} FROM InvoiceInfo WHERE InvoiceNo = @P1 OR Inv_ID = @P2 ORDER BY Inv_ID;\n\
         SELECT {} FROM Invoice_Product WHERE InvoiceID = @P2 ORDER BY IPo_ID;\n\
         SELECT {} FROM Invoice_Payment WHERE InvoiceID = @P2 ORDER BY IP_ID;\n\
         {}{}",
        select_list(table("InvoiceInfo")?),
        select_list(table("Invoice_Product")?),
        select_list(table("Invoice_Payment")?),
        counter
            .map(|counter| format!(
                "SELECT ID, InvNo FROM {} WHERE InvNo = @P1 ORDER BY ID;\n",
                quoted(&counter.name)
            ))
            .unwrap_or_default(),
        postings::select(schema, posting, "@P1"),
    );
    let mut query = Query::new(text);
    query.bind(number.to_owned());
    query.bind(inv_id.unwrap_or(-1));
    let mut sets = results(sql, query).await?.into_iter();
    let mut next = || -> Result<Vec<Row>, Fault> {
        sets.next().unwrap_or_default().iter().map(row).collect::<Result<Vec<_>, _>>()
    };
    let (infos, lines, payments) = (next()?, next()?, next()?);
    let counter = if counter.is_some() { next()? } else { Vec::new() };
    let mut standing = Books::default();
    for rows in sets {
        postings::collect(&rows, &mut standing)?;
    }
    let mut bills: Vec<FoundBill> = infos
        .into_iter()
        .map(|info| {
            let mut bill = FoundBill { info, ..FoundBill::default() };
            if Some(bill.inv_id()) == inv_id {
                bill.lines.clone_from(&lines);
                bill.payments.clone_from(&payments);
                bill.counter.clone_from(&counter);
            }
            bill
        })
        .collect();
    postings::hand_out(standing, &mut bills);
    Ok(bills)
}

/// What stands under the number of the bill of the known Inv_ID, where the invoice carries another one by now.
async fn former(
    sql: &mut Sql,
    schema: &PosSchema,
    lookup: &Lookup,
    bills: &[FoundBill],
) -> Result<Option<Former>, Fault> {
    let known = bills.iter().find(|bill| Some(bill.inv_id()) == lookup.inv_id);
    let number = known.map(|bill| bill.info.text("InvoiceNo").trim()).unwrap_or_default();
    if number.is_empty() || number.eq_ignore_ascii_case(lookup.number.trim()) {
        return Ok(None);
    }
    let counter = match schema.table(lookup.tax_type.counter_table()) {
        Some(table) => {
            format!("SELECT ID, InvNo FROM {} WHERE InvNo = @P1 ORDER BY ID;\n", quoted(&table.name))
        }
        None => String::new(),
    };
    let mut query = Query::new(format!(
        "SET NOCOUNT ON;\n\
         SELECT COUNT(*) AS others FROM InvoiceInfo WHERE InvoiceNo = @P1 AND Inv_ID <> @P2;\n{counter}"
    ));
    query.bind(number.to_owned());
    query.bind(lookup.inv_id.unwrap_or(-1));
    let mut sets = results(sql, query).await?.into_iter();
    let others = sets.next().and_then(|rows| rows.into_iter().next());
    let others = others.map(|sql| row(&sql)).transpose()?.unwrap_or_default();
    let counter = sets.next().unwrap_or_default().iter().map(row).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Former { counter, shared: others.int("others") > 0 }))
}

/// Bills of ours per day: how many, and their grand totals.
pub(super) async fn our_days(
    sql: &mut Sql,
    schema: &PosSchema,
) -> Result<Vec<(NaiveDate, u64, Decimal)>, Fault> {
    let Some((column, mark)) = our_mark(schema)? else { return Ok(Vec::new()) };
    let mut query = Query::new(format!(
        "SELECT InvoiceDate, COUNT(*) AS bills, SUM(GrandTotal) AS total FROM InvoiceInfo WHERE {column} = @P1 \
         GROUP BY InvoiceDate"
    ));
    query.bind(mark);
    let mut days: BTreeMap<NaiveDate, (u64, Decimal)> = BTreeMap::new();
    for sql in results(sql, query).await?.into_iter().next().unwrap_or_default() {
        let row = row(&sql)?;
        if let Some(Value::Date(at)) = row.get("InvoiceDate") {
            // RainTek's days have no time; one that somebody gave a time is still of its day.
            let (bills, total) = days.entry(at.date()).or_default();
            *bills += u64::try_from(row.int("bills")).unwrap_or_default();
            *total += row.decimal("total");
        }
    }
    Ok(days.into_iter().map(|(day, (bills, total))| (day, bills, total)).collect())
}

/// The column and the text in it that make a bill ours: [`FoundBill::has_our_mark`].
fn our_mark(schema: &PosSchema) -> Result<Option<(String, &'static str)>, Fault> {
    let info = schema.table("InvoiceInfo").ok_or_else(super::schema::not_read)?;
    Ok(match (info.column("TillID"), info.column("Operator")) {
        (Some(till), _) => Some((quoted(&till.name), TILL_ID)),
        (None, Some(operator)) => Some((quoted(&operator.name), OPERATOR)),
        (None, None) => None,
    })
}

/// Bills of ours of one day.
pub(super) async fn our_bills(
    sql: &mut Sql,
    schema: &PosSchema,
    day: NaiveDate,
) -> Result<Vec<MarkedBill>, Fault> {
    let Some((column, mark)) = our_mark(schema)? else { return Ok(Vec::new()) };
    let mut query = Query::new(format!(
        "SELECT Inv_ID, InvoiceNo, InvoiceDate, GrandTotal, {column} FROM InvoiceInfo \
         WHERE {column} = @P1 AND InvoiceDate >= @P2 AND InvoiceDate < @P3 ORDER BY Inv_ID"
    ));
    query.bind(mark);
    query.bind(day.and_time(NaiveTime::MIN));
    query.bind(day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN));
    let rows = results(sql, query).await?.into_iter().next().unwrap_or_default();
    let bill = |sql: &SqlRow| -> Result<Option<MarkedBill>, Fault> {
        Ok(FoundBill { info: row(sql)?, ..FoundBill::default() }.marked(day))
    };
    rows.iter().filter_map(|sql| bill(sql).transpose()).collect()
}

pub(super) fn product_columns(table: &Table) -> String {
    ["PID", "ProductCode", "CostPrice", "CESS", "Barcode", "STax", "SalesUnit"]
        .map(|name| match table.column(name) {
            Some(column) => unpadded(None, column),
            None => format!("NULL AS {}", quoted(name)),
        })
        .join(", ")
}

/// Products the last pass did not know, or that have another code by now, are looked up by their code.
async fn missing_products(
    sql: &mut Sql,
    columns: &str,
    lookup: &Lookup,
    found: &mut Found,
) -> Result<(), Fault> {
    let missing: Vec<&String> = lookup
        .product_codes
        .iter()
        .filter(|code| !found.products.iter().any(|product| product.code.eq_ignore_ascii_case(code)))
        .collect();
    for chunk in missing.chunks(MOST_KEYS) {
        let keys = Query::placeholders(1, chunk.len());
        let mut query = Query::new(format!("SELECT {columns} FROM Product WHERE ProductCode IN ({keys})"));
        query.bind_iter(chunk.iter().map(|code| (*code).clone()));
        let sets = results(sql, query).await?;
        found.products.extend(products(&sets.into_iter().next().unwrap_or_default())?);
    }
    Ok(())
}

pub(super) fn products(rows: &[SqlRow]) -> Result<Vec<LineProduct>, Fault> {
    rows.iter()
        .map(|sql| {
            let row = row(sql)?;
            Ok(LineProduct {
                pid: small(&row, "PID"),
                code: row.text("ProductCode").trim().to_owned(),
                cost_price: row.decimal("CostPrice"),
                cess_percent: row.decimal("CESS"),
                barcode: row.text("Barcode").trim().to_owned(),
                tax_mode: row.text("STax").trim().to_owned(),
                unit: row.text("SalesUnit").trim().to_owned(),
            })
        })
        .collect()
}

/// The lowest ID whose phone reads the same, or the walk-in customer, and whom the ledgers name.
fn customer(rows: &[SqlRow], phone: Option<&str>) -> Result<(Option<CustomerId>, Party), Fault> {
    let mut lowest: Option<CustomerId> = None;
    let mut party = Party::default();
    for sql in rows {
        let row = row(sql)?;
        let matches = match phone {
            Some(phone) => phone_key(row.text("ContactNo")).as_deref() == Some(phone),
            None => true,
        };
        let id = small(&row, "ID");
        if matches && id > 0 && lowest.is_none_or(|lowest| id < lowest) {
            lowest = Some(id);
            party = postings::party(&row);
        }
    }
    Ok((lowest, party))
}

/// Numbers for a customer that is to be made, kept true until the commit.
async fn customer_marks(sql: &mut Sql, marks: &mut Marks) -> Result<(), Fault> {
    let query = Query::new(
        "SET NOCOUNT ON;\n\
         SELECT MAX(ID) AS max_id FROM Customer WITH (UPDLOCK, HOLDLOCK);\n\
         SELECT CustomerID FROM Customer WHERE CustomerID LIKE N'C-%';",
    );
    let mut sets = results(sql, query).await?.into_iter();
    if let Some(head) = sets.next().and_then(|rows| rows.into_iter().next()) {
        marks.customer_id = small(&row(&head)?, "max_id");
    }
    for sql in sets.next().unwrap_or_default() {
        let row = row(&sql)?;
        // RainTek's own form only; a hand-made `C-12A` does not count.
        let number =
            row.text("CustomerID").trim().strip_prefix("C-").and_then(|digits| digits.parse::<i64>().ok());
        marks.customer_number = marks.customer_number.max(number.unwrap_or(0));
    }
    Ok(())
}

pub(super) fn small(row: &Row, column: &str) -> i32 {
    i32::try_from(row.int(column)).unwrap_or_default()
}
