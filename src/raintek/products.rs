//! Products with their lots and stock.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use rust_decimal::Decimal;

use super::classify::classify;
use super::connect::Sql;
use super::statement::quoted;
use super::values::value;
use crate::model::bill::Value;
use crate::model::fault::Fault;
use crate::model::ids::ProductId;
use crate::model::product::PosProduct;
use crate::model::schema::{PosSchema, Table};
use crate::model::settings::StockSource;

/// What is read of a product, in this order.
pub(super) const PRODUCT: [&str; 12] = [
    "PID",
    "ProductCode",
    "ProductName",
    "HSNCode",
    "SalesUnit",
    "SellingPrice",
    "MRP",
    "Barcode",
    "CGST",
    "SGST",
    "Status",
    "VAT",
];

/// What the lots of a product add up to.
#[derive(Debug, Default)]
struct Lots {
    mrp: Option<Decimal>,
    barcode: Option<String>,
    quantity: Decimal,
}

/// ProductCode (upper case) -> PID, the lowest where two claim one.
#[derive(Debug, Default)]
pub(super) struct Codes(pub(super) HashMap<Box<str>, ProductId>);

impl Codes {
    pub(super) fn add(&mut self, product: &PosProduct) {
        let Some(code) = product.code.as_deref().map(str::trim).filter(|code| !code.is_empty()) else {
            return;
        };
        self.0
            .entry(code.to_uppercase().into())
            .and_modify(|pid| *pid = product.pid.min(*pid))
            .or_insert(product.pid);
    }
}

/// Reads all, in the order of PID; the rows are judged by `sync::catalogue`.
pub(super) async fn read(
    sql: &mut Sql,
    schema: &PosSchema,
    stock: StockSource,
    take: &mut (dyn FnMut(PosProduct) + Send),
) -> Result<(), Fault> {
    let mut lots = lots(sql, schema).await?;
    let live = match (stock, schema.table("Temp_Stock")) {
        (StockSource::Live, Some(table)) if has_all(table, &["ProductID", "Qty"]) => {
            Some(live_stock(sql, table).await?)
        }
        _ => None,
    };
    let table = schema.table("Product").ok_or_else(super::schema::not_read)?;
    let list = columns(table, &PRODUCT);
    let has_gst = has_all(table, &["CGST", "SGST"]);
    let text = format!("SELECT {list} FROM {} ORDER BY [PID]", quoted(&table.name));
    let mut rows = sql.simple_query(text).await.map_err(|error| classify(&error))?.into_row_stream();
    while let Some(row) = rows.try_next().await.map_err(|error| classify(&error))? {
        let mut product = product(row.cells().map(|(_, data)| value(data)), has_gst)?;
        let lots = lots.remove(&product.pid).unwrap_or_default();
        product.stock = match &live {
            Some(live) => live.get(&product.pid).copied().unwrap_or_default(),
            None => lots.quantity,
        };
        (product.lot_mrp, product.lot_barcode) = (lots.mrp, lots.barcode);
        take(product);
    }
    Ok(())
}

/// A row of the columns of [`PRODUCT`], without what lots and stock add.
pub(super) fn product(
    mut cells: impl Iterator<Item = Result<Value, Fault>>,
    has_gst: bool,
) -> Result<PosProduct, Fault> {
    let mut next = || cells.next().unwrap_or(Ok(Value::Null));
    let pid = ProductId::try_from(whole(&next()?)).unwrap_or_default();
    let (code, name) = (text_of(next()?), text_of(next()?));
    let (hsn, unit) = (text_of(next()?).unwrap_or_default(), text_of(next()?).unwrap_or_default());
    let (price, mrp) = (decimal_of(&next()?), decimal_of(&next()?));
    let barcode = text_of(next()?).unwrap_or_default();
    let (cgst, sgst) = (decimal_of(&next()?), decimal_of(&next()?));
    let status = text_of(next()?).unwrap_or_default();
    let vat = decimal_of(&next()?);
    Ok(PosProduct {
        pid,
        code,
        name,
        hsn,
        unit,
        price,
        mrp,
        barcode,
        gst_rate: match has_gst {
            true => cgst.zip(sgst).and_then(|(cgst, sgst)| cgst.checked_add(sgst)),
            // The generation before GST has one rate, or none.
            false => Some(vat.unwrap_or_default()),
        },
        active: !status.trim().eq_ignore_ascii_case("no"),
        lot_mrp: None,
        lot_barcode: None,
        stock: Decimal::ZERO,
    })
}

/// Lots in the order of their ID: a later one overrides what an earlier one said.
async fn lots(sql: &mut Sql, schema: &PosSchema) -> Result<HashMap<ProductId, Lots>, Fault> {
    let mut all: HashMap<ProductId, Lots> = HashMap::new();
    let Some(table) = schema.table("Product_OpeningStock") else { return Ok(all) };
    if table.column("ProductID").is_none() {
        return Ok(all);
    }
    let list = columns(table, &["ProductID", "MRP", "Barcode", "Qty"]);
    let order = if table.column("ID").is_some() { " ORDER BY ID" } else { "" };
    let text = format!("SELECT {list} FROM {}{order}", quoted(&table.name));
    let mut rows = sql.simple_query(text).await.map_err(|error| classify(&error))?.into_row_stream();
    while let Some(row) = rows.try_next().await.map_err(|error| classify(&error))? {
        let mut cells = row.cells().map(|(_, data)| value(data));
        let mut next = || cells.next().unwrap_or(Ok(Value::Null));
        let pid = ProductId::try_from(whole(&next()?)).unwrap_or_default();
        let lots = all.entry(pid).or_default();
        if let Some(mrp) = decimal_of(&next()?).filter(|mrp| *mrp > Decimal::ZERO) {
            lots.mrp = Some(mrp);
        }
        if let Some(barcode) = text_of(next()?).filter(|text| !matches!(text.as_str(), "" | "0")) {
            lots.barcode = Some(barcode);
        }
        lots.quantity = lots.quantity.saturating_add(decimal_of(&next()?).unwrap_or_default());
    }
    Ok(all)
}

async fn live_stock(sql: &mut Sql, table: &Table) -> Result<HashMap<ProductId, Decimal>, Fault> {
    let text = format!("SELECT ProductID, SUM(Qty) AS Qty FROM {} GROUP BY ProductID", quoted(&table.name));
    let mut all = HashMap::new();
    let mut rows = sql.simple_query(text).await.map_err(|error| classify(&error))?.into_row_stream();
    while let Some(row) = rows.try_next().await.map_err(|error| classify(&error))? {
        let mut cells = row.cells().map(|(_, data)| value(data));
        let mut next = || cells.next().unwrap_or(Ok(Value::Null));
        let pid = ProductId::try_from(whole(&next()?)).unwrap_or_default();
        all.insert(pid, decimal_of(&next()?).unwrap_or_default());
    }
    Ok(all)
}

fn has_all(table: &Table, columns: &[&str]) -> bool {
    columns.iter().all(|name| table.column(name).is_some())
}

/// A SELECT list in which a column this version does not have is NULL.
fn columns(table: &Table, names: &[&str]) -> String {
    names
        .iter()
        .map(|name| {
            let quoted = quoted(name);
            if table.column(name).is_some() { quoted } else { format!("NULL AS {quoted}") }
        })
        .collect::<Vec<_>>()
        .join(", ")
}

fn whole(value: &Value) -> i64 {
    match value {
        Value::Int(value) => *value,
        // Some installations number in decimals.
        Value::Dec(value) => i64::try_from(*value).unwrap_or_default(),
        _ => 0,
    }
}

fn text_of(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.trim().to_owned()),
        _ => None,
    }
}

fn decimal_of(value: &Value) -> Option<Decimal> {
    match value {
        Value::Dec(value) => Some(*value),
        Value::Int(value) => Some(Decimal::from(*value)),
        _ => None,
    }
}
