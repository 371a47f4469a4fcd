//! A customer of the app as a new row of RainTek's `Customer`.

use chrono::NaiveDate;

use super::row::RowBuilder;
use crate::model::bill::Row;
use crate::model::customer::{Customer, phone_key};
use crate::model::fault::Fault;
use crate::model::schema::{ColumnKind, Table};

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
            let contact = kept_phone(phone, table);
            builder
                .text("Name", if name.is_empty() { phone } else { name }, "The customer's name")
                .text("Address", customer.address.trim(), "The customer's address")
                .text("City", customer.city.trim(), "The customer's city")
                .text("State", customer.state.trim(), "The customer's state")
                .text("ContactNo", &contact, "The customer's phone")
                .text("GSTIN", customer.gstin.trim(), "The customer's GSTIN")
        }
    };
    builder.finish(&["ID", "CustomerID"])
}

/// The phone as it is typed; where it is wider than its column, the digits by which the customer is found again. Cut
/// anywhere else it would be another number, and each bill would make the customer anew.
fn kept_phone(phone: &str, table: &Table) -> String {
    let width = match table.column("ContactNo").map(|column| column.kind) {
        Some(ColumnKind::Text { max: Some(max), .. }) => max,
        _ => return phone.to_owned(),
    };
    match phone_key(phone) {
        Some(key) if phone.encode_utf16().count() > width => key,
        _ => phone.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::fixtures::schema;

    #[test]
    fn a_phone_that_is_too_wide_still_finds_its_customer() {
        let schema = schema();
        let table = schema.table("Customer").unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        for phone in ["+91 98765 43210".to_owned(), format!("98450 12345{}, 98765 43210", " or ".repeat(60))]
        {
            let customer = Customer { name: "Asha".into(), phone: phone.clone(), ..Customer::default() };
            let (row, _) = new_customer(Some(&customer), table, day).unwrap();
            assert_eq!(phone_key(row.text("ContactNo")), phone_key(&phone));
        }
    }

    #[test]
    fn a_phone_that_fits_is_kept_as_it_is_typed() {
        let mut schema = schema();
        let phone = "+91 98765 43210";
        let day = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap();
        for (width, kept) in [(150, phone), (15, phone), (14, "9876543210")] {
            let table = schema.tables.get_mut("Customer").unwrap();
            let column = table.columns.iter_mut().find(|column| column.name == "ContactNo").unwrap();
            column.kind = ColumnKind::Text { max: Some(width), wide: true };
            let customer = Customer { name: "Asha".into(), phone: phone.into(), ..Customer::default() };
            let (row, notes) = new_customer(Some(&customer), table, day).unwrap();
            assert_eq!((row.text("ContactNo"), notes.len()), (kept, 0), "{width}");
        }
    }
}
