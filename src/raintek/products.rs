//! Products with their lots and stock.

use futures_util::TryStreamExt;
use rust_decimal::Decimal;

use super::classify::classify;
use super::connect::Sql;
use super::statement::{quoted, unpadded};
use super::values::value;
use crate::model::bill::Value;
use crate::model::fault::Fault;
use crate::model::ids::ProductId;
use crate::model::product::PosProduct;
use crate::model::schema::{ColumnKind, PosSchema, Table};
use crate::model::settings::StockSource;
use crate::model::texts::Texts;

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

/// ProductCode (upper case) -> PID, the lowest where two claim one, as the passes showed them: a look-up that finds
/// another product or none under that PID asks by the code.
#[derive(Debug, Default)]
pub(super) struct Codes {
    pids: Texts<Shown>,
    /// Counts up with each pass over all products.
    pass: u32,
    /// Codes that this pass has shown.
    shown: usize,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    pid: ProductId,
    /// The pass that showed it last.
    pass: u32,
}

impl Codes {
    /// From here on another pass shows them. What it does not show stays, in the memory that is there already.
    pub(super) fn begin(&mut self) {
        self.pass = self.pass.wrapping_add(1);
        self.shown = 0;
    }

    pub(super) fn add(&mut self, product: &PosProduct) {
        let Some(code) = product.code.as_deref().map(str::trim).filter(|code| !code.is_empty()) else {
            return;
        };
        let shown = Shown { pid: product.pid, pass: self.pass };
        match self.pids.add(&code.to_uppercase(), shown) {
            Err(before) if before.pass == shown.pass => before.pid = before.pid.min(shown.pid),
            Err(before) => {
                *before = shown;
                self.shown += 1;
            }
            Ok(_) => self.shown += 1,
        }
    }

    /// All were shown: where most of what is remembered is gone from RainTek, it is gathered anew.
    pub(super) fn end(&mut self) {
        if self.shown * 2 < self.pids.len() {
            *self = Self::default();
        }
    }

    pub(super) fn pid(&self, code: &str) -> Option<ProductId> {
        self.pids.get(&code.to_uppercase()).map(|shown| shown.pid)
    }
}

/// What comes along with a product once for each of its lots, in this order.
const LOT: [&str; 3] = ["MRP", "Barcode", "Qty"];

/// Reads all, in the order of PID; the rows are judged by `sync::catalogue`. The server joins a product with its lots, so
/// that nobody holds the lots of all products.
pub(super) async fn read(
    sql: &mut Sql,
    schema: &PosSchema,
    stock: StockSource,
    take: &mut (dyn FnMut(PosProduct) + Send),
) -> Result<(), Fault> {
    let table = schema.table("Product").ok_or_else(super::schema::not_read)?;
    let has_gst = has_all(table, &["CGST", "SGST"]);
    let live = schema
        .table("Temp_Stock")
        .filter(|table| stock == StockSource::Live && table.column("Qty").is_some() && has_number(table));
    let text = statement(table, schema.table("Product_OpeningStock").filter(|lots| has_number(lots)), live);
    let mut rows = sql.simple_query(text).await.map_err(|error| classify(&error))?.into_row_stream();
    let mut last: Option<PosProduct> = None;
    while let Some(row) = rows.try_next().await.map_err(|error| classify(&error))? {
        let mut cells = row.cells().map(|(_, data)| value(data));
        let read = product(cells.by_ref(), has_gst)?;
        if let Some(whole) = last.take_if(|last| last.pid != read.pid) {
            take(whole);
        }
        add_lot(last.get_or_insert(read), cells, live.is_some())?;
    }
    if let Some(whole) = last {
        take(whole);
    }
    Ok(())
}

/// Products with their lots, and with the quantity of now where `live` is to be asked.
fn statement(table: &Table, lots: Option<&Table>, live: Option<&Table>) -> String {
    let mut list = columns(table, "p", &PRODUCT);
    let (mut from, mut order) = (format!("{} p", quoted(&table.name)), "p.[PID]".to_owned());
    match lots {
        Some(lots) => {
            list = format!("{list}, {}", columns(lots, "l", &LOT));
            from = format!("{from} LEFT JOIN {} l ON l.[ProductID] = p.[PID]", quoted(&lots.name));
            if lots.column("ID").is_some() {
                order.push_str(", l.[ID]");
            }
        }
        None => list.push_str(", NULL, NULL, NULL"),
    }
    if let Some(live) = live {
        list.push_str(", s.[Qty]");
        let live = quoted(&live.name);
        let sums = format!("SELECT [ProductID], SUM([Qty]) AS [Qty] FROM {live} GROUP BY [ProductID]");
        from = format!("{from} LEFT JOIN ({sums}) s ON s.[ProductID] = p.[PID]");
    }
    format!("SELECT {list} FROM {from} ORDER BY {order}")
}

/// Lots come in the order of their ID: a later one overrides what an earlier one said.
fn add_lot(
    product: &mut PosProduct,
    mut cells: impl Iterator<Item = Result<Value, Fault>>,
    live: bool,
) -> Result<(), Fault> {
    let mut next = || cells.next().unwrap_or(Ok(Value::Null));
    if let Some(mrp) = decimal_of(&next()?).filter(|mrp| *mrp > Decimal::ZERO) {
        product.lot_mrp = Some(mrp);
    }
    if let Some(barcode) = text_of(next()?).filter(|text| !matches!(text.as_str(), "" | "0")) {
        product.lot_barcode = Some(barcode);
    }
    let of_lot = decimal_of(&next()?).unwrap_or_default();
    product.stock = match live {
        // Of the product, and the same with each lot.
        true => decimal_of(&next()?).unwrap_or_default(),
        false => product.stock.saturating_add(of_lot),
    };
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

/// Whether a table names its product by a number. What is joined by a text fails as a whole where one of them is no number.
fn has_number(table: &Table) -> bool {
    let kind = table.column("ProductID").map(|column| column.kind);
    matches!(kind, Some(ColumnKind::Int | ColumnKind::Decimal { .. }))
}

fn has_all(table: &Table, columns: &[&str]) -> bool {
    columns.iter().all(|name| table.column(name).is_some())
}

/// A SELECT list in which a column this version does not have is NULL.
fn columns(table: &Table, alias: &str, names: &[&str]) -> String {
    names
        .iter()
        .map(|name| match table.column(name) {
            Some(column) => unpadded(Some(alias), column),
            None => "NULL".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::schema::Column;

    fn table(name: &str, columns: &[(&str, ColumnKind)]) -> Table {
        let column = |&(name, kind): &(&str, ColumnKind)| Column { name: name.into(), kind, identity: false };
        Table { name: name.into(), columns: columns.iter().map(column).collect() }
    }

    #[test]
    fn a_code_is_known_by_its_lowest_pid_of_the_last_pass() {
        let product = |pid, code: &str| PosProduct {
            pid,
            code: Some(code.into()),
            name: None,
            hsn: String::new(),
            unit: String::new(),
            price: None,
            mrp: None,
            barcode: String::new(),
            gst_rate: None,
            active: true,
            lot_mrp: None,
            lot_barcode: None,
            stock: Decimal::ZERO,
        };
        let mut codes = Codes::default();
        let mut pass = |products: &[(ProductId, &str)]| {
            codes.begin();
            products.iter().for_each(|(pid, code)| codes.add(&product(*pid, code)));
            codes.end();
            ["A", "b ", " c"].map(|code| codes.pid(code.trim()))
        };
        assert_eq!(pass(&[(5, "a"), (7, " B"), (6, "A"), (8, ""), (9, "C")]), [Some(5), Some(7), Some(9)]);
        // Another product has the code by now, with a higher PID.
        assert_eq!(pass(&[(12, "A"), (11, "A"), (7, "B")]), [Some(11), Some(7), Some(9)]);
        // Two of three are gone.
        assert_eq!(pass(&[(11, "A")]), [None, None, None]);
        assert_eq!(pass(&[(11, "A")]), [Some(11), None, None]);
    }

    #[test]
    fn what_a_version_does_not_have_is_not_asked_for() {
        let name = ColumnKind::Text { max: Some(200), wide: true };
        let product =
            table("Product", &[("PID", ColumnKind::Int), ("MRP", ColumnKind::Int), ("ProductName", name)]);
        let none = "NULL, RTRIM(p.[ProductName]) AS [ProductName], NULL, NULL, NULL, p.[MRP], NULL, NULL, NULL, NULL, NULL";
        assert_eq!(
            statement(&product, None, None),
            format!("SELECT p.[PID], {none}, NULL, NULL, NULL FROM [Product] p ORDER BY p.[PID]")
        );
        let lots = table("Lots", &[("ProductID", ColumnKind::Int), ("Qty", ColumnKind::Int)]);
        assert_eq!(
            statement(&product, Some(&lots), None),
            format!(
                "SELECT p.[PID], {none}, NULL, NULL, l.[Qty] FROM [Product] p LEFT JOIN [Lots] l \
                 ON l.[ProductID] = p.[PID] ORDER BY p.[PID]"
            )
        );
    }

    #[test]
    fn a_table_that_names_its_products_by_a_text_is_not_joined() {
        for (kind, joined) in [
            (ColumnKind::Int, true),
            (ColumnKind::Decimal { precision: 18, scale: 0 }, true),
            (ColumnKind::Text { max: Some(50), wide: true }, false),
        ] {
            assert_eq!(has_number(&table("Lots", &[("ProductID", kind)])), joined, "{kind:?}");
        }
        assert!(!has_number(&table("Lots", &[])));
    }
}
