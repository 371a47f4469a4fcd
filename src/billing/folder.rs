//! The app's folder: where its parts lie, and what ShopSync lays down beside them.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::page::{self, PageFile};
use super::templates::{self, Hook};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::settings::BillingSettings;

const HOOK_FILE: &str = "zz_shopsync.pb.js";
const BASELINE_FILE: &str = "1700000000_shopsync_baseline.js";
const FIELDS_SUFFIX: &str = "_shopsync.js";
/// In every file of ours; a file of one of our names without it is somebody else's.
const OURS: &str = "ShopSync";

/// An app's folder, laid out as PocketBase does by itself.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn data(&self) -> PathBuf {
        self.root.join("pb_data")
    }

    pub(super) fn hooks(&self) -> PathBuf {
        self.root.join("pb_hooks")
    }

    pub(super) fn migrations(&self) -> PathBuf {
        self.root.join("pb_migrations")
    }

    pub(super) fn public(&self) -> PathBuf {
        self.root.join("pb_public")
    }

    fn page(&self) -> PathBuf {
        self.public().join("shopsync")
    }

    /// Writes our files where they are missing or of an older version: the hook, one migration and the page with the
    /// badge. In a folder without an app the migration makes the baseline collections. Returns whether anything was
    /// written.
    pub(super) fn lay(
        &self,
        names: &BillingSettings,
        hook: &Hook,
        now: DateTime<Utc>,
    ) -> Result<bool, Fault> {
        let lay = || -> std::io::Result<bool> {
            for folder in [self.data(), self.hooks(), self.migrations(), self.page()] {
                fs::create_dir_all(folder)?;
            }
            let (migration, text) = self.migration(names, now)?;
            let mut written = self.put(&migration, &text)?;
            written |= self.put(&self.hooks().join(HOOK_FILE), &hook.text)?;
            let page = page::files(names);
            for file in &page {
                written |= self.put(&self.page().join(&file.name), &file.text)?;
            }
            self.remove_older(&page)?;
            Ok(written)
        };
        lay().map_err(|error| {
            Fault::new(
                FaultKind::Config,
                Scope::Billing,
                "ShopSync cannot write into the billing app's folder.",
            )
            .action(Action::FixSettings)
            .detail(format!("{}: {error}", self.root.display()))
        })
    }

    /// Which migration is ours here.
    fn migration(&self, names: &BillingSettings, now: DateTime<Utc>) -> std::io::Result<(PathBuf, String)> {
        let folder = self.migrations();
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder)? {
            files.push(entry?.file_name().to_string_lossy().into_owned());
        }
        let scripts: Vec<&String> = files.iter().filter(|name| name.ends_with(".js")).collect();
        if scripts.iter().any(|name| *name == BASELINE_FILE)
            || scripts.is_empty() && !self.data().join("data.db").exists()
        {
            return Ok((folder.join(BASELINE_FILE), templates::baseline_migration(names)));
        }
        let text = templates::fields_migration(names);
        if let Some(there) = scripts.iter().find(|name| name.ends_with(FIELDS_SUFFIX)) {
            return Ok((folder.join(there), text));
        }
        // They run in the order of their names: ours behind those that make the collections.
        let newest = scripts.iter().filter_map(|name| name.split('_').next()?.parse::<i64>().ok()).max();
        let stamp = now.timestamp().max(newest.map_or(0, |newest| newest.saturating_add(1)));
        Ok((folder.join(format!("{stamp}{FIELDS_SUFFIX}")), text))
    }

    /// Removes what older versions of ShopSync laid down for the page. One that cannot be removed, since somebody reads
    /// it, goes the next time.
    fn remove_older(&self, current: &[PageFile]) -> std::io::Result<()> {
        for entry in fs::read_dir(self.page())? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let older = page::is_version(name) && current.iter().all(|file| file.name != name);
            if older && fs::read_to_string(&path).is_ok_and(|text| text.contains(OURS)) {
                let _ = fs::remove_file(&path);
            }
        }
        Ok(())
    }

    fn put(&self, path: &Path, text: &str) -> std::io::Result<bool> {
        match fs::read_to_string(path) {
            Ok(there) if there == text => return Ok(false),
            Ok(there) if !there.contains(OURS) => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Beside the folders that PocketBase watches or reads, then moved in whole.
        let draft = self.root.join("shopsync.draft");
        let mut file = fs::File::create(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        drop(file);
        if fs::rename(&draft, path).is_err() {
            // One of the folders may be a link to another disk.
            fs::write(path, text)?;
            let _ = fs::remove_file(&draft);
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lay(layout: &Layout) -> bool {
        let names = BillingSettings::default();
        layout
            .lay(&names, &templates::hook(&names, 330), DateTime::from_timestamp(1_800_000_000, 0).unwrap())
            .unwrap()
    }

    fn files(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_empty_folder_gets_the_baseline_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().join("billing"));
        assert!(lay(&layout));
        assert_eq!(files(&layout.migrations()), [BASELINE_FILE]);
        fs::write(layout.data().join("data.db"), "").unwrap();
        assert!(!lay(&layout));
        assert_eq!(files(&layout.migrations()), [BASELINE_FILE]);
        assert_eq!(files(layout.root()), ["pb_data", "pb_hooks", "pb_migrations", "pb_public"]);
    }

    #[test]
    fn an_apps_folder_gets_one_migration_behind_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().to_owned());
        fs::create_dir_all(layout.migrations()).unwrap();
        fs::write(layout.migrations().join("1900000000_made.js"), "theirs").unwrap();
        assert!(lay(&layout));
        assert!(!lay(&layout));
        assert_eq!(files(&layout.migrations()), ["1900000000_made.js", "1900000001_shopsync.js"]);
    }

    #[test]
    fn a_new_version_takes_the_place_of_the_old_one_of_ours_alone() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().to_owned());
        assert!(lay(&layout));
        let current = files(&layout.page());
        let old = "sync-badge.0123456789abcdef.js";
        let left = [("invoices.0123456789abcdef.js", "theirs"), ("sync-badge.mine.js", "// for ShopSync")];
        fs::write(layout.page().join(old), "// ShopSync, as it was").unwrap();
        for (name, text) in left {
            fs::write(layout.page().join(name), text).unwrap();
        }
        assert!(!lay(&layout));
        let mut expected: Vec<String> =
            current.into_iter().chain(left.map(|(name, _)| name.to_owned())).collect();
        expected.sort();
        assert_eq!(files(&layout.page()), expected);
    }

    #[test]
    fn somebody_elses_file_of_our_name_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().to_owned());
        fs::create_dir_all(layout.hooks()).unwrap();
        fs::write(layout.hooks().join(HOOK_FILE), "theirs").unwrap();
        lay(&layout);
        assert_eq!(fs::read_to_string(layout.hooks().join(HOOK_FILE)).unwrap(), "theirs");
    }
}
