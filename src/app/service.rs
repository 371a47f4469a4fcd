//! What the Windows service does: it keeps the shop's billing app alive for the phones before anyone signs in, and runs
//! the engine where the settings say so.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::sleep;

use super::Start;
use crate::billing::PocketBase;
use crate::model::home::EngineHome;
use crate::model::settings::Settings;
use crate::platform::{FileSecrets, SystemClock, make_private_folder, read_settings};
use crate::ports::{Clock, Secrets};

/// Between two looks at the settings, and two tries of what did not start.
const AGAIN: Duration = Duration::from_secs(15);

/// How a stretch of serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The service is to end.
    Asked,
    /// The settings say something else now, or what did not start is to be tried again.
    Again,
}

/// Serves until `stop`. Nothing that is wrong with the settings or the disks ends it: it is tried again.
///
/// # Errors
/// The data folder cannot be made.
pub async fn serve(data: &Path, settings: &Path, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    make_private_folder(data)
        .with_context(|| format!("The data folder {} cannot be made.", data.display()))?;
    let mut stop = std::pin::pin!(stop);
    let mut told = None;
    loop {
        let ended = match read_settings(settings) {
            Ok(wanted) => stretch(data, settings, wanted, stop.as_mut(), &mut told).await,
            Err(fault) => {
                tell_once(&mut told, &fault.into());
                wait(stop.as_mut()).await
            }
        };
        if ended == Ended::Asked {
            return Ok(());
        }
    }
}

/// Serves as these settings want it, for as long as they stand.
async fn stretch(
    data: &Path,
    file: &Path,
    settings: Settings,
    mut stop: std::pin::Pin<&mut impl Future<Output = ()>>,
    told: &mut Option<String>,
) -> Ended {
    if settings.engine == EngineHome::Service {
        let start = Start { data: data.to_owned(), settings: file.to_owned(), leave_billing_running: false };
        match super::start(start).await {
            Ok(running) => {
                *told = None;
                let ended = tokio::select! {
                    biased;
                    () = stop.as_mut() => Ended::Asked,
                    () = running.asked_to_restart() => Ended::Again,
                    () = other(file, |now| now.engine != EngineHome::Service) => Ended::Again,
                };
                running.stop().await;
                return ended;
            }
            // A tray has the engine still, say: the phones are served all the same.
            Err(error) => tell_once(told, &error),
        }
    }
    let server = match app_of(data, &settings) {
        Ok(app) => app.server(),
        Err(error) => {
            tell_once(told, &error);
            return wait(stop).await;
        }
    };
    let waits_for_engine = settings.engine == EngineHome::Service;
    let ended = tokio::select! {
        biased;
        () = stop => Ended::Asked,
        () = server.keep_alive() => Ended::Again,
        () = other(file, |now| waits_for_engine || now.engine != settings.engine) => {
            // Whoever goes on with it finds it running.
            server.leave_running().await;
            return Ended::Again;
        }
        () = other(file, |now| now.billing != settings.billing) => Ended::Again,
    };
    server.stop().await;
    ended
}

fn app_of(data: &Path, settings: &Settings) -> anyhow::Result<PocketBase> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let secrets: Arc<dyn Secrets> = Arc::new(FileSecrets::new(data));
    Ok(PocketBase::new(settings.billing.clone(), settings.zone, data, clock, secrets)?)
}

/// Returns when the settings can be read and say something else.
pub(super) async fn other(file: &Path, differs: impl Fn(&Settings) -> bool) {
    loop {
        sleep(AGAIN).await;
        let file: PathBuf = file.to_owned();
        let read = tokio::task::spawn_blocking(move || read_settings(&file)).await;
        if matches!(&read, Ok(Ok(now)) if differs(now)) {
            return;
        }
    }
}

async fn wait(stop: std::pin::Pin<&mut impl Future<Output = ()>>) -> Ended {
    tokio::select! {
        biased;
        () = stop => Ended::Asked,
        () = sleep(AGAIN) => Ended::Again,
    }
}

fn tell_once(told: &mut Option<String>, error: &anyhow::Error) {
    let text = format!("{error:#}");
    if told.as_ref() != Some(&text) {
        tracing::error!("{text}");
        *told = Some(text);
    }
}
