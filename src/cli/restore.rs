//! `shopsync restore-invoice`: shows what putting a copy of a bill back would do, and does it with `--yes`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;

use super::say;
use crate::model::command::{Command, Reply};
use crate::model::fault::{Fault, FaultKind, Scope};
use crate::remote::Client;
use crate::sync::restore;

/// Longer than RainTek's server is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Exit code 2: the file is none that could be put back.
pub(super) async fn run(file: &Path, confirmed: bool, client: &Client) -> anyhow::Result<ExitCode> {
    let wrong = |sentence: String| Fault::new(FaultKind::Config, Scope::Item, sentence);
    let text = tokio::fs::read_to_string(file)
        .await
        .map_err(|error| wrong(format!("The file {} cannot be read.", file.display())).detail(error))?;
    let copy = restore::read(&text).map_err(wrong)?;
    // Without the blanks that make the file readable it is a fraction of its size.
    let copy = serde_json::to_string(&copy)?;
    match client.command_within(&Command::RestoreInvoice { copy, confirmed }, PATIENCE).await? {
        Reply::Accepted { sentence } => {
            say(&sentence);
            Ok(ExitCode::SUCCESS)
        }
        Reply::Refused { sentence } => Err(anyhow!(sentence)),
    }
}
