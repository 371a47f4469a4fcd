//! `shopsync service`: what Windows starts before anyone signs in.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;
use tokio::runtime::Runtime;

use super::{AskedToStop, log_as, say};
use crate::app::service::serve;

/// The service's log is a file of its own: the tray writes beside it.
const LOG: &str = "service";

/// What is to be done about the service; without it, it runs.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Task {
    /// Have Windows start it again whenever it fails (the installer asks for it).
    Recovery,
}

/// Runs as the service, or in this console.
///
/// # Errors
/// One sentence: the data folder or the log cannot be written, or nobody may start services here.
pub(super) fn run(
    runtime: &Runtime,
    data: &Path,
    settings: &Path,
    console: bool,
    task: Option<Task>,
) -> anyhow::Result<ExitCode> {
    if let Some(Task::Recovery) = task {
        return recovery();
    }
    crate::platform::make_private_folder(data)?;
    let _writer = log_as(data, LOG)?;
    if console {
        runtime.block_on(in_console(data, settings))?;
    } else {
        as_service(runtime, data, settings)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn in_console(data: &Path, settings: &Path) -> anyhow::Result<()> {
    let mut asked = AskedToStop::listen()?;
    say("The billing app is kept alive. Ctrl-C ends it.");
    serve(data, settings, asked.wait()).await
}

#[cfg(windows)]
fn recovery() -> anyhow::Result<ExitCode> {
    crate::platform::service::restart_when_it_fails()?;
    say("Windows starts the service again when it fails.");
    Ok(ExitCode::SUCCESS)
}

#[cfg(windows)]
fn as_service(runtime: &Runtime, data: &Path, settings: &Path) -> anyhow::Result<()> {
    let (runtime, data, settings) = (runtime.handle().clone(), data.to_owned(), settings.to_owned());
    crate::platform::service::run(move |stop| {
        let served = runtime.block_on(serve(&data, &settings, async move { stop.cancelled().await }));
        if let Err(error) = &served {
            tracing::error!("{error:#}");
        }
        served.is_ok()
    })?;
    Ok(())
}

#[cfg(not(windows))]
fn recovery() -> anyhow::Result<ExitCode> {
    Err(only_windows())
}

#[cfg(not(windows))]
fn as_service(_: &Runtime, _: &Path, _: &Path) -> anyhow::Result<()> {
    Err(only_windows())
}

#[cfg(not(windows))]
fn only_windows() -> anyhow::Error {
    use crate::model::fault::{Fault, FaultKind, Scope};
    let sentence = "Only Windows has such services. Here it runs in a console: shopsync service --console";
    Fault::new(FaultKind::Config, Scope::Store, sentence).into()
}
