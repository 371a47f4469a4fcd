//! `shopsync check`: asks the ShopSync that runs to compare every invoice, and shows how far it is.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;

use super::say;
use crate::model::command::{Command, Reply};
use crate::model::scan::{ScanAnswer, ScanRun};
use crate::platform::SystemClock;
use crate::ports::Clock as _;
use crate::remote::Client;

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(300);
/// Between two lines that say so.
const SAY: Duration = Duration::from_secs(2);
/// Findings that are printed; the first ones say enough.
const MOST: usize = 100;

/// Exit code 0: no mismatch; 1: some, each with its sentence.
pub(super) async fn run(client: &Client) -> anyhow::Result<ExitCode> {
    // Counted before: the state that is published may lag behind what was just asked.
    let asked = client.status().await?.scan.asked + 1;
    match client.command(&Command::Check).await? {
        Reply::Accepted { sentence } => say(&sentence),
        Reply::Refused { sentence } => return Err(anyhow!(sentence)),
    }
    let clock = SystemClock::new();
    let mut shown = (String::new(), Duration::ZERO);
    loop {
        let status = client.status().await?.scan;
        if status.answered >= asked
            && let Some(answer) = status.answer
        {
            return Ok(finish(&answer));
        }
        // One that was there before this one was asked for is not ours to show.
        if let Some(run) = status.running.filter(|run| run.ordered && status.asked >= asked) {
            let line = progress(&run);
            if line != shown.0 && (run.waits.is_some() || clock.elapsed() >= shown.1) {
                say(&line);
                shown = (line, clock.elapsed() + SAY);
            }
        }
        clock.sleep(LOOK).await;
    }
}

fn progress(run: &ScanRun) -> String {
    let far = format!("{} of {}", run.done, run.total);
    match &run.waits {
        Some(waits) => format!("{far}. {waits}"),
        None => far,
    }
}

fn finish(answer: &ScanAnswer) -> ExitCode {
    say(&answer.end.sentence);
    for finding in answer.findings.iter().take(MOST) {
        say(&finding.sentence);
        finding.details.iter().for_each(|detail| say(&format!("    {detail}")));
        say(&format!("    {}", finding.action));
    }
    if answer.findings.len() > MOST {
        say(&format!("And {} more.", answer.findings.len() - MOST));
    }
    if answer.end.mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
