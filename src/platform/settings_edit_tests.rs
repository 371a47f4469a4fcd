use serde_json::json;

use super::*;
use crate::platform::read_whole;

#[test]
fn one_line_changes_and_nothing_else() {
    let text = "# The shop's settings\r\nzone = \"Asia/Kolkata\"\ntrial   =  true  # until Monday\n\n[push]\n\
                look_every_seconds = 30 # as before\n";
    let changed = without_trial(text).unwrap().unwrap();
    assert_eq!(changed.replace("\r\n", "\n"), text.replace("\r\n", "\n").replace("true", "false"));
    for same in ["", "trial = false\n", "[push]\nfrom_date = \"2026-04-01\"\n"] {
        assert_eq!(without_trial(same).unwrap(), None, "{same}");
    }
    assert!(without_trial("trial = ").is_err());
}

#[tokio::test]
async fn the_file_is_replaced_whole_and_one_that_is_not_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let file = SettingsFile::new(path.clone());
    file.leave_trial().await.unwrap();
    assert!(!path.exists());
    fs::write(&path, "trial = true # test\n[web]\nport = 3031\n").unwrap();
    file.leave_trial().await.unwrap();
    file.leave_trial().await.unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "trial = false # test\n[web]\nport = 3031\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    fs::write(&path, "trial = [").unwrap();
    let fault = file.leave_trial().await.unwrap_err();
    assert!(fault.sentence.contains("set trial = false in it"), "{fault}");
}

#[test]
fn changes_leave_everything_else_as_a_person_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let file = SettingsFile::new(path.clone());
    let set = |pairs: &[(&str, Value)]| {
        let changes = pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        file.change(&changes)
    };
    set(&[
        ("backup.times", json!(["21:00", "13:00"])),
        ("trial", json!(true)),
        ("payments", json!({"upi": "PhonePe"})),
    ])
    .unwrap();
    let made = read_whole(&path).unwrap();
    assert!(made.settings.trial && made.settings.backup.times.len() == 2 && made.older.is_none());
    assert_eq!(made.settings.payments["upi"], "PhonePe");

    let text = "# ours\nzone = \"Asia/Kolkata\"\n\n[web] # the page\nport = 3031 # free here\nwidth = 7\n\n[cloud]\nkey = 1 # theirs\n";
    fs::write(&path, text).unwrap();
    set(&[("web.port", json!(3032)), ("backup.folder", json!("D:\\B"))]).unwrap();
    let changed = fs::read_to_string(&path).unwrap();
    let expected = text
        .replace("3031", "3032")
        .replace("zone = \"Asia/Kolkata\"\n", "zone = \"Asia/Kolkata\"\nversion = 2\n");
    assert_eq!(changed, format!("{expected}\n[backup]\nfolder = 'D:\\B'\n"));
    set(&[("backup.folder", json!(null))]).unwrap();
    assert_eq!(read_whole(&path).unwrap().settings.backup.folder, None);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn all_or_nothing_and_the_reason_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let file = SettingsFile::new(path.clone());
    fs::write(&path, "[web]\nport = 3031\n").unwrap();
    for (key, value, words) in [
        ("web.port", json!(99_999), "whole number from 0 to 65535"),
        ("zone", json!("Mars/Olympus"), "Mars/Olympus"),
        ("telegram.token", json!("123:abc"), "no setting"),
        ("nonsense", json!(1), "no setting"),
    ] {
        let changes = [("trial".to_owned(), json!(true)), (key.to_owned(), value)].into();
        let refusal = file.change(&changes).unwrap_err();
        assert!(refusal.sentence.contains(words), "{key}: {}", refusal.sentence);
        assert_eq!(refusal.field.as_deref(), Some(key), "{}", refusal.sentence);
        assert_eq!(fs::read_to_string(&path).unwrap(), "[web]\nport = 3031\n", "{key}");
    }
    fs::write(&path, "[web\n").unwrap();
    let refusal = file.change(&[("trial".to_owned(), json!(true))].into()).unwrap_err();
    assert!(refusal.sentence.contains("nothing was changed"), "{}", refusal.sentence);
}

#[test]
fn what_the_installer_was_told_is_written_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let file = SettingsFile::new(path.clone());
    file.tell(&Told::default()).unwrap();
    assert!(!path.exists(), "nothing was told");
    let told = Told { backups: Some(r"D:\Sicherung ü".into()), no_autostart: true };
    file.tell(&told).unwrap();
    let settings = crate::platform::read_settings(&path).unwrap();
    assert_eq!((settings.backup.folder.as_ref(), settings.desktop.autostart), (told.backups.as_ref(), false));

    fs::write(&path, "# ours\nzone = \"Asia/Kolkata\"\n[desktop] # icon\ntoasts = false\n").unwrap();
    file.tell(&Told { no_autostart: true, backups: None }).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("# ours\nzone") && text.contains("[desktop] # icon\ntoasts = false\n"),
        "{text}"
    );
    let settings = crate::platform::read_settings(&path).unwrap();
    assert!(!settings.desktop.autostart && !settings.desktop.toasts);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    file.tell(&Told { no_autostart: true, backups: None }).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);

    for damaged in ["zone = [", "desktop = 1"] {
        fs::write(&path, damaged).unwrap();
        assert!(file.tell(&Told { no_autostart: true, backups: None }).is_err(), "{damaged}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
}
