//! How the app's collections really look.

use std::collections::BTreeMap;

use serde_json::Value;

use super::templates::{ESSENTIAL, OPTIONAL};
use crate::model::settings::BillingSettings;

/// The app's collections, by our names for them.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    names: BillingSettings,
    collections: BTreeMap<&'static str, Collection>,
}

#[derive(Debug, Clone)]
struct Collection {
    id: String,
    json: Value,
    fields: BTreeMap<String, Field>,
}

#[derive(Debug, Clone)]
struct Field {
    kind: String,
    target: String,
    values: Vec<String>,
}

impl Shape {
    /// From what `GET /api/collections` lists.
    pub(super) fn of(list: &[Value], names: &BillingSettings) -> Self {
        let wanted = ESSENTIAL.iter().chain(&OPTIONAL);
        let collections = wanted.filter_map(|ours| {
            let json = list.iter().find(|json| text(json, "name") == names.collection(ours))?;
            Some((*ours, Collection::of(json)))
        });
        Self { collections: collections.collect(), names: names.clone() }
    }

    /// Whether the app has this collection.
    pub(super) fn has(&self, collection: &str) -> bool {
        self.collections.contains_key(collection)
    }

    /// Whether the collection has this field.
    pub(super) fn has_field(&self, collection: &str, field: &str) -> bool {
        self.field(collection, field).is_some()
    }

    /// Whether the field points from one collection to the other, so that PocketBase can bring the records along.
    pub(super) fn links(&self, collection: &str, field: &str, to: &str) -> bool {
        match (self.field(collection, field), self.collections.get(to)) {
            (Some(field), Some(target)) => field.kind == "relation" && field.target == target.id,
            _ => false,
        }
    }

    /// PocketBase's own id of the collection.
    pub(super) fn id(&self, collection: &str) -> Option<&str> {
        self.collections.get(collection).map(|collection| collection.id.as_str())
    }

    /// The definition as PocketBase gave it.
    pub(super) fn json(&self, collection: &str) -> Option<&Value> {
        self.collections.get(collection).map(|collection| &collection.json)
    }

    /// Whether a field of ours can hold what we write; `kind` and values are those of our own definition.
    pub(super) fn fits(&self, collection: &str, definition: &Value) -> bool {
        let name = text(definition, "name");
        let Some(field) = self.collections.get(collection).and_then(|found| found.fields.get(name)) else {
            return false;
        };
        match text(definition, "type") {
            "select" => {
                let wanted = strings(definition, "values");
                field.kind == "text"
                    || field.kind == "select" && wanted.iter().all(|value| field.values.contains(value))
            }
            "text" => matches!(field.kind.as_str(), "text" | "editor"),
            "date" => matches!(field.kind.as_str(), "date" | "text"),
            kind => field.kind == kind,
        }
    }

    fn field(&self, collection: &str, field: &str) -> Option<&Field> {
        self.collections.get(collection)?.fields.get(self.names.field(collection, field))
    }
}

impl Collection {
    fn of(json: &Value) -> Self {
        let fields = json.get("fields").and_then(Value::as_array).into_iter().flatten().map(|field| {
            let found = Field {
                kind: text(field, "type").to_owned(),
                target: text(field, "collectionId").to_owned(),
                values: strings(field, "values"),
            };
            (text(field, "name").to_owned(), found)
        });
        Self { id: text(json, "id").to_owned(), fields: fields.collect(), json: json.clone() }
    }
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn strings(json: &Value, key: &str) -> Vec<String> {
    let values = json.get(key).and_then(Value::as_array).into_iter().flatten();
    values.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::billing::templates;

    #[test]
    fn the_baseline_fits_itself() {
        let names = BillingSettings::default();
        let shape = Shape::of(&templates::collections(&names), &names);
        assert!(shape.links("invoice_items", "invoice", "invoices"));
        assert!(!shape.links("invoice_items", "product_code", "products"));
        for (collection, _) in templates::OWN_FIELDS {
            for definition in templates::own_fields(&names, collection) {
                assert!(shape.fits(collection, &definition), "{definition}");
            }
        }
    }

    #[test]
    fn a_field_of_another_meaning_does_not_fit() {
        let names = BillingSettings::default();
        let list = json!([{"id": "x", "name": "invoices", "fields": [
            {"name": "source", "type": "select", "values": ["web", "counter"]},
            {"name": "sync_error", "type": "bool"},
            {"name": "sync_status", "type": "text"},
        ]}]);
        let shape = Shape::of(list.as_array().unwrap(), &names);
        let fits: Vec<bool> = templates::own_fields(&names, "invoices")
            .iter()
            .map(|field| shape.fits("invoices", field))
            .collect();
        assert_eq!(fits, [false, true, false, false]);
    }
}
