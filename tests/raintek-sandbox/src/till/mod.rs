//! A till as RainTek's: numbers are MAX + 1 read without a lock, a bill is a chain of statements without a
//! transaction, an edit happens in place, a delete leaves nothing.

mod arithmetic;
mod load;
mod rows;
mod save;
mod shape;

use std::sync::Arc;

use anyhow::Context as _;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Query, Row};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};

use rows::Cell;
use shape::Shape;

pub use arithmetic::{Amounts, Rates, TaxMode, Totals, bill as bill_totals, line as line_amounts, r0, r2};

/// One line the cashier keys in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `Product.ProductCode`.
    pub code: String,
    /// Up to three decimals.
    pub qty: Decimal,
    /// In rupees; None takes the product's selling price.
    pub rate: Option<Decimal>,
    /// In percent.
    pub discount_percent: Decimal,
}

/// One bill the cashier keys in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The day on the bill.
    pub date: NaiveDate,
    /// `Customer.ID`; 1 is the walk-in.
    pub customer: i32,
    /// At least one.
    pub lines: Vec<Line>,
    /// Payment modes with their share of the grand total in percent; the last one takes the rest.
    pub payments: Vec<(String, u32)>,
    /// Off the bill, after tax, in rupees.
    pub discount: Decimal,
    /// A GST bill, against a NON GST one.
    pub gst: bool,
}

/// What a saved bill is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed {
    /// `InvoiceInfo.InvoiceNo`, e.g. `GST-0001-2025/26`.
    pub number: String,
    /// `InvoiceInfo.Inv_ID`.
    pub inv_id: i32,
    /// In rupees.
    pub grand_total: Decimal,
    /// `Product.PID`, quantity and total of each line, in rupees.
    pub lines: Vec<(i32, Decimal, Decimal)>,
    /// Mode and amount of each payment, in rupees.
    pub payments: Vec<(String, Decimal)>,
}

/// What a new bill set out with: read without a lock, so that somebody else may take it first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `InvoiceInfo.Inv_ID`.
    pub inv_id: i32,
    /// `SaleGST.ID` or `SaleNoTax.ID`.
    pub counter: i32,
    /// `InvoiceInfo.InvoiceNo`.
    pub number: String,
}

/// A product the owner adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// `Product.ProductCode`.
    pub code: String,
    /// `Product.ProductName`.
    pub name: String,
    /// In rupees.
    pub price: Decimal,
    /// The whole GST rate in percent.
    pub gst: Decimal,
    /// `Product.STax`.
    pub tax_mode: TaxMode,
    /// `Product.SalesUnit`, e.g. `PCS`.
    pub unit: String,
    /// The barcode of its one lot; None for no lot.
    pub barcode: Option<String>,
    /// How many there are.
    pub stock: Decimal,
}

/// A till: a client of the server with RainTek's habits.
#[derive(Debug)]
pub struct Till {
    config: Config,
    client: Option<Client<Compat<TcpStream>>>,
    /// Read with the first row that is written.
    shape: Option<Arc<Shape>>,
    /// Statements sent so far.
    pub statements: u64,
    /// What the newest bill set out with, also where its save failed.
    pub wanted: Option<Wanted>,
}

impl Till {
    /// Prepares a till for a server on 127.0.0.1; it connects with its first statement, and again after a fault.
    #[must_use]
    pub fn new(port: u16, user: &str, password: &str) -> Self {
        let mut config = Config::new();
        config.host("127.0.0.1");
        config.port(port);
        config.authentication(AuthMethod::sql_server(user, password));
        config.database("Raintech_DB1");
        config.encryption(EncryptionLevel::NotSupported);
        config.application_name("RainTek");
        Self { config, client: None, shape: None, statements: 0, wanted: None }
    }

    /// Saves a new bill, statement by statement.
    ///
    /// # Errors
    /// Where a statement fails: what was written before stays, as with RainTek. A number another till took in
    /// the same moment is error 2627 of the first write, which leaves nothing.
    pub async fn bill(&mut self, bill: &Bill) -> anyhow::Result<Billed> {
        self.save_new(bill).await
    }

    /// Edits a bill in place: its number and `Inv_ID` stay, its lines and payments are written anew.
    ///
    /// # Errors
    /// Where there is no such bill, or a statement fails.
    pub async fn edit(&mut self, number: &str, bill: &Bill) -> anyhow::Result<Billed> {
        self.save_edited(number, bill).await
    }

    /// Deletes a bill: all its rows go, its stock comes back.
    ///
    /// # Errors
    /// Where there is no such bill, or a statement fails.
    pub async fn delete(&mut self, number: &str) -> anyhow::Result<()> {
        self.remove(number).await
    }

    /// The number of the newest bill.
    ///
    /// # Errors
    /// Where the server does not answer.
    pub async fn last_number(&mut self) -> anyhow::Result<Option<String>> {
        let rows =
            self.rows(Query::new("SELECT TOP 1 InvoiceNo FROM InvoiceInfo ORDER BY Inv_ID DESC")).await?;
        Ok(rows.first().and_then(|row| row.get::<&str, _>(0)).map(|number| number.trim().to_owned()))
    }

    /// Adds a product; gives back its `PID`.
    ///
    /// # Errors
    /// Where a statement fails.
    pub async fn add_product(&mut self, product: &NewProduct) -> anyhow::Result<i32> {
        self.save_product(product).await
    }

    /// Changes a product's selling price, in rupees.
    ///
    /// # Errors
    /// Where there is no such product, or the statement fails.
    pub async fn set_price(&mut self, code: &str, price: Decimal) -> anyhow::Result<()> {
        let sql = "UPDATE Product SET SellingPrice = @P1 WHERE ProductCode = @P2";
        self.one_product(rows::statement(sql, vec![price.into(), code.into()]), code).await
    }

    /// Switches a product on or off.
    ///
    /// # Errors
    /// Where there is no such product, or the statement fails.
    pub async fn set_in_use(&mut self, code: &str, in_use: bool) -> anyhow::Result<()> {
        let sql = "UPDATE Product SET Status = @P1 WHERE ProductCode = @P2";
        let status = if in_use { "Yes" } else { "No" };
        self.one_product(rows::statement(sql, vec![status.into(), code.into()]), code).await
    }

    /// Deletes a product with its lots.
    ///
    /// # Errors
    /// Where there is no such product, it was sold already (547), or a statement fails.
    pub async fn remove_product(&mut self, code: &str) -> anyhow::Result<()> {
        let shape = self.shape().await?;
        for table in ["Product_OpeningStock", "Temp_Stock"].into_iter().filter(|name| shape.has_table(name)) {
            let sql = format!(
                "DELETE FROM {table} WHERE ProductID IN (SELECT PID FROM Product WHERE ProductCode = @P1)"
            );
            self.execute(rows::statement(&sql, vec![code.into()])).await?;
        }
        let sql = "DELETE FROM Product WHERE ProductCode = @P1";
        self.one_product(rows::statement(sql, vec![code.into()]), code).await
    }

    async fn one_product(&mut self, query: Query<'static>, code: &str) -> anyhow::Result<()> {
        match self.execute(query).await? {
            0 => anyhow::bail!("there is no product {code}"),
            _ => Ok(()),
        }
    }

    async fn connected(&mut self) -> anyhow::Result<&mut Client<Compat<TcpStream>>> {
        if self.client.is_none() {
            let tcp = TcpStream::connect(self.config.get_addr()).await?;
            tcp.set_nodelay(true)?;
            self.client = Some(Client::connect(self.config.clone(), tcp.compat_write()).await?);
        }
        self.client.as_mut().context("no connection")
    }

    async fn execute(&mut self, query: Query<'static>) -> anyhow::Result<u64> {
        self.statements += 1;
        let client = self.connected().await?;
        let result = query.execute(client).await;
        if result.is_err() {
            // RainTek's next statement opens a connection of its own
            self.client = None;
        }
        Ok(result?.total())
    }

    async fn rows(&mut self, query: Query<'static>) -> anyhow::Result<Vec<Row>> {
        self.statements += 1;
        let client = self.connected().await?;
        let result = match query.query(client).await {
            Ok(stream) => stream.into_first_result().await,
            Err(error) => Err(error),
        };
        if result.is_err() {
            self.client = None;
        }
        Ok(result?)
    }

    /// How this shop's tables look.
    async fn shape(&mut self) -> anyhow::Result<Arc<Shape>> {
        if let Some(shape) = &self.shape {
            return Ok(Arc::clone(shape));
        }
        let columns = self.rows(Query::new(shape::COLUMNS)).await?;
        let identities = self.rows(Query::new(shape::IDENTITIES)).await?;
        let shape = Arc::new(Shape::read(&columns, &identities)?);
        self.shape = Some(Arc::clone(&shape));
        Ok(shape)
    }

    /// Writes a whole row; where RainTek numbers the rows itself, with the next number.
    async fn add(
        &mut self,
        table: &str,
        day: NaiveDate,
        given: &[(&'static str, Cell)],
    ) -> anyhow::Result<()> {
        let shape = self.shape().await?;
        let mut given = given.to_vec();
        let key = match table {
            "Invoice_Product" => Some("IPo_ID"),
            "Invoice_Payment" => Some("IP_ID"),
            _ => None,
        };
        if let Some(key) = key.filter(|key| shape.is_plain(table, key)) {
            let next = 1 + self.number(Query::new(format!("SELECT MAX({key}) FROM {table}"))).await?;
            given.push((key, next.into()));
        }
        self.execute(shape.insert(table, day, &given)?).await?;
        Ok(())
    }

    async fn number(&mut self, query: Query<'static>) -> anyhow::Result<i32> {
        let rows = self.rows(query).await?;
        Ok(rows.first().and_then(|row| row.get::<i32, _>(0)).unwrap_or(0))
    }
}
