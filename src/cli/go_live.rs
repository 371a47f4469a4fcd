//! `shopsync go-live`: asks the ShopSync that runs, and shows how far it is.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;

use super::say;
use crate::model::command::{Command, Reply};
use crate::model::trial::{GoLiveWork, TrialStatus};
use crate::platform::SystemClock;
use crate::ports::Clock as _;
use crate::remote::Client;

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(300);

/// Says what it would do, or does it.
pub(super) async fn run(client: &Client, yes: bool) -> anyhow::Result<ExitCode> {
    let before = client.status().await?.trial;
    // One that was interrupted goes on by itself: then there is nothing to ask for.
    let follows = before.work.is_some();
    if !follows {
        match client.command(&Command::GoLive { yes }).await? {
            Reply::Accepted { sentence } => say(&sentence),
            Reply::Refused { sentence } => return Err(anyhow!(sentence)),
        }
        if !before.on {
            return Ok(ExitCode::SUCCESS);
        }
    }
    let asked = before.asked + 1;
    let clock = SystemClock::new();
    let mut shown = String::new();
    loop {
        let trial = client.status().await?.trial;
        let done = if follows { trial.work.is_none() } else { trial.answered >= asked };
        if done {
            return Ok(finish(trial));
        }
        if let Some(line) = trial.work.as_ref().map(line).filter(|line| *line != shown) {
            say(&line);
            shown = line;
        }
        clock.sleep(LOOK).await;
    }
}

fn line(work: &GoLiveWork) -> String {
    match (&work.sentence, work.progress) {
        (Some(sentence), _) => format!("{}: waits. {sentence}", work.doing),
        (None, Some(progress)) => format!("{}: {} of {}", work.doing, progress.done, progress.total),
        (None, None) => work.doing.clone(),
    }
}

fn finish(trial: TrialStatus) -> ExitCode {
    let answer = trial.answer.unwrap_or_default();
    answer.lines.iter().for_each(|line| say(line));
    if answer.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
