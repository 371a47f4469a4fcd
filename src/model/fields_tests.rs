use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::model::settings::Settings;

/// The keys of the file that are no tables of names.
fn keys(value: &Value, above: &str, into: &mut BTreeSet<String>) {
    let Value::Object(all) = value else { return };
    for (name, value) in all {
        let key = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match find(&key) {
            Some(_) => {
                into.insert(key);
            }
            None if value.is_object() => keys(value, &key, into),
            None => {
                into.insert(key);
            }
        }
    }
}

#[test]
fn every_setting_has_its_field_and_every_field_its_setting() {
    let mut found = BTreeSet::new();
    keys(&serde_json::to_value(Settings::default()).unwrap(), "", &mut found);
    assert!(found.remove("version"), "the file's shape is no setting");
    let listed: BTreeSet<String> =
        FIELDS.iter().filter(|field| !field.is_secret()).map(|field| field.key.to_owned()).collect();
    assert_eq!(found, listed);
    assert_eq!(FIELDS.len(), FIELDS.iter().map(|field| field.key).collect::<BTreeSet<_>>().len());
}

#[test]
fn what_is_given_is_read_or_refused_in_words() {
    let read = |key: &str, given: Value| find(key).unwrap().read(&given);
    let fine: [(&str, Value, Value); 15] = [
        ("raintek.server", json!("  .\\SQLEXPRESS "), json!(".\\SQLEXPRESS")),
        ("web.port", json!(3031), json!(3031)),
        ("web.port", json!("3031"), json!(3031)),
        ("posting.stock", json!("on"), json!(true)),
        ("backup.times", json!(["21:00", "13:30:00"]), json!(["21:00:00", "13:30:00"])),
        ("backup.times", json!("21:00, 13:30"), json!(["21:00:00", "13:30:00"])),
        ("backup.folder", json!("D:\\Backups"), json!("D:\\Backups")),
        ("backup.folder", json!(""), Value::Null),
        ("alerts.closing_time", json!("9:05"), json!("09:05:00")),
        ("telegram.chats", json!([5, "-100123"]), json!([5, -100_123])),
        ("telegram.chats", json!(null), json!([])),
        ("push.from_date", json!("2026-04-01"), json!("2026-04-01")),
        ("desktop.language", json!("hi"), json!("hi")),
        ("billing.listen", json!("0.0.0.0:8090"), json!("0.0.0.0:8090")),
        ("payments", json!({"upi": "PhonePe"}), json!({"upi": "PhonePe"})),
    ];
    for (key, given, wanted) in fine {
        assert_eq!(read(key, given.clone()), Ok(wanted), "{key} {given}");
    }
    let refused = [
        ("raintek.server", json!("")),
        ("raintek.server", json!(7)),
        ("raintek.database", json!("a\nb")),
        ("web.port", json!(70_000)),
        ("web.port", json!(-1)),
        ("web.port", json!(1.5)),
        ("products.every_seconds", json!(0)),
        ("posting.stock", json!("maybe")),
        ("backup.times", json!(["evening"])),
        ("backup.times", json!(["25:00"])),
        ("backup.folder", json!("Backups")),
        ("alerts.closing_time", json!(9)),
        ("telegram.chats", json!(["Asha"])),
        ("telegram.chats", json!([0])),
        ("push.from_date", json!("1 April")),
        ("desktop.language", json!("fr")),
        ("billing.url", json!("127.0.0.1:8090")),
        ("billing.url", json!("http://")),
        ("billing.listen", json!("8090")),
        ("billing.listen", json!("0.0.0.0:0")),
        ("payments", json!({"upi": ""})),
        ("billing.fields", json!({"invoices": 3})),
    ];
    for (key, given) in refused {
        let sentence = read(key, given.clone()).expect_err(key);
        assert!(sentence.ends_with('.') && sentence.contains(' '), "{key} {given}: {sentence}");
    }
}

#[test]
fn a_slip_of_the_hand_is_told_from_another_programs_key() {
    assert_eq!(meant("raintek.serverr"), Some("raintek.server"));
    assert_eq!(meant("watchonly"), Some("watch_only"));
    assert_eq!(meant("trail"), Some("trial"));
    assert_eq!(meant("raintekk"), Some("raintek"));
    for other in ["printer.paper", "raintek.pool_size", "web.port"] {
        assert_eq!(meant(other), None, "{other}");
    }
}
