//! What is given to whoever supports the shop: what ran, how things stand, what happened. Names, phones and secrets are
//! taken out before anybody sees it, and it is shown before it is saved.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::house::House;
use super::office::refused;
use super::parts;
use crate::model::schema::PosSchema;
use crate::model::settings::VERSION;
use crate::model::setup::{Refusal, Report, ReportFile, SavedReport, SettingsView};
use crate::platform::zipped as zip;
use crate::ports::setup::Office as _;
use crate::ports::{Pos as _, State as _};
use crate::sync::masking::Mask;

/// Newest lines of the journal.
const EVENTS: u32 = 200;
/// Log files, the newest.
const LOGS: usize = 4;
/// Bytes of each, its end.
const OF_A_LOG: usize = 200 * 1024;
/// Invoices whose customers' names are looked for.
const NAMES: usize = 20_000;
/// RainTek is asked for its tables no longer than this.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything, masked.
pub(super) async fn report(house: &Arc<House>) -> Result<Report, Refusal> {
    let mask = mask(house).await?;
    let snapshot = serde_json::to_value(house.switch.snapshot().as_ref()).unwrap_or_default();
    let view = super::house::Counter(Arc::clone(house)).settings().await?;
    let settings = house.counting().await;
    let mut files = vec![
        file("versions.json", pretty(&mask.json(&versions(house).await))),
        file("state.json", pretty(&mask.json(&snapshot))),
        file("settings.json", pretty(&mask.json(&shown_settings(view)))),
        file("raintek-tables.txt", mask.text(&tables(house, &settings).await)),
        file("events.txt", mask.text(&events(house).await?)),
    ];
    let logs = house.ground.data.join("logs");
    let masked =
        tokio::task::spawn_blocking(move || newest(&logs).iter().map(|log| log_file(log, &mask)).collect());
    let masked: Vec<ReportFile> = masked.await.unwrap_or_default();
    files.extend(masked);
    let size: u64 = files.iter().map(|file| file.size).sum();
    let sentence = format!(
        "{} files, {}. Names, phones and passwords were taken out of them.",
        files.len(),
        crate::sync::backups::size(size)
    );
    Ok(Report { files, sentence })
}

/// The same as a zip.
pub(super) async fn zipped(house: &Arc<House>) -> Result<Vec<u8>, Refusal> {
    let report = report(house).await?;
    let files: Vec<(String, String)> = report.files.into_iter().map(|file| (file.name, file.text)).collect();
    zip(&files).map_err(|error| Refusal::whole(format!("The archive cannot be made: {error}.")))
}

/// The same, saved.
pub(super) async fn save(house: &Arc<House>, path: Option<PathBuf>) -> Result<SavedReport, Refusal> {
    let bytes = zipped(house).await?;
    let path = path.unwrap_or_else(|| {
        let at = house.ground.clock.now().with_timezone(&house.zone());
        house.ground.data.join("diagnostics").join(format!("shopsync-{}.zip", at.format("%Y-%m-%d-%H%M%S")))
    });
    let target = path.clone();
    let written = tokio::task::spawn_blocking(move || {
        if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&target, bytes)
    });
    let written = written.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    written.map_err(|error| Refusal::whole(format!("{} cannot be written: {error}.", path.display())))?;
    Ok(SavedReport { sentence: format!("Saved as {}.", path.display()), path: path.display().to_string() })
}

fn file(name: &str, text: String) -> ReportFile {
    let size = u64::try_from(text.len()).unwrap_or_default();
    ReportFile { name: name.to_owned(), text, size, truncated: false }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Everybody whom the store knows by name, and everything that is kept secret.
async fn mask(house: &House) -> Result<Mask, Refusal> {
    let secrets = house.sealed.values().map_err(refused)?;
    let store = &house.ground.store;
    let mut names: Vec<String> = Vec::new();
    let open = store.open_items(u32::MAX).await.map_err(refused)?;
    names.extend(open.into_iter().map(|item| item.customer));
    let mut after = i64::MIN;
    while names.len() < NAMES {
        let page = store.proven_after(after, 1_000).await.map_err(refused)?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        names.extend(page.into_iter().map(|item| item.customer));
    }
    let shop = house.progress().telegram.chat.clone();
    names.extend(shop);
    let heartbeat = house.counting().await.alerts.heartbeat_url;
    Ok(Mask::new(secrets.into_iter().chain(heartbeat), names))
}

async fn versions(house: &House) -> Value {
    json!({
        "shopsync": env!("CARGO_PKG_VERSION"),
        "pocketbase": house.pocketbase().await,
        "settings": VERSION,
        "system": std::env::consts::OS,
        "processor": std::env::consts::ARCH,
        "data": house.ground.data.display().to_string(),
        "at": house.ground.clock.now(),
    })
}

fn shown_settings(view: SettingsView) -> Value {
    let mut all = serde_json::Map::new();
    for field in view.groups.into_iter().flat_map(|group| group.fields) {
        let value = match (field.key.as_str(), field.set) {
            (_, Some(set)) => if set { "(kept)" } else { "(none)" }.into(),
            ("telegram.chats", None) => {
                format!("{} chats", field.value.as_array().map_or(0, Vec::len)).into()
            }
            _ => field.value,
        };
        if value != field.default || field.set.is_some() {
            all.insert(field.key, value);
        }
    }
    json!({"file": view.file, "changed from the defaults": all, "unknown keys": view.unknown})
}

async fn events(house: &House) -> Result<String, Refusal> {
    let mut text = String::new();
    for line in house.ground.store.activity(EVENTS).await.map_err(refused)? {
        let _ =
            writeln!(text, "{}  {:9} {}  {}", line.at.to_rfc3339(), line.kind, line.number, line.sentence);
    }
    Ok(text)
}

/// RainTek's tables as they are now, and a fingerprint of them by which two shops are compared.
async fn tables(house: &House, settings: &crate::model::settings::Settings) -> String {
    let looked = async {
        let raintek = parts::raintek(settings, house.secrets())?;
        raintek.schema().await
    };
    match tokio::time::timeout(PATIENCE, looked).await {
        Ok(Ok(schema)) => shown_tables(&schema),
        Ok(Err(fault)) => format!("RainTek's tables could not be read: {fault}\n"),
        Err(_) => "RainTek's tables could not be read within 5 s.\n".to_owned(),
    }
}

fn shown_tables(schema: &PosSchema) -> String {
    let text = format!("{schema:#?}\n");
    let digest: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("fingerprint {digest}\n\n{text}")
}

/// The newest logs, the newest first.
fn newest(folder: &Path) -> Vec<PathBuf> {
    let mut logs: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .filter(|(_, path)| {
            path.extension().is_some_and(|extension| extension == "jsonl" || extension == "log")
        })
        .collect();
    logs.sort();
    logs.into_iter().rev().take(LOGS).map(|(_, path)| path).collect()
}

fn log_file(path: &Path, mask: &Mask) -> ReportFile {
    let bytes = std::fs::read(path).unwrap_or_default();
    let start = bytes.len().saturating_sub(OF_A_LOG);
    let text = String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).into_owned();
    // A line that is cut in the middle could hide half a name from the mask.
    let text = if start > 0 { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    let masked: String = text.lines().map(|line| mask.line(line) + "\n").collect();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    ReportFile { truncated: start > 0, ..file(&format!("logs/{name}"), masked) }
}
