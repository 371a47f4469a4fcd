//! `shopsync backup`: asks the ShopSync that runs, and shows how far it is.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Subcommand;

use super::say;
use crate::model::backup::{BackupTask, BackupsStatus, Made, Part, Proof};
use crate::model::command::{Command, Reply};
use crate::model::settings::Settings;
use crate::platform::{Instance, SystemClock};
use crate::ports::Clock as _;
use crate::remote::Client;
use crate::store::Store;
use crate::sync::backups::size;

/// Between two looks at how far long work is.
const LOOK: Duration = Duration::from_millis(300);

/// What to do about backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(super) enum Task {
    /// Back RainTek, the billing app and ShopSync's own store up now.
    Now,
    /// List what was made.
    List,
    /// Read the newest backups back.
    Verify,
    /// Restore the newest backups beside the shop for trial, and remove them again.
    Drill,
    /// Take RainTek's tables as they are now for right, after somebody looked at what changed in them.
    Accept,
}

/// Does it.
pub(super) async fn run(
    task: Task,
    data: &Path,
    settings: &Settings,
    client: &Client,
) -> anyhow::Result<ExitCode> {
    let task = match task {
        Task::List => return list(data, settings, client).await,
        Task::Now => BackupTask::Now,
        Task::Verify => BackupTask::Verify,
        Task::Drill => BackupTask::Drill,
        Task::Accept => BackupTask::AcceptSchema,
    };
    // Counted before: the state that is published may lag behind what was just asked.
    let asked = client.status().await?.backups.asked + 1;
    match client.command(&Command::Backup { task }).await? {
        Reply::Accepted { sentence } => say(&sentence),
        Reply::Refused { sentence } => return Err(anyhow!(sentence)),
    }
    let clock = SystemClock::new();
    let mut shown = String::new();
    loop {
        let status = client.status().await?.backups;
        if status.answered >= asked {
            return finish(status);
        }
        if let Some(work) = status.running {
            let percent = work.percent.map(|percent| format!(": {percent} %")).unwrap_or_default();
            let line = format!("{}{percent}", work.doing);
            if line != shown {
                say(&line);
                shown = line;
            }
        }
        clock.sleep(LOOK).await;
    }
}

fn finish(status: BackupsStatus) -> anyhow::Result<ExitCode> {
    let answer = status.answer.unwrap_or_default();
    answer.lines.iter().for_each(|line| say(line));
    Ok(if answer.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn list(data: &Path, settings: &Settings, client: &Client) -> anyhow::Result<ExitCode> {
    let (mut files, sentence, restorable) = match client.status().await {
        Ok(snapshot) => (snapshot.backups.files, snapshot.backups.sentence, snapshot.backups.restorable),
        Err(not_running) => {
            // Nobody runs, so nobody else reads the store: its own list will do.
            let _instance = Instance::take(data).map_err(|_| not_running)?;
            let store = Store::open(&data.join("shopsync.sqlite"))?;
            (crate::engine::backup::recorded(&store).await?, None, None)
        }
    };
    files.retain(|made| made.part != Part::Snapshots);
    files.sort_by_key(|made| std::cmp::Reverse(made.at));
    if files.is_empty() {
        say("There are no backups yet.");
    }
    for made in &files {
        say(&line(made, settings));
    }
    if let Some(at) = restorable {
        say(&format!(
            "Last proven restorable: {}.",
            at.with_timezone(&settings.zone).format("%d %b %Y %H:%M")
        ));
    }
    if let Some(sentence) = sentence {
        say(&sentence);
    }
    Ok(ExitCode::SUCCESS)
}

fn line(made: &Made, settings: &Settings) -> String {
    let proof = match made.proof {
        Some(Proof::Restored) => "restored for trial",
        Some(Proof::ReadBack) => "read back",
        None => "NOT PROVEN",
    };
    let at = made.at.with_timezone(&settings.zone).format("%d %b %Y %H:%M");
    format!("{at}  {:>8}  {proof:18}  {}", size(made.bytes), made.file.display())
}
