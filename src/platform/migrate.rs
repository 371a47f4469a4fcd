//! Brings settings of an older shape up to date. No step knows how the settings look today: each speaks of the keys of
//! its own time, so that an old file is read for ever.

use toml_edit::{Array, DocumentMut, Item, Value};

use crate::model::settings::VERSION;

/// Keys that older shapes had and this one has not.
const FORMER: [&str; 1] = ["backup.at"];

/// Whether an older shape had this key.
pub(super) fn is_former(key: &str) -> bool {
    FORMER.contains(&key)
}

/// Changes the document into the shape of today, but for its `version`. Returns the shape it was in, where that was
/// an older one.
pub(super) fn bring_up(document: &mut DocumentMut) -> Result<Option<u32>, String> {
    // The first files told no version.
    let version = match document.get("version") {
        None => 1,
        Some(item) => {
            let number =
                item.as_integer().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0);
            number.ok_or("version must be a whole number; leave it as ShopSync wrote it")?
        }
    };
    if version > VERSION {
        return Err("a newer ShopSync wrote these settings: install that one again".to_owned());
    }
    if version < 2 {
        several_times_a_day(document)?;
    }
    Ok((version < VERSION).then_some(version))
}

/// 1 to 2: `backup.at`, one time, became `backup.times`.
fn several_times_a_day(document: &mut DocumentMut) -> Result<(), String> {
    let Some(backup) = document.get_mut("backup").and_then(Item::as_table_like_mut) else { return Ok(()) };
    let Some(at) = backup.remove("at") else { return Ok(()) };
    if backup.contains_key("times") {
        return Ok(());
    }
    let at = at.into_value().map_err(|_| "backup.at must be a time like \"21:00:00\"")?;
    let around = at.decor().clone();
    let mut times = Array::new();
    times.push_formatted(at.decorated("", ""));
    let mut times = Value::Array(times);
    *times.decor_mut() = around;
    backup.insert("times", Item::Value(times));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use crate::platform::settings::parse_whole;

    /// Every file of `tests/fixtures/settings`: `v1-shop.toml` becomes what `v1-shop.expected.toml` says.
    #[test]
    fn files_of_every_older_shape_are_read_and_rewritten() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/settings");
        let mut seen = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".expected.toml") {
                continue;
            }
            seen += 1;
            let scratch = tempfile::tempdir().unwrap();
            let file = scratch.path().join("settings.toml");
            fs::copy(&path, &file).unwrap();
            let before = parse_whole(&fs::read_to_string(&file).unwrap(), &|_| None).unwrap();
            let shape = crate::platform::SettingsFile::new(file.clone()).bring_up().unwrap();
            assert_eq!(shape, before.older, "{name}");
            let text = fs::read_to_string(&file).unwrap();
            let expected =
                fs::read_to_string(path.with_file_name(name.replace(".toml", ".expected.toml"))).unwrap();
            assert_eq!(text, expected, "{name}");
            let after = parse_whole(&text, &|_| None).unwrap();
            assert_eq!((after.settings, after.older), (before.settings, None), "{name}");
            let kept = scratch.path().join(format!("settings.v{}.toml", shape.unwrap()));
            assert_eq!(fs::read(kept).unwrap(), fs::read(&path).unwrap(), "what stood there is kept");
        }
        assert!(seen >= 2, "{seen}");
    }

    #[test]
    fn a_newer_file_is_refused() {
        let words = parse_whole("version = 9\n", &|_| None).unwrap_err();
        assert!(words.contains("newer ShopSync"), "{words}");
        assert!(parse_whole("version = 'two'\n", &|_| None).is_err());
    }
}
