//! The command line. Bad input is one sentence and exit code 2; what did not work is exit code 1.

mod alerts;
mod backup;
mod check;
mod go_live;
mod installer;
mod restore;
mod service;
mod setup;
mod tray;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::app::{self, PAGE_TOKEN, PORT_FILE, Start};
use crate::demo;
use crate::model::command::{Command as Order, Reply};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::model::settings::Settings;
use crate::model::status::Snapshot;
use crate::platform::installation::handed_over;
use crate::platform::{FileSecrets, Instance, default_data_folder, read_settings, settings_path};
use crate::ports::Secrets;
use crate::remote::Client;

/// Between two tries to start where the disk is full.
const START_AGAIN: std::time::Duration = std::time::Duration::from_secs(15);
/// Days of log files kept.
const LOGS_KEPT: usize = 30;

/// Keeps a RainTek till and a PocketBase billing app in step. Without a command: the icon beside the clock.
#[derive(Debug, Parser)]
#[command(name = "shopsync", version)]
struct Cli {
    /// The data folder.
    #[arg(long, global = true, value_name = "FOLDER", value_parser = folder)]
    data: Option<PathBuf>,
    /// The settings file, where it is not settings.toml in the data folder.
    #[arg(long, global = true, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Only the icon beside the clock, no window: the start at login.
    #[arg(long)]
    tray: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run without a window until Ctrl-C.
    Run,
    /// Show everything on a shop made up on the spot.
    Demo(demo::Options),
    /// Say how things are.
    Status {
        /// As JSON, everything.
        #[arg(long)]
        json: bool,
    },
    /// Try a waiting or held invoice now.
    Retry {
        /// Its number.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        number: Option<String>,
        /// Everything that waits or is held.
        #[arg(long)]
        all: bool,
    },
    /// Write a bill again that somebody changed or deleted in RainTek.
    Rewrite {
        /// Its number.
        number: String,
    },
    /// Give an invoice that is held for its number the next free one, in the app and in RainTek.
    Renumber {
        /// The number it is held under.
        number: String,
    },
    /// Take an invoice out of RainTek that was cancelled in the app, or is gone from it.
    Remove {
        /// Its number.
        number: String,
    },
    /// Leave such an invoice in RainTek.
    Leave {
        /// Its number.
        number: String,
    },
    /// Back up, list, read back, restore for trial.
    Backup {
        #[command(subcommand)]
        task: backup::Task,
    },
    /// Compare every synced invoice of the app with RainTek now.
    Check,
    /// Put the rows of a copy of a bill (a file of snapshots/) back into RainTek.
    RestoreInvoice {
        /// The file.
        file: PathBuf,
        /// Do it; without it only what would be done is shown.
        #[arg(long)]
        yes: bool,
    },
    /// Set ShopSync up: find RainTek, the billing app and who is told, look at what would be written, and start.
    Setup(setup::Options),
    /// Show, change or try settings; they count at once.
    Settings {
        #[command(subcommand)]
        what: setup::SettingsCommand,
    },
    /// Save what whoever supports the shop needs to see, without names, phones and passwords.
    Diagnostics {
        /// Where; without it in the data folder.
        file: Option<PathBuf>,
    },
    /// Keep a password, read from standard input: raintek.password, billing.password, telegram.token.
    Secret {
        /// Its name.
        #[arg(value_parser = ["raintek.password", "billing.password", crate::alerts::TOKEN_SECRET])]
        name: String,
    },
    /// Messages to people who are not at the PC.
    Alerts {
        #[command(subcommand)]
        what: AlertsCommand,
    },
    /// What the installer has done beside laying down files.
    #[command(hide = true)]
    Installer {
        #[command(subcommand)]
        task: installer::Task,
    },
    /// Keep the billing app alive before anyone signs in: what Windows starts by itself.
    Service {
        /// In this console, until Ctrl-C.
        #[arg(long)]
        console: bool,
        #[command(subcommand)]
        task: Option<service::Task>,
    },
    /// Ask a program without a window to end in order.
    #[command(hide = true)]
    Interrupt {
        /// Its process id.
        pid: u32,
    },
    /// End the trial: take its test data out of RainTek and the billing app. Says what it would do; --yes does it.
    GoLive {
        /// Do it.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
enum AlertsCommand {
    /// Send a test message to every chat of the settings.
    Test,
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    #[cfg(windows)]
    crate::platform::windows::attach_console();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for, and no mistake.
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            let _ = error.print();
            return code;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say_error(&format!("ShopSync cannot start: {error}."));
            return ExitCode::FAILURE;
        }
    };
    let done = match cli.command {
        None => tray::run(runtime, cli.data, cli.settings, cli.tray),
        Some(Command::Demo(options)) => {
            let done = demo::run(&runtime, options);
            runtime.shutdown_background();
            done
        }
        Some(Command::Service { console, task }) => {
            let data = cli.data.unwrap_or_else(default_data_folder);
            let settings = cli.settings.unwrap_or_else(|| settings_path(&data));
            let done = service::run(&runtime, &data, &settings, console, task);
            runtime.shutdown_background();
            done
        }
        Some(command) => {
            let done = runtime.block_on(run(command, cli.data, cli.settings));
            // A file that is being read through for a backup must not keep the process.
            runtime.shutdown_background();
            done
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error:#}");
            say_error(&format!("{error:#}"));
            let is_input = error.downcast_ref::<Fault>().is_some_and(|fault| fault.kind == FaultKind::Config)
                || error.downcast_ref::<crate::web::BindError>().is_some();
            if is_input { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

async fn run(command: Command, data: Option<PathBuf>, settings: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let data = data.unwrap_or_else(default_data_folder);
    let settings_file = settings.unwrap_or_else(|| settings_path(&data));
    match command {
        Command::Run => run_headless(data, settings_file).await,
        Command::Setup(options) => setup::run(options, &data, settings_file).await,
        Command::Settings { what } => setup::settings(what, &data, settings_file).await,
        Command::Diagnostics { file } => setup::diagnostics(file, &data, settings_file).await,
        Command::Demo(options) => demo::run_here(options).await,
        Command::Installer { task } => installer::run(&task, &data).await,
        Command::Service { .. } => Err(anyhow!("The service runs by itself.")),
        Command::Interrupt { pid } => interrupt(pid),
        Command::Status { json } => status(&client(&data, &read_settings(&settings_file)?)?, json).await,
        Command::Retry { number, all } => {
            let client = client(&data, &read_settings(&settings_file)?)?;
            let order = match number {
                Some(number) if !all => Order::Retry { number },
                _ => Order::RetryAll,
            };
            ask(&client, &order).await
        }
        Command::Rewrite { number } => {
            ask(&client(&data, &read_settings(&settings_file)?)?, &Order::Rewrite { number }).await
        }
        Command::Renumber { number } => {
            ask(&client(&data, &read_settings(&settings_file)?)?, &Order::Renumber { number }).await
        }
        Command::Remove { number } => {
            ask(&client(&data, &read_settings(&settings_file)?)?, &Order::Remove { number }).await
        }
        Command::Leave { number } => {
            ask(&client(&data, &read_settings(&settings_file)?)?, &Order::Leave { number }).await
        }
        Command::Alerts { what: AlertsCommand::Test } => {
            alerts::test(&data, &read_settings(&settings_file)?).await
        }
        Command::Backup { task } => {
            let settings = read_settings(&settings_file)?;
            backup::run(task, &data, &settings, &client(&data, &settings)?).await
        }
        Command::Check => check::run(&client(&data, &read_settings(&settings_file)?)?).await,
        Command::RestoreInvoice { file, yes } => {
            restore::run(&file, yes, &client(&data, &read_settings(&settings_file)?)?).await
        }
        Command::GoLive { yes } => go_live::run(&client(&data, &read_settings(&settings_file)?)?, yes).await,
        Command::Secret { name } => {
            let value = from_stdin()?;
            crate::platform::make_private_folder(&data).context("The data folder cannot be made.")?;
            // The one that runs takes it over at once.
            if Instance::is_taken(&data) {
                setup::keep_secret(&name, &value, &data, settings_file).await?;
            } else {
                FileSecrets::new(&data).set(&name, &value)?;
            }
            say(&format!("Kept as {name}."));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// On Windows a folder may come with a backslash at its end that swallowed a quotation mark, or with what keeps it from
/// that.
fn folder(text: &str) -> Result<PathBuf, String> {
    let whole = if cfg!(windows) { handed_over(text) } else { Some(PathBuf::from(text)) };
    whole.filter(|path| !path.as_os_str().is_empty()).ok_or_else(|| "a folder has a name".to_owned())
}

#[cfg(windows)]
fn interrupt(pid: u32) -> anyhow::Result<ExitCode> {
    Ok(if crate::platform::windows::interrupt(pid) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(not(windows))]
fn interrupt(_: u32) -> anyhow::Result<ExitCode> {
    Err(anyhow!("Here the system's own kill asks a program to end."))
}

/// A password, typed or piped: it must stand in no command line.
fn from_stdin() -> anyhow::Result<String> {
    let mut value = String::new();
    std::io::stdin().read_to_string(&mut value).context("The password cannot be read.")?;
    Ok(value.trim_end_matches(['\r', '\n']).to_owned())
}

async fn ask(client: &Client, order: &Order) -> anyhow::Result<ExitCode> {
    match client.command(order).await? {
        Reply::Accepted { sentence } => {
            say(&sentence);
            Ok(ExitCode::SUCCESS)
        }
        Reply::Refused { sentence } => Err(anyhow!(sentence)),
    }
}

async fn run_headless(data: PathBuf, settings: PathBuf) -> anyhow::Result<ExitCode> {
    let _writer = log_to(&data)?;
    // Listened for from here on: a stop that is asked for while it starts is as orderly as any.
    let mut asked = AskedToStop::listen()?;
    let start = Start { data, settings, leave_billing_running: false };
    loop {
        let running = match app::start(start.clone()).await {
            Ok(running) => running,
            // The disk is full: it starts by itself when there is room.
            Err(error) if error.downcast_ref::<Fault>().is_some_and(goes_by_itself) => {
                tracing::error!("{error:#}");
                say_error(&format!("{error:#} Trying again."));
                tokio::select! {
                    () = tokio::time::sleep(START_AGAIN) => continue,
                    () = asked.wait() => return Ok(ExitCode::SUCCESS),
                }
            }
            Err(error) => return Err(error),
        };
        say(&format!("ShopSync is running. Its page: {}", running.link));
        let restarts = tokio::select! {
            () = asked.wait() => false,
            () = running.asked_to_restart() => true,
        };
        say(if restarts { "Starting anew." } else { "Stopping." });
        running.stop().await;
        if !restarts {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Whether a start that failed may succeed later, with nobody's help.
fn goes_by_itself(fault: &Fault) -> bool {
    fault.kind == FaultKind::Transient && fault.scope == Scope::Store
}

/// Ctrl-C, or SIGTERM where there is one.
#[cfg(unix)]
struct AskedToStop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl AskedToStop {
    fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).context("Signals cannot be received.");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C, and a console that is closed.
#[cfg(windows)]
struct AskedToStop {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl AskedToStop {
    fn listen() -> anyhow::Result<Self> {
        use tokio::signal::windows::{ctrl_c, ctrl_close, ctrl_shutdown};
        let failed = "Ctrl-C cannot be received.";
        Ok(Self {
            interrupt: ctrl_c().context(failed)?,
            close: ctrl_close().context(failed)?,
            shutdown: ctrl_shutdown().context(failed)?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}

/// JSON lines, a file a day. The guard writes what is left when it is dropped.
pub(crate) fn log_to(data: &std::path::Path) -> anyhow::Result<tracing_appender::non_blocking::WorkerGuard> {
    log_as(data, "shopsync")
}

fn log_as(data: &std::path::Path, name: &str) -> anyhow::Result<tracing_appender::non_blocking::WorkerGuard> {
    let logs = data.join("logs");
    std::fs::create_dir_all(&logs)
        .with_context(|| format!("The log folder {} cannot be made.", logs.display()))?;
    let files = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix(name)
        .filename_suffix("jsonl")
        .max_log_files(LOGS_KEPT)
        .build(&logs)
        .with_context(|| format!("No log can be written in {}.", logs.display()))?;
    let (writer, guard) = tracing_appender::non_blocking(files);
    let filter =
        EnvFilter::try_from_env("SHOPSYNC_LOG").unwrap_or_else(|_| EnvFilter::new("info,tiberius=error"));
    tracing_subscriber::registry()
        .with(filter)
        .with(tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer))
        .try_init()
        .context("The log cannot be started.")?;
    Ok(guard)
}

fn client(data: &std::path::Path, settings: &Settings) -> anyhow::Result<Client> {
    let token = FileSecrets::new(data)
        .get(PAGE_TOKEN)?
        .ok_or_else(|| anyhow!("ShopSync has never run with the data folder {}.", data.display()))?;
    let noted = std::fs::read_to_string(data.join(PORT_FILE)).ok().and_then(|text| text.trim().parse().ok());
    Ok(Client::new(noted.unwrap_or(settings.web.port), token)?)
}

async fn status(client: &Client, json: bool) -> anyhow::Result<ExitCode> {
    let snapshot: Snapshot = client.status().await?;
    if json {
        say(&serde_json::to_string_pretty(&snapshot)?);
    } else {
        say(&snapshot.sentence);
        say(&snapshot.summary);
        if let Some(banner) = &snapshot.trial.banner {
            say(banner);
        }
        for item in &snapshot.items {
            say(&format!("{}  Rs {}  {}  {}", item.number, item.amount, item.state, item.sentence));
        }
        for problem in &snapshot.from_raintek.problems {
            say(&problem.sentence);
        }
        if let Some(last) = &snapshot.scan.last {
            say(&format!("{} ({})", last.sentence, last.at.format("%d %b %Y")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A line for the person at the terminal; one that went away is no reason to fail.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn say_error(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
