//! `settings.toml` in the data folder; never required to exist.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::fault::{Action, Fault, FaultKind, Scope};
use crate::model::home::EngineHome;
use crate::model::settings::{RaintekAuth, Settings};

/// Where the settings lie.
pub fn settings_path(data: &Path) -> PathBuf {
    data.join("settings.toml")
}

/// Reads the settings; without a file they are the defaults.
///
/// # Errors
/// Config with a sentence that names the line and what is wrong with it.
pub fn read_settings(path: &Path) -> Result<Settings, Fault> {
    let wrong =
        |sentence: String| Fault::new(FaultKind::Config, Scope::Store, sentence).action(Action::FixSettings);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(wrong(format!("{} cannot be read: {error}.", path.display()))),
    };
    let settings = parse(&text).map_err(|why| wrong(format!("{}: {why}", path.display())))?;
    Ok(Settings { file: Some(path.to_owned()), ..settings })
}

fn parse(text: &str) -> Result<Settings, String> {
    let settings: Settings = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| before.matches('\n').count() + 1);
        let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        format!("{place}{}", error.message().trim())
    })?;
    check(&settings)?;
    Ok(settings)
}

/// What the types alone cannot refuse.
fn check(settings: &Settings) -> Result<(), String> {
    if settings.products.every_seconds == 0 {
        return Err("products.every_seconds must be at least 1".into());
    }
    if settings.push.look_every_seconds == 0 {
        return Err("push.look_every_seconds must be at least 1".into());
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
            at = "22:30:00"
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
        assert_eq!(settings.backup.at.to_string(), "22:30:00");
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
}
