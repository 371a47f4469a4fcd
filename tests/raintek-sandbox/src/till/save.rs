//! What RainTek writes for a sale, in its own order.

use anyhow::Context as _;
use chrono::{Datelike as _, NaiveDate};
use rust_decimal::Decimal;
use tiberius::{Query, Row};

use super::rows::{Cell, statement};
use super::{
    Amounts, Bill, Billed, NewProduct, Rates, TaxMode, Till, Totals, Wanted, bill_totals, line_amounts, r2,
};

/// A line with all that is known of its product.
struct Worked {
    pid: i32,
    barcode: String,
    qty: Decimal,
    rate: Decimal,
    discount_percent: Decimal,
    rates: Rates,
    cost: Decimal,
    mrp: Decimal,
    unit: String,
    mode: TaxMode,
    amounts: Amounts,
}

/// Who buys.
struct Party {
    id: i32,
    key: String,
    name: String,
    other_state: bool,
}

/// The sale as it is to be written.
struct Sale<'a> {
    bill: &'a Bill,
    party: Party,
    lines: Vec<Worked>,
    totals: Totals,
    /// Mode and amount, in rupees.
    payments: Vec<(String, Decimal)>,
}

impl Sale<'_> {
    fn paid(&self) -> Decimal {
        self.payments.iter().filter(|(mode, _)| !is_credit(mode)).map(|(_, amount)| amount).sum()
    }

    /// What the till knows of it once it is saved.
    fn billed(self, number: String, inv_id: i32) -> Billed {
        let lines = self.lines.iter().map(|line| (line.pid, line.qty, line.amounts.total)).collect();
        Billed { number, inv_id, grand_total: self.totals.grand_total, lines, payments: self.payments }
    }
}

fn is_credit(mode: &str) -> bool {
    mode.starts_with("Credit Terms")
}

/// `2025/26` for a day from April 2025 to March 2026.
fn financial_year(day: NaiveDate) -> String {
    let start = if day.month() >= 4 { day.year() } else { day.year() - 1 };
    format!("{start}/{:02}", (start + 1).rem_euclid(100))
}

fn text(row: &Row, at: usize) -> String {
    row.get::<&str, _>(at).unwrap_or_default().trim().to_owned()
}

fn money(row: &Row, at: usize) -> Decimal {
    row.get::<Decimal, _>(at).unwrap_or_default()
}

impl Till {
    pub(super) async fn save_new(&mut self, bill: &Bill) -> anyhow::Result<Billed> {
        self.wanted = None;
        let sale = self.work_out(bill).await?;
        // MAX + 1, and no lock: another till may read the same
        let inv_id = 1 + self.number(Query::new("SELECT MAX(Inv_ID) FROM InvoiceInfo")).await?;
        let counter = match bill.gst || !self.shape().await?.has_table("SaleNoTax") {
            true => "SaleGST",
            false => "SaleNoTax",
        };
        let next = 1 + self.number(Query::new(format!("SELECT MAX(ID) FROM {counter}"))).await?;
        let number = self.form_number(bill, next).await?;
        self.wanted = Some(Wanted { inv_id, counter: next, number: number.clone() });
        let mut fields = info(&sale);
        fields.extend([("Inv_ID", inv_id.into()), ("InvoiceNo", number.as_str().into())]);
        self.add("InvoiceInfo", bill.date, &fields).await?;
        self.write_rest(&sale, inv_id, &number).await?;
        let row = [("ID", next.into()), ("InvNo", number.as_str().into())];
        self.add(counter, bill.date, &row).await?;
        Ok(sale.billed(number, inv_id))
    }

    pub(super) async fn save_edited(&mut self, number: &str, bill: &Bill) -> anyhow::Result<Billed> {
        let inv_id = self.find(number).await?;
        let sale = self.work_out(bill).await?;
        self.take_back(inv_id, number).await?;
        let fields = self.shape().await?.kept("InvoiceInfo", info(&sale))?;
        let sets: Vec<String> =
            fields.iter().zip(1..).map(|((name, _), at)| format!("[{name}] = @P{at}")).collect();
        let sql = format!("UPDATE InvoiceInfo SET {} WHERE Inv_ID = @P{}", sets.join(", "), fields.len() + 1);
        let mut values: Vec<Cell> = fields.into_iter().map(|(_, cell)| cell).collect();
        values.push(inv_id.into());
        self.execute(statement(&sql, values)).await?;
        self.write_rest(&sale, inv_id, number).await?;
        Ok(sale.billed(number.to_owned(), inv_id))
    }

    pub(super) async fn remove(&mut self, number: &str) -> anyhow::Result<()> {
        let inv_id = self.find(number).await?;
        self.take_back(inv_id, number).await?;
        let shape = self.shape().await?;
        for table in ["SaleGST", "SaleNoTax"].into_iter().filter(|name| shape.has_table(name)) {
            let sql = format!("DELETE FROM {table} WHERE RTRIM(InvNo) = @P1");
            self.execute(statement(&sql, vec![number.into()])).await?;
        }
        self.execute(statement("DELETE FROM InvoiceInfo WHERE Inv_ID = @P1", vec![inv_id.into()])).await?;
        Ok(())
    }

    async fn find(&mut self, number: &str) -> anyhow::Result<i32> {
        let sql = "SELECT Inv_ID FROM InvoiceInfo WHERE RTRIM(InvoiceNo) = @P1";
        match self.number(statement(sql, vec![number.into()])).await? {
            0 => anyhow::bail!("there is no bill {number}"),
            inv_id => Ok(inv_id),
        }
    }

    async fn form_number(&mut self, bill: &Bill, next: i32) -> anyhow::Result<String> {
        let shape = self.shape().await?;
        let rows = match shape.has_table("Invcode") {
            true => self.rows(Query::new("SELECT TOP 1 Code, c10 FROM Invcode ORDER BY ID")).await?,
            false => Vec::new(),
        };
        let (code, suffix) = rows.first().map(|row| (text(row, 0), text(row, 1))).unwrap_or_default();
        let code = if !bill.gst && shape.has_table("SaleNoTax") {
            "SINV"
        } else if code.is_empty() {
            "GST"
        } else {
            &code
        };
        let suffix = if suffix.is_empty() { financial_year(bill.date) } else { suffix };
        Ok(format!("{code}-{next:04}-{suffix}"))
    }

    /// Looks the products and the customer up and does the arithmetic.
    async fn work_out<'a>(&mut self, bill: &'a Bill) -> anyhow::Result<Sale<'a>> {
        let rows = self
            .rows(statement(
                "SELECT ID, CustomerID, Name, State, (SELECT TOP 1 State FROM Company ORDER BY ID) FROM Customer WHERE ID = @P1",
                vec![bill.customer.into()],
            ))
            .await?;
        let row = rows.first().with_context(|| format!("there is no customer {}", bill.customer))?;
        let (state, own) = (text(row, 3), text(row, 4));
        let party = Party {
            id: row.get::<i32, _>(0).unwrap_or(1),
            key: text(row, 1),
            name: text(row, 2),
            other_state: !state.is_empty() && !state.eq_ignore_ascii_case(&own),
        };
        let mut lines = Vec::new();
        for line in &bill.lines {
            lines.push(self.work_out_line(bill, line, party.other_state).await?);
        }
        let rounding = self.rows(Query::new("SELECT TOP 1 c1 FROM Autoroundoff ORDER BY ID")).await?;
        let rounded = rounding.first().is_some_and(|row| text(row, 0) == "Yes");
        let amounts: Vec<Amounts> = lines.iter().map(|line| line.amounts).collect();
        let totals = bill_totals(&amounts, Decimal::ZERO, bill.discount, rounded);
        let mut left = totals.grand_total;
        let mut payments = Vec::new();
        for (at, (mode, percent)) in bill.payments.iter().enumerate() {
            let last = at + 1 == bill.payments.len();
            let amount = if last {
                left
            } else {
                r2(totals.grand_total * Decimal::from(*percent) / Decimal::ONE_HUNDRED)
            };
            left -= amount;
            payments.push((mode.clone(), amount));
        }
        Ok(Sale { bill, party, lines, totals, payments })
    }

    async fn work_out_line(
        &mut self,
        bill: &Bill,
        line: &super::Line,
        other_state: bool,
    ) -> anyhow::Result<Worked> {
        let shape = self.shape().await?;
        // Before GST there was one tax.
        let taxes = if shape.has("Product", "CGST") { "CGST, SGST, CESS" } else { "VAT, 0 * VAT, 0 * VAT" };
        let lot = match shape.has_table("Temp_Stock") {
            true => "(SELECT TOP 1 s.Barcode FROM Temp_Stock s WHERE s.ProductID = p.PID ORDER BY s.Id)",
            false => "N''",
        };
        let sql = format!(
            "SELECT PID, SellingPrice, {taxes}, CostPrice, MRP, SalesUnit, STax, Barcode, {lot} FROM Product p \
             WHERE p.ProductCode = @P1"
        );
        let rows = self.rows(statement(&sql, vec![line.code.as_str().into()])).await?;
        let row = rows.first().with_context(|| format!("there is no product {}", line.code))?;
        let rate = line.rate.unwrap_or_else(|| money(row, 1));
        let mode = if bill.gst { TaxMode::parse(&text(row, 8)) } else { TaxMode::NoTaxes };
        let (cgst, sgst, cess) = (money(row, 2), money(row, 3), money(row, 4));
        let rates = match (mode, other_state) {
            (TaxMode::NoTaxes, _) => Rates::default(),
            (TaxMode::ExemptGst, _) => Rates { cess, ..Rates::default() },
            (_, true) => Rates { igst: cgst + sgst, cess, ..Rates::default() },
            (_, false) => Rates { cgst, sgst, cess, ..Rates::default() },
        };
        let lot = text(row, 10);
        Ok(Worked {
            pid: row.get::<i32, _>(0).unwrap_or_default(),
            barcode: if lot.is_empty() { text(row, 9) } else { lot },
            qty: line.qty,
            rate,
            discount_percent: line.discount_percent,
            rates,
            cost: money(row, 5),
            mrp: money(row, 6),
            unit: text(row, 7),
            mode,
            amounts: line_amounts(mode, line.qty, rate, line.discount_percent, rates),
        })
    }

    /// Lines, payments, ledgers, stock, the customer's last visit: the same for a new bill and an edited one.
    async fn write_rest(&mut self, sale: &Sale<'_>, inv_id: i32, number: &str) -> anyhow::Result<()> {
        let day = sale.bill.date;
        for line in &sale.lines {
            self.add("Invoice_Product", day, &product_row(line, inv_id)).await?;
        }
        for (mode, amount) in &sale.payments {
            let row = [
                ("InvoiceID", inv_id.into()),
                ("PaymentDate", Cell::Day(day)),
                ("TotalPaid", (*amount).into()),
                ("PaymentMode", mode.as_str().into()),
            ];
            self.add("Invoice_Payment", day, &row).await?;
        }
        self.post("Sales", sale, number, sale.totals.grand_total, Decimal::ZERO).await?;
        for (mode, amount) in sale.payments.iter().filter(|(mode, _)| !is_credit(mode)) {
            self.post("Receipt", sale, number, Decimal::ZERO, *amount).await?;
            if mode != "By Cash" {
                let label = format!("Sale-{mode}");
                let row = [
                    ("Date", Cell::Day(day)),
                    ("LedgerNo", number.into()),
                    ("Label", label.as_str().into()),
                    ("Credit", (*amount).into()),
                    ("PartyID", sale.party.key.as_str().into()),
                ];
                self.add("BankAccountLedger", day, &row).await?;
            }
        }
        let shape = self.shape().await?;
        for line in &sale.lines {
            let sql = "UPDATE Product SET LastPrice = @P1 WHERE PID = @P2";
            self.execute(statement(sql, vec![line.rate.into(), line.pid.into()])).await?;
        }
        let live = if shape.has_table("Temp_Stock") { sale.lines.as_slice() } else { &[] };
        for line in live {
            let sql = "UPDATE Temp_Stock SET Qty = Qty - @P1 WHERE ProductID = @P2 AND Barcode = @P3";
            let values = vec![line.qty.into(), line.pid.into(), line.barcode.as_str().into()];
            self.execute(statement(sql, values)).await?;
            let row = [
                ("ProductID", line.pid.into()),
                ("StockOut", line.qty.into()),
                ("Date", Cell::Day(day)),
                ("TransID", number.into()),
            ];
            self.add("StockMovement", day, &row).await?;
        }
        let sql = "UPDATE Customer SET Lvisitdate = @P1 WHERE ID = @P2";
        self.execute(statement(sql, vec![Cell::Day(day), sale.party.id.into()])).await?;
        Ok(())
    }

    async fn post(
        &mut self,
        label: &str,
        sale: &Sale<'_>,
        number: &str,
        debit: Decimal,
        credit: Decimal,
    ) -> anyhow::Result<()> {
        let day = sale.bill.date;
        let account = match (label, sale.payments.iter().any(|(mode, _)| mode == "By Cash")) {
            ("Sales", _) => sale.party.name.as_str(),
            (_, true) => "Cash Account",
            _ => "Bank Account",
        };
        let common = [
            ("Date", Cell::Day(day)),
            ("Name", account.into()),
            ("LedgerNo", number.into()),
            ("Label", label.into()),
            ("Debit", debit.into()),
            ("Credit", credit.into()),
            ("PartyID", sale.party.key.as_str().into()),
        ];
        let mut row = common.to_vec();
        row.push(("PartyName", sale.party.name.as_str().into()));
        self.add("LedgerBook", day, &row).await?;
        let mut row = common.to_vec();
        row.push(("CustNameid", sale.party.name.as_str().into()));
        self.add("CustomerLedgerBook", day, &row).await?;
        Ok(())
    }

    /// Brings the stock of a bill back and takes its lines, payments and postings away.
    async fn take_back(&mut self, inv_id: i32, number: &str) -> anyhow::Result<()> {
        let sql = "SELECT ProductID, RTRIM(Barcode), Qty FROM Invoice_Product WHERE InvoiceID = @P1 ORDER BY IPo_ID";
        let shape = self.shape().await?;
        let sold = match shape.has_table("Temp_Stock") {
            true => self.rows(statement(sql, vec![inv_id.into()])).await?,
            false => Vec::new(),
        };
        for row in sold {
            let sql = "UPDATE Temp_Stock SET Qty = Qty + @P1 WHERE ProductID = @P2 AND Barcode = @P3";
            let values = vec![
                money(&row, 2).into(),
                row.get::<i32, _>(0).unwrap_or_default().into(),
                text(&row, 1).as_str().into(),
            ];
            self.execute(statement(sql, values)).await?;
        }
        for table in ["Invoice_Product", "Invoice_Payment"] {
            let sql = format!("DELETE FROM {table} WHERE InvoiceID = @P1");
            self.execute(statement(&sql, vec![inv_id.into()])).await?;
        }
        for table in ["LedgerBook", "CustomerLedgerBook", "BankAccountLedger"] {
            let sql = format!("DELETE FROM {table} WHERE LedgerNo = @P1");
            self.execute(statement(&sql, vec![number.into()])).await?;
        }
        if shape.has_table("StockMovement") {
            let sql = "DELETE FROM StockMovement WHERE TransID = @P1";
            self.execute(statement(sql, vec![number.into()])).await?;
        }
        Ok(())
    }

    pub(super) async fn save_product(&mut self, product: &NewProduct) -> anyhow::Result<i32> {
        let pid = 1 + self.number(Query::new("SELECT MAX(PID) FROM Product")).await?;
        let shelf = self.number(Query::new("SELECT MIN(ID) FROM SubCategory")).await?;
        let day = NaiveDate::from_ymd_opt(2025, 4, 1).context("a day")?;
        let half = product.gst / Decimal::TWO;
        let row = [
            ("PID", pid.into()),
            ("ProductCode", product.code.as_str().into()),
            ("ProductName", product.name.as_str().into()),
            ("SubCategoryID", shelf.into()),
            ("SellingPrice", product.price.into()),
            ("MRP", product.price.into()),
            ("CGST", half.into()),
            ("SGST", half.into()),
            ("VAT", product.gst.into()),
            ("Barcode", "0".into()),
            ("OpeningStock", product.stock.into()),
            ("PurchaseUnit", product.unit.as_str().into()),
            ("SalesUnit", product.unit.as_str().into()),
            ("Status", "Yes".into()),
            ("STax", product.tax_mode.name().into()),
        ];
        self.add("Product", day, &row).await?;
        if let Some(barcode) = &product.barcode {
            let shape = self.shape().await?;
            for table in
                ["Product_OpeningStock", "Temp_Stock"].into_iter().filter(|name| shape.has_table(name))
            {
                let row = [
                    ("ProductID", pid.into()),
                    ("Qty", product.stock.into()),
                    ("MRP", product.price.into()),
                    ("Barcode", barcode.as_str().into()),
                ];
                self.add(table, day, &row).await?;
            }
        }
        Ok(pid)
    }
}

/// The columns of InvoiceInfo besides its number and its id.
fn info(sale: &Sale<'_>) -> Vec<(&'static str, Cell)> {
    let (bill, totals, paid) = (sale.bill, &sale.totals, sale.paid());
    let cash: Decimal =
        sale.payments.iter().filter(|(mode, _)| mode == "By Cash").map(|(_, amount)| amount).sum();
    vec![
        ("InvoiceDate", Cell::Day(bill.date)),
        ("TaxType", if bill.gst { "GST" } else { "NON GST" }.into()),
        ("Customer_ID", sale.party.id.into()),
        ("CustomerID", sale.party.id.into()),
        ("SalesmanID", 0.into()),
        ("SubTotal", totals.sub_total.into()),
        ("CGST", totals.cgst.into()),
        ("SGST", totals.sgst.into()),
        ("IGST", totals.igst.into()),
        ("CESS", totals.cess.into()),
        ("OtherCharges", bill.discount.into()),
        ("Total", totals.total.into()),
        ("RoundOff", totals.round_off.into()),
        ("GrandTotal", totals.grand_total.into()),
        ("TotalPaid", paid.into()),
        ("Balance", (totals.grand_total - paid).into()),
        ("TillID", "TILL-1".into()),
        ("Operator", "admin".into()),
        ("BillSundry", "None".into()),
        ("BillDiscount", bill.discount.into()),
        ("TaxableAmt", totals.taxable.into()),
        ("CType", "Retail".into()),
        ("Tender", cash.into()),
        ("BillCash", cash.into()),
    ]
}

fn product_row(line: &Worked, inv_id: i32) -> Vec<(&'static str, Cell)> {
    let amounts = &line.amounts;
    vec![
        ("InvoiceID", inv_id.into()),
        ("ProductID", line.pid.into()),
        ("Barcode", line.barcode.as_str().into()),
        ("SalesRate", line.rate.into()),
        ("Qty", line.qty.into()),
        ("DiscountPer", line.discount_percent.into()),
        ("Discount", amounts.discount.into()),
        ("CGSTPer", line.rates.cgst.into()),
        ("CGSTAmt", amounts.cgst.into()),
        ("SGSTPer", line.rates.sgst.into()),
        ("SGSTAmt", amounts.sgst.into()),
        ("IGSTPer", line.rates.igst.into()),
        ("IGSTAmt", amounts.igst.into()),
        ("CESSPer", line.rates.cess.into()),
        ("CESSAmt", amounts.cess.into()),
        ("TotalAmount", amounts.total.into()),
        ("PurchaseRate", line.cost.into()),
        ("Margin", r2(amounts.taxable - line.cost * line.qty).into()),
        ("MRP", line.mrp.into()),
        ("TaxableAmt", amounts.taxable.into()),
        ("STaxType", line.mode.name().into()),
        ("TotalMRP", r2(line.mrp * line.qty).into()),
        ("MainUnit", line.unit.as_str().into()),
        ("SellingPrice", line.rate.into()),
        ("CostPrice", line.cost.into()),
        ("VATPer", (line.rates.cgst + line.rates.sgst + line.rates.igst + line.rates.cess).into()),
        ("VAT", amounts.taxes().into()),
        ("Amount", amounts.total.into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_financial_year_turns_on_the_first_of_april() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(financial_year(day(2026, 3, 31)), "2025/26");
        assert_eq!(financial_year(day(2026, 4, 1)), "2026/27");
        assert_eq!(financial_year(day(2100, 1, 1)), "2099/00");
    }
}
