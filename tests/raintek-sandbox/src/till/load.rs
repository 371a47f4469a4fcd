//! A till that bills by itself: random bills over the products that are in use.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use tiberius::Query;

use super::{Bill, Line, Till};
use crate::seed::Chance;

impl Till {
    /// Makes up a bill of one to six products in use; the same seed gives the same bill for the same shop.
    ///
    /// # Errors
    /// Where there is no product in use, or the server does not answer.
    pub async fn random_bill(&mut self, seed: u64, date: NaiveDate) -> anyhow::Result<Bill> {
        let products: Vec<(String, bool)> = self
            .rows(Query::new(
                "SELECT RTRIM(ProductCode), RTRIM(SalesUnit) FROM Product WHERE Status <> N'No' ORDER BY PID",
            ))
            .await?
            .iter()
            .filter_map(|row| Some((row.get::<&str, _>(0)?.to_owned(), row.get::<&str, _>(1) == Some("KG"))))
            .collect();
        let customers: Vec<i32> = self
            .rows(Query::new("SELECT ID FROM Customer ORDER BY ID"))
            .await?
            .iter()
            .filter_map(|row| row.get::<i32, _>(0))
            .collect();
        let mut chance = Chance::new(seed);
        let mut lines: Vec<Line> = Vec::new();
        for _ in 0..=chance.below(6) {
            let Some((code, weighed)) = chance.pick(&products) else { anyhow::bail!("no product is in use") };
            let qty = if *weighed {
                Decimal::new(250 * (1 + i64::try_from(chance.below(12))?), 3)
            } else {
                Decimal::from(1 + chance.below(5))
            };
            let discount_percent =
                if chance.one_in(6) { Decimal::from(5 * (1 + chance.below(3))) } else { Decimal::ZERO };
            if !lines.iter().any(|line| line.code == *code) {
                lines.push(Line { code: code.clone(), qty, rate: None, discount_percent });
            }
        }
        let customer = if chance.one_in(3) { chance.pick(&customers).copied().unwrap_or(1) } else { 1 };
        let payments = match chance.below(6) {
            0 => vec![("Google Pay".to_owned(), 100)],
            1 => vec![("By Cash".to_owned(), 50), ("PhonePe".to_owned(), 50)],
            2 if customer != 1 => vec![("Credit Terms - 30 days".to_owned(), 100)],
            _ => vec![("By Cash".to_owned(), 100)],
        };
        let discount = if chance.one_in(8) { Decimal::from(1 + chance.below(5)) } else { Decimal::ZERO };
        Ok(Bill { date, customer, lines, payments, discount, gst: !chance.one_in(10) })
    }
}
