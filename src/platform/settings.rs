//! `settings.toml` in the data folder; never required to exist.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use super::{migrate, settings_edit};
use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::fields::{self, FIELDS};
use crate::model::home::EngineHome;
use crate::model::settings::{RaintekAuth, Settings, VERSION};
use crate::model::words::one_line;

/// Nothing that comes around takes longer than a week, and no clock holds what a typing error can ask for.
const LONGEST_SECONDS: u64 = 7 * 24 * 3600;
/// Characters of what is wrong.
const LONGEST_REASON: usize = 300;

/// Where the settings lie.
pub fn settings_path(data: &Path) -> PathBuf {
    data.join("settings.toml")
}

/// What a settings file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSettings {
    /// All settings, with what the environment says instead.
    pub settings: Settings,
    /// The shape that the file was in, where it was an older one.
    pub older: Option<u32>,
    /// Keys that nobody knows; they are kept.
    pub unknown: Vec<String>,
    /// Keys that the environment sets.
    pub overridden: Vec<&'static str>,
    /// Whether the file itself says anything of RainTek: then somebody set it up.
    pub names_raintek: bool,
}

/// Reads the settings; without a file they are the defaults.
///
/// # Errors
/// Config with a sentence that names the line and what is wrong with it.
pub fn read_settings(path: &Path) -> Result<Settings, Fault> {
    read_whole(path).map(|read| read.settings)
}

/// The same with what is to be told of the file.
///
/// # Errors
/// As [`read_settings`].
pub fn read_whole(path: &Path) -> Result<ReadSettings, Fault> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(wrong(format!("{} cannot be read: {error}.", path.display()))),
    };
    // Some editors write a mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut read =
        parse_whole(text, &environment).map_err(|why| wrong(format!("{}: {why}", path.display())))?;
    read.settings.file = path.is_file().then(|| path.to_owned());
    Ok(read)
}

fn wrong(sentence: String) -> Fault {
    Fault::new(FaultKind::Config, Scope::Store, sentence).action(Action::FixSettings)
}

/// For tests and installers: `SHOPSYNC_SETTING_WEB_PORT=3031`.
pub(super) fn environment(key: &str) -> Option<String> {
    std::env::var(format!("SHOPSYNC_SETTING_{}", key.to_uppercase().replace(['.', '-'], "_"))).ok()
}

/// Reads a text as it stands in a file; `instead` says what the environment has for a key.
pub(super) fn parse_whole(
    text: &str,
    instead: &dyn Fn(&str) -> Option<String>,
) -> Result<ReadSettings, String> {
    let mut document: DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| placed(text, error.span(), error.message()))?;
    let unknown = unknown_keys(text)?;
    let older = migrate::bring_up(&mut document)?;
    let names_raintek = document.get("raintek").is_some();
    let mut overridden = Vec::new();
    for field in FIELDS.iter().filter(|field| !field.is_secret()) {
        let Some(given) = instead(field.key) else { continue };
        let value =
            field.read(&given.into()).map_err(|why| format!("{} in the environment: {why}", field.key))?;
        settings_edit::put(&mut document, field.key, &value)?;
        overridden.push(field.key);
    }
    // Where nothing was changed, errors are named with the line of the file.
    let current =
        if older.is_some() || !overridden.is_empty() { document.to_string() } else { text.to_owned() };
    let settings: Settings =
        toml::from_str(&current).map_err(|error| placed(&current, error.span(), error.message()))?;
    let settings = Settings { version: VERSION, ..settings };
    check(&settings)?;
    Ok(ReadSettings { settings, older, unknown, overridden, names_raintek })
}

fn placed(text: &str, span: Option<Range<usize>>, message: &str) -> String {
    let before = span.and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
    // A key that nobody knows is repeated, whatever it is called.
    one_line(&format!("{place}{}", message.trim()), LONGEST_REASON)
}

/// Keys that no setting has. One that is a letter or two off a known one is a slip, and refused: what it was to say
/// would go unheard.
fn unknown_keys(text: &str) -> Result<Vec<String>, String> {
    let document =
        toml_edit::Document::parse(text).map_err(|error| placed(text, error.span(), error.message()))?;
    let mut unknown = Vec::new();
    look_through(document.as_table(), "", text, &mut unknown)?;
    Ok(unknown)
}

fn look_through(
    table: &dyn toml_edit::TableLike,
    above: &str,
    text: &str,
    unknown: &mut Vec<String>,
) -> Result<(), String> {
    for (name, item) in table.iter() {
        let key = if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") };
        if key == "version" || fields::find(&key).is_some() || migrate::is_former(&key) {
            continue;
        }
        let has_fields =
            FIELDS.iter().any(|field| field.key.strip_prefix(&key).is_some_and(|rest| rest.starts_with('.')));
        match item.as_table_like().filter(|_| has_fields) {
            Some(inner) => look_through(inner, &key, text, unknown)?,
            None => match fields::meant(&key) {
                Some(meant) => {
                    let span = table.get_key_value(name).and_then(|(key, _)| key.span());
                    let words = format!("there is no setting `{key}`; is `{meant}` meant?");
                    return Err(placed(text, span, &words));
                }
                None => unknown.push(key),
            },
        }
    }
    Ok(())
}

/// What the types alone cannot refuse.
pub(super) fn check(settings: &Settings) -> Result<(), String> {
    if settings.products.every_seconds == 0 {
        return Err("products.every_seconds must be at least 1".into());
    }
    if settings.push.look_every_seconds == 0 {
        return Err("push.look_every_seconds must be at least 1".into());
    }
    let longest = [
        ("products.every_seconds", settings.products.every_seconds),
        ("push.look_every_seconds", settings.push.look_every_seconds),
        ("awareness.every_seconds", settings.awareness.every_seconds),
        ("alerts.lost_after_seconds", settings.alerts.lost_after_seconds.into()),
        ("alerts.gap_seconds", settings.alerts.gap_seconds.into()),
        ("alerts.heartbeat_seconds", settings.alerts.heartbeat_seconds.into()),
    ]
    .into_iter()
    .find(|(_, seconds)| *seconds > LONGEST_SECONDS);
    if let Some((name, _)) = longest {
        return Err(format!("{name} must be at most {LONGEST_SECONDS}, which is a week"));
    }
    if settings.raintek.database.trim().is_empty() {
        return Err("raintek.database must not be empty".into());
    }
    if settings.engine == EngineHome::Service && settings.raintek.auth == RaintekAuth::Windows {
        return Err(
            "engine = \"service\" signs in to RainTek by a SQL login: raintek.auth must be \"sql\"".into()
        );
    }
    if settings.alerts.gap_seconds == 0 || settings.alerts.heartbeat_seconds == 0 {
        return Err("alerts.gap_seconds and alerts.heartbeat_seconds must be at least 1".into());
    }
    let spaces =
        settings.payments.iter().find(|(name, text)| name.trim().is_empty() || text.trim().is_empty());
    if spaces.is_some() {
        return Err("payments: a name and its text must not be empty".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        parse_whole(text, &|_| None).map(|read| read.settings)
    }
    use crate::model::settings::{Encryption, PostingSettings};

    #[test]
    fn nothing_is_required() {
        assert_eq!(parse("").unwrap(), Settings::default());
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_settings(&settings_path(folder.path())).unwrap(), Settings::default());
    }

    #[test]
    fn everything_can_be_set() {
        let settings = parse(
            r#"
            zone = "Asia/Dubai"
            trial = true
            watch_only = true
            [raintek]
            server = '.\SQLEXPRESS'
            auth = "windows"
            encryption = "none"
            [billing.collections]
            invoices = "bills"
            [billing.fields]
            invoices.invoice_number = "bill_no"
            [products]
            stock = "live"
            unknown_item = "P-9999"
            [payments]
            upi = "PhonePe"
            [push]
            from_date = "2026-04-01"
            [alerts]
            closing_time = "21:30"
            heartbeat_url = "https://example.in/ping"
            [telegram]
            chats = [12345, -1001234567890]
            commands = true
            [backup]
            folder = 'D:\Shop\Backups'
            times = ["22:30:00"]
            [posting]
            stock = true
            "#,
        )
        .unwrap();
        assert_eq!(
            (settings.raintek.auth, settings.raintek.encryption),
            (RaintekAuth::Windows, Encryption::None)
        );
        assert_eq!(settings.alerts.closing_time, chrono::NaiveTime::from_hms_opt(21, 30, 0));
        assert_eq!(settings.telegram.chats, [12_345, -1_001_234_567_890]);
        assert!(settings.trial && settings.watch_only);
        assert_eq!(settings.backup.times[0].to_string(), "22:30:00");
        assert_eq!(settings.billing.collection("invoices"), "bills");
        assert_eq!(settings.billing.field("invoices", "invoice_number"), "bill_no");
        assert_eq!(settings.billing.field("invoices", "status"), "status");
        assert_eq!(settings.posting, PostingSettings { stock: true, ledgers: false });
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let unknown = parse("zone = \"Asia/Kolkata\"\n[raintek]\nserverr = \"x\"\n").unwrap_err();
        assert!(unknown.contains("line 3") && unknown.contains("serverr"), "{unknown}");
        let zone = parse("zone = \"Mars/Olympus\"").unwrap_err();
        assert!(zone.contains("line 1"), "{zone}");
        assert!(parse("[products]\nevery_seconds = 0").unwrap_err().contains("at least 1"));
        assert!(parse("[alerts]\ngap_seconds = 0").unwrap_err().contains("at least 1"));
        assert!(parse("[alerts]\nclosing_time = \"evening\"").unwrap_err().contains("line 2"));
        assert!(parse("[web]\nport = 70000").is_err());
    }

    #[test]
    fn what_another_program_wrote_is_kept_and_a_slip_is_not() {
        let text =
            "printer = \"A4\"\n[raintek]\npool = 3\n[cloud]\nkey = 1\n[payments]\nupii = \"PhonePe\"\n";
        let read = parse_whole(text, &|_| None).unwrap();
        assert_eq!(read.unknown, ["printer", "raintek.pool", "cloud"]);
        assert_eq!(read.settings.payments["upii"], "PhonePe");
        assert!(read.names_raintek && read.older == Some(1));
        let slip = parse("# a comment\nwatchonly = true\n").unwrap_err();
        assert!(slip.contains("line 2") && slip.contains("is `watch_only` meant?"), "{slip}");
        let slip = parse("[raintekk]\nserver = 'x'\n").unwrap_err();
        assert!(slip.contains("line 1") && slip.contains("`raintek`"), "{slip}");
    }

    #[test]
    fn the_environment_comes_first() {
        let instead = |key: &str| (key == "web.port").then(|| "4040".to_owned());
        let read = parse_whole("version = 2\n[web]\nport = 3031 # here\n", &instead).unwrap();
        assert_eq!((read.settings.web.port, read.overridden), (4040, vec!["web.port"]));
        let wrong = |_: &str| Some("none of it".to_owned());
        assert!(parse_whole("", &wrong).unwrap_err().contains("in the environment"));
    }
}
