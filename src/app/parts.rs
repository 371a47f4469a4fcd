//! What the settings mean to each part: pure but for what the adapters' constructors look at.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

use super::RAINTEK_PASSWORD;
use crate::alerts::{HeartbeatUrl, Telegram, WebTime};
use crate::engine::alerts::{Alerting, Pulse};
use crate::engine::backup::BackupRules;
use crate::engine::surroundings::Surroundings;
use crate::engine::{AwarenessRules, Rules};
use crate::model::fault::Fault;
use crate::model::settings::{RaintekSettings, Settings, default_payments};
use crate::platform::{LocalDisk, default_backup_folder};
use crate::ports::alerts::TrueTime;
use crate::ports::{Clock, Secrets};
use crate::raintek::{RainTek, read_folder};
use crate::sync::alerting::AlertRules;
use crate::sync::mapping::MapContext;
use crate::sync::retention::Keep;

/// How to reach RainTek: as the settings say, or as RainTek's own folder does.
pub(super) fn raintek_login(
    settings: &Settings,
    secrets: &dyn Secrets,
) -> Result<(RaintekSettings, Option<String>), Fault> {
    let mut raintek = settings.raintek.clone();
    let mut password = secrets.get(RAINTEK_PASSWORD)?;
    if let Some(folder) = &raintek.folder {
        let found = read_folder(folder)?;
        raintek.server = found.server;
        raintek.user = found.user;
        raintek.database = found.database.unwrap_or(raintek.database);
        // An empty one is none: RainTek's own file tells it.
        password = password.filter(|password| !password.is_empty()).or(Some(found.password));
    }
    Ok((raintek, password))
}

/// RainTek, nothing connected yet.
pub(super) fn raintek(settings: &Settings, secrets: &dyn Secrets) -> Result<RainTek, Fault> {
    let (raintek, password) = raintek_login(settings, secrets)?;
    Ok(RainTek::new(&raintek, password, settings.products.stock)
        .posting(settings.posting)
        .watching_only(settings.watch_only))
}

pub(super) fn rules(settings: &Settings, raintek: String) -> Rules {
    let mut payments = default_payments();
    payments.extend(settings.payments.iter().map(|(name, text)| (name.to_lowercase(), text.clone())));
    Rules {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        zone: settings.zone,
        map: MapContext {
            payments,
            unknown_item: settings.products.unknown_item.clone(),
            posting: settings.posting,
        },
        products_every: Duration::from_secs(settings.products.every_seconds),
        look_every: Duration::from_secs(settings.push.look_every_seconds),
        awareness: AwarenessRules {
            every: Duration::from_secs(settings.awareness.every_seconds),
            window_days: settings.awareness.window_days,
            history_days: settings.awareness.history_days,
            history_from: settings.awareness.history_from,
        },
        from_date: settings.push.from_date,
        raintek,
        billing: settings.billing.url.clone(),
    }
}

pub(super) fn backup_rules(settings: &Settings, data: &Path, database: &str) -> BackupRules {
    let backup = &settings.backup;
    let folder = backup.folder.clone().unwrap_or_else(|| default_backup_folder(data));
    // SQL Server's service has another working folder than we have.
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    BackupRules {
        folder: absolute(&folder),
        data: absolute(data),
        database: database.to_owned(),
        times: backup.times.clone(),
        keep: Keep { days: backup.keep_days, snapshot_days: backup.keep_snapshots_days },
        keep_free: backup.keep_free_mb.saturating_mul(1024 * 1024),
        // A trial restore makes a database on the server.
        drill: backup.drill && !settings.watch_only,
    }
}

/// The clock is compared with that of an address that is called anyway, and with none where there is none: no shop's
/// data goes anywhere for it.
pub(super) fn surroundings(
    settings: &Settings,
    data: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<Surroundings, Fault> {
    let telegram = (!settings.telegram.chats.is_empty()).then_some(&settings.telegram.base_url);
    let mut time = None;
    for address in settings.alerts.heartbeat_url.iter().chain(telegram) {
        time = match time {
            None => WebTime::of(address, Arc::clone(clock))?,
            found => found,
        };
    }
    let mut folders = vec![data.to_owned()];
    if settings.backup.enabled {
        folders.push(settings.backup.folder.clone().unwrap_or_else(|| default_backup_folder(data)));
    }
    Ok(Surroundings {
        time: time.map(|time| Arc::new(time) as Arc<dyn TrueTime>),
        disks: Arc::new(LocalDisk),
        folders,
        least: settings.alerts.disk_free_mb.saturating_mul(1024 * 1024),
    })
}

/// Who is told; nobody where no chat is set.
pub(super) fn alerting(settings: &Settings, secrets: &Arc<dyn Secrets>) -> Result<Option<Alerting>, Fault> {
    if settings.telegram.chats.is_empty() {
        return Ok(None);
    }
    let alerts = &settings.alerts;
    let rules = AlertRules {
        zone: settings.zone,
        lost_after: TimeDelta::seconds(alerts.lost_after_seconds.into()),
        failing_after: TimeDelta::hours(alerts.failing_after_hours.into()),
        gap: TimeDelta::seconds(alerts.gap_seconds.into()),
        closing: alerts.closing_time,
    };
    let mut chats = settings.telegram.chats.clone();
    chats.sort_unstable();
    chats.dedup();
    let messenger = Arc::new(Telegram::new(&settings.telegram, Arc::clone(secrets))?);
    Ok(Some(Alerting { messenger, chats, rules, commands: settings.telegram.commands }))
}

pub(super) fn pulse(settings: &Settings) -> Result<Option<Pulse>, Fault> {
    let Some(url) = &settings.alerts.heartbeat_url else { return Ok(None) };
    let every = Duration::from_secs(settings.alerts.heartbeat_seconds.into());
    Ok(Some(Pulse { heartbeat: Arc::new(HeartbeatUrl::new(url)?), every }))
}
