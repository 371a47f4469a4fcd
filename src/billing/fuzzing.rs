//! What fuzzing calls: the functions that read the app's records, as they are. They stay private otherwise, since only
//! the adapter may know what a record looks like.

use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::Value;

use super::records::{Parts, Reader};
use super::{realtime, values};
use crate::model::customer::Customer;
use crate::model::invoice::InvoiceRead;
use crate::model::product::AppProduct;
use crate::model::settings::BillingSettings;
use crate::ports::BillingEvent;

use super::sse::Event;

fn reader() -> Reader {
    Reader { names: BillingSettings::default(), zone: Tz::Asia__Kolkata }
}

/// A record of `invoices` with its lines and payments.
pub fn invoice(json: &Value, lines: Vec<Value>, payments: Vec<Value>) -> InvoiceRead {
    reader().invoice(json, &Parts { lines, payments })
}

/// What a list tells of a record of `invoices`: number and grand total.
pub fn head(json: &Value) -> (String, Option<Decimal>) {
    let head = reader().head(json);
    (head.number, head.grand_total)
}

/// A record of `products`.
pub fn product(json: &Value) -> AppProduct {
    reader().product(json)
}

/// A record of `customers`.
pub fn customer(json: &Value) -> Customer {
    reader().customer(json)
}

/// A number as it is written into the app.
pub fn number_json(value: Decimal) -> Value {
    values::number_json(value)
}

/// What an event of the app's stream tells.
pub fn hint(event: &Event) -> Option<BillingEvent> {
    realtime::hint(&BillingSettings::default(), event)
}
