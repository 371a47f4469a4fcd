//! The texts that are laid down in the app, with the app's names filled in. They lie in `assets/pocketbase`.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::classify::config;
use crate::model::fault::Fault;
use crate::model::settings::BillingSettings;

const COLLECTIONS: &str = include_str!("../../assets/pocketbase/collections.json");
const BASELINE: &str = include_str!("../../assets/pocketbase/pb_migrations/baseline.js");
const FIELDS: &str = include_str!("../../assets/pocketbase/pb_migrations/fields.js");
const HOOK: &str = include_str!("../../assets/pocketbase/pb_hooks/zz_shopsync.pb.js");

/// Our own fields of each collection; the rest is the app's.
pub(super) const OWN_FIELDS: [(&str, &[&str]); 3] = [
    ("products", &["raintek_product_id", "last_synced_at"]),
    ("customers", &["raintek_customer_id"]),
    ("invoices", &["source", "sync_status", "sync_error", "raintek_inv_id"]),
];

/// The id of the counters that ShopSync laid down; an app's own have another.
pub(super) const OWN_COUNTERS: &str = "shopsync_counters";
/// What those are formed by; they were laid down without it once.
const COUNTER_FIELDS: [&str; 2] = ["prefix", "suffix"];

/// Collections that the app must have.
pub(super) const ESSENTIAL: [&str; 3] = ["products", "invoices", "invoice_items"];
/// Collections that it may have.
pub(super) const OPTIONAL: [&str; 3] = ["customers", "invoice_payments", "counters"];

/// Refuses names that no collection or field can have; they go into JavaScript and filters.
pub(super) fn check_names(names: &BillingSettings) -> Result<(), Fault> {
    let fields = names.fields.values().flat_map(|fields| fields.values());
    for name in names.collections.values().chain(fields) {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() || name.len() > 100 || !plain {
            let name: String = name.chars().take(100).collect();
            return Err(config(format!(
                "{name:?} in the settings cannot be the name of a collection or field."
            )));
        }
    }
    Ok(())
}

/// The baseline collections.
pub(super) fn collections(names: &BillingSettings) -> Vec<Value> {
    serde_json::from_str(&fill(COLLECTIONS, names, &[])).unwrap_or_default()
}

/// The definitions of our own fields of one collection.
pub(super) fn own_fields(names: &BillingSettings, collection: &str) -> Vec<Value> {
    let own = OWN_FIELDS.iter().find(|(name, _)| *name == collection).map_or(&[][..], |(_, fields)| *fields);
    defined(names, collection, own)
}

/// The definitions of what our own counters are formed by.
pub(super) fn counter_fields(names: &BillingSettings) -> Vec<Value> {
    defined(names, "counters", &COUNTER_FIELDS)
}

fn defined(names: &BillingSettings, collection: &str, own: &[&str]) -> Vec<Value> {
    let own: Vec<&str> = own.iter().map(|field| names.field(collection, field)).collect();
    let all = collections(names);
    let definition = all.iter().find(|json| text(json, "name") == names.collection(collection));
    let fields = definition.and_then(|json| json.get("fields")).and_then(Value::as_array);
    fields.into_iter().flatten().filter(|field| own.contains(&text(field, "name"))).cloned().collect()
}

/// The migration that makes the baseline collections in a folder that we laid down.
pub(super) fn baseline_migration(names: &BillingSettings) -> String {
    fill(BASELINE, names, &[("COLLECTIONS", fill(COLLECTIONS, names, &[]).trim())])
}

/// The migration that adds our fields to the app's collections.
pub(super) fn fields_migration(names: &BillingSettings) -> String {
    let own: serde_json::Map<String, Value> = OWN_FIELDS
        .iter()
        .map(|(collection, _)| {
            (names.collection(collection).to_owned(), Value::Array(own_fields(names, collection)))
        })
        .collect();
    let own = serde_json::to_string_pretty(&own).unwrap_or_default();
    fill(FIELDS, names, &[("FIELDS", &own)])
}

/// The hook file.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    /// Its text.
    pub(super) text: String,
    /// What it answers at `/api/shopsync/hook` once it runs.
    pub(super) mark: String,
}

/// The hook file with the app's names, and how far the shop's clocks are ahead of UTC.
pub(super) fn hook(names: &BillingSettings, zone_minutes: i32) -> Hook {
    let text = fill(HOOK, names, &[("ZONE_MINUTES", &zone_minutes.to_string())]);
    let mark = mark(&text);
    Hook { text: text.replace("{{HOOK}}", &mark), mark }
}

/// What tells one version of a text from another.
pub(super) fn mark(text: &str) -> String {
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Replaces `{{collection}}`, `{{collection.field}}` and the given words; leaves any other as it is.
pub(super) fn fill(template: &str, names: &BillingSettings, words: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((token, behind)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match (words.iter().find(|(word, _)| *word == token), token.split_once('.')) {
            (Some((_, value)), _) => filled.push_str(value),
            (None, Some((collection, field))) => filled.push_str(names.field(collection, field)),
            (None, None) if token.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                filled.push_str(names.collection(token));
            }
            (None, None) => {
                filled.push_str("{{");
                filled.push_str(token);
                filled.push_str("}}");
            }
        }
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

fn text<'a>(json: &'a Value, key: &str) -> &'a str {
    json.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn renamed() -> BillingSettings {
        let mut names = BillingSettings::default();
        names.collections.insert("invoices".into(), "bills".into());
        names.fields.insert("invoices".into(), BTreeMap::from([("source".into(), "origin".into())]));
        names
    }

    #[test]
    fn every_text_is_filled() {
        for names in [BillingSettings::default(), renamed()] {
            for text in [baseline_migration(&names), fields_migration(&names), hook(&names, 330).text] {
                assert!(!text.contains("{{"), "{text}");
            }
            assert_eq!(collections(&names).len(), ESSENTIAL.len() + OPTIONAL.len());
            for (collection, fields) in OWN_FIELDS {
                assert_eq!(own_fields(&names, collection).len(), fields.len(), "{collection}");
            }
        }
    }

    #[test]
    fn renames_are_honoured() {
        let hook = hook(&renamed(), 330);
        assert!(hook.text.contains("+ 330 * 60000"));
        assert!(hook.text.contains(r#"onRecordCreate(markInvoice, "bills")"#));
        assert!(hook.text.contains(r#"record.set("origin", "app")"#));
        assert!(hook.text.contains(&hook.mark));
        assert!(fields_migration(&renamed()).contains(r#""name": "origin""#));
    }

    #[test]
    fn a_name_that_could_be_code_is_refused() {
        assert!(check_names(&renamed()).is_ok());
        for bad in ["", "a b", "x\"; drop", "a.b", "ä"] {
            let mut names = BillingSettings::default();
            names.collections.insert("invoices".into(), bad.into());
            assert!(check_names(&names).is_err(), "{bad}");
        }
    }
}
