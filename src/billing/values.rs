//! Single values of a record, from JSON that anybody may have written.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::model::fault::Fault;
use crate::model::ids::RecordId;
use crate::model::money::exact;
use crate::model::settings::BillingSettings;

/// A record of one of the app's collections, read by our names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    json: &'a Value,
    names: &'a BillingSettings,
    collection: &'static str,
}

impl<'a> Record<'a> {
    pub(super) fn new(json: &'a Value, names: &'a BillingSettings, collection: &'static str) -> Self {
        Self { json, names, collection }
    }

    pub(super) fn id(&self) -> RecordId {
        RecordId::new(self.json.get("id").and_then(Value::as_str).unwrap_or_default())
    }

    /// Trimmed; numbers count as their digits, since a foreign app may keep a barcode as a number.
    pub(super) fn text(&self, field: &str) -> String {
        match self.value(field) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// [`Self::text`] without regard to case.
    pub(super) fn word(&self, field: &str) -> String {
        self.text(field).to_ascii_lowercase()
    }

    pub(super) fn flag(&self, field: &str) -> bool {
        match self.value(field) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(number)) => number.to_string() != "0",
            Some(Value::String(text)) => {
                matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "yes" | "1")
            }
            _ => false,
        }
    }

    /// An exact number; blank is 0. `subject` names the record in the sentence.
    pub(super) fn number(&self, field: &str, scale: u32, subject: &str) -> Result<Decimal, Fault> {
        let text = match self.value(field) {
            None | Some(Value::Null) => return Ok(Decimal::ZERO),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(Decimal::ZERO),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(_) => "something else".to_owned(),
        };
        exact(&text, scale).map_err(|reason| {
            Fault::data(format!("The {} of {subject} cannot be booked: {reason}.", spoken(field)))
                .detail(format!("{}.{}", self.collection, self.names.field(self.collection, field)))
        })
    }

    /// A whole number above 0, else `None`.
    pub(super) fn whole(&self, field: &str) -> Option<i32> {
        let value = self.number(field, 0, "").ok()?;
        i32::try_from(value).ok().filter(|whole| *whole > 0)
    }

    /// The day in the shop's zone; `None` where there is none that can be read.
    pub(super) fn day(&self, field: &str, zone: Tz) -> Option<NaiveDate> {
        day_of(&self.text(field), zone)
    }

    /// The records that a relation of ours brought along: none, one or many.
    pub(super) fn expanded(&self, key: &str) -> Vec<&'a Value> {
        match self.json.get("expand").and_then(|expand| expand.get(key)) {
            Some(Value::Array(records)) => records.iter().collect(),
            Some(record @ Value::Object(_)) => vec![record],
            _ => Vec::new(),
        }
    }

    /// The app's name of one of our fields of this record.
    pub(super) fn name(&self, field: &'a str) -> &'a str {
        self.names.field(self.collection, field)
    }

    /// A field's value; of a list, as a select or relation of several may be, its only entry.
    fn value(&self, field: &str) -> Option<&'a Value> {
        match self.json.get(self.names.field(self.collection, field)) {
            Some(Value::Array(values)) => match values.as_slice() {
                [] => None,
                [one] => Some(one),
                _ => Some(&Value::Bool(false)),
            },
            value => value,
        }
    }
}

/// `grand_total` as a person says it.
fn spoken(field: &str) -> String {
    field.replace('_', " ")
}

/// PocketBase's time text (or ISO 8601) as a day. A time of exactly 00:00:00.000Z is a plain date and stays that
/// day; any other is an instant, whose day is the shop's.
pub(super) fn day_of(text: &str, zone: Tz) -> Option<NaiveDate> {
    let text = text.trim();
    let day = if let Ok(plain) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        plain
    } else {
        let utc = match DateTime::parse_from_rfc3339(text) {
            Ok(instant) => instant.naive_utc(),
            Err(_) => {
                let bare = text.strip_suffix('Z').unwrap_or(text);
                ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
                    .iter()
                    .find_map(|format| NaiveDateTime::parse_from_str(bare, format).ok())?
            }
        };
        if utc.time() == NaiveTime::MIN {
            utc.date()
        } else {
            utc.and_utc().with_timezone(&zone).date_naive()
        }
    };
    (2000..2100).contains(&day.year()).then_some(day)
}

/// A number for PocketBase, with exactly the digits it has.
pub(super) fn number_json(value: Decimal) -> Value {
    let text = value.normalize().to_string();
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plain_date_stays_and_an_instant_becomes_the_shops_day() {
        let day = |text: &str| day_of(text, Tz::Asia__Kolkata).map(|day| day.to_string());
        let table = [
            ("2026-11-21 00:00:00.000Z", "2026-11-21"),
            ("2026-11-21", "2026-11-21"),
            // 00:10 in the shop.
            ("2026-11-20 18:40:00.000Z", "2026-11-21"),
            ("2026-11-20 18:29:59.999Z", "2026-11-20"),
            // A new financial year.
            ("2026-03-31 18:40:00.000Z", "2026-04-01"),
            ("2026-03-31T18:40:00Z", "2026-04-01"),
            ("2026-04-01T00:10:00+05:30", "2026-04-01"),
            ("2026-11-21 00:00:00.001Z", "2026-11-21"),
        ];
        for (text, expected) in table {
            assert_eq!(day(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "tomorrow", "0001-01-01 00:00:00.000Z", "2026-13-01", "99999-01-01"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_exact_or_refused_with_a_sentence() {
        let names = BillingSettings::default();
        let read = |json: Value| {
            Record::new(&json, &names, "invoices")
                .number("grand_total", 2, "invoice A-1")
                .map(|d| d.to_string())
        };
        let noisy: Value = serde_json::from_str(r#"{"grand_total": 1180.3000000000002}"#).unwrap();
        assert_eq!(read(noisy).unwrap(), "1180.30");
        assert_eq!(read(json!({"grand_total": "12.5"})).unwrap(), "12.5");
        assert_eq!(read(json!({"grand_total": ""})).unwrap(), "0");
        assert_eq!(read(json!({})).unwrap(), "0");
        let fault = read(json!({"grand_total": 100.005})).unwrap_err();
        assert_eq!(
            fault.sentence,
            "The grand total of invoice A-1 cannot be booked: 100.005 has more than 2 decimals."
        );
        for broken in [
            json!({"grand_total": true}),
            json!({"grand_total": {}}),
            json!({"grand_total": "ten"}),
            json!({"grand_total": [1, 2]}),
        ] {
            assert!(read(broken.clone()).is_err(), "{broken}");
        }
        let huge: Value = serde_json::from_str(r#"{"grand_total": 1e300}"#).unwrap();
        assert!(read(huge).is_err());
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        assert_eq!(number_json("10.50".parse().unwrap()).to_string(), "10.5");
        assert_eq!(number_json("0.00".parse().unwrap()).to_string(), "0");
        assert_eq!(number_json("-0.05".parse().unwrap()).to_string(), "-0.05");
    }
}
