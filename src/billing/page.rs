//! What lies under `/shopsync/` in the app: `<sync-badge>` and a page of invoices, with the app's names filled in.
//!
//! PocketBase says nothing of how long a browser may keep a file, so a phone keeps one as long as it likes. That is why
//! whatever changes carries its version in its name; the few names that stay ask for the current ones past every cache.

use serde_json::json;

use super::templates::{fill, mark};
use crate::model::settings::BillingSettings;

const INDEX: &str = include_str!("../../assets/pocketbase/pb_public/shopsync/index.html");
const INDEX_SCRIPT: &str = include_str!("../../assets/pocketbase/pb_public/shopsync/index.js");
const BADGE_SCRIPT: &str = include_str!("../../assets/pocketbase/pb_public/shopsync/badge.js");
const SYNC_BADGE: &str = include_str!("../../assets/pocketbase/pb_public/shopsync/sync-badge.js");
const SESSION: &str = include_str!("../../assets/pocketbase/pb_public/shopsync/session.js");
const INVOICES: &str = include_str!("../../assets/pocketbase/pb_public/shopsync/invoices.js");
const STYLE: &str = include_str!("../../assets/pocketbase/pb_public/shopsync/invoices.css");

/// The names that carry a version between these two parts.
const VERSIONED: [(&str, &str); 4] =
    [("sync-badge", "js"), ("session", "js"), ("invoices", "js"), ("invoices", "css")];

/// A file of the folder `shopsync`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageFile {
    pub(super) name: String,
    pub(super) text: String,
}

/// All files, each behind those that it names: whoever comes in the middle still finds a whole version.
pub(super) fn files(names: &BillingSettings) -> Vec<PageFile> {
    let badge = versioned(("sync-badge", "js"), fill(SYNC_BADGE, names, &[]));
    let session = versioned(("session", "js"), fill(SESSION, names, &[]));
    let page = versioned(("invoices", "js"), fill(INVOICES, names, &[("SESSION", &session.name)]));
    let style = versioned(("invoices", "css"), STYLE.to_owned());
    let current = json!({"by": "ShopSync", "badge": badge.name, "page": page.name, "style": style.name});
    let stays = |name: &str, text: &str| PageFile { name: name.to_owned(), text: text.to_owned() };
    vec![
        badge,
        session,
        page,
        style,
        stays("current.json", &current.to_string()),
        stays("badge.js", BADGE_SCRIPT),
        stays("index.js", INDEX_SCRIPT),
        stays("index.html", INDEX),
    ]
}

/// Whether a name is that of some version of a file of ours.
pub(super) fn is_version(name: &str) -> bool {
    VERSIONED.iter().any(|(stem, kind)| {
        let rest = name.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.'));
        let version = rest.and_then(|rest| rest.strip_suffix(kind)).and_then(|rest| rest.strip_suffix('.'));
        version.is_some_and(|version| version.len() == 16 && version.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

fn versioned((stem, kind): (&str, &str), text: String) -> PageFile {
    PageFile { name: format!("{stem}.{}.{kind}", mark(&text)), text }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn renamed() -> BillingSettings {
        let fields = [("sync_status", "till_state"), ("grand_total", "amount")];
        let fields: BTreeMap<String, String> =
            fields.into_iter().map(|(ours, theirs)| (ours.into(), theirs.into())).collect();
        BillingSettings {
            collections: [("invoices".to_owned(), "bills".to_owned())].into(),
            fields: [("invoices".to_owned(), fields)].into(),
            ..BillingSettings::default()
        }
    }

    #[test]
    fn every_file_is_filled_and_known_as_ours() {
        for names in [BillingSettings::default(), renamed()] {
            for file in files(&names) {
                assert!(!file.text.contains("{{"), "{}", file.name);
                assert!(file.text.contains("ShopSync"), "{}: nobody could tell whose it is", file.name);
            }
        }
    }

    #[test]
    fn each_name_that_is_mentioned_is_laid_down_before() {
        let files = files(&BillingSettings::default());
        let versions: Vec<&str> =
            files.iter().map(|file| file.name.as_str()).filter(|n| is_version(n)).collect();
        assert_eq!(versions.len(), VERSIONED.len());
        for version in versions {
            let place = files.iter().position(|file| file.name == version);
            let named = files.iter().position(|file| file.text.contains(version));
            assert!(named.is_some() && named > place, "{version}");
        }
    }

    #[test]
    fn other_names_are_another_version() {
        let (one, other) = (files(&BillingSettings::default()), files(&renamed()));
        let text: String = other.iter().map(|file| file.text.as_str()).collect();
        assert!(text.contains("collections/bills/records") && text.contains("record?.[name]"));
        assert!(text.contains("'till_state'") && text.contains("record['amount']"));
        assert_ne!(one.first(), other.first(), "the badge reads a record by the app's names");
        assert_ne!(one.get(2), other.get(2));
        assert_eq!(one.get(3), other.get(3), "the style has none");
    }

    #[test]
    fn only_a_whole_version_is_taken_for_one() {
        assert!(is_version("sync-badge.0123456789abcdef.js") && is_version("invoices.0123456789abcdef.css"));
        for name in [
            "sync-badge.js",
            "sync-badge.0123456789abcdef.css",
            "invoices.0123456789abcdeg.js",
            "my-invoices.0123456789abcdef.js",
            "invoices.0123456789abcdef0.js",
            "invoices0123456789abcdef.js",
            "index.html",
        ] {
            assert!(!is_version(name), "{name}");
        }
    }
}
