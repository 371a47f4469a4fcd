//! A customer of the app as a new row of RainTek's `Customer`.

use chrono::NaiveDate;

use super::row::RowBuilder;
use crate::model::bill::Row;
use crate::model::customer::Customer;
use crate::model::fault::Fault;
use crate::model::schema::Table;

/// RainTek's name of the walk-in customer.
const WALK_IN: &str = "Cash";

/// The row for a customer RainTek does not have (`None`: the walk-in one), without ID and CustomerID, and notes of
/// what was cut.
///
/// # Errors
/// As of `RowBuilder::finish`.
pub fn new_customer(
    customer: Option<&Customer>,
    table: &Table,
    day: NaiveDate,
) -> Result<(Row, Vec<String>), Fault> {
    let builder = RowBuilder::new(table, day);
    let builder = match customer {
        None => builder.text("Name", WALK_IN, "The customer's name"),
        Some(customer) => {
            let name = customer.name.trim();
            let phone = customer.phone.trim();
            builder
                .text("Name", if name.is_empty() { phone } else { name }, "The customer's name")
                .text("Address", customer.address.trim(), "The customer's address")
                .text("City", customer.city.trim(), "The customer's city")
                .text("State", customer.state.trim(), "The customer's state")
                .text("ContactNo", phone, "The customer's phone")
                .text("GSTIN", customer.gstin.trim(), "The customer's GSTIN")
        }
    };
    builder.finish(&["ID", "CustomerID"])
}
